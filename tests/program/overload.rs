//! `overload`: a flood from many prefixes against one thread with a small buffer. The server sheds
//! strangers, says so, and ends it after the flood.

use meridian::testing::answer::Transport;
use meridian::testing::server::Engine;
use meridian::testing::shared::counters::Dropped;
use std::net::{SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::Scope;
use std::time::Duration;
use support::deployment::*;
use support::program::{until, until_so};

const A: u16 = 1;
/// Longest time until the server has seen a flood, or its end.
const LONG: Duration = Duration::from_secs(40);

fn client(source: &str, server: SocketAddr) -> UdpSocket {
    let socket = UdpSocket::bind((source, 0)).expect("an address of loopback");
    socket.connect(server).expect("loopback is reachable");
    socket.set_read_timeout(Some(Duration::from_millis(200))).expect("an option");
    socket
}

/// Number of answers to so many queries, asked one after another.
fn answers(client: &UdpSocket, name: &str, queries: u16) -> usize {
    let asked = (0..queries).filter(|id| {
        client.send(&query(*id, name, A)).expect("loopback takes it");
        client.recv(&mut [0; 1_500]).is_ok()
    });
    asked.count()
}

/// Queries for a name that does not exist, from 128 prefixes, until `is_over`.
fn flood<'scope>(scope: &'scope Scope<'scope, '_>, at: SocketAddr, is_over: &'scope AtomicBool) {
    for flooder in 1..=2 {
        let sockets = (0..64).map(move |host| format!("127.7{flooder}.{host}.1"));
        let sockets: Vec<UdpSocket> = sockets.map(|source| client(&source, at)).collect();
        scope.spawn(move || {
            let packet = query(7, "no.cdn.example", A);
            while !is_over.load(Ordering::Relaxed) {
                sockets.iter().for_each(|socket| drop(socket.send(&packet)));
            }
        });
    }
}

/// A server that knows no prefix when the flood begins goes on to learn: a client that gets some
/// answers keeps all of them later.
#[test]
fn a_server_that_knows_none_learns() {
    let keys = "  receive_buffer: 65536\noverload: { known_first: on, known_after: 1s }\n";
    let deployment = Deployment::new(&["127.0.0.1:0"], keys);
    let server = deployment.start(Engine::Fast);
    let at = server.dns()[0];
    let is_over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        flood(scope, at, &is_over);
        until("strangers are shed", LONG, || {
            deployment.run(&["limits"]).1.contains("all queries of 0 known prefixes pass").then_some(())
        });
        // Without waiting for an answer: of many queries enough are answered to be noted.
        let new = client("127.9.1.1", at);
        let packet = query(7, "www.cdn.example", A);
        until("the client is known and passes", 3 * LONG, || {
            (0..2_000).for_each(|_| drop(new.send(&packet)));
            deployment.run(&["limits"]).1.contains("all queries of 1 known prefixes pass").then_some(())
        });
        let patient = client("127.9.1.2", at);
        let kept = (0..10).map(|_| answers(&patient, "www.cdn.example", 50)).find(|answers| *answers >= 45);
        is_over.store(true, Ordering::Relaxed);
        assert!(kept.is_some());
    });
    server.stop();
}

/// The only client that was answered before is known, keeps its answers in the flood, and sources
/// of the flood do not become known. A client that a reload exempts passes too.
#[test]
fn known_clients_pass_first() {
    let keys = "  receive_buffer: 65536\noverload: { known_first: on, known_after: 1s }\n";
    let deployment = Deployment::new(&["127.0.0.1:0"], keys);
    let server = deployment.start(Engine::Fast);
    let at = server.dns()[0];
    let known = client("127.9.1.1", at);
    until("the client is known", LONG, || {
        answers(&known, "www.cdn.example", 200);
        deployment.run(&["limits"]).1.contains("overload: 1 known prefixes; nothing is shed").then_some(())
    });
    let shed = || server.shared().counters.fold(Transport::Udp).dropped(Dropped::Shed);
    let is_over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        flood(scope, at, &is_over);
        until("strangers are shed", LONG, || (shed() > 0).then_some(()));
        deployment.events(|events| events.contains("\"kind\":\"overload_began\""));
        let kept = answers(&known, "www.cdn.example", 100);
        // A reload during the overload lets others pass.
        let exempt = client("127.8.2.1", at);
        deployment.edit("meridian.yaml", |text| {
            text + "rate_limit: { mode: log_only, per_second: 20, exempt: [127.8.2.0/24] }\n"
        });
        let reloaded = deployment.run(&["reload"]);
        let pass = (0..20).map(|_| answers(&exempt, "www.cdn.example", 50)).find(|answers| *answers >= 48);
        is_over.store(true, Ordering::Relaxed);
        assert!(kept >= 90, "{kept}");
        assert!(reloaded.0 == 0 && pass.is_some(), "{reloaded:?}");
    });
    until("the filter is gone", LONG, || {
        let page = deployment.page("/metrics").body;
        page.contains("\nmeridian_overload_share 1\n").then_some(())
    });
    until("the overload is over", LONG, || {
        let events = deployment.read("state/events.jsonl");
        events.contains("\"kind\":\"overload_ended\"").then_some(())
    });
    // Answers went to the exempt client alone meanwhile, and the table is young.
    let limits = deployment.run(&["limits"]).1;
    let known =
        limits.split_once("overload: ").and_then(|(_, rest)| rest.split_once(" known prefixes; nothing"));
    assert!(known.is_some_and(|(known, _)| matches!(known, "1" | "2")), "{limits}");
    // Strangers are answered as before.
    assert_eq!(answers(&client("127.8.1.1", at), "www.cdn.example", 20), 20);
    // A reload turns it off.
    deployment.edit("meridian.yaml", |text| text.replace("known_first: on", "known_first: off"));
    assert_eq!(deployment.run(&["reload"]).0, 0);
    until_so("it is off", || !deployment.run(&["limits"]).1.contains("overload:"));
    server.stop();
}
