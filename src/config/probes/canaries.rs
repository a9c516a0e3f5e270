//! `canaries:` of the PoP file: outside addresses that show whether this node's own network works.

use crate::config::probes::find;
use crate::config::scalar::{members, text, time_ms};
use crate::config::table::{MapReader, shown};
use crate::config::tree::{Key, Node};
use crate::finding::{Finding, Findings, code};
use crate::health::spec::{Canaries, Kind, Probe, ProbeId};
use crate::limits::CANARIES_MAX;
use std::net::IpAddr;

/// Default limit of a freeze of verdicts, in milliseconds: longer than most network outages,
/// shorter than a night.
const FREEZE_MAX_MS: u64 = 600_000;

/// Reads `canaries:`.
pub(crate) fn lower(key: &Key, node: &Node, probes: &[Probe], out: &mut Findings) -> Option<Canaries> {
    let mut table = MapReader::open(node, "`canaries`", out)?;
    let probe = table.need("probe", out).and_then(|node| networked(node, probes, out));
    let mut addresses: Vec<IpAddr> = Vec::new();
    let list = table.need("addresses", out);
    for member in list.map(members).unwrap_or_default().iter().take(CANARIES_MAX + 1) {
        let Some(written) = text(member, "addresses", out) else { continue };
        match written.parse() {
            Ok(address) if addresses.contains(&address) => {
                out.push(
                    Finding::error(
                        code::DUPLICATE_ADDRESS,
                        format!("the canary `{address}` is listed twice"),
                    )
                    .at(member.at, "again here"),
                );
            }
            Ok(address) => addresses.push(address),
            Err(_) => out.push(
                Finding::error(code::BAD_ADDRESS, format!("{} is not an IP address", shown(member)))
                    .at(member.at, "not an address"),
            ),
        }
    }
    if let Some(node) = list {
        if members(node).is_empty() {
            out.push(
                Finding::error(code::BAD_VALUE, "`canaries` have no address").at(node.at, "an empty list"),
            );
        }
        if addresses.len() > CANARIES_MAX {
            out.push(
                Finding::error(code::TOO_LARGE, format!("more than {CANARIES_MAX} canaries"))
                    .at(node.at, "too many"),
            );
        }
    }
    let freeze_max =
        table.take("freeze_max").and_then(|node| time_ms(node, "freeze_max", 1_000..=86_400_000, out));
    table.finish(out);
    Some(Canaries {
        probe: probe?,
        addresses,
        freeze_max_ms: freeze_max.unwrap_or(FREEZE_MAX_MS),
        at: key.at,
    })
}

/// The probe named by a node, which must use the network.
fn networked(node: &Node, probes: &[Probe], out: &mut Findings) -> Option<ProbeId> {
    let names: Vec<&str> = probes.iter().map(|probe| &*probe.name).collect();
    let id = find(text(node, "probe", out)?, node, &names, out)?;
    let is_networked = probes.get(id.index()).is_some_and(|probe| match &probe.kind {
        Kind::Check(spec) => spec.check.is_networked(),
        Kind::Group { .. } => false,
    });
    if !is_networked {
        out.push(
            Finding::error(code::BAD_VALUE, format!("the probe {} does not use the network", shown(node)))
                .at(node.at, "a group, a file or a push")
                .help("a canary needs a check over the network"),
        );
    }
    Some(id)
}
