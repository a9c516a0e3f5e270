//! Tests of `log`: filters that `RUST_LOG` may hold.

use super::*;

/// Which levels a filter lets through for two targets; `None` if the text is refused.
fn enabled(text: &str) -> Option<[bool; 4]> {
    let filter = read_filter(text).ok()?;
    let is_on = |target: &str, level: Level| filter.would_enable(target, &level);
    Some([
        is_on("meridian::server", Level::INFO),
        is_on("meridian::server", Level::DEBUG),
        is_on("meridian::probe::http", Level::DEBUG),
        is_on("hickory_server", Level::INFO),
    ])
}

#[test]
fn filters() {
    for (text, expected) in [
        ("", Some([true, false, false, false])),
        ("info", Some([true, false, false, true])),
        ("info,", Some([true, false, false, true])),
        (" info , meridian::probe=debug ", Some([true, false, true, true])),
        ("debug", Some([true, true, true, true])),
        ("warn", Some([false, false, false, false])),
        ("meridian[answer]=debug", None),
        ("[span]=debug", None),
        ("a[{f}]=debug", None),
        ("meridian=loud", None),
        ("inof", None),
        ("meridian::probe", Some([false, false, true, false])),
    ] {
        assert_eq!(enabled(text), expected, "{text:?}");
    }
}
