//! Tests of `when`.

use super::{date_time_after, moment, moment_of, seconds, span};
use crate::rfc3339;
use crate::sys::clock::epoch_secs;

/// Times with units, added up.
#[test]
fn times_are_read() {
    for (text, secs) in [("30s", 30), ("2h", 7_200), ("1h30m", 5_400), ("1d", 86_400), ("90m", 5_400)] {
        assert_eq!(seconds(text), Ok(secs), "{text}");
    }
    for text in
        ["", "0s", "5", "h", "1x", "-1s", "1h30", "99999999999999999999s", "18446744073709551615d", "1\u{e9}"]
    {
        assert!(seconds(text).is_err(), "{text}");
    }
}

/// Future moments, read at noon.
#[test]
fn moments_are_to_come() {
    let noon = rfc3339::parse("2026-03-01T12:00:00Z").unwrap();
    for (text, at) in [
        ("22:00", "2026-03-01T22:00:00Z"),
        ("12:00", "2026-03-02T12:00:00Z"),
        ("04:30", "2026-03-02T04:30:00Z"),
        ("+10m", "2026-03-01T12:10:00Z"),
        ("2026-04-01T00:00:00Z", "2026-04-01T00:00:00Z"),
    ] {
        assert_eq!(date_time_after(text, noon).map(rfc3339::date_time), Ok(at.to_owned()), "{text}");
    }
    for text in [
        "",
        "24:00",
        "1:00",
        "+",
        "+5",
        "noon",
        "2026-03-01T12:00:00Z",
        "2025-03-01T12:00:00Z",
        "+18446744073709551615s",
        "1\u{e9}:00",
    ] {
        assert!(date_time_after(text, noon).is_err(), "{text}");
    }
}

/// Durations in their two largest units.
#[test]
fn spans() {
    for (secs, words) in [
        (0, "0 s"),
        (59, "59 s"),
        (60, "1 min"),
        (125, "2 min 5 s"),
        (3_600, "1 h"),
        (13_260, "3 h 41 min"),
        (3_601, "1 h"),
        (90_000, "1 d 1 h"),
    ] {
        assert_eq!(span(secs), words);
    }
}

/// A moment is in UTC, with its distance from now.
#[test]
fn moments_in_words() {
    let now = epoch_secs();
    let words = moment(now + 7_230);
    assert!(words.starts_with(&rfc3339::date_time(now + 7_230)) && words.contains("in 2 h"), "{words}");
    assert!(moment(now - 61).contains("1 min") && moment(now - 61).ends_with("ago)"));
    assert_eq!(moment_of("soon"), "soon");
}
