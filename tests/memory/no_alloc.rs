//! Law 6, one half: answering allocates nothing. Every kind of query is answered under an allocator
//! that counts.

use crate::calls;
use meridian::testing::answer::{Client, Disposition, QueryContext, Transport, respond};
use meridian::testing::geo::prefix::Prefix;
use meridian::testing::shared::counters::CounterBlock;
use meridian::testing::wire::rr::{Rcode, RrType};
use support::{EPOCH_SECS, Tree, load, query, with_down};

/// The count counts.
#[test]
fn the_allocator_counts() {
    let before = calls();
    drop(std::hint::black_box(Box::new(1)));
    assert_eq!(calls() - before, 2);
}

#[test]
fn answering_allocates_nothing() {
    let forty: Vec<String> = (0..60).map(|n| format!("203.0.113.{n}")).collect();
    let zone = Tree::sample().text("zones/cdn.example.yaml").replace(
        "records:\n",
        &format!(
            "records:\n  many: {{ A: [{}] }}\n  aa: {{ CNAME: bb }}\n  bb: {{ CNAME: cc }}\n  cc: {{ \
            CNAME: x }}\n",
            forty.join(", ")
        ),
    );
    let policies =
        Tree::sample().text("policies.yaml").replace("when: { country: CU }", "when: { country: DE }");
    let strict = format!("{policies}\n  strict:\n    pops: [fra]\n    when_all_down: servfail\n");
    let zone = zone.replace("  x: {", "  strict: { steer: strict }\n  x: {");
    let tree = Tree::sample().with("zones/cdn.example.yaml", zone).with("policies.yaml", strict);
    let world = load(&tree).unwrap_or_else(|findings| panic!("{findings}"));
    let down = with_down(&world, &["fra"]);
    let v4 = Some(Prefix::new("198.51.100.0".parse().unwrap(), 24));
    let v6 = Some(Prefix::new("2001:db8:1000::".parse().unwrap(), 48));
    let german = Some(Prefix::new("192.0.2.0".parse().unwrap(), 24));
    let plain = |name: &str, rtype| {
        let mut packet = query(name, rtype, None);
        packet.truncate(packet.len() - 11);
        packet[11] = 0;
        packet
    };
    let chaos = {
        let mut packet = plain("id.server.", RrType::TXT);
        *packet.last_mut().unwrap() = 3;
        packet
    };
    let short = query("www.shop.example.", RrType::A, v4)[..40].to_vec();
    let mut dirty = query("www.shop.example.", RrType::A, v4);
    let last = dirty.len() - 4;
    dirty[last - 1] = 7; // a scope in a query
    let with_cookie = |octets: &[u8]| {
        let mut packet = query("status.cdn.example.", RrType::A, None);
        let option = [&[0, 10, 0, octets.len() as u8], octets].concat();
        *packet.last_mut().unwrap() = option.len() as u8;
        packet.extend(option);
        packet
    };
    let mut cookie_only = with_cookie(&[7; 24]);
    cookie_only.drain(12..12 + "status.cdn.example.".len() + 1 + 4);
    cookie_only[5] = 0;
    let mut version = query("www.shop.example.", RrType::A, None);
    let at = version.len() - 5;
    version[at] = 1;
    // Each row: what it is, the packet, the response code, and whether the answer is truncated.
    let rows = [
        ("static", plain("status.cdn.example.", RrType::A), Some((Rcode::NOERROR, false))),
        ("static with EDNS", query("cdn.example.", RrType::MX, None), Some((Rcode::NOERROR, false))),
        ("no such name", query("none.cdn.example.", RrType::A, v4), Some((Rcode::NXDOMAIN, false))),
        ("no such type", query("status.cdn.example.", RrType::AAAA, v4), Some((Rcode::NOERROR, false))),
        (
            "a referral with glue",
            query("www.lab.cdn.example.", RrType::A, None),
            Some((Rcode::NOERROR, false)),
        ),
        (
            "a chain over two zones with ECS",
            query("images.shop.example.", RrType::A, v4),
            Some((Rcode::NOERROR, false)),
        ),
        ("a long chain, IPv6", query("aa.cdn.example.", RrType::AAAA, v6), Some((Rcode::NOERROR, false))),
        ("steered by ECS", query("global.edge.cdn.example.", RrType::A, v4), Some((Rcode::NOERROR, false))),
        (
            "steered by resolver",
            plain("global.edge.cdn.example.", RrType::AAAA),
            Some((Rcode::NOERROR, false)),
        ),
        (
            "steered to a sole address by ECS",
            query("video.edge.cdn.example.", RrType::A, v4),
            Some((Rcode::NOERROR, false)),
        ),
        (
            "steered to a sole address by resolver",
            plain("video.edge.cdn.example.", RrType::A),
            Some((Rcode::NOERROR, false)),
        ),
        (
            "a chain to a sole address, IPv6",
            query("www.media.example.", RrType::AAAA, None),
            Some((Rcode::NOERROR, false)),
        ),
        ("steered by wildcard", query("c9.edge.cdn.example.", RrType::A, v6), Some((Rcode::NOERROR, false))),
        ("a CNAME by rule", query("www.shop.example.", RrType::A, german), Some((Rcode::NOERROR, false))),
        ("truncated", plain("many.cdn.example.", RrType::A), Some((Rcode::NOERROR, true))),
        ("any", query("cdn.example.", RrType::ANY, None), Some((Rcode::NOERROR, false))),
        ("not ours", query("www.elsewhere.test.", RrType::A, v4), Some((Rcode::REFUSED, false))),
        ("chaos", chaos, Some((Rcode::NOERROR, false))),
        ("cut short", short, Some((Rcode::FORMERR, false))),
        ("a client subnet with scope", dirty, Some((Rcode::FORMERR, false))),
        ("a client cookie", with_cookie(&[7; 8]), Some((Rcode::NOERROR, false))),
        ("a cookie of somebody else", with_cookie(&[7; 24]), Some((Rcode::NOERROR, false))),
        ("nothing but a cookie", cookie_only, Some((Rcode::BADCOOKIE, false))),
        ("another EDNS version", version, Some((Rcode::BADVERS, false))),
        ("no header", vec![1, 2, 3], None),
        ("a response", vec![0, 1, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0], None),
    ];
    let client = Client { address: "127.0.0.1".parse().unwrap(), transport: Transport::Udp };
    let mut out = vec![0; 65_535];
    // Counting is on the same path. The first load of a thread makes its place in the cell.
    let published = meridian::testing::shared::published::Published::new(world.snapshot.clone(), 1);
    let block = CounterBlock::single_writer(Transport::Udp, 0);
    drop(published.served());
    for (what, packet, expected) in &rows {
        for snapshot in [&world.snapshot, &down] {
            let before = calls();
            let outcome = respond(
                snapshot,
                packet,
                &client,
                QueryContext { draw: 9, epoch_secs: EPOCH_SECS },
                &mut out,
            );
            block.answered(&published.served(), &outcome);
            assert_eq!(calls() - before, 0, "{what}");
            let seen = matches!(outcome.disposition, Disposition::Send(_))
                .then_some((outcome.rcode, outcome.truncated));
            assert_eq!(seen, *expected, "{what}");
        }
    }
    // Nothing may be answered: the policy says so when its only PoP is down.
    let packet = query("strict.cdn.example.", RrType::A, v4);
    let before = calls();
    let outcome =
        respond(&down, &packet, &client, QueryContext { draw: 9, epoch_secs: EPOCH_SECS }, &mut out);
    assert_eq!((calls() - before, outcome.rcode), (0, Rcode::SERVFAIL));
}
