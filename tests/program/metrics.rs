//! What a server counts, as it is told: the page of metrics, health, and the log.

use meridian::testing::control::catalogue::{self, CATALOGUE};
use serde_json::Value;
use std::collections::BTreeMap;
use std::io::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use support::deployment::{Deployment, PATIENCE, ask_tcp, ask_udp, connect, query};
use support::pages;
use support::program::{Served, meridian_over, run, until_seen};

const A: u16 = 1;
const TXT: u16 = 16;
const AAAA: u16 = 28;

const POPS: &str = "\
pops:
  ams: { at: { lat: 50.1, lon: 8.7, country: DE }, addresses: [198.51.100.30], state: drain }
  fra: { at: { lat: 50.1, lon: 8.7, country: DE }, addresses: [198.51.100.10] }
  iad: { at: { lat: 50.1, lon: 8.7, country: DE }, addresses: [198.51.100.20] }
";
const POLICIES: &str = "\
policies:
  first: { pops: [fra, iad], order: listed }
  second: { pops: [iad], order: listed }
  drained: { pops: [ams], order: listed }
";
const ZONE: &str = "\
zone: cdn.example.
ttl: 300
soa: { mname: ns1, rname: hostmaster, negative_ttl: 60 }
records:
  \"@\": { NS: [ns1] }
  ns1: { A: 192.0.2.53 }
  first: { steer: first }
  second: { steer: second }
  drained: { steer: drained }
";

/// A running `meridian serve` over a deployment of its own.
struct Process {
    deployment: Deployment,
    served: Served,
    dns: SocketAddr,
    admin: SocketAddr,
}

impl Process {
    fn start(more: &[&str]) -> Process {
        let deployment = Deployment::new(&["127.0.0.1:0"], "  admin: \"127.0.0.1:0\"\n");
        deployment.edit("meridian.yaml", |server| {
            server + "geoip: { databases: [places.mmdb] }\npolicies: policies.yaml\n"
        });
        deployment.write("pops.yaml", POPS);
        deployment.write("policies.yaml", POLICIES);
        deployment.write("zones/cdn.example.yaml", ZONE);
        std::fs::copy(support::top().join("geoip/places.mmdb"), deployment.path("places.mmdb"))
            .expect("a copy");
        let served = deployment.serve(more);
        Process { deployment, dns: served.dns, admin: served.admin(), served }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.deployment.path(name)
    }

    fn write(&self, name: &str, text: &str) {
        self.deployment.write(name, text);
    }

    /// `meridian reload`; whether it was published.
    fn reload(&self) -> bool {
        self.deployment.run(&["reload"]).0 == 0
    }

    /// The status and the body of a page.
    fn page(&self, path: &str) -> (u16, String) {
        let page = pages::admin(self.admin, path);
        (page.status, page.body)
    }

    /// A scrape, by series.
    fn scrape(&self) -> BTreeMap<String, f64> {
        pages::series(&self.page("/metrics").1)
    }
}

/// The series of two families of decisions that are not 0.
fn decisions(scrape: &BTreeMap<String, f64>) -> Vec<(&str, f64)> {
    let is_decision = |series: &str| {
        series.starts_with("meridian_pop_answers_total") || series.starts_with("meridian_decisions_total")
    };
    scrape
        .iter()
        .filter(|(series, value)| is_decision(series) && **value != 0.0)
        .map(|(s, v)| (s.as_str(), *v))
        .collect()
}

/// Queries over UDP and TCP are counted exactly, by policy and PoP, by reason, type and evidence; a
/// reload that renumbers policies and PoPs keeps every count under its name.
#[test]
fn counts_are_exact_and_survive_reloads() {
    for engine in ["fast", "hickory"] {
        let process = Process::start(&["--engine", engine]);
        let asked = [
            ("first", A, 3),
            ("second", A, 2),
            ("drained", A, 1),
            ("first", AAAA, 1),
            ("ns1", A, 1),
            ("none", TXT, 1),
        ];
        let ask_all = || {
            for (name, rtype, times) in asked {
                for n in 0..times {
                    let octets = query(n, &format!("{name}.cdn.example"), rtype);
                    ask_udp(process.dns, &octets);
                    ask_tcp(process.dns, &octets);
                }
            }
        };
        ask_all();
        let scrape = process.scrape();
        let first = [
            ("meridian_decisions_total{policy=\"drained\",reason=\"last_resort\"}", 2.0),
            ("meridian_decisions_total{policy=\"first\",reason=\"regular\"}", 6.0),
            ("meridian_decisions_total{policy=\"second\",reason=\"regular\"}", 4.0),
            ("meridian_pop_answers_total{policy=\"drained\",pop=\"ams\"}", 2.0),
            ("meridian_pop_answers_total{policy=\"first\",pop=\"fra\"}", 6.0),
            ("meridian_pop_answers_total{policy=\"second\",pop=\"iad\"}", 4.0),
        ];
        assert_eq!(decisions(&scrape), first, "{engine}");
        for (series, value) in [
            ("meridian_pop_answers_total{policy=\"first\",pop=\"iad\"}", 0.0),
            ("meridian_questions_total{transport=\"udp\",type=\"A\"}", 7.0),
            ("meridian_questions_total{transport=\"tcp\",type=\"AAAA\"}", 1.0),
            ("meridian_questions_total{transport=\"tcp\",type=\"TXT\"}", 1.0),
            ("meridian_replies_total{rcode=\"NXDOMAIN\",transport=\"tcp\"}", 1.0),
            ("meridian_replies_total{rcode=\"NOERROR\",transport=\"udp\"}", 8.0),
            ("meridian_queries_total{transport=\"tcp\"}", 9.0),
            ("meridian_decision_evidence_total{evidence=\"nothing\",transport=\"udp\"}", 6.0),
            ("meridian_reloads_total{outcome=\"published\"}", 0.0),
            ("meridian_last_reload_ok", 1.0),
            ("meridian_ready", 1.0),
            ("meridian_zone_replies_total{rcode=\"NOERROR\",zone=\"cdn.example.\"}", 16.0),
            ("meridian_zone_replies_total{rcode=\"NXDOMAIN\",zone=\"cdn.example.\"}", 2.0),
            // The first message of a transport is measured.
            ("meridian_answer_duration_seconds_bucket{transport=\"tcp\",le=\"+Inf\"}", 1.0),
            ("meridian_answer_duration_seconds_count{transport=\"dot\"}", 0.0),
        ] {
            assert_eq!(scrape.get(series), Some(&value), "{engine}: {series}");
        }
        // Each worker measures its first batch; its sockets share the datagrams.
        let measured = scrape["meridian_answer_duration_seconds_count{transport=\"udp\"}"];
        let seconds = scrape["meridian_answer_duration_seconds_sum{transport=\"udp\"}"];
        assert!(measured >= 1.0 && seconds > 0.0 && seconds < 10.0, "{engine}: {measured} in {seconds} s");
        let of_workers = scrape.iter().filter(|(name, _)| name.starts_with("meridian_worker_queries_total"));
        let of_workers: f64 = of_workers.map(|(_, queries)| queries).sum();
        assert_eq!(of_workers, if engine == "fast" { 9.0 } else { 0.0 }, "{engine}");

        // Names in front of the others: every number is another one, and `drained` is gone.
        process.write(
            "pops.yaml",
            &POPS.replace(
                "pops:\n",
                "pops:\n  aaa: { at: { lat: 50.1, lon: 8.7, country: DE }, addresses: [198.51.100.40] }\n",
            ),
        );
        let policies = POLICIES.replace("  drained: { pops: [ams], order: listed }\n", "");
        process.write(
            "policies.yaml",
            &policies.replace("policies:\n", "policies:\n  zero: { pops: [aaa], order: listed }\n"),
        );
        process.write("zones/cdn.example.yaml", &ZONE.replace("steer: drained", "steer: zero"));
        assert!(process.reload(), "{engine}");
        assert_eq!(decisions(&process.scrape()), first, "{engine}: kept");
        ask_all();
        let second = [
            ("meridian_decisions_total{policy=\"drained\",reason=\"last_resort\"}", 2.0),
            ("meridian_decisions_total{policy=\"first\",reason=\"regular\"}", 12.0),
            ("meridian_decisions_total{policy=\"second\",reason=\"regular\"}", 8.0),
            ("meridian_decisions_total{policy=\"zero\",reason=\"regular\"}", 2.0),
            ("meridian_pop_answers_total{policy=\"drained\",pop=\"ams\"}", 2.0),
            ("meridian_pop_answers_total{policy=\"first\",pop=\"fra\"}", 12.0),
            ("meridian_pop_answers_total{policy=\"second\",pop=\"iad\"}", 8.0),
            ("meridian_pop_answers_total{policy=\"zero\",pop=\"aaa\"}", 2.0),
        ];
        assert_eq!(decisions(&process.scrape()), second, "{engine}");
        // Reloads that change nothing, and the sweep of the writer, change no count.
        for _ in 0..3 {
            assert!(process.reload());
        }
        std::thread::sleep(Duration::from_millis(1200));
        let scrape = process.scrape();
        assert_eq!(decisions(&scrape), second, "{engine}: folded");
        assert_eq!(scrape["meridian_reloads_total{outcome=\"published\"}"], 4.0);
    }
}

/// The catalogue and a real scrape name the same families with the same kind, help and labels.
#[test]
fn the_scrape_is_the_catalogue() {
    let process = Process::start(&[]);
    ask_udp(process.dns, &query(1, "first.cdn.example", A));
    // A PoP that is probed, has a load feed and ramps.
    std::fs::write(process.path("load"), "5").expect("the folder is ours");
    let watched = "probe: well, ramp: 5m, capacity: 10, load: { file: load, every: 1s, stale_after: 1d }, \
        addresses: [198.51.100.10]";
    let pops = POPS.replace("addresses: [198.51.100.10]", watched);
    let probes = format!("probes: {{ well: {{ tcp: {{ port: 53 }}, to: \"{}\" }} }}\npops:\n", process.dns);
    let pops = pops.replace("pops:\n", &probes);
    process.write("pops.yaml", &pops);
    // A latency map, and a policy that follows it. All PoPs are in one place, so the RTTs tie, and
    // the first name leads.
    process.write("policies.yaml", &format!("{POLICIES}  fast: {{ pops: all, order: latency }}\n"));
    let rows = "prefix,pop,hour,samples,rtt_ms\n192.0.2.0/24,ams,2026-01-01T00:00:00Z,5,3.0\n";
    process.write("rows.csv", rows);
    let config = process.path("meridian.yaml");
    let mut build = meridian_over(&config, &["latency", "build"]);
    build.arg("--output").arg(process.path("latency.mmdb")).arg(process.path("rows.csv"));
    let (status, _, errors) = run(build);
    assert_eq!(status, 0, "{errors}");
    let files = std::fs::read_to_string(&config).expect("text");
    process.write("meridian.yaml", &files.replace("[places.mmdb]", "[places.mmdb, latency.mmdb]"));
    assert!(process.reload(), "{}", process.served.process.stderr());
    let body = until_seen("a load and a latency", PATIENCE, || {
        let (_, body) = process.page("/metrics");
        let is_whole =
            body.contains("meridian_pop_utilisation{") && body.contains("meridian_target_latency_seconds{");
        if is_whole { Ok(body) } else { Err(body) }
    });
    let mut kinds = BTreeMap::new();
    let mut helps = BTreeMap::new();
    let mut labels: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for line in body.lines() {
        if let Some((name, kind)) = line.strip_prefix("# TYPE ").and_then(|rest| rest.split_once(' ')) {
            kinds.insert(name.to_owned(), kind.to_owned());
        } else if let Some((name, help)) = line.strip_prefix("# HELP ").and_then(|rest| rest.split_once(' '))
        {
            helps.insert(name.to_owned(), help.to_owned());
        } else {
            let (series, _) = line.rsplit_once(' ').expect("a series and a value");
            let (name, inside) = series.split_once('{').unwrap_or((series, "}"));
            // The series of a histogram have its name, and buckets one label more.
            let is_histogram = |name: &&str| kinds.get(*name).is_some_and(|kind| kind == "histogram");
            let stems = ["_bucket", "_sum", "_count"].iter().filter_map(|end| name.strip_suffix(end));
            let name = stems.clone().find(is_histogram).unwrap_or(name);
            let mut of_series: Vec<_> = inside
                .split("\",")
                .filter_map(|pair| pair.split_once('=').map(|(key, _)| key.to_owned()))
                .filter(|key| key != "le")
                .collect();
            of_series.sort();
            labels.insert(name.to_owned(), of_series);
        }
    }
    // Only a target that speaks TLS has a certificate, only a server with `tls` has one of its own,
    // only a faulty zone is not current, and only an answer past a rate limit is counted there.
    let absent = [
        "meridian_target_certificate_days",
        "meridian_tls_certificate_expiry_timestamp_seconds",
        "meridian_zone_not_current",
        "meridian_rate_limited_total",
    ];
    let shown = || CATALOGUE.iter().filter(|family| !absent.contains(&family.name));
    assert_eq!(kinds.len(), shown().count(), "{:?}", kinds.keys());
    for family in shown() {
        assert_eq!(kinds.get(family.name).map(String::as_str), Some(family.kind.word()), "{}", family.name);
        assert_eq!(helps.get(family.name).map(String::as_str), Some(family.help), "{}", family.name);
        let mut of_family = family.labels.to_vec();
        of_family.sort_unstable();
        assert_eq!(labels[family.name], of_family, "{}", family.name);
    }
    let scrape = process.scrape();
    let of_map = |family: &str, label: &str| {
        let is_it = |series: &str| series.contains("latency.mmdb") && series.contains(label);
        scrape.iter().find(|(series, _)| series.starts_with(family) && is_it(series)).map(|(_, value)| *value)
    };
    assert_eq!(of_map("meridian_latency_map_networks{", "source=\"measured\""), Some(1.0));
    let newest = of_map("meridian_latency_map_newest_sample_timestamp_seconds{", "");
    assert_eq!(newest, Some(1_767_225_600.0));
    let share = |source: &str| {
        let labels = format!("family=\"ipv4\",policy=\"fast\",source=\"{source}\"");
        scrape[&format!("meridian_latency_address_share{{{labels}}}")]
    };
    let shares = ["measured", "neighbours", "distance", "none"].map(share);
    assert!(shares[0] > 0.0 && (shares.iter().sum::<f64>() - 1.0).abs() < 1e-6, "{shares:?}");
    assert!(scrape["process_resident_memory_bytes"] > 1e6 && scrape["meridian_names"] == 5.0, "{scrape:?}");
    assert!(scrape["meridian_preference_lists"] >= 1.0, "{scrape:?}");
    assert!(scrape.iter().any(|(s, age)| s.starts_with("meridian_database_age_seconds{name=")
        && s.contains("places.mmdb")
        && *age >= 0.0));
}

/// docs/metrics.md is what the catalogue prints.
#[test]
fn the_document_is_the_catalogue() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/metrics.md");
    if std::env::var_os("MERIDIAN_WRITE").is_some() {
        std::fs::write(&path, catalogue::document()).expect("docs/ is there");
    }
    assert_eq!(
        std::fs::read_to_string(&path).expect("readable"),
        catalogue::document(),
        "print it anew: see the head of the file"
    );
}

/// A refused reload is a note, and the server stays ready; text and JSON tell the same.
#[test]
fn readiness_tells_reasons() {
    let process = Process::start(&[]);
    assert_eq!(process.page("/readyz").1, "serving\n");
    process.write("pops.yaml", "pops: [: broken");
    assert!(!process.reload());
    let (status, body) = process.page("/readyz");
    assert!(
        status == 200
            && body.starts_with("serving\nnote: the last reload was refused, and files ")
            && body.contains("pops.yaml:1:7: this is not well-formed YAML"),
        "{status} {body}"
    );
    let (_, body) = process.page("/readyz?format=json");
    let told: Value = serde_json::from_str(&body).expect("JSON");
    assert_eq!((&told["ready"], told["notes"].as_array().map(Vec::len)), (&true.into(), Some(1)));
    assert_eq!(process.scrape()["meridian_last_reload_ok"], 0.0);
    process.write("pops.yaml", POPS);
    assert!(process.reload());
    assert_eq!(process.page("/readyz").1, "serving\n");
    assert_eq!(process.page("/healthz").0, 200);
}

/// Peers that open connections and send nothing, or a header without an end, are cut off; after
/// that the page is there again.
#[test]
fn slow_peers_of_the_admin_address_are_cut_off() {
    let process = Process::start(&[]);
    let began = Instant::now();
    let slow: Vec<_> = (0..meridian::testing::limits::CONTROL_CONNECTIONS_MAX)
        .map(|n| {
            let mut stream = connect(process.admin);
            if n % 2 == 0 {
                stream.write_all(b"GET /metrics HTTP/1.1\r\nX: ").expect("the kernel takes it");
            }
            stream
        })
        .collect();
    assert_eq!(process.page("/healthz").0, 200);
    assert!(began.elapsed() < PATIENCE, "{:?}", began.elapsed());
    drop(slow);
}

/// Each line of the log is one event, as text or as JSON.
#[test]
fn logs_are_lines() {
    for (format, more) in [("text", &[][..]), ("json", &["--log", "json"])] {
        let process = Process::start(more);
        process.write("pops.yaml", "pops: [: broken");
        assert!(!process.reload());
        // A thread of its own writes it.
        let log = until_seen("a line of the refusal", PATIENCE, || {
            let log = process.served.process.stderr();
            if log.contains("reload refused") && log.ends_with('\n') { Ok(log) } else { Err(log) }
        });
        let serving = log.lines().find(|line| line.contains("serving snapshot 1")).expect("a line");
        let refused = log.lines().find(|line| line.contains("reload refused")).expect("a line");
        if format == "json" {
            for line in log.lines() {
                let told: Value = serde_json::from_str(line).expect("each line is JSON");
                assert!(
                    told["timestamp"].is_string() && told["level"].is_string() && told["message"].is_string(),
                    "{line}"
                );
            }
            let refused: Value = serde_json::from_str(refused).expect("JSON");
            assert_eq!(refused["level"], "ERROR");
            let finding = log.lines().find(|line| line.contains("\"code\"")).expect("a finding");
            let finding: Value = serde_json::from_str(finding).expect("JSON");
            assert!(finding["code"].as_str().is_some_and(|code| code.starts_with("MRD")), "{finding}");
            assert!(
                finding["place"].as_str().is_some_and(|place| place.contains("pops.yaml:1:")),
                "{finding}"
            );
        } else {
            assert!(serving.contains("INFO") && refused.contains("ERROR"), "{log}");
        }
    }
}

/// `meridian size` tells every zone, policy and table, and its sums are right.
#[test]
fn size_adds_up() {
    let process = Process::start(&[]);
    let run = |more: &[&str]| {
        let (status, stdout, stderr) = process.deployment.run(&[&["size"], more].concat());
        assert_eq!(status, 0, "{stderr}");
        stdout
    };
    let told: Value = serde_json::from_str(&run(&["--format", "json"])).expect("JSON");
    let sum = |rows: &Value, key: &str| {
        rows.as_array().expect("rows").iter().map(|row| row[key].as_u64().expect("a number")).sum::<u64>()
    };
    assert_eq!(Some(sum(&told["zones"], "octets")), told["tables"]["images"].as_u64());
    let tables: u64 = told["tables"].as_object().expect("tables").values().filter_map(Value::as_u64).sum();
    assert_eq!(Some(tables), told["snapshot_octets"].as_u64());
    assert!(sum(&told["policies"], "preference_list_octets") > 0);
    assert!(told["reload_peak_octets_estimated"].as_u64() > told["peak_octets"].as_u64());
    assert_eq!(
        process.scrape()["meridian_snapshot_bytes{table=\"images\"}"] as u64,
        sum(&told["zones"], "octets")
    );
    assert_eq!(
        process.scrape()["meridian_snapshot_bytes{table=\"preference_lists\"}"] as u64,
        sum(&told["policies"], "preference_list_octets")
    );
    let text = run(&[]);
    for what in [
        "zone      cdn.example.",
        "policy    first",
        "table     routes",
        "table     preference_lists",
        "loading   records",
        "peak      of a reload",
    ] {
        assert!(text.contains(what), "{what} is not in {text}");
    }
    process.write("pops.yaml", "pops: [: broken");
    assert_eq!(process.deployment.run(&["size"]).0, 1);
}
