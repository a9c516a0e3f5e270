//! Clients that hold what a server gives them, beside a server without any.

use meridian::testing::sys::descriptors;
use quinn::{RecvStream, SendStream, TransportConfig};
use std::net::{IpAddr, Ipv4Addr, TcpStream};
use std::time::{Duration, Instant};
use support::certificate::{Issued, sound};
use support::deployment::{Deployment, query};
use support::encrypted::encrypted;
use support::hostile::{Addresses, Clients, listen};
use support::machine::median;
use support::program::{Served, meridian_over};
use support::quic::{Client as QuicClient, Clients as QuicClients, config};
use support::report::Report;
use support::traffic;
use support::world::{Expected, Question};

/// Idle connections, half of them over TCP and half over TLS.
const IDLE: usize = 10_000;
const HALF: usize = 300;
const UNFINISHED: usize = 200;
const NEVER_READ: usize = 20;
/// Connections of QUIC, each with as many streams without an end as it may have.
const QUIC: usize = 10;
const STREAMS: usize = 100;
/// Places of each transport.
const PLACES: usize = 6_000;
/// Length of one measurement over UDP: shorter than the time of half a message.
const LOADED: Duration = Duration::from_secs(2);
/// New clients of each transport in a round.
const NEW: usize = 10;

/// A server on the first core.
struct Server {
    deployment: Deployment,
    served: Served,
    at: Addresses,
    pair: Issued,
}

impl Server {
    fn start() -> Server {
        let pair = sound();
        let deployment = encrypted(&listen(PLACES), &pair);
        let meridian = meridian_over(&deployment.config(), &["serve"]);
        let served = Served::of(support::program::behind("exec taskset -c 0 \"$0\" \"$@\"", &meridian));
        let at = Addresses::of(&deployment);
        Server { deployment, served, at, pair }
    }

    /// Resident memory, in MiB.
    fn resident(&self) -> f64 {
        let text = std::fs::read_to_string(format!("/proc/{}/statm", self.served.process.pid()));
        let text = text.expect("the server runs");
        let pages = text.split_whitespace().nth(1).and_then(|pages| pages.parse::<f64>().ok());
        pages.expect("a number of pages") / 256.0
    }

    /// Open descriptors.
    fn descriptors(&self) -> usize {
        let folder = format!("/proc/{}/fd", self.served.process.pid());
        std::fs::read_dir(folder).expect("the server runs").count()
    }

    /// Microseconds in which 99 of 100 answers came.
    fn p99(&self, questions: &[Question]) -> f64 {
        traffic::closed_loop(self.at.dns, questions, LOADED).percentile_micros(99)
    }
}

/// Clients whose time is bounded by the server: they are made anew for each round.
struct Brief<'q> {
    _streams: Vec<TcpStream>,
    _quic: Vec<(QuicClient<'q>, Vec<(SendStream, RecvStream)>)>,
}

impl<'q> Brief<'q> {
    fn new(clients: &mut Clients, quic: &'q QuicClients, at: &Addresses) -> Brief<'q> {
        // Last those whose time is shortest: half of a message has 5 s.
        let deaf = clients.never_read(NEVER_READ);
        let silent = (0..QUIC).map(|_| {
            let client = quic.open(at.doq).expect("a handshake");
            let begin = || {
                let (mut send, recv) = client.stream().expect("a stream");
                quic.runtime.block_on(send.write_all(&[0, 40, 0, 0])).expect("the server reads");
                (send, recv)
            };
            let streams = (0..STREAMS).map(|_| begin()).collect();
            (client, streams)
        });
        let silent = silent.collect();
        let streams = [deaf, clients.half(HALF), clients.unfinished(UNFINISHED)];
        Brief { _streams: streams.into_iter().flatten().collect(), _quic: silent }
    }
}

/// Measures both servers by turns.
pub fn measure(rounds: usize, report: &mut Report) {
    if descriptors::raise().is_none_or(|limit| limit.soft < IDLE + 600) {
        report.skipped.push(("held connections".to_owned(), "too few descriptors".to_owned()));
        return;
    }
    let (quiet, held) = (Server::start(), Server::start());
    let questions = [question()];
    let mut clients = Clients::new(held.at, &held.pair);
    let quic = QuicClients::new(9, config(&held.pair, &["doq"], TransportConfig::default()));
    // Memory of the first client of each transport stays.
    drop(clients.idle(8));
    held.p99(&questions);
    quiet.p99(&questions);
    let before = held.resident();
    let idle = clients.idle(IDLE);
    let with_idle = held.resident();
    let mut p99 = [Vec::new(), Vec::new()];
    let (mut ratios, mut most, mut open) = (Vec::new(), with_idle, usize::MAX);
    let mut news: Vec<(&str, Vec<f64>)> =
        ["TCP", "TLS", "HTTPS", "QUIC"].map(|word| (word, Vec::new())).into();
    for _ in 0..rounds {
        let brief = Brief::new(&mut clients, &quic, &held.at);
        let of_held = held.p99(&questions);
        open = open.min(held.descriptors());
        for (word, times) in &mut news {
            times.extend((0..NEW).map(|_| millis_to_answer(word, &mut clients, &held)));
        }
        most = f64::max(most, held.resident());
        let of_quiet = quiet.p99(&questions);
        p99[0].push(of_held);
        p99[1].push(of_quiet);
        ratios.push(of_held / of_quiet);
        drop(brief);
    }
    note(report, (&held, open), [before, with_idle, most], p99);
    report.at_most("UDP p99 beside hostile clients, as a share of that without", median(ratios), 1.1);
    for (word, times) in news {
        let slowest = times.into_iter().fold(0.0, f64::max);
        report.at_most(&format!("answer to a new client over {word}, the slowest, ms"), slowest, 100.0);
    }
    report.at_most("memory that hostile clients take, MiB", most - before, 128.0);
    drop(idle);
}

fn note(report: &mut Report, (held, open): (&Server, usize), memory: [f64; 3], p99: [Vec<f64>; 2]) {
    let [before, with_idle, most] = memory;
    let [of_held, of_quiet] = p99.map(median);
    let lanes = held.deployment.page("/status").json()["lanes"].clone();
    let full = |transport: &str| lanes[transport]["dropped"]["connections_full"].to_string();
    let facts = [
        (
            "held at once",
            format!(
                "{IDLE} idle connections of TCP and TLS, {HALF} half-sent messages, {UNFINISHED} \
                 unfinished handshakes, {NEVER_READ} clients that never read, {} streams of QUIC without \
                 an end; at the end of each measurement over UDP the server had {open} descriptors or more",
                QUIC * STREAMS
            ),
        ),
        (
            "resident memory",
            format!("{before:.1} MiB before, {with_idle:.1} with idle connections, {most:.1} with all"),
        ),
        ("UDP p99", format!("{of_held:.0} us beside hostile clients, {of_quiet:.0} us without")),
        (
            "connections that gave way",
            format!("{} of TCP, {} of TLS, {} of HTTPS", full("tcp"), full("dot"), full("doh")),
        ),
    ];
    report.facts.extend(facts.map(|(what, is)| (what.to_owned(), is)));
}

fn question() -> Question {
    Question {
        packet: query(0, "www.cdn.example", 1),
        client: IpAddr::V4(Ipv4Addr::LOCALHOST),
        expected: Expected::Denial(0),
    }
}

/// Milliseconds from the first packet of a new client to its answer.
fn millis_to_answer(word: &str, clients: &mut Clients, server: &Server) -> f64 {
    let of_quic = (word == "QUIC")
        .then(|| QuicClients::new(10, config(&server.pair, &["doq"], TransportConfig::default())));
    let began = Instant::now();
    let is_answered = match word {
        "TCP" => clients.ask_tcp().is_ok(),
        "TLS" => clients.ask_dot().is_ok(),
        "HTTPS" => clients.ask_doh().is_ok(),
        _ => of_quic.as_ref().is_some_and(|quic| {
            let client = quic.open(server.at.doq);
            client.is_ok_and(|client| client.ask(&query(0, "www.cdn.example", 1)).is_some())
        }),
    };
    assert!(is_answered, "a new client over {word} is not answered");
    began.elapsed().as_secs_f64() * 1e3
}
