//! Laws of latency maps, over random deployments and measurements: a map depends on no order, moves
//! few clients, believes no single network, returns what it explored, and keeps the scope law.

use crate::reply::got;
use maxminddb::Reader;
use meridian::testing::cli::geoip::build as geoip;
use meridian::testing::cli::verify::verify_scopes;
use meridian::testing::finding::FileId;
use meridian::testing::geo::distance::great_circle_m;
use meridian::testing::geo::place::Coordinates;
use meridian::testing::geo::prefix::Prefix;
use meridian::testing::geo::source_text::HEADER;
use meridian::testing::wire::rr::RrType;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr};
use support::deployment::Deployment;
use support::dice::Dice;
use support::{ServerFile, Tree, load};

/// Seeds of a law.
const SEEDS: std::ops::Range<u64> = 0..12;
/// First line of measurements.
const ROWS: &str = "prefix,pop,hour,samples,rtt_ms";

/// Record of a map for a network.
#[derive(Clone, Debug, Deserialize, PartialEq)]
struct Said {
    pop: Vec<String>,
    rtt_ms: Vec<u16>,
    samples: Vec<u32>,
    source: Vec<String>,
    measured_at: Option<u64>,
    explored: Option<u16>,
    resolver: Option<Box<Said>>,
}

impl Said {
    /// The PoP that comes first where nothing is explored.
    fn settled(&self) -> &str {
        &self.pop[usize::from(self.explored.is_some())]
    }

    fn rtt_of(&self, pop: &str) -> Option<u16> {
        self.pop.iter().position(|name| name == pop).map(|at| self.rtt_ms[at])
    }
}

/// Samples of one network to one PoP.
#[derive(Clone, Debug)]
struct Sampled {
    unit: usize,
    pop: usize,
    samples: u64,
    rtt_ms: f64,
}

impl Sampled {
    fn line(&self) -> String {
        let network = network(self.unit);
        format!("{network}/24,p{:02},2026-11-27T08:00:00Z,{},{:.1}", self.pop, self.samples, self.rtt_ms)
    }
}

/// Latitude and longitude in degrees.
type Place = (f64, f64);

fn km_between(a: Place, b: Place) -> f64 {
    let point = |at: Place| Coordinates::from_degrees(at.0, at.1).expect("a place on earth");
    f64::from(great_circle_m(point(a), point(b))) / 1000.0
}

/// A deployment whose units are /24 networks, each at a place of its own or at that of the one
/// before.
struct Ground {
    deployment: Deployment,
    pops: Vec<Place>,
    units: Vec<Place>,
}

/// The network of a unit, in address space that is nowhere special.
fn network(unit: usize) -> Ipv4Addr {
    Ipv4Addr::from_bits(u32::from(Ipv4Addr::new(20, 0, 0, 0)) + ((unit as u32) << 8))
}

/// A place near one of six cities.
fn place(dice: &mut Dice, spread: f64) -> Place {
    let (lat, lon) =
        *dice.pick(&[(50.0, 8.0), (40.0, -75.0), (35.0, 139.0), (-23.0, -46.0), (1.0, 103.0), (52.0, 21.0)]);
    let (lat, lon) = (lat + dice.between(-spread, spread), lon + dice.between(-spread, spread));
    let rounded = |degrees: f64| (degrees * 1e4).round() / 1e4;
    (rounded(lat), rounded(lon))
}

/// The policies of a deployment: one by distance, one by latency, which differ in nothing else.
const POLICIES: &str = "policies:\n  near: { pops: all, order: nearest, band: none }\n  fast: { pops: all, \
                        order: latency, band: none }\n";

impl Ground {
    /// Networks side by side are often at one place, and then one unit.
    fn new(dice: &mut Dice, units: usize) -> Ground {
        Ground::of(dice, units, 3)
    }

    /// Each network is a unit of its own.
    fn apart(dice: &mut Dice, units: usize) -> Ground {
        Ground::of(dice, units, 1)
    }

    /// Networks of which one in `together` is at a place of its own.
    fn of(dice: &mut Dice, units: usize, together: usize) -> Ground {
        let pops: Vec<Place> = (0..3 + dice.below(12)).map(|_| place(dice, 12.0)).collect();
        let mut places: Vec<Place> = Vec::new();
        let mut source = format!("{HEADER}\n");
        for unit in 0..units {
            let at = if dice.once_in(together) { None } else { places.last().copied() };
            let at = at.unwrap_or_else(|| place(dice, 4.0));
            places.push(at);
            // Writing to a string does not fail.
            let _ = writeln!(source, "{}/24,,,,{:.4},{:.4},,", network(unit), at.0, at.1);
        }
        let database =
            geoip::compile(&source, FileId(0), Some(1)).unwrap_or_else(|findings| panic!("{findings:?}"));
        let mut list = "pops:\n".to_owned();
        for (pop, at) in pops.iter().enumerate() {
            let (lat, lon) = *at;
            let _ = writeln!(
                list,
                "  p{pop:02}: {{ at: {{ lat: {lat:.4}, lon: {lon:.4} }}, addresses: [203.0.113.{pop}] }}"
            );
        }
        let tree = Tree::of(ServerFile {
            more: "policies: policies.yaml\ngeoip: { databases: [places.mmdb] }\n",
            ..ServerFile::default()
        })
        .with("places.mmdb", database)
        .with("pops.yaml", list)
        .with("policies.yaml", POLICIES)
        .with(
            "zones/gen.example.yaml",
            "zone: gen.example.\nsoa: { mname: ns, rname: h }\nrecords:\n  \"@\": { NS: ns }\n  ns: { A: \
             192.0.2.1 }\n  a: { steer: near }\n  b: { steer: fast }\n",
        );
        Ground { deployment: Deployment::of(&tree), pops, units: places }
    }

    /// RTT of the model of distance, with something more: honest networks agree about the rest.
    fn rtt(&self, unit: usize, pop: usize, more: f64) -> f64 {
        let km = km_between(self.units[unit], self.pops[pop]);
        (3.5 + 18.0 * (1.0 - (-km / 900.0).exp()) + 0.017 * km + more).min(2999.0)
    }

    /// Samples of one in two units to up to six PoPs; a path has up to `noise` ms of its own.
    fn sampled(&self, dice: &mut Dice, noise: f64) -> Vec<Sampled> {
        let mut all = Vec::new();
        for unit in 0..self.units.len() {
            if !dice.once_in(2) {
                continue;
            }
            for pop in 0..self.pops.len() {
                if dice.below(self.pops.len()) < 6 {
                    let (samples, more) = (1 + dice.below(50) as u64, dice.between(0.0, noise));
                    all.push(Sampled { unit, pop, samples, rtt_ms: self.rtt(unit, pop, more) });
                }
            }
        }
        all.push(Sampled { unit: 0, pop: 0, samples: 3, rtt_ms: self.rtt(0, 0, 1.0) });
        all
    }

    /// A map of files of rows, and the report.
    fn build(&self, files: &[Vec<String>], more: &[&str]) -> (Vec<u8>, String) {
        let output = self.deployment.path("map.mmdb");
        let mut arguments: Vec<String> = ["latency", "build", "--epoch", "1795766400", "--output"]
            .map(str::to_owned)
            .into_iter()
            .chain([output.display().to_string()])
            .chain(more.iter().map(|word| (*word).to_owned()))
            .collect();
        for (number, lines) in files.iter().enumerate() {
            let name = format!("rows{number}.csv");
            self.deployment.write(&name, &format!("{ROWS}\n{}\n", lines.join("\n")));
            arguments.push(self.deployment.path(&name).display().to_string());
        }
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let (status, report, stderr) = self.deployment.run(&arguments);
        assert_eq!(status, 0, "{arguments:?}\n{stderr}");
        (std::fs::read(output).expect("the map"), report)
    }

    fn map(&self, sampled: &[Sampled], more: &[&str]) -> Vec<u8> {
        self.build(&[lines(sampled)], more).0
    }

    /// Keeps a map in the folder, for `--previous`.
    fn keep(&self, name: &str, map: &[u8]) -> String {
        let path = self.deployment.path(name);
        std::fs::write(&path, map).expect("the folder is ours");
        path.display().to_string()
    }

    /// Records of a map, by unit.
    fn said(&self, map: &[u8]) -> Vec<Said> {
        let reader = Reader::from_source(map).expect("a map");
        let of_unit = |unit| {
            let found = reader.lookup(IpAddr::V4(network(unit))).expect("a sound map");
            let mut record: BTreeMap<String, Said> = found.decode().expect("a record").expect("a place");
            record.remove("latency").expect("the key of a map")
        };
        (0..self.units.len()).map(of_unit).collect()
    }
}

fn lines(sampled: &[Sampled]) -> Vec<String> {
    sampled.iter().map(Sampled::line).collect()
}

fn shuffled(dice: &mut Dice, mut lines: Vec<String>) -> Vec<String> {
    for index in (1..lines.len()).rev() {
        lines.swap(index, dice.below(index + 1));
    }
    lines
}

/// A map depends on the set of its rows, in whatever order and files they come; and no row counts
/// for more than fifty samples, whatever it claims.
#[test]
fn the_order_of_rows_and_files_is_no_input() {
    for seed in SEEDS {
        let dice = &mut Dice(seed);
        let ground = Ground::new(dice, 40);
        let mut sampled = ground.sampled(dice, 60.0);
        // Rows of one key that differ, and that are equal.
        for _ in 0..20 {
            let again = dice.pick(&sampled).clone();
            let more = dice.between(0.0, 90.0);
            sampled.push(Sampled { rtt_ms: ground.rtt(again.unit, again.pop, more), ..again.clone() });
            sampled.push(again);
        }
        let (first, _) = ground.build(&[lines(&sampled)], &[]);
        assert_eq!(ground.map(&sampled, &[]), first, "repeated, seed {seed}");
        let mixed = shuffled(dice, lines(&sampled));
        let cut = dice.below(mixed.len() - 1) + 1;
        let files = [mixed[cut..].to_vec(), mixed[..cut].to_vec()];
        assert_eq!(ground.build(&files, &[]).0, first, "in other files, seed {seed}");
        let claim = |samples| {
            let of = |row: &Sampled| Sampled { samples, ..row.clone() };
            ground.map(&sampled.iter().map(of).collect::<Vec<_>>(), &[])
        };
        assert_eq!(claim(4_000_000_000), claim(50), "claims, seed {seed}");
    }
}

/// At most a twentieth of the demand moves in a build, and nothing for less than 10 ms and 10 %,
/// also away from a PoP that the new ranking has far behind. A map on top of itself is itself.
#[test]
fn a_build_moves_few_clients() {
    let mut moved_all = 0;
    for seed in SEEDS {
        let dice = &mut Dice(seed);
        let ground = Ground::apart(dice, 60);
        let before = ground.sampled(dice, 200.0);
        let old_map = ground.map(&before, &[]);
        let old = ground.keep("old.mmdb", &old_map);
        assert_eq!(ground.map(&before, &["--previous", &old]), old_map, "on top of itself, seed {seed}");
        let after = ground.sampled(dice, 200.0);
        let (new_map, report) = ground.build(&[lines(&after)], &["--previous", &old]);
        let known: BTreeSet<String> =
            ground.said(&old_map).iter().flat_map(|said| said.pop.clone()).collect();
        let mut demand = vec![1; ground.units.len()];
        after.iter().for_each(|row| demand[row.unit] += row.samples);
        let mut moved = 0;
        for ((unit, old), new) in ground.said(&old_map).iter().enumerate().zip(ground.said(&new_map)) {
            let (from, to) = (&old.pop[0], &new.pop[0]);
            if from == to || !known.contains(to) {
                continue;
            }
            moved += demand[unit];
            // A PoP that is no longer in the list is slower than those in it.
            let slower = new.rtt_of(from).unwrap_or(*new.rtt_ms.last().expect("a list"));
            let gain = slower.saturating_sub(new.rtt_ms[0]);
            let is_worth = gain >= 10 && f64::from(gain) >= 0.1 * f64::from(slower);
            assert!(is_worth || new.rtt_of(from).is_none(), "unit {unit} of seed {seed}: {old:?} {new:?}");
        }
        let all: u64 = demand.iter().sum();
        // The unit 0 has one more row, whose samples join those of another.
        let is_one = report.contains("moves     1 units ");
        assert!(is_one || moved * 20 <= all + 20 * 50, "{moved} of {all}, seed {seed}\n{report}");
        let share: f64 = report
            .split(" units (")
            .nth(1)
            .and_then(|rest| rest.split(' ').next())
            .map_or(0.0, |share| share.parse().expect("a share"));
        assert!(is_one || share <= 5.0, "{report}");
        moved_all += moved;
    }
    assert!(moved_all > 0, "nothing moved at all");
}

/// A network alone never moves another one, whatever it claims. Fewer than three networks correct
/// no estimate of others; among three, the median outvotes a liar.
#[test]
fn a_liar_moves_no_other_network() {
    for seed in SEEDS {
        let dice = &mut Dice(seed);
        let ground = Ground::new(dice, 40);
        let liar = 7;
        // Every PoP at once, each too slow or as fast as light allows.
        let lies = |dice: &mut Dice| -> Vec<Sampled> {
            let lie = |pop| {
                let km = km_between(ground.units[liar], ground.pops[pop]);
                let rtt_ms = if dice.once_in(2) { 2999.0 } else { km * 0.0099 + 0.3 };
                Sampled { unit: liar, pop, samples: 4_000_000_000, rtt_ms }
            };
            (0..ground.pops.len()).map(lie).collect()
        };
        let truth = |noise: f64| -> Vec<Sampled> {
            let told = |pop| Sampled { unit: liar, pop, samples: 50, rtt_ms: ground.rtt(liar, pop, noise) };
            (0..ground.pops.len()).map(told).collect()
        };
        let others = |map: &[u8]| {
            let mut said = ground.said(map);
            said.remove(liar);
            said
        };
        let alone = others(&ground.map(&truth(2.0), &[]));
        for _ in 0..3 {
            assert_eq!(others(&ground.map(&lies(dice), &[])), alone, "alone, seed {seed}");
        }
        let mut honest = ground.sampled(dice, 3.0);
        honest.retain(|row| row.unit != liar);
        let with = |rows: Vec<Sampled>| [honest.clone(), rows].concat();
        let old_map = ground.map(&with(truth(1.5)), &[]);
        let old = ground.keep("old.mmdb", &old_map);
        let told = others(&old_map);
        let lied = others(&ground.map(&with(lies(dice)), &[]));
        for (told, lied) in told.iter().zip(&lied) {
            for (pop, rtt_ms) in told.pop.iter().zip(&told.rtt_ms) {
                let other = lied.rtt_of(pop).unwrap_or(*rtt_ms);
                assert!(rtt_ms.abs_diff(other) <= 6, "seed {seed}:\n{told:?}\n{lied:?}");
            }
        }
        let first = |said: &[Said]| said.iter().map(|said| said.pop[0].clone()).collect::<Vec<_>>();
        let next = others(&ground.map(&with(lies(dice)), &["--previous", &old]));
        assert_eq!(first(&next), first(&told), "seed {seed}");
    }
}

/// Explored units are marked, cost at most 30 ms, and the next build returns them.
#[test]
fn explored_units_return() {
    let mut explored = 0;
    for seed in SEEDS {
        let dice = &mut Dice(seed);
        let ground = Ground::new(dice, 40);
        let sampled = ground.sampled(dice, 60.0);
        let plain = ground.map(&sampled, &[]);
        let old = ground.keep("old.mmdb", &plain);
        let trial = ground.map(&sampled, &["--previous", &old, "--explore", "50"]);
        for (plain, trial) in ground.said(&plain).iter().zip(ground.said(&trial)) {
            assert_eq!(trial.settled(), plain.pop[0]);
            assert_eq!(trial.explored.is_some(), trial.pop[0] != plain.pop[0]);
            assert!(trial.rtt_ms[0] <= plain.rtt_ms[0] + 30, "{plain:?} {trial:?}");
            explored += usize::from(trial.explored.is_some());
        }
        let trial = ground.keep("trial.mmdb", &trial);
        assert_eq!(ground.map(&sampled, &["--previous", &trial]), plain, "seed {seed}");
    }
    assert!(explored > 50, "{explored} explored");
}

/// The next map is the same whether or not the deployment has a map among its databases.
#[test]
fn a_map_in_service_cuts_no_unit() {
    for seed in SEEDS {
        let dice = &mut Dice(seed);
        let ground = Ground::new(dice, 40);
        let sampled = ground.sampled(dice, 60.0);
        let clients: Vec<String> =
            (0..4).map(|unit| format!("20.0.9.64/28,{}/24,1", network(unit))).collect();
        ground.deployment.write("clients.csv", &clients.join("\n"));
        let clients = ground.deployment.path("clients.csv").display().to_string();
        let first = ground.map(&sampled, &["--resolvers", &clients]);
        ground.keep("latency.mmdb", &first);
        for list in ["[places.mmdb, latency.mmdb]", "[latency.mmdb, places.mmdb]"] {
            let plain = ground.deployment.read("meridian.yaml");
            ground.deployment.write("meridian.yaml", &plain.replace("[places.mmdb]", list));
            assert_eq!(ground.map(&sampled, &["--resolvers", &clients]), first, "{list}, seed {seed}");
            ground.deployment.write("meridian.yaml", &plain);
        }
    }
}

/// Every scope of a policy by latency is true, also with lists for resolvers, and there are at most
/// 1.2 times as many as by distance where nothing is measured that differs from it.
#[test]
fn scopes_are_true_and_few() {
    let (mut by_latency, mut by_distance) = (0, 0);
    for seed in SEEDS {
        let dice = &mut Dice(seed);
        let ground = Ground::new(dice, 120);
        let sampled = ground.sampled(dice, 8.0);
        let clients: Vec<String> = (0..9)
            .map(|n| format!("{}/24,{}/24,1", network(n / 3), network(dice.below(ground.units.len()))))
            .collect();
        ground.deployment.write("clients.csv", &clients.join("\n"));
        let clients = ground.deployment.path("clients.csv").display().to_string();
        let map = ground.map(&sampled, &["--resolvers", &clients]);
        let read = |name: &str| std::fs::read(ground.deployment.path(name)).expect("the folder is ours");
        let tree = Tree::of(ServerFile {
            more: "policies: policies.yaml\ngeoip: { databases: [places.mmdb, latency.mmdb] }\n",
            ..ServerFile::default()
        })
        .with("places.mmdb", read("places.mmdb"))
        .with("latency.mmdb", map)
        .with("pops.yaml", read("pops.yaml"))
        .with("policies.yaml", POLICIES)
        .with("zones/gen.example.yaml", read("zones/gen.example.yaml"));
        let world = load(&tree).unwrap_or_else(|findings| panic!("seed {seed}: {findings}"));
        verify_scopes(&world.snapshot, 2)
            .unwrap_or_else(|faults| panic!("seed {seed}: {}", faults.join("\n")));
        // The distinct scopes of answers to the networks.
        let scopes = |name: &str| -> usize {
            let resolver = "192.0.2.77".parse().expect("an address");
            let scope = |unit| {
                let asked = Prefix::new(network(unit).into(), 24);
                let answer = got(&world.snapshot, name, RrType::A, Some(asked), resolver, 0);
                Prefix::new(network(unit).into(), answer.scope)
            };
            (0..ground.units.len()).map(scope).collect::<BTreeSet<Prefix>>().len()
        };
        by_latency += scopes("b.gen.example.");
        by_distance += scopes("a.gen.example.");
    }
    println!("{by_latency} scopes by latency, {by_distance} by distance");
    assert!(by_latency * 10 <= by_distance * 12, "{by_latency} scopes by latency, {by_distance} by distance");
}
