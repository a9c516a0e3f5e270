//! `POST /hooks`: causes faults for tests. Debug builds only.

use crate::shared::Shared;
use crate::shared::task::Task;
use crate::sys::hooks;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::post;
use axum::{Json, Router};
use serde::Deserialize;
use std::sync::Arc;

/// Fault to cause.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Fault {
    /// Task that panics at its next heartbeat.
    end: Option<String>,
    /// Seconds to add to the wall clock of this process from now on.
    clock_shift_secs: Option<i64>,
}

/// Router with the route `/hooks`.
pub(super) fn router(shared: Arc<Shared>) -> Router {
    Router::new().route("/hooks", post(happen)).with_state(shared)
}

async fn happen(State(shared): State<Arc<Shared>>, Json(fault): Json<Fault>) -> StatusCode {
    if let Some(secs) = fault.clock_shift_secs {
        hooks::set_clock(secs);
    }
    match fault.end.map(|end| Task::all().find(|task| task.word() == end)) {
        Some(Some(task)) => shared.tasks.end(task),
        Some(None) => return StatusCode::BAD_REQUEST,
        None => {}
    }
    StatusCode::OK
}
