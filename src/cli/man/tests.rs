//! Tests of `man`.

use super::*;

/// Every command has a page with the sections of man-pages(7), and an example.
#[test]
fn every_command_has_a_whole_page() {
    let pages = pages();
    assert!(pages.len() > 20, "{} pages", pages.len());
    for Page { name, text } in &pages {
        let titles: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix(".SH ")).collect();
        for title in ["NAME", "SYNOPSIS", "DESCRIPTION", "OPTIONS", "\"EXIT STATUS\"", "ENVIRONMENT"] {
            assert!(titles.contains(&title), "{name} has no {title}: {titles:?}");
        }
        assert_eq!(&titles[titles.len() - 2..], [EXAMPLES, "\"SEE ALSO\""], "{name}");
        assert_eq!(titles.iter().filter(|title| **title == EXAMPLES).count(), 1, "{name}");
        let (_, examples) = text.split_once(".SH EXAMPLES\n.EX\n").expect("checked above");
        let first = examples.lines().next().unwrap_or_default();
        assert!(first.starts_with("meridian "), "{name}: {first}");
    }
}

/// Paragraphs of the help become sections of the page.
#[test]
fn paragraphs_become_sections() {
    let text = |name: &str| pages().into_iter().find(|page| page.name == name).expect("a page").text;
    let serve = text("meridian-serve");
    assert!(serve.contains(".SH SIGNALS\n.EX\nSIGHUP "), "{serve}");
    assert!(serve.contains("RUST_LOG") && serve.contains("state/control.sock"), "{serve}");
    let check = text("meridian-check");
    assert!(check.contains(".SH \"EXIT STATUS\"\n0 if the deployment can be served"), "{check}");
    assert!(text("meridian-explain").contains(".PP\nAsks the running server for the answer"));
    let drain = text("meridian-pop-drain");
    assert!(drain.contains("MERIDIAN_CONFIG") && !drain.contains("RUST_LOG"), "{drain}");
    assert!(drain.contains("meridian\\-pop(1), meridian\\-pop\\-list(1)"), "{drain}");
    assert!(text("meridian").contains("meridian\\-serve(1)"));
}

/// Rows of ENVIRONMENT and FILES name arguments and commands that are there.
#[test]
fn rows_name_what_is_there() {
    fn words(command: &Command, all: &mut Vec<String>) {
        all.push(command.get_name().to_owned());
        all.extend(command.get_arguments().map(|argument| argument.get_id().to_string()));
        command.get_subcommands().for_each(|child| words(child, all));
    }
    let mut root = Arguments::command();
    root.build();
    let mut all = Vec::new();
    words(&root, &mut all);
    for (term, _, of) in ENVIRONMENT.iter().chain(&FILES) {
        for word in *of {
            assert!(all.iter().any(|known| known == word), "{term}: {word}");
        }
    }
}

/// Pages are the same on every machine: they have no default that depends on the session.
#[test]
fn pages_do_not_tell_who_made_them() {
    for Page { name, text } in pages() {
        let author = text.split("\\-\\-author").nth(2).unwrap_or_default();
        assert!(!author.lines().next().unwrap_or_default().contains("default"), "{name}: {author}");
        assert!(!text.contains("[default: ]"), "{name}");
    }
}

/// The folder is made, and has a file for each page.
#[test]
fn pages_are_written() {
    let folder = tempfile::tempdir().unwrap();
    let inside = folder.path().join("share/man1");
    let count = write_all(&inside).unwrap();
    assert_eq!(std::fs::read_dir(&inside).unwrap().count(), count);
    assert!(inside.join("meridian-geoip-build.1").exists());
}
