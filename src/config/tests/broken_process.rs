//! `user`, `sandbox` and `overload`: values that are refused.

use super::broken::{check, sound};
use crate::finding::Severity::Error;
use std::path::Path;

#[test]
fn rights_of_the_process() {
    let server = String::from_utf8(sound().0[Path::new("meridian.yaml")].to_vec()).expect("a text");
    for (keys, code) in [
        ("user: ¦root", "MRD0104"),
        ("user: ¦a:b", "MRD0104"),
        ("user: ¦''", "MRD0104"),
        ("user: ¦65532", "MRD0104"),
        ("overload: { known_first: ¦first }", "MRD0104"),
        ("overload: { known_first: on, known_after: ¦0s }", "MRD0104"),
        ("overload: { known_first: off, known_after: ¦1801s }", "MRD0104"),
        ("overload: ¦{}", "MRD0105"),
        ("overload: ¦{ known_after: 60s }", "MRD0105"),
        ("sandbox: ¦off", "MRD0104"),
        ("sandbox: ¦[]", "MRD0104"),
        ("sandbox: { off: ¦'' }", "MRD0104"),
        ("sandbox: { off: ¦false }", "MRD0104"),
        ("sandbox: { off: ¦debug }", "MRD0104"),
        ("sandbox: ¦{}", "MRD0105"),
        ("sandbox: { off: a test, ¦on: 1 }", "MRD0102"),
    ] {
        check("meridian.yaml", &format!("{server}{keys}\n"), code, Error);
    }
}
