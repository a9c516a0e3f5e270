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

/// Every fault has its place, and none hides the next. Lines may end with LF, CR LF, or CR alone.
#[test]
fn lines_end_in_any_way() {
    for end in ["\n", "\r\n", "\r"] {
        let (rows, faults) = shown(&["# a", "192.0.2.0/25,DE,,,", "192.0.2.128/25,US,,,", ""].join(end));
        assert_eq!((rows.len(), faults.len()), (2, 0), "{end:?}");
    }
}

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

/// Territories that are a country and a region of another one: written as country, as region, and
/// as both.
#[test]
fn territories_are_read_either_way() {
    let text = "192.0.2.0/26,PR,,San Juan,\n192.0.2.64/26,US,US-PR,San Juan,\n192.0.2.128/26,PR,US-PR,,\n\
                192.0.2.192/26,,US-PR,,\n198.51.100.0/26,RE,FR-RE,,\n198.51.100.64/26,RE,FR-974,,\n\
                198.51.100.128/26,BQ,NL-BQ1,,\n198.51.100.192/26,HK,CN-HK,,\n";
    let (rows, faults) = shown(text);
    assert_eq!(faults, []);
    let expected = [
        "192.0.2.0/26 PR - San Juan",
        "192.0.2.64/26 US PR San Juan",
        "192.0.2.128/26 PR - -",
        "192.0.2.192/26 US PR -",
        "198.51.100.0/26 RE - -",
        "198.51.100.64/26 RE - -",
        "198.51.100.128/26 BQ BQ1 -",
        "198.51.100.192/26 HK - -",
    ];
    assert_eq!(rows, expected);
    assert_eq!(shown("192.0.2.0/24,PR,US-CA\n").1, [("MRD0406".to_owned(), 1, 17)]);
    // The continent is the territory's own.
    let (rows, _) = parse("192.0.2.0/24,FR,FR-974,,\n", FileId(0));
    assert_eq!(rows[0].continent.map(|continent| continent.code()), Some("AF"));
}

/// Words for "unknown" in a feed count as missing.
#[test]
fn unknown_is_not_said() {
    let (rows, faults) = shown("192.0.2.0/26,ZZ,-,-,\n192.0.2.64/26,XX\n192.0.2.128/26,-,,,\n");
    assert_eq!(faults, []);
    assert_eq!(rows, ["192.0.2.0/26 - - -", "192.0.2.64/26 - - -", "192.0.2.128/26 - - -"]);
}

/// A line of a million commas, and one of a million quoted cells: each octet is examined a few
/// times, at any position. (If each cell counted the line before it, this would take minutes.)
#[test]
fn long_lines_cost_their_length() {
    let line = format!("192.0.2.0/24,DE{}\n", ",".repeat(1_000_000));
    assert_eq!(shown(&line).0, ["192.0.2.0/24 DE - -"]);
    let line = format!("192.0.2.0/24,DE{}\n", ",\"a\"".repeat(500_000));
    assert!(shown(&line).1.iter().all(|fault| fault.0 == "MRD0406"));
    let open = format!("192.0.2.0/24,DE,,{}\"a\n", ",".repeat(1_000));
    assert_eq!(shown(&open).1, [("MRD0104".to_owned(), 1, 1_018)]);
}
