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
