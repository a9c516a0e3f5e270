//! `meridian explain`: why a client gets its answer.
//!
//! The answer comes from the function that serves, called with a trace that listens; what is
//! printed around it (places, distances) is looked up in the atlas that the snapshot was compiled
//! from.

use super::{Config, dig, print, print_findings, verify};
use crate::answer::{self, Client, Disposition, Outcome, QueryContext, Step, Trace, Transport};
use crate::config::Deployment;
use crate::geo::atlas::Atlas;
use crate::geo::place::Place;
use crate::geo::prefix::Prefix;
use crate::health::health_state::SlotHealth;
use crate::reload::prepare;
use crate::snapshot::compile::{self, Geography, status};
use crate::snapshot::locate::{Decision, Evidence, LookupAddress};
use crate::snapshot::{Snapshot, steering};
use crate::steer::choose::{Choice, ChoiceTrace, Passed, Resort};
use crate::steer::pop::AdminState;
use crate::steer::preference_list::{Entry, OWN_WEIGHT};
use crate::steer::ranker::Ranker;
use crate::steer::rule::RuleTarget;
use crate::steer::table::PolicyTable;
use crate::wire::name::Name;
use crate::wire::rr::RrType;
use crate::zone::image::Match;
use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::process::ExitCode;

/// Arguments of `explain`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Reads the files as they are now; a running server is not asked and not changed.

Examples:
  meridian explain www.shop.example --client 192.0.2.7
  meridian explain www.shop.example AAAA --client 192.0.2.7 --ecs 198.51.100.0/24
  meridian explain api.edge.cdn.example --client 192.0.2.7 --down iad --down fra
  meridian explain --verify-scopes")]
pub(crate) struct Explain {
    /// Name asked for
    #[arg(required_unless_present = "verify_scopes")]
    name: Option<String>,
    /// Record type asked for
    #[arg(value_name = "TYPE", default_value = "A")]
    rtype: String,
    /// Address of the resolver that asks
    #[arg(long, value_name = "IP", required_unless_present = "verify_scopes")]
    client: Option<IpAddr>,
    /// EDNS client subnet that it sends
    #[arg(long, value_name = "PREFIX")]
    ecs: Option<ipnet::IpNet>,
    /// PoP that is taken to be down by probes (may be given more than once)
    #[arg(long, value_name = "POP", value_delimiter = ',')]
    down: Vec<String>,
    /// Walk every leaf of every policy, ask inside it, and prove that each scope is true
    #[arg(long, conflicts_with_all = ["name", "client", "ecs", "down"])]
    verify_scopes: bool,
    #[command(flatten)]
    config: Config,
}

/// Addresses asked for in each leaf by `--verify-scopes`.
const SAMPLES_PER_LEAF: usize = 4;

impl Explain {
    /// Explains, or tells what is wrong with the question or the files.
    pub(crate) fn run(self) -> ExitCode {
        let wrong = |words: String| {
            eprintln!("error: {words}");
            ExitCode::from(2)
        };
        let written = self.name.unwrap_or_else(|| ".".to_owned());
        let name = match Name::parse(&written, None) {
            Ok(name) => name,
            Err(error) => return wrong(format!("`{written}` is not a domain name: {error}")),
        };
        let Some(rtype) = RrType::from_text(&self.rtype) else {
            return wrong(format!("`{}` is not a record type", self.rtype));
        };
        let (deployment, mut findings, files) = prepare::read(&self.config.path(), true);
        let compiled = deployment.and_then(|deployment| {
            let (geography, found) = compile::geography(&deployment);
            findings.extend(found);
            let geography = geography?;
            let (snapshot, found) = compile::compile_with(&deployment, &geography, None, 1);
            findings.extend(found);
            Some((deployment, geography, snapshot?))
        });
        let Some((deployment, geography, snapshot)) = compiled else {
            print_findings(&findings, &files);
            return ExitCode::FAILURE;
        };
        let Some(client) = self.client.filter(|_| !self.verify_scopes) else { return verified(&snapshot) };
        if let Some(unknown) = self.down.iter().find(|d| !deployment.pops.iter().any(|p| *p.name == ***d)) {
            let names: Vec<&str> = deployment.pops.iter().map(|p| &*p.name).collect();
            return wrong(format!("`{unknown}` is not a PoP; there are {}", names.join(" ")));
        }
        let asked = ExplainQuery { name, rtype, client, ecs: self.ecs.map(Prefix::from), down: self.down };
        print(&explain(&deployment, &geography, &snapshot, &asked));
        ExitCode::SUCCESS
    }
}

/// Proves the scopes of a snapshot, and tells what was walked or what is wrong.
fn verified(snapshot: &Snapshot) -> ExitCode {
    match verify::verify_scopes(snapshot, SAMPLES_PER_LEAF) {
        Ok(report) => {
            let verify::VerifyReport { names, leaves, pairs } = report;
            print(&format!(
                "every scope is true: {names} steered names, {leaves} leaves, {pairs} pairs of clients \
                 compared\n"
            ));
            ExitCode::SUCCESS
        }
        Err(faults) => {
            faults.iter().for_each(|fault| eprintln!("{fault}"));
            ExitCode::FAILURE
        }
    }
}

/// What is asked.
#[derive(Clone, Debug)]
pub struct ExplainQuery {
    /// QNAME.
    pub name: Name,
    /// QTYPE.
    pub rtype: RrType,
    /// The resolver's address.
    pub client: IpAddr,
    /// Client subnet.
    pub ecs: Option<Prefix>,
    /// PoPs that are taken to be down by probes.
    pub down: Vec<String>,
}

/// Explains one answer as text. The snapshot must be compiled from the deployment and the
/// geography.
pub fn explain(
    deployment: &Deployment,
    geography: &Geography,
    snapshot: &Snapshot,
    asked: &ExplainQuery,
) -> String {
    let snapshot = if asked.down.is_empty() {
        snapshot.clone()
    } else {
        let health = |pop: &str| match asked.down.iter().any(|down| down == pop) {
            true => SlotHealth::all_down(1),
            false => SlotHealth::default(),
        };
        snapshot.with_status(status(deployment, &snapshot.steering, health), snapshot.sequence())
    };
    let packet = dig::query(&asked.name, asked.rtype, asked.ecs);
    let mut out = vec![0; crate::limits::MESSAGE_MAX];
    let client = Client { address: asked.client, transport: Transport::Udp };
    let mut story = Story::new(deployment, &geography.atlas, asked.client);
    let outcome = answer::respond_traced(
        &snapshot,
        &packet,
        &client,
        QueryContext { draw: 0, epoch_secs: 0 },
        &mut out,
        &mut story,
    );
    let mut text = String::new();
    let _ = writeln!(
        text,
        "question   {} {} from {}{}",
        asked.name,
        asked.rtype,
        asked.client,
        subnet_words(asked)
    );
    if !asked.down.is_empty() {
        let _ = writeln!(text, "supposed   down by probes: {}", asked.down.join(" "));
    }
    text.push_str(&story.text);
    conclude(&mut text, &snapshot, &outcome, &out);
    text
}

fn subnet_words(asked: &ExplainQuery) -> String {
    asked.ecs.map_or_else(|| ", no client subnet".to_owned(), |prefix| format!(", client subnet {prefix}"))
}

fn conclude(text: &mut String, snapshot: &Snapshot, outcome: &Outcome, out: &[u8]) {
    let _ = writeln!(text, "snapshot   {} digest {}", snapshot.sequence(), snapshot.digest());
    match outcome.disposition {
        Disposition::Silence => text.push_str("answer     none: the server stays silent\n"),
        Disposition::SlowPath => text.push_str("answer     from the slow path, not from the core\n"),
        Disposition::Send(len) => {
            let _ = writeln!(text, "scope      {}", outcome.scope);
            text.push('\n');
            text.push_str(&dig::render(&out[..len]));
        }
    }
}

/// Listens and writes lines.
struct Story<'a> {
    deployment: &'a Deployment,
    atlas: &'a Atlas,
    client: IpAddr,
    text: String,
    steps: usize,
    candidates: Candidates,
}

/// Candidates as they are judged, for the step at hand.
#[derive(Default)]
struct Candidates {
    seen: Vec<(Entry, Resort, Option<Passed>, u64)>,
}

impl ChoiceTrace for Candidates {
    fn passed(&mut self, entry: &Entry, resort: Resort, why: Passed) {
        self.seen.push((*entry, resort, Some(why), 0));
    }

    fn leads(&mut self, entry: &Entry, resort: Resort, draw: impl Fn() -> u64) {
        self.seen.push((*entry, resort, None, draw()));
    }
}

impl<'a> Story<'a> {
    fn new(deployment: &'a Deployment, atlas: &'a Atlas, client: IpAddr) -> Story<'a> {
        Story { deployment, atlas, client, text: String::new(), steps: 0, candidates: Candidates::default() }
    }

    fn line(&mut self, head: &str, words: &str) {
        let _ = writeln!(self.text, "{head:<10} {words}");
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
        let networks = place.networks.iter().filter_map(|n| self.deployment.networks.get(usize::from(*n)));
        words.extend(networks.map(|n| format!("network `{}`", n.name)));
        words.extend(place.site.as_ref().map(|s| format!("at site {s}")));
        if words.is_empty() { "nothing is known".to_owned() } else { words.join(", ") }
    }

    fn target_words(&self, policy: &PolicyTable, entry: &Entry) -> String {
        match entry.target.split() {
            Ok(pop) => self.deployment.pops[usize::from(pop.0)].name.to_string(),
            Err(index) => policy.cnames.get(index).map_or_else(String::new, |n| format!("CNAME {n}")),
        }
    }
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
        let words = format!("{} in zone {}: {what}", show(step.name), show(zone.apex()));
        self.line(&format!("step {}", self.steps), &words);
    }

    fn decision(&mut self, policy: &PolicyTable, decision: &Decision<'_>) {
        self.candidates.seen.clear();
        self.line("policy", &policy.name);
        let address = match decision.subject {
            LookupAddress::V4 { bits, .. } => IpAddr::V4(Ipv4Addr::from_bits(bits)),
            LookupAddress::V6(bits) => IpAddr::V6(Ipv6Addr::from_bits(bits)),
        };
        let (place, leaf, evidence) = self.atlas.place_of(address);
        let by = match decision.evidence {
            Evidence::Ecs => "client subnet",
            Evidence::Resolver if decision.is_special => {
                "resolver (the client subnet is a special-purpose address)"
            }
            Evidence::Resolver => "resolver",
            Evidence::Nothing => "not needed, since every client gets the same preference list; it would be",
        };
        let words = format!("{by} {address}: {}", self.place_words(place));
        self.line("evidence", &words);
        let said: Vec<String> = evidence
            .fields()
            .map(|(field, source)| format!("{field} by {}", self.atlas.source_name(source)))
            .collect();
        if !said.is_empty() {
            self.line("source", &said.join(", "));
        }
        let site = self.deployment.node.site.clone();
        if !place.is_located() && decision.evidence == Evidence::Resolver {
            let words = site
                .as_ref()
                .map_or("the policy's listed order".to_owned(), |s| format!("the node's own site {s}"));
            self.line("fallback", &words);
        }
        let offset = if let LookupAddress::V4 { offset, .. } = decision.subject { offset } else { 0 };
        let merged = decision.depth.saturating_sub(if decision.is_special { 0 } else { offset });
        if decision.evidence != Evidence::Nothing {
            let words =
                format!("{leaf} in the atlas, {} in the routes of this policy", Prefix::new(address, merged));
            self.line("leaf", &words);
        }
        if decision.by_cell {
            let width = if address.is_ipv4() { policy.cell_v4 } else { policy.cell_v6 };
            let words = format!("cell {}, hash {:016x}", Prefix::new(address, width), decision.key());
            self.line("key", &words);
        }
        let found = self.deployment.policies.iter().find(|p| {
            let name = p
                .zone
                .as_ref()
                .map_or_else(|| p.policy.name.to_string(), |zone| format!("{zone}/{}", p.policy.name));
            name == *policy.name
        });
        if let Some(scoped) = found {
            let ranker = Ranker::new(&scoped.policy, &self.deployment.pops, site);
            let resolver_networks = &self.atlas.place_of(self.client).0.networks;
            let stood_at = (!place.is_located() && decision.evidence != Evidence::Ecs)
                .then_some(self.deployment.node.site.as_ref());
            let at_site = stood_at
                .flatten()
                .and_then(|site| steering::site_place(&self.deployment.pops, site))
                .map(|s| steering::at_site(place, &s));
            let place = at_site.as_ref().unwrap_or(place);
            let rule = ranker.rule_for(place, resolver_networks).map_or_else(
                || {
                    if scoped.policy.rules.is_empty() {
                        "the policy has none".to_owned()
                    } else {
                        "none matches".to_owned()
                    }
                },
                |(index, rule)| match &rule.target {
                    RuleTarget::Use(other) => {
                        format!("number {} matches: as the policy {} has it", index + 1, other.name)
                    }
                    _ => format!("number {} matches", index + 1),
                },
            );
            self.line("rule", &rule);
            let from = ranker.coordinates(place);
            let mut last_band = None;
            for entry in &decision.preference_list.entries {
                let distance = from
                    .and_then(|from| entry.target.split().ok().and_then(|pop| ranker.distance_m(from, pop)));
                let distance = distance.map_or_else(String::new, |m| format!("{:>6} km", m / 1000));
                let weight = if entry.weight == OWN_WEIGHT {
                    String::new()
                } else {
                    format!("  weight {}", entry.weight)
                };
                let band = if last_band == Some(entry.band) {
                    String::new()
                } else {
                    format!("band {}", entry.band + 1)
                };
                last_band = Some(entry.band);
                let words = format!("{band:<8} {:<8}{distance}{weight}", self.target_words(policy, entry));
                self.line("list", words.trim_end());
            }
        }
    }

    fn choice(&mut self, snapshot: &Snapshot, policy: &PolicyTable, choice: Choice) {
        for (entry, resort, passed, _) in std::mem::take(&mut self.candidates.seen) {
            let why = match passed {
                None => "leads".to_owned(),
                Some(Passed::NotYet) => continue,
                Some(Passed::NoAddresses) => "passed over: it has no address that is needed".to_owned(),
                Some(Passed::Off) => "passed over: switched off by hand".to_owned(),
                Some(Passed::LastResort) => {
                    let state = entry.target.split().map(|pop| snapshot.status.pop(pop).state);
                    let why = match state {
                        Ok(AdminState::Drain) => "drained",
                        Ok(_) if entry.target.split().is_ok_and(|pop| snapshot.status.pop(pop).left > 0) => {
                            "this cell has left it gradually"
                        }
                        _ => "weight 0",
                    };
                    format!("passed over: {why}, only a last resort")
                }
                Some(Passed::Shed) => "passed over: its load sends this cell to another".to_owned(),
                Some(Passed::NoRoom) => "passed over: it accepts no more cells of the loaded one".to_owned(),
                Some(Passed::Down) => "passed over: down by probes".to_owned(),
                Some(Passed::Flaps) => "passed over: it flaps, so it is a last resort".to_owned(),
                Some(Passed::Returning) => {
                    "passed over: back, but too few of those that were all down are".to_owned()
                }
                Some(Passed::Outscored) => "passed over: an equal drew a higher score".to_owned(),
                Some(Passed::FewerFamilies) => "passed over: an equal has more families".to_owned(),
            };
            let resort = match resort {
                Resort::Regular => "",
                Resort::LastResort => " (last resort)",
                Resort::LastGood | Resort::LastGoodLastResort => " (all are down: the last that was up)",
                Resort::AsIfUp | Resort::AsIfUpLastResort => " (all are down: as if up)",
            };
            let words = format!("{:<8} {why}{resort}", self.target_words(policy, &entry));
            self.line("scan", &words);
        }
        let words = match choice {
            Choice::Pop { pop, .. } => snapshot.steering.pops[usize::from(pop.0)].name.to_string(),
            Choice::Cname(index) => {
                policy.cnames.get(usize::from(index)).map_or_else(String::new, |n| format!("CNAME {n}"))
            }
            Choice::NoData => "no data: the whole policy is down, or switched off in this family".to_owned(),
            Choice::ServFail => "SERVFAIL: nothing may be answered".to_owned(),
        };
        self.line("chosen", &words);
    }

    fn picked(&mut self, count: usize, of: usize, ttl_secs: u32) {
        self.line("addresses", &format!("{count} of {of}"));
        self.line("ttl", &format!("{ttl_secs} s: no change of state is near, so the policy's longest"));
    }
}
