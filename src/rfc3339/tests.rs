//! Tests of `rfc3339`.

use super::{date_time, day, parse};

#[test]
fn days_are_civil() {
    for (secs, text) in [
        (0, "1970-01-01"),
        (951_782_400, "2000-02-29"),
        (951_868_800, "2000-03-01"),
        (1_767_225_599, "2025-12-31"),
    ] {
        assert_eq!(day(secs), text);
    }
}

/// Printing and parsing agree, over leap years and the ends of months.
#[test]
fn moments_return() {
    for step in 0..40_000u64 {
        let secs = step * 1_234_577;
        assert_eq!(parse(&date_time(secs)), Some(secs));
    }
}

#[test]
fn what_is_no_moment_is_refused() {
    for text in [
        "",
        "2026-02-29T00:00:00Z",
        "2026-03-01 12:00:00Z",
        "2026-03-01T12:00:00",
        "2026-13-01T12:00:00Z",
        "1969-12-31T23:59:59Z",
    ] {
        assert_eq!(parse(text), None, "{text}");
    }
    assert_eq!(parse("2026-03-01T12:00:60Z"), None);
    assert_eq!(parse("2026-03-01T12:00:0\u{e9}"), None);
}
