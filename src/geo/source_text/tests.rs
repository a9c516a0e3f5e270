//! Valid lines, and every fault with its line and column.

use super::*;

fn read(text: &str) -> (SourceText, Vec<String>) {
    let (source, findings) = parse(text, FileId(0));
    let told = findings.iter().map(|f| {
        let at = f.at.unwrap();
        assert!(at.line == 0 || text.get(at.start as usize..at.end as usize).is_some());
        format!("{}:{} {} {}", at.line, at.column, f.code.id, f.message)
    });
    (source, told.collect())
}

/// A whole source: comments, empty lines, empty fields, the epoch.
#[test]
fn reads_lines() {
    let text = format!(
        "# places\n# epoch: \
         1700000000\n\n{HEADER}\r\n192.0.2.0/24,,DE,HE,50.11,8.68,64496,Frankfurt\n2001:db8::/32,SA,,,,,,\n"
    );
    let (source, told) = read(&text);
    assert_eq!(told, Vec::<String>::new());
    assert_eq!(source.epoch, Some(1_700_000_000));
    assert_eq!(source.rows.len(), 2);
    let row = &source.rows[0];
    assert_eq!(
        (row.continent, row.asn, row.city.as_deref()),
        (Some(Continent::Europe), Some(64496), Some("Frankfurt"))
    );
    assert_eq!(row.coordinates, Coordinates::from_degrees(50.11, 8.68));
    assert_eq!((source.rows[1].continent, source.rows[1].country), (Some(Continent::SouthAmerica), None));
}

/// All faults at once, each at its place.
#[test]
fn tells_every_fault() {
    let text = format!(
        "# epoch: soon\n{HEADER}\n{}\n",
        [
            "192.0.2.0/33,,,,,,,",
            "192.0.2.1/24,EU,,,,,,",
            "9.0.0.0/8,XX, Germany ,TOOLONG,91,east,AS1,Zürich",
            "9.0.0.0/8,,DE,,1,,,",
            "9.0.0.0/8,,DE",
            "9.0.0.0/8,,DE,,,,,",
            "9.0.0.0/8,,FR,,,,,",
            "::ffff:9.0.0.0/104,,DE,,,,,",
            "2002::/16,,DE,,,,,",
        ]
        .join("\n")
    );
    let expected = [
        "1:1 MRD0104 the epoch is not a number of seconds",
        "3:1 MRD0107 `192.0.2.0/33` is not a prefix",
        "4:1 MRD0107 `192.0.2.1/24` has bits set beyond its length",
        "5:15 MRD0406 `Germany` is not a country code of two letters",
        "5:11 MRD0406 `XX` is not a continent (AF AN AS EU NA OC SA)",
        "5:24 MRD0406 `TOOLONG` is not a subdivision code, without the country",
        "5:32 MRD0406 `91` is not a latitude in degrees from -90 to 90",
        "5:35 MRD0406 `east` is not a longitude in degrees from -180 to 180",
        "5:40 MRD0406 `AS1` is not an AS number",
        "6:18 MRD0406 half of the coordinates is missing",
        "7:1 MRD0104 3 fields where the header has 8",
        "9:1 MRD0403 `9.0.0.0/8` is listed twice",
        "10:1 MRD0107 `::ffff:9.0.0.0/104` has IPv4 clients, which are looked up by their IPv4 addresses",
        "11:1 MRD0107 `2002::/16` has IPv4 clients, which are looked up by their IPv4 addresses",
    ];
    assert_eq!(read(&text).1, expected);
    assert_eq!(read("# nothing\n").1, ["0:0 MRD0105 the source has no header line"]);
    assert_eq!(read("9.0.0.0/8,,DE,,,,,\n").1, ["1:1 MRD0104 the first line is not the header"]);
}

/// Words for "unknown" in databases count as missing, and are no fault.
#[test]
fn unknown_is_not_said() {
    let (source, told) = read(&format!("{HEADER}\n9.0.0.0/8,-,A1,-,,,-,\n10.0.0.0/8,,ZZ,,0,0,,\n"));
    assert_eq!(told, Vec::<String>::new());
    assert!(source.rows.iter().all(|row| row.country.is_none() && row.continent.is_none()));
}

/// A line of a million commas is reported, and takes linear time.
#[test]
fn long_lines_cost_their_length() {
    let (_, told) = read(&format!("{HEADER}\n{}\n", ",".repeat(1_000_000)));
    assert_eq!(told, ["2:1 MRD0104 1000001 fields where the header has 8"]);
}
