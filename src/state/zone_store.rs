//! Format of `state/zones/`: the last good texts of zones whose files are faulty or missing, or
//! that several files define. One file for each zone, so that a restart serves the same zones.
//!
//! A file exists only while its zone is served from it, or while it records which of several files
//! is the zone's. It has a head with a checksum, then the zone's files with their lengths.

use crate::limits::{KEPT_OCTETS_MAX, KEPT_ZONES_MAX};
use crate::state::atomic;
use crate::wire::hash;
use crate::wire::name::Name;
use crate::zone::source::{FileUse, FolderStanding, LastGood, Standing, ZoneFile, ZoneSource, ZoneTexts};
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Name of the folder in the state folder.
const FOLDER: &str = "zones";

/// Suffix of each file.
const ENDING: &str = ".texts";

/// First words of each file. Other versions are not read.
const HEAD: &str = "meridian zone 1 ";

/// Most octets of one file: the texts and their names.
const FILE_OCTETS_MAX: u64 = KEPT_OCTETS_MAX + (1 << 20);

/// Uses of files that can be kept.
const USES: [FileUse; 3] = [FileUse::Yaml, FileUse::Text, FileUse::Included];

/// Word for the use of a file by its zone.
fn word_of(file_use: FileUse) -> &'static str {
    match file_use {
        FileUse::Yaml => "yaml",
        FileUse::Text => "text",
        FileUse::Included => "included",
    }
}

/// Reads the kept texts. A file that cannot be read is reported and ignored.
pub(crate) fn load(state: &Path) -> LastGood {
    let folder = state.join(FOLDER);
    crate::sys::hooks::hang(&folder);
    let mut last_good = LastGood::default();
    let names = match names(&folder) {
        Ok(names) => names,
        Err(error) => {
            last_good.faults.push(format!("{} cannot be read: {error}", folder.display()));
            return last_good;
        }
    };
    for path in names.into_iter().filter(|path| path.to_string_lossy().ends_with(ENDING)).take(KEPT_ZONES_MAX)
    {
        let shown = path.display();
        match atomic::read(&path, FILE_OCTETS_MAX) {
            Ok(Some(octets)) => match decode(&octets) {
                Some(source) => last_good.zones.push(source),
                None => last_good.faults.push(format!(
                    "{shown} is damaged: if the zone's file is faulty, the server has no earlier version of \
                     the zone to serve"
                )),
            },
            Ok(None) => {}
            Err(error) => {
                last_good.faults.push(format!(
                    "{shown} cannot be read: if the zone's file is faulty, the server has no earlier version \
                     of the zone to serve: {error}"
                ));
            }
        }
    }
    last_good.zones.sort_by(|a, b| a.apex.cmp(&b.apex));
    last_good
}

/// Makes the folder hold the texts of exactly the zones that are not served from their present
/// files, and of those that a stray file defines too. The error has a sentence for each zone that
/// is not kept.
pub(crate) fn keep(state: &Path, standing: &FolderStanding) -> Result<(), String> {
    let sources = &standing.zones;
    let told_twice: HashSet<&Name> = standing.strays.iter().filter_map(|stray| stray.zone.as_ref()).collect();
    let is_kept = |source: &&ZoneSource| {
        source.has_texts() && (source.standing != Standing::Current || told_twice.contains(&source.apex))
    };
    let folder = state.join(FOLDER);
    let mut faults = Vec::new();
    let mut left = KEPT_OCTETS_MAX;
    let mut wanted: BTreeMap<PathBuf, &ZoneSource> = BTreeMap::new();
    // Texts that may stand nowhere else come first.
    let (current, others): (Vec<_>, Vec<_>) =
        sources.iter().filter(is_kept).partition(|source| source.standing == Standing::Current);
    for source in others.into_iter().chain(current) {
        let octets = source.texts.octets() as u64;
        if octets > left || wanted.len() >= KEPT_ZONES_MAX {
            faults.push(format!(
                "the zone `{}` is one too many: at most {KEPT_ZONES_MAX} zones of {KEPT_OCTETS_MAX} octets \
                 are kept",
                source.apex
            ));
            continue;
        }
        left -= octets;
        wanted.insert(folder.join(file_name(&source.apex)), source);
    }
    let there = match names(&folder) {
        Ok(names) => names,
        Err(error) => return Err(format!("{} cannot be read: {error}", folder.display())),
    };
    if !wanted.is_empty()
        && let Err(error) = make(&folder)
    {
        return Err(format!("{} cannot be made: {error}", folder.display()));
    }
    for (path, source) in &wanted {
        let octets = encode(source);
        // An unchanged file is not written again.
        let is_there = there.contains(path)
            && matches!(atomic::read(path, FILE_OCTETS_MAX), Ok(Some(before)) if before == octets);
        if !is_there && let Err(error) = atomic::write(path, &octets) {
            faults.push(format!("{} cannot be written: {error}", path.display()));
        }
    }
    // A file that cannot be read now may be readable at the next start.
    let is_dead = |source: &&ZoneSource| source.standing.is_dead();
    let spared: BTreeSet<PathBuf> =
        sources.iter().filter(is_dead).map(|source| folder.join(file_name(&source.apex))).collect();
    for path in there.iter().filter(|path| !wanted.contains_key(*path) && !spared.contains(*path)) {
        if let Err(error) = fs::remove_file(path) {
            faults.push(format!("{} cannot be removed: {error}", path.display()));
        }
    }
    if faults.is_empty() { Ok(()) } else { Err(faults.join("; ")) }
}

/// Files of this store in the folder, partial ones included.
fn names(folder: &Path) -> io::Result<BTreeSet<PathBuf>> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(BTreeSet::new()),
        Err(error) => return Err(error),
    };
    let is_ours = |path: &PathBuf| {
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        name.trim_end_matches(".new").ends_with(ENDING)
    };
    let paths: io::Result<Vec<PathBuf>> = entries.map(|entry| Ok(entry?.path())).collect();
    Ok(paths?.into_iter().filter(is_ours).collect())
}

/// Creates the folder, for the server's user alone; the state folder itself must exist.
fn make(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    match builder.create(folder) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}

/// File name of a zone: readable, and different for different zones.
fn file_name(apex: &Name) -> String {
    let shown: String = apex
        .to_string()
        .trim_end_matches('.')
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() || matches!(c, '-' | '.') { c } else { '_' })
        .take(100)
        .collect();
    format!("{shown}_{:016x}{ENDING}", hash::octets(apex.as_wire()))
}

fn encode(source: &ZoneSource) -> Vec<u8> {
    let why: String = source.standing.why().chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let mut body = format!("{}\n{} {why}\n", source.apex, source.standing.word()).into_bytes();
    for file in &source.texts.files {
        let word = word_of(file.file_use);
        body.extend(format!("{word} {} {}\n", file.path.len(), file.octets.len()).bytes());
        body.extend_from_slice(file.path.as_bytes());
        body.extend_from_slice(&file.octets);
    }
    let mut octets = format!("{HEAD}{:016x}\n", hash::octets(&body)).into_bytes();
    octets.append(&mut body);
    octets
}

fn decode(octets: &[u8]) -> Option<ZoneSource> {
    let mut rest = octets;
    let sum = line(&mut rest)?.strip_prefix(HEAD)?;
    if u64::from_str_radix(sum, 16).ok()? != hash::octets(rest) {
        return None;
    }
    let apex = Name::parse(line(&mut rest)?, None).ok()?.to_lowercase();
    let (word, why) = line(&mut rest)?.split_once(' ')?;
    let standing = match word {
        "current" => Standing::Current,
        "kept" => Standing::Kept(why.into()),
        "vanished" => Standing::Vanished(why.into()),
        "dead" => Standing::Dead(why.into()),
        _ => return None,
    };
    let mut texts = ZoneTexts::default();
    while !rest.is_empty() {
        let mut words = line(&mut rest)?.split(' ');
        let word = words.next()?;
        let file_use = USES.into_iter().find(|file_use| word_of(*file_use) == word)?;
        let (path, length) = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
        let (path, behind) = rest.split_at_checked(path)?;
        let (octets, behind) = behind.split_at_checked(length)?;
        rest = behind;
        let path = std::str::from_utf8(path).ok()?;
        texts.files.push(ZoneFile { file_use, path: path.into(), octets: octets.into() });
    }
    Some(ZoneSource { apex, texts: Arc::new(texts), standing })
}

/// Takes a line of UTF-8 from the front.
fn line<'o>(rest: &mut &'o [u8]) -> Option<&'o str> {
    let end = rest.iter().position(|octet| *octet == b'\n')?;
    let (line, behind) = rest.split_at(end);
    *rest = behind.get(1..)?;
    std::str::from_utf8(line).ok()
}

#[cfg(test)]
mod tests;
