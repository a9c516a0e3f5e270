//! What a node knows goes on over a stop and a start: what was pushed last, who was ramping; and
//! what a PoP below its threshold means, for ramps and for the last good one.

use meridian::testing::geo::prefix::Prefix;
use meridian::testing::server::{Engine, Server};
use meridian::testing::wire::name::Name;
use meridian::testing::wire::rr::RrType;
use std::net::Ipv4Addr;
use std::time::Instant;
use support::deployment::*;
use support::program::until_seen;

/// Clients, each in a cell of its own.
const CLIENTS: u8 = 40;

/// PoP `a` with an address, `b` with four, in this order, each told by pushes alone.
fn two_pops(ramp: &str, policy: &str) -> Deployment {
    let deployment = Deployment::new(&["127.0.0.1:0"], "");
    deployment.write(
        "pops.yaml",
        &format!(
            "probes: {{ told: {{ push: {{}}, up_after: 1, down_after: 1 }} }}\npops:\n  \
             a: {{ addresses: [198.51.100.10], probe: told{ramp} }}\n  \
             b: {{ addresses: [198.51.100.20, 198.51.100.21, 198.51.100.22, 198.51.100.23], probe: \
             told{ramp} }}\n"
        ),
    );
    deployment.write(
        "zones/cdn.example.yaml",
        &format!(
            "zone: cdn.example.\nsoa: {{ mname: ns1, rname: hostmaster }}\nrecords:\n  \"@\": {{ NS: [ns1] \
             }}\n  ns1: {{ A: 192.0.2.53 }}\n  \
             www: {{ steer: web }}\npolicies:\n  web: {{ pops: [b, a], order: listed, panic: off{policy} }}\n"
        ),
    );
    deployment
}

/// How many of the clients are answered with `b`.
fn on_b(server: &Server) -> usize {
    let name = Name::parse("www.cdn.example.", None).expect("a name");
    let ask = |client: u8| {
        let subnet = Prefix::new(Ipv4Addr::new(11, client, 16, 0).into(), 24);
        let answer =
            ask_udp(server.dns()[0], &meridian::testing::explain::dig::query(&name, RrType::A, Some(subnet)));
        let addresses = decode(&answer).2;
        let address: Ipv4Addr = addresses.first().expect("never empty").parse().expect("an address");
        address.octets()[3] >= 20
    };
    (0..CLIENTS).filter(|client| ask(*client)).count()
}

/// Waits until so many are.
fn becomes(server: &Server, wanted: impl Fn(usize) -> bool) {
    until_seen("clients where they should be", PATIENCE, || {
        let count = on_b(server);
        if wanted(count) { Ok(()) } else { Err(format!("{count} clients are on b")) }
    });
}

const MOST_OF_B: [&str; 3] = ["198.51.100.20", "198.51.100.21", "198.51.100.22"];

/// The last push before a stop counts, however soon it comes behind another; and who ramps goes on
/// from where it was with the very first answer.
#[test]
fn the_last_word_before_a_stop_counts() {
    let deployment = two_pops(", ramp: 1h", "");
    let server = deployment.start(Engine::Fast);
    push(&server, "told", "a", &[], true);
    for up in [true, false, true, false] {
        push(&server, "told", "b", &[], up);
    }
    server.stop();
    let server = deployment.start(Engine::Fast);
    assert_eq!(on_b(&server), 0, "b was down");
    push(&server, "told", "b", &[], true);
    // An hour has 256 steps: none of them is over yet, or a few.
    becomes(&server, |clients| clients < usize::from(CLIENTS) / 4);
    server.stop();
    let server = deployment.start(Engine::Fast);
    assert!(on_b(&server) < usize::from(CLIENTS) / 4, "it comes back slowly, over the restart too");
    server.stop();
}

/// A PoP that fails since too few of its addresses are up ramps when they are back.
#[test]
fn who_was_below_the_threshold_ramps() {
    let deployment = two_pops(", ramp: 1h", "");
    let server = deployment.start(Engine::Fast);
    push(&server, "told", "a", &[], true);
    push(&server, "told", "b", &[], true);
    becomes(&server, |clients| clients == usize::from(CLIENTS));
    push(&server, "told", "b", &MOST_OF_B, false);
    becomes(&server, |clients| clients == 0);
    push(&server, "told", "b", &MOST_OF_B, true);
    // Nearly all of its cells are still away.
    becomes(&server, |_| {
        server.shared().operator_view.load().pops.iter().any(|pop| &*pop.name == "b" && pop.ramp_left > 200)
    });
    assert!(on_b(&server) < usize::from(CLIENTS) / 4, "{} of {CLIENTS} came at once", on_b(&server));
    server.stop();
}

/// Of two that failed, the one that failed last is the last good one, also where a part of its
/// addresses is up.
#[test]
fn the_last_good_one_failed_last() {
    let deployment = two_pops("", ", when_all_down: last_good");
    let server = deployment.start(Engine::Fast);
    push(&server, "told", "b", &[], true);
    push(&server, "told", "a", &[], false);
    // Another millisecond: who fails at one moment fails together.
    let begun = Instant::now();
    while begun.elapsed().as_millis() < 3 {
        std::hint::spin_loop();
    }
    push(&server, "told", "b", &MOST_OF_B, false);
    becomes(&server, |clients| clients == usize::from(CLIENTS));
    push(&server, "told", "a", &[], true);
    becomes(&server, |clients| clients == 0);
    server.stop();
}
