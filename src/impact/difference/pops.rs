//! PoPs, their services and load feeds, as fields.

use super::fields::{Fields, NONE, list, maybe, millis};
use crate::geo::place::Coordinates;
use crate::health::load::spec::{Feed, FeedUrl, LoadSpec};
use crate::snapshot::Snapshot;
use crate::steer::pop::{HttpsParams, Pop, Service, WeightedAddress};
use std::fmt::Display;

/// PoPs, by name.
pub(super) fn all(snapshot: &Snapshot) -> impl Iterator<Item = (String, Fields)> + '_ {
    snapshot.pops.iter().map(|pop| (pop.name.to_string(), of_pop(snapshot, pop)))
}

/// Adds the values in force to lines about states and weights that overrides replace, because such
/// a change of files may change no answer.
pub(super) fn in_force(new: &Snapshot, lines: &mut [String]) {
    for (pop, status) in new.pops.iter().zip(new.status.pops()) {
        let mut add = |key: &str, is: String| {
            let head = format!("pop {}: {key} ", pop.name);
            for line in lines.iter_mut().filter(|line| line.starts_with(&head)) {
                line.push_str(&format!(" (in force: {is}, by override)"));
            }
        };
        if status.state != pop.state {
            add("state", status.state.word().to_owned());
        }
        if status.weight != pop.weight {
            add("weight", status.weight.to_string());
        }
    }
}

fn of_pop(snapshot: &Snapshot, pop: &Pop) -> Fields {
    let Pop {
        name: _,
        coordinates,
        country,
        weight,
        bias_km,
        bias_ms,
        state,
        capacity,
        load,
        ramp_ms,
        tags,
        services,
        at: _,
    } = pop;
    let mut fields = vec![
        ("state".to_owned(), state.word().to_owned()),
        ("weight".to_owned(), weight.to_string()),
        ("at".to_owned(), maybe(coordinates.as_ref(), at)),
        ("country".to_owned(), maybe(country.as_ref(), ToString::to_string)),
        ("bias".to_owned(), format!("{bias_km} km")),
        ("bias_ms".to_owned(), format!("{bias_ms} ms")),
        ("capacity".to_owned(), maybe(capacity.as_ref(), ToString::to_string)),
        ("ramp".to_owned(), millis(*ramp_ms)),
        ("tags".to_owned(), list(tags, ToString::to_string)),
        ("services".to_owned(), list(services, |service| service.name.to_string())),
    ];
    of_load("load", load.as_deref(), &mut fields);
    services.iter().for_each(|service| of_service(snapshot, service, &mut fields));
    fields
}

/// Coordinates in words.
pub(super) fn at(coordinates: &Coordinates) -> String {
    format!("{:.4} {:.4}", coordinates.lat(), coordinates.lon())
}

fn of_service(snapshot: &Snapshot, service: &Service, fields: &mut Fields) {
    let Service { name, v4, v6, https, probes, capacity, load, at: _ } = service;
    let key = |key: &str| match &**name {
        "default" => key.to_owned(),
        name => format!("service {name}, {key}"),
    };
    fn addresses<A: Display>(addresses: &[WeightedAddress<A>]) -> String {
        list(addresses, |is| match is.weight {
            crate::steer::pop::WEIGHT_DEFAULT => is.address.to_string(),
            weight => format!("{} (weight {weight})", is.address),
        })
    }
    fields.push((key("IPv4 addresses"), addresses(v4)));
    fields.push((key("IPv6 addresses"), addresses(v6)));
    fields.push((key("https"), maybe(https.as_ref(), of_https)));
    let probe = |id: &crate::health::spec::ProbeId| {
        let probe = snapshot.origins.probes.get(id.index());
        probe.map_or_else(|| id.0.to_string(), |probe| probe.name.to_string())
    };
    fields.push((key("probe"), list(probes, probe)));
    // The default service has the PoP's own capacity and load.
    if **name != *"default" {
        fields.push((key("capacity"), maybe(capacity.as_ref(), ToString::to_string)));
        of_load(&key("load"), load.as_deref(), fields);
    }
}

fn of_https(params: &HttpsParams) -> String {
    let HttpsParams { before_hints, ech } = params;
    format!("{} {}", before_hints.escape_ascii(), ech.escape_ascii())
}

fn of_load(key: &str, load: Option<&LoadSpec>, fields: &mut Fields) {
    let Some(load) = load else { return fields.push((key.to_owned(), NONE.to_owned())) };
    let LoadSpec { feed, every_ms, stale_after_ms, target, limit, gain, smoothing, at: _ } = load;
    let percent = |share: &f64| format!("{:.0}%", share * 100.0);
    fields.push((key.to_owned(), of_feed(feed)));
    for (part, value) in [
        ("every", millis(*every_ms)),
        ("stale_after", millis(*stale_after_ms)),
        ("target", percent(target)),
        ("limit", percent(limit)),
        ("gain", gain.to_string()),
        ("smoothing", smoothing.to_string()),
    ] {
        fields.push((format!("{key} {part}"), value));
    }
}

fn of_feed(feed: &Feed) -> String {
    let url = |url: &FeedUrl| {
        let FeedUrl { address, host, path, tls } = url;
        format!("{}://{host}{path} at {address}", if *tls { "https" } else { "http" })
    };
    match feed {
        Feed::Http { url: from, pointer } => {
            format!("{} {}", url(from), maybe(pointer.as_ref(), ToString::to_string))
        }
        Feed::Prometheus { url: from, metric, labels } => {
            let labels = list(labels, |(name, value)| format!("{name}={value}"));
            format!("{} {metric} {labels}", url(from))
        }
        Feed::File { path } => format!("file {path}"),
        Feed::Push => "push".to_owned(),
    }
}
