//! `meridian schema`: JSON Schema for every YAML file, commented samples, and the OpenAPI document
//! of the control pages.

mod digits;
pub(crate) mod json;
pub(crate) mod page;
pub(crate) mod sample;

use super::print;
use crate::config::catalogue::{FILES, FileKind};
use crate::control::openapi;
use clap::ValueEnum;
use std::process::ExitCode;

/// Print a JSON Schema (draft 2020-12) of configuration files, a commented sample, or the OpenAPI
/// document of the control pages
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  meridian schema pops > pops.schema.json       for editors that check YAML as it is written; the
                                                first line of the sample names this file
  meridian schema --sample policies             every key with its meaning and default
  meridian schema --openapi > openapi.json      for clients of the control pages")]
pub(crate) struct Schema {
    /// The file; without it all files in one schema
    #[arg(value_name = "FILE", conflicts_with = "sample")]
    file: Option<FileWord>,
    /// Print a commented sample of this file instead
    #[arg(long, value_name = "FILE")]
    sample: Option<FileWord>,
    /// Print the OpenAPI document (3.1) of the control pages instead
    #[arg(long, conflicts_with_all = ["file", "sample"])]
    openapi: bool,
}

/// A kind of file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum FileWord {
    /// meridian.yaml
    Server,
    /// pops.yaml
    Pops,
    /// policies.yaml
    Policies,
    /// networks.yaml
    Networks,
    /// A zone file
    Zone,
}

impl FileWord {
    /// Entry of this file in the catalogue, which lists the files in the same order.
    fn kind(self) -> &'static FileKind {
        &FILES[self as usize]
    }
}

impl Schema {
    /// Runs the command.
    pub(crate) fn run(self) -> ExitCode {
        if self.openapi {
            print(&openapi::text());
            return ExitCode::SUCCESS;
        }
        match (self.sample, self.file) {
            (Some(word), _) => print(&sample::of(word.kind())),
            (None, Some(word)) => print(&json::of(word.kind())),
            (None, None) => print(&json::all()),
        }
        ExitCode::SUCCESS
    }
}

#[cfg(test)]
mod tests;
