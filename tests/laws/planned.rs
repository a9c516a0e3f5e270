//! A planned change finds no old answer in a cache: an answer that outlives a change of the ledger
//! has the least TTL, whatever begins, goes on or ends, and the writer wakes in time for it.

use meridian::testing::geo::prefix::Prefix;
use meridian::testing::health::Moment;
use meridian::testing::health::health_state::{HealthState, SlotHealth};
use meridian::testing::live::{LiveState, Now, Remembered};
use meridian::testing::shared::command::{OverrideChange, OverrideOutcome};
use meridian::testing::snapshot::Snapshot;
use meridian::testing::steer::ledger::{Action, Selector};
use meridian::testing::steer::pop::AdminState;
use meridian::testing::steer::status::Status;
use meridian::testing::wire::rr::RrType;
use std::net::Ipv4Addr;
use support::dice::Dice;
use support::reply::Reply;
use support::{ServerFile, Tree, World, ask, load, query};

const EPOCH: u64 = 1_800_000_000;
const SECONDS: u64 = 500;
/// Names, and the least TTL of each.
const NAMES: [(&str, u32); 5] = [("list", 2), ("equals", 3), ("nodata", 2), ("last", 2), ("owner", 4)];

fn world() -> World {
    let tree = Tree::of(ServerFile::default())
        .with(
            "pops.yaml",
            "probes: { web: { tcp: { port: 80 } } }\npops:\n  \
             a: { probe: web, addresses: [203.0.113.1, \"2001:db8::1\"] }\n  \
             b: { probe: web, addresses: [203.0.113.2, \"2001:db8::2\"] }\n  \
             c: { probe: web, addresses: [203.0.113.3] }\n",
        )
        .with(
            "policies.yaml",
            "policies:\n  list: { pops: [a, b, c], order: listed, ttl: { min: 2, max: 30 } }\n  \
             equals: { pops: [[a, b], c], order: listed, ttl: { min: 3, max: 40 } }\n  \
             nodata: { pops: [a, b], order: listed, ttl: { min: 2, max: 30 }, when_all_down: nodata }\n  \
             last: { pops: [c, b, a], order: listed, ttl: { min: 2, max: 30 }, when_all_down: last_good }\n",
        )
        .with(
            "zones/x.example.yaml",
            "zone: x.example.\nttl: 300\nsoa: { mname: ns, rname: h, negative_ttl: 60 }\nrecords:\n  \
             \"@\": { NS: ns }\n  ns: { A: 192.0.2.1 }\n  list: { steer: list }\n  \
             equals: { steer: equals }\n  nodata: { steer: nodata }\n  last: { steer: last }\n  \
             owner: { steer: list, ttl: { min: 4, max: 90 } }\n",
        );
    load(&tree).unwrap_or_else(|findings| panic!("{findings}"))
}

/// Records as a set, and the TTL; none of SERVFAIL, which is not cached by a TTL.
fn answer(snapshot: &Snapshot, name: &str, rtype: RrType, client: Prefix) -> (Vec<String>, Option<u32>) {
    let packet = query(&format!("{name}.x.example."), rtype, Some(client));
    let (_, octets) = ask(snapshot, &packet, "192.0.2.77".parse().unwrap(), 0);
    let reply = Reply::of(&octets);
    let mut records: Vec<String> = reply.answers().iter().map(|record| record.rdata.clone()).collect();
    records.sort();
    (records, reply.ttl_secs())
}

fn change(dice: &mut Dice) -> OverrideChange {
    let action = match dice.below(6) {
        0 => Action::Weight(Some(dice.below(3) as u32 * 60)),
        1 => Action::Weight(None),
        _ => Action::State(*dice.pick(&[
            AdminState::Down,
            AdminState::Down,
            AdminState::Drain,
            AdminState::Up,
            AdminState::Auto,
        ])),
    };
    OverrideChange {
        selectors: vec![Selector::parse(dice.pick::<&str>(&["a", "b", "c", "*"])).unwrap()],
        action,
        author: "ann".into(),
        reason: "a test".into(),
        lasts_secs: (!dice.once_in(3)).then(|| 1 + dice.below(300) as u64),
        start_epoch_secs: dice.once_in(2).then(|| EPOCH + 1 + dice.below(300) as u64),
        over_secs: *dice.pick(&[0, 0, 40, 400, 9_000]),
        force: true,
        dry_run: false,
        unsaved: false,
    }
}

/// Random ledgers over random verdicts, second by second as the writer publishes them.
#[test]
fn an_answer_that_outlives_a_planned_change_has_the_least_ttl() {
    let world = world();
    let base = &world.snapshot;
    let (mut changed, mut shortened) = (0, 0);
    for seed in 0..60 {
        let dice = &mut Dice(seed);
        let health_state = HealthState {
            slots: (0..3u32)
                .map(|slot| match dice.once_in(4) {
                    true => {
                        SlotHealth { down_v4: 1, down_v6: 1, went_down: slot + 1, ..SlotHealth::default() }
                    }
                    false => SlotHealth::default(),
                })
                .collect(),
            ..HealthState::default()
        };
        let at = |epoch_secs: u64| Now { moment: Moment((epoch_secs - EPOCH) * 1_000), epoch_secs };
        let mut live = LiveState::new(base.clone(), Remembered::default(), at(EPOCH));
        for _ in 0..1 + dice.below(5) {
            let draft = live.draft(&change(dice), false, at(EPOCH));
            if draft.ended == OverrideOutcome::Done {
                live.keep(draft.ledger);
            }
        }
        let of = |live: &LiveState| {
            let (slots, policies) = (&base.steering.slots, &base.steering.policies);
            Status::new(live.status().pops().to_vec(), slots, policies, &health_state, Vec::new())
        };
        let client = Prefix::new(Ipv4Addr::from_bits(dice.roll() as u32 | 0x0800_0000).into(), 24);
        let asked: Vec<(&str, u32, RrType)> = NAMES
            .iter()
            .flat_map(|(name, least)| [RrType::A, RrType::AAAA].map(|t| (*name, *least, t)))
            .collect();
        // For each question, the answers of the past that caches may still hold, by their end.
        let mut cached: Vec<Vec<(u64, u32, u64)>> = vec![Vec::new(); asked.len()];
        let mut before: Vec<Option<Vec<String>>> = vec![None; asked.len()];
        let mut published = None;
        for now in EPOCH..EPOCH + SECONDS {
            if live.step(at(now)).overrides_changed || published.is_none() {
                published = Some(base.with_status(of(&live), now));
            }
            let snapshot = published.as_ref().unwrap();
            assert!(*snapshot.status == of(&live), "seed {seed}: nobody wakes at {}", now - EPOCH);
            for (index, (name, least, rtype)) in asked.iter().enumerate() {
                let (records, ttl) = answer(snapshot, name, *rtype, client);
                if before[index].as_ref().is_some_and(|before| *before != records) {
                    changed += 1;
                    for (end, ttl, given) in &cached[index] {
                        assert!(
                            *end <= now || *ttl <= *least,
                            "seed {seed}: {name} {rtype} changes at {}, and an answer of {} had TTL {ttl}",
                            now - EPOCH,
                            given - EPOCH
                        );
                    }
                }
                cached[index].retain(|(end, ..)| *end > now);
                if let Some(ttl) = ttl {
                    shortened += usize::from(ttl <= *least);
                    cached[index].push((now + u64::from(ttl), ttl, now));
                }
                before[index] = Some(records);
            }
        }
    }
    assert!(changed > 300 && shortened > 1_000, "{changed} {shortened}");
}
