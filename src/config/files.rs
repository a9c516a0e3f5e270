//! Files of one reading: each is read once, however often it is used, and has one number for
//! findings.
//!
//! A reading may use the same octets several times, because a zone that proves faulty is put aside
//! and the rest read again. All rounds must see the same state of the files.

use super::Sources;
use super::tree::{self, Node};
use crate::budget::Budget;
use crate::config::input::Input;
use crate::finding::{At, FileId, Files, Finding, Findings, code};
use crate::limits::CONFIG_OCTETS_MAX;
use crate::wire::cookie::SECRET_LEN;
use std::cell::RefCell;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Answers of a source, by path.
type Answers<T> = RefCell<HashMap<PathBuf, Result<T, String>>>;

/// Sources that read each file and list each folder only once.
pub(super) struct Once<'s> {
    sources: &'s dyn Sources,
    read: Answers<Arc<[u8]>>,
    inside: Answers<Arc<[u8]>>,
    lists: Answers<Vec<PathBuf>>,
}

fn once<T: Clone>(
    answers: &Answers<T>,
    path: &Path,
    ask: impl FnOnce() -> Result<T, String>,
) -> Result<T, String> {
    if let Some(answer) = answers.borrow().get(path) {
        return answer.clone();
    }
    let answer = ask();
    answers.borrow_mut().insert(path.to_owned(), answer.clone());
    answer
}

impl Sources for Once<'_> {
    fn read(&self, path: &Path) -> Result<Arc<[u8]>, String> {
        once(&self.read, path, || self.sources.read(path))
    }

    fn read_inside(&self, folder: &Path, relative: &Path) -> Result<Arc<[u8]>, String> {
        once(&self.inside, &folder.join(relative), || self.sources.read_inside(folder, relative))
    }

    fn is_open_to_all(&self, path: &Path) -> bool {
        self.sources.is_open_to_all(path)
    }

    fn list(&self, folder: &Path) -> Result<Vec<PathBuf>, String> {
        once(&self.lists, folder, || self.sources.list(folder))
    }

    fn serves(&self) -> bool {
        self.sources.serves()
    }

    fn is_withheld(&self, path: &Path) -> bool {
        self.sources.is_withheld(path)
    }

    fn own_secret(&self) -> Option<[u8; SECRET_LEN]> {
        self.sources.own_secret()
    }

    fn each(&self, count: usize, work: &(dyn Fn(usize) + Sync)) {
        self.sources.each(count, work);
    }
}

/// A YAML file as read: its number, its octets if they were readable, and its tree if they are
/// YAML.
pub(super) struct YamlFile {
    /// Its number.
    pub(crate) file: FileId,
    /// Its octets.
    pub(crate) octets: Option<Arc<[u8]>>,
    /// Tree of its contents.
    pub(crate) tree: Option<Node>,
}

/// Reads files, and collects the results of a round.
pub(super) struct FileReader<'s> {
    /// Sources of the files.
    pub(crate) sources: Once<'s>,
    /// Files of all rounds.
    pub(crate) files: Files,
    /// Numbers of the files, by the path shown and a second key, which separates files that are
    /// shown with one path or read by several zones; mostly empty.
    numbers: HashMap<(String, String), FileId>,
    /// Findings of this round.
    pub(crate) findings: Findings,
    /// Inputs of this round.
    pub(crate) inputs: Vec<Input>,
    /// Budget of this round.
    pub(crate) budget: Budget,
}

impl<'s> FileReader<'s> {
    /// Makes a reader that has read nothing.
    pub(crate) fn new(sources: &'s dyn Sources) -> FileReader<'s> {
        FileReader {
            sources: Once {
                sources,
                read: Answers::default(),
                inside: Answers::default(),
                lists: Answers::default(),
            },
            files: Files::default(),
            numbers: HashMap::new(),
            findings: Findings::default(),
            inputs: Vec::new(),
            budget: Budget::default(),
        }
    }

    /// Begins a round.
    pub(crate) fn begin(&mut self) {
        self.inputs.clear();
        self.budget = Budget::default();
    }

    /// Number of a file, with its text for findings.
    pub(crate) fn number(&mut self, shown: &str, text: Arc<[u8]>) -> FileId {
        self.number_of(shown, "", text)
    }

    /// [`FileReader::number`] with a separate number for each value of `reader`, such as the zone
    /// that reads the file.
    pub(crate) fn number_of(&mut self, shown: &str, reader: &str, text: Arc<[u8]>) -> FileId {
        let key = (shown.to_owned(), reader.to_owned());
        *self.numbers.entry(key).or_insert_with(|| self.files.add_octets(shown, text))
    }

    /// Reads a file as YAML. `named_at` is the place of its path; without it, the finding about an
    /// unreadable file points to the file itself.
    pub(crate) fn yaml(&mut self, path: &Path, named_at: Option<At>) -> YamlFile {
        let shown = path.display().to_string();
        match self.sources.read(path) {
            Ok(octets) => self.yaml_text(&shown, octets),
            Err(why) => {
                let file = self.number(&shown, Arc::default());
                self.unreadable(&shown, &why, named_at.unwrap_or(At::whole(file)));
                YamlFile { file, octets: None, tree: None }
            }
        }
    }

    /// [`FileReader::yaml`] for octets that were already read.
    pub(crate) fn yaml_text(&mut self, shown: &str, octets: Arc<[u8]>) -> YamlFile {
        if octets.len() > CONFIG_OCTETS_MAX {
            let file = self.number(shown, Arc::default());
            let message = format!("`{shown}` has {} octets, more than {CONFIG_OCTETS_MAX}", octets.len());
            self.findings.push(Finding::error(code::TOO_LARGE, message).at(At::whole(file), ""));
            return YamlFile { file, octets: None, tree: None };
        }
        let text = match std::str::from_utf8(&octets) {
            Ok(text) => text,
            Err(error) => {
                let file = self.number(shown, Arc::default());
                let line = 1 + octets.iter().take(error.valid_up_to()).filter(|b| **b == b'\n').count();
                let message =
                    format!("`{shown}` is not UTF-8 text: octet {} on line {line}", error.valid_up_to());
                self.findings.push(Finding::error(code::NOT_UTF8, message).at(At::whole(file), ""));
                return YamlFile { file, octets: Some(Arc::clone(&octets)), tree: None };
            }
        };
        let file = self.number(shown, Arc::clone(&octets));
        let tree = tree::parse(text, file, &self.budget, &mut self.findings);
        YamlFile { file, octets: Some(octets), tree }
    }

    /// Octets of a text file, whose text is kept for findings. The error is a sentence.
    pub(crate) fn text(&mut self, shown: &str, octets: Arc<[u8]>) -> Result<(FileId, Arc<[u8]>), String> {
        self.text_of(shown, "", octets)
    }

    /// [`FileReader::text`] with a separate number for each value of `reader`, such as the zone
    /// that reads the file.
    pub(crate) fn text_of(
        &mut self,
        shown: &str,
        reader: &str,
        octets: Arc<[u8]>,
    ) -> Result<(FileId, Arc<[u8]>), String> {
        if octets.len() > CONFIG_OCTETS_MAX {
            return Err(format!("it has {} octets, more than {CONFIG_OCTETS_MAX}", octets.len()));
        }
        Ok((self.number_of(shown, reader, Arc::clone(&octets)), octets))
    }

    /// Reports an unreadable file.
    pub(crate) fn unreadable(&mut self, shown: &str, why: &str, at: At) {
        let label = if at.line == 0 { "" } else { "named here" };
        self.findings
            .push(Finding::error(code::UNREADABLE, format!("`{shown}` cannot be read: {why}")).at(at, label));
    }
}

#[cfg(test)]
mod tests;
