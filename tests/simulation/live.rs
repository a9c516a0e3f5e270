//! Live state by itself: the order of its steps, its clock, and what it foretells.

use meridian::testing::health::Moment;
use meridian::testing::health::event::HealthEvent;
use meridian::testing::health::probe_result::ProbeResult;
use meridian::testing::health::targets::{PolicyId, SlotId};
use meridian::testing::live::{LiveState, Now, Remembered};
use meridian::testing::shared::command::{OverrideChange, OverrideOutcome};
use meridian::testing::shared::event::Event;
use meridian::testing::shared::operator_view::{InService, ServiceLimit};
use meridian::testing::snapshot::Snapshot;
use meridian::testing::steer::ledger::{Action, Selector};
use meridian::testing::steer::pop::AdminState;
use meridian::testing::steer::status::Status;
use std::sync::Arc;
use support::{ServerFile, Tree, load};

/// Four PoPs in one policy, each probed every five seconds, one result making a verdict; PoPs ramp
/// over so many minutes.
fn files(ramp: u32, weight: u32) -> Arc<Snapshot> {
    let pop = |name: &str, host: u8| {
        format!("  {name}: {{ addresses: 192.0.2.{host}, probe: web, ramp: {ramp}m, weight: {weight} }}\n")
    };
    // Checks begin at moments that depend on the name of the node.
    let tree = Tree::of(ServerFile { node: "name: n", ..ServerFile::default() })
        .with("policies.yaml", "policies: { web: { pops: all, order: listed } }\n")
        .with(
            "pops.yaml",
            format!(
                "probes:\n  web: {{ tcp: {{ port: 80 }}, every: 5s, timeout: 1s, up_after: 1, \
                 down_after: 1 }}\npops:\n{}{}{}{}",
                pop("a", 1),
                pop("b", 2),
                pop("c", 3),
                pop("d", 4)
            ),
        )
        .with(
            "zones/z.example.yaml",
            "zone: z.example.\nsoa: { mname: ns, rname: h }\nrecords:\n  \"@\": { NS: ns }\n  ns: { A: \
             192.0.2.9 }\n  w: { steer: web }\n",
        );
    load(&tree).unwrap_or_else(|findings| panic!("{findings}")).snapshot.clone()
}

/// Live state on clocks that the test sets.
struct Bench {
    live: LiveState,
    now: Now,
}

impl Bench {
    /// All PoPs are up.
    fn new(ramp: u32) -> Bench {
        let now = Now { moment: Moment(0), epoch_secs: 1_000_000 };
        let mut bench = Bench { live: LiveState::new(files(ramp, 100), Remembered::default(), now), now };
        bench.live.step(now);
        bench.probe(&[]);
        bench.live.step(bench.now);
        bench
    }

    fn pass(&mut self, secs: u64) {
        self.now =
            Now { moment: Moment(self.now.moment.0 + secs * 1_000), epoch_secs: self.now.epoch_secs + secs };
    }

    /// A round of checks, which fail for some PoPs. No step is taken.
    fn probe(&mut self, failing: &[&str]) {
        self.pass(7);
        while let Some(due) = self.live.poll_check(self.now) {
            let target_set = self.live.snapshot().target_set.clone();
            let is_well = !failing.contains(&&*target_set.targets[due.id.index()].pop);
            let result = if is_well { ProbeResult::well() } else { ProbeResult::failed("refused") };
            assert!(self.live.handle_result(due.ticket, &result, self.now));
        }
    }

    /// Says something by hand. No step is taken.
    fn say(&mut self, pop: &str, action: Action, lasts_secs: Option<u64>) {
        let change = OverrideChange {
            selectors: vec![Selector::parse(pop).unwrap()],
            action,
            author: "test".into(),
            reason: "test".into(),
            lasts_secs,
            start_epoch_secs: None,
            over_secs: 0,
            force: true,
            dry_run: false,
            unsaved: false,
        };
        let draft = self.live.draft(&change, false, self.now);
        assert_eq!(draft.ended, OverrideOutcome::Done);
        self.live.keep(draft.ledger);
    }

    fn step(&mut self) -> Status {
        self.live.step(self.now);
        self.live.status()
    }

    fn events(&mut self) -> Vec<Event> {
        self.live.events(self.now)
    }
}

const DRAIN: Action = Action::State(AdminState::Drain);

/// Which PoPs the policy answers in regular service.
fn regular(status: &Status) -> Vec<bool> {
    let view = status.view(PolicyId(0));
    SlotId::in_order()
        .take(4)
        .map(|slot| view.slot(slot).up != 0 && status.pops()[slot.index()].state != AdminState::Drain)
        .collect()
}

/// Hands before probes: a guard never counts a PoP that an operator has decided about, also if the
/// verdicts and the override come in one step. Of four, three fall; without hands that is held.
#[test]
fn hands_are_heard_before_probes_are_judged() {
    let held = |bench: &mut Bench| {
        bench.step();
        bench.events().iter().any(|event| matches!(event, Event::Health(HealthEvent::Held { .. })))
    };
    let mut alone = Bench::new(0);
    alone.probe(&["a", "b", "c"]);
    assert!(held(&mut alone));
    let mut overridden = Bench::new(0);
    overridden.probe(&["a", "b", "c"]);
    overridden.say("a", DRAIN, None);
    overridden.say("b", DRAIN, None);
    assert!(!held(&mut overridden), "the guard counted PoPs that an operator took out");
}

/// Probes before service, and service before ramps: a PoP that comes up has none of its cells in
/// the very status that first shows it up.
#[test]
fn a_pop_that_comes_up_ramps_from_the_first_status() {
    let mut bench = Bench::new(5);
    bench.probe(&["a"]);
    let down = bench.step();
    assert_eq!(regular(&down), [false, true, true, true]);
    bench.probe(&[]);
    let up = bench.step();
    assert_eq!(regular(&up), [true; 4]);
    assert!(up.pops()[0].left >= 250, "{} of 256 cells are not back", up.pops()[0].left);
    assert!(bench.live.service().is_up[0] && bench.live.service().serves[0]);
}

/// A round of checks and a step every ten seconds, for each list of PoPs that fail.
fn rounds(bench: &mut Bench, failing: &[&[&str]]) {
    for failing in failing {
        bench.pass(3);
        bench.probe(failing);
        bench.step();
    }
}

/// What is shown of each PoP.
fn shown(bench: &mut Bench) -> Vec<(InService, Option<ServiceLimit>)> {
    let operator_view = bench.live.operator_view(1, bench.now);
    operator_view.pops.iter().map(|pop| (pop.in_service, pop.in_service_why)).collect()
}

/// A PoP that flaps is no room for load, because shed cells never go to a last resort; it is up
/// all the same, so nothing ramps when it is calm. One whose damping the policy ignores is room.
#[test]
fn what_flaps_is_no_room_for_load() {
    let mut bench = Bench::new(5);
    rounds(&mut bench, &[&["c"], &[], &["c"], &[]]);
    for _ in 0..4 {
        rounds(&mut bench, &[&["a", "b"], &[]]);
    }
    assert_eq!(regular(&bench.live.status()), [false, false, true, true]);
    assert_eq!(bench.live.service().serves, [false, false, true, true]);
    assert_eq!(bench.live.service().is_up, [true; 4]);
    let last_resort = (InService::LastResort, Some(ServiceLimit::Flaps));
    assert_eq!(shown(&mut bench)[..2], [last_resort; 2]);
    rounds(&mut bench, &[&["c"], &[], &["c"], &[]]);
    assert_eq!(
        bench.live.health_state().undamped,
        [(PolicyId(0), vec![SlotId(2)])],
        "two of four are damped at most"
    );
    assert_eq!(bench.live.service().serves, [false, false, true, true]);
    bench.say("a", Action::State(AdminState::Up), None);
    bench.step();
    assert!(bench.live.service().serves[0], "an operator has decided");
}

/// What is shown of a PoP that is up while its pool is on the way back.
#[test]
fn a_pop_on_the_way_back_is_partly_in_service() {
    let mut bench = Bench::new(0);
    let all: &[&str] = &["a", "b", "c", "d"];
    rounds(&mut bench, &[all; 11]);
    rounds(&mut bench, &[&all[1..]]);
    assert_eq!(bench.live.health_state().returning.len(), 1);
    let (returns, no) = ((InService::Partly, Some(ServiceLimit::Returns)), (InService::No, None));
    assert_eq!(shown(&mut bench), [returns, no, no, no]);
}

/// All PoPs fall together and half of them come back: the guard's hold is over, because its share
/// is no longer exceeded. The policy was never served as all down, so nothing is on the way back.
#[test]
fn a_hold_that_settles_at_its_share_begins_no_way_back() {
    let mut bench = Bench::new(0);
    rounds(&mut bench, &[&["a", "b", "c", "d"]]);
    assert_eq!(bench.live.health_state().held.len(), 1);
    rounds(&mut bench, &[&["c", "d"]]);
    let is = bench.live.health_state();
    assert_eq!((is.held.len(), is.returning.len()), (0, 0));
    assert_eq!(regular(&bench.live.status()), [true, true, false, false]);
}

/// What is in force follows from ledger and clock, in a node that runs as in one that starts: the
/// wall clock goes forward past the end of an override, and back.
#[test]
fn a_clock_that_is_set_finds_what_a_restart_finds() {
    let mut bench = Bench::new(0);
    bench.say("a", DRAIN, Some(600));
    bench.step();
    let ends = |events: &[Event]| {
        events.iter().filter(|event| matches!(event, Event::OverrideExpired { .. })).count()
    };
    let stepped = |events: &[Event]| {
        let secs = events.iter().filter_map(|event| match event {
            Event::ClockStepped { secs } => Some(*secs),
            _ => None,
        });
        secs.collect::<Vec<_>>()
    };
    for (by, is_drained) in [(0i64, true), (3_600, false), (-3_600, true), (700, false), (-7_200, true)] {
        bench.events();
        bench.pass(1);
        bench.now.epoch_secs = bench.now.epoch_secs.checked_add_signed(by).unwrap();
        let running = bench.step();
        let events = bench.events();
        assert_eq!(ends(&events), usize::from(!is_drained), "{by}");
        assert_eq!(stepped(&events), if by == 0 { vec![] } else { vec![by] });
        let mut restarted =
            LiveState::new(bench.live.snapshot().clone(), bench.live.remembered(bench.now), bench.now);
        restarted.step(bench.now);
        assert_eq!(running.pops(), restarted.status().pops(), "{by}");
        assert_eq!(running.pops()[0].state == AdminState::Drain, is_drained, "{by}");
        // It looks at the clock again, however far the next end is.
        assert!(bench.live.next_wake(bench.now).is_some_and(|ms| ms <= 30_000));
    }
}

/// A prediction and a comparison are what comes about when the change is made.
#[test]
fn what_is_foretold_comes_about() {
    let mut bench = Bench::new(0);
    bench.probe(&["b"]);
    bench.say("c", DRAIN, None);
    let before = bench.step();
    let foretold = bench.live.prediction(Default::default(), bench.now);
    let ledger = bench.live.ledger().clone();
    bench.live.keep(Default::default());
    assert_eq!(bench.step(), *foretold.status);
    assert_ne!(*foretold.status, before);
    bench.live.keep(ledger);
    assert_eq!(bench.step(), before);
    let other = files(0, 7);
    let compared = bench.live.comparison(other.clone(), bench.now);
    bench.live.follow(other, bench.now);
    let after = bench.step();
    assert_eq!(after, *compared.status);
    assert_eq!(after.pops()[3].weight, 7);
    assert_eq!(regular(&after), [true, false, false, true]);
}

/// The end of an override is told once: not again by a server that starts later, and by the next
/// one if no server ran when it ended.
#[test]
fn the_end_of_an_override_is_told_once() {
    let ends = |bench: &mut Bench| {
        let events = bench.events();
        events.iter().filter(|event| matches!(event, Event::OverrideExpired { .. })).count()
    };
    let restart = |bench: &Bench, remembered: Remembered| {
        let mut live = LiveState::new(bench.live.snapshot().clone(), remembered, bench.now);
        live.step(bench.now);
        Bench { live, now: bench.now }
    };
    let mut bench = Bench::new(0);
    bench.say("a", DRAIN, Some(600));
    bench.step();
    let before = bench.live.remembered(bench.now);
    bench.events();
    bench.pass(3_600);
    assert_eq!(ends(&mut restart(&bench, before.clone())), 1, "it ended while no server ran");
    bench.step();
    assert_eq!(ends(&mut bench), 1);
    let after = bench.live.remembered(bench.now);
    bench.pass(3_600);
    assert_eq!(ends(&mut restart(&bench, after)), 0, "it was told before the restart");
    let ledger_alone = Remembered { ledger: before.ledger, ..Remembered::default() };
    assert_eq!(ends(&mut restart(&bench, ledger_alone)), 0, "nobody knows how long ago it was");
}
