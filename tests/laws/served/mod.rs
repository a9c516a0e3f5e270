//! Law 7: a traced answer is the served answer. Service gives usual answers by the fast path and
//! keeps one scratch for all messages; a trace that listens hears the general way alone. Whatever
//! is asked, wherever from and however PoPs are, both give the same octets and the same outcome,
//! and each end of the fast path is reached many times.

mod asked;
mod explained;
mod heard;

use crate::generator::{self, NAMES};
use crate::scope::{leaves, seed_from_env, troubled};
use asked::{Asked, asked, subnet};
use heard::{ENDS, Heard};
use meridian::testing::answer::stages::{Plans, Stages};
use meridian::testing::answer::{Client, Disposition, Outcome, QueryContext, Transport, respond_traced};
use meridian::testing::geo::prefix::Prefix;
use meridian::testing::limits::PREFETCH_MAX;
use meridian::testing::snapshot::Snapshot;
use meridian::testing::snapshot::steering::{self, CacheFootprint, SteeringInputs};
use meridian::testing::wire::rr::{Rcode, RrType};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use support::dice::Dice;
use support::{EPOCH_SECS, Tree, World, load, with_down};

/// What serves, as a worker does: with what earlier messages left in the stages and in the buffer.
struct Roads {
    stages: Stages,
    /// A batch: the messages before, each with its resolver, and where the last was put.
    batch: Vec<(Vec<u8>, IpAddr)>,
    place: usize,
    /// Queries whose clients were located ahead.
    ways: usize,
    out: Vec<u8>,
    reached: BTreeMap<&'static str, usize>,
}

impl Roads {
    fn new() -> Roads {
        Roads {
            stages: Stages::default(),
            batch: vec![(Vec::new(), IpAddr::V4(Ipv4Addr::UNSPECIFIED)); PREFETCH_MAX],
            place: 0,
            ways: 0,
            out: vec![0xa5; 65_535],
            reached: BTreeMap::new(),
        }
    }

    /// Asks by both ways with room for `size` octets.
    fn compare(
        &mut self,
        snapshot: &Snapshot,
        packet: &[u8],
        client: &Client,
        moment: QueryContext,
        size: usize,
        says: &str,
    ) -> Outcome {
        let (mut heard, mut fresh) = (Heard::new(packet), vec![0x5a; size]);
        let traced = respond_traced(snapshot, packet, client, moment, &mut fresh, &mut heard);
        // By itself, and in a batch.
        let room = &mut self.out[..size];
        let served = if moment.draw.is_multiple_of(2) {
            self.stages.respond((&Plans::default(), 0), snapshot, packet, client, moment, room);
            self.stages.outcome
        } else {
            self.place = (self.place + 1) % PREFETCH_MAX;
            self.batch[self.place] = (packet.to_vec(), client.address);
            let batch = &self.batch;
            let plans =
                self.stages.read(snapshot, PREFETCH_MAX, |index| &*batch[index].0, |index| batch[index].1);
            self.ways += plans.located();
            self.stages.respond((&plans, self.place), snapshot, packet, client, moment, room);
            self.stages.outcome
        };
        let is_same = match (served.disposition, traced.disposition) {
            (Disposition::Send(served), Disposition::Send(traced)) => self.out[..served] == fresh[..traced],
            _ => true,
        };
        assert!(
            served == traced && is_same,
            "{says}\nserved {served:?}\ntraced {traced:?}\noctets alike: {is_same}\nfrom {} over {:?} at \
             {moment:?}, room for {size}: {}",
            client.address,
            client.transport,
            packet.escape_ascii()
        );
        for end in heard.ends(&traced) {
            *self.reached.entry(end).or_default() += 1;
        }
        served
    }

    /// Asks so many questions of a snapshot.
    fn ask(
        &mut self,
        dice: &mut Dice,
        snapshot: &Snapshot,
        (names, known): (&[&str], &[Prefix]),
        count: usize,
        says: &str,
    ) {
        for _ in 0..count {
            let transport = match dice.below(12) {
                0 => Transport::Tcp,
                1 => Transport::Dot,
                2 => Transport::Doh,
                3 => Transport::Doq,
                _ => Transport::Udp,
            };
            let client = Client { address: dice.client(known), transport };
            // Cookies are good for an hour, and recreated after half of it.
            let epoch_secs = EPOCH_SECS + *dice.pick(&[0, 0, 2_000, 4_000]);
            let packet = asked(dice, names, known, (snapshot, client.address));
            let size = *dice.pick(&[512, 1232, 1232, 65_535]);
            self.compare(
                snapshot,
                &packet,
                &client,
                QueryContext { draw: dice.roll(), epoch_secs },
                size,
                says,
            );
        }
    }
}

/// The world as it is on good days and bad ones, and with one table of routes for all policies.
fn states(world: &World, dice: &mut Dice) -> Vec<Arc<Snapshot>> {
    let down: Vec<&str> =
        world.snapshot.steering.pops.iter().filter(|_| dice.once_in(3)).map(|pop| &*pop.name).collect();
    let inputs = SteeringInputs {
        pops: &world.deployment.pops,
        policies: &world.deployment.policies,
        atlas: &world.geography.atlas,
        site: world.deployment.node.site.as_ref(),
    };
    let (mut shared, _) = steering::compile_within(&|count, work| (0..count).rev().for_each(work), inputs, 0);
    let mut sharing = (*world.snapshot).clone();
    // As if the tables were large, so that a batch is read ahead.
    shared.cache_footprint = CacheFootprint::Far;
    sharing.steering = Arc::new(shared);
    let mut broad = (*world.snapshot).clone();
    Arc::make_mut(&mut broad.steering).cache_footprint = CacheFootprint::Far;
    let states =
        [world.snapshot.clone(), with_down(world, &down), troubled(world, dice, 6), troubled(world, dice, 2)];
    states.into_iter().chain([sharing, broad].map(Arc::new)).collect()
}

/// Owners that lead to every kind of end, for a zone that has `status`, `*.edge` and a cut at
/// `lab`.
fn owners() -> String {
    let sixty: Vec<String> = (0..60).map(|host| format!("203.0.113.{host}")).collect();
    let mut text = format!("  many: {{ A: [{}] }}\n  tomany: {{ CNAME: many }}\n", sixty.join(", "));
    text.push_str(
        "  gone: { CNAME: none }\n  tostatic: { CNAME: status }\n  toempty: { CNAME: edge }\n  \
        tocut: { CNAME: x.lab }\n",
    );
    text.push_str(
        "  outside: { CNAME: www.elsewhere.test. }\n  dn: { DNAME: edge }\n  todn: { CNAME: q.dn }\n  \
         towild: { CNAME: q.edge }\n",
    );
    text.push_str(
        "  toone: { CNAME: one.edge }\n  two: { CNAME: toone }\n  \"*.w\": { A: 192.0.2.5, TXT: '\"w\"' }\n  \
         deep.nest: { A: 192.0.2.3 }\n",
    );
    // One more than is followed.
    for link in 1..10 {
        let _ = writeln!(text, "  l{link}: {{ CNAME: l{} }}", link + 1);
    }
    text + "  l10: { A: 192.0.2.9 }\n  one.edge: { steer: one }\n  same.edge: { steer: same }\n  four.edge: \
        { steer: four }\n"
}

const OWNERS: [&str; 26] = [
    "same.edge",
    "same.edge",
    "four.edge",
    "four.edge",
    "many",
    "tomany",
    "gone",
    "tostatic",
    "toempty",
    "tocut",
    "outside",
    "dn",
    "q.dn",
    "todn",
    "towild",
    "toone",
    "two",
    "q.w",
    "a.b.w",
    "nest",
    "deep.nest",
    "l1",
    "l2",
    "l3",
    "one.edge",
    "none",
];

const SAMPLE: [&str; 24] = [
    "status.cdn.example.",
    "mail.cdn.example.",
    "cdn.example.",
    "shop.example.",
    "media.example.",
    "video.edge.cdn.example.",
    "video.edge.cdn.example.",
    "live.media.example.",
    "live.media.example.",
    "api.edge.cdn.example.",
    "global.edge.cdn.example.",
    "c7.edge.cdn.example.",
    "edge.cdn.example.",
    "media.cdn.example.",
    "www.media.example.",
    "api.shop.example.",
    "images.shop.example.",
    "www.shop.example.",
    "cdn.media.example.",
    "www.lab.cdn.example.",
    "lab.cdn.example.",
    "_inventory.shop.example.",
    "www.elsewhere.test.",
    ".",
];

/// One place but for some clients; one for all; and one that lacks a family which the places of its
/// rule have.
const POLICIES: &str = "
policies:
  one: { pops: [fra], rules: [{ when: { continent: EU }, pops: [ams] }] }
  same: { pops: [lhr], order: listed }
  four: { pops: [four], rules: [{ when: { continent: EU }, pops: [lhr, fra] }] }
";

/// The sample, with owners of every kind laid over one of its zones, in each chain mode.
#[test]
fn a_traced_answer_is_the_served_answer() {
    let mut roads = Roads::new();
    let laid: Vec<String> = OWNERS.iter().map(|owner| format!("{owner}.cdn.example.")).collect();
    let names: Vec<&str> = SAMPLE.into_iter().chain(laid.iter().map(String::as_str)).collect();
    for (mode, count) in [("full", 20_000), ("first", 3_000), ("same_scope", 3_000)] {
        let tree = Tree::sample()
            .replacing("zones/cdn.example.yaml", "chain: full ", &format!("chain: {mode} "))
            .replacing("zones/cdn.example.yaml", "records:\n", &format!("records:\n{}", owners()))
            .replacing("policies.yaml", "\npolicies:\n", POLICIES)
            .replacing(
                "pops.yaml",
                "\npops:\n",
                "\npops:\n  four: { at: { lat: -80, lon: 0 }, addresses: [192.0.2.99] }\n",
            );
        let world = load(&tree).unwrap_or_else(|findings| panic!("{findings}"));
        let known = leaves(&world.snapshot);
        let dice = &mut Dice(5);
        for snapshot in states(&world, dice) {
            roads.ask(dice, &snapshot, (&names, &known), count, mode);
        }
    }
    println!("{:?}", roads.reached);
    for end in ENDS {
        let reached = roads.reached.get(end).copied().unwrap_or(0);
        assert!(reached >= 200, "{end}: only {reached} times");
    }
    assert!(roads.ways >= 200, "only {} were read ahead", roads.ways);
}

/// Random deployments, where some PoPs have one family or one address and some policies one PoP.
#[test]
fn random_deployments_are_served_as_they_are_traced() {
    let wanted = support::number("MERIDIAN_LAW_DEPLOYMENTS").unwrap_or(200);
    let (first, count) = (seed_from_env().unwrap_or(1), if seed_from_env().is_some() { 1 } else { wanted });
    let laid: Vec<String> = OWNERS.iter().map(|owner| format!("{owner}.x.test.")).collect();
    let names: Vec<&str> = NAMES
        .into_iter()
        .chain(["e.gen.example.", "gen.example."])
        .chain(laid.iter().map(String::as_str))
        .collect();
    let (mut roads, mut served) = (Roads::new(), 0);
    for seed in first..first + count {
        let dice = &mut Dice(seed ^ 0x5e77ed);
        let generated = generator::generate(&mut Dice(seed));
        let Ok(world) = load(&narrowed(dice, generated.tree)) else { continue };
        served += 1;
        let says = format!("MERIDIAN_LAW_SEED={seed} cargo test --test laws random_deployments_are");
        for snapshot in states(&world, dice) {
            roads.ask(dice, &snapshot, (&names, &generated.known), 600, &says);
        }
    }
    println!("{served} deployments: {:?}", roads.reached);
    assert!(count == 1 || served > count / 3, "only {served} of {count} deployments were loaded");
}

/// The deployment with another zone, PoPs cut to fewer addresses, and policies that have one PoP
/// where a rule may have others.
fn narrowed(dice: &mut Dice, tree: Tree) -> Tree {
    let mut pops = String::new();
    for (number, line) in tree.text("pops.yaml").lines().enumerate() {
        let (four, six) = (format!("203.0.113.{number}"), format!("\"2001:db8:ffff::{number:x}\""));
        match if line.starts_with("    addresses:") { dice.below(5) } else { 0 } {
            1 => pops.push_str(&format!("    addresses: [{four}]")),
            2 => pops.push_str(&format!("    addresses: [{six}]")),
            3 => pops.push_str(&format!("    addresses: [{four}, {six}]")),
            _ => pops.push_str(line),
        }
        pops.push('\n');
    }
    let mut policies = String::new();
    for line in tree.text("policies.yaml").lines() {
        let is_one = line == "    pops: all" && dice.once_in(2);
        policies.push_str(if is_one {
            dice.pick::<&str>(&["    pops: [p0]", "    pops: [p1]"])
        } else {
            line
        });
        policies.push('\n');
    }
    let (mode, policy) =
        (*dice.pick(&["full", "full", "first", "same_scope"]), *dice.pick(&["p", "q", "r", "s"]));
    let zone = format!(
        "zone: x.test.\nchain: {mode}\nsoa: {{ mname: ns, rname: h }}\nrecords:\n  \"@\": {{ NS: ns, steer: \
         s }}\n  ns: {{ A: 192.0.2.1 }}\n  \
         status: {{ A: 192.0.2.2 }}\n  lab: {{ NS: ns.lab }}\n  ns.lab: {{ A: 192.0.2.4 }}\n  \"*.edge\": {{ \
         steer: {policy} }}\n{}",
        owners()
            .replace("steer: one", &format!("steer: {policy}"))
            .replace("steer: same", "steer: s")
            .replace("steer: four", "steer: p")
    );
    tree.with("pops.yaml", pops).with("policies.yaml", policies).with("zones/x.test.yaml", zone)
}

/// Nothing of a message is left for the next one, whichever two follow each other.
#[test]
fn what_came_before_leaves_nothing() {
    let world = support::sample();
    let address = "198.51.100.7".parse().unwrap();
    let cookie = meridian::testing::wire::cookie::CookieOption::parse(&[9; 8]).unwrap();
    let (_, whole) = world.snapshot.cookies.answer(&cookie, address, EPOCH_SECS).unwrap();
    let whole = [&[0, 10, 0, 24], &whole[..]].concat();
    let ecs = subnet(1, 24, 0, &[198, 51, 100]);
    let dirty = subnet(1, 24, 7, &[198, 51, 100]);
    let longest = format!("{}cdn.example.", "a.".repeat(121));
    assert_eq!(longest.len() + 1, 255);
    let ask = |name: &str, options: Option<&[u8]>| {
        Asked::new(name, RrType::A, options.map(<[u8]>::to_vec)).packet()
    };
    let mut notify = ask("cdn.example.", None);
    notify[2] = 0x20;
    let mut response = ask("video.edge.cdn.example.", Some(&ecs));
    response[2] |= 0x80;
    let mut short = ask("video.edge.cdn.example.", None);
    short.truncate(20);
    const NOTAUTH: Rcode = Rcode(9);
    let reply = |rcode, scope| (Some(rcode), scope);
    let rows = [
        (
            "ECS and a good cookie",
            ask("video.edge.cdn.example.", Some(&[&ecs[..], &whole].concat())),
            reply(Rcode::NOERROR, true),
        ),
        ("no EDNS", ask("video.edge.cdn.example.", None), reply(Rcode::NOERROR, false)),
        ("NSID", ask("status.cdn.example.", Some(&[0, 3, 0, 0])), reply(Rcode::NOERROR, false)),
        ("no options", ask("video.edge.cdn.example.", Some(&[])), reply(Rcode::NOERROR, false)),
        ("ECS with a scope", ask("video.edge.cdn.example.", Some(&dirty)), reply(Rcode::FORMERR, false)),
        ("NOTIFY", notify, reply(NOTAUTH, false)),
        ("a response", response, (None, false)),
        ("the longest name", ask(&longest, None), reply(Rcode::NXDOMAIN, false)),
        ("the root", ask(".", None), reply(Rcode::REFUSED, false)),
        ("a name cut short", short, reply(Rcode::FORMERR, false)),
        ("an alias", ask("www.media.example.", Some(&whole)), reply(Rcode::NOERROR, false)),
        ("ECS", ask("video.edge.cdn.example.", Some(&ecs)), reply(Rcode::NOERROR, true)),
    ];
    let mut roads = Roads::new();
    for transport in [Transport::Udp, Transport::Tcp, Transport::Dot, Transport::Doh, Transport::Doq] {
        let client = Client { address, transport };
        for (before, first, _) in &rows {
            for (what, second, expected) in &rows {
                let says = format!("{what} after {before}");
                let moment = QueryContext { draw: 9, epoch_secs: EPOCH_SECS };
                roads.compare(&world.snapshot, first, &client, moment, 1232, &says);
                let outcome = roads.compare(&world.snapshot, second, &client, moment, 1232, &says);
                let rcode = matches!(outcome.disposition, Disposition::Send(_)).then_some(outcome.rcode);
                assert_eq!((rcode, outcome.scope > 0), *expected, "{says}");
            }
        }
    }
}
