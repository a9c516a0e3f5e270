//! Random deployments: PoPs, policies with bands, rules, fences and weights, nested operator
//! networks and a small database, from one seed. Some are refused by the loader; those are not
//! served.

use meridian::testing::cli::geoip::build as geoip;
use meridian::testing::finding::FileId;
use meridian::testing::geo::prefix::Prefix;
use meridian::testing::geo::source_text::HEADER;
use std::collections::BTreeSet;
use std::fmt::Write as _;
use support::dice::Dice;
use support::{ServerFile, Tree, World, load};

const COUNTRIES: [(&str, &str); 8] = [
    ("DE", "EU"),
    ("US", "NA"),
    ("JP", "AS"),
    ("BR", "SA"),
    ("ZA", "AF"),
    ("NZ", "OC"),
    ("GB", "EU"),
    ("RU", "EU"),
];

/// Names that a generated deployment steers or leads to a steered name.
pub const NAMES: [&str; 8] = [
    "a.gen.example.",
    "b.gen.example.",
    "c.gen.example.",
    "d.gen.example.",
    "any.w.gen.example.",
    "one.gen.example.",
    "two.gen.example.",
    "www.other.example.",
];

/// A deployment, and the prefixes that its database and networks know.
pub struct Generated {
    pub tree: Tree,
    pub known: Vec<Prefix>,
}

/// The deployment of a seed, if the loader takes it.
pub fn world(seed: u64) -> Option<(World, Generated)> {
    let generated = generate(&mut Dice(seed));
    load(&generated.tree).ok().map(|world| (world, generated))
}

/// A deployment that the loader may refuse.
pub fn generate(dice: &mut Dice) -> Generated {
    let mut known = Vec::new();
    let pops = 2 + dice.below(9);
    let networks = networks(dice, pops, &mut known);
    let database = database(dice, &mut known);
    let site = if dice.once_in(2) { format!(", site: p{}", dice.below(pops)) } else { String::new() };
    let tree = Tree::of(ServerFile {
        node: &format!("name: n1{site}"),
        more: "policies: policies.yaml\ngeoip: { databases: [places.mmdb], networks: networks.yaml }\n",
        ..ServerFile::default()
    })
    .with("places.mmdb", database)
    .with("networks.yaml", networks)
    .with("pops.yaml", pops_file(dice, pops))
    .with("policies.yaml", policies(dice, pops))
    .with("zones/gen.example.yaml", zone(dice))
    .with(
        "zones/other.example.yaml",
        "zone: other.example.\nsoa: { mname: ns, rname: h }\nrecords:\n  \"@\": { NS: ns }\n  ns: { A: \
             192.0.2.1 }\n  \
             www: { CNAME: two.gen.example. }\n",
    );
    Generated { tree, known }
}

fn pops_file(dice: &mut Dice, pops: usize) -> String {
    let mut text = "pops:\n".to_owned();
    let mut before = (0.0, 0.0);
    for pop in 0..pops {
        let at = if pop > 0 && dice.once_in(5) {
            before
        } else {
            (dice.between(-90.0, 90.0), dice.between(-180.0, 180.0))
        };
        before = at;
        let families = if dice.once_in(4) { 1 + dice.below(2) } else { 3 };
        let mut addresses = Vec::new();
        for n in 0..1 + dice.below(4) {
            let weight = [0, 1, 50, 100][dice.below(4)];
            if families & 1 != 0 {
                addresses.push(format!("{{ address: 203.0.{pop}.{n}, weight: {weight} }}"));
            }
            if families & 2 != 0 {
                addresses.push(format!("{{ address: \"2001:db8:{pop:x}::{n:x}\", weight: {weight} }}"));
            }
        }
        let weight = if dice.once_in(6) { 0 } else { 1 + dice.below(200) };
        let state = ["auto", "auto", "auto", "auto", "auto", "drain", "down", "auto"][dice.below(8)];
        let bias = if dice.once_in(4) {
            format!("    bias: {}\n", dice.below(3000) as i32 - 1500)
        } else {
            String::new()
        };
        // Writing to a string does not fail.
        let _ = write!(
            text,
            "  p{pop}:\n    at: {{ lat: {:.4}, lon: {:.4} }}\n    weight: {weight}\n    state: {state}\n    \
             tags: [t{}]\n{bias}    addresses: [{}]\n",
            at.0,
            at.1,
            dice.below(2),
            addresses.join(", ")
        );
    }
    text
}

fn some_pops(dice: &mut Dice, pops: usize) -> Vec<String> {
    let mut all: Vec<String> = (0..pops).map(|p| format!("p{p}")).collect();
    let wanted = 1 + dice.below(pops);
    while all.len() > wanted {
        let gone = dice.below(all.len());
        all.remove(gone);
    }
    for index in (1..all.len()).rev() {
        let other = dice.below(index + 1);
        all.swap(index, other);
    }
    all
}

/// A list with a band of equals in it.
fn listed(dice: &mut Dice, pops: usize) -> String {
    let mut list = some_pops(dice, pops);
    if list.len() >= 3 && !dice.once_in(3) {
        let second = list.remove(1);
        list[0] = format!("[{}, {second}]", list[0]);
    }
    format!("[{}]", list.join(", "))
}

fn policies(dice: &mut Dice, pops: usize) -> String {
    let mut text = "policies:\n".to_owned();
    for name in ["p", "q", "r", "s"] {
        let (order, list) =
            if dice.once_in(3) { ("listed", listed(dice, pops)) } else { ("nearest", "all".to_owned()) };
        let band = ["none", "10%", "100%"][dice.below(3)];
        let _ = write!(
            text,
            "  {name}:\n    pops: {list}\n    order: {order}\n    band: {band}\n    answers: {}\n    depth: \
             {}\n    cell_max_v4: {}\n    cell_max_v6: {}\n    ecs: {}\n    when_all_down: {}\n",
            1 + dice.below(3),
            1 + dice.below(8),
            8 + dice.below(17),
            16 + dice.below(41),
            if dice.once_in(8) { "off" } else { "on" },
            ["as_if_up", "as_if_up", "nodata", "servfail", "last_good"][dice.below(5)],
        );
        if dice.once_in(4) {
            let _ = writeln!(text, "    spill_max_km: {}", 500 + dice.below(9000));
        }
        if dice.once_in(3) {
            let _ = writeln!(text, "    weights: {{ p0: {}, p1: {} }}", dice.below(100), 1 + dice.below(100));
        }
        // The last has no rules: CNAMEs of the others may lead to it.
        let rules = if name == "s" { 0 } else { dice.below(4) };
        if rules > 0 {
            text.push_str("    rules:\n");
        }
        for _ in 0..rules {
            let when = when(dice);
            let then = match dice.below(6) {
                0 => format!(
                    "cname: {}",
                    dice.pick(&["elsewhere.partner.example.", "e.gen.example.", "e.gen.example."])
                ),
                1 => "pops: { tag: t0 }".to_owned(),
                2 => format!("pops: {}, weights: {{ p0: {} }}", listed(dice, pops), dice.below(90)),
                3 => format!("pops: {}, fence: true", listed(dice, pops)),
                4 => format!("answers: {}", 1 + dice.below(4)),
                _ => format!(
                    "pops: {}, when_all_down: {}",
                    listed(dice, pops),
                    ["nodata", "servfail", "as_if_up"][dice.below(3)]
                ),
            };
            let _ = writeln!(text, "      - {{ when: {{ {when} }}, {then} }}");
        }
    }
    text
}

fn when(dice: &mut Dice) -> String {
    let (country, continent) = *dice.pick(&COUNTRIES);
    match dice.below(6) {
        0 => format!("country: {country}"),
        1 => format!("continent: {continent}"),
        2 => format!("network: n{}", dice.below(4)),
        3 => format!("resolver_network: n{}", dice.below(4)),
        4 => format!("asn: {}", 64496 + dice.below(4)),
        _ => format!("continent: {continent}, not: {{ country: {country} }}"),
    }
}

fn zone(dice: &mut Dice) -> String {
    let mut text = "zone: gen.example.\nsoa: { mname: ns, rname: h }\n".to_owned();
    let _ = writeln!(text, "chain: {}", ["full", "full", "first", "same_scope"][dice.below(4)]);
    text.push_str("records:\n  \"@\": { NS: ns }\n  ns: { A: 192.0.2.1 }\n");
    for owner in ["a", "b", "c", "d", "\"*.w\""] {
        let _ = writeln!(text, "  {owner}: {{ steer: {} }}", ["p", "q", "r"][dice.below(3)]);
    }
    text.push_str(
        "  one: { CNAME: a }\n  two: { CNAME: three }\n  three: { CNAME: x1.w }\n  e: { steer: s }\n",
    );
    text
}

/// A prefix near others, so that many nest.
fn prefix(dice: &mut Dice, known: &[Prefix], v6: bool) -> Prefix {
    let near: Vec<Prefix> = known.iter().copied().filter(|p| matches!(p, Prefix::V6 { .. }) == v6).collect();
    let address = if near.is_empty() || dice.once_in(3) {
        if v6 {
            format!("2400:{:x}::", dice.below(4) * 0x1111).parse().unwrap()
        } else {
            format!("{}.{}.0.0", dice.below(224), dice.below(4)).parse().unwrap()
        }
    } else {
        let around = *dice.pick(&near);
        dice.inside(around)
    };
    let len = if v6 { 12 + dice.below(60) } else { 1 + dice.below(31) };
    Prefix::new(address, len as u8)
}

fn networks(dice: &mut Dice, pops: usize, known: &mut Vec<Prefix>) -> String {
    let mut seen = BTreeSet::new();
    let mut text = String::new();
    for network in 0..4 {
        let mut prefixes = Vec::new();
        for _ in 0..1 + dice.below(4) {
            let v6 = dice.once_in(2);
            let prefix = prefix(dice, known, v6);
            if seen.insert(prefix) {
                prefixes.push(format!("\"{prefix}\""));
                known.push(prefix);
            }
        }
        let (country, _) = *dice.pick(&COUNTRIES);
        let fields = match dice.below(4) {
            0 => String::new(),
            1 => format!(", country: {country}"),
            2 => format!(", lat: {:.3}, lon: {:.3}", dice.between(-90.0, 90.0), dice.between(-180.0, 180.0)),
            _ => format!(", site: p{}", dice.below(pops)),
        };
        if prefixes.is_empty() {
            prefixes.push(format!("\"198.18.{network}.0/24\""));
        }
        let _ = writeln!(text, "n{network}: {{ prefixes: [{}]{fields} }}", prefixes.join(", "));
    }
    text
}

fn database(dice: &mut Dice, known: &mut Vec<Prefix>) -> Vec<u8> {
    let mut seen = BTreeSet::new();
    let mut text = format!("{HEADER}\n");
    for _ in 0..5 + dice.below(40) {
        let v6 = dice.once_in(2);
        let prefix = prefix(dice, known, v6);
        if !seen.insert(prefix) {
            continue;
        }
        known.push(prefix);
        let (country, continent) = *dice.pick(&COUNTRIES);
        let place = match dice.below(4) {
            0 => format!("{continent},{country},,,"),
            1 => format!("{continent},,,,"),
            _ => format!(
                "{continent},{country},,{:.4},{:.4}",
                dice.between(-90.0, 90.0),
                dice.between(-180.0, 180.0)
            ),
        };
        let asn = if dice.once_in(2) { (64496 + dice.below(4)).to_string() } else { String::new() };
        let _ = writeln!(text, "{prefix},{place},{asn},");
    }
    geoip::compile(&text, FileId(0), Some(1)).unwrap_or_else(|findings| panic!("{findings:?}\n{text}"))
}
