//! Errors that concern one zone, and refuse no deployment.

use super::{Findings, Severity};

impl Findings {
    /// How many errors were recorded, kept or not: those that refuse, and those of single zones.
    pub(crate) fn errors(&self) -> usize {
        self.count(Severity::Error) + self.count(Severity::ZoneError)
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
