//! Measured round-trip times in an ordinary deployment: one policy by latency beside the one by
//! distance, so that the two are compared over equal clients.

use super::ordinary::{PolicyRow, SITES, home};
use super::{Countries, server_of};
use crate::dice::Dice;
use crate::program;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

/// The policy; its band is that of the policy by distance.
pub const POLICY: PolicyRow = ("fast", 0, &["order: latency", "band: 10%", "ttl: { min: 20, max: 60 }"]);

/// Share of the networks with samples, in per cent.
const MEASURED_PERCENT: usize = 30;
/// PoPs to which a network has samples.
const POPS_MEASURED: usize = 8;

/// Builds `latency.mmdb` of samples, and lists it in the server file of a folder that holds the
/// deployment.
pub fn add_map(folder: &Path, port: u16, countries: &Countries, seed: u64) {
    let dice = &mut Dice(seed ^ 0x1a7);
    let mut rows = "prefix,pop,hour,samples,rtt_ms\n".to_owned();
    for (network, country) in &countries.v4 {
        if dice.below(100) >= MEASURED_PERCENT {
            continue;
        }
        let last_mile_ms = dice.between(1.0, 20.0);
        let mut near: Vec<(f64, &str)> =
            SITES.iter().map(|site| (degrees(site.1, SITES[home(*country)].1), site.0)).collect();
        near.sort_by(|a, b| a.0.total_cmp(&b.0));
        for (distance, pop) in &near[..POPS_MEASURED] {
            let (samples, rtt_ms) = (1 + dice.below(30), 3.0 + distance * 2.3 + last_mile_ms);
            // Writing to a string does not fail.
            let _ =
                writeln!(rows, "{}/24,{pop},2025-11-27T08:00:00Z,{samples},{rtt_ms:.1}", network.network());
        }
    }
    fs::write(folder.join("rows.csv"), rows).expect("a file can be written");
    let mut build = program::meridian_over(
        &folder.join("meridian.yaml"),
        &["latency", "build", "--epoch", "1764230400", "--output", "latency.mmdb", "rows.csv"],
    );
    build.current_dir(folder);
    let (status, _, stderr) = program::run(build);
    assert_eq!(status, 0, "{stderr}");
    let server = server_of(port, "places.mmdb, latency.mmdb");
    fs::write(folder.join("meridian.yaml"), server).expect("a file can be written");
}

/// Distance in degrees on a plane, which is enough for a benchmark.
fn degrees((lat, lon): (f64, f64), (other_lat, other_lon): (f64, f64)) -> f64 {
    (lat - other_lat).hypot((lon - other_lon) * lat.to_radians().cos())
}
