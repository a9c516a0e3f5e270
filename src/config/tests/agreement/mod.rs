//! The JSON Schema and the reader accept and refuse the same files. Files are generated from the
//! catalogue, which is the grammar of both, as YAML text and as the JSON value that an editor with
//! YAML 1.2 makes of it; some parts are mutated. A schema cannot check whether a name exists or two
//! values fit each other: these faults are listed here, and everything else must agree.

mod grammar;

use self::grammar::Grammar;
use super::*;
use crate::cli::schema::json;
use crate::config::catalogue::FILES;
use crate::finding::{Code, code};
use boon::{Compiler, SchemaIndex, Schemas};

/// Files of each kind: ten thousand for all five kinds.
const FILES_EACH: u64 = 2_000;

/// Codes of faults that no schema can see: references by name, and the syntax inside a text.
const BEYOND_CODES: &[Code] = &[
    code::UNREADABLE,
    code::DUPLICATE_KEY,
    code::BAD_ADDRESS,
    code::BAD_CERTIFICATE,
    code::BAD_NAME,
    code::BAD_RDATA,
    code::BAD_PLACE,
    code::DUPLICATE_ADDRESS,
    code::DUPLICATE_POP,
    code::DUPLICATE_PREFIX,
    code::DUPLICATE_RECORD,
    code::CNAME_AND_OTHER,
    code::CNAME_LOOP,
    code::CNAME_TARGET,
    code::STEERED_AND_STATIC,
    code::STEERED_CNAME_PLACE,
    code::NO_SOA,
    code::NO_NS,
    code::OUT_OF_ZONE,
    code::UNKNOWN_TYPE,
    code::TTL_DIFFERS,
    code::SOA_FIELDS,
    code::NO_SUCH_POP,
    code::NO_SUCH_POLICY,
    code::NO_SUCH_SERVICE,
    code::NO_SUCH_NETWORK,
    code::NO_SUCH_TAG,
    code::NO_SUCH_SITE,
    code::NO_SUCH_PROBE,
    code::NO_CANDIDATES,
    code::NO_COORDINATES,
    code::FENCE_FAMILY,
    code::UNREACHABLE_RULE,
    code::FALLBACK_OUTSIDE_FENCE,
    code::PROBE_LOOP,
    code::POLICY_LOOP,
    code::USED_SERVICE,
    code::EXPOSED_NAME,
];

/// Fragments of findings about two values that do not fit each other, whose codes are also used for
/// faults of form.
const BEYOND_WORDS: &[&str] = &[
    "is more than the largest",
    "needs a certificate",
    "must be shorter than `every`",
    "must be longer than `every`",
    "must be less than `limit`",
    "the group requires",
    "can never be in service",
    "does not use the network",
    "`none` excludes other probes",
    "has no body",
    "trusts every certificate",
    "applies to a whole policy",
    "since no policy decides here",
    "belongs to no single service",
    "is listed twice",
    "names core",
    "not in the policy",
    "is not among the `pops` of this policy",
    "is the status of interim responses",
    "cannot be named",
];

/// A deployment around one file of each kind.
fn around(path: &str) -> Memory {
    let mut memory = Memory::default();
    let files: [(&str, &str); 11] = [
        (
            "meridian.yaml",
            "{ node: { name: n, site: fra }, listen: { dns: '127.0.0.1:5300' }, pops: pops.yaml, policies: \
             policies.yaml, zones: zones/, geoip: { networks: geoip/networks.yaml } }",
        ),
        (
            "pops.yaml",
            "pops:\n  fra: { at: { lat: 1, lon: 2 }, addresses: [192.0.2.1, '2001:db8::1'], tags: [eu], \
             services: { video: { addresses: [192.0.2.2, '2001:db8::2'] } } }\n  ams: { at: { lat: 2, lon: 3 \
             }, addresses: [192.0.2.3, '2001:db8::3'], tags: [eu], services: { video: { addresses: \
             [192.0.2.4, '2001:db8::4'] } } }\n",
        ),
        ("policies.yaml", "policies: { web: { pops: all }, nearest: { pops: all } }"),
        ("geoip/networks.yaml", "office: 198.18.0.0/24"),
        ("zones/z.example.yaml", super::faults::ZONE),
        ("zones/z.example.zone", "@ 60 NS ns\nns 60 A 203.0.113.9\n"),
        ("cookies.secrets", "00112233445566778899aabbccddeeff"),
        ("probes-ca.pem", super::probes::PEM),
        ("tls.pem", &super::broken::BOTH),
        ("admin.tokens", "ops 0123456789abcdef0123456789abcdef"),
        ("geoip/places.mmdb", "0"),
    ];
    for (path, text) in files {
        memory.0.insert(path.into(), text.as_bytes().to_vec());
    }
    if path == "pops.yaml" {
        // Nothing refers to its PoPs.
        let server =
            "{ node: { name: n }, listen: { dns: '127.0.0.1:5300' }, pops: pops.yaml, zones: zones/ }";
        memory.0.insert("meridian.yaml".into(), server.into());
        let zone = super::faults::ZONE.replace("  www: { steer: web }\n", "");
        memory.0.insert("zones/z.example.yaml".into(), zone.into());
    }
    memory
}

/// Path of a kind of file in [`around`].
fn path_of(word: &str) -> &'static str {
    match word {
        "server" => "meridian.yaml",
        "pops" => "pops.yaml",
        "policies" => "policies.yaml",
        "networks" => "geoip/networks.yaml",
        _ => "zones/z.example.yaml",
    }
}

struct Judge {
    schemas: Schemas,
    index: SchemaIndex,
}

impl Judge {
    fn of(schema: &str) -> Judge {
        let (mut schemas, mut compiler) = (Schemas::new(), Compiler::new());
        compiler.add_resource("schema.json", serde_json::from_str(schema).unwrap()).unwrap();
        let index = compiler.compile("schema.json", &mut schemas).unwrap();
        Judge { schemas, index }
    }

    /// Fault found by the schema.
    fn fault(&self, value: &serde_json::Value) -> Option<String> {
        self.schemas.validate(value, self.index).err().map(|error| format!("{error:#}"))
    }
}

fn is_beyond(finding: &crate::finding::Finding) -> bool {
    BEYOND_CODES.contains(&finding.code) || BEYOND_WORDS.iter().any(|words| finding.message.contains(words))
}

/// Reports a difference between schema and reader about a text; otherwise whether it was accepted,
/// and whether the verdict depended only on its form.
fn compare(judge: &Judge, path: &str, yaml: &str, value: &serde_json::Value) -> Result<(bool, bool), String> {
    let mut memory = around(path);
    memory.0.insert(path.into(), yaml.as_bytes().to_vec());
    let loaded = load_memory(&memory);
    let errors: Vec<_> = loaded.findings.iter().filter(|f| f.severity == Severity::Error).collect();
    let form = errors.iter().any(|finding| !is_beyond(finding));
    match judge.fault(value) {
        Some(fault) if errors.is_empty() => {
            Err(format!("the reader accepts, the schema refuses:\n{yaml}\n{fault}"))
        }
        None if form => Err(format!("the schema accepts, the reader refuses:\n{yaml}\n{}", shown(&loaded))),
        fault => Ok((errors.is_empty(), fault.is_some() || errors.is_empty())),
    }
}

#[test]
fn schema_and_reader_agree() {
    let mut faults = Vec::new();
    for kind in &FILES {
        let judge = Judge::of(&json::of(kind));
        let (mut accepted, mut judged) = (0, 0);
        for seed in 0..FILES_EACH {
            let made = Grammar::new(seed).file(kind);
            match compare(&judge, path_of(kind.word), &made.yaml, &made.json) {
                Ok((is_accepted, is_judged)) => {
                    accepted += u64::from(is_accepted);
                    judged += u64::from(is_judged);
                }
                Err(fault) => faults.push(format!("{} {seed}: {fault}", kind.word)),
            }
        }
        // Otherwise the files prove too little.
        if accepted < FILES_EACH / 30 || judged < FILES_EACH / 4 {
            faults.push(format!("{}: {accepted} accepted, {judged} judged by their form", kind.word));
        }
    }
    let shown: Vec<&String> = faults.iter().rev().take(12).collect();
    assert!(faults.is_empty(), "{} differ; {shown:#?}", faults.len());
}
