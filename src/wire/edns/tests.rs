//! Tests of `edns`.

use super::*;

#[test]
fn options_are_read_or_refused() {
    let subnet = [0u8, 8, 0, 7, 0, 1, 24, 0, 192, 0, 2];
    let sent = [0u8, 10, 0, 8, 1, 2, 3, 4, 5, 6, 7, 8];
    assert!(Edns::parse(1232, 0x8000, &[]).is_ok_and(|e| e.dnssec_ok && e.payload == 1232));
    assert!(Edns::parse(1232, 0, &[0, 3, 0, 0]).is_ok_and(|e| e.nsid));
    assert_eq!(Edns::parse(1232, 0, &subnet).unwrap().subnet.unwrap().source(), 24);
    assert!(Edns::parse(1232, 0, &[subnet, subnet].concat()).is_err(), "two subnets");
    assert!(Edns::parse(1232, 0, &subnet[..9]).is_err(), "an option longer than the record");
    let (told, _) =
        Edns::parse(1232, 0, &[[0, 8, 0, 1, 7].as_slice(), &[0, 10, 0, 8, 1, 2, 3, 4, 5, 6, 7, 8]].concat())
            .unwrap_err();
    assert!(told.cookie.is_some() && told.subnet.is_none(), "the cookie behind a bad subnet");
    assert!(Edns::parse(1232, 0, &[0, 8]).is_err(), "half an option header");
    assert!(Edns::parse(1232, 0, &sent).is_ok_and(|e| e.cookie == cookie::CookieOption::parse(&sent[4..])));
    assert!(Edns::parse(1232, 0, &[0, 10, 0, 1, 1]).is_err(), "a cookie of one octet");
    let second = [&sent[..], &[0, 10, 0, 1, 1]].concat();
    assert!(
        Edns::parse(1232, 0, &second).is_ok_and(|e| e.cookie == cookie::CookieOption::parse(&sent[4..])),
        "the first of two cookies"
    );
    assert!(Edns::parse(1232, 0, &[0, 11, 0, 0]).is_ok_and(|e| e.keepalive && !e.padding));
    assert!(Edns::parse(1232, 0, &[0, 11, 0, 2, 0, 9]).is_ok_and(|e| !e.keepalive), "a time of a client");
    assert!(Edns::parse(1232, 0, &[0, 12, 0, 0]).is_ok_and(|e| e.padding && !e.keepalive));
    assert!(Edns::parse(1232, 0, &[0, 12, 0, 2, 7, 7]).is_ok_and(|e| e.padding));
    assert!(
        Edns::parse(1232, 1 << 16, &[9]).is_ok_and(|e| e.version == 1),
        "options of another version are not read"
    );
}

#[test]
fn a_response_has_the_length_it_promised() {
    let subnet = ClientSubnet::parse(&[0, 1, 24, 0, 192, 0, 2]).unwrap();
    let asked = Edns { asks: true, subnet: Some(subnet), nsid: true, ..Edns::new(4096, 0, true) };
    let options = ResponseOptions {
        asked: &asked,
        scope: 20,
        node: b"fra-ns1",
        cookie: Some(&[7; 24]),
        error: Some((20, "not ours")),
        keepalive: Some(100),
        padding: Some(5),
        zone_version: Some(ZoneVersion { labels: 3, serial: 2_026_112_701 }),
        rcode_high: 1,
        payload: 1232,
    };
    let mut out = [0xee; 128];
    let len = options.write(&mut out).expect("room");
    assert_eq!(len, options.len());
    assert_eq!(out[len], 0xee);
    assert_eq!(usize::from(u16::from_be_bytes([out[9], out[10]])), len - 11);
    assert_eq!(options.write(&mut out[..len - 1]), None);
    // The longest over UDP, field by field, so that a new option is considered.
    let asked = Edns {
        payload: 512,
        version: 0,
        dnssec_ok: true,
        asks: true,
        subnet: Some(ClientSubnet::host(std::net::Ipv6Addr::LOCALHOST.into())),
        nsid: true,
        keepalive: true,
        padding: true,
        zone_version: true,
        cookie: None,
    };
    let longest = ResponseOptions {
        asked: &asked,
        scope: 128,
        node: &[b'n'; NODE_NAME_MAX],
        cookie: Some(&[7; 24]),
        // No response with an address has one.
        error: None,
        // Only over streams.
        keepalive: None,
        // Only over encrypted ones.
        padding: None,
        zone_version: Some(ZoneVersion::default()),
        rcode_high: 0,
        payload: 1232,
    };
    let rest = HEADER_LEN + NAME_OCTETS_MAX + 4 + HEAD_LEN + 16;
    assert_eq!(rest + longest.len(), LONGEST_WITH_ADDRESS);
    // Each option alone, in a buffer that ends with it: label, the query's OPT, the response's
    // options, and their octets.
    let one_octet = ClientSubnet::parse(&[0, 1, 8, 0, 10]).unwrap();
    let plain = Edns { asks: true, ..Edns::new(4096, 0, true) };
    let bare = ResponseOptions {
        asked: &plain,
        cookie: None,
        error: None,
        keepalive: None,
        padding: None,
        zone_version: None,
        ..options
    };
    let with_node = Edns { nsid: true, ..plain };
    let with_subnet = Edns { subnet: Some(one_octet), ..plain };
    let cookie = [&[0, 10, 0, 24], &[7; 24][..]].concat();
    let none = Edns::new(4096, 0, true);
    let rows = [
        ("no options were sent", ResponseOptions { asked: &none, ..bare }, &[][..]),
        ("none that is answered", bare, &[]),
        (
            "a client subnet of one octet",
            ResponseOptions { asked: &with_subnet, ..bare },
            &[0, 8, 0, 5, 0, 1, 8, 20, 10],
        ),
        ("NSID", ResponseOptions { asked: &with_node, ..bare }, b"\0\x03\0\x07fra-ns1"),
        ("a cookie", ResponseOptions { cookie: Some(&[7; 24]), ..bare }, &cookie),
        ("a keepalive of 10 s", ResponseOptions { keepalive: Some(100), ..bare }, &[0, 11, 0, 2, 0, 100]),
        (
            "a zone version",
            ResponseOptions { zone_version: Some(ZoneVersion { labels: 2, serial: 7 }), ..bare },
            &[0, 19, 0, 6, 2, 0, 0, 0, 0, 7],
        ),
        ("padding of 3 octets", ResponseOptions { padding: Some(3), ..bare }, &[0, 12, 0, 3, 0, 0, 0]),
        ("padding of none", ResponseOptions { padding: Some(0), ..bare }, &[0, 12, 0, 0]),
        (
            "an extended error",
            ResponseOptions { error: Some((20, "no")), ..bare },
            &[0, 15, 0, 4, 0, 20, b'n', b'o'],
        ),
        (
            "an extended error alone",
            ResponseOptions { asked: &none, error: Some((20, "no")), ..bare },
            &[0, 15, 0, 4, 0, 20, b'n', b'o'],
        ),
    ];
    for (what, options, expected) in rows {
        let mut out = vec![0xee; options.len()];
        assert_eq!(options.write(&mut out), Some(out.len()), "{what}");
        let head = [0, 0, 41, 4, 208, 1, 0, 0x80, 0, 0, expected.len() as u8];
        assert_eq!(out, [&head[..], expected].concat(), "{what}");
        let short = out.len() - 1;
        assert_eq!(options.write(&mut out[..short]), None, "{what}");
    }
}
