//! Findings about conditions of rules on fields that no source has: a subdivision or an AS number
//! that neither a database nor an operator network gives for any client.

use crate::finding::{Finding, Findings, code};
use crate::geo::networks::Network;
use crate::steer::rule::When;
use crate::zone::text::ScopedPolicy;

/// Fields of a place that some database has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct KnownFields {
    /// True if there is any database.
    pub(super) has_databases: bool,
    /// True if some place has subdivisions.
    pub(super) subdivisions: bool,
    /// True if some place has an AS number.
    pub(super) asns: bool,
}

/// Adds a finding for each rule on a field that no source has.
pub(super) fn check(policies: &[ScopedPolicy], networks: &[Network], known: KnownFields) -> Findings {
    let mut findings = Findings::default();
    if !known.has_databases {
        // The missing database has a finding of its own.
        return findings;
    }
    let has_subdivisions = known.subdivisions || networks.iter().any(|n| n.subdivision.is_some());
    let has_asns = known.asns || networks.iter().any(|n| n.asn.is_some());
    let rules = policies.iter().flat_map(|scoped| &scoped.policy.rules);
    for rule in rules {
        let lacking = [
            ("subdivision", has_subdivisions, asks(&rule.when, &|when| !when.subdivision.is_empty())),
            ("asn", has_asns, asks(&rule.when, &|when| !when.asn.is_empty())),
        ];
        for (field, _, _) in lacking.into_iter().filter(|(_, has, asked)| *asked && !has) {
            let finding = Finding::warning(
                code::NO_SOURCE,
                format!("this rule asks for `{field}`, which no database and no operator network has"),
            );
            findings.push(finding.at(rule.at, "no source has it").help(match field {
                "asn" => "add an ASN or ISP database to `geoip.databases`",
                _ => "add a City database to `geoip.databases`: Country databases have no subdivisions",
            }));
        }
    }
    findings
}

fn asks(when: &When, what: &dyn Fn(&When) -> bool) -> bool {
    what(when) || when.not.as_deref().is_some_and(|not| asks(not, what))
}
