//! Access lists at the edges: each message has its verdict before the core sees it. Streams and the
//! portable engine answer here.

use crate::access::{Access, Action};
use crate::answer::bare::{Message, refuse};
use crate::answer::{self, Disposition, Outcome};
use crate::shared::counters::{CounterBlock, Dropped};
use crate::shared::quarantine::Quarantine;
use crate::snapshot::Snapshot;
use crate::sys::hooks;
use crate::transport::quarantine;

/// Result of the access lists for a message.
pub(super) enum Admission {
    /// The core answers it.
    Allowed,
    /// This outcome takes the place of the answer's.
    Refused(Outcome),
    /// Nothing is sent.
    Dropped,
}

/// Asks the lists for a message, and writes the reply to a refused one.
#[cold]
pub(super) fn admit(
    access: &Access,
    snapshot: &Snapshot,
    message: &Message<'_>,
    block: &CounterBlock,
    out: &mut [u8],
) -> Admission {
    match access.verdict(message.client.address).action {
        Action::Allow => Admission::Allowed,
        Action::Refuse => {
            let outcome = refuse(snapshot, message, out);
            if outcome.disposition != Disposition::Silence {
                block.refused();
            }
            Admission::Refused(outcome)
        }
        Action::Drop => {
            block.dropped(Dropped::Access, 1);
            Admission::Dropped
        }
    }
}

/// Answers a message that the lists allow, or refuses it; `None` if they drop it.
pub(super) fn respond(
    quarantined: &Quarantine,
    snapshot: &Snapshot,
    message: &Message<'_>,
    block: &CounterBlock,
    out: &mut [u8],
) -> Option<Outcome> {
    let access = snapshot.access.as_deref();
    match access.map_or(Admission::Allowed, |access| admit(access, snapshot, message, block, out)) {
        Admission::Allowed => {
            if !quarantined.is_empty()
                && let Some(outcome) = quarantine::refuse(quarantined, message, block, out)
            {
                return Some(outcome);
            }
            hooks::panic_on(message.octets);
            Some(answer::respond(snapshot, message.octets, message.client, message.context, out))
        }
        Admission::Refused(outcome) => Some(outcome),
        Admission::Dropped => None,
    }
}
