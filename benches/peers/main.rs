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

use std::path::Path;
use std::time::Duration;
use support::machine;
use support::report::Report;
use support::run::RunOptions;
use support::servers::{Additions, Kind, Running};
use support::world::WorldSize;
use support::world::ordinary::Ordinary;

const USAGE: &str =
    "usage: cargo bench --bench peers -- run [--name WORD] [--rounds N] [--millis N] [--only WORD]
  --name    the run's name; `scratch` unless given
  --rounds  rounds of each measurement; 7
  --millis  length of one measurement; 1000
  --only    limits or tls";

/// Length of one measurement.
const MILLIS: u64 = 1000;

const WORLD: WorldSize = WorldSize { names: 10_000, networks: 50_000, seed: 1 };

fn main() {
    let Some(options) = RunOptions::new(7, Some(MILLIS)).of_arguments(USAGE) else { return };
    machine::stay_off_the_servers_core();
    let mut report = options.begin("Limits and DNS over TLS beside peers");
    let duration = Duration::from_millis(options.millis.unwrap_or(MILLIS));
    let world = Ordinary::new(WORLD);
    let folder = std::env::temp_dir().join(format!("meridian-peers-{}", std::process::id()));
    if options.wants("limits") {
        limits::measure((options.rounds, duration), &world, &folder, &mut report);
    }
    if options.wants("tls") {
        tls::measure((options.rounds, duration), &world, &folder, &mut report);
    }
    let _ = std::fs::remove_dir_all(&folder);
    options.end(report, env!("CARGO_MANIFEST_DIR"), "peers");
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
