//! Circles of imports: no two files of `src/` may need each other, but for those that the table
//! lists.
//!
//! A path (`crate::zone::set::Zones`, `super::rule`) is an arrow to the file of the deepest module
//! that it names. Arrows between a folder and what is inside it do not count: a folder's `mod.rs`
//! holds the model, and its files are the details.

use super::tables::CIRCLES;
use super::{Source, none, sources, words};
use std::collections::{BTreeMap, BTreeSet};

/// `zone::image::build` of `src/zone/image/build.rs`; empty for `lib.rs`.
fn module_of(path: &str) -> String {
    let inside = path.trim_start_matches("src/").trim_end_matches(".rs").trim_end_matches("/mod");
    if matches!(inside, "lib" | "main") { String::new() } else { inside.replace('/', "::") }
}

/// Every path that a tree of names holds: `a::{b, c::{d, e}}` gives `a::b`, `a::c::d` and
/// `a::c::e`.
fn expand(text: &str, prefix: &str, paths: &mut BTreeSet<String>) {
    let text = text.trim();
    let end =
        text.find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '_' | ':'))).unwrap_or(text.len());
    let path = format!("{prefix}{}", &text[..end]);
    let Some(group) = text[end..].strip_prefix('{').filter(|_| path.ends_with("::")) else {
        paths.insert(path.trim_end_matches(':').to_owned());
        return;
    };
    let (mut depth, mut from) = (0, 0);
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            ',' | '}' if depth == 0 => {
                if !group[from..at].trim().is_empty() {
                    expand(&group[from..at], &path, paths);
                }
                from = at + 1;
                if c == '}' {
                    return;
                }
            }
            '}' => depth -= 1,
            _ => {}
        }
    }
}

/// Absolute paths that a source names.
fn named(source: &Source) -> BTreeSet<String> {
    let own = module_of(&source.path);
    let mut paths = BTreeSet::new();
    for root in ["crate", "super", "self"] {
        for at in words(&source.code, root) {
            // In `super::super::x`, the first `super` leads.
            if source.code[..at].ends_with("::") || !source.code[at..].starts_with(&format!("{root}::")) {
                continue;
            }
            let mut found = BTreeSet::new();
            expand(&source.code[at..], "", &mut found);
            for path in found {
                let mut base: Vec<&str> = own.split("::").filter(|part| !part.is_empty()).collect();
                let mut rest = path.as_str();
                loop {
                    let (first, behind) = rest.split_once("::").unwrap_or((rest, ""));
                    match first {
                        "crate" => base.clear(),
                        "super" => _ = base.pop(),
                        "self" => {}
                        _ => break,
                    }
                    rest = behind;
                }
                base.extend(rest.split("::").filter(|part| !part.is_empty()));
                paths.insert(base.join("::"));
            }
        }
    }
    paths
}

/// From each file, the files that it needs.
fn arrows(all: &[Source]) -> BTreeMap<String, BTreeSet<String>> {
    let files: BTreeMap<String, &str> =
        all.iter().map(|source| (module_of(&source.path), source.path.as_str())).collect();
    let mut arrows = BTreeMap::new();
    for source in all {
        let own = module_of(&source.path);
        let needed: &mut BTreeSet<String> = arrows.entry(source.path.clone()).or_default();
        for path in named(source) {
            let mut module = path.as_str();
            let file = loop {
                if let Some(file) = files.get(module) {
                    break *file;
                }
                module = module.rsplit_once("::").map_or("", |(before, _)| before);
            };
            let is_inside = |inner: &str, outer: &str| {
                outer.is_empty() || inner == outer || inner.starts_with(&format!("{outer}::"))
            };
            if !is_inside(&own, module) && !is_inside(module, &own) {
                needed.insert(file.to_owned());
            }
        }
    }
    arrows
}

/// Every file that can be reached from one, over one arrow or more.
fn reached(from: &str, arrows: &BTreeMap<String, BTreeSet<String>>) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut open = vec![from.to_owned()];
    while let Some(file) = open.pop() {
        for next in arrows.get(&file).into_iter().flatten() {
            if found.insert(next.clone()) {
                open.push(next.clone());
            }
        }
    }
    found
}

/// Files that need each other are those of the table, and these still do.
#[test]
fn no_new_circle_of_imports() {
    let all: Vec<Source> = sources("src").into_iter().filter(|source| !source.is_test).collect();
    let arrows = arrows(&all);
    let all_reached: BTreeMap<&String, BTreeSet<String>> =
        arrows.keys().map(|file| (file, reached(file, &arrows))).collect();
    let mut circles: BTreeSet<Vec<&str>> = BTreeSet::new();
    for (file, found) in &all_reached {
        if found.contains(*file) {
            let circle = found.iter().filter(|other| all_reached[other].contains(*file));
            circles.insert(circle.map(String::as_str).collect());
        }
    }
    let mut breaches = Vec::new();
    for circle in &circles {
        if !CIRCLES.iter().any(|(files, _)| files == circle) {
            let arrows_of = circle.iter().flat_map(|file| {
                arrows[*file].iter().filter(|to| circle.contains(&to.as_str())).map(move |to| (file, to))
            });
            let drawn: Vec<String> = arrows_of.map(|(from, to)| format!("    {from} -> {to}")).collect();
            breaches.push(format!("files that need each other:\n{}", drawn.join("\n")));
        }
    }
    for (files, _) in CIRCLES {
        if !circles.iter().any(|circle| circle == files) {
            breaches.push(format!("{}: no circle any more; strike it off the table", files.join(", ")));
        }
    }
    none(breaches);
}

/// The reader of paths reads them.
#[test]
fn paths_are_read() {
    let source = Source {
        path: "src/zone/image/build.rs".to_owned(),
        code: "use crate::{a::b, c::{d, e::F}};\nuse super::x::Y;\nlet z = super::super::w::v();".to_owned(),
        text: String::new(),
        is_test: false,
    };
    let expected = ["a::b", "c::d", "c::e::F", "zone::image::x::Y", "zone::w::v"];
    assert_eq!(named(&source).into_iter().collect::<Vec<_>>(), expected);
}
