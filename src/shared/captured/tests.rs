//! Tests of `captured`.

use super::*;

fn captured() -> Captured {
    Captured {
        epoch_secs: 1_790_000_000,
        version: "0.1.0".to_owned(),
        transport: Transport::Dot,
        source: Prefix::new([192, 0, 2, 7].into(), 24),
        place: "src/answer/walk.rs:12:5".to_owned(),
        panic: "index out of bounds".to_owned(),
        octets: vec![0, 1, 0xab, 0xff],
    }
}

#[test]
fn a_file_is_read_as_it_was_written() {
    let text = captured().text();
    assert_eq!(
        text,
        "meridian quarantine 1\ntime 2026-09-21T14:13:20Z\nversion 0.1.0\ntransport dot\nsource \
         192.0.2.0/24\nplace src/answer/walk.rs:12:5\npanic index out of bounds\noctets 0001abff\n"
    );
    assert_eq!(Captured::read(&text), Ok(captured()));
    let long = Captured {
        panic: "a\nb\u{1b}".to_owned() + &"x".repeat(10_000),
        octets: vec![7; MESSAGE_MAX],
        ..captured()
    };
    let read = Captured::read(&long.text()).expect("sound");
    assert!(read.panic.starts_with("a\\nb\\u{1b}xxx"), "{}", read.panic);
    assert_eq!((read.panic.len(), &read.octets), (QUARANTINE_WORDS_MAX, &long.octets));
}

#[test]
fn a_broken_file_is_refused() {
    let sound = captured().text();
    for (from, to, expected) in [
        ("quarantine 1", "quarantine 2", "its first line"),
        ("time 2026", "time x", "the value of `time`"),
        ("dot", "dog", "the value of `transport`"),
        (".0/24", ".7/24", "the value of `source`"),
        ("/24", "/99", "the value of `source`"),
        ("0001abff", "0001abf", "the value of `octets`"),
        ("0001abff", "0001ABFF", "the value of `octets`"),
        ("0001abff\n", "0001abff", "it does not end"),
        ("0001abff\n", "0001abff\nmore\n", "it does not end"),
        ("panic ", "place ", "it has no line `panic`"),
        ("index", "in\u{1b}dex", "the value of `panic`"),
    ] {
        let error = Captured::read(&sound.replace(from, to)).expect_err(to);
        assert!(error.starts_with(expected), "{to}: {error}");
    }
    for len in 0..sound.len() {
        assert!(Captured::read(&sound[..len]).is_err(), "{len}");
    }
}
