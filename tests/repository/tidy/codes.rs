//! Codes of findings: the code records each of them, and a test or a scenario shows it.

use super::tables::CODES_WITHOUT_TEST;
use super::{files, none, sources, top, words};
use meridian::testing::finding::code::CATALOGUE;
use std::fs;

/// Every code is recorded outside its catalogue, and a test names it: its constant, or as printed.
#[test]
fn every_code_is_recorded_and_shown() {
    let catalogue = fs::read_to_string(top().join("src/finding/mod.rs")).unwrap();
    let (tests, code): (Vec<_>, Vec<_>) = sources("src")
        .into_iter()
        .chain(sources("tests"))
        .filter(|source| {
            source.path != "src/finding/mod.rs" && !source.path.starts_with("tests/repository/tidy/")
        })
        .partition(|source| source.is_test);
    let scenarios: Vec<String> = files("tests/scenarios")
        .iter()
        .filter(|path| path.ends_with(".scn"))
        .map(|path| fs::read_to_string(top().join(path)).unwrap())
        .collect();
    let mut breaches = Vec::new();
    for id in CATALOGUE.iter().map(|code| code.id) {
        let Some(name) = constant(&catalogue, id) else {
            breaches.push(format!("{id}: no line of the catalogue begins with its constant"));
            continue;
        };
        if !code.iter().any(|source| words(&source.code, name).next().is_some()) {
            breaches.push(format!("{id}: nothing records `{name}`"));
        }
        let is_shown = scenarios.iter().any(|text| text.contains(id))
            || tests.iter().any(|test| test.code.contains(id) || words(&test.code, name).next().is_some());
        if is_shown == CODES_WITHOUT_TEST.contains(&id) {
            breaches.push(format!("{id}: a test names `{name}`, or CODES_WITHOUT_TEST does"));
        }
    }
    none(breaches);
}

/// Name of the constant of a code.
fn constant<'t>(catalogue: &'t str, id: &str) -> Option<&'t str> {
    let (name, _) = catalogue
        .lines()
        .filter_map(|line| line.split_once(" = "))
        .find(|(_, rest)| rest.strip_prefix('"').is_some_and(|rest| rest.starts_with(id)))?;
    Some(name.trim())
}
