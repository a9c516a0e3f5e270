//! A flood of random subdomains at three times the capacity of a server that is held to a fifth of
//! a core: without limits, with the limit of denials of a zone, and with `overload`; and clients
//! that ask for names that exist, before the flood and in it.

use crate::group::Group;
use meridian::testing::sys::datagram::{Local, send_one};
use socket2::SockRef;
use std::collections::HashSet;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};
use support::deployment::{Deployment, query};
use support::machine::median;
use support::program::{Served, behind, meridian_over};
use support::report::Report;
use support::traffic;
use support::world::{Expected, Question};

/// Share of a core that the server has, in per cent.
const PERCENT: u32 = 20;
/// Length of a measurement.
const LOADED: Duration = Duration::from_secs(10);
/// Good clients: each asks in turn, together this share of the capacity.
const GOOD: usize = 50;
const GOOD_SHARE: f64 = 0.1;
/// Time for which good clients ask before the first flood, so that they are known.
const BEFORE: Duration = Duration::from_secs(8);

/// A server that is held to its share.
struct Held {
    // The group goes last, when its process has ended.
    served: Served,
    group: Group,
    _deployment: Deployment,
}

impl Held {
    fn start(keys: &str) -> Result<Held, String> {
        let deployment = Deployment::new(&["127.0.0.1:0"], keys);
        let meridian = meridian_over(&deployment.config(), &["serve"]);
        let served = Served::of(behind("exec taskset -c 0 \"$0\" \"$@\"", &meridian));
        let group =
            Group::hold(served.process.pid(), PERCENT).map_err(|error| format!("no control group: {error}"));
        Ok(Held { group: group?, served, _deployment: deployment })
    }
}

/// Keys with the limit of denials of a zone, and others that no client of the flood meets.
const LIMITED: &str = "rate_limit: { from_qps: 0, per_second: 10000, answers_per_name: 60000, \
    nxdomain: 10000, zone_nxdomain_per_second: 100 }\n";

/// Keys with which known clients pass an overload.
const KNOWN_FIRST: &str = "overload: { known_first: on, known_after: 2s }\n";

/// Measures the share of answers that good clients keep, for each set of keys.
pub fn measure(rounds: usize, report: &mut Report) {
    let mut capacity = None;
    let rows = [
        ("without a limit", ""),
        ("with the limit of denials", LIMITED),
        ("with known clients first", KNOWN_FIRST),
    ];
    for (word, keys) in rows {
        let held = match Held::start(keys) {
            Ok(held) => held,
            Err(why) => {
                report.skipped.push((format!("flood {word}"), why));
                continue;
            }
        };
        let at = held.served.dns;
        let capacity = *capacity.get_or_insert_with(|| capacity_of(at, rounds));
        ask(at, GOOD_SHARE * capacity, BEFORE);
        let shares: Vec<Kept> = (0..rounds).map(|_| round(at, capacity)).collect();
        let kept = median(shares.iter().map(|kept| kept.percent).collect());
        let flooded = median(shares.iter().map(|kept| kept.flooded).collect());
        report.facts.push((
            format!("flood {word}"),
            format!(
                "{capacity:.0} answers a second are the capacity, {flooded:.0} random subdomains a second \
                 came, {kept:.1} % of the answers of good clients were kept; throttled in {} periods",
                held.group.throttled()
            ),
        ));
        if keys == KNOWN_FIRST {
            report.at_least("answers that known clients keep in a flood, %", kept, 95.0);
            report.at_least("the flood, as a multiple of the capacity", flooded / capacity, 2.7);
        }
    }
}

/// Answers a second without a flood.
fn capacity_of(at: SocketAddr, rounds: usize) -> f64 {
    let good = [Question {
        packet: query(0, "www.cdn.example", 1),
        client: IpAddr::V4(Ipv4Addr::LOCALHOST),
        expected: Expected::Denial(0),
    }];
    median((0..rounds).map(|_| traffic::closed_loop(at, &good, LOADED / 2).per_second()).collect())
}

struct Kept {
    percent: f64,
    flooded: f64,
}

/// One flood, and the good clients in it.
fn round(server: SocketAddr, capacity: f64) -> Kept {
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        let flood = scope.spawn(|| flood(server, 3.0 * capacity, &is_over));
        // The flood begins first.
        thread::sleep(Duration::from_millis(500));
        let percent = ask(server, GOOD_SHARE * capacity, LOADED);
        is_over.store(true, Ordering::Relaxed);
        Kept { percent, flooded: flood.join().expect("the flood") }
    })
}

/// Sends queries for names that do not exist, each from another prefix. Returns the rate at which
/// the system took them.
fn flood(server: SocketAddr, rate: f64, is_over: &AtomicBool) -> f64 {
    let socket = UdpSocket::bind("0.0.0.0:0").expect("loopback has room");
    let began = Instant::now();
    let (mut sent, mut accepted) = (0u64, 0u64);
    while !is_over.load(Ordering::Relaxed) {
        let due = (began.elapsed().as_secs_f64() * rate) as u64;
        while sent < due {
            let mixed = sent.wrapping_mul(0x9e37_79b9_7f4a_7c15);
            let from = Ipv4Addr::new(127, 1 + (mixed >> 56) as u8 % 100, (mixed >> 48) as u8, 1);
            let packet = query(mixed as u16, &format!("x{mixed:x}.cdn.example"), 1);
            let local = Some(Local { address: from.into(), interface: 0 });
            accepted += u64::from(send_one(&socket, &packet, server, local).is_ok());
            sent += 1;
        }
        thread::sleep(Duration::from_micros(200));
    }
    accepted as f64 / began.elapsed().as_secs_f64()
}

/// Asks at a fixed rate from many clients for so long; the share of queries that have an answer, in
/// per cent.
fn ask(server: SocketAddr, rate: f64, length: Duration) -> f64 {
    let sockets: Vec<UdpSocket> = (0..GOOD)
        .map(|client| {
            let from = Ipv4Addr::new(127, 200, client as u8, 1);
            let socket = UdpSocket::bind((from, 0)).expect("loopback has room");
            socket.connect(server).expect("loopback is reachable");
            socket.set_nonblocking(true).expect("an option");
            let _ = SockRef::from(&socket).set_recv_buffer_size(1 << 20);
            socket
        })
        .collect();
    let (mut asked, mut answered) = (0_usize, HashSet::new());
    let mut buffer = [0; 1_500];
    let mut take = |answered: &mut HashSet<(usize, u16)>| {
        for (client, socket) in sockets.iter().enumerate() {
            while let Ok(length) = socket.recv(&mut buffer) {
                // An address: neither cut nor an error.
                if length > 12 && buffer[2] & 2 == 0 && buffer[3] & 15 == 0 && buffer[7] == 1 {
                    answered.insert((client, u16::from_be_bytes([buffer[0], buffer[1]])));
                }
            }
        }
    };
    let began = Instant::now();
    while began.elapsed() < length {
        let due = (began.elapsed().as_secs_f64() * rate) as usize;
        while asked < due {
            let id = (asked / GOOD) as u16;
            let _ = sockets[asked % GOOD].send(&query(id, "www.cdn.example", 1));
            asked += 1;
        }
        take(&mut answered);
        thread::sleep(Duration::from_micros(500));
    }
    let end = Instant::now() + Duration::from_secs(1);
    while Instant::now() < end && answered.len() < asked {
        take(&mut answered);
        thread::sleep(Duration::from_millis(5));
    }
    answered.len() as f64 * 100.0 / asked.max(1) as f64
}
