//! Whole deployments from memory: the sample is without findings, broken inputs are reported at
//! their places, and nothing panics.

mod agreement;
mod apart;
mod broken;
mod broken_admin;
mod broken_process;
mod broken_proxies;
mod broken_text;
mod catalogue;
mod faults;
mod feeds;
mod probes;
mod static_zones;

use super::*;
use crate::finding::Severity;
use crate::geo::lands::Lands;
use crate::steer::policy::{BandWidth, Candidate, Order};
use crate::steer::pop::PopId;
use crate::steer::rule::RuleTarget;
use crate::wire::rr::RrType;
use std::collections::BTreeMap;

/// Files in memory.
#[derive(Clone, Default)]
struct Memory(BTreeMap<PathBuf, Vec<u8>>);

impl Sources for Memory {
    fn read(&self, path: &Path) -> Result<Arc<[u8]>, String> {
        self.0.get(path).map(|octets| octets.as_slice().into()).ok_or_else(|| "no such file".to_owned())
    }
    fn list(&self, folder: &Path) -> Result<Vec<PathBuf>, String> {
        let list: Vec<PathBuf> =
            self.0.keys().filter(|path| path.parent() == Some(folder)).cloned().collect();
        if list.is_empty() { Err("no such folder".to_owned()) } else { Ok(list) }
    }
}

/// The sample deployment at the top of the tree; its databases are not read here.
fn sample() -> Memory {
    let top = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut memory = Memory::default();
    memory.0.insert("geoip/places.mmdb".into(), vec![0]);
    memory.0.insert("geoip/latency.mmdb".into(), vec![0]);
    let mut names: Vec<String> =
        ["meridian.yaml", "pops.yaml", "policies.yaml", "geoip/networks.yaml"].map(str::to_owned).to_vec();
    for entry in std::fs::read_dir(top.join("zones")).unwrap() {
        names.push(format!("zones/{}", entry.unwrap().file_name().to_str().unwrap()));
    }
    for name in names {
        memory.0.insert(PathBuf::from(&name), std::fs::read(top.join(&name)).unwrap());
    }
    memory
}

fn load_memory(memory: &Memory) -> ReadResult {
    let mut read = read_deployment(Path::new("meridian.yaml"), memory);
    // The databases here know no country, so no finding is withdrawn.
    if let Some(deployment) = &read.deployment {
        read.findings.extend(deployment.doubts.judge(&Lands::default(), true));
        read.findings.sort();
        read.deployment = read.deployment.take_if(|_| !read.findings.has_errors());
    }
    read
}

fn shown(loaded: &ReadResult) -> String {
    crate::finding::render::text(&loaded.findings, &loaded.files, false)
}

#[test]
fn the_sample_is_clean() {
    let loaded = load_memory(&sample());
    assert!(loaded.findings.is_empty(), "{}", shown(&loaded));
    let deployment = loaded.deployment.unwrap();
    assert_eq!(&*deployment.node.name, "fra-ns1");
    assert_eq!(deployment.listen.dns.len(), 2);
    assert_eq!(deployment.pops.len(), 14);
    assert_eq!(deployment.zones.len(), 3);
    let names: Vec<&str> = deployment.policies.iter().map(|p| &*p.policy.name).collect();
    assert_eq!(names, ["nearest", "web", "fastest", "failover", "video", "live"]);
    assert_eq!(deployment.policies[5].zone.as_deref(), Some("media.example."));
    let roles: Vec<String> = deployment.inputs.iter().map(|input| input.role.to_string()).collect();
    let expected = [
        "database 000",
        "database 001",
        "networks",
        "policies",
        "pops",
        "zone cdn.example.",
        "zone media.example.",
        "zone shop.example.",
    ];
    assert_eq!(roles, expected);
}

/// The settings of the sample arrive in the model.
#[test]
fn the_sample_means_what_it_says() {
    let deployment = load_memory(&sample()).deployment.unwrap();
    let pop = |name: &str| PopId(deployment.pops.iter().position(|p| &*p.name == name).unwrap() as u16);
    let policy = |name: &str| &deployment.policies.iter().find(|p| &*p.policy.name == name).unwrap().policy;
    assert!(deployment.pops.windows(2).all(|pair| pair[0].name < pair[1].name));
    let fra = &deployment.pops[usize::from(pop("fra").0)];
    assert_eq!(fra.services.iter().map(|s| &*s.name).collect::<Vec<_>>(), ["default", "video"]);
    assert_eq!((fra.services[0].v4[1].weight, fra.services[0].v6[0].weight), (20, 100));
    let web = policy("web");
    assert_eq!((web.ttl.min_secs, web.ttl.max_secs, web.answers, web.order), (20, 60, 2, Order::Nearest));
    assert_eq!(web.band, BandWidth::Percent(10));
    let RuleTarget::Candidates(bands) = &web.rules[0].target else { panic!() };
    let of = |name| Candidate::Pop(pop(name));
    assert_eq!(*bands, vec![vec![of("nrt"), of("sin")], vec![of("bom")]]);
    assert_eq!(
        (web.rules[0].order, web.rules[1].order, web.rules[1].fence),
        (Some(Order::Listed), None, true)
    );
    let office = deployment.networks.iter().position(|n| &*n.name == "office").unwrap() as u16;
    assert_eq!(web.rules[2].when.network, [office]);
    assert_eq!(policy("failover").candidates.len(), 3);
    assert_eq!(policy("video").candidates.len(), 9);
    assert_eq!(policy("video").band, BandWidth::None);
    let cdn = deployment.zones.iter().find(|z| z.apex.to_string() == "cdn.example.").unwrap();
    let api = cdn.steered.iter().find(|s| s.owner.to_string() == "api.edge.cdn.example.").unwrap();
    assert_eq!(api.ttl.map(|t| (t.min_secs, t.max_secs)), Some((10, 10)));
    let soa = cdn.records.iter().find(|r| r.rtype == RrType::SOA).unwrap();
    let text = crate::zone::rdata::to_text(RrType::SOA, &soa.rdata);
    assert_eq!(text, "ns1.cdn.example. hostmaster.cdn.example. 1 7200 900 1209600 60");
}

/// Scalars stay text until a type is wanted: Norway is a country, and an owner may be a number.
#[test]
fn scalars_keep_their_text() {
    let mut memory = sample();
    let zone = "zone: n.example.\nsoa: { mname: ns, rname: h }\nrecords:\n  '@': { NS: ns }\n  ns: { A: \
        192.0.2.1 }\n  012: { TXT: 1e3 }\n  no: { TXT: no }\n  null: { TXT: 0x10 }\n";
    memory.0.insert("zones/n.yaml".into(), zone.into());
    let policies = String::from_utf8(memory.0["policies.yaml".as_ref() as &Path].clone())
        .unwrap()
        .replace("country: CU", "country: no");
    memory.0.insert("policies.yaml".into(), policies.into());
    let loaded = load_memory(&memory);
    assert!(loaded.findings.is_empty(), "{}", shown(&loaded));
    let deployment = loaded.deployment.unwrap();
    let zone = deployment.zones.iter().find(|z| z.apex.to_string() == "n.example.").unwrap();
    let texts: Vec<String> = zone
        .records
        .iter()
        .map(|r| format!("{} {}", r.owner, crate::zone::rdata::to_text(r.rtype, &r.rdata)))
        .collect();
    for text in ["012.n.example. \"1e3\"", "no.n.example. \"no\"", "null.n.example. \"0x10\""] {
        assert!(texts.iter().any(|t| t == text), "{text} in {texts:?}");
    }
    assert_eq!(deployment.policies[1].policy.rules[3].when.country[0].code(), "NO");
}

/// The name of the root is empty, so its text is in `root.zone`.
#[test]
fn the_root_comes_from_text() {
    let mut memory = sample();
    let text = "$TTL 86400\n. SOA a.root-servers.net. nstld.verisign-grs.com. 1 1800 900 604800 86400\n. NS \
        ns1.example.\n\
                ns1.example. A 192.0.2.1\norg NS ns1.example.\norg. DS 1 13 2 00\n";
    memory.0.insert("zones/root.zone".into(), text.into());
    let loaded = load_memory(&memory);
    let deployment = loaded.deployment.as_ref().unwrap_or_else(|| panic!("{}", shown(&loaded)));
    let root = deployment.zones.iter().find(|zone| zone.apex.is_root()).unwrap();
    let owners: Vec<String> = root.records.iter().map(|record| record.owner.to_string()).collect();
    assert_eq!(owners, [".", ".", "ns1.example.", "org.", "org."]);
    assert!(deployment.inputs.iter().any(|input| input.role.to_string() == "zone text ."));
}

/// A broken file neither hides the faults of others nor causes findings about them.
#[test]
fn one_broken_file_hides_no_other() {
    let mut memory = sample();
    memory.0.insert("pops.yaml".into(), b"pops: [unclosed\n".to_vec());
    memory.0.insert(
        "zones/bad.yaml".into(),
        b"zone: bad.example.\nrecords: { www: { B: x, steer: web } }\nsao: {}\n".to_vec(),
    );
    let loaded = load_memory(&memory);
    assert!(loaded.deployment.is_none());
    let mut codes: Vec<&str> = loaded.findings.iter().map(|f| f.code.id).collect();
    codes.sort_unstable();
    assert_eq!(codes, ["MRD0101", "MRD0102", "MRD0204", "MRD0205", "MRD0207"], "{}", shown(&loaded));
}

/// Anchors and merge keys work; a value that contains itself or explodes is refused.
#[test]
fn aliases_are_bounded() {
    let mut memory = sample();
    let mut bomb = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for i in 1..12 {
        bomb.push_str(&format!(
            "a{i}: &a{i} [*a{0}, *a{0}, *a{0}, *a{0}, *a{0}, *a{0}, *a{0}, *a{0}, *a{0}, *a{0}]\n",
            i - 1
        ));
    }
    for text in [
        bomb,
        "a: &a [*a]\n".to_owned(),
        "[".repeat(100_000),
        "- ".repeat(100_000),
        "a: *nobody\n".to_owned(),
    ] {
        memory.0.insert("policies.yaml".into(), text.clone().into());
        let loaded = load_memory(&memory);
        assert!(loaded.findings.has_errors(), "{}", &text[..20.min(text.len())]);
    }
    let merged = "base: &base { ttl: 5 }\npolicies:\n  nearest: { <<: *base, pops: all }\n";
    memory.0.insert("policies.yaml".into(), merged.into());
    let loaded = load_memory(&memory);
    assert!(shown(&loaded).contains("has no key `base`"), "{}", shown(&loaded));
    assert!(!shown(&loaded).contains("`<<`"), "{}", shown(&loaded));
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(300))]
    /// Random damage to any file of the sample gives findings or a deployment, never a panic.
    #[test]
    fn damage_never_panics(
        which in 0usize..7,
        edits in proptest::collection::vec((0usize..100_000, 0u8..6,
            "[-a-z0-9:{}\\[\\],.*&!'\"#\n @\\\\é]{0,6}"), 1..6),
    ) {
        let mut memory = sample();
        let path = memory.0.keys().nth(which).unwrap().clone();
        let octets = memory.0.get_mut(&path).unwrap();
        for (at, how, text) in edits {
            let at = at % (octets.len() + 1);
            let end = (at + 1 + text.len() * 3).min(octets.len());
            match how {
                0 => { octets.drain(at..end); }
                1 => { octets.truncate(at.max(1)); }
                2 => { let copy = octets[at..end].to_vec(); octets.splice(at..at, copy); }
                3 => { if let Some(octet) = octets.get_mut(at) { *octet ^= 0x15; } }
                _ => { octets.splice(at..at, text.bytes()); }
            }
        }
        let loaded = load_memory(&memory);
        proptest::prop_assert_eq!(loaded.deployment.is_none(), loaded.findings.has_errors());
        shown(&loaded);
        crate::finding::render::reports(&loaded.findings, &loaded.files);
    }
}

/// A large zone takes seconds, not minutes. Not part of the usual run: `cargo test --lib large_zone
/// -- --ignored`.
#[test]
#[ignore = "a measurement"]
fn large_zone() {
    let mut memory = sample();
    let mut zone = String::from(
        "zone: big.example.\nsoa: { mname: ns, rname: h }\nrecords:\n  '@': { NS: ns }\n  ns: { A: 192.0.2.1 \
         }\n",
    );
    for i in 0..200_000 {
        zone.push_str(&format!("  h{i}: {{ A: 10.{}.{}.{} }}\n", i >> 16, i >> 8 & 255, i & 255));
    }
    memory.0.insert("zones/big.yaml".into(), zone.into());
    let begin = std::time::Instant::now();
    let loaded = load_memory(&memory);
    println!("200,000 owners in {:?}", begin.elapsed());
    assert!(loaded.deployment.is_some(), "{}", shown(&loaded));
}
