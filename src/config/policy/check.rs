//! Checks of whole policies: every client must get an answer, every offered address family must be
//! offered to all clients, and every rule must be reachable.

use super::candidates::pops_of;
use super::covered;
use super::rule::{WrittenRule, cnames};
use super::settings::TTL_DEFAULT;
use crate::config::policy::WrittenPolicy;
use crate::config::world::World;
use crate::finding::{At, Finding, Findings, code};
use crate::steer::policy::{BandWidth, Bands, Candidate, Order, Policy};
use crate::steer::pop::PopId;
use crate::steer::rule::RuleTarget;

/// Checks a policy that was read.
pub(crate) fn check(written: &WrittenPolicy, world: &mut World, out: &mut Findings) {
    let policy = &written.policy;
    if policy.order.needs_coordinates() && written.uses.is_none() {
        coordinates(pops_of(&policy.candidates), policy.order, written.pops_at, world, out);
    }
    band_of_latency(written, out);
    // A used policy is checked where it is defined.
    if written.uses.is_none() {
        all_off(policy, &policy.candidates, written.pops_at, world, out);
        family_lost(written, world, out);
    }
    weights(written, world, out);
    covered::check(&written.rules, world, out);
    for rule in &written.rules {
        let Some(bands) = rule.rule.target.candidates() else { continue };
        let at = rule.target_at.unwrap_or(rule.rule.at);
        let order = rule.rule.order.unwrap_or(policy.order);
        if order.needs_coordinates() {
            coordinates(pops_of(bands), order, at, world, out);
        }
        if rule.rule.fence {
            all_off(policy, bands, at, world, out);
            fence_families(policy, rule, bands, world, out);
        }
    }
    for rule in &written.rules {
        if let Some(other) = rule.rule.target.used() {
            used_families(policy, rule, other, world, out);
        }
        nodata_for_all(policy, rule, out);
    }
    for rule in written.rules.iter().filter(|rule| rule.rule.fence) {
        fallback_in_fence(written, rule, out);
    }
    cname_for_some(written, out);
}

/// Warns of a band in milliseconds beside an order by distance, which uses its percentage alone.
fn band_of_latency(written: &WrittenPolicy, out: &mut Findings) {
    let policy = &written.policy;
    let warn = |order: Order, at: At, out: &mut Findings| {
        let message = "a band in milliseconds needs `order: latency`: other orders use its percentage";
        let label = format!("ordered by {}", order.measure());
        let finding = Finding::warning(code::BAD_VALUE, message).at(at, label);
        out.push(finding.help("write the band of another order as a percentage, such as `band: 10%`"));
    };
    let order_of = |rule: &WrittenRule| rule.rule.order.unwrap_or(policy.order);
    let of_rule = |rule: &WrittenRule| order_of(rule).is_by_rtt();
    let is_for_rtt = |band: Option<BandWidth>| matches!(band, Some(BandWidth::Latency(_)));
    if is_for_rtt(Some(policy.band)) && !policy.order.is_by_rtt() && !written.rules.iter().any(of_rule) {
        warn(policy.order, policy.at, out);
    }
    for rule in written.rules.iter().filter(|rule| is_for_rtt(rule.rule.band) && !of_rule(rule)) {
        warn(order_of(rule), rule.rule.at, out);
    }
}

/// Warns of a policy with a CNAME for some of its clients: the others are denied most types at that
/// name, and resolvers may cache a denial for all clients (RFC 7871 section 7.4), for as long as
/// the policy's TTL. The default TTL is short enough to need no warning.
fn cname_for_some(written: &WrittenPolicy, out: &mut Findings) {
    let Some(rule) = written.rules.iter().find(|rule| !cnames(&rule.rule).is_empty()) else { return };
    let of_rules = written.rules.iter().filter_map(|rule| rule.rule.ttl);
    let secs = of_rules.chain([written.policy.ttl]).map(|ttl| ttl.max_secs).max().unwrap_or(0);
    if secs <= TTL_DEFAULT.max_secs {
        return;
    }
    out.push(
        Finding::warning(
            code::CNAME_FOR_SOME,
            format!(
                "clients with the CNAME of the policy `{}` may be denied other types for {secs} s",
                written.policy.name
            ),
        )
        .at(rule.target_at.unwrap_or(rule.rule.at), "these clients get a CNAME, which answers every type")
        .help(
            "the other clients get a denial for TXT, MX and similar types, which resolvers may cache for all \
             clients (RFC 7871 section 7.4)",
        )
        .help(format!("set `ttl` of the policy and its rules to at most {} s", TTL_DEFAULT.max_secs)),
    );
}

/// Resolvers cache a denial for every client (RFC 7871 section 7.4), so all clients of a policy
/// must get it at the same time.
fn nodata_for_all(policy: &Policy, rule: &WrittenRule, out: &mut Findings) {
    let of_rule = match &rule.rule.target {
        RuleTarget::Use(other) => Some(&other.when_all_down),
        RuleTarget::Policy | RuleTarget::Candidates(_) | RuleTarget::Cname(_) => {
            rule.rule.when_all_down.as_ref()
        }
    };
    let Some(of_rule) = of_rule else { return };
    if of_rule.is_denial() != policy.when_all_down.is_denial() {
        out.push(
            Finding::error(
                code::BAD_VALUE,
                "`when_all_down: nodata` applies to a whole policy or not at all",
            )
            .at(rule.rule.at, "this rule and its policy differ")
            .related(policy.at, "the policy")
            .help(
                "resolvers cache a denial for all clients: set it on the policy, or move these clients \
                     into a policy of their own",
            ),
        );
    }
}

/// Reports each PoP once, at the first policy that needs its coordinates.
fn coordinates(
    pops: impl Iterator<Item = PopId>,
    order: Order,
    at: At,
    world: &mut World,
    out: &mut Findings,
) {
    let by = order.measure();
    for id in pops {
        let Some(pop) = world.pop(id).filter(|pop| pop.coordinates.is_none()) else { continue };
        if world.unplaced_told.contains(&id) {
            continue;
        }
        out.push(
            Finding::error(
                code::NO_COORDINATES,
                format!("the PoP `{}` has no coordinates, but a policy orders it by {by}", pop.name),
            )
            .at(pop.at, "needs `at: { lat: ..., lon: ... }`")
            .related(at, format!("ordered by {by} here"))
            .help("give the PoP its coordinates, or use `order: listed`"),
        );
        world.unplaced_told.push(id);
    }
}

fn all_off(policy: &Policy, bands: &Bands, at: At, world: &World, out: &mut Findings) {
    let mut candidates = bands.iter().flatten().peekable();
    let off = |candidate: &Candidate| match candidate {
        Candidate::Pop(id) => world.pop(*id).is_some_and(|pop| pop.state.is_down()),
        Candidate::Cname(_) => false,
    };
    // If no PoP at all is in service, the PoP file has the finding.
    let any_on = world.pops.iter().any(|pop| !pop.state.is_down());
    if any_on && candidates.peek().is_some() && candidates.all(off) {
        out.push(
            Finding::warning(
                code::ALL_OFF,
                format!("every PoP that the policy `{}` could answer here has `state: down`", policy.name),
            )
            .at(at, "all have `state: down`")
            .help("`down` is never answered, even if all else is down; use `drain` for a last resort"),
        );
    }
}

/// Address families of the PoPs in the policy's service, as (IPv4, IPv6).
fn families(policy: &Policy, pops: impl Iterator<Item = PopId>, world: &World) -> (bool, bool) {
    pops.filter_map(|id| world.pop(id)?.service(&policy.service)).fold((false, false), |(v4, v6), service| {
        (v4 || !service.v4.is_empty(), v6 || !service.v6.is_empty())
    })
}

/// PoPs that a policy can answer.
fn everybody(policy: &Policy) -> impl Iterator<Item = PopId> + '_ {
    policy.everybody().filter_map(|candidate| match candidate {
        Candidate::Pop(id) => Some(*id),
        Candidate::Cname(_) => None,
    })
}

/// The existence of a type must not depend on the client, because resolvers cache negative answers
/// for all clients (RFC 7871 section 7.4).
fn fence_families(policy: &Policy, rule: &WrittenRule, bands: &Bands, world: &World, out: &mut Findings) {
    if !world.addresses_known || bands.iter().flatten().any(|candidate| candidate.cname().is_some()) {
        return;
    }
    let (all_v4, all_v6) = families(policy, everybody(policy), world);
    let (v4, v6) = families(policy, pops_of(bands), world);
    for (offered, inside, family) in [(all_v4, v4, "IPv4"), (all_v6, v6, "IPv6")] {
        if offered && !inside {
            out.push(
                Finding::error(
                    code::FENCE_FAMILY,
                    format!(
                        "no PoP inside the fence has an {family} address, but the policy `{}` offers \
                        {family}",
                        policy.name
                    ),
                )
                .at(rule.target_at.unwrap_or(rule.rule.at), format!("no PoP here has {family}"))
                .related(rule.fence_at, "PoPs outside may not answer")
                .help(format!("add a PoP with {family} to the rule, or give one of them an {family} address"))
                .help(
                    "otherwise resolvers would cache the negative answer of these clients for all clients \
                     (RFC 7871 section 7.4)",
                ),
            );
        }
    }
}

/// A policy that a rule uses acts as a fence, and its rules may have further fences. Each of them
/// needs every address family that the outer policy offers, for the same reason as
/// [`fence_families`].
fn used_families(policy: &Policy, rule: &WrittenRule, other: &Policy, world: &World, out: &mut Findings) {
    let (all_v4, all_v6) = families(policy, everybody(policy), world);
    let fences = |used: &Policy| -> Vec<Bands> {
        let of_rules = used.rules.iter().filter(|rule| rule.fence).filter_map(|rule| match &rule.target {
            RuleTarget::Candidates(bands) => Some(bands.clone()),
            RuleTarget::Policy => Some(used.candidates.clone()),
            RuleTarget::Cname(_) | RuleTarget::Use(_) => None,
        });
        of_rules.chain([used.candidates.clone()]).collect()
    };
    for bands in other.reach().into_iter().flat_map(fences) {
        if bands.iter().flatten().any(|candidate| candidate.cname().is_some()) {
            continue;
        }
        let (v4, v6) = families(policy, pops_of(&bands), world);
        for (offered, inside, family) in [(all_v4, v4, "IPv4"), (all_v6, v6, "IPv6")] {
            if offered && !inside {
                out.push(
                    Finding::error(
                        code::FENCE_FAMILY,
                        format!(
                            "some clients of `{}` would find no {family} address, but the policy `{}` offers \
                             {family}",
                            other.name, policy.name
                        ),
                    )
                    .at(rule.target_at.unwrap_or(rule.rule.at), format!("not all PoPs here have {family}"))
                    .related(other.at, "PoPs outside this policy may not answer")
                    .help(format!("give one of its PoPs an {family} address"))
                    .help(
                        "otherwise resolvers would cache the negative answer of these clients for all \
                         clients (RFC 7871 section 7.4)",
                    ),
                );
                return;
            }
        }
    }
}

fn fallback_in_fence(written: &WrittenPolicy, rule: &WrittenRule, out: &mut Findings) {
    let policy = &written.policy;
    let when_all_down = rule.rule.when_all_down.as_ref().unwrap_or(&policy.when_all_down);
    let Some(fallback) = when_all_down.cname() else { return };
    let own = cnames(&rule.rule).contains(&fallback);
    let inherited = rule.rule.target.is_policy()
        && policy.candidates.iter().flatten().any(|candidate| candidate.cname() == Some(fallback));
    if own || inherited {
        return;
    }
    out.push(
        Finding::error(
            code::FALLBACK_OUTSIDE_FENCE,
            format!("when all is down, the fallback `{fallback}` would leave the fence"),
        )
        .at(rule.when_all_down_at.or(written.when_all_down_at).unwrap_or(rule.rule.at), "outside the fence")
        .related(rule.fence_at, "the fence")
        .help("give the rule a `when_all_down` of its own, or list the name in it as `{ cname: ... }`"),
    );
}

/// Warns of PoPs without a family that others have: clients of that family are sent elsewhere.
fn family_lost(written: &WrittenPolicy, world: &World, out: &mut Findings) {
    if !world.addresses_known {
        return;
    }
    let policy = &written.policy;
    let (v4, v6) = families(policy, everybody(policy), world);
    for (offered, family) in [(v4, "IPv4"), (v6, "IPv6")] {
        let mut lacking: Vec<&str> = everybody(policy)
            .filter_map(|id| world.pop(id))
            .filter(|pop| {
                pop.service(&policy.service)
                    .is_some_and(|s| if family == "IPv4" { s.v4.is_empty() } else { s.v6.is_empty() })
            })
            .map(|pop| &*pop.name)
            .collect();
        lacking.sort_unstable();
        lacking.dedup();
        if offered && !lacking.is_empty() {
            out.push(
                Finding::note(
                    code::FAMILY_LOST,
                    format!(
                        "the policy `{}` offers {family}, but {} {} none",
                        policy.name,
                        listed(&lacking),
                        has(&lacking)
                    ),
                )
                .at(
                    written.pops_at,
                    format!("{family} clients of these PoPs are sent to the next PoP that has it"),
                ),
            );
        }
    }
}

/// True if the policy answers HTTPS records: every PoP that it can answer has parameters for them.
/// If only some PoPs had them, the existence of the type would depend on the client, so no records
/// are answered then.
pub(crate) fn https(written: &WrittenPolicy, world: &World, out: &mut Findings) -> bool {
    let policy = &written.policy;
    let offering = || {
        everybody(policy).filter_map(|id| world.pop(id)).filter(|pop| pop.service(&policy.service).is_some())
    };
    let offers =
        |pop: &&crate::steer::pop::Pop| pop.service(&policy.service).is_some_and(|s| s.https.is_some());
    if !offering().any(|pop| offers(&pop)) {
        return false;
    }
    let mut lacking: Vec<&str> = offering().filter(|pop| !offers(pop)).map(|pop| &*pop.name).collect();
    lacking.sort_unstable();
    lacking.dedup();
    if !lacking.is_empty() {
        out.push(
            Finding::warning(
                code::HTTPS_DIFFERS,
                format!(
                    "the policy `{}` answers no HTTPS records, because {} {} no `https`",
                    policy.name,
                    listed(&lacking),
                    has(&lacking)
                ),
            )
            .at(written.pops_at, "other PoPs here have it")
            .help(format!(
                "give it to every PoP of the service `{}`, because the existence of a type must not depend \
                 on the client",
                policy.service
            )),
        );
    }
    lacking.is_empty()
}

/// Verb that follows [`listed`].
fn has(names: &[&str]) -> &'static str {
    if names.len() == 1 { "has" } else { "have" }
}

/// Names in a sentence: the first eight, and the number of the others.
pub(crate) fn listed(names: &[&str]) -> String {
    let shown: Vec<String> = names.iter().take(8).map(|name| format!("`{name}`")).collect();
    match names.len().checked_sub(8) {
        Some(more) if more > 0 => format!("{} and {more} more", shown.join(", ")),
        _ => match shown.split_last() {
            Some((last, first)) if !first.is_empty() => format!("{} and {last}", first.join(", ")),
            _ => shown.join(", "),
        },
    }
}

fn weights(written: &WrittenPolicy, world: &World, out: &mut Findings) {
    let policy = &written.policy;
    if policy.candidates.is_empty() {
        return;
    }
    let all: Vec<PopId> = everybody(policy).collect();
    let of_rules = written.rules.iter().flat_map(|rule| {
        let inside: Vec<PopId> = match &rule.rule.target {
            RuleTarget::Candidates(bands) if rule.rule.fence => pops_of(bands).collect(),
            _ => all.clone(),
        };
        rule.weights.iter().map(move |(pop, _, at)| (inside.contains(pop), *pop, *at))
    });
    let own = written.weights.iter().map(|(pop, _, at)| (all.contains(pop), *pop, *at));
    for (inside, pop, at) in own.chain(of_rules) {
        if !inside {
            out.push(
                Finding::warning(
                    code::BAD_VALUE,
                    format!("`{}` has a weight here, but this policy cannot answer it", world.pop_name(pop)),
                )
                .at(at, format!("not among the PoPs of `{}`", policy.name)),
            );
        }
    }
}
