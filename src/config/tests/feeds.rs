//! Load feeds: valid settings arrive, and faults are reported at their places.

use super::broken::{check, sound};
use super::{load_memory, shown};
use crate::finding::Severity::{Error, Warning};
use crate::health::load::spec::{Feed, LoadSpec};
use std::sync::Arc;

/// The PoP file with more keys for `fra`.
fn pops(fra: &str) -> String {
    format!(
        "pops:\n  fra: {{ at: {{ lat: 50, lon: 8 }}, addresses: [192.0.2.1, '2001:db8::1'], {fra} }}\n  \
         iad: {{ at: {{ lat: 39, lon: -77 }}, addresses: [192.0.2.2, '2001:db8::2'] }}\n"
    )
}

/// The feed from `load` of a PoP with a capacity; no finding is allowed.
fn feed(body: &str) -> Arc<LoadSpec> {
    let mut memory = sound();
    memory.0.insert("pops.yaml".into(), pops(&format!("capacity: 400, load: {{ {body} }}")).into());
    let loaded = load_memory(&memory);
    assert!(loaded.findings.is_empty(), "{body}\n{}", shown(&loaded));
    loaded.deployment.unwrap().pops[0].load.clone().unwrap()
}

/// The feed on one line.
fn line(spec: &LoadSpec) -> String {
    match &spec.feed {
        Feed::Http { url, pointer } => {
            format!(
                "http {} {} {} {} {}",
                url.address,
                url.host,
                url.path,
                url.tls,
                pointer.as_deref().unwrap_or("-")
            )
        }
        Feed::Prometheus { url, metric, labels } => {
            let labels: Vec<String> = labels.iter().map(|(name, value)| format!("{name}={value}")).collect();
            format!(
                "prometheus {} {} {} {} {metric} {}",
                url.address,
                url.host,
                url.path,
                url.tls,
                labels.join(",")
            )
        }
        Feed::File { path } => format!("file {path}"),
        Feed::Push => "push".to_owned(),
    }
}

#[test]
fn feeds_arrive() {
    for (body, wanted) in [
        ("http: 'http://192.0.2.15/load'", "http 192.0.2.15:80 192.0.2.15 /load false -"),
        ("http: 'HTTPS://192.0.2.15'", "http 192.0.2.15:443 192.0.2.15 / true -"),
        ("http: 'http://[2001:db8::f]:81?x=1'", "http [2001:db8::f]:81 [2001:db8::f]:81 /?x=1 false -"),
        ("http: 'http://[2001:db8::f]/a/b'", "http [2001:db8::f]:80 [2001:db8::f] /a/b false -"),
        (
            "http: { url: 'http://192.0.2.15:8080/l', pointer: /a~1b/0 }",
            "http 192.0.2.15:8080 192.0.2.15:8080 /l false /a~1b/0",
        ),
        ("http: { url: 'https://m.example:9/l', to: 192.0.2.7 }", "http 192.0.2.7:9 m.example:9 /l true -"),
        (
            "http: { url: 'https://m.example/l', to: '[2001:db8::7]:99' }",
            "http [2001:db8::7]:99 m.example /l true -",
        ),
        (
            "prometheus: { url: 'http://192.0.2.15:9100/metrics', metric: 'a:b_total', labels: { vhost: x, \
             code: 200, empty: '' } }",
            "prometheus 192.0.2.15:9100 192.0.2.15:9100 /metrics false a:b_total vhost=x,code=200,empty=",
        ),
        ("file: '/run/{pop}'", "file /run/{pop}"),
        ("push: {}", "push"),
    ] {
        assert_eq!(line(&feed(body)), wanted, "{body}");
    }
}

#[test]
fn the_rule_arrives() {
    let rule = |body: &str| {
        let spec = feed(&format!("push: {{}}{body}"));
        (spec.every_ms, spec.stale_after_ms, spec.target, spec.limit, spec.gain, spec.smoothing)
    };
    assert_eq!(rule(""), (15_000, 30_000, 0.8, 0.95, 0.08, 0.5));
    assert_eq!(rule(", every: 10s"), (10_000, 30_000, 0.8, 0.95, 0.08, 0.5));
    assert_eq!(rule(", every: 1m"), (60_000, 120_000, 0.8, 0.95, 0.08, 0.5));
    assert_eq!(
        rule(", every: 5s, stale_after: 20s, target: 70%, limit: 120%, gain: 0.05, smoothing: 1"),
        (5_000, 20_000, 0.7, 1.2, 0.05, 1.0)
    );
}

/// Services have loads and capacities beside those of the PoP; only PoPs have `ramp`.
#[test]
fn services_have_loads_of_their_own() {
    let mut memory = sound();
    let fra = "capacity: 400, ramp: 5m, load: { push: {} }, services: { a: { addresses: 192.0.2.8, capacity: \
        7, load: { file: '/{service}' } }, \
               b: { addresses: 192.0.2.9, load: { push: {} } }, c: { addresses: 192.0.2.10 } }";
    memory.0.insert("pops.yaml".into(), pops(fra).into());
    let loaded = load_memory(&memory);
    assert!(loaded.findings.is_empty(), "{}", shown(&loaded));
    let deployment = loaded.deployment.unwrap();
    let [fra, iad] = deployment.pops.as_slice() else { panic!() };
    assert_eq!((fra.ramp_ms, iad.ramp_ms, iad.load.is_none()), (300_000, 0, true));
    assert_eq!((fra.capacity, fra.load.as_deref().map(line)), (Some(400.0), Some("push".to_owned())));
    let services: Vec<_> =
        fra.services.iter().map(|s| (&*s.name, s.capacity, s.load.as_deref().map(line))).collect();
    let wanted = [
        ("default", None, None),
        ("a", Some(7.0), Some("file /{service}".into())),
        ("b", None, Some("push".into())),
        ("c", None, None),
    ];
    assert_eq!(services, wanted);
}

#[test]
fn faults_of_feeds() {
    for (body, code) in [
        ("http: ¦'http://metrics.example/load'", "MRD0107"),
        ("http: { url: ¦'http://metrics.example/load' }", "MRD0107"),
        ("http: ¦'http://192.0.2.300/load'", "MRD0107"),
        ("http: ¦'http://192.0.2.3:0/load'", "MRD0107"),
        ("http: ¦'http://192.0.2.3:http/load'", "MRD0107"),
        ("http: ¦'http://2001:db8::1/load'", "MRD0107"),
        ("http: ¦'http://[192.0.2.3]/load'", "MRD0107"),
        ("http: { url: 'http://a.example/', to: ¦b.example }", "MRD0107"),
        ("http: ¦/load", "MRD0104"),
        ("http: ¦'ftp://192.0.2.3/load'", "MRD0104"),
        ("http: ¦'http://u:p@192.0.2.3/load'", "MRD0104"),
        ("http: ¦'http://192.0.2.3/lo ad'", "MRD0104"),
        ("http: ¦'http://192.0.2.3/load#x'", "MRD0104"),
        ("http: ¦'http:///load'", "MRD0104"),
        ("http: ¦{ pointer: /a }", "MRD0105"),
        ("http: { url: 'http://192.0.2.3/', pointer: ¦a/b }", "MRD0104"),
        ("http: { url: 'http://192.0.2.3/', pointer: ¦/a~2 }", "MRD0104"),
        ("http: { url: 'http://192.0.2.3/', ¦metric: a }", "MRD0102"),
        ("prometheus: ¦'http://192.0.2.3/'", "MRD0104"),
        ("prometheus: ¦{ url: 'http://192.0.2.3/' }", "MRD0105"),
        ("prometheus: { url: 'http://192.0.2.3/', metric: ¦'a{b=\"c\"}' }", "MRD0104"),
        ("prometheus: { url: 'http://192.0.2.3/', metric: ¦5xx }", "MRD0104"),
        ("prometheus: { url: 'http://192.0.2.3/', metric: a, labels: { ¦b-c: d } }", "MRD0104"),
        ("prometheus: { url: 'http://192.0.2.3/', metric: a, labels: { b: ¦[] } }", "MRD0104"),
        ("prometheus: { url: 'http://192.0.2.3/', metric: a, labels: ¦b }", "MRD0104"),
        ("file: ¦''", "MRD0104"),
        ("file: ¦'/run/{service}'", "MRD0104"),
        ("push: ¦x", "MRD0104"),
        ("push: { ¦ttl: 5s }", "MRD0102"),
        ("push: {}, ¦file: a", "MRD0104"),
        ("push: {}, ¦stale: 5s", "MRD0102"),
        ("push: {}, every: ¦500ms", "MRD0104"),
        ("push: {}, every: 30s, stale_after: ¦30s", "MRD0104"),
        ("push: {}, target: ¦80", "MRD0104"),
        ("push: {}, target: ¦0%", "MRD0104"),
        ("push: {}, target: ¦95%", "MRD0104"),
        ("push: {}, limit: ¦80%", "MRD0104"),
        ("push: {}, target: ¦90%, limit: 85%", "MRD0104"),
        ("push: {}, gain: ¦0", "MRD0104"),
        ("push: {}, smoothing: ¦2", "MRD0104"),
    ] {
        check("pops.yaml", &pops(&format!("capacity: 400, load: {{ {body} }}")), code, Error);
    }
    for (fra, code, severity) in [
        ("capacity: 400, load: ¦{ every: 5s }", "MRD0104", Error),
        ("capacity: 400, load: ¦push", "MRD0104", Error),
        ("capacity: ¦0", "MRD0104", Error),
        ("ramp: ¦2d", "MRD0104", Error),
        ("ramp: ¦slow", "MRD0104", Error),
        ("services: { a: { addresses: 192.0.2.8, capacity: ¦-1 } }", "MRD0104", Error),
        ("¦load: { push: {} }", "MRD0104", Warning),
        ("services: { a: { addresses: 192.0.2.8, ¦load: { push: {} } } }", "MRD0104", Warning),
        ("services: { a: { addresses: 192.0.2.8, capacity: ¦5 } }", "MRD0104", Warning),
    ] {
        check("pops.yaml", &pops(fra), code, severity);
    }
}

/// The finding about a feed by name suggests `to`.
#[test]
fn a_name_is_told_to_have_its_address_beside_it() {
    let mut memory = sound();
    memory.0.insert("pops.yaml".into(), pops("capacity: 1, load: { http: 'http://m.example/x' }").into());
    let text = shown(&load_memory(&memory));
    assert!(
        text.contains("write its address beside it, as `{ url: http://m.example/x, to: 192.0.2.15 }`"),
        "{text}"
    );
}
