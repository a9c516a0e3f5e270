//! Tests of `safety_rules`.

use super::date;

#[test]
fn dates_are_of_the_civil_calendar() {
    for (text, secs) in [
        ("1970-01-01", Some(0)),
        ("2000-02-29", Some(951_782_400)),
        ("2000-03-01", Some(951_868_800)),
        ("2025-12-31", Some(1_767_139_200)),
        ("2025-02-29", None),
        ("2024-02-29", Some(1_709_164_800)),
        ("2025-13-01", None),
        ("2025-1-01", None),
        ("1969-12-31", None),
        ("tomorrow", None),
    ] {
        assert_eq!(date(text), secs, "{text}");
    }
}
