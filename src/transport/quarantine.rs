//! Quarantine at the edges: a message like one on which the program has panicked is refused, and a
//! message on which it panics is taken in.

use crate::answer::bare::Message;
use crate::answer::{Client, Disposition, Outcome};
use crate::geo::prefix::Prefix;
use crate::shared::Shared;
use crate::shared::captured::Captured;
use crate::shared::counters::{CounterBlock, Dropped};
use crate::shared::quarantine::Quarantine;
use crate::sys::caught;
use crate::sys::clock::{epoch_secs, uptime_ms};
use crate::wire::outline::Outline;
use crate::wire::rr::Rcode;
use std::any::Any;

/// The refusal, if messages like this one are refused. Neither the parser nor the core sees the
/// message.
#[cold]
pub(super) fn refuse(
    quarantine: &Quarantine,
    message: &Message<'_>,
    block: &CounterBlock,
    out: &mut [u8],
) -> Option<Outcome> {
    let outline = Outline::of(message.octets);
    if !quarantine.refuses(&outline, uptime_ms()) {
        return None;
    }
    block.quarantine_refused();
    let Some(len) = outline.refuse(out) else { return Some(Outcome::default()) };
    Some(Outcome {
        disposition: Disposition::Send(len),
        rcode: Rcode::REFUSED,
        qtype: outline.question().map_or_else(Default::default, |(_, qtype, _)| qtype),
        ..Outcome::default()
    })
}

/// Counts a panic, and takes in the message that caused it. Copies of a message that is already in
/// give no second file.
#[cold]
pub(super) fn take_in(
    shared: &Shared,
    octets: &[u8],
    client: &Client,
    block: &CounterBlock,
    panic: &(dyn Any + Send),
) {
    block.dropped(Dropped::Panic, 1);
    let place = caught::take_place();
    if shared.quarantine.enter(&Outline::of(octets), uptime_ms()) {
        shared.quarantine.hand_in(Captured {
            epoch_secs: epoch_secs(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            transport: client.transport,
            source: Prefix::of_client(client.address),
            place: place.unwrap_or_else(|| "unknown".to_owned()),
            panic: caught::words(panic).unwrap_or_else(|| "without a message".to_owned()),
            octets: octets.to_vec(),
        });
    }
}
