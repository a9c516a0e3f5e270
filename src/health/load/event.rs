//! What operators are told of load, each event one English line.

use super::feeds::{FeedSet, FeedTarget};
use std::fmt;
use std::sync::Arc;

/// Which feed an event speaks of.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LoadSubject {
    /// Name of the PoP.
    pub(crate) pop: Arc<str>,
    /// The service; `None` for the whole PoP.
    pub(crate) service: Option<Arc<str>>,
}

impl LoadSubject {
    /// That of a feed.
    pub(crate) fn of(feed: &FeedTarget, feed_set: &FeedSet) -> LoadSubject {
        let pop = feed_set.pops.get(usize::from(feed.pop)).cloned().unwrap_or_default();
        LoadSubject { pop, service: feed.service.clone() }
    }
}

impl fmt::Display for LoadSubject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.service {
            Some(service) => write!(f, "PoP {} ({service})", self.pop),
            None => write!(f, "PoP {}", self.pop),
        }
    }
}

/// Something that happened to a feed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LoadEvent {
    /// No reading for too long.
    FeedLost {
        /// Whose.
        subject: LoadSubject,
        /// Why, if a reading failed.
        reason: Option<Arc<str>>,
    },
    /// Readings again.
    FeedBack {
        /// Whose.
        subject: LoadSubject,
    },
    /// Cells begin to leave.
    Began {
        /// Whose.
        subject: LoadSubject,
        /// Utilisation, in per cent.
        utilisation_percent: u32,
    },
    /// All cells are back.
    Ended {
        /// Whose.
        subject: LoadSubject,
    },
    /// Cells should leave, and no PoP takes them.
    NoRoom {
        /// Whose.
        subject: LoadSubject,
        /// Utilisation, in per cent.
        utilisation_percent: u32,
    },
    /// Cells need not leave any more, or a PoP takes them.
    HasRoom {
        /// Whose.
        subject: LoadSubject,
    },
    /// The share turns too often; the gain is halved.
    Oscillates {
        /// Whose.
        subject: LoadSubject,
    },
    /// The share was quiet for long enough; the gain is as configured again.
    Calm {
        /// Whose.
        subject: LoadSubject,
    },
    /// Events that nobody fetched in time.
    Lost {
        /// How many.
        events: u64,
    },
}

impl fmt::Display for LoadEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LoadEvent::FeedLost { subject, reason: Some(reason) } => {
                write!(f, "load of {subject} is no longer known: {reason}")
            }
            LoadEvent::FeedLost { subject, reason: None } => {
                write!(f, "load of {subject} is no longer known: nothing was pushed")
            }
            LoadEvent::FeedBack { subject } => write!(f, "load of {subject} is known again"),
            LoadEvent::Began { subject, utilisation_percent } => {
                write!(f, "{subject} sheds load, at {utilisation_percent} % of its capacity")
            }
            LoadEvent::Ended { subject } => write!(f, "{subject} sheds no load any more"),
            LoadEvent::NoRoom { subject, utilisation_percent } => write!(
                f,
                "no PoP takes more clients of {subject}, which is at {utilisation_percent} % of its capacity"
            ),
            LoadEvent::HasRoom { subject } => {
                write!(f, "PoPs can take clients of {subject} again, or need not")
            }
            LoadEvent::Oscillates { subject } => {
                write!(f, "shedding of {subject} turns too often; its gain is halved")
            }
            LoadEvent::Calm { subject } => {
                write!(f, "shedding of {subject} is calm; its gain is as configured")
            }
            LoadEvent::Lost { events } => write!(f, "{events} more events of load were not told in time"),
        }
    }
}
