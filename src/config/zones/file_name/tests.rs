//! Names of files in the folder of zones.

use super::*;

/// A name that is not UTF-8 matters if it has the ending of a zone file, whatever object has it.
#[cfg(unix)]
#[test]
fn names_that_are_not_utf_8() {
    use std::os::unix::ffi::OsStrExt;
    let rows: [(&[u8], Kind); 4] = [
        (b"caf\xe9.txt", Kind::Foreign),
        (b"caf\xe9.yaml", Kind::Unnameable),
        (b"caf\xe9.zone", Kind::Unnameable),
        (b".caf\xe9.yaml", Kind::Passed),
    ];
    for (name, expected) in rows {
        let path = Path::new(std::ffi::OsStr::from_bytes(name));
        assert_eq!(kind(path), expected, "{}", name.escape_ascii());
        assert_eq!(is_zone_file(path), expected == Kind::Unnameable, "{}", name.escape_ascii());
    }
}

/// Additions of file managers to the names of copies are unusual in zone names; escaped characters
/// are intended, and so are the characters of zone names.
#[test]
fn characters_that_zones_seldom_have() {
    let rows = [
        ("example.com.zone", None),
        ("_tcp.Example-1.com.zone", None),
        ("example.com.bak.zone", None),
        ("root.zone", None),
        (r"0\04725.2.0.192.in-addr.arpa.zone", None),
        (r"a\ b.example.zone", None),
        ("text.example copy.zone", Some(' ')),
        ("example.com (1).yaml", Some(' ')),
        ("example.com(1).yaml", Some('(')),
        ("example.com+old.zone", Some('+')),
        ("*.example.com.zone", Some('*')),
        (r"a\ b c.example.zone", Some(' ')),
    ];
    for (name, odd) in rows {
        assert_eq!(odd_character(Path::new(name)), odd, "{name}");
    }
}
