//! A hundred SIGHUPs while clients ask without a pause: no query is lost, every answer is one that
//! the files of that moment or of the moment before would give.

use crate::support::deployment::sample::Sample;
use crate::support::deployment::*;
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

const SIGHUPS: u32 = 100;
const CLIENTS: usize = 3;

struct Process {
    child: Child,
    dns: SocketAddr,
}

impl Process {
    fn start(sample: &Sample) -> Process {
        let mut child = Command::new(env!("CARGO_BIN_EXE_meridian"))
            .args(["serve", "--config", sample.path("meridian.yaml").to_str().expect("text")])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the program runs");
        let (dns, _) = banner(child.stdout.take().expect("piped"));
        Process { child, dns }
    }

    fn hup(&self) {
        let status = Command::new("sh")
            .args(["-c", &format!("kill -HUP {}", self.child.id())])
            .status()
            .expect("a shell");
        assert!(status.success());
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A query whose ECS says New York, so that the answer depends on `iad` being in service.
fn from_new_york(id: u16) -> Vec<u8> {
    let mut packet = query(id, "video.edge.cdn.example", 1);
    packet.extend([0, 0, 41, 4, 208, 0, 0, 0, 0, 0, 11, 0, 8, 0, 7, 0, 1, 24, 0, 198, 51, 100]);
    packet[11] = 1;
    packet
}

/// Asks once. A query without an answer within the socket's patience is a lost one.
fn addresses(socket: &std::net::UdpSocket, server: SocketAddr, id: u16) -> BTreeSet<String> {
    socket.send_to(&from_new_york(id), server).expect("the client sends");
    let mut reply = [0; 1500];
    let (length, _) = socket.recv_from(&mut reply).unwrap_or_else(|e| panic!("query {id} is lost: {e}"));
    let (answered, rcode, addresses) = decode(&reply[..length]);
    assert_eq!((answered, rcode), (id, 0));
    addresses.into_iter().collect()
}

#[test]
fn nothing_is_lost_and_nothing_is_wrong() {
    let sample = Sample::new(&["127.0.0.1:0"]);
    let process = Process::start(&sample);
    let socket = client(process.dns);
    let with_iad = addresses(&socket, process.dns, 1);
    let switch = |to: &str| {
        sample.edit("pops.yaml", |text| {
            let (head, tail) = text.split_once("\n  iad:").expect("the sample has iad");
            let (name, rest) = tail.split_once('\n').expect("lines");
            let rest = rest.strip_prefix("    state: down\n").unwrap_or(rest);
            let state = if to == "down" { "    state: down\n" } else { "" };
            format!("{head}\n  iad:{name}\n{state}{rest}")
        });
    };
    switch("down");
    process.hup();
    let end = Instant::now() + PATIENCE;
    let without_iad = loop {
        let now = addresses(&socket, process.dns, 2);
        if now != with_iad {
            break now;
        }
        assert!(Instant::now() < end, "the first SIGHUP took effect");
    };
    assert!(!without_iad.is_empty() && without_iad.is_disjoint(&with_iad));

    let (stop, asked, dns) = (AtomicBool::new(false), AtomicU64::new(0), process.dns);
    let mut slowest = Duration::ZERO;
    std::thread::scope(|scope| {
        for _ in 0..CLIENTS {
            scope.spawn(|| {
                // Whatever ends this client, the others must not wait for it.
                let _bell = Bell(&stop);
                let socket = client(dns);
                let mut id = 0u16;
                while !stop.load(Ordering::Relaxed) {
                    id = id.wrapping_add(1);
                    let now = addresses(&socket, dns, id);
                    assert!(now == with_iad || now == without_iad, "a wrong answer: {now:?}");
                    asked.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        let _bell = Bell(&stop);
        let mut expected = &with_iad;
        for _ in 0..SIGHUPS {
            switch(if expected == &with_iad { "auto" } else { "down" });
            let begun = Instant::now();
            process.hup();
            // The next SIGHUP goes out when this one is seen to have worked.
            while addresses(&socket, dns, 3) != *expected {
                assert!(begun.elapsed() < PATIENCE, "a SIGHUP had no effect");
                assert!(!stop.load(Ordering::Relaxed), "a client failed");
            }
            slowest = slowest.max(begun.elapsed());
            expected = if expected == &with_iad { &without_iad } else { &with_iad };
        }
    });
    println!("{SIGHUPS} SIGHUPs, {} queries, slowest change {slowest:?}", asked.load(Ordering::Relaxed));
    assert!(asked.load(Ordering::Relaxed) > u64::from(SIGHUPS), "clients asked while files changed");
}

/// Stops all clients when dropped, also by a panic.
struct Bell<'a>(&'a AtomicBool);

impl Drop for Bell<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}
