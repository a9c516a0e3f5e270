//! Logs: to stderr, as text or JSON, filtered by `RUST_LOG`.
//!
//! Lines go through a [`LogQueue`], so that a full disk, a closed pipe or a reader that has stopped
//! blocks no thread of the server. A panic is a line of the log too.

use crate::cli::{Format, colour};
use crate::rfc3339;
use crate::shared::one_line;
use crate::sys::clock::epoch_secs;
use crate::sys::log_queue::LogQueue;
use serde::Serialize;
use std::backtrace::{Backtrace, BacktraceStatus};
use std::io;
use std::panic::PanicHookInfo;
use tracing::Level;
use tracing_subscriber::filter::{LevelFilter, ParseError, Targets};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// Starts the log. A second call (tests) changes nothing.
///
/// `RUST_LOG` holds levels by target, separated by commas: `info`, `debug,meridian::probe=trace`.
/// Filters by span or field are refused, and a text that is refused changes nothing.
///
/// Fails if the thread that writes cannot start.
pub(crate) fn start(format: Format) -> io::Result<LogQueue> {
    let queue = LogQueue::start("log", io::stderr(), move |number| {
        line(format, "WARN", &format!("{number} lines of the log were lost"))
    })?;
    let wanted = std::env::var("RUST_LOG").ok().map(|text| (read_filter(&text), text));
    let (filter, refused) = match wanted {
        None => (default_filter(), None),
        Some((Ok(filter), _)) => (filter, None),
        Some((Err(why), text)) => (default_filter(), Some((why, text))),
    };
    let layer = tracing_subscriber::fmt::layer()
        .with_writer(Lines(queue.clone(), format))
        .with_target(false)
        .log_internal_errors(false);
    let registry = tracing_subscriber::registry().with(filter);
    let _ = match format {
        Format::Text => registry.with(layer.with_ansi(colour::on_stderr())).try_init(),
        Format::Json => registry.with(layer.json().flatten_event(true)).try_init(),
    };
    if let Some((why, text)) = refused {
        tracing::warn!("RUST_LOG=`{text}` is refused, and the default filter holds: {why}");
    }
    // The standard hook writes to stderr itself, and would wait for a reader that has stopped.
    let panics = queue.clone();
    std::panic::set_hook(Box::new(move |info| panics.line(line(format, "ERROR", &panicked(info)))));
    Ok(queue)
}

/// Panic in words, with the backtrace if `RUST_BACKTRACE` asks for one.
fn panicked(info: &PanicHookInfo<'_>) -> String {
    let thread = std::thread::current();
    let name = thread.name().unwrap_or("unnamed");
    let backtrace = Backtrace::capture();
    let trace = match backtrace.status() {
        BacktraceStatus::Captured => format!("\n{backtrace}"),
        _ => String::new(),
    };
    format!("a fault of the program on thread `{name}`: {info}{trace}")
}

/// Line of the log that does not come from `tracing`.
fn line(format: Format, level: &str, message: &str) -> Vec<u8> {
    let time = rfc3339::date_time(epoch_secs());
    let text = match format {
        Format::Text => format!("{time} {level:>5} {message}\n"),
        Format::Json => {
            // The keys of a line of `tracing`.
            let line = LineJson { level, message, timestamp: &time };
            serde_json::to_string(&line).unwrap_or_default() + "\n"
        }
    };
    text.into_bytes()
}

/// Line as JSON.
#[derive(Serialize)]
struct LineJson<'l> {
    level: &'l str,
    message: &'l str,
    timestamp: &'l str,
}

/// Makes a writer for each event.
struct Lines(LogQueue, Format);

/// One event on its way to the queue. On drop the octets written so far become one line, whatever
/// names and values they hold.
struct Line<'q> {
    queue: &'q LogQueue,
    format: Format,
    octets: Vec<u8>,
}

impl<'q> MakeWriter<'q> for Lines {
    type Writer = Line<'q>;

    fn make_writer(&'q self) -> Line<'q> {
        Line { queue: &self.0, format: self.1, octets: Vec::new() }
    }
}

impl io::Write for Line<'_> {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        self.octets.extend_from_slice(octets);
        Ok(octets.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Line<'_> {
    fn drop(&mut self) {
        if !self.octets.is_empty() {
            self.queue.line(one_line(&String::from_utf8_lossy(&self.octets), self.format).into_bytes());
        }
    }
}

/// Formatted event as one line. ESC stays, because `tracing-subscriber` escapes it in values, so
/// that each ESC left belongs to its own colours.
fn one_line(event: &str, format: Format) -> String {
    let event = event.strip_suffix('\n').unwrap_or(event);
    let line = match format {
        Format::Json => one_line::json(event).into_owned(),
        Format::Text => event.split('\u{1b}').map(one_line::text).collect::<Vec<_>>().join("\u{1b}"),
    };
    line + "\n"
}

/// Filter of a text. Empty parts, and blanks around a part, are ignored.
fn read_filter(text: &str) -> Result<Targets, String> {
    let parts: Vec<&str> = text.split(',').map(str::trim).filter(|part| !part.is_empty()).collect();
    if parts.is_empty() {
        return Ok(default_filter());
    }
    if let Some(part) = parts.iter().find(|part| part.contains(['[', ']', '{', '}', ' '])) {
        return Err(format!("`{part}` is not a level by target, such as `meridian::probe=debug`"));
    }
    // A bare word is a level, or a target of which everything is logged: a level that is misspelt
    // would silence the rest.
    let is_known = |part: &str| {
        part.contains('=') || part.parse::<LevelFilter>().is_ok() || part.starts_with("meridian")
    };
    if let Some(part) = parts.iter().find(|part| !is_known(part)) {
        return Err(format!("`{part}` is not a level (off, error, warn, info, debug, trace)"));
    }
    parts.join(",").parse().map_err(|error: ParseError| error.to_string())
}

/// Filter without `RUST_LOG`. hickory logs every answer, and faults that any client can cause.
fn default_filter() -> Targets {
    let hickory = ["hickory_server", "hickory_net", "hickory_proto"];
    Targets::new().with_default(LevelFilter::INFO).with_targets(hickory.map(|target| (target, Level::ERROR)))
}

#[cfg(test)]
mod tests;
