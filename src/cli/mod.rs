//! The command line.
//!
//! Exit statuses: 0 done; 1 refused with findings; 2 the command line is wrong or the server cannot
//! be reached.

pub(crate) mod check;
pub(crate) mod colour;
pub(crate) mod completions;
pub(crate) mod diff;
pub(crate) mod explain;
pub(crate) mod geoip;
pub(crate) mod init;
pub(crate) mod latency;
mod limits;
pub(crate) mod log;
pub(crate) mod man;
mod map;
pub(crate) mod moves;
mod output;
pub(crate) mod policy;
pub(crate) mod pop;
pub(crate) mod prediction;
mod progress;
pub(crate) mod quarantine;
pub(crate) mod reload;
pub(crate) mod remote;
pub(crate) mod schema;
pub(crate) mod serve;
pub(crate) mod server;
pub(crate) mod size;
pub(crate) mod verify;
pub(crate) mod when;

use crate::finding::render;
use crate::finding::{Files, Findings};
use clap::{Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use serde::Serialize;
use std::ffi::OsString;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// An authoritative GeoDNS server for people who run a CDN.
#[derive(Debug, Parser)]
#[command(name = "meridian", version, after_help = EXAMPLES, max_term_width = 100)]
pub(crate) struct Arguments {
    /// Command to run
    #[command(subcommand)]
    pub(crate) command: CliCommand,
}

const EXAMPLES: &str = "\
Examples:
  meridian init cdn                            write a small deployment to begin with
  meridian serve                               serve the deployment in ./meridian.yaml
  meridian check --config site/meridian.yaml   show every fault of its files, change nothing
  meridian reload                              put changed files in force, or show their faults
  meridian explain www.shop.example --client 192.0.2.7     explain the answer of a client
  dig @127.0.0.1 -p 5300 global.edge.cdn.example A +subnet=198.51.100.0/24";

/// A command.
#[derive(Debug, Subcommand)]
pub(crate) enum CliCommand {
    /// Write a small commented deployment into a folder
    Init(init::Init),
    /// Serve a deployment
    Serve(serve::Serve),
    /// Read and check a deployment without serving it
    Check(check::CheckCommand),
    /// Show the clients that move from one deployment to another
    Diff(diff::Diff),
    /// Reload the files of a running server
    Reload(reload::Reload),
    /// Show PoPs of a running server, and override their state
    #[command(
        subcommand,
        after_help = "\
Exit status: 0 done, 1 refused, 2 no server answers.

Examples:
  meridian pop list
  meridian pop drain fra --for 2h --reason \"new switch, ticket 4711\"
  meridian pop down 'eu-*' tag:lab --reason \"power work\" --dry-run
  meridian pop auto fra"
    )]
    Pop(pop::PopCommand),
    /// Show the policies of a running server
    #[command(subcommand, after_help = "Examples:\n  meridian policy list\n  meridian policy show web")]
    Policy(policy::PolicyCommand),
    /// Show what a running server has dropped, and heavy clients
    Limits(limits::Limits),
    /// Draw the PoP that each country gets
    Map(map::Map),
    /// Explain why a client gets its answer
    Explain(explain::Explain),
    /// Show and replay messages on which a server has panicked
    #[command(
        subcommand,
        after_help = "Examples:\n  meridian quarantine list\n  meridian quarantine replay 1790000000-1.txt"
    )]
    Quarantine(quarantine::QuarantineCommand),
    /// Show the memory that a deployment takes, by zone and table
    Size(size::SizeCommand),
    /// Build and query GeoIP databases
    #[command(
        subcommand,
        after_help = "Examples:\n  meridian geoip build geoip/places.csv geoip/places.mmdb\n  meridian geoip \
            lookup 198.51.100.7"
    )]
    Geoip(geoip::Geoip),
    /// Import measured RTTs and build the map of them
    #[command(
        subcommand,
        after_help = "\
Examples:
  meridian latency import --format nginx --pop fra --output fra.csv /var/log/nginx/rtt.log
  meridian latency build --output geoip/latency.mmdb fra.csv ams.csv"
    )]
    Latency(latency::Latency),
    /// Print a JSON Schema of configuration files, a commented sample, or the OpenAPI document
    Schema(schema::Schema),
    /// Print a completion script for a shell
    #[command(after_help = "Example:\n  meridian completions bash > /etc/bash_completion.d/meridian")]
    Completions {
        /// The shell
        shell: Shell,
    },
    /// Print man pages
    Man(man::Man),
    /// Print the names of PoPs for the scripts of `completions`
    #[command(hide = true)]
    PopNames(completions::PopNames),
}

/// Output format of a command.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people
    #[default]
    Text,
    /// For programs
    Json,
}

/// Option for the server file of a command.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Config {
    /// The server file; without it the one that MERIDIAN_CONFIG names, else ./meridian.yaml, else
    /// /etc/meridian/meridian.yaml
    #[arg(long, short, value_name = "FILE")]
    config: Option<PathBuf>,
}

/// Server file in the current folder.
const HERE: &str = "meridian.yaml";

/// Server file of a packaged installation.
const INSTALLED: &str = "/etc/meridian/meridian.yaml";

impl Config {
    /// Path of the server file, if it is named or at a usual place.
    fn find(&self) -> Option<PathBuf> {
        let named = self.config.clone().or_else(|| named_by(std::env::var_os("MERIDIAN_CONFIG")));
        named.or_else(|| found(Path::exists))
    }

    /// Path of the server file. If neither `--config` nor MERIDIAN_CONFIG names one and none of the
    /// usual places has one, stderr names these places, and the path is that of the current folder.
    pub(crate) fn path(&self) -> PathBuf {
        self.find().unwrap_or_else(|| {
            let _ = writeln!(
                std::io::stderr(),
                "no server file: neither ./{HERE} nor {INSTALLED} exists; name one by --config or \
                 MERIDIAN_CONFIG"
            );
            PathBuf::from(HERE)
        })
    }
}

/// Server file that the environment names. An empty variable names none.
fn named_by(variable: Option<OsString>) -> Option<PathBuf> {
    variable.filter(|value| !value.is_empty()).map(PathBuf::from)
}

/// First of the usual places that has a server file.
fn found(exists: impl Fn(&Path) -> bool) -> Option<PathBuf> {
    [HERE, INSTALLED].map(PathBuf::from).into_iter().find(|place| exists(place))
}

/// Runs the program with the arguments of the process.
pub fn main() -> ExitCode {
    run(std::env::args_os())
}

/// Runs the program with given arguments, the program's name first.
pub(crate) fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let arguments = match Arguments::try_parse_from(arguments) {
        Ok(arguments) => arguments,
        Err(error) => {
            // Help and the version go to stdout.
            let printed = error.print();
            if !error.use_stderr() {
                output::note(printed);
            }
            return output::status(ExitCode::from(error.exit_code() as u8));
        }
    };
    output::status(run_command(arguments.command))
}

fn run_command(command: CliCommand) -> ExitCode {
    match command {
        CliCommand::Init(init) => init.run(),
        CliCommand::Serve(serve) => serve.run(),
        CliCommand::Check(check) => check.run(),
        CliCommand::Diff(diff) => diff.run(),
        CliCommand::Reload(reload) => reload.run(),
        CliCommand::Pop(pop) => pop.run(),
        CliCommand::Policy(policy) => policy.run(),
        CliCommand::Limits(limits) => limits.run(),
        CliCommand::Map(map) => map.run(),
        CliCommand::Explain(explain) => explain.run(),
        CliCommand::Quarantine(quarantine) => quarantine.run(),
        CliCommand::Size(size) => size.run(),
        CliCommand::Geoip(geoip) => geoip.run(),
        CliCommand::Latency(latency) => latency.run(),
        CliCommand::Schema(schema) => schema.run(),
        CliCommand::Man(man) => man.run(),
        CliCommand::Completions { shell } => completions::print(shell),
        CliCommand::PopNames(names) => names.run(),
    }
}

/// Prints to stdout.
pub(crate) fn print(text: &str) {
    output::write(text.as_bytes());
}

/// Value as indented JSON, with its keys in alphabetical order.
pub(crate) fn json<T: Serialize>(value: &T) -> String {
    match serde_json::to_value(value) {
        Ok(value) => format!("{value:#}\n"),
        Err(error) => format!("not printed: {error}\n"),
    }
}

/// Prints findings to stderr, in colours if stderr takes them.
pub(crate) fn print_findings(findings: &Findings, files: &Files) {
    if !findings.is_empty() {
        let text = render::text(findings, files, colour::on_stderr());
        let _ = std::io::stderr().lock().write_all(text.as_bytes());
    }
}

#[cfg(test)]
mod tests;
