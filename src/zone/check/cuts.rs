//! Delegations: missing glue, and data that a delegation hides.

use super::index::{Index, Names, name_of};
use crate::finding::{Finding, Findings, code};
use crate::wire::rr::RrType;
use crate::zone::rdata::names_in;

/// Finds missing glue, and data that a delegation hides.
pub(super) fn check(index: &Index<'_>, out: &mut Findings) {
    for names in &index.zones {
        if names.has_cuts {
            glue(index, names, out);
        }
        if names.has_cuts || names.has_children {
            occluded(index, names, out);
        }
    }
}

/// A name server inside the delegated zone is found only by its glue addresses.
fn glue(index: &Index<'_>, names: &Names<'_>, out: &mut Findings) {
    for record in names
        .zone
        .records
        .iter()
        .filter(|record| record.rtype == RrType::NS && record.owner != names.zone.apex)
    {
        for target in names_in(RrType::NS, &record.rdata) {
            let owner = index.number_of(names, target.as_wire()).and_then(|number| index.owner(number));
            if target.is_at_or_below(&record.owner)
                && !owner.is_some_and(|o| o.has(RrType::A) || o.has(RrType::AAAA))
            {
                out.push(
                    Finding::warning(
                        code::MISSING_GLUE,
                        format!("the name server `{target}` of `{}` has no address here", record.owner),
                    )
                    .at(record.at, "resolvers cannot find it")
                    .help(format!("add an A or AAAA record for `{target}` to this zone as glue")),
                );
            }
        }
    }
}

/// Below a cut only glue is used; at the cut, also NS and DS.
fn occluded(index: &Index<'_>, names: &Names<'_>, out: &mut Findings) {
    for owner in
        names.owners.clone().filter_map(|number| index.owner(number)).filter(|owner| !owner.is_empty())
    {
        let cut = if names.has_cuts { index.cut_above(names, owner.name) } else { None };
        let Some(cut) = cut.or_else(|| child_apex(index, names, owner.name)) else { continue };
        let at_cut = owner.name.eq_ignore_ascii_case(cut);
        let used = |rtype| match rtype {
            RrType::A | RrType::AAAA | RrType::RRSIG | RrType::NSEC => true,
            RrType::NS | RrType::DS => at_cut,
            _ => false,
        };
        let hidden = owner
            .records
            .iter()
            .find(|record| !used(record.rtype))
            .map(|record| (record.at, record.rtype.to_string()));
        let hidden =
            hidden.or_else(|| owner.steered.first().map(|steered| (steered.at, "steered data".to_owned())));
        if let Some((at, what)) = hidden {
            out.push(
                Finding::warning(
                    code::OCCLUDED,
                    format!("`{}` lies in `{}`, which is delegated", owner.name(), name_of(cut)),
                )
                .at(at, format!("{what} here is never answered"))
                .help("move it to the delegated zone"),
            );
        }
    }
}

/// Apex of another of our zones at or above a name and below the apex of the zone `names`: that
/// other zone answers for the name.
fn child_apex<'i>(index: &'i Index<'_>, names: &Names<'_>, name: &[u8]) -> Option<&'i [u8]> {
    let zone = index.zone_of(name).filter(|_| names.has_children)?;
    (zone.zone.apex != names.zone.apex).then(|| zone.zone.apex.as_wire())
}
