//! Phases of a family, in rows of second, event and expectation.

use super::*;
use crate::health::targets::TargetId;
use crate::health::tests::target_set;

fn at(secs: u64) -> Moment {
    Moment(secs * 1000)
}

#[test]
fn a_family_freezes_thaws_and_is_spent() {
    let target_set = target_set(1, 0, 2);
    let (first, second) = (TargetId(2), TargetId(4));
    let mut canaries = CanaryGroup::new(&target_set, IpFamily::V4);
    assert_eq!(canaries.members().collect::<Vec<_>>(), [first, second]);
    for (secs, index, is_well, expected) in [
        (1, first, false, None), // the other has no result yet
        (2, second, true, None),
        (3, second, false, Some(FreezeChange::Frozen)),
        (4, first, false, None),
        (9, first, true, Some(FreezeChange::Thawed(6_000))),
        (10, second, false, None),
        (11, first, false, Some(FreezeChange::Frozen)),
    ] {
        assert_eq!(canaries.handle(index, is_well, at(secs)), expected, "at {secs} s");
    }
    assert_eq!(canaries.handle(TargetId(0), true, at(12)), None, "what is no canary says nothing");
    assert_eq!((canaries.next_wake(), canaries.advance(at(70))), (Some(at(71)), None));
    assert_eq!(canaries.advance(at(71)), Some(FreezeChange::Spent(60_000)));
    assert!(canaries.proves(at(80)), "spent: no proof is needed");
    assert_eq!(canaries.handle(second, false, at(90)), None, "one cut freezes once");
    assert_eq!(canaries.handle(second, true, at(95)), Some(FreezeChange::Thawed(84_000)));
    assert!(canaries.proves(at(95)), "of the last moment without proof: the order is chance");
    canaries.handle(first, true, at(97));
    assert!(!canaries.proves(at(97)), "a success must be newer than the failure");
    assert!(canaries.proves(at(96)));
}

#[test]
fn results_of_a_freeze_do_not_count() {
    let target_set = target_set(1, 0, 1);
    let mut canaries = CanaryGroup::new(&target_set, IpFamily::V4);
    canaries.handle(TargetId(2), false, at(10));
    for (sentence, is_well, started, now, expected) in [
        ("Of the moment at which it begins: the order is chance", false, 8, 10, true),
        ("Within", true, 11, 12, false),
    ] {
        assert_eq!(canaries.counts(is_well, at(started), at(now)), expected, "{sentence}");
    }
    canaries.handle(TargetId(2), true, at(20));
    for (sentence, is_well, started, now, expected) in [
        ("Of the moment at which it ends: the order is chance", true, 19, 20, false),
        ("A failure that began within", false, 19, 21, false),
        ("A success that began within", true, 19, 21, true),
        ("A failure of later", false, 20, 21, true),
    ] {
        assert_eq!(canaries.counts(is_well, at(started), at(now)), expected, "{sentence}");
    }
}

#[test]
fn without_canaries_everything_is_proved() {
    let target_set = target_set(1, 0, 0);
    let canaries = CanaryGroup::new(&target_set, IpFamily::V6);
    assert!(canaries.proves(at(1)) && canaries.counts(false, at(0), at(1)));
}
