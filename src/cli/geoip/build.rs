//! `meridian geoip build`: a readable source becomes a database, whole or not at all.

use super::encode::encode;
use crate::finding::{At, FileId, Files, Finding, Findings, code};
use crate::geo::mmdb::Database;
use crate::geo::source_text;
use std::fs;
use std::io::Write as _;
use std::path::Path;

/// Reads `source`, checks it and replaces `target` by the database in one step (a rename), so that
/// a reader of `target` sees either the old file or the new one, whole.
///
/// The database is dated `epoch` (seconds of the Unix epoch), else as the source says, else 0.
/// Gives a sentence for the operator, or every fault of the source at once.
pub(crate) fn build(source: &Path, target: &Path, epoch: Option<u64>) -> Result<String, (Findings, Files)> {
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
    encode(&source.rows, epoch.or(source.epoch).unwrap_or(0)).map_err(|error| {
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
