//! What the documents show is what the program does.
//!
//! Blocks are marked by the words behind the fence:
//!
//! | mark | what the test does |
//! |---|---|
//! | `console tour` | replays every `$` line in order, over one copy of the sample |
//! | `yaml FILE` | lays the block over that file of the sample; the whole must pass `check` |
//! | `yaml beside pops` | adds the block behind that map, at the top of the same file |
//! | `yaml in pops`, `in policies`, `in networks`, `in records` | adds the block to that map of the sample; the same |
//!
//! A tour is replayed twice: in process, and, where the program can serve, against the program on a
//! port of its own. Answers of `dig` are compared by status, flags, client subnet, length of the
//! cookie, and sections, order aside; everything else word for word, where `...` at the end of a
//! line stands for anything.

mod replay;

use crate::support::{Tree, load};
use replay::Backend;
use replay::block::{DocumentBlock, Example, blocks, examples};
use std::fs;
use std::path::{Path, PathBuf};

fn top() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Every document, as paths from the top.
fn documents() -> Vec<String> {
    let mut found = Vec::new();
    for folder in ["", "docs", "docs/adr", "geoip", "deploy", "tests/scenarios"] {
        for entry in fs::read_dir(top().join(folder)).into_iter().flatten().flatten() {
            if entry.path().extension().is_some_and(|e| e == "md") {
                found.push(Path::new(folder).join(entry.file_name()).to_string_lossy().into_owned());
            }
        }
    }
    found.sort();
    found
}

fn text(document: &str) -> String {
    fs::read_to_string(top().join(document)).unwrap()
}

/// Replays every tour; tells all that differs at once.
fn replay(mut begin: impl FnMut() -> Backend) {
    let mut differing = Vec::new();
    let mut replayed = 0;
    for document in documents() {
        let text = text(&document);
        let tour: Vec<DocumentBlock> =
            blocks(&text).into_iter().filter(|block| block.mark == "console tour").collect();
        if tour.is_empty() {
            continue;
        }
        let mut backend = begin();
        for Example { command, shown, line } in tour.iter().flat_map(examples) {
            replayed += 1;
            if let Err(why) = backend.run(&command, &shown) {
                differing.push(format!("{document}:{line}: $ {command}\n{why}"));
            }
        }
    }
    assert!(differing.is_empty(), "\n{}", differing.join("\n"));
    assert!(replayed >= 10, "the documents have a tour; {replayed} examples were found");
}

#[test]
fn the_tour_is_what_the_core_answers() {
    replay(|| Backend::in_process(Tree::sample()));
}

#[test]
fn the_tour_is_what_the_program_answers() {
    if !Backend::can_serve() {
        println!("this build has no `serve`; the tour was replayed in process only");
        return;
    }
    replay(|| Backend::program().unwrap_or_else(|why| panic!("{why}")));
}

/// Configuration shown in documents passes the checks that a server's files pass.
#[test]
fn configuration_in_documents_is_accepted() {
    let mut refused = Vec::new();
    let mut shown = 0;
    for document in documents() {
        let text = text(&document);
        for block in blocks(&text).iter().filter(|block| block.mark.starts_with("yaml")) {
            shown += 1;
            let place = format!("{document}:{}", block.line);
            match overlaid(block) {
                Some(tree) => {
                    refused.extend(load(&tree).err().map(|findings| format!("{place}:\n{findings}")))
                }
                None => refused.push(format!(
                    "{place}: a block of YAML without a mark that says which file it belongs to"
                )),
            }
        }
    }
    assert!(refused.is_empty(), "\n{}", refused.join("\n"));
    assert!(shown >= 10, "the documents show configuration; {shown} blocks were found");
}

/// The sample with a block where its mark says.
fn overlaid(block: &DocumentBlock) -> Option<Tree> {
    let sample = Tree::sample();
    let indented = |depth: usize| {
        block.text.lines().map(|line| format!("{}{line}\n", " ".repeat(depth))).collect::<String>()
    };
    let mark = block.mark.strip_prefix("yaml ")?;
    // The maps stand at the end of these files.
    let (file, depth) = match mark {
        "in pops" => ("pops.yaml", 2),
        "beside pops" => ("pops.yaml", 0),
        "in policies" => ("policies.yaml", 2),
        "in networks" => ("geoip/networks.yaml", 0),
        "in records" => ("zones/shop.example.yaml", 2),
        file => return file.ends_with(".yaml").then(|| sample.with(file, block.text.clone())),
    };
    let whole = format!("{}\n{}", sample.text(file), indented(depth));
    Some(sample.with(file, whole))
}

/// A file named in a document exists: links, and paths in backticks.
#[test]
fn documents_name_files_that_exist() {
    let mut missing = Vec::new();
    for document in documents() {
        let text = text(&document);
        let folder = top().join(&document).parent().unwrap().to_owned();
        for (number, line) in text.lines().enumerate() {
            let links = line.split("](").skip(1).filter_map(|rest| rest.split(')').next());
            for link in links.filter(|link| !link.contains("://") && !link.starts_with('#')) {
                let path = link.split('#').next().unwrap_or_default();
                if !folder.join(path).exists() {
                    missing.push(format!("{document}:{}: links to `{link}`", number + 1));
                }
            }
            for named in line.split('`').skip(1).step_by(2) {
                let is_path =
                    ["src/", "tests/", "docs/", "fuzz/", "benches/", "deploy/", ".ci/", "zones/", "geoip/"]
                        .iter()
                        .any(|p| named.starts_with(p));
                // `tests/laws/main.rs::name` says the test too; `<` and `*` make a pattern of it.
                let path = named.split("::").next().unwrap_or_default();
                if is_path && !path.contains(['<', '*', ' ', '{']) && !top().join(path).exists() {
                    missing.push(format!("{document}:{}: names `{path}`", number + 1));
                }
            }
        }
    }
    assert!(missing.is_empty(), "\n{}", missing.join("\n"));
}

/// A test named in a document (`tests/laws/main.rs::the_name`) exists under that name.
#[test]
fn documents_name_tests_that_exist() {
    let mut missing = Vec::new();
    let mut named_tests = 0;
    for document in documents() {
        for (number, line) in text(&document).lines().enumerate() {
            for named in line.split('`').skip(1).step_by(2) {
                let Some((path, name)) = named.split_once(".rs::") else { continue };
                named_tests += 1;
                let file = format!("{path}.rs");
                let source = fs::read_to_string(top().join(file)).unwrap_or_default();
                let name = name.rsplit("::").next().unwrap_or(name);
                if !source.contains(&format!("fn {name}(")) {
                    missing
                        .push(format!("{document}:{}: there is no test `{name}` in {path}.rs", number + 1));
                }
            }
        }
    }
    assert!(missing.is_empty(), "\n{}", missing.join("\n"));
    assert!(named_tests >= 10, "the documents name tests; {named_tests} were found");
}

/// Every key that the configuration knows stands in the reference.
#[test]
fn the_reference_has_every_key() {
    let mut missing = Vec::new();
    for entry in fs::read_dir(top().join("src/config")).unwrap().flatten() {
        // The ledger is written by the program; its keys stand with the verbs that write it.
        let is_ledger = entry.file_name() == "ledger_file.rs";
        let reference = text(if is_ledger { "docs/control.md" } else { "docs/configuration.md" });
        let source = fs::read_to_string(entry.path()).unwrap_or_default();
        for reader in [".take(\"", ".need(\"", ".take_entry(\""] {
            for key in source.split(reader).skip(1).filter_map(|rest| rest.split('"').next()) {
                if !reference.contains(&format!("`{key}`")) {
                    missing.push(format!("{}: `{key}`", entry.path().display()));
                }
            }
        }
    }
    assert!(missing.is_empty(), "the reference does not tell\n{}", missing.join("\n"));
}
