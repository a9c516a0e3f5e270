//! Events of load, each displayed as one line of English.

use super::feeds::{FeedSet, FeedTarget};
use std::fmt;
use std::sync::Arc;

/// Name of a feed in an event.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LoadSubject {
    /// Name of the PoP.
    pub(crate) pop: Arc<str>,
    /// Name of the service; `None` for the whole PoP.
    pub(crate) service: Option<Arc<str>>,
}

impl LoadSubject {
    /// Name of a feed.
    pub(crate) fn of(feed: &FeedTarget, feed_set: &FeedSet) -> LoadSubject {
        let pop = feed_set.pops.get(feed.pop.index()).cloned().unwrap_or_default();
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

/// Event of a load feed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LoadEvent {
    /// The feed is lost: no reading for too long.
    FeedLost {
        /// Name of the feed.
        subject: LoadSubject,
        /// Reason, if a reading failed.
        reason: Option<Arc<str>>,
    },
    /// The feed is read again.
    FeedBack {
        /// Name of the feed.
        subject: LoadSubject,
    },
    /// The PoP begins to shed cells.
    Began {
        /// Name of the feed.
        subject: LoadSubject,
        /// Utilisation in percent.
        utilisation_percent: u32,
    },
    /// All cells are back.
    Ended {
        /// Name of the feed.
        subject: LoadSubject,
    },
    /// No PoP takes cells that should be shed.
    NoRoom {
        /// Name of the feed.
        subject: LoadSubject,
        /// Utilisation in percent.
        utilisation_percent: u32,
    },
    /// A PoP takes the cells, or they need not be shed any more.
    HasRoom {
        /// Name of the feed.
        subject: LoadSubject,
    },
    /// The share changed direction too often; the gain is halved.
    Oscillates {
        /// Name of the feed.
        subject: LoadSubject,
    },
    /// The share was quiet for long enough; the gain is as configured again.
    Calm {
        /// Name of the feed.
        subject: LoadSubject,
    },
    /// Events were dropped because the event queue was full.
    Lost {
        /// Number of dropped events.
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
                write!(f, "clients of {subject} have a place again, or need none")
            }
            LoadEvent::Oscillates { subject } => {
                write!(f, "shedding of {subject} turns too often; its gain is halved")
            }
            LoadEvent::Calm { subject } => {
                write!(f, "shedding of {subject} is calm; its gain is as configured")
            }
            LoadEvent::Lost { events } => {
                write!(f, "the server dropped {events} load events, because its event queue was full")
            }
        }
    }
}
