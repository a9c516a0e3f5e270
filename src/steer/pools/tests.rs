//! Tests of pools.

use super::*;

/// Fences of the same PoPs are one pool, in any order; what is offered outside has no part in it.
#[test]
fn fences_are_told_apart_by_their_pops() {
    let pops = |numbers: &[u16]| numbers.iter().copied().map(PopId).collect::<Vec<_>>().into_iter();
    let mut pools = Pools::default();
    assert_eq!(pools.offer(pops(&[3, 1])), PoolNumber::OPEN);
    let first = pools.fence(pops(&[2, 1]));
    assert!(first.is_fence());
    assert_eq!(pools.fence(pops(&[1, 2, 2])), first);
    let second = pools.fence(pops(&[1, 3]));
    assert_ne!(second, first, "also where a fence has all that is offered outside");
    pools.offer(pops(&[1, 4]));
    let all: Vec<Vec<u16>> = pools.all().iter().map(|pool| pool.iter().map(|pop| pop.0).collect()).collect();
    assert_eq!(all, [vec![1, 3, 4], vec![1, 2], vec![1, 3]]);
}
