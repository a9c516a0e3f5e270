//! One message of a connection, and its answer. Every transport with connections answers here.

use crate::answer::bare::Message;
use crate::answer::{Client, Disposition, Outcome, QueryContext};
use crate::limits::MESSAGE_MAX;
use crate::shared::Shared;
use crate::shared::counters::{CounterBlock, Dropped};
use crate::snapshot::Snapshot;
use crate::sys::clock;
use crate::transport::draw::Draws;
use crate::transport::{access, quarantine};
use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

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

/// Answers a message, and counts it. `take` gets the snapshot that answers, the outcome and the
/// reply; it returns `None` for a reply that does not fit the transport.
pub(super) fn exchange<R>(
    (shared, block): (&Shared, &CounterBlock),
    client: &Client,
    draws: &mut Draws,
    octets: &[u8],
    take: impl FnOnce(&Snapshot, &Outcome, &[u8]) -> Option<R>,
) -> Exchanged<R> {
    let began = block.arrived().then(Instant::now);
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
        match scratch.get(..length).and_then(|reply| take(&service.snapshot, &outcome, reply)) {
            Some(taken) => {
                block.answered(&service, &outcome);
                if let Some(began) = began {
                    block.took(began.elapsed().as_nanos() as u64, 1);
                }
                Exchanged::Reply(taken)
            }
            None => {
                block.dropped(Dropped::TooLong, 1);
                Exchanged::Silence
            }
        }
    })
}

/// Exchanges of a connection whose messages may all come at once. Answers that the client has not
/// taken hold a bounded number of octets.
pub(super) struct Exchanges {
    client: Client,
    draws: Mutex<Draws>,
    /// Octets that answers may hold.
    room: Arc<Semaphore>,
}

/// Room of an answer, given back on drop.
pub(super) struct Room(Option<OwnedSemaphorePermit>);

impl Exchanges {
    /// No exchanges yet, of this client; answers may hold so many octets, at least one
    /// [`MESSAGE_MAX`].
    pub(super) fn new(client: Client, octets: usize) -> Exchanges {
        Exchanges { client, draws: Mutex::new(Draws::seeded()), room: Arc::new(Semaphore::new(octets)) }
    }

    /// Waits for the room of any answer.
    pub(super) async fn room(&self) -> Room {
        // Fails only for a semaphore that was closed, which this one never is.
        Room(Arc::clone(&self.room).acquire_many_owned(MESSAGE_MAX as u32).await.ok())
    }

    /// [`exchange`] with the client of the connection.
    pub(super) fn exchange<R>(
        &self,
        lane: (&Shared, &CounterBlock),
        octets: &[u8],
        take: impl FnOnce(&Snapshot, &Outcome, &[u8]) -> Option<R>,
    ) -> Exchanged<R> {
        let mut draws = self.draws.lock().unwrap_or_else(PoisonError::into_inner);
        exchange(lane, &self.client, &mut draws, octets, take)
    }
}

impl Room {
    /// Gives back all but the octets of an answer.
    pub(super) fn shrink(&mut self, octets: usize) {
        let Some(room) = &mut self.0 else { return };
        drop(room.split(room.num_permits().saturating_sub(octets)));
    }
}
