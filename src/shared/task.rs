//! Supervised task: long-lived work of any part but the UDP workers.

use super::streams::streams;
use crate::answer::Transport;
use std::cmp::Ordering;

closed_union! {
    /// A long-lived task. Its word stands in metrics, events and alarms.
    pub(crate) enum Task {
        /// The single writer.
        Writer = "writer",
        /// Runs checks.
        Checks = "checks",
        /// Reads load feeds.
        Feeds = "feeds",
        /// Answers over a stream transport.
        Stream(transport: Transport = streams()) = transport.word(),
        /// Serves the control socket.
        Control = "control",
        /// Serves the admin address.
        Admin = "admin",
        /// Looks after the state folder.
        StateFolder = "state_folder",
        /// Writes the event log.
        Events = "events",
        /// Counts descriptors.
        Descriptors = "descriptors",
        /// hickory's server, where it carries UDP.
        Portable = "portable",
        /// Sheds strangers under an overload of UDP.
        Overload = "overload",
        /// Looks at the UDP workers.
        Workers = "workers",
    }
}

/// Tasks stand in the order of their list.
impl Ord for Task {
    fn cmp(&self, other: &Task) -> Ordering {
        self.index().cmp(&other.index())
    }
}

impl PartialOrd for Task {
    fn partial_cmp(&self, other: &Task) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
