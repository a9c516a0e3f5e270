//! Hostile clients of the real program: thousands that hold connections, messages, handshakes and
//! streams; and a flood of random subdomains. Beside them, clients that only ask.
//!
//! ```console
//! $ cargo bench --bench hostile -- run --name quiet       # into benches/runs/<date>-hostile-quiet/
//! $ cargo bench --bench hostile -- run --help
//! ```
//!
//! Sources are addresses of 127/8. Two servers answer by turns, of which one has the hostile
//! clients, so that a busy neighbour weighs on both. Needs Linux, two cores, `taskset`, 10,600
//! descriptors, and for the flood the right to make a control group.

mod flood;
mod group;
mod held;

use support::machine;
use support::run::RunOptions;

const USAGE: &str = "usage: cargo bench --bench hostile -- run [--name WORD] [--rounds N] [--only WORD]
  --name    the run's name; `scratch` unless given
  --rounds  rounds of each measurement; 5
  --only    held or flood";

fn main() {
    let Some(options) = RunOptions::new(5, None).of_arguments(USAGE) else { return };
    machine::stay_off_the_servers_core();
    let mut report = options.begin("Hostile clients");
    if options.wants("held") {
        held::measure(options.rounds, &mut report);
    }
    if options.wants("flood") {
        flood::measure(options.rounds, &mut report);
    }
    options.end(report, env!("CARGO_MANIFEST_DIR"), "hostile");
}
