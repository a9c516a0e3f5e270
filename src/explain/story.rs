//! Trace that records the steps of an answer as lines of text.

use super::ExplainedDecision;
use super::places::Places;
use super::reasons;
use crate::answer::{Step, Trace};
use crate::geo::place::Place;
use crate::geo::prefix::Prefix;
use crate::geo::rtts::RttList;
use crate::health::health_state::NO_HORIZON;
use crate::limits::{LEAF_DEPTH_V4_MAX, LEAF_DEPTH_V6_MAX};
use crate::shared::operator_view::OperatorView;
use crate::snapshot::locate::{self, Decision, Evidence, LookupAddress};
use crate::snapshot::{Snapshot, steering};
use crate::steer::choose::{Choice, ChoiceTrace, Passed, Resort};
use crate::steer::policy::{Order, Policy, TtlRange};
use crate::steer::pop::{AdminState, PopId};
use crate::steer::preference_list::{Entry, OWN_WEIGHT};
use crate::steer::ranker::Ranker;
use crate::steer::rule::Rule;
use crate::steer::table::PolicyTable;
use crate::steer::unknown::UnknownOrder;
use crate::wire::name::Name;
use crate::zone::image::Match;
use crate::zone::source::ZoneSource;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Recorder of the lines.
pub(super) struct Story<'a> {
    snapshot: &'a Snapshot,
    operator_view: Option<&'a OperatorView>,
    places: &'a Places,
    client: IpAddr,
    /// Lines: subject and text.
    pub(super) lines: Vec<(String, String)>,
    /// Last decision of a policy.
    pub(super) decision: Option<ExplainedDecision>,
    steps: usize,
    candidates: Candidates,
    /// TTL limits and horizon of the current choice.
    ttl: Option<(TtlRange, u32)>,
}

/// Candidates that the current scan has judged.
#[derive(Default)]
pub(super) struct Candidates {
    seen: Vec<(Entry, Resort, Option<Passed>)>,
    /// Index of the first candidate that was judged for the queried family alone.
    alone_from: Option<usize>,
}

impl ChoiceTrace for Candidates {
    fn passed(&mut self, entry: &Entry, resort: Resort, why: Passed) {
        self.seen.push((*entry, resort, Some(why)));
    }

    fn leads(&mut self, entry: &Entry, resort: Resort) {
        self.seen.push((*entry, resort, None));
    }

    fn family_alone(&mut self) {
        self.alone_from = Some(self.seen.len());
    }
}

impl<'a> Story<'a> {
    /// Starts without a line.
    pub(super) fn new(
        snapshot: &'a Snapshot,
        operator_view: Option<&'a OperatorView>,
        places: &'a Places,
        client: IpAddr,
    ) -> Story<'a> {
        Story {
            snapshot,
            operator_view,
            places,
            client,
            lines: Vec::new(),
            decision: None,
            steps: 0,
            candidates: Candidates::default(),
            ttl: None,
        }
    }

    /// Adds a line.
    pub(super) fn line(&mut self, head: &str, words: &str) {
        self.lines.push((head.to_owned(), words.to_owned()));
    }

    fn place_words(&self, place: &Place) -> String {
        let mut words = Vec::new();
        words.extend(place.country.map(|c| match place.subdivisions.first() {
            Some(s) => format!("{c}-{s}"),
            None => c.to_string(),
        }));
        words.extend(place.continent.map(|c| c.code().to_owned()));
        words.extend(place.coordinates.map(|c| format!("{:.2} {:.2}", c.lat(), c.lon())));
        words.extend(place.asn.map(|asn| format!("AS{asn}")));
        let networks = place.networks.iter().filter_map(|n| self.snapshot.networks.get(usize::from(*n)));
        words.extend(networks.map(|name| format!("network `{name}`")));
        words.extend(place.site.as_ref().map(|s| format!("at site {s}")));
        if words.is_empty() { "nothing is known".to_owned() } else { words.join(", ") }
    }

    fn target_words(&self, policy: &PolicyTable, entry: &Entry) -> String {
        match entry.target.split() {
            Ok(pop) => self.snapshot.pops[pop.index()].name.to_string(),
            Err(index) => policy.cnames.get(index).map_or_else(String::new, |n| format!("CNAME {n}")),
        }
    }

    /// Adds the matching rule and the preference list, with distances.
    fn list(&mut self, policy: &PolicyTable, decision: &Decision<'_>, place: &Place, is_overruled: bool) {
        let snapshot = self.snapshot;
        let Some(written) = written(snapshot, policy) else { return };
        let site = &snapshot.identity.site;
        let ranker = Ranker::new(written, &snapshot.pops, site.clone());
        let places = self.places;
        let resolver_networks = &places.of_address(self.client).0.networks;
        let stood_at = (!place.is_located() && decision.evidence() != Evidence::Ecs).then_some(site.as_ref());
        let at_site = stood_at
            .flatten()
            .and_then(|site| steering::site_place(&snapshot.pops, site))
            .map(|s| steering::at_site(place, &s));
        let base = at_site.as_ref().unwrap_or(place);
        let of_clients = match decision.evidence() {
            Evidence::Resolver => place.of_clients(base),
            Evidence::Ecs | Evidence::Nothing => None,
        };
        let place = of_clients.as_ref().unwrap_or(base);
        // If this place is overruled, the rules were matched against the place of another part of
        // the block, which is not known here.
        if !is_overruled {
            self.line("rule", &rule_words(written, ranker.rule_for(place, resolver_networks)));
        }
        // Facts by which each PoP was ranked: a distance and a time. Distances are shown for a list
        // too, since they tell how far its clients go.
        let (from, rtts) = match ranker.order_at(place, resolver_networks) {
            Order::Nearest | Order::Listed => (ranker.coordinates(place), None),
            Order::Latency => (ranker.coordinates(place), place.rtts.as_deref()),
        };
        if rtts.is_some_and(RttList::is_of_clients) {
            self.line("clients", "by the mean RTTs of the clients behind the resolver");
        }
        let mut met = ExplainedDecision { policy: policy.name.clone(), from, ..ExplainedDecision::default() };
        let mut last_band = None;
        for entry in &decision.preference_list.entries {
            let distance =
                from.and_then(|from| entry.target.split().ok().and_then(|pop| ranker.distance_m(from, pop)));
            let distance = distance.map_or_else(String::new, |m| format!("{:>6} km", m / 1000));
            let weight = match entry.weight {
                OWN_WEIGHT => String::new(),
                weight => format!("  weight {weight}"),
            };
            let band = match last_band == Some(entry.band) {
                true => String::new(),
                false => format!("band {}", entry.band + 1),
            };
            last_band = Some(entry.band);
            if let Ok(pop) = entry.target.split() {
                met.candidates.push(snapshot.pops[pop.index()].name.clone());
            }
            let name = self.target_words(policy, entry);
            let rtt = rtts.map_or_else(String::new, |list| rtt_words(list, &name));
            let words = format!("{band:<8} {name:<8}{distance}{rtt}{weight}");
            self.line("list", words.trim_end());
        }
        self.decision = Some(met);
    }

    /// Adds the reasons for the states of the PoPs, and a line if the panic guard holds the policy.
    fn states(&mut self, policy: &PolicyTable, met: &[PopId]) {
        let Some(view) = self.operator_view else { return };
        for pop in met {
            let name = &self.snapshot.pops[pop.index()].name;
            let Some(shown) = view.pops.iter().find(|shown| shown.name == *name) else { continue };
            for words in reasons::of_pop(shown) {
                self.line("state", &format!("{name:<8} {words}"));
            }
        }
        if view.held.contains(&policy.name) {
            self.line("guard", "the panic guard of this policy holds the state before its PoPs fell");
        }
    }
}

/// The rule of a policy that matches.
fn rule_words(written: &Policy, matching: Option<(usize, &Rule)>) -> String {
    match matching {
        None if written.rules.is_empty() => "the policy has none".to_owned(),
        None => "none matches".to_owned(),
        Some((index, rule)) => match rule.target.used() {
            Some(other) => format!("number {} matches: as the policy {} has it", index + 1, other.name),
            None => format!("number {} matches", index + 1),
        },
    }
}

/// RTT of a PoP in a list of `order: latency`, with its evidence.
fn rtt_words(list: &RttList, pop: &str) -> String {
    let Some(rtt) = list.find(pop) else { return "  not in the map".to_owned() };
    format!("{:>5} ms {}", rtt.rtt_ms, rtt.evidence(list.is_of_clients()))
}

/// Policy as the files define it.
fn written<'s>(snapshot: &'s Snapshot, policy: &PolicyTable) -> Option<&'s Policy> {
    let index = snapshot.steering.policies.iter().position(|table| table.name == policy.name)?;
    snapshot.policies.get(index).map(|scoped| &scoped.policy)
}

impl Trace for Story<'_> {
    type ChoiceTrace = Candidates;

    fn choice_trace(&mut self) -> &mut Candidates {
        &mut self.candidates
    }

    fn step(&mut self, snapshot: &Snapshot, step: &Step<'_>) {
        self.steps += 1;
        let zone = snapshot.zones.zone(step.found.zone);
        let show = |wire: &[u8]| Name::from_wire(wire).map_or_else(|_| "?".to_owned(), |n| n.to_string());
        let what = match step.found.matched {
            Match::Exact(node) if zone.steered_at(node).is_some() => "steered".to_owned(),
            Match::Exact(node) if zone.sets_at(node).is_empty() => "an empty non-terminal".to_owned(),
            Match::Exact(node) => {
                zone.sets_at(node).iter().map(|s| s.rtype.to_string()).collect::<Vec<_>>().join(" ")
            }
            Match::Wildcard(node) => {
                format!(
                    "by wildcard {}{}",
                    show(zone.name(node)),
                    if zone.steered_at(node).is_some() { ", steered" } else { "" }
                )
            }
            Match::Cut(node) => format!("delegated at {}", show(zone.name(node))),
            Match::Redirected(node) => format!("below the DNAME at {}", show(zone.name(node))),
            Match::NoName => "does not exist".to_owned(),
        };
        let what = if zone.is_dead() { "not served".to_owned() } else { what };
        let words = format!("{} in zone {}: {what}", show(step.name), show(zone.apex()));
        self.line(&format!("step {}", self.steps), &words);
        let source = snapshot.folder.zones.iter().find(|source| source.apex.as_wire() == zone.apex());
        if let Some(sentence) = source.and_then(ZoneSource::sentence) {
            self.line("zone", &sentence);
        }
    }

    fn decision(&mut self, policy: &PolicyTable, decision: &Decision<'_>) {
        self.candidates = Candidates::default();
        self.line("policy", &policy.name);
        let address = address_of(decision.subject);
        let places = self.places;
        let (place, provenance) = places.of_address(address);
        let by = match decision.evidence() {
            Evidence::Ecs => "client subnet",
            Evidence::Resolver if decision.is_special => {
                "resolver (the client subnet is a special-purpose address)"
            }
            Evidence::Resolver => "resolver",
            Evidence::Nothing => "not needed, since every client gets the same preference list; it would be",
        };
        let words = format!("{by} {address}: {}", self.place_words(place));
        self.line("evidence", &words);
        let said = self.places.sources(provenance);
        if !said.is_empty() {
            self.line("source", &said.join(", "));
        }
        let site = self.snapshot.identity.site.clone();
        let is_at_site = !place.is_located() && decision.evidence() == Evidence::Resolver;
        if let Some(site) = site.as_ref().filter(|_| is_at_site) {
            self.line("fallback", &format!("the node's own site {site}"));
        } else if decision.evidence() != Evidence::Nothing
            && (&place.coordinates, &place.site) == (&None, &None)
            && let Some(written) = written(self.snapshot, policy)
        {
            let order = UnknownOrder::of(written, &self.snapshot.pops, site.as_deref());
            self.line("fallback", &format!("the order for unknown clients: {}", order.words()));
        }
        if decision.evidence() != Evidence::Nothing {
            let leaf = Prefix::new(address, locate::leaf_len(policy, decision, self.client));
            let words = format!("{leaf} in the routes of this policy");
            self.line("leaf", &words);
        }
        if policy.share.is_drawn() {
            self.line("key", "drawn for each query: another query may get another PoP");
        }
        let is_overruled = locate::is_overruled(policy, decision, self.client);
        if is_overruled {
            let bar = if address.is_ipv4() { LEAF_DEPTH_V4_MAX } else { LEAF_DEPTH_V6_MAX };
            let block = Prefix::new(address, bar);
            let words = format!(
                "this place is not used: for client subnets, {block} has one place, that of the larger of \
                 its known parts"
            );
            self.line("overruled", &words);
        }
        self.list(policy, decision, place, is_overruled);
    }

    fn key(&mut self, policy: &PolicyTable, decision: &Decision<'_>) {
        if decision.reads_cell() {
            let address = address_of(decision.subject);
            let width = if address.is_ipv4() { policy.cell_v4 } else { policy.cell_v6 };
            let words = format!("cell {}, hash {:016x}", Prefix::new(address, width), decision.key());
            self.line("key", &words);
        }
    }

    fn choice(&mut self, snapshot: &Snapshot, policy: &PolicyTable, choice: Choice) {
        let Candidates { seen, alone_from } = std::mem::take(&mut self.candidates);
        let mut met: Vec<PopId> = Vec::new();
        for (index, (entry, resort, passed)) in seen.into_iter().enumerate() {
            let is_alone = alone_from.is_some_and(|from| index >= from);
            if alone_from == Some(index) {
                self.line("family", "the first PoP lacks this family, so only this family is searched");
            }
            if let Ok(pop) = entry.target.split()
                && !met.contains(&pop)
            {
                met.push(pop);
            }
            let Some(why) = why(passed, &entry, snapshot) else { continue };
            let resort = resort_words(resort, is_alone);
            let words = format!("{:<8} {why}{resort}", self.target_words(policy, &entry));
            self.line("scan", &words);
        }
        if let (Some(decision), Choice::Pop { pop, .. }) = (&mut self.decision, choice) {
            decision.chosen = Some(snapshot.steering.pops[pop.index()].name.clone());
        }
        let words = match choice {
            Choice::Pop { pop, .. } => snapshot.steering.pops[pop.index()].name.to_string(),
            Choice::Cname(index) => {
                policy.cnames.get(usize::from(index)).map_or_else(String::new, |n| format!("CNAME {n}"))
            }
            Choice::NoData => "no data: the whole policy is down, or switched off in this family".to_owned(),
            Choice::ServFail => "SERVFAIL: nothing may be answered".to_owned(),
        };
        self.states(policy, &met);
        self.line("chosen", &words);
    }

    fn horizon(&mut self, ttl: TtlRange, horizon_secs: u32) {
        self.ttl = Some((ttl, horizon_secs));
    }

    fn picked(&mut self, count: usize, of: usize, ttl_secs: u32) {
        self.line("addresses", &format!("{count} of {of}"));
        let (bounds, horizon_secs) = self.ttl.unwrap_or((TtlRange { min_secs: 0, max_secs: 0 }, NO_HORIZON));
        let why = match horizon_secs {
            0 => "a planned change is near, so the policy's shortest".to_owned(),
            NO_HORIZON => "no change of state is near, so the policy's longest".to_owned(),
            near if near < bounds.min_secs => {
                format!("a PoP may change its state in {near} s, so the policy's shortest")
            }
            near if near < bounds.max_secs => format!("a PoP may change its state in {near} s"),
            near => format!("no PoP can change its state within {near} s, so the policy's longest"),
        };
        self.line("ttl", &format!("{ttl_secs} s: {why}"));
    }
}

/// Result of the scan for a candidate; `None` if the scan did not reach it.
fn why(passed: Option<Passed>, entry: &Entry, snapshot: &Snapshot) -> Option<String> {
    let words = match passed {
        None => "leads",
        Some(Passed::NotYet) => return None,
        Some(Passed::NoAddresses) => "passed over: it has no address that is needed",
        Some(Passed::Off) => "passed over: switched off",
        Some(Passed::LastResort) => {
            let why = last_resort(entry, snapshot);
            return Some(format!("passed over: {why}, only a last resort"));
        }
        Some(Passed::Shed) => "passed over: overloaded, it sheds this cell",
        Some(Passed::NoRoom) => "passed over: no headroom for cells that others shed",
        Some(Passed::Down) => "passed over: down by probes",
        Some(Passed::Flaps) => "passed over: it flaps, so it is a last resort",
        Some(Passed::Returning) => "passed over: it is up again, but too few others of its pool are",
        Some(Passed::Outscored) => "passed over: one of its band has a higher score",
        Some(Passed::FewerFamilies) => "passed over: one of its band has more families",
    };
    Some(words.to_owned())
}

/// Reason why a candidate is a last resort.
fn last_resort(entry: &Entry, snapshot: &Snapshot) -> &'static str {
    match entry.target.split().map(|pop| snapshot.status.pop(pop)) {
        Ok(pop) if pop.state == AdminState::Drain => "drained",
        Ok(pop) if pop.left > 0 => "this cell has left it gradually",
        _ => "weight 0",
    }
}

/// Suffix of a candidate that is judged by a resort. `is_alone`: for the queried family alone.
fn resort_words(resort: Resort, is_alone: bool) -> &'static str {
    match resort {
        Resort::Regular => "",
        Resort::LastResort => " (last resort)",
        Resort::LastGood | Resort::LastGoodLastResort => " (all are down: the last that was up)",
        Resort::AsIfUp | Resort::AsIfUpLastResort if is_alone => {
            " (all that have this family are down: as if up)"
        }
        Resort::AsIfUp | Resort::AsIfUpLastResort => " (all are down: as if up)",
    }
}

fn address_of(subject: LookupAddress) -> IpAddr {
    match subject {
        LookupAddress::V4 { bits, .. } => IpAddr::V4(Ipv4Addr::from_bits(bits)),
        LookupAddress::V6(bits) => IpAddr::V6(Ipv6Addr::from_bits(bits)),
    }
}
