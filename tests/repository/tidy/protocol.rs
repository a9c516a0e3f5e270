//! Types of the control protocol, which servers and commands of other versions read.

use super::{none, sources};

/// Every struct of the control protocol decides about versions: a reply reads without fields that
/// it does not know (`serde(default`), a request refuses those (`deny_unknown_fields`).
#[test]
fn protocol_types_decide_about_versions() {
    // Structs that decide field by field.
    const OTHERS: [&str; 4] = ["Asked", "Failure", "GuardSetting", "ReloadResult"];
    let mut breaches = Vec::new();
    for source in sources("src/control/protocol").iter().filter(|source| !source.is_test) {
        let mut attributes = String::new();
        for line in source.text.lines() {
            match line.strip_prefix("pub(crate) struct ").or(line.strip_prefix("pub struct ")) {
                _ if line.starts_with('#') => attributes.push_str(line),
                Some(rest) => {
                    let name = rest.split([' ', '<', '(', ';']).next().unwrap_or_default();
                    let decides =
                        ["serde(default", "deny_unknown_fields"].map(|word| attributes.contains(word));
                    if attributes.contains("Deserialize")
                        && !decides.contains(&true)
                        && !OTHERS.contains(&name)
                    {
                        breaches.push(format!("{}: `{name}`", source.path));
                    }
                    attributes.clear();
                }
                None if !line.starts_with("///") => attributes.clear(),
                None => {}
            }
        }
    }
    none(breaches);
}
