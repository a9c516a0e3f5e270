//! Answers to slow-path messages, row by row, read by an independent decoder.

use super::*;
use domain::base::iana::Rcode;
use domain::base::opt::AllOptData;
use domain::base::{Message, Rtype};

const HEADER: usize = 12;

/// A message with one question `cdn.example. TYPE IN`.
fn message(opcode: u8, rtype: u16) -> Vec<u8> {
    let mut octets = vec![0x12, 0x34, opcode << 3 | 1, 0, 0, 1, 0, 0, 0, 0, 0, 0];
    octets.extend_from_slice(b"\x03CdN\x07eXample\0");
    octets.extend_from_slice(&rtype.to_be_bytes());
    octets.extend_from_slice(&[0, 1]);
    octets
}

fn with_additional(mut octets: Vec<u8>, record: &[u8]) -> Vec<u8> {
    octets[11] += 1;
    octets.extend_from_slice(record);
    octets
}

const OPT: &[u8] = &[0, 0, 41, 0x10, 0, 0, 0, 0, 0, 0, 0];
const OPT_VERSION_1: &[u8] = &[0, 0, 41, 0x10, 0, 0, 1, 0, 0, 0, 0];

fn tsig() -> Vec<u8> {
    let mut record = b"\x03key\0\x00\xfa\x00\xff\x00\x00\x00\x00".to_vec();
    let mut rdata = b"\x0bhmac-sha256\0".to_vec();
    rdata.extend_from_slice(&[0, 0, 0x65, 0, 0, 0, 1, 44, 0, 32]);
    rdata.extend_from_slice(&[7; 32]);
    rdata.extend_from_slice(&[0x12, 0x34, 0, 0, 0, 0]);
    record.extend_from_slice(&(rdata.len() as u16).to_be_bytes());
    record.extend(rdata);
    record
}

fn ask(octets: &[u8]) -> Option<Vec<u8>> {
    answer(octets, [192, 0, 2, 1].into(), &Secrets::new(&[[7; 16]]))
}

/// Each kind of slow-path message gets its response code. The reply repeats ID, opcode and question
/// (with its letter case), and has an OPT if the query has one.
#[test]
fn codes() {
    let rows = [
        ("AXFR", message(0, 252), Rcode::REFUSED),
        ("IXFR", message(0, 251), Rcode::REFUSED),
        ("MAILB", message(0, 253), Rcode::NOTIMP),
        ("NOTIFY", message(4, 6), Rcode::NOTAUTH),
        ("UPDATE", message(5, 6), Rcode::REFUSED),
        ("IQUERY", message(1, 1), Rcode::NOTIMP),
        ("STATUS", message(2, 1), Rcode::NOTIMP),
        ("AXFR with OPT", with_additional(message(0, 252), OPT), Rcode::REFUSED),
        ("NOTIFY with TSIG", with_additional(message(4, 6), &tsig()), Rcode::NOTAUTH),
    ];
    for (name, octets, code) in rows {
        let reply = ask(&octets).expect("an answer");
        let parsed = Message::from_octets(&reply[..]).expect("a message");
        assert_eq!(
            (parsed.header().id(), parsed.header().qr(), parsed.header().aa()),
            (0x1234, true, false),
            "{name}"
        );
        assert_eq!(parsed.header().opcode().to_int(), octets[2] >> 3, "{name}");
        assert_eq!(parsed.header().rcode(), code, "{name}");
        assert_eq!(reply[HEADER..HEADER + 13], octets[HEADER..HEADER + 13], "{name}: the question as asked");
        assert_eq!(parsed.opt().is_some(), name.contains("OPT"), "{name}");
        let signed =
            parsed.additional().expect("a section").flatten().any(|record| record.rtype() == Rtype::TSIG);
        assert_eq!(signed, name.contains("TSIG"), "{name}");
    }
}

/// The answer to an unknown key has the key name, BADKEY and no MAC.
#[test]
fn unknown_keys() {
    let reply = ask(&with_additional(message(4, 6), &tsig())).expect("an answer");
    let tail = &reply[reply.len() - 8..];
    assert_eq!(tail, [0, 0, 0x12, 0x34, 0, 17, 0, 0], "MAC size, original ID, error BADKEY, other length");
}

/// BADVERS takes precedence over every opcode; the OPT carries the upper bits of the code.
#[test]
fn bad_version() {
    for opcode in 0..16 {
        let reply = ask(&with_additional(message(opcode, 252), OPT_VERSION_1)).expect("an answer");
        let parsed = Message::from_octets(&reply[..]).expect("a message");
        let opt = parsed.opt().expect("an OPT");
        let rcode = opt.rcode(parsed.header()).to_int();
        assert_eq!((opt.version(), rcode, opt.udp_payload_size()), (0, 16, 1232), "opcode {opcode}");
        assert_eq!(opt.opt().iter::<AllOptData<_, _>>().count(), 0);
    }
}

/// The slow path answers a cookie, but not in an unsupported EDNS version.
#[test]
fn cookies() {
    let opt =
        |version: u8| [&[0, 0, 41, 0x10, 0, 0, version, 0, 0, 0, 12, 0, 10, 0, 8][..], &[9; 8]].concat();
    for (version, cookies) in [(0, 1), (1, 0)] {
        let reply = ask(&with_additional(message(4, 6), &opt(version))).expect("an answer");
        let parsed = Message::from_octets(&reply[..]).expect("a message");
        let opt = parsed.opt().expect("an OPT");
        let options: Vec<_> =
            opt.opt().iter::<AllOptData<_, _>>().map(|option| option.expect("an option")).collect();
        assert_eq!(options.len(), cookies);
        for option in options {
            let AllOptData::Cookie(cookie) = option else { panic!("{option:?}") };
            assert_eq!(
                (cookie.client().into_octets(), cookie.server().map(|server| server.as_ref().len())),
                ([9; 8], Some(16))
            );
        }
    }
}

/// The reply to an undecodable message has an OPT if the OPT of the message was readable (RFC 6891
/// section 6.1.1), and for every opcode the same response code as the core gives.
#[test]
fn undecodable_messages() {
    // A name server whose name has more octets than its record.
    let bad: &[u8] = &[0, 0, 2, 0, 1, 0, 0, 0, 0, 0, 1, 9];
    for opcode in 0..16 {
        let code = if matches!(opcode, 0 | 4 | 5) { Rcode::FORMERR } else { Rcode::NOTIMP };
        let whole = message(opcode, 252);
        let rows = [
            (with_additional(whole.clone(), bad), false),
            (with_additional(with_additional(whole.clone(), bad), OPT), true),
            (with_additional(with_additional(whole.clone(), OPT), bad), true),
            (with_additional(with_additional(whole.clone(), OPT), OPT), true),
            (whole[..whole.len() - 1].to_vec(), false),
        ];
        for (octets, has_opt) in rows {
            let reply = ask(&octets).expect("an answer");
            let parsed = Message::from_octets(&reply[..]).expect("a message");
            assert_eq!((parsed.header().rcode(), parsed.header().opcode().to_int()), (code, opcode));
            assert_eq!(parsed.opt().is_some(), has_opt, "{octets:?}");
            assert_eq!(reply.len(), HEADER + if has_opt { OPT.len() } else { 0 });
        }
        // Without a question the core answers, with the same code.
        let mut none = message(opcode, 252)[..HEADER].to_vec();
        none[5] = 0;
        let mut query = crate::wire::query::Query::default();
        let crate::wire::query::Parsed::Reject(reject) = crate::wire::query::parse(&none, &mut query) else {
            panic!("opcode {opcode}")
        };
        assert_eq!(reject.rcode.0, u16::from(code.to_int()), "opcode {opcode}");
        assert_eq!(ask(&none).map(|reply| reply[3]), Some(code.to_int()), "opcode {opcode}");
    }
}

/// Undecodable messages and messages without exactly one question get a bare header. Responses and
/// partial headers get no reply. No truncation of a message causes a panic.
#[test]
fn odd_messages() {
    let mut many = message(0, 252);
    many[4..6].copy_from_slice(&[0xff, 0xff]);
    assert_eq!(ask(&many).map(|reply| (reply.len(), reply[3])), Some((12, 1)));
    let mut session = message(6, 1);
    session[5] = 0;
    assert_eq!(
        ask(&session).map(|reply| (reply.len(), reply[2], reply[3])),
        Some((12, 0x80 | 6 << 3 | 1, 4))
    );
    let mut response = message(4, 6);
    response[2] |= 0x80;
    assert_eq!(ask(&response), None);
    let whole = with_additional(message(4, 6), &tsig());
    for length in 0..whole.len() {
        let reply = ask(&whole[..length]);
        assert_eq!(reply.is_none(), length < HEADER, "cut to {length}");
    }
}
