//! Number of series of a large deployment, and the time of a scrape.

use meridian::testing::limits::SERIES_MAX;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Instant;
use support::deployment::{Deployment, ask_udp, query};
use support::pages;
use support::program::Served;

const POPS: usize = 1_000;
const POLICIES: usize = 200;
const ZONES: usize = 300;

/// A deployment of 1,000 PoPs with probes, feeds and two addresses each, 200 policies, some of them
/// over all PoPs, and 300 zones.
fn deployment() -> Deployment {
    let deployment = Deployment::new(&["127.0.0.1:0"], "  admin: \"127.0.0.1:0\"\n");
    deployment.edit("meridian.yaml", |server| server + "policies: policies.yaml\n");
    // Its PoP is not in this deployment.
    std::fs::remove_file(deployment.path("zones/cdn.example.yaml")).expect("the folder is ours");
    let mut pops = "probes: { robot: { push: { ttl: 1h }, up_after: 1, down_after: 1 } }\npops:\n".to_owned();
    for pop in 0..POPS {
        let (high, low) = (pop >> 8, pop & 255);
        let _ = writeln!(
            pops,
            "  p{pop:04}: {{ at: {{ lat: 50.1, lon: 8.7, country: DE }}, probe: robot, capacity: 10, load: \
             {{ push: {{ }}, stale_after: 1h }}, addresses: [\"10.0.{high}.{low}\", \
             \"2001:db8::{high:x}:{low:x}\"] }}"
        );
    }
    deployment.write("pops.yaml", &pops);
    let steered = write_policies(&deployment, "w");
    for zone in 0..ZONES {
        write_zone(&deployment, zone, if zone == 0 { &steered } else { "" });
    }
    deployment
}

/// Writes policies whose names begin with `prefix`. Returns the records of the names that they
/// steer.
fn write_policies(deployment: &Deployment, prefix: &str) -> String {
    let mut policies = "policies:\n".to_owned();
    let mut records = String::new();
    for policy in 0..POLICIES {
        // Rows of all PoPs do not fit the page, and few of them are enough for that.
        let pops = if policy < POLICIES - 5 { "[p0000]" } else { "all" };
        let _ = writeln!(policies, "  {prefix}{policy:03}: {{ pops: {pops}, order: listed }}");
        let _ = writeln!(records, "  w{policy:03}: {{ steer: {prefix}{policy:03} }}");
    }
    deployment.write("policies.yaml", &policies);
    records
}

fn write_zone(deployment: &Deployment, zone: usize, steered: &str) {
    deployment.write(
        &format!("zones/z{zone:03}.example.yaml"),
        &format!(
            "zone: z{zone:03}.example.\nttl: 300\nsoa: {{ mname: ns1, rname: hostmaster, negative_ttl: 60 \
             }}\nrecords:\n  \"@\": {{ NS: [ns1] }}\n  ns1: {{ A: 192.0.2.53 }}\n{steered}"
        ),
    );
}

/// Sum of the series of a family with all these labels.
fn sum(series: &BTreeMap<String, f64>, family: &str, labels: &[&str]) -> f64 {
    let is_it = |series: &str| {
        series.starts_with(&format!("{family}{{")) && labels.iter().all(|label| series.contains(label))
    };
    series.iter().filter(|(series, _)| is_it(series)).map(|(_, value)| *value).sum()
}

/// The page has at most [`SERIES_MAX`] series, and what it leaves out it counts elsewhere.
#[test]
fn a_large_deployment_has_a_bounded_page() {
    let deployment = deployment();
    let served = deployment.serve(&[]);
    for (name, times) in [("w000.z000", 3), ("w199.z000", 2), ("ns1.z299", 4), ("none.z001", 1)] {
        for n in 0..times {
            ask_udp(served.dns, &query(n, &format!("{name}.example"), 1));
        }
    }
    let mut took = Vec::new();
    let mut series = BTreeMap::new();
    for _ in 0..5 {
        let began = Instant::now();
        let page = pages::admin(served.admin(), "/metrics");
        took.push(began.elapsed());
        assert_eq!(page.status, 200, "{}", page.head);
        series = pages::series(&page.body);
    }
    took.sort_unstable();
    println!("{} series, a scrape takes {:?}, pauses between pages included", series.len(), took);
    assert!((9_000..=SERIES_MAX).contains(&series.len()), "{} series", series.len());
    for (family, labels, value) in [
        ("meridian_pop_answers_total", &["policy=\"w000\""][..], 3.0),
        ("meridian_pop_answers_total", &["policy=\"(other)\""], 2.0),
        // Policies without a row of counters are counted together.
        ("meridian_decisions_total", &["policy=\"(other)\""], 2.0),
        ("meridian_zone_replies_total", &["zone=\"z000.example.\"", "NOERROR"], 5.0),
        ("meridian_zone_replies_total", &["zone=\"z001.example.\"", "NXDOMAIN"], 1.0),
        ("meridian_zone_replies_total", &["zone=\"(other)\"", "NOERROR"], 4.0),
        ("meridian_worker_queries_total", &["worker=\"udp-"], 10.0),
        ("meridian_pop_state", &["state=\"auto\""], POPS as f64),
    ] {
        assert_eq!(sum(&series, family, labels), value, "{family} {labels:?}");
    }
    let targets = series.keys().filter(|name| name.starts_with("meridian_target_up{")).count();
    assert_eq!(targets as f64 + series["meridian_targets_not_shown"], 2.0 * POPS as f64);
    // Samples at 0 of PoPs are left out.
    assert!(!series.contains_key("meridian_pop_state{pop=\"p0000\",state=\"down\"}"));
    renamed_policies_need_no_room(&deployment, &served);
}

/// After a reload with other names of policies the old ones keep their counts, within the bound.
fn renamed_policies_need_no_room(deployment: &Deployment, served: &Served) {
    write_zone(deployment, 0, &write_policies(deployment, "v"));
    let reloaded = deployment.run(&["reload"]);
    assert_eq!(reloaded.0, 0, "{reloaded:?}");
    ask_udp(served.dns, &query(1, "w000.z000.example", 1));
    let page = pages::admin(served.admin(), "/metrics");
    let series = pages::series(&page.body);
    for (family, labels, value) in [
        ("meridian_pop_answers_total", &["policy=\"v000\""][..], 1.0),
        ("meridian_decisions_total", &["policy=\"v000\""], 1.0),
        ("meridian_decisions_total", &["policy=\"w000\""], 3.0),
        ("meridian_decisions_total", &["policy=\"(other)\""], 2.0),
        ("meridian_zone_replies_total", &["zone=\"z000.example.\"", "NOERROR"], 6.0),
    ] {
        assert_eq!(sum(&series, family, labels), value, "{family} {labels:?}");
    }
    assert!(series.len() <= SERIES_MAX, "{} series", series.len());
}
