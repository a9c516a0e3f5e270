//! Cost of size: time to load and to reload, memory, time to publish a verdict, processor time
//! of an answer, each against the number of names, zones, PoPs, policies and networks; and whole
//! servers, beside Knot DNS.
//!
//! ```console
//! # small sizes, some minutes
//! $ cargo bench --bench scale -- run --name quick
//! # up to a million names, 10,000 zones, 1,000 PoPs, 200 policies,
//! # and five million networks in 100,000 places
//! $ cargo bench --bench scale -- run --name full --full
//! ```
//!
//! Results go into `benches/runs/<date>-<name>/`. Each size runs in a process of its own. Needs
//! Linux, 8 GiB of memory for `--full`, and `taskset` and Knot DNS for the comparison of first
//! answers.

#[path = "../world/mod.rs"]
mod world;

#[path = "../compare/servers.rs"]
mod servers;

#[path = "../compare/load.rs"]
#[allow(dead_code)] // its fixed rate is for the comparison
mod load;

#[path = "../compare/machine.rs"]
mod machine;

mod bars;
mod city;
mod deployment;
mod drive;
mod report;
mod served;

use deployment::Size;
use report::{Point, Report};
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

/// As the server itself has it: large tables stand in large pages.
#[global_allocator]
static ALLOCATOR: meridian::testing::sys::memory::Allocator = meridian::testing::sys::memory::Allocator;

const USAGE: &str =
    "usage: cargo bench --bench scale -- run [--name WORD] [--full] [--rounds N] [--only WORD]
  --name    the run's name; `scratch` unless given
  --full    sizes of a large CDN instead of small ones
  --rounds  rounds of whole servers; 5
  --only    one of names, yaml, zones, pops, networks, policies, all, served
To look at one size by itself: `write FOLDER SIZE`, then `drive FOLDER SIZE`, where SIZE is the numbers of \
names, names in
YAML, zones, PoPs, policies, networks and places.";

struct Options {
    name: String,
    full: bool,
    rounds: usize,
    only: Option<String>,
}

fn main() {
    meridian::testing::sys::memory::keep_large_apart();
    let words: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    let sized = || Some((Path::new(words.get(1)?), Size::read(words.get(2..)?)?));
    match words.first().map(String::as_str) {
        Some("write") if let Some((folder, size)) = sized() => size.write(folder),
        Some("drive") if let Some((folder, size)) = sized() => drive::drive(size, folder),
        Some("run") => match options(&words[1..]) {
            Some(options) => run(&options),
            None => println!("{USAGE}"),
        },
        _ => println!("{USAGE}"),
    }
}

fn options(words: &[String]) -> Option<Options> {
    let mut options = Options { name: "scratch".to_owned(), full: false, rounds: 5, only: None };
    let mut words = words.iter();
    while let Some(word) = words.next() {
        match word.as_str() {
            "--full" => options.full = true,
            "--name" => options.name = words.next()?.clone(),
            "--rounds" => options.rounds = words.next()?.parse().ok()?,
            "--only" => options.only = Some(words.next()?.clone()),
            _ => return None,
        }
    }
    Some(options)
}

/// Dimension that grows, and its sizes; all others stay as in the base.
fn points(full: bool) -> Vec<(&'static str, usize, Size)> {
    let base = if full {
        Size {
            names: 10_000,
            yaml: 0,
            zones: 100,
            pops: 100,
            policies: 10,
            networks: 500_000,
            places: 20_000,
        }
    } else {
        Size { names: 1_000, yaml: 0, zones: 100, pops: 50, policies: 5, networks: 50_000, places: 5_000 }
    };
    let steps = |full_steps: [usize; 3], quick_steps: [usize; 3]| if full { full_steps } else { quick_steps };
    let city = if full {
        Size { pops: 1_000, networks: 5_000_000, places: 100_000, ..base }
    } else {
        Size { networks: 200_000, ..base }
    };
    let mut points = Vec::new();
    points.extend(
        steps([10_000, 100_000, 1_000_000], [1_000, 10_000, 100_000])
            .map(|names| ("names", names, Size { names, ..base })),
    );
    points
        .extend(steps([10_000, 100_000, 1_000_000], [1_000, 10_000, 100_000]).map(|yaml| {
            ("yaml", yaml, Size { yaml, names: 1_000, networks: 10_000, places: 1_000, ..base })
        }));
    points.extend(
        steps([100, 1_000, 10_000], [10, 100, 1_000]).map(|zones| ("zones", zones, Size { zones, ..base })),
    );
    points.extend(steps([10, 100, 1_000], [10, 50, 200]).map(|pops| ("pops", pops, Size { pops, ..base })));
    points.extend(
        steps([50_000, 500_000, 5_000_000], [10_000, 50_000, 200_000])
            .map(|networks| ("networks", networks, Size { networks, ..base })),
    );
    // Every policy is used, because each reload warns of an unused one.
    let used = |policies: usize| Size { policies, zones: base.zones.max(policies), ..city };
    points.extend(steps([2, 20, 200], [2, 10, 50]).map(|policies| ("policies", policies, used(policies))));
    if full {
        points.push(("all", 1, Size { names: 1_000_000, zones: 10_000, policies: 200, ..city }));
    }
    points
}

fn run(options: &Options) {
    let started = Instant::now();
    let scratch = std::env::temp_dir().join(format!("meridian-scale-{}", std::process::id()));
    let wanted = |what: &str| options.only.as_deref().is_none_or(|only| only == what);
    let mut report =
        Report { facts: facts(options), points: Vec::new(), bars: Vec::new(), skipped: Vec::new() };
    for (axis, number, size) in points(options.full).into_iter().filter(|(axis, ..)| wanted(axis)) {
        let folder = scratch.join(format!("{axis}-{number}"));
        size.write(&folder);
        match drive(size, &folder) {
            Ok(found) => {
                println!("{axis} {number}: {found}");
                report.points.push(Point { axis, number, size, found });
            }
            Err(why) => {
                println!("{axis} {number}: failed: {why}");
                report.skipped.push((format!("{axis} {number}"), why));
            }
        }
        let _ = fs::remove_dir_all(&folder);
    }
    report.bars.extend(bars::of(&report.points));
    if wanted("served") {
        served::measure(
            if options.full { 1_000_000 } else { 100_000 },
            options.rounds,
            &scratch,
            &mut report,
        );
    }
    report.facts.push(("took".to_owned(), format!("{:.0} s", started.elapsed().as_secs_f64())));
    let date = machine::date();
    let out = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("benches/runs")
        .join(format!("{date}-scale-{}", options.name));
    report.write(&out);
    println!("{}", report.table());
    let _ = fs::remove_dir_all(&scratch);
}

fn drive(size: Size, folder: &Path) -> Result<Value, String> {
    let program = std::env::current_exe().map_err(|error| error.to_string())?;
    let output = Command::new(program)
        .arg("drive")
        .arg(folder)
        .args(size.words())
        .output()
        .map_err(|error| error.to_string())?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(format!("{}: {}", output.status, said.lines().take(5).collect::<Vec<_>>().join(" ")));
    }
    serde_json::from_slice(&output.stdout).map_err(|error| error.to_string())
}

fn facts(options: &Options) -> Vec<(String, String)> {
    let of_run = [
        ("sizes", if options.full { "full" } else { "quick" }.to_owned()),
        ("load of the machine before", machine::load()),
    ];
    machine::facts().into_iter().chain(of_run).map(|(what, is)| (what.to_owned(), is)).collect()
}
