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

use std::path::PathBuf;
use support::machine;
use support::report::Report;

const USAGE: &str = "usage: cargo bench --bench hostile -- run [--name WORD] [--rounds N] [--only WORD]
  --name    the run's name; `scratch` unless given
  --rounds  rounds of each measurement; 5
  --only    held or flood";

struct Options {
    name: String,
    rounds: usize,
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
    let mut options = Options { name: "scratch".to_owned(), rounds: 5, only: None };
    let mut words = words.iter();
    while let Some(word) = words.next() {
        match word.as_str() {
            "--name" => options.name = words.next()?.clone(),
            "--rounds" => options.rounds = words.next()?.parse().ok()?,
            "--only" => options.only = Some(words.next()?.clone()),
            _ => return None,
        }
    }
    Some(options)
}

fn run(options: &Options) {
    machine::stay_off_the_servers_core();
    let mut report = Report { title: "Hostile clients", ..Report::default() };
    for (what, is) in [
        ("machine", machine::processor()),
        ("kernel", machine::kernel()),
        ("compiler", machine::compiler()),
        ("program", profile().to_owned()),
        ("rounds", options.rounds.to_string()),
        ("load of the machine before", machine::load()),
    ] {
        report.facts.push((what.to_owned(), is));
    }
    let wanted = |what: &str| options.only.as_deref().is_none_or(|only| only == what);
    if wanted("held") {
        held::measure(options.rounds, &mut report);
    }
    if wanted("flood") {
        flood::measure(options.rounds, &mut report);
    }
    report.facts.push(("load of the machine after".to_owned(), machine::load()));
    let folder = format!("benches/runs/{}-hostile-{}", machine::date(), options.name);
    report.write(&PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(folder));
    println!("{}", report.table());
}

/// Profile of the build, in words.
fn profile() -> &'static str {
    if cfg!(debug_assertions) { "with debug assertions, dependencies unoptimised" } else { "optimised" }
}
