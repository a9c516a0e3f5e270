//! `proxy_protocol`: broken lists, lists with too much effect, and lists with none.

use super::broken::{check, sound};
use super::{load_memory, shown};
use crate::finding::Severity::{Error, Warning};
use std::path::Path;

/// The sound server file with a list of balancers, listening on these addresses.
fn server(dns: &str, list: &str) -> String {
    let text = String::from_utf8(sound().0[Path::new("meridian.yaml")].to_vec()).expect("a text");
    let text = text.replace("\"127.0.0.1:5300\"", dns);
    text.replace("zones: zones", &format!("zones: zones\nproxy_protocol: {list}"))
}

const BOTH: &str = "[\"127.0.0.1:5300\", \"[::1]:5300\"]";

#[test]
fn lists_with_faults() {
    let many: Vec<String> = (0..1_025).map(|n| format!("10.{}.{}.0/24", n >> 8, n & 255)).collect();
    let many = format!("{{ from: ¦[{}] }}", many.join(", "));
    for (list, code, severity) in [
        ("¦{}", "MRD0105", Error),
        ("{ from: ¦[] }", "MRD0104", Error),
        ("¦on", "MRD0104", Error),
        ("{ from: 10.0.0.1, ¦to: 10.0.0.2 }", "MRD0102", Error),
        ("{ from: [¦offic] }", "MRD0304", Error),
        ("{ from: [¦10.0.0.0/33] }", "MRD0107", Error),
        (&many, "MRD0106", Error),
        ("{ from: [10.0.0.1, ¦10.0.0.1] }", "MRD0403", Warning),
        ("{ from: [office, ¦198.18.0.0/24] }", "MRD0403", Warning),
        ("{ from: [10.0.0.1, ¦'::ffff:10.0.0.1'] }", "MRD0403", Warning),
        ("{ from: [¦0.0.0.0/0] }", "MRD0517", Warning),
        ("{ from: [¦'::/0'] }", "MRD0517", Warning),
        ("{ from: [¦10.0.0.0/7] }", "MRD0517", Warning),
        ("{ from: [¦81.2.0.0/15] }", "MRD0517", Warning),
        ("{ from: [¦'2400::/12'] }", "MRD0517", Warning),
        ("{ from: [10.0.0.0/8, ¦10.1.0.0/16] }", "MRD0518", Warning),
        ("{ from: [¦10.0.0.1, 10.0.0.0/8] }", "MRD0518", Warning),
        ("{ from: [¦224.0.0.1] }", "MRD0518", Warning),
        ("{ from: [¦'ff02::/16'] }", "MRD0518", Warning),
        ("{ from: [¦0.0.0.0] }", "MRD0518", Warning),
        ("{ from: [¦'::'] }", "MRD0518", Warning),
    ] {
        check("meridian.yaml", &server(BOTH, list), code, severity);
    }
    for (dns, list) in [
        ("\"127.0.0.1:5300\"", "{ from: [10.0.0.1, ¦'2001:db8::1'] }"),
        ("\"[::]:5300\"", "{ from: [¦10.0.0.1, '2001:db8::1'] }"),
    ] {
        check("meridian.yaml", &server(dns, list), "MRD0518", Warning);
    }
}

#[test]
fn lists_without_faults() {
    for (list, prefixes) in [
        ("{ from: 10.0.0.1 }", 1),
        ("{ from: [10.0.0.0/8, 'fd00::/8', office, '::1', '::ffff:192.0.2.1'] }", 5),
        ("{ from: [0.0.0.1, 223.255.255.0/24] }", 2),
    ] {
        let mut memory = sound();
        memory.0.insert("meridian.yaml".into(), server(BOTH, list).into());
        let loaded = load_memory(&memory);
        assert!(loaded.findings.is_empty(), "{}", shown(&loaded));
        let proxies = loaded.deployment.expect("sound").proxies.expect("a list");
        assert_eq!(proxies.prefixes().len(), prefixes, "{list}");
    }
}
