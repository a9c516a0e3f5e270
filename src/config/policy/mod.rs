//! Policies from `policies.yaml`, or from the `policies:` of a zone file.

pub(crate) mod candidates;
pub(crate) mod check;
mod covered;
mod places;
pub(crate) mod rule;
pub(crate) mod settings;
mod unknown;
pub(crate) mod used;

use self::rule::{Uses, WrittenRule};
use self::settings::TTL_DEFAULT;
use self::used::SharedPolicies;
use super::catalogue::POLICY_SETTINGS;
use super::scalar::{choice, integer, is_off, members, share_percent, switch, text, time_ms, word};
use super::table::MapReader;
use super::tree::{Key, Node, ValueKind};
use super::world::World;
use crate::finding::{At, Finding, Findings, code};
use crate::health::spec::PanicGuard;
use crate::limits::{CELL_V4_DEFAULT, CELL_V6_DEFAULT, LIST_DEPTH_DEFAULT, LIST_DEPTH_MAX};
use crate::steer::policy::{BandWidth, Order, Policy, Sharing, WhenAllDown};
use crate::steer::pop::PopId;
use crate::steer::rule::When;
use crate::wire::name::Name;
use crate::zone::text::ScopedPolicy;
use std::sync::Arc;

/// Default width of a policy's band, in percent.
pub(crate) const BAND_DEFAULT: u16 = 10;
/// Default share of a PoP's addresses that must be up, in percent.
const UP_THRESHOLD_DEFAULT: u8 = 50;

/// Settings that rules inherit while they are read.
pub(crate) struct Base<'a> {
    /// Service whose addresses the policy answers.
    pub(crate) service: &'a str,
    /// Origin of relative names.
    pub(crate) origin: Option<&'a Name>,
}

/// A policy with places for later findings.
pub(crate) struct WrittenPolicy {
    /// The policy.
    pub(crate) policy: Policy,
    /// Place of `pops` or `use`, or else of the policy's name.
    pub(crate) pops_at: At,
    /// Place of `when_all_down`, if present.
    pub(crate) when_all_down_at: Option<At>,
    /// Its rules, in order.
    pub(crate) rules: Vec<WrittenRule>,
    /// Weights of the policy itself, with their places.
    pub(crate) weights: Vec<(PopId, u32, At)>,
    /// Policy named by `use`, which decides for clients that match no rule of this policy; resolved
    /// by [`used`].
    pub(crate) uses: Option<Uses>,
}

/// Reads the shared policy file.
pub(crate) fn lower(root: &Node, world: &mut World, out: &mut Findings) -> Vec<ScopedPolicy> {
    let Some(mut table) = MapReader::open(root, "the policy file", out) else { return Vec::new() };
    let policies =
        table.need("policies", out).map(|node| lower_all(node, None, SharedPolicies::NONE, world, out));
    table.finish(out);
    policies.unwrap_or_default()
}

/// Reads a map of policies. A policy with faults stays listed, so that names that use it cause no
/// further findings.
pub(crate) fn lower_all(
    node: &Node,
    zone: Option<&Name>,
    shared: SharedPolicies<'_>,
    world: &mut World,
    out: &mut Findings,
) -> Vec<ScopedPolicy> {
    let Some(mut table) = MapReader::open(node, "`policies`", out) else { return Vec::new() };
    let scope: Option<Arc<str>> = zone.map(|apex| Arc::from(apex.to_lowercase().to_string()));
    let mut all = Vec::new();
    for (key, node) in table.rest() {
        word(&key.text, key.at, "a policy", out);
        all.push(lower_policy(key, node, zone, world, out));
    }
    used::resolve(&mut all, shared, world, out);
    let mut policies = Vec::new();
    for mut written in all {
        written.policy.https = check::https(&written, world, out);
        check::check(&written, world, out);
        policies.push(ScopedPolicy { policy: written.policy, zone: scope.clone() });
    }
    policies
}

fn lower_policy(
    key: &Key,
    node: &Node,
    origin: Option<&Name>,
    world: &World,
    out: &mut Findings,
) -> WrittenPolicy {
    let mut written = WrittenPolicy {
        policy: Policy {
            name: Arc::from(&*key.text),
            candidates: Vec::new(),
            is_listed: false,
            default: Vec::new(),
            service: crate::config::pops::DEFAULT_SERVICE.into(),
            ttl: TTL_DEFAULT,
            answers: 1,
            rules: Vec::new(),
            order: Order::Nearest,
            band: BandWidth::Percent(BAND_DEFAULT),
            weights: Vec::new(),
            share: Sharing::Sticky,
            when_all_down: WhenAllDown::AsIfUp,
            ecs: true,
            depth: LIST_DEPTH_DEFAULT,
            cell_max_v4: CELL_V4_DEFAULT,
            cell_max_v6: CELL_V6_DEFAULT,
            spill_max_km: None,
            up_threshold_percent: UP_THRESHOLD_DEFAULT,
            guard: PanicGuard::default(),
            expose_pops: false,
            https: false,
            at: key.at,
        },
        pops_at: key.at,
        when_all_down_at: None,
        rules: Vec::new(),
        weights: Vec::new(),
        uses: None,
    };
    let Some(mut table) = MapReader::open(node, format!("the policy `{}`", key.text), out) else {
        return written;
    };
    lower_choice(&mut table, origin, &mut written, world, out);
    lower_answer(&mut table, origin, &mut written, out);
    lower_width(&mut table, &mut written.policy, out);
    lower_guard(&mut table, &mut written.policy, out);
    lower_rules(&mut table, origin, &mut written, world, out);
    table.finish(out);
    written
}

/// Reads the choice of candidates: `service`, `pops`, `order`, `band`, `weights`, `share`.
fn lower_choice(
    table: &mut MapReader<'_>,
    origin: Option<&Name>,
    written: &mut WrittenPolicy,
    world: &World,
    out: &mut Findings,
) {
    let policy = &mut written.policy;
    let mut service_known = true;
    if let Some(node) = table.take("service")
        && let Some(service) = text(node, "service", out)
    {
        policy.service = Arc::from(service);
        service_known = world.check_service(service, node.at, out);
    }
    written.uses = rule::uses(table, &["pops"], POLICY_SETTINGS, out);
    if let Some(uses) = &written.uses {
        written.pops_at = uses.at;
    }
    let order = table.take("order").filter(|_| written.uses.is_none());
    if let Some(order) = order.and_then(|node| settings::order(node, out)) {
        policy.order = order;
    }
    let pops = if written.uses.is_none() { table.need("pops", out) } else { None };
    if let Some(node) = pops
        && service_known
        && let Some(chosen) = candidates::lower(node, &policy.service, origin, world, out)
    {
        written.pops_at = chosen.at;
        if chosen.nested && order.is_none() {
            out.push(
                Finding::warning(code::BAD_VALUE, "bands are written, but `order: nearest` makes its own")
                    .at(node.at, "the bands only order the candidates behind the preference list")
                    .help("add `order: listed` to use the order of the list"),
            );
        }
        policy.candidates = chosen.bands;
        policy.is_listed = chosen.listed;
    }
    unknown::lower(table, origin, policy, world, out);
    if let Some(band) = table.take("band").and_then(|node| settings::band(node, out)) {
        policy.band = band;
    }
    if let Some(node) = table.take("weights") {
        written.weights = settings::weights(node, world, out);
        policy.weights = written.weights.iter().map(|(pop, weight, _)| (*pop, *weight)).collect();
    }
    let shares = [("sticky", Sharing::Sticky), ("random", Sharing::Random)];
    if let Some(share) = table.take("share").and_then(|node| choice(node, "share", &shares, out)) {
        policy.share = share;
    }
}

/// Reads the contents of answers: `ttl`, `answers`, `when_all_down`, `expose_pops`, `up_threshold`.
fn lower_answer(
    table: &mut MapReader<'_>,
    origin: Option<&Name>,
    written: &mut WrittenPolicy,
    out: &mut Findings,
) {
    let policy = &mut written.policy;
    if let Some(ttl) = table.take("ttl").and_then(|node| settings::ttl(node, out)) {
        policy.ttl = ttl;
    }
    if let Some(answers) = table.take("answers").and_then(|node| settings::answers(node, out)) {
        policy.answers = answers;
    }
    if let Some(node) = table.take("when_all_down")
        && let Some(what) = settings::when_all_down(node, origin, out)
    {
        written.when_all_down_at = Some(node.at);
        policy.when_all_down = what;
    }
    if let Some(expose) = table.take("expose_pops").and_then(|node| switch(node, "expose_pops", out)) {
        policy.expose_pops = expose;
    }
    if let Some(percent) =
        table.take("up_threshold").and_then(|node| share_percent(node, "up_threshold", out))
    {
        policy.up_threshold_percent = percent;
    }
}

/// Reads the guard that distrusts probes: `panic`.
fn lower_guard(table: &mut MapReader<'_>, policy: &mut Policy, out: &mut Findings) {
    let Some(node) = table.take("panic") else { return };
    let guard = &mut policy.guard;
    match &node.kind {
        ValueKind::Map(_) => {}
        _ if is_off(node) => {
            guard.share_percent = 100;
            return;
        }
        _ => {
            super::scalar::refuse(
                node,
                "panic",
                "`off`, or a map such as `{ share: 50%, window: 30s, hold: 60s }`",
                out,
            );
            return;
        }
    }
    let Some(mut table) = MapReader::open(node, "`panic`", out) else { return };
    if let Some(percent) = table.take("share").and_then(|node| share_percent(node, "share", out)) {
        guard.share_percent = percent;
    }
    let mut time =
        |key: &'static str| table.take(key).and_then(|node| time_ms(node, key, 1_000..=86_400_000, out));
    if let Some(ms) = time("window") {
        guard.window_ms = ms as u32;
    }
    if let Some(ms) = time("hold") {
        guard.hold_ms = ms as u32;
    }
    table.finish(out);
}

/// Reads the granularity of clients: `ecs`, `depth`, `cell_max_v4`, `cell_max_v6`, `spill_max_km`.
fn lower_width(table: &mut MapReader<'_>, policy: &mut Policy, out: &mut Findings) {
    if let Some(ecs) = table.take("ecs").and_then(|node| switch(node, "ecs", out)) {
        policy.ecs = ecs;
    }
    let mut whole =
        |key: &'static str, most: i64| table.take(key).and_then(|node| integer(node, key, 1..=most, out));
    if let Some(depth) = whole("depth", i64::from(LIST_DEPTH_MAX)) {
        policy.depth = depth as u8;
    }
    // RFC 7871 section 11.1 asks for no finer cells than these.
    if let Some(len) = whole("cell_max_v4", i64::from(crate::limits::LEAF_DEPTH_V4_MAX)) {
        policy.cell_max_v4 = len as u8;
    }
    if let Some(len) = whole("cell_max_v6", i64::from(crate::limits::LEAF_DEPTH_V6_MAX)) {
        policy.cell_max_v6 = len as u8;
    }
    // Half the circumference of the earth is the longest distance.
    if let Some(km) = whole("spill_max_km", 20_040) {
        policy.spill_max_km = Some(km as u32);
    }
}

fn lower_rules(
    table: &mut MapReader<'_>,
    origin: Option<&Name>,
    written: &mut WrittenPolicy,
    world: &World,
    out: &mut Findings,
) {
    lower_list_of_rules(table.take("rules"), origin, written, world, out);
    // Clients that match no rule of this policy are treated as by the other policy.
    if let Some(uses) = written.uses.clone() {
        let at = uses.at;
        written.rules.push(WrittenRule::handing_over(When::default(), uses, at));
    }
    written.policy.rules = written.rules.iter().map(|rule| rule.rule.clone()).collect();
}

fn lower_list_of_rules(
    node: Option<&Node>,
    origin: Option<&Name>,
    written: &mut WrittenPolicy,
    world: &World,
    out: &mut Findings,
) {
    let Some(node) = node else { return };
    let service = written.policy.service.clone();
    let base = Base { service: &service, origin };
    written.rules = members(node).iter().filter_map(|node| rule::lower(node, &base, world, out)).collect();
}
