//! `access`: clients that are refused or get no answer.

use crate::access::{Access, Action};
use crate::config::networks::{is_prefix, prefix};
use crate::config::scalar::{members, text};
use crate::config::table::MapReader;
use crate::config::tree::Node;
use crate::config::world::World;
use crate::finding::{At, Finding, Findings, code};
use crate::geo::layered::TOO_MANY_LEAVES;
use crate::geo::prefix::Prefix;
use crate::limits::ACCESS_MAX;
use std::collections::HashMap;
use std::sync::Arc;

/// Lists as written, before the names of networks are looked up.
pub(crate) struct AccessLists {
    members: Vec<Member>,
    /// Place of the whole map.
    at: At,
}

struct Member {
    action: Action,
    listed: Listed,
    at: At,
}

enum Listed {
    Prefix(Prefix),
    Network(Arc<str>),
}

/// Reads the lists.
pub(super) fn lower(node: &Node, out: &mut Findings) -> Option<AccessLists> {
    let mut table = MapReader::open(node, "`access`", out)?;
    let mut lists = AccessLists { members: Vec::new(), at: node.at };
    for action in Action::ALL {
        let Some(node) = table.take(action.word()) else { continue };
        for member in members(node) {
            let Some(listed) = listed(member, action.word(), out) else { continue };
            lists.members.push(Member { action, listed, at: member.at });
        }
    }
    table.finish(out);
    Some(lists)
}

fn listed(node: &Node, key: &str, out: &mut Findings) -> Option<Listed> {
    let text = text(node, key, out)?;
    if is_prefix(text) {
        return prefix(node, key, out).map(|(prefix, _)| Listed::Prefix(prefix));
    }
    Some(Listed::Network(Arc::from(text)))
}

impl AccessLists {
    /// Compiles the lists; `None` if they are empty, or after an error.
    pub(crate) fn compile(&self, world: &World, out: &mut Findings) -> Option<Access> {
        let mut entries: HashMap<Prefix, (Action, At)> = HashMap::new();
        for member in &self.members {
            for prefix in member.prefixes(world, out) {
                let Some((action, first)) = entries.insert(prefix, (member.action, member.at)) else {
                    continue;
                };
                let (key, other) = (member.action.word(), action.word());
                let finding = if action == member.action {
                    let message = format!("`{prefix}` is listed twice under `{key}`");
                    Finding::warning(code::DUPLICATE_PREFIX, message)
                } else {
                    let message = format!("`{prefix}` is under both `{other}` and `{key}`");
                    Finding::error(code::DUPLICATE_PREFIX, message)
                };
                out.push(finding.at(member.at, "again here").related(first, "first here"));
            }
        }
        if entries.len() > ACCESS_MAX {
            let message = format!("`access` lists {} prefixes, more than {ACCESS_MAX}", entries.len());
            out.push(Finding::error(code::TOO_LARGE, message).at(self.at, "too many"));
            return None;
        }
        check_effects(&entries, out);
        if entries.is_empty() {
            return None;
        }
        let access = Access::new(entries.into_iter().map(|(prefix, (action, _))| (prefix, action)).collect());
        if access.is_none() {
            let message = "the prefixes of `access` cannot be compiled";
            out.push(Finding::error(code::TOO_LARGE, message).at(self.at, TOO_MANY_LEAVES));
        }
        access
    }
}

impl Member {
    fn prefixes(&self, world: &World, out: &mut Findings) -> Vec<Prefix> {
        match &self.listed {
            Listed::Prefix(prefix) => vec![*prefix],
            Listed::Network(name) => {
                let index = world.find_network(name, self.at, out);
                let network = index.and_then(|index| world.networks.get(usize::from(index)));
                network.map_or(Vec::new(), |network| {
                    network.prefixes.iter().map(|(prefix, _)| *prefix).collect()
                })
            }
        }
    }
}

/// An `allow` that no wider `refuse` or `drop` contains changes nothing.
fn check_effects(entries: &HashMap<Prefix, (Action, At)>, out: &mut Findings) {
    let has_wider = |prefix: Prefix| {
        let mut wider = (0..prefix.len()).filter_map(|len| entries.get(&Prefix::new(prefix.address(), len)));
        wider.any(|(action, _)| *action != Action::Allow)
    };
    let mut idle: Vec<(At, Prefix)> = entries
        .iter()
        .filter(|(prefix, (action, _))| *action == Action::Allow && !has_wider(**prefix))
        .map(|(prefix, (_, at))| (*at, *prefix))
        .collect();
    idle.sort();
    for (at, prefix) in idle {
        let message = format!("`{prefix}` is allowed, and no wider prefix is refused or dropped");
        out.push(Finding::warning(code::ALLOWED_ANYWAY, message).at(at, "without effect").help(
            "an address in no list is allowed: list the rest under `refuse` or `drop`, such as `0.0.0.0/0`",
        ));
    }
}
