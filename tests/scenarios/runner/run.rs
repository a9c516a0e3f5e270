//! Running a scenario: steps are done in order, every expectation is compared, every failure kept.

use super::lab::{self, ReadResult};
use super::query::{Ask, subnet};
use super::script::{Expect, Many, Script, Spread, Step};
use super::{Failure, query};
use meridian::testing::answer::{Disposition, Outcome, Transport};
use meridian::testing::snapshot::Snapshot;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;
use support::reply::{self, Record, Reply, plain};
use support::{Tree, World, ask_over, with_trouble};

/// Clients with the PoP that each was given.
type Given = BTreeMap<String, String>;

/// How many clients inside a scope ask the same.
const SCOPE_CLIENTS: u64 = 64;

/// Runs a scenario; no failures mean that it holds.
pub fn run(script: &Script) -> Vec<Failure> {
    let mut failures = Vec::new();
    let (mut tree, mut loaded): (Tree, Option<ReadResult>) = (lab::tree(), None);
    let mut before: Given = Given::new();
    for (line, step) in &script.steps {
        let mut fail = |line: usize, words: String| failures.push(Failure { line, words });
        match step {
            Step::File { path, text } => (tree, loaded) = (tree.with(path, text.as_str()), None),
            Step::Add { path, text } => {
                let whole = tree.text(path) + text;
                (tree, loaded) = (tree.with(path, whole), None);
            }
            Step::Edit { path, old, new } => {
                if !tree.text(path).contains(old.as_str()) {
                    fail(*line, format!("{path} has no `{old}`"));
                    return failures;
                }
                (tree, loaded) = (tree.replacing(path, old, new), None);
            }
            Step::Reset => (tree, loaded) = (lab::tree(), None),
            Step::Refused { code, place } | Step::Told { code, place } => {
                let must_load = matches!(step, Step::Told { .. });
                let now = loaded.get_or_insert_with(|| lab::load(&tree));
                let hit = now.told.iter().any(|(c, p, error)| {
                    c == code && *error != must_load && place.as_ref().is_none_or(|place| p == place)
                });
                if !hit || now.world.is_some() != must_load {
                    let wanted = if must_load { "a load that tells" } else { "a load refused with" };
                    fail(
                        *line,
                        format!(
                            "expected {wanted} {code} {}\ngot {:?}\n{}",
                            place.clone().unwrap_or_default(),
                            now.told,
                            now.text
                        ),
                    );
                }
            }
            Step::Untold { code } => {
                let now = loaded.get_or_insert_with(|| lab::load(&tree));
                if now.world.is_none() || now.told.iter().any(|(c, ..)| c == code) {
                    fail(*line, format!("expected a load without {code}\n{}", now.text));
                }
            }
            Step::Ask(ask, expected) => {
                let now = loaded.get_or_insert_with(|| lab::load(&tree));
                match &now.world {
                    Some(world) => one(world, ask, expected, *line, &mut fail),
                    None => {
                        fail(*line, format!("the deployment is refused\n{}", now.text));
                        return failures;
                    }
                }
            }
            Step::Spread(spread, expected) => {
                let now = loaded.get_or_insert_with(|| lab::load(&tree));
                let Some(world) = &now.world else {
                    fail(*line, format!("the deployment is refused\n{}", now.text));
                    return failures;
                };
                let (given, shares) = all(world, spread);
                for (line, many) in expected {
                    if let Err(words) = compare_many(many, &given, &before, &shares) {
                        fail(*line, words);
                    }
                }
                before = given;
            }
        }
    }
    failures
}

fn snapshot(world: &World, ask: &Ask) -> Arc<Snapshot> {
    if ask.down.is_empty() && ask.flaps.is_empty() {
        return world.snapshot.clone();
    }
    let down: Vec<&str> = ask.down.iter().map(String::as_str).collect();
    let flaps: Vec<&str> = ask.flaps.iter().map(String::as_str).collect();
    with_trouble(world, &down, &flaps)
}

fn one(
    world: &World,
    ask: &Ask,
    expected: &[(usize, Expect)],
    line: usize,
    fail: &mut impl FnMut(usize, String),
) {
    for pop in ask.down.iter().chain(&ask.flaps) {
        if !world.deployment.pops.iter().any(|p| *p.name == **pop) {
            return fail(line, format!("there is no PoP `{pop}`"));
        }
    }
    let snapshot = snapshot(world, ask);
    let (outcome, octets) = ask_over(&snapshot, &ask.packet(), ask.from, ask.transport, ask.draw);
    let reply = match outcome.disposition {
        Disposition::Send(_) => match reply::decode(&octets) {
            Ok(reply) => Some(reply),
            Err(error) => return fail(line, format!("the reply cannot be decoded: {error}\n{octets:02x?}")),
        },
        Disposition::Silence => None,
    };
    if let Some(words) = reply.as_ref().and_then(|reply| broken_promise(ask, reply, octets.len())) {
        fail(line, format!("{words}\n{}", reply.as_ref().map_or_else(String::new, Reply::dig)));
    }
    if let Some(words) = reply.as_ref().and_then(|reply| broken_scope(&snapshot, ask, reply)) {
        fail(line, words);
    }
    let shown = reply.as_ref().map_or_else(|| format!("{:?}", outcome.disposition), Reply::dig);
    let pop = chosen(&snapshot, &outcome);
    for (line, expect) in expected {
        if let Err(words) = compare(expect, outcome.disposition, reply.as_ref(), pop.as_deref()) {
            fail(
                *line,
                format!(
                    "{words}\nthe reply to `{} {}`{}:\n{shown}",
                    ask.name,
                    ask.rtype,
                    pop_words(pop.as_deref())
                ),
            );
        }
    }
    for (section, name) in ["answer", "authority", "additional"].into_iter().enumerate() {
        let wanted: Vec<(usize, &Vec<String>)> = expected
            .iter()
            .filter_map(|(line, e)| match e {
                Expect::Record(s, words) if *s == section => Some((*line, words)),
                _ => None,
            })
            .collect();
        let Some(reply) = reply.as_ref().filter(|_| !wanted.is_empty()) else { continue };
        if let Err((line, words)) = compare_section(&words(reply)[section], &wanted) {
            fail(line, format!("{name}: {words}\nthe reply{}:\n{shown}", pop_words(pop.as_deref())));
        }
    }
}

fn chosen(snapshot: &Snapshot, outcome: &Outcome) -> Option<String> {
    outcome.pop().map(|(pop, _)| snapshot.steering.pops[usize::from(pop.0)].name.to_string())
}

fn pop_words(pop: Option<&str>) -> String {
    pop.map_or_else(String::new, |pop| format!(", from {pop}"))
}

/// What holds for every reply, whatever a scenario asks.
fn broken_promise(ask: &Ask, reply: &Reply, octets: usize) -> Option<String> {
    let most = match (ask.transport, ask.edns) {
        (Transport::Tcp | Transport::Dot | Transport::Doh | Transport::Doq, _) => 65_535,
        (Transport::Udp, false) => 512,
        (Transport::Udp, true) => usize::from(ask.payload.clamp(512, 1232)),
    };
    let asked_subnet = ask.edns && ask.options.iter().any(|(code, _)| *code == 8);
    let asked_cookie = ask.edns && ask.options.iter().any(|(code, _)| *code == 10);
    let sent_padding = ask.options.iter().any(|(code, _)| *code == 12);
    let asked_padding = sent_padding
        && ask.edns
        && ask.version == 0
        && matches!(ask.transport, Transport::Dot | Transport::Doh | Transport::Doq);
    let is_padded = reply.opt.as_ref().is_some_and(|opt| opt.options.iter().any(|(code, _)| *code == 12));
    let checks = [
        (
            is_padded == asked_padding,
            "padding that was not asked for over an encrypted transport, or none that was",
        ),
        (!is_padded || octets.is_multiple_of(468), "padding that does not fill a block"),
        (
            reply.opt.as_ref().is_none_or(|o| o.cookie.is_none()) || asked_cookie,
            "a cookie, but the client sent none",
        ),
        (reply.id == 0xbeef, "the ID is another"),
        (reply.is_response, "QR is not set"),
        (reply.opcode == ask.opcode, "the opcode is another"),
        (octets <= most, "the reply is longer than the client can take"),
        (reply.opt.is_none() || ask.edns, "an OPT, but the client sent none"),
        (
            reply.opt.as_ref().is_none_or(|o| o.subnet.is_none()) || asked_subnet,
            "a client subnet, but the client sent none",
        ),
        (reply.opt.as_ref().is_none_or(|o| o.version == 0), "an OPT of another version than 0"),
        (
            !reply.flags.contains(&"tc") || reply.sections.iter().all(Vec::is_empty),
            "a truncated reply with records",
        ),
        (!reply.flags.contains(&"ra"), "RA is set by an authoritative server"),
        (reply.flags.contains(&"rd") == (ask.flags & 0x0100 != 0), "RD is not copied"),
    ];
    checks.into_iter().find(|(holds, _)| !holds).map(|(_, words)| words.to_owned())
}

/// Every reply to a client subnet holds for all clients inside its scope: some of them ask too, and
/// must get the same records, TTL and order aside. `share: random` is exempt.
fn broken_scope(snapshot: &Snapshot, ask: &Ask, reply: &Reply) -> Option<String> {
    let (source, scope) = reply.opt.as_ref()?.subnet.as_ref()?;
    let (address, len) = source.split_once('/')?;
    let address: IpAddr = address.parse().ok()?;
    if len == "0" || snapshot.steering.has_random_shares() {
        return None;
    }
    let records = |reply: &Reply| {
        let mut all = words(reply);
        for section in &mut all {
            section.iter_mut().for_each(|record| record[1].clear());
            section.sort();
        }
        (reply.status.clone(), all)
    };
    let wanted = records(reply);
    for index in 0..SCOPE_CLIENTS {
        let noise = |salt: u64| meridian::testing::wire::hash::mix(index, salt);
        let (client, full) = match address {
            IpAddr::V4(a) => {
                let hosts = u32::MAX.checked_shr(u32::from(*scope)).unwrap_or(0);
                // With scope 0 the lab's own clients are asked for as well.
                let bits = if *scope == 0 && index % 2 == 0 {
                    0x1400_0000 | (index as u32 % 24) << 15
                } else {
                    noise(1) as u32
                };
                (IpAddr::from((a.to_bits() & !hosts | bits & hosts).to_be_bytes()), 32)
            }
            IpAddr::V6(a) => {
                let hosts = u128::MAX.checked_shr(u32::from(*scope)).unwrap_or(0);
                let lab = *scope == 0 && index % 2 == 0;
                let bits = if lab {
                    u128::from(0x2a00_0000 + index as u32 % 8) << 96
                } else {
                    u128::from(noise(2)) << 64 | u128::from(noise(3))
                };
                (IpAddr::from((a.to_bits() & !hosts | bits & hosts).to_be_bytes()), 128)
            }
        };
        let mut other = ask.clone();
        other.options.retain(|(code, _)| *code != 8);
        other.options.push((8, subnet(client, full)));
        let (_, octets) = ask_over(snapshot, &other.packet(), other.from, other.transport, other.draw);
        let Ok(got) = reply::decode(&octets) else {
            return Some(format!("the reply to {client} cannot be decoded"));
        };
        // A longer source is a longer option, and may tip a reply over the payload.
        if got.flags.contains(&"tc") == reply.flags.contains(&"tc") && records(&got) != wanted {
            return Some(format!(
                "scope {scope} does not hold: {client} is inside and gets\n{}\ninstead of\n{}",
                got.dig(),
                reply.dig()
            ));
        }
    }
    None
}

fn compare(
    expect: &Expect,
    verdict: Disposition,
    reply: Option<&Reply>,
    pop: Option<&str>,
) -> Result<(), String> {
    let differs = |what: &str, wanted: String, got: String| {
        if wanted == got { Ok(()) } else { Err(format!("{what}: expected {wanted}, got {got}")) }
    };
    match expect {
        Expect::Silence => {
            return differs("verdict", format!("{:?}", Disposition::Silence), format!("{verdict:?}"));
        }
        Expect::Pop(wanted) if pop.is_some_and(|p| wanted.iter().any(|w| w == p)) => return Ok(()),
        Expect::Pop(wanted) => {
            return Err(format!("PoP: expected {}, got {}", wanted.join(" or "), pop.unwrap_or("none")));
        }
        Expect::NoPop => return differs("PoP", "none".to_owned(), pop.unwrap_or("none").to_owned()),
        _ => {}
    }
    let Some(reply) = reply else { return Err(format!("expected a reply, got {verdict:?}")) };
    let opt = reply.opt.as_ref();
    let subnet = opt.and_then(|o| o.subnet.as_ref());
    let none = || "none".to_owned();
    let option = |code: u16| {
        let (_, octets) = opt?.options.iter().find(|(sent, _)| *sent == code)?;
        Some(if octets.is_empty() { "-".to_owned() } else { hex(octets) })
    };
    match expect {
        Expect::Status(wanted) => differs("status", wanted.clone(), reply.status.clone()),
        Expect::Flags(wanted) => {
            let sorted = |mut list: Vec<String>| {
                list.sort();
                list.join(" ")
            };
            differs(
                "flags",
                sorted(wanted.clone()),
                sorted(reply.flags.iter().map(|f| (*f).to_owned()).collect()),
            )
        }
        Expect::NoRecords(section) => {
            differs("records in the section", "0".to_owned(), reply.sections[*section].len().to_string())
        }
        Expect::Count(section, wanted) => {
            differs("records in the section", wanted.to_string(), reply.sections[*section].len().to_string())
        }
        Expect::Scope(wanted) => {
            differs("scope", wanted.to_string(), subnet.map_or_else(none, |(_, scope)| scope.to_string()))
        }
        Expect::Ecs(wanted) => {
            differs("client subnet", wanted.clone(), subnet.map_or_else(none, |(prefix, _)| prefix.clone()))
        }
        Expect::NoEcs => {
            differs("client subnet", none(), subnet.map_or_else(none, |(prefix, _)| prefix.clone()))
        }
        Expect::Opt(wanted) => match (opt, wanted) {
            (None, _) => Err("expected an OPT, got none".to_owned()),
            (Some(opt), Some(wanted)) => differs("payload", wanted.to_string(), opt.payload.to_string()),
            (Some(_), None) => Ok(()),
        },
        Expect::NoOpt => differs("OPT", none(), opt.map_or_else(none, |_| "one".to_owned())),
        Expect::Nsid(wanted) => {
            differs("NSID", wanted.clone(), opt.and_then(|o| o.nsid.clone()).unwrap_or_else(none))
        }
        Expect::Option(code, wanted) => differs("option", wanted.clone(), option(*code).unwrap_or_else(none)),
        Expect::NoOption(code) => differs("option", none(), option(*code).unwrap_or_else(none)),
        Expect::Cookie(wanted) => {
            differs("cookie", wanted.clone(), reply.cookie().map(hex).unwrap_or_else(none))
        }
        Expect::NoCookie => differs("cookie", none(), reply.cookie().map(hex).unwrap_or_else(none)),
        Expect::Ede(wanted) => differs(
            "extended error",
            wanted.to_string(),
            opt.and_then(|o| o.ede).map_or_else(none, |e| e.to_string()),
        ),
        Expect::Truncated if !reply.flags.contains(&"tc") => Err("expected TC".to_owned()),
        Expect::Whole if reply.flags.contains(&"tc") => Err("expected no TC".to_owned()),
        Expect::Question(name, rtype) => {
            let got = reply.question.clone().map_or_else(none, |(name, rtype)| format!("{name} {rtype}"));
            differs("question", format!("{name} {rtype}"), got)
        }
        Expect::NoQuestion => {
            differs("question", none(), reply.question.clone().map_or_else(none, |(name, _)| name))
        }
        _ => Ok(()),
    }
}

fn hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}

/// The sections, each record as words.
fn words(reply: &Reply) -> [Vec<Vec<String>>; 3] {
    reply.sections.each_ref().map(|section| section.iter().map(Record::words).collect())
}

/// Compares a section with all records expected of it, order aside.
fn compare_section(got: &[Vec<String>], wanted: &[(usize, &Vec<String>)]) -> Result<(), (usize, String)> {
    let mut left: Vec<&Vec<String>> = got.iter().collect();
    for (line, words) in wanted {
        let like = |record: &&Vec<String>| {
            // A star at the end stands for all the rest.
            let open_end = words.last().is_some_and(|w| w == "*") && record.len() >= words.len();
            (record.len() == words.len() || open_end)
                && record.iter().zip(words.iter()).all(|(r, w)| w == "*" || *r == plain(w))
        };
        match left.iter().position(like) {
            Some(index) => drop(left.remove(index)),
            None => return Err((*line, format!("expected `{}`, which is not there", words.join(" ")))),
        }
    }
    match left.first() {
        None => Ok(()),
        Some(record) => Err((wanted[0].0, format!("`{}` was not expected", record.join(" ")))),
    }
}

/// Asks for every network of a block; what each client is given, and counts by PoP and by address.
fn all(world: &World, spread: &Spread) -> (Given, BTreeMap<String, usize>) {
    let (mut given, mut counts) = (Given::new(), BTreeMap::new());
    let snapshot = snapshot(world, &spread.ask);
    for index in 0..1u128 << (spread.by - spread.len) {
        let network = match spread.over {
            IpAddr::V4(a) => IpAddr::from(
                (a.to_bits() | (index as u32).checked_shl(u32::from(32 - spread.by)).unwrap_or(0))
                    .to_be_bytes(),
            ),
            IpAddr::V6(a) => IpAddr::from(
                (a.to_bits() | index.checked_shl(u32::from(128 - spread.by)).unwrap_or(0)).to_be_bytes(),
            ),
        };
        let mut ask: query::Ask = spread.ask.clone();
        ask.options.push((8, subnet(network, spread.by)));
        ask.draw = ask.draw.wrapping_add(index as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let (outcome, octets) = ask_over(&snapshot, &ask.packet(), ask.from, ask.transport, ask.draw);
        let pop = chosen(&snapshot, &outcome).unwrap_or_else(|| "none".to_owned());
        *counts.entry(pop.clone()).or_default() += 1;
        for record in reply::decode(&octets).map(|reply| words(&reply)).unwrap_or_default()[0]
            .iter()
            .filter(|r| r.len() == 4)
        {
            *counts.entry(record[3].clone()).or_default() += 1;
        }
        given.insert(network.to_string(), pop);
    }
    (given, counts)
}

fn compare_many(
    many: &Many,
    given: &Given,
    before: &Given,
    counts: &BTreeMap<String, usize>,
) -> Result<(), String> {
    let percent = |count: usize| 100.0 * count as f64 / given.len() as f64;
    let movers: Vec<(&String, &String)> =
        given.iter().filter_map(|(c, now)| before.get(c).filter(|b| *b != now).map(|b| (b, now))).collect();
    let inside = |what: &str, range: &std::ops::RangeInclusive<f64>, got: f64| {
        if range.contains(&got) {
            Ok(())
        } else {
            Err(format!("{what}: expected {range:?} per cent, got {got:.1}; {counts:?}"))
        }
    };
    match many {
        Many::Share(who, range) => inside(who, range, percent(counts.get(who).copied().unwrap_or(0))),
        Many::Moved(range) => inside("moved", range, percent(movers.len())),
        Many::MoversFrom(who) => match movers.iter().find(|(from, _)| !who.contains(from)) {
            Some((from, to)) => Err(format!("a client moved from {from} to {to}")),
            None => Ok(()),
        },
        Many::MoversTo(who) => match movers.iter().find(|(_, to)| !who.contains(to)) {
            Some((from, to)) => Err(format!("a client moved from {from} to {to}")),
            None => Ok(()),
        },
    }
}
