//! What a policy says as a whole: every place must get an answer, every family that is offered must
//! be offered to everybody, and no rule may stand where it can never match.

use super::candidates::pops_of;
use super::covered;
use super::rule::{WrittenRule, cnames};
use super::settings::TTL_DEFAULT;
use crate::config::policy::WrittenPolicy;
use crate::config::world::World;
use crate::finding::{At, Finding, Findings, code};
use crate::steer::policy::{BandWidth, Bands, Candidate, Order, Policy, WhenAllDown};
use crate::steer::pop::{AdminState, PopId};
use crate::steer::rule::RuleTarget;

/// Checks a policy that has been read.
pub(crate) fn check(written: &WrittenPolicy, world: &mut World, out: &mut Findings) {
    let policy = &written.policy;
    if policy.order.needs_coordinates() && written.uses.is_none() {
        coordinates(pops_of(&policy.candidates), written.pops_at, world, out);
    }
    band_of_latency(written, out);
    // What is used was told of where it is written.
    if written.uses.is_none() {
        all_off(policy, &policy.candidates, written.pops_at, world, out);
        family_lost(written, world, out);
    }
    weights(written, world, out);
    covered::check(&written.rules, world, out);
    for rule in &written.rules {
        let RuleTarget::Candidates(bands) = &rule.rule.target else { continue };
        let at = rule.target_at.unwrap_or(rule.rule.at);
        if rule.rule.order.unwrap_or(policy.order).needs_coordinates() {
            coordinates(pops_of(bands), at, world, out);
        }
        if rule.rule.fence {
            all_off(policy, bands, at, world, out);
            fence_families(policy, rule, bands, world, out);
        }
    }
    for rule in &written.rules {
        if let RuleTarget::Use(other) = &rule.rule.target {
            used_families(policy, rule, other, world, out);
        }
        nodata_for_all(policy, rule, out);
    }
    for rule in written.rules.iter().filter(|rule| rule.rule.fence) {
        fallback_in_fence(written, rule, out);
    }
    cname_for_some(written, out);
}

/// A band in milliseconds says nothing of distances.
fn band_of_latency(written: &WrittenPolicy, out: &mut Findings) {
    let policy = &written.policy;
    let refuse = |at: At, out: &mut Findings| {
        let message = "a band in milliseconds needs `order: latency`";
        let finding = Finding::error(code::BAD_VALUE, message).at(at, "ordered by distance");
        out.push(finding.help("write the band of a distance order as a percentage, such as `band: 10%`"));
    };
    let is_width = |band: Option<BandWidth>| matches!(band, Some(BandWidth::Latency(_)));
    let of_rules = |rule: &&WrittenRule| rule.rule.order.unwrap_or(policy.order) == Order::Latency;
    if is_width(Some(policy.band))
        && policy.order != Order::Latency
        && !written.rules.iter().any(|rule| of_rules(&rule))
    {
        refuse(policy.at, out);
    }
    for rule in written.rules.iter().filter(|rule| is_width(rule.rule.band) && !of_rules(rule)) {
        refuse(rule.rule.at, out);
    }
}

/// A CNAME answers every type to its clients; the other clients of the policy are denied most
/// types, and resolvers may keep a denial for all clients (RFC 7871 section 7.4), for as long as
/// the policy's TTL. The default is short enough that nothing need be said.
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
        .at(rule.target_at.unwrap_or(rule.rule.at), "for these clients a CNAME, which answers every type")
        .help(
            "the other clients have no TXT, MX or the like at such a name, and resolvers may keep that \
             denial for all clients (RFC 7871 section 7.4)",
        )
        .help(format!("set `ttl` of the policy and its rules to {} s at most", TTL_DEFAULT.max_secs)),
    );
}

/// A denial is cached for every client (RFC 7871 section 7.4), so all clients of a policy must get
/// it at the same time.
fn nodata_for_all(policy: &Policy, rule: &WrittenRule, out: &mut Findings) {
    let of_rule = match &rule.rule.target {
        RuleTarget::Use(other) => Some(&other.when_all_down),
        _ => rule.rule.when_all_down.as_ref(),
    };
    let Some(of_rule) = of_rule else { return };
    if (*of_rule == WhenAllDown::NoData) != (policy.when_all_down == WhenAllDown::NoData) {
        out.push(
            Finding::error(code::BAD_VALUE, "`when_all_down: nodata` holds for a whole policy or not at all")
                .at(rule.rule.at, "this rule and its policy differ in it")
                .related(policy.at, "the policy")
                .help(
                    "resolvers keep a denial for all clients: set it on the policy, or put these clients \
                    into a policy of their own",
                ),
        );
    }
}

/// Each PoP is named once, with the first policy that needs its place.
fn coordinates(pops: impl Iterator<Item = PopId>, at: At, world: &mut World, out: &mut Findings) {
    for id in pops {
        let Some(pop) = world.pop(id).filter(|pop| pop.coordinates.is_none()) else { continue };
        if world.unplaced_told.contains(&id) {
            continue;
        }
        out.push(
            Finding::error(
                code::NO_COORDINATES,
                format!("the PoP `{}` has no coordinates, but is ordered by distance", pop.name),
            )
            .at(pop.at, "needs `at: { lat: ..., lon: ... }`")
            .related(at, "ordered by distance here")
            .help("give the PoP its coordinates, or use `order: listed`"),
        );
        world.unplaced_told.push(id);
    }
}

fn all_off(policy: &Policy, bands: &Bands, at: At, world: &World, out: &mut Findings) {
    let mut candidates = bands.iter().flatten().peekable();
    let off = |candidate: &Candidate| match candidate {
        Candidate::Pop(id) => world.pop(*id).is_some_and(|pop| pop.state == AdminState::Down),
        Candidate::Cname(_) => false,
    };
    // Where no PoP at all is in service, the PoP file has the finding.
    let any_on = world.pops.iter().any(|pop| pop.state != AdminState::Down);
    if any_on && candidates.peek().is_some() && candidates.all(off) {
        out.push(
            Finding::warning(
                code::ALL_OFF,
                format!("every PoP that the policy `{}` could answer here has `state: down`", policy.name),
            )
            .at(at, "all are switched off by hand")
            .help("`down` means never, also when everything else is down; use `drain` for a last resort"),
        );
    }
}

/// Which families the PoPs offer in the policy's service.
fn families(policy: &Policy, pops: impl Iterator<Item = PopId>, world: &World) -> (bool, bool) {
    pops.filter_map(|id| world.pop(id)?.service(&policy.service)).fold((false, false), |(v4, v6), service| {
        (v4 || !service.v4.is_empty(), v6 || !service.v6.is_empty())
    })
}

/// All PoPs that a policy can answer with.
fn everybody(policy: &Policy) -> impl Iterator<Item = PopId> + '_ {
    policy.everybody().filter_map(|candidate| match candidate {
        Candidate::Pop(id) => Some(*id),
        Candidate::Cname(_) => None,
    })
}

/// Whether a type exists must not depend on the client (RFC 7871 section 7.4: negative answers are
/// cached for everybody).
fn fence_families(policy: &Policy, rule: &WrittenRule, bands: &Bands, world: &World, out: &mut Findings) {
    if !world.addresses_known
        || bands.iter().flatten().any(|candidate| matches!(candidate, Candidate::Cname(_)))
    {
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
                .at(rule.target_at.unwrap_or(rule.rule.at), format!("nobody here has {family}"))
                .related(rule.fence_at, "and nobody outside may answer")
                .help(format!("add a PoP with {family} to the rule, or give one of them an {family} address"))
                .help(
                    "otherwise the answer `no such data` of these clients would be cached for everybody \
                    (RFC 7871 section 7.4)",
                ),
            );
        }
    }
}

/// Nobody outside a policy that is used is answered: it is a fence, and so are the fences inside
/// it.
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
        if bands.iter().flatten().any(|candidate| matches!(candidate, Candidate::Cname(_))) {
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
                    .at(rule.target_at.unwrap_or(rule.rule.at), format!("not everybody here has {family}"))
                    .related(other.at, "nobody outside this policy may answer")
                    .help(format!("give one of its PoPs an {family} address"))
                    .help(
                        "otherwise the answer `no such data` of these clients would be cached for \
                        everybody (RFC 7871 section 7.4)",
                    ),
                );
                return;
            }
        }
    }
}

fn fallback_in_fence(written: &WrittenPolicy, rule: &WrittenRule, out: &mut Findings) {
    let policy = &written.policy;
    let WhenAllDown::Cname(fallback) = rule.rule.when_all_down.as_ref().unwrap_or(&policy.when_all_down)
    else {
        return;
    };
    let own = cnames(&rule.rule).contains(&fallback);
    let inherited = matches!(rule.rule.target, RuleTarget::Policy)
        && policy
            .candidates
            .iter()
            .flatten()
            .any(|candidate| matches!(candidate, Candidate::Cname(name) if name == fallback));
    if own || inherited {
        return;
    }
    out.push(
        Finding::error(
            code::FALLBACK_OUTSIDE_FENCE,
            format!("when all is down the fence would be left for `{fallback}`"),
        )
        .at(rule.when_all_down_at.or(written.when_all_down_at).unwrap_or(rule.rule.at), "outside the fence")
        .related(rule.fence_at, "the fence")
        .help("give the rule a `when_all_down` of its own, or list the name in it as `{ cname: ... }`"),
    );
}

/// A PoP without a family that others have sends those clients elsewhere for it.
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
                    format!("{family} clients of these PoPs are sent to the next one that has it"),
                ),
            );
        }
    }
}

/// Whether the policy answers HTTPS records: all PoPs that it can answer with have parameters for
/// them. If only some have, whether the type exists would depend on the client, so it does not
/// exist.
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
                "give it to every PoP of the service `{}`: whether a type exists must not depend \
                on the client",
                policy.service
            )),
        );
    }
    lacking.is_empty()
}

/// The verb behind [`listed`].
fn has(names: &[&str]) -> &'static str {
    if names.len() == 1 { "has" } else { "have" }
}

/// Names as a sentence has them: the first eight, and how many more there are.
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
                    format!("`{}` has a weight here but can never be answered here", world.pop_name(pop)),
                )
                .at(at, format!("not among the PoPs of `{}`", policy.name)),
            );
        }
    }
}
