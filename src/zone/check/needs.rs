//! Missing zones that other zones still need.

use super::chains::cnames_of;
use crate::steer::policy::PolicyId;
use crate::wire::name::Name;
use crate::wire::rr::RrType;
use crate::zone::rdata::names_in;
use crate::zone::text::{ScopedPolicy, Zone};
use std::collections::{HashMap, HashSet};

/// Zones of `gone` on which `zones` depend, each with a reason as a sentence: a record or a policy
/// points to a name in the missing zone, or another zone delegates the missing zone.
pub(crate) fn needed(zones: &[Zone], policies: &[ScopedPolicy], gone: &[Name]) -> Vec<(Name, String)> {
    let mut apexes: HashMap<&[u8], Option<usize>> = HashMap::new();
    let lower: Vec<Name> = zones.iter().map(|zone| zone.apex.to_lowercase()).collect();
    apexes.extend(gone.iter().enumerate().map(|(number, apex)| (apex.as_wire(), Some(number))));
    apexes.extend(lower.iter().map(|apex| (apex.as_wire(), None)));
    // The zone with the longest apex at or above a name, if that zone is missing.
    let of = |name: &Name| {
        let name = name.to_lowercase();
        let mut at = name.as_wire();
        loop {
            if let Some(zone) = apexes.get(at) {
                return *zone;
            }
            at = at.get(1 + usize::from(*at.first().filter(|len| **len > 0)?)..)?;
        }
    };
    let mut why: Vec<Option<String>> = vec![None; gone.len()];
    let mut need = |name: &Name, words: &dyn Fn() -> String| {
        if let Some(place) = of(name).and_then(|number| why.get_mut(number))
            && place.is_none()
        {
            *place = Some(words());
        }
    };
    for zone in zones {
        for record in &zone.records {
            // No answer depends on the names in an SOA.
            if matches!(record.rtype, RrType::A | RrType::AAAA | RrType::TXT | RrType::SOA) {
                continue;
            }
            let (owner, rtype) = (&record.owner, record.rtype);
            for target in names_in(rtype, &record.rdata) {
                need(&target, &|| format!("the {rtype} record of `{owner}` leads to `{target}`"));
            }
            if rtype == RrType::NS && *owner != zone.apex && gone.contains(owner) {
                need(owner, &|| format!("the zone `{}` delegates it", zone.apex));
            }
        }
    }
    let steered = zones.iter().flat_map(|zone| &zone.steered);
    let used: HashSet<PolicyId> = steered.map(|steered| steered.policy).collect();
    for policy in used.into_iter().filter_map(|policy| policies.get(policy.index())) {
        for (target, _) in cnames_of(&policy.policy) {
            need(target, &|| format!("the policy `{}` leads to `{target}`", policy.policy.name));
        }
    }
    gone.iter().zip(why).filter_map(|(apex, why)| Some((apex.clone(), why?))).collect()
}
