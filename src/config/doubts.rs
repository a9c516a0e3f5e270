//! Findings that depend on what the databases say, which is known only once they are read: codes
//! that are no country of ISO 3166-1, and conditions that exclude each other by a continent.
//!
//! What a loaded database says wins: a finding that it contradicts is withdrawn.

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
pub(crate) struct Doubts(Vec<Doubt>);

impl Doubts {
    /// Adds a finding. Past the number of findings that are kept, more warnings say nothing new; an
    /// error decides whether its file is taken.
    pub(super) fn push(&mut self, finding: Finding, claim: Claim) {
        if self.0.len() < FINDINGS_KEPT_MAX || finding.severity == Severity::Error {
            self.0.push(Doubt { finding, claim });
        }
    }

    /// The findings that hold with these data.
    pub(crate) fn judge(&self, lands: &Lands) -> Findings {
        let mut findings = Findings::default();
        for Doubt { finding, claim } in &self.0 {
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
                findings.push(finding);
            }
        }
        findings
    }
}
