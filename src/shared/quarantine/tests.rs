//! Tests of `quarantine`.

use super::*;
use crate::answer::Transport;
use crate::geo::prefix::Prefix;

/// A query for `NUMBER.` of type A.
fn query(number: usize) -> Vec<u8> {
    let name = number.to_string();
    let mut octets = vec![0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, name.len() as u8];
    octets.extend_from_slice(name.as_bytes());
    octets.extend_from_slice(&[0, 0, 1, 0, 1]);
    octets
}

fn refuses(quarantine: &Quarantine, number: usize, now_ms: u64) -> bool {
    quarantine.refuses(&Outline::of(&query(number)), now_ms)
}

fn enter(quarantine: &Quarantine, number: usize, now_ms: u64) -> bool {
    quarantine.enter(&Outline::of(&query(number)), now_ms)
}

#[test]
fn a_question_is_refused_for_its_time_and_no_longer() {
    let quarantine = Quarantine::default();
    assert!(quarantine.is_empty() && quarantine.alarm(0, 1_000).is_none());
    assert!(enter(&quarantine, 1, 0));
    assert!(!quarantine.is_empty());
    assert!(refuses(&quarantine, 1, 0) && !refuses(&quarantine, 2, 0));
    // Neither further panics nor refusals move the end.
    assert!(!enter(&quarantine, 1, QUARANTINE_MILLIS - 1));
    assert!(refuses(&quarantine, 1, QUARANTINE_MILLIS - 1));
    assert_eq!(quarantine.questions(QUARANTINE_MILLIS - 1), 1);
    assert_eq!(quarantine.alarm(60_000, 1_000).expect("an alarm").since_epoch_secs, 940);
    assert!(!refuses(&quarantine, 1, QUARANTINE_MILLIS));
    assert!(quarantine.is_empty(), "the first look after the end empties the table");
    assert_eq!((quarantine.questions(QUARANTINE_MILLIS), quarantine.taken_in()), (0, 1));
    assert!(quarantine.alarm(QUARANTINE_MILLIS, 1_000).is_none());
    assert!(enter(&quarantine, 1, QUARANTINE_MILLIS) && refuses(&quarantine, 1, QUARANTINE_MILLIS));
}

#[test]
fn a_full_table_gives_up_the_entry_that_ends_first() {
    let quarantine = Quarantine::default();
    let others = QUARANTINE_QUESTIONS;
    assert!((0..others).all(|number| enter(&quarantine, number, number as u64)));
    assert!(enter(&quarantine, others, 5_000));
    assert_eq!(quarantine.questions(5_000), QUARANTINE_QUESTIONS);
    assert!(!refuses(&quarantine, 0, 5_000), "it was given up");
    assert!((1..=others).all(|number| refuses(&quarantine, number, 5_000)));
    // No flood of panics keeps a question longer than its time.
    for number in others..others + 1_000 {
        enter(&quarantine, number, 6_000);
    }
    assert!((others + 1_001..others + 2_000).all(|number| !refuses(&quarantine, number, 6_000)));
    assert_eq!(quarantine.questions(5_999 + QUARANTINE_MILLIS), QUARANTINE_QUESTIONS);
    assert_eq!(quarantine.questions(6_000 + QUARANTINE_MILLIS), 0);
}

fn captured(octets: Vec<u8>) -> Captured {
    Captured {
        epoch_secs: 0,
        version: String::new(),
        transport: Transport::Udp,
        source: Prefix::new([192, 0, 2, 0].into(), 24),
        place: String::new(),
        panic: String::new(),
        octets,
    }
}

#[test]
fn messages_past_the_waiting_ones_are_lost_and_counted() {
    let quarantine = Quarantine::default();
    (0..QUARANTINE_WAITING + 3).for_each(|number| quarantine.hand_in(captured(query(number))));
    assert_eq!(quarantine.lost(), 3);
    for number in 0..QUARANTINE_WAITING {
        assert_eq!(quarantine.next().expect("one more").octets, query(number));
    }
    assert!(quarantine.next().is_none());
    quarantine.hand_in(captured(query(1)));
    assert!(quarantine.next().is_some());
}

/// Threads enter, look and take at once; every message is taken once or counted as lost.
#[test]
fn threads_share_it() {
    let quarantine = Quarantine::default();
    let taken = AtomicU64::new(0);
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let quarantine = &quarantine;
            let taken = &taken;
            scope.spawn(move || {
                for number in 0..200 {
                    let asked = query(thread * 200 + number);
                    assert!(quarantine.enter(&Outline::of(&asked), 1));
                    quarantine.refuses(&Outline::of(&asked), 1);
                    quarantine.hand_in(captured(asked));
                    taken.fetch_add(u64::from(quarantine.next().is_some()), Ordering::Relaxed);
                }
            });
        }
    });
    let rest = std::iter::from_fn(|| quarantine.next()).count() as u64;
    assert_eq!(taken.load(Ordering::Relaxed) + rest + quarantine.lost(), 800);
    assert_eq!(quarantine.taken_in(), 800);
    assert!(quarantine.questions(1) <= QUARANTINE_QUESTIONS && quarantine.questions(1) > 0);
}
