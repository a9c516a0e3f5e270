//! Findings as an operator reads them: one warning stands for all of its kind, with a count and the
//! first places, and a reload does not repeat known warnings.

use super::{At, Code, Files, Finding, Findings, Severity};
use crate::limits::{FINDINGS_ALIKE_MAX, FOLDED_PLACES_MAX};
use std::collections::{HashMap, HashSet};

#[cfg(test)]
mod tests;

/// A finding that stands for all of its kind.
pub(crate) struct Folded<'f> {
    /// First finding of the kind.
    pub(crate) finding: &'f Finding,
    /// Number of further findings.
    pub(crate) more: usize,
    /// Places of the next few findings.
    pub(crate) places: Vec<At>,
}

impl Findings {
    /// Kept findings in order. An error stands for itself; a warning or note stands for all with
    /// the same code whose sentences differ only in names and numbers.
    pub(crate) fn folded(&self) -> Vec<Folded<'_>> {
        let mut folded: Vec<Folded<'_>> = Vec::new();
        let mut first: HashMap<(&str, Severity, String), usize> = HashMap::new();
        for (finding, more) in self.counted() {
            if finding.severity < Severity::ZoneError {
                let kind = (finding.code.id, finding.severity, skeleton(&finding.message));
                if let Some(first) = first.get(&kind).and_then(|index| folded.get_mut(*index)) {
                    first.more += 1 + more;
                    if first.places.len() < FOLDED_PLACES_MAX {
                        first.places.extend(finding.at);
                    }
                    continue;
                }
                first.insert(kind, folded.len());
            }
            folded.push(Folded { finding, more, places: Vec::new() });
        }
        folded
    }

    /// True if further errors of this code in this file are only counted, so that their texts need
    /// not be made.
    pub(crate) fn is_full(&self, code: Code, at: At) -> bool {
        let likeness = Finding::error(code, "").at(at, "");
        self.kept.get(&super::kind(&likeness)).is_some_and(|alike| *alike >= FINDINGS_ALIKE_MAX)
    }

    /// Kept findings, each with the number of further ones of the same code in the same file that
    /// were only counted. The last kept one of a kind carries the number.
    pub(crate) fn counted(&self) -> Vec<(&Finding, usize)> {
        let mut more = self.more.clone();
        let mut all: Vec<_> = self
            .list
            .iter()
            .rev()
            .map(|finding| (finding, more.remove(&super::kind(finding)).unwrap_or(0)))
            .collect();
        all.reverse();
        all
    }

    /// Makes every warning an error.
    pub(crate) fn strict(self) -> Findings {
        let Findings { list, more, beyond, .. } = self;
        let raised = |severity| if severity == Severity::Warning { Severity::Error } else { severity };
        let mut strict = Findings::default();
        for finding in list {
            strict.push(Finding { severity: raised(finding.severity), ..finding });
        }
        for ((code, severity, file), count) in more {
            *strict.more.entry((code, raised(severity), file)).or_default() += count;
        }
        let [notes, warnings, of_zones, errors] = beyond;
        for (sum, count) in strict.beyond.iter_mut().zip([notes, 0, of_zones, warnings + errors]) {
            *sum += count;
        }
        strict
    }
}

/// A sentence without its names and numbers.
fn skeleton(message: &str) -> String {
    let plain = message.split('`').step_by(2);
    plain.flat_map(str::chars).filter(|c| !c.is_ascii_digit()).collect()
}

/// Reported warnings and notes about the files in service, which a reload does not repeat.
#[derive(Debug, Default)]
pub(crate) struct Told(HashSet<(&'static str, String, String)>);

impl Told {
    /// Remembers the warnings and notes about the files in service.
    pub(crate) fn new(findings: &Findings, files: &Files) -> Told {
        Told(findings.iter().map(|finding| key(finding, files)).collect())
    }

    /// Drops the warnings and notes that were already reported.
    pub(crate) fn new_ones(&self, mut findings: Findings, files: &Files) -> Findings {
        findings.retain(|finding| {
            finding.severity >= Severity::ZoneError || !self.0.contains(&key(finding, files))
        });
        findings
    }
}

fn key(finding: &Finding, files: &Files) -> (&'static str, String, String) {
    let path = finding.at.map(|at| files.path(at.file).to_owned()).unwrap_or_default();
    (finding.code.id, path, finding.message.clone())
}
