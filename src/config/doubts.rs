//! Findings that depend on the contents of databases, which are read later: codes that are not
//! countries of ISO 3166-1, conditions that exclude each other by a continent, and rules whose
//! clients an earlier rule takes.
//!
//! Loaded databases have the last word: a finding that they contradict is withdrawn. If data that
//! might contradict it could not be read, the finding is not an error, because it may be withdrawn
//! once they can be read. It is reported nevertheless, so that all faults can be fixed at once.

use crate::finding::{Finding, Findings, Severity};
use crate::geo::lands::Lands;
use crate::geo::place::Country;
use crate::limits::FINDINGS_KEPT_MAX;
use crate::steer::overlap::{apart_by_continent, covers};
use crate::steer::rule::When;

/// A finding, and the claim on which it rests.
#[derive(Clone, Debug)]
struct Doubt {
    finding: Finding,
    claim: Claim,
}

/// Claim that loaded data may contradict.
#[derive(Clone, Debug)]
pub(super) enum Claim {
    /// No client is in this country. The list has all countries of the condition: with one of them
    /// in the data, the finding is only a warning.
    NoCountry(Country, Vec<Country>),
    /// These conditions exclude each other.
    Never(When),
    /// Every client that matches the second condition matches the first too.
    Covers(When, When),
}

/// Findings that wait for the databases.
#[derive(Clone, Debug, Default)]
pub(crate) struct Doubts {
    list: Vec<Doubt>,
    /// True if a file that might contradict them could not be read.
    lack_data: bool,
}

impl Doubts {
    /// Adds a finding. Beyond the limit of kept findings, more warnings add nothing, but an error
    /// still decides whether its file is accepted.
    pub(super) fn push(&mut self, finding: Finding, claim: Claim) {
        if self.list.len() < FINDINGS_KEPT_MAX || finding.severity == Severity::Error {
            self.list.push(Doubt { finding, claim });
        }
    }

    /// Notes that a file that might contradict the claims could not be read.
    pub(super) fn lack_data(&mut self) {
        self.lack_data = true;
    }

    /// Findings whose claims hold with these data. `is_whole` is true if no data are missing.
    pub(crate) fn judge(&self, lands: &Lands, is_whole: bool) -> Findings {
        let mut findings = Findings::default();
        for Doubt { finding, claim } in &self.list {
            let mut finding = finding.clone();
            let holds = match claim {
                Claim::NoCountry(country, all) => {
                    // Another country of the condition has clients, so the rule can still match.
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
                        "a file with places of clients could not be read: this finding may disappear once it \
                         can be",
                    );
                }
                findings.push(finding);
            }
        }
        findings
    }
}
