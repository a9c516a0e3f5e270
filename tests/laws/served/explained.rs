//! What `explain` tells is what is served: the same octets, the same PoP, under verdicts,
//! overrides, ramps, guards and load; and what it supposes is served where it is so.

use super::asked::{Asked, subnet};
use crate::generator::{self, NAMES};
use crate::scope::seed_from_env;
use meridian::testing::answer::{Client, Disposition, Outcome, QueryContext, Transport, respond};
use meridian::testing::cli::geoip::build as geoip;
use meridian::testing::config::Sources;
use meridian::testing::explain::{ExplainQuery, Explanation, dig, explain};
use meridian::testing::finding::FileId;
use meridian::testing::geo::prefix::Prefix;
use meridian::testing::geo::source_text::HEADER;
use meridian::testing::health::health_state::{HealthState, ReturningPool, SlotHealth};
use meridian::testing::health::targets::{PolicyId, SlotId};
use meridian::testing::snapshot::Snapshot;
use meridian::testing::steer::pop::AdminState;
use meridian::testing::steer::pop_status::{PopStatus, Shed};
use meridian::testing::steer::status::Status;
use meridian::testing::steer::table::NO_SLOT;
use meridian::testing::steer::view::Supposed;
use meridian::testing::wire::name::Name;
use meridian::testing::wire::rr::RrType;
use support::dice::Dice;
use support::{ServerFile, Tree, World, load};

/// One draw for both, since it shapes the order of addresses.
const CONTEXT: QueryContext = QueryContext { draw: 0, epoch_secs: 0 };

/// What probes, operators, ramps, guards and load make of a deployment at one moment.
struct Now {
    pops: Vec<PopStatus>,
    health_state: HealthState,
    sheds: Vec<Shed>,
}

impl Now {
    fn new(world: &World, dice: &mut Dice) -> Now {
        let steering = &world.snapshot.steering;
        let rarity = 2 + dice.below(6);
        let share = |dice: &mut Dice| match dice.once_in(rarity) {
            true => *dice.pick(&[1u16, 40, 128, 200, 255, 256]),
            false => 0,
        };
        let states = [AdminState::Up, AdminState::Down, AdminState::Drain];
        let pops = world.snapshot.status.pops().iter().map(|pop| PopStatus {
            state: if dice.once_in(rarity) { *dice.pick(&states) } else { pop.state },
            weight: if dice.once_in(rarity) { dice.below(300) as u32 } else { pop.weight },
            left: share(dice),
            ..*pop
        });
        let pops = pops.collect();
        let shed = |dice: &mut Dice| Shed {
            share: share(dice),
            accept: steering.pops.iter().map(|_| share(dice)).collect(),
        };
        let sheds = steering.slots.iter().map(|_| shed(dice)).collect();
        let health = |dice: &mut Dice| {
            let mask = |dice: &mut Dice| match dice.once_in(rarity) {
                true => *dice.pick(&[1u64, 2, 3, u64::MAX]),
                false => 0,
            };
            let (down_v4, down_v6) = (mask(dice), mask(dice));
            let (damped_v4, damped_v6) = (mask(dice) & !down_v4, mask(dice) & !down_v6);
            let is_down = down_v4 == u64::MAX && down_v6 == u64::MAX;
            SlotHealth {
                down_v4,
                down_v6,
                damped_v4,
                damped_v6,
                horizon_secs: *dice.pick(&[0, 7, 45, u32::MAX]),
                went_down: if is_down { 1 + dice.below(5) as u32 } else { 0 },
                is_awaited: dice.once_in(9),
            }
        };
        let mut slots = || -> Vec<SlotHealth> { steering.slots.iter().map(|_| health(dice)).collect() };
        let held =
            PolicyId::in_order().take(steering.policies.len()).step_by(3).map(|policy| (policy, slots()));
        let held = held.collect();
        let health_state = HealthState { slots: slots(), held, ..HealthState::default() };
        let mut now = Now { pops, health_state, sheds };
        for (policy, table) in PolicyId::in_order().zip(&steering.policies) {
            let slots: Vec<SlotId> = table.slots.iter().copied().filter(|slot| *slot != NO_SLOT).collect();
            if dice.once_in(rarity) {
                let some = slots.iter().copied().filter(|_| dice.once_in(2)).collect();
                now.health_state.undamped.push((policy, some));
            }
            for (number, pool) in table.pools.iter().enumerate() {
                if !dice.once_in(rarity) {
                    continue;
                }
                let slots = pool.iter().map(|pop| table.slots[usize::from(pop.0)]);
                let slots = slots.filter(|slot| *slot != NO_SLOT);
                let slots = slots.map(|slot| (slot, 1 + dice.below(5) as u32)).collect();
                let pool = number as u16;
                let share_percent = *dice.pick(&[20, 50, 80]);
                let returning = ReturningPool { policy, pool, share_percent, slots };
                now.health_state.returning.push(returning);
            }
        }
        now
    }

    /// The ways back of the pools with a PoP, as health and operators now have it: over where
    /// an operator has decided for one that serves, where all are down, and where enough are up.
    fn recount(&mut self, world: &World, pop: usize) {
        let steering = &world.snapshot.steering;
        let steady = HealthState { returning: Vec::new(), ..self.health_state.clone() };
        let (slots, policies) = (&steering.slots, &steering.policies);
        let status = Status::new(self.pops.clone(), slots, policies, &steady, Vec::new());
        let pop_of = |slot: SlotId| slots[slot.index()].pop.index();
        self.health_state.returning.retain(|pool| {
            let seen = status.view(pool.policy);
            let is_up = |slot: SlotId| seen.slot(slot).last_resort | seen.slot(slot).awaited != 0;
            let state = |slot: SlotId| self.pops[pop_of(slot)].state;
            let all = || pool.slots.iter().map(|(slot, _)| *slot);
            let counting = || all().filter(|slot| state(*slot) == AdminState::Auto);
            let up = counting().filter(|slot| is_up(*slot)).count();
            let is_decided = all().any(|slot| match state(slot) {
                AdminState::Up => true,
                AdminState::Drain => is_up(slot),
                AdminState::Auto | AdminState::Down => false,
            });
            let is_enough = up * 100 > counting().count() * usize::from(pool.share_percent);
            all().all(|slot| pop_of(slot) != pop) || !(is_decided || is_enough || up == 0)
        });
    }

    fn snapshot(&self, world: &World) -> Snapshot {
        let (steering, pops) = (&world.snapshot.steering, self.pops.clone());
        let (slots, policies) = (&steering.slots, &steering.policies);
        let status = Status::new(pops, slots, policies, &self.health_state, self.sheds.clone());
        world.snapshot.with_status(status, world.snapshot.sequence() + 1)
    }

    /// The same moment, were all of a PoP down, or up, by probes, or drained.
    fn with(mut self, world: &World, pop: usize, what: Supposed) -> Now {
        let last = self.health_state.slots.iter().chain(self.health_state.held.iter().flat_map(|(_, h)| h));
        let last = last.map(|slot| slot.went_down).max().unwrap_or(0);
        let all = std::iter::once(&mut self.health_state.slots);
        for slots in all.chain(self.health_state.held.iter_mut().map(|(_, held)| held)) {
            for (slot, health) in world.snapshot.steering.slots.iter().zip(slots) {
                if usize::from(slot.pop.0) != pop {
                    continue;
                }
                match what {
                    Supposed::Down => {
                        (health.down_v4, health.down_v6, health.is_awaited) = (u64::MAX, u64::MAX, false);
                        health.went_down = last + 1;
                    }
                    Supposed::Up => {
                        *health = SlotHealth { horizon_secs: health.horizon_secs, ..SlotHealth::default() };
                    }
                    // A status does not know what probes say of a PoP that is forced up.
                    Supposed::Drain if self.pops[pop].state == AdminState::Up => {
                        *health = SlotHealth::default();
                    }
                    Supposed::Drain => {}
                }
            }
        }
        if what == Supposed::Drain {
            self.pops[pop].state = AdminState::Drain;
        }
        self.recount(world, pop);
        self
    }
}

/// What a server answers to the question.
fn served(snapshot: &Snapshot, query: &ExplainQuery) -> (Outcome, Option<Vec<u8>>) {
    let mut out = vec![0; 65_535];
    let client = Client { address: query.address(), transport: Transport::Udp };
    // Asked as a stranger would, not by the packet that `explain` makes.
    let name = query.name.to_string();
    let options = query.ecs.map_or_else(Vec::new, |prefix| {
        let (family, octets) = match prefix.address() {
            std::net::IpAddr::V4(a) => (1, a.octets().to_vec()),
            std::net::IpAddr::V6(a) => (2, a.octets().to_vec()),
        };
        subnet(family, prefix.len(), 0, &octets[..usize::from(prefix.len()).div_ceil(8)])
    });
    let packet = Asked::new(&name, query.rtype, Some(options)).packet();
    let outcome = respond(snapshot, &packet, &client, CONTEXT, &mut out);
    let message = match outcome.disposition {
        Disposition::Send(len) => Some(out[..len].to_vec()),
        Disposition::Silence => None,
    };
    (outcome, message)
}

/// A message as text, without the flag that the packets of both sides choose for themselves;
/// without TTLs if they do not count.
fn shown(message: Option<&[u8]>, ttls: bool) -> Option<String> {
    let text = dig::render(message?).replace(" rd\n", "\n");
    let line = |line: &str| match line.split_once("\tIN\t") {
        Some((head, data)) if !ttls && !line.starts_with(';') => {
            format!("{}\t{data}\n", head.split('\t').next().unwrap_or_default())
        }
        _ => format!("{line}\n"),
    };
    Some(text.lines().map(line).collect())
}

fn ask(world: &World, tree: &Tree, dice: &mut Dice, names: &[&str], known: &[Prefix], says: &str) -> bool {
    let now = Now::new(world, dice);
    let snapshot = now.snapshot(world);
    let ecs = (!dice.once_in(4)).then(|| {
        let address = dice.client(known);
        let width = if address.is_ipv4() { 32 } else { 128 };
        Prefix::new(address, [width, width / 4 * 3, 1 + dice.below(usize::from(width)) as u8][dice.below(3)])
    });
    let query = ExplainQuery {
        name: Name::parse(dice.pick::<&str>(names), None).expect("a name"),
        rtype: *dice.pick(&[RrType::A, RrType::A, RrType::AAAA, RrType::HTTPS]),
        client: (ecs.is_none() || dice.once_in(2)).then(|| dice.client(known)),
        ecs,
        supposed: Vec::new(),
    };
    let read = |path: &std::path::Path| tree.read(path);
    let tell = |query: &ExplainQuery| explain(&snapshot, None, query, &read).expect("PoPs of the world");
    let agree = |told: &Explanation, (outcome, message): (Outcome, Option<Vec<u8>>), what: &str, ttls| {
        let pop = outcome.pop().map(|(pop, _)| &*world.snapshot.steering.pops[usize::from(pop.0)].name);
        let chosen = told.lines.iter().rfind(|(head, _)| head == "chosen").map(|(_, words)| words.as_str());
        let tells = pop.is_none_or(|pop| chosen == Some(pop));
        let text = told.text();
        let shows = told.message.as_deref().is_none_or(|message| text.ends_with(&dig::render(message)));
        assert!(
            shown(told.message.as_deref(), ttls) == shown(message.as_deref(), ttls) && tells && shows,
            "{says}\n{what}: {query:?}\ntold\n{text}\nserved {pop:?}\n{}",
            message.as_deref().map(dig::render).unwrap_or_default()
        );
    };
    agree(&tell(&query), served(&snapshot, &query), "as it is", true);
    let pop = dice.below(world.snapshot.pops.len());
    let what = *dice.pick(&[Supposed::Down, Supposed::Up, Supposed::Drain]);
    let supposing =
        ExplainQuery { supposed: vec![(world.snapshot.pops[pop].name.to_string(), what)], ..query.clone() };
    let so = now.with(world, pop, what).snapshot(world);
    // A status does not know how near a change is at a PoP that is switched off.
    agree(&tell(&supposing), served(&so, &query), &format!("supposed {what:?}"), false);
    served(&snapshot, &query).0.pop().is_some()
}

const SAMPLE: [&str; 10] = [
    "global.edge.cdn.example.",
    "video.edge.cdn.example.",
    "api.edge.cdn.example.",
    "c42.edge.cdn.example.",
    "www.shop.example.",
    "api.shop.example.",
    "live.media.example.",
    "status.cdn.example.",
    "www.lab.cdn.example.",
    "nosuch.shop.example.",
];

/// 10,000 questions, most over random deployments, each at a moment of its own.
#[test]
fn what_is_explained_is_served() {
    let mut steered = 0;
    let tree = Tree::sample();
    let world = load(&tree).unwrap_or_else(|findings| panic!("{findings}"));
    let known = crate::scope::leaves(&world.snapshot);
    let dice = &mut Dice(11);
    for _ in 0..1_000 {
        steered += usize::from(ask(&world, &tree, dice, &SAMPLE, &known, "the sample"));
    }
    let (first, mut asked) = (seed_from_env().unwrap_or(1), 0);
    let names: Vec<&str> = NAMES.into_iter().chain(["e.gen.example.", "gen.example."]).collect();
    for seed in first.. {
        let generated = generator::generate(&mut Dice(seed));
        let Ok(world) = load(&generated.tree) else { continue };
        let says = format!("MERIDIAN_LAW_SEED={seed} cargo test --test laws what_is_explained");
        let dice = &mut Dice(seed ^ 0xe8_71a1);
        for _ in 0..300 {
            steered += usize::from(ask(&world, &generated.tree, dice, &names, &generated.known, &says));
        }
        asked += 300;
        if asked >= 9_000 || seed_from_env().is_some() {
            break;
        }
    }
    println!("{steered} of {} were answered by a PoP", asked + 1_000);
    assert!(steered > asked / 3, "only {steered} of {asked} were answered by a PoP");
}

/// A family whose PoPs are all down while the other passes: as if up, whatever the policy says for
/// all down, and the story says that it is about the family alone.
#[test]
fn a_family_that_is_down_alone_is_explained() {
    let kinds = ["as_if_up", "last_good", "nodata", "servfail", "{ cname: other.example. }"];
    let policies: String = kinds
        .iter()
        .enumerate()
        .map(|(n, kind)| format!("  p{n}: {{ pops: [four, both], order: listed, when_all_down: {kind} }}\n"))
        .collect();
    let owners: String = (0..kinds.len()).map(|n| format!("  n{n}: {{ steer: p{n} }}\n")).collect();
    let tree = Tree::of(ServerFile::default())
        .with(
            "pops.yaml",
            "pops:\n  four: { addresses: [192.0.2.1] }\n  \
             both: { addresses: [192.0.2.2, \"2001:db8::2\"] }\n",
        )
        .with("policies.yaml", format!("policies:\n{policies}"))
        .with(
            "zones/near.example.yaml",
            format!(
                "zone: near.example.\nsoa: {{ mname: ns, rname: h }}\nrecords:\n  \"@\": {{ NS: ns }}\n  \
                 ns: {{ A: 192.0.2.3 }}\n{owners}"
            ),
        );
    let world = load(&tree).unwrap_or_else(|findings| panic!("{findings}"));
    let read = |path: &std::path::Path| tree.read(path);
    for (n, kind) in kinds.iter().enumerate() {
        let query = ExplainQuery {
            name: Name::parse(&format!("n{n}.near.example."), None).expect("a name"),
            rtype: RrType::AAAA,
            client: None,
            ecs: None,
            supposed: vec![("both".to_owned(), Supposed::Down)],
        };
        let told = explain(&world.snapshot, None, &query, &read).expect("a PoP of the world").text();
        for words in
            ["so only this family is searched", "all that have this family are down: as if up", "2001:db8::2"]
        {
            assert!(told.contains(words), "{kind}: no {words:?} in\n{told}");
        }
    }
}

/// Of a block whose parts a database tells apart beyond /24, one place counts for client subnets.
/// `explain` says which places give way, `check` counts them, and a resolver is where it is.
#[test]
fn a_place_that_gives_way_is_told() {
    let places = "20.20.1.0/25,,JP,,35.7,139.7,,\n20.20.1.128/26,,AU,,-33.9,151.2,,\n";
    let database = geoip::compile(&format!("{HEADER}\n{places}"), FileId(0), Some(1));
    let tree = Tree::of(ServerFile {
        more: "policies: policies.yaml\ngeoip: { databases: [places.mmdb] }\n",
        ..ServerFile::default()
    })
    .with("places.mmdb", database.unwrap_or_else(|findings| panic!("{findings:?}")))
    .with(
        "pops.yaml",
        "pops:\n  nrt: { at: { lat: 35.7, lon: 139.7 }, addresses: [203.0.113.1] }\n  syd: { at: { lat: \
             -33.9, lon: 151.2 }, addresses: [203.0.113.2] }\n",
    )
    .with("policies.yaml", "policies:\n  near: { pops: all, default: [syd, nrt], band: none }\n")
    .with(
        "zones/near.example.yaml",
        "zone: near.example.\nsoa: { mname: ns, rname: h }\nrecords:\n  \"@\": { NS: ns }\n  ns: { A: \
             192.0.2.1 }\n  to: { steer: near }\n",
    );
    let world = load(&tree).unwrap_or_else(|findings| panic!("{findings}"));
    let summary = world.snapshot.summary().to_string();
    assert!(summary.contains("2 networks overruled; unknown clients as `default` says"), "{summary}");
    let read = |path: &std::path::Path| tree.read(path);
    let told = |address: &str, by_ecs: bool| {
        let address: std::net::IpAddr = address.parse().expect("an address");
        let query = ExplainQuery {
            name: Name::parse("to.near.example.", None).expect("a name"),
            rtype: RrType::A,
            client: (!by_ecs).then_some(address),
            ecs: by_ecs.then(|| Prefix::host(address)),
            supposed: Vec::new(),
        };
        let told = explain(&world.snapshot, None, &query, &read).expect("PoPs of the world");
        let line =
            |wanted: &str| told.lines.iter().find(|(head, _)| head == wanted).map(|(_, words)| words.clone());
        (line("chosen").unwrap_or_default(), line("overruled").is_some(), line("rule").is_some())
    };
    // The leaf is that of the address that decides, also where a special client subnet leaves the
    // decision to the resolver: the scope is the length of its block then.
    // Unknown clients go where those of AU go, so the halves of the /25 are one leaf.
    let query = ExplainQuery {
        name: Name::parse("to.near.example.", None).expect("a name"),
        rtype: RrType::A,
        client: "20.20.1.130".parse().ok(),
        ecs: Some(Prefix::new([10, 1, 2, 0].into(), 24)),
        supposed: Vec::new(),
    };
    let lines = explain(&world.snapshot, None, &query, &read).expect("PoPs of the world").lines;
    let line = |wanted: &str| lines.iter().find(|(head, _)| head == wanted).map(|(_, words)| words.as_str());
    assert_eq!(line("leaf"), Some("20.20.1.128/25 in the routes of this policy"));
    assert_eq!((line("scope"), line("chosen")), (Some("8"), Some("syd")));
    let rows = [
        ("20.20.1.1", true, "nrt", false),
        ("20.20.1.130", true, "nrt", true),
        ("20.20.1.200", true, "nrt", true),
        ("20.20.1.130", false, "syd", false),
        ("20.20.1.200", false, "syd", false),
        ("20.99.1.1", true, "syd", false),
    ];
    for (address, by_ecs, chosen, is_overruled) in rows {
        let expected = (chosen.to_owned(), is_overruled, !is_overruled);
        assert_eq!(told(address, by_ecs), expected, "{address}, by ECS: {by_ecs}");
    }
}
