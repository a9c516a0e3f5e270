//! Ramps, step by step.

use super::*;
use crate::health::targets::PopId;

fn pops() -> Vec<RampPop> {
    [("fra", 300_000), ("ams", 0), ("lhr", 1_000)]
        .map(|(name, ramp_ms)| RampPop { name: name.into(), ramp_ms })
        .into()
}

/// Cells come back one step at a time and never leave again, and all are back at the end.
#[test]
fn cells_come_back_once() {
    for ramp_ms in [1, 7, 255, 256, 257, 1_000, 300_000, u64::MAX] {
        let mut before = 256;
        for part in 0..=1_000u128 {
            let left = left((u128::from(ramp_ms) * part / 1_000) as u64, ramp_ms);
            assert!(left <= before, "{ramp_ms} at {part}: {before} -> {left}");
            before = left;
        }
        assert_eq!(
            (left(0, ramp_ms), left(ramp_ms, ramp_ms), left(u64::MAX, ramp_ms)),
            (256, 0, 0),
            "{ramp_ms}"
        );
    }
    assert_eq!(left(0, 0), 0, "no ramp");
}

/// Only a return ramps: neither the first verdict nor a PoP that is down. A second failure starts
/// the ramp again.
#[test]
fn only_a_return_ramps() {
    let mut ramps = Ramps::new(pops());
    ramps.handle_verdict(PopId(0), true, Moment(0));
    assert_eq!((ramps.left(PopId(0), Moment(1)), ramps.next_wake(Moment(1))), (0, None));
    ramps.handle_verdict(PopId(0), false, Moment(10));
    assert_eq!(ramps.left(PopId(0), Moment(11)), 0);
    for back in [20_000, 400_000] {
        ramps.handle_verdict(PopId(0), true, Moment(back));
        ramps.handle_verdict(PopId(0), true, Moment(back + 1_000));
        assert_eq!(ramps.left(PopId(0), Moment(back)), 256);
        assert_eq!(ramps.left(PopId(0), Moment(back + 150_000)), 128);
        assert_eq!(ramps.left(PopId(0), Moment(back + 300_000)), 0);
        ramps.handle_verdict(PopId(0), false, Moment(back + 310_000));
    }
    ramps.handle_verdict(PopId(1), false, Moment(0));
    ramps.handle_verdict(PopId(1), true, Moment(5));
    assert_eq!(ramps.left(PopId(1), Moment(5)), 0, "its cells come back at once");
}

/// A caller that wakes at `next_wake` sees every step, and no other wakes are needed.
#[test]
fn no_step_is_slept_through() {
    let mut ramps = Ramps::new(pops());
    ramps.handle_verdict(PopId(2), false, Moment(0));
    ramps.handle_verdict(PopId(2), true, Moment(500));
    let (mut now, mut seen) = (Moment(500), vec![ramps.left(PopId(2), Moment(500))]);
    while let Some(wake) = ramps.next_wake(now) {
        assert!(wake > now);
        assert_eq!(
            ramps.left(PopId(2), Moment(wake.0 - 1)),
            *seen.last().unwrap(),
            "nothing changes before {wake:?}"
        );
        now = wake;
        seen.push(ramps.left(PopId(2), now));
    }
    assert_eq!(seen, (0..=256).rev().collect::<Vec<u16>>());
}

/// A ramp continues over a restart by its time stamp, whatever the clock's zero; a stamp in the
/// future counts as now.
#[test]
fn a_ramp_survives_a_restart() {
    let mut before = Ramps::new(pops());
    before.handle_verdict(PopId(0), false, Moment(0));
    before.handle_verdict(PopId(0), true, Moment(1_000));
    before.handle_verdict(PopId(1), false, Moment(1_000));
    let saved = before.save(Moment(76_000), 1_000_075);
    assert_eq!(saved.len(), 2);
    let mut after = Ramps::new(pops());
    after.restore(&saved, Moment(0), 1_000_150);
    assert_eq!((before.left(PopId(0), Moment(151_000)), after.left(PopId(0), Moment(0))), (128, 128));
    after.restore(&saved, Moment(0), 5);
    assert_eq!(after.left(PopId(0), Moment(0)), 256);
    let mut other = Ramps::new(pops().split_off(1));
    other.restore(&saved, Moment(0), 1_000_150);
    assert_eq!(
        other.save(Moment(0), 1_000_150),
        [SavedRamp { pop: "ams".into(), up_epoch_ms: None }],
        "ams is still down; fra is gone"
    );
    other.handle_pops(pops());
    assert_eq!(other.save(Moment(0), 1_000_150).len(), 1, "ams is known by its name");
}
