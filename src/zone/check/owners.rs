//! Combinations of data at one owner.

use super::chains::cnames_of;
use super::index::{ALIAS, Index, OwnerRecords};
use crate::finding::{Finding, Findings, code};
use crate::limits::RRSET_OCTETS_MAX;
use crate::wire::name::Name;
use crate::wire::rr::RrType;
use crate::zone::text::ScopedPolicy;
use std::collections::BTreeMap;

/// Finds data that must not share an owner.
pub(super) fn check(index: &Index<'_>, policies: &[ScopedPolicy], out: &mut Findings) {
    for number in 0..index.len() {
        // One record alone breaks no rule.
        if index.is_simple(number) {
            continue;
        }
        let Some(owner) = index.owner(number) else { continue };
        if index.has_any(number, ALIAS) {
            alias_alone(&owner, out);
        }
        size(&owner, out);
        steered(index, &owner, policies, out);
    }
}

/// A CNAME excludes all other data (RFC 2181 section 10.1), except DNSSEC records (RFC 4034 section
/// 3).
fn alias_alone(owner: &OwnerRecords<'_>, out: &mut Findings) {
    let mut aliases = owner.of(RrType::CNAME);
    let Some(alias) = aliases.next() else { return };
    if let Some(second) = aliases.next() {
        out.push(
            Finding::error(code::CNAME_AND_OTHER, format!("`{}` has more than one CNAME", alias.owner))
                .at(second.at, "one too many")
                .related(alias.at, "the first")
                .help("to answer different names to different clients, use `steer` with a policy"),
        );
    }
    let beside = |rtype| matches!(rtype, RrType::CNAME | RrType::RRSIG | RrType::NSEC | RrType::KEY);
    if let Some(other) = owner.records.iter().find(|record| !beside(record.rtype)) {
        let mut finding = Finding::error(
            code::CNAME_AND_OTHER,
            format!("`{}` has a CNAME and also {} data", alias.owner, other.rtype),
        )
        .at(alias.at, "a CNAME stands alone")
        .related(other.at, format!("the {} record", other.rtype));
        if other.rtype == RrType::SOA || owner.has(RrType::SOA) {
            finding = finding.help("the apex cannot be an alias; use `steer` there to answer addresses");
        }
        out.push(finding);
    }
}

fn size(owner: &OwnerRecords<'_>, out: &mut Findings) {
    let mut sizes: BTreeMap<RrType, usize> = BTreeMap::new();
    for record in owner.records {
        // Each record also takes a pointer, type, class, TTL and length.
        *sizes.entry(record.rtype).or_default() += 12 + record.rdata.len();
    }
    for (rtype, octets) in sizes {
        if octets > RRSET_OCTETS_MAX
            && let Some(first) = owner.of(rtype).next()
        {
            out.push(
                Finding::error(
                    code::TOO_BIG,
                    format!("the {rtype} records of `{}` take {octets} octets", first.owner),
                )
                .at(first.at, format!("more than the {RRSET_OCTETS_MAX} that fit a DNS message")),
            );
        }
    }
}

fn steered(index: &Index<'_>, owner: &OwnerRecords<'_>, policies: &[ScopedPolicy], out: &mut Findings) {
    let Some(steered) = owner.steered.first() else { return };
    if let Some(again) = owner.steered.get(1) {
        out.push(
            Finding::error(code::STEERED_AND_STATIC, format!("`{}` is steered twice", steered.owner))
                .at(again.at, "again here")
                .related(steered.at, "first here")
                .help("letter case makes no difference in names"),
        );
    }
    let https = policies.get(steered.policy.index()).is_some_and(|policy| policy.policy.https);
    let fixed =
        |rtype| matches!(rtype, RrType::A | RrType::AAAA | RrType::CNAME) || rtype == RrType::HTTPS && https;
    for record in owner.records.iter().filter(|record| fixed(record.rtype)) {
        out.push(
            Finding::error(
                code::STEERED_AND_STATIC,
                format!("`{}` has a fixed {} record, but a policy decides", record.owner, record.rtype),
            )
            .at(record.at, "never answered")
            .related(
                steered.at,
                if https {
                    "the policy answers A, AAAA, CNAME and HTTPS here"
                } else {
                    "the policy answers A, AAAA and CNAME here"
                },
            )
            .help("remove one of them"),
        );
    }
    let other = owner.records.iter().find(|record| !fixed(record.rtype));
    // Visit the policy's rules only now: they may be many, and the policy may steer many owners.
    if other.is_none() && !index.is_apex(&steered.owner) {
        return;
    }
    let Some(policy) = policies.get(steered.policy.index()) else { return };
    let Some((target, target_at)) = cnames_of(&policy.policy).into_iter().next() else { return };
    let place = |name: &Name| {
        format!("the policy `{}` may answer the CNAME `{target}` for `{name}`", policy.policy.name)
    };
    if index.is_apex(&steered.owner) {
        out.push(
            Finding::error(code::STEERED_CNAME_PLACE, place(&steered.owner))
                .at(steered.at, "a CNAME must not stand at an apex")
                .related(target_at, "the CNAME comes from here")
                .help("use a policy without CNAMEs here, or steer a name below the apex"),
        );
    } else if let Some(other) = other {
        out.push(
            Finding::error(code::STEERED_CNAME_PLACE, place(&steered.owner))
                .at(steered.at, "a CNAME stands alone")
                .related(other.at, format!("{} data stands here", other.rtype))
                .related(target_at, "the CNAME comes from here")
                .help("use a policy without CNAMEs here, or move the other data to another name"),
        );
    }
}
