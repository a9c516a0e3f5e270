//! Findings about names in UTF-8 suggest the A-labels.

use super::*;
use crate::wire::name::Name;

/// Each row: the name as written, and its A-labels; the Chinese and the Russian name are from RFC
/// 3492 section 7.1.
#[test]
fn names_in_utf_8_are_refused_with_their_a_labels() {
    for (written, ascii) in [
        ("bücher.example.", "xn--bcher-kva.example."),
        ("BÜCHER", "xn--bcher-kva"),
        // A letter and a combining mark compose to one letter (NFC).
        ("bu\u{308}cher", "xn--bcher-kva"),
        ("*.bücher", "*.xn--bcher-kva"),
        ("_dmarc.bücher", "_dmarc.xn--bcher-kva"),
        ("他们为什么不说中文", "xn--ihqwcrb4cv8a8dqg056pqjye"),
        ("почемужеонинеговорятпорусски", "xn--b1abfaaepdrnnbgefbadotcwatmq2g4l"),
        ("faß.de", "xn--fa-hia.de"),
    ] {
        let error = Name::parse(written, None).expect_err(written);
        assert_eq!(error, NameError::NotAscii, "{written}");
        let help = help(error, written).expect("a way out");
        assert!(help.contains(&format!("write `{ascii}`,")), "{written}: {help}");
        assert!(Name::parse(ascii, None).is_ok());
    }
}

/// Invalid UTF-8 and escapes are octets; other faults get other help.
#[test]
fn octets_stay_octets() {
    assert!(Name::parse_octets(b"b\xfccher", None).is_ok());
    assert!(Name::parse(r"b\195\188cher", None).is_ok());
    assert_eq!(help(NameError::EmptyLabel, "ü..x"), None);
    for text in ["ü\\.x".to_owned(), "ü".repeat(600)] {
        assert!(help(NameError::NotAscii, &text).is_some_and(|help| help.contains("A-labels")), "{text}");
    }
}
