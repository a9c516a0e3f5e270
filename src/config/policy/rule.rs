//! Rules of a policy: conditions on the place of a client, and the settings that they change.

use super::candidates::{self, Chosen};
use super::{places, settings};
use crate::config::catalogue::RULE_SETTINGS;
use crate::config::place::{asn, continent, country, subdivision};
use crate::config::policy::Base;
use crate::config::scalar::{members, name, switch, text};
use crate::config::table::MapReader;
use crate::config::tree::Node;
use crate::config::world::World;
use crate::finding::{At, Finding, Findings, code};
use crate::steer::policy::Order;
use crate::steer::pop::PopId;
use crate::steer::rule::{Rule, RuleTarget, When};
use crate::wire::name::Name;
use std::sync::Arc;

/// A rule with places for later findings.
pub(crate) struct WrittenRule {
    /// The rule.
    pub(crate) rule: Rule,
    /// Place of its candidates, if it has its own.
    pub(crate) target_at: Option<At>,
    /// Place of `fence`.
    pub(crate) fence_at: At,
    /// Place of `when_all_down`, if present.
    pub(crate) when_all_down_at: Option<At>,
    /// Weights with their places.
    pub(crate) weights: Vec<(PopId, u32, At)>,
    /// Policy that takes over its clients; resolved by [`super::used`].
    pub(crate) uses: Option<Uses>,
}

/// `use:` with its place.
#[derive(Clone)]
pub(crate) struct Uses {
    /// Name of the policy that is used.
    pub(crate) name: Arc<str>,
    /// Place of the name.
    pub(crate) at: At,
}

/// Reads `use:`. It excludes the keys `targets` and `settings`, because the other policy sets them.
pub(crate) fn uses(
    table: &mut MapReader<'_>,
    targets: &[&'static str],
    settings: &[&'static str],
    out: &mut Findings,
) -> Option<Uses> {
    let (key, node) = table.take_entry("use")?;
    let found = text(node, "use", out).map(|name| Uses { name: Arc::from(name), at: node.at });
    for other in targets.iter().chain(settings) {
        if let Some((extra, _)) = table.take_entry(other) {
            out.push(
                Finding::error(code::BAD_VALUE, format!("`{other}` is not allowed beside `use`"))
                    .at(extra.at, "comes from the other policy")
                    .related(key.at, "the other policy")
                    .help("remove it, or replace `use` by settings of its own"),
            );
        }
    }
    found
}

impl WrittenRule {
    /// A rule that hands these clients over to a policy not yet resolved.
    pub(crate) fn handing_over(when: When, uses: Uses, at: At) -> WrittenRule {
        let rule = Rule {
            when,
            target: RuleTarget::Policy,
            is_listed: true,
            order: None,
            band: None,
            weights: None,
            ttl: None,
            answers: None,
            when_all_down: None,
            fence: false,
            at,
        };
        let target_at = Some(uses.at);
        WrittenRule {
            rule,
            target_at,
            fence_at: at,
            when_all_down_at: None,
            weights: Vec::new(),
            uses: Some(uses),
        }
    }
}

/// Reads one rule; `None` only if it is not a map. Other faults leave a value, so that rules keep
/// their positions.
pub(crate) fn lower(node: &Node, base: &Base<'_>, world: &World, out: &mut Findings) -> Option<WrittenRule> {
    let mut table = MapReader::open(node, "a rule", out)?;
    let when = table.take("when").map(|node| lower_when(node, world, out)).unwrap_or_default();
    if let Some(uses) = uses(&mut table, &["pops", "cname"], RULE_SETTINGS, out) {
        table.finish(out);
        return Some(WrittenRule::handing_over(when, uses, node.at));
    }
    let pops = table.take("pops");
    let cname = table.take_entry("cname");
    if let (Some(pops), Some((key, _))) = (pops, cname) {
        out.push(
            Finding::error(code::BAD_VALUE, "a rule has either `pops` or `cname`, not both")
                .at(key.at, "one too many")
                .related(pops.at, "the PoPs")
                .help("a CNAME among the PoPs is written `pops: [fra, { cname: other. }]`"),
        );
    }
    let chosen: Option<Chosen> =
        pops.and_then(|node| candidates::lower(node, base.service, base.origin, world, out));
    let target = match (&chosen, cname) {
        (Some(chosen), _) => RuleTarget::Candidates(chosen.bands.clone()),
        (None, Some((_, node))) => match name(node, "cname", base.origin, out) {
            Some(name) => RuleTarget::Cname(name),
            None => RuleTarget::Policy,
        },
        (None, None) => RuleTarget::Policy,
    };
    let order = table.take("order").and_then(|node| settings::order(node, out));
    let weights = table.take("weights").map(|node| settings::weights(node, world, out));
    let fence = table.take_entry("fence");
    let when_all_down = table.take("when_all_down");
    let rule = Rule {
        when,
        target,
        is_listed: chosen.as_ref().is_none_or(|chosen| chosen.listed),
        // A list implies an order; with `all` and tags, the policy's order applies.
        order: order.or(chosen.as_ref().filter(|chosen| chosen.listed).map(|_| Order::Listed)),
        band: table.take("band").and_then(|node| settings::band(node, out)),
        weights: weights.as_ref().map(|list| list.iter().map(|(pop, weight, _)| (*pop, *weight)).collect()),
        ttl: table.take("ttl").and_then(|node| settings::ttl(node, out)),
        answers: table.take("answers").and_then(|node| settings::answers(node, out)),
        when_all_down: when_all_down.and_then(|node| settings::when_all_down(node, base.origin, out)),
        fence: fence.and_then(|(_, node)| switch(node, "fence", out)).unwrap_or(false),
        at: node.at,
    };
    table.finish(out);
    Some(WrittenRule {
        target_at: chosen.map(|chosen| chosen.at).or(cname.map(|(_, node)| node.at)),
        fence_at: fence.map_or(node.at, |(key, _)| key.at),
        when_all_down_at: when_all_down.map(|node| node.at),
        weights: weights.unwrap_or_default(),
        uses: None,
        rule,
    })
}

fn lower_when(node: &Node, world: &World, out: &mut Findings) -> When {
    let Some(mut table) = MapReader::open(node, "`when`", out) else { return When::default() };
    let mut list = |key: &'static str| table.take(key).map(members).unwrap_or_default();
    let (countries, subdivisions, continents) = (list("country"), list("subdivision"), list("continent"));
    let (asns, networks, resolver_networks, sites) =
        (list("asn"), list("network"), list("resolver_network"), list("site"));
    let when = When {
        country: countries.iter().filter_map(|node| country(node, out)).collect(),
        subdivision: subdivisions.iter().filter_map(|node| subdivision(node, None, out)).collect(),
        continent: continents.iter().filter_map(|node| continent(node, out)).collect(),
        asn: asns.iter().filter_map(|node| asn(node, out)).collect(),
        network: networks.iter().filter_map(|node| network(node, "network", world, out)).collect(),
        resolver_network: resolver_networks
            .iter()
            .filter_map(|node| network(node, "resolver_network", world, out))
            .collect(),
        site: sites.iter().filter_map(|node| site(node, world, out)).collect(),
        not: table.take("not").map(|node| Box::new(lower_when(node, world, out))),
    };
    places::countries(countries, world);
    places::subdivisions(subdivisions, world, out);
    places::contradictions(&when, node.at, world, out);
    // Refuse an empty list, because a condition without members is no condition, and would not
    // restrict the clients.
    for key in ["country", "subdivision", "continent", "asn", "network", "resolver_network", "site"] {
        if let Some(node) = table.take(key)
            && members(node).is_empty()
        {
            out.push(
                Finding::error(
                    code::BAD_VALUE,
                    format!("`{key}` lists nothing, so it would not restrict the clients"),
                )
                .at(node.at, "an empty list")
                .help("list values, or leave the key out"),
            );
        }
    }
    table.finish(out);
    when
}

fn network(node: &Node, what: &str, world: &World, out: &mut Findings) -> Option<u16> {
    let name = text(node, what, out)?;
    world.find_network(name, node.at, out)
}

fn site(node: &Node, world: &World, out: &mut Findings) -> Option<Arc<str>> {
    let name = text(node, "site", out)?;
    world.check_site(name, node.at, out);
    Some(Arc::from(name))
}

/// Names that a rule may answer instead of addresses.
pub(crate) fn cnames(rule: &Rule) -> Vec<&Name> {
    match &rule.target {
        RuleTarget::Cname(name) => vec![name],
        RuleTarget::Candidates(bands) => bands
            .iter()
            .flatten()
            .filter_map(|candidate| match candidate {
                crate::steer::policy::Candidate::Cname(name) => Some(name),
                crate::steer::policy::Candidate::Pop(_) => None,
            })
            .collect(),
        RuleTarget::Policy | RuleTarget::Use(_) => Vec::new(),
    }
}
