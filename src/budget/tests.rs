//! The budget is never granted twice, lost, or exceeded.

use super::*;

const PART: u64 = LOAD_OCTETS_MAX / LOAD_PARTS;

#[test]
fn a_share_ends_exactly_where_it_says() {
    let budget = Budget::default();
    let mut share = budget.share();
    for _ in 0..PART >> 20 {
        assert_eq!(share.make(1 << 20), Ok(()));
    }
    assert_eq!(share.make(1), Err(Spent::Octets));
    // One share, not the whole budget.
    assert!(!budget.is_spent());
    assert_eq!(share.make(0), Ok(()));
    assert_eq!(share.make(usize::MAX), Err(Spent::Octets));
    // Steps are counted separately from octets.
    let steps = (LOAD_STEPS_MAX / LOAD_PARTS) as usize;
    assert_eq!((share.foresee(steps), share.foresee(steps + 1)), (Ok(()), Err(Spent::Steps)));
    assert_eq!(share.work(steps), Ok(()));
    assert_eq!(share.foresee(1), Err(Spent::Steps));
    assert_eq!(share.work(1), Err(Spent::Steps));
}

/// The grant of a text belongs to its reader and is used first; the rest of drawn pieces goes back.
#[test]
fn a_text_grants_to_its_reader() {
    let budget = Budget::default();
    let mut share = budget.share();
    share.grant(10);
    assert_eq!(share.make(10 * LOAD_OCTETS_FACTOR as usize), Ok(()));
    assert_eq!(share.work(10 * LOAD_STEPS_FACTOR as usize), Ok(()));
    assert_eq!((budget.octets_left(), budget.steps_left()), (LOAD_OCTETS_MAX, LOAD_STEPS_MAX));
    assert_eq!((share.make(7), share.work(9)), (Ok(()), Ok(())));
    share.grant(1);
    drop(share);
    assert_eq!((budget.octets_left(), budget.steps_left()), (LOAD_OCTETS_MAX - 7, LOAD_STEPS_MAX - 9));
    assert_eq!(budget.copy().octets_left(), LOAD_OCTETS_MAX - 7);
}

/// After a bomb, other readers have enough: its octets and its work go back.
#[test]
fn shares_are_of_one_budget() {
    let budget = Budget::default();
    let mut shares: Vec<Share<'_>> = (0..LOAD_PARTS).map(|_| budget.share()).collect();
    for share in &mut shares {
        assert_eq!(share.make(PART as usize), Ok(()));
    }
    let mut late = budget.share();
    late.grant(1);
    assert_eq!(late.make(LOAD_OCTETS_FACTOR as usize), Ok(()));
    assert!(!budget.is_spent());
    assert_eq!(late.make(1), Err(Spent::ByOthers));
    assert!(budget.is_spent());
    let mut bomb = shares.pop().expect("a share");
    assert_eq!(bomb.work(5), Ok(()));
    bomb.give_back();
    drop(bomb);
    assert_eq!((budget.octets_left(), budget.steps_left()), (PART, LOAD_STEPS_MAX));
    assert_eq!(late.make(1), Ok(()));
}

/// A lending budget distinguishes bombs from texts that find too little left, whatever was taken
/// before, and in the end it has its first amount.
#[test]
fn what_is_lent_ends_with_the_part() {
    let budget = Budget::default().lending();
    let mut taken: Vec<Share<'_>> = (0..LOAD_PARTS).map(|_| budget.share()).collect();
    for share in &mut taken {
        assert_eq!((share.make(PART as usize - 1), share.owes()), (Ok(()), false));
    }
    let mut bomb = budget.share();
    assert_eq!((bomb.make(LOAD_PARTS as usize), bomb.owes()), (Ok(()), false));
    assert_eq!((bomb.make(1), bomb.owes()), (Ok(()), true));
    assert_eq!(bomb.make(PART as usize), Err(Spent::Octets));
    assert!(!budget.is_spent());
    bomb.give_back();
    assert!(!bomb.owes());
    drop(bomb);
    assert_eq!(budget.octets_left(), LOAD_PARTS);
    drop(taken);
    assert_eq!((budget.octets_left(), budget.steps_left()), (LOAD_PARTS, LOAD_STEPS_MAX));
}
