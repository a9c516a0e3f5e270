//! Semantic checks of zones, whatever text they came from: errors for data that DNS forbids, and
//! warnings for probable mistakes.
//!
//! [`settle`] first normalises one zone (duplicates, differing TTLs); [`check`] then examines all
//! zones together, since CNAMEs lead from one into another.

mod chains;
mod cuts;
mod index;
mod needs;
mod owners;
mod redirects;

#[cfg(test)]
mod tests;

pub(crate) use needs::needed;

use super::rdata::folded;
use super::table::{HashTable, hash_of};
use super::text::{Record, ScopedPolicy, Zone};
use crate::finding::{Finding, Findings, code};
use crate::limits::PREFETCH_MAX;
use crate::wire::name::Name;
use crate::wire::rr::RrType;
use index::Index;
use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap, HashSet};

/// Removes duplicate records (RFC 2181 section 5), also if names in them differ in letter case, and
/// gives each RRset its smallest TTL (RFC 2181 section 5.2); both with warnings.
pub fn settle(zone: &mut Zone, out: &mut Findings) {
    let mut twice = HashSet::new();
    for set in sets_of_several(&zone.records) {
        let mut seen: HashMap<Cow<'_, [u8]>, usize> = HashMap::with_capacity(set.len());
        let before = twice.len();
        for &index in &set {
            let record = &zone.records[index];
            let folded = folded(record.rtype, &record.rdata);
            if let Some(&earlier) = seen.get(&folded) {
                twice.insert(index);
                out.push(
                    Finding::warning(
                        code::DUPLICATE_RECORD,
                        format!("`{}` has the same {} record twice", record.owner, record.rtype),
                    )
                    .at(record.at, "again here")
                    .related(zone.records[earlier].at, "first here"),
                );
            } else {
                seen.insert(folded, index);
            }
        }
        drop(seen);
        let kept: Vec<usize> = if twice.len() == before {
            set
        } else {
            set.into_iter().filter(|index| !twice.contains(index)).collect()
        };
        one_ttl(&mut zone.records, &kept, out);
    }
    if !twice.is_empty() {
        let mut index = 0;
        zone.records.retain(|_| {
            index += 1;
            !twice.contains(&(index - 1))
        });
    }
}

/// RRsets of more than one record, as indexes in the order read. In a large zone most sets have one
/// record, and cost only a table entry.
fn sets_of_several(records: &[Record]) -> Vec<Vec<usize>> {
    let mut first = HashTable::with_room(records.len());
    let mut several: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (start, some) in (0..).step_by(PREFETCH_MAX).zip(records.chunks(PREFETCH_MAX)) {
        let hashes =
            first.prefetch(some.iter().map(|record| hash_of(record.owner.as_wire()).with(record.rtype.0)));
        for (index, (record, hash)) in (start..).zip(some.iter().zip(hashes)) {
            let is = |other: u32| {
                records
                    .get(other as usize)
                    .is_some_and(|o| o.set_key() == record.set_key() && o.owner == record.owner)
            };
            match first.find(hash, is) {
                Some(head) => several.entry(head as usize).or_insert_with(|| vec![head as usize]).push(index),
                None => first.insert(hash, index as u32),
            }
        }
    }
    several.into_values().collect()
}

fn one_ttl(records: &mut [Record], set: &[usize], out: &mut Findings) {
    let Some((first, rest)) = set.split_first().map(|(first, rest)| (&records[*first], rest)) else { return };
    let Some(other) = rest.iter().map(|index| &records[*index]).find(|record| record.ttl != first.ttl) else {
        return;
    };
    out.push(
        Finding::warning(
            code::TTL_DIFFERS,
            format!("the {} records of `{}` have different TTLs", first.rtype, first.owner),
        )
        .at(other.at, format!("{} seconds here", other.ttl.secs()))
        .related(first.at, format!("{} seconds here", first.ttl.secs()))
        .help("the smallest is used for all (RFC 2181 section 5.2)"),
    );
    let smallest = set.iter().map(|index| records[*index].ttl).min();
    for index in set {
        records[*index].ttl = smallest.unwrap_or(records[*index].ttl);
    }
}

/// Checks all zones of a deployment, alone and together. [`super::text::SteeredOwner::policy`] is
/// an index into `policies`.
pub fn check(zones: &[Zone], policies: &[ScopedPolicy], out: &mut Findings) {
    let index = Index::new(zones);
    let mut seen: HashMap<&Name, &Zone> = HashMap::new();
    for zone in zones {
        match seen.get(&zone.apex) {
            Some(first) => out.push(
                Finding::error(code::DUPLICATE_ZONE, format!("the zone `{}` is read twice", zone.apex))
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

/// A zone has exactly one SOA, at its apex, and NS records there (RFC 1035 section 5.2).
fn apex(zone: &Zone, out: &mut Findings) {
    let mut soas = zone.records.iter().filter(|record| record.rtype == RrType::SOA);
    match (soas.next(), soas.next()) {
        (None, _) => out.push(
            Finding::error(code::NO_SOA, format!("the zone `{}` has no SOA record", zone.apex))
                .at(zone.at, "no SOA")
                .help(
                    "add `soa: { mname: ns1, rname: hostmaster }`, or `@ SOA ns1 hostmaster 1 7200 900 \
                    1209600 300` in zone text",
                ),
        ),
        (Some(first), Some(second)) => out.push(
            Finding::error(code::NO_SOA, format!("the zone `{}` has more than one SOA record", zone.apex))
                .at(second.at, "one too many")
                .related(first.at, "the first"),
        ),
        (Some(only), None) if only.owner != zone.apex => {
            out.push(
                Finding::error(code::NO_SOA, "an SOA record stands only at the apex of its zone")
                    .at(only.at, "not at the apex"),
            );
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
