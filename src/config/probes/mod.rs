//! `probes:` of the PoP file (checks with their timing, and groups of them), and `probe:` where
//! they are used.

pub(crate) mod canaries;
mod certificates;
pub(crate) mod check;
pub(crate) mod group;
mod placeholders;

pub(crate) use self::certificates::Certificates;
use self::group::GroupKind;
use super::scalar::{integer, is_off, members, text, time_ms, word};
use super::table::{MapReader, shown};
use super::tree::{Key, Node};
use super::world::missing;
use crate::finding::{At, Finding, Findings, code};
use crate::health::spec::{Check, CheckKind, FlapLimits, Kind, Probe, ProbeId, Spec};
use crate::limits::PROBES_MAX;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

/// Default interval between checks, in milliseconds: three failures, after which a target is down
/// by default, then take about 15 seconds.
const EVERY_MS: u32 = 5_000;
/// Default timeout of a check, in milliseconds, unless `every` is too short for it.
const TIMEOUT_MS: u32 = 2_000;
/// Value of `probe` for no probe.
pub(crate) const NONE: &str = "none";

/// Replacement for a probe with faults, so that its users cause no findings; the deployment is
/// refused anyway.
fn stand_in() -> Kind {
    Kind::Check(Arc::new(spec(Check::Icmp)))
}

fn spec(check: Check) -> Spec {
    Spec {
        check,
        to: None,
        every_ms: EVERY_MS,
        timeout_ms: TIMEOUT_MS,
        up_after: 3,
        down_after: 3,
        ok_after: 10,
        flap: FlapLimits::default(),
    }
}

/// Reads `probes:`, sorted by name.
pub(crate) fn lower(
    node: Option<&Node>,
    certificates: &mut Certificates<'_>,
    out: &mut Findings,
) -> Vec<Probe> {
    let Some(mut table) = node.and_then(|node| MapReader::open(node, "`probes`", out)) else {
        return Vec::new();
    };
    let mut entries = table.rest();
    if entries.len() > PROBES_MAX {
        out.push(
            Finding::error(code::TOO_LARGE, format!("{} probes are more than {PROBES_MAX}", entries.len()))
                .at(table.at, ""),
        );
        entries.truncate(PROBES_MAX);
    }
    entries.sort_by(|a, b| a.0.text.cmp(&b.0.text));
    let names: Vec<&str> = entries.iter().map(|(key, _)| &*key.text).collect();
    let mut probes = Vec::with_capacity(entries.len());
    let mut groups = Vec::new();
    for (key, node) in &entries {
        name(key, out);
        let (kind, group) = one(key, node, &names, certificates, out);
        groups.push(group);
        probes.push(Probe { name: Arc::from(&*key.text), kind: kind.unwrap_or_else(stand_in), at: key.at });
    }
    group::check(&mut probes, &groups, out);
    probes
}

fn name(key: &Key, out: &mut Findings) {
    word(&key.text, key.at, "a probe", out);
    if &*key.text == NONE {
        out.push(
            Finding::error(code::BAD_VALUE, "a probe cannot be named `none`")
                .at(key.at, "`probe: none` means no probe")
                .help("rename it"),
        );
    }
}

/// Reads a probe; the second value has the places of a group's parts.
fn one<'n>(
    key: &Key,
    node: &'n Node,
    names: &[&str],
    certificates: &mut Certificates<'_>,
    out: &mut Findings,
) -> (Option<Kind>, group::WrittenGroup<'n>) {
    let mut group = group::WrittenGroup::default();
    let Some(mut table) = MapReader::open(node, format!("the probe `{}`", key.text), out) else {
        return (None, group);
    };
    let found = match written_kind(&mut table, &key.text, node.at, out) {
        Some(written) => match written.kind {
            ProbeKey::Check(kind) => of_check(kind, written.value, &mut table, certificates, out),
            ProbeKey::Group(kind) => {
                refuse_timing(&mut table, written.key, out);
                group::lower(kind, written.value, names, &mut group, out)
            }
        },
        None => {
            timing(&mut table, spec(Check::Icmp), out);
            table.take("to");
            None
        }
    };
    table.finish(out);
    (found, group)
}

/// Kind of a probe as written: its key and settings.
struct WrittenKind<'n> {
    kind: ProbeKey,
    key: &'n Key,
    value: &'n Node,
}

/// Takes the one kind of a probe, a check or a group; a finding if there is not exactly one.
fn written_kind<'n>(
    table: &mut MapReader<'n>,
    name: &str,
    at: At,
    out: &mut Findings,
) -> Option<WrittenKind<'n>> {
    let every = || CheckKind::ALL.into_iter().map(ProbeKey::Check).chain(GroupKind::ALL.map(ProbeKey::Group));
    let mut take =
        |kind: ProbeKey| table.take_entry(kind.word()).map(|(key, value)| WrittenKind { kind, key, value });
    let mut kinds: Vec<WrittenKind<'n>> = every().filter_map(&mut take).collect();
    if kinds.len() == 1 {
        return kinds.pop();
    }
    let all: Vec<&str> = every().map(ProbeKey::word).collect();
    out.push(
        Finding::error(code::BAD_VALUE, format!("the probe `{name}` must have exactly one kind"))
            .at(kinds.get(1).map_or(at, |second| second.key.at), format!("has {}", kinds.len()))
            .help(format!("the kinds are {}; one without settings is written `icmp: {{}}`", all.join(", "))),
    );
    None
}

/// Reads a check with its timing and its address.
fn of_check(
    kind: CheckKind,
    value: &Node,
    table: &mut MapReader<'_>,
    certificates: &mut Certificates<'_>,
    out: &mut Findings,
) -> Option<Kind> {
    let check = check::lower(kind, value, certificates, out);
    let mut spec = timing(table, spec(check.clone().unwrap_or(Check::Icmp)), out);
    if let Some((key, node)) = table.take_entry("to") {
        if !kind.facts().connects {
            out.push(
                Finding::error(code::BAD_VALUE, format!("`to` has no meaning for `{}`", kind.word()))
                    .at(key.at, "makes no connection")
                    .help("a program finds the address in `MERIDIAN_ADDRESS`; a path may have `{address}`"),
            );
        }
        spec.to = to(node, out);
    }
    check.map(|_| Kind::Check(Arc::new(spec)))
}

/// Refuses keys of a check that are set on a group. `group` is the key that makes the probe a
/// group.
fn refuse_timing(table: &mut MapReader<'_>, group: &Key, out: &mut Findings) {
    for timing in
        ["to", "every", "timeout", "up_after", "down_after", "ok_after", "flap_turns", "flap_window"]
    {
        if let Some((extra, _)) = table.take_entry(timing) {
            out.push(
                Finding::error(code::BAD_VALUE, format!("a group cannot have `{timing}`"))
                    .at(extra.at, "set on a group")
                    .related(group.at, "makes it a group")
                    .help("set it on the probes in the group, which run independently"),
            );
        }
    }
}

/// Key that makes a probe a check or a group.
#[derive(Clone, Copy)]
enum ProbeKey {
    Check(CheckKind),
    Group(GroupKind),
}

impl ProbeKey {
    fn word(self) -> &'static str {
        match self {
            ProbeKey::Check(of_check) => of_check.word(),
            ProbeKey::Group(of_group) => of_group.word(),
        }
    }
}

fn timing(table: &mut MapReader<'_>, mut spec: Spec, out: &mut Findings) -> Spec {
    let every = table.take("every").and_then(|node| time_ms(node, "every", 100..=86_400_000, out));
    if let Some(ms) = every {
        spec.every_ms = ms as u32;
        if spec.every_ms <= TIMEOUT_MS {
            spec.timeout_ms = spec.every_ms / 2;
        }
    }
    if let Some(node) = table.take("timeout")
        && let Some(ms) = time_ms(node, "timeout", 10..=86_400_000, out)
    {
        spec.timeout_ms = ms as u32;
        if spec.timeout_ms >= spec.every_ms {
            out.push(
                Finding::error(code::BAD_VALUE, "`timeout` must be shorter than `every`")
                    .at(node.at, format!("`every` is {} ms", spec.every_ms))
                    .help("a check must end before the next one of the same target begins"),
            );
        }
    }
    let mut count = |key: &'static str| {
        table.take(key).and_then(|node| integer(node, key, 1..=1_000, out)).map(|n| n as u16)
    };
    spec.up_after = count("up_after").unwrap_or(spec.up_after);
    spec.down_after = count("down_after").unwrap_or(spec.down_after);
    spec.ok_after = count("ok_after").unwrap_or(spec.ok_after);
    if let Some(node) = table.take("flap_turns") {
        spec.flap.turns = match is_off(node) {
            true => 0,
            false => integer(node, "flap_turns", 1..=100, out).map_or(spec.flap.turns, |turns| turns as u16),
        };
    }
    let window = table.take("flap_window");
    let window = window.and_then(|node| time_ms(node, "flap_window", 1_000..=86_400_000, out));
    spec.flap.window_ms = window.map_or(spec.flap.window_ms, |ms| ms as u32);
    spec
}

/// Reads `to:`, an address with or without a port.
pub(crate) fn to(node: &Node, out: &mut Findings) -> Option<SocketAddr> {
    let written = text(node, "to", out)?;
    let bare = written.strip_prefix('[').and_then(|t| t.strip_suffix(']')).unwrap_or(written);
    let parsed = written
        .parse()
        .ok()
        .or_else(|| bare.parse::<IpAddr>().ok().map(|address| SocketAddr::new(address, 0)));
    if parsed.is_none() {
        out.push(
            Finding::error(code::BAD_ADDRESS, format!("{} is not an address", shown(node)))
                .at(node.at, "not `address` or `address:port`")
                .help("names are not looked up, because a probe must not depend on the DNS that it protects"),
        );
    }
    parsed
}

/// Probe with a name; a finding if there is none.
pub(crate) fn find(name: &str, node: &Node, names: &[&str], out: &mut Findings) -> Option<ProbeId> {
    match names.binary_search(&name) {
        Ok(index) => Some(ProbeId::at(index)),
        Err(_) => {
            out.push(
                missing(code::NO_SUCH_PROBE, "probe", name, node.at, names.iter().copied())
                    .help("probes are defined in the PoP file, under `probes`"),
            );
            None
        }
    }
}

/// Reads `probe:` of a PoP or service: a name, a list of names that must all succeed, or `none`.
pub(crate) fn used(node: &Node, probes: &[Probe], out: &mut Findings) -> Vec<ProbeId> {
    let names: Vec<&str> = probes.iter().map(|probe| &*probe.name).collect();
    let list = members(node);
    let mut found: Vec<ProbeId> = Vec::new();
    if list.is_empty() {
        out.push(
            Finding::error(code::BAD_VALUE, "`probe` names nothing")
                .at(node.at, "an empty list")
                .help("write `probe: none`"),
        );
    }
    for member in list {
        let Some(name) = text(member, "probe", out) else { continue };
        if name == NONE {
            if list.len() > 1 {
                out.push(
                    Finding::error(code::BAD_VALUE, "`none` excludes other probes")
                        .at(member.at, "beside other probes"),
                );
            }
            continue;
        }
        let Some(id) = find(name, member, &names, out) else { continue };
        if found.contains(&id) {
            out.push(
                Finding::error(code::BAD_VALUE, format!("the probe `{name}` is listed twice here"))
                    .at(member.at, "again here"),
            );
            continue;
        }
        found.push(id);
    }
    let checks: usize = found.iter().map(|id| group::checks(probes, *id, 0)).sum();
    group::bound(checks, node.at, out);
    found
}
