//! Probes, canaries and safety rules, as fields.

use super::fields::{Fields, list, maybe, millis};
use crate::health::spec::{
    Canaries, Check, DnsCheck, ExecCheck, FileCheck, HttpCheck, HttpMethod, Kind, Need, Probe, ProbeId,
    PushCheck, Spec, TcpCheck, TlsCheck, Verify,
};
use crate::rfc3339;
use crate::snapshot::Snapshot;
use crate::steer::safety::{Requirement, SafetyRule};
use crate::wire::hash;

/// Probes, by name.
pub(super) fn all(snapshot: &Snapshot) -> impl Iterator<Item = (String, Fields)> + '_ {
    snapshot.origins.probes.iter().map(|probe| (probe.name.to_string(), of_probe(snapshot, probe)))
}

fn name(snapshot: &Snapshot, id: ProbeId) -> String {
    let probe = snapshot.origins.probes.get(id.index());
    probe.map_or_else(|| id.0.to_string(), |probe| probe.name.to_string())
}

fn of_probe(snapshot: &Snapshot, probe: &Probe) -> Fields {
    let spec = match &probe.kind {
        Kind::Check(spec) => spec,
        Kind::Group { need, of } => {
            let need = match need {
                Need::All => "all_of".to_owned(),
                Need::Any => "any_of".to_owned(),
                Need::AtLeast(least) => format!("n_of {least}"),
            };
            let of = list(of, |id| name(snapshot, *id));
            return vec![("kind".to_owned(), need), ("of".to_owned(), of)];
        }
    };
    let Spec { check, to, every_ms, timeout_ms, up_after, down_after, ok_after, flap } = &**spec;
    let mut fields = of_check(check);
    for (key, value) in [
        ("to", maybe(to.as_ref(), ToString::to_string)),
        ("every", millis(*every_ms)),
        ("timeout", millis(*timeout_ms)),
        ("up_after", up_after.to_string()),
        ("down_after", down_after.to_string()),
        ("ok_after", ok_after.to_string()),
        ("flap_turns", flap.turns.to_string()),
        ("flap_window", millis(flap.window_ms)),
    ] {
        fields.push((key.to_owned(), value));
    }
    fields
}

fn of_check(check: &Check) -> Fields {
    let octets = |octets: &&[u8]| octets.escape_ascii().to_string();
    let fields: Vec<(&str, String)> = match check {
        Check::Http(http) => of_http(http),
        Check::Tcp(TcpCheck { port, send, expect }) => vec![
            ("port", port.to_string()),
            ("send", maybe(send.as_deref().as_ref(), octets)),
            ("expect", maybe(expect.as_deref().as_ref(), octets)),
        ],
        Check::Dns(DnsCheck { port, tcp, qname, qtype, rcode, answer }) => vec![
            ("port", port.to_string()),
            ("tcp", tcp.to_string()),
            ("name", qname.to_string()),
            ("type", qtype.to_string()),
            ("rcode", rcode.to_string()),
            ("answer", maybe(answer.as_ref(), ToString::to_string)),
        ],
        Check::Exec(ExecCheck { command }) => vec![("command", list(command, ToString::to_string))],
        Check::File(FileCheck { path }) => vec![("path", path.to_string())],
        Check::Push(PushCheck { ttl_ms: 0 }) => vec![("ttl", "for ever".to_owned())],
        Check::Push(PushCheck { ttl_ms }) => vec![("ttl", millis(*ttl_ms))],
        Check::Icmp => Vec::new(),
    };
    let kind = ("kind", check.kind().word().to_owned());
    std::iter::once(kind).chain(fields).map(|(key, value)| (key.to_owned(), value)).collect()
}

fn of_http(check: &HttpCheck) -> Vec<(&'static str, String)> {
    let HttpCheck { tls, port, method, path, host, headers, expect, expect_headers, body } = check;
    let header = |(name, value): &(std::sync::Arc<str>, std::sync::Arc<str>)| format!("{name}: {value}");
    let method = match method {
        HttpMethod::Get => "GET",
        HttpMethod::Head => "HEAD",
    };
    let mut fields = vec![
        ("path", path.to_string()),
        ("port", port.to_string()),
        ("method", method.to_owned()),
        ("host", maybe(host.as_ref(), ToString::to_string)),
        ("headers", list(headers, header)),
        ("expect", list(expect, |range| format!("{}-{}", range.start(), range.end()))),
        ("expect_headers", list(expect_headers, header)),
        ("body", maybe(body.as_ref(), |octets| octets.escape_ascii().to_string())),
    ];
    if let Some(TlsCheck { sni, verify, warn_days }) = tls {
        let verify = match verify {
            Verify::System => "by the system's roots".to_owned(),
            Verify::Pinned(octets) => format!("by certificates {:016x}", hash::octets(octets)),
            Verify::Off => "off".to_owned(),
        };
        fields.push(("sni", maybe(sni.as_ref(), ToString::to_string)));
        fields.push(("verify", verify));
        fields.push(("warn_days", warn_days.to_string()));
    }
    fields
}

/// Canaries, and the wait for first results.
pub(super) fn canaries(snapshot: &Snapshot) -> Fields {
    let mut fields = vec![("startup_wait".to_owned(), millis(snapshot.origins.startup_wait_ms))];
    if let Some(Canaries { probe, addresses, freeze_max_ms, at: _ }) = &snapshot.origins.canaries {
        fields.push(("canaries".to_owned(), list(addresses, ToString::to_string)));
        fields.push(("canaries probe".to_owned(), name(snapshot, *probe)));
        fields.push(("canaries freeze_max".to_owned(), millis(*freeze_max_ms)));
    }
    fields
}

/// Safety rules.
pub(super) fn safety(snapshot: &Snapshot) -> Fields {
    let rule = |rule: &SafetyRule| {
        let SafetyRule { need, of, words, at: _ } = rule;
        let pops = list(of, |pop| {
            snapshot.pops.get(pop.index()).map_or_else(|| pop.0.to_string(), |pop| pop.name.to_string())
        });
        let need = match need {
            Requirement::NeverFewerThan(least) => format!("never fewer than {least}"),
            Requirement::NeverMoreOffThan { percent } => format!("never more off than {percent}%"),
        };
        format!("{need} of {words} ({pops})")
    };
    let safety = &snapshot.safety;
    let mut fields: Fields =
        safety.rules.iter().zip(1..).map(|(is, number)| (format!("rule {number}"), rule(is))).collect();
    let off = maybe(safety.off_until_epoch.as_ref(), |until| rfc3339::day(*until));
    fields.push(("safety_off_until".to_owned(), off));
    fields
}
