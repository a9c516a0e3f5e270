//! `default:` of a policy: the order for clients without a known place.

use super::candidates;
use crate::config::table::MapReader;
use crate::config::world::World;
use crate::finding::{Finding, Findings, code};
use crate::steer::policy::{Candidate, Policy};
use crate::wire::name::Name;

/// Reads `default`, a list of PoPs that must be among `pops`.
pub(super) fn lower(
    table: &mut MapReader<'_>,
    origin: Option<&Name>,
    policy: &mut Policy,
    world: &World,
    out: &mut Findings,
) {
    let Some((key, node)) = table.take_entry("default") else { return };
    let Some(chosen) = candidates::lower(node, &policy.service, origin, world, out) else { return };
    if !chosen.listed {
        out.push(
            Finding::error(code::BAD_VALUE, "`default` must be a list: `all` and tags have no order")
                .at(node.at, "has no order")
                .help("write the PoPs one by one, as in `default: [fra, iad]`"),
        );
        return;
    }
    let strangers = chosen.bands.iter().flatten().filter(|candidate| {
        // A policy without candidates was already refused.
        !policy.candidates.is_empty() && !policy.candidates.iter().flatten().any(|own| own == *candidate)
    });
    for stranger in strangers {
        let shown = match stranger {
            Candidate::Pop(id) => world.pop_name(*id).to_owned(),
            Candidate::Cname(name) => name.to_string(),
        };
        out.push(
            Finding::error(code::BAD_VALUE, format!("`{shown}` is not among the `pops` of this policy"))
                .at(key.at, "only orders the policy's own PoPs")
                .help("add it to `pops`, or remove it here"),
        );
    }
    policy.default = chosen.bands;
}
