//! Evaluation cases: PoPs, clients and samples in one file, the true RTTs in another.

use super::estimate::{Estimator, Spot, representative_ms};
use super::measured::{Measured, OwnRtt, Vote};
use crate::geo::place::{Coordinates, Country};
use serde::Deserialize;
use std::collections::BTreeMap;

/// A case: PoPs, clients, and samples of some of them.
#[derive(Debug, Deserialize)]
pub(crate) struct Case {
    pops: Vec<Site>,
    clients: Vec<Site>,
    /// (client, PoP, RTTs in ms).
    samples: Vec<(u32, u16, Vec<f64>)>,
}

/// Place of a PoP or a client.
#[derive(Debug, Deserialize)]
struct Site {
    id: u32,
    #[serde(default)]
    cc: String,
    lat: f64,
    lon: f64,
}

/// True RTTs in ms, by client and PoP.
#[derive(Debug, Deserialize)]
pub(crate) struct Truth {
    rtt_ms: Vec<Vec<f64>>,
}

/// Penalty of a way of choosing: RTT of the chosen PoP minus the RTT of the best PoP.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Penalty {
    /// Mean over the clients.
    pub(crate) mean_ms: f64,
    /// 95th percentile over the clients.
    pub(crate) p95_ms: f64,
    /// Share of clients within 10 ms of the best, 0 to 1.
    pub(crate) within_10_ms: f64,
}

/// Outcome of a case.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Evaluation {
    /// Choice by the estimates.
    pub(crate) latency: Penalty,
    /// Choice of the nearest PoP.
    pub(crate) nearest: Penalty,
    /// Clients.
    pub(crate) clients: usize,
    /// Clients with samples.
    pub(crate) measured: usize,
}

impl Site {
    fn spot(&self, kind: &str) -> Result<Spot, String> {
        let at = Coordinates::from_degrees(self.lat, self.lon).ok_or_else(|| {
            format!("{kind} {}: no place has the coordinates {} {}", self.id, self.lat, self.lon)
        })?;
        Ok(Spot::new(Country::from_code(&self.cc), at))
    }
}

/// Compares choices by estimate and by distance with the truth. An error is a sentence about what
/// is wrong with the case.
pub(crate) fn evaluate(case: &Case, truth: &Truth) -> Result<Evaluation, String> {
    let spots = |sites: &[Site], kind: &str| -> Result<Vec<Spot>, String> {
        sites.iter().map(|site| site.spot(kind)).collect()
    };
    let (pops, clients) = (spots(&case.pops, "PoP")?, spots(&case.clients, "client")?);
    if pops.is_empty() || clients.is_empty() {
        return Err("the case has no PoP or no client".to_owned());
    }
    if truth.rtt_ms.len() != clients.len() || truth.rtt_ms.iter().any(|row| row.len() != pops.len()) {
        return Err(format!("the truth is not a table of {} clients by {} PoPs", clients.len(), pops.len()));
    }
    let own = own_rtts(case)?;
    let mut measured = Measured::default();
    for (&client, own) in &own {
        let votes =
            own.iter().map(|own| Vote { pop: own.pop, network: 0, rtt_ms: own.rtt_ms, is_global: true });
        measured.push(clients[client], 0, own.iter().copied(), votes);
    }
    let estimator = Estimator::learn(&pops, &measured, 1);
    let (mut by_latency, mut by_distance) = (Vec::new(), Vec::new());
    for (client, (spot, row)) in clients.iter().zip(&truth.rtt_ms).enumerate() {
        let best = row.iter().copied().fold(f64::INFINITY, f64::min);
        let number = own.keys().position(|measured| *measured == client).map(|at| at as u32);
        let (own, votes) = number.map_or((&[][..], &[][..]), |at| (measured.own(at), measured.votes(at)));
        let estimates = estimator.around(spot).estimates(own, votes);
        let chosen = estimates.iter().min_by(|a, b| a.rtt_ms.total_cmp(&b.rtt_ms)).expect("a case has PoPs");
        by_latency.push(row[usize::from(chosen.pop)] - best);
        let nearest = (0..pops.len()).min_by_key(|&pop| spot.point.metres_to(&pops[pop].point));
        by_distance.push(row[nearest.unwrap_or_default()] - best);
    }
    Ok(Evaluation {
        latency: Penalty::of(by_latency),
        nearest: Penalty::of(by_distance),
        clients: clients.len(),
        measured: measured.len(),
    })
}

/// Representative RTTs by client.
fn own_rtts(case: &Case) -> Result<BTreeMap<usize, Vec<OwnRtt>>, String> {
    let index = |sites: &[Site]| -> BTreeMap<u32, usize> {
        sites.iter().enumerate().map(|(index, site)| (site.id, index)).collect()
    };
    let (pops, clients) = (index(&case.pops), index(&case.clients));
    let mut samples: BTreeMap<(usize, usize), Vec<f64>> = BTreeMap::new();
    for (client, pop, values) in &case.samples {
        let (Some(&client), Some(&pop)) = (clients.get(client), pops.get(&u32::from(*pop))) else {
            return Err(format!("a sample names client {client} and PoP {pop}: the case has no such pair"));
        };
        let real = values.iter().copied().filter(|rtt| rtt.is_finite() && *rtt > 0.0);
        samples.entry((client, pop)).or_default().extend(real);
    }
    let mut own: BTreeMap<usize, Vec<OwnRtt>> = BTreeMap::new();
    for ((client, pop), mut values) in samples {
        if let Some(rtt_ms) = representative_ms(&mut values) {
            let rtt = OwnRtt { pop: pop as u16, rtt_ms, samples: values.len() as u32 };
            own.entry(client).or_default().push(rtt);
        }
    }
    Ok(own)
}

impl Penalty {
    fn of(mut penalties: Vec<f64>) -> Penalty {
        penalties.sort_by(f64::total_cmp);
        let count = penalties.len();
        Penalty {
            mean_ms: penalties.iter().sum::<f64>() / count as f64,
            p95_ms: penalties[(count * 95).div_ceil(100).clamp(1, count) - 1],
            within_10_ms: penalties.iter().filter(|penalty| **penalty <= 10.0).count() as f64 / count as f64,
        }
    }
}
