//! The ledger: operators' overrides of PoPs, on top of the files.
//!
//! A list in the order in which overrides were entered. For each PoP the last entry that covers it
//! and has not expired wins, for its state and for its weight separately; without one, the file
//! decides. Entries name PoPs by name, pattern or tag, never by id, so that they outlive reloads
//! and cover PoPs that come later.
//!
//! An entry may be planned, and may come into force step by step (see [`Transition`]). Towards
//! `drain` or `down`, cells leave first, and the state changes with the last of them. Towards
//! `auto` or `up`, the state changes first, and the cells come back in reverse order. Until an
//! entry begins, the entries below it decide.

use super::pop::{AdminState, Pop};
use super::pop_status::{ALL_CELLS, PopStatus, Share256};
use super::transition::Transition;
use crate::health::health_state::NO_HORIZON;
use crate::limits::{OVERRIDES_MAX, REASON_OCTETS_MAX};
use std::fmt;
use std::sync::Arc;

/// The PoPs that an entry covers.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Selector {
    /// The PoP of that name.
    Pop(Arc<str>),
    /// Every PoP whose name fits a pattern: `*` is any text, `?` any one character.
    Glob(Arc<str>),
    /// Every PoP with the tag.
    Tag(Arc<str>),
}

impl Selector {
    /// Reads `fra`, `eu-*` or `tag:eu`. The error is a sentence for the operator.
    pub fn parse(text: &str) -> Result<Selector, String> {
        let (body, is_tag) = match text.strip_prefix("tag:") {
            Some(tag) => (tag, true),
            None => (text, false),
        };
        let fits = |b: u8| {
            b.is_ascii_alphanumeric()
                || matches!(b, b'-' | b'_' | b'.')
                || (!is_tag && matches!(b, b'*' | b'?'))
        };
        if body.is_empty() || body.len() > 63 || !body.bytes().all(fits) {
            return Err(format!(
                "`{}` selects no PoP: write a name, a pattern such as `eu-*`, or `tag:eu`",
                shown(text)
            ));
        }
        Ok(match (is_tag, body.contains(['*', '?'])) {
            (true, _) => Selector::Tag(body.into()),
            (false, true) => Selector::Glob(body.into()),
            (false, false) => Selector::Pop(body.into()),
        })
    }

    /// True if it covers a PoP.
    pub(crate) fn covers(&self, pop: &Pop) -> bool {
        match self {
            Selector::Tag(tag) => pop.tags.contains(tag),
            Selector::Pop(_) | Selector::Glob(_) => self.names(&pop.name),
        }
    }

    /// True if it covers a PoP by its name alone.
    fn names(&self, name: &str) -> bool {
        match self {
            Selector::Pop(this) => &**this == name,
            Selector::Glob(pattern) => fits(pattern.as_bytes(), name.as_bytes()),
            Selector::Tag(_) => false,
        }
    }
}

impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Selector::Pop(text) | Selector::Glob(text) => f.write_str(text),
            Selector::Tag(tag) => write!(f, "tag:{tag}"),
        }
    }
}

/// The beginning of a text, on one line.
fn shown(text: &str) -> String {
    text.chars().take(64).flat_map(char::escape_debug).collect()
}

/// True if a name fits a pattern. Linear time, except for returns to the last `*`.
fn fits(pattern: &[u8], name: &[u8]) -> bool {
    let (mut p, mut n, mut star) = (0, 0, None);
    while n < name.len() {
        match pattern.get(p) {
            Some(b'*') => {
                star = Some((p, n));
                p += 1;
            }
            Some(b) if *b == b'?' || *b == name[n] => {
                p += 1;
                n += 1;
            }
            _ => match star {
                Some((at, from)) => {
                    star = Some((at, from + 1));
                    p = at + 1;
                    n = from + 1;
                }
                None => return false,
            },
        }
    }
    pattern.iter().skip(p).all(|b| *b == b'*')
}

/// The override of the PoPs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// Their state; `Auto` hands it back to the file and the probes.
    State(AdminState),
    /// Their weight; `None` hands it back to the file.
    Weight(Option<u32>),
}

impl Action {
    fn is_state(self) -> bool {
        match self {
            Action::State(_) => true,
            Action::Weight(_) => false,
        }
    }

    /// PoPs take no regular clients.
    fn takes_out(self) -> bool {
        match self {
            Action::State(to) => to.is_out(),
            Action::Weight(_) => false,
        }
    }

    /// True if it only takes back an earlier override.
    pub(crate) fn hands_back(self) -> bool {
        match self {
            Action::State(to) => to.is_auto(),
            Action::Weight(to) => to.is_none(),
        }
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Action::State(state) => f.write_str(state.word()),
            Action::Weight(Some(weight)) => write!(f, "weight {weight}"),
            Action::Weight(None) => f.write_str("weight auto"),
        }
    }
}

/// One entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Override {
    /// Number of the entry in this ledger, from 1; valid until the process ends.
    pub(crate) id: u64,
    /// The PoPs that it covers.
    pub(crate) selector: Selector,
    /// The override.
    pub(crate) action: Action,
    /// The operator who entered it.
    pub(crate) author: Arc<str>,
    /// The operator's reason.
    pub(crate) reason: Arc<str>,
    /// Time of entry, in seconds since 1970.
    pub(crate) set_epoch_secs: u64,
    /// Time of its end, in seconds since 1970; `None` until it is taken back.
    pub(crate) until_epoch_secs: Option<u64>,
    /// The way in which it comes into force.
    pub(crate) transition: Transition,
}

impl Override {
    /// True if it has not begun. An entry without a plan has begun, even if the clock is set back.
    pub(crate) fn is_planned(&self, now: u64) -> bool {
        self.transition.start_epoch_secs > self.set_epoch_secs && now < self.transition.start_epoch_secs
    }

    /// True if both override states, or both weights.
    pub(crate) fn is_of_a_kind_with(&self, other: &Override) -> bool {
        self.action.is_state() == other.action.is_state()
    }

    /// Time of the next change of its effect on answers, in seconds since 1970.
    fn next_change(&self, now: u64) -> Option<u64> {
        self.transition.next(now).into_iter().chain(self.until_epoch_secs).min()
    }

    /// True if it has ended.
    pub(crate) fn has_ended(&self, now: u64) -> bool {
        self.until_epoch_secs.is_some_and(|until| until <= now)
    }

    /// True if it lasts at least as long as another.
    fn outlasts(&self, other: &Override) -> bool {
        match (self.until_epoch_secs, other.until_epoch_secs) {
            (None, _) => true,
            (Some(_), None) => false,
            (Some(this), Some(other)) => this >= other,
        }
    }
}

/// State and weight of a PoP by file and ledger together, before probes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Effective {
    /// State.
    pub state: AdminState,
    /// Weight.
    pub(crate) weight: u32,
    /// Cells that have left it, or are not back yet.
    pub(crate) left: Share256,
    /// The entry that decides the state, or moves cells; `None` if the file does.
    pub(crate) state_by: Option<u64>,
    /// The entry that decides the weight; `None` if the file does.
    pub(crate) weight_by: Option<u64>,
    /// Time of the next change without an operator, in seconds since 1970: a plan begins, a step is
    /// done, an entry ends.
    pub(crate) next_epoch_secs: Option<u64>,
}

impl Effective {
    /// State and weight of the file.
    fn of(pop: &Pop) -> Effective {
        Effective {
            state: pop.state,
            weight: pop.weight,
            left: 0,
            state_by: None,
            weight_by: None,
            next_epoch_secs: None,
        }
    }

    /// True if it takes no regular clients.
    pub fn is_off(&self) -> bool {
        self.state.is_out() || self.weight == 0 || self.left >= ALL_CELLS
    }

    /// The PoP's status. A change that is at most `ahead_secs` away counts as due, so that answers
    /// given from now on have the shortest TTL, and older answers with a longer TTL have left the
    /// caches when the change comes.
    pub(crate) fn status(&self, now: u64, ahead_secs: u32) -> PopStatus {
        // Two values alone, because a status is published only if it differs from the last one.
        let is_near = self.next_epoch_secs.is_some_and(|at| at.saturating_sub(now) <= u64::from(ahead_secs));
        let horizon_secs = if is_near { 0 } else { NO_HORIZON };
        PopStatus { state: self.state, weight: self.weight, left: self.left, horizon_secs }
    }
}

/// All entries, oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ledger {
    entries: Vec<Override>,
    last_id: u64,
}

impl Ledger {
    /// Adds an entry on top and returns its new id; the `id` in `entry` is ignored. Refused with a
    /// sentence if the ledger is full or a text is too long or has control characters.
    pub(crate) fn add(&mut self, entry: Override) -> Result<u64, String> {
        if self.entries.len() >= OVERRIDES_MAX {
            return Err(format!(
                "the ledger holds {OVERRIDES_MAX} overrides already; take some back with `auto`"
            ));
        }
        for (what, text) in [("reason", &entry.reason), ("author", &entry.author)] {
            if text.len() > REASON_OCTETS_MAX {
                return Err(format!("the {what} is longer than {REASON_OCTETS_MAX} octets"));
            }
            if text.chars().any(char::is_control) {
                return Err(format!("the {what} has a line break or another control character in it"));
            }
        }
        self.last_id += 1;
        self.entries.push(Override { id: self.last_id, ..entry });
        Ok(self.last_id)
    }

    /// Copy of the ledger in which every `down`, `drain` and weight 0 is in force in full, even if
    /// it is gradual or planned. Other overrides keep their timing. Safety rules judge this copy,
    /// so that two gradual drains cannot pass one by one.
    pub fn all_taken_out(&self) -> Ledger {
        let mut ledger = self.clone();
        for entry in &mut ledger.entries {
            let takes_out = match entry.action {
                Action::State(state) => state.is_out(),
                Action::Weight(weight) => weight == Some(0),
            };
            if takes_out {
                entry.transition = Transition::default();
            }
        }
        ledger
    }

    /// All entries, oldest first.
    pub(crate) fn entries(&self) -> &[Override] {
        &self.entries
    }

    /// The entry with an id.
    pub(crate) fn entry(&self, id: u64) -> Option<&Override> {
        self.entries.iter().find(|entry| entry.id == id)
    }

    /// State and weight of each PoP by file and ledger at a moment.
    pub fn effective(&self, pops: &[Pop], now: u64) -> Vec<Effective> {
        pops.iter().map(|pop| self.of_pop(pop, now)).collect()
    }

    /// State and weight of a PoP by file and ledger: entries from the bottom to the top, each on
    /// the result of those below it.
    fn of_pop(&self, pop: &Pop, now: u64) -> Effective {
        let mut is = Effective::of(pop);
        // Kept for the state and the weight separately, because a later override ends only the
        // transition of its own kind.
        let (mut state_next, mut weight_next): (Option<u64>, Option<u64>) = (None, None);
        for entry in self.entries.iter().filter(|entry| !entry.has_ended(now) && entry.selector.covers(pop)) {
            let next = if entry.action.is_state() { &mut state_next } else { &mut weight_next };
            let change = entry.next_change(now);
            if entry.is_planned(now) {
                *next = (*next).into_iter().chain(change).min();
                continue;
            }
            let is_over = entry.transition.is_over(now);
            let keeps_below = entry.action.takes_out() && !is_over;
            // While the cells of this entry leave, the end of an entry below still changes the
            // state.
            *next = if keeps_below { (*next).into_iter().chain(change).min() } else { change };
            match entry.action {
                Action::State(_) if keeps_below => {
                    // The state below holds until the last cell has left.
                    is.left = entry.transition.position(u32::from(ALL_CELLS), now) as Share256;
                    is.state_by = Some(entry.id);
                }
                Action::State(to) => {
                    is.state = if to.is_auto() { pop.state } else { to };
                    is.left = if is_over { 0 } else { entry.transition.position(0, now) as Share256 };
                    is.state_by = (!to.is_auto() || !is_over).then_some(entry.id);
                }
                Action::Weight(to) => {
                    is.weight = entry.transition.position(to.unwrap_or(pop.weight), now);
                    is.weight_by = (to.is_some() || !is_over).then_some(entry.id);
                }
            }
        }
        is.next_epoch_secs = state_next.into_iter().chain(weight_next).min();
        is
    }

    /// The status of each PoP at a moment; see [`Effective::status`].
    pub(crate) fn statuses(&self, pops: &[Pop], now: u64, ahead_secs: u32) -> Vec<PopStatus> {
        pops.iter().map(|pop| self.of_pop(pop, now).status(now, ahead_secs)).collect()
    }

    /// Time of the next change of a status without an operator, in seconds since 1970: a step, or
    /// the moment `ahead_secs` before one.
    pub fn next_step(&self, now: u64, ahead_secs: u32) -> Option<u64> {
        let changes = self.entries.iter().filter_map(|entry| entry.next_change(now));
        changes.flat_map(|at| [at.saturating_sub(u64::from(ahead_secs)), at]).filter(|at| *at > now).min()
    }

    /// Plans that have not begun and cover a PoP, oldest first.
    pub(crate) fn plans<'l>(&'l self, pop: &'l Pop, now: u64) -> impl Iterator<Item = &'l Override> {
        self.entries.iter().filter(move |entry| entry.is_planned(now) && entry.selector.covers(pop))
    }

    /// Takes out the entries that have ended by a moment. Call it only on a ledger that is about to
    /// be saved, because the ledger in force must equal the one that a restarted node reads.
    pub(crate) fn expire(&mut self, now: u64) {
        self.entries.retain(|entry| !entry.has_ended(now));
    }

    /// Takes out entries that have no effect from a moment on: entries below a later one that is in
    /// force, covers the same PoPs and lasts as long; and entries that take back an override if no
    /// entry below makes one. The result for every PoP stays the same at every later moment, also
    /// for PoPs that a later reload adds.
    pub(crate) fn prune(&mut self, now: u64) {
        let mut kept: Vec<Override> = Vec::new();
        for entry in std::mem::take(&mut self.entries) {
            if entry.transition.is_over(now) {
                kept.retain(|below| !shadows(&entry, below));
            }
            let may_meet = |below: &Override| {
                below.action.is_state() == entry.action.is_state()
                    && match (&below.selector, &entry.selector) {
                        (Selector::Pop(pop), other) | (other, Selector::Pop(pop)) => match other {
                            Selector::Pop(_) | Selector::Glob(_) => other.names(pop),
                            Selector::Tag(_) => true,
                        },
                        (Selector::Glob(_) | Selector::Tag(_), Selector::Glob(_) | Selector::Tag(_)) => true,
                    }
            };
            if !entry.action.hands_back() || !entry.transition.is_over(now) || kept.iter().any(may_meet) {
                kept.push(entry);
            }
        }
        self.entries = kept;
    }
}

/// True if `below` has no effect while `above`, a later entry in force, stands on top of it.
fn shadows(above: &Override, below: &Override) -> bool {
    let covers = above.selector == below.selector
        || match &below.selector {
            Selector::Pop(name) => above.selector.names(name),
            Selector::Glob(_) | Selector::Tag(_) => false,
        };
    covers && above.action.is_state() == below.action.is_state() && above.outlasts(below)
}

#[cfg(test)]
mod tests;
