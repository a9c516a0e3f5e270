//! Behind a real dnsdist: its clients get the answers that are theirs, over UDP and TCP, and over
//! TLS to us, where it sends the header inside.

use super::*;
use std::process::Command;
use std::time::Duration;
use support::free_port::free_port;
use support::program::{Process, installed, until};

/// A dnsdist in front of a backend, with further settings of it. It answers when this returns.
fn dnsdist(deployment: &Deployment, backend: SocketAddr, more: &str) -> Option<(Process, SocketAddr)> {
    let Some(program) = installed("dnsdist") else {
        println!("skipped: dnsdist is not installed");
        return None;
    };
    for attempt in 0..5 {
        let address = SocketAddr::from(([127, 0, 0, 1], free_port()));
        let name = format!("dnsdist-{}-{attempt}.conf", backend.port());
        deployment.write(
            &name,
            &format!(
                "setSecurityPollSuffix('')\nsetLocal('{address}')\nnewServer{{address='{backend}', \
                 source='127.1.9.1', useProxyProtocol=true, checkName='www.cdn.example.', \
                 checkInterval=1{more}}}\n"
            ),
        );
        let mut command = Command::new(&program);
        command.arg("-C").arg(deployment.path(&name)).args(["--supervised", "--disable-syslog"]);
        let mut process = Process::start(command);
        let socket = udp(2);
        socket.set_read_timeout(Some(Duration::from_millis(200))).expect("a time-out can be set");
        let answers = until("an answer, or the end of dnsdist", 2 * PATIENCE, || {
            socket.send_to(&www(1), address).expect("sent");
            let length = socket.recv(&mut [0; 512]).ok();
            let is_answered = length.map(|_| true);
            // Another program may have taken the port.
            is_answered.or_else(|| process.status().map(|_| false))
        });
        if answers {
            return Some((process, address));
        }
    }
    panic!("dnsdist did not start on five ports");
}

/// Asks from the east and the west, over UDP and TCP. Answers to earlier attempts may come late.
fn answers_differ(front: SocketAddr) {
    for (number, expected) in [(1, EAST), (2, WEST), (1, EAST)] {
        let answer = ask_from(&udp(number), front, &www(7));
        assert_eq!(address_of(&answer), expected, "UDP from 127.1.{number}.1");
        let mut stream = connect_from(number, front);
        for id in [8, 9] {
            let answer = ask(&mut stream, &www(id)).expect("an answer");
            assert_eq!(
                (decode(&answer).0, &*address_of(&answer)),
                (id, expected),
                "TCP from 127.1.{number}.1"
            );
        }
    }
}

#[test]
fn dnsdist_names_its_clients() {
    let (deployment, _) = deployment("", LISTED);
    let server = deployment.start(Engine::Fast);
    let Some((process, front)) = dnsdist(&deployment, server.dns()[0], "") else { return };
    answers_differ(front);
    assert!(headers(&server, Transport::Udp) > 3 && headers(&server, Transport::Tcp) >= 2);
    no_header_was_faulty(&server);
    // Without the list, its headers are not believed, and its clients get nothing.
    deployment.edit("meridian.yaml", |text| text.replace(LISTED, ""));
    assert!(reload(&server).published);
    let silence = dropped(&server, Transport::Udp, Dropped::Silence);
    until_so("its checks are not answered", || dropped(&server, Transport::Udp, Dropped::Silence) > silence);
    drop(process);
    server.stop();
}

#[test]
fn dnsdist_names_its_clients_over_tls() {
    let (deployment, pair) = deployment("", LISTED);
    let server = deployment.start(Engine::Fast);
    deployment.write("ca.pem", &pair.certificate);
    let tls = format!(
        ", tls='openssl', subjectName='dns.example', validateCertificates=true, caStore='{}'",
        deployment.path("ca.pem").display()
    );
    let Some((_process, front)) = dnsdist(&deployment, dot(&server), &tls) else { return };
    answers_differ(front);
    assert!(headers(&server, Transport::Dot) >= 4);
    assert_eq!(headers(&server, Transport::Udp) + headers(&server, Transport::Tcp), 0);
    no_header_was_faulty(&server);
    server.stop();
}
