//! Whatever a document points at exists: files, headings, items of the code.

use super::{documents, text, top};
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// Folders whose files documents name from the top.
const ROOTS: &[&str] =
    &["src/", "tests/", "docs/", "fuzz/", "benches/", "deploy/", ".ci/", "zones/", "geoip/"];

/// A file named in a document exists: links, and paths in backticks.
#[test]
fn documents_name_files_that_exist() {
    let mut missing = Vec::new();
    for document in documents() {
        let text = text(&document);
        let folder = top().join(&document).parent().unwrap().to_owned();
        for (number, line) in text.lines().enumerate() {
            for link in links(line) {
                let path = link.split('#').next().unwrap_or_default();
                if !folder.join(path).exists() {
                    missing.push(format!("{document}:{}: links to `{link}`", number + 1));
                }
            }
            for named in code_spans(line) {
                // `tests/laws/main.rs::name` names an item too; `<` and `*` make a pattern of it.
                let path = named.split("::").next().unwrap_or_default();
                let is_path = ROOTS.iter().any(|root| named.starts_with(root));
                if is_path && !path.contains(['<', '*', ' ', '{']) && !top().join(path).exists() {
                    missing.push(format!("{document}:{}: names `{path}`", number + 1));
                }
            }
        }
    }
    assert!(missing.is_empty(), "\n{}", missing.join("\n"));
}

/// The heading behind the `#` of a link exists in the document that the link leads to.
#[test]
fn links_lead_to_headings_that_exist() {
    let mut missing = Vec::new();
    let mut found = 0;
    for document in documents() {
        for (number, line) in text(&document).lines().enumerate() {
            for link in links(line) {
                let Some((path, heading)) = link.split_once('#') else { continue };
                let target = match path {
                    "" => top().join(&document),
                    path => top().join(&document).with_file_name(path),
                };
                let read = fs::read_to_string(target).unwrap_or_default();
                found += 1;
                if !anchors(&read).contains(heading) {
                    missing.push(format!("{document}:{}: no heading `#{heading}`", number + 1));
                }
            }
        }
    }
    assert!(missing.is_empty(), "\n{}", missing.join("\n"));
    assert!(found >= 10, "documents link to headings; {found} links were found");
}

/// An item named in a document (`tests/laws/main.rs::the_name`) is defined in that file.
#[test]
fn documents_name_items_that_exist() {
    let mut missing = Vec::new();
    let mut found = 0;
    for document in documents() {
        for (number, line) in text(&document).lines().enumerate() {
            for named in code_spans(line) {
                let Some((path, item)) = named.split_once(".rs::") else { continue };
                found += 1;
                let source = fs::read_to_string(top().join(format!("{path}.rs"))).unwrap_or_default();
                let item = item.rsplit("::").next().unwrap_or(item);
                if !defines(&source, item) {
                    missing.push(format!("{document}:{}: {path}.rs does not define `{item}`", number + 1));
                }
            }
        }
    }
    assert!(missing.is_empty(), "\n{}", missing.join("\n"));
    assert!(found >= 10, "the documents name items; {found} were found");
}

/// Every row of the RFC ledger says by `file::item` where a section is kept, and names tests that
/// exist.
#[test]
fn the_ledger_cites_items() {
    let ledger = text("docs/rfc.md");
    let kept = ledger.split("## Deviations").next().unwrap_or_default();
    let mut rows = 0;
    let mut vague = Vec::new();
    for (number, line) in kept.lines().enumerate().filter(|(_, line)| line.starts_with("| RFC ")) {
        rows += 1;
        let cells: Vec<&str> = line.split(" | ").collect();
        let cited: Vec<&str> = cells.get(2).map(|cell| code_spans(cell).collect()).unwrap_or_default();
        if cited.is_empty() || cited.iter().any(|path| !path.contains(".rs::")) {
            vague.push(format!("docs/rfc.md:{}: cite `file::item`, not {cited:?}", number + 1));
        }
    }
    assert!(vague.is_empty(), "\n{}", vague.join("\n"));
    assert!(rows > 50, "the ledger has rows; {rows} were found");
}

/// Targets of the links of a line, those of other sites left out.
fn links(line: &str) -> impl Iterator<Item = &str> {
    let targets = line.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    targets.filter(|link| !link.contains("://"))
}

/// Text between backticks in a line.
pub fn code_spans(line: &str) -> impl Iterator<Item = &str> {
    line.split('`').skip(1).step_by(2)
}

/// Anchors of a document's headings, as hosting sites and mdBook make them.
fn anchors(document: &str) -> BTreeSet<String> {
    let mut is_example = false;
    let mut found = BTreeSet::new();
    for line in document.lines() {
        is_example ^= line.starts_with("```");
        let words = line.trim_start_matches('#');
        if is_example || words.len() == line.len() {
            continue;
        }
        let kept = |letter: &char| letter.is_alphanumeric() || matches!(letter, ' ' | '-' | '_');
        found.insert(words.trim().to_lowercase().chars().filter(kept).collect::<String>().replace(' ', "-"));
    }
    found
}

/// Whether a source file defines an item of this name.
fn defines(source: &str, name: &str) -> bool {
    ["fn", "struct", "enum", "trait", "type", "const", "static", "mod", "macro_rules!"].iter().any(|word| {
        let opening = format!("{word} {name}");
        source.match_indices(&opening).any(|(at, _)| {
            let before = source[..at].chars().next_back();
            let after = source[at + opening.len()..].chars().next();
            let is_edge =
                |letter: Option<char>| letter.is_none_or(|letter| !letter.is_alphanumeric() && letter != '_');
            is_edge(before) && is_edge(after)
        })
    })
}

/// The rules find what they are for.
#[test]
fn items_and_anchors_are_found() {
    let source = "pub(crate) fn answer<R>(\nconst DEPTH_MAX: u8 = 1;\nstruct Reply;\nlet answered = 1;";
    for (name, is_defined) in
        [("answer", true), ("DEPTH_MAX", true), ("Reply", true), ("answered", false), ("DEPTH", false)]
    {
        assert_eq!(defines(source, name), is_defined, "{name}");
    }
    let found = anchors("# At 3 a.m.\n```\n# no heading\n```\n## 5. The panic guard\n");
    assert_eq!(found.into_iter().collect::<Vec<_>>(), ["5-the-panic-guard", "at-3-am"]);
    assert!(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs").is_dir());
}
