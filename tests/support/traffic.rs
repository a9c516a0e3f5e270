//! The load: prepared questions over one socket, either with a fixed number of them on the way, or
//! at a fixed rate whatever comes back.

use crate::world::Question;
use meridian::testing::sys::datagram::{Batch, Local, send_one};
use meridian::testing::sys::volley::{VOLLEY_MAX, volley};
use socket2::SockRef;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

/// Questions on the way: enough to keep a batching server busy, few enough for the smallest socket
/// buffer.
pub const WINDOW: usize = 128;
/// After this a question is lost, and another one takes its place.
const LOST_AFTER: Duration = Duration::from_millis(250);

/// Counts of a run's answers.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    pub sent: u64,
    pub answered: u64,
    pub lost: u64,
    pub seconds: f64,
    /// Nanoseconds from question to answer, sorted; only with a fixed window.
    pub latencies: Vec<u32>,
}

impl Outcome {
    pub fn per_second(&self) -> f64 {
        self.answered as f64 / self.seconds
    }

    /// Microseconds within which this share (in per cent) of answers came.
    pub fn percentile_micros(&self, percent: usize) -> f64 {
        let at = (self.latencies.len() * percent / 100).min(self.latencies.len().saturating_sub(1));
        self.latencies.get(at).map_or(0.0, |nanos| f64::from(*nanos) / 1000.0)
    }
}

/// A socket of one address, or, for questions that come from many, of all. A server elsewhere than
/// on loopback sees the address of the interface that leads to it.
fn socket(server: SocketAddr, is_one: bool) -> UdpSocket {
    let is_near = server.ip().is_loopback();
    let from = if is_one && is_near { Ipv4Addr::LOCALHOST } else { Ipv4Addr::UNSPECIFIED };
    let socket = UdpSocket::bind((from, 0)).expect("the host has a free port");
    if is_one {
        socket.connect(server).expect("the server is reachable");
    }
    // As much as the kernel allows: answers lost here would be held against the server.
    let _ = SockRef::from(&socket).set_recv_buffer_size(8 << 20);
    socket
}

/// A fixed window: each answer lets the next question go. Each question carries its place in the
/// window as its ID.
pub fn closed_loop(server: SocketAddr, questions: &[Question], duration: Duration) -> Outcome {
    let is_one = questions.iter().all(|question| question.client == IpAddr::V4(Ipv4Addr::LOCALHOST));
    let socket = socket(server, is_one);
    socket.set_read_timeout(Some(Duration::from_millis(20))).expect("a time-out can be set");
    let mut batch = Batch::new(64);
    let mut left = vec![Instant::now(); WINDOW];
    let mut packet = [0; 512];
    let mut next = questions.iter().cycle();
    let mut fill = |packet: &mut [u8; 512], place: usize| {
        let Question { packet: octets, client, .. } = next.next().expect("there are questions");
        packet[..octets.len()].copy_from_slice(octets);
        packet[..2].copy_from_slice(&(place as u16).to_be_bytes());
        (octets.len(), (!is_one).then_some(Local { address: *client, interface: 0 }))
    };
    let send = |octets: &[u8], from: Option<Local>| _ = send_one(&socket, octets, server, from);
    let mut outcome = Outcome::default();
    let started = Instant::now();
    for (place, left) in left.iter_mut().enumerate() {
        let (length, from) = fill(&mut packet, place);
        *left = Instant::now();
        send(&packet[..length], from);
        outcome.sent += 1;
    }
    let mut looked = started;
    loop {
        let count = batch.receive(&socket).unwrap_or(0);
        let now = Instant::now();
        if now - started >= duration {
            outcome.answered += count as u64;
            break;
        }
        for index in 0..count {
            let (datagram, room) = batch.exchange(index);
            let octets = datagram.octets;
            let (Some(id), true) = (octets.first_chunk::<2>(), octets.len() >= 12) else { continue };
            let place = usize::from(u16::from_be_bytes(*id));
            let Some(left) = left.get_mut(place) else { continue };
            outcome.answered += 1;
            outcome.latencies.push((now - *left).as_nanos() as u32);
            let (length, from) = fill(&mut packet, place);
            *left = now;
            room[..length].copy_from_slice(&packet[..length]);
            batch.reply_from(index, length, from);
            outcome.sent += 1;
        }
        batch.send(&socket);
        if now - looked > LOST_AFTER {
            looked = now;
            for (place, left) in left.iter_mut().enumerate().filter(|(_, left)| now - **left > LOST_AFTER) {
                outcome.lost += 1;
                let (length, from) = fill(&mut packet, place);
                *left = now;
                send(&packet[..length], from);
                outcome.sent += 1;
            }
        }
    }
    outcome.seconds = started.elapsed().as_secs_f64();
    outcome.latencies.sort_unstable();
    outcome
}

/// Sends questions at a fixed rate a second, whether or not answers come. Answers are not read
/// meanwhile, because reading would take time from sending; the kernel counts those that it drops
/// at the socket.
pub fn open_loop(server: SocketAddr, questions: &[Question], duration: Duration, rate: f64) -> Outcome {
    let socket = socket(server, true);
    let packets: Vec<&[u8]> = questions.iter().map(|question| &question.packet[..]).collect();
    let mut at = 0;
    let mut outcome = Outcome::default();
    let started = Instant::now();
    while started.elapsed() < duration {
        let due = (started.elapsed().as_secs_f64() * rate) as u64;
        if outcome.sent < due {
            let end = (at + VOLLEY_MAX.min((due - outcome.sent) as usize)).min(packets.len());
            // A full buffer is the kernel's answer to a rate that it cannot carry.
            outcome.sent += volley(&socket, &packets[at..end]).unwrap_or(0) as u64;
            at = if end == packets.len() { 0 } else { end };
        }
    }
    outcome.seconds = started.elapsed().as_secs_f64();
    outcome.answered = dropped(&socket);
    socket.set_nonblocking(true).expect("a socket can be made non-blocking");
    let mut batch = Batch::new(64);
    loop {
        match batch.receive(&socket) {
            Ok(count) if count > 0 => outcome.answered += count as u64,
            _ => break,
        }
    }
    outcome.lost = outcome.sent.saturating_sub(outcome.answered);
    outcome
}

/// Datagrams that the kernel dropped because they were not read: the last column of its table.
fn dropped(socket: &UdpSocket) -> u64 {
    let port = socket.local_addr().map(|address| format!(":{:04X}", address.port())).unwrap_or_default();
    let table = std::fs::read_to_string("/proc/net/udp").unwrap_or_default();
    let row =
        table.lines().find(|line| line.split_whitespace().nth(1).is_some_and(|local| local.ends_with(&port)));
    row.and_then(|row| row.split_whitespace().last()?.parse().ok()).unwrap_or(0)
}
