//! Access lists and quarantine at the edges: each message has its verdict before the core sees it.
//! Streams and the portable engine answer here.

use crate::access::{Access, Action};
use crate::answer::bare::{Message, refuse};
use crate::answer::{self, Disposition, Outcome};
use crate::shared::counters::{CounterBlock, Dropped};
use crate::shared::quarantine::Quarantine;
use crate::snapshot::Snapshot;
use crate::sys::hooks;
use crate::transport::quarantine;

/// Verdict on a message before the core sees it.
pub(super) enum Admission {
    /// The core answers it.
    Allowed,
    /// The lists refuse it: this outcome takes the place of the answer's.
    Refused(Outcome),
    /// It is in quarantine: this outcome takes the place of the answer's, and no parser may see it.
    Quarantined(Outcome),
    /// Nothing is sent.
    Dropped,
}

/// Asks the lists and the quarantine about a message, and writes the reply to one that is refused.
#[inline(always)]
pub(super) fn admit(
    quarantined: &Quarantine,
    snapshot: &Snapshot,
    message: &Message<'_>,
    block: &CounterBlock,
    out: &mut [u8],
) -> Admission {
    match snapshot.access.as_deref() {
        None if quarantined.is_empty() => {
            hooks::panic_on(message.octets);
            Admission::Allowed
        }
        access => judge(access, quarantined, snapshot, message, block, out),
    }
}

/// The quarantine comes before a refusal of the lists, which parses the message.
#[cold]
fn judge(
    access: Option<&Access>,
    quarantined: &Quarantine,
    snapshot: &Snapshot,
    message: &Message<'_>,
    block: &CounterBlock,
    out: &mut [u8],
) -> Admission {
    let action = access.map_or(Action::Allow, |access| access.verdict(message.client.address).action);
    if action == Action::Drop {
        block.dropped(Dropped::Access, 1);
        return Admission::Dropped;
    }
    if !quarantined.is_empty()
        && let Some(outcome) = quarantine::refuse(quarantined, message, block, out)
    {
        return Admission::Quarantined(outcome);
    }
    hooks::panic_on(message.octets);
    if action == Action::Allow {
        return Admission::Allowed;
    }
    let outcome = refuse(snapshot, message, out);
    if outcome.disposition != Disposition::Silence {
        block.refused();
    }
    Admission::Refused(outcome)
}

/// Answers a message that the lists allow, or refuses it; `None` if they drop it.
pub(super) fn respond(
    quarantined: &Quarantine,
    snapshot: &Snapshot,
    message: &Message<'_>,
    block: &CounterBlock,
    out: &mut [u8],
) -> Option<Outcome> {
    match admit(quarantined, snapshot, message, block, out) {
        Admission::Allowed => {
            Some(answer::respond(snapshot, message.octets, message.client, message.context, out))
        }
        Admission::Refused(outcome) | Admission::Quarantined(outcome) => Some(outcome),
        Admission::Dropped => None,
    }
}
