//! The load controller: single behaviours. What comes of them together is the simulation's.

use super::controller::LoadController;
use super::event::LoadEvent;
use super::feeds::{FeedSet, FeedTarget, LoadSlot};
use super::headroom::{Outflow, split};
use super::quantize::{QuantizedShare, follow_row};
use super::shed::{GainChange, Shedding, Tuning};
use super::spec::{Feed, LoadSpec};
use crate::finding::{At, FileId};
use crate::health::Moment;
use std::sync::Arc;

const TUNING: Tuning = Tuning { target: 0.8, limit: 0.95, gain: 0.08, ttl_ms: 30_000 };

fn nowhere() -> At {
    At::whole(FileId(0))
}

/// PoPs p0, p1, ... of capacity 100, all pushed but the last, which nobody measures.
fn feed_set(pops: u16) -> Arc<FeedSet> {
    let feed = |pop: u16| FeedTarget {
        key: format!("p{pop} push").into(),
        pop,
        service: None,
        slots: vec![u32::from(pop)],
        capacity: 100.0,
        ttl_secs: 30,
        spec: Arc::new(LoadSpec::new(Feed::Push, nowhere())),
    };
    Arc::new(FeedSet {
        feeds: (0..pops - 1).map(feed).collect(),
        slots: (0..pops).map(|pop| LoadSlot { pop, service: "default".into() }).collect(),
        pops: (0..pops).map(|pop| format!("p{pop}").into()).collect(),
        followers: (0..pops).map(|pop| (0..pops).filter(|other| *other != pop).collect()).collect(),
    })
}

/// Pushes the same loads every 15 s; the last sheds that were told.
fn push(loads: &mut LoadController, from_secs: u64, readings: u64, values: &[f64]) -> Vec<super::ShedRow> {
    for reading in 0..readings {
        let now = Moment((from_secs + reading * 15) * 1_000);
        for (pop, value) in values.iter().enumerate() {
            assert!(loads.handle_push(&format!("p{pop}"), None, *value, now));
        }
        loads.poll_sheds(now);
    }
    loads.sheds()
}

fn events(loads: &mut LoadController) -> Vec<String> {
    std::iter::from_fn(|| loads.poll_event()).map(|event| event.to_string()).collect()
}

/// One step: what is measured, what is expected, whether there is room, and by how much the share
/// moves.
#[test]
fn a_step_is_as_small_as_the_smaller_excess() {
    for (measured, expected, has_room, moves) in [
        (0.90, 0.90, true, 0.008),
        (0.90, 0.85, true, 0.004),
        (0.90, 0.70, true, 0.0), // enough has been handed out already
        (0.81, 0.90, true, 0.0), // the dead band
        (0.90, 0.90, false, 0.0),
        (0.60, 0.60, true, -0.016),
        (0.60, 0.70, false, -0.008), // cells come back wherever they went
        (0.60, 0.85, true, 0.0),
    ] {
        let mut shedding = Shedding::new(0.5, Moment(0));
        shedding.step(TUNING, measured, expected, has_room, Moment(15_000));
        assert!(
            (shedding.share() - 0.5 - moves).abs() < 1e-12,
            "{measured} {expected} {has_room}: {}",
            shedding.share()
        );
    }
}

/// Above the limit twice in a row a step is four times larger; no step is larger than a quarter.
#[test]
fn above_the_limit_steps_are_larger() {
    let mut shedding = Shedding::new(0.0, Moment(0));
    let mut shares = vec![];
    for (reading, measured) in [1.0, 1.0, 0.9, 1.0, 9.0].into_iter().enumerate() {
        shedding.step(TUNING, measured, measured, true, Moment(15_000 * reading as u64));
        shares.push((shedding.share() * 1_000.0 + 0.5) as u32);
    }
    assert_eq!(shares, [16, 80, 88, 104, 354]);
    for _ in 0..9 {
        shedding.step(TUNING, 9.0, 9.0, true, Moment(90_000));
    }
    assert_eq!(shedding.share(), crate::limits::SHED_SHARE_MAX);
}

/// More than three turns in ten TTLs halve the gain; ten quiet TTLs give it back.
#[test]
fn turning_too_often_calms_the_gain() {
    let mut shedding = Shedding::new(0.5, Moment(0));
    let mut told = vec![];
    for reading in 0..12u64 {
        let measured = if reading % 2 == 0 { 0.9 } else { 0.7 };
        told.extend(shedding.step(TUNING, measured, measured, true, Moment(reading * 15_000)));
    }
    assert_eq!(told, [GainChange::Oscillates, GainChange::Oscillates], "turns 1 to 4, and 5 to 8");
    assert!(shedding.oscillates());
    told.clear();
    for reading in 12..100u64 {
        told.extend(shedding.step(TUNING, 0.8, 0.8, true, Moment(reading * 15_000)));
    }
    assert_eq!((told, shedding.oscillates()), (vec![GainChange::Calm], false));
}

/// A share is told in steps and turns only past the hysteresis; its end is always told.
#[test]
fn noise_is_not_told() {
    let mut published = QuantizedShare::default();
    for (exact, told) in [
        (0.001, 0),
        (0.1, 26),
        (0.11, 28),
        (0.09, 28),
        (0.06, 15),
        (0.07, 15),
        (0.1, 26),
        (0.0, 0),
        (0.004, 1),
    ] {
        published.follow(exact);
        assert_eq!(published.share, told, "{exact}");
    }
    for (row, wanted, shares, told) in [
        ([0, 0, 0, 0], [256, 110, 0, 1], (0, 5), [256, 110, 0, 1]), // nobody has left yet
        // more leave: what falls, falls slowly
        ([100, 100, 100, 0], [256, 90, 0, 256], (5, 6), [100, 100, 92, 0]),
        ([100, 100, 100, 0], [256, 90, 0, 256], (5, 5), [100, 100, 100, 0]),
        ([60, 10, 0, 0], [256, 11, 0, 256], (5, 5), [68, 10, 0, 8]), // hardly anybody accepts
    ] {
        let mut followed = row;
        assert_eq!(follow_row(&mut followed, &wanted, shares), row != told);
        assert_eq!(followed, told, "{row:?} {wanted:?} {shares:?}");
    }
}

/// The first accepts what fits, the next takes the rest; who is behind accepts for those that know
/// nobody else.
#[test]
fn leavers_fall_over_their_followers_in_turn() {
    let of = |outflows: &[(f64, &[u32])], rooms: &[f64]| {
        let outflows: Vec<Outflow> = outflows
            .iter()
            .map(|(load, followers)| Outflow { load: *load, followers: followers.to_vec() })
            .collect();
        let percent = |part: &f64| (part * 100.0 + 0.5) as u32;
        split(&outflows, rooms)
            .iter()
            .map(|s| {
                (
                    s.accept.iter().map(percent).collect::<Vec<_>>(),
                    s.parts.iter().map(percent).collect::<Vec<_>>(),
                    percent(&s.taken),
                )
            })
            .collect::<Vec<_>>()
    };
    assert_eq!(of(&[(40.0, &[0, 1, 2])], &[10.0, 15.0, 90.0]), [(vec![25, 50, 100], vec![25, 38, 38], 100)]);
    assert_eq!(of(&[(40.0, &[0, 1])], &[f64::INFINITY, 5.0]), [(vec![100, 50], vec![100, 0], 100)]);
    assert_eq!(of(&[(40.0, &[0])], &[0.0]), [(vec![0], vec![0], 0)]);
    // Two ask for the same room in the same turn.
    let both = of(&[(30.0, &[0]), (10.0, &[0])], &[20.0]);
    assert_eq!(both, [(vec![50], vec![50], 50), (vec![50], vec![50], 50)]);
    // Whoever is nearer is served first.
    let [near, far] = &of(&[(20.0, &[0]), (20.0, &[1, 0])], &[20.0, 0.0])[..] else { panic!() };
    assert_eq!((near.2, far.2), (100, 0));
}

/// An overload sheds, names who takes it, is told, and ends when the load is gone. The unmeasured
/// take what is left.
#[test]
fn an_overload_sheds_and_ends() {
    let mut loads = LoadController::new(feed_set(4), 1, Moment(0));
    assert_eq!(push(&mut loads, 0, 3, &[75.0, 75.0, 20.0]), []);
    let sheds = push(&mut loads, 45, 4, &[120.0, 75.0, 20.0]);
    let [row] = &sheds[..] else { panic!("{sheds:?}") };
    assert!(row.slot == 0 && row.share > 10, "{row:?}");
    assert!(
        row.accept[0] == 0 && (1..128).contains(&row.accept[1]) && row.accept[2] == 256 && row.accept[3] > 0,
        "{row:?}"
    );
    assert_eq!(push(&mut loads, 105, 60, &[30.0, 75.0, 20.0]), []);
    assert_eq!(
        events(&mut loads),
        ["PoP p0 sheds load, at 97 % of its capacity", "PoP p0 sheds no load any more"]
    );
}

/// A lost feed keeps its share until it is stale, and then gives its cells back; its return is told
/// too.
#[test]
fn a_lost_feed_gives_its_cells_back() {
    let mut loads = LoadController::new(feed_set(3), 1, Moment(0));
    let shed = push(&mut loads, 0, 6, &[150.0, 10.0])[0].share;
    let last = 75_000;
    loads.poll_sheds(Moment(last + 29_000));
    assert_eq!(loads.sheds()[0].share, shed, "it holds");
    let (mut now, mut shares) = (Moment(last + 29_000), vec![shed]);
    while let Some(wake) = loads.next_wake().filter(|wake| wake.0 < last + 3_600_000) {
        now = wake.max(now);
        loads.poll_sheds(now);
        shares.push(loads.sheds().first().map_or(0, |row| row.share));
    }
    assert!(shares.is_sorted_by(|a, b| a >= b) && shares.last() == Some(&0), "{shares:?}");
    assert!(loads.report(now).all(|feed| feed.is_stale));
    push(&mut loads, now.0 / 1_000 + 1, 1, &[10.0, 10.0]);
    let told = events(&mut loads);
    assert!(
        told.iter().any(|line| line == "load of PoP p0 is no longer known: nothing was pushed"),
        "{told:?}"
    );
    assert!(told.iter().any(|line| line == "load of PoP p1 is known again"), "{told:?}");
}

/// What is no load is an error and moves nothing; a flight without a number ends, and its ticket is
/// worth nothing then.
#[test]
fn bad_readings_are_errors() {
    let mut feed_set = (*feed_set(3)).clone();
    for feed in &mut feed_set.feeds {
        feed.spec = Arc::new(LoadSpec::new(Feed::File { path: "load".into() }, nowhere()));
    }
    let mut loads = LoadController::new(Arc::new(feed_set), 1, Moment(0));
    let due: Vec<_> = std::iter::from_fn(|| loads.poll_due(Moment(0))).collect();
    assert_eq!(due.iter().map(|due| &**due.pop()).collect::<Vec<_>>(), ["p0", "p1"]);
    assert!(loads.handle_reading(due[0].ticket, Ok(f64::NAN), Moment(5)));
    assert!(!loads.handle_reading(due[0].ticket, Ok(1.0), Moment(6)), "a ticket is used once");
    let late = Moment(due[1].timeout_ms());
    assert!(loads.next_wake().unwrap() <= late);
    assert!(loads.poll_due(late).is_none_or(|due| due.index == 0));
    assert!(!loads.handle_reading(due[1].ticket, Ok(1.0), late), "given up");
    let errors: Vec<String> = loads.report(late).map(|feed| feed.last_error.unwrap().to_string()).collect();
    assert_eq!(errors, ["NaN is no load", "no number in time"]);
    assert!(loads.report(late).all(|feed| feed.smoothed.is_none()));
}

/// A reload carries shares over by key, with acceptances by name; a restart by what was saved.
#[test]
fn shares_are_carried_over() {
    let mut loads = LoadController::new(feed_set(4), 1, Moment(0));
    let shed = push(&mut loads, 0, 6, &[150.0, 75.0, 10.0]);
    let saved = loads.save(1_000_000);
    // The other order: every index is another.
    let mut turned = (*feed_set(4)).clone();
    turned.pops.reverse();
    turned
        .feeds
        .iter_mut()
        .for_each(|feed| (feed.pop, feed.slots) = (3 - feed.pop, vec![u32::from(3 - feed.pop)]));
    let turned = Arc::new(turned);
    loads.handle_targets(turned.clone(), Moment(76_000));
    let carried = loads.poll_sheds(Moment(76_000)).expect("slots have other numbers");
    let accept: Vec<u16> = shed[0].accept.iter().rev().copied().collect();
    assert_eq!(
        (carried[0].slot, carried[0].share, carried[0].accept.to_vec()),
        (3, shed[0].share, accept.clone())
    );
    let mut restarted = LoadController::new(turned, 1, Moment(0));
    assert_eq!(restarted.restore(&saved, Moment(0), 1_000_060), 1);
    assert_eq!(restarted.poll_sheds(Moment(0)).unwrap(), carried);
    assert_eq!(restarted.restore(&saved, Moment(0), 1_001_000), 0, "too old");
    loads.handle_targets(Arc::new(FeedSet::default()), Moment(77_000));
    assert_eq!(loads.poll_sheds(Moment(77_000)), Some(vec![]), "what is gone sheds nothing");
}

/// A share that swings is told, and its events are lines.
#[test]
fn swings_are_told() {
    let mut loads = LoadController::new(feed_set(3), 1, Moment(0));
    for swing in 0..12 {
        push(&mut loads, swing * 120, 8, &[if swing % 2 == 0 { 170.0 } else { 1.0 }, 10.0]);
    }
    let told: Vec<LoadEvent> = std::iter::from_fn(|| loads.poll_event()).collect();
    assert!(told.iter().any(|event| matches!(event, LoadEvent::Began { .. })), "{told:?}");
}
