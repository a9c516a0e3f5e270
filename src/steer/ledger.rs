//! The ledger: what operators said of PoPs by hand, beside and above the files.
//!
//! A list in the order of saying. For each PoP the last entry that covers it and has not expired wins,
//! for its state and for its weight separately; where none does, the file speaks. Entries name PoPs by
//! name, pattern or tag, never by id, so that they outlive reloads and cover PoPs that come later.

use super::pop::{AdminState, Pop};
use crate::limits::{OVERRIDES_MAX, REASON_OCTETS_MAX};
use std::fmt;
use std::sync::Arc;

/// Which PoPs an entry covers.
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
        let fits = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.') || (!is_tag && matches!(b, b'*' | b'?'));
        if body.is_empty() || body.len() > 63 || !body.bytes().all(fits) {
            return Err(format!("`{}` selects no PoP: write a name, a pattern such as `eu-*`, or `tag:eu`", shown(text)));
        }
        Ok(match (is_tag, body.contains(['*', '?'])) {
            (true, _) => Selector::Tag(body.into()),
            (false, true) => Selector::Glob(body.into()),
            (false, false) => Selector::Pop(body.into()),
        })
    }

    /// Whether it covers a PoP.
    pub fn covers(&self, pop: &Pop) -> bool {
        match self {
            Selector::Tag(tag) => pop.tags.contains(tag),
            named => named.names(&pop.name),
        }
    }

    /// Whether it covers a PoP by its name alone.
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

/// Whether a name fits a pattern. Linear but for the last `*`, to which it returns.
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

/// What is said of the PoPs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// Their state; `Auto` hands it back to the file and the probes.
    State(AdminState),
    /// Their weight; `None` hands it back to the file.
    Weight(Option<u32>),
}

impl Action {
    fn is_state(self) -> bool {
        matches!(self, Action::State(_))
    }

    /// Whether it only takes back what was said before.
    pub fn hands_back(self) -> bool {
        matches!(self, Action::State(AdminState::Auto) | Action::Weight(None))
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
    pub id: u64,
    /// Which PoPs it covers.
    pub selector: Selector,
    /// What it says of them.
    pub action: Action,
    /// Who said so.
    pub author: Arc<str>,
    /// Why.
    pub reason: Arc<str>,
    /// When it was said, in seconds since 1970.
    pub set_epoch_secs: u64,
    /// When it ends, in seconds since 1970; `None` until it is taken back.
    pub until_epoch_secs: Option<u64>,
}

impl Override {
    fn is_live(&self, now: u64) -> bool {
        self.until_epoch_secs.is_none_or(|until| now < until)
    }

    /// Whether it lasts at least as long as another.
    fn outlasts(&self, other: &Override) -> bool {
        match (self.until_epoch_secs, other.until_epoch_secs) {
            (None, _) => true,
            (Some(_), None) => false,
            (Some(this), Some(other)) => this >= other,
        }
    }
}

/// A PoP as file and ledger together say, before probes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Effective {
    /// State.
    pub state: AdminState,
    /// Weight.
    pub weight: u32,
    /// The entry that decides the state; `None` if the file does.
    pub state_by: Option<u64>,
    /// The entry that decides the weight; `None` if the file does.
    pub weight_by: Option<u64>,
}

impl Effective {
    /// Whether it takes no clients in the ordinary run of things.
    pub fn is_off(&self) -> bool {
        matches!(self.state, AdminState::Down | AdminState::Drain) || self.weight == 0
    }
}

/// All entries, oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ledger {
    entries: Vec<Override>,
    last_id: u64,
}

impl Ledger {
    /// Adds an entry on top and gives its id; whatever `id` it carries is replaced. Refused with a
    /// sentence if the ledger is full or a text is too long or has control characters.
    pub fn add(&mut self, entry: Override) -> Result<u64, String> {
        if self.entries.len() >= OVERRIDES_MAX {
            return Err(format!("the ledger holds {OVERRIDES_MAX} overrides already; take some back with `auto`"));
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

    /// All entries, oldest first.
    pub fn entries(&self) -> &[Override] {
        &self.entries
    }

    /// The entry with an id.
    pub fn entry(&self, id: u64) -> Option<&Override> {
        self.entries.iter().find(|entry| entry.id == id)
    }

    /// What file and ledger say of each PoP at a moment.
    pub fn effective(&self, pops: &[Pop], now: u64) -> Vec<Effective> {
        let last = |pop: &Pop, state: bool| {
            self.entries.iter().rev().find(|entry| entry.action.is_state() == state && entry.is_live(now) && entry.selector.covers(pop))
        };
        let one = |pop: &Pop| {
            let mut effective = Effective { state: pop.state, weight: pop.weight, state_by: None, weight_by: None };
            if let Some(Override { id, action: Action::State(state), .. }) = last(pop, true)
                && *state != AdminState::Auto
            {
                (effective.state, effective.state_by) = (*state, Some(*id));
            }
            if let Some(Override { id, action: Action::Weight(Some(weight)), .. }) = last(pop, false) {
                (effective.weight, effective.weight_by) = (*weight, Some(*id));
            }
            effective
        };
        pops.iter().map(one).collect()
    }

    /// The PoPs with the states and weights that hold at a moment.
    pub fn applied(&self, pops: &[Pop], now: u64) -> Vec<Pop> {
        let effective = self.effective(pops, now);
        pops.iter().zip(effective).map(|(pop, is)| Pop { state: is.state, weight: is.weight, ..pop.clone() }).collect()
    }

    /// When the next entry ends, in seconds since 1970.
    pub fn next_expiry(&self) -> Option<u64> {
        self.entries.iter().filter_map(|entry| entry.until_epoch_secs).min()
    }

    /// Takes out the entries that have ended by a moment.
    pub fn expire(&mut self, now: u64) -> Vec<Override> {
        let (live, ended) = std::mem::take(&mut self.entries).into_iter().partition(|entry| entry.is_live(now));
        self.entries = live;
        ended
    }

    /// Takes out entries that cannot speak again: those under a later one that covers as much for as
    /// long, and those that hand back what nobody below them holds. Says the same of every PoP before
    /// and after, at every moment, also of PoPs that are not there yet.
    pub fn prune(&mut self) {
        let mut kept: Vec<Override> = Vec::new();
        for entry in std::mem::take(&mut self.entries) {
            kept.retain(|below| !shadows(&entry, below));
            let may_meet = |below: &Override| {
                below.action.is_state() == entry.action.is_state()
                    && match (&below.selector, &entry.selector) {
                        (Selector::Pop(a), other) | (other, Selector::Pop(a)) => other.names(a) || matches!(other, Selector::Tag(_)),
                        _ => true,
                    }
            };
            if !entry.action.hands_back() || kept.iter().any(may_meet) {
                kept.push(entry);
            }
        }
        self.entries = kept;
    }
}

/// Whether nothing below ever speaks while `above` stands on it.
fn shadows(above: &Override, below: &Override) -> bool {
    let covers = above.selector == below.selector || matches!(&below.selector, Selector::Pop(name) if above.selector.names(name));
    covers && above.action.is_state() == below.action.is_state() && above.outlasts(below)
}

#[cfg(test)]
mod tests;
