//! The shape of the source tree, kept by reading it: floors, what each folder may use, where a
//! crate may be named, the size and the first line of files, and lists in the documents that are
//! made from the code. `ARCHITECTURE.md` says the same in words.
//!
//! A rule that the code has outgrown is changed in `tests/repository/tidy/tables.rs`, as data, with
//! its reason.

mod circles;
mod codes;
mod functions;
mod ids;
mod markdown;
mod means;
mod prose;
mod protocol;
mod tables;
mod told;

use meridian::testing::finding::code::CATALOGUE;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use tables::*;

/// A source file: its path from the top, its text, and its text without tests and comments.
struct Source {
    path: String,
    text: String,
    code: String,
    is_test: bool,
}

impl Source {
    /// `zone` of `src/zone/image/mod.rs`, `limits` of `src/limits/mod.rs`.
    fn folder(&self) -> &str {
        let inside = self.path.trim_start_matches("src/");
        inside.split('/').next().unwrap_or(inside).trim_end_matches(".rs")
    }
}

/// The top of the tree. Cargo sets the variable also when it runs a test.
fn top() -> PathBuf {
    std::env::var_os("CARGO_MANIFEST_DIR")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from)
}

/// Every file below a folder, as paths from the top, sorted; build output and history left out.
fn files(below: &str) -> Vec<String> {
    fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let (path, name) = (entry.path(), entry.file_name());
            if path.is_dir() {
                if !matches!(name.to_str(), Some("target" | ".git" | "state" | "corpus" | "artifacts")) {
                    walk(&path, found);
                }
            } else {
                found.push(path);
            }
        }
    }
    let mut found = Vec::new();
    walk(&top().join(below), &mut found);
    let mut paths: Vec<String> = found
        .iter()
        .map(|path| path.strip_prefix(top()).unwrap().to_string_lossy().replace('\\', "/"))
        .collect();
    paths.sort();
    paths
}

fn sources(below: &str) -> Vec<Source> {
    files(below)
        .into_iter()
        .filter(|path| path.ends_with(".rs"))
        .map(|path| {
            let text = fs::read_to_string(top().join(&path)).unwrap();
            let is_test =
                path.starts_with("tests/") || path.ends_with("/tests.rs") || path.contains("/tests/");
            // Tests stand at the end of a file, in a module of their own.
            let before_tests = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
            let code = before_tests
                .lines()
                .filter(|line| !line.trim_start().starts_with("//"))
                .collect::<Vec<_>>()
                .join("\n");
            Source { path, code, text, is_test }
        })
        .collect()
}

/// Every place where `word` stands in `code` as a whole word.
fn words<'c>(code: &'c str, word: &'c str) -> impl Iterator<Item = usize> + 'c {
    let part = |b: Option<&u8>| b.is_some_and(|b| b.is_ascii_alphanumeric() || *b == b'_');
    let octets = code.as_bytes();
    code.match_indices(word).map(|(at, _)| at).filter(move |at| {
        let (before, after) = (at.checked_sub(1).and_then(|b| octets.get(b)), octets.get(at + word.len()));
        !part(before) && !part(after)
    })
}

/// Paths behind `crate::`, with braces written out one level: `crate::{a, b::c}` gives `a` and
/// `b::c`.
fn crate_paths(code: &str) -> BTreeSet<String> {
    let mut paths = BTreeSet::new();
    for at in words(code, "crate") {
        let Some(rest) = code[at..].strip_prefix("crate::") else { continue };
        if let Some(group) = rest.strip_prefix('{') {
            let group = group.split(';').next().unwrap_or_default();
            let mut depth = 0;
            for member in group.split(|c: char| {
                depth += i32::from(c == '{') - i32::from(c == '}');
                c == ',' && depth <= 0
            }) {
                paths.insert(head(member.trim()));
            }
        } else {
            paths.insert(head(rest));
        }
    }
    paths
}

/// The path at the start of a text.
fn head(text: &str) -> String {
    let end =
        text.find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '_' | ':'))).unwrap_or(text.len());
    text[..end].trim_end_matches(':').to_owned()
}

fn begins(path: &str, prefix: &str) -> bool {
    path == prefix || path.strip_prefix(prefix).is_some_and(|rest| rest.starts_with("::"))
}

/// Tells every breach at once.
fn none(breaches: Vec<String>) {
    assert!(breaches.is_empty(), "\n{}\n", breaches.join("\n"));
}

/// A lower floor never uses a higher one, and no folder uses more than the table gives it.
#[test]
fn folders_use_only_what_the_table_allows() {
    let mut breaches = Vec::new();
    for source in sources("src").iter().filter(|source| !source.is_test) {
        let folder = source.folder();
        let Some((_, allowed)) = MAY_USE.iter().find(|(name, _)| *name == folder) else {
            breaches.push(format!("{}: the folder `{folder}` has no line in the table", source.path));
            continue;
        };
        for path in crate_paths(&source.code) {
            let first = path.split("::").next().unwrap_or_default();
            // `crate::Something` of lib.rs, and macros.
            let known = MAY_USE.iter().any(|(name, _)| *name == first);
            let also =
                ALSO.iter().any(|(file, prefix, _)| source.path.starts_with(file) && begins(&path, prefix));
            if known && first != folder && !allowed.contains(&first) && !also {
                breaches.push(format!("{}: `{folder}` may not use `{path}`", source.path));
            }
            for (prefix, may) in ONLY {
                if begins(&path, prefix) && !may.iter().any(|file| source.path.starts_with(file)) {
                    breaches.push(format!("{}: `{path}` is for {} only", source.path, may.join(", ")));
                }
            }
        }
    }
    none(breaches);
}

/// The table itself is a tower: what a folder may use stands above it in the table.
#[test]
fn the_table_has_no_way_up() {
    for (floor, (folder, allowed)) in
        MAY_USE.iter().enumerate().filter(|(_, (_, allowed))| *allowed != EVERYTHING)
    {
        for used in *allowed {
            let below = MAY_USE.iter().position(|(name, _)| name == used).unwrap();
            assert!(below < floor, "`{folder}` would use `{used}`, which stands above it");
        }
    }
    for edge in ["sys", "transport", "probe", "reload", "state", "control"] {
        let (_, allowed) = MAY_USE.iter().find(|(name, _)| *name == edge).unwrap();
        // `sys` is the floor of the edges.
        let sideways =
            ["transport", "probe", "reload", "state", "control"].iter().find(|other| allowed.contains(other));
        assert!(sideways.is_none(), "edges never use each other, but `{edge}` would use {sideways:?}");
    }
}

/// A crate is named where it belongs: the codec in one folder, the clock and the sockets at the
/// edges.
#[test]
fn crates_stay_where_they_belong() {
    let mut breaches = Vec::new();
    for source in sources("src").iter().filter(|source| !source.is_test) {
        for (name, may) in CRATES {
            // As a path (`name::`) or in `use name`; a module or variable of the same name is no
            // crate.
            let named = words(&source.code, name).any(|at| {
                let before = source.code[..at].trim_end();
                source.code[at + name.len()..].starts_with("::")
                    && !before.ends_with("::")
                    && !before.ends_with("crate")
            });
            if named && !may.iter().any(|file| source.path.starts_with(file)) {
                breaches.push(format!("{}: `{name}` belongs to {}", source.path, may.join(", ")));
            }
        }
        if !source.path.starts_with("src/sys/")
            && words(&source.code.replace("\"unsafe\"", "\"\""), "unsafe").next().is_some()
        {
            breaches.push(format!("{}: `unsafe` belongs to src/sys/", source.path));
        }
    }
    none(breaches);
}

/// No folder of [`PURE`] names files, processes, clocks, threads, locks or sockets ([`IMPURE`]), or
/// calls a float function whose result differs by platform ([`STD_FLOAT`]).
#[test]
fn the_core_owns_nothing_of_the_world() {
    let mut breaches = Vec::new();
    for source in sources("src").iter().filter(|source| !source.is_test && PURE.contains(&source.folder())) {
        for word in IMPURE {
            if words(&source.code, word).next().is_some() {
                breaches.push(format!("{}: `{word}` below floor 4", source.path));
            }
        }
        for function in STD_FLOAT {
            let called = words(&source.code, function).any(|at| {
                let before = &source.code[..at];
                source.code[at + function.len()..].starts_with('(')
                    && (before.ends_with('.') || before.ends_with("f64::") || before.ends_with("f32::"))
            });
            if called {
                breaches.push(format!("{}: `{function}` of the standard library; use libm", source.path));
            }
        }
    }
    none(breaches);
}

/// The wall clock is read in one place.
#[test]
fn there_is_one_clock() {
    let mut breaches = Vec::new();
    for source in sources("src").iter().filter(|source| !source.is_test) {
        if words(&source.code, "SystemTime").next().is_some() && !CLOCKS.contains(&source.path.as_str()) {
            breaches.push(format!("{}: reads the wall clock; take it from sys::clock", source.path));
        }
    }
    none(breaches);
}

/// A file opens with what it holds, keeps a decent length, has a name that says something, and
/// leaves nothing unfinished.
#[test]
fn every_file_reads_well() {
    let mut breaches = Vec::new();
    for source in sources("src").iter().chain(&sources("tests")).chain(&sources("benches")) {
        let path = &source.path;
        if !source.text.starts_with("//!") {
            breaches.push(format!("{path}: the first line does not say what the file holds (`//!`)"));
        }
        let lines = source.text.lines().count();
        match LONG.contains(&path.as_str()) {
            false if lines > LINES_MAX => breaches
                .push(format!("{path}: {lines} lines are more than {LINES_MAX}; which two nouns are in it?")),
            true if lines <= LINES_MAX => {
                breaches.push(format!("{path}: {lines} lines: strike it off the list of long files"))
            }
            _ => {}
        }
        for part in path.trim_end_matches(".rs").split('/') {
            if BANNED_NAMES.contains(&part) {
                breaches.push(format!("{path}: `{part}` says nothing of what is inside"));
            }
        }
        // Written in two halves, so that this file passes.
        for unfinished in [concat!("todo", "!("), concat!("dbg", "!("), concat!("unimplemented", "!(")] {
            if source.code.contains(unfinished) {
                breaches.push(format!("{path}: `{unfinished}`"));
            }
        }
    }
    for long in LONG {
        if !top().join(long).exists() {
            breaches.push(format!("{long}: in the list of long files, but not in the tree"));
        }
    }
    none(breaches);
}

/// Code has at most 110 columns, comments and documents at most 100. Tables, examples and fixtures
/// cannot be broken, and records of measurements stay as they were made.
#[test]
fn no_line_is_too_long() {
    const CODE_COLUMNS: usize = 110;
    const PROSE_COLUMNS: usize = 100;
    let mut breaches = Vec::new();
    for path in files("").into_iter().filter(|path| path.ends_with(".rs") || path.ends_with(".md")) {
        if path.starts_with("benches/runs/") || WIDE.iter().any(|(file, _)| *file == path) {
            continue;
        }
        let is_document = path.ends_with(".md");
        let mut is_example = false;
        for (number, line) in fs::read_to_string(top().join(&path)).unwrap().lines().enumerate() {
            let comment =
                line.trim_start().strip_prefix("//").map(|rest| rest.trim_start_matches(['/', '!']));
            let prose = if is_document { Some(line) } else { comment };
            if prose.is_some_and(|prose| prose.trim_start().starts_with("```")) {
                is_example = !is_example;
            } else if prose.is_none() {
                is_example = false;
            }
            let is_whole = prose.is_some_and(|prose| {
                is_example
                    || prose.trim_start().starts_with('|')
                    || (is_document && prose.starts_with("    "))
            });
            let most = if prose.is_some() { PROSE_COLUMNS } else { CODE_COLUMNS };
            let columns = line.chars().count();
            if columns > most && !is_whole {
                breaches.push(format!("{path}:{}: {columns} columns, at most {most}", number + 1));
            }
        }
    }
    none(breaches);
}

/// A module with modules of its own is a folder with `mod.rs`. A module with tests alone is a file,
/// and its tests are `tests.rs` in the folder of its name. No test stands in the file that it
/// tests.
#[test]
fn modules_have_one_layout() {
    let mut breaches = Vec::new();
    let all = files("src");
    for source in sources("src") {
        let path = &source.path;
        if source.text.contains("\nmod tests {") {
            breaches.push(format!("{path}: tests belong into a file of their own"));
        }
        let folder = format!("{}/", path.trim_end_matches(".rs"));
        let is_tests = |inner: &str| inner == "tests.rs" || inner.starts_with("tests/");
        let inside = all.iter().filter_map(|other| other.strip_prefix(&folder));
        if inside.clone().any(|inner| inner.ends_with(".rs") && !is_tests(inner)) {
            breaches.push(format!("{path}: has modules of its own; it is `{folder}mod.rs`"));
        }
    }
    none(breaches);
}

/// Every file is part of the crate: its parent declares it.
#[test]
fn every_file_is_declared() {
    let all = sources("src");
    let mut breaches = Vec::new();
    for source in &all {
        let inside = source.path.trim_start_matches("src/").trim_end_matches(".rs").trim_end_matches("/mod");
        if matches!(inside, "lib" | "main") {
            continue;
        }
        let (parent, name) = inside.rsplit_once('/').unwrap_or(("lib", inside));
        let declared = all.iter().any(|other| {
            let of = other.path.trim_start_matches("src/").trim_end_matches(".rs").trim_end_matches("/mod");
            of == parent
                && words(&other.text, name).any(|at| {
                    other.text[..at].ends_with("mod ")
                        && other.text[at + name.len()..].starts_with([';', ' '])
                })
        });
        if !declared {
            breaches.push(format!("{}: nobody declares `mod {name}`", source.path));
        }
    }
    none(breaches);
}

/// The control protocol is types: no code writes JSON by its keys, or reads it by them.
#[test]
fn the_protocol_is_types() {
    // A JSON Schema is a document without a fixed shape, and so is an OpenAPI document, which is
    // made of schemas. Neither is a request or a reply with a type.
    let folders = ["src/control/", "src/cli/", "src/server/", "src/live/", "src/shared/"];
    let is_meant = |path: &str| {
        folders.iter().any(|folder| path.starts_with(folder))
            && !path.starts_with("src/cli/schema/")
            && !["src/control/openapi.rs", "src/control/input.rs"].contains(&path)
    };
    let is_index = |line: &str| {
        line.match_indices("[\"").any(|(at, _)| {
            line[..at].ends_with(|c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | ')' | ']'))
        })
    };
    let mut breaches = Vec::new();
    for source in sources("src").iter().filter(|source| !source.is_test && is_meant(&source.path)) {
        for (number, line) in (1..).zip(source.text.lines()) {
            if line.contains("json!") || is_index(line) {
                breaches.push(format!("{}:{number}: {}", source.path, line.trim()));
            }
        }
    }
    none(breaches);
}

/// Every bound says why it is what it is.
#[test]
fn every_limit_has_its_reason() {
    let files = fs::read_dir(top().join("src/limits")).unwrap().map(|entry| entry.unwrap().path());
    let text: String = files.map(|path| fs::read_to_string(path).unwrap()).collect();
    let mut above = String::new();
    for line in text.lines() {
        match line.strip_prefix("/// ") {
            Some(words) => above.push_str(words),
            None => {
                let is_limit = line.starts_with("pub const ") || line.starts_with("pub(crate) const ");
                assert!(!is_limit || above.len() > 25, "no reason above: {line}");
                above.clear();
            }
        }
    }
}

/// Nothing in the tree names a machine on which it was written, or papers that are not in it.
#[test]
fn no_file_names_what_is_not_in_the_tree() {
    // Written in two halves, so that this file passes.
    let banned = [
        concat!("/wo", "rk/"),
        concat!("/tmp/", "wt-"),
        concat!("/ro", "ot/"),
        concat!("/ho", "me/"),
        concat!("DESI", "GN.md"),
        concat!("SEMAN", "TICS"),
        concat!("STY", "LE.md"),
    ];
    let mut breaches = Vec::new();
    for path in files("") {
        let Ok(text) = fs::read_to_string(top().join(&path)) else { continue };
        for (number, line) in text.lines().enumerate() {
            for word in banned.iter().filter(|word| line.contains(**word)) {
                breaches.push(format!("{path}:{}: names `{word}`", number + 1));
            }
        }
    }
    none(breaches);
}

/// `docs/findings.md` is made from the catalogue. After a change of the catalogue:
/// `MERIDIAN_WRITE=1 cargo test --test repository tidy`.
#[test]
fn the_list_of_findings_is_the_catalogue() {
    let ranges = [
        ("MRD01", "The text of configuration files"),
        ("MRD02", "Zones"),
        ("MRD03", "PoPs and policies"),
        ("MRD04", "Geography"),
        ("MRD05", "Reload and process"),
    ];
    let mut page = String::from(
        "# Findings\n\nEvery fault that Meridian tells an operator has a code. A code never changes its\n\
         meaning, so logs and scripts may rely on it. The words beside it say what happened this time,\n\
         where (`file:line:column`), and what to try; `meridian check --format json` gives the same as\n\
         data.\n\n\
         An error refuses the reload, and the state before stays in service. An error in a zone's\n\
         files costs that zone alone ([operate.md](operate.md#faulty-zones)). A warning or a note\n\
         refuses nothing.\n\n\
         This page is made from the catalogue in `src/finding/mod.rs`; a test holds the two together.\n",
    );
    let mut told = 0;
    for (range, title) in ranges {
        page.push_str(&format!("\n## {title}\n\n| code | meaning |\n|---|---|\n"));
        for code in CATALOGUE.iter().filter(|code| code.id.starts_with(range)) {
            page.push_str(&format!("| `{}` | {} |\n", code.id, code.about));
            told += 1;
        }
    }
    assert_eq!(told, CATALOGUE.len(), "a code stands outside every range");
    let ids: BTreeSet<&str> = CATALOGUE.iter().map(|code| code.id).collect();
    assert_eq!(ids.len(), CATALOGUE.len(), "a code is used for two meanings");
    let path = top().join("docs/findings.md");
    if std::env::var_os("MERIDIAN_WRITE").is_some() {
        fs::write(&path, &page).unwrap();
    }
    let written = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        written == page,
        "docs/findings.md is not the catalogue; run `MERIDIAN_WRITE=1 cargo test --test repository tidy`"
    );
}
