//! Lines of log files or of standard input, gzip or not, with progress, and their faults by kind.

use crate::cli::progress::Progress;
use crate::limits::LATENCY_LINE_OCTETS_MAX;
use flate2::read::MultiGzDecoder;
use std::cell::Cell;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::rc::Rc;

/// Octets of a buffer: large enough that a system call costs nothing beside parsing.
const BUFFER: usize = 1 << 18;

/// A line of a file.
pub(super) struct Line<'l> {
    /// The line without its end.
    pub(super) octets: &'l [u8],
    /// The file.
    pub(super) path: &'l Path,
    /// Number of the line in the file, from 1.
    pub(super) number: u64,
    /// True for the first line of the file that is neither blank nor a comment.
    pub(super) is_first: bool,
}

/// Calls `take` for every line of the files but blank lines and comments (`#` first), with progress
/// over all of them, up to the first error of `take` or of reading. Returns the number of lines.
pub(super) fn each(
    paths: &[PathBuf],
    noun: &'static str,
    mut take: impl FnMut(&Line<'_>) -> Result<(), String>,
) -> Result<u64, String> {
    let (mut progress, mut done) = (Progress::new(noun), 0);
    let (all, read) = (length(paths), Rc::new(Cell::new(0)));
    for path in paths {
        let failed = |error: io::Error| format!("cannot read `{}`: {error}", path.display());
        let mut reader = open_counted(path, &read).map_err(failed)?;
        let (mut octets, mut number, mut is_first) = (Vec::new(), 0, true);
        while next(reader.as_mut(), &mut octets).map_err(failed)? {
            (number, done) = (number + 1, done + 1);
            progress.at(done, all.map(|all| estimate(done, read.get(), all)));
            if !matches!(octets.trim_ascii_start().first(), None | Some(b'#')) {
                take(&Line { octets: &octets, path, number, is_first })?;
                is_first = false;
            }
        }
    }
    Ok(done)
}

/// Lines that were not used, by fault: their number, and the place of the first.
#[derive(Debug)]
pub(super) struct Faults<K>(BTreeMap<K, (u64, String)>);

impl<K> Default for Faults<K> {
    fn default() -> Faults<K> {
        Faults(BTreeMap::new())
    }
}

impl<K: Copy + Ord> Faults<K> {
    /// Counts a line with a fault.
    pub(super) fn add(&mut self, fault: K, line: &Line<'_>) {
        let first = || (0, format!("{}:{}", line.path.display(), line.number));
        self.0.entry(fault).or_insert_with(first).0 += 1;
    }

    /// Faults in order, with their number of lines and the place of the first.
    pub(super) fn each(&self) -> impl Iterator<Item = (K, u64, &str)> {
        self.0.iter().map(|(fault, (count, first))| (*fault, *count, first.as_str()))
    }

    /// Faults as the last parts of a sentence. `noun` is that of the lines, with a blank, or empty;
    /// `words` gives a fault without a subject.
    #[cfg(feature = "geoip-build")]
    pub(super) fn text(&self, noun: &str, words: impl Fn(K) -> &'static str) -> String {
        (self.each())
            .map(|(fault, count, first)| {
                format!("; {count} {noun}not used: {} (first {first})", words(fault))
            })
            .collect()
    }
}

/// A reader of a file (`-`: standard input), unpacked where it is gzip.
pub(super) fn open(path: &Path) -> io::Result<Box<dyn BufRead>> {
    open_counted(path, &Rc::default())
}

/// Like [`open`]; adds the octets that are read from the file, packed or not, to `read`.
fn open_counted(path: &Path, read: &Rc<Cell<u64>>) -> io::Result<Box<dyn BufRead>> {
    let raw: Box<dyn Read> =
        if path == Path::new("-") { Box::new(io::stdin().lock()) } else { Box::new(File::open(path)?) };
    let raw = Counted { raw, read: Rc::clone(read) };
    let mut buffered = BufReader::with_capacity(BUFFER, raw);
    let is_gzip = buffered.fill_buf()?.starts_with(&[0x1f, 0x8b]);
    match is_gzip {
        true => Ok(Box::new(BufReader::with_capacity(BUFFER, MultiGzDecoder::new(buffered)))),
        false => Ok(Box::new(buffered)),
    }
}

/// Octets of all files; `None` if one of them has no length, such as a pipe.
fn length(paths: &[PathBuf]) -> Option<u64> {
    let length = |path: &PathBuf| {
        let metadata = std::fs::metadata(path).ok().filter(|metadata| metadata.is_file());
        metadata.map(|metadata| metadata.len())
    };
    paths.iter().map(length).sum()
}

/// Number of all lines, if they are as long on average as those read so far.
fn estimate(done: u64, read: u64, all: u64) -> u64 {
    let lines = u128::from(done) * u128::from(all) / u128::from(read.max(1));
    u64::try_from(lines).unwrap_or(u64::MAX).max(done)
}

/// Reader that counts its octets.
struct Counted {
    raw: Box<dyn Read>,
    read: Rc<Cell<u64>>,
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.raw.read(buffer)?;
        self.read.set(self.read.get() + length as u64);
        Ok(length)
    }
}

/// Reads the next line without its end into `line`; false at the end of the input. A line longer
/// than [`LATENCY_LINE_OCTETS_MAX`] is cut one octet after this limit, so that the caller sees that
/// the line is too long.
fn next(reader: &mut dyn BufRead, line: &mut Vec<u8>) -> io::Result<bool> {
    line.clear();
    let mut has_any = false;
    loop {
        let octets = match reader.fill_buf() {
            Ok(octets) => octets,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        if octets.is_empty() {
            return Ok(has_any);
        }
        has_any = true;
        let end = octets.iter().position(|octet| *octet == b'\n');
        let part = &octets[..end.unwrap_or(octets.len())];
        let room = (LATENCY_LINE_OCTETS_MAX + 1).saturating_sub(line.len());
        line.extend_from_slice(&part[..part.len().min(room)]);
        let used = end.map_or(octets.len(), |end| end + 1);
        reader.consume(used);
        if end.is_some() {
            return Ok(true);
        }
    }
}

#[cfg(test)]
mod tests;
