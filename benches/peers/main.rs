//! Limits of answers and DNS over TLS beside peers: this server, NSD, Knot DNS and BIND on one
//! core, the load on another, in rounds that take turns.
//!
//! ```console
//! $ cargo bench --bench peers -- run --name quiet       # into benches/runs/<date>-peers-quiet/
//! $ cargo bench --bench peers -- run --help
//! ```
//!
//! `limits` starts each server twice, with and without a limit that no client reaches, and compares
//! processor time for one answer over UDP. `tls` compares processor time for one answer over
//! connections that are open, and for one connection with its handshake. Peers are those of the
//! system's packages; the report says which are missing. Needs Linux, two cores and `taskset`.

mod limits;
mod tls;

use std::path::{Path, PathBuf};
use std::time::Duration;
use support::machine;
use support::report::Report;
use support::servers::{Additions, Kind, Running};
use support::world::WorldSize;
use support::world::ordinary::Ordinary;

const USAGE: &str =
    "usage: cargo bench --bench peers -- run [--name WORD] [--rounds N] [--millis N] [--only WORD]
  --name    the run's name; `scratch` unless given
  --rounds  rounds of each measurement; 7
  --millis  length of one measurement; 1000
  --only    limits or tls";

const WORLD: WorldSize = WorldSize { names: 10_000, networks: 50_000, seed: 1 };

/// Settings of a run.
pub struct Options {
    name: String,
    rounds: usize,
    duration: Duration,
    only: Option<String>,
}

fn main() {
    let words: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    match words.first().map(String::as_str) {
        Some("run") => match options(&words[1..]) {
            Some(options) => run(&options),
            None => println!("{USAGE}"),
        },
        _ => println!("{USAGE}"),
    }
}

fn options(words: &[String]) -> Option<Options> {
    let duration = Duration::from_secs(1);
    let mut options = Options { name: "scratch".to_owned(), rounds: 7, duration, only: None };
    let mut words = words.iter();
    while let Some(word) = words.next() {
        match word.as_str() {
            "--name" => options.name = words.next()?.clone(),
            "--rounds" => options.rounds = words.next()?.parse().ok()?,
            "--millis" => options.duration = Duration::from_millis(words.next()?.parse().ok()?),
            "--only" => options.only = Some(words.next()?.clone()),
            _ => return None,
        }
    }
    Some(options)
}

fn run(options: &Options) {
    machine::stay_off_the_servers_core();
    let mut report = Report { title: "Limits and DNS over TLS beside peers", ..Report::default() };
    let rounds = format!("{} of {} ms", options.rounds, options.duration.as_millis());
    for (what, is) in [
        ("machine", machine::processor()),
        ("kernel", machine::kernel()),
        ("compiler", machine::compiler()),
        ("rounds", rounds),
        ("load of the machine before", machine::load()),
    ] {
        report.facts.push((what.to_owned(), is));
    }
    let world = Ordinary::new(WORLD);
    let folder = std::env::temp_dir().join(format!("meridian-peers-{}", std::process::id()));
    if options.only.as_deref() != Some("tls") {
        limits::measure(options, &world, &folder, &mut report);
    }
    if options.only.as_deref() != Some("limits") {
        tls::measure(options, &world, &folder, &mut report);
    }
    let _ = std::fs::remove_dir_all(&folder);
    report.facts.push(("load of the machine after".to_owned(), machine::load()));
    let runs = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("benches/runs");
    report.write(&runs.join(format!("{}-peers-{}", machine::date(), options.name)));
    println!("{}", report.table());
}

/// Starts a server; a missing one goes into the report.
fn start(
    kind: Kind,
    world: &Ordinary,
    folder: &Path,
    more: &Additions<'_>,
    report: &mut Report,
) -> Option<Running> {
    match Running::start_with(kind, world, folder, more) {
        Ok(running) => {
            let fact = (kind.word().to_owned(), kind.version());
            if !report.facts.contains(&fact) {
                report.facts.push(fact);
            }
            Some(running)
        }
        Err(why) => {
            println!("left out: {}: {why}", kind.word());
            report.skipped.push((kind.word().to_owned(), why));
            None
        }
    }
}
