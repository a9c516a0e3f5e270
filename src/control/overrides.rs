//! PoPs and policies on the control pages: their state, and requests that override it.
//! docs/control.md describes the shapes.

use crate::control::Shown;
use crate::control::peer::Peer;
use crate::impact::moves::{Move, MovedShare, PassageMoves};
use crate::impact::prediction::{ALL_CLIENTS, Gain, Prediction};
use crate::limits::{SELECTORS_MAX, WEIGHT_MAX};
use crate::rfc3339;
use crate::shared::command::{
    Command, CommandSender, OverrideChange, OverrideOutcome, OverrideReport, ProbePush,
};
use crate::shared::event::override_json;
use crate::shared::operator_view::{Alarm, Coming, FeedView, PopView, TargetView};
use crate::steer::ledger::{Action, Effective, Override, Selector};
use crate::steer::pop::AdminState;
use crate::steer::transition::Transition;
use crate::sys::clock::epoch_secs;
use axum::Extension;
use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;
use tokio::sync::oneshot;

/// A page for programs.
pub(crate) type Page = (StatusCode, Json<Value>);

/// A page that says why not.
pub(crate) fn refused(status: StatusCode, sentence: &str) -> Page {
    (status, Json(json!({ "ok": false, "error": sentence })))
}

/// `GET /pops`.
pub(crate) async fn pops(State(shown): State<Shown>) -> Response {
    let pages = Arc::clone(&shown.pages);
    let render = move || {
        let operator_view = shown.shared.operator_view.load();
        Ok(json!({
            "sequence": operator_view.sequence,
            "pops": operator_view.pops.iter().map(pop_json).collect::<Vec<_>>(),
            "alarms": shown.alarms().iter().map(alarm_json).collect::<Vec<_>>(),
        })
        .to_string()
        .into_bytes())
    };
    rendered(pages.pops.read(render).await)
}

/// A page for programs that was rendered for all who wait.
pub(super) fn rendered(text: Result<Bytes, String>) -> Response {
    match text {
        Ok(text) => ([(header::CONTENT_TYPE, "application/json")], text).into_response(),
        Err(fault) => refused(StatusCode::INTERNAL_SERVER_ERROR, &fault).into_response(),
    }
}

/// `GET /pops/{name}`: 404 if there is none.
pub(crate) async fn pop(State(shown): State<Shown>, Path(name): Path<String>) -> Page {
    let operator_view = shown.shared.operator_view.load();
    match operator_view.pops.iter().find(|pop| *pop.name == *name) {
        Some(pop) => (StatusCode::OK, Json(pop_json(pop))),
        None => refused(StatusCode::NOT_FOUND, &format!("there is no PoP `{}`", name.escape_debug())),
    }
}

fn pop_json(pop: &PopView) -> Value {
    json!({
        "name": &*pop.name,
        "tags": pop.tags.iter().map(|tag| &**tag).collect::<Vec<_>>(),
        "file": { "state": pop.file_state.word(), "weight": pop.file_weight },
        "effective": { "state": pop.state.word(), "weight": pop.weight, "left": pop.left },
        "progress": progress(pop, epoch_secs()),
        "plans": pop.plans.iter().map(override_json).collect::<Vec<_>>(),
        "state_override": pop.state_by.as_ref().map(override_json),
        "weight_override": pop.weight_by.as_ref().map(override_json),
        "health": pop.health.word(),
        "flaps": pop.targets.iter().any(|target| target.damped_secs.is_some()),
        "in_service": pop.in_service.word(),
        "in_service_why": pop.in_service_why.map(|why| why.word()),
        "since": rfc3339::date_time(pop.since_epoch_secs),
        "coming": pop.coming.iter().map(coming_json).collect::<Vec<_>>(),
        "breaks": pop.breaks,
        "ramp_left": f64::from(pop.ramp_left) / 256.0,
        "feeds": pop.feeds.iter().map(feed_json).collect::<Vec<_>>(),
        "targets": pop.targets.iter().map(target_json).collect::<Vec<_>>(),
    })
}

fn coming_json(coming: &Coming) -> Value {
    json!({
        "at": rfc3339::date_time(coming.epoch_secs),
        "state": coming.state.word(),
        "weight": coming.weight,
    })
}

/// What is on its way at a PoP: a sentence, and what it says as numbers; null if all stands still.
fn progress(pop: &PopView, now: u64) -> Value {
    let moving = |entry: &&Override| {
        entry.transition.over_secs > 0 && now < entry.transition.end() + u64::from(pop.cached_secs)
    };
    let Some(entry) = [&pop.state_by, &pop.weight_by].into_iter().flatten().find(moving) else {
        return Value::Null;
    };
    let Transition { start_epoch_secs, over_secs, .. } = entry.transition;
    let done_secs = now.saturating_sub(start_epoch_secs).min(over_secs);
    // Answers given at the longest TTL; what has moved since then may still be cached the old way.
    let cached = |secs: u32| {
        let moved = |at: u64| at.saturating_sub(start_epoch_secs).min(over_secs);
        (moved(now) - moved(now.saturating_sub(u64::from(secs)))) as f64 / over_secs as f64
    };
    let percent = |share: f64| (share * 100.0).round();
    let (gone, cached) = (percent(done_secs as f64 / over_secs as f64), percent(cached(pop.cached_secs)));
    let what = match entry.action {
        Action::State(AdminState::Drain | AdminState::Down) => {
            format!("draining: {} % of cells have left", percent(f64::from(pop.left) / 256.0))
        }
        Action::State(_) => {
            format!("ramping: {} % of cells are back", percent(1.0 - f64::from(pop.left) / 256.0))
        }
        Action::Weight(_) => format!("weight on its way to {}: {gone} % done", entry.action),
    };
    let end = rfc3339::date_time(entry.transition.end());
    json!({
        "text": format!(
            "{what}, done at {end}; at most {cached} % still cached the old way, for up to {} s",
            pop.cached_secs
        ),
        "done_percent": gone,
        "cached_percent": cached,
        "end": end,
    })
}

fn feed_json(feed: &FeedView) -> Value {
    json!({
        "service": feed.service.as_deref(),
        "load": feed.load,
        "capacity": feed.capacity,
        "target": feed.target,
        "shed_share": f64::from(feed.share) / 256.0,
        "accept": feed
            .accept
            .iter()
            .map(|(pop, share)| (pop.to_string(), (f64::from(*share) / 256.0).into()))
            .collect::<serde_json::Map<String, Value>>(),
        "stale": feed.is_stale,
        "oscillates": feed.oscillates,
        "no_room": feed.is_stuck,
        "last_error": feed.last_error,
        "age_secs": feed.age_secs,
    })
}

fn target_json(target: &TargetView) -> Value {
    json!({
        "probe": &*target.probe,
        "service": &*target.service,
        "address": target.address.as_deref(),
        "verdict": target.verdict,
        "good_streak": target.good_streak,
        "bad_streak": target.bad_streak,
        "checks_to_flip": target.checks_to_flip,
        "failures": target.failures,
        "frozen": target.is_frozen,
        "turns": target.turns,
        "damped_secs": target.damped_secs,
        "lasted_secs": target.lasted_secs,
        "last_error": target.last_error,
        "latency_micros": target.latency_micros,
        "certificate_days": target.certificate_days,
        "degraded": target.degraded,
        "result_age_secs": target.result_age_secs,
    })
}

fn alarm_json(alarm: &Alarm) -> Value {
    json!({
        "text": alarm.sentence,
        "since": rfc3339::date_time(alarm.since_epoch_secs),
    })
}

/// The body of `POST /pops/override`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct OverrideBody {
    /// Names, patterns, `tag:...`.
    pops: Vec<String>,
    /// `up`, `down`, `drain` or `auto`.
    state: Option<String>,
    /// A weight, or `"auto"`.
    weight: Option<Value>,
    /// Who it is by, as the request claims.
    author: Option<String>,
    /// Why.
    #[serde(default)]
    reason: String,
    /// How long, in seconds, once all of it holds.
    for_secs: Option<u64>,
    /// How long it takes to come into force, in seconds.
    #[serde(default)]
    over_secs: u64,
    /// When it begins, such as `2026-03-01T12:00:00Z`; now if it is not given.
    start: Option<String>,
    /// Whether safety rules are passed over.
    #[serde(default)]
    force: bool,
    /// Whether nothing is done.
    #[serde(default)]
    dry_run: bool,
    /// Whether it comes into force in memory, before the disk has it.
    #[serde(default)]
    unsaved: bool,
}

impl OverrideBody {
    fn change(self, peer: Option<&Peer>) -> Result<OverrideChange, String> {
        let action = match (self.state, self.weight) {
            (Some(state), None) => AdminState::from_word(&state)
                .map(Action::State)
                .ok_or("`state` is up, down, drain or auto")?,
            (None, Some(Value::String(word))) if word == "auto" => Action::Weight(None),
            (None, Some(weight)) => weight
                .as_u64()
                .and_then(|weight| u32::try_from(weight).ok())
                .filter(|weight| *weight <= WEIGHT_MAX)
                .map(|weight| Action::Weight(Some(weight)))
                .ok_or(format!("`weight` is `auto` or a whole number up to {WEIGHT_MAX}"))?,
            _ => return Err("say one of `state` and `weight`".to_owned()),
        };
        if self.pops.len() > SELECTORS_MAX {
            return Err(format!("at most {SELECTORS_MAX} selectors at once; use patterns or tags"));
        }
        let start = self
            .start
            .as_deref()
            .map(|text| rfc3339::parse(text).ok_or("`start` is a moment such as 2026-03-01T12:00:00Z"));
        let author = Peer::author(peer, self.author.as_deref());
        Ok(OverrideChange {
            selectors: self.pops.iter().map(|text| Selector::parse(text)).collect::<Result<_, _>>()?,
            action,
            author: author.into(),
            reason: self.reason.into(),
            lasts_secs: self.for_secs,
            start_epoch_secs: start.transpose()?,
            over_secs: self.over_secs,
            force: self.force,
            dry_run: self.dry_run,
            unsaved: self.unsaved,
        })
    }
}

/// Sends a command to the writer and waits for its answer.
pub(super) async fn ask<T: Send + 'static>(
    command_sender: &CommandSender,
    command: impl FnOnce(Box<dyn FnOnce(T) + Send>) -> Command,
) -> Option<T> {
    let (sender, receiver) = oneshot::channel();
    let taken = command_sender(command(Box::new(move |answer| drop(sender.send(answer)))));
    if taken.is_ok() { receiver.await.ok() } else { None }
}

/// Why a command came back unread.
pub(super) const BUSY: &str = "the server takes no command now: too many wait, it is stopping, or a \
                                fault has interrupted it; see whether it was done before you repeat it";

/// `POST /pops/override`: 200 if it is in service (or would be), 409 if safety rules forbid it or
/// it cannot be done, 400 if the body says nothing sensible.
pub(crate) async fn change(
    State(command_sender): State<CommandSender>,
    peer: Option<Extension<Peer>>,
    body: Result<Json<OverrideBody>, JsonRejection>,
) -> Page {
    let change =
        match body.map_err(|error| error.body_text()).and_then(|Json(body)| body.change(peer.as_deref())) {
            Ok(change) => change,
            Err(sentence) => return refused(StatusCode::BAD_REQUEST, &sentence),
        };
    match ask(&command_sender, |reply| Command::Override { change, reply }).await {
        Some(changed) => (status_of(&changed.ended), Json(changed_json(&changed))),
        None => refused(StatusCode::SERVICE_UNAVAILABLE, BUSY),
    }
}

fn status_of(ended: &OverrideOutcome) -> StatusCode {
    if matches!(ended, OverrideOutcome::Done | OverrideOutcome::DryRun) {
        StatusCode::OK
    } else {
        StatusCode::CONFLICT
    }
}

fn changed_json(changed: &OverrideReport) -> Value {
    let (word, error, broken) = match &changed.ended {
        OverrideOutcome::Done => ("done", None, &[][..]),
        OverrideOutcome::DryRun => ("dry_run", None, &[][..]),
        OverrideOutcome::Unsafe(broken) => ("forbidden", Some("safety rules forbid it"), &broken[..]),
        OverrideOutcome::Refused(sentence) => ("refused", Some(sentence.as_str()), &[][..]),
    };
    let side = |is: &Effective| json!({ "state": is.state.word(), "weight": is.weight });
    let pops: Vec<Value> = (changed.pops.iter())
        .map(|moved| {
            json!({
                "name": &*moved.pop,
                "before": side(&moved.before),
                "after": side(&moved.after),
            })
        })
        .collect();
    json!({
        "ok": error.is_none(),
        "ended": word,
        "error": error,
        "broken": broken,
        "sequence": changed.sequence,
        "digest": changed.digest,
        "pops": pops,
        "warnings": changed.warnings,
        "forecast": changed.prediction.as_ref().map(prediction_json),
    })
}

fn prediction_json(prediction: &Prediction) -> Value {
    let one = |way: &Move<ALL_CLIENTS>| {
        let MovedShare { space: [cells], queries } = &way.share;
        json!({ "from": way.from.to_string(), "to": way.to.to_string(), "cells": cells, "queries": queries })
    };
    let all = |moves: &[Move<ALL_CLIENTS>]| moves.iter().map(one).collect::<Vec<_>>();
    let policy =
        |of: &PassageMoves<ALL_CLIENTS>| json!({ "policy": &*of.passage.policy, "moves": all(&of.moves) });
    let gain = |gain: &Gain| {
        json!({
            "pop": &*gain.feed.pop,
            "service": gain.feed.service.as_deref(),
            "added": gain.added,
            "load": gain.before.load,
            "capacity": gain.before.capacity,
        })
    };
    json!({
        "moves": all(&prediction.moves.moves),
        "policies": prediction.moves.passages.iter().map(policy).collect::<Vec<_>>(),
        "load": prediction.gains.iter().map(gain).collect::<Vec<_>>(),
        "samples": prediction.samples,
    })
}

/// The body of `POST /ledger/acknowledge`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AcknowledgeBody {
    /// Who it is by, as the request claims.
    author: Option<String>,
}

/// `POST /ledger/acknowledge`: 200 with the alarms that are over, 409 if the ledger cannot be
/// written.
pub(crate) async fn acknowledge(
    State(command_sender): State<CommandSender>,
    peer: Option<Extension<Peer>>,
    body: Result<Json<AcknowledgeBody>, JsonRejection>,
) -> Page {
    let author = match body {
        Ok(Json(body)) => Peer::author(peer.as_deref(), body.author.as_deref()).into(),
        Err(error) => return refused(StatusCode::BAD_REQUEST, &error.body_text()),
    };
    match ask(&command_sender, |reply| Command::Acknowledge { author, reply }).await {
        Some(Ok(over)) => (StatusCode::OK, Json(json!({ "ok": true, "over": over }))),
        Some(Err(sentence)) => refused(StatusCode::CONFLICT, &sentence),
        None => refused(StatusCode::SERVICE_UNAVAILABLE, BUSY),
    }
}

/// The body of `POST /probes/push`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PushBody {
    probe: String,
    pop: String,
    service: Option<String>,
    address: Option<std::net::IpAddr>,
    up: bool,
    reason: Option<String>,
}

/// `POST /probes/push`: 200 if the result was taken, 409 if not.
pub(crate) async fn push(
    State(command_sender): State<CommandSender>,
    body: Result<Json<PushBody>, JsonRejection>,
) -> Page {
    let push = match body {
        Ok(Json(PushBody { probe, pop, service, address, up, reason })) => ProbePush {
            probe: probe.into(),
            pop: pop.into(),
            service: service.map(Into::into),
            address,
            up,
            reason,
        },
        Err(error) => return refused(StatusCode::BAD_REQUEST, &error.body_text()),
    };
    match ask(&command_sender, |reply| Command::Push { push, reply }).await {
        Some(Ok(())) => (StatusCode::OK, Json(json!({ "ok": true }))),
        Some(Err(sentence)) => refused(StatusCode::CONFLICT, &sentence),
        None => refused(StatusCode::SERVICE_UNAVAILABLE, BUSY),
    }
}
