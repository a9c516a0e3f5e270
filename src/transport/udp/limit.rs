//! Rate limits of a batch: counts each answer, and treats those past a limit.

use crate::answer::bare::{Message, slip};
use crate::answer::stages::Stages;
use crate::answer::{Disposition, Outcome};
use crate::rrl::{BatchLimits, Busy, Limit, Limiter, Ready, Treatment};
use crate::shared::counters::CounterBlock;
use crate::snapshot::Snapshot;
use crate::wire::cookie::CookieStatus;
use crate::wire::query::Query;
use crate::zone::image::Match;

/// Limits in force for a batch.
pub(super) struct Limits<'a> {
    /// The limits.
    pub(super) limits: BatchLimits<'a>,
    /// Accounts of all workers.
    pub(super) limiter: &'a Limiter,
    /// Counters of the worker.
    pub(super) block: &'a CounterBlock,
    /// The snapshot of the batch.
    pub(super) snapshot: &'a Snapshot,
}

impl Limits<'_> {
    /// Counts the reply in `room` that answers the message at `lane` of `stages`. Past a limit, a
    /// short reply may take its place, and its outcome that of `stages`. It parses the message, so
    /// `may_slip` is false for one in quarantine. Returns false if nothing is sent.
    #[inline(always)]
    pub(super) fn allow(
        &self,
        message: &Message<'_>,
        may_slip: bool,
        lane: usize,
        stages: &mut Stages,
        room: &mut [u8],
    ) -> bool {
        let (outcome, now) = (&stages.outcome, message.context.epoch_secs);
        if !matches!(outcome.disposition, Disposition::Send(_)) {
            return true;
        }
        let client = (&message.client.address, outcome.rcode);
        let passed = match outcome.cookie {
            CookieStatus::Valid => self.limiter.count_proven(self.limits.limits, now, *client.0),
            _ => match self.limiter.count(&self.limits, now, client) {
                None => return true,
                Some(busy) => self.look_closer(busy, message, lane, stages, room),
            },
        };
        match passed {
            None => true,
            Some(limit) => self.treat(limit, message, may_slip, &mut stages.outcome, room),
        }
    }

    /// Returns the limit that the reply of a busy prefix passes, if any.
    #[inline(never)]
    fn look_closer(
        &self,
        busy: Busy,
        message: &Message<'_>,
        lane: usize,
        stages: &Stages,
        reply: &[u8],
    ) -> Option<Limit> {
        let (outcome, query) = (&stages.outcome, stages.query(lane));
        let ready = Ready {
            address: message.client.address,
            query,
            reply,
            rcode: outcome.rcode,
            scope: outcome.scope,
            zone: outcome.zone.map(|zone| zone.0),
            node: &|| node(self.snapshot, query),
        };
        self.limiter.look_closer(self.limits.limits, message.context.epoch_secs, &ready, busy)
    }

    /// Treats an answer past a limit. Returns false if nothing is sent.
    #[cold]
    fn treat(
        &self,
        limit: Limit,
        message: &Message<'_>,
        may_slip: bool,
        outcome: &mut Outcome,
        room: &mut [u8],
    ) -> bool {
        let context = message.context;
        self.limiter.heavy.note(message.client.address, context.epoch_secs, context.draw);
        let mut treatment = match self.limits.limits.treatment(context.draw) {
            Treatment::Slipped if !may_slip => Treatment::Dropped,
            treatment => treatment,
        };
        if treatment == Treatment::Slipped {
            *outcome = slip(self.snapshot, message, self.limits.limits.may_grow(), room);
            if outcome.disposition == Disposition::Silence {
                treatment = Treatment::Dropped;
            }
        }
        self.block.limited(limit, treatment);
        treatment != Treatment::Dropped
    }
}

/// Number of the node of a zone that a name leads to: its own, its wildcard's, or that of the
/// delegation or DNAME above it.
#[cold]
fn node(snapshot: &Snapshot, query: &Query) -> u64 {
    let Some(found) = snapshot.zones.lookup(&query.name) else { return u64::MAX };
    let node = match found.matched {
        Match::Exact(node) | Match::Wildcard(node) | Match::Cut(node) | Match::Redirected(node) => node.0,
        Match::NoName => u32::MAX,
    };
    u64::from(found.zone.0) << 32 | u64::from(node)
}
