//! The report of a build: coverage, gain over the nearest PoP, and the countries that gain most.
//!
//! Gains are those of the estimates; only units with samples of their own count, because elsewhere
//! the estimate would be its own witness.

use super::estimate::{Estimate, Spot};
use super::measured::OwnRtt;
use super::ranking::Ranked;
use crate::geo::place::Country;
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// Countries in the table of a report.
const COUNTRIES: usize = 8;

/// Gains by country.
#[derive(Clone, Debug, Default)]
pub(crate) struct Report {
    pops: usize,
    measured: usize,
    neighbours: usize,
    distance: usize,
    unplaced: usize,
    /// (country, gain in ms, leaves its nearest PoP) of units with samples.
    gains: Vec<(Option<Country>, f64, bool)>,
}

impl Report {
    /// An empty report of a map over so many PoPs.
    pub(crate) fn new(pops: usize) -> Report {
        Report { pops, ..Report::default() }
    }

    /// Counts a unit with its ranking.
    pub(crate) fn add(&mut self, ranking: &[Ranked]) {
        use crate::geo::rtts::RttSource::{Distance, Measured, Neighbours};
        let Some(first) = ranking.first() else { return };
        match first.source {
            Measured => self.measured += 1,
            Neighbours => self.neighbours += 1,
            Distance => self.distance += 1,
        }
    }

    /// Notes what a unit with samples of its own gains over its nearest PoP.
    pub(crate) fn add_gain(
        &mut self,
        spot: &Spot,
        ranking: &[Ranked],
        nearest: Option<u16>,
        estimates: &[Estimate],
        own: &[OwnRtt],
    ) {
        let Some((first, nearest)) = ranking.first().zip(nearest) else { return };
        let rtt_of = |pop: u16| match own.iter().find(|own| own.pop == pop) {
            Some(own) => own.rtt_ms,
            None => estimates.get(usize::from(pop)).map_or(0.0, |estimate| estimate.rtt_ms),
        };
        let gain = if first.pop == nearest { 0.0 } else { rtt_of(nearest) - rtt_of(first.pop) };
        self.gains.push((spot.country, gain, first.pop != nearest));
    }

    /// The report.
    pub(crate) fn text(&mut self, units: usize) -> String {
        let placed = self.measured + self.neighbours + self.distance;
        self.unplaced = units - placed;
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
        let mut gains: Vec<f64> = self.gains.iter().map(|(_, gain, _)| *gain).collect();
        if gains.is_empty() {
            return text;
        }
        gains.sort_by(f64::total_cmp);
        let leaving = self.gains.iter().filter(|(_, _, leaves)| *leaves).count();
        let _ = writeln!(
            text,
            "gain      over the nearest PoP, where measured: mean {:.1} ms, 95th percentile {:.1} ms; \
             {:.1} % leave it",
            gains.iter().sum::<f64>() / gains.len() as f64,
            gains[(gains.len() * 95).div_ceil(100).clamp(1, gains.len()) - 1],
            leaving as f64 * 100.0 / gains.len() as f64
        );
        let mut by_country: BTreeMap<String, (f64, usize)> = BTreeMap::new();
        for (country, gain, _) in &self.gains {
            let name = country.map_or_else(|| "-".to_owned(), |country| country.to_string());
            let entry = by_country.entry(name).or_default();
            entry.0 += gain;
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
