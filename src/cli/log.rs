//! Logs: to stderr, as text or JSON, filtered by `RUST_LOG`.

use crate::cli::{Format, colour};
use tracing_subscriber::EnvFilter;

/// Unless `RUST_LOG` says otherwise. hickory logs every answer, and faults that any client can
/// cause.
const FILTER: &str = "info,hickory_server=error,hickory_net=error,hickory_proto=error";

/// Starts the log. A second call (tests) changes nothing.
pub fn start(format: Format) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(FILTER));
    let builder =
        tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_target(false);
    let _ = match format {
        Format::Text => builder.with_ansi(colour::on_stderr()).try_init(),
        Format::Json => builder.json().flatten_event(true).try_init(),
    };
}
