//! What the documents show is what the program does.
//!
//! Blocks are marked by the words behind the fence:
//!
//! | mark | what the test does |
//! |---|---|
//! | `console tour` | replays every `$` line in order, over one copy of the sample |
//! | `console ten-minutes` | the same, from an empty folder |
//! | `yaml FILE` | lays the block over that file of the sample; the whole must pass `check` |
//! | `yaml beside pops` | adds the block behind that map, at the top of the same file |
//! | `yaml in pops`, `in policies`, `in networks`, `in records` | adds the block to that map of the sample; the same |
//!
//! A tour is replayed twice: in process, and, where the program can serve, against the program on a
//! port of its own. Answers of `dig` are compared by status, flags, client subnet, length of the
//! cookie, and sections, order aside; everything else word for word, where `...` at the end of a
//! line stands for anything.

mod generated;
mod lists;
mod references;
mod replay;

use replay::Backend;
use replay::block::{DocumentBlock, Example, blocks, examples};
use std::fs;
use std::path::{Path, PathBuf};
use support::{Tree, load};

fn top() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Every document, as paths from the top.
fn documents() -> Vec<String> {
    let mut found = Vec::new();
    for folder in ["", "docs", "docs/adr", "geoip", "deploy", "fuzz", "tests/scenarios"] {
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

/// Replays every document's blocks with a mark; reports all differences at once.
fn replay(mark: &str, mut begin: impl FnMut() -> Backend) {
    let mut differing = Vec::new();
    let mut replayed = 0;
    for document in documents() {
        let text = text(&document);
        let tour: Vec<DocumentBlock> = blocks(&text).into_iter().filter(|block| block.mark == mark).collect();
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
    assert!(replayed >= 10, "the documents have blocks `{mark}`; {replayed} examples were found");
}

#[test]
fn the_tour_is_what_the_core_answers() {
    replay("console tour", || Backend::in_process(Tree::sample()));
}

#[test]
fn the_tour_is_what_the_program_answers() {
    if !Backend::can_serve() {
        println!("this build has no `serve`; the tour was replayed in process only");
        return;
    }
    replay("console tour", || Backend::program().unwrap_or_else(|why| panic!("{why}")));
}

/// From `meridian init` to a drained PoP.
#[test]
fn ten_minutes_are_what_the_program_does() {
    replay("console ten-minutes", || Backend::empty().unwrap_or_else(|why| panic!("{why}")));
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
