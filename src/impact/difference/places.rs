//! Node, operator networks and databases, as fields.

use super::fields::{Fields, list, maybe};
use super::pops::at;
use crate::access::{Access, Action};
use crate::geo::networks::Network;
use crate::geo::prefix::Prefix;
use crate::overload::Overload;
use crate::rfc3339;
use crate::rrl::{Class, RateLimit};
use crate::snapshot::Snapshot;
use std::sync::Arc;

/// Operator networks, by name.
pub(super) fn networks(snapshot: &Snapshot) -> impl Iterator<Item = (String, Fields)> + '_ {
    snapshot.origins.networks.iter().map(|network| {
        let Network { name, prefixes, country, subdivision, coordinates, asn, site, at: _ } = network;
        let fields = [
            ("prefixes", list(prefixes, |(prefix, _)| prefix.to_string())),
            ("country", maybe(country.as_ref(), ToString::to_string)),
            ("subdivision", maybe(subdivision.as_ref(), ToString::to_string)),
            ("at", maybe(coordinates.as_ref(), at)),
            ("asn", maybe(asn.as_ref(), ToString::to_string)),
            ("site", maybe(site.as_ref(), ToString::to_string)),
        ];
        (name.to_string(), fields.map(|(key, value)| (key.to_owned(), value)).into())
    })
}

/// Keys of the server file that a reload applies.
pub(super) fn node(snapshot: &Snapshot) -> Fields {
    let (origins, identity) = (&snapshot.origins, &snapshot.identity);
    let text = |text: &Option<Arc<str>>| text.as_ref().map_or_else(|| "off".to_owned(), ToString::to_string);
    [
        ("name", identity.name.to_string()),
        ("id_server", text(&identity.id_server)),
        ("version_server", text(&identity.version_server)),
        ("site", maybe(identity.site.as_ref(), ToString::to_string)),
        ("databases", list(&origins.databases, |file| file.path.to_string())),
        ("accept_shrunk", if origins.accept_shrunk { "on" } else { "off" }.to_owned()),
        ("on_error", if origins.keeps_zones { "keep" } else { "refuse" }.to_owned()),
    ]
    .map(|(key, value)| (key.to_owned(), value))
    .into()
}

/// Line for another certificate of the encrypted transports.
pub(super) fn certificate(old: &Snapshot, new: &Snapshot) -> Option<String> {
    match (&old.certificate, &new.certificate) {
        (None, None) => None,
        (Some(was), Some(is)) if was.is_like(is) => None,
        (_, None) => Some("tls: no certificate".to_owned()),
        (_, Some(is)) => {
            let until = rfc3339::date_time(u64::try_from(is.not_after).unwrap_or(0));
            Some(format!("tls: another certificate, valid until {until}"))
        }
    }
}

/// Lines for another access to the admin address.
pub(super) fn admin(old: &Snapshot, new: &Snapshot) -> Vec<String> {
    match (&old.admin, &new.admin) {
        (None, None) => Vec::new(),
        (Some(was), Some(is)) => was.differing(is).into_iter().map(|part| format!("admin: {part}")).collect(),
        (_, None) => vec!["admin: plain HTTP, read-only".to_owned()],
        (None, Some(_)) => vec!["admin: over TLS".to_owned()],
    }
}

/// Limits of answers; no fields where they are off.
pub(super) fn rate_limit(snapshot: &Snapshot) -> Fields {
    let Some(limits) = &snapshot.rate_limit else { return Fields::default() };
    let RateLimit {
        is_log_only,
        from_qps,
        per_second,
        answers_per_name,
        prefix_per_second,
        zone_nxdomain_per_second,
        slip,
        exempt,
    } = &**limits;
    let classes = Class::ALL.map(|class| (class.word(), per_second[class as usize].to_string()));
    let others = [
        ("mode", if *is_log_only { "log_only" } else { "enforce" }.to_owned()),
        ("from_qps", from_qps.to_string()),
        ("answers_per_name", answers_per_name.to_string()),
        ("prefix_per_second", maybe(prefix_per_second.as_ref(), ToString::to_string)),
        ("zone_nxdomain_per_second", maybe(zone_nxdomain_per_second.as_ref(), ToString::to_string)),
        ("slip", slip.to_string()),
        ("exempt", list(exempt, ToString::to_string)),
    ];
    classes.into_iter().chain(others).map(|(key, value)| (key.to_owned(), value)).collect()
}

/// Treatment of an overload; no fields where it is off.
pub(super) fn overload(snapshot: &Snapshot) -> Fields {
    let Some(Overload { known_after_secs }) = snapshot.overload else { return Fields::default() };
    [("known_first", "on".to_owned()), ("known_after", format!("{known_after_secs}s"))]
        .map(|(key, value)| (key.to_owned(), value))
        .into()
}

/// Access lists; no fields where there are none.
pub(super) fn access(snapshot: &Snapshot) -> Fields {
    let entries = snapshot.access.as_deref().map(Access::entries).unwrap_or_default();
    let of = |action: Action| {
        let prefixes: Vec<Prefix> =
            entries.iter().filter(|(_, of)| *of == action).map(|(prefix, _)| *prefix).collect();
        (action.word().to_owned(), list(&prefixes, ToString::to_string))
    };
    Action::ALL.map(of).into()
}

/// Balancers; no fields where there are none.
pub(super) fn proxies(snapshot: &Snapshot) -> Fields {
    let Some(proxies) = &snapshot.proxies else { return Vec::new() };
    vec![("from".to_owned(), list(proxies.prefixes(), ToString::to_string))]
}

/// Adds a line for each database with other content: its facts now and before.
pub(super) fn databases(old: &Snapshot, new: &Snapshot, lines: &mut Vec<String>) {
    for (index, file) in new.origins.databases.iter().enumerate() {
        let before = old.origins.databases.iter().position(|other| other.path == file.path);
        let fact = |snapshot: &Snapshot, index: usize| snapshot.databases().get(index).cloned();
        match before {
            None => lines.extend(fact(new, index).map(|fact| format!("database {fact}: new"))),
            Some(before) if before != index => {
                lines.push(format!("database {}: place {} -> {}", file.path, before + 1, index + 1));
            }
            Some(before) if old.origins.databases[before].is_like(file) => {}
            Some(before) => match (fact(old, before), fact(new, index)) {
                (Some(was), Some(is)) if was != is => lines.push(format!("database {is}, before: {was}")),
                _ => lines.push(format!("database {}: other content of the same size", file.path)),
            },
        }
    }
    for file in &old.origins.databases {
        if !new.origins.databases.iter().any(|other| other.path == file.path) {
            lines.push(format!("database {}: gone", file.path));
        }
    }
}
