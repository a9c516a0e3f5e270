//! `GET /v1/events`: events as they happen, as server-sent events (WHATWG HTML, section 9.2).
//!
//! A reader holds nothing but its place in the ring of recent events. One that does not read is
//! closed by its deadline ([`places`](super::places)); when it comes back, it goes on behind the
//! event of its `Last-Event-ID`, or learns that events are lost.

use crate::control::Shown;
use crate::control::input::InQuery;
use crate::control::protocol::error_code::ErrorCode;
use crate::control::protocol::events::{EventData, EventsQuery};
use crate::control::reader::{Protection, Reader};
use crate::control::reply::refused;
use crate::limits::{EVENTS_LOOK_MILLIS, EVENTS_SILENT_MILLIS};
use crate::rfc3339;
use crate::shared::Shared;
use crate::shared::phase::Phase;
use crate::shared::recent_events::{Recent, RecentEvents};
use crate::sys::clock::epoch_secs;
use axum::Extension;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use hyper::body::Frame;
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::time::{Interval, MissedTickBehavior, interval};

/// `Content-Type` of server-sent events.
pub(crate) const CONTENT_TYPE: &str = "text/event-stream";

/// Header with the identifier of the last event that a reader has.
const LAST_EVENT_ID: &str = "last-event-id";

/// `GET /v1/events`: 400 for an identifier that no server has given. A reader that may be anyone
/// gets the public line of each event.
pub(crate) async fn page(
    State(shown): State<Shown>,
    InQuery(query): InQuery<EventsQuery>,
    reader: Reader,
    protection: Option<Extension<Protection>>,
    headers: HeaderMap,
) -> Response {
    let given = match headers.get(LAST_EVENT_ID).map(|id| id.to_str()) {
        Some(Err(_)) => Some(String::new()),
        Some(Ok(id)) => Some(id.to_owned()),
        None => query.after,
    };
    let place = match given.as_deref().map(Id::read) {
        None => Ok(Start { next: shown.shared.recent_events.newest() + 1, is_gap: false }),
        Some(Some(id)) => Ok(id.start(&shown.shared.recent_events)),
        Some(None) => Err("`Last-Event-ID` and `after` must be the `id` of an event"),
    };
    match place {
        Ok(start) => {
            let protection = protection.map(|Extension(protection)| protection);
            let events = Body::new(Events::new(Arc::clone(&shown.shared), start, reader, protection));
            let head = [(header::CONTENT_TYPE, CONTENT_TYPE), (header::CACHE_CONTROL, "no-store")];
            (head, events).into_response()
        }
        Err(sentence) => refused(ErrorCode::BadRequest, sentence),
    }
}

/// Identifier of an event: the run of the server, and the number of the event in it.
#[derive(Debug, PartialEq, Eq)]
struct Id<'t> {
    run: &'t str,
    number: u64,
}

impl<'t> Id<'t> {
    fn read(text: &'t str) -> Option<Id<'t>> {
        let (run, number) = text.split_once('-')?;
        let is_run = |c: char| c.is_ascii_hexdigit() || c == '.';
        (!run.is_empty() && run.len() <= 64 && run.chars().all(is_run))
            .then(|| Some(Id { run, number: number.parse().ok()? }))?
    }

    /// First event behind this one.
    fn start(self, events: &RecentEvents) -> Start {
        let (oldest, newest) = (events.oldest(), events.newest());
        match self.run == events.run() && self.number <= newest {
            true if self.number + 1 >= oldest => Start { next: self.number + 1, is_gap: false },
            // Too long ago, or another run of the server.
            _ => Start { next: oldest, is_gap: true },
        }
    }
}

/// Begin of a stream.
#[derive(Debug, PartialEq, Eq)]
struct Start {
    /// Number of the first event.
    next: u64,
    /// True if events before it may be lost.
    is_gap: bool,
}

/// Events from a number on, as the body of a reply.
struct Events {
    shared: Arc<Shared>,
    start: Start,
    look: Interval,
    reader: Reader,
    /// Protection of a connection to the admin address.
    protection: Option<Protection>,
    /// Looks since the last frame.
    silent: u64,
    /// True before the first frame.
    is_new: bool,
}

impl Events {
    fn new(shared: Arc<Shared>, start: Start, reader: Reader, protection: Option<Protection>) -> Events {
        let mut look = interval(Duration::from_millis(EVENTS_LOOK_MILLIS));
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Events { shared, start, look, silent: 0, reader, protection, is_new: true }
    }

    /// True if the access in force has changed since the connection. The stream of a withdrawn
    /// token or certificate ends, and other readers connect again.
    fn is_outdated(&self) -> bool {
        let now = || self.shared.published.snapshot();
        self.protection.as_ref().is_some_and(|protection| protection.is_outdated(now().admin.as_deref()))
    }

    /// Text of the next event.
    fn next(&mut self) -> Option<String> {
        let events = &self.shared.recent_events;
        if std::mem::take(&mut self.is_new) && !self.start.is_gap {
            // Goes out at once: the reader knows that it is connected, and where it goes on if it
            // comes back before the first event.
            return Some(format!("id: {}-{}\n\n", events.run(), self.start.next - 1));
        }
        if std::mem::take(&mut self.start.is_gap) {
            let before = self.start.next - 1;
            let text = "events are lost: the reader was away for too long, or the server has restarted";
            let data = EventData {
                time: rfc3339::date_time(epoch_secs()),
                sequence: self.shared.published.snapshot().sequence(),
                kind: "lost".into(),
                text: text.to_owned(),
                ..EventData::default()
            };
            // Strings and numbers always have a JSON form.
            let data = serde_json::to_string(&data).unwrap_or_default();
            return Some(format!("id: {}-{before}\nevent: lost\ndata: {data}\n\n", events.run()));
        }
        match events.get(self.start.next) {
            Recent::Event(event) => {
                self.start.next += 1;
                let (run, number) = (events.run(), event.number);
                let line = match self.reader {
                    Reader::Known => &event.line,
                    Reader::Anyone => event.public.as_ref().unwrap_or(&event.line),
                };
                Some(format!("id: {run}-{number}\nevent: {}\ndata: {line}\n\n", event.kind))
            }
            Recent::NotYet => None,
            Recent::Gone => {
                self.start = Start { next: events.oldest(), is_gap: true };
                self.next()
            }
        }
    }
}

impl hyper::body::Body for Events {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        loop {
            if self.is_outdated() {
                return Poll::Ready(None);
            }
            if let Some(text) = self.next() {
                self.silent = 0;
                return Poll::Ready(Some(Ok(Frame::data(text.into()))));
            }
            if self.shared.phase.get() == Phase::Draining {
                return Poll::Ready(None);
            }
            ready!(self.look.poll_tick(context));
            self.silent += 1;
            if self.silent * EVENTS_LOOK_MILLIS > EVENTS_SILENT_MILLIS {
                self.silent = 0;
                return Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(b":\n\n")))));
            }
        }
    }
}

#[cfg(test)]
mod tests;
