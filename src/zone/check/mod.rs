//! Faults of zones as wholes, whichever text they came from: what DNS forbids (errors), and what is
//! probably not meant (warnings).
//!
//! [`settle`] first brings one zone into order (duplicates, differing TTLs); [`check`] then looks at
//! all zones together, since CNAMEs lead from one into another.

mod chains;
mod cuts;
mod index;
mod owners;
mod redirects;

#[cfg(test)]
mod tests;

use super::text::{ScopedPolicy, Zone};
use crate::finding::{Finding, Findings, code};
use crate::wire::name::Name;
use crate::wire::rr::{RrType, Ttl};
use index::Index;
use std::collections::{HashMap, HashSet};

/// Removes records that stand twice (RFC 2181 section 5) and gives each RRset one TTL, the smallest
/// that was written (RFC 2181 section 5.2); both with warnings.
pub fn settle(zone: &mut Zone, out: &mut Findings) {
    let mut first: HashMap<(&Name, RrType, &[u8]), usize> = HashMap::with_capacity(zone.records.len());
    let mut twice = HashSet::new();
    for (index, record) in zone.records.iter().enumerate() {
        let earlier = *first.entry((&record.owner, record.rtype, &record.rdata)).or_insert(index);
        if earlier == index {
            continue;
        }
        twice.insert(index);
        let mut finding =
            Finding::warning(code::DUPLICATE_RECORD, format!("`{}` has the same {} record twice", record.owner, record.rtype))
                .at(record.at, "again here");
        if let Some(earlier) = zone.records.get(earlier) {
            finding = finding.related(earlier.at, "first here");
        }
        out.push(finding);
    }
    drop(first);
    if !twice.is_empty() {
        let mut index = 0;
        zone.records.retain(|_| {
            index += 1;
            !twice.contains(&(index - 1))
        });
    }
    one_ttl(zone, out);
}

fn one_ttl(zone: &mut Zone, out: &mut Findings) {
    let mut sets: HashMap<(&Name, RrType), (usize, Ttl, bool)> = HashMap::new();
    for (index, record) in zone.records.iter().enumerate() {
        let set = sets.entry((&record.owner, record.rtype)).or_insert((index, record.ttl, false));
        if set.1 == record.ttl {
            continue;
        }
        if !set.2 {
            let mut finding =
                Finding::warning(code::TTL_DIFFERS, format!("the {} records of `{}` have different TTLs", record.rtype, record.owner))
                    .at(record.at, format!("{} seconds here", record.ttl.secs()))
                    .help("the smallest is used for all (RFC 2181 section 5.2)");
            if let Some(earlier) = zone.records.get(set.0) {
                finding = finding.related(earlier.at, format!("{} seconds here", earlier.ttl.secs()));
            }
            out.push(finding);
        }
        *set = (set.0, set.1.min(record.ttl), true);
    }
    let changed: Vec<(Name, RrType, Ttl)> =
        sets.into_iter().filter(|(_, set)| set.2).map(|((owner, rtype), set)| (owner.clone(), rtype, set.1)).collect();
    if changed.is_empty() {
        return;
    }
    let smallest: HashMap<(Name, RrType), Ttl> = changed.into_iter().map(|(owner, rtype, ttl)| ((owner, rtype), ttl)).collect();
    for record in &mut zone.records {
        if let Some(ttl) = smallest.get(&(record.owner.clone(), record.rtype)) {
            record.ttl = *ttl;
        }
    }
}

/// Checks all zones of a deployment, alone and together. `policies` is what
/// [`super::text::SteeredOwner::policy`] counts in.
pub fn check(zones: &[Zone], policies: &[ScopedPolicy], out: &mut Findings) {
    let index = Index::new(zones);
    let mut seen: HashMap<&Name, &Zone> = HashMap::new();
    for zone in zones {
        match seen.get(&zone.apex) {
            Some(first) => out.push(
                Finding::error(code::DUPLICATE_ZONE, format!("the zone `{}` is loaded twice", zone.apex))
                    .at(zone.at, "again here")
                    .related(first.at, "first here"),
            ),
            None => {
                seen.insert(&zone.apex, zone);
            }
        }
        apex(zone, out);
    }
    owners::check(&index, policies, out);
    redirects::check(&index, out);
    cuts::check(&index, out);
    chains::check(&index, policies, out);
}

/// A zone has exactly one SOA, at its apex, and name servers there (RFC 1035 section 5.2).
fn apex(zone: &Zone, out: &mut Findings) {
    let mut soas = zone.records.iter().filter(|record| record.rtype == RrType::SOA);
    match (soas.next(), soas.next()) {
        (None, _) => out.push(
            Finding::error(code::NO_SOA, format!("the zone `{}` has no SOA record", zone.apex))
                .at(zone.at, "no SOA")
                .help("add `soa: { mname: ns1, rname: hostmaster }`, or `@ SOA ns1 hostmaster 1 7200 900 1209600 300` in zone text"),
        ),
        (Some(first), Some(second)) => out.push(
            Finding::error(code::NO_SOA, format!("the zone `{}` has more than one SOA record", zone.apex))
                .at(second.at, "one too many")
                .related(first.at, "the first"),
        ),
        (Some(only), None) if only.owner != zone.apex => {
            out.push(Finding::error(code::NO_SOA, "an SOA record stands only at the apex of its zone").at(only.at, "not at the apex"));
        }
        _ => {}
    }
    if !zone.records.iter().any(|record| record.rtype == RrType::NS && record.owner == zone.apex) {
        out.push(
            Finding::error(code::NO_NS, format!("the zone `{}` has no NS record", zone.apex))
                .at(zone.at, "no name server")
                .help("add `\"@\": { NS: [ns1, ns2] }` to its records, or `@ NS ns1` in zone text"),
        );
    }
}
