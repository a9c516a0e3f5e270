//! The registers, checked by well-known codes.

use super::*;

fn country(code: &str) -> Country {
    Country::from_code(code).unwrap()
}

#[test]
fn standings() {
    let rows = [
        ("DE", Standing::Country),
        ("XK", Standing::Country),
        ("PR", Standing::Country),
        ("XA", Standing::OfUsers),
        ("QZ", Standing::OfUsers),
        ("AA", Standing::OfUsers),
        ("UK", Standing::Nothing),
        ("EU", Standing::Nothing),
        ("XX", Standing::Nothing),
        ("ZZ", Standing::Nothing),
        ("QA", Standing::Country),
        ("QB", Standing::Nothing),
    ];
    for (code, expected) in rows {
        assert_eq!(standing(country(code)), expected, "{code}");
    }
}

/// Words of databases for an unknown country, and words that are not.
#[test]
fn unknown() {
    for word in ["", "-", "A1", "a2", "O1", "ZZ", "xx", "EU", "AP"] {
        assert!(is_unknown(word), "{word:?}");
    }
    for word in ["DE", "XK", "AE", "XA"] {
        assert!(!is_unknown(word), "{word:?}");
    }
}

#[test]
fn habits_lead_to_countries() {
    assert_eq!(meant(country("UK")), Some("GB"));
    for a in b'A'..=b'Z' {
        for b in b'A'..=b'Z' {
            let code = country(&format!("{}{}", char::from(a), char::from(b)));
            if let Some(meant) = meant(code) {
                assert_eq!(standing(code), Standing::Nothing, "{code}");
                assert_eq!(standing(country(meant)), Standing::Country, "{meant}");
            }
        }
    }
}

/// Rows are sorted, and have valid countries and codes; a few well-known ones exist.
#[test]
fn subdivisions() {
    assert!(SUBDIVISIONS.is_sorted_by(|a, b| a.0 < b.0));
    let mut count = 0;
    for (code, words) in SUBDIVISIONS {
        assert_eq!(standing(country(code)), Standing::Country, "{code}");
        assert!(!words.contains("  ") && words == words.trim(), "{code}");
        for subdivision in subdivisions_of(country(code)) {
            let read = Subdivision::from_code(&subdivision).unwrap();
            assert_eq!(has_subdivision(country(code), read), Some(true), "{code}-{subdivision}");
            count += 1;
        }
    }
    assert!((5_000..5_100).contains(&count), "{count}");
    let rows = [
        ("US", "CA", Some(true)),
        ("US", "XX", Some(false)),
        ("US", "ON", Some(false)),
        ("CA", "ON", Some(true)),
        ("JP", "13", Some(true)),
        ("JP", "47", Some(true)),
        ("JP", "48", Some(false)),
        ("JP", "1", Some(false)),
        ("FR", "974", Some(true)),
        ("FR", "75C", Some(true)),
        ("GB", "ENG", Some(true)),
        ("DE", "BY", Some(true)),
        ("CN", "HK", Some(true)),
        ("HK", "KKC", None),
    ];
    for (code, subdivision, expected) in rows {
        let read = Subdivision::from_code(subdivision).unwrap();
        assert_eq!(has_subdivision(country(code), read), expected, "{code}-{subdivision}");
    }
}
