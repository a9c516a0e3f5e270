//! Zones on the control pages.

use crate::control::Shown;
use crate::control::input::InQuery;
use crate::control::protocol::error_code::ErrorCode;
use crate::control::protocol::zones::{Zone, ZoneList, ZonesQuery};
use crate::control::reader::Reader;
use crate::control::reply::{quoted, refused, reply};
use crate::limits::ZONES_PER_PAGE;
use crate::snapshot::digest;
use crate::wire::name::Name;
use crate::zone::source::{Standing, ZoneSource};
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;

/// `GET /v1/zones`: a page of the list; 400 if `after` is no name.
pub(crate) async fn zones(
    State(shown): State<Shown>,
    reader: Reader,
    InQuery(query): InQuery<ZonesQuery>,
) -> Response {
    let snapshot = shown.shared.published.snapshot();
    let all = &snapshot.folder.zones;
    let begin = match query.after.as_deref().map(|after| (after, name(after))) {
        None => 0,
        Some((_, Some(after))) => all.partition_point(|source| source.apex <= after),
        Some((after, None)) => {
            let sentence = format!("`after` must be the apex of a zone, not {}", quoted(after));
            return refused(ErrorCode::BadRequest, &sentence);
        }
    };
    let limit = query.limit.map_or(ZONES_PER_PAGE, |limit| (limit as usize).clamp(1, ZONES_PER_PAGE));
    let end = all.len().min(begin + limit);
    let page: Vec<Zone> = all[begin..end].iter().map(|source| zone(source, reader)).collect();
    let next = page.last().filter(|_| end < all.len()).map(|last| last.zone.clone());
    reply(StatusCode::OK, ZoneList { sequence: snapshot.sequence(), total: all.len(), zones: page, next })
}

/// `GET /v1/zones/{name}`: 404 if there is no such zone.
pub(crate) async fn one(State(shown): State<Shown>, reader: Reader, Path(given): Path<String>) -> Response {
    let snapshot = shown.shared.published.snapshot();
    let all = &snapshot.folder.zones;
    let found = name(&given).and_then(|apex| all.binary_search_by(|source| source.apex.cmp(&apex)).ok());
    match found {
        Some(index) => reply(StatusCode::OK, zone(&all[index], reader)),
        None => refused(ErrorCode::NotFound, &format!("there is no zone {}", quoted(&given))),
    }
}

/// An apex, with or without its final dot, in lower case.
fn name(text: &str) -> Option<Name> {
    Name::parse(&text.to_ascii_lowercase(), Some(&Name::root())).ok()
}

/// Reason for readers that may be anyone, which names no file.
fn public_why(standing: &Standing) -> &'static str {
    match standing {
        Standing::Current => "",
        Standing::Kept(_) => "its files have faults",
        Standing::Vanished(_) => "its files are gone, and other zones need it",
        Standing::Dead(_) => "its files have faults, and there are no last good texts that fit",
    }
}

fn zone(source: &ZoneSource, reader: Reader) -> Zone {
    let why = match reader {
        Reader::Known => source.standing.why(),
        Reader::Anyone => public_why(&source.standing),
    };
    Zone {
        zone: source.apex.to_string(),
        standing: source.standing.word().into(),
        why: why.to_owned(),
        digest: digest::of_texts(source),
    }
}
