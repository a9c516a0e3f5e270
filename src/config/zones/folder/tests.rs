//! Which zone a file is taken for.

use super::*;

/// A file that is not YAML as a whole is still of the zone that it names, however that is written.
#[test]
fn the_line_that_names_a_zone() {
    let rows: [(&[u8], Option<&str>); 10] = [
        (b"zone: shop.example.\nrecords: [", Some("shop.example.")),
        (b"# caf\xe9\nzone: shop.example.\n", Some("shop.example.")),
        (b"zone: shop.example. # caf\xe9\n", Some("shop.example.")),
        (b"\xef\xbb\xbfzone: shop.example.\n", Some("shop.example.")),
        (b"zone: shop.example.\t# our shop\n", Some("shop.example.")),
        (b"\"zone\": 'shop.example.'\n", Some("shop.example.")),
        (b"zone : shop.example.\r\n", Some("shop.example.")),
        (b"zones: shop.example.\n", None),
        (b"  zone: shop.example.\n", None),
        (b"zone:\n", None),
    ];
    for (text, zone) in rows {
        let expected = zone.map(|zone| Name::parse(zone, None).expect("a name"));
        assert_eq!(zone_line(text), expected, "{}", text.escape_ascii());
    }
}

/// A name that is not UTF-8 matters where a zone may be meant.
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
    }
}
