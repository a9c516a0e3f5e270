//! Supervised task: long-lived work of any part but the UDP workers.

/// A long-lived task.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Task {
    /// The single writer.
    Writer,
    /// Runs checks.
    Checks,
    /// Reads load feeds.
    Feeds,
    /// Answers over TCP.
    Tcp,
    /// Answers rare messages.
    SlowPath,
    /// Serves the control socket.
    Control,
    /// Serves the admin address.
    Admin,
    /// Looks after the state folder.
    StateFolder,
    /// Writes the event log.
    Events,
    /// Counts descriptors.
    Descriptors,
    /// hickory's server, where it carries UDP.
    Portable,
    /// Looks at the UDP workers.
    Workers,
}

impl Task {
    /// Every task, in order.
    pub(crate) const ALL: [Task; 12] = [
        Task::Writer,
        Task::Checks,
        Task::Feeds,
        Task::Tcp,
        Task::SlowPath,
        Task::Control,
        Task::Admin,
        Task::StateFolder,
        Task::Events,
        Task::Descriptors,
        Task::Portable,
        Task::Workers,
    ];

    /// The word in metrics, events and alarms.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Task::Writer => "writer",
            Task::Checks => "checks",
            Task::Feeds => "feeds",
            Task::Tcp => "tcp",
            Task::SlowPath => "slow_path",
            Task::Control => "control",
            Task::Admin => "admin",
            Task::StateFolder => "state_folder",
            Task::Events => "events",
            Task::Descriptors => "descriptors",
            Task::Portable => "portable",
            Task::Workers => "workers",
        }
    }
}
