//! Errors of single zones, which do not refuse a deployment; and withdrawn findings.

use super::{Finding, Findings, Severity};

impl Findings {
    /// Number of recorded errors, kept or not: those that refuse the deployment and those of zones.
    pub(crate) fn errors(&self) -> usize {
        self.count(Severity::Error) + self.count(Severity::ZoneError)
    }

    /// Drops the findings for which `keep` is false.
    pub(crate) fn retain(&mut self, mut keep: impl FnMut(&Finding) -> bool) {
        self.unlisted.retain(|_, (finding, count)| {
            let is_kept = keep(finding);
            if !is_kept {
                self.beyond[Severity::Error as usize] -= *count;
            }
            is_kept
        });
        self.list.retain(keep);
        self.recount();
    }

    /// Errors that together name every faulty file: those in the list, and one of each unlisted
    /// kind.
    pub(crate) fn blames(&self) -> impl Iterator<Item = &Finding> {
        let listed = self.list.iter().filter(|finding| finding.severity == Severity::Error);
        listed.chain(self.unlisted.values().map(|(finding, _)| finding))
    }

    /// Notes errors of one kind for which the list has no room.
    pub(super) fn note_unlisted(&mut self, finding: &Finding, count: usize) {
        if finding.severity == Severity::Error {
            let kind = (finding.at.map(|at| at.file), finding.code.id);
            let (_, noted) = self.unlisted.entry(kind).or_insert_with(|| {
                let mut finding = finding.clone();
                finding.settle();
                (finding, 0)
            });
            *noted += count;
        }
    }

    /// Turns every error into an error of a zone, for zones that continue without the faulty texts.
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

    /// The errors of zones alone, without warnings and notes.
    pub(crate) fn errors_alone(mut self) -> Findings {
        self.retain(|finding| finding.severity == Severity::ZoneError);
        let beyond = self.beyond[Severity::ZoneError as usize];
        self.beyond = [0; 4];
        self.beyond[Severity::ZoneError as usize] = beyond;
        self
    }
}
