//! Tests of `draw`.

use super::Draws;
use crate::wire::hash::mix;

/// Mixed draws are even: each of eight buckets gets its share of 80,000 draws within 4 %. Two
/// generators have different seeds.
#[test]
fn draws_are_even_once_mixed() {
    let (mut draws, mut buckets) = (Draws(1_234_567), [0u32; 8]);
    for _ in 0..80_000 {
        buckets[(mix(draws.draw(), 3) % 8) as usize] += 1;
    }
    assert!(buckets.iter().all(|n| n.abs_diff(10_000) < 400), "{buckets:?}");
    assert_ne!(Draws::seeded().draw(), Draws::seeded().draw());
}
