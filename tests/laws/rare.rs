//! Law: whatever is no plain query costs little. Each rare message has its reply from the core, of
//! bounded length and cost, and no reply is answered again.

use meridian::testing::answer::{Client, Disposition, QueryContext, Transport, respond};
use meridian::testing::wire::rr::Rcode;
use std::hint::black_box;
use std::time::{Duration, Instant};
use support::reply::{self, Reply};
use support::{ask, sample};

/// Most processor time of one reply, in the unoptimised build of tests too.
const COST_MAX: Duration = Duration::from_micros(20);

const NOTIMP: Rcode = Rcode(4);
const NOTAUTH: Rcode = Rcode(9);

/// A message with one question, and records behind it.
fn message(opcode: u8, question: &[u8], additional: &[&[u8]]) -> Vec<u8> {
    let mut octets = vec![0x12, 0x34, opcode << 3 | 1, 0, 0, 1, 0, 0, 0, 0, 0, additional.len() as u8];
    octets.extend(question);
    octets.extend(additional.concat());
    octets
}

fn question(rtype: u8, class: u8) -> Vec<u8> {
    [b"\x06StAtUs\x03cdn\x07eXample\0\0", &[rtype][..], &[0, class]].concat()
}

const OPT: &[u8] = &[0, 0, 41, 0x10, 0, 0, 0, 0, 0, 0, 0];
const OPT_VERSION_1: &[u8] = &[0, 0, 41, 0x10, 0, 0, 1, 0, 0, 0, 0];
const COOKIE: &[u8] = &[0, 0, 41, 0x10, 0, 0, 0, 0, 0, 0, 12, 0, 10, 0, 8, 9, 9, 9, 9, 9, 9, 9, 9];

/// A TSIG record.
fn tsig(key: &[u8], algorithm: &[u8]) -> Vec<u8> {
    let rdata =
        [algorithm, &[0, 0, 0x65, 0, 0, 0, 1, 44, 0, 32], &[7; 32], &[0x12, 0x34, 0, 0, 0, 0]].concat();
    [key, &[0, 250, 0, 255, 0, 0, 0, 0], &(rdata.len() as u16).to_be_bytes(), &rdata].concat()
}

/// Messages with their replies; `None` is silence.
fn messages() -> Vec<(&'static str, Vec<u8>, Option<Rcode>)> {
    let soa = question(6, 1);
    let longest =
        [[&[63u8][..], &[b'x'; 63]].concat().repeat(3), [&[61u8][..], &[b'y'; 61], &[0]].concat()].concat();
    let long_question = [&longest[..], &[0, 6, 0, 1]].concat();
    // Octets of its labels are labels too: a pointer to the first of them is a name as long as
    // itself.
    let label = [&[63u8, 63][..], &[1; 62]].concat();
    let overlapping = [&label.repeat(3)[..], &[61, 60], &[1; 60], &[0, 0, 6, 0, 1]].concat();
    let key = tsig(b"\x03key\0", b"\x0bhmac-sha256\0");
    let mut rows = vec![
        ("a NOTIFY", message(4, &soa, &[]), Some(NOTAUTH)),
        ("a NOTIFY with OPT", message(4, &soa, &[OPT]), Some(NOTAUTH)),
        ("a NOTIFY with a cookie", message(4, &soa, &[COOKIE]), Some(NOTAUTH)),
        ("an UPDATE", message(5, &soa, &[]), Some(Rcode::REFUSED)),
        ("AXFR", message(0, &question(252, 1), &[]), Some(Rcode::REFUSED)),
        ("IXFR", message(0, &question(251, 1), &[]), Some(Rcode::REFUSED)),
        ("TKEY", message(0, &question(249, 1), &[]), Some(NOTIMP)),
        ("MAILB", message(0, &question(253, 1), &[]), Some(NOTIMP)),
        ("OPT as a type", message(0, &question(41, 1), &[]), Some(Rcode::FORMERR)),
        ("class HS", message(0, &question(1, 4), &[]), Some(Rcode::REFUSED)),
        ("class ANY", message(0, &question(1, 255), &[]), Some(Rcode::REFUSED)),
        ("class CH", message(0, &question(16, 3), &[]), Some(Rcode::REFUSED)),
        ("a TSIG query", message(0, &question(1, 1), &[&key]), Some(NOTAUTH)),
        ("a TSIG query with OPT", message(0, &question(1, 1), &[OPT, &key]), Some(NOTAUTH)),
        ("a TSIG UPDATE", message(5, &soa, &[&key]), Some(NOTAUTH)),
        ("a TSIG STATUS", message(2, &soa, &[&key]), Some(NOTAUTH)),
        ("TSIG by names that are too long", message(4, &soa, &[&tsig(&longest, &longest)]), Some(NOTAUTH)),
        ("TSIG, all of it too long", message(4, &long_question, &[&tsig(&longest, &longest)]), Some(NOTAUTH)),
        ("TSIG by long names and OPT", message(4, &soa, &[OPT, &tsig(&longest, &longest)]), Some(NOTAUTH)),
        ("TSIG by a pointer", message(4, &long_question, &[&tsig(&[0xc0, 12], b"\0")]), Some(NOTAUTH)),
        (
            "TSIG by a pointer into a label, too long",
            message(4, &overlapping, &[OPT, &tsig(&[0xc0, 13], b"\0")]),
            Some(NOTAUTH),
        ),
        ("TSIG that loops", message(4, &soa, &[&tsig(&[0xc0, 12 + 25], b"\0")]), Some(Rcode::FORMERR)),
        ("TSIG before OPT", message(0, &soa, &[&key, OPT]), Some(Rcode::FORMERR)),
        ("EDNS version 1", message(0, &soa, &[OPT_VERSION_1]), Some(Rcode::BADVERS)),
        ("a NOTIFY in EDNS version 1", message(4, &soa, &[OPT_VERSION_1]), Some(Rcode::BADVERS)),
        ("TSIG in EDNS version 1", message(4, &soa, &[OPT_VERSION_1, &key]), Some(Rcode::BADVERS)),
        ("octets behind a query", [message(0, &soa, &[]), vec![0]].concat(), Some(Rcode::FORMERR)),
        ("octets behind a NOTIFY", [message(4, &soa, &[]), vec![0]].concat(), Some(Rcode::FORMERR)),
        ("octets behind a STATUS", [message(2, &soa, &[]), vec![0]].concat(), Some(NOTIMP)),
        ("a header alone", message(0, &[], &[])[..12].to_vec(), Some(Rcode::FORMERR)),
        ("half a header", vec![0; 11], None),
        ("text", b"220 mail.example ESMTP ready\r\n".to_vec(), None),
        ("all ones", vec![0xff; 512], None),
        ("spaces", vec![b' '; 1_200], None),
    ];
    for opcode in (1..16).filter(|opcode| ![4, 5].contains(opcode)) {
        rows.push(("an opcode that is not served", message(opcode, &soa, &[OPT]), Some(NOTIMP)));
    }
    for (_, octets, _) in rows.clone() {
        let mut response = octets;
        if let Some(flags) = response.get_mut(2) {
            *flags |= 0x80;
            rows.push(("a response", response, None));
        }
    }
    rows
}

/// The records of a reply.
fn records(reply: &Reply) -> usize {
    reply.sections.iter().map(Vec::len).sum()
}

#[test]
fn rare_messages_are_refused_by_the_core() {
    let world = sample();
    let client = Client { address: [192, 0, 2, 77].into(), transport: Transport::Udp };
    let context = QueryContext { draw: 0, epoch_secs: 0 };
    let mut out = [0; 1232];
    for (what, octets, rcode) in messages() {
        let (outcome, reply) = ask(&world.snapshot, &octets, client.address, 0);
        let mut best = Duration::MAX;
        for _ in 0..20 {
            let begun = Instant::now();
            for _ in 0..50 {
                black_box(respond(&world.snapshot, &octets, &client, context, &mut out));
            }
            best = best.min(begun.elapsed() / 50);
        }
        assert!(best <= COST_MAX, "{what}: {best:?}");
        let Some(rcode) = rcode else {
            assert_eq!(outcome.disposition, Disposition::Silence, "{what}");
            continue;
        };
        assert_eq!(outcome.rcode, rcode, "{what}");
        let read = reply::decode(&reply).unwrap_or_else(|error| panic!("{what}: {error}"));
        assert!(reply.len() <= if read.opt.is_some() { 1232 } else { 512 }, "{what}: {} octets", reply.len());
        assert!(reply.len() <= octets.len() + 64, "{what}: {} octets for {}", reply.len(), octets.len());
        assert_eq!(read.opcode, octets[2] >> 3 & 0xf, "{what}");
        let is_refused_key = rcode == NOTAUTH && what.contains("TSIG") && !read.flags.contains(&"tc");
        assert_eq!(records(&read), usize::from(is_refused_key), "{what}: {read:?}");
        assert_eq!(read.flags.contains(&"tc"), what.contains("too long"), "{what}");
        // Questions are echoed with their letter case.
        if octets.len() > 12 {
            let end = 12 + octets[12..].iter().position(|octet| *octet == 0).expect("a root") + 5;
            assert_eq!(reply[12..end], octets[12..end], "{what}");
        }
        assert_eq!(
            ask(&world.snapshot, &reply, client.address, 0).0.disposition,
            Disposition::Silence,
            "{what}"
        );
    }
}
