//! Broken inputs as data, for tests of the reader and of a running server: the text, the code, the
//! severity. The mark `¦` stands before the place of the finding, and is removed before the text is
//! read.

use super::Severity::{self, Error, Note, Warning};

/// Start of a valid zone `x.example` in text; rows of [`ZONE_TEXT`] follow it.
pub(crate) const ZONE_TEXT_HEAD: &str = "$TTL 60\n@ SOA ns1 host 1 2 3 4 5\n@ NS ns1\nns1 A 192.0.2.1\n";

/// Valid PoPs.
pub(crate) const POPS: &str = "\
pops:
  fra: { at: { lat: 50, lon: 8 }, addresses: [192.0.2.1, '2001:db8::1'], tags: [eu], services: { video: { \
  addresses: 192.0.2.9 } } }
  iad: { at: { lat: 39, lon: -77 }, addresses: [192.0.2.2, '2001:db8::2'], tags: [na] }
";

/// A valid policy file.
pub(crate) const POLICIES: &str = "policies:\n  web: { pops: all }\n";

/// A valid zone.
pub(crate) const ZONE: &str = "\
zone: z.example.
soa: { mname: ns1, rname: host }
records:
  '@': { NS: ns1 }
  ns1: { A: 203.0.113.1 }
  www: { steer: web }
";

/// Lines after the head; all are errors.
pub(crate) const ZONE_TEXT: &[(&str, &str)] = &[
    // Data that the type does not allow.
    ("a A ¦192.0.2.300", "MRD0206"),
    ("a A ¦192.0.2.1 192.0.2.2", "MRD0206"),
    ("a AAAA ¦2001:db8:::1", "MRD0206"),
    ("a MX ¦mail", "MRD0206"),
    ("a SRV ¦1 2 3", "MRD0206"),
    ("a CAA ¦0 issue", "MRD0206"),
    ("a LOC ¦91 N 0 E 0", "MRD0206"),
    ("a DS ¦1 13 2 abc", "MRD0206"),
    ("a HTTPS ¦1 . alpn", "MRD0206"),
    (r"a TYPE65280 ¦\# 4 0a00", "MRD0206"),
    (r"a A ¦\# 3 c00002", "MRD0206"),
    // Types, classes, TTLs.
    ("a ¦AA 192.0.2.1", "MRD0207"),
    ("a ¦AXFR x", "MRD0207"),
    ("a ¦CH TXT x", "MRD0219"),
    ("a ¦99999999999 A 192.0.2.1", "MRD0220"),
    ("$TTL ¦soon", "MRD0220"),
    // Faults of the text itself.
    ("a TXT ¦\"open", "MRD0219"),
    ("a A ¦( 192.0.2.1", "MRD0219"),
    ("a A 192.0.2.1 ¦)", "MRD0219"),
    ("¦$TLL 60", "MRD0219"),
    ("a TXT x¦\\", "MRD0219"),
    // Names.
    ("¦a..b A 192.0.2.1", "MRD0108"),
    ("¦bücher A 192.0.2.1", "MRD0108"),
    ("$ORIGIN ¦a..b", "MRD0108"),
    // Files and templates.
    ("$INCLUDE ¦missing.db", "MRD0221"),
    ("$INCLUDE ¦../pops.yaml", "MRD0221"),
    ("$INCLUDE ¦/etc/passwd", "MRD0221"),
    ("$GENERATE ¦3-1 a$ A 192.0.2.$", "MRD0222"),
    ("$GENERATE 250-260 a$ A ¦192.0.2.$", "MRD0206"),
    // Data in forbidden combinations or places.
    ("a CNAME ¦ns1\na A 192.0.2.1", "MRD0202"),
    ("a CNAME b.\na CNAME ¦c.", "MRD0202"),
    ("@ CNAME ¦www.other.", "MRD0202"),
    ("@ SOA ¦ns2 host 1 2 3 4 5", "MRD0204"),
    ("d DNAME other.\nd DNAME ¦else.", "MRD0224"),
    ("d NS other.\nd DNAME ¦else.", "MRD0224"),
    ("*.d NS ¦other.", "MRD0225"),
];

/// Replacements in [`POPS`]: old text, new text.
pub(crate) const IN_POPS: &[(&str, &str, &str, Severity)] = &[
    ("192.0.2.2", "¦192.0.2.256", "MRD0107", Error),
    ("192.0.2.2", "¦192.0.2.2/32", "MRD0107", Error),
    ("192.0.2.2", "192.0.2.2, ¦192.0.2.2", "MRD0310", Error),
    ("192.0.2.2", "¦192.0.2.1", "MRD0310", Warning),
    ("192.0.2.2", "¦10.0.0.1", "MRD0315", Warning),
    ("lat: 39", "lat: ¦93", "MRD0104", Error),
    ("lat: 39, ", "", "MRD0105", Error),
    ("tags: [na]", "¦wieght: 5", "MRD0102", Error),
    ("tags: [na]", "weight: ¦-1", "MRD0104", Error),
    ("tags: [na]", "weight: ¦1e9", "MRD0104", Error),
    ("tags: [na]", "state: ¦donw", "MRD0104", Error),
    ("tags: [na]", "bias: ¦far", "MRD0104", Error),
    ("tags: [na]", "services: { ¦default: { addresses: 192.0.2.3 } }", "MRD0103", Error),
    ("tags: [na]", "services: { video: { addresses: ¦[] } }", "MRD0104", Error),
    ("tags: [na]", "probe: ¦web", "MRD0319", Error),
    ("tags: [na]", "capacity: ¦0", "MRD0104", Error),
    ("tags: [na]", "capacity: ¦many", "MRD0104", Error),
    // An empty key is not the same as a missing key.
    ("tags: [na]", "¦tags: ", "MRD0104", Error),
    ("tags: [na]", "¦weight: , tags: [na]", "MRD0104", Error),
    ("tags: [na]", "weight: ¦~", "MRD0104", Error),
    ("tags: [na]", "weight: ¦'5'", "MRD0104", Error),
    ("tags: [na]", "¦state: ", "MRD0104", Error),
    ("tags: [na]", "¦ramp: ", "MRD0104", Error),
    ("tags: [na]", "¦services: ", "MRD0104", Error),
    ("tags: [na]", "capacity: 1, load: { ¦push: }", "MRD0104", Error),
    ("at: { lat: 39, lon: -77 }, ", "", "MRD0309", Error),
    ("  iad:", "  ¦fra:", "MRD0103", Error),
    ("  iad:", "  ¦I_D:", "MRD0104", Error),
];

/// Bodies of the policy `web`.
pub(crate) const POLICY_BODIES: &[(&str, &str, Severity)] = &[
    ("pops: [fra, ¦fro]", "MRD0301", Error),
    ("pops: [fra, iad, ¦fra]", "MRD0316", Error),
    ("pops: ¦[]", "MRD0306", Error),
    ("pops: { tag: ¦ue }", "MRD0305", Error),
    ("pops: [fra, ¦iad], service: video", "MRD0303", Error),
    ("pops: all, service: ¦vidoe", "MRD0303", Error),
    ("pops: all, order: ¦distance", "MRD0104", Error),
    ("pops: all, order: latency, band: ¦5ms", "MRD0104", Error),
    ("pops: all, order: latency, band: { ms: ¦3001 }", "MRD0104", Error),
    ("pops: all, band: ¦10", "MRD0104", Error),
    ("pops: all, ttl: { min: ¦60, max: 20 }", "MRD0104", Error),
    ("pops: all, answers: ¦0", "MRD0104", Error),
    ("pops: all, depth: ¦65", "MRD0104", Error),
    ("pops: all, cell_max_v4: ¦32", "MRD0104", Error),
    ("pops: all, up_threshold: ¦2.5", "MRD0104", Error),
    ("pops: all, weights: { ¦fro: 1 }", "MRD0301", Error),
    ("pops: [fra], weights: { ¦iad: 1 }", "MRD0104", Warning),
    ("pops: ¦[[fra, iad]]", "MRD0104", Warning),
    ("pops: all, when_all_down: ¦nodta", "MRD0104", Error),
    ("pops: all, ¦ordr: nearest", "MRD0102", Error),
    ("pops: all, panic: ¦on", "MRD0104", Error),
    ("pops: all, panic: { share: ¦0% }", "MRD0104", Error),
    ("pops: all, panic: { window: ¦0s }", "MRD0104", Error),
    ("pops: all, panic: { ¦holds: 5s }", "MRD0102", Error),
    ("pops: all, ¦rules: ", "MRD0104", Error),
    ("pops: all, rules: [¦~]", "MRD0104", Error),
    ("pops: all, ¦panic: ", "MRD0104", Error),
    ("pops: all, ¦ecs: ", "MRD0104", Error),
    ("pops: all, ttl: { ¦min: , max: 20 }", "MRD0104", Error),
    ("pops: all, ttl: ¦'60'", "MRD0104", Error),
    ("pops: [fra, ¦~]", "MRD0104", Error),
    ("use: ¦wbe", "MRD0302", Error),
    ("use: ¦web", "MRD0321", Error),
    ("use: b, ¦pops: all }\n  b: { pops: all", "MRD0104", Error),
    ("use: b, ¦ttl: 5 }\n  b: { pops: all", "MRD0104", Error),
    ("use: b }\n  b: { use: c }\n  c: { use: ¦web", "MRD0321", Error),
    ("use: ¦b, service: video }\n  b: { pops: all", "MRD0322", Error),
    ("pops: all }\n  ¦spare: { pops: all", "MRD0312", Note),
];

/// Rules of the policy `web`.
pub(crate) const RULES: &[(&str, &str, Severity)] = &[
    ("when: { country: ¦Germany }, pops: fra", "MRD0406", Error),
    ("when: { continent: ¦XX }, pops: fra", "MRD0406", Error),
    ("when: { subdivision: ¦CA }, pops: fra", "MRD0406", Error),
    // Codes that are not places, and conditions that exclude each other.
    ("when: { country: ¦UK }, pops: fra", "MRD0406", Error),
    ("when: { country: ¦EU }, pops: fra", "MRD0406", Error),
    ("when: { country: [¦XX, ZZ] }, pops: fra", "MRD0406", Error),
    ("when: { not: { country: ¦UK } }, pops: fra", "MRD0406", Error),
    ("when: { country: [GB, ¦UK] }, pops: fra", "MRD0406", Warning),
    ("when: { country: ¦XA }, pops: fra", "MRD0406", Warning),
    ("when: { subdivision: ¦US-XX }, pops: fra", "MRD0406", Warning),
    ("when: { subdivision: ¦UK-ENG }, pops: fra", "MRD0406", Error),
    ("when: ¦{ country: US, subdivision: CA-ON }, pops: fra", "MRD0308", Error),
    ("when: ¦{ country: US, continent: EU }, pops: fra", "MRD0308", Warning),
    ("when: ¦{ subdivision: US-CA, continent: [EU, AS] }, pops: fra", "MRD0308", Warning),
    ("when: { network: ¦offcie }, pops: fra", "MRD0304", Error),
    ("when: { site: ¦nowhere }, pops: fra", "MRD0314", Error),
    ("when: { country: ¦[] }, pops: fra", "MRD0104", Error),
    ("when: { ¦land: DE }, pops: fra", "MRD0102", Error),
    ("when: { ¦country: }, pops: fra", "MRD0406", Error),
    ("when: { country: [DE, ¦~] }, pops: fra", "MRD0406", Error),
    ("when: { ¦continent: }, pops: fra", "MRD0406", Error),
    ("when: { ¦asn: }, pops: fra", "MRD0406", Error),
    ("when: { ¦network: }, pops: fra", "MRD0104", Error),
    ("when: { ¦resolver_network: }, pops: fra", "MRD0104", Error),
    ("when: { ¦site: }, pops: fra", "MRD0104", Error),
    ("when: { country: DE, ¦not: }, pops: fra", "MRD0104", Error),
    ("¦when: , pops: fra", "MRD0104", Error),
    ("pops: fra, ¦fence: ", "MRD0104", Error),
    ("pops: fra, fence: ¦NULL", "MRD0104", Error),
    ("pops: fra, ¦cname: x.example.", "MRD0104", Error),
    ("pops: fra }\n      - ¦{ when: { country: DE }, pops: iad", "MRD0308", Warning),
    ("pops: fra, fence: true, when_all_down: ¦{ cname: other.example. }", "MRD0313", Error),
    ("when: { country: DE }, pops: fra }\n      - ¦{ pops: iad, when_all_down: nodata", "MRD0104", Error),
];

/// Records after [`ZONE`].
pub(crate) const RECORDS: &[(&str, &str, Severity)] = &[
    ("  ¦www.other.example.: { A: 192.0.2.1 }\n", "MRD0201", Error),
    ("  ¦a..b: { A: 192.0.2.1 }\n", "MRD0108", Error),
    ("  a: { A: ¦192.0.2 }\n", "MRD0206", Error),
    ("  a: { A: [192.0.2.1, ¦192.0.2.1] }\n", "MRD0208", Warning),
    ("  a: { ¦AAA: 192.0.2.1 }\n", "MRD0207", Error),
    ("  a: { ¦ANY: 192.0.2.1 }\n", "MRD0207", Error),
    ("  a: { TYPE65280: ¦'\\# 2 00' }\n", "MRD0206", Error),
    ("  a: { TXT: ¦v=spf1 -all }\n", "MRD0206", Warning),
    ("  a: { CNAME: ¦ns1, TXT: x }\n", "MRD0202", Error),
    ("  a: { CNAME: b }\n  b: { CNAME: c }\n  c: { CNAME: ¦a }\n", "MRD0203", Warning),
    ("  '*.w': { CNAME: ¦x.w }\n", "MRD0203", Warning),
    ("  a: { CNAME: ¦nowhere }\n", "MRD0214", Warning),
    ("  a: { CNAME: ¦www.z.example }\n", "MRD0214", Warning),
    ("  a: { MX: ¦10 b }\n  b: { CNAME: ns1 }\n", "MRD0215", Warning),
    ("  a: { steer: ¦wbe }\n", "MRD0302", Error),
    ("  a: { steer: web, A: ¦192.0.2.1 }\n", "MRD0217", Error),
    ("  d: { NS: ¦ns.d }\n", "MRD0210", Warning),
    ("  d: { NS: ns1 }\n  x.d: { TXT: ¦x }\n", "MRD0211", Warning),
    ("  a: { A: 192.0.2.1, ttl: 5 }\n  A: { A: ¦192.0.2.2, ttl: 6 }\n", "MRD0212", Warning),
    ("  a: { A: 192.0.2.1, ttl: ¦-5 }\n", "MRD0104", Error),
    ("  a: { A: 192.0.2.1, ttl: ¦{ min: 1, max: 2 } }\n", "MRD0104", Error),
    ("  ¦a:\n", "MRD0104", Error),
    ("  a: { ¦A: }\n", "MRD0104", Error),
    ("  a: { A: 192.0.2.1, ¦ttl: }\n", "MRD0104", Error),
    ("¦record: {}\n", "MRD0102", Error),
    ("  ¦www: { steer: web }\n", "MRD0103", Error),
    ("  WWW: { ¦steer: web }\n", "MRD0217", Error),
];
