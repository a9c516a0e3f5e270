//! `meridian geoip build`: a readable source becomes a database, whole or not at all.

use super::encode::encode;
use crate::cli::progress::Progress;
use crate::finding::{At, FileId, Files, Finding, Findings, code};
use crate::geo::mmdb::Database;
use crate::geo::source_text;
use crate::limits::DATABASE_OCTETS_MAX;
use crate::sys::{beneath, replace};
use std::fs;
use std::io::Read as _;
use std::path::Path;
use std::time::UNIX_EPOCH;

/// Reads `source`, checks it and replaces `target` by the database in one step (a rename), so that
/// a reader of `target` sees either the old file or the new one, whole.
///
/// The date of the database is `epoch` (seconds of the Unix epoch), else the date in the source,
/// else the time of the last change of the source.
/// Returns a sentence for the operator, or every fault of the source at once.
pub(crate) fn build(source: &Path, target: &Path, epoch: Option<u64>) -> Result<String, (Findings, Files)> {
    let mut files = Files::default();
    let name = source.display().to_string();
    let text = match read(source).map_err(|e| e.to_string()) {
        Ok(octets) => match String::from_utf8(octets) {
            Ok(text) => text,
            Err(_) => return Err(whole(files, &name, code::NOT_UTF8, format!("`{name}` is not UTF-8 text"))),
        },
        Err(error) => {
            return Err(whole(files, &name, code::UNREADABLE, format!("cannot read `{name}`: {error}")));
        }
    };
    let file = files.add(name.as_str(), text.as_str());
    let octets = match compile_dated(&text, file, epoch, changed_at(source)) {
        Ok(octets) => octets,
        Err(findings) => return Err((findings, files)),
    };
    let shown = target.display();
    let database = match Database::read(shown.to_string(), &octets, file) {
        Ok(database) => database,
        Err(findings) => return Err((findings, files)),
    };
    if let Err(error) = replace::named(target, &octets, Some(source)) {
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

/// Octets of a source: a regular file, or a descriptor that the shell has opened for this process,
/// as in `<(zcat places.csv.gz)`. A named pipe might wait for ever, and a device has no end.
fn read(source: &Path) -> std::io::Result<Vec<u8>> {
    let is_own = ["/dev/fd", "/proc/self/fd", "/dev/stdin"].iter().any(|own| source.starts_with(own));
    let file = match is_own {
        true => fs::File::open(source)?,
        false => beneath::open(source)?,
    };
    if !is_own && !file.metadata()?.is_file() {
        return Err(std::io::Error::other("it is not a regular file"));
    }
    let mut octets = Vec::new();
    file.take(DATABASE_OCTETS_MAX as u64 + 1).read_to_end(&mut octets)?;
    match octets.len() > DATABASE_OCTETS_MAX {
        true => Err(std::io::Error::other(format!("it has more than {DATABASE_OCTETS_MAX} octets"))),
        false => Ok(octets),
    }
}

/// Time of the last change of a file, in seconds of the Unix epoch.
fn changed_at(source: &Path) -> Option<u64> {
    let changed = fs::metadata(source).and_then(|metadata| metadata.modified()).ok()?;
    changed.duration_since(UNIX_EPOCH).ok().map(|since| since.as_secs())
}

/// Octets of the database of a source. Its date is `epoch`, else the date in the source.
pub fn compile(text: &str, file: FileId, epoch: Option<u64>) -> Result<Vec<u8>, Findings> {
    compile_dated(text, file, epoch, None)
}

/// [`compile`] with a date for a source without one.
fn compile_dated(
    text: &str,
    file: FileId,
    epoch: Option<u64>,
    changed_at: Option<u64>,
) -> Result<Vec<u8>, Findings> {
    let mut progress = Progress::new("octets");
    let all = Some(text.len() as u64);
    let (source, mut findings) =
        source_text::parse_noting(text, file, &mut |read| progress.at(read as u64, all));
    drop(progress);
    if findings.has_errors() {
        return Err(findings);
    }
    let Some(epoch) = epoch.or(source.epoch).or(changed_at).filter(|epoch| *epoch > 0) else {
        let finding = Finding::error(code::BAD_VALUE, "the database would have no date, or that of 1970")
            .at(At::whole(file), "")
            .help("write `# epoch: SECONDS` into the source, or give --epoch: libmaxminddb needs a date");
        findings.push(finding);
        return Err(findings);
    };
    encode(&source.rows, epoch).map_err(|error| {
        findings.push(
            Finding::error(code::BAD_VALUE, format!("no database can be made of this source: {error}"))
                .at(At::whole(file), ""),
        );
        findings
    })
}

fn whole(mut files: Files, path: &str, code: crate::finding::Code, message: String) -> (Findings, Files) {
    let file = files.add(path, "");
    (Finding::error(code, message).at(At::whole(file), "").into(), files)
}
