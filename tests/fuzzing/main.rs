//! The fuzz targets from fixed seeds: random inputs and mutations of sound ones.
//!
//! A short run in every `cargo test`; a long one by
//! `MERIDIAN_FUZZ_RUNS=1000000 cargo test --test fuzzing packets -- --nocapture`, from another seed
//! by `MERIDIAN_FUZZ_SEED=n`. Input n of a run is made from seed + n alone, so a failure names one
//! input.

mod conversations;
mod meter;
mod packet_input;
mod proxy_headers;
mod signatures;
mod storm;
mod streams;
#[path = "../../fuzz/src/lib.rs"]
mod targets;

use meridian::testing::wire::rr::RrType;
use packet_input::packet_input;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;
use support::dice::Dice;
use support::query;
use targets::sample::{FILES, PLACES_CSV, Replaced, SMALL};

/// What a seed or a made input is given to.
type Target = fn(&[u8]);

/// Runs a target on `default` inputs, or on as many as the environment wants; `after_batch` runs
/// after every 1,000.
fn drive(
    test: &str,
    target: fn(&[u8]),
    default: u64,
    make: impl Fn(&mut Dice) -> Vec<u8>,
    after_batch: impl Fn(),
) {
    let runs = support::number("MERIDIAN_FUZZ_RUNS").unwrap_or(default).max(1);
    let first = support::number("MERIDIAN_FUZZ_SEED").unwrap_or(1);
    let begun = Instant::now();
    for seed in first..first + runs {
        let input = make(&mut Dice(seed.wrapping_mul(0x9e37_79b9)));
        if catch_unwind(AssertUnwindSafe(|| meter::metered(target, &input))).is_err() {
            panic!(
                "again by: MERIDIAN_FUZZ_SEED={seed} MERIDIAN_FUZZ_RUNS=1 cargo test --test fuzzing \
                 {test}\ninput: {}",
                shown(&input)
            );
        }
        if seed % 1_000 == 0 {
            after_batch();
        }
    }
    after_batch();
    println!("{test}: {runs} inputs from seed {first} in {:.1} s", begun.elapsed().as_secs_f64());
}

fn shown(input: &[u8]) -> String {
    input.iter().take(2_000).flat_map(|octet| std::ascii::escape_default(*octet)).map(char::from).collect()
}

/// A few small wounds.
fn mutate(dice: &mut Dice, input: &mut Vec<u8>, words: &[&[u8]]) {
    for _ in 0..1 + dice.below(4) {
        let at = dice.below(input.len() + 1);
        let here = at.min(input.len().saturating_sub(1));
        match dice.below(9) {
            0 if !input.is_empty() => input[here] ^= 1 << dice.below(8),
            1 if !input.is_empty() => input[here] = dice.roll() as u8,
            2 if !input.is_empty() => input[here] = *dice.pick(&[0, 1, 0x3f, 0x40, 0x7f, 0x80, 0xc0, 0xff]),
            3 => input.insert(at, dice.roll() as u8),
            4 if !input.is_empty() => drop(input.remove(here)),
            5 => input.truncate(at),
            6 if !input.is_empty() => {
                // A piece of it again, elsewhere.
                let end = (here + 1 + dice.below(40)).min(input.len());
                let piece = input[here..end].to_vec();
                let to = dice.below(input.len());
                input.splice(to..to, piece);
            }
            7 if !input.is_empty() => {
                let end = (here + 1 + dice.below(20)).min(input.len());
                input.drain(here..end);
            }
            _ if !words.is_empty() => {
                let word: &[u8] = dice.pick::<&[u8]>(words);
                input.splice(at..at, word.iter().copied());
            }
            _ => {}
        }
    }
}

/// The sample still answers what it must.
fn canary() {
    let (outcome, octets) = support::ask(
        targets::packet::snapshot(),
        &query("status.cdn.example.", RrType::A, None),
        [127, 0, 0, 1].into(),
        0,
    );
    assert_eq!(outcome.rcode.0, 0);
    assert!(octets.windows(4).any(|w| w == [203, 0, 113, 80]));
}

#[test]
fn packets() {
    drive("packets", targets::packet::packet, 100_000, packet_input, canary);
}

/// The inputs are neither all sound nor all broken: each kind of reply is well represented.
#[test]
fn packets_reach_every_kind_of_reply() {
    let mut seen = std::collections::BTreeMap::new();
    for seed in 0..20_000u64 {
        let input = packet_input(&mut Dice(seed.wrapping_mul(0x9e37_79b9)));
        let (outcome, octets) = support::ask(targets::packet::snapshot(), &input, [127, 0, 0, 1].into(), 0);
        let kind = if octets.is_empty() {
            format!("{:?}", outcome.disposition)
        } else {
            format!("{} answers {} scope {}", outcome.rcode, octets[7].min(1), outcome.scope.min(1))
        };
        *seen.entry(kind).or_insert(0) += 1;
    }
    println!("{seen:#?}");
    for kind in [
        "NOERROR answers 1 scope 1",
        "NOERROR answers 1 scope 0",
        "NOERROR answers 0 scope 0",
        "NXDOMAIN answers 0 scope 0",
        "FORMERR answers 0 scope 0",
        "REFUSED answers 0 scope 0",
        "BADCOOKIE answers 0 scope 0",
        "NOTIMP answers 0 scope 0",
        "Silence",
    ] {
        assert!(seen.get(kind).is_some_and(|count| *count >= 20), "{kind}: {seen:#?}");
    }
}

/// What is wounded was sound.
#[test]
fn the_small_deployment_is_sound() {
    let (path, content) = SMALL[0];
    let loaded = meridian::testing::config::read_deployment(
        std::path::Path::new("meridian.yaml"),
        &Replaced { files: &SMALL, path, content },
    );
    let shown = meridian::testing::finding::render::text(&loaded.findings, &loaded.files, false);
    assert!(loaded.deployment.is_some(), "{shown}");
}

#[test]
fn yaml_files() {
    let words: [&[u8]; 16] = [
        b": ",
        b"- ",
        b"\n",
        b"  ",
        b"{",
        b"}",
        b"[",
        b"]",
        b"\"",
        b"&a ",
        b"*a",
        b"steer: web",
        b"cname: x.",
        b"fra",
        b"!",
        b"0",
    ];
    let make = |dice: &mut Dice| {
        // The whole sample costs much to read and compile, so most inputs wound a small deployment.
        let (file, mut content) = if dice.once_in(200) {
            let file = dice.below(FILES.len() - 1);
            (128 + file, FILES[file].1.to_vec())
        } else {
            let file = dice.below(SMALL.len());
            (file, SMALL[file].1.to_vec())
        };
        mutate(dice, &mut content, &words);
        content.insert(0, file as u8);
        content
    };
    drive("yaml_files", targets::yaml::yaml, 4_000, make, || {});
}

#[test]
fn databases() {
    // A few rows reach every kind of node, of value and of place; the sample's costs fifty times as
    // much.
    let rows: Vec<&[u8]> = PLACES_CSV.split_inclusive(|o| *o == b'\n').take(14).collect();
    let source = String::from_utf8(rows.concat()).expect("text");
    let small = meridian::testing::cli::geoip::build::compile(
        &source,
        meridian::testing::finding::FileId(0),
        Some(1),
    )
    .expect("rows of the sample");
    let make = |dice: &mut Dice| {
        let mut content = if dice.once_in(200) { FILES[FILES.len() - 1].1.to_vec() } else { small.clone() };
        let (len, wounds) = (content.len(), dice.below(6));
        for _ in 0..wounds {
            // The end holds the metadata that all else hangs on.
            let at = if dice.once_in(2) { len - 1 - dice.below(400.min(len)) } else { dice.below(len) };
            content[at] = if dice.once_in(2) { dice.roll() as u8 } else { content[at] ^ 1 << dice.below(8) };
        }
        if dice.once_in(10) {
            mutate(dice, &mut content, &[]);
        }
        content
    };
    drive("databases", targets::mmdb::mmdb, 4_000, make, || {});
}

#[test]
fn database_sources() {
    let words: [&[u8]; 8] = [b",", b"\n", b"::/0", b"0.0.0.0/0", b"-180.0", b"#", b"EU,DE,", b"\xff"];
    let make = |dice: &mut Dice| {
        let lines: Vec<&[u8]> = PLACES_CSV.split_inclusive(|o| *o == b'\n').collect();
        let (head, rows) = lines.split_at(6);
        let mut content = head.concat();
        for _ in 0..dice.below(20) {
            content.extend_from_slice(dice.pick::<&[u8]>(rows));
        }
        mutate(dice, &mut content, &words);
        content
    };
    drive("database_sources", targets::csv::csv, 2_000, make, || {});
}

#[test]
fn zone_texts() {
    let texts: [&str; 5] = [
        "$TTL 60\r$GENERATE 7-9 ${-8,5,n}x TXT \"\\\"a $\\\" b\"\rq TXT \"c\nd\"\rp PX 1 a b\rw WKS \
         192.0.2.1 tcp 25 domain\rs NSAP 0x47.00\r$INCLUDE part.zone\r",
        "$TTL 1h\n@ IN SOA ns1 hostmaster (\n 1 7200 ; c\n 900 1209600 300 )\n NS ns1\nns1 300 IN A \
         192.0.2.1\n\tAAAA 2001:db8::1\n",
        "$ORIGIN sub.cdn.example.\n@ 60 MX 10 mail\nmail 60 A 192.0.2.2\n*.w 60 CNAME mail\nd 60 NS \
         ns.d\nns.d 60 A 192.0.2.3\nr 60 DNAME mail\n",
        "$TTL 60\n$GENERATE 1-3/2 h${1,3,x} A 192.0.2.$\n$INCLUDE part.zone sub\na TXT \"a b\" c\\032d \
         \"q\\\"q\"\no TYPE65280 \\# 4 0a00 0001\n",
        "$TTL 60\n@ SOA . . 1 2 3 4 5\n@ NS .\nl LOC 52 22 23 N 4 53 32 E -2m\ns SRV 0 0 443 l\nc CAA 0 \
         issue \"x\"\nk DS 1 13 2 ( 00\n 11 )\nh HTTPS 1 . alpn=h2\n",
    ];
    let words: [&[u8]; 16] = [
        b"(",
        b")",
        b"\"",
        b";",
        b"\\",
        b"\n",
        b"\r\n",
        b"\t",
        b"$INCLUDE loop.zone\n",
        b"$GENERATE 0-3 $ A 192.0.2.$\n",
        b"$ORIGIN .\n",
        b"@",
        b"\\# ",
        b" CNAME @\n",
        b"\xff",
        b"*.",
    ];
    let make = |dice: &mut Dice| {
        let mut text = Vec::new();
        for _ in 0..1 + dice.below(3) {
            text.extend_from_slice(dice.pick::<&str>(&texts).as_bytes());
        }
        mutate(dice, &mut text, &words);
        text
    };
    drive("zone_texts", targets::zone_text::zone_text, 20_000, make, || {});
}

#[test]
fn record_data() {
    let texts: [&str; 29] = [
        "192.0.2.1 tcp 25 domain",
        "0x47.0005.80",
        "10 map822 mapx400",
        "PKIX 12345 RSASHA256 AQIDBA==",
        "66 3 A NS TYPE1234",
        "1:192.0.2.0/24 !2:2001:db8::/32",
        "10 3 2 gw AQNR",
        "2 200100107b1a74df AwEA rvs1 rvs2.example.",
        "00-00-5e-00-53-2a",
        "192.0.2.1",
        "2001:db8::1",
        "ns1",
        "10 mail.example.",
        "0 .",
        "\"v=spf1 -all\" \"two\"",
        "ns1 hostmaster 1 7200 3600 1209600 300",
        "0 issue \"ca.example; x=y\"",
        "1 . alpn=h3,h2 port=443 ipv4hint=192.0.2.1 ipv6hint=2001:db8::1 ech=AEX+DQ==",
        "0 other.example.",
        "10 60 5060 sip.example.",
        "100 10 \"u\" \"E2U+sip\" \"!^.*$!sip:x@example.com!\" .",
        "60485 5 1 2BB183AF5F22588179A53B0A98631FAD1A292118",
        "1 1 2 D2ABDE240D7CD3EE6B4B28C54DF034B97983A1D16E8A410E4561CB106618E971",
        "256 3 13 oJMRESz5E4gYzS/q6XDrvU1qMPYIjCWzJaOau8XNEZeqCYKD5ar0IRd8KqXXFJkqmVfRvMGPmM1x8fGAa2XhSA==",
        "\\# 4 0a000001",
        "10 1 \"https://example.com/\"",
        "51 30 12.748 N 0 7 39.611 W 0.00m 0.00m 0.00m 0.00m",
        "\"PC\" \"Linux\"",
        "3 1 1 00",
    ];
    let words: [&[u8]; 10] = [b"\"", b"\\", b"\\000", b"\\256", b" ", b";", b"(", b"=", b"\\#", b"."];
    let make = |dice: &mut Dice| {
        let mut text = dice.pick::<&str>(&texts).as_bytes().to_vec();
        if !dice.once_in(10) {
            mutate(dice, &mut text, &words);
        }
        text.insert(0, dice.roll() as u8);
        text
    };
    drive("record_data", targets::rdata::rdata, 50_000, make, || {});
}

/// What load feeds say: sound numbers, JSON and pages, wounded.
#[test]
fn load_feeds() {
    let page: &[u8] = b"# TYPE load gauge\nload{host=\"a\",code=\"200\",} 4.5e2 \
        1395066363000\nload{host=\"b\"} 1\nload 2 # {x=\"y\"} 1\n";
    let sum = meridian::testing::probe::load::samples::sum(page, "load", &[]);
    assert_eq!(sum, Ok(453.0));
    let seeds: [&[u8]; 4] = [page, page, b"{\"load\":[417.5,\"1\"]}", b" 417.5e-1\n"];
    let words: [&[u8]; 12] = [
        b"load",
        b"{",
        b"}",
        b"host=\"a\"",
        b"\"",
        b"\\",
        b"\n",
        b" NaN",
        b" -1",
        b" 1e308",
        b"host=\"a\",",
        b"\nload{host=\"a\"} 1",
    ];
    let make = |dice: &mut Dice| {
        let mut input = dice.pick::<&[u8]>(&seeds).to_vec();
        mutate(dice, &mut input, &words);
        input
    };
    drive("load_feeds", targets::feed::feed, 50_000, make, || {});
}

/// Replies to probes: sound ones, wounded.
#[test]
fn probe_replies() {
    let mut reply = targets::probe::asked();
    reply[2] |= 0x80;
    reply[7] = 2;
    reply.extend_from_slice(b"\xc0\x0c\x00\x05\x00\x01\x00\x00\x00\x3c\x00\x04\x01a\xc0\x10");
    reply.extend_from_slice(b"\x01a\xc0\x10\x00\x01\x00\x01\x00\x00\x00\x3c\x00\x04\xc0\x00\x02\x01");
    let file: &[u8] = include_bytes!("../program/probes/certificates/p521.pem");
    let der = meridian::testing::health::pem::certificates(file).expect("made by openssl").remove(0);
    assert_eq!(meridian::testing::health::certificate::not_after(&der), Some(4_733_510_400));
    let response: &[u8] = b"HTTP/1.1 103 Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nX : a\n b\r\n\
        Transfer-Encoding: chunked\r\n\r\n3;x\r\nhel\r\n2\nlo\n0\r\nY: z\r\n\r\n";
    let (body, remark) = meridian::testing::probe::http::reply(std::iter::once(response)).expect("is well");
    assert!(body == b"hello" && remark.is_some());
    let plain: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";
    let asked = targets::probe::asked();
    assert!(matches!(
        meridian::testing::probe::dns::read(&asked, &reply),
        meridian::testing::probe::dns::DnsReply::Answer { addresses, .. } if addresses.len() == 1
    ));
    let seeds: [&[u8]; 7] = [&reply, &reply, &der, file, response, plain, b"UP 30\n"];
    let words: [&[u8]; 12] = [
        b"\xc0\x0c",
        b"\x00",
        b"\x00\x01",
        b"UP ",
        b"DOWN",
        b"\x83\xff\xff\xff",
        b"\r\n",
        b"\n ",
        b"Content-Length: 2\r\n",
        b"Transfer-Encoding: chunked\r\n",
        b"HTTP/1.1 200 OK\r\n",
        b"-----END CERTIFICATE-----\n",
    ];
    let make = |dice: &mut Dice| {
        let mut input = dice.pick::<&[u8]>(&seeds).to_vec();
        mutate(dice, &mut input, &words);
        input
    };
    drive("probe_replies", targets::probe::probe, 50_000, make, || {});
}

/// Messages that are no plain queries, wounded.
#[test]
fn rare_messages() {
    let seeds: Vec<Vec<u8>> = ["notify", "update", "axfr", "status-opcode", "tsig"]
        .iter()
        .map(|name| {
            let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus/rare").join(name);
            std::fs::read(path).expect("a seed")
        })
        .collect();
    let words: [&[u8]; 6] = [
        b"\xc0\x0c",
        b"\x00",
        b"\x00\x00\xfa\x00\xff",
        b"\x00\x00\x29\x04\xd0",
        b"\x00\x0a\x00\x08",
        b"\xff\xff",
    ];
    let make = |dice: &mut Dice| {
        let mut input = dice.pick::<Vec<u8>>(&seeds).clone();
        mutate(dice, &mut input, &words);
        input
    };
    drive("rare_messages", targets::rare::rare, 50_000, make, || {});
}

/// Files of the server itself, wounded.
#[test]
fn state_files() {
    let seeds: [&[u8]; 4] = [
        include_bytes!("../../fuzz/corpus/state/ledger.yaml"),
        include_bytes!("../../fuzz/corpus/state/quarantined"),
        include_bytes!("../../fuzz/corpus/state/remembered"),
        include_bytes!("../../fuzz/corpus/state/secrets"),
    ];
    let words: [&[u8]; 13] = [
        b"overrides:",
        b"\noctets 00ff\n",
        b"\n  - ",
        b"state: drain",
        b"'",
        b"\n",
        b" ",
        b"-",
        b"18446744073709551615",
        b"hold 1 web\n",
        b"load 0.5 3 2 a=1 4 k\n",
        b"0123456789abcdef0123456789abcdef\n",
        b"&a [*a]",
    ];
    let make = |dice: &mut Dice| {
        let mut input = dice.pick::<&[u8]>(&seeds).to_vec();
        mutate(dice, &mut input, &words);
        input
    };
    drive("state_files", targets::state::state, 10_000, make, || {});
}

/// Every seed of `fuzz/corpus` once: the inputs that cargo-fuzz begins with. Each target has a
/// folder of them.
#[test]
fn seeds_of_the_corpus() {
    let top = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz");
    let names = |folder: &str| -> Vec<String> {
        let entries = std::fs::read_dir(top.join(folder)).expect("a folder of fuzz/").flatten();
        let mut names: Vec<String> = entries.map(|e| e.file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    };
    let targets: [(&str, Target); 16] = [
        ("csv", targets::csv::csv),
        ("doq", targets::doq::doq),
        ("feed", targets::feed::feed),
        ("http", targets::http::http),
        ("mmdb", targets::mmdb::mmdb),
        ("packet", targets::packet::packet),
        ("probe", targets::probe::probe),
        ("proxy", targets::proxy::proxy),
        ("rare", targets::rare::rare),
        ("rdata", targets::rdata::rdata),
        ("state", targets::state::state),
        ("stream", targets::stream::stream),
        ("tls", targets::tls::tls),
        ("tsig", targets::tsig::tsig),
        ("yaml", targets::yaml::yaml),
        ("zone_text", targets::zone_text::zone_text),
    ];
    let of_cargo_fuzz: Vec<String> = targets.iter().map(|(name, _)| format!("{name}.rs")).collect();
    assert_eq!(names("fuzz_targets"), of_cargo_fuzz);
    let mut failing = Vec::new();
    for (target, run) in targets {
        let seeds = names(&format!("corpus/{target}"));
        assert!(seeds.len() >= 6, "{target} has {} seeds", seeds.len());
        for seed in seeds {
            let path = top.join("corpus").join(target).join(&seed);
            let input = std::fs::read(&path).expect("a seed");
            if catch_unwind(AssertUnwindSafe(|| meter::metered(run, &input))).is_err() {
                failing.push(format!("fuzz/corpus/{target}/{seed}"));
            }
        }
    }
    assert!(failing.is_empty(), "seeds that break a promise: {failing:#?}");
}
