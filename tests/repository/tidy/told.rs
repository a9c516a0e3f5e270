//! What is shared between modules says what it is.

use super::{head, none, sources};

/// Every item and field that others see says what it is. The compiler asks it only of what can be
/// reached from outside the crate.
#[test]
fn every_shared_item_is_told() {
    let mut breaches = Vec::new();
    for source in sources("src").iter().filter(|source| !source.is_test) {
        for (number, line) in untold(&source.text) {
            breaches.push(format!("{}:{number}: nothing above says what it is: {line}", source.path));
        }
    }
    none(breaches);
}

/// Lines that begin a shared item or field without `///` above, attributes apart. Macros are left
/// out, and so is what stands under `#[allow(missing_docs)]`.
fn untold(text: &str) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    let (mut is_told, mut is_allowed, mut attribute_depth) = (false, false, 0);
    // The line that ends what is left out.
    let mut left_out: Option<String> = None;
    for (number, line) in (1..).zip(text.lines()) {
        let words = line.trim_start();
        let margin = &line[..line.len() - words.len()];
        if let Some(end) = &left_out {
            if line.starts_with(end.as_str()) {
                left_out = None;
            }
            continue;
        }
        if attribute_depth > 0 || words.starts_with("#[") {
            is_allowed |= words.starts_with("#[allow(missing_docs)]");
            // Flattened arguments bring their own words.
            is_told |= words.starts_with("#[command(flatten)]");
            let code = words.split("//").next().unwrap_or_default();
            attribute_depth += code.matches('[').count() as i32 - code.matches(']').count() as i32;
            continue;
        }
        if words.starts_with("//") {
            is_told |= words.starts_with("///");
            continue;
        }
        if is_shared_item(words) && !is_told {
            found.push((number, words));
        }
        if (is_allowed || words.starts_with("macro_rules!")) && line.ends_with('{') {
            left_out = Some(format!("{margin}}}"));
        }
        (is_told, is_allowed) = (false, false);
    }
    found
}

/// Whether a line begins an item or a field that is seen outside its module; modules and `use` tell
/// of themselves elsewhere.
fn is_shared_item(line: &str) -> bool {
    let Some(rest) = line.strip_prefix("pub") else { return false };
    let rest = match rest.strip_prefix('(') {
        Some(inside) => inside.split_once(')').map_or("", |(_, rest)| rest),
        None => rest,
    };
    let Some(rest) = rest.strip_prefix(' ') else { return false };
    let first = head(rest);
    match first.as_str() {
        "mod" | "use" => false,
        "fn" | "struct" | "enum" | "trait" | "type" | "const" | "static" | "union" | "async" | "unsafe"
        | "extern" => true,
        // `name: Type`; a path has two colons.
        _ => rest[first.len()..].starts_with(": "),
    }
}

/// What is asked of others is asked of nothing else.
#[test]
fn what_is_untold_is_found() {
    let rows = [
        ("pub fn a() {}", true),
        ("/// A.\npub fn a() {}", false),
        ("/// A.\n#[inline]\n#[cfg(any(\n    test,\n))]\npub(crate) fn a() {}", false),
        ("#[inline]\npub(super) const fn a() {}", true),
        ("/// A.\nstruct A {\n    pub(crate) field: u8,\n}", true),
        ("/// A.\nstruct A {\n    /// Its field.\n    pub(crate) field: u8,\n}", false),
        ("// A remark.\npub static A: u8 = 0;", true),
        ("pub(crate) mod a;\npub use a::A;\nfn b() {}", false),
        ("macro_rules! a {\n    () => {\n        pub fn a() {}\n    };\n}", false),
        ("macro_rules! a {\n}\npub fn a() {}", true),
        ("struct A {\n    #[command(flatten)]\n    pub(super) all: All,\n}", false),
        ("#[allow(missing_docs)]\nimpl A {\n    pub const B: u8 = 0;\n}", false),
    ];
    for (text, is_untold) in rows {
        assert_eq!(!untold(text).is_empty(), is_untold, "{text}");
    }
}
