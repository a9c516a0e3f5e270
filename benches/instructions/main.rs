//! Instructions in user space for one query, by kind of question and size of zone.
//!
//! Times depend on the machine and on its neighbours; instructions hardly do. This program runs
//! itself under Valgrind, which counts only inside [`measured`]: parse, answer and counting, as a
//! worker does for each datagram of a batch.
//!
//! ```console
//! # figures, and the costliest functions
//! $ cargo bench --bench instructions -- print
//! # fails if a figure is 3 % over the baseline
//! $ cargo bench --bench instructions -- check
//! # the figures become the baseline
//! $ cargo bench --bench instructions -- write
//! # what is measured, for a profiler of one's own: then `drive 10000 folder`
//! $ cargo bench --bench instructions -- world 10000 folder
//! ```

#[path = "../world/mod.rs"]
mod world;

mod stages;

use meridian::testing::answer::{self, Client, Disposition, QueryContext, Scratch, Transport};
use meridian::testing::reload::prepare;
use meridian::testing::shared::counters::{CounterBlock, Lane};
use meridian::testing::shared::published::Published;
use meridian::testing::sys::clock;
use meridian::testing::transport::draw::Draws;
use std::collections::BTreeMap;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::sync::Arc;
use world::{Question, Workload, World, WorldSize};

/// Names of the zones that are measured.
const SIZES: [usize; 2] = [10_000, 1_000_000];
/// Networks of the database: a trie of ordinary depth that Valgrind reads in seconds.
const NETWORKS: usize = 50_000;
/// Questions of one run, some thousand different ones in turn.
const QUERIES: usize = 20_000;
const DIFFERENT: usize = 4_096;
/// Datagrams that a worker takes from the kernel at once.
const BATCH: usize = 32;
/// How much a figure may grow over the baseline, in per mille.
const GROWTH_PER_MILLE: u64 = 30;

const BASELINE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/instructions/baseline.json");

fn main() -> ExitCode {
    let mut words = std::env::args().skip(1).filter(|word| word != "--bench");
    match (words.next().as_deref(), words.next(), words.next()) {
        (Some("drive"), Some(names), Some(folder)) => {
            drive(names.parse().expect("a number of names"), Path::new(&folder))
        }
        (Some("world"), Some(names), Some(folder)) => {
            World::new(size(names.parse().expect("a number of names"))).write(Path::new(&folder), 5300);
        }
        (Some(word @ ("print" | "check" | "write")), ..) => return measure(word),
        _ => {
            println!("usage: cargo bench --bench instructions -- print | check | write | world NAMES FOLDER")
        }
    }
    ExitCode::SUCCESS
}

/// The part that runs under Valgrind.
fn drive(names: usize, folder: &Path) {
    let world = World::new(size(names));
    let published = load(folder);
    let block = CounterBlock::single_writer(Lane::Udp, 0);
    let mut scratch = vec![0; 65_535];
    for workload in Workload::ALL {
        let questions = world.questions(workload, DIFFERENT);
        for question in &questions {
            verify(&published, question, workload, &mut scratch);
        }
        measured(&mut || answer_all(&published, &block, &questions, &mut scratch));
    }
    let service = published.served();
    for mut stage in stages::stages(&world, &service, &block) {
        measured(&mut || (0..QUERIES).for_each(|index| (stage.run)(index % DIFFERENT)));
    }
}

/// What runs here is counted.
#[inline(never)]
fn measured(run: &mut dyn FnMut()) {
    run();
}

fn load(folder: &Path) -> Published {
    let fresh = prepare::run(&folder.join("meridian.yaml"), None, None, 1).unwrap_or_else(|refused| {
        panic!("{}", meridian::testing::finding::render::text(&refused.0, &refused.1, false));
    });
    Published::new(Arc::new(fresh.snapshot), 1)
}

fn size(names: usize) -> WorldSize {
    WorldSize { names, networks: NETWORKS, seed: 1 }
}

/// What is not right need not be fast.
fn verify(published: &Published, question: &Question, workload: Workload, scratch: &mut [u8]) {
    let service = published.served();
    let client = Client { address: question.client, transport: Transport::Udp };
    let outcome = answer::respond(
        &service.snapshot,
        &question.packet,
        &client,
        QueryContext { draw: 1, epoch_secs: clock::cookie_secs() },
        scratch,
    );
    let Disposition::Send(length) = outcome.disposition else { panic!("{workload:?} has no answer") };
    let reply = scratch.get(..length).unwrap_or_default();
    match question.expected {
        Some(address) => {
            let octets = address.octets();
            assert!(reply.windows(4).any(|four| four == octets), "{workload:?} does not lead to {address}");
        }
        None => assert_eq!(reply.get(3).map(|octet| octet & 15), Some(3), "{workload:?} is not NXDOMAIN"),
    }
}

/// The work of `src/transport/udp.rs` between two system calls, but for what it reads ahead.
#[inline(never)]
fn answer_all(published: &Published, block: &CounterBlock, questions: &[Question], room: &mut [u8]) {
    let (mut draws, mut scratch) = (Draws::seeded(), Scratch::default());
    for batch in 0..QUERIES / BATCH {
        block.received(BATCH as u64);
        let service = published.served();
        let epoch_secs = clock::cookie_secs();
        let _ = catch_unwind(AssertUnwindSafe(|| {
            for question in &questions[batch % (DIFFERENT / BATCH) * BATCH..][..BATCH] {
                let client = Client { address: question.client, transport: Transport::Udp };
                let moment = QueryContext { draw: draws.draw(), epoch_secs };
                answer::respond_by(&mut scratch, &service.snapshot, &question.packet, &client, moment, room);
                block.answered(&service, &scratch.outcome);
            }
        }));
    }
}

fn measure(word: &str) -> ExitCode {
    if Command::new("valgrind").arg("--version").output().is_err() {
        println!("skipped: valgrind is not installed");
        return ExitCode::SUCCESS;
    }
    let mut figures = BTreeMap::new();
    for names in SIZES {
        let folder = folder(names);
        World::new(size(names)).write(&folder, 5300);
        let (workloads, stages) = count(names, &folder);
        for (workload, (per_query, dump)) in Workload::ALL.into_iter().zip(workloads) {
            println!("{:>10} names  {:<10} {per_query:>6} instructions", names, workload.word());
            if word == "print" {
                println!("{}", costliest(&dump));
            }
            figures.insert(format!("{}@{names}", workload.word()), per_query);
        }
        if names == SIZES[0] {
            tell_stages(&folder, &stages);
        }
        let _ = fs::remove_dir_all(&folder);
    }
    match word {
        "check" => check(&figures),
        "write" => {
            let baseline =
                serde_json::json!({ "compiler": compiler(), "queries": QUERIES, "instructions": figures });
            fs::write(BASELINE, format!("{baseline:#}\n")).expect("the baseline can be written");
            ExitCode::SUCCESS
        }
        _ => ExitCode::SUCCESS,
    }
}

fn folder(names: usize) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("meridian-instructions-{names}-{}", std::process::id()));
    fs::create_dir_all(&folder).expect("a folder can be made");
    folder
}

/// Instructions of one query, and the profile.
type Counted = (u64, PathBuf);

/// The stages of an answer beside what each may cost; time here and now, which is the machine's.
fn tell_stages(folder: &Path, counted: &[Counted]) {
    let world = World::new(size(SIZES[0]));
    let published = load(folder);
    let block = CounterBlock::single_writer(Lane::Udp, 0);
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
    println!();
}

/// Runs [`drive`] under Valgrind; for each workload, then each stage, the instructions of one query
/// and the profile.
fn count(names: usize, folder: &Path) -> (Vec<Counted>, Vec<Counted>) {
    let out = folder.join("profile");
    let status = Command::new("valgrind")
        .args(["--tool=callgrind", "--quiet", "--collect-atstart=no"])
        .args(["--toggle-collect=instructions::measured", "--dump-after=instructions::measured"])
        .arg(format!("--callgrind-out-file={}", out.display()))
        .arg(std::env::current_exe().expect("this program has a path"))
        .args(["drive", &names.to_string()])
        .arg(folder)
        .status()
        .expect("valgrind starts");
    assert!(status.success(), "the measured run failed");
    let mut counted: Vec<Counted> = (1..)
        .map_while(|number| {
            let dump = PathBuf::from(format!("{}.{number}", out.display()));
            let text = fs::read_to_string(&dump).ok()?;
            let totals = text
                .lines()
                .find_map(|line| line.strip_prefix("totals: ").or_else(|| line.strip_prefix("summary: ")));
            let total: u64 =
                totals.and_then(|number| number.trim().parse().ok()).expect("a profile has its sum");
            Some((total / (QUERIES / BATCH * BATCH) as u64, dump))
        })
        .collect();
    assert!(counted.len() > Workload::ALL.len(), "valgrind writes one profile for each workload and stage");
    let stages = counted.split_off(Workload::ALL.len());
    (counted, stages)
}

/// The functions that cost most, each without those it calls.
fn costliest(dump: &Path) -> String {
    let told = Command::new("callgrind_annotate").arg("--threshold=95").arg(dump).output();
    let text = told.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
    let rows = text.lines().filter(|line| line.contains('%') && line.contains("::")).take(16);
    rows.map(|line| format!("      {}\n", line.trim())).collect()
}

fn compiler() -> String {
    let told = Command::new("rustc").arg("--version").output();
    told.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned()).unwrap_or_default()
}

fn check(figures: &BTreeMap<String, u64>) -> ExitCode {
    let text = fs::read_to_string(BASELINE).expect("the baseline is in the tree");
    let baseline: serde_json::Value = serde_json::from_str(&text).expect("the baseline is JSON");
    if baseline["compiler"] != compiler().as_str() {
        println!("note: the baseline is of {}, this is {}", baseline["compiler"], compiler());
    }
    let mut worse = false;
    for (what, now) in figures {
        let Some(before) = baseline["instructions"][what].as_u64() else { continue };
        if now * 1000 > before * (1000 + GROWTH_PER_MILLE) {
            println!("{what}: {now} instructions, {before} in the baseline");
            worse = true;
        }
    }
    if worse { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}
