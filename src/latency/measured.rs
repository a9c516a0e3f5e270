//! Samples by unit, in flat lists, because a build holds millions of them.

use super::spot::Spot;
use std::ops::Range;

/// Samples of one unit to one PoP.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct OwnRtt {
    /// Index of the PoP.
    pub(crate) pop: u16,
    /// RTT in ms that stands for the samples.
    pub(crate) rtt_ms: f64,
    /// Number of samples.
    pub(crate) samples: u32,
}

/// RTT of one network (/24 or /48) to one PoP: its vote about the surroundings.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Vote {
    /// Index of the PoP.
    pub(crate) pop: u16,
    /// Number of the network within its unit.
    pub(crate) network: u32,
    /// RTT in ms.
    pub(crate) rtt_ms: f64,
    /// True if the vote counts in offsets, which hold everywhere, and not in its square alone.
    pub(crate) is_global: bool,
}

/// A unit with samples.
#[derive(Clone, Debug)]
struct MeasuredUnit {
    spot: Spot,
    newest_hour: u32,
    own: Range<u32>,
    votes: Range<u32>,
}

/// Units with samples.
#[derive(Clone, Debug, Default)]
pub(crate) struct Measured {
    units: Vec<MeasuredUnit>,
    own: Vec<OwnRtt>,
    votes: Vec<Vote>,
}

impl Measured {
    /// Adds a unit at a place, and returns its number. `own` are the RTTs that the unit itself goes
    /// by, at most one for each PoP; `votes` those of its networks.
    pub(crate) fn push(
        &mut self,
        spot: Spot,
        newest_hour: u32,
        own: impl IntoIterator<Item = OwnRtt>,
        votes: impl IntoIterator<Item = Vote>,
    ) -> u32 {
        let begins = (self.own.len() as u32, self.votes.len() as u32);
        self.own.extend(own);
        self.votes.extend(votes);
        let (own, votes) = (begins.0..self.own.len() as u32, begins.1..self.votes.len() as u32);
        self.units.push(MeasuredUnit { spot, newest_hour, own, votes });
        self.units.len() as u32 - 1
    }

    /// Number of units.
    pub(crate) fn len(&self) -> usize {
        self.units.len()
    }

    /// RTTs that rank the PoPs of a unit by its own samples, ascending by PoP.
    pub(crate) fn own(&self, number: u32) -> &[OwnRtt] {
        let range = &self.units[number as usize].own;
        &self.own[range.start as usize..range.end as usize]
    }

    /// RTTs of the networks of a unit, ascending by PoP, then by RTT.
    pub(crate) fn votes(&self, number: u32) -> &[Vote] {
        let range = &self.units[number as usize].votes;
        &self.votes[range.start as usize..range.end as usize]
    }

    /// Hour of the newest sample of a unit, since 1970.
    pub(crate) fn newest_hour(&self, number: u32) -> u32 {
        self.units[number as usize].newest_hour
    }

    /// The units: place and votes.
    pub(crate) fn each(&self) -> impl Iterator<Item = (&Spot, &[Vote])> {
        (0..).zip(&self.units).map(|(number, unit)| (&unit.spot, self.votes(number)))
    }
}
