//! Ramps: a PoP that comes back gets its cells back step by step.
//!
//! The cells that are not back yet are a share of all cells, in steps of 1/256. Each PoP orders
//! cells by a hash of its own, so that each cell comes back once. A PoP that is down has no ramp:
//! it is not answered, and if all PoPs are down, answers are as if all were up. A PoP that was
//! never down has no ramp either.

use super::Moment;
use super::targets::PopId;
use std::collections::HashMap;
use std::sync::Arc;

/// All cells.
const ALL: u16 = 256;

/// Cells that are not back, in steps of 1/256, of a PoP that came up `up_for_ms` ago.
pub(crate) fn left(up_for_ms: u64, ramp_ms: u64) -> u16 {
    if up_for_ms >= ramp_ms {
        return 0;
    }
    let back = u128::from(up_for_ms) * u128::from(ALL) / u128::from(ramp_ms);
    ALL - back as u16
}

/// PoP with its ramp.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RampPop {
    /// Name of the PoP, by which state is carried over.
    pub name: Arc<str>,
    /// Duration of the ramp, in milliseconds; 0 for none.
    pub ramp_ms: u64,
}

/// Ramp, saved for a restart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SavedRamp {
    /// Name of the PoP.
    pub(crate) pop: Arc<str>,
    /// Moment at which it came up, in milliseconds since 1970. `None` if it is down; it ramps when
    /// it comes up.
    pub(crate) up_epoch_ms: Option<u64>,
}

impl SavedRamp {
    /// Line of text, without its end.
    pub(crate) fn to_line(&self) -> String {
        match self.up_epoch_ms {
            Some(ms) => format!("ramp {ms} {}", self.pop),
            None => format!("ramp down {}", self.pop),
        }
    }

    /// Parses a line; `None` if it is not about a ramp.
    pub(crate) fn from_line(line: &str) -> Option<SavedRamp> {
        let (since, pop) = line.strip_prefix("ramp ")?.split_once(' ')?;
        let up_epoch_ms = if since == "down" { None } else { Some(since.parse().ok()?) };
        Some(SavedRamp { pop: pop.into(), up_epoch_ms })
    }
}

/// Stage of a PoP.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Stage {
    /// All cells are back.
    #[default]
    Whole,
    Down,
    /// It came up at this moment, on the caller's clock; negative before the clock's zero.
    Back(i64),
}

/// Ramps of one list of PoPs at a time.
#[derive(Clone, Debug, Default)]
pub struct Ramps {
    pops: Vec<RampPop>,
    stages: Vec<Stage>,
}

impl Ramps {
    /// Starts with all cells of every PoP.
    pub fn new(pops: Vec<RampPop>) -> Ramps {
        Ramps { stages: vec![Stage::Whole; pops.len()], pops }
    }

    /// Handles a reload: PoPs with the same name keep their stage.
    pub fn handle_pops(&mut self, pops: Vec<RampPop>) {
        let known: HashMap<Arc<str>, Stage> =
            self.pops.iter().map(|pop| pop.name.clone()).zip(self.stages.iter().copied()).collect();
        self.stages = pops.iter().map(|pop| known.get(&pop.name).copied().unwrap_or_default()).collect();
        self.pops = pops;
    }

    /// Sets whether a PoP is up by its probes. Only changes count.
    pub fn handle_verdict(&mut self, pop: PopId, is_up: bool, now: Moment) {
        let Some(stage) = self.stages.get_mut(pop.index()) else { return };
        *stage = match (*stage, is_up) {
            (_, false) => Stage::Down,
            (Stage::Down, true) => Stage::Back(now.clock_ms()),
            (as_before, true) => as_before,
        };
    }

    /// Cells of a PoP that are not back, in steps of 1/256.
    pub fn left(&self, pop: PopId, now: Moment) -> u16 {
        match self.stages.get(pop.index()) {
            Some(Stage::Back(since_ms)) => left(up_for_ms(*since_ms, now), self.pops[pop.index()].ramp_ms),
            _ => 0,
        }
    }

    /// Moment of the next step of any PoP; `None` while no PoP ramps.
    pub fn next_wake(&self, now: Moment) -> Option<Moment> {
        let next = |(pop, stage): (&RampPop, &Stage)| {
            let Stage::Back(since_ms) = stage else { return None };
            let up_for_ms = up_for_ms(*since_ms, now);
            let back = u64::from(ALL - left(up_for_ms, pop.ramp_ms).min(ALL)) + 1;
            // First millisecond at which one more step is back.
            let at_ms = (u128::from(pop.ramp_ms) * u128::from(back)).div_ceil(u128::from(ALL)) as u64;
            (up_for_ms < pop.ramp_ms).then(|| now.after_ms(at_ms.saturating_sub(up_for_ms).max(1)))
        };
        self.pops.iter().zip(&self.stages).filter_map(next).min()
    }

    /// PoPs to save for a restart: those that are down or ramp.
    pub fn save(&self, now: Moment, now_epoch_secs: u64) -> Vec<SavedRamp> {
        let now_epoch_ms = now_epoch_secs.saturating_mul(1_000);
        let keep = |(pop, stage): (&RampPop, &Stage)| match stage {
            Stage::Whole => None,
            Stage::Down => Some(SavedRamp { pop: pop.name.clone(), up_epoch_ms: None }),
            Stage::Back(since_ms) => {
                let up_for_ms = up_for_ms(*since_ms, now);
                (up_for_ms < pop.ramp_ms).then(|| SavedRamp {
                    pop: pop.name.clone(),
                    up_epoch_ms: Some(now_epoch_ms.saturating_sub(up_for_ms)),
                })
            }
        };
        self.pops.iter().zip(&self.stages).filter_map(keep).collect()
    }

    /// Restores saved ramps, right after [`Ramps::new`]. A time stamp in the future counts as now.
    pub fn restore(&mut self, saved: &[SavedRamp], now: Moment, now_epoch_secs: u64) {
        let now_epoch_ms = now_epoch_secs.saturating_mul(1_000);
        let known: HashMap<&str, Option<u64>> =
            saved.iter().map(|saved| (&*saved.pop, saved.up_epoch_ms)).collect();
        for (pop, stage) in self.pops.iter().zip(&mut self.stages) {
            match known.get(&*pop.name) {
                None => {}
                Some(None) => *stage = Stage::Down,
                Some(Some(up_epoch_ms)) => {
                    let up_for_ms =
                        i64::try_from(now_epoch_ms.saturating_sub(*up_epoch_ms)).unwrap_or(i64::MAX);
                    *stage = Stage::Back(now.clock_ms().saturating_sub(up_for_ms));
                }
            }
        }
    }
}

fn up_for_ms(since_ms: i64, now: Moment) -> u64 {
    now.since_clock_ms(since_ms)
}

#[cfg(test)]
mod tests;
