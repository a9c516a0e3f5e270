//! Errors that concern one zone, and refuse no deployment.

use super::{Finding, Findings, Severity};

impl Findings {
    /// How many errors were recorded, kept or not: those that refuse, and those of single zones.
    pub(crate) fn errors(&self) -> usize {
        self.count(Severity::Error) + self.count(Severity::ZoneError)
    }

    /// Errors that blame every faulty file: those in the list, and one for each other file.
    pub(crate) fn blames(&self) -> impl Iterator<Item = &Finding> {
        let listed = self.list.iter().filter(|finding| finding.severity == Severity::Error);
        listed.chain(self.unlisted.values())
    }

    /// Notes an error that the list has no room for, if it is the first of its file.
    pub(super) fn note_unlisted(&mut self, finding: &Finding) {
        if finding.severity == Severity::Error {
            let file = finding.at.map(|at| at.file);
            self.unlisted.entry(file).or_insert_with(|| {
                let mut finding = finding.clone();
                finding.settle();
                finding
            });
        }
    }

    /// Turns every error into one of a zone, because the zones go on without the texts it is in.
    pub(crate) fn contain(&mut self) {
        let contained = |severity| if severity == Severity::Error { Severity::ZoneError } else { severity };
        self.list.iter_mut().for_each(|finding| finding.severity = contained(finding.severity));
        for ((code, severity, file), count) in std::mem::take(&mut self.more) {
            *self.more.entry((code, contained(severity), file)).or_default() += count;
        }
        self.beyond[Severity::ZoneError as usize] +=
            std::mem::take(&mut self.beyond[Severity::Error as usize]);
        self.unlisted.clear();
        self.recount();
    }

    /// The errors of single zones among them, without warnings and notes.
    pub(crate) fn errors_alone(mut self) -> Findings {
        self.retain(|finding| finding.severity == Severity::ZoneError);
        let beyond = self.beyond[Severity::ZoneError as usize];
        self.beyond = [0; 4];
        self.beyond[Severity::ZoneError as usize] = beyond;
        self
    }
}
