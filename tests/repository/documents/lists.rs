//! Lists in documents are complete: the index, commands, control pages, keys, decisions.

use super::references::code_spans;
use super::{documents, text, top};
use meridian::testing::control::routes::{PAGES, Page};
use std::fs;
use std::path::{Path, PathBuf};
use support::program;

/// Every key that a reader takes by its name stands in the reference.
#[test]
fn the_reference_has_every_key() {
    let (mut missing, mut count) = (Vec::new(), 0);
    for path in sources(&top().join("src/config")) {
        // The ledger is written by the program; its keys stand with the verbs that write it.
        let is_ledger = path.ends_with("ledger_file.rs");
        let reference = text(if is_ledger { "docs/control.md" } else { "docs/configuration.md" });
        let source = fs::read_to_string(&path).unwrap();
        for reader in [".take(\"", ".need(\"", ".take_entry(\""] {
            for key in source.split(reader).skip(1).filter_map(|rest| rest.split('"').next()) {
                count += 1;
                if !reference.contains(&format!("`{key}`")) {
                    missing.push(format!("{}: `{key}`", path.display()));
                }
            }
        }
    }
    assert!(missing.is_empty(), "the reference does not tell\n{}", missing.join("\n"));
    assert!(count > 100, "{count} keys");
}

/// Every source below a folder.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found
}

/// The front page is read at once.
#[test]
fn the_front_page_is_short() {
    const LINES_MAX: usize = 120;
    let lines = text("README.md").lines().count();
    assert!(lines <= LINES_MAX, "README.md: {lines} lines, at most {LINES_MAX}; docs/ has room");
}

/// The index names every document below `docs`, once.
#[test]
fn the_index_is_complete() {
    let index = text("docs/SUMMARY.md");
    for document in documents() {
        let Some(path) = document.strip_prefix("docs/").filter(|path| *path != "SUMMARY.md") else {
            continue;
        };
        let named = index.matches(&format!("]({path})")).count();
        assert_eq!(named, 1, "docs/SUMMARY.md links to {path} {named} times");
    }
}

/// Every command of the program, commands of groups among them, stands in `docs/commands.md`.
#[test]
fn every_command_is_listed() {
    let page = text("docs/commands.md");
    let mut count = 0;
    for command in commands(&[]) {
        let group = commands(&[&command]);
        count += 1 + group.len();
        if group.is_empty() {
            assert!(page.contains(&format!("`meridian {command}")), "docs/commands.md lacks `{command}`");
        }
        for inner in group {
            let row = page.lines().find(|line| {
                let is_of_group = line.contains(&format!("`meridian {command} "));
                is_of_group && code_spans(line).any(|span| span.split(' ').any(|word| word == inner))
            });
            assert!(row.is_some(), "docs/commands.md lacks `{command} {inner}`");
        }
    }
    assert!(count > 15, "the program has commands; {count} were found");
}

/// Names of the commands that the help of a command lists.
fn commands(above: &[&str]) -> Vec<String> {
    let (_, help, _) = program::run(program::meridian(&[above, &["--help"]].concat()));
    let Some((_, listed)) = help.split_once("\nCommands:\n") else { return Vec::new() };
    listed
        .lines()
        .take_while(|line| !line.trim().is_empty())
        .filter(|line| line.starts_with("  ") && !line.starts_with("   "))
        .filter_map(|line| line.split_whitespace().next())
        .filter(|name| *name != "help")
        .map(str::to_owned)
        .collect()
}

/// Every page of the control socket stands in `docs/control.md`, and no other.
#[test]
fn every_control_page_is_documented() {
    let routed: Vec<String> = PAGES.iter().map(Page::request).collect();
    assert!(routed.len() > 10, "{routed:?}");
    let page = text("docs/control.md");
    let told: Vec<String> = page
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split('`').next())
        .filter(|first| first.split(' ').nth(1).is_some_and(|path| path.starts_with('/')))
        .map(str::to_owned)
        .collect();
    for page in &routed {
        assert!(told.contains(page), "docs/control.md lacks `{page}`");
    }
    for page in &told {
        assert!(
            routed.contains(page),
            "docs/control.md has `{page}`, which src/control/routes.rs does not have"
        );
    }
}

/// Every field of a request and of a reply stands in `docs/control.md`; the settings of a policy
/// may stand in the reference of the files instead.
#[test]
fn every_field_of_a_control_page_is_documented() {
    let (page, reference) = (text("docs/control.md"), text("docs/configuration.md"));
    let (mut missing, mut count) = (Vec::new(), 0);
    for path in sources(&top().join("src/control/protocol")) {
        let is_policy = path.ends_with("policies.rs");
        let source = fs::read_to_string(&path).unwrap();
        let mut attribute = "";
        for line in source.lines().map(str::trim_start) {
            if line.starts_with("#[") {
                attribute = line;
                continue;
            }
            let field = line.strip_prefix("pub(crate) ").and_then(|line| line.split_once(": "));
            let attribute = std::mem::take(&mut attribute);
            let is_word = |field: &str| field.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
            let field = field.map(|(field, _)| field).filter(|field| is_word(field));
            let Some(field) = field.filter(|_| !attribute.contains("flatten")) else { continue };
            let renamed = attribute.split_once("rename = \"").and_then(|(_, name)| name.split('"').next());
            let name = renamed.unwrap_or(field);
            let is_told =
                |page: &str| page.contains(&format!("`{name}`")) || page.contains(&format!("`{name}="));
            count += 1;
            if !(is_told(&page) || is_policy && is_told(&reference)) {
                missing.push(format!("{}: `{name}`", path.display()));
            }
        }
    }
    assert!(missing.is_empty(), "docs/control.md lacks\n{}", missing.join("\n"));
    assert!(count > 100, "{count} fields");
}

/// A decision has its number, a status and a date, and stands in the list with its title.
#[test]
fn decisions_have_status_and_date() {
    let list = text("docs/adr/README.md");
    let mut count = 0;
    for document in documents() {
        let Some(name) = document.strip_prefix("docs/adr/").filter(|name| name.starts_with("00")) else {
            continue;
        };
        count += 1;
        let text = text(&document);
        let title = text.lines().next().and_then(|line| line.strip_prefix("# ")).unwrap_or_default();
        let (number, words) = title.split_once(". ").unwrap_or_else(|| panic!("{document}: `# N. Title`"));
        assert_eq!(
            name.split('-').next().and_then(|n| n.parse().ok()),
            number.parse::<u32>().ok(),
            "{document}"
        );
        assert!(
            list.contains(&format!("| [{number}]({name}) | {words} |")),
            "docs/adr/README.md lacks {title}"
        );
        let status = text.lines().nth(2).unwrap_or_default();
        let (status, date) = status.split_once(", ").unwrap_or_default();
        let is_known = matches!(status, "**Accepted**") || status.starts_with("**Superseded** by [");
        let is_date = date.len() == 10
            && date
                .bytes()
                .enumerate()
                .all(|(at, b)| if at == 4 || at == 7 { b == b'-' } else { b.is_ascii_digit() });
        assert!(
            is_known && is_date,
            "{document}:3: `**Accepted**, 2026-01-31` or `**Superseded** by [..](..), ...`"
        );
    }
    assert!(count > 10, "{count} decisions");
}

/// Terms of each list of the glossary are in alphabetical order, each once.
#[test]
fn the_glossary_is_alphabetical() {
    let glossary = text("docs/glossary.md");
    let mut count = 0;
    for list in glossary.split("\n## ") {
        let terms: Vec<String> = list
            .lines()
            .filter_map(|line| line.strip_prefix("- **")?.split("**").next())
            .map(|term| {
                let kept = |letter: &char| letter.is_ascii_alphanumeric() || *letter == ' ';
                term.to_ascii_lowercase().chars().filter(kept).collect()
            })
            .collect();
        count += terms.len();
        for pair in terms.windows(2) {
            assert!(pair[0] < pair[1], "docs/glossary.md: `{}` stands before `{}`", pair[0], pair[1]);
        }
    }
    assert!(count > 100, "{count} terms");
}
