//! The stages of an answer, each by itself: what it may cost, and what it costs.
//!
//! In service they are one function, in which a stage costs less than alone; the sum is more than
//! an answer, and a stage that has grown is found here.

use crate::DIFFERENT;
use meridian::testing::answer::{Client, Decided, Disposition, Outcome, QueryContext, Transport, respond};
use meridian::testing::health::targets::PolicyId;
use meridian::testing::shared::counters::CounterBlock;
use meridian::testing::shared::published::ServedSnapshot;
use meridian::testing::snapshot::Snapshot;
use meridian::testing::steer::choose::sole;
use meridian::testing::steer::table::V4;
use meridian::testing::wire::edns::ResponseOptions;
use meridian::testing::wire::query::{Query, parse};
use meridian::testing::wire::reject::Parsed;
use meridian::testing::wire::response::{Made, Origin, OwnerName, Response, Section};
use meridian::testing::wire::rr::{Rcode, RrType};
use std::hint::black_box;
use std::net::IpAddr;
use std::time::Instant;
use support::world::Question;
use support::world::ordinary::{Kind, Ordinary};

/// A stage of the answer to a question with a client subnet.
pub struct Stage<'a> {
    /// Its name.
    pub word: &'static str,
    /// Instructions that it may cost alone.
    pub budget: u64,
    /// Does it for one of the questions.
    pub run: Box<dyn FnMut(usize) + 'a>,
}

/// An empty stage, which has the cost of the loop alone, then every stage.
pub fn stages<'a>(world: &Ordinary, service: &'a ServedSnapshot, block: &'a CounterBlock) -> Vec<Stage<'a>> {
    let questions = world.questions(Kind::OneV4, DIFFERENT);
    let names: Vec<Query> = world.questions(Kind::Static, DIFFERENT).iter().map(read).collect();
    let asked: Vec<Query> = questions.iter().map(read).collect();
    let snapshot = &*service.snapshot;
    let policy = &snapshot.steering.policies[policy_of(snapshot, &questions[0]).index()];
    let routes = &policy.routes[0].v4;
    let view = snapshot.status.view(policy_of(snapshot, &questions[0]));
    let bits: Vec<u32> = asked.iter().map(bits_of).collect();
    let plans: Vec<usize> =
        bits.iter().map(|bits| policy.choices[routes.lookup(*bits).0 as usize][0] as usize).collect();
    let plan_of_first = &policy.preference_lists[plans[0]];
    let (_, pop, slot, horizon_secs) =
        sole(policy, plan_of_first, view, V4).expect("a plan with one PoP first");
    let (address, ttl) =
        (snapshot.steering.slots[slot.index()].v4[0].address.octets(), plan_of_first.ttl.at(horizon_secs));
    let answered = Outcome {
        disposition: Disposition::Send(60),
        rcode: Rcode::NOERROR,
        qtype: RrType::A,
        ..Outcome::default()
    };
    let (mut query, mut room, mut tail) = (Query::default(), [0; 1232], [0; 1232]);
    let packets: Vec<Vec<u8>> = questions.into_iter().map(|question| question.packet).collect();
    let echoed = (packets[0].clone(), read_packet(&packets[0]));
    vec![
        Stage { word: "loop", budget: 0, run: Box::new(|index| _ = black_box(index)) },
        Stage {
            word: "parse",
            budget: 260,
            run: Box::new(move |index| _ = black_box(parse(black_box(&packets[index]), &mut query))),
        },
        Stage {
            word: "look-up",
            budget: 230,
            run: Box::new(move |index| _ = black_box(snapshot.zones.lookup(black_box(&names[index].name)))),
        },
        Stage {
            word: "route",
            budget: 60,
            run: Box::new(move |index| _ = black_box(routes.lookup(black_box(bits[index])))),
        },
        Stage {
            word: "choose",
            budget: 60,
            run: Box::new(move |index| {
                _ = black_box(sole(policy, &policy.preference_lists[black_box(plans[index])], view, V4))
            }),
        },
        Stage {
            word: "splice",
            budget: 70,
            run: Box::new(move |_| {
                let (packet, query) = &echoed;
                let mut response =
                    Response::begin(&mut room, 1232, 23, query.copied_head(), query.question(packet));
                let owner = OwnerName { at: 12, wire: query.name.wire() };
                let rdata = std::iter::once(black_box(address));
                let address = Made { rtype: RrType::A, ttl, len: address.len(), rdata };
                black_box(response.rrset(Section::Answer, Origin::Synthesised, owner, address));
            }),
        },
        Stage {
            word: "OPT",
            budget: 80,
            run: Box::new(move |index| {
                let Some(edns) = &asked[index].edns else { return };
                let options = ResponseOptions {
                    asked: edns,
                    scope: 24,
                    node: &[],
                    cookie: None,
                    error: None,
                    keepalive: None,
                    padding: None,
                    zone_version: None,
                    rcode_high: 0,
                    payload: 1232,
                };
                black_box(options.write(black_box(&mut tail)));
            }),
        },
        Stage {
            word: "count",
            budget: 100,
            run: Box::new(move |_| {
                let decided = Outcome {
                    decided: Some(Decided {
                        policy: PolicyId(0),
                        reason: meridian::testing::answer::Reason::Regular,
                        evidence: meridian::testing::snapshot::locate::Evidence::Ecs,
                        pop: Some((pop, meridian::testing::steer::choose::Resort::Regular)),
                    }),
                    ..answered
                };
                block.answered(service, black_box(&decided));
            }),
        },
        refused(snapshot, "AXFR", &[0, 0, 252], &[]),
        refused(snapshot, "NOTIFY", &[0x20, 0, 6], &[]),
        refused(snapshot, "STATUS", &[0x10, 0, 1], &[]),
        refused(snapshot, "TSIG", &[0, 0, 1], TSIG),
        refused(snapshot, "malformed", &[0, 0, 1], &[0]),
    ]
}

/// A TSIG record: key `key`, HMAC-SHA-256 and a MAC of 32 octets.
const TSIG: &[u8] = b"\x03key\0\0\xfa\0\xff\0\0\0\0\0\x3d\x0bhmac-sha256\0\0\0\x65\0\0\0\x01\x2c\0\x20\
    0123456789abcdef0123456789abcdef\x12\x34\0\0\0\0";

/// The whole reply to a message that is refused: the flags with its opcode, its type, and what
/// stands behind its question. 20 us are some 60,000 instructions; a budget of 3,000 makes a forged
/// message no dearer than a query.
fn refused<'a>(
    snapshot: &'a Snapshot,
    word: &'static str,
    [opcode, high, low]: &[u8; 3],
    behind: &[u8],
) -> Stage<'a> {
    let additional = u8::from(behind.len() > 1);
    let head = [0x12, 0x34, *opcode, 0, 0, 1, 0, 0, 0, 0, 0, additional];
    let packet = [&head, &b"\x03www\x07example\0"[..], &[*high, *low, 0, 1], behind].concat();
    let client = Client { address: [192, 0, 2, 1].into(), transport: Transport::Udp };
    let mut out = [0; 1232];
    let run = move |_: usize| {
        let context = QueryContext { draw: 1, epoch_secs: 1 };
        let outcome = respond(snapshot, black_box(&packet), &client, context, &mut out);
        assert!(matches!(black_box(outcome).disposition, Disposition::Send(_)));
    };
    Stage { word, budget: 3_000, run: Box::new(run) }
}

/// The policy that decides a question.
fn policy_of(snapshot: &Snapshot, question: &Question) -> PolicyId {
    let client = Client { address: question.client, transport: Transport::Udp };
    let context = QueryContext { draw: 1, epoch_secs: 1 };
    respond(snapshot, &question.packet, &client, context, &mut [0; 1232])
        .decided
        .expect("a steered name")
        .policy
}

/// Nanoseconds of one run, the loop included.
pub fn nanoseconds(stage: &mut Stage<'_>) -> f64 {
    const ROUNDS: usize = 1_000_000;
    let begun = Instant::now();
    for round in 0..ROUNDS {
        (stage.run)(round % DIFFERENT);
    }
    begun.elapsed().as_nanos() as f64 / ROUNDS as f64
}

fn read(question: &Question) -> Query {
    read_packet(&question.packet)
}

fn read_packet(packet: &[u8]) -> Query {
    let mut query = Query::default();
    assert!(matches!(parse(packet, &mut query), Parsed::Query), "a question made here");
    query
}

fn bits_of(query: &Query) -> u32 {
    match query.edns.and_then(|edns| edns.subnet).map(|subnet| subnet.address) {
        Some(IpAddr::V4(address)) => address.to_bits(),
        other => panic!("{other:?} is no IPv4 client subnet"),
    }
}
