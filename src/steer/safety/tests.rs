//! Safety rules: what breaks them, and how that is told.

use super::*;
use crate::finding::FileId;

fn rule(need: Requirement) -> SafetyRule {
    SafetyRule { need, of: (0..4).map(PopId).collect(), words: "all".into(), at: At::whole(FileId(0)) }
}

/// What is off, what each can carry, and the sentence, if the rule is broken.
#[test]
fn rules_hold_or_say_why_not() {
    const EQUAL: [Option<f64>; 4] = [None; 4];
    const SIZED: [Option<f64>; 4] = [Some(700.0), Some(100.0), Some(100.0), Some(100.0)];
    const PARTLY: [Option<f64>; 4] = [Some(700.0), Some(100.0), None, Some(100.0)];
    let share = |percent| Requirement::NeverMoreOffThan { percent };
    for (need, off, capacity, sentence) in [
        (Requirement::NeverFewerThan(2), &[0u16, 1][..], EQUAL, ""),
        (
            Requirement::NeverFewerThan(2),
            &[0, 1, 3],
            EQUAL,
            "1 of all would be in service, and there must never be fewer than 2",
        ),
        (share(50), &[0, 1], EQUAL, ""),
        (
            share(49),
            &[0, 1],
            EQUAL,
            "50% of the PoPs of all would be off, and there must never be more than 49%",
        ),
        (share(30), &[1, 2, 3], SIZED, ""),
        (
            share(30),
            &[0],
            SIZED,
            "70% of the capacity of all would be off, and there must never be more than 30%",
        ),
        (share(30), &[0], PARTLY, ""),
        (
            share(30),
            &[1, 2],
            PARTLY,
            "50% of the PoPs of all would be off, and there must never be more than 30%",
        ),
        (share(0), &[], SIZED, ""),
    ] {
        let broken = rule(need).broken(|pop| !off.contains(&pop.0), |pop| capacity[pop.index()]);
        assert_eq!(broken.map(|b| b.sentence).unwrap_or_default(), sentence, "{need:?} {off:?}");
    }
}

/// Rules are off before their date, and hold from its first second.
#[test]
fn rules_sleep_until_their_date() {
    let mut safety = Safety { rules: vec![rule(Requirement::NeverFewerThan(1))], off_until_epoch: None };
    assert_eq!(safety.in_force(0).len(), 1);
    safety.off_until_epoch = Some(100);
    assert_eq!([99, 100, 101].map(|now| safety.in_force(now).len()), [0, 1, 1]);
}
