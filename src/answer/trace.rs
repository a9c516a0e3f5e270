//! The story of an answer: nothing in service, everything in `explain`.

use crate::answer::step::Step;
use crate::snapshot::Snapshot;
use crate::snapshot::locate::Decision;
use crate::steer::choose::{Choice, ChoiceTrace, NoChoiceTrace};
use crate::steer::policy::TtlRange;
use crate::steer::table::PolicyTable;

/// Listens. Every method does nothing unless overridden, so that silence compiles to nothing.
pub trait Trace {
    /// What sees each candidate.
    type ChoiceTrace: ChoiceTrace;
    /// Whether it hears nothing, so that an answer may be made without telling.
    const IS_SILENT: bool = false;
    /// What sees each candidate.
    fn choice_trace(&mut self) -> &mut Self::ChoiceTrace;
    /// A name is looked at.
    fn step(&mut self, _snapshot: &Snapshot, _step: &Step<'_>) {}
    /// A policy decided where the client is and which preference list it gets.
    fn decision(&mut self, _policy: &PolicyTable, _decision: &Decision<'_>) {}
    /// All is chosen, and it is known whether the client's cell had a say.
    fn key(&mut self, _policy: &PolicyTable, _decision: &Decision<'_>) {}
    /// A choice was made.
    fn choice(&mut self, _snapshot: &Snapshot, _policy: &PolicyTable, _choice: Choice) {}
    /// The TTL bounds of what was chosen, and the seconds until the state of a PoP that was
    /// consulted can change.
    fn horizon(&mut self, _ttl: TtlRange, _horizon_secs: u32) {}
    /// Addresses were picked from a PoP: how many of how many, with the TTL in seconds.
    fn picked(&mut self, _count: usize, _of: usize, _ttl_secs: u32) {}
}

/// Hears nothing.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct NoTrace(NoChoiceTrace);

impl Trace for NoTrace {
    type ChoiceTrace = NoChoiceTrace;
    const IS_SILENT: bool = true;
    #[inline(always)]
    fn choice_trace(&mut self) -> &mut NoChoiceTrace {
        &mut self.0
    }
}
