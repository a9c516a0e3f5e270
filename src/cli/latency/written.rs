//! A CSV file while it is written.

use crate::sys::replace;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Octets of text that are gathered before a write.
const GATHERED: usize = 1 << 16;

/// Writer of a file under a temporary name. At the end the file replaces the old one, so that a
/// command that fails leaves the old file as it was. Pipes and terminals are written directly.
/// Without a path, the text goes to standard output.
pub(super) struct Written<'a> {
    out: Box<dyn Write>,
    /// The file beside, and the file.
    paths: Option<(PathBuf, &'a Path)>,
    /// Rows that were written.
    pub(super) rows: u64,
}

impl<'a> Written<'a> {
    /// Opens the file, or standard output, and writes the line that names the columns.
    pub(super) fn create(path: Option<&'a Path>, header: &str) -> Result<Written<'a>, String> {
        // A pipe or a terminal is written as it is.
        let is_replaced = |path: &Path| fs::metadata(path).map_or(true, |found| found.is_file());
        let paths = path
            .map(|path| (if is_replaced(path) { replace::beside(path, ".new") } else { path.into() }, path));
        let out: Box<dyn Write> = match &paths {
            Some((beside, _)) => {
                let file = File::create(beside)
                    .map_err(|error| format!("cannot write `{}`: {error}", beside.display()))?;
                Box::new(file)
            }
            None => Box::new(io::stdout().lock()),
        };
        let mut written = Written { out, paths, rows: 0 };
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
        self.out.write_all(text.as_bytes()).map_err(|error| self.failed(&error))
    }

    /// The number of rows, once the file is in its place.
    pub(super) fn end(mut self) -> Result<u64, String> {
        self.out.flush().map_err(|error| self.failed(&error))?;
        if let Some((beside, path)) = self.replaced() {
            fs::rename(beside, path).map_err(|error| self.failed(&error))?;
        }
        Ok(self.rows)
    }

    /// Temporary path and path of the file; `None` if the text is written directly.
    fn replaced(&self) -> Option<(&Path, &Path)> {
        let (beside, path) = self.paths.as_ref()?;
        (beside != path).then_some((beside.as_path(), *path))
    }

    fn failed(&self, error: &io::Error) -> String {
        if let Some((beside, _)) = self.replaced() {
            let _ = fs::remove_file(beside);
        }
        let shown = self.paths.as_ref().map(|(_, path)| format!("`{}`", path.display()));
        format!("cannot write {}: {error}", shown.as_deref().unwrap_or("standard output"))
    }
}
