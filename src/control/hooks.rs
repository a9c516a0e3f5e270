//! Faults on demand for tests, in debug builds alone: `POST /hooks`.

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
    /// A task that ends by a panic at its next beat.
    end: Option<String>,
    /// Seconds by which the wall clock of this process is off from now on.
    clock_shift_secs: Option<i64>,
}

/// The route.
pub(super) fn router(shared: Arc<Shared>) -> Router {
    Router::new().route("/hooks", post(happen)).with_state(shared)
}

async fn happen(State(shared): State<Arc<Shared>>, Json(fault): Json<Fault>) -> StatusCode {
    if let Some(secs) = fault.clock_shift_secs {
        hooks::set_clock(secs);
    }
    match fault.end.map(|end| Task::ALL.into_iter().find(|task| task.word() == end)) {
        Some(Some(task)) => shared.tasks.end(task),
        Some(None) => return StatusCode::BAD_REQUEST,
        None => {}
    }
    StatusCode::OK
}
