//! Whole servers over loopback: this one, NSD, Knot DNS, gdnsd and a bare echo, one core for the
//! server and one for the load, in rounds that take turns, so that a busy neighbour weighs on all.
//!
//! ```console
//! $ cargo bench --bench compare -- run --name quiet       # into benches/runs/<date>-quiet/
//! $ cargo bench --bench compare -- run --help
//! ```
//!
//! Peers are those of the system's packages; one that is not installed is left out, and the report
//! says so. The measure that carries over between machines is processor time for one answer, as a
//! ratio to the echo and to the peers. Needs Linux, two cores and `taskset`.

#[path = "../world/mod.rs"]
mod world;

mod load;
mod machine;
mod report;
mod servers;

use meridian::testing::sys::datagram::Batch;
use report::{Measured, Overloaded, Report};
use servers::{Kind, Running};
use std::fs;
use std::net::UdpSocket;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;
use world::ordinary::{Kind as Workload, Ordinary, SITES};
use world::{Question, WorldSize};

const USAGE: &str =
    "usage: cargo bench --bench compare -- run [--name WORD] [--names N] [--networks N] [--rounds N] \
     [--millis N] [--overload]
  --name      the run's name; `scratch` unless given
  --names     names of the zone; 10000
  --networks  networks of the database; 1050000
  --rounds    rounds of all servers; 5
  --millis    length of one measurement; 1000
  --overload  also offer three times the peak";

struct Options {
    name: String,
    names: usize,
    networks: usize,
    rounds: usize,
    millis: u64,
    overload: bool,
}

fn main() {
    let words: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    match words.first().map(String::as_str) {
        Some("echo") => echo(words.get(1).and_then(|port| port.parse().ok()).expect("a port")),
        Some("run") => match options(&words[1..]) {
            Some(options) => run(&options),
            None => println!("{USAGE}"),
        },
        _ => println!("{USAGE}"),
    }
}

fn options(words: &[String]) -> Option<Options> {
    let mut options = Options {
        name: "scratch".to_owned(),
        names: 10_000,
        networks: 1_050_000,
        rounds: 5,
        millis: 1000,
        overload: false,
    };
    let mut words = words.iter();
    while let Some(word) = words.next() {
        match word.as_str() {
            "--overload" => options.overload = true,
            "--name" => options.name = words.next()?.clone(),
            "--names" => options.names = words.next()?.parse().ok()?,
            "--networks" => options.networks = words.next()?.parse().ok()?,
            "--rounds" => options.rounds = words.next()?.parse().ok()?,
            "--millis" => options.millis = words.next()?.parse().ok()?,
            _ => return None,
        }
    }
    Some(options)
}

/// Server that sends each datagram back as a response: the cost of kernel and batches without DNS.
fn echo(port: u16) {
    let socket = UdpSocket::bind(("127.0.0.1", port)).expect("the port is free");
    let mut batch = Batch::new(64);
    loop {
        let count = batch.receive(&socket).unwrap_or(0);
        for index in 0..count {
            let (datagram, room) = batch.exchange(index);
            let length = datagram.octets.len().min(room.len());
            room[..length].copy_from_slice(&datagram.octets[..length]);
            room[2] |= 0x80;
            batch.reply(index, length);
        }
        batch.send(&socket);
    }
}

fn run(options: &Options) {
    // The load and everything that it starts; servers are sent to the other core.
    let _ = Command::new("taskset").args(["-a", "-p", "-c", "1", &std::process::id().to_string()]).output();
    let world = Ordinary::new(WorldSize { names: options.names, networks: options.networks, seed: 1 });
    let folder = std::env::temp_dir().join(format!("meridian-compare-{}", std::process::id()));
    let mut report = Report {
        facts: facts(options),
        measured: Vec::new(),
        overloaded: Vec::new(),
        skipped: Vec::new(),
        resident: Vec::new(),
    };
    let mut servers = Vec::new();
    for kind in Kind::ALL {
        match Running::start(kind, &world, &folder.join(kind.word())) {
            Ok(running) => {
                report.facts.push((kind.word().to_owned(), kind.version()));
                servers.push(running);
            }
            Err(why) => {
                println!("left out: {}: {why}", kind.word());
                report.skipped.push((kind, why));
            }
        }
    }
    let duration = Duration::from_millis(options.millis);
    for workload in Workload::COMPARED {
        let questions = world.questions(workload, 16_384);
        for round in 0..=options.rounds {
            for server in servers.iter().filter(|server| server.kind.can(workload)) {
                let right_percent = right_percent(server, &questions[..256]);
                let before = server.cpu_nanos();
                let outcome = load::closed_loop(server.at, &questions, duration);
                let cpu_nanos = server.cpu_nanos() - before;
                // The first round warms caches and branch predictors.
                if round > 0 {
                    report.measured.push(Measured {
                        kind: server.kind,
                        workload,
                        outcome,
                        cpu_nanos,
                        right_percent,
                    });
                }
            }
        }
        println!("{} done", workload.word());
        if options.overload && matches!(workload, Workload::Static | Workload::TwoV4) {
            overload(&mut report, &servers, workload, &questions, duration);
        }
    }
    report.resident = servers.iter().map(|server| (server.kind, server.resident())).collect();
    drop(servers);
    report.facts.push(("load of the machine after".to_owned(), machine::load()));
    let date = machine::date();
    let out = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("benches/runs")
        .join(format!("{date}-{}", options.name));
    report.write(&out);
    println!("{}", report.table(&report.rows()));
    let _ = fs::remove_dir_all(&folder);
}

/// Three times what each server could carry with a fixed window.
fn overload(
    report: &mut Report,
    servers: &[Running],
    workload: Workload,
    questions: &[Question],
    duration: Duration,
) {
    let rows = report.rows();
    for server in servers.iter().filter(|server| server.kind.can(workload)) {
        let Some(peak) = rows
            .iter()
            .find(|row| (row.kind, row.workload) == (server.kind, workload))
            .map(|row| row.per_second)
        else {
            continue;
        };
        let outcome = load::open_loop(server.at, questions, duration, peak * 3.0);
        report.overloaded.push(Overloaded {
            kind: server.kind,
            workload,
            peak,
            offered: outcome.sent as f64 / outcome.seconds,
            answered: outcome.per_second(),
        });
        // Datagrams left in the buffers of this server must not reach the next one.
        std::thread::sleep(Duration::from_millis(300));
    }
}

/// Share of questions, in per cent, whose answer has the right address.
fn right_percent(server: &Running, questions: &[Question]) -> usize {
    let is_right = |question: &&Question| {
        let socket = UdpSocket::bind((question.client, 0)).expect("loopback has room");
        socket.connect(server.at).expect("loopback is reachable");
        socket.set_read_timeout(Some(Duration::from_millis(500))).expect("a time-out can be set");
        let mut answer = [0; 1500];
        let length = socket.send(&question.packet).and_then(|_| socket.recv(&mut answer)).unwrap_or(0);
        question.expected.is_met(&answer[..length])
    };
    questions.iter().filter(is_right).count() * 100 / questions.len()
}

fn facts(options: &Options) -> Vec<(String, String)> {
    let of_run = [
        (
            "world",
            format!(
                "{} names, {} networks in {} countries, {} PoPs",
                options.names,
                options.networks,
                world::COUNTRIES.len(),
                SITES.len()
            ),
        ),
        (
            "rounds",
            format!(
                "{} of {} ms, after one to warm up; {} questions on the way",
                options.rounds,
                options.millis,
                load::WINDOW
            ),
        ),
        ("load of the machine before", machine::load()),
    ];
    machine::facts().into_iter().chain(of_run).map(|(what, is)| (what.to_owned(), is)).collect()
}
