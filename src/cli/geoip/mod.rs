//! `meridian geoip build` and `meridian geoip lookup`.
//!
//! `build` turns a readable source into a database in MaxMind DB format. The same source gives the
//! same octets everywhere if it has its date, so that a database can stand in version control
//! beside its source.

#[cfg(feature = "geoip-build")]
pub(crate) mod build;
#[cfg(feature = "geoip-build")]
mod encode;

use super::{Config, print, print_findings};
#[cfg(not(feature = "geoip-build"))]
use crate::finding::{At, Finding, code};
use crate::finding::{Files, Findings};
use crate::geo::atlas::Atlas;
use crate::geo::mmdb::Database;
use crate::geo::rtts::{RttList, RttSource};
use crate::reload::prepare;
use crate::sys::clock::epoch_secs;
use std::fmt::Write as _;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Commands about GeoIP databases.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Geoip {
    /// Build a database from a readable source
    #[command(after_help = "\
Example:
  meridian geoip build geoip/places.csv geoip/places.mmdb")]
    Build {
        /// The source: lines of `prefix,continent,country,subdivision,latitude,longitude,asn,city`
        source: PathBuf,
        /// The database to write
        target: PathBuf,
        /// Date of the database, in seconds since 1970; by default the date in the source, else the
        /// time of its last change
        #[arg(long, value_name = "SECONDS")]
        epoch: Option<u64>,
    },
    /// Show the place of an address by the databases and networks of the deployment
    #[command(after_help = "\
Example:
  meridian geoip lookup 198.51.100.7")]
    Lookup {
        /// The address
        address: IpAddr,
        #[command(flatten)]
        config: Config,
    },
}

impl Geoip {
    /// Runs the command.
    pub(crate) fn run(self) -> ExitCode {
        let outcome = match &self {
            #[cfg(feature = "geoip-build")]
            Geoip::Build { source, target, epoch } => {
                build::build(source, target, *epoch).map(|sentence| format!("{}\n", sentence.trim_end()))
            }
            #[cfg(not(feature = "geoip-build"))]
            Geoip::Build { source, .. } => Err(without_a_writer(source)),
            Geoip::Lookup { address, config } => lookup_in(&config.path(), *address),
        };
        match outcome {
            Ok(text) => {
                print(&text);
                ExitCode::SUCCESS
            }
            Err((findings, files)) => {
                print_findings(&findings, &files);
                ExitCode::FAILURE
            }
        }
    }
}

/// Text of `geoip lookup` by the deployment of a server file.
fn lookup_in(root: &Path, address: IpAddr) -> Result<String, (Findings, Files)> {
    let (deployment, findings, files) = prepare::read(root, true);
    let Some(deployment) = deployment else { return Err((findings, files)) };
    let mut databases = Vec::new();
    for source in &deployment.databases {
        match Database::read(source.path.clone(), &source.octets, source.file) {
            Ok(database) => databases.push(database),
            Err(findings) => return Err((findings, files)),
        }
    }
    let (atlas, _) = Atlas::build(&databases, &deployment.networks);
    let now = epoch_secs();
    Ok(lookup(&atlas, &databases, address, now))
}

/// Text of `geoip lookup`: place and leaf of an address, the source of each field, and the age of
/// each database at `now` (seconds of the Unix epoch). `databases` are the sources of `atlas`.
pub(crate) fn lookup(atlas: &Atlas, databases: &[Database], address: IpAddr, now: u64) -> String {
    let (place, leaf, evidence) = atlas.place_of(address);
    let mut out = format!("{address} lies in {leaf}\n");
    let mut tell = |field: &str, value: String| {
        let source = evidence
            .fields()
            .find(|(name, _)| *name == field)
            .map_or("", |(_, source)| atlas.source_name(source));
        // Writing to a string cannot fail.
        let _ = writeln!(out, "  {:<13}{value:<24}{source}", format!("{field}:"));
    };
    let unknown = || "-".to_owned();
    tell("continent", place.continent.map_or_else(unknown, |c| c.code().to_owned()));
    tell("country", place.country.map_or_else(unknown, |c| c.to_string()));
    let subdivisions: Vec<&str> = place.subdivisions.iter().map(|s| s.code()).collect();
    tell("subdivision", if subdivisions.is_empty() { unknown() } else { subdivisions.join(" ") });
    tell("coordinates", place.coordinates.map_or_else(unknown, |c| format!("{:.4} {:.4}", c.lat(), c.lon())));
    tell("asn", place.asn.map_or_else(unknown, |asn| format!("AS{asn}")));
    if let Some(site) = &place.site {
        tell("site", site.to_string());
    }
    for (head, list) in [("latency", &place.rtts), ("resolvers", &place.resolver_rtts)] {
        if let Some(list) = list {
            out.push_str(&rtts_text(head, list, now));
        }
    }
    for &network in &place.networks {
        let _ = writeln!(
            out,
            "  in network {}",
            atlas.networks.get(usize::from(network)).map_or("?", |name| name)
        );
    }
    for database in databases {
        let days = now.saturating_sub(database.build_epoch) / 86_400;
        let age =
            if database.build_epoch == 0 { "without a date".to_owned() } else { format!("{days} days old") };
        let _ = writeln!(out, "  database {} ({}), {age}", database.name, database.kind);
    }
    out
}

/// RTTs of a place to PoPs, in the order of the map, with their evidence and the age of the newest
/// sample. `head` is `latency` for RTTs of the place itself, `resolvers` for RTTs of the clients
/// behind resolvers there.
fn rtts_text(head: &str, list: &RttList, now: u64) -> String {
    let age = match list.measured_at {
        0 => String::new(),
        at => format!(", newest {} hours old", now.saturating_sub(at) / 3600),
    };
    let mut out = String::new();
    for (index, (pop, rtt)) in list.entries().enumerate() {
        let head = if index == 0 { format!("{head}:") } else { String::new() };
        let is_measured = !list.is_of_clients() && rtt.source == RttSource::Measured;
        let (evidence, age) = (rtt.evidence(list.is_of_clients()), if is_measured { &age[..] } else { "" });
        // Writing to a string cannot fail.
        let _ = writeln!(out, "  {head:<13}{pop:<8}{:>5} ms  {evidence}{age}", rtt.rtt_ms);
    }
    out
}

/// Refusal of a program that was built without the feature `geoip-build`.
#[cfg(not(feature = "geoip-build"))]
fn without_a_writer(source: &Path) -> (Findings, Files) {
    let mut files = Files::default();
    let file = files.add(source.display().to_string(), "");
    let finding =
        Finding::error(code::BAD_VALUE, "this program was built without the writer of databases".to_owned())
            .at(At::whole(file), "")
            .help("build it by `cargo build --release --features geoip-build`");
    (finding.into(), files)
}

#[cfg(all(test, feature = "geoip-build"))]
mod tests;
