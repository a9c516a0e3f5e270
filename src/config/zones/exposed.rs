//! `expose_pops: true`: a name `<pop>.<owner>` for each PoP behind a steered name.
//!
//! These names have ordinary records of the zone, with all addresses of the PoP, whatever its
//! health or state, so that the answer path needs no special case. Wildcards get no such names,
//! because these would be below a literal asterisk, and no client asks for them.

use crate::config::world::World;
use crate::finding::{Finding, Findings, code};
use crate::limits::EXPOSED_MAX;
use crate::steer::policy::{Candidate, Policy};
use crate::steer::pop::{Pop, PopId, Service};
use crate::wire::name::Name;
use crate::wire::rr::{RrType, Ttl};
use crate::zone::text::{Record, ScopedPolicy, SteeredOwner, Zone};
use std::collections::HashSet;

/// Adds the names to every zone.
pub(crate) fn add(zones: &mut [Zone], policies: &[ScopedPolicy], world: &World, out: &mut Findings) {
    let exposes =
        |steered: &&SteeredOwner| policies.get(steered.policy.index()).is_some_and(|p| p.policy.expose_pops);
    if !zones.iter().any(|zone| zone.steered.iter().any(|steered| exposes(&steered))) {
        return;
    }
    let mut made = 0;
    let apexes: HashSet<Name> = zones.iter().map(|zone| zone.apex.clone()).collect();
    for zone in zones {
        let exposing: Vec<SteeredOwner> =
            zone.steered.iter().filter(exposes).filter(|s| !s.owner.is_wildcard()).cloned().collect();
        if exposing.is_empty() {
            continue;
        }
        let taken: HashSet<Name> = zone
            .records
            .iter()
            .map(|record| record.owner.clone())
            .chain(zone.steered.iter().map(|s| s.owner.clone()))
            .collect();
        for steered in exposing {
            let Some(ScopedPolicy { policy, .. }) = policies.get(steered.policy.index()) else { continue };
            for (pop, service) in members(policy, world) {
                match name(&steered, pop, &taken, &apexes) {
                    Ok(_) if made >= EXPOSED_MAX => {
                        let message = format!("`expose_pops` would make more than {EXPOSED_MAX} names");
                        out.push(
                            Finding::error(code::TOO_LARGE, message)
                                .at(steered.at, "the limit is exceeded here"),
                        );
                        return;
                    }
                    Ok(owner) => {
                        made += 1;
                        records(&owner, policy, service, &steered, &mut zone.records);
                    }
                    Err(why) => out.push(
                        Finding::error(
                            code::EXPOSED_NAME,
                            format!(
                                "`{}.{}` is not available as the name of the PoP `{}`",
                                pop.name, steered.owner, pop.name
                            ),
                        )
                        .at(steered.at, why)
                        .related(policy.at, "this policy has `expose_pops`")
                        .help(
                            "rename the existing data, or use a policy without `expose_pops` for this owner",
                        ),
                    ),
                }
            }
        }
    }
}

/// PoPs that can be answered, each once, with their addresses.
fn members<'w>(policy: &Policy, world: &'w World) -> Vec<(&'w Pop, &'w Service)> {
    let mut pops: Vec<PopId> = policy
        .everybody()
        .filter_map(|candidate| match candidate {
            Candidate::Pop(id) => Some(*id),
            Candidate::Cname(_) => None,
        })
        .collect();
    pops.sort_unstable();
    pops.dedup();
    pops.into_iter()
        .filter_map(|id| world.pop(id))
        .filter_map(|pop| Some((pop, pop.service(&policy.service)?)))
        .collect()
}

fn name(
    steered: &SteeredOwner,
    pop: &Pop,
    taken: &HashSet<Name>,
    apexes: &HashSet<Name>,
) -> Result<Name, &'static str> {
    let owner = steered.owner.prepend(pop.name.as_bytes()).map_err(|_| "the name would be too long")?;
    if taken.contains(&owner) {
        return Err("the name has records of its own, or is steered itself");
    }
    if apexes.contains(&owner) {
        return Err("the name is a zone of its own");
    }
    Ok(owner)
}

fn records(
    owner: &Name,
    policy: &Policy,
    service: &Service,
    steered: &SteeredOwner,
    records: &mut Vec<Record>,
) {
    let secs = steered.ttl.unwrap_or(policy.ttl).max_secs;
    let ttl = Ttl::from_secs(secs).unwrap_or(Ttl::MAX);
    let mut push = |rtype: RrType, rdata: Vec<u8>| {
        records.push(Record { owner: owner.clone(), rtype, ttl, rdata: rdata.into(), at: steered.at });
    };
    service.v4.iter().for_each(|a| push(RrType::A, a.address.octets().to_vec()));
    service.v6.iter().for_each(|a| push(RrType::AAAA, a.address.octets().to_vec()));
    if let Some(params) = service.https.as_ref().filter(|_| policy.https) {
        // Priority 1, the root (which stands for the owner), and parameters in ascending order (RFC
        // 9460 section 2.2).
        let mut rdata = vec![0, 1, 0];
        rdata.extend_from_slice(&params.before_hints);
        hint(4, service.v4.iter().map(|a| a.address.octets()), &mut rdata);
        rdata.extend_from_slice(&params.ech);
        hint(6, service.v6.iter().map(|a| a.address.octets()), &mut rdata);
        push(RrType::HTTPS, rdata);
    }
}

fn hint<const N: usize>(key: u8, addresses: impl ExactSizeIterator<Item = [u8; N]>, rdata: &mut Vec<u8>) {
    if addresses.len() == 0 {
        return;
    }
    rdata.extend_from_slice(&[0, key]);
    rdata.extend_from_slice(&((addresses.len() * N) as u16).to_be_bytes());
    addresses.for_each(|octets| rdata.extend_from_slice(&octets));
}
