//! Deployments by size: so many names, zones, PoPs, policies and networks, and questions that fit.

use crate::city::{self, Spot};
use meridian::testing::explain::dig;
use meridian::testing::geo::prefix::Prefix;
use meridian::testing::wire::name::Name;
use meridian::testing::wire::rr::RrType;
use std::fmt::Write as _;
use std::fs;
use std::net::Ipv4Addr;
use std::path::Path;
use support::dice::Dice;
use support::world::{head, server_file};

/// PoPs that a policy of its own set has, about.
const POPS_OF_POLICY: usize = 40;
/// One policy of so many has all PoPs.
const ALL_POPS_EVERY: usize = 10;
/// Names of each small zone.
const NAMES_OF_ZONE: usize = 10;

/// Sizes of the parts of a deployment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// Names of the one large zone.
    pub names: usize,
    /// Names of another one, written as YAML; none if there is no such zone.
    pub yaml: usize,
    /// Small zones, each with ten names, one of them steered.
    pub zones: usize,
    /// PoPs all over the world.
    pub pops: usize,
    /// Policies, each with PoPs and rules of its own, all by distance.
    pub policies: usize,
    /// Networks of the database.
    pub networks: usize,
    /// Places of the database.
    pub places: usize,
}

impl Size {
    /// As words of a command line.
    pub fn words(self) -> [String; 7] {
        [self.names, self.yaml, self.zones, self.pops, self.policies, self.networks, self.places]
            .map(|n| n.to_string())
    }

    /// From words of a command line.
    pub fn read(words: &[String]) -> Option<Size> {
        let numbers: Vec<usize> = words.iter().filter_map(|word| word.parse().ok()).collect();
        let [names, yaml, zones, pops, policies, networks, places] = numbers[..] else { return None };
        Some(Size { names, yaml, zones, pops, policies, networks, places })
    }

    /// Writes the files.
    pub fn write(self, folder: &Path) {
        let mut dice = Dice(1);
        for below in ["zones", "state"] {
            fs::create_dir_all(folder.join(below)).expect("a folder can be made");
        }
        let put = |path: &str, octets: Vec<u8>| {
            fs::write(folder.join(path), octets).expect("a file can be written")
        };
        let spots = city::spots(self.places, &mut dice);
        put("city.mmdb", city::database(self.networks, &spots, &mut dice));
        put("meridian.yaml", server_file(5300, "geoip: { databases: [city.mmdb] }\n").into());
        put("pops.yaml", self.pops(&spots, &mut dice).into());
        put("policies.yaml", self.policies().into());
        let mut text = head("big.example.");
        for host in 0..self.names {
            let _ = writeln!(text, "host{host:06} 300 IN A {}", Ipv4Addr::from(0x0a00_0000 + host as u32));
        }
        put("zones/big.example.zone", text.into());
        if self.yaml > 0 {
            put("zones/yaml.example.yaml", self.in_yaml().into());
        }
        for zone in 0..self.zones {
            put(&format!("zones/z{zone}.example.zone"), small(zone).into());
            let policy = zone % self.policies;
            put(
                &format!("zones/z{zone}.example.yaml"),
                format!("zone: z{zone}.example.\nrecords:\n  s: {{ steer: w{policy} }}\n").into(),
            );
        }
    }

    fn in_yaml(self) -> String {
        let mut text = "zone: yaml.example.\nttl: 300\nsoa: { mname: ns1, rname: hostmaster, negative_ttl: \
            60 }\nrecords:\n  \"@\": { NS: ns1 }\n  ns1: { A:                         203.0.113.53 }\n"
            .to_owned();
        for host in 0..self.yaml {
            let _ = writeln!(text, "  host{host:06}: {{ A: {} }}", Ipv4Addr::from(0x0a00_0000 + host as u32));
        }
        text
    }

    /// PoPs at places of the database; the tags say which policies have them.
    fn pops(self, spots: &[Spot], dice: &mut Dice) -> String {
        let mut text = "pops:\n".to_owned();
        let every = (self.pops / POPS_OF_POLICY).max(1);
        for pop in 0..self.pops {
            let spot = spots[dice.below(spots.len())];
            let of: Vec<String> = (0..self.policies)
                .filter(|policy| (pop + policy * 7) % every == policy % every)
                .map(|p| format!("p{p}"))
                .collect();
            let (high, low) = (pop >> 8, pop & 255);
            let _ = writeln!(
                text,
                "  n{pop}: {{ at: {{ lat: {:.4}, lon: {:.4} }}, addresses: [5.{high}.{low}.10, \
                 \"2a0f:{pop:x}::10\"], tags: [{}] }}",
                spot.lat,
                spot.lon,
                of.join(", ")
            );
        }
        text
    }

    fn policies(self) -> String {
        let mut text = "policies:\n".to_owned();
        for policy in 0..self.policies {
            let pops =
                if policy % ALL_POPS_EVERY == 0 { "all".to_owned() } else { format!("{{ tag: p{policy} }}") };
            let (country, pop) = (city::code(policy % 200), policy % self.pops);
            let _ = writeln!(
                text,
                "  w{policy}:\n    pops: {pops}\n    band: {}%\n    rules:\n      - {{ when: {{ country: \
                 {country} }}, pops: [n{pop}] }}",
                5 + policy % 10
            );
        }
        text
    }

    /// Questions for names of the large zone.
    pub fn plain(self, count: usize) -> Questions {
        let mut dice = Dice(2);
        Questions::of(
            (0..count).map(|_| query(&format!("host{:06}.big.example.", dice.below(self.names)), None)),
        )
    }

    /// Questions for steered names, by client subnet.
    pub fn steered(self, count: usize) -> Questions {
        let mut dice = Dice(3);
        let subnet = |dice: &mut Dice| {
            Prefix::new(Ipv4Addr::from((11 << 24) + ((dice.below(180 << 16) as u32) << 8)).into(), 24)
        };
        Questions::of(
            (0..count)
                .map(|_| query(&format!("s.z{}.example.", dice.below(self.zones)), Some(subnet(&mut dice)))),
        )
    }
}

/// Questions, one behind the other, so that reading them misses no cache that a server's buffers
/// would not.
pub struct Questions {
    octets: Vec<u8>,
    ends: Vec<u32>,
}

impl Questions {
    fn of(packets: impl Iterator<Item = Vec<u8>>) -> Questions {
        let mut questions = Questions { octets: Vec::new(), ends: Vec::new() };
        for packet in packets {
            questions.octets.extend(packet);
            questions.ends.push(questions.octets.len() as u32);
        }
        questions
    }

    pub fn count(&self) -> usize {
        self.ends.len()
    }

    pub fn at(&self, index: usize) -> &[u8] {
        let start = index.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.octets[start as usize..self.ends[index] as usize]
    }
}

fn query(name: &str, ecs: Option<Prefix>) -> Vec<u8> {
    dig::query(&Name::parse(name, None).expect("a name made here"), RrType::A, ecs)
}

fn small(zone: usize) -> String {
    let mut text = head(&format!("z{zone}.example."));
    for host in 2..NAMES_OF_ZONE {
        let _ = writeln!(text, "h{host} A 203.0.113.{host}");
    }
    text
}
