//! Tests of `ledger_file`.

use super::*;
use crate::limits::REASON_OCTETS_MAX;
use std::sync::Arc;

fn entry(selector: &str, action: Action, reason: &str, until: Option<u64>) -> Override {
    Override {
        id: 0,
        selector: Selector::parse(selector).unwrap(),
        action,
        author: "ann \"the boss\" O'Neil".into(),
        reason: Arc::from(reason),
        set_epoch_secs: 1_772_366_400,
        until_epoch_secs: until,
        transition: Transition::default(),
    }
}

/// A printed ledger reads back, whatever its words are.
#[test]
fn every_ledger_returns() {
    let longest = "\u{10ffff}".repeat(REASON_OCTETS_MAX / 4);
    let reasons = [
        "",
        " ",
        "plain",
        "it's \"quoted\"",
        "back\\slash \\n",
        "# no comment",
        "a: b, [c] {d} &e *f !g %h @i `j`",
        "null",
        "~",
        "- x",
        "gr\u{fc}\u{df}e \u{65e5}\u{672c}",
        "\u{feff}\u{2028}\u{2029}\u{200b}",
        "\u{1f525} fire",
        "yes",
        "012",
        "---",
        "trailing ",
        &longest,
    ];
    let mut ledger = Ledger::default();
    assert_eq!(read_alone(print(&ledger).as_bytes(), "x").map_err(|e| e.0).unwrap(), ledger);
    for reason in reasons {
        for (selector, action) in [
            ("fra", Action::State(AdminState::Drain)),
            ("*", Action::State(AdminState::Auto)),
            ("tag:eu", Action::Weight(Some(7))),
            ("no", Action::Weight(None)),
            ("012", Action::State(AdminState::Up)),
        ] {
            let plain = entry(selector, action, reason, (selector == "fra").then_some(4_000_000_000));
            let transition = Transition { start_epoch_secs: 1_772_366_400, over_secs: 1_800, from: 128 };
            ledger.add(Override { transition, ..plain.clone() }).unwrap();
            ledger.add(plain).unwrap();
        }
    }
    assert_eq!(read_alone(print(&ledger).as_bytes(), "x").map_err(|e| e.0).unwrap(), ledger);
}

/// Faults are found at their places, and a file with a fault is refused.
#[test]
fn a_broken_ledger_is_refused() {
    let good = "overrides:\n  - pops: fra\n    state: down\n    reason: why\n    author: ann\n    set: \
            2026-03-01T12:00:00Z\n";
    assert!(read_alone(good.as_bytes(), "x").is_ok());
    for (old, new, line) in [
        ("down", "gone", 3),
        ("fra", "\"a b\"", 2),
        ("state: down", "weight: -1", 3),
        ("    state: down\n", "", 2),
        ("state: down", "state: down\n    weight: 1", 2),
        ("2026-03-01T12:00:00Z", "yesterday", 6),
        ("    author: ann\n", "", 2),
        ("reason: why", "reason: \"two\\nlines\"", 2),
        ("author: ann", "autor: ann", 5),
        ("author: ann", "author: ann\n    over_secs: long", 6),
        ("author: ann", "author: ann\n    start: later", 6),
    ] {
        let text = good.replace(old, new);
        let refused = read_alone(text.as_bytes(), "x").expect_err(&text);
        assert!(refused.0.iter().any(|f| f.at.is_some_and(|at| at.line == line)), "{text}{:?}", refused.0);
    }
    for text in ["", "\0\0\0", "overrides", "[]", "overrides: [", "other: []"] {
        assert!(read_alone(text.as_bytes(), "x").is_err(), "{text}");
    }
    assert!(read_alone(b"overrides: []\n# \xff", "x").is_err());
}
