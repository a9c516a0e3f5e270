//! Tests of `log`: filters that `RUST_LOG` may hold.

use super::*;

/// Levels that a filter enables for three targets; `None` if the text is refused.
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

/// A name with a line feed, a C1 control or a mark of direction forges no line.
#[test]
fn an_event_is_one_line() {
    let forged = "x\n2030-01-01T00:00:00Z ERROR all is lost\u{9b}2J\u{202e}";
    for (event, format) in [
        (format!("\u{1b}[2m2026-01-01T00:00:00Z\u{1b}[0m WARN {forged}\n"), Format::Text),
        (format!("{}\n", serde_json::json!({ "message": forged })), Format::Json),
    ] {
        let line = one_line(&event, format);
        assert!(line.ends_with('\n') && line.matches('\n').count() == 1, "{line:?}");
        assert!(!line.contains(['\u{9b}', '\u{202e}']), "{line:?}");
        assert!(line.contains(r"x\n2030"), "{line:?}");
        assert_eq!(line.matches('\u{1b}').count(), event.matches('\u{1b}').count());
    }
}
