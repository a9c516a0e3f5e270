//! `access`: clients that are refused or get no answer.

use super::listed::Listed;
use crate::access::{Access, Action};
use crate::config::table::MapReader;
use crate::config::tree::Node;
use crate::config::world::World;
use crate::finding::{At, Finding, Findings, code};
use crate::geo::layered::TOO_MANY_LEAVES;
use crate::geo::prefix::Prefix;
use crate::limits::ACCESS_MAX;
use std::collections::HashMap;

/// Lists as written, before the names of networks are looked up.
pub(crate) struct AccessLists {
    members: Vec<Member>,
    /// Place of the whole map.
    at: At,
}

struct Member {
    action: Action,
    listed: Listed,
}

/// Reads the lists.
pub(super) fn lower(node: &Node, out: &mut Findings) -> Option<AccessLists> {
    let mut table = MapReader::open(node, "`access`", out)?;
    let mut lists = AccessLists { members: Vec::new(), at: node.at };
    for action in Action::ALL {
        let Some(node) = table.take(action.word()) else { continue };
        let listed = Listed::lower(node, action.word(), out).into_iter();
        lists.members.extend(listed.map(|listed| Member { action, listed }));
    }
    table.finish(out);
    Some(lists)
}

impl AccessLists {
    /// Compiles the lists; `None` if they are empty, or after an error.
    pub(crate) fn compile(&self, world: &World, out: &mut Findings) -> Option<Access> {
        let mut entries: HashMap<Prefix, (Action, At)> = HashMap::new();
        for member in &self.members {
            for prefix in member.listed.prefixes(world, out) {
                let Some((action, first)) = entries.insert(prefix, (member.action, member.listed.at)) else {
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
                out.push(finding.at(member.listed.at, "again here").related(first, "first here"));
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

/// An `allow` that no wider `refuse` or `drop` contains changes nothing.
fn check_effects(entries: &HashMap<Prefix, (Action, At)>, out: &mut Findings) {
    let has_wider = |prefix: Prefix| {
        let mut wider = prefix.wider().filter_map(|wider| entries.get(&wider));
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
