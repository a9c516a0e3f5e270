//! Findings that depend on what the databases say, which is known only once they are read: codes
//! that are no country of ISO 3166-1, and conditions that exclude each other by a continent.
//!
//! What a loaded database says wins: a finding that it contradicts is withdrawn. Where data that
//! might contradict could not be read, no doubt is an error: it may be withdrawn once they can be.
//! It is told all the same, so that everything can be mended in one go.

use crate::finding::{Finding, Findings, Severity};
use crate::geo::lands::Lands;
use crate::geo::place::Country;
use crate::limits::FINDINGS_KEPT_MAX;
use crate::steer::overlap::{apart_by_continent, covers};
use crate::steer::rule::When;

/// A finding, and what it takes for granted.
#[derive(Clone, Debug)]
struct Doubt {
    finding: Finding,
    claim: Claim,
}

/// A claim that loaded data may contradict.
#[derive(Clone, Debug)]
pub(super) enum Claim {
    /// No client is in this country, nor in one of the others of the condition.
    NoCountry(Country, Vec<Country>),
    /// These conditions exclude each other.
    Never(When),
    /// Every client that meets the second meets the first too.
    Covers(When, When),
}

/// Findings that wait for the databases.
#[derive(Clone, Debug, Default)]
pub(crate) struct Doubts {
    list: Vec<Doubt>,
    /// Whether a file that might contradict them could not be read.
    lack_data: bool,
}

impl Doubts {
    /// Adds a finding. Past the number of findings that are kept, more warnings say nothing new; an
    /// error decides whether its file is taken.
    pub(super) fn push(&mut self, finding: Finding, claim: Claim) {
        if self.list.len() < FINDINGS_KEPT_MAX || finding.severity == Severity::Error {
            self.list.push(Doubt { finding, claim });
        }
    }

    /// Says that a file that might contradict them could not be read.
    pub(super) fn lack_data(&mut self) {
        self.lack_data = true;
    }

    /// The findings that hold with these data. `is_whole` says that they are all that there are.
    pub(crate) fn judge(&self, lands: &Lands, is_whole: bool) -> Findings {
        let mut findings = Findings::default();
        for Doubt { finding, claim } in &self.list {
            let mut finding = finding.clone();
            let holds = match claim {
                Claim::NoCountry(country, all) => {
                    // The rest of the condition can hold.
                    if all.iter().any(|country| lands.has(*country)) {
                        finding.severity = Severity::Warning;
                    }
                    !lands.has(*country)
                }
                Claim::Never(when) => apart_by_continent(when, lands).is_some(),
                Claim::Covers(outer, inner) => covers(outer, inner, lands),
            };
            if holds {
                if self.lack_data || !is_whole {
                    finding.severity = finding.severity.min(Severity::Warning);
                    finding = finding.help(
                        "a file that says where clients are could not be read: this may hold no longer \
                         once it can be",
                    );
                }
                findings.push(finding);
            }
        }
        findings
    }
}
