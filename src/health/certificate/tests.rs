//! Tests of `certificate`.

use super::*;

#[test]
fn times_are_read_to_the_second() {
    let rows: [(u8, &str, Option<i64>); 10] = [
        (0x17, "700101000000Z", Some(0)),
        (0x17, "491231235959Z", Some(2_524_607_999)),
        (0x17, "500101000000Z", Some(-631_152_000)),
        (0x18, "20240229120000Z", Some(1_709_208_000)),
        (0x18, "99991231235959Z", Some(253_402_300_799)),
        (0x18, "20241301000000Z", None),
        (0x18, "2024010100000Z", None),
        (0x17, "7001010000000", None),
        (0x17, "70010100000xZ", None),
        (0x17, "", None),
    ];
    for (tag, text, wanted) in rows {
        assert_eq!(time(tag, text.as_bytes()), wanted, "{text}");
    }
}

#[test]
fn days_are_whole() {
    assert_eq!(days_left(2 * SECS_PER_DAY, 1), 1);
    assert_eq!(days_left(SECS_PER_DAY, 0), 1);
    assert_eq!(days_left(0, 1), -1);
    assert_eq!(days_left(i64::MAX, 0), i32::MAX);
}

/// Certificates of openssl: one with an alternative name and a P-521 key, one of version 1.
#[test]
fn what_is_read_of_certificates() {
    let read = |text: &str| crate::health::pem::certificates(text.as_bytes()).unwrap().remove(0);
    let p521 = read(include_str!("../../../tests/program/probes/certificates/p521.pem"));
    let facts = Facts::read(&p521).unwrap();
    assert_eq!(facts.validity, Some((1_577_836_800, 4_733_510_400)));
    assert_eq!((facts.names().as_str(), facts.has_alternative_names()), ("\"www.example\"", true));
    assert_eq!(facts.unverifiable_key().as_deref(), Some("a P-521 key"));
    let v1 = read(include_str!("../../../tests/program/probes/certificates/v1.pem"));
    let facts = Facts::read(&v1).unwrap();
    assert_eq!((facts.names().as_str(), facts.has_alternative_names()), ("no name", false));
    assert_eq!(
        (facts.common_name().as_deref(), facts.issuer().as_deref()),
        (Some("www.example"), Some("www.example"))
    );
    assert!(facts.is_self_issued());
    assert_eq!(facts.unverifiable_key(), None);
    assert_eq!((facts.key_info[0], facts.key_info.len(), facts.key.len()), (SEQUENCE, 91, 65));
    for cut in 0..v1.len() {
        assert_eq!(Facts::read(&v1[..cut]), None, "{cut}");
    }
}
