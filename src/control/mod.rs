//! Control: HTTP and JSON over a Unix socket for the commands, and the same without any power over TCP.
//!
//! | path | control socket | admin address | |
//! |---|---|---|---|
//! | `POST /reload` | yes | no | runs a reload and waits for its end |
//! | `GET /status` | yes | yes | what is served, and what was counted |
//! | `GET /healthz` | yes | yes | the process runs |
//! | `GET /readyz` | yes | yes | 200 while queries are answered, else 503 with the reason; `?format=json` |
//! | `GET /metrics` | yes | yes | Prometheus text |

pub mod api;
pub mod catalogue;
pub mod client;
pub mod listener;
pub mod metrics;

use crate::desk::Desk;
use crate::desk::command::Door;
use axum::Router;
use axum::routing::{get, post};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

/// What the pages show.
#[derive(Clone)]
pub struct Shown {
    /// The desk.
    pub desk: Arc<Desk>,
    /// DNS addresses as bound.
    pub dns: Vec<SocketAddr>,
    /// The engine's word.
    pub engine: &'static str,
    /// When the server was started.
    pub started: Instant,
}

/// The router of the admin address: nothing there changes anything.
pub fn read_only(shown: Shown) -> Router {
    Router::new()
        .route("/status", get(api::status))
        .route("/healthz", get(api::healthz))
        .route("/readyz", get(api::readyz))
        .route("/metrics", get(metrics::page))
        .with_state(shown)
}

/// The router of the control socket.
pub fn full(shown: Shown, door: Door) -> Router {
    read_only(shown).merge(Router::new().route("/reload", post(api::reload)).with_state(door))
}
