//! The expressions take the numbers within the bounds, and no others.

use super::*;

/// True if a pattern of [`within`] matches a number. The matcher knows only the grammar of
/// these patterns.
fn takes(pattern: &str, number: &str) -> bool {
    let body = pattern.strip_prefix("0*(").and_then(|rest| rest.strip_suffix(')')).unwrap();
    body.split('|').any(|part| {
        let mut digits = number.chars();
        let mut rest = part;
        while let Some(first) = rest.chars().next() {
            let Some(digit) = digits.next() else { return false };
            let (low, high, len) = match first {
                '[' => (rest.as_bytes()[1] as char, rest.as_bytes()[3] as char, 5),
                digit => (digit, digit, 1),
            };
            if !(low..=high).contains(&digit) {
                return false;
            }
            rest = &rest[len..];
        }
        digits.next().is_none()
    })
}

#[test]
fn bounds_are_exact() {
    let bounds = [0, 1, 7, 9, 10, 19, 20, 99, 100, 101, 365, 599, 600, 999, 1_000, 1_001, 1_999, 2_350];
    for least in bounds {
        for most in bounds.into_iter().filter(|most| *most >= least) {
            let pattern = within(least, most);
            for number in 0..2_500 {
                let is_within = (least..=most).contains(&number);
                assert_eq!(takes(&pattern, &number.to_string()), is_within, "{number} in {pattern}");
            }
        }
    }
}

#[test]
fn units_have_bounds_of_their_own() {
    let units = |pattern: &str| -> Vec<String> {
        let parts = pattern.trim_start_matches("^(").trim_end_matches(")$").split(" ?").skip(1);
        parts.map(|part| part.split('|').next().unwrap_or_default().to_owned()).collect()
    };
    assert_eq!(units(&time(1_000, 5_000, false)), ["ms", "s"]);
    assert_eq!(units(&time(500, 900, false)), ["ms"]);
    assert_eq!(units(&time(1_000, 3_600_000, true)), ["s", "m", "h"]);
    assert_eq!(time(2_000, 5_000, true), "^(0*([2-5]) ?s)$");
}
