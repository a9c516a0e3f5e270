//! A CSV file while it is written.

use crate::sys::replace::Replacement;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

/// Octets of text that are gathered before a write.
const GATHERED: usize = 1 << 16;

/// Writer of a file that replaces the old one at the end, so that a command that fails leaves the
/// old file as it was. Pipes and terminals are written directly; a link to a file is refused.
/// Without a path, the text goes to standard output.
pub(super) struct Written<'a> {
    out: Out,
    path: Option<&'a Path>,
    rows: u64,
}

enum Out {
    Replacing(Box<Replacement>),
    Direct(Box<dyn Write>),
}

impl<'a> Written<'a> {
    /// Opens the file, or standard output, and writes the line that names the columns.
    pub(super) fn create(path: Option<&'a Path>, header: &str) -> Result<Written<'a>, String> {
        let opened = match path {
            Some(path) if fs::metadata(path).is_ok_and(|found| !found.is_file()) => {
                File::create(path).map(|file| Out::Direct(Box::new(file)))
            }
            Some(path) => Replacement::of_named(path, None).map(|it| Out::Replacing(Box::new(it))),
            None => Ok(Out::Direct(Box::new(io::stdout().lock()))),
        };
        let out = opened.map_err(|error| failed(path, &error))?;
        let mut written = Written { out, path, rows: 0 };
        written.text(&format!("{header}\n"))?;
        Ok(written)
    }

    /// Writes rows; `append` adds the line of one to a text.
    pub(super) fn rows<R>(&mut self, rows: &[R], append: impl Fn(&R, &mut String)) -> Result<(), String> {
        let mut text = String::new();
        for row in rows {
            append(row, &mut text);
            if text.len() > GATHERED {
                self.text(&text)?;
                text.clear();
            }
        }
        self.rows += rows.len() as u64;
        self.text(&text)
    }

    fn text(&mut self, text: &str) -> Result<(), String> {
        let out: &mut dyn Write = match &mut self.out {
            Out::Replacing(replacement) => replacement,
            Out::Direct(out) => out,
        };
        out.write_all(text.as_bytes()).map_err(|error| failed(self.path, &error))
    }

    /// Rows so far.
    pub(super) fn count(&self) -> u64 {
        self.rows
    }

    /// Puts the file in its place.
    pub(super) fn end(self) -> Result<(), String> {
        let ended = match self.out {
            Out::Replacing(replacement) => replacement.finish(),
            Out::Direct(mut out) => out.flush(),
        };
        ended.map_err(|error| failed(self.path, &error))
    }
}

fn failed(path: Option<&Path>, error: &io::Error) -> String {
    let shown = path.map(|path| format!("`{}`", path.display()));
    format!("cannot write {}: {error}", shown.as_deref().unwrap_or("standard output"))
}
