//! Run of a benchmark that measures bars: its options, the facts of its machine, and its folder.

use crate::machine;
use crate::report::Report;
use std::path::Path;

/// Options of a run.
pub struct RunOptions {
    /// Name of the run, in the name of its folder.
    pub name: String,
    /// Rounds of each measurement.
    pub rounds: usize,
    /// Length of one measurement in milliseconds; `None` if the benchmark has no such option.
    pub millis: Option<u64>,
    /// Part that is measured alone.
    pub only: Option<String>,
}

impl RunOptions {
    /// Options by default.
    pub fn new(rounds: usize, millis: Option<u64>) -> RunOptions {
        RunOptions { name: "scratch".to_owned(), rounds, millis, only: None }
    }

    /// Options of the command line behind `run`; `None`, and the usage printed, for another one.
    pub fn of_arguments(self, usage: &str) -> Option<RunOptions> {
        let words: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
        let options = match words.first().map(String::as_str) {
            Some("run") => self.with(&words[1..]),
            _ => None,
        };
        if options.is_none() {
            println!("{usage}");
        }
        options
    }

    fn with(mut self, words: &[String]) -> Option<RunOptions> {
        let mut words = words.iter();
        while let Some(word) = words.next() {
            match word.as_str() {
                "--name" => self.name = words.next()?.clone(),
                "--rounds" => self.rounds = words.next()?.parse().ok()?,
                "--millis" if self.millis.is_some() => self.millis = Some(words.next()?.parse().ok()?),
                "--only" => self.only = Some(words.next()?.clone()),
                _ => return None,
            }
        }
        Some(self)
    }

    /// True if a part is to be measured.
    pub fn wants(&self, part: &str) -> bool {
        self.only.as_deref().is_none_or(|only| only == part)
    }

    /// Begins a report with the facts of the machine.
    pub fn begin(&self, title: &'static str) -> Report {
        let rounds = match self.millis {
            None => self.rounds.to_string(),
            Some(millis) => format!("{} of {millis} ms", self.rounds),
        };
        let facts = [
            ("machine", machine::processor()),
            ("kernel", machine::kernel()),
            ("compiler", machine::compiler()),
            ("program", profile().to_owned()),
            ("rounds", rounds),
            ("load of the machine before", machine::load()),
        ];
        let facts = facts.map(|(what, is)| (what.to_owned(), is)).to_vec();
        Report { title, facts, ..Report::default() }
    }

    /// Writes a report into `benches/runs` of a source tree, by date, benchmark and name, and
    /// prints its table.
    pub fn end(&self, mut report: Report, tree: &str, benchmark: &str) {
        report.facts.push(("load of the machine after".to_owned(), machine::load()));
        let folder = format!("benches/runs/{}-{benchmark}-{}", machine::date(), self.name);
        report.write(&Path::new(tree).join(folder));
        println!("{}", report.table());
    }
}

/// Profile of the build, in words.
fn profile() -> &'static str {
    if cfg!(debug_assertions) { "with debug assertions, dependencies unoptimised" } else { "optimised" }
}
