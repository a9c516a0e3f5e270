//! The deployment that most people run: twelve PoPs over the world with two families and several
//! addresses each, policies of every shape, names of several, customers' zones, and a database of
//! countries with networks of both families. With it the kinds of questions that are measured.

use super::crowd::{self, Crowd};
pub use super::kind::Kind;
use super::measured;
use super::{ByCountry, Countries, Deployment, Expected, Question, WorldSize, database};
use super::{COUNTRIES, add_cookie, begin, head, server_of};
use crate::dice::Dice;
use Kind::*;
use meridian::testing::explain::dig;
use meridian::testing::geo::prefix::Prefix;
use meridian::testing::wire::name::Name;
use meridian::testing::wire::rr::RrType;
use std::fmt::Write as _;
use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::Path;

/// A PoP: its name, where it stands, its country and the group that it is in, its weight, and which
/// of [`COUNTRIES`] a table by country sends to it.
pub type Site = (&'static str, (f64, f64), &'static str, &'static str, u32, &'static [&'static str]);

/// The PoPs. The octet of each in its addresses is its place here.
pub const SITES: [Site; 12] = [
    ("fra", (50.11, 8.68), "DE", "eu", 200, &["DE", "PL", "IT", "EG"]),
    ("ams", (52.37, 4.90), "NL", "eu", 50, &["NL"]),
    ("lhr", (51.51, -0.13), "GB", "eu", 100, &["GB", "FR"]),
    ("iad", (39.04, -77.49), "US", "na", 200, &["US"]),
    ("dfw", (32.78, -96.80), "US", "na", 100, &["MX"]),
    ("lax", (34.05, -118.24), "US", "na", 100, &["CA"]),
    ("gru", (-23.55, -46.63), "BR", "south", 100, &["BR", "AR", "CL"]),
    ("jnb", (-26.20, 28.05), "ZA", "south", 50, &["ZA", "KE", "NG"]),
    ("bom", (19.08, 72.88), "IN", "as", 100, &["IN"]),
    ("sin", (1.35, 103.82), "SG", "as", 100, &["SG", "CN"]),
    ("nrt", (35.68, 139.69), "JP", "as", 150, &["JP", "KR"]),
    ("syd", (-33.87, 151.21), "AU", "south", 100, &["AU", "NZ", "FJ"]),
];

/// Address sets of a PoP: the word in its files, and how many addresses of each family.
pub const SERVICES: [(&str, u8); 3] = [("default", 1), ("two", 2), ("four", 4)];

/// A policy with its own steered names: word, service, and further lines of its file.
pub type PolicyRow = (&'static str, usize, &'static [&'static str]);

/// Policies.
const POLICIES: [PolicyRow; 7] = [
    ("one", 0, &["order: listed", "band: none", "ttl: 60"]),
    ("two", 1, &["order: listed", "band: none", "answers: 2", "ttl: { min: 20, max: 60 }"]),
    ("four", 2, &["order: listed", "band: none", "answers: 2", "ttl: { min: 20, max: 60 }"]),
    ("shared", 1, &["order: listed", "answers: 2", "ttl: { min: 20, max: 60 }"]),
    ("random", 1, &["order: listed", "answers: 2", "share: random", "ttl: 30"]),
    ("near", 0, &["order: nearest", "band: 10%", "ttl: { min: 20, max: 60 }"]),
    ("fenced", 1, &["order: nearest", "answers: 2", "ttl: { min: 20, max: 60 }"]),
];

/// Number of names that each policy steers, and of names of each other kind.
const OWNERS: usize = 8;
/// Customers, each with a zone.
const CUSTOMERS: usize = 16;

/// An address of a service of a PoP.
pub fn v4_of(service: usize, pop: usize, index: u8) -> Ipv4Addr {
    Ipv4Addr::new(198, 18, service as u8, pop as u8 * 8 + index)
}

/// IPv6 address of a service of a PoP.
pub fn v6_of(service: usize, pop: usize, index: u8) -> Ipv6Addr {
    Ipv6Addr::new(0x2001, 0xdb8, service as u16, pop as u16, 0, 0, 0, u16::from(index) + 1)
}

/// The PoP of a country in tables by country.
pub fn home(country: usize) -> usize {
    let code = COUNTRIES[country].0;
    SITES.iter().position(|site| site.5.contains(&code)).expect("each country has a PoP")
}

/// The deployment.
pub struct Ordinary {
    size: WorldSize,
    countries: Countries,
    crowd: Option<Crowd>,
    /// True with a latency map, and a policy that ranks by it.
    is_measured: bool,
    is_limited: bool,
}

/// Limits of answers that no benchmark reaches, in force from the first query on.
const LIMITS: &str = "rate_limit: { from_qps: 0, per_second: 60000 }\n";

impl Ordinary {
    /// World of a size; a quarter of the networks are of IPv6.
    pub fn new(size: WorldSize) -> Ordinary {
        let countries = Countries::of_both(size);
        Ordinary { size, countries, crowd: None, is_measured: false, is_limited: false }
    }

    /// With a crowd of PoPs in the place of the twelve and of their policies.
    pub fn with_crowd(size: WorldSize, crowd: Crowd) -> Ordinary {
        Ordinary { crowd: Some(crowd), ..Ordinary::new(size) }
    }

    /// With measured round-trip times, and a policy that ranks by them.
    pub fn with_map(size: WorldSize) -> Ordinary {
        Ordinary { is_measured: true, ..Ordinary::new(size) }
    }

    /// With limits of answers to one client prefix.
    pub fn with_limits(size: WorldSize) -> Ordinary {
        Ordinary { is_limited: true, ..Ordinary::new(size) }
    }

    /// Questions of one kind, of which hardly two are the same.
    pub fn questions(&self, kind: Kind, count: usize) -> Vec<Question> {
        let mut dice = Dice(self.size.seed ^ kind as u64 ^ 0x0dd);
        (0..count).map(|_| self.question(kind, &mut dice)).collect()
    }

    fn question(&self, kind: Kind, dice: &mut Dice) -> Question {
        if kind == Mixture {
            const EACH: [Kind; 10] =
                [TwoV4, TwoV4, TwoV6, CnameTwo, CnameTwo, CrossTwo, Static, Nxdomain, StaticNoData, OneV4];
            return self.question(EACH[dice.below(EACH.len())], dice);
        }
        let (name, expected) = self.asked(kind, dice);
        let is_v6 = matches!(kind, OneV6 | TwoV6);
        let (client, subnet, country) = match kind {
            OneResolver | TwoResolver => {
                let (network, country) = self.countries.loopback[dice.below(self.countries.loopback.len())];
                let host = network.network().to_bits() | (1 + dice.below(250) as u32);
                (Ipv4Addr::from(host), None, country)
            }
            _ if is_v6 => {
                let (address, country) = self.countries.roll_v6(dice);
                (Ipv4Addr::LOCALHOST, Some(Prefix::new(address.into(), 56)), country)
            }
            _ => {
                let (address, country) = self.countries.roll_v4(dice);
                (Ipv4Addr::LOCALHOST, Some(Prefix::new(address.into(), 24)), country)
            }
        };
        let subnet = subnet.filter(|_| kind.policy().is_some());
        let expected = match expected {
            Expected::Pop { service, count, .. } => {
                let by_country = kind.policy().is_some_and(|policy| ["one", "two", "four"].contains(&policy));
                Expected::Pop { service, is_v6, count, pop: by_country.then(|| home(country)) }
            }
            other => other,
        };
        let rtype = match kind {
            Mx => RrType::MX,
            SteeredNoData => RrType::TXT,
            Https => RrType::HTTPS,
            StaticNoData => RrType::AAAA,
            _ if is_v6 => RrType::AAAA,
            _ => RrType::A,
        };
        let name = Name::parse(&name, None).expect("a name made here");
        let mut packet = dig::query(&name, rtype, subnet);
        packet[..2].copy_from_slice(&(dice.below(1 << 16) as u16).to_be_bytes());
        let client = IpAddr::V4(client);
        if matches!(kind, StaticCookie | TwoCookie) {
            add_cookie(&mut packet, client, dice);
        }
        // Some resolvers ask in letters of any case.
        if dice.below(4) == 0 {
            for octet in packet[12..12 + name.as_wire().len()].iter_mut().filter(|o| o.is_ascii_alphabetic())
            {
                *octet ^= (dice.below(2) as u8) << 5;
            }
        }
        Question { packet, client, expected }
    }

    /// The name that is asked for, and what comes of it but for the client.
    fn asked(&self, kind: Kind, dice: &mut Dice) -> (String, Expected) {
        let (host, which) = (dice.below(self.size.names), dice.below(OWNERS));
        let of_pop = |service: usize, count| Expected::Pop { service, is_v6: false, count, pop: None };
        let policy = kind.policy().unwrap_or_default();
        let steered = |service, count| (below(&steered_owner(policy, which)), of_pop(service, count));
        match kind {
            Static | StaticCookie => {
                (below(&host_owner(host)), Expected::Octets(host_address(host).octets().to_vec()))
            }
            StaticNoData => (below(&host_owner(host)), Expected::Denial(0)),
            Nxdomain => (below(&format!("none-{}", host_owner(host))), Expected::Denial(3)),
            Wildcard => (below(&format!("site{host}.sites")), Expected::Octets(vec![203, 0, 113, 7])),
            Referral => {
                (below(&format!("www{}.lab{which}", host % 100)), Expected::Octets(vec![203, 0, 113, 101]))
            }
            Dname => (
                below(&format!("w{}.old{which}", host % 64)),
                Expected::Octets(vec![203, 0, 113, host as u8 % 64]),
            ),
            Mx => (below(&host_owner(host / 8 * 8)), Expected::Octets(b"\x03mx1".to_vec())),
            SteeredNoData => (below(&steered_owner(policy, which)), Expected::Denial(0)),
            Https => steered(1, 2),
            SteeredWildcard => (below(&format!("c{host}.edge")), of_pop(1, 2)),
            CnameTwo => (below(&alias_owner(which)), of_pop(1, 2)),
            OneV4 | OneV6 | OneResolver | Nearest | NearestSomeDown | NearestAllDown | Fastest => {
                steered(0, 1)
            }
            TwoV4 | TwoCookie | TwoV6 | TwoResolver | Shared | Random | Fenced | TwoAllDown
            | SharedAllDown => steered(1, 2),
            OfCrowd | CrowdAllDown => {
                (below(&steered_owner(policy, which)), Expected::Octets(crowd::ADDRESSES.to_vec()))
            }
            TwoOfFour => steered(2, 2),
            CrossTwo => (format!("img{which}.{}", customer(dice.below(CUSTOMERS))), of_pop(1, 2)),
            Mixture => unreachable!("it asks for others"),
        }
    }

    /// The CDN's zone as text, with these lines for what a policy steers.
    pub fn cdn_zone(&self, steered: &str) -> String {
        let mut text = head("cdn.example.") + steered;
        text.push_str("mx1 A 203.0.113.25\nmx2 A 203.0.113.26\n*.sites 300 A 203.0.113.7\n");
        for number in 0..OWNERS {
            let _ = writeln!(text, "{} 60 CNAME {}", alias_owner(number), steered_owner("two", number));
            let _ = writeln!(text, "lab{number} NS ns1.lab{number}\nlab{number} NS ns2.lab{number}");
            let _ = writeln!(text, "ns1.lab{number} A 203.0.113.101\nns1.lab{number} AAAA 2001:db8:1ab::53");
            let _ = writeln!(text, "ns2.lab{number} A 203.0.113.102");
            let _ = writeln!(text, "old{number} DNAME new{number}");
            for host in 0..64 {
                let _ = writeln!(text, "w{host}.new{number} A 203.0.113.{host}");
            }
        }
        for host in 0..self.size.names {
            let (owner, address) = (host_owner(host), host_address(host));
            let _ = writeln!(text, "{owner} 300 A {address}");
            if host % 4 == 1 {
                let _ = writeln!(text, "{owner} 300 A 203.0.113.1\n{owner} 300 A 203.0.113.2");
            }
            if host % 8 == 0 {
                let _ = writeln!(text, "{owner} 300 MX 10 mx1\n{owner} 300 MX 20 mx2");
            }
        }
        text
    }
}

impl Deployment for Ordinary {
    fn write(&self, folder: &Path, port: u16) {
        let put = begin(folder, port);
        match self.crowd {
            Some(crowd) => {
                put("pops.yaml", crowd.pops());
                put("policies.yaml", crowd.policies());
                put("zones/cdn.example.yaml", steered_zone(&["crowd"]));
            }
            None => {
                put("pops.yaml", pops());
                let measured = Some(measured::POLICY).filter(|_| self.is_measured);
                let each: Vec<_> = POLICIES.into_iter().chain(measured).collect();
                put("policies.yaml", policies(&each));
                let words: Vec<&str> = each.iter().map(|policy| policy.0).collect();
                put("zones/cdn.example.yaml", steered_zone(&words));
            }
        }
        put("zones/cdn.example.zone", self.cdn_zone(""));
        for number in 0..CUSTOMERS {
            put(&format!("zones/{}zone", customer(number)), customer_zone(number));
        }
        fs::write(folder.join("places.mmdb"), self.database()).expect("a file can be written");
        if self.is_measured {
            measured::add_map(folder, port, &self.countries, self.size.seed);
        }
        if self.is_limited {
            put("meridian.yaml", server_of(port, "places.mmdb") + LIMITS);
        }
    }

    fn database(&self) -> Vec<u8> {
        database(&self.countries)
    }

    fn zones(&self, steered: &str) -> Vec<(String, String)> {
        let customers = (0..CUSTOMERS)
            .map(|number| (customer(number).trim_end_matches('.').to_owned(), customer_zone(number)));
        std::iter::once(("cdn.example".to_owned(), self.cdn_zone(steered))).chain(customers).collect()
    }

    /// Other policies are not by country alone.
    fn by_country(&self) -> Vec<ByCountry> {
        let of = |(service, word): (usize, &'static str)| ByCountry {
            word,
            owners: (0..OWNERS).map(|number| steered_owner(word, number)).collect(),
            addresses: (0..SITES.len())
                .map(|pop| {
                    let count = SERVICES[service].1;
                    let v4 = (0..count).map(|index| IpAddr::V4(v4_of(service, pop, index)));
                    v4.chain((0..count).map(|index| IpAddr::V6(v6_of(service, pop, index)))).collect()
                })
                .collect(),
            home: (0..COUNTRIES.len()).map(home).collect(),
        };
        [(0, "one"), (1, "two")].map(of).into()
    }

    fn example(&self) -> Question {
        self.questions(Static, 1).remove(0)
    }
}

/// A name of the CDN's zone.
fn below(owner: &str) -> String {
    format!("{owner}.cdn.example.")
}

/// Short, or of five labels as content networks make them.
fn host_owner(host: usize) -> String {
    match host % 3 {
        0 => format!("h{host:06}"),
        1 => format!("img-{host:06}.eu1.assets"),
        _ => format!("v{host:06}.prod.video"),
    }
}

fn host_address(host: usize) -> Ipv4Addr {
    Ipv4Addr::new(10, (host >> 16) as u8, (host >> 8) as u8, host as u8)
}

/// A name that a policy steers.
pub fn steered_owner(policy: &str, number: usize) -> String {
    if number.is_multiple_of(2) { format!("{policy}{number}") } else { format!("e{number}.{policy}.prod") }
}

fn alias_owner(number: usize) -> String {
    if number.is_multiple_of(2) { format!("x{number}") } else { format!("d{number}.cloud.map") }
}

/// The apex of a customer's zone.
pub fn customer(number: usize) -> String {
    if number.is_multiple_of(2) {
        format!("shop{number:02}.example.")
    } else {
        format!("media{number:02}.co.example.")
    }
}

/// A customer's zone as text.
pub fn customer_zone(number: usize) -> String {
    let mut text = head(&customer(number));
    for which in 0..OWNERS {
        let _ = writeln!(text, "img{which} 60 CNAME {}", below(&alias_owner(which)));
    }
    text
}

fn steered_zone(policies: &[&str]) -> String {
    let wildcard = policies.get(1).unwrap_or(&policies[0]);
    let mut text = format!("zone: cdn.example.\nrecords:\n  \"*.edge\": {{ steer: {wildcard} }}\n");
    for policy in policies {
        for number in 0..OWNERS {
            let _ = writeln!(text, "  {}: {{ steer: {policy} }}", steered_owner(policy, number));
        }
    }
    text
}

fn pops() -> String {
    let mut text = "pops:\n".to_owned();
    for (pop, (name, (lat, lon), country, tag, weight, _)) in SITES.iter().enumerate() {
        let _ = writeln!(
            text,
            "  {name}:\n    at: {{ lat: {lat}, lon: {lon}, country: {country} }}\n    tags: [{tag}]\n    \
             weight: {weight}"
        );
        for (service, (word, count)) in SERVICES.iter().enumerate() {
            // In every third PoP one machine is smaller than the others.
            let v4 = (0..*count).map(|index| match v4_of(service, pop, index) {
                address if index == 1 && pop % 3 == 0 => format!("{{ address: {address}, weight: 20 }}"),
                address => address.to_string(),
            });
            let v6 = (0..*count).map(|index| format!("\"{}\"", v6_of(service, pop, index)));
            let addresses: Vec<String> = v4.chain(v6).collect();
            let addresses = addresses.join(", ");
            let _ = match *word {
                "default" => writeln!(text, "    addresses: [{addresses}]\n    services:"),
                "two" => writeln!(
                    text,
                    "      {word}: {{ addresses: [{addresses}], https: {{ alpn: [h3, h2] }} }}"
                ),
                _ => writeln!(text, "      {word}: {{ addresses: [{addresses}] }}"),
            };
        }
    }
    text
}

fn policies(each: &[PolicyRow]) -> String {
    let mut text = "policies:\n".to_owned();
    for (policy, service, keys) in each {
        let _ = writeln!(text, "  {policy}:\n    pops: all\n    service: {}", SERVICES[*service].0);
        for key in *keys {
            let _ = writeln!(text, "    {key}");
        }
        let rules = match *policy {
            "one" | "two" | "four" => SITES
                .iter()
                .map(|(name, .., countries)| {
                    format!("{{ when: {{ country: [{}] }}, pops: [{name}] }}", countries.join(", "))
                })
                .collect(),
            "shared" | "random" => vec![
                "{ when: { continent: EU }, pops: [[fra, ams, lhr]] }".to_owned(),
                "{ when: { continent: NA }, pops: [[iad, dfw, lax]] }".to_owned(),
                "{ when: { continent: AS }, pops: [[bom, sin, nrt]] }".to_owned(),
                "{ when: { continent: [SA, AF, OC] }, pops: [[gru, jnb, syd]] }".to_owned(),
            ],
            "fenced" => vec![
                "{ when: { country: [CN] }, pops: [[nrt, sin], bom] }".to_owned(),
                "{ when: { continent: EU, not: { country: GB } }, pops: { tag: eu }, fence: true }"
                    .to_owned(),
                "{ when: { continent: [SA, AF] }, pops: [gru, jnb], fence: true }".to_owned(),
            ],
            _ => Vec::new(),
        };
        if !rules.is_empty() {
            text.push_str("    rules:\n");
        }
        for rule in rules {
            let _ = writeln!(text, "      - {rule}");
        }
    }
    text
}
