//! `listen.socket_affinity`: a query goes to the UDP thread on the core that received it.

use meridian::testing::finding::code;
use meridian::testing::server::{Engine, Options, Server};
use meridian::testing::sys::affinity;
use std::net::SocketAddr;
use std::sync::Arc;
use support::deployment::*;
use support::files::Tree;

const A: u16 = 1;
/// Queries from each core: many more than the turns that an idle thread makes meanwhile, which are
/// four a second.
const QUERIES: u16 = 512;

/// Turns of each UDP thread so far.
fn turns(server: &Server) -> Vec<u64> {
    server.shared().counters.worker_turns().map(|(_, turns)| turns).collect()
}

/// Asks from a core, each time from another port, and awaits each answer.
fn ask_from(core: u16, server: SocketAddr) {
    let asking = std::thread::spawn(move || {
        affinity::pin(core).expect("one of the cores that are allowed");
        for id in 0..QUERIES {
            let answer = decode(&ask_udp(server, &query(id, "www.cdn.example", A)));
            assert_eq!(answer, (id, 0, vec!["198.51.100.10".to_owned()]));
        }
    });
    asking.join().expect("each query is answered");
}

/// Over loopback, the core that sends a query receives it. So queries of one core reach one thread,
/// and those of the next core the next thread, at both addresses.
#[test]
fn the_receiving_core_answers() {
    let allowed = affinity::allowed().expect("the system has the list");
    let [first, second, ..] = allowed[..] else {
        println!("skipped: one core receives every query");
        return;
    };
    // Against the order of the cores, so that a place in the group is not the number of a core.
    let keys = format!("  cpus: [{second}, {first}]\n  socket_affinity: on\n");
    let deployment = Deployment::new(&["127.0.0.1:0", "[::1]:0"], &keys);
    let server = deployment.start(Engine::Fast);
    let banner = server.banner();
    assert!(banner.contains(&format!("on cores {second} {first} {second} {first} by the receiving core")));
    for (place, (address, core)) in [(0, second), (0, first), (1, second), (1, first)].iter().enumerate() {
        let before = turns(&server);
        ask_from(*core, server.dns()[*address]);
        let made: Vec<u64> =
            turns(&server).iter().zip(&before).map(|(after, before)| after - before).collect();
        for (thread, turns) in made.iter().enumerate() {
            let is_busy = *turns >= u64::from(QUERIES) / 2;
            assert_eq!(is_busy, thread == place, "core {core} at {}: {made:?}", server.dns()[*address]);
        }
    }
    server.stop();
}

/// Settings beside which the key has no effect are a warning of `serve` and of `check`; the server
/// answers all the same, and its banner says nothing of the key.
#[test]
fn a_key_without_effect_is_a_warning() {
    let core = affinity::allowed().expect("the system has the list")[0];
    let one_core = format!("  cpus: [{core}]\n");
    let rows = [
        ("threads: 1", "  cpus: auto\n", Engine::Fast, "there is one UDP thread per address"),
        ("threads: 2", "", Engine::Fast, "UDP threads are not bound to cores"),
        ("threads: 2", &one_core, Engine::Fast, "there are more UDP threads per address than cores"),
        ("threads: 2", "  cpus: auto\n", Engine::Hickory, "this engine has one UDP socket per address"),
    ];
    for (threads, keys, engine, why) in rows {
        let tree = Tree::small(&["127.0.0.1:0"], &format!("{keys}  socket_affinity: on\n"));
        let deployment = Deployment::of(&tree.replacing("meridian.yaml", "threads: 2", threads));
        let config = deployment.path("meridian.yaml");
        let server =
            Server::start(&Options { config, engine, log_dropped: Arc::default(), own_process: None })
                .unwrap_or_else(|refused| panic!("{:?}", refused.0));
        let found: Vec<String> = (server.findings().0.iter())
            .filter(|finding| finding.code == code::NO_SOCKET_AFFINITY)
            .map(|finding| finding.message.clone())
            .collect();
        assert_eq!(found, [format!("`listen.socket_affinity` has no effect: {why}")], "{keys}");
        assert!(!server.banner().contains("by the receiving core"), "{keys}");
        ask_from(core, server.dns()[0]);
        server.stop();
        if engine == Engine::Fast {
            let (status, _, told) = deployment.run(&["check"]);
            assert!(status == 0 && told.contains("warning[MRD0519]") && told.contains(why), "{told}");
        }
    }
}
