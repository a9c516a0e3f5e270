//! Nothing is granted twice, lost, or taken beyond what there is.

use super::*;

#[test]
fn a_budget_ends_exactly_where_it_says() {
    let budget = Budget::default();
    let mut share = budget.share();
    for _ in 0..LOAD_OCTETS_MAX >> 20 {
        assert_eq!(share.make(1 << 20), Ok(()));
    }
    assert!(!budget.is_spent());
    assert_eq!(share.make(1), Err(Spent::Octets));
    assert!(budget.is_spent());
    assert_eq!(share.make(0), Ok(()));
    // The other budget is one of its own.
    assert_eq!(share.work(LOAD_STEPS_MAX as usize), Ok(()));
    assert_eq!(share.work(1), Err(Spent::Steps));
}

#[test]
fn a_text_grants_more_and_a_share_goes_back() {
    let budget = Budget::default();
    budget.grant(10);
    assert_eq!(budget.octets_left(), LOAD_OCTETS_MAX + 10 * LOAD_OCTETS_FACTOR);
    assert_eq!(budget.steps_left(), LOAD_STEPS_MAX + 10 * LOAD_STEPS_FACTOR);
    let mut share = budget.share();
    assert_eq!(share.make(7), Ok(()));
    // What is too much is not taken.
    assert_eq!(share.make(usize::MAX), Err(Spent::Octets));
    assert_eq!(share.work(9), Ok(()));
    drop(share);
    assert_eq!(budget.octets_left(), LOAD_OCTETS_MAX + 10 * LOAD_OCTETS_FACTOR - 7);
    assert_eq!(budget.steps_left(), LOAD_STEPS_MAX + 10 * LOAD_STEPS_FACTOR - 9);
}

#[test]
fn shares_are_of_one_budget() {
    let budget = Budget::default();
    let (mut one, mut other) = (budget.share(), budget.share());
    assert_eq!(one.make(LOAD_OCTETS_MAX as usize - 5), Ok(()));
    assert_eq!(other.make(6), Err(Spent::Octets));
    assert_eq!(other.make(5), Ok(()));
    assert_eq!(one.make(1), Err(Spent::Octets));
}
