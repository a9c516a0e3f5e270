//! Tests of `overload`.

use super::*;

/// Drops are those of a full buffer without a filter, and shed ones with it; a filter in the place
/// of another changes nothing, and neither does the end of none. Counters may pass 2^32.
#[test]
fn drops_are_split() {
    let split = DropSplit::default();
    assert_eq!(split.of(7), (7, 0));
    split.begin(10);
    assert_eq!(split.of(110), (10, 100));
    split.begin(110);
    assert_eq!(split.of(150), (10, 140));
    split.end(160);
    assert_eq!(split.of(165), (15, 150));
    split.end(165);
    assert_eq!(split.of(165), (15, 150));
    split.begin(170);
    assert_eq!(split.of(4), (20, 4u32.wrapping_sub(20)));
}

/// Prefixes of the operator come first; longer ones than a key pass as the whole key, shorter ones
/// as a range; a list has an end.
#[test]
fn prefixes_become_numbers() {
    let prefix = |text: &str, len| Prefix::new(text.parse().expect("an address"), len);
    let own = [
        prefix("192.0.2.77", 32),
        prefix("198.18.0.0", 15),
        prefix("2001:db8::", 32),
        prefix("2001:db8:7:8::", 64),
    ];
    let known = [prefix("203.0.113.0", 24), prefix("2001:db8:9::", 48)];
    let [v4, v6] = Passing::of(&own, &known);
    let narrow = vec![0xc0_0002, 0xcb_0071];
    assert_eq!(v4, Passing { narrow, wide: vec![(0xc6_1200, 9)], known: 1, left_out: 0 });
    let narrow = vec![0x2001_0db8_0007, 0x2001_0db8_0009];
    assert_eq!(v6, Passing { narrow, wide: vec![(0x2001_0db8_0000, 16)], known: 1, left_out: 0 });
    let many: Vec<Prefix> = (0..2_000u32).map(|index| Prefix::V4 { bits: index << 8, len: 24 }).collect();
    let [v4, _] = Passing::of(&own, &many);
    assert_eq!((v4.narrow.len(), v4.narrow[0]), (SHED_PREFIXES_MAX, 0xc0_0002));
    assert_eq!((v4.known, v4.left_out), (SHED_PREFIXES_MAX - 1, 0));
    // Known prefixes give way first.
    assert_eq!(v4.fewer(), [(SHED_PREFIXES_MAX, 1), (1 + (SHED_PREFIXES_MAX - 1) / 4, 1), (1, 1), (0, 0)]);
    let fitted = [((225, 1), 224, 0), ((1, 1), 0, 0), ((0, 0), 0, 2)];
    for (of, known, left_out) in fitted {
        assert_eq!(v4.with(of), Fitted { known, left_out }, "{of:?}");
    }
    // Prefixes of the operator that find no place are counted.
    let wide: Vec<Prefix> = (0..70u32).map(|index| Prefix::V4 { bits: index << 16, len: 16 }).collect();
    let [v4, _] = Passing::of(&[wide, many].concat(), &known);
    assert_eq!((v4.wide.len(), v4.known, v4.left_out), (SHED_WIDE_MAX, 0, 6 + 2_000 - SHED_PREFIXES_MAX));
}
