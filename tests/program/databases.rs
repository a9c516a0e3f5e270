//! Databases under a running server: broken ones are refused and the old one stays, good ones are
//! taken over without a lost query, and a file that is rewritten in place does no harm.

use meridian::testing::server::Engine;
use meridian::testing::shared::command::Report;
use mmdb_writer::{Value, Writer};
use std::collections::BTreeSet;
use std::fs;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use support::deployment::*;

/// Addresses that a client of 198.51.100.0/24, which is New York, is answered.
pub fn addresses(socket: &std::net::UdpSocket, server: SocketAddr, id: u16) -> BTreeSet<String> {
    let packet = with_subnet(query(id, "video.edge.cdn.example", 1), [198, 51, 100]);
    let (answered, rcode, addresses) = decode(&ask_from(socket, server, &packet));
    assert_eq!((answered, rcode), (id, 0));
    addresses.into_iter().collect()
}

fn codes(report: &Report) -> Vec<&'static str> {
    report
        .findings
        .iter()
        .filter(|f| f.severity == meridian::testing::finding::Severity::Error)
        .map(|f| f.code.id)
        .collect()
}

/// A database of `networks` networks, of which 198.51.100.0/24 stands at these coordinates.
fn database(latitude: f64, longitude: f64, networks: u32) -> Vec<u8> {
    let mut writer = Writer::builder("Test-City").description(&[("en", "made by a test")]).build();
    let place = |lat: f64, lon: f64, asn: u32| {
        Value::map([
            ("location", Value::map([("latitude", Value::from(lat)), ("longitude", Value::from(lon))])),
            ("autonomous_system_number", Value::from(asn)),
        ])
    };
    writer
        .insert_value(
            "198.51.100.0/24".parse::<ipnet::IpNet>().expect("a prefix"),
            place(latitude, longitude, 64_500),
        )
        .expect("room");
    for n in 0..networks {
        let prefix = format!("11.{}.{}.0/24", n >> 8, n & 255).parse::<ipnet::IpNet>().expect("a prefix");
        writer.insert_value(prefix, place(f64::from(n % 90), f64::from(n % 180), 64_501 + n)).expect("room");
    }
    writer.to_bytes().expect("a database")
}

fn frankfurt(networks: u32) -> Vec<u8> {
    database(50.11, 8.68, networks)
}

fn tokyo(networks: u32) -> Vec<u8> {
    database(35.68, 139.69, networks)
}

/// Replaces the only `from` behind the last metadata marker.
fn in_metadata(octets: &[u8], key: &[u8], change: impl Fn(&mut [u8])) -> Vec<u8> {
    let mut octets = octets.to_vec();
    let marker = b"\xab\xcd\xefMaxMind.com";
    let begin = octets.windows(marker.len()).rposition(|w| w == marker).expect("a database has metadata");
    let at = begin + octets[begin..].windows(key.len()).position(|w| w == key).expect("the key") + key.len();
    change(&mut octets[at..]);
    octets
}

/// The kinds of damage that MaxMind's own test databases have, made from a good database.
fn broken(good: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
    let marker = good.windows(14).rposition(|w| w == b"\xab\xcd\xefMaxMind.com").expect("metadata");
    let with = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut octets = good.to_vec();
        change(&mut octets);
        octets
    };
    let double = good.windows(10).position(|w| w == b"\x48latitude\x68").expect("a latitude") + 9;
    vec![
        ("empty", Vec::new()),
        ("not a database", b"<html>404 Not Found</html>".to_vec()),
        ("cut in the middle", good[..good.len() / 2].to_vec()),
        ("cut in the metadata", good[..good.len() - 40].to_vec()),
        (
            "the metadata twice as many nodes",
            in_metadata(good, b"node_count", |rest| rest[1] = rest[1].wrapping_mul(2).max(0x7f)),
        ),
        ("a record size of 25 bits", in_metadata(good, b"record_size", |rest| rest[1] = 25)),
        // Every left record of the tree leads far behind the data.
        (
            "records that lead behind the data",
            with(&|o| o[..marker.min(600)].iter_mut().for_each(|octet| *octet = 0xee)),
        ),
        // The root leads to itself.
        ("a tree that loops", with(&|o| o[..6].fill(0))),
        // A double of nine octets.
        ("a double of the wrong size", with(&|o| o[double] = 0x69)),
        // The data section: every octet a pointer to far away.
        (
            "pointers that lead nowhere",
            with(&|o| o[double - 60..marker].iter_mut().for_each(|octet| *octet = 0x3f)),
        ),
    ]
}

#[test]
fn broken_databases_are_refused_and_the_old_one_stays() {
    let sample = Deployment::sample(&["127.0.0.1:0"]);
    let path = sample.path("geoip/places.mmdb");
    let good = frankfurt(300);
    fs::write(&path, &good).expect("the folder is ours");
    let server = sample.start(Engine::Fast);
    let dns = server.dns()[0];
    let socket = client(dns);
    let before = addresses(&socket, dns, 1);
    for (what, octets) in broken(&tokyo(300)) {
        fs::write(&path, &octets).expect("the folder is ours");
        let report = reload(&server);
        assert!(!report.published, "{what} was published");
        assert!(
            codes(&report).iter().all(|code| code.starts_with("MRD040")) && report.findings.has_errors(),
            "{what}: {:?}",
            codes(&report)
        );
        assert_eq!(addresses(&socket, dns, 2), before, "{what}");
    }
    // Far fewer networks are refused too, unless the operator says that they are meant.
    fs::write(&path, tokyo(100)).expect("the folder is ours");
    assert_eq!(codes(&reload(&server)), ["MRD0404"]);
    assert_eq!(addresses(&socket, dns, 3), before);
    sample.edit("meridian.yaml", |text| text.replace("geoip:\n", "geoip:\n  accept_shrunk: true\n"));
    assert!(reload(&server).published);
    assert_ne!(addresses(&socket, dns, 4), before);
}

#[test]
fn databases_are_replaced_under_load() {
    let sample = Deployment::sample(&["127.0.0.1:0"]);
    let path = sample.path("geoip/places.mmdb");
    fs::write(&path, frankfurt(300)).expect("the folder is ours");
    let server = sample.start(Engine::Fast);
    let dns = server.dns()[0];
    let socket = client(dns);
    let in_frankfurt = addresses(&socket, dns, 1);
    let replace = |octets: &[u8]| {
        let beside = sample.path("geoip/new");
        fs::write(&beside, octets).expect("the folder is ours");
        fs::rename(&beside, &path).expect("the folder is ours");
    };
    replace(&tokyo(300));
    assert!(reload(&server).published);
    let in_tokyo = addresses(&socket, dns, 2);
    assert!(in_tokyo.is_disjoint(&in_frankfurt));
    let (stop, asked) = (AtomicBool::new(false), AtomicU64::new(0));
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                let socket = client(dns);
                let mut id = 0u16;
                while !stop.load(Ordering::Relaxed) {
                    id = id.wrapping_add(1);
                    let now = addresses(&socket, dns, id);
                    if now != in_tokyo && now != in_frankfurt {
                        stop.store(true, Ordering::Relaxed);
                        panic!("a wrong answer: {now:?}");
                    }
                    asked.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        for round in 0..20 {
            let (octets, expected) =
                if round % 2 == 0 { (frankfurt(300), &in_frankfurt) } else { (tokyo(300), &in_tokyo) };
            if round % 4 < 2 {
                replace(&octets);
            } else {
                // In place: cut, written in two halves. Nothing that is served reads the file any
                // more.
                fs::write(&path, &octets[..octets.len() / 2]).expect("the folder is ours");
                assert!(!reload(&server).published, "half a file");
                fs::write(&path, &octets).expect("the folder is ours");
            }
            let report = reload(&server);
            let now = addresses(&socket, dns, 3);
            if !report.published || now != *expected {
                stop.store(true, Ordering::Relaxed);
                panic!("round {round}: {:?}, {now:?}", codes(&report));
            }
        }
        stop.store(true, Ordering::Relaxed);
    });
    assert!(asked.load(Ordering::Relaxed) > 100);
}

/// Text is loaded directly; a second database fills what the first lacks; a bad line refuses the
/// load.
#[test]
fn text_databases_are_loaded() {
    let sample = Deployment::sample(&["127.0.0.1:0"]);
    let feed = "# our feed\n198.51.100.0/24,JP,JP-13,Tokyo,\n11.0.0.0/8,DE,,,\n";
    fs::write(sample.path("geoip/feed.csv"), feed).expect("the folder is ours");
    fs::write(
        sample.path("geoip/asn.csv"),
        "prefix,continent,country,subdivision,latitude,longitude,asn,city\n198.51.100.0/24,,DE,,,,64500,\n",
    )
    .expect("the folder is ours");
    sample.edit("meridian.yaml", |text| {
        let ours = "[geoip/places.mmdb, geoip/latency.mmdb]";
        assert!(text.contains(ours));
        text.replace(ours, "[geoip/feed.csv, geoip/asn.csv]")
    });
    let server = sample.start(Engine::Fast);
    let dns = server.dns()[0];
    let socket = client(dns);
    // Without a date there is no age to alarm anybody.
    let fresh = meridian::testing::reload::prepare::run(&sample.path("meridian.yaml"), None, None, 1)
        .unwrap_or_else(|_| panic!("it loads"));
    assert!(fresh.snapshot.databases_built().is_empty());
    let in_tokyo = addresses(&socket, dns, 1);
    assert_eq!(in_tokyo, BTreeSet::from(["198.51.100.120".to_owned()]));
    fs::write(sample.path("geoip/feed.csv"), format!("{feed}12.0.0.0/8,Germany,,,\n"))
        .expect("the folder is ours");
    let report = reload(&server);
    let places: Vec<(&str, u32, u32)> = report
        .findings
        .iter()
        .map(|f| (f.code.id, f.at.map_or(0, |at| at.line), f.at.map_or(0, |at| at.column)))
        .collect();
    assert_eq!(places, [("MRD0406", 4, 12)]);
    assert_eq!(addresses(&socket, dns, 2), in_tokyo);
    fs::write(sample.path("geoip/feed.csv"), feed).expect("the folder is ours");
    let told = sample.run(&["geoip", "lookup", "198.51.100.7"]).1;
    for piece in ["lies in 198.51.100.0/24", "JP", "AS64500", "feed.csv (geofeed), without a date", "asn.csv"]
    {
        assert!(told.contains(piece), "{piece} is not in\n{told}");
    }
}
