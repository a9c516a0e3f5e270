//! Limits of remote control: of the admin address over TLS, its pages and its readers of events.

/// Tokens of the admin address: a few operators and programs, each with a token of its own.
pub(crate) const ADMIN_TOKENS_MAX: usize = 64;
/// Connections of one client address (IPv6: of one /64) to the admin address: a scraper, a
/// dashboard and commands of one host, each with requests of their own.
pub(crate) const CONTROL_PER_CLIENT_MAX: usize = 48;
/// Zones on one page of the list of zones: about 200 KiB of JSON.
pub(crate) const ZONES_PER_PAGE: usize = 1_000;
/// Recent events for readers of `/v1/events` that come back: some minutes of a storm.
pub(crate) const RECENT_EVENTS: usize = 1_024;
/// Octets of such an event; a longer one stands in the event log alone. All of them take at most 16
/// MiB, because some have a second line for readers that may be anyone.
pub(crate) const RECENT_EVENT_OCTETS_MAX: usize = 8 << 10;
/// Milliseconds between two looks of a reader for new events.
pub(crate) const EVENTS_LOOK_MILLIS: u64 = 200;
/// Milliseconds without an event after which a reader gets an empty comment, so that both ends see
/// whether the connection still works: less than [`CONTROL_TAKE_SECS`](super::CONTROL_TAKE_SECS).
pub(crate) const EVENTS_SILENT_MILLIS: u64 = 10_000;
/// Seconds for the handshake of TLS on the admin address.
pub(crate) const ADMIN_HANDSHAKE_SECS: u64 = 5;
/// Connections to the admin address whose handshake of TLS is unfinished: an honest one ends after
/// two round trips, and the thread of the handshakes computes them one after another. One more
/// closes the oldest of the client with the most.
pub(crate) const ADMIN_HANDSHAKES_MAX: usize = 32;
/// Unfinished handshakes of one client address (IPv6: of one /64): a few browsers, each with six
/// connections. One more closes its oldest.
pub(crate) const ADMIN_HANDSHAKES_PER_CLIENT_MAX: usize = 16;
/// Requests of one client address that wait for its turn: those of a few windows of the page, and
/// fewer than the places of the client, so that its other pages have some.
pub(crate) const TURNS_WAITING_MAX: usize = 8;
/// Clients with a turn or in the pause behind it: more than one listener has connections.
pub(crate) const TURN_CLIENTS_MAX: usize = 1_024;
/// Seconds that a reload or a comparison may take until its command gives it up: two runs one after
/// the other, each of at most [`ATTEMPT_SECS`](super::ATTEMPT_SECS), and time to spare.
pub(crate) const ASK_WAIT_SECS: u64 = 1_800;
/// Seconds of silence after which a command asks whether the host of a remote server is still
/// there, and between such questions.
pub(crate) const KEEP_ALIVE_SECS: u64 = 15;
