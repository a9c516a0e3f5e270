//! `user` and `sandbox`: rights of the process.

use crate::config::Sandbox;
use crate::config::scalar::{plain, refuse, text};
use crate::config::table::MapReader;
use crate::config::tree::Node;
use crate::finding::{Finding, Findings, code};
use std::sync::Arc;

/// Most octets of the name of a user (LOGIN_NAME_MAX of limits(7), without its zero).
const USER_OCTETS_MAX: usize = 255;

/// Reads the name of a user.
pub(super) fn lower_user(node: &Node, out: &mut Findings) -> Option<Arc<str>> {
    let name = text(node, "user", out)?;
    if name == "root" || name == "0" {
        let finding = Finding::error(code::BAD_VALUE, "`user` must be a user with fewer rights than root");
        out.push(finding.at(node.at, "root").help("name a user of its own, such as `meridian`"));
        return None;
    }
    if name.bytes().all(|octet| octet.is_ascii_digit()) {
        refuse(node, "user", "the name of a user, not a number", out);
        return None;
    }
    if name.len() > USER_OCTETS_MAX || name.contains(|c: char| c.is_control() || c == ':') {
        refuse(node, "user", "the name of a user", out);
        return None;
    }
    Some(name.into())
}

/// Reads the switch of the sandbox, which is off for a reason alone.
pub(super) fn lower_sandbox(node: &Node, out: &mut Findings) -> Sandbox {
    match plain(node) {
        Some("on") => return Sandbox::On,
        Some("off") => {
            let finding = Finding::error(code::BAD_VALUE, "`sandbox` is off without a reason");
            let help = "write the reason for those who come after you: `sandbox: { off: \"a debugger\" }`";
            out.push(finding.at(node.at, "no reason").help(help));
            return Sandbox::On;
        }
        _ => {}
    }
    let Some(mut table) = MapReader::open(node, "`sandbox`", out) else { return Sandbox::On };
    let reason = table.need("off", out).and_then(|node| {
        let reason = text(node, "off", out)?;
        // `off: false` and `off: no` would turn off what they seem to leave on.
        if reason.split_whitespace().count() < 2 {
            refuse(node, "off", "a reason of at least two words", out);
            return None;
        }
        Some(reason)
    });
    table.finish(out);
    reason.map_or(Sandbox::On, |reason| Sandbox::Off(reason.into()))
}
