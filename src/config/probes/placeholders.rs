//! Placeholders, and findings about placeholders that are never replaced.

use crate::config::table::nearest;
use crate::config::tree::Node;
use crate::finding::{Finding, Findings, code};

/// Placeholders in the path of a health file.
pub(super) const ALL: [&str; 3] = ["pop", "service", "address"];

/// The first placeholder in a text.
pub(super) fn found(text: &str) -> Option<&'static str> {
    ALL.iter().copied().find(|word| text.contains(&format!("{{{word}}}")))
}

/// Warns that a placeholder is sent as written.
pub(super) fn literal(node: &Node, word: &str, place: &str, help: &str, out: &mut Findings) {
    out.push(
        Finding::warning(code::BAD_VALUE, format!("`{{{word}}}` has no meaning in {place}"))
            .at(node.at, "sent as written")
            .help(help),
    );
}

/// True if a path has only these placeholders; reports any other.
pub(super) fn are_known(path: &str, node: &Node, placeholders: &[&'static str], out: &mut Findings) -> bool {
    for part in path.split('{').skip(1) {
        let Some((word, _)) = part.split_once('}') else { continue };
        if !placeholders.contains(&word) {
            let known: Vec<String> = placeholders.iter().map(|word| format!("`{{{word}}}`")).collect();
            let finding =
                Finding::error(code::BAD_VALUE, format!("`{{{word}}}` is not a placeholder of this path"))
                    .at(node.at, "never replaced");
            out.push(match nearest(word, placeholders.iter().copied()) {
                Some(near) => finding.help(format!("did you mean `{{{near}}}`?")),
                None => finding.help(format!("the placeholders are {}", known.join(", "))),
            });
            return false;
        }
    }
    true
}
