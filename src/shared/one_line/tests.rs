//! Characters that are invisible or have effects do not get through.

use super::*;

#[test]
fn hidden_characters_are_escapes() {
    for (line, as_text) in [
        ("plain, Zürich, 東京 \"`{}", "plain, Zürich, 東京 \"`{}"),
        ("a\nb\r\t\0", r"a\nb\r\t\u{0}"),
        ("\u{1b}[31mred\u{9b}31m\u{85}", r"\u{1b}[31mred\u{9b}31m\u{85}"),
        ("a\u{202e}txt.\u{2066}b\u{2029}", r"a\u{202e}txt.\u{2066}b\u{2029}"),
    ] {
        assert_eq!(text(line), as_text);
    }
}

#[test]
fn json_stays_what_it_was() {
    for value in ["a\u{9b}b", "\u{202e}x\u{feff}", "a\nb\u{7f}"] {
        let written = serde_json::json!({ "name": value }).to_string();
        let line = json(&written);
        assert!(line.is_ascii() && !line.contains('\n'), "{line}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&line).unwrap()["name"], value);
    }
}

#[test]
fn lines_stay_lines() {
    assert_eq!(lines("one\ntwo\u{9b}\n"), "one\ntwo\\u{9b}\n");
}
