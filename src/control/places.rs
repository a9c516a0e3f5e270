//! Places of a control listener: the number of connections in each stage, and the connection that
//! the listener closes when another needs its place.
//!
//! ```text
//!  accept ─▶ opening ─handshake─▶ asking ─request─▶ answering ─answer ready─▶ taking ─▶ end
//!            └─ one count, and ───────┘             └─ a count for each class, ─────┘
//!               one of opening                         both stages together
//! ```
//!
//! Few handshakes of TLS run at once, so that none waits long for the thread that computes them.
//! Without TLS, a connection begins as asking.
//!
//! A connection without a whole request can always be closed, so the listener accepts a new
//! connection at once. Each class of requests has places of its own, so that waiting reloads or
//! scrapes never delay a verb or `/readyz`. If all places of a class are taken, the listener closes
//! a connection of the class whose peer does not read its answer. If there is none, a request for a
//! check, a page or a stream takes the place of another one of its class, from the address with the
//! most of them; any other request is refused.
//!
//! The listener closes the oldest connection of the address that has the most: a storm from one
//! address closes only its own connections.

use crate::limits::{
    ADMIN_HANDSHAKES_MAX, ADMIN_HANDSHAKES_PER_CLIENT_MAX, CONTROL_ANSWER_SECS, CONTROL_CONNECTIONS_MAX,
    CONTROL_OTHERS_MAX, CONTROL_PER_CLIENT_MAX, CONTROL_REQUEST_SECS, CONTROL_TAKE_SECS, CONTROL_WAITING_MAX,
    PAGE_DESCRIPTORS_LEAST,
};
use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

/// Time for a peer to read the refusal of a late request, or of a late answer, after which its
/// connection is closed.
const REFUSAL: Duration = Duration::from_secs(2);

/// Requests that share a count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    /// Pages that say whether the node is well.
    Check,
    /// The other pages that change nothing.
    Page,
    /// Verbs and pushes, which the writer answers quickly.
    Verb,
    /// Reloads and comparisons, whose time depends on the size of the files.
    Wait,
    /// Streams of events, which go on while their reader reads.
    Stream,
}

impl Class {
    /// Seconds until the answer must be ready; `None` for no limit.
    pub(super) fn answer_secs(self) -> Option<u64> {
        match self {
            Class::Check | Class::Page | Class::Verb | Class::Stream => Some(CONTROL_ANSWER_SECS),
            Class::Wait => None,
        }
    }
}

/// Most descriptors of one listener.
pub(crate) const DESCRIPTORS: usize = CONTROL_CONNECTIONS_MAX + 4 * CONTROL_OTHERS_MAX + CONTROL_WAITING_MAX;

/// Stage of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// The handshake is unfinished.
    Opening,
    /// The request is incomplete.
    Asking,
    /// The server is making the answer.
    Answering(Class),
    /// The server is writing the answer.
    Taking(Class),
}

impl Stage {
    fn class(self) -> Option<Class> {
        match self {
            Stage::Opening | Stage::Asking => None,
            Stage::Answering(class) | Stage::Taking(class) => Some(class),
        }
    }
}

/// Places of one listener.
#[derive(Debug)]
pub(crate) struct Places {
    /// Places for unfinished handshakes, which are also in `asking`.
    opening: usize,
    /// Places for connections without a whole request.
    asking: usize,
    /// Places for each class except [`Class::Wait`].
    others: usize,
    /// Places for [`Class::Wait`].
    waiting: usize,
    table: Mutex<Table>,
}

#[derive(Debug, Default)]
struct Table {
    next: u64,
    /// By age, oldest first.
    rows: BTreeMap<u64, Row>,
}

#[derive(Debug)]
struct Row {
    address: Option<IpAddr>,
    stage: Stage,
    /// Deadline at which the connection is closed; `None` for no deadline.
    until: watch::Sender<Option<Instant>>,
}

/// Place of a connection; released on drop.
#[derive(Debug)]
pub(crate) struct Place {
    places: Arc<Places>,
    id: u64,
    /// Address of the client, as it is counted; `None` for a Unix socket.
    address: Option<IpAddr>,
    /// Time by which the request must be whole.
    due: Instant,
    /// True if its client has too many connections.
    is_excess: bool,
    until: watch::Receiver<Option<Instant>>,
}

/// Error: all places of the class are taken, and no connection may be closed for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Full;

impl Places {
    /// Places for a share of descriptors, at most [`DESCRIPTORS`].
    pub(crate) fn within(share: usize) -> Places {
        let share = share.clamp(PAGE_DESCRIPTORS_LEAST, DESCRIPTORS);
        let others = (share * CONTROL_OTHERS_MAX / DESCRIPTORS).max(2);
        let waiting = share * CONTROL_WAITING_MAX / DESCRIPTORS;
        let asking = share - 4 * others - waiting;
        let opening = (asking / 2).min(ADMIN_HANDSHAKES_MAX);
        Places { opening, asking, others, waiting, table: Mutex::default() }
    }

    /// Places of a class.
    fn of(&self, class: Class) -> usize {
        match class {
            Class::Check | Class::Page | Class::Verb | Class::Stream => self.others,
            Class::Wait => self.waiting,
        }
    }

    /// Takes a place for a new connection, which begins with a handshake or not. If all places are
    /// taken, or all those of its client, closes another connection.
    pub(crate) fn enter(self: &Arc<Places>, address: Option<IpAddr>, has_handshake: bool) -> Place {
        let address = address.map(canonical);
        let mut table = self.table();
        let is_excess = address.is_some_and(|address| !table.has_room_for(address));
        if has_handshake && !is_excess {
            table.make_room_for_handshake(address, self.opening);
        }
        if table.count(|stage| stage.class().is_none()) >= self.asking {
            table.cut(|stage| stage.class().is_none());
        }
        let due = Instant::now() + Duration::from_secs(CONTROL_REQUEST_SECS);
        let (sender, until) = watch::channel(Some(due + REFUSAL));
        let id = table.next;
        table.next += 1;
        let stage = if has_handshake { Stage::Opening } else { Stage::Asking };
        table.rows.insert(id, Row { address, stage, until: sender });
        Place { places: Arc::clone(self), id, address, due, is_excess, until }
    }

    /// Number of connections.
    #[cfg(test)]
    pub(crate) fn held(&self) -> usize {
        self.table().rows.len()
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        // No code under the lock can panic between the changes of a row.
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn advance(&self, id: u64, stage: Stage, secs: Option<u64>) -> Result<(), Full> {
        let mut table = self.table();
        if let (Stage::Answering(class), true) = (stage, table.rows.contains_key(&id)) {
            let taken = table.count(|stage| stage.class() == Some(class));
            // A stream that is written has a reader; only one address with many gives way.
            let cut = |table: &mut Table| {
                class != Class::Stream && table.cut(|stage| stage == Stage::Taking(class))
            };
            if taken >= self.of(class) && !cut(&mut table) && !table.make_room(class, id) {
                return Err(Full);
            }
        }
        if let Some(row) = table.rows.get_mut(&id) {
            row.stage = stage;
            let _ = row.until.send(secs.map(|secs| Instant::now() + Duration::from_secs(secs) + REFUSAL));
        }
        Ok(())
    }
}

impl Table {
    /// True if a client may have one more connection, if need be in the place of its oldest one
    /// without a whole request.
    fn has_room_for(&mut self, address: IpAddr) -> bool {
        let mut own = self.rows.iter().filter(|(_, row)| row.address == Some(address));
        let count = own.clone().count();
        if count < CONTROL_PER_CLIENT_MAX {
            return true;
        }
        let oldest = own.find(|(_, row)| row.stage.class().is_none()).map(|(id, _)| *id);
        let is_closed = oldest.is_some_and(|id| self.rows.remove(&id).is_some());
        // The closed one may have been one too many itself.
        is_closed && count <= CONTROL_PER_CLIENT_MAX
    }

    /// Closes unfinished handshakes until one more has a place: the oldest of its client, if it has
    /// as many as it may have, else the oldest of the client with the most.
    fn make_room_for_handshake(&mut self, address: Option<IpAddr>, most: usize) {
        let own = self.rows.iter().filter(|(_, row)| row.stage == Stage::Opening && row.address == address);
        let oldest = own.clone().next().map(|(id, _)| *id);
        if own.count() >= ADMIN_HANDSHAKES_PER_CLIENT_MAX {
            oldest.and_then(|id| self.rows.remove(&id));
        }
        if self.count(|stage| stage == Stage::Opening) >= most {
            self.cut(|stage| stage == Stage::Opening);
        }
    }

    fn count(&self, is_meant: impl Fn(Stage) -> bool) -> usize {
        self.rows.values().filter(|row| is_meant(row.stage)).count()
    }

    /// For a check, a page or a stream: closes the oldest connection of the class from the address
    /// that has the most, if that address still has more than the requester with this request.
    /// These only read, so closing them is safe.
    fn make_room(&mut self, class: Class, asks: u64) -> bool {
        let address = self.rows.get(&asks).and_then(|row| row.address);
        let is_held = move |stage: Stage| match class {
            // A stream that is written stays as long as its reader reads.
            Class::Stream => stage.class() == Some(class),
            Class::Check | Class::Page | Class::Verb | Class::Wait => stage == Stage::Answering(class),
        };
        let of = |address| move |row: &&Row| is_held(row.stage) && row.address == address;
        let count = |address| self.rows.values().filter(of(address)).count();
        let most = self.rows.values().map(|row| count(row.address)).max().unwrap_or(0);
        let is_read = match class {
            Class::Check | Class::Page | Class::Stream => true,
            Class::Verb | Class::Wait => false,
        };
        is_read && most > count(address) + 1 && self.cut(is_held)
    }

    /// Closes the oldest connection for which `is_meant` holds, among those of the address that has
    /// the most such connections. Returns false if there is none.
    fn cut(&mut self, is_meant: impl Fn(Stage) -> bool) -> bool {
        let mut counts: HashMap<Option<IpAddr>, usize> = HashMap::new();
        for row in self.rows.values().filter(|row| is_meant(row.stage)) {
            *counts.entry(row.address).or_default() += 1;
        }
        let most = counts.values().copied().max();
        let mut meant = self.rows.iter().filter(|(_, row)| is_meant(row.stage));
        let oldest = meant.find(|(_, row)| counts.get(&row.address).copied() == most).map(|(id, _)| *id);
        // The task of the connection sees the end of the channel and ends.
        oldest.is_some_and(|id| self.rows.remove(&id).is_some())
    }
}

impl Place {
    /// The handshake is finished. The deadline of the request stays.
    pub(crate) fn opened(&self) {
        if let Some(row) = self.places.table().rows.get_mut(&self.id) {
            row.stage = Stage::Asking;
        }
    }

    /// Address of the client, as it is counted: one of IPv6 stands for its /64.
    pub(crate) fn client(&self) -> Option<IpAddr> {
        self.address
    }

    /// The request is whole: moves the connection to the places of its class.
    pub(crate) fn answer(&self, class: Class) -> Result<(), Full> {
        self.places.advance(self.id, Stage::Answering(class), class.answer_secs())
    }

    /// Time by which the request must be whole; a later one gets a refusal.
    pub(crate) fn due(&self) -> Instant {
        self.due
    }

    /// True if the client has too many connections, so that its request is refused.
    pub(crate) fn is_excess(&self) -> bool {
        self.is_excess
    }

    /// A refusal is ready to be written, in the place of a connection without a whole request.
    pub(crate) fn refuse(&self) {
        let _ = self.places.advance(self.id, Stage::Asking, Some(0));
    }

    /// The answer is ready to be written.
    pub(crate) fn take(&self, class: Class) {
        // Never refused, because the connection keeps its place in the class.
        let _ = self.places.advance(self.id, Stage::Taking(class), Some(CONTROL_TAKE_SECS));
    }

    /// Watch for the deadline of the connection.
    pub(crate) fn watch(&self) -> Watch {
        Watch { until: self.until.clone() }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.places.table().rows.remove(&self.id);
    }
}

/// Watch for the deadline of a connection.
pub(crate) struct Watch {
    until: watch::Receiver<Option<Instant>>,
}

impl Watch {
    /// Waits until the connection must be closed, because its stage has taken too long or another
    /// connection needs its place.
    pub(crate) async fn cut(mut self) {
        loop {
            let until = *self.until.borrow_and_update();
            let late = async {
                match until {
                    Some(until) => sleep_until(until).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                changed = self.until.changed() => if changed.is_err() { return },
                () = late => return,
            }
        }
    }
}

/// A client of an IPv6 network can use any address of its /64, so the /64 counts as one address.
fn canonical(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6((address.to_bits() & (u128::MAX << 64)).into()),
        v4 => v4,
    }
}

#[cfg(test)]
mod tests;
