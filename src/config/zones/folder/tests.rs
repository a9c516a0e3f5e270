//! Assignment of files to zones.

use super::*;

/// A file that is not valid YAML still belongs to the zone that it names, in whatever form.
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
