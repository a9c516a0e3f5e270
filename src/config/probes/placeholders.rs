//! Placeholders: which there are, and where a text has one that nothing is put in place of.

use crate::config::table::nearest;
use crate::config::tree::Node;
use crate::finding::{Finding, Findings, code};

/// What stands for something in the path of a health file.
pub(super) const ALL: [&str; 3] = ["pop", "service", "address"];

/// The first of them that stands in a text.
pub(super) fn found(text: &str) -> Option<&'static str> {
    ALL.iter().copied().find(|word| text.contains(&format!("{{{word}}}")))
}

/// Tells that a placeholder is sent as it is written.
pub(super) fn literal(node: &Node, word: &str, place: &str, help: &str, out: &mut Findings) {
    out.push(
        Finding::warning(code::BAD_VALUE, format!("`{{{word}}}` stands for nothing in {place}"))
            .at(node.at, "taken as it is written")
            .help(help),
    );
}

/// Whether a path has no placeholder but these; another one is told.
pub(super) fn are_known(path: &str, node: &Node, placeholders: &[&'static str], out: &mut Findings) -> bool {
    for part in path.split('{').skip(1) {
        let Some((word, _)) = part.split_once('}') else { continue };
        if !placeholders.contains(&word) {
            let known: Vec<String> = placeholders.iter().map(|word| format!("`{{{word}}}`")).collect();
            let finding =
                Finding::error(code::BAD_VALUE, format!("`{{{word}}}` is no placeholder of this path"))
                    .at(node.at, "never replaced");
            out.push(match nearest(word, placeholders.iter().copied()) {
                Some(near) => finding.help(format!("did you mean `{{{near}}}`?")),
                None => finding.help(format!("there are {}", known.join(", "))),
            });
            return false;
        }
    }
    true
}
