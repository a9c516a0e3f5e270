//! Bounds that sizes must keep.

use crate::report::{Bar, Point};

/// The bars of what was measured.
pub fn of(points: &[Point]) -> Vec<Bar> {
    [
        tables(points),
        published(points),
        held(points),
        from_yaml(points),
        growth(points, &["names"], "static"),
        growth(points, &STEERED, "steered"),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// Axes along which steered answers might grow.
const STEERED: [&str; 4] = ["zones", "pops", "networks", "policies"];

/// Routes, lists and classes of the most policies over the largest database.
fn tables(points: &[Point]) -> Option<Bar> {
    let octets = |point: &Point| point.number("routes_octets") + point.number("plans_octets");
    let is = greatest(points.iter().filter(|point| ["policies", "all"].contains(&point.axis)).map(octets))?;
    Some(Bar {
        what: "routes, lists and classes of all policies, MiB",
        is: is / f64::from(1 << 20),
        at_most: 1024.0,
    })
}

/// The longest publication of a verdict.
fn published(points: &[Point]) -> Option<Bar> {
    let is = greatest(points.iter().map(|point| point.number("publish_micros")))?;
    Some(Bar { what: "publishing a verdict, ms", is: is / 1e3, at_most: 0.5 })
}

/// The largest publication, parts apart that it shares with the one before.
fn held(points: &[Point]) -> Option<Bar> {
    let is = greatest(points.iter().map(|point| point.number("publication_octets")))?;
    Some(Bar { what: "memory of a publication of its own, MiB", is: is / f64::from(1 << 20), at_most: 16.0 })
}

/// The load of the largest zone written as YAML.
fn from_yaml(points: &[Point]) -> Option<Bar> {
    let is =
        greatest(points.iter().filter(|point| point.axis == "yaml").map(|point| point.number("load_secs")))?;
    Some(Bar { what: "load of the largest zone in YAML, s", is, at_most: 10.0 })
}

/// Processor time of an answer may grow with the logarithm of the size at most: ten times as much
/// of anything costs no more than what the least of it costs once again. This is the largest part
/// of that which any axis takes.
fn growth(points: &[Point], axes: &[&str], kind: &str) -> Option<Bar> {
    let key = format!("{kind}_cpu_nanos");
    let part = |axis: &&str| {
        let of_axis = || points.iter().filter(|point| point.axis == *axis);
        let (least, most) =
            (of_axis().min_by_key(|point| point.number)?, of_axis().max_by_key(|point| point.number)?);
        let decades = (most.number as f64 / least.number as f64).log10();
        (decades > 0.0).then(|| (most.number(&key) / least.number(&key) - 1.0) / decades)
    };
    let what = match kind {
        "static" => "growth of a static answer's processor time for ten times the names, in times",
        _ => {
            "growth of a steered answer's processor time for ten times the zones, PoPs, networks or \
             policies, in times"
        }
    };
    Some(Bar { what, is: greatest(axes.iter().filter_map(part))?, at_most: 1.0 })
}

fn greatest(values: impl Iterator<Item = f64>) -> Option<f64> {
    values.max_by(f64::total_cmp)
}
