//! Words of files and servers cannot leave their element.

use super::*;

/// Markup, quotes and control characters are escaped or replaced.
#[test]
fn words_are_escaped() {
    let rows = [
        ("fra", "fra"),
        ("<script>", "&lt;script&gt;"),
        ("a\"b'c&d", "a&quot;b&#39;c&amp;d"),
        ("a\u{0}b\u{1b}c\nd\u{ffff}", "a\u{fffd}b\u{fffd}c\u{fffd}d\u{fffd}"),
        ("K\u{f6}ln", "K\u{f6}ln"),
    ];
    for (written, text) in rows {
        assert_eq!(escaped(written), text);
    }
    let line = words(Point { x: 1.25, y: -0.01 }, 12.0, "", "]]></text>");
    assert_eq!(line, "<text x=\"1.2\" y=\"0\" font-size=\"12\">]]&gt;&lt;/text&gt;</text>\n");
}

/// Long words are cut at letters.
#[test]
fn long_words_are_cut() {
    assert_eq!(short("frankfurt", 9), "frankfurt");
    assert_eq!(short("frankfurt", 5), "fran\u{2026}");
    assert_eq!(short("\u{f6}\u{f6}\u{f6}", 2), "\u{f6}\u{2026}");
}
