//! `meridian geoip build` and `meridian geoip lookup`.
//!
//! `build` turns a readable source into a database in MaxMind DB format. The same source gives the
//! same octets everywhere, so that a database can stand in version control beside its source.

mod encode;

use super::{Config, print, print_findings};
use crate::finding::{At, FileId, Files, Finding, Findings, code};
use crate::geo::atlas::Atlas;
use crate::geo::mmdb::Database;
use crate::geo::source_text;
use crate::reload::cycle;
use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

/// Commands about GeoIP databases.
#[derive(Debug, clap::Subcommand)]
pub enum Geoip {
    /// Build a database from a readable source
    #[command(after_help = "\
Example:
  meridian geoip build geoip/places.csv geoip/places.mmdb")]
    Build {
        /// The source: lines of `prefix,continent,country,subdivision,latitude,longitude,asn,city`
        source: PathBuf,
        /// The database to write
        target: PathBuf,
        /// Date of the database, in seconds since 1970; by default what the source says
        #[arg(long, value_name = "SECONDS")]
        epoch: Option<u64>,
    },
    /// Tell what the deployment knows of an address
    #[command(after_help = "\
Example:
  meridian geoip lookup 198.51.100.7")]
    Lookup {
        /// The address
        address: IpAddr,
        /// Where the deployment is.
        #[command(flatten)]
        config: Config,
    },
}

impl Geoip {
    /// Runs the command.
    pub fn run(self) -> ExitCode {
        let outcome = match &self {
            Geoip::Build { source, target, epoch } => {
                build(source, target, *epoch).map(|sentence| format!("{}\n", sentence.trim_end()))
            }
            Geoip::Lookup { address, config } => lookup_in(&config.config, *address),
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

/// What the deployment of a server file knows of an address.
fn lookup_in(root: &Path, address: IpAddr) -> Result<String, (Findings, Files)> {
    let (deployment, findings, files) = cycle::read(root, true);
    let Some(deployment) = deployment else { return Err((findings, files)) };
    let mut databases = Vec::new();
    for source in &deployment.databases {
        match Database::read(source.path.clone(), &source.octets, source.file) {
            Ok(database) => databases.push(database),
            Err(findings) => return Err((findings, files)),
        }
    }
    let (atlas, _) = Atlas::build(&databases, &deployment.networks);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_secs());
    Ok(lookup(&atlas, &databases, address, now))
}

/// Reads `source`, checks it and writes the database to `target`, in one step: whoever reads
/// `target` meanwhile sees the old file or the new one, whole.
///
/// The database is dated `epoch` (seconds of the Unix epoch), else as the source says, else 0.
/// Gives a sentence for the operator, or every fault of the source at once.
pub fn build(source: &Path, target: &Path, epoch: Option<u64>) -> Result<String, (Findings, Files)> {
    let mut files = Files::default();
    let name = source.display().to_string();
    let text = match fs::read(source).map_err(|e| e.to_string()) {
        Ok(octets) => match String::from_utf8(octets) {
            Ok(text) => text,
            Err(_) => return Err(whole(files, &name, code::NOT_UTF8, format!("`{name}` is not UTF-8 text"))),
        },
        Err(error) => {
            return Err(whole(files, &name, code::UNREADABLE, format!("cannot read `{name}`: {error}")));
        }
    };
    let file = files.add(name.as_str(), text.as_str());
    let octets = match compile(&text, file, epoch) {
        Ok(octets) => octets,
        Err(findings) => return Err((findings, files)),
    };
    let shown = target.display();
    let database = match Database::read(shown.to_string(), &octets, file) {
        Ok(database) => database,
        Err(findings) => return Err((findings, files)),
    };
    if let Err(error) = replace(target, &octets) {
        return Err(whole(
            files,
            &shown.to_string(),
            code::UNREADABLE,
            format!("cannot write `{shown}`: {error}"),
        ));
    }
    let (v4, v6) = (database.leaves_v4.len(), database.leaves_v6.len());
    Ok(format!(
        "wrote {shown}: {v4} IPv4 and {v6} IPv6 networks, {} places, {} octets",
        database.places.len(),
        octets.len()
    ))
}

/// The octets of the database that a source makes.
pub fn compile(text: &str, file: FileId, epoch: Option<u64>) -> Result<Vec<u8>, Findings> {
    let (source, mut findings) = source_text::parse(text, file);
    if findings.has_errors() {
        return Err(findings);
    }
    encode::encode(&source.rows, epoch.or(source.epoch).unwrap_or(0)).map_err(|error| {
        findings.push(
            Finding::error(code::BAD_VALUE, format!("no database can be made of this source: {error}"))
                .at(At::whole(file), ""),
        );
        findings
    })
}

/// What is known of an address: place, leaf, the source of each field, and the age of each database
/// at `now` (seconds of the Unix epoch). `databases` are those that `atlas` was built from.
pub fn lookup(atlas: &Atlas, databases: &[Database], address: IpAddr, now: u64) -> String {
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

fn whole(mut files: Files, path: &str, code: crate::finding::Code, message: String) -> (Findings, Files) {
    let file = files.add(path, "");
    (Finding::error(code, message).at(At::whole(file), "").into(), files)
}

/// Writes a file beside `target` and renames it over it, so that no reader sees half of it.
fn replace(target: &Path, octets: &[u8]) -> std::io::Result<()> {
    let mut name = target.file_name().unwrap_or_default().to_os_string();
    name.push(format!(".{}.new", std::process::id()));
    let beside = target.with_file_name(name);
    let written = fs::File::create(&beside).and_then(|mut file| {
        file.write_all(octets)?;
        file.sync_all()
    });
    let renamed = written.and_then(|()| fs::rename(&beside, target));
    if renamed.is_err() {
        // The half-written file is of no use to anybody; if it cannot be removed either, the first
        // error is the one to tell.
        let _ = fs::remove_file(&beside);
    }
    renamed
}

#[cfg(test)]
mod tests;
