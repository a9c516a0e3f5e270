//! Places of a control listener: how many connections it keeps in each stage, and which one it cuts
//! when another needs the place.
//!
//! ```text
//!  accept ─▶ asking ─whole request─▶ answering ─answer ready─▶ taking ─▶ end
//!            one count               a count for each class, both stages together
//! ```
//!
//! A connection without a whole request can always be cut, so a new connection never waits to be
//! accepted. A whole request has a place among those of its class, so no number of waiting reloads
//! or scrapes keeps a verb or `/readyz` from its answer. Where all places of a class are taken, a
//! peer that does not take its answer is cut; where none is, a page is taken from the
//! address that reads most, and any other request is refused at once.
//!
//! The address with the most connections loses its oldest: a storm from one address cuts its own.

use crate::limits::{
    CONTROL_ANSWER_SECS, CONTROL_CONNECTIONS_MAX, CONTROL_OTHERS_MAX, CONTROL_REQUEST_SECS,
    CONTROL_TAKE_SECS, CONTROL_WAITING_MAX, PAGE_DESCRIPTORS_LEAST,
};
use hyper::Method;
use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

/// Requests that share a count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    /// `/healthz`, `/readyz`, `/status`.
    Check,
    /// The other pages.
    Page,
    /// Verbs and pushes, which the writer answers soon.
    Verb,
    /// Reloads and comparisons, which take as long as their files do.
    Wait,
}

impl Class {
    /// The class of a request.
    pub(crate) fn of(method: &Method, path: &str) -> Class {
        match path {
            "/healthz" | "/readyz" | "/status" => Class::Check,
            "/reload" | "/diff" if method == Method::POST => Class::Wait,
            "/explain" => Class::Page,
            _ if method == Method::POST => Class::Verb,
            _ => Class::Page,
        }
    }

    /// Seconds until the answer must be ready.
    fn answer_secs(self) -> Option<u64> {
        (self != Class::Wait).then_some(CONTROL_ANSWER_SECS)
    }
}

/// Descriptors that one listener may hold, where there are enough.
pub(crate) const DESCRIPTORS: usize = CONTROL_CONNECTIONS_MAX + 3 * CONTROL_OTHERS_MAX + CONTROL_WAITING_MAX;

/// Stage of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// Its request is not whole.
    Asking,
    /// Its answer is made.
    Answering(Class),
    /// Its answer is written.
    Taking(Class),
}

impl Stage {
    fn class(self) -> Option<Class> {
        match self {
            Stage::Asking => None,
            Stage::Answering(class) | Stage::Taking(class) => Some(class),
        }
    }
}

/// The places of one listener.
#[derive(Debug)]
pub(crate) struct Places {
    /// Connections without a whole request.
    asking: usize,
    /// Requests of each class that is answered soon.
    others: usize,
    /// Requests that wait.
    waiting: usize,
    table: Mutex<Table>,
}

#[derive(Debug, Default)]
struct Table {
    next: u64,
    /// By age, the oldest first.
    rows: BTreeMap<u64, Row>,
}

#[derive(Debug)]
struct Row {
    address: Option<IpAddr>,
    stage: Stage,
    /// When the connection is cut; `None` for never.
    until: watch::Sender<Option<Instant>>,
}

/// A connection's place, given back when dropped.
#[derive(Debug)]
pub(crate) struct Place {
    places: Arc<Places>,
    id: u64,
    until: watch::Receiver<Option<Instant>>,
}

/// Every place of a class is taken by requests that are being answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Full;

impl Places {
    /// As many as a share of descriptors holds, [`DESCRIPTORS`] at most.
    pub(crate) fn within(share: usize) -> Places {
        let share = share.clamp(PAGE_DESCRIPTORS_LEAST, DESCRIPTORS);
        let others = (share * CONTROL_OTHERS_MAX / DESCRIPTORS).max(2);
        let waiting = share * CONTROL_WAITING_MAX / DESCRIPTORS;
        Places { asking: share - 3 * others - waiting, others, waiting, table: Mutex::default() }
    }

    /// Places of a class.
    fn of(&self, class: Class) -> usize {
        if class == Class::Wait { self.waiting } else { self.others }
    }

    /// A place for a new connection. Where all are taken, another one's connection is cut.
    pub(crate) fn enter(self: &Arc<Places>, address: Option<IpAddr>) -> Place {
        let mut table = self.table();
        if table.count(|stage| stage == Stage::Asking) >= self.asking {
            table.cut(|stage| stage == Stage::Asking);
        }
        let (sender, until) = watch::channel(after(CONTROL_REQUEST_SECS));
        let id = table.next;
        table.next += 1;
        table.rows.insert(id, Row { address: address.map(canonical), stage: Stage::Asking, until: sender });
        Place { places: Arc::clone(self), id, until }
    }

    /// Connections now.
    #[cfg(test)]
    pub(crate) fn held(&self) -> usize {
        self.table().rows.len()
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        // Nothing in here leaves a row half changed.
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn advance(&self, id: u64, stage: Stage, secs: Option<u64>) -> Result<(), Full> {
        let mut table = self.table();
        if let (Stage::Answering(class), true) = (stage, table.rows.contains_key(&id)) {
            let taken = table.count(|stage| stage.class() == Some(class));
            if taken >= self.of(class)
                && !table.cut(|stage| stage == Stage::Taking(class))
                && !table.make_room(class, id)
            {
                return Err(Full);
            }
        }
        if let Some(row) = table.rows.get_mut(&id) {
            row.stage = stage;
            let _ = row.until.send(secs.and_then(after));
        }
        Ok(())
    }
}

impl Table {
    fn count(&self, is_meant: impl Fn(Stage) -> bool) -> usize {
        self.rows.values().filter(|row| is_meant(row.stage)).count()
    }

    /// For a page, which changes nothing, cuts the oldest reader of an address that has more of
    /// them than the one that asks.
    fn make_room(&mut self, class: Class, asks: u64) -> bool {
        let address = self.rows.get(&asks).and_then(|row| row.address);
        let of = |address| move |row: &&Row| row.stage == Stage::Answering(class) && row.address == address;
        let count = |address| self.rows.values().filter(of(address)).count();
        let most = self.rows.values().map(|row| count(row.address)).max().unwrap_or(0);
        let is_read = matches!(class, Class::Check | Class::Page);
        is_read && most > count(address) + 1 && self.cut(|stage| stage == Stage::Answering(class))
    }

    /// Cuts the oldest of those that are meant, of the address that has most of them.
    fn cut(&mut self, is_meant: impl Fn(Stage) -> bool) -> bool {
        let mut counts: HashMap<Option<IpAddr>, usize> = HashMap::new();
        for row in self.rows.values().filter(|row| is_meant(row.stage)) {
            *counts.entry(row.address).or_default() += 1;
        }
        let most = counts.values().copied().max();
        let mut meant = self.rows.iter().filter(|(_, row)| is_meant(row.stage));
        let oldest = meant.find(|(_, row)| counts.get(&row.address).copied() == most).map(|(id, _)| *id);
        // Its task sees the end of the channel.
        oldest.is_some_and(|id| self.rows.remove(&id).is_some())
    }
}

impl Place {
    /// The request is whole: moves to the places of its class.
    pub(crate) fn answer(&self, class: Class) -> Result<(), Full> {
        self.places.advance(self.id, Stage::Answering(class), class.answer_secs())
    }

    /// The answer is ready to be written.
    pub(crate) fn take(&self, class: Class) {
        // Never refused: it stays among those of its class.
        let _ = self.places.advance(self.id, Stage::Taking(class), Some(CONTROL_TAKE_SECS));
    }

    /// A watch over the connection.
    pub(crate) fn watch(&self) -> Watch {
        Watch { until: self.until.clone() }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.places.table().rows.remove(&self.id);
    }
}

/// The end of a connection's time.
pub(crate) struct Watch {
    until: watch::Receiver<Option<Instant>>,
}

impl Watch {
    /// Waits until the connection is to be cut: its stage has taken too long, or another needs the
    /// place.
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

fn after(secs: u64) -> Option<Instant> {
    Instant::now().checked_add(Duration::from_secs(secs))
}

/// One client of an IPv6 network has as many addresses as it likes: its /64 counts as one.
fn canonical(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6((address.to_bits() & (u128::MAX << 64)).into()),
        v4 => v4,
    }
}

#[cfg(test)]
mod tests;
