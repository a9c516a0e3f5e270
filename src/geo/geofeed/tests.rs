//! Tests of `geofeed`.

use super::*;

fn shown(text: &str) -> (Vec<String>, Vec<(String, u32, u32)>) {
    let (rows, findings) = parse(text, FileId(0));
    let row = |row: &Row| {
        let country = row.country.map_or("-".to_owned(), |c| c.to_string());
        let region = row.subdivision.map_or("-".to_owned(), |s| s.code().to_owned());
        format!("{} {country} {region} {}", row.prefix, row.city.as_deref().unwrap_or("-"))
    };
    let faults = findings
        .iter()
        .map(|f| (f.code.id.to_owned(), f.at.map_or(0, |at| at.line), f.at.map_or(0, |at| at.column)));
    (rows.iter().map(row).collect(), faults.collect())
}

/// Lines as networks publish them.
#[test]
fn reads_feeds() {
    let text = "\u{feff}# a \
            comment\n\n192.0.2.0/24,US,US-AL,Alabaster,\r\n2001:db8:cafe::/48,PL,PL-14,,02-784\n\
                    198.51.100.7,de,DE-be,\"Berlin, Mitte\"\n203.0.113.0/24,,,,\n203.0.113.0/25,ZZ\n\
                    198.51.100.0/25,,FR-IDF,Paris,,more\n";
    let (rows, faults) = shown(text);
    assert_eq!(faults, []);
    let expected = [
        "192.0.2.0/24 US AL Alabaster",
        "2001:db8:cafe::/48 PL 14 -",
        "198.51.100.7/32 DE BE Berlin, Mitte",
        "203.0.113.0/24 - - -",
        "203.0.113.0/25 - - -",
        "198.51.100.0/25 FR IDF Paris",
    ];
    assert_eq!(rows, expected);
    assert_eq!(shown("\u{feff}192.0.2.0/24,DE\n").0, ["192.0.2.0/24 DE - -"]);
}

/// Every fault has its place, and one does not hide the next.
#[test]
fn tells_every_fault() {
    let text = "192.0.2.1/24,DE\nfra,DE\n192.0.2.0/24,Germany\n192.0.2.0/24,DE,BE\n\
                    192.0.2.0/24,DE,US-CA\n\
                    192.0.2.0/24\n192.0.2.0/24\n\
                    2002:c000:200::/48,DE\n,DE\n203.0.113.0/24,DE,,\"Berlin, Mitte\n";
    let (rows, faults) = shown(text);
    assert_eq!(rows, ["192.0.2.0/24 - - -"]);
    let places: Vec<(&str, u32, u32)> =
        faults.iter().map(|(code, line, column)| (code.as_str(), *line, *column)).collect();
    let expected = [
        ("MRD0107", 1, 1),
        ("MRD0107", 2, 1),
        ("MRD0406", 3, 14),
        ("MRD0406", 4, 17),
        ("MRD0406", 5, 17),
        ("MRD0403", 7, 1),
        ("MRD0107", 8, 1),
        ("MRD0107", 9, 1),
        ("MRD0104", 10, 20),
    ];
    assert_eq!(places, expected);
}
