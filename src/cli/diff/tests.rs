//! Tests of `diff`.

use super::*;

/// Shares are percentages or fractions.
#[test]
fn shares_are_read() {
    for (text, wanted) in [
        ("5%", Some(0.05)),
        ("0.05", Some(0.05)),
        ("2.5 %", Some(0.025)),
        ("0%", Some(0.0)),
        ("100%", Some(1.0)),
    ] {
        assert_eq!(share(text).ok(), wanted, "{text}");
    }
    for text in ["", "%", "5 percent", "101%", "-1%", "NaN", "5"] {
        assert!(share(text).is_err(), "{text}");
    }
}
