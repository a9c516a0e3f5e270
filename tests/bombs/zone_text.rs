//! Zone text that makes much of little.

use super::{Bomb, check, load, load_by};
use meridian::testing::config::{ReadResult, Sources};
use meridian::testing::finding::render;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use support::Tree;

const HEAD: &str = "$TTL 60\n@ SOA ns1 host 1 2 3 4 5\n@ NS ns1\nns1 A 192.0.2.1\n";
const FILE: &str = "zones/bomb.example.zone";

fn zone(name: &'static str, text: String, told: Option<(&'static str, &'static str)>) -> Bomb {
    Bomb { name, files: vec![(FILE.to_owned(), format!("{HEAD}{text}").into_bytes())], told }
}

/// Strings of a TXT record that has so many octets.
fn strings(octets: usize) -> String {
    format!("{} ", "x".repeat(250)).repeat(octets / 251)
}

const LIMIT: &str = "MRD0106";

#[test]
fn templates() {
    let wide = "${0,250,d} ".repeat(200);
    let blanks = " ".repeat(1 << 20);
    for bomb in [
        // 65,536 times 58 KB were 3.7 GB.
        zone(
            "large data",
            format!("$GENERATE 0-65535 a$ TXT {}\n", strings(58_000)),
            Some((LIMIT, "zones/bomb.example.zone:5:26")),
        ),
        zone(
            "wide fields",
            format!("$GENERATE 0-65535 a$ TXT {wide}\n"),
            Some((LIMIT, "zones/bomb.example.zone:5:26")),
        ),
        zone(
            "quoted",
            format!("$GENERATE 0-65535 a$ TXT \"{wide}\"\n"),
            Some((LIMIT, "zones/bomb.example.zone:5:27")),
        ),
        // A modifier of a megabyte that makes one digit.
        zone(
            "long modifier",
            format!("$GENERATE 0-65535 a${{{}0}} A 192.0.2.1\n", "0".repeat(1 << 20)),
            Some(("MRD0222", "zones/bomb.example.zone:5:19")),
        ),
        // The place of each record was counted from the start of the line.
        zone("blanks", format!("$GENERATE{blanks}0-65535 a$ A 192.0.2.1\n"), None),
        zone("blanks before data", format!("$GENERATE 0-65535 a$ A {blanks}192.0.2.1\n"), None),
        zone("no number", "$GENERATE 0-65535 a A 192.0.2.1\n".to_owned(), None),
        zone("out of the zone", "$GENERATE 0-65535 a$.other. A 192.0.2.1\n".to_owned(), None),
        zone(
            "too many",
            "$GENERATE 0-65535 a$ A 192.0.2.1\n$GENERATE 0-1 b$ A 192.0.2.1\n".to_owned(),
            Some(("MRD0222", "zones/bomb.example.zone:6:11")),
        ),
    ] {
        check(&bomb);
    }
}

#[test]
fn included_files() {
    let part = format!("a TXT {}\n", strings(50_000)).repeat(100);
    let include = "$INCLUDE part.inc\n".repeat(1_000);
    let mut again = zone("a file again and again", include, Some((LIMIT, "zones/part.inc:1:7")));
    again.files.push(("zones/part.inc".to_owned(), part.into_bytes()));
    // The place depends on the octets of records, which is not what is tested.
    let read = load(&again);
    let told = render::text(&read.findings, &read.files, false);
    assert!(told.contains("error[MRD0106]") && read.deployment.is_none(), "{told}");
    // Each file includes the next forty times.
    let mut tree =
        zone("files of files", "$INCLUDE 0.inc\n".to_owned(), Some(("MRD0221", "zones/6.inc:40:10")));
    for depth in 0..8 {
        let text = format!("$INCLUDE {}.inc\n", depth + 1).repeat(40);
        tree.files.push((format!("zones/{depth}.inc"), text.into_bytes()));
    }
    tree.files.push(("zones/8.inc".to_owned(), b"a A 192.0.2.1\n".to_vec()));
    let read = load(&tree);
    assert!(render::text(&read.findings, &read.files, false).contains("MRD0221"));
}

/// However many files are bombs, they are blamed alone: files beside them that need the budget have
/// all of it. Files that are none are blamed in the order of their names where they do not fit
/// together. On several cores it is the same.
#[test]
fn many_files() {
    let bomb = format!("{HEAD}$GENERATE 0-65535 a$ TXT {}\n", strings(1_500));
    // Some 21 million steps, within a part of the budget: six fit.
    let large = format!("{HEAD}$GENERATE 0-65535 a$ TXT {}\n", strings(300));
    let good = format!("{HEAD}$GENERATE 0-65535 a$ A 192.0.2.1\n");
    // Bombs, large ones, good ones, and good ones that include a file; how many large ones fit.
    for (bombs, larges, goods, including, fit) in
        [(30, 0, 0, 0, 0), (200, 0, 5, 0, 0), (20, 0, 3, 2, 0), (3, 4, 0, 0, 4), (2, 8, 0, 0, 6)]
    {
        let many = |name: &'static str, count: usize, text: &str| {
            let text = text.as_bytes().to_vec();
            (0..count).map(move |n| (format!("zones/{name}{n:03}.example.zone"), text.clone()))
        };
        // Those that include stand before and behind the others.
        let include = format!("{good}$INCLUDE part.inc\n");
        let files = [("zones/part.inc".to_owned(), b"b A 192.0.2.1\n".to_vec())]
            .into_iter()
            .chain(many("abomb", bombs, &bomb))
            .chain(many("large", larges, &large))
            .chain(many("zgood", goods, &good))
            .chain(many("including", including, &include));
        let bomb = Bomb { name: "many files", files: files.collect(), told: None };
        let read = load(&bomb);
        let errors = |code: &str| {
            let blamed = read.findings.iter().filter(|finding| finding.code.id == code);
            blamed
                .filter_map(|finding| Some(read.files.path(finding.at?.file).to_owned()))
                .collect::<Vec<_>>()
        };
        let names = |name: &str, from: usize, to: usize| {
            (from..to).map(|n| format!("zones/{name}{n:03}.example.zone")).collect::<Vec<_>>()
        };
        let row = format!("{bombs} {larges} {goods} {including}");
        assert_eq!(errors("MRD0106"), names("abomb", 0, bombs), "{row}");
        assert_eq!(errors("MRD0112"), names("large", fit, larges), "{row}");
        let told = |read: &ReadResult| render::text(&read.findings, &read.files, false);
        assert_eq!(told(&load_by(&bomb, Threads)), told(&read), "{row}");
    }
}

/// Files whose work is shared among threads.
struct Threads(Tree);

impl Sources for Threads {
    fn read(&self, path: &Path) -> Result<Arc<[u8]>, String> {
        self.0.read(path)
    }
    fn list(&self, folder: &Path) -> Result<Vec<PathBuf>, String> {
        self.0.list(folder)
    }
    fn own_secret(&self) -> Option<[u8; 16]> {
        self.0.own_secret()
    }
    fn each(&self, count: usize, work: &(dyn Fn(usize) + Sync)) {
        let next = AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    // Each number is taken once.
                    while let Some(number) = Some(next.fetch_add(1, Ordering::Relaxed)).filter(|n| *n < count)
                    {
                        work(number);
                    }
                });
            }
        });
    }
}

/// A zone that is a bomb takes nothing from the one beside it.
#[test]
fn a_bomb_and_a_good_zone() {
    let bomb = format!("{HEAD}$GENERATE 0-65535 a$ TXT {}\n", strings(58_000));
    let good = format!("{HEAD}$GENERATE 0-65535 a$ A 192.0.2.1\n$INCLUDE part.inc\n$INCLUDE part.inc\n");
    let files =
        [(FILE, bomb), ("zones/part.inc", "b A 192.0.2.1\n".to_owned()), ("zones/zgood.example.zone", good)];
    let files = files.into_iter().map(|(path, text)| (path.to_owned(), text.into_bytes())).collect();
    check(&Bomb { name: "a bomb beside a zone", files, told: Some((LIMIT, "zones/bomb.example.zone:5:26")) });
    let read = load(&zone("alone", "$GENERATE 0-65535 a$ A 192.0.2.1\n".to_owned(), None));
    assert!(read.deployment.is_some());
}

/// Text that is only long is read in linear time.
#[test]
fn long_texts() {
    let many = |count: usize, line: &dyn Fn(usize) -> String| (0..count).map(line).collect::<String>();
    let deep = "a.".repeat(115);
    for bomb in [
        zone("open parentheses", "(".repeat(4 << 20), Some(("MRD0219", "zones/bomb.example.zone:5:1"))),
        zone("parentheses", format!("a A {}192.0.2.1{}\n", "(".repeat(2 << 20), ")".repeat(2 << 20)), None),
        zone(
            "open quotes",
            format!("a TXT x\n{}\"", "\"\"\n".repeat(1 << 20)),
            Some(("MRD0108", "zones/bomb.example.zone:6:2")),
        ),
        zone(
            "long word",
            format!("{} A 192.0.2.1\n", "a".repeat(4 << 20)),
            Some(("MRD0108", "zones/bomb.example.zone:5:1")),
        ),
        zone(
            "long type",
            format!("a {} 192.0.2.1\n", "A".repeat(4 << 20)),
            Some(("MRD0207", "zones/bomb.example.zone:5:3")),
        ),
        zone(
            "many words",
            format!("a TXT {}\n", "x ".repeat(1 << 20)),
            Some(("MRD0219", "zones/bomb.example.zone:5:280003")),
        ),
        zone(
            "many parameters",
            many(20, &|n| format!("a{n} HTTPS 1 . {}\n", many(14_000, &|key| format!("key{} ", key + 100)))),
            None,
        ),
        zone("one owner", many(30_000, &|n| format!("a TYPE{} \\# 1 00\n", n + 1_000)), None),
        zone("one set", many(3_700, &|n| format!("a A 10.0.{}.{}\n", n / 250, n % 250)), None),
        zone("a chain of aliases", many(30_000, &|n| format!("c{n} CNAME c{}\n", n + 1)), None),
        zone(
            "a circle of aliases",
            format!("{}c30000 CNAME c0\n", many(30_000, &|n| format!("c{n} CNAME c{}\n", n + 1))),
            None,
        ),
        zone("a chain of DNAMEs", many(30_000, &|n| format!("d{n} DNAME d{}\n", n + 1)), None),
        zone("deep names", many(20_000, &|n| format!("{deep}n{n} A 192.0.2.1\n")), None),
        zone("deep cuts", many(20_000, &|n| format!("{deep}n{n} NS x.{deep}n{n}\n")), None),
        zone("empty lines", "\r".repeat(4 << 20), None),
        zone("escapes", format!("a TXT {}\n", format!("{} ", "\\120".repeat(250)).repeat(200)), None),
    ] {
        check(&bomb);
    }
}

/// The CNAMEs of a policy stand behind each of its owners; they are followed once.
#[test]
fn a_policy_behind_many_owners() {
    let rules: String =
        (0..2_000).map(|n| format!("{{ when: {{ asn: {} }}, cname: t{n}.bomb.example. }},", n + 1)).collect();
    let policies = format!("policies: {{ many: {{ pops: all, rules: [{rules}] }} }}\n");
    let owners: String = (0..30_000).map(|n| format!("  t{n}: {{ steer: many }}\n")).collect();
    let zone = format!(
        "zone: bomb.example.\nsoa: {{ mname: ns1, rname: host }}\nrecords:\n  '@': {{ NS: ns1 }}\n  \
         ns1: {{ A: 192.0.2.1 }}\n{owners}"
    );
    // No other zone of the sample finds its policies.
    let files = [("policies.yaml", policies), ("zones/bomb.example.yaml", zone)];
    let files = files.into_iter().map(|(path, text)| (path.to_owned(), text.into_bytes())).collect();
    let read = load(&Bomb { name: "a policy behind many owners", files, told: None });
    assert!(render::text(&read.findings, &read.files, false).contains("MRD0203"));
}
