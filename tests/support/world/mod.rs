//! A deployment of any size from a seed: zones, a GeoIP database, PoPs, one policy by country, and
//! the questions that fit it. Measurements on two machines are of the same world.

pub mod crowd;
pub mod kind;
mod measured;
pub mod ordinary;

use crate::dice::Dice;
use crate::files::{POLICIES, ServerFile};
use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use meridian::testing::explain::dig;
use meridian::testing::geo::prefix::Prefix;
use meridian::testing::sys::clock;
use meridian::testing::wire::cookie::{CookieOption, Secrets};
use meridian::testing::wire::name::Name;
use meridian::testing::wire::rr::RrType;
use mmdb_writer::{Value, Writer};
use std::fmt::Write as _;
use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::Path;

/// Countries of the world, with the continent that databases give, in the order of their PoPs.
pub const COUNTRIES: [(&str, &str); 24] = [
    ("DE", "EU"),
    ("FR", "EU"),
    ("GB", "EU"),
    ("NL", "EU"),
    ("PL", "EU"),
    ("IT", "EU"),
    ("US", "NA"),
    ("CA", "NA"),
    ("MX", "NA"),
    ("BR", "SA"),
    ("AR", "SA"),
    ("CL", "SA"),
    ("ZA", "AF"),
    ("KE", "AF"),
    ("NG", "AF"),
    ("EG", "AF"),
    ("JP", "AS"),
    ("SG", "AS"),
    ("IN", "AS"),
    ("KR", "AS"),
    ("CN", "AS"),
    ("AU", "OC"),
    ("NZ", "OC"),
    ("FJ", "OC"),
]; // each row of PoPs below serves every eighth country

/// PoPs: country number n is served by PoP n modulo this.
pub const POPS: usize = 8;

/// Secret of DNS cookies.
const COOKIE_SECRET: u128 = 0xe5e9_73e5_a6b2_a43f_48e7_dc84_9e37_bfcf;

/// First octets of IPv4 addresses in which nothing special lies.
const FIRST: [(u8, u8); 6] = [(1, 9), (11, 99), (101, 126), (128, 168), (170, 171), (173, 190)];

/// Size of the world.
#[derive(Clone, Copy, Debug)]
pub struct WorldSize {
    /// Names with an A record each in `cdn.example.`
    pub names: usize,
    /// Networks of the database.
    pub networks: usize,
    /// Seed of everything that looks random.
    pub seed: u64,
}

/// A kind of question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Workload {
    /// A name with one address.
    Static,
    /// The same with a DNS cookie that the server has given before.
    StaticCookie,
    /// A name that does not exist.
    Nxdomain,
    /// A steered name, by client subnet.
    GeoEcs,
    /// A steered name, by the address of the resolver.
    GeoSource,
    /// A CNAME to a steered name of the same zone, by client subnet.
    ChainEcs,
    /// A CNAME in a customer's zone to that CNAME.
    CrossEcs,
}

impl Workload {
    pub const ALL: [Workload; 7] = [
        Workload::Static,
        Workload::StaticCookie,
        Workload::Nxdomain,
        Workload::GeoEcs,
        Workload::GeoSource,
        Workload::ChainEcs,
        Workload::CrossEcs,
    ];

    /// Its name in reports.
    pub fn word(self) -> &'static str {
        match self {
            Workload::Static => "static",
            Workload::StaticCookie => "static_cookie",
            Workload::Nxdomain => "nxdomain",
            Workload::GeoEcs => "geo_ecs",
            Workload::GeoSource => "geo_source",
            Workload::ChainEcs => "chain_ecs",
            Workload::CrossEcs => "cross_ecs",
        }
    }

    /// True if a policy decides.
    pub fn is_steered(self) -> bool {
        !matches!(self, Workload::Static | Workload::StaticCookie | Workload::Nxdomain)
    }
}

/// The answer that must come back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expected {
    /// A response code without an answer.
    Denial(u8),
    /// These octets in a message without an error.
    Octets(Vec<u8>),
    /// So many addresses of a service, IPv6 or not, all of one PoP: this one, if the kind names it.
    Pop { service: usize, is_v6: bool, count: usize, pop: Option<usize> },
}

impl Expected {
    /// True if a message is the expected one.
    pub fn is_met(&self, message: &[u8]) -> bool {
        let Some(header) = message.first_chunk::<12>() else { return false };
        let (rcode, answers) = (header[3] & 15, u16::from_be_bytes([header[6], header[7]]));
        match self {
            Expected::Denial(expected) => (rcode, answers) == (*expected, 0),
            Expected::Octets(octets) => {
                rcode == 0 && message.windows(octets.len()).any(|part| part == octets)
            }
            Expected::Pop { service, is_v6, count, pop } => {
                let found: Vec<usize> = if *is_v6 {
                    let start = [0x20, 1, 0x0d, 0xb8, 0, *service as u8, 0];
                    message
                        .windows(8)
                        .filter(|part| part.starts_with(&start))
                        .map(|part| part[7].into())
                        .collect()
                } else {
                    let start = [198, 18, *service as u8];
                    message
                        .windows(4)
                        .filter(|part| part.starts_with(&start))
                        .map(|part| usize::from(part[3]) / 8)
                        .collect()
                };
                let first = pop.or(found.first().copied());
                rcode == 0 && found.len() == *count && found.iter().all(|pop| Some(*pop) == first)
            }
        }
    }
}

/// Question, its client, and the expected answer.
#[derive(Clone, Debug)]
pub struct Question {
    pub packet: Vec<u8>,
    pub client: IpAddr,
    pub expected: Expected,
}

/// A deployment as any server needs it.
pub trait Deployment {
    /// Writes it as ours reads it, DNS on `port` of loopback.
    fn write(&self, folder: &Path, port: u16);
    /// Its database of countries.
    fn database(&self) -> Vec<u8>;
    /// Its zones as text, each with its apex; the CDN's stands first, with `steered` in it.
    fn zones(&self, steered: &str) -> Vec<(String, String)>;
    /// The answers by country, with their PoPs.
    fn by_country(&self) -> Vec<ByCountry>;
    /// A question with a static answer.
    fn example(&self) -> Question;
}

/// Names of the CDN's zone that lead each client to the PoP of its country.
pub struct ByCountry {
    /// A word for their policy.
    pub word: &'static str,
    /// The names, below the apex.
    pub owners: Vec<String>,
    /// The addresses of each PoP.
    pub addresses: Vec<Vec<IpAddr>>,
    /// The PoP of each of [`COUNTRIES`].
    pub home: Vec<usize>,
}

/// The world: what is written, and what is asked of it.
pub struct World {
    pub size: WorldSize,
    countries: Countries,
}

/// Networks, each with the number of its country.
#[derive(Default)]
struct Countries {
    v4: Vec<(Ipv4Net, usize)>,
    v6: Vec<(Ipv6Net, usize)>,
    /// Networks of loopback, if it is to have countries.
    loopback: Vec<(Ipv4Net, usize)>,
}

impl Countries {
    /// So many networks of IPv4.
    fn of_v4(count: usize, dice: &mut Dice) -> Countries {
        let mut networks = Vec::with_capacity(count);
        let (mut block, mut at) = (0, u32::from(FIRST[0].0) << 24);
        while networks.len() < count {
            let length = 20 + dice.below(5) as u8;
            let size = 1u32 << (32 - length);
            at = at.next_multiple_of(size);
            let (_, last) = FIRST[block];
            if at >> 24 > u32::from(last) {
                block += 1;
                assert!(block < FIRST.len(), "IPv4 does not hold as many networks");
                at = u32::from(FIRST[block].0) << 24;
            }
            let country = dice.below(COUNTRIES.len());
            networks.push((Ipv4Net::new(at.into(), length).expect("a length up to 32"), country));
            at += size;
        }
        Countries { v4: networks, ..Countries::default() }
    }

    /// Networks of both families, a quarter of them of IPv6, and those of loopback.
    fn of_both(size: WorldSize) -> Countries {
        let mut dice = Dice(size.seed);
        let mut countries = Countries::of_v4(size.networks - size.networks / 4, &mut dice);
        // The upper half of an address.
        let mut at = 0x2a00_u64 << 48;
        while countries.v6.len() < size.networks / 4 {
            let length = 32 + dice.below(13) as u8;
            let size = 1u64 << (64 - length);
            at = at.next_multiple_of(size);
            let network = Ipv6Net::new(Ipv6Addr::from(u128::from(at) << 64), length);
            countries.v6.push((network.expect("a length up to 128"), dice.below(COUNTRIES.len())));
            at += size;
        }
        countries.add_loopback(size.seed);
        countries
    }

    fn add_loopback(&mut self, seed: u64) {
        let mut dice = Dice(seed ^ 0x100b);
        let network =
            |number: u32| Ipv4Net::new((127 << 24 | number << 8).into(), 24).expect("a length up to 32");
        self.loopback =
            (1 << 8..1 << 15).map(|number| (network(number), dice.below(COUNTRIES.len()))).collect();
    }

    /// The start of some /24, and its country.
    fn roll_v4(&self, dice: &mut Dice) -> (Ipv4Addr, usize) {
        let (network, country) = self.v4[dice.below(self.v4.len())];
        let below = dice.below(1 << (24 - network.prefix_len())) as u32;
        ((network.network().to_bits() + (below << 8)).into(), country)
    }

    /// The start of some /56, and its country.
    fn roll_v6(&self, dice: &mut Dice) -> (Ipv6Addr, usize) {
        let (network, country) = self.v6[dice.below(self.v6.len())];
        let below = dice.below(1 << (56 - network.prefix_len())) as u128;
        ((network.network().to_bits() + (below << 72)).into(), country)
    }
}

/// A database of countries and continents.
fn database(countries: &Countries) -> Vec<u8> {
    let mut writer = Writer::builder("Bench-Country").build();
    let v4 = countries.v4.iter().chain(&countries.loopback);
    let v4 = v4.map(|(network, country)| (IpNet::V4(*network), *country));
    let v6 = countries.v6.iter().map(|(network, country)| (IpNet::V6(*network), *country));
    for (network, country) in v4.chain(v6) {
        let (country, continent) = COUNTRIES[country];
        let record = Value::map([
            ("continent", Value::map([("code", continent)])),
            ("country", Value::map([("iso_code", country)])),
        ]);
        writer.insert_value(network, record).expect("disjoint networks");
    }
    writer.to_bytes().expect("a database within limits")
}

/// Adds a cookie that a server with our secret has just given.
fn add_cookie(packet: &mut Vec<u8>, client: IpAddr, dice: &mut Dice) {
    let asked = CookieOption::parse(&(dice.below(usize::MAX) as u64).to_be_bytes()).expect("a client cookie");
    let secrets = Secrets::new(&[COOKIE_SECRET.to_be_bytes()]);
    let (_, whole) = secrets.answer(&asked, client, clock::cookie_secs()).expect("there is a secret");
    // The OPT stands last, and has few octets: behind the question, its name, type, class and TTL.
    let end_of_name = 12 + packet[12..].iter().position(|octet| *octet == 0).expect("a name has an end");
    packet[end_of_name + 15] += 4 + whole.len() as u8;
    packet.extend([0, 10, 0, whole.len() as u8]);
    packet.extend(whole);
}

/// The address of a PoP.
pub fn pop_address(pop: usize) -> Ipv4Addr {
    Ipv4Addr::new(192, 0, 2, 10 + pop as u8)
}

fn host_address(host: usize) -> Ipv4Addr {
    Ipv4Addr::new(10, (host >> 16) as u8, (host >> 8) as u8, host as u8)
}

impl World {
    pub fn new(size: WorldSize) -> World {
        World { size, countries: Countries::of_v4(size.networks, &mut Dice(size.seed)) }
    }

    /// With networks of loopback in the database, so that resolvers that ask over it have places.
    pub fn with_loopback(mut self) -> World {
        self.countries.add_loopback(self.size.seed);
        self
    }

    /// Questions of one kind.
    pub fn questions(&self, workload: Workload, count: usize) -> Vec<Question> {
        let mut dice = Dice(self.size.seed ^ workload as u64 ^ 0x5eed);
        (0..count).map(|_| self.question(workload, &mut dice)).collect()
    }

    fn question(&self, workload: Workload, dice: &mut Dice) -> Question {
        let resolver = IpAddr::from([127, 0, 0, 1]);
        let host = dice.below(self.size.names);
        let networks = if workload == Workload::GeoSource && !self.countries.loopback.is_empty() {
            &self.countries.loopback
        } else {
            &self.countries.v4
        };
        let (network, country) = networks[dice.below(networks.len())];
        let (name, expected) = match workload {
            Workload::Static | Workload::StaticCookie => {
                (format!("{}.cdn.example.", host_label(host)), Some(host_address(host)))
            }
            Workload::Nxdomain => (format!("none{host:06}.cdn.example."), None),
            Workload::GeoEcs | Workload::GeoSource => {
                ("edge.cdn.example.".to_owned(), Some(pop_address(country % POPS)))
            }
            Workload::ChainEcs => ("x.cdn.example.".to_owned(), Some(pop_address(country % POPS))),
            Workload::CrossEcs => ("img.shop.example.".to_owned(), Some(pop_address(country % POPS))),
        };
        let subnet = Prefix::new(network.network().into(), 24);
        let ecs = (workload.is_steered() && workload != Workload::GeoSource).then_some(subnet);
        let name = Name::parse(&name, None).expect("a name made here");
        let mut packet = dig::query(&name, RrType::A, ecs);
        if workload == Workload::StaticCookie {
            add_cookie(&mut packet, resolver, dice);
        }
        let expected = expected
            .map_or(Expected::Denial(3), |address: Ipv4Addr| Expected::Octets(address.octets().to_vec()));
        Question {
            packet,
            client: if workload == Workload::GeoSource { IpAddr::V4(network.network()) } else { resolver },
            expected,
        }
    }

    /// The CDN's zone as text; `steered` are lines for what has no type of its own.
    pub fn cdn_zone(&self, steered: &str) -> String {
        let mut text = head("cdn.example.");
        text.push_str("x 60 CNAME edge\n");
        text.push_str(steered);
        for host in 0..self.size.names {
            let _ = writeln!(text, "{} 300 IN A {}", host_label(host), host_address(host));
        }
        text
    }
}

/// Server file of what is measured: one thread, and further sections.
pub fn server_file(port: u16, more: &str) -> String {
    ServerFile {
        node: "name: bench",
        dns: &[&format!("127.0.0.1:{port}")],
        control: "state/control.sock",
        listen: "  threads: 1\n",
        more: &format!("{POLICIES}{more}"),
    }
    .text()
}

/// The server file of a deployment with these databases.
fn server_of(port: u16, databases: &str) -> String {
    let more = format!("geoip: {{ databases: [{databases}] }}\ncookies: {{ secrets: cookies.secrets }}\n");
    server_file(port, &more)
}

/// Begins a deployment: its folders, its server file and its cookie secret. Gives what writes its
/// other files.
fn begin(folder: &Path, port: u16) -> impl Fn(&str, String) {
    for below in ["zones", "state"] {
        fs::create_dir_all(folder.join(below)).expect("a folder can be made");
    }
    let put = |path: &str, text: String| fs::write(folder.join(path), text).expect("a file can be written");
    put("meridian.yaml", server_of(port, "places.mmdb"));
    put("cookies.secrets", format!("{COOKIE_SECRET:032x}\n"));
    put
}

impl Deployment for World {
    fn write(&self, folder: &Path, port: u16) {
        let put = begin(folder, port);
        let mut pops = "pops:\n".to_owned();
        for pop in 0..POPS {
            let _ = writeln!(pops, "  p{pop}: {{ addresses: [{}] }}", pop_address(pop));
        }
        put("pops.yaml", pops);
        let mut policies =
            "policies:\n  web:\n    pops: all\n    order: listed\n    band: none\n    ttl: 60\n    rules:\n"
                .to_owned();
        for pop in 0..POPS {
            let countries: Vec<&str> =
                COUNTRIES.iter().skip(pop).step_by(POPS).map(|(country, _)| *country).collect();
            let _ = writeln!(
                policies,
                "      - {{ when: {{ country: [{}] }}, pops: [p{pop}] }}",
                countries.join(", ")
            );
        }
        put("policies.yaml", policies);
        put("zones/cdn.example.zone", self.cdn_zone(""));
        put("zones/cdn.example.yaml", "zone: cdn.example.\nrecords:\n  edge: { steer: web }\n".to_owned());
        put("zones/shop.example.zone", shop_zone());
        fs::write(folder.join("places.mmdb"), self.database()).expect("a file can be written");
    }

    fn database(&self) -> Vec<u8> {
        database(&self.countries)
    }

    fn zones(&self, steered: &str) -> Vec<(String, String)> {
        vec![("cdn.example".to_owned(), self.cdn_zone(steered)), ("shop.example".to_owned(), shop_zone())]
    }

    fn by_country(&self) -> Vec<ByCountry> {
        vec![ByCountry {
            word: "web",
            owners: vec!["edge".to_owned()],
            addresses: (0..POPS).map(|pop| vec![pop_address(pop).into()]).collect(),
            home: (0..COUNTRIES.len()).map(|country| country % POPS).collect(),
        }]
    }

    fn example(&self) -> Question {
        self.questions(Workload::Static, 1).remove(0)
    }
}

/// Label of a host, of one length in zones of all sizes, so that only the number of names differs.
fn host_label(host: usize) -> String {
    format!("host{host:06}")
}

/// The head of a zone as text: its SOA, and one name server.
pub fn head(apex: &str) -> String {
    format!(
        "$ORIGIN {apex}\n$TTL 300\n@ SOA ns1 hostmaster 1 7200 900 1209600 60\n@ NS ns1\nns1 A 192.0.2.53\n"
    )
}

/// A customer's zone.
pub fn shop_zone() -> String {
    head("shop.example.") + "img 60 CNAME x.cdn.example.\n"
}
