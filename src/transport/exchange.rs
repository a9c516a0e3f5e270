//! One message of a connection, and its answer. Every transport with connections answers here.

use crate::answer::bare::Message;
use crate::answer::{Client, Disposition, Outcome, QueryContext};
use crate::limits::MESSAGE_MAX;
use crate::shared::Shared;
use crate::shared::counters::{CounterBlock, Dropped};
use crate::sys::clock;
use crate::transport::draw::Draws;
use crate::transport::{access, quarantine};
use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};

thread_local! {
    /// Buffer that the core writes to. One for each thread of the runtime is enough, because the
    /// core answers without awaiting.
    static SCRATCH: RefCell<Box<[u8]>> = RefCell::new(vec![0; MESSAGE_MAX].into_boxed_slice());
}

/// End of an exchange.
pub(super) enum Exchanged<R> {
    /// A reply, as the transport took it.
    Reply(R),
    /// No reply: the message must not be answered, or its answer does not fit the transport.
    Silence,
    /// No reply: the program has panicked, and the message is in quarantine.
    Failed,
    /// The access lists of the snapshot in service drop the client.
    Dropped,
}

/// Answers a message, and counts it. `take` gets the outcome and the reply; it returns `None` for a
/// reply that does not fit the transport.
pub(super) fn exchange<R>(
    (shared, block): (&Shared, &CounterBlock),
    client: &Client,
    draws: &mut Draws,
    octets: &[u8],
    take: impl FnOnce(&Outcome, &[u8]) -> Option<R>,
) -> Exchanged<R> {
    block.received(1);
    let moment = QueryContext { draw: draws.draw(), epoch_secs: clock::cookie_secs() };
    SCRATCH.with_borrow_mut(|scratch| {
        let service = shared.published.served();
        // The core does not panic. If it ever does, one query is lost and counted, and the
        // connection continues.
        let message = Message { octets, client, context: moment };
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            access::respond(&shared.quarantine, &service.snapshot, &message, block, scratch)
        }));
        let outcome = match outcome {
            Ok(outcome) => outcome,
            Err(panic) => {
                quarantine::take_in(shared, octets, client, block, &*panic);
                return Exchanged::Failed;
            }
        };
        let Some(outcome) = outcome else { return Exchanged::Dropped };
        let Disposition::Send(length) = outcome.disposition else {
            block.dropped(Dropped::Silence, 1);
            return Exchanged::Silence;
        };
        match scratch.get(..length).and_then(|reply| take(&outcome, reply)) {
            Some(taken) => {
                block.answered(&service, &outcome);
                Exchanged::Reply(taken)
            }
            None => {
                block.dropped(Dropped::TooLong, 1);
                Exchanged::Silence
            }
        }
    })
}
