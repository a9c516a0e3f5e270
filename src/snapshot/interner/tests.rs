//! Tests of `interner`.

use super::*;

/// Equal values have one number, in the order of their first use, however many there are.
#[test]
fn each_once_in_order() {
    let mut numbered = Interner::default();
    for round in 0..3u32 {
        for value in 0..5_000u32 {
            assert_eq!(numbered.intern((value * 7_919 % 5_003, [value; 3])), value, "round {round}");
        }
    }
    assert_eq!(numbered.list().len(), 5_000);
    numbered.clear();
    assert_eq!((numbered.intern((9, [9; 3])), numbered.finish().len()), (0, 1));
}
