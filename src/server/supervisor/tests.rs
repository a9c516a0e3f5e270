//! Tests of the pauses after ends of tasks, and of the end of an alarm.

use super::*;

/// No pause after the first end, then growing pauses up to the bound; old ends do not count.
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

/// The alarm of a task that ended once ends after a good run. After three ends, it ends only after
/// ten minutes without an end.
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
