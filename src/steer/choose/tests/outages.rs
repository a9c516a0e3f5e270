//! Choices while nothing of a pool passes: what is left out changes nothing, and is left out.

use super::*;
use crate::health::health_state::ReturningPool;
use crate::health::targets::{PolicyId, SlotId};
use crate::steer::view::Supposed;

const POPS: u16 = 6;

/// A small generator of numbers below a bound.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: u64) -> u64 {
        self.0 = hash::mix(self.0, 1);
        self.0 % below
    }
}

/// The policy of [`scene`] with more PoPs and two fences, and nothing said of its status.
fn policy(pops: u16, tail: &str) -> (PolicyTable, Vec<Slot>, Vec<PopIdentity>) {
    let all = || (0..pops).map(PopId);
    let member = |pop| Entry { target: EntryTarget::pop(pop), band: 0, weight: OWN_WEIGHT };
    let policy = PolicyTable {
        slots: (0..u32::from(pops)).map(SlotId).collect(),
        members: all().map(member).collect(),
        tail: entries(tail).into(),
        pools: [all().collect(), [PopId(0), PopId(1)].into(), [PopId(2), PopId(3)].into()].into(),
        ..scene("", ["46", "46", "46"]).policy
    };
    // The third has one family, the last no address.
    let slot = |pop: PopId| {
        let (_, slot, _) = pop_of(pop);
        Slot { pop, ..slot }
    };
    let identity = |pop: PopId| PopIdentity { name: "".into(), seed: hash::mix(pop.0.into(), 3) };
    (policy, all().map(slot).collect(), all().map(identity).collect())
}

fn pop_of(of: PopId) -> (Pop, Slot, Families) {
    pop("p", if of.0 % 3 == 2 { "4" } else { "46" })
}

/// Says that it listens, and hears nothing.
struct Listener;

impl ChoiceTrace for Listener {
    fn passed(&mut self, _: &Entry, _: Resort, _: Passed) {}
    fn leads(&mut self, _: &Entry, _: Resort) {}
    fn family_alone(&mut self) {}
}

/// A choice, by scans alone if its trace listens; and whether it asked for the cell.
fn outcome<T: ChoiceTrace>(question: ChoiceInputs<'_>, trace: &mut T) -> ((Choice, u32), bool) {
    let asked = std::cell::Cell::new(false);
    let key = || {
        asked.set(true);
        77
    };
    let choice = if T::IS_SILENT { choose(question, &key, trace) } else { contended(question, &key, trace) };
    (choice, asked.get())
}

/// The leader without a scan, if there is one, and whether finding it asked for the cell.
fn led(question: ChoiceInputs<'_>) -> Option<((PopId, SlotId, u32), bool)> {
    let asked = std::cell::Cell::new(false);
    let key = || {
        asked.set(true);
        77
    };
    leader(question, &key).map(|leader| (leader, asked.get()))
}

/// A listener sees every scan, so its choice is the one without anything left out.
/// Choice, horizon, and the reading of the cell are the same, also for a leader without a scan.
#[test]
fn what_is_left_out_changes_nothing() {
    let mut dice = Dice(1);
    let (mut outages, mut leaders) = (0, [0; 2]);
    for round in 0..20_000 {
        let mut order: Vec<u64> = (0..u64::from(POPS)).collect();
        (0..order.len()).for_each(|at| order.swap(at, dice.roll(u64::from(POPS)) as usize));
        let bands = |order: &[u64], dice: &mut Dice| {
            order.iter().fold(String::new(), |text, pop| {
                let sign = if dice.roll(3) == 0 && !text.is_empty() { "=" } else { " " };
                text + sign + &pop.to_string()
            })
        };
        let tail = bands(&order, &mut dice);
        let (policy, slots, identities) = policy(POPS, &tail);
        let kind = dice.roll(5);
        let health = |dice: &mut Dice| {
            let is_down = kind < 3 || dice.roll(3) > 4 - kind;
            SlotHealth {
                down_v4: u64::from(is_down),
                down_v6: u64::from(is_down || dice.roll(4) == 0),
                damped_v4: u64::from(dice.roll(4) == 0),
                horizon_secs: [NO_HORIZON, 5, 9][dice.roll(3) as usize],
                went_down: if is_down { dice.roll(7) as u32 } else { 0 },
                is_awaited: dice.roll(40) == 0,
                ..SlotHealth::default()
            }
        };
        let state = |dice: &mut Dice| PopStatus {
            state: match dice.roll(12) {
                0 => AdminState::Down,
                1 => AdminState::Drain,
                _ => AdminState::Auto,
            },
            weight: dice.roll(4) as u32 * 50,
            left: if dice.roll(40) == 0 { 100 } else { 0 },
            horizon_secs: if dice.roll(8) == 0 { 0 } else { NO_HORIZON },
        };
        let pool = dice.roll(3) as u16;
        let members: Vec<u64> = policy.pools[usize::from(pool)].iter().map(|pop| pop.0.into()).collect();
        let returning = ReturningPool {
            policy: PolicyId(0),
            pool,
            share_percent: 50,
            slots: members.iter().map(|slot| (SlotId(*slot as u32), 1 + dice.roll(5) as u32)).collect(),
        };
        let health_state = HealthState {
            slots: (0..POPS).map(|_| health(&mut dice)).collect(),
            returning: if dice.roll(3) == 0 { vec![returning] } else { Vec::new() },
            ..HealthState::default()
        };
        let pops = (0..POPS).map(|_| state(&mut dice)).collect();
        let policies = [policy];
        let status = Status::new(pops, &slots, &policies, &health_state, Vec::new());
        // Some states are supposed, as a forecast does.
        let status = match [Supposed::Down, Supposed::Up, Supposed::Drain].get(dice.roll(9) as usize) {
            Some(what) => {
                let pop = PopId(dice.roll(u64::from(POPS)) as u16);
                status.supposing(&slots, &policies, &[(pop, *what)])
            }
            None => status,
        };
        let [policy] = policies;
        let scene = Scene { policy, identities, status };
        order.retain(|pop| members.contains(pop));
        order.truncate(1 + dice.roll(6) as usize);
        let text = bands(&order, &mut dice);
        let when =
            [AllDown::AsIfUp, AllDown::NoData, AllDown::ServFail, AllDown::LastGood, AllDown::Cname(0)];
        let has_tail = pool == 0 && dice.roll(2) == 0;
        let list = PreferenceList {
            pool: PoolNumber(pool),
            ..preference_list(&text, has_tail, when[dice.roll(5) as usize])
        };
        let family = [None, Some(V4), Some(V6)][dice.roll(3) as usize];
        let question = question(&scene, &list, family);
        let seen = question.view.of(&list);
        let returns = !std::ptr::eq(seen, question.view);
        outages += usize::from(scene.status.outage(&scene.policy, list.pool, returns).is_some());
        if let Some((found, asked)) = led(question) {
            let (pop, slot, horizon_secs) = found;
            let choice = Choice::Pop { pop, slot, resort: Resort::Regular };
            let expected = outcome(question, &mut Listener);
            assert_eq!(((choice, horizon_secs), asked), expected, "round {round}: {list:?}");
            let is_first = list.entries[0].target.split() == Ok(pop);
            leaders[usize::from(is_first)] += 1;
        }
        assert_eq!(
            outcome(question, &mut NoChoiceTrace),
            outcome(question, &mut Listener),
            "round {round}: {list:?} of {:?}",
            scene.status
        );
    }
    assert!(outages > 4_000, "{outages}");
    assert!(leaders.iter().all(|found| *found > 300), "{leaders:?}");
}

/// Counts, and has nothing told.
#[derive(Default)]
struct Judged(usize);

impl ChoiceTrace for Judged {
    const IS_SILENT: bool = true;
    fn passed(&mut self, _: &Entry, _: Resort, _: Passed) {
        self.0 += 1;
    }
    fn leads(&mut self, _: &Entry, _: Resort) {
        self.0 += 1;
    }
    fn family_alone(&mut self) {}
}

/// All down cost two scans of the list and of all behind it; now no more than all up.
#[test]
fn all_down_judges_no_more_than_all_up() {
    const MANY: u16 = 1_000;
    let tail: String = (0..MANY).map(|pop| format!("{pop} ")).collect();
    let (policy, slots, identities) = policy(MANY, &tail);
    let pops: Vec<PopStatus> =
        vec![
            PopStatus { state: AdminState::Auto, weight: 100, left: 0, horizon_secs: NO_HORIZON };
            usize::from(MANY)
        ];
    let mut scene = Scene { policy, identities, status: scene("", ["46", "46", "46"]).status };
    for when_all_down in [AllDown::AsIfUp, AllDown::NoData, AllDown::LastGood] {
        let list = preference_list("3 5 8", true, when_all_down);
        let mut judged = [false, true].map(|is_down| {
            let health = if is_down { SlotHealth::all_down(1) } else { SlotHealth::default() };
            let health_state =
                HealthState { slots: vec![health; usize::from(MANY)], ..HealthState::default() };
            let policies = std::slice::from_ref(&scene.policy);
            scene.status = Status::new(pops.clone(), &slots, policies, &health_state, Vec::new());
            let mut judged = Judged::default();
            contended(question(&scene, &list, Some(V4)), &|| 1, &mut judged);
            judged.0
        });
        judged[0] = judged[0].max(1);
        assert!(judged[1] <= judged[0], "{when_all_down:?}: {judged:?}");
    }
}
