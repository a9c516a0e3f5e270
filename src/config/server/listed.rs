//! Members of lists of clients and balancers: prefixes, addresses, and names of networks.

use crate::config::networks::{is_prefix, prefix};
use crate::config::scalar::{members, text};
use crate::config::tree::Node;
use crate::config::world::World;
use crate::finding::{At, Findings};
use crate::geo::prefix::Prefix;
use std::sync::Arc;

/// One member as written.
pub(super) struct Listed {
    entry: Entry,
    /// Place of the member.
    pub(super) at: At,
}

enum Entry {
    Prefix(Prefix),
    Network(Arc<str>),
}

impl Listed {
    /// Reads the list of `key`.
    pub(super) fn lower(node: &Node, key: &str, out: &mut Findings) -> Vec<Listed> {
        members(node).iter().filter_map(|member| Listed::member(member, key, out)).collect()
    }

    fn member(node: &Node, key: &str, out: &mut Findings) -> Option<Listed> {
        let text = text(node, key, out)?;
        let entry = match is_prefix(text) {
            true => Entry::Prefix(prefix(node, key, out)?.0),
            false => Entry::Network(Arc::from(text)),
        };
        Some(Listed { entry, at: node.at })
    }

    /// Prefixes of the member.
    pub(super) fn prefixes(&self, world: &World, out: &mut Findings) -> Vec<Prefix> {
        match &self.entry {
            Entry::Prefix(prefix) => vec![*prefix],
            Entry::Network(name) => {
                let index = world.find_network(name, self.at, out);
                let network = index.and_then(|index| world.networks.get(usize::from(index)));
                network.map_or(Vec::new(), |network| {
                    network.prefixes.iter().map(|(prefix, _)| *prefix).collect()
                })
            }
        }
    }
}
