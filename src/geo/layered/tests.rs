//! Tests of `layered`.

use super::*;

/// Holes, nesting, the ends of the address space, and the whole of it.
#[test]
fn the_longest_prefix_speaks() {
    let v4 = |a: u32, len: u8, value: Option<u32>| (a << 24, len, value);
    type Row = (u32, u8, u32);
    let cases: [(Vec<Layer<u32>>, Vec<Row>); 5] = [
        (vec![], vec![]),
        (vec![v4(0, 0, Some(7))], vec![(0, 0, 7)]),
        (
            vec![v4(10, 8, Some(1)), v4(8, 6, Some(0))],
            vec![(8 << 24, 7, 0), (10 << 24, 8, 1), (11 << 24, 8, 0)],
        ),
        (vec![v4(8, 6, Some(0)), v4(10, 7, None)], vec![(8 << 24, 7, 0)]),
        (vec![(u32::MAX, 32, Some(2)), (0, 32, Some(1))], vec![(0, 32, 1), (u32::MAX, 32, 2)]),
    ];
    for (layers, expected) in cases {
        assert_eq!(disjoint(layers.clone()), Some(expected), "{layers:?}");
    }
    let halves = vec![(1u128 << 127, 1, Some(3)), (0, 0, Some(4))];
    assert_eq!(disjoint(halves), Some(vec![(0, 1, 4), (1 << 127, 1, 3)]));
}

/// IPv6 hosts in one wide prefix make a hundred leaves each, and are refused. Networks as operators
/// and registries have them are accepted.
#[test]
fn leaves_are_bounded() {
    let apart = |n: u128, len: u8| (n.wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835)) >> (128 - len);
    let inside = |len: u8, count: u128| -> Vec<Layer<u128>> {
        let mut layers: Vec<Layer<u128>> =
            (0..count).map(|n| (apart(n, len) << (128 - len), len, Some(1))).collect();
        layers.push((0, 0, Some(0)));
        layers
    };
    assert_eq!(disjoint(inside(128, 20_000)), None);
    assert!(disjoint(inside(48, 20_000)).is_some());
    assert!(disjoint(inside(128, 500)).is_some());
}
