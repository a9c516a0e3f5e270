//! Probes and related settings: valid ones arrive, and faults are reported at their places.

use super::broken::{check, sound};
use super::{load_memory, shown};
use crate::finding::Severity::{Error, Warning};
use crate::health::spec::{Check, HttpMethod, Kind, Need, PanicGuard, Spec, Verify};
use crate::steer::safety;
use std::sync::Arc;

pub(super) const PEM: &str = include_str!("../../../tests/program/probes/certificates/v1.pem");

pub(super) const P521: &str = include_str!("../../../tests/program/probes/certificates/p521.pem");

/// The PoP file after `head`; `fra` and its `video` are probed as given.
fn pops(head: &str, fra: &str) -> String {
    format!(
        "{head}pops:\n  fra: {{ at: {{ lat: 50, lon: 8 }}, addresses: [192.0.2.1, '2001:db8::1'], tags: \
         [eu]{fra} }}\n  \
         iad: {{ at: {{ lat: 39, lon: -77 }}, addresses: [192.0.2.2, '2001:db8::2'], tags: [na] }}\n"
    )
}

fn probe(body: &str) -> String {
    pops(&format!("probes:\n  web: {{ {body} }}\n  x: {{ icmp: {{}} }}\n  y: {{ icmp: {{}} }}\n"), "")
}

#[test]
fn everything_arrives() {
    let mut memory = sound();
    let head = "probes:\n  web:\n    https:\n      { path: /h?x=1, port: 8443, method: HEAD, host: \
        h.example, headers: { X-A: b }, expect: [200, 300-399], \
                expect_headers: { Server: n }, sni: s.example, ca: ca.pem, warn_days: 3 }\n    to: \
                192.0.2.9\n    every: 3s\n    timeout: 1s\n    \
                up_after: 2\n    down_after: 4\n    ok_after: 5\n    flap_turns: 4\n    \
                flap_window: 90s\n  \
                bare: { http: /x }\n  off: { https: { \
                verify: off }, every: 1s, flap_turns: off }\n  \
                t: { tcp: { port: 7, send: \"a\\r\\n\", expect: b }, to: '[2001:db8::9]:99' }\n  d: { dns: { \
                name: n.example, type: AAAA, rcode: \
                REFUSED, answer: '2001:db8::7', port: 54, tcp: on } }\n  e: { exec: [/bin/a, -b] }\n  f: { \
                file: '/run/{pop}' }\n  p: { push: { ttl: \
                60s } }\n  i: { icmp: {} }\n  all: { all_of: [web, i] }\n  most: { n_of: { n: 2, of: [all, \
                t, d] } }\n  any: { any_of: e }\ncanaries: { probe: i, \
                addresses: [192.0.2.250, '2001:db8::250'], freeze_max: 5m }\nstartup_wait: 1s\nsafety:\n  - \
                { never_fewer_than: 1, of: { tag: eu } }\n  \
                - { never_more_off_than: 30%, of: [iad, fra] }\nsafety_off_until: 2030-01-31\n";
    let fra = ", capacity: 40, probe: [web, t], services: { video: { addresses: 192.0.2.8, probe: none }, \
        tier: { addresses: 192.0.2.7 } }";
    memory.0.insert("pops.yaml".into(), pops(head, fra).into());
    memory.0.insert("ca.pem".into(), PEM.into());
    memory.0.insert(
        "policies.yaml".into(),
        "policies:\n  web: { pops: all, panic: { share: 40%, hold: 5s } }\n".into(),
    );
    let loaded = load_memory(&memory);
    let text = shown(&loaded);
    let deployment = loaded.deployment.unwrap_or_else(|| panic!("{text}"));
    assert!(loaded.findings.is_empty(), "{text}");
    let names: Vec<&str> = deployment.probes.iter().map(|p| &*p.name).collect();
    assert_eq!(names, ["all", "any", "bare", "d", "e", "f", "i", "most", "off", "p", "t", "web"]);
    let named = |name: &str| deployment.probes.iter().find(|p| &*p.name == name).unwrap();
    let spec = |name: &str| -> Arc<Spec> {
        let Kind::Check(spec) = &named(name).kind else { panic!("{name}") };
        Arc::clone(spec)
    };
    let web = spec("web");
    assert_eq!(
        (web.every_ms, web.timeout_ms, web.up_after, web.down_after, web.ok_after),
        (3_000, 1_000, 2, 4, 5)
    );
    assert_eq!((web.flap.turns, web.flap.window_ms), (4, 90_000));
    assert_eq!(web.to.unwrap().to_string(), "192.0.2.9:0");
    let Check::Http(http) = &web.check else { panic!() };
    assert_eq!(
        (http.port, http.method, &*http.path, http.host.as_deref()),
        (8443, HttpMethod::Head, "/h?x=1", Some("h.example"))
    );
    assert_eq!(http.expect, [200..=200, 300..=399]);
    assert_eq!(http.headers, [("X-A".into(), "b".into())]);
    assert_eq!(http.expect_headers, [("Server".into(), "n".into())]);
    let tls = http.tls.as_ref().unwrap();
    assert_eq!((tls.sni.as_deref(), tls.warn_days), (Some("s.example"), 3));
    assert_eq!(tls.verify, Verify::Pinned(PEM.as_bytes().into()));
    let bare = spec("bare");
    let Check::Http(http) = &bare.check else { panic!() };
    assert_eq!(
        (http.tls.is_none(), http.port, &*http.path, http.expect.as_slice()),
        (true, 80, "/x", &[200..=200][..])
    );
    assert_eq!(
        (bare.every_ms, bare.timeout_ms, bare.up_after, bare.down_after, bare.ok_after),
        (5_000, 2_000, 3, 3, 10)
    );
    assert_eq!((spec("off").every_ms, spec("off").timeout_ms), (1_000, 500));
    assert_eq!((bare.flap.turns, bare.flap.window_ms, spec("off").flap.turns), (6, 600_000, 0));
    let Check::Tcp(tcp) = &spec("t").check.clone() else { panic!() };
    assert_eq!(
        (tcp.port, tcp.send.as_deref(), tcp.expect.as_deref()),
        (7, Some(&b"a\r\n"[..]), Some(&b"b"[..]))
    );
    assert_eq!(spec("t").to.unwrap().to_string(), "[2001:db8::9]:99");
    let Check::Dns(dns) = &spec("d").check.clone() else { panic!() };
    assert_eq!((dns.qname.to_string().as_str(), dns.rcode, dns.port, dns.tcp), ("n.example.", 5, 54, true));
    assert_eq!(dns.answer.unwrap().to_string(), "2001:db8::7");
    let Check::Exec(exec) = &spec("e").check.clone() else { panic!() };
    assert_eq!(exec.command, ["/bin/a".into(), "-b".into()]);
    assert!(matches!(&spec("f").check, Check::File(file) if &*file.path == "/run/{pop}"));
    assert!(matches!(&spec("p").check, Check::Push(push) if push.ttl_ms == 60_000));
    let group = |name: &str| {
        let Kind::Group { need, of } = &named(name).kind else { panic!("{name}") };
        (*need, of.iter().map(|id| names[id.index()]).collect::<Vec<_>>().join(" "))
    };
    assert_eq!(group("all"), (Need::All, "web i".into()));
    assert_eq!(group("any"), (Need::Any, "e".into()));
    assert_eq!(group("most"), (Need::AtLeast(2), "all t d".into()));
    let fra = &deployment.pops[0];
    assert_eq!(fra.capacity, Some(40.0));
    let used = |service: &str| {
        fra.service(service).unwrap().probes.iter().map(|id| names[id.index()]).collect::<Vec<_>>()
    };
    assert_eq!([used("default"), used("video"), used("tier")], [vec!["web", "t"], vec![], vec!["web", "t"]]);
    assert!(deployment.pops[1].services[0].probes.is_empty());
    let canaries = deployment.canaries.unwrap();
    assert_eq!(
        (names[usize::from(canaries.probe.0)], canaries.addresses.len(), canaries.freeze_max_ms),
        ("i", 2, 300_000)
    );
    assert_eq!((deployment.startup_wait_ms, deployment.safety_off_until_epoch), (1_000, Some(1_896_048_000)));
    let rules: Vec<_> =
        deployment.safety.iter().map(|rule| (rule.need, rule.of.len(), rule.words.as_str())).collect();
    let share = safety::Requirement::NeverMoreOffThan { percent: 30 };
    assert_eq!(
        rules,
        [(safety::Requirement::NeverFewerThan(1), 1, "the PoPs tagged `eu`"), (share, 2, "`iad` and `fra`")]
    );
    let guard = deployment.policies[0].policy.guard;
    assert_eq!(guard, PanicGuard { share_percent: 40, window_ms: 30_000, hold_ms: 5_000 });
    assert!(
        deployment
            .inputs
            .iter()
            .any(|input| input.role.to_string() == "certificates ca.pem" && *input.octets == *PEM.as_bytes())
    );
}

#[test]
fn probes() {
    for (body, code) in [
        ("https: {}, ¦http: {}", "MRD0104"),
        ("https: { path: ¦healthz }", "MRD0104"),
        ("https: ¦healthz", "MRD0104"),
        ("https: { port: ¦0 }", "MRD0104"),
        ("https: { method: ¦POST }", "MRD0104"),
        ("https: { host: ¦'a b' }", "MRD0104"),
        ("https: { headers: { ¦'a b': c } }", "MRD0104"),
        ("https: { headers: { ¦Host: c } }", "MRD0104"),
        ("https: { headers: { A: ¦[] } }", "MRD0104"),
        ("https: { expect: ¦20 }", "MRD0104"),
        ("https: { expect: ¦[] }", "MRD0104"),
        ("https: { expect: [¦399-300] }", "MRD0104"),
        ("https: { expect_headers: ¦x }", "MRD0104"),
        ("https: { body: ¦'' }", "MRD0104"),
        ("https: { method: HEAD, ¦body: ok }", "MRD0104"),
        ("https: { sni: ¦192.0.2.1:5 }", "MRD0104"),
        ("https: { verify: ¦perhaps }", "MRD0104"),
        ("https: { ca: ¦none.pem }", "MRD0100"),
        ("https: { ca: ¦networks.yaml }", "MRD0104"),
        ("https: { verify: off, ¦ca: networks.yaml }", "MRD0104"),
        ("https: { ca: ¦broken.pem }", "MRD0104"),
        ("https: { ca: ¦p521.pem }", "MRD0104"),
        ("https: { sni: ¦-a.example }", "MRD0104"),
        ("https: { sni: ¦a.1 }", "MRD0104"),
        ("https: ¦{ host: a-.example }", "MRD0104"),
        ("http: { path: ¦'/a b' }", "MRD0104"),
        ("http: { path: ¦\"/a\\u00e9\" }", "MRD0104"),
        ("http: { headers: { A: ¦\"b\\r\\nC: d\" } }", "MRD0104"),
        ("http: { expect: ¦100 }", "MRD0104"),
        ("http: { expect: ¦102-199 }", "MRD0104"),
        ("file: ¦'/run/{pops}'", "MRD0104"),
        ("https: { warn_days: ¦-1 }", "MRD0104"),
        ("http: { ¦sni: a.example }", "MRD0102"),
        ("tcp: ¦{}", "MRD0105"),
        ("tcp: { port: ¦x }", "MRD0104"),
        ("tcp: { port: 1, send: ¦[a] }", "MRD0104"),
        ("dns: ¦{ type: A }", "MRD0105"),
        ("dns: { name: ¦a..b }", "MRD0108"),
        ("dns: { name: a, type: ¦ANY }", "MRD0104"),
        ("dns: { name: a, rcode: ¦OK }", "MRD0104"),
        ("dns: { name: a, answer: ¦'2001:db8::1' }", "MRD0107"),
        ("exec: ¦[]", "MRD0104"),
        ("exec: ¦check --fast", "MRD0104"),
        ("file: ¦''", "MRD0104"),
        ("push: { ttl: ¦5 minutes }", "MRD0104"),
        ("icmp: { ¦size: 5 }", "MRD0102"),
        ("exec: /bin/a, ¦to: 192.0.2.1", "MRD0104"),
        ("https: {}, to: ¦h.example", "MRD0107"),
        ("https: {}, every: ¦1ms", "MRD0104"),
        ("https: {}, timeout: ¦5s", "MRD0104"),
        ("https: {}, up_after: ¦0", "MRD0104"),
        ("https: {}, flap_turns: ¦0", "MRD0104"),
        ("https: {}, flap_turns: ¦101", "MRD0104"),
        ("https: {}, flap_window: ¦1ms", "MRD0104"),
        ("all_of: [x, y], ¦flap_turns: 5", "MRD0104"),
        ("https: {}, ¦evry: 5s", "MRD0102"),
        ("all_of: [x, ¦z]", "MRD0319"),
        ("all_of: [x, ¦x]", "MRD0104"),
        ("all_of: ¦[]", "MRD0104"),
        ("any_of: [x, ¦web]", "MRD0320"),
        ("n_of: { n: ¦3, of: [x, y] }", "MRD0104"),
        ("n_of: ¦{ n: 1 }", "MRD0105"),
        ("all_of: [x, y], ¦every: 5s", "MRD0104"),
        ("all_of: [x, y], ¦to: 192.0.2.1", "MRD0104"),
    ] {
        check("pops.yaml", &probe(body), code, Error);
    }
    check("pops.yaml", &probe("¦").replace("web: { ¦ }", "web: ¦{}"), "MRD0104", Error);
    check("pops.yaml", &probe("icmp: {}").replace("  x:", "  ¦none:"), "MRD0104", Error);
    let circle = "probes:\n  a: { all_of: [b] }\n  b: { any_of: [c] }\n  c: { all_of: [¦a] }\n";
    check("pops.yaml", &pops(circle, ""), "MRD0320", Error);
    let mut memory = sound();
    memory.0.insert("pops.yaml".into(), pops(&circle.replace('¦', ""), "").into());
    assert!(shown(&load_memory(&memory)).contains("a -> b -> c -> a"));
    // Nested groups: three levels of five are 125 checks.
    let parts = |of: &str| (0..5).map(|i| format!("{of}{i}")).collect::<Vec<_>>().join(", ");
    let level = |name: &str, of: &str| {
        (0..5).map(|i| format!("  {name}{i}: {{ all_of: [{}] }}\n", parts(of))).collect::<String>()
    };
    let leaves: String = (0..5).map(|i| format!("  l{i}: {{ icmp: {{}} }}\n")).collect();
    let head = format!(
        "probes:\n{leaves}{}{}  top: {{ all_of: [{}] }}\n",
        level("m", "l"),
        level("n", "m"),
        parts("n")
    );
    let mut memory = sound();
    memory.0.insert("pops.yaml".into(), pops(&head, "").into());
    assert!(shown(&load_memory(&memory)).contains("error[MRD0106]: one address would depend on"));
}

#[test]
fn users_of_probes() {
    let probes = "probes: { web: { icmp: {} } }\n";
    for (fra, code) in [
        (", probe: ¦wbe", "MRD0319"),
        (", probe: [web, ¦web]", "MRD0104"),
        (", probe: ¦[]", "MRD0104"),
        (", probe: [web, ¦none]", "MRD0104"),
        (", probe: ¦{}", "MRD0104"),
        (", services: { video: { addresses: 192.0.2.9, probe: ¦wbe } }", "MRD0319"),
    ] {
        check("pops.yaml", &pops(probes, fra), code, Error);
    }
    for (canaries, code) in [
        ("¦{ addresses: [192.0.2.9] }", "MRD0105"),
        ("¦{ probe: web }", "MRD0105"),
        ("{ probe: ¦wbe, addresses: [192.0.2.9] }", "MRD0319"),
        ("{ probe: ¦g, addresses: [192.0.2.9] }", "MRD0104"),
        ("{ probe: web, addresses: ¦[] }", "MRD0104"),
        ("{ probe: web, addresses: [¦h.example] }", "MRD0107"),
        ("{ probe: web, addresses: [192.0.2.9, ¦192.0.2.9] }", "MRD0310"),
        ("{ probe: web, addresses: 192.0.2.9, freeze_max: ¦0s }", "MRD0104"),
    ] {
        let head =
            format!("probes: {{ web: {{ icmp: {{}} }}, g: {{ any_of: web }} }}\ncanaries: {canaries}\n");
        check("pops.yaml", &pops(&head, ""), code, Error);
    }
    for (head, code) in [
        ("startup_wait: ¦2h", "MRD0104"),
        ("safety: ¦all", "MRD0104"),
        ("safety: [¦{ of: all }]", "MRD0104"),
        ("safety: [{ ¦never_fewer_than: 1, never_more_off_than: 5%, of: all }]", "MRD0104"),
        ("safety: [¦{ never_fewer_than: 1 }]", "MRD0105"),
        ("safety: [{ never_fewer_than: ¦3, of: all }]", "MRD0104"),
        ("safety: [{ never_fewer_than: ¦0, of: all }]", "MRD0104"),
        ("safety: [{ never_more_off_than: ¦100%, of: all }]", "MRD0104"),
        ("safety: [{ never_fewer_than: 1, of: { tag: ¦ue } }]", "MRD0305"),
        ("safety: [{ never_fewer_than: 1, of: [¦fro] }]", "MRD0301"),
        ("safety: [{ never_fewer_than: 1, of: ¦[] }]", "MRD0306"),
        ("safety_off_until: ¦2025-02-30", "MRD0104"),
    ] {
        check("pops.yaml", &pops(&format!("{head}\n"), ""), code, Error);
    }
}

/// `check` reports certificates that a probe could not use later, and the deployment is still
/// accepted.
#[test]
fn what_stands_for_nothing_is_told() {
    for body in [
        "http: ¦'/health/{pop}'",
        "https: { path: ¦'/{address}' }",
        "exec: [/bin/check, ¦'{address}']",
        "https: { ca: ¦both.pem }",
        "https: { ca: ¦key.pem }",
    ] {
        let mut memory = sound();
        memory.0.insert("both.pem".into(), format!("{P521}{PEM}").into());
        let key = "-----BEGIN PRIVATE KEY-----\nMA==\n-----END PRIVATE KEY-----\n";
        memory.0.insert("key.pem".into(), format!("{PEM}{key}").into());
        memory.0.insert("pops.yaml".into(), probe(&body.replace('¦', "")).into());
        let loaded = load_memory(&memory);
        let text = shown(&loaded);
        let told: Vec<_> = loaded.findings.iter().map(|f| (f.code.id, f.severity)).collect();
        assert!(loaded.deployment.is_some() && told == [("MRD0104", Warning)], "{body}: {text}");
        let before = probe(body);
        let before = &before[..before.find('¦').unwrap()];
        let place = loaded.findings.iter().next().and_then(|f| f.at).unwrap();
        let column = before.rsplit('\n').next().unwrap_or_default().len() as u32 + 1;
        assert_eq!(place.column, column, "{body}: {text}");
    }
}

/// Certificate files as other programs write them.
#[test]
fn files_of_certificates_are_read_as_they_are() {
    let crlf = PEM.replace('\n', "\r\n");
    for file in [format!("\u{feff}{crlf}"), format!("Certificate:\n    Data:\n{PEM}\nend\n")] {
        let mut memory = sound();
        memory.0.insert("ca.pem".into(), file.clone().into());
        memory.0.insert("pops.yaml".into(), probe("https: { ca: ca.pem }").into());
        let loaded = load_memory(&memory);
        assert!(loaded.deployment.is_some() && loaded.findings.is_empty(), "{file}{}", shown(&loaded));
    }
}

/// The file accepts a name exactly if TLS can ask for it.
#[test]
fn server_names_are_those_of_tls() {
    for name in [
        "a.example",
        "a.example.",
        "_a.example",
        "a",
        "a-b.c",
        "-a.example",
        "a-.example",
        "a.1",
        "1.a",
        "1",
        "192.0.2.1",
        "a..b",
        ".a",
        "a.-",
        "xn--nxasmq6b",
        "2001:db8::1",
        "1.2.3.256",
    ] {
        let mut memory = sound();
        memory.0.insert("pops.yaml".into(), probe(&format!("https: {{ sni: '{name}' }}")).into());
        let is_taken = load_memory(&memory).deployment.is_some();
        let is_known = rustls::pki_types::ServerName::try_from(name).is_ok() && !name.contains(':');
        assert_eq!(is_taken, is_known, "{name}");
    }
}
