//! Single behaviours of the load controller. The simulation tests them together.

use super::controller::LoadController;
use super::event::LoadEvent;
use super::feeds::{FeedId, FeedSet, FeedTarget};
use super::headroom::{Outflow, Taker, TakerId, split};
use super::quantize::{QuantizedShare, Wanted, follow_row};
use super::shed::{GainChange, Shedding, Tuning};
use super::spec::{Feed, LoadSpec};
use crate::finding::{At, FileId};
use crate::health::Moment;
use crate::health::targets::{PopId, SlotId};
use std::sync::Arc;

const TUNING: Tuning =
    Tuning { target: 0.8, limit: 0.95, gain: 0.08, ttl_ms: 30_000, falls_below: f64::INFINITY };

fn nowhere() -> At {
    At::whole(FileId(0))
}

/// PoPs p0, p1, ... of capacity 100, all with pushed feeds except the last, which has no feed.
fn feed_set(pops: u16) -> Arc<FeedSet> {
    let feed = |pop: u16| FeedTarget {
        key: format!("p{pop} push").into(),
        pop: PopId(pop),
        service: None,
        slots: vec![SlotId(u32::from(pop))],
        followers: (0..u32::from(pops)).filter(|other| *other != u32::from(pop)).map(SlotId).collect(),
        capacity: 100.0,
        ttl_secs: 30,
        spec: Arc::new(LoadSpec::new(Feed::Push, nowhere())),
    };
    Arc::new(FeedSet {
        feeds: (0..pops - 1).map(feed).collect(),
        slots: (0..pops).map(PopId).collect(),
        pops: (0..pops).map(|pop| format!("p{pop}").into()).collect(),
    })
}

/// Pushes the same loads every 15 s. Returns the last published sheds.
fn push(loads: &mut LoadController, from_secs: u64, readings: u64, values: &[f64]) -> Vec<super::ShedRow> {
    for reading in 0..readings {
        let now = Moment((from_secs + reading * 15) * 1_000);
        for (pop, value) in values.iter().enumerate() {
            assert_eq!(loads.handle_push(&format!("p{pop}"), None, *value, now), Ok(()));
        }
        loads.poll_sheds(now);
    }
    loads.sheds()
}

fn events(loads: &mut LoadController) -> Vec<String> {
    std::iter::from_fn(|| loads.poll_event()).map(|event| event.to_string()).collect()
}

/// Rows of utilisation, expected utilisation, room, and the step of the share.
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

/// Above the limit twice in a row, a step is four times larger; no step exceeds a quarter.
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

/// More than three turns in ten TTLs halve the gain; ten quiet TTLs restore it.
#[test]
fn turning_too_often_calms_the_gain() {
    let mut shedding = Shedding::new(0.5, Moment(0));
    let mut reported = vec![];
    for reading in 0..12u64 {
        let measured = if reading % 2 == 0 { 0.9 } else { 0.7 };
        reported.extend(shedding.step(TUNING, measured, measured, true, Moment(reading * 15_000)));
    }
    assert_eq!(reported, [GainChange::Oscillates, GainChange::Oscillates], "turns 1 to 4, and 5 to 8");
    assert!(shedding.oscillates());
    reported.clear();
    for reading in 12..100u64 {
        reported.extend(shedding.step(TUNING, 0.8, 0.8, true, Moment(reading * 15_000)));
    }
    assert_eq!((reported, shedding.oscillates()), (vec![GainChange::Calm], false));
}

/// A share is published in steps and turns only past the hysteresis; its end is always published.
#[test]
fn noise_is_not_told() {
    let mut published = QuantizedShare::default();
    for (exact, published_as) in [
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
        assert_eq!(published.share, published_as, "{exact}");
    }
    for (row, wanted, moves_placed, share_rises, published_as) in [
        ([0, 0, 0, 0], [256, 110, 0, 1], false, true, [256, 110, 0, 1]), // what was 0 is published exactly
        // more leave: what falls, falls slowly
        ([100, 100, 100, 0], [250, 90, 0, 256], false, true, [250, 100, 92, 256]),
        ([100, 100, 100, 100], [110, 90, 0, 256], false, false, [100, 100, 100, 256]),
        ([240, 10, 0, 0], [256, 33, 0, 0], false, false, [256, 10, 0, 0]), // all is published
        ([0, 10, 0, 250], [32, 41, 9, 256], true, false, [8, 10, 0, 256]), // a small step, where much fits
    ] {
        let mut followed = row;
        let wanted = wanted.map(|accept| Wanted { accept, moves_placed });
        assert_eq!(follow_row(&mut followed, &wanted, share_rises), row != published_as);
        assert_eq!(followed, published_as, "{row:?} {wanted:?} {share_rises}");
    }
}

/// Outflows: load, part that needs a place, and for each taker its index, its acceptance, and the
/// highest allowed.
type Asked<'a> = (f64, f64, &'a [(u32, f64, f64)]);

fn split_of(outflows: &[Asked<'_>], rooms: &[f64]) -> Vec<(Vec<u32>, Vec<u32>)> {
    let outflows: Vec<Outflow> = outflows
        .iter()
        .map(|(load, needed, takers)| {
            let taker = |(to, published, ceiling): &(u32, f64, f64)| Taker {
                to: TakerId(*to),
                published: *published,
                ceiling: *ceiling,
                moves_placed: false,
            };
            Outflow { load: *load, needed: *needed, takers: takers.iter().map(taker).collect() }
        })
        .collect();
    let percent = |part: &f64| (part * 100.0 + 0.5) as u32;
    split(&outflows, rooms)
        .iter()
        .map(|s| (s.accept.iter().map(percent).collect(), s.parts.iter().map(percent).collect()))
        .collect()
}

/// The first follower accepts what fits, the next takes the rest. A later follower also accepts for
/// cells that have no other in their list.
#[test]
fn leavers_fall_over_their_followers_in_turn() {
    let of = |outflows: &[(f64, &[u32])], rooms: &[f64]| {
        let takers: Vec<Vec<(u32, f64, f64)>> =
            outflows.iter().map(|(_, to)| to.iter().map(|to| (*to, 0.0, 1.0)).collect()).collect();
        let rows: Vec<_> =
            outflows.iter().zip(&takers).map(|((load, _), takers)| (*load, 1.0, &takers[..])).collect();
        split_of(&rows, rooms)
    };
    assert_eq!(of(&[(40.0, &[0, 1, 2])], &[10.0, 15.0, 90.0]), [(vec![25, 50, 100], vec![25, 38, 38])]);
    assert_eq!(of(&[(40.0, &[0, 1])], &[f64::INFINITY, 5.0]), [(vec![100, 50], vec![100, 0])]);
    assert_eq!(of(&[(40.0, &[0])], &[0.0]), [(vec![0], vec![0])]);
    // Two ask for the same room in the same turn.
    let both = of(&[(30.0, &[0]), (10.0, &[0])], &[20.0]);
    assert_eq!(both, [(vec![50], vec![50]), (vec![50], vec![50])]);
    // The nearer follower comes first.
    let [near, far] = &of(&[(20.0, &[0]), (20.0, &[1, 0])], &[20.0, 0.0])[..] else { panic!() };
    assert_eq!((&near.1[..], &far.1[..]), (&[100][..], &[0, 0][..]));
}

/// No room is promised twice: present acceptances come off it first, and fall only if they do not
/// fit. No follower accepts more than allowed, and no more load finds a place than needs one.
#[test]
fn what_is_accepted_already_is_planned() {
    // The second to ask gets the room that the first has left.
    let rows = split_of(&[(20.0, 1.0, &[(0, 0.5, 0.5)]), (20.0, 1.0, &[(0, 0.0, 1.0)])], &[15.0]);
    assert_eq!(rows, [(vec![50], vec![50]), (vec![25], vec![25])]);
    let rows = split_of(&[(20.0, 1.0, &[(0, 1.0, 1.0)]), (20.0, 1.0, &[(0, 1.0, 1.0)])], &[20.0]);
    assert_eq!(rows, [(vec![50], vec![50]), (vec![50], vec![50])]);
    // A ceiling sends the rest to the next.
    let rows = split_of(&[(40.0, 1.0, &[(0, 0.25, 0.25), (1, 0.0, 1.0)])], &[90.0, 90.0]);
    assert_eq!(rows, [(vec![25, 100], vec![25, 75])]);
    // Twice as many cells may be shed as needed.
    let rows = split_of(&[(40.0, 0.5, &[(0, 0.25, 1.0), (1, 0.0, 1.0)])], &[90.0, 90.0]);
    assert_eq!(rows[0].1.iter().sum::<u32>(), 50, "{rows:?}");
}

/// An overload sheds to followers, is reported, and ends with the load. PoPs without a feed take
/// the rest.
#[test]
fn an_overload_sheds_and_ends() {
    let mut loads = LoadController::new(feed_set(4), 1, Moment(0));
    assert_eq!(push(&mut loads, 0, 3, &[75.0, 65.0, 20.0]), []);
    let sheds = push(&mut loads, 45, 4, &[120.0, 65.0, 20.0]);
    let [row] = &sheds[..] else { panic!("{sheds:?}") };
    assert!(row.slot == SlotId(0) && row.share > 10, "{row:?}");
    assert!(
        row.accept[0] == 0 && (1..128).contains(&row.accept[1]) && row.accept[2] == 256 && row.accept[3] > 0,
        "{row:?}"
    );
    assert_eq!(push(&mut loads, 105, 60, &[30.0, 65.0, 20.0]), []);
    assert_eq!(
        events(&mut loads),
        ["PoP p0 sheds load, at 108 % of its capacity", "PoP p0 sheds no load any more"]
    );
}

/// Followers that were full at first take cells as soon as two readings confirm room. The alarm
/// that no PoP takes any stands meanwhile, and ends.
#[test]
fn followers_that_were_full_take_cells_later() {
    // Without the last PoP, which has no feed.
    let mut feeds = (*feed_set(4)).clone();
    feeds.feeds.iter_mut().for_each(|feed| feed.followers.retain(|slot| *slot != SlotId(3)));
    let mut loads = LoadController::new(Arc::new(feeds), 1, Moment(0));
    assert_eq!(push(&mut loads, 0, 20, &[160.0, 80.0, 79.0]), [], "nobody accepts, nobody leaves");
    assert!(loads.report(Moment(300_000)).next().is_some_and(|feed| feed.is_stuck));
    assert_eq!(push(&mut loads, 300, 1, &[160.0, 20.0, 79.0]), [], "one reading may be wrong");
    let sheds = push(&mut loads, 315, 3, &[160.0, 20.0, 79.0]);
    assert_eq!((sheds.len(), sheds[0].accept[1] > 128, sheds[0].accept[2]), (1, true, 0), "{sheds:?}");
    push(&mut loads, 360, 20, &[78.0, 75.0, 79.0]);
    assert!(loads.report(Moment(660_000)).all(|feed| !feed.is_stuck));
    let reported = events(&mut loads);
    assert_eq!(
        (&*reported[0], reported.iter().filter(|line| line.contains("PoP p0 have a place again")).count()),
        ("no PoP takes more clients of PoP p0, which is at 160 % of its capacity", 1),
        "{reported:?}"
    );
}

/// A nearer follower that gets room takes no cell that another holds, except a few steps at a time
/// after ten quiet TTLs.
#[test]
fn placed_cells_stay_where_they_are() {
    let mut loads = LoadController::new(feed_set(4), 1, Moment(0));
    push(&mut loads, 0, 3, &[75.0, 80.0, 20.0]);
    let sheds = push(&mut loads, 45, 6, &[120.0, 80.0, 20.0]);
    assert_eq!(sheds[0].accept[1], 0, "p1 is full: {sheds:?}");
    // Within its dead band p0 keeps its share; TTLs are 30 s.
    let sheds = push(&mut loads, 135, 18, &[79.0, 10.0, 50.0]);
    assert_eq!(sheds[0].accept[1], 0, "p2 holds what p1 would get: {sheds:?}");
    let mut rises = Vec::new();
    for reading in 0..40 {
        let sheds = push(&mut loads, 405 + reading * 15, 1, &[79.0, 10.0, 50.0]);
        rises.push(sheds[0].accept[1]);
    }
    assert!(rises.last().is_some_and(|accept| *accept >= 64), "{rises:?}");
    assert!(rises.is_sorted() && rises.windows(2).all(|pair| pair[1] - pair[0] <= 8), "{rises:?}");
}

/// At a cold start a PoP without a feed takes nothing before the others were read, and a feed that
/// gives no number is not awaited for ever.
#[test]
fn a_cold_start_waits_for_the_first_readings() {
    let mut loads = LoadController::new(feed_set(4), 1, Moment(0));
    let said = |loads: &mut LoadController, secs: u64, with: &[(&str, f64)]| {
        for (pop, value) in with {
            assert_eq!(loads.handle_push(pop, None, *value, Moment(secs * 1_000)), Ok(()));
        }
        loads.poll_sheds(Moment(secs * 1_000));
        loads.sheds().first().map(|row| row.accept.to_vec())
    };
    // p2 gives no number.
    for secs in [0, 15, 29] {
        assert_eq!(said(&mut loads, secs, &[("p0", 160.0), ("p1", 20.0)]), None, "{secs} s");
    }
    assert_eq!(said(&mut loads, 44, &[("p0", 160.0), ("p1", 20.0)]), None, "lost only now");
    let accept = said(&mut loads, 59, &[("p0", 160.0), ("p1", 20.0)]).expect("cells leave");
    assert!(accept[1] > 128 && accept[2] == 0, "{accept:?}");
}

/// A lost feed keeps its share until it is stale, and then gives its cells back. Its return is
/// reported too.
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
    let reported = events(&mut loads);
    assert!(
        reported.iter().any(|line| line == "load of PoP p0 is no longer known: nothing was pushed"),
        "{reported:?}"
    );
    assert!(reported.iter().any(|line| line == "load of PoP p1 is known again"), "{reported:?}");
}

/// A number that is no load is an error without effect. A reading without a number ends, and its
/// ticket is void then.
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
    assert!(loads.poll_due(late).is_none_or(|due| due.id == FeedId(0)));
    assert!(!loads.handle_reading(due[1].ticket, Ok(1.0), late), "given up");
    let errors: Vec<String> = loads.report(late).map(|feed| feed.last_error.unwrap().to_string()).collect();
    assert_eq!(errors, ["NaN is no load", "no number in time"]);
    assert!(loads.report(late).all(|feed| feed.smoothed.is_none()));
    // A load that no PoP can carry is refused: it is in another unit.
    let mut loads = LoadController::new(self::feed_set(3), 1, Moment(0));
    for (value, why) in [
        (1e9, "1e9 is more than 100 times the capacity: is it in another unit?"),
        (f64::INFINITY, "inf is more than 100 times the capacity: is it in another unit?"),
        (-1.0, "-1 is no load"),
    ] {
        for reading in 0..4 {
            let taken = loads.handle_push("p0", None, value, Moment(reading * 15_000));
            assert_eq!(taken, Err(Some(why.into())), "whoever pushes it is told");
        }
        assert_eq!(loads.handle_push("p1", None, 10.0, Moment(60_000)), Ok(()));
        assert_eq!(loads.handle_push("p0", Some("no such"), 1.0, Moment(60_000)), Err(None));
        loads.poll_sheds(Moment(60_000));
        let report = loads.report(Moment(60_000)).next().expect("p0 has a feed");
        assert_eq!((report.last_error.map(|why| &**why), report.smoothed), (Some(why), None));
    }
    assert_eq!(loads.sheds(), []);
}

/// A reload carries shares over by key, and acceptances by name; a restart carries the saved ones.
#[test]
fn shares_are_carried_over() {
    let mut loads = LoadController::new(feed_set(4), 1, Moment(0));
    let shed = push(&mut loads, 0, 6, &[150.0, 75.0, 10.0]);
    let saved = loads.save(1_000_000);
    // In reverse order, so that every index differs.
    let mut turned = (*feed_set(4)).clone();
    turned.pops.reverse();
    turned.feeds.iter_mut().for_each(|feed| {
        let turned = 3 - feed.pop.0;
        (feed.pop, feed.slots) = (PopId(turned), vec![SlotId(u32::from(turned))]);
        feed.followers.iter_mut().for_each(|slot| *slot = SlotId(3 - slot.0));
    });
    let turned = Arc::new(turned);
    loads.handle_targets(turned.clone(), Moment(76_000));
    let carried = loads.poll_sheds(Moment(76_000)).expect("slots have other numbers");
    let accept: Vec<u16> = shed[0].accept.iter().rev().copied().collect();
    assert_eq!(
        (carried[0].slot, carried[0].share, carried[0].accept.to_vec()),
        (SlotId(3), shed[0].share, accept.clone())
    );
    let mut restarted = LoadController::new(turned, 1, Moment(0));
    assert_eq!(restarted.restore(&saved, Moment(0), 1_000_060), 1);
    assert_eq!(restarted.poll_sheds(Moment(0)).unwrap(), carried);
    assert_eq!(restarted.restore(&saved, Moment(0), 1_001_000), 0, "too old");
    loads.handle_targets(Arc::new(FeedSet::default()), Moment(77_000));
    assert_eq!(loads.poll_sheds(Moment(77_000)), Some(vec![]), "what is gone sheds nothing");
}

/// A share that swings is reported, and its events are lines.
#[test]
fn swings_are_told() {
    let mut loads = LoadController::new(feed_set(3), 1, Moment(0));
    for swing in 0..12 {
        push(&mut loads, swing * 120, 8, &[if swing % 2 == 0 { 170.0 } else { 1.0 }, 10.0]);
    }
    let reported: Vec<LoadEvent> = std::iter::from_fn(|| loads.poll_event()).collect();
    assert!(reported.iter().any(|event| matches!(event, LoadEvent::Began { .. })), "{reported:?}");
}
