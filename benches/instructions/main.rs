//! Instructions in user space for one query, by kind of question.
//!
//! Times depend on the machine and on its neighbours; instructions hardly do. This program runs
//! itself under Valgrind, which counts only inside [`measured`], and there in two ways. `whole` is
//! a turn of a worker's loop on a socket of loopback with 32 queries in it: receiving, prefetching,
//! answering, counting and sending, all but what the kernel does. `answer` is what a worker does
//! for each datagram of a batch alone: parse, answer and count.
//!
//! ```console
//! # figures, and the costliest functions
//! $ cargo bench --bench instructions -- print
//! # the same for some rows, by their keys
//! $ cargo bench --bench instructions -- print two_ecs4 dname
//! # fails if a figure is 3 % over the baseline in each of three counts, or is not in it
//! $ cargo bench --bench instructions -- check
//! # the figures become the baseline
//! $ cargo bench --bench instructions -- write
//! # what is measured, for a profiler of one's own: then `drive ordinary folder`
//! $ cargo bench --bench instructions -- world ordinary folder
//! ```

mod baseline;
mod bounds;
mod stages;

use bounds::Rows;
use meridian::testing::answer::stages::{Plans, Stages};
use meridian::testing::answer::{Client, QueryContext, Transport};
use meridian::testing::health::health_state::{HealthState, SlotHealth};
use meridian::testing::reload::prepare;
use meridian::testing::shared::counters::CounterBlock;
use meridian::testing::shared::published::Published;
use meridian::testing::snapshot::Snapshot;
use meridian::testing::steer::pop_status::PopStatus;
use meridian::testing::steer::status::Status;
use meridian::testing::sys::clock;
use meridian::testing::sys::datagram::{Local, send_one};
use meridian::testing::transport::draw::Draws;
use meridian::testing::transport::stepped::SteppedWorker;
use std::fs;
use std::hint::black_box;
use std::net::{SocketAddr, UdpSocket};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::sync::Arc;
use std::time::Duration;
use support::world::crowd::Crowd;
use support::world::ordinary::{Kind, Ordinary};
use support::world::{Deployment, Question, WorldSize};

/// Questions of one run, some thousand different ones in turn.
const QUERIES: usize = 8_192;
const DIFFERENT: usize = 4_096;
/// Datagrams that a worker takes from the kernel at once.
const BATCH: usize = 32;

/// A world that is measured: its word, its size, its addition to the ordinary, and its rows;
/// `None` stands for all of them.
struct Measured {
    word: &'static str,
    size: WorldSize,
    beside: Beside,
    kinds: Option<&'static [Kind]>,
}

/// Addition of a world to the ordinary.
enum Beside {
    Nothing,
    Crowd(Crowd),
    LatencyMap,
    /// Limits of answers that no question reaches.
    RateLimit,
}

const ORDINARY: WorldSize = WorldSize { names: 10_000, networks: 1_050_000, seed: 1 };
/// A database that Valgrind reads in seconds.
const SMALL: WorldSize = WorldSize { networks: 50_000, ..ORDINARY };

const WORLDS: [Measured; 6] = [
    Measured { word: "ordinary", size: ORDINARY, beside: Beside::Nothing, kinds: None },
    // A world in which prefetching reads names too.
    Measured {
        word: "million",
        size: WorldSize { names: 1_000_000, ..SMALL },
        beside: Beside::Nothing,
        kinds: Some(&[Kind::Static, Kind::Nxdomain, Kind::TwoV4]),
    },
    Measured {
        word: "thousand",
        size: SMALL,
        beside: Beside::Crowd(Crowd { pops: 1_000, depth: 8 }),
        kinds: Some(&[Kind::OfCrowd, Kind::CrowdAllDown]),
    },
    Measured {
        word: "deep",
        size: SMALL,
        beside: Beside::Crowd(Crowd { pops: 5_000, depth: 64 }),
        kinds: Some(&[Kind::OfCrowd, Kind::CrowdAllDown]),
    },
    // The same clients by distance and by measured latency.
    Measured {
        word: "measured",
        size: SMALL,
        beside: Beside::LatencyMap,
        kinds: Some(&[Kind::Nearest, Kind::Fastest]),
    },
    // The ordinary world, whose rows without limits these are compared with.
    Measured {
        word: "limited",
        size: ORDINARY,
        beside: Beside::RateLimit,
        kinds: Some(&[Kind::Static, Kind::Nxdomain, Kind::OneV4, Kind::OneResolver]),
    },
];

impl Measured {
    fn of(word: &str) -> &'static Measured {
        WORLDS.iter().find(|world| world.word == word).expect("one of the worlds")
    }

    fn deployment(&self) -> Ordinary {
        match self.beside {
            Beside::Nothing => Ordinary::new(self.size),
            Beside::Crowd(crowd) => Ordinary::with_crowd(self.size, crowd),
            Beside::LatencyMap => Ordinary::with_map(self.size),
            Beside::RateLimit => Ordinary::with_limits(self.size),
        }
    }

    /// Its kinds with these keys, or all of them.
    fn kinds(&self, keys: &[String]) -> Vec<Kind> {
        let kinds = Kind::ROWS.iter().map(|row| row.0);
        kinds
            .filter(|kind| self.kinds.map_or(kind.is_ordinary(), |of| of.contains(kind)))
            .filter(|kind| keys.is_empty() || keys.iter().any(|key| key == kind.word()))
            .collect()
    }

    /// The key of a row in the baseline.
    fn key(&self, kind: Kind) -> String {
        let at = if self.kinds.is_none() { String::new() } else { format!("@{}", self.word) };
        format!("{}{at}", kind.word())
    }
}

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    match words.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["drive", world, folder, ..] => drive(Measured::of(world), Path::new(folder), &words[3..]),
        ["world", world, folder] => Measured::of(world).deployment().write(Path::new(folder), 5300),
        [word @ ("print" | "check" | "write"), ..] => return measure(word, &words[1..]),
        _ => println!(
            "usage: cargo bench --bench instructions -- print [KEY...] | check | write | world WORLD FOLDER"
        ),
    }
    ExitCode::SUCCESS
}

/// The part that runs under Valgrind.
fn drive(measured_world: &Measured, folder: &Path, keys: &[String]) {
    let world = measured_world.deployment();
    let snapshot = load(folder);
    let mut worker = SteppedWorker::open(([127, 0, 0, 1], 0).into(), Arc::clone(&snapshot), BATCH)
        .expect("loopback has room");
    let resolver = Resolver::new(worker.address().expect("it is bound"));
    let published = Published::new(Arc::clone(&snapshot), 1);
    let block = CounterBlock::single_writer(Transport::Udp, 0);
    for (kind, sequence) in measured_world.kinds(keys).into_iter().zip(2..) {
        for published in [&published, worker.published()] {
            published.publish(Arc::new(with_health(&snapshot, kind, sequence)));
        }
        let questions = world.questions(kind, DIFFERENT);
        // Checks that the answers are right before they are counted, and trains predictors and
        // caches on this kind.
        for batch in questions.chunks(BATCH) {
            resolver.ask(batch);
            resolver.await_turns(|| worker.turn());
            resolver.hear(batch, kind);
        }
        for batch in questions.chunks(BATCH).cycle().take(QUERIES / BATCH) {
            resolver.ask(batch);
            resolver.await_turns(|| measured(&mut || worker.turn()));
            resolver.pass_over();
        }
        counted();
        measured(&mut || answer_all(&published, &block, &questions));
        counted();
    }
    published.publish(snapshot);
    let service = published.served();
    for mut stage in stages_of(measured_world, &world, &service, &block) {
        measured(&mut || {
            (0..QUERIES).for_each(|index| (stage.run)(index % DIFFERENT));
            QUERIES
        });
        counted();
    }
}

/// The snapshot while PoPs are down as a kind has them.
fn with_health(snapshot: &Snapshot, kind: Kind, sequence: u64) -> Snapshot {
    let steering = &snapshot.steering;
    let slots = (1..).zip(&steering.slots).map(|(number, slot)| match kind.is_down(slot.pop.0.into()) {
        true => {
            SlotHealth { down_v4: u64::MAX, down_v6: u64::MAX, went_down: number, ..SlotHealth::default() }
        }
        false => SlotHealth::default(),
    });
    let slots = slots.collect();
    let health_state = HealthState { slots, ..HealthState::default() };
    let pops = snapshot.pops.iter().map(PopStatus::of).collect();
    let status = Status::new(pops, &steering.slots, &steering.policies, &health_state, Vec::new());
    snapshot.with_status(status, sequence)
}

/// The stages of an answer, measured in the first world alone.
fn stages_of<'a>(
    measured_world: &Measured,
    world: &Ordinary,
    service: &'a meridian::testing::shared::published::ServedSnapshot,
    block: &'a CounterBlock,
) -> Vec<stages::Stage<'a>> {
    if measured_world.kinds.is_some() { Vec::new() } else { stages::stages(world, service, block) }
}

/// Runs a function whose instructions are counted.
#[inline(never)]
fn measured(run: &mut dyn FnMut() -> usize) -> usize {
    run()
}

/// Ends a figure: Valgrind writes down the instructions counted so far, and begins anew.
#[inline(never)]
fn counted() {
    black_box(());
}

/// The client, over a socket of loopback.
struct Resolver {
    socket: UdpSocket,
    server: SocketAddr,
}

impl Resolver {
    fn new(server: SocketAddr) -> Resolver {
        let socket = UdpSocket::bind("0.0.0.0:0").expect("loopback has room");
        socket.set_read_timeout(Some(Duration::from_secs(10))).expect("a time-out can be set");
        Resolver { socket, server }
    }

    /// Asks, each question from its own address.
    fn ask(&self, batch: &[Question]) {
        for question in batch {
            let local = Local { address: question.client, interface: 0 };
            send_one(&self.socket, &question.packet, self.server, Some(local)).expect("loopback is there");
        }
    }

    /// Takes turns until a batch is answered: one turn, unless the kernel has parted it.
    fn await_turns(&self, mut turn: impl FnMut() -> usize) {
        let mut taken = 0;
        while taken < BATCH {
            taken += turn();
        }
    }

    fn hear(&self, batch: &[Question], kind: Kind) {
        let mut room = [0; 1500];
        for question in batch {
            let length = self.socket.recv(&mut room).expect("an answer comes");
            let answer = &room[..length];
            assert_eq!(answer.get(..2), question.packet.get(..2), "answers come in order");
            let expected = &question.expected;
            assert!(
                expected.is_met(answer),
                "{kind:?}: {expected:?} for {}, not\n{}",
                question.client,
                meridian::testing::explain::dig::render(answer)
            );
        }
    }

    fn pass_over(&self) {
        let mut room = [0; 1500];
        for _ in 0..BATCH {
            self.socket.recv(&mut room).expect("an answer comes");
        }
    }
}

fn load(folder: &Path) -> Arc<Snapshot> {
    let fresh = prepare::run(&folder.join("meridian.yaml"), None, None, 1).unwrap_or_else(|refused| {
        panic!("{}", meridian::testing::finding::render::text(&refused.0, &refused.1, false));
    });
    Arc::new(fresh.snapshot)
}

/// Answers and counts datagrams one by one, without a socket and without stages.
#[inline(never)]
fn answer_all(published: &Published, block: &CounterBlock, questions: &[Question]) -> usize {
    let (mut draws, mut stages, mut room) = (Draws::seeded(), Stages::default(), [0; 1232]);
    let none = Plans::default();
    for batch in questions.chunks(BATCH).cycle().take(QUERIES / BATCH) {
        block.received(BATCH as u64);
        let service = published.served();
        let epoch_secs = clock::cookie_secs();
        let _ = catch_unwind(AssertUnwindSafe(|| {
            for question in batch {
                let client = Client { address: question.client, transport: Transport::Udp };
                let moment = QueryContext { draw: draws.draw(), epoch_secs };
                let snapshot = &service.snapshot;
                stages.respond((&none, 0), snapshot, &question.packet, &client, moment, &mut room);
                block.answered(&service, &stages.outcome);
            }
        }));
    }
    QUERIES
}

/// Instructions of one query, and the profile.
type Counted = (u64, PathBuf);

/// Counts of a world: for each kind the whole and the answer, then each stage.
struct Figures {
    kinds: Vec<(Kind, Counted, Counted)>,
    stages: Vec<Counted>,
}

fn measure(word: &str, keys: &[String]) -> ExitCode {
    if Command::new("valgrind").arg("--version").output().is_err() {
        println!("skipped: valgrind is not installed");
        return ExitCode::SUCCESS;
    }
    let counts = count_worlds(keys);
    let figures = figures(&counts);
    for (world, _, found) in &counts {
        tell(world, found);
        if word == "print" {
            for (kind, (_, profile), _) in &found.kinds {
                println!("\n{}\n{}", world.key(*kind), costliest(profile));
            }
        }
    }
    if let ("print", Some((_, folder, first))) = (word, counts.first()) {
        tell_stages(folder, &first.stages);
    }
    forget(counts);
    match word {
        "check" => baseline::check(figures, |kinds| {
            let counts = count_worlds(kinds);
            let again = self::figures(&counts);
            forget(counts);
            again
        }),
        "write" => baseline::write(&figures),
        _ => ExitCode::SUCCESS,
    }
}

/// A world, its folder and its counts.
type WorldCount = (&'static Measured, PathBuf, Figures);

/// Counts the rows with these keys, or all, in the worlds that have them: at once, since no count
/// depends on another.
fn count_worlds(keys: &[String]) -> Vec<WorldCount> {
    std::thread::scope(|scope| {
        let worlds = WORLDS.iter().filter(|world| !world.kinds(keys).is_empty());
        let running: Vec<_> = worlds
            .map(|world| {
                let folder = folder(world.word);
                scope.spawn(move || {
                    let found = count(world, &folder, keys);
                    (world, folder, found)
                })
            })
            .collect();
        running.into_iter().map(|run| run.join().expect("the measured run succeeds")).collect()
    })
}

/// The whole and the answer of each row, by its key in the baseline.
fn figures(counts: &[WorldCount]) -> Rows {
    let rows = counts.iter().flat_map(|(world, _, found)| {
        let of_kind =
            |(kind, whole, answer): &(Kind, Counted, Counted)| (world.key(*kind), [whole.0, answer.0]);
        found.kinds.iter().map(of_kind)
    });
    rows.collect()
}

fn forget(counts: Vec<WorldCount>) {
    for (_, folder, _) in counts {
        let _ = fs::remove_dir_all(folder);
    }
}

/// The table of a world.
fn tell(world: &Measured, found: &Figures) {
    println!(
        "\n{} world: {} names, {} networks\n{:<42} {:>7} {:>7} {:>7} {:>6}",
        world.word, world.size.names, world.size.networks, "question", "whole", "answer", "aim", "ratio"
    );
    for (kind, (whole, _), (answer, _)) in &found.kinds {
        let row = Kind::ROWS.iter().find(|row| row.0 == *kind).expect("each kind has a row");
        let (aim, ratio) = row.3.map_or_else(Default::default, |aim| {
            (aim.to_string(), format!("{:.2}", *whole as f64 / aim as f64))
        });
        println!("{:<42} {whole:>7} {answer:>7} {aim:>7} {ratio:>6}", row.2);
    }
}

fn folder(word: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("meridian-instructions-{word}-{}", std::process::id()));
    fs::create_dir_all(&folder).expect("a folder can be made");
    folder
}

/// The stages of an answer beside what each may cost; time here and now, which is the machine's.
fn tell_stages(folder: &Path, counted: &[Counted]) {
    let world = WORLDS[0].deployment();
    let published = Published::new(load(folder), 1);
    let block = CounterBlock::single_writer(Transport::Udp, 0);
    let service = published.served();
    let mut rows = stages::stages(&world, &service, &block).into_iter().zip(counted);
    let Some((mut empty, (idle, _))) = rows.next() else { return };
    let idle_ns = stages::nanoseconds(&mut empty);
    println!("\n{:>10}  {:>8} {:>8} {:>8}", "stage", "budget", "instr", "ns");
    for (mut stage, (instructions, _)) in rows {
        let ns = stages::nanoseconds(&mut stage) - idle_ns;
        println!(
            "{:>10}  {:>8} {:>8} {ns:>8.1}",
            stage.word,
            stage.budget,
            instructions.saturating_sub(*idle)
        );
    }
}

/// Writes a world, and runs [`drive`] on it under Valgrind.
fn count(world: &Measured, folder: &Path, keys: &[String]) -> Figures {
    world.deployment().write(folder, 5300);
    let out = folder.join("profile");
    let status = Command::new("valgrind")
        .args(["--tool=callgrind", "--quiet", "--collect-atstart=no"])
        .args(["--toggle-collect=instructions::measured", "--dump-before=instructions::counted"])
        .arg(format!("--callgrind-out-file={}", out.display()))
        .arg(std::env::current_exe().expect("this program has a path"))
        .args(["drive", world.word])
        .arg(folder)
        .args(keys)
        .status()
        .expect("valgrind starts");
    assert!(status.success(), "the measured run failed");
    let mut counted = (1..).map_while(|number| {
        let dump = PathBuf::from(format!("{}.{number}", out.display()));
        let text = fs::read_to_string(&dump).ok()?;
        let totals = text
            .lines()
            .find_map(|line| line.strip_prefix("totals: ").or_else(|| line.strip_prefix("summary: ")));
        let total: u64 = totals.and_then(|number| number.trim().parse().ok()).expect("a profile has its sum");
        Some((total / QUERIES as u64, dump))
    });
    let mut of_kind = |kind| Some((kind, counted.next()?, counted.next()?));
    let kinds = world.kinds(keys);
    let found: Vec<_> = kinds.iter().map_while(|kind| of_kind(*kind)).collect();
    assert_eq!(found.len(), kinds.len(), "valgrind writes two profiles for each kind");
    Figures { kinds: found, stages: counted.collect() }
}

/// The functions that cost most, each without those it calls.
fn costliest(dump: &Path) -> String {
    let told = Command::new("callgrind_annotate").arg("--threshold=95").arg(dump).output();
    let text = told.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
    let rows = text.lines().filter(|line| line.contains('%') && line.contains("::")).take(16);
    rows.map(|line| format!("      {}\n", line.trim())).collect()
}
