//! Control: HTTP and JSON for the commands, over a Unix socket and over the admin address.
//!
//! ```text
//!  control socket ──────────────────────────────────▶ routes ─▶ pages
//!  admin address ──TLS──▶ admin_host ─▶ gate ───────▶    │
//!                         own Host?     reads, or token  └─▶ openapi describes the same rows
//!                                       or certificate
//! ```
//!
//! [`routes`] and `docs/control.md` have every page.

pub(crate) mod admin_host;
pub(crate) mod api;
pub(crate) mod catalogue;
pub(crate) mod client;
pub(crate) mod comparison;
pub(crate) mod costly;
pub(crate) mod events;
pub(crate) mod explain;
pub(crate) mod forecast;
pub(crate) mod gate;
#[cfg(debug_assertions)]
mod hooks;
mod input;
pub(crate) mod listener;
pub(crate) mod map;
pub(crate) mod metrics;
pub(crate) mod openapi;
pub(crate) mod overrides;
pub(crate) mod page;
pub(crate) mod peer;
pub(crate) mod places;
pub(crate) mod policies;
pub(crate) mod pops;
pub(crate) mod protocol;
pub(crate) mod pushes;
pub(crate) mod reader;
mod reply;
pub(crate) mod routes;
pub(crate) mod shared_page;
pub(crate) mod socket_note;
pub(crate) mod turns;
pub(crate) mod zones;

use crate::answer::Transport;
use crate::control::admin_host::AdminHosts;
use crate::control::shared_page::SharedPage;
use crate::limits::{CONTROL_BODY_OCTETS_MAX, STILL_MILLIS};
use crate::shared::Shared;
use crate::shared::alarm::Alarm;
use crate::shared::command::CommandSender;
use crate::shared::tasks::StandingTask;
use crate::snapshot::Snapshot;
use crate::sys::clock::{cookie_secs, epoch_secs, uptime_ms};
use axum::Router;
use axum::body::Bytes;
use axum::extract::DefaultBodyLimit;
use axum::middleware::{from_fn, from_fn_with_state};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::time::Instant;

/// State that the pages show.
#[derive(Clone)]
pub(crate) struct Shown {
    /// State that threads share.
    pub(crate) shared: Arc<Shared>,
    /// DNS addresses as bound.
    pub(crate) dns: Vec<SocketAddr>,
    /// Addresses of the stream transports with addresses of their own, as bound.
    pub(crate) streams: Vec<(Transport, SocketAddr)>,
    /// Name of the engine, as on the command line.
    pub(crate) engine: &'static str,
    /// Absolute path of the server file at the start of the server.
    pub(crate) config: Arc<Path>,
    /// Start of the server.
    pub(crate) started: Instant,
    /// Pages whose rendering readers share.
    pub(crate) pages: Arc<Pages>,
}

impl Shown {
    /// Seconds between two answers that make a prefix known; `None` while `overload` is off, and
    /// with an engine without it.
    pub(crate) fn known_after(&self, snapshot: &Snapshot) -> Option<u32> {
        let settings = snapshot.overload.filter(|_| self.shared.overload.is_watched());
        settings.map(|settings| settings.known_after_secs)
    }

    /// Number of known client prefixes; 0 while `overload` is off.
    pub(crate) fn known_prefixes(&self, snapshot: &Snapshot) -> usize {
        let known = &self.shared.overload.known;
        self.known_after(snapshot).map_or(0, |after| known.list(cookie_secs(), after).len())
    }

    /// Active alarms. The alarms of descriptors, of the quarantine and of tasks come first. They
    /// are read without the writer, because the writer may hang or have ended.
    pub(crate) fn alarms(&self) -> Vec<Alarm> {
        let (now, now_ms) = (epoch_secs(), uptime_ms());
        let of_tasks = self.shared.tasks.alarms(now_ms, STILL_MILLIS).into_iter();
        let of_tasks = of_tasks.map(|StandingTask { key, sentence, age_ms }| Alarm {
            key,
            sentence,
            since_epoch_secs: now.saturating_sub(age_ms / 1_000),
        });
        let of_writer = self.shared.operator_view.load().alarms.clone();
        let of_quarantine = self.shared.quarantine.alarm(now_ms, now);
        let first = self.shared.descriptors.alarm().into_iter().chain(of_quarantine);
        first.chain(of_tasks).chain(of_writer).collect()
    }

    /// The OpenAPI document, which is made once.
    pub(crate) fn openapi(&self) -> Bytes {
        self.pages.openapi.get_or_init(|| openapi::text().into()).clone()
    }
}

/// Pages that are rendered once for all waiting readers.
#[derive(Debug, Default)]
pub(crate) struct Pages {
    /// `/metrics`.
    pub(crate) metrics: SharedPage,
    /// `/pops`.
    pub(crate) pops: SharedPage,
    /// `/policies`.
    pub(crate) policies: SharedPage,
    /// `/v1/policies?brief=true`.
    pub(crate) brief_policies: SharedPage,
    /// `/v1/map` without a query.
    pub(crate) map: SharedPage,
    /// `/v1/overrides`.
    pub(crate) overrides: SharedPage,
    /// `/v1/openapi.json`.
    openapi: OnceLock<Bytes>,
}

/// Router of the admin address: every page, for the hosts that it serves. The gate refuses changes
/// by strangers.
pub(crate) fn admin(shown: Shown, command_sender: CommandSender, hosts: Arc<AdminHosts>) -> Router {
    let proof = Arc::clone(&shown.shared);
    let pages = routes::shows().with_state(shown).merge(routes::commands().with_state(command_sender));
    finished(
        pages
            .layer(from_fn_with_state(proof, gate::check))
            .layer(from_fn_with_state(hosts, admin_host::check)),
    )
}

/// Router of the control socket, which has every page.
pub(crate) fn full(shown: Shown, command_sender: CommandSender) -> Router {
    let commands = routes::commands().with_state(command_sender);
    #[cfg(debug_assertions)]
    let commands = commands.merge(hooks::router(Arc::clone(&shown.shared)));
    finished(routes::shows().with_state(shown).merge(commands))
}

/// Router with bounded bodies, whose refusals are JSON.
fn finished(pages: Router) -> Router {
    pages.layer(DefaultBodyLimit::max(CONTROL_BODY_OCTETS_MAX)).layer(from_fn(reply::refusals_in_json))
}
