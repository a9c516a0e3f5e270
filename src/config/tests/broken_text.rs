//! Broken zone text in a deployment, and broken texts of class CH: each row has the code and the
//! place that an operator sees. An error yields no deployment, so the server keeps its snapshot;
//! the valid zone beside it is not blamed.

use super::broken::{check, sound};
use super::faults::{self, ZONE_TEXT_HEAD as HEAD};
use super::{load_memory, shown};
use crate::config::input::InputRole;
use crate::finding::Severity::{Error, Warning};
use std::path::Path;

const FILE: &str = "zones/x.example.zone";

/// The mark `¦` stands before the place of the finding.
#[test]
fn what_refuses_the_load() {
    for &(lines, code) in faults::ZONE_TEXT {
        check(FILE, &format!("{HEAD}{lines}\n"), code, Error);
    }
    check(FILE, "$TTL 60\n@ NS ns1\nns1 A 192.0.2.1\n", "MRD0204", Error);
    check(FILE, "$TTL 60\n@ SOA ns1 host 1 2 3 4 5\nns1 A 192.0.2.1\n", "MRD0205", Error);
}

#[test]
fn what_is_only_told() {
    for (lines, code) in [
        ("a A 192.0.2.1\na A ¦192.0.2.1", "MRD0208"),
        ("d NS ¦ns.d", "MRD0210"),
        ("d NS other.\nx.d TXT ¦hidden", "MRD0211"),
        ("a 60 A 192.0.2.1\na 30 A ¦192.0.2.2", "MRD0212"),
        ("a CNAME ¦nothing", "MRD0214"),
        ("@ NS ¦ns9", "MRD0214"),
        ("a MX ¦10 nothing", "MRD0214"),
        ("b CNAME ns1\na SRV ¦1 2 3 b", "MRD0215"),
        ("b CNAME ns1\n@ NS ¦b", "MRD0215"),
        ("¦b.other. A 192.0.2.1", "MRD0201"),
        ("a ¦2147483648 A 192.0.2.1", "MRD0220"),
        ("a CNAME b\nb CNAME ¦a", "MRD0203"),
        ("d DNAME ¦e\ne DNAME d", "MRD0203"),
        ("d DNAME other.\na.d A ¦192.0.2.1", "MRD0223"),
        ("@ DS ¦1 13 2 00", "MRD0226"),
        ("a TXT \"¦b\nc\"", "MRD0219"),
        ("*.d DNAME ¦other.", "MRD0224"),
        ("d DS ¦1 13 2 00", "MRD0226"),
    ] {
        check(FILE, &format!("{HEAD}{lines}\n"), code, Warning);
    }
    check(
        FILE,
        "$TTL 60\n@ SOA ¦ns1 host\\@x.example. 1 2 3 4 5\n@ NS ns1\nns1 A 192.0.2.1\n",
        "MRD0227",
        Warning,
    );
}

/// File names: one that is not UTF-8 is reported, whatever its ending, and one in UTF-8 that is not
/// a DNS name is reported with the name that it should have.
#[cfg(unix)]
#[test]
fn names_of_files() {
    use std::os::unix::ffi::OsStrExt;
    let zone = format!("{HEAD}a A 192.0.2.1\n");
    for (name, words) in [
        (&b"zones/b\xfccher.example.zone"[..], "is not UTF-8"),
        (b"zones/b\xfccher.example.yaml", "is not UTF-8"),
        (b"zones/b\xfc\n\x1b[31m.yaml", r"b\xfc\n\u{1b}[31m.yaml` is not UTF-8"),
        ("zones/bücher.example.zone".as_bytes(), "write `xn--bcher-kva.example`"),
    ] {
        let mut memory = sound();
        memory.0.insert(std::path::Path::new(std::ffi::OsStr::from_bytes(name)).into(), zone.clone().into());
        let loaded = load_memory(&memory);
        let told = shown(&loaded);
        assert!(told.contains("error[MRD0108]") && told.contains(words), "{told}");
        assert!(loaded.deployment.is_none());
    }
    // Leftovers of editors belong to no zone.
    let mut memory = sound();
    memory
        .0
        .insert(std::path::Path::new(std::ffi::OsStr::from_bytes(b"zones/b\xfc.zone~")).into(), Vec::new());
    assert!(!shown(&load_memory(&memory)).contains("UTF-8"));
}

/// A file that is included several times, also by several zones, is one input.
#[test]
fn included_files_are_one_input() {
    let mut memory = sound();
    for name in ["x", "y"] {
        let text = format!("{HEAD}$INCLUDE part.inc a\n$INCLUDE ./part.inc b\n");
        memory.0.insert(format!("zones/{name}.example.zone").into(), text.into());
    }
    memory.0.insert("zones/part.inc".into(), "  TXT x\n".into());
    let deployment = load_memory(&memory).deployment.expect("a deployment");
    let parts = deployment.inputs.iter().filter(|input| matches!(input.role, InputRole::Included(_)));
    assert_eq!(parts.count(), 1);
}

#[test]
fn texts_of_class_ch() {
    let server = String::from_utf8(sound().0[Path::new("meridian.yaml")].to_vec()).unwrap();
    for text in ["version_server: ¦\"a\\tb\"".to_owned(), format!("id_server: ¦{}", "x".repeat(256))] {
        check("meridian.yaml", &server.replace("site: fra", &text), "MRD0104", Error);
    }
}
