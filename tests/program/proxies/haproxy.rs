//! Behind a real HAProxy, which carries connections: its clients get the answers that are theirs,
//! over TCP and TLS, with its header in clear before the handshake.

use super::*;
use std::process::Command;
use support::free_port::free_port;
use support::program::{Process, installed, until};

/// A HAProxy with three fronts: TCP, TLS of the client carried through, and TLS of its own to us.
fn haproxy(deployment: &Deployment, server: &Server) -> Option<(Process, [SocketAddr; 3])> {
    let Some(program) = installed("haproxy") else {
        println!("skipped: haproxy is not installed");
        return None;
    };
    let ca = deployment.path("ca.pem");
    let secure = format!("ssl verify required ca-file {} sni str(dns.example)", ca.display());
    let backends = [(server.dns()[0], ""), (dot(server), ""), (dot(server), &*secure)];
    for attempt in 0..5 {
        let fronts = backends.map(|_| SocketAddr::from(([127, 0, 0, 1], free_port())));
        let mut text =
            "defaults\n  mode tcp\n  timeout connect 5s\n  timeout client 10s\n  timeout server 10s\n"
                .to_owned();
        for (number, ((backend, more), front)) in backends.iter().zip(fronts).enumerate() {
            text += &format!(
                "listen front{number}\n  bind {front}\n  server s{number} {backend} source 127.1.9.1 \
                 send-proxy-v2 check inter 200ms {more}\n"
            );
        }
        let name = format!("haproxy-{attempt}.cfg");
        deployment.write(&name, &text);
        let mut command = Command::new(&program);
        command.arg("-f").arg(deployment.path(&name)).arg("-db");
        let mut process = Process::start(command);
        let last = fronts[2];
        // Another program may have taken a port.
        let starts = until("a connection, or the end of HAProxy", PATIENCE, || {
            let is_open = try_connect_from(2, last).ok().map(|_| true);
            is_open.or_else(|| process.status().map(|_| false))
        });
        if starts {
            return Some((process, fronts));
        }
    }
    panic!("HAProxy did not start on five times three ports");
}

#[test]
fn haproxy_names_its_clients() {
    let (deployment, pair) = deployment("", LISTED);
    let server = deployment.start(Engine::Fast);
    deployment.write("ca.pem", &pair.certificate);
    let Some((_process, [tcp, through, own])) = haproxy(&deployment, &server) else { return };
    let config = certificate::client(&[&pair], ALL_VERSIONS, &["dot"]);
    for (number, expected) in [(1, EAST), (2, WEST), (1, EAST)] {
        let mut tcp = connect_from(number, tcp);
        let mut through = secure(&config, connect_from(number, through)).expect("a handshake");
        let mut own = connect_from(number, own);
        for id in 1..=3 {
            for answer in [ask(&mut tcp, &www(id)), ask(&mut through, &www(id)), ask(&mut own, &www(id))] {
                let answer = answer.expect("an answer");
                assert_eq!((decode(&answer).0, &*address_of(&answer)), (id, expected), "from {number}");
            }
        }
    }
    // Its checks name no client.
    until_so("checks have headers", || headers(&server, Transport::Tcp) > 10);
    assert!(headers(&server, Transport::Dot) >= 6);
    no_header_was_faulty(&server);
    server.stop();
}
