//! `proxy_protocol`: balancers whose PROXY headers name the clients.

use super::listed::Listed;
use crate::config::Listen;
use crate::config::scalar::members;
use crate::config::table::MapReader;
use crate::config::tree::Node;
use crate::config::world::World;
use crate::finding::{At, Finding, Findings, code};
use crate::geo::prefix::Prefix;
use crate::limits::{PROXIES_MAX, PROXY_PREFIX_PRIVATE_MIN, PROXY_PREFIX_V4_MIN, PROXY_PREFIX_V6_MIN};
use crate::proxies::Proxies;
use std::collections::HashMap;
use std::net::IpAddr;

/// The list as written, before the names of networks are looked up.
pub(crate) struct ProxyList {
    members: Vec<Listed>,
    /// Place of the list.
    at: At,
}

/// Reads the list.
pub(super) fn lower(node: &Node, out: &mut Findings) -> Option<ProxyList> {
    let mut table = MapReader::open(node, "`proxy_protocol`", out)?;
    let list = table.need("from", out).map(|node| {
        if members(node).is_empty() {
            let finding = Finding::error(code::BAD_VALUE, "`from` lists no address of a balancer");
            out.push(finding.at(node.at, "an empty list").help("remove `proxy_protocol`"));
        }
        ProxyList { members: Listed::lower(node, "from", out), at: node.at }
    });
    table.finish(out);
    list
}

impl ProxyList {
    /// Compiles the list; `None` if it is empty, or after an error.
    pub(crate) fn compile(&self, world: &World, listen: &Listen, out: &mut Findings) -> Option<Proxies> {
        let mut places: HashMap<Prefix, At> = HashMap::new();
        for member in &self.members {
            for prefix in member.prefixes(world, out) {
                if let Some(first) = places.get(&prefix) {
                    let message = format!("`{prefix}` is listed twice under `from`");
                    let finding = Finding::warning(code::DUPLICATE_PREFIX, message);
                    out.push(finding.at(member.at, "again here").related(*first, "first here"));
                } else {
                    places.insert(prefix, member.at);
                }
            }
        }
        if places.len() > PROXIES_MAX {
            let message = format!("`from` lists {} prefixes, more than {PROXIES_MAX}", places.len());
            out.push(Finding::error(code::TOO_LARGE, message).at(self.at, "too many"));
            return None;
        }
        check(&places, listen, out);
        (!places.is_empty()).then(|| Proxies::new(places.into_keys().collect()))
    }
}

/// Warns of prefixes with too much effect, or none.
fn check(places: &HashMap<Prefix, At>, listen: &Listen, out: &mut Findings) {
    let mut sorted: Vec<(At, Prefix)> = places.iter().map(|(prefix, at)| (*at, *prefix)).collect();
    sorted.sort();
    for (at, prefix) in sorted {
        if prefix.len() < narrow_enough(prefix) {
            let message = format!("`{prefix}` lets strangers send PROXY headers");
            let finding = Finding::warning(code::FORGEABLE_CLIENTS, message);
            out.push(finding.at(at, "not only balancers").help(
                "every address in the list can claim to be any client, and gets no answer without a header: \
                 list the addresses of your balancers alone",
            ));
        }
        if let Some(reason) = idle(prefix, places, listen) {
            let message = format!("`{prefix}` has no effect, because {reason}");
            out.push(Finding::warning(code::IDLE_PROXY, message).at(at, "without effect"));
        }
    }
}

/// Length from which on a prefix is taken for one operator's.
fn narrow_enough(prefix: Prefix) -> u8 {
    let is_private = match prefix.address() {
        IpAddr::V4(address) => address.is_private() || address.is_loopback(),
        IpAddr::V6(address) => address.is_unique_local() || address.is_loopback(),
    };
    match prefix {
        _ if is_private => PROXY_PREFIX_PRIVATE_MIN,
        Prefix::V4 { .. } => PROXY_PREFIX_V4_MIN,
        Prefix::V6 { .. } => PROXY_PREFIX_V6_MIN,
    }
}

/// Reason for which a prefix has no effect, if it has none.
fn idle(prefix: Prefix, places: &HashMap<Prefix, At>, listen: &Listen) -> Option<String> {
    if let Some(wider) = prefix.wider().find(|wider| places.contains_key(wider)) {
        return Some(format!("`{wider}` contains it"));
    }
    let is_unspecified = prefix.address().is_unspecified() && prefix == Prefix::host(prefix.address());
    let is_multicast = match prefix {
        Prefix::V4 { len, .. } => len >= 4 && prefix.address().is_multicast(),
        Prefix::V6 { len, .. } => len >= 8 && prefix.address().is_multicast(),
    };
    if is_unspecified || is_multicast {
        return Some("no sender has such an address".to_owned());
    }
    let (family, is_v4) = match prefix {
        Prefix::V4 { .. } => ("IPv4", true),
        Prefix::V6 { .. } => ("IPv6", false),
    };
    let mut addresses = listen.dns.iter().chain(&listen.dot).chain(&listen.doh).peekable();
    addresses.peek()?;
    let is_idle = addresses.all(|address| address.is_ipv4() != is_v4);
    is_idle.then(|| format!("no address of `listen` for DNS is of {family}"))
}
