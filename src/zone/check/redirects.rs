//! Records that are valid only in some places: DNAME, NS at a wildcard, DS; and the fields of an
//! SOA.

use super::index::{DELEGATION, Index, Names, OwnerRecords, SIGNER, name_of};
use crate::finding::{Finding, Findings, code};
use crate::wire::name::Name;
use crate::wire::rr::RrType;
use crate::zone::rdata::names_in;
use crate::zone::text::Record;
use std::collections::HashSet;

/// Finds records without meaning in their place.
pub(super) fn check(index: &Index<'_>, out: &mut Findings) {
    for names in &index.zones {
        for number in names.owners.clone() {
            if !names.has_dnames && !index.has_any(number, DELEGATION | SIGNER) {
                continue;
            }
            let Some(owner) = index.owner(number).filter(|owner| !owner.is_empty()) else { continue };
            let name = owner.name();
            dname(names, &name, &owner, out);
            delegation_signer(index, names, &name, &owner, out);
            wildcard(&name, &owner, out);
            if names.has_dnames {
                below_dname(index, names, &owner, out);
            }
        }
        start_of_authority(names, out);
    }
    dname_loops(index, out);
}

/// Finds loops of DNAMEs, in which a name below an owner is redirected without end. Each DNAME is
/// visited once, however many lead to it; each loop gets one finding.
fn dname_loops(index: &Index<'_>, out: &mut Findings) {
    let mut done: HashSet<&Name> = HashSet::new();
    let zones = index.zones.iter().filter(|names| names.has_dnames);
    for start in zones.flat_map(|names| &names.zone.records).filter(|record| record.rtype == RrType::DNAME) {
        let mut way: HashSet<&Name> = HashSet::new();
        let mut step = names_in(RrType::DNAME, &start.rdata)
            .into_iter()
            .next()
            .map(|target| (start, target.prepend(b"x").ok()));
        // Follow some name below the owner, as a server would.
        while let Some((record, name)) = step {
            if done.contains(&record.owner) {
                break;
            }
            if !way.insert(&record.owner) {
                let message = format!("the DNAME of `{0}` leads back below `{0}`", record.owner);
                out.push(
                    Finding::warning(code::CNAME_LOOP, message)
                        .at(record.at, "names below it are followed in a circle"),
                );
                break;
            }
            step = name.and_then(|name| redirected(index, &name));
        }
        done.extend(way);
    }
}

/// The DNAME above a name, and the name it redirects to. The second is `None` if longer than 255
/// octets.
fn redirected<'i>(index: &'i Index<'_>, name: &Name) -> Option<(&'i Record, Option<Name>)> {
    let names = index.zone_of(name.as_wire())?;
    let above = index.dname_above(names, name.as_wire())?;
    let record = index.owner(index.number_of(names, above)?)?.of(RrType::DNAME).next()?;
    let target = names_in(RrType::DNAME, &record.rdata).into_iter().next()?;
    let start = name.as_wire().len() - above.len();
    Some((record, Name::from_wire(&[&name.as_wire()[..start], target.as_wire()].concat()).ok()))
}

/// At most one DNAME, not beside the NS of a delegation (RFC 6672 sections 2.3 and 2.4), and
/// preferably not at a wildcard (section 3.3).
fn dname(names: &Names<'_>, name: &Name, owner: &OwnerRecords<'_>, out: &mut Findings) {
    let mut all = owner.of(RrType::DNAME);
    let Some(first) = all.next() else { return };
    if let Some(second) = all.next() {
        out.push(
            Finding::error(code::DNAME_PLACE, format!("`{name}` has more than one DNAME"))
                .at(second.at, "one too many")
                .related(first.at, "the first"),
        );
    }
    if *name != names.zone.apex
        && let Some(delegation) = owner.of(RrType::NS).next()
    {
        out.push(
            Finding::error(code::DNAME_PLACE, format!("`{name}` has a DNAME and is delegated"))
                .at(first.at, "must not stand beside NS (RFC 6672 section 2.3)")
                .related(delegation.at, "delegated here"),
        );
    }
    if name.is_wildcard() {
        out.push(
            Finding::warning(code::DNAME_PLACE, format!("`{name}` is a wildcard with a DNAME"))
                .at(first.at, "servers disagree on its meaning (RFC 6672 section 3.3)")
                .help(format!(
                    "Meridian redirects only names below the literal owner `{name}`; to redirect every name, \
                     use a wildcard CNAME"
                )),
        );
    }
}

/// Names below a DNAME are never answered (RFC 6672 section 2.4).
fn below_dname(index: &Index<'_>, names: &Names<'_>, owner: &OwnerRecords<'_>, out: &mut Findings) {
    let Some(above) = index.dname_above(names, owner.name) else { return };
    if names.has_cuts && index.cut_above(names, owner.name).is_some() {
        return;
    }
    let steered = owner.steered.first().map(|steered| steered.at);
    let Some(at) = owner.records.first().map(|record| record.at).or(steered) else { return };
    let message = format!("`{}` lies below `{}`, which has a DNAME", owner.name(), name_of(above));
    let mut finding = Finding::warning(code::BELOW_DNAME, message).at(at, "never answered");
    let above = index.number_of(names, above).and_then(|number| index.owner(number));
    let dname = above.and_then(|owner| owner.of(RrType::DNAME).next());
    if let Some(dname) = dname {
        finding = finding.related(dname.at, "redirects every name below it");
    }
    out.push(finding.help("remove one of them (RFC 6672 section 2.4)"));
}

/// Servers do not agree on the meaning of a wildcard delegation (RFC 4592 section 4.2).
fn wildcard(name: &Name, owner: &OwnerRecords<'_>, out: &mut Findings) {
    if name.is_wildcard()
        && let Some(delegation) = owner.of(RrType::NS).next()
    {
        out.push(
            Finding::error(code::WILDCARD_NS, format!("the wildcard `{name}` has NS records"))
                .at(delegation.at, "a wildcard cannot delegate (RFC 4592 section 4.2)")
                .help("delegate each name by itself"),
        );
    }
}

/// DS records belong at delegations only, never at the apex (RFC 4035 section 2.4).
fn delegation_signer(
    index: &Index<'_>,
    names: &Names<'_>,
    name: &Name,
    owner: &OwnerRecords<'_>,
    out: &mut Findings,
) {
    let Some(signer) = owner.of(RrType::DS).next() else { return };
    if *name == names.zone.apex {
        out.push(
            Finding::warning(code::DS_PLACE, format!("the apex `{name}` has a DS record"))
                .at(signer.at, "belongs to the parent of the zone (RFC 4035 section 2.4)")
                .help("the operator of the parent zone publishes it"),
        );
    } else if !owner.has(RrType::NS) && index.cut_above(names, name.as_wire()).is_none() {
        out.push(
            Finding::warning(code::DS_PLACE, format!("`{name}` has a DS record, but is not delegated"))
                .at(signer.at, "there are no NS records beside it (RFC 4035 section 2.4)"),
        );
    }
}

/// The second name of an SOA is a mailbox, with a dot for the `@` (RFC 1035 section 8).
fn start_of_authority(names: &Names<'_>, out: &mut Findings) {
    for soa in names.zone.records.iter().filter(|record| record.rtype == RrType::SOA) {
        let mailbox = names_in(RrType::SOA, &soa.rdata).into_iter().nth(1);
        if let Some(mailbox) = mailbox.filter(|name| name.labels().any(|label| label.contains(&b'@'))) {
            out.push(
                Finding::warning(
                    code::SOA_FIELDS,
                    format!("the mailbox `{mailbox}` of the SOA contains `@`"),
                )
                .at(soa.at, "a dot stands for the `@` (RFC 1035 section 8)")
                .help(format!("write `{}`", mailbox.to_string().replace('@', "."))),
            );
        }
    }
}
