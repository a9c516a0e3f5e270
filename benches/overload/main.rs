//! Goodput past the peak: the share of its peak rate that a server keeps while twice as many
//! queries arrive, on one core with the processing of their packets.
//!
//! ```console
//! $ sudo cargo bench --bench overload -- run --name mine       # into benches/runs/<date>-mine/
//! ```
//!
//! Server and load have a core and a network namespace each, joined by a veth pair. Packets that
//! arrive are processed on the server's core, first in soft interrupts, then in a kernel thread of
//! a lower priority, as `deploy/meridian-napi@.service` sets it, and bound to that core besides. In
//! soft interrupts, the first part of the work is done by the core that sends. Needs Linux, root,
//! two cores, `ip` and `ethtool`; it says what is missing. The next run removes the namespaces of a
//! run that a signal has ended.

mod link;

use link::{Link, Polling, SERVER};
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;
use support::machine::{self, median};
use support::program::{self, Process};
use support::traffic;
use support::world::ordinary::{Kind, Ordinary};
use support::world::{Deployment, Question, WorldSize};

const USAGE: &str =
    "usage: cargo bench --bench overload -- run [--name WORD] [--nice N] [--rounds N] [--millis N]
  --name    the run's name; `scratch` unless given
  --nice    nice value of server and load; 0. The thread that polls is 19 above it, at most at 19,
            so that -20 keeps their distance on a machine with other work
  --rounds  rounds of each way of polling; 5
  --millis  length of one measurement; 1000";

const PORT: u16 = 5300;
const WORLD: WorldSize = WorldSize { names: 10_000, networks: 50_000, seed: 1 };
const QUESTIONS: usize = 16_384;
/// Rates at which the peak is looked for, as shares of the rate with a fixed window, in per cent.
const ASCENT: [f64; 5] = [80.0, 95.0, 110.0, 130.0, 160.0];
/// Offered past the peak, as a multiple of it.
const PAST: f64 = 2.0;
/// Share of the peak that a server keeps with polling by a thread, in per cent.
const BAR: f64 = 85.0;

struct Options {
    name: String,
    nice: i32,
    rounds: usize,
    millis: u64,
}

/// Rates a second of one round.
struct Round {
    polling: Polling,
    /// Most answers at any offered rate up to the peak.
    peak: f64,
    /// Past the peak.
    offered: f64,
    answered: f64,
}

impl Round {
    fn kept_percent(&self) -> f64 {
        self.answered * 100.0 / self.peak.max(1.0)
    }

    fn multiple(&self) -> f64 {
        self.offered / self.peak.max(1.0)
    }
}

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    match words.first().map(String::as_str) {
        Some("load") => load(&words[1..]),
        Some("run") => match options(&words[1..]) {
            Some(options) => return run(&options),
            None => println!("{USAGE}"),
        },
        _ => println!("{USAGE}"),
    }
    ExitCode::SUCCESS
}

fn options(words: &[String]) -> Option<Options> {
    let mut options = Options { name: "scratch".to_owned(), nice: 0, rounds: 5, millis: 1000 };
    let mut words = words.iter();
    while let Some(word) = words.next() {
        match word.as_str() {
            "--name" => options.name = words.next()?.clone(),
            "--nice" => options.nice = words.next()?.parse().ok()?,
            "--rounds" => options.rounds = words.next()?.parse().ok()?,
            "--millis" => options.millis = words.next()?.parse().ok()?,
            _ => return None,
        }
    }
    Some(options)
}

/// The load, in its own namespace: `RATE MILLIS`, where 0 is a fixed window. Prints the rates a
/// second: offered and answered.
fn load(words: &[String]) {
    let number = |at: usize| words.get(at).and_then(|word| word.parse::<f64>().ok()).expect("a number");
    let (rate, duration) = (number(0), Duration::from_millis(number(1) as u64));
    let server = (SERVER.parse::<std::net::IpAddr>().expect("an address"), PORT).into();
    let questions: Vec<Question> = Ordinary::new(WORLD).questions(Kind::TwoV4, QUESTIONS);
    let outcome = match rate {
        0.0 => traffic::closed_loop(server, &questions, duration),
        _ => traffic::open_loop(server, &questions, duration, rate),
    };
    println!("{} {}", outcome.sent as f64 / outcome.seconds, outcome.per_second());
}

fn run(options: &Options) -> ExitCode {
    if let Some(why) = Link::obstacle() {
        println!("skipped: {why}");
        return ExitCode::SUCCESS;
    }
    let left_over = Link::remove_left_over();
    for process in left_over.iter().flatten() {
        println!("removed the namespaces of run {process}, which has ended without it");
        let _ = fs::remove_dir_all(folder_of(process));
    }
    let link = match left_over.and_then(|_| Link::new(options.nice)) {
        Ok(link) => link,
        Err(why) => {
            println!("skipped: {why}");
            return ExitCode::SUCCESS;
        }
    };
    let folder = folder_of(&std::process::id().to_string());
    let mut facts = facts(options);
    let measured = rounds(options, &link, &folder);
    let _ = fs::remove_dir_all(&folder);
    drop(link);
    let rounds = match measured {
        Ok(rounds) => rounds,
        Err(why) => {
            println!("failed: {why}");
            return ExitCode::FAILURE;
        }
    };
    facts.push(("load of the machine after".to_owned(), machine::load()));
    let table = table(&facts, &rounds);
    let top = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let out = top.join(format!("benches/runs/{}-{}", machine::date(), options.name));
    fs::create_dir_all(&out).expect("a folder can be made");
    let results = format!("{:#}\n", results(&facts, &rounds));
    fs::write(out.join("results.json"), results).expect("a file can be written");
    fs::write(out.join("table.md"), &table).expect("a file can be written");
    println!("{table}");
    match kept(&rounds, Polling::Thread) >= BAR {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    }
}

/// The deployment of the run of a process.
fn folder_of(process: &str) -> PathBuf {
    std::env::temp_dir().join(format!("meridian-overload-{process}"))
}

/// Measures each way of polling in turn, so that a busy neighbour weighs on both.
fn rounds(options: &Options, link: &Link, folder: &Path) -> Result<Vec<Round>, String> {
    fs::create_dir_all(folder).expect("a folder can be made");
    Ordinary::new(WORLD).write(folder, PORT);
    let config = folder.join("meridian.yaml");
    let text = fs::read_to_string(&config).expect("it was just written");
    fs::write(&config, text.replace("127.0.0.1", SERVER)).expect("a file can be written");
    let mut command = link.of_server(&program::path());
    command.arg("serve").arg("--config").arg(&config);
    let server = Process::start(command);
    server.logs("serving snapshot");
    let mut rounds = Vec::new();
    for number in 0..=options.rounds {
        for polling in Polling::ALL {
            link.poll(polling)?;
            let before = link.polled_nanos();
            let round = round(link, polling, options.millis)?;
            if polling == Polling::Thread && link.polled_nanos() == before {
                return Err("the thread that polls has processed nothing".to_owned());
            }
            println!("{}: {:.0} % of the peak", polling.word(), round.kept_percent());
            // The first round warms caches and branch predictors.
            if number > 0 {
                rounds.push(round);
            }
        }
    }
    Ok(rounds)
}

fn round(link: &Link, polling: Polling, millis: u64) -> Result<Round, String> {
    let (_, window) = offer(link, 0.0, millis)?;
    let mut peak = window;
    for percent in ASCENT {
        let (_, answered) = offer(link, window * percent / 100.0, millis)?;
        peak = f64::max(peak, answered);
    }
    let (offered, answered) = offer(link, peak * PAST, millis)?;
    Ok(Round { polling, peak, offered, answered })
}

/// Offers queries at a rate; the rates a second that were sent and answered.
fn offer(link: &Link, rate: f64, millis: u64) -> Result<(f64, f64), String> {
    let mut command = link.of_load(&std::env::current_exe().expect("this program has a path"));
    command.args(["load".to_owned(), rate.to_string(), millis.to_string()]);
    let (status, printed, errors) = program::run(command);
    let rates: Vec<f64> = printed.split_whitespace().filter_map(|word| word.parse().ok()).collect();
    match rates[..] {
        [offered, answered] if status == 0 => Ok((offered, answered)),
        _ => Err(format!("the load failed: {}", errors.trim())),
    }
}

fn of(rounds: &[Round], polling: Polling, figure: fn(&Round) -> f64) -> f64 {
    median(rounds.iter().filter(|round| round.polling == polling).map(figure).collect())
}

fn kept(rounds: &[Round], polling: Polling) -> f64 {
    of(rounds, polling, Round::kept_percent)
}

fn facts(options: &Options) -> Vec<(String, String)> {
    let rounds = format!("{} of {} ms a rate, after one to warm up", options.rounds, options.millis);
    [
        ("machine", machine::processor()),
        ("kernel", machine::kernel()),
        ("compiler", machine::compiler()),
        ("questions", format!("two addresses by client subnet, of {} names", WORLD.names)),
        ("nice value of server and load", options.nice.to_string()),
        ("rounds", rounds),
        ("load of the machine before", machine::load()),
    ]
    .map(|(what, is)| (what.to_owned(), is))
    .to_vec()
}

fn results(facts: &[(String, String)], rounds: &[Round]) -> Value {
    let facts: serde_json::Map<String, Value> =
        facts.iter().map(|(what, is)| (what.clone(), json!(is))).collect();
    let rounds: Vec<Value> = rounds
        .iter()
        .map(|round| {
            json!({
                "polling": round.polling.word(),
                "peak_per_second": round.peak.round(),
                "offered_per_second": round.offered.round(),
                "answered_per_second": round.answered.round(),
            })
        })
        .collect();
    json!({ "facts": facts, "rounds": rounds })
}

fn table(facts: &[(String, String)], rounds: &[Round]) -> String {
    let mut text = "# Goodput past the peak\n\n".to_owned();
    for (what, is) in facts {
        let _ = writeln!(text, "- {what}: {is}");
    }
    text.push_str(
        "\nOne core for the server and for the packets that arrive, another one for the load, over a veth \
         pair. The peak is the highest rate of answers while the offered rate climbs. Each column is a \
         median of the rounds by itself.\n\n\
         | polling | peak/s | offered/s | of the peak | answered/s | of the peak |\n\
         |---|--:|--:|--:|--:|--:|\n",
    );
    for polling in Polling::ALL {
        let _ = writeln!(
            text,
            "| {} | {:.0} | {:.0} | {:.1} times | {:.0} | {:.0} % |",
            polling.word(),
            of(rounds, polling, |round| round.peak),
            of(rounds, polling, |round| round.offered),
            of(rounds, polling, Round::multiple),
            of(rounds, polling, |round| round.answered),
            kept(rounds, polling),
        );
    }
    let share = kept(rounds, Polling::Thread);
    let verdict = if share >= BAR { "kept" } else { "missed" };
    let _ = writeln!(text, "\nBar: with a thread, {BAR} % of the peak; {verdict}.");
    for polling in Polling::ALL {
        let multiple = of(rounds, polling, Round::multiple);
        if multiple < PAST * 0.95 {
            let _ = writeln!(
                text,
                "The core of the load could offer {multiple:.1} times the peak, not {PAST} times ({}).",
                polling.word()
            );
        }
    }
    text
}
