//! The story of an answer: nothing in service, everything in `explain`.

use super::walk::Step;
use crate::snapshot::Snapshot;
use crate::snapshot::vantage::Decision;
use crate::steer::choose::{Blind, Choice, Watch};
use crate::steer::table::PolicyTable;

/// Listens. Every method does nothing unless overridden, so that silence compiles to nothing.
pub trait Trace {
    /// What sees each candidate.
    type Watch: Watch;
    /// Whether it hears nothing, so that an answer may be made without telling.
    const IS_SILENT: bool = false;
    /// What sees each candidate.
    fn watch(&mut self) -> &mut Self::Watch;
    /// A name is looked at.
    fn step(&mut self, _snapshot: &Snapshot, _step: &Step<'_>) {}
    /// A policy decided where the client is and which plan it gets.
    fn decision(&mut self, _policy: &PolicyTable, _decision: &Decision<'_>) {}
    /// A choice was made.
    fn choice(&mut self, _snapshot: &Snapshot, _policy: &PolicyTable, _choice: Choice) {}
    /// Addresses were picked from a PoP: how many of how many, with the TTL in seconds.
    fn picked(&mut self, _count: usize, _of: usize, _ttl_secs: u32) {}
}

/// Hears nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silent(Blind);

impl Trace for Silent {
    type Watch = Blind;
    const IS_SILENT: bool = true;
    #[inline(always)]
    fn watch(&mut self) -> &mut Blind {
        &mut self.0
    }
}
