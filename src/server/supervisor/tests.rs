//! Ends of tasks: pauses, and when an alarm is over.

use super::*;

/// None after the first end, then longer and longer, never past the bound; old ends are forgotten.
#[test]
fn pauses_grow_to_a_bound() {
    let mut ends = Ends::default();
    let pauses: Vec<u64> = (0..9)
        .map(|end| {
            ends.count(end * 1_000);
            ends.pause_ms()
        })
        .collect();
    assert_eq!(pauses[..4], [0, 250, 1_000, 4_000]);
    assert!(pauses.windows(2).all(|pair| pair[0] <= pair[1]));
    assert!(pauses.iter().all(|pause| *pause <= RESTART_PAUSE_MILLIS_MAX));
    assert_eq!(ends.count(FAULT_WINDOW_SECS * 1_000 + 8_001), 1);
}

/// A task that ended once is well when it has run for a while; one that ended three times is only
/// well when ten minutes are without an end.
#[test]
fn trouble_stays_an_alarm() {
    let mut once = Ends::default();
    once.count(0);
    assert!(!once.is_well(0, RESTART_PAUSE_MILLIS_MAX));
    assert!(once.is_well(0, RESTART_PAUSE_MILLIS_MAX + 1));
    let mut thrice = Ends::default();
    for at in 0..FAULTS_MAX as u64 {
        thrice.count(at);
    }
    assert!(!thrice.is_well(10, FAULT_WINDOW_SECS * 1_000));
    assert!(thrice.is_well(10, FAULT_WINDOW_SECS * 1_000 + 10));
}
