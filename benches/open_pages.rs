//! Cost of the open page of the admin address: processor time of the server for one answer over
//! UDP, without a page and with five, at twelve and at three hundred PoPs, in rounds that take
//! turns. The bar is on the time of the threads that are no workers, which hardly depends on what
//! else the machine does; the time of all threads has the caches that pages take from the workers.
//!
//! ```console
//! $ cargo bench --bench open_pages -- run --name quiet    # into benches/runs/<date>-open_pages-quiet/
//! $ cargo bench --bench open_pages -- run --help
//! ```
//!
//! A page is a thread that asks what the page in a browser asks, at the same times: a stream of
//! events, and a round of five requests every five seconds. While events come, a round comes every
//! second at most; that is measured without a bar. The server has
//! one core, the load and the pages another; the load keeps the server busy, so that the figures
//! are shares of a core that answers all it can. Needs Linux, two cores and `taskset`.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};
use support::machine::{self, median};
use support::pages;
use support::report::Report;
use support::run::RunOptions;
use support::servers::{Additions, Kind, Running};
use support::traffic;
use support::world::crowd::Crowd;
use support::world::ordinary::{Kind as Workload, Ordinary};
use support::world::{Question, WorldSize};

const USAGE: &str =
    "usage: cargo bench --bench open_pages -- run [--name WORD] [--rounds N] [--millis N] [--only WORD]
  --name    the run's name; `scratch` unless given
  --rounds  rounds of each measurement; 5
  --millis  length of one measurement; 10000, one turn of the page's own rounds
  --only    twelve or crowd";

const MILLIS: u64 = 10_000;
const WORLD: WorldSize = WorldSize { names: 10_000, networks: 50_000, seed: 1 };
/// Pages that are open.
const OPEN: u32 = 5;
/// Time between two rounds of a page, as `ROUND_MS` of `src/control/page/page.js`.
const ROUND: Duration = Duration::from_secs(5);
/// The same while events come.
const ROUND_OF_EVENTS: Duration = Duration::from_secs(1);
/// Largest share of a query's cost that the open pages may add.
const SHARE_MAX: f64 = 1.02;

fn main() {
    let Some(options) = RunOptions::new(5, Some(MILLIS)).of_arguments(USAGE) else { return };
    machine::stay_off_the_servers_core();
    let mut report = options.begin("Cost of a query with five open pages");
    let duration = Duration::from_millis(options.millis.unwrap_or(MILLIS));
    let folder = std::env::temp_dir().join(format!("meridian-open-pages-{}", std::process::id()));
    let crowd = Crowd { pops: 300, depth: 8 };
    for (word, what, policy, world, kind) in [
        ("twelve", "12 PoPs", "near", Ordinary::new(WORLD), Workload::Mixture),
        ("crowd", "300 PoPs", "crowd", Ordinary::with_crowd(WORLD, crowd), Workload::OfCrowd),
    ] {
        if options.wants(word) {
            let questions = world.questions(kind, 16_384);
            let more = Additions { has_pages: true, ..Additions::default() };
            let server = Running::start_with(Kind::Meridian, &world, &folder.join(word), &more);
            let measured = Measured { what, policy, server: server.expect("it starts"), questions };
            measured.measure((options.rounds, duration), &mut report);
        }
    }
    let _ = std::fs::remove_dir_all(&folder);
    options.end(report, env!("CARGO_MANIFEST_DIR"), "open_pages");
}

/// A server that is measured, and its load.
struct Measured {
    what: &'static str,
    /// Policy that the pages show.
    policy: &'static str,
    server: Running,
    questions: Vec<Question>,
}

/// Processor time of a measurement.
struct Cost {
    /// Nanoseconds for an answer, of all threads.
    nanos: f64,
    /// Time of the threads that are no UDP workers, as a share of that of the workers.
    others: f64,
}

impl Measured {
    /// Measures without pages, with pages, and with pages that events wake, by turns.
    fn measure(&self, (rounds, duration): (usize, Duration), report: &mut Report) {
        let what = self.what;
        let (mut alone, mut open, mut awake) = (Vec::new(), Vec::new(), Vec::new());
        let asked = AtomicU64::new(0);
        let cost = |every| self.cost(every, duration, &asked);
        cost(None);
        for round in 0..rounds {
            let mut pair = |every| {
                let first = (round % 2 == 1).then(|| cost(Some(every)));
                let without = cost(None);
                alone.push(without.nanos);
                let with = first.unwrap_or_else(|| cost(Some(every)));
                [with.nanos / without.nanos, 1.0 + with.others - without.others]
            };
            open.push(pair(ROUND));
            awake.push(pair(ROUND_OF_EVENTS));
        }
        println!("{what}: ratios {open:.3?}, while events come {awake:.3?}");
        report.figures.push((format!("{what}: ns an answer, no page"), median(alone)));
        report.figures.push((format!("{what}: requests of pages in all"), asked.into_inner() as f64));
        let [of_all, of_threads] = [0, 1].map(|figure| {
            let median_of = |of: &[[f64; 2]]| median(of.iter().map(|ratios| ratios[figure]).collect());
            [median_of(&open), median_of(&awake)]
        });
        let five = format!("{what}: five open pages, as a share of an answer without");
        report.figures.push((format!("{five}, time of all threads"), of_all[0]));
        report.figures.push((format!("{five}, time of all threads, while events come"), of_all[1]));
        report.figures.push((format!("{five}, while events come"), of_threads[1]));
        report.at_most(&five, of_threads[0], SHARE_MAX);
    }

    /// Processor time of the server, with pages that have a round so often, or without any.
    fn cost(&self, every: Option<Duration>, duration: Duration, asked: &AtomicU64) -> Cost {
        let stop = AtomicBool::new(false);
        let is_worker = |name: &str| name.starts_with("udp-");
        let spent = || [self.server.cpu_nanos_of(is_worker), self.server.cpu_nanos()];
        std::thread::scope(|scope| {
            for page in 0..every.map_or(0, |_| OPEN) {
                let (every, stop) = (every.unwrap_or(ROUND), &stop);
                // The pages were opened one after the other.
                let begin = every * page / OPEN;
                scope.spawn(move || self.open_page(begin, every, stop, asked));
            }
            let before = spent();
            let outcome = traffic::closed_loop(self.server.at, &self.questions, duration);
            let after = spent();
            stop.store(true, Ordering::Relaxed);
            assert!(outcome.lost * 100 < outcome.sent, "answers are lost: {outcome:?}");
            let [workers, all] = [0, 1].map(|index| (after[index] - before[index]) as f64);
            Cost { nanos: all / outcome.answered as f64, others: (all - workers) / workers }
        })
    }

    /// An open page: its stream of events, and its rounds.
    fn open_page(&self, begin: Duration, every: Duration, stop: &AtomicBool, asked: &AtomicU64) {
        let stream = events(self.server.admin);
        let started = Instant::now();
        let policy = format!("/v1/policies/{}", self.policy);
        let round = ["/v1/status", "/v1/readyz?format=json", "/v1/policies?brief=true", "/v1/map", &policy];
        for number in 0_u32.. {
            let due = started + begin + every * number;
            while let Some(rest) = due.checked_duration_since(Instant::now()) {
                if stop.load(Ordering::Relaxed) {
                    return drop(stream);
                }
                std::thread::sleep(rest.min(Duration::from_millis(50)));
            }
            for path in round {
                let page = pages::admin(self.server.admin, path);
                assert_eq!(page.status, 200, "{path}: {} {}", page.head, page.body);
                asked.fetch_add(1, Ordering::Relaxed);
            }
        }
    }
}

/// A stream of events that has begun.
fn events(admin: SocketAddr) -> BufReader<TcpStream> {
    let mut stream = TcpStream::connect(admin).expect("the admin address listens");
    stream.write_all(b"GET /v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n").expect("it reads");
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).expect("it answers");
    assert!(line.starts_with("HTTP/1.1 200"), "{line}");
    reader
}
