//! Messages from clients, and their classification.

use super::*;

fn message(flags: u16, counts: [u16; 4], body: &[u8]) -> Vec<u8> {
    let mut packet = vec![0x12, 0x34];
    packet.extend(flags.to_be_bytes());
    for count in counts {
        packet.extend(count.to_be_bytes());
    }
    packet.extend(body);
    packet
}

const WWW: &[u8] = b"\x03WwW\x07example\0\0\x01\0\x01";
const OPT: &[u8] = &[0, 0, 41, 4, 208, 0, 0, 0, 0, 0, 0];

#[derive(Debug, PartialEq)]
enum Is {
    Query,
    Reject(Rcode),
    CookieOnly,
    Silence,
}

fn kind(packet: &[u8]) -> Is {
    match parse(packet, &mut Query::default()) {
        Parsed::Query => Is::Query,
        Parsed::Reject(r) => Is::Reject(r.rcode),
        Parsed::CookieOnly(_) => Is::CookieOnly,
        Parsed::Silence => Is::Silence,
    }
}

#[test]
fn each_message_is_what_it_is() {
    let join = |parts: &[&[u8]]| parts.concat();
    let bad_version: &[u8] = &[0, 0, 41, 4, 208, 0, 1, 0, 0, 0, 0];
    let owned_opt: &[u8] = &[1, b'a', 0, 0, 41, 4, 208, 0, 0, 0, 0, 0, 0];
    let cookie: &[u8] = &[0, 0, 41, 4, 208, 0, 0, 0, 0, 0, 12, 0, 10, 0, 8, 1, 2, 3, 4, 5, 6, 7, 8];
    let no_tsig: &[u8] = &[0, 0, 250, 0, 255, 0, 0, 0, 0, 0, 0];
    let tsig: &[u8] = &[&no_tsig[..9], &[0, 17], &[0; 17]].concat();
    let sig: &[u8] = &[0, 0, 24, 0, 255, 0, 0, 0, 0, 0, 0];
    let rows: Vec<(&str, Vec<u8>, Is)> = vec![
        ("a plain query", message(0x0100, [1, 0, 0, 0], WWW), Is::Query),
        ("a query with OPT", message(0, [1, 0, 0, 1], &join(&[WWW, OPT])), Is::Query),
        ("nothing", vec![], Is::Silence),
        ("half a header", vec![0; 11], Is::Silence),
        ("a response", message(0x8000, [1, 0, 0, 0], WWW), Is::Silence),
        ("a response with an error inside", message(0x8000, [9, 0, 0, 0], &[]), Is::Silence),
        ("no question", message(0, [0, 0, 0, 0], &[]), Is::Reject(Rcode::FORMERR)),
        ("no question but a cookie", message(0, [0, 0, 0, 1], cookie), Is::CookieOnly),
        ("no question but OPT", message(0, [0, 0, 0, 1], OPT), Is::Reject(Rcode::FORMERR)),
        (
            "no question, a cookie and more",
            message(0, [0, 0, 0, 2], &join(&[cookie, OPT])),
            Is::Reject(Rcode::FORMERR),
        ),
        (
            "no question, and octets behind the cookie",
            message(0, [0, 0, 0, 1], &join(&[cookie, &[0]])),
            Is::Reject(Rcode::FORMERR),
        ),
        ("a cookie with a status request", message(0x1000, [0, 0, 0, 1], cookie), Is::Reject(Rcode::NOTIMP)),
        ("two questions", message(0, [2, 0, 0, 0], &join(&[WWW, WWW])), Is::Reject(Rcode::FORMERR)),
        ("65535 questions", message(0, [65535, 0, 0, 0], &[]), Is::Silence),
        ("65535 answers", message(0, [1, 65535, 0, 0], WWW), Is::Silence),
        ("three records too many", message(0, [1, 3, 0, 0], WWW), Is::Reject(Rcode::FORMERR)),
        ("a line of text", b"GET / HTTP/1.1\r\n\r\n".to_vec(), Is::Silence),
        ("lines of nothing", [b'\n'; 5_000].to_vec(), Is::Silence),
        ("a question cut short", message(0, [1, 0, 0, 0], &WWW[..9]), Is::Reject(Rcode::FORMERR)),
        ("a question without class", message(0, [1, 0, 0, 0], &WWW[..15]), Is::Reject(Rcode::FORMERR)),
        (
            "a compressed question",
            message(0, [1, 0, 0, 0], &[0xc0, 12, 0, 1, 0, 1]),
            Is::Reject(Rcode::FORMERR),
        ),
        (
            "octets behind the message",
            message(0, [1, 0, 0, 0], &join(&[WWW, &[0]])),
            Is::Reject(Rcode::FORMERR),
        ),
        ("two OPT", message(0, [1, 0, 0, 2], &join(&[WWW, OPT, OPT])), Is::Reject(Rcode::FORMERR)),
        (
            "an OPT with an owner",
            message(0, [1, 0, 0, 1], &join(&[WWW, owned_opt])),
            Is::Reject(Rcode::FORMERR),
        ),
        (
            "an OPT among the answers",
            message(0, [1, 1, 0, 0], &join(&[WWW, OPT])),
            Is::Reject(Rcode::FORMERR),
        ),
        ("an OPT that is announced but absent", message(0, [1, 0, 0, 1], WWW), Is::Reject(Rcode::FORMERR)),
        ("EDNS version 1", message(0, [1, 0, 0, 1], &join(&[WWW, bad_version])), Is::Reject(Rcode::BADVERS)),
        // Independent of the opcode.
        (
            "a STATUS with EDNS version 1",
            message(2 << 11, [0, 0, 0, 1], bad_version),
            Is::Reject(Rcode::BADVERS),
        ),
        (
            "an UPDATE of nothing with EDNS version 1",
            message(5 << 11, [0, 0, 0, 1], bad_version),
            Is::Reject(Rcode::BADVERS),
        ),
        (
            "a STATUS with EDNS version 1 and octets behind it",
            message(2 << 11, [0, 0, 0, 1], &join(&[bad_version, &[0]])),
            Is::Reject(Rcode::NOTIMP),
        ),
        ("a signed message", message(0, [1, 0, 0, 1], &join(&[WWW, tsig])), Is::Reject(Rcode::NOTAUTH)),
        ("a signed STATUS", message(2 << 11, [1, 0, 0, 1], &join(&[WWW, tsig])), Is::Reject(Rcode::NOTAUTH)),
        ("half a signature", message(0, [1, 0, 0, 1], &join(&[WWW, no_tsig])), Is::Reject(Rcode::FORMERR)),
        ("two signatures", message(0, [1, 0, 0, 2], &join(&[WWW, tsig, tsig])), Is::Reject(Rcode::FORMERR)),
        ("a signature first", message(0, [1, 0, 0, 2], &join(&[WWW, tsig, OPT])), Is::Reject(Rcode::FORMERR)),
        (
            "a signature among the answers",
            message(0, [1, 1, 0, 0], &join(&[WWW, tsig])),
            Is::Reject(Rcode::FORMERR),
        ),
        (
            "a signature in EDNS version 1",
            message(0, [1, 0, 0, 2], &join(&[WWW, bad_version, tsig])),
            Is::Reject(Rcode::BADVERS),
        ),
        ("a query with SIG(0)", message(0, [1, 0, 0, 1], &join(&[WWW, sig])), Is::Reject(Rcode::NOTIMP)),
        (
            "an UPDATE with SIG(0)",
            message(5 << 11, [1, 0, 0, 1], &join(&[WWW, sig])),
            Is::Reject(Rcode::REFUSED),
        ),
        ("a NOTIFY", message(4 << 11, [1, 0, 0, 0], WWW), Is::Reject(Rcode::NOTAUTH)),
        ("an UPDATE", message(5 << 11, [1, 0, 0, 0], WWW), Is::Reject(Rcode::REFUSED)),
        ("a STATUS", message(2 << 11, [1, 0, 0, 0], WWW), Is::Reject(Rcode::NOTIMP)),
        ("a NOTIFY cut short", message(4 << 11, [1, 0, 0, 0], &WWW[..15]), Is::Reject(Rcode::FORMERR)),
        ("a STATUS cut short", message(2 << 11, [1, 0, 0, 0], &WWW[..15]), Is::Reject(Rcode::NOTIMP)),
        (
            "octets behind a NOTIFY",
            message(4 << 11, [1, 0, 0, 0], &join(&[WWW, &[0]])),
            Is::Reject(Rcode::FORMERR),
        ),
        // An UPDATE counts zones in place of questions (RFC 2136 section 3.1.1).
        ("an UPDATE with many zones", message(5 << 11, [7, 0, 0, 0], WWW), Is::Reject(Rcode::FORMERR)),
        ("an UPDATE without a zone", message(5 << 11, [0, 0, 0, 0], &[]), Is::Reject(Rcode::FORMERR)),
        ("a NOTIFY without a zone", message(4 << 11, [0, 0, 0, 0], &[]), Is::Reject(Rcode::FORMERR)),
        ("a STATUS without a question", message(2 << 11, [0, 0, 0, 0], &[]), Is::Reject(Rcode::NOTIMP)),
    ];
    for (what, packet, is) in rows {
        assert_eq!(kind(&packet), is, "{what}");
    }
}

#[test]
fn names_are_lowered_and_cut_at_labels() {
    let name = QueryName::parse(b"\x03WwW\x07Example\0").unwrap();
    assert_eq!(name.wire(), b"\x03www\x07example\0");
    assert_eq!(name.labels(), 2);
    assert_eq!(name.suffix(1), b"\x07example\0");
    assert_eq!(name.suffix(2), b"\0");
    assert_eq!(name.suffix(9), b"\0");
    assert_eq!(QueryName::parse(b"\0").unwrap().labels(), 0);
    let key = NameKey::of_process();
    // A name of whole words, and one with some octets more; from each label on.
    for wire in
        [&b"\x06AbCdEf\x07example\0"[..], b"\x03WwW\x07Example\0", b"\x10sixteen-octets--\x01A\0", b"\0"]
    {
        let name = QueryName::parse(wire).unwrap();
        for skip in 0..=name.labels() {
            assert_eq!(
                name.hash_whole(&key, skip),
                key.whole(name.suffix(skip)),
                "{name:?} without {skip} labels"
            );
        }
    }
}

#[test]
fn the_longest_name_is_read_and_one_octet_more_is_not() {
    let mut longest: Vec<u8> = [&[1u8, b'a'][..]; 127].concat();
    longest.push(0);
    assert_eq!(longest.len(), 255);
    assert_eq!(QueryName::parse(&longest).unwrap().labels(), 127);
    let mut longer = longest.clone();
    longer.splice(0..1, [2, b'b']);
    assert!(QueryName::parse(&longer).is_none());
}

/// Every request with an OPT gets one back, in errors too (RFC 6891 section 6.1.1).
#[test]
fn an_error_without_a_question_keeps_the_opt() {
    let join = |parts: &[&[u8]]| parts.concat();
    let tsig: &[u8] = &[0, 0, 250, 0, 255, 0, 0, 0, 0, 0, 0];
    let rows: Vec<(&str, Vec<u8>, bool)> = vec![
        ("no question", message(0, [0, 0, 0, 1], OPT), true),
        ("no question, and octets behind the OPT", message(0, [0, 0, 0, 1], &join(&[OPT, &[0]])), true),
        ("no question, two OPT", message(0, [0, 0, 0, 2], &join(&[OPT, OPT])), true),
        ("no question, a signature", message(0, [0, 0, 0, 2], &join(&[OPT, tsig])), true),
        ("two questions", message(0, [2, 0, 0, 1], &join(&[WWW, WWW, OPT])), true),
        ("two questions, one of them there", message(0, [2, 0, 0, 1], &join(&[WWW, OPT])), false),
        ("an opcode without a question", message(0x1000, [0, 0, 0, 1], OPT), true),
        ("an opcode with two questions", message(0x1000, [2, 0, 0, 1], &join(&[WWW, WWW, OPT])), true),
        ("no OPT", message(0, [0, 0, 0, 0], &[]), false),
        ("an OPT that is announced but absent", message(0, [0, 0, 0, 1], &[]), false),
        (
            "a question that cannot be read",
            message(0, [1, 0, 0, 1], &join(&[b"\xc0\x0c\0\x01\0\x01", OPT])),
            true,
        ),
        (
            "a NOTIFY that cannot be read",
            message(0x2000, [1, 0, 0, 1], &join(&[b"\xc0\x0c\0\x06\0\x01", OPT])),
            true,
        ),
    ];
    for (what, packet, has_opt) in rows {
        let mut query = Query::default();
        let Parsed::Reject(reject) = parse(&packet, &mut query) else { panic!("{what}") };
        assert_eq!(reject.edns.is_some(), has_opt, "{what}");
        assert_eq!(reject.question.octets(), b"", "{what}");
    }
    let bad_version: &[u8] = &[0, 0, 41, 4, 208, 0, 1, 0, 0, 0, 0];
    assert_eq!(kind(&message(0, [0, 0, 0, 1], bad_version)), Is::Reject(Rcode::BADVERS));
}

#[test]
fn a_reject_keeps_question_and_opt() {
    let dirty = [0u8, 0, 41, 4, 208, 0, 0, 0, 0, 0, 11, 0, 8, 0, 7, 0, 1, 20, 0, 192, 0, 0xff];
    let packet = message(0x0100, [1, 0, 0, 1], &[WWW, &dirty].concat());
    let mut query = Query::default();
    let Parsed::Reject(reject) = parse(&packet, &mut query) else { panic!("dirty bits must be refused") };
    assert_eq!(reject.rcode, Rcode::FORMERR);
    assert_eq!(reject.question.octets(), WWW);
    assert!(reject.edns.is_some_and(|e| e.payload == 1232 && e.subnet.is_none()));
    assert_eq!(reject.head, 0x1234_0100);
}
