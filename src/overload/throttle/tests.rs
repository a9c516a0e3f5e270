//! Tests of `throttle`.

use super::*;

const ROOM: u32 = 1_000;

fn reading(received: u64, dropped: u32, used: u32) -> Reading {
    Reading { received, dropped, used, room: ROOM }
}

/// The first share is that of what the worker took, but no less than half; a full buffer lowers it,
/// slowly at first; a buffer that empties waits; room raises it at every second reading.
#[test]
fn the_share_follows_the_buffer() {
    let attach = |parts: u32| Some(Change::Attach(Share(parts)));
    let rows = [
        ("no drops", reading(100, 0, ROOM), None),
        ("drops", reading(100, 300, ROOM), attach(32_768)),
        ("full", reading(100, 300, ROOM), attach(28_672)),
        ("full twice", reading(100, 300, ROOM), attach(25_088)),
        ("full for long", reading(100, 300, ROOM), attach(12_544)),
        ("less full", reading(100, 300, 900), None),
        ("room", reading(100, 300, 749), None),
        ("room twice", reading(100, 300, 0), attach(13_329)),
        ("room", reading(100, 300, 0), None),
        ("room twice", reading(100, 300, 0), attach(14_163)),
        ("full anew", reading(100, 300, 750), attach(12_393)),
        ("full twice", reading(10, 990, 750), attach(10_844)),
        ("full for long, by far", reading(10, 990, 750), attach(1_355)),
        ("full for long, by a tenth of that", reading(100, 900, 750), attach(677)),
        ("room", reading(100, 30, 0), None),
        ("room, and too much comes", reading(60, 30, 0), attach(720)),
        ("room", reading(60, 30, 300), None),
        ("all would fit, in a buffer in use", reading(60, 10, 300), attach(766)),
        ("room", reading(60, 10, 0), None),
        ("all fits", reading(60, 15, 250), attach(1_532)),
    ];
    let mut throttle = Throttle::default();
    for (what, reading, change) in rows {
        assert_eq!(throttle.step(reading), change, "{what}");
    }
}

/// Room for a while ends the filter, from the lowest share on too, and the next drop begins anew.
#[test]
fn room_ends_the_filter() {
    let mut throttle = Throttle::default();
    for _ in 0..10 {
        throttle.step(reading(0, 1, ROOM));
    }
    assert_eq!(throttle.share(), Some(Share(Share::LEAST)));
    let steps: Vec<Change> = (0..400).filter_map(|_| throttle.step(reading(10, 10, 0))).take(200).collect();
    let ends = steps.iter().filter(|change| **change == Change::Detach).count();
    assert!(ends >= 1, "{steps:?}");
    let first = steps.iter().position(|change| *change == Change::Detach).expect("it ends");
    // Two readings of 100 ms a step: within 30 s.
    assert!(first < 150, "{first}");
    assert!(steps[..first].is_sorted_by_key(|change| match change {
        Change::Attach(share) => share.parts(),
        Change::Detach => u32::MAX,
    }));
}

/// Drops at a buffer with room begin nothing: datagrams with a wrong checksum are counted among
/// them.
#[test]
fn drops_without_a_full_buffer_begin_nothing() {
    let mut throttle = Throttle::default();
    for used in [0, 500, 749] {
        for dropped in [1, 50, 5_000] {
            assert_eq!(throttle.step(reading(10, dropped, used)), None, "{dropped} at {used}");
        }
    }
    assert!(throttle.step(reading(10, 1, 750)).is_some());
}

/// A process that stands still for a second finds a full buffer, and answers it in one interval:
/// strangers lose half of their answers for less than a second, as long as the server has little to
/// do.
#[test]
fn a_stall_is_soon_over() {
    for (load, most) in [(1, 4), (50, 4), (300, 4), (700, 25)] {
        let mut throttle = Throttle::default();
        let first = throttle.step(reading(0, 5_000, ROOM));
        assert_eq!(first, Some(Change::Attach(Share(Share::FIRST))));
        // 1,000 of the buffer.
        throttle.step(reading(1_000 + load / 2, load as u32 / 2, 0));
        let took = (1..100)
            .find(|_| throttle.step(reading(load - load / 2, load as u32 / 2, 0)) == Some(Change::Detach));
        let took = took.expect("it ends");
        assert!(took <= most, "{took} intervals with {load}");
    }
    // The worker alone stands still, while the loop reads.
    let mut throttle = Throttle::default();
    for _ in 0..10 {
        throttle.step(reading(0, 500, ROOM));
    }
    throttle.step(reading(1_000, 10, 0));
    let took = (1..100).find(|_| throttle.step(reading(1, 10, 0)) == Some(Change::Detach));
    assert!(took.is_some_and(|took| took <= 20), "{took:?}");
}

/// A flood of three times the capacity is met within half a second.
#[test]
fn a_flood_is_met_at_once() {
    let mut throttle = Throttle::default();
    for _ in 0..5 {
        throttle.step(reading(1_000, 2_000, ROOM));
    }
    let share = throttle.share().expect("a filter").parts();
    assert!(share <= Share::WHOLE / 3, "{share}");
}

/// Known clients alone overload the server: the share stays at its least, without more programs.
#[test]
fn the_least_share_stays() {
    let mut throttle = Throttle::default();
    let changes = (0..100).filter_map(|_| throttle.step(reading(10, 10, ROOM))).count();
    assert_eq!(throttle.share(), Some(Share(Share::LEAST)));
    assert!(changes < 20, "{changes}");
}

/// A worker with a buffer, and more queries than it answers, in intervals of 100 ms: known clients
/// keep nearly all of their answers, strangers get most of the rest, and the filter goes with the
/// flood.
#[test]
fn known_clients_keep_their_answers() {
    let (capacity, room) = (1_000.0f64, 1_300.0);
    for (known, flood) in [(100.0, 2_000.0), (500.0, 10_000.0), (10.0, 100_000.0), (100.0, 1_000.0)] {
        let (mut throttle, mut queue) = (Throttle::default(), 0.0f64);
        let (mut kept, mut answered) = (0.0, 0.0);
        let mut interval = |flood: f64, throttle: &mut Throttle| {
            let share = throttle.share().map_or(1.0, |share| f64::from(share.parts()) / 65_536.0);
            let come = known + flood * share;
            let taken = come.min(room - queue + capacity);
            let received = capacity.min(queue + taken);
            queue += taken - received;
            let dropped = come - taken + flood * (1.0 - share);
            throttle.step(Reading {
                received: received as u64,
                dropped: dropped as u32,
                used: queue as u32,
                room: room as u32,
            });
            (known * taken / come, received)
        };
        for _ in 0..100 {
            let (known, all) = interval(flood, &mut throttle);
            (kept, answered) = (kept + known, answered + all);
        }
        assert!(kept >= 0.95 * known * 100.0, "{kept} of {known} in {flood}");
        assert!(answered >= 0.75 * capacity * 100.0, "{answered} in {flood}");
        for _ in 0..300 {
            interval(0.0, &mut throttle);
        }
        assert_eq!(throttle.share(), None, "{flood}");
    }
}
