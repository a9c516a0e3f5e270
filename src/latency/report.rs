//! The report of a build: coverage, gain over the nearest PoP, and the countries that gain most.
//!
//! Gains are those of the PoPs in the map, after hysteresis; only units with samples of their own
//! count, because elsewhere the estimate would be its own witness.

use super::ranking::Rankings;
use crate::geo::place::Country;
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// Countries in the table of a report.
const COUNTRIES: usize = 8;

/// Gain of a unit with samples.
#[derive(Clone, Debug)]
struct Gain {
    country: Option<Country>,
    /// Gain in ms over the nearest PoP.
    ms: f64,
    /// True if the unit leaves its nearest PoP.
    leaves: bool,
}

/// RTT of a unit with samples to its nearest PoP.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ToNearest {
    /// Number of the unit.
    pub(crate) unit: usize,
    /// Country of the unit.
    pub(crate) country: Option<Country>,
    /// Index of its nearest PoP.
    pub(crate) pop: u16,
    /// RTT to it in ms.
    pub(crate) rtt_ms: f64,
}

/// Evidence and gains of the PoPs that units have in the map.
#[derive(Clone, Debug, Default)]
pub(crate) struct Report {
    pops: usize,
    measured: usize,
    neighbours: usize,
    distance: usize,
    unplaced: usize,
    gains: Vec<Gain>,
}

impl Report {
    /// The report of a map over `pops` PoPs. `nearest` has the units with samples of their own.
    pub(crate) fn new(pops: usize, rankings: &Rankings, nearest: &[ToNearest]) -> Report {
        use crate::geo::rtts::RttSource::{Distance, Measured, Neighbours};
        let mut report = Report { pops, ..Report::default() };
        for unit in 0..rankings.len() {
            match rankings.first(unit).map(|first| first.source) {
                Some(Measured) => report.measured += 1,
                Some(Neighbours) => report.neighbours += 1,
                Some(Distance) => report.distance += 1,
                None => report.unplaced += 1,
            }
        }
        for near in nearest {
            let Some(first) = rankings.first(near.unit) else { continue };
            let leaves = first.pop != near.pop;
            let ms = if leaves { near.rtt_ms - f64::from(first.rtt_ms) } else { 0.0 };
            report.gains.push(Gain { country: near.country, ms, leaves });
        }
        report
    }

    /// The report.
    pub(crate) fn text(&self) -> String {
        let placed = self.measured + self.neighbours + self.distance;
        let share = |count: usize| count as f64 * 100.0 / (placed.max(1)) as f64;
        let mut text = format!(
            "units     {placed} over {} PoPs: {:.1} % measured, {:.1} % by neighbours, {:.1} % by distance",
            self.pops,
            share(self.measured),
            share(self.neighbours),
            share(self.distance)
        );
        if self.unplaced > 0 {
            let _ = write!(text, "; {} more have no place", self.unplaced);
        }
        text.push('\n');
        let mut gains: Vec<f64> = self.gains.iter().map(|gain| gain.ms).collect();
        if gains.is_empty() {
            return text;
        }
        gains.sort_by(f64::total_cmp);
        let leaving = self.gains.iter().filter(|gain| gain.leaves).count();
        let _ = writeln!(
            text,
            "gain      over the nearest PoP, where measured: mean {:.1} ms, 95th percentile {:.1} ms; \
             {:.1} % leave it",
            gains.iter().sum::<f64>() / gains.len() as f64,
            gains[(gains.len() * 95).div_ceil(100).clamp(1, gains.len()) - 1],
            leaving as f64 * 100.0 / gains.len() as f64
        );
        let mut by_country: BTreeMap<String, (f64, usize)> = BTreeMap::new();
        for Gain { country, ms, .. } in &self.gains {
            let name = country.map_or_else(|| "-".to_owned(), |country| country.to_string());
            let entry = by_country.entry(name).or_default();
            entry.0 += ms;
            entry.1 += 1;
        }
        let mut rows: Vec<(String, (f64, usize))> =
            by_country.into_iter().filter(|(_, (gain, _))| *gain > 0.0).collect();
        rows.sort_by(|a, b| b.1.0.total_cmp(&a.1.0).then(a.0.cmp(&b.0)));
        for (country, (gain, count)) in rows.iter().take(COUNTRIES) {
            let _ = writeln!(text, "          {country}  {:.1} ms over {count} units", gain / *count as f64);
        }
        text
    }
}
