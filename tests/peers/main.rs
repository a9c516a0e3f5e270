//! NSD, Knot DNS and this server over the same zone text, asked the same questions.
//!
//! Replies are decoded by a library that is none of theirs and compared whole. Where servers may
//! differ is a table (`peers/choices.rs`); everything else fails the test. Without the peers on the
//! machine there is nothing to compare with, and the test says so.
//!
//! `MERIDIAN_PEER_QUERIES=n` asks for another number of questions, `MERIDIAN_PEER_SEED=n` for
//! others.

mod choices;
mod engines;
mod reply;
mod servers;
mod zones;

use choices::{CHOICES, Question, SET_ASIDE};
use meridian::testing::server::Engine;
use meridian::testing::wire::name::Name;
use reply::{Record, Reply};
use servers::Peer;
use std::collections::BTreeMap;
use std::io::Write as _;
use std::net::{SocketAddr, TcpStream, UdpSocket};
use std::time::{Duration, Instant};
use support::deployment::{Deployment, connect, framed, read_framed};
use support::dice::Dice;
use support::program::installed;
use zones::ZoneText;

/// One server as a client sees it.
struct Asked {
    udp: UdpSocket,
    at: SocketAddr,
    tcp: Option<TcpStream>,
}

impl Asked {
    fn new(at: SocketAddr) -> Asked {
        let udp = UdpSocket::bind("127.0.0.1:0").expect("loopback has room");
        udp.connect(at).expect("loopback is reachable");
        udp.set_read_timeout(Some(Duration::from_secs(2))).expect("a time-out can be set");
        Asked { udp, at, tcp: None }
    }

    fn by_udp(&self, packet: &[u8]) -> Option<Vec<u8>> {
        let mut answer = vec![0; 65_535];
        loop {
            let length = self.udp.recv(&mut answer).ok()?;
            // What came too late for the question before is not the answer to this one.
            if answer[..2] == packet[..2] {
                answer.truncate(length);
                return Some(answer);
            }
        }
    }

    fn by_tcp(&mut self, packet: &[u8]) -> Vec<u8> {
        for _ in 0..2 {
            let stream = self.tcp.get_or_insert_with(|| connect(self.at));
            let mut ready = [0; 1];
            if stream.write_all(&framed(packet)).is_ok()
                && stream.peek(&mut ready).is_ok_and(|length| length == 1)
            {
                return read_framed(stream);
            }
            // Servers close connections as they like.
            self.tcp = None;
        }
        panic!("{} closes every connection", self.at);
    }
}

/// A question and its octets.
fn question(dice: &mut Dice, zones: &[ZoneText], id: u16) -> (Question, Vec<u8>) {
    let name = loop {
        // What does not fit a datagram is rare but difficult.
        let large =
            if dice.once_in(12) { zones.iter().find(|zone| zone.apex.starts_with("big.")) } else { None };
        let zone = large.unwrap_or_else(|| dice.pick(zones));
        let known = dice.pick(&zone.names).clone();
        let label = *dice.pick(&["x", "q", "www", "host", "*", "a", "ns1", "zz", "_tcp", "0"]);
        let text = match dice.below(12) {
            0..=4 => known,
            5 | 6 => format!("{label}.{known}"),
            7 => format!("{label}.{}.{known}", dice.pick(&["y", "*", "b"])),
            8 => known.split_once('.').map_or(known.clone(), |(_, parent)| parent.to_owned()),
            9 => known.split_once('.').map_or(known.clone(), |(_, parent)| format!("{label}.{parent}")),
            10 => format!("{label}.{}", zone.apex),
            // As long as a name can be below a known one.
            _ => format!("{}.{}.{known}", "l".repeat(1 + dice.below(63)), "m".repeat(1 + dice.below(63))),
        };
        if let Ok(name) = Name::parse(&format!("{text}."), None) {
            break name;
        }
    };
    let rtype = match dice.below(10) {
        0..=3 => *dice.pick(&[1, 1, 28, 16, 5]),
        4..=6 => *dice.pick(&[2, 6, 43, 39, 255, 15, 33, 12, 65, 257]),
        7 => *dice.pick(&[
            65_280, 65_281, 1000, 29, 13, 17, 18, 35, 36, 37, 44, 52, 53, 59, 60, 61, 62, 64, 256, 14,
        ]),
        _ => match 1 + dice.below(300) as u16 {
            // Transfers and what is obsolete are not questions of this kind.
            41 | 249..=254 => 99,
            other => other,
        },
    };
    let mut wire = name.as_wire().to_vec();
    if dice.once_in(4) {
        wire.iter_mut()
            .filter(|o| o.is_ascii_alphabetic())
            .for_each(|o| *o ^= 0x20 * (dice.roll() & 1) as u8);
    }
    let mut packet = id.to_be_bytes().to_vec();
    packet.extend([dice.below(2) as u8, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
    packet.extend(&wire);
    packet.extend(rtype.to_be_bytes());
    packet.extend([0, 1]);
    if let Some(payload) = *dice.pick(&[None, Some(512u16), Some(1232), Some(1232), Some(4096)]) {
        packet[11] = 1;
        packet.extend([0, 0, 41]);
        packet.extend(payload.to_be_bytes());
        packet.extend([0, 0, if dice.once_in(4) { 0x80 } else { 0 }, 0, 0, 0]);
    }
    (Question { name: name.to_lowercase().to_string(), rtype, tcp: dice.once_in(8) }, packet)
}

/// Differences of a run.
#[derive(Default)]
struct Tally {
    compared: u64,
    equal: u64,
    used: BTreeMap<(&'static str, &'static str), u64>,
    /// By type, whether ours is truncated, and peer: a question whose TC differs.
    cut: BTreeMap<(u16, bool, &'static str), String>,
    /// Equal replies by peer: how many are shorter than the peer's, and how many longer, with the
    /// first of these.
    lengths: BTreeMap<&'static str, (u64, u64, String)>,
    faults: u64,
    shown: String,
}

impl Tally {
    /// Replies over UDP of which one is truncated at least: the header counts. Which of them do not
    /// fit depends on compression and on what else is put in, so TC may differ.
    fn flags(&mut self, question: &Question, names: [&'static str; 3], replies: &[Reply]) {
        let [ours, theirs @ ..] = replies else { return };
        for (reply, peer) in theirs.iter().zip([names[1], names[2]]) {
            // Of a chain that is cut off, each server tells the code of the part that it has
            // walked.
            let is_chain = ours.answer.iter().chain(&reply.answer).any(|r| matches!(r.rtype, 5 | 39));
            if ours.authoritative != reply.authoritative || (ours.rcode != reply.rcode && !is_chain) {
                self.faults += 1;
                self.shown += &format!(
                    "{} TYPE{} truncated, against {peer}\n  ours\n{ours}  theirs\n{reply}",
                    question.name, question.rtype
                );
            }
            if ours.truncated != reply.truncated {
                *self.used.entry(("truncation", peer)).or_default() += 1;
                self.cut
                    .entry((question.rtype, ours.truncated, peer))
                    .or_insert_with(|| question.name.clone());
            }
        }
    }

    /// Octets of replies that say the same. A referral is no longer than the peers' (RFC 1035
    /// section 4.1.4): it has the names that compression is about. Only where the question or a
    /// CNAME leads to a name server itself do peers point there, which is not known when a zone is
    /// read.
    fn lengths(&mut self, question: &Question, peer: &'static str, lens: [usize; 2], ours: &Reply) {
        let [ours_len, theirs_len] = lens;
        let (shorter, longer, first) = self.lengths.entry(peer).or_default();
        *shorter += u64::from(ours_len < theirs_len);
        if ours_len > theirs_len {
            *longer += 1;
            let line = format!("{} TYPE{}: {ours_len}, {peer} {theirs_len}", question.name, question.rtype);
            let aliases = ours.answer.iter().filter(|record| record.rtype == 5);
            let on_the_way: Vec<&str> =
                aliases.map(|record| record.rdata.as_str()).chain([question.name.as_str()]).collect();
            let is_met = |server: &Record| {
                let server = server.rdata.trim_end_matches('.');
                on_the_way
                    .iter()
                    .map(|name| name.trim_end_matches('.'))
                    .any(|name| name == server || name.ends_with(&format!(".{server}")))
            };
            if ours.is_referral() && !ours.authority.iter().any(is_met) {
                self.faults += 1;
                self.shown += &format!("a referral that is longer: {line}\n");
            }
            if first.is_empty() {
                *first = line;
            }
        }
    }

    /// Both peers; one of them at least must agree with us.
    fn both(&mut self, question: &Question, names: [&'static str; 3], replies: &[Reply], lens: &[usize]) {
        let [ours, first, second] = replies else { panic!("three servers are asked") };
        for (theirs, (peer, len)) in replies.iter().zip(names.into_iter().zip(lens)).skip(1) {
            // Errors have an extended error, which peers do not send.
            if ours == theirs && matches!(ours.rcode, 0 | 3) {
                self.lengths(question, peer, [lens[0], *len], ours);
            }
        }
        let alone =
            !self.compare(question, names[1], ours, first) & !self.compare(question, names[2], ours, second);
        if alone {
            self.faults += 1;
            self.shown +=
                &format!("{} TYPE{}: no peer agrees\n  ours\n{ours}", question.name, question.rtype);
        }
    }

    /// Whether the peer agrees; false if its reply was set aside, or if nothing explains the
    /// difference.
    fn compare(&mut self, question: &Question, peer: &'static str, ours: &Reply, theirs: &Reply) -> bool {
        self.compared += 1;
        if ours == theirs {
            self.equal += 1;
            return true;
        }
        let (mut left, mut right) = (ours.clone(), theirs.clone());
        let mut used = Vec::new();
        for choice in CHOICES.iter().filter(|choice| choice.peer.is_none_or(|about| about == peer)) {
            let before = (left.clone(), right.clone());
            (choice.settle)(question, &mut left, &mut right);
            if before != (left.clone(), right.clone()) {
                used.push(choice.name);
            }
            if left == right {
                let agrees = !used.iter().any(|name| SET_ASIDE.contains(name));
                for name in used {
                    *self.used.entry((name, peer)).or_default() += 1;
                }
                return agrees;
            }
        }
        self.faults += 1;
        if self.faults <= support::number("MERIDIAN_PEER_SHOWN").unwrap_or(20) {
            let how = if question.tcp { "TCP" } else { "UDP" };
            self.shown += &format!(
                "{} TYPE{} over {how}, against {peer}\n  ours\n{ours}  theirs\n{theirs}",
                question.name, question.rtype
            );
        }
        false
    }
}

#[test]
fn peers_answer_alike() {
    let (Some(nsd), Some(knot)) = (installed("nsd"), installed("knotd")) else {
        println!("skipped: nsd and knotd are not both on this machine");
        return;
    };
    let seed = support::number("MERIDIAN_PEER_SEED").unwrap_or(1);
    let zones = zones::all(seed);
    assert!(zones.len() >= 12);
    let folder = tempfile::tempdir().expect("a folder");
    let site = Deployment::new(&["127.0.0.1:0"], "");
    std::fs::remove_file(site.path("zones/cdn.example.yaml")).expect("it is there");
    for zone in &zones {
        site.write(&format!("zones/{}.zone", zone.apex), &zone.text);
    }
    let server = site.start(Engine::Fast);
    let peers: [Peer; 2] = [
        servers::nsd(&nsd, &folder.path().join("nsd"), &zones),
        servers::knot(&knot, &folder.path().join("knot"), &zones),
    ];
    let mut asked = [Asked::new(server.dns()[0]), Asked::new(peers[0].at), Asked::new(peers[1].at)];
    let names = ["ours", peers[0].name, peers[1].name];

    let begun = Instant::now();
    let mut dice = Dice(seed);
    let mut tally = Tally::default();
    let queries = support::number("MERIDIAN_PEER_QUERIES").unwrap_or(20_000);
    let mut cut = 0;
    for id in 0..queries {
        let (mut question, packet) = question(&mut dice, &zones, id as u16);
        let read = |octets: &[u8], who: &str| -> Reply {
            Reply::read(octets, &packet).unwrap_or_else(|why| {
                panic!("{who} answers {} TYPE{} with {why}", question.name, question.rtype)
            })
        };
        if !question.tcp {
            for server in &asked {
                server.udp.send(&packet).expect("the client sends");
            }
            let octets: Vec<Vec<u8>> = asked
                .iter()
                .zip(names)
                .map(|(server, who)| {
                    server
                        .by_udp(&packet)
                        .unwrap_or_else(|| panic!("{who} is silent about {}", question.name))
                })
                .collect();
            let replies: Vec<Reply> =
                octets.iter().zip(names).map(|(octets, who)| read(octets, who)).collect();
            if replies.iter().all(|reply| !reply.truncated) {
                let lens: Vec<usize> = octets.iter().map(Vec::len).collect();
                tally.both(&question, names, &replies, &lens);
                continue;
            }
            // What a truncated reply still holds is of no use to anybody (RFC 2181 section 9);
            // whether it is whole over TCP is what counts.
            cut += 1;
            tally.flags(&question, names, &replies);
        }
        let octets: Vec<Vec<u8>> = asked.iter_mut().map(|server| server.by_tcp(&packet)).collect();
        let replies: Vec<Reply> = octets.iter().zip(names).map(|(octets, who)| read(octets, who)).collect();
        question.tcp = true;
        let lens: Vec<usize> = octets.iter().map(Vec::len).collect();
        tally.both(&question, names, &replies, &lens);
    }
    server.stop();
    println!(
        "{queries} questions to {} zones in {:.1} s: {} comparisons, {} equal as they are, {cut} asked again \
         over TCP",
        zones.len(),
        begun.elapsed().as_secs_f64(),
        tally.compared,
        tally.equal
    );
    for choice in CHOICES {
        let of = |peer| tally.used.get(&(choice.name, peer)).copied().unwrap_or(0);
        println!("{:>6} NSD {:>6} Knot  {}: {}", of("NSD"), of("Knot"), choice.name, choice.reason);
    }
    for (peer, (shorter, longer, first)) in &tally.lengths {
        println!("equal replies: {shorter} shorter than {peer}, {longer} longer, such as {first}");
    }
    if !tally.cut.is_empty() {
        println!("TC differs, by type, whether ours is set, and peer: {:?}", tally.cut);
    }
    assert_eq!(tally.faults, 0, "differences that no choice explains, the first of them:\n{}", tally.shown);
}
