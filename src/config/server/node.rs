//! `node`: the name of this node, the texts by which it identifies itself, and its site.

use super::ServerFile;
use crate::config::scalar::text;
use crate::config::table::MapReader;
use crate::config::tree::Node;
use crate::finding::{Finding, Findings, code};
use crate::limits::{CHAOS_TEXT_MAX, NODE_NAME_MAX};
use std::sync::Arc;

/// Reads `node` into the file.
pub(super) fn lower(node: &Node, file: &mut ServerFile, out: &mut Findings) {
    let Some(mut table) = MapReader::open(node, "`node`", out) else { return };
    if let Some(node) = table.need("name", out)
        && let Some(name) = text(node, "name", out)
    {
        if !fits(name, NODE_NAME_MAX) {
            out.push(
                Finding::error(
                    code::BAD_VALUE,
                    format!("a node's name has 1 to {NODE_NAME_MAX} octets and no control characters"),
                )
                .at(node.at, "not a name"),
            );
        } else {
            file.node.name = name.into();
        }
    }
    file.node.id_server = match table.take("id_server") {
        Some(node) => chaos_text(node, "id_server", out),
        None => Some(file.node.name.clone()),
    };
    file.node.version_server = match table.take("version_server") {
        Some(node) => chaos_text(node, "version_server", out),
        // The product alone: the version of a node is not for strangers.
        None => Some(Arc::from("Meridian")),
    };
    if let Some(node) = table.take("site")
        && let Some(site) = text(node, "site", out)
    {
        file.node.site = Some(Arc::from(site));
        file.site_at = Some(node.at);
    }
    table.finish(out);
}

/// Text of a name of class CH; `None` for `off`, and with a finding for a text that is no character
/// string (RFC 1035 section 3.3).
fn chaos_text(node: &Node, key: &str, out: &mut Findings) -> Option<Arc<str>> {
    let text = text(node, key, out)?;
    if !fits(text, CHAOS_TEXT_MAX) {
        out.push(
            Finding::error(
                code::BAD_VALUE,
                format!("`{key}` has 1 to {CHAOS_TEXT_MAX} octets and no control characters"),
            )
            .at(node.at, "not a text of a record"),
        );
        return None;
    }
    (text != "off").then(|| Arc::from(text))
}

/// True for a text of at most so many octets, without control characters, which would corrupt logs.
fn fits(text: &str, octets_max: usize) -> bool {
    text.len() <= octets_max && !text.chars().any(char::is_control)
}
