//! `pops.yaml`: the PoPs, and settings for all of them.

pub(crate) mod feed;
pub(crate) mod https;
pub(crate) mod safety_rules;
mod whereabouts;

use self::feed::Whose;
use super::place::{coordinates, country};
use super::scalar::{choice, integer, members, text, time_ms, word};
use super::special::purpose;
use super::table::{MapReader, shown};
use super::tree::{Key, Node, ValueKind};
use super::world::World;
use crate::config::probes;
use crate::config::probes::Certificates;
use crate::config::probes::canaries;
use crate::finding::{At, Finding, Findings, code};
use crate::geo::place::Coordinates;
use crate::health::load::spec::LoadSpec;
use crate::health::spec::{Canaries, Probe, ProbeId};
use crate::limits::{ADDRESSES_MAX, POPS_MAX, WEIGHT_MAX};
use crate::steer::pop::{AdminState, Pop, Service, WEIGHT_DEFAULT, WeightedAddress};
use crate::steer::safety::SafetyRule;
use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

/// Name of the service whose addresses are written directly in the PoP.
pub(crate) const DEFAULT_SERVICE: &str = "default";

/// Uses of addresses: (address, place, PoP, service).
type Uses = Vec<(IpAddr, At, Arc<str>, Arc<str>)>;

/// Contents of the file.
#[derive(Default)]
pub(crate) struct PopsFile {
    /// PoPs, sorted by name. A PoP with faults stays listed, so that policies that name it cause no
    /// further findings.
    pub(crate) pops: Vec<Pop>,
    /// Probes, sorted by name.
    pub(crate) probes: Vec<Probe>,
    /// Targets whose common failure shows that this node is cut off.
    pub(crate) canaries: Option<Canaries>,
    /// True if the map of PoPs was readable.
    pub(crate) is_read: bool,
    /// Longest wait at startup for the first result of each probe, in milliseconds.
    pub(crate) startup_wait_ms: u32,
    /// Rules that overrides and reloads must not break.
    pub(crate) safety: Vec<SafetyRule>,
    /// End of the time in which safety rules are off, in seconds since 1970, with its place.
    pub(crate) safety_off_until: Option<(u64, At)>,
}

/// Default of `startup_wait_ms`, in milliseconds. Exceeds the default timeout of a probe (2 s), so
/// that a first check that times out has its verdict.
pub(crate) const STARTUP_WAIT_MS: u32 = 3_000;

/// Reads the file.
pub(crate) fn lower(root: &Node, certificates: &mut Certificates<'_>, out: &mut Findings) -> PopsFile {
    let mut file = PopsFile { startup_wait_ms: STARTUP_WAIT_MS, ..PopsFile::default() };
    let Some(mut table) = MapReader::open(root, "the PoP file", out) else { return file };
    file.probes = probes::lower(table.take("probes"), certificates, out);
    file.canaries =
        table.take_entry("canaries").and_then(|(key, node)| canaries::lower(key, node, &file.probes, out));
    if let Some(ms) =
        table.take("startup_wait").and_then(|node| time_ms(node, "startup_wait", 0..=60_000, out))
    {
        file.startup_wait_ms = ms as u32;
    }
    let pops = lower_pops(&mut table, &file.probes, out);
    file.is_read = pops.is_some();
    let world = World { pops_known: file.is_read, pops: pops.unwrap_or_default(), ..World::default() };
    file.safety = table.take("safety").map(|node| safety_rules::lower(node, &world, out)).unwrap_or_default();
    file.pops = world.pops;
    file.safety_off_until =
        table.take("safety_off_until").and_then(|node| safety_rules::off_until(node, out));
    table.finish(out);
    file
}

/// Reads the PoPs, sorted by name; `None` without a map of them.
fn lower_pops(table: &mut MapReader<'_>, probes: &[Probe], out: &mut Findings) -> Option<Vec<Pop>> {
    let mut pops = Vec::new();
    let mut reader = Reader { probes, uses: Uses::new() };
    let node = table.need("pops", out)?;
    let entries = MapReader::open(node, "`pops`", out)?.rest();
    if entries.is_empty() {
        out.push(
            Finding::warning(code::EMPTY_DEPLOYMENT, "there is no PoP")
                .at(node.at, "nothing in here")
                .help("a server of static zones needs no PoP file: remove `pops` from the server file"),
        );
    }
    if entries.len() > POPS_MAX {
        out.push(
            Finding::error(code::TOO_LARGE, format!("{} PoPs are more than {POPS_MAX}", entries.len()))
                .at(node.at, ""),
        );
    }
    for (key, node) in entries.into_iter().take(POPS_MAX) {
        if key.text.as_ref() == "all" {
            out.push(
                Finding::error(code::BAD_VALUE, "a PoP cannot be named `all`")
                    .at(key.at, "`pops: all` means every PoP")
                    .help("rename it"),
            );
        }
        pops.push(reader.pop(key, node, out));
    }
    if !pops.is_empty() && pops.iter().all(|pop| pop.state.is_down()) {
        out.push(
            Finding::warning(code::ALL_OFF, "every PoP has `state: down`")
                .at(node.at, "all have `state: down`")
                .help("`down` is never answered, even if all else is down; use `drain` for a last resort"),
        );
    }
    pops.sort_by(|a, b| a.name.cmp(&b.name));
    one_pop_per_address(&reader.uses, out);
    Some(pops)
}

/// Reader of the PoPs of a file.
struct Reader<'a> {
    /// Probes of the file, sorted by name.
    probes: &'a [Probe],
    /// Uses of addresses so far.
    uses: Uses,
}

impl Reader<'_> {
    fn pop(&mut self, key: &Key, node: &Node, out: &mut Findings) -> Pop {
        let name: Arc<str> = Arc::from(&*key.text);
        check_pop_name(key, out);
        let mut pop = Pop::bare(name.clone(), key.at);
        let Some(mut table) = MapReader::open(node, format!("the PoP `{name}`"), out) else { return pop };
        if let Some(node) = table.take("at") {
            lower_at(node, &mut pop, out);
        }
        if let Some(weight) = table.take("weight").and_then(|node| weight(node, out)) {
            pop.weight = weight;
        }
        if let Some(km) = table.take("bias").and_then(|node| integer(node, "bias", -20_000..=20_000, out)) {
            pop.bias_km = km as i32;
        }
        if let Some(ms) = table.take("bias_ms").and_then(|node| integer(node, "bias_ms", -3_000..=3_000, out))
        {
            pop.bias_ms = ms as i32;
        }
        let states = [
            ("auto", AdminState::Auto),
            ("up", AdminState::Up),
            ("down", AdminState::Down),
            ("drain", AdminState::Drain),
        ];
        if let Some(state) = table.take("state").and_then(|node| choice(node, "state", &states, out)) {
            pop.state = state;
        }
        for member in table.take("tags").map(members).unwrap_or_default() {
            if let Some(tag) = text(member, "tags", out).and_then(|t| word(t, member.at, "a tag", out))
                && !pop.tags.iter().any(|t| &**t == tag)
            {
                pop.tags.push(Arc::from(tag));
            }
        }
        if let Some(ms) = table.take("ramp").and_then(|node| time_ms(node, "ramp", 0..=86_400_000, out)) {
            pop.ramp_ms = ms as u32;
        }
        let whose = Whose { pop: &name, service: None };
        pop.capacity = feed::capacity(&mut table, whose, out);
        pop.load = feed::load(&mut table, whose, pop.capacity, out);
        self.services(&mut table, &mut pop, out);
        table.finish(out);
        pop
    }

    /// Reads the addresses directly in a PoP, and its services.
    fn services(&mut self, table: &mut MapReader<'_>, pop: &mut Pop, out: &mut Findings) {
        // Default for services without a probe of their own.
        let probed = table.take("probe").map(|node| probes::used(node, self.probes, out)).unwrap_or_default();
        self.default_service(table, pop, &probed, out);
        let services = table.take("services");
        if let Some(mut services) = services.and_then(|node| MapReader::open(node, "`services`", out)) {
            let mut named: HashMap<Arc<str>, At> =
                pop.services.iter().map(|service| (Arc::clone(&service.name), service.at)).collect();
            for (key, node) in services.rest() {
                if let Some(name) = service_name(key, pop, &mut named, out) {
                    let service = self.service(Named { name, at: key.at }, node, pop, &probed, out);
                    pop.services.extend(service);
                }
            }
        } else if pop.services.is_empty()
            && services.is_none()
            && !table.mistyped("addresses")
            && !table.mistyped("services")
        {
            out.push(
                Finding::error(code::MISSING_KEY, format!("the PoP `{}` has no addresses", pop.name))
                    .at(pop.at, "neither `addresses` nor `services`"),
            );
        }
    }

    /// Reads the addresses directly in a PoP, which are the service `default`. Capacity and load
    /// beside them belong to the whole PoP.
    fn default_service(
        &mut self,
        table: &mut MapReader<'_>,
        pop: &mut Pop,
        probed: &[ProbeId],
        out: &mut Findings,
    ) {
        let https = table.take_entry("https");
        let params = https.and_then(|(_, node)| https::lower(node, out));
        if let Some((key, node)) = table.take_entry("addresses") {
            let name = Arc::<str>::from(DEFAULT_SERVICE);
            let (v4, v6) = addresses(node, &pop.name, &name, &mut self.uses, out);
            let probes = probed.to_vec();
            let (capacity, load) = (None, None);
            pop.services.push(Service { name, v4, v6, https: params, probes, capacity, load, at: key.at });
        } else if let Some((key, _)) = https {
            out.push(
                Finding::error(
                    code::BAD_VALUE,
                    format!(
                        "`https` of the PoP `{}` belongs to `addresses`, which it does not have",
                        pop.name
                    ),
                )
                .at(key.at, "without `addresses`")
                .help("move it into the service that it belongs to"),
            );
        }
    }

    /// Reads a service of a PoP, whose probes are those of the PoP unless it has its own.
    fn service(
        &mut self,
        named: Named,
        node: &Node,
        pop: &Pop,
        probed: &[ProbeId],
        out: &mut Findings,
    ) -> Option<Service> {
        let Named { name, at } = named;
        let mut table = MapReader::open(node, format!("the service `{name}`"), out)?;
        let (v4, v6) = match table.need("addresses", out) {
            Some(node) => addresses(node, &pop.name, &name, &mut self.uses, out),
            None => (Vec::new(), Vec::new()),
        };
        let https = table.take("https").and_then(|node| https::lower(node, out));
        let probes = match table.take("probe") {
            Some(node) => probes::used(node, self.probes, out),
            None => probed.to_vec(),
        };
        let (capacity, load) = own_load(&mut table, pop, &name, out);
        table.finish(out);
        Some(Service { name, v4, v6, https, probes, capacity, load, at })
    }
}

/// A name with its place.
struct Named {
    name: Arc<str>,
    at: At,
}

/// PoP names become DNS labels (`expose_pops`) and metric labels.
fn check_pop_name(key: &Key, out: &mut Findings) {
    let name = &*key.text;
    if word(name, key.at, "a PoP", out).is_some()
        && name.bytes().any(|b| b.is_ascii_uppercase() || matches!(b, b'_' | b'.'))
    {
        out.push(
            Finding::error(
                code::BAD_VALUE,
                format!("the PoP name `{name}` must have only lower-case letters, digits and hyphens"),
            )
            .at(key.at, "not usable as a DNS label")
            .help(format!("rename it to `{}`", name.to_ascii_lowercase().replace(['_', '.'], "-"))),
        );
    }
}

/// Reads `at:`, coordinates and country of a PoP.
fn lower_at(node: &Node, pop: &mut Pop, out: &mut Findings) {
    let Some(mut at) = MapReader::open(node, "`at`", out) else { return };
    let faults = out.len();
    pop.coordinates = coordinates(&mut at, out);
    if pop.coordinates.is_none() && out.len() > faults {
        // The deployment is already refused; policies must not report the same fault again.
        pop.coordinates = Coordinates::from_degrees(0.0, 0.0);
    }
    pop.country = at.take("country").and_then(|node| country(node, out));
    if out.len() == faults {
        whereabouts::check(pop, node.at, out);
    }
    at.finish(out);
}

/// Reads the name of a service; a finding if the PoP has it already.
fn service_name(
    key: &Key,
    pop: &Pop,
    named: &mut HashMap<Arc<str>, At>,
    out: &mut Findings,
) -> Option<Arc<str>> {
    let name = word(&key.text, key.at, "a service", out).map(Arc::<str>::from)?;
    let Some(first) = named.insert(Arc::clone(&name), key.at) else { return Some(name) };
    out.push(
        Finding::error(code::DUPLICATE_KEY, format!("the PoP `{}` has the service `{name}` twice", pop.name))
            .at(key.at, "again here")
            .related(first, "the addresses directly in the PoP are the service `default`"),
    );
    None
}

/// Reads `capacity` and `load` of a service. The load of a service without a `capacity` is compared
/// with the capacity of the PoP.
fn own_load(
    table: &mut MapReader<'_>,
    pop: &Pop,
    service: &str,
    out: &mut Findings,
) -> (Option<f64>, Option<Arc<LoadSpec>>) {
    let whose = Whose { pop: &pop.name, service: Some(service) };
    let (faults, node) = (out.len(), table.take("capacity"));
    let capacity = feed::capacity(table, whose, out);
    let load = feed::load(table, whose, capacity.or(pop.capacity), out);
    if let Some(node) = node.filter(|_| load.is_none() && out.len() == faults) {
        out.push(
            Finding::warning(code::BAD_VALUE, format!("{whose} has a `capacity` but no `load` of its own"))
                .at(node.at, "without effect")
                .help(
                    "give the service a `load`, or remove its `capacity`: a PoP's load is compared only with \
                     the PoP's own capacity",
                ),
        );
    }
    (capacity, load)
}

type Addresses = (Vec<WeightedAddress<Ipv4Addr>>, Vec<WeightedAddress<Ipv6Addr>>);

fn addresses(
    node: &Node,
    pop: &Arc<str>,
    service: &Arc<str>,
    uses: &mut Uses,
    out: &mut Findings,
) -> Addresses {
    let (mut v4, mut v6) = Addresses::default();
    let mut seen: HashMap<IpAddr, At> = HashMap::new();
    for member in members(node) {
        let Some((address, at, weight)) = weighted(member, out) else { continue };
        if let Some(first) = seen.get(&address) {
            out.push(
                Finding::error(
                    code::DUPLICATE_ADDRESS,
                    format!("`{address}` is listed twice in the service `{service}` of `{pop}`"),
                )
                .at(at, "again here")
                .related(*first, "first here"),
            );
            continue;
        }
        seen.insert(address, at);
        if let Some(purpose) = purpose(address) {
            out.push(
                Finding::warning(
                    code::SPECIAL_ADDRESS,
                    format!("`{address}` of the PoP `{pop}` is not reachable from the internet"),
                )
                .at(at, format!("{purpose} (RFC 6890)")),
            );
        }
        uses.push((address, at, pop.clone(), service.clone()));
        match address {
            IpAddr::V4(address) => v4.push(WeightedAddress { address, weight }),
            IpAddr::V6(address) => v6.push(WeightedAddress { address, weight }),
        }
    }
    if members(node).is_empty() {
        out.push(
            Finding::error(code::BAD_VALUE, format!("the service `{service}` of `{pop}` has no address"))
                .at(node.at, "an empty list"),
        );
    }
    if v4.len() > ADDRESSES_MAX || v6.len() > ADDRESSES_MAX {
        out.push(
            Finding::error(
                code::TOO_LARGE,
                format!(
                    "the service `{service}` of `{pop}` has more than {ADDRESSES_MAX} addresses of a family"
                ),
            )
            .at(node.at, "too many")
            .help("split the PoP, or use one address for several machines"),
        );
    }
    (v4, v6)
}

/// Reads `192.0.2.1`, or `{ address: 192.0.2.1, weight: 50 }`.
fn weighted(node: &Node, out: &mut Findings) -> Option<(IpAddr, At, u32)> {
    let ValueKind::Map(_) = node.kind else { return Some((address(node, out)?, node.at, WEIGHT_DEFAULT)) };
    let mut table = MapReader::open(node, "an address", out)?;
    let found = table.need("address", out);
    let weight = table.take("weight").and_then(|node| weight(node, out)).unwrap_or(WEIGHT_DEFAULT);
    table.finish(out);
    let found = found?;
    Some((address(found, out)?, found.at, weight))
}

fn address(node: &Node, out: &mut Findings) -> Option<IpAddr> {
    let text = text(node, "addresses", out)?;
    let parsed = text.parse();
    if parsed.is_err() {
        let mut finding = Finding::error(code::BAD_ADDRESS, format!("{} is not an IP address", shown(node)))
            .at(node.at, "not an address");
        if let Some((address, _)) = text.split_once('/').filter(|(a, _)| a.parse::<IpAddr>().is_ok()) {
            finding = finding.help(format!("a PoP has single addresses, not prefixes: `{address}`"));
        } else if text.matches(':').count() == 1 {
            finding = finding.help("write the address without a port");
        }
        out.push(finding);
    }
    parsed.ok()
}

/// Reads a weight; 0 means last resort.
pub(crate) fn weight(node: &Node, out: &mut Findings) -> Option<u32> {
    integer(node, "weight", 0..=i64::from(WEIGHT_MAX), out).map(|w| w as u32)
}

/// An address in two PoPs is a mistake, or anycast, which steering cannot affect.
fn one_pop_per_address(uses: &Uses, out: &mut Findings) {
    let mut seen: HashMap<IpAddr, (At, &Arc<str>)> = HashMap::new();
    for (address, at, pop, _) in uses {
        match seen.get(address) {
            Some((first, other)) if *other != pop => out.push(
                Finding::warning(
                    code::DUPLICATE_ADDRESS,
                    format!("`{address}` belongs to the PoPs `{other}` and `{pop}`"),
                )
                .at(*at, "again here")
                .related(*first, "first here"),
            ),
            Some(_) => {}
            None => {
                seen.insert(*address, (*at, pop));
            }
        }
    }
}
