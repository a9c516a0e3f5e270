//! The trace of an answer: silent in service, recorded by `explain`.

use crate::answer::step::Step;
use crate::snapshot::Snapshot;
use crate::snapshot::locate::Decision;
use crate::steer::choose::{Choice, ChoiceTrace, NoChoiceTrace};
use crate::steer::policy::TtlRange;
use crate::steer::table::PolicyTable;

/// A listener. Every method does nothing unless overridden, so a silent trace costs nothing.
pub trait Trace {
    /// The listener to the choice of a PoP.
    type ChoiceTrace: ChoiceTrace;
    /// True if the trace records nothing, so that the answer may take the fast path.
    const IS_SILENT: bool = false;
    /// The listener to the choice of a PoP.
    fn choice_trace(&mut self) -> &mut Self::ChoiceTrace;
    /// Called for each name of a chain.
    fn step(&mut self, _snapshot: &Snapshot, _step: &Step<'_>) {}
    /// Called when a policy has located the client and found its preference list.
    fn decision(&mut self, _policy: &PolicyTable, _decision: &Decision<'_>) {}
    /// Called when everything is chosen, and it is known if the client's cell was read.
    fn key(&mut self, _policy: &PolicyTable, _decision: &Decision<'_>) {}
    /// Called when a choice was made.
    fn choice(&mut self, _snapshot: &Snapshot, _policy: &PolicyTable, _choice: Choice) {}
    /// Called with the TTL bounds of the choice, and the seconds until the state of a consulted
    /// PoP can change.
    fn horizon(&mut self, _ttl: TtlRange, _horizon_secs: u32) {}
    /// Called when `count` of the `of` addresses of a PoP were picked, with the TTL in seconds.
    fn picked(&mut self, _count: usize, _of: usize, _ttl_secs: u32) {}
}

/// A trace that records nothing.
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
