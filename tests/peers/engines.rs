//! Both engines, given the same questions, give answers that decode to the same header and
//! sections.
//!
//! The decoder is neither engine's own. Order within a section is aside: addresses come in a drawn
//! order. The exceptions are those that the portable engine's module lists: messages that hickory
//! cannot decode and answers itself.

use meridian::testing::server::Engine;
use support::deployment::*;
use support::reply::Reply;

const NAMES: &[&str] = &[
    "www.shop.example",
    "WwW.ShOp.ExAmPlE",
    "shop.example",
    "media.example",
    "www.media.example",
    "cdn.example",
    "ns1.cdn.example",
    "x.cdn.example",
    "edge.cdn.example",
    "c42.edge.cdn.example",
    "a.b.edge.cdn.example",
    "api.edge.cdn.example",
    "video.edge.cdn.example",
    "missing.cdn.example",
    "deep.missing.cdn.example",
    "lab.cdn.example",
    "www.lab.cdn.example",
    "elsewhere.example",
    "net",
];
const TYPES: &[u16] = &[1, 2, 5, 6, 15, 16, 28, 43, 65, 255, 257, 65_280];

/// OPT records to send: what they are, and their octets.
fn opts(cookie: &[u8]) -> Vec<(&'static str, Option<Vec<u8>>)> {
    let opt = |version: u8, payload: u16, options: &[u8]| {
        let mut octets = vec![0, 0, 41];
        octets.extend(payload.to_be_bytes());
        octets.extend([0, version, 0, 0]);
        octets.extend((options.len() as u16).to_be_bytes());
        octets.extend(options);
        Some(octets)
    };
    vec![
        ("no OPT", None),
        ("plain", opt(0, 1232, &[])),
        ("512", opt(0, 512, &[])),
        ("large", opt(0, 4096, &[])),
        ("NSID", opt(0, 1232, &[0, 3, 0, 0])),
        ("a cookie", opt(0, 1232, &[&[0, 10, 0, 24], cookie].concat())),
        ("half a cookie", opt(0, 1232, &[0, 10, 0, 4, 1, 2, 3, 4])),
        ("keepalive", opt(0, 1232, &[0, 11, 0, 0])),
        ("padding", opt(0, 1232, &[0, 12, 0, 2, 0, 0])),
        ("zone version", opt(0, 1232, &[0, 19, 0, 0])),
        ("a zone version that is not empty", opt(0, 1232, &[0, 19, 0, 1, 0])),
        ("version 1", opt(1, 1232, &[])),
        ("ECS 198.51.100.0/24", opt(0, 1232, &[0, 8, 0, 7, 0, 1, 24, 0, 198, 51, 100])),
        ("ECS 8.8.0.0/16", opt(0, 1232, &[0, 8, 0, 6, 0, 1, 16, 0, 8, 8])),
        ("ECS 10.0.0.0/8", opt(0, 1232, &[0, 8, 0, 5, 0, 1, 8, 0, 10])),
        ("ECS 0.0.0.0/0", opt(0, 1232, &[0, 8, 0, 4, 0, 1, 0, 0])),
        ("ECS 2001:db8:3000::/36", opt(0, 1232, &[0, 8, 0, 9, 0, 2, 36, 0, 0x20, 1, 0x0d, 0xb8, 0x30])),
        ("ECS dirty", opt(0, 1232, &[0, 8, 0, 7, 0, 1, 20, 0, 198, 51, 0xff])),
    ]
}

/// What a client sees of a message.
fn seen(octets: &[u8]) -> Reply {
    Reply::of(octets).in_order()
}

#[test]
fn engines_agree() {
    let (fast_site, portable_site) =
        (Deployment::sample(&["127.0.0.1:0"]), Deployment::sample(&["127.0.0.1:0"]));
    for site in [&fast_site, &portable_site] {
        site.edit("meridian.yaml", |text| text + "cookies: { secrets: cookies.secrets }\n");
        std::fs::write(site.path("cookies.secrets"), "e5e973e5a6b2a43f48e7dc849e37bfcf\n")
            .expect("the folder is ours");
    }
    let (fast, portable) = (fast_site.start(Engine::Fast), portable_site.start(Engine::Hickory));
    let (fast_at, portable_at) = (fast.dns()[0], portable.dns()[0]);
    // A good cookie comes back as it is, whatever second it is.
    let cookie = cookie_of(&ask_udp(fast_at, &with_option(query(0, "cdn.example", 1), 10, &[7; 8])))
        .expect("a cookie");
    let mut id = 0u16;
    for name in NAMES {
        for &rtype in TYPES {
            for (what, opt) in opts(&cookie) {
                id = id.wrapping_add(1);
                let mut packet = query(id, name, rtype);
                packet[2] |= id as u8 & 1;
                if let Some(opt) = &opt {
                    packet.extend(opt);
                    packet[11] = 1;
                }
                let of_fast = ask_udp(fast_at, &packet);
                let of_portable = ask_udp(portable_at, &packet);
                assert_eq!(seen(&of_fast), seen(&of_portable), "{name} {rtype} {what} over UDP");
                // A tenth over TCP too: what differs there is framing, which is soon seen.
                if id.is_multiple_of(10) {
                    assert_eq!(
                        seen(&ask_tcp(fast_at, &packet)),
                        seen(&ask_tcp(portable_at, &packet)),
                        "{name} {rtype} {what} over TCP"
                    );
                }
            }
        }
    }
    // Opcodes other than QUERY, transfers.
    for (opcode, rtype) in [(1, 1), (2, 1), (4, 6), (5, 6), (6, 1), (0, 252), (0, 251)] {
        let packet = message(77, opcode, "cdn.example", rtype);
        assert_eq!(
            seen(&ask_udp(fast_at, &packet)),
            seen(&ask_udp(portable_at, &packet)),
            "opcode {opcode} type {rtype}"
        );
    }
}
