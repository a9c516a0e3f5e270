//! Logs: to stderr, as text or JSON, filtered by `RUST_LOG`.

use crate::cli::{Format, colour};
use tracing::Level;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// Starts the log. A second call (tests) changes nothing.
///
/// `RUST_LOG` holds levels by target, separated by commas: `info`, `debug,meridian::probe=trace`.
/// Filters by span or field are not understood, and a text that is not understood changes nothing.
pub(crate) fn start(format: Format) {
    let wanted = std::env::var("RUST_LOG").ok().map(|text| (text.parse::<Targets>(), text));
    let (filter, refused) = match wanted {
        None => (default_filter(), None),
        Some((Ok(filter), _)) => (filter, None),
        Some((Err(error), text)) => (default_filter(), Some((error, text))),
    };
    let layer = tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_target(false);
    let registry = tracing_subscriber::registry().with(filter);
    let _ = match format {
        Format::Text => registry.with(layer.with_ansi(colour::on_stderr())).try_init(),
        Format::Json => registry.with(layer.json().flatten_event(true)).try_init(),
    };
    if let Some((error, text)) = refused {
        tracing::warn!(%error, "RUST_LOG=`{text}` is not understood; the default filter holds");
    }
}

/// The filter without `RUST_LOG`. hickory logs every answer, and faults that any client can cause.
fn default_filter() -> Targets {
    let hickory = ["hickory_server", "hickory_net", "hickory_proto"];
    Targets::new().with_default(LevelFilter::INFO).with_targets(hickory.map(|target| (target, Level::ERROR)))
}
