//! Tests of `words`.

use super::*;

#[test]
fn whatever_a_peer_sent_is_one_short_line() {
    assert_eq!(line("a\u{1b}[2Jb\nc\u{202e}d"), "a\\u{1b}[2Jb\\nc\\u{202e}d");
    assert!(line(&"\n".repeat(10_000)).len() < 260);
    assert_eq!(quoted(b"ok\x1b\""), "\"ok\\x1b\\\"\"");
    assert!(quoted(&[0xff; 100_000]).len() < 520);
    assert_eq!(late(2_000, "connecting"), "no answer within 2 s (connecting)");
    assert_eq!(late(1_500, ""), "no answer within 1500 ms");
}
