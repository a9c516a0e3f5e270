//! Reads `networks.yaml`: prefixes that the operator knows better than any database.

use super::place::{asn, coordinates, country, subdivision};
use super::scalar::{members, text, word};
use super::table::{MapReader, shown};
use super::tree::{Node, ValueKind};
use crate::finding::{Finding, Findings, code};
use crate::geo::networks::Network;
use crate::geo::prefix::Prefix;
use crate::geo::territories;
use crate::limits::NETWORKS_MAX;
use std::collections::HashMap;
use std::sync::Arc;

/// Reads the networks, and sorts them by name.
pub(crate) fn lower(root: &Node, out: &mut Findings) -> Vec<Network> {
    let Some(mut table) = MapReader::open(root, "the networks file", out) else { return Vec::new() };
    let mut networks = Vec::new();
    for (key, node) in table.rest() {
        let name = word(&key.text, key.at, "a network", out);
        let network = lower_network(&key.text, key.at, node, out);
        if name.is_some() {
            networks.push(network);
        }
    }
    if networks.len() > NETWORKS_MAX {
        out.push(
            Finding::error(code::TOO_LARGE, format!("more than {NETWORKS_MAX} operator networks"))
                .at(root.at, ""),
        );
    }
    // Check in the order written, so that the later duplicate is reported.
    one_network_per_prefix(&networks, out);
    networks.sort_by(|a, b| a.name.cmp(&b.name));
    networks
}

fn lower_network(name: &str, at: crate::finding::At, node: &Node, out: &mut Findings) -> Network {
    let mut network = Network {
        name: Arc::from(name),
        prefixes: Vec::new(),
        country: None,
        subdivision: None,
        coordinates: None,
        asn: None,
        site: None,
        at,
    };
    // A network with nothing but prefixes may be written as a plain list.
    if let ValueKind::List(_) | ValueKind::Text(_) = &node.kind {
        network.prefixes = prefixes(name, node, out);
        return network;
    }
    let Some(mut table) = MapReader::open(node, format!("the network `{name}`"), out) else { return network };
    if let Some(node) = table.need("prefixes", out) {
        network.prefixes = prefixes(name, node, out);
    }
    network.country = table.take("country").and_then(|node| country(node, out));
    if let Some(node) = table.take("subdivision") {
        // `US-CA` includes the country; `CA` alone needs the country beside it.
        if let Some((of, subdivision)) = subdivision(node, network.country, out) {
            let country = *network.country.get_or_insert(of);
            // For a territory with two codes, PR and US-PR, the country alone is sufficient.
            let own = territories::find(of, subdivision).filter(|_| country != of);
            network.subdivision = Some(subdivision).filter(|_| own.is_none_or(|own| !own.is_whole));
        }
    }
    network.coordinates = coordinates(&mut table, out);
    network.asn = table.take("asn").and_then(|node| asn(node, out));
    network.site = table.take("site").and_then(|node| text(node, "site", out)).map(Arc::from);
    table.finish(out);
    network
}

fn prefixes(name: &str, node: &Node, out: &mut Findings) -> Vec<(Prefix, crate::finding::At)> {
    if members(node).is_empty() {
        out.push(
            Finding::error(code::BAD_VALUE, format!("the network `{name}` has no prefix"))
                .at(node.at, "an empty list"),
        );
    }
    members(node).iter().filter_map(|member| prefix(member, "prefixes", out)).collect()
}

/// True if a text is meant as a prefix or an address, and not as the name of a network.
pub(super) fn is_prefix(text: &str) -> bool {
    text.contains(['/', ':']) || text.parse::<std::net::IpAddr>().is_ok()
}

/// Reads a member of the list `what`: a prefix, or an address as the prefix of itself alone. IPv4
/// inside IPv6 is read as IPv4, because clients are.
pub(super) fn prefix(node: &Node, what: &str, out: &mut Findings) -> Option<(Prefix, crate::finding::At)> {
    let text = text(node, what, out)?;
    if let Ok(net) = text.parse::<ipnet::IpNet>() {
        let prefix = Prefix::from(net);
        if net.addr() != net.network() {
            out.push(
                Finding::warning(code::BAD_ADDRESS, format!("`{text}` has bits set beyond its length"))
                    .at(node.at, format!("read as `{prefix}`"))
                    .help(format!("write `{prefix}`")),
            );
        }
        return Some((prefix.canonical(), node.at));
    }
    if let Ok(address) = text.parse() {
        return Some((Prefix::host(address).canonical(), node.at));
    }
    out.push(
        Finding::error(code::BAD_ADDRESS, format!("{} is not a prefix", shown(node)))
            .at(node.at, "not an address or prefix")
            .help("write it as `192.0.2.0/24` or `\"2001:db8::/32\"`"),
    );
    None
}

/// With a prefix in two networks, membership would depend on the order of names.
fn one_network_per_prefix(networks: &[Network], out: &mut Findings) {
    let mut seen: HashMap<Prefix, (&Network, crate::finding::At)> = HashMap::new();
    for network in networks {
        for (prefix, at) in &network.prefixes {
            let Some((other, first)) = seen.insert(*prefix, (network, *at)) else { continue };
            let (message, severe) = if other.name == network.name {
                (format!("`{prefix}` is listed twice in the network `{}`", network.name), false)
            } else {
                (format!("`{prefix}` is in both networks `{}` and `{}`", other.name, network.name), true)
            };
            let finding = match severe {
                true => Finding::error(code::DUPLICATE_PREFIX, message),
                false => Finding::warning(code::DUPLICATE_PREFIX, message),
            };
            out.push(finding.at(*at, "again here").related(first, "first here"));
        }
    }
}
