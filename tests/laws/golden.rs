//! Golden vectors: what each sample client gets, the hashes and the logarithms behind it.
//!
//! Every node of a fleet must answer the same client the same way, also while half of it runs the
//! next version. So these files change only on purpose: `MERIDIAN_GOLDEN=write cargo test --test
//! laws golden` writes them, and the commit that changes them says why clients move. The values
//! stand below the version of the algorithm and the digest of the sample's files: another value of
//! a known question is written only with another version or other files, so that state digests
//! differ too.

use meridian::testing::geo::prefix::Prefix;
use meridian::testing::steer::rendezvous::{Score, cell_key};
use meridian::testing::wire::hash;
use meridian::testing::wire::rr::RrType;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use support::dice::Dice;
use support::reply::Reply;
use support::{World, ask, query, sample, with_down};

/// Questions and values of a file: of each line, the words before and behind the place at which
/// `words` words have passed.
fn values(text: &str, words: usize) -> BTreeMap<Vec<&str>, Vec<&str>> {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let split = |line| {
        let mut question: Vec<&str> = str::split_ascii_whitespace(line).collect();
        let value = question.split_off(words.min(question.len() - 1));
        (question, value)
    };
    lines.map(split).collect()
}

/// Error if a question has another value below an equal head.
fn same_version(is: &str, was: &str, words: usize) -> Result<(), String> {
    if is.lines().next() != was.lines().next() {
        return Ok(());
    }
    let now = values(is, words);
    for (question, value) in values(was, words) {
        if now.get(&question).is_some_and(|now| *now != value) {
            let question = question.join(" ");
            return Err(format!("{question}: raise `ALGORITHM` in src/snapshot/digest.rs"));
        }
    }
    Ok(())
}

/// The first line of a file.
fn head(world: &World) -> String {
    format!("# {}; files {}\n", meridian::testing::snapshot::ALGORITHM, world.snapshot.files_digest())
}

#[test]
fn other_values_need_another_version() {
    assert!(same_version("# 5\na b 1", "# 5\na b 1", 2).is_ok());
    assert!(same_version("# 6\na b 2", "# 5\na b 1", 2).is_ok());
    assert!(same_version("# 5\na b 1\na c 1", "# 5\na b 1\na d 2", 2).is_ok());
    assert!(same_version("# 5\na b 2", "# 5\na b 1", 2).is_err());
}

/// Holds a text against a file, whose questions have so many words.
fn compare(file: &str, text: &str, words: usize) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(file);
    if std::env::var("MERIDIAN_GOLDEN").is_ok_and(|v| v == "write") {
        let was = std::fs::read_to_string(&path).unwrap_or_default();
        assert_eq!(same_version(text, &was, words), Ok(()), "{file}");
        std::fs::write(&path, text).unwrap();
    }
    let golden = std::fs::read_to_string(&path).unwrap();
    for (line, (is, was)) in text.lines().zip(golden.lines()).enumerate() {
        assert_eq!(is, was, "{file}, line {}", line + 1);
    }
    assert_eq!(text.lines().count(), golden.lines().count(), "{file}");
}

/// Name, client, scope, PoP and addresses, with all PoPs up and with two down; draw 42.
#[test]
fn answers() {
    let world = sample();
    let names = [
        "cdn.example.",
        "global.edge.cdn.example.",
        "video.edge.cdn.example.",
        "api.edge.cdn.example.",
        "c42.edge.cdn.example.",
        "www.shop.example.",
        "live.media.example.",
    ];
    let dice = &mut Dice(2026);
    let mut clients: Vec<Prefix> = [
        "192.0.2.0/24",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "198.18.0.0/24",
        "198.18.65.0/24",
        "10.0.0.0/8",
        "2001:db8:1000::/48",
        "2001:db8:5000::/48",
        "2002:c000:0204::/48",
        "::ffff:198.51.100.0/120",
        "::/1",
    ]
    .iter()
    .map(|text| support::prefix(text))
    .collect();
    for _ in 0..20 {
        let address = dice.client(&[]);
        let longest = if address.is_ipv4() { 24 } else { 56 };
        clients.push(Prefix::new(address, longest));
    }
    let mut text =
        head(&world) + "# name type client scope pop records; all PoPs up, then fra and iad down by probes\n";
    for (state, snapshot) in [("up", world.snapshot.clone()), ("down", with_down(&world, &["fra", "iad"]))] {
        for name in names {
            for rtype in [RrType::A, RrType::AAAA] {
                for client in &clients {
                    let (outcome, octets) =
                        ask(&snapshot, &query(name, rtype, Some(*client)), "192.0.2.77".parse().unwrap(), 42);
                    let pop = outcome
                        .pop()
                        .map_or("-", |(pop, _)| &snapshot.steering.pops[usize::from(pop.0)].name);
                    let records: Vec<String> =
                        Reply::of(&octets).answers().iter().map(|record| record.rdata.clone()).collect();
                    // Writing to a string does not fail.
                    let _ = writeln!(
                        text,
                        "{state} {name} {rtype} {client} {} {pop} {}",
                        outcome.scope,
                        records.join(" ")
                    );
                }
            }
        }
    }
    compare("answers.txt", &text, 4);
}

/// Hashes of names and octets, keys of cells, and who wins at which draw.
#[test]
fn hashes_and_scores() {
    let mut text = head(&sample()) + "# hashes, cell keys, and the winner of a rendezvous\n";
    for octets in ["", "a", "fra", "ams", "12345678", "123456789", "a rather long name of a pop"] {
        let _ = writeln!(text, "octets {octets:?} {:016x}", hash::octets(octets.as_bytes()));
    }
    for name in ["example.", "www.example.", "global.edge.cdn.example."] {
        let wire = meridian::testing::wire::name::Name::parse(name, None).unwrap();
        let _ = writeln!(text, "name {name} {:016x}", hash::name(wire.as_wire()));
    }
    for (a, b) in [(0, 0), (1, 2), (2, 1), (u64::MAX, u64::MAX)] {
        let _ = writeln!(text, "mix {a} {b} {:016x}", hash::mix(a, b));
    }
    for (family, cell) in [(4, 0u128), (4, 0xc633_6000), (6, 0x2001_0db8 << 96), (6, u128::MAX)] {
        let _ = writeln!(text, "cell {family} {cell:x} {:016x}", cell_key(family, cell, 7));
    }
    // The logarithm shows in the scores: each line is the draw's rank order under three weightings.
    let dice = &mut Dice(5);
    let seeds: Vec<u64> =
        ["fra", "ams", "lhr", "iad"].iter().map(|pop| hash::octets(pop.as_bytes())).collect();
    for _ in 0..200 {
        let key = dice.roll();
        let _ = write!(text, "score {key:016x}");
        for weights in [[100; 4], [100, 50, 25, 12], [1, 10, 1_000, 1_000_000]] {
            let mut winner = 0;
            for candidate in 1..seeds.len() {
                let score = |c: usize| Score::new(key, seeds[c], weights[c]);
                if score(candidate).beats(score(winner)) {
                    winner = candidate;
                }
            }
            let _ = write!(text, " {winner} {:?}", Score::new(key, seeds[0], weights[0]));
        }
        text.push('\n');
    }
    // The longest question is that of a cell.
    compare("hashes.txt", &text, 3);
}
