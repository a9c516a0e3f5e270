//! YAML files that are small as they are written and large as they are read. Each is refused by a
//! finding, within 64 MiB. What were quadratic would run for minutes here; no clock is asked.
//!
//! One test, so that nothing else allocates in its process.

#![cfg(target_os = "linux")]

use meridian::testing::config::{Sources, read_deployment};
use meridian::testing::finding::Severity;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

const SERVER: &str = "node: { name: n }\nlisten: { dns: '127.0.0.1:5300' }\npops: pops.yaml\npolicies: \
                      policies.yaml\nzones: zones\n";
const POPS: &str = "pops: { fra: { at: { lat: 1, lon: 2 }, addresses: 192.0.2.1 } }\n";
const POLICIES: &str = "policies: { web: { pops: all } }\n";
const ZONE: &str = "zone: z.example\nsoa: { mname: ns1, rname: h }\nrecords:\n  '@': { NS: ns1 }\n  \
                    ns1: { A: 203.0.113.1 }\n";
const ZONE_PATH: &str = "zones/z.yaml";

struct Memory(BTreeMap<PathBuf, Arc<[u8]>>);

impl Sources for Memory {
    fn read(&self, path: &Path) -> Result<Arc<[u8]>, String> {
        self.0.get(path).cloned().ok_or_else(|| "no such file".to_owned())
    }
    fn list(&self, folder: &Path) -> Result<Vec<PathBuf>, String> {
        Ok(self.0.keys().filter(|path| path.parent() == Some(folder)).cloned().collect())
    }
}

/// Octets of a line of `/proc/self/status`.
fn status(key: &str) -> u64 {
    let text = std::fs::read_to_string("/proc/self/status").expect("a file of Linux");
    let line = text.lines().find(|line| line.starts_with(key)).expect("a line of it");
    line.split_whitespace().nth(1).and_then(|kib| kib.parse::<u64>().ok()).expect("a number") * 1024
}

fn times(count: usize, one: impl Fn(usize) -> String) -> String {
    (0..count).fold(String::new(), |mut text, n| {
        let _ = write!(text, "{}", one(n));
        text
    })
}

/// Path, text, and the code of a finding; each row says what grows.
fn bombs() -> Vec<(&'static str, &'static str, String, &'static str)> {
    let megabyte = "x".repeat(1 << 20);
    vec![
        (
            "a megabyte ten thousand times",
            ZONE_PATH,
            format!("[&a \"{megabyte}\", {}*a]", "*a, ".repeat(10_000)),
            "MRD0106",
        ),
        (
            "a key of a megabyte ten thousand times",
            ZONE_PATH,
            format!("{ZONE}x: [&a {megabyte}, {}{{}}]", "{ *a : 1 }, ".repeat(10_000)),
            "MRD0106",
        ),
        (
            "lists of lists of lists",
            "policies.yaml",
            format!(
                "policies:\n  a: &a [x, x, x, x, x, x, x, x, x]\n{}",
                times(30, |n| {
                    let (new, old) = (n + 1, n);
                    let old = if old == 0 { "a".to_owned() } else { format!("a{old}") };
                    format!("  a{new}: &a{new} [*{old}, *{old}, *{old}, *{old}, *{old}, *{old}]\n")
                })
            ),
            "MRD0106",
        ),
        (
            "an anchor around each of many lists around a megabyte",
            ZONE_PATH,
            format!("{}\"{megabyte}\"{}", times(60, |n| format!("&a{n} [")), "]".repeat(60)),
            "MRD0106",
        ),
        (
            "eighty thousand keys merged into as many",
            "policies.yaml",
            format!(
                "base: &a {{ {} }}\nother: {{ <<: *a, {} }}\n",
                times(80_000, |n| format!("k{n}: 1, ")),
                times(80_000, |n| format!("l{n}: 1, "))
            ),
            "MRD0102",
        ),
        (
            "one map merged a hundred thousand times",
            "policies.yaml",
            format!("base: &a {{ k: 1, l: 2 }}\nother: {{ <<: [{}*a] }}\n", "*a, ".repeat(100_000)),
            "MRD0106",
        ),
        (
            "a key written half a million times",
            ZONE_PATH,
            format!("{ZONE}{}", "x: 1\n".repeat(500_000)),
            "MRD0103",
        ),
        (
            "two hundred thousand keys that are not known",
            "policies.yaml",
            format!("policies: {{ web: {{ pops: all, {} }} }}", times(200_000, |n| format!("orde{n}: 1, "))),
            "MRD0102",
        ),
        (
            "weights of PoPs that are not there",
            "policies.yaml",
            format!(
                "policies: {{ web: {{ pops: all, weights: {{ {} }} }} }}",
                times(200_000, |n| format!("p{n}: 1, "))
            ),
            "MRD0301",
        ),
        (
            "a hundred thousand CNAMEs to choose from",
            "policies.yaml",
            format!(
                "policies: {{ web: {{ pops: [{} nosuch] }} }}",
                times(100_000, |n| format!("{{ cname: x{n}.example. }}, "))
            ),
            "MRD0301",
        ),
        (
            "a hundred thousand addresses of one PoP",
            "pops.yaml",
            format!(
                "pops: {{ fra: {{ addresses: [{}] }} }}",
                times(100_000, |n| format!("198.51.{}.{}, ", n / 256 % 256, n % 256))
            ),
            "MRD0310",
        ),
        (
            "owners that a policy steers which is not there",
            ZONE_PATH,
            format!("{ZONE}{}", times(100_000, |n| format!("  w{n}: {{ steer: wbe }}\n"))),
            "MRD0302",
        ),
        ("brackets without end", ZONE_PATH, "[".repeat(1 << 20), "MRD0101"),
        ("a quoted text without end", ZONE_PATH, format!("a: \"{}", "\n ".repeat(1 << 19)), "MRD0101"),
    ]
}

#[test]
fn bombs_are_findings() {
    let sound =
        [("meridian.yaml", SERVER), ("pops.yaml", POPS), ("policies.yaml", POLICIES), (ZONE_PATH, ZONE)];
    let sound: BTreeMap<PathBuf, Arc<[u8]>> =
        sound.map(|(path, text)| (path.into(), text.as_bytes().into())).into();
    assert!(read_deployment(Path::new("meridian.yaml"), &Memory(sound.clone())).deployment.is_some());
    for (what, path, text, code) in bombs() {
        // What stands written may take its own room, whatever it says.
        let most = (64 << 20) + 8 * text.len() as u64;
        let mut memory = Memory(sound.clone());
        memory.0.insert(path.into(), text.into_bytes().into());
        // The peak begins anew at what the process has now (proc(5)).
        std::fs::write("/proc/self/clear_refs", "5").expect("a file of Linux");
        let before = status("VmRSS:");
        let loaded = read_deployment(Path::new("meridian.yaml"), &memory);
        let took = status("VmHWM:").saturating_sub(before);
        assert!(loaded.deployment.is_none(), "{what} is taken");
        let found: Vec<_> = loaded.findings.iter().filter(|f| f.severity == Severity::Error).collect();
        assert!(found.iter().any(|finding| finding.code.id == code), "{what}: {found:#?}");
        assert!(took <= most, "{what} took {} MiB", took >> 20);
    }
}
