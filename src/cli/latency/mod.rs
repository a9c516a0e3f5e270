//! `meridian latency`: from logs of edges to the map that `order: latency` follows.

#[cfg(feature = "geoip-build")]
mod build;
#[cfg(feature = "geoip-build")]
mod deployed;
mod evaluate;
mod import;
mod lines;
#[cfg(feature = "geoip-build")]
mod map_file;
#[cfg(feature = "geoip-build")]
mod mix;
#[cfg(feature = "geoip-build")]
mod picture;
#[cfg(feature = "geoip-build")]
mod previous;
mod written;

use super::{Config, print};
use std::path::PathBuf;
use std::process::ExitCode;

/// Commands about measured latency.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Latency {
    /// Read RTTs from logs, and write them by network, PoP and hour
    #[command(after_help = import::HELP)]
    Import(import::Import),
    /// Build the map of RTTs from measurements, the place databases and the PoPs
    #[cfg(feature = "geoip-build")]
    #[command(after_help = build::HELP)]
    Build(build::Build),
    /// Compare choices by estimate and by distance with true RTTs
    #[command(hide = true)]
    Evaluate {
        /// PoPs, clients and samples, as JSON, gzip or not
        case: PathBuf,
        /// True RTTs, as JSON, gzip or not
        truth: PathBuf,
    },
}

impl Latency {
    /// Runs the command.
    pub(crate) fn run(self) -> ExitCode {
        let outcome = match self {
            Latency::Import(import) => import.run(),
            #[cfg(feature = "geoip-build")]
            Latency::Build(build) => build.run(),
            Latency::Evaluate { case, truth } => evaluate::run(&case, &truth),
        };
        match outcome {
            Ok(text) => {
                print(&text);
                ExitCode::SUCCESS
            }
            Err(sentence) => {
                eprintln!("error: {}", sentence.trim_end());
                ExitCode::FAILURE
            }
        }
    }
}
