//! Overrides of PoPs, and the acknowledgement of a damaged ledger.

use crate::control::Shown;
use crate::control::input::InBody;
use crate::control::peer::Peer;
use crate::control::pops::setting;
use crate::control::protocol::Failure;
use crate::control::protocol::error_code::ErrorCode;
use crate::control::protocol::overrides::{
    AcknowledgeRequest, Acknowledged, AskedWeight, Forecast, ForecastMove, LoadGain, OverrideList,
    OverrideReply, OverrideRequest, PolicyForecast, PopChange,
};
use crate::control::reply::{ask, body, busy, quoted, refused, rendered, reply};
use crate::impact::moves::{Move, MovedShare, PolicyChangeMoves};
use crate::impact::prediction::{ALL_CLIENTS, Gain, Prediction};
use crate::limits::{SELECTORS_MAX, WEIGHT_MAX};
use crate::rfc3339;
use crate::shared::command::{Command, CommandSender, OverrideChange, OverrideOutcome, OverrideReport};
use crate::shared::operator_view::OperatorView;
use crate::shared::override_entry::OverrideEntry;
use crate::steer::ledger::{Action, Override, Selector};
use crate::steer::pop::AdminState;
use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use std::collections::HashSet;
use std::sync::Arc;

/// `GET /v1/overrides`.
pub(crate) async fn list(State(shown): State<Shown>) -> Response {
    let pages = Arc::clone(&shown.pages);
    let render = move || {
        let operator_view = shown.shared.operator_view.load();
        let overrides = distinct(&operator_view).map(OverrideEntry::of).collect();
        body(&OverrideList { sequence: operator_view.sequence, overrides })
    };
    rendered(pages.overrides.read(render).await)
}

/// Overrides of all PoPs, each once, in the order of the PoPs.
fn distinct(view: &OperatorView) -> impl Iterator<Item = &Override> {
    let mut known = HashSet::new();
    let all = view
        .pops
        .iter()
        .flat_map(|pop| [&pop.state_by, &pop.weight_by].into_iter().flatten().chain(&pop.plans));
    all.filter(move |entry| known.insert(entry.id))
}

/// `POST /v1/overrides`: 200 if the override is in force (or would be, in a dry run), 409 if
/// safety rules forbid the override, or the override is refused for another reason, 400 if the body
/// is invalid.
pub(crate) async fn change(
    State(command_sender): State<CommandSender>,
    peer: Option<Extension<Peer>>,
    InBody(request): InBody<OverrideRequest>,
) -> Response {
    let change = match read(request, peer.as_deref()) {
        Ok(change) => change,
        Err(sentence) => return refused(ErrorCode::BadRequest, &sentence),
    };
    match ask(&command_sender, |reply| Command::Override { change, reply }).await {
        Some(changed) => reply(status_of(&changed.ended), told(&changed)),
        None => busy(),
    }
}

fn read(request: OverrideRequest, peer: Option<&Peer>) -> Result<OverrideChange, String> {
    let action = match (request.state, request.weight) {
        (Some(state), None) => AdminState::from_word(&state)
            .map(Action::State)
            .ok_or_else(|| format!("`state` must be up, down, drain or auto, not {}", quoted(&state)))?,
        (None, Some(weight)) => Action::Weight(read_weight(&weight)?),
        (None, None) => return Err("the body must have `state` or `weight`".to_owned()),
        (Some(_), Some(_)) => return Err("the body has `state` and `weight`, and may have one".to_owned()),
    };
    if request.pops.len() > SELECTORS_MAX {
        return Err(format!("at most {SELECTORS_MAX} selectors at once; use patterns or tags"));
    }
    let start = request.start.as_deref().map(|text| {
        let form = "`start` must be a time such as 2026-03-01T12:00:00Z, not";
        rfc3339::parse(text).ok_or_else(|| format!("{form} {}", quoted(text)))
    });
    let author = Peer::author(peer, request.author.as_deref());
    Ok(OverrideChange {
        selectors: request.pops.iter().map(|text| Selector::parse(text)).collect::<Result<_, _>>()?,
        action,
        author: author.into(),
        reason: request.reason.into(),
        lasts_secs: request.for_secs,
        start_epoch_secs: start.transpose()?,
        over_secs: request.over_secs,
        force: request.force,
        dry_run: request.dry_run,
        unsaved: request.unsaved,
    })
}

/// Requested weight; `None` for the weight in the PoP file.
fn read_weight(weight: &AskedWeight) -> Result<Option<u32>, String> {
    let number = match weight {
        AskedWeight::Word(word) if word == "auto" => return Ok(None),
        AskedWeight::Number(number) => u32::try_from(*number).ok().filter(|weight| *weight <= WEIGHT_MAX),
        AskedWeight::Word(_) | AskedWeight::Wrong(_) => None,
    };
    number.map(Some).ok_or_else(|| {
        let given = match weight {
            AskedWeight::Number(number) => number.to_string(),
            // As JSON, so that a number as a text is seen to be one.
            AskedWeight::Word(word) => format!("\"{word}\""),
            AskedWeight::Wrong(value) => value.to_string(),
        };
        let allowed = format!("`weight` must be `auto` or a whole number up to {WEIGHT_MAX}");
        format!("{allowed}, not {}", quoted(&given))
    })
}

fn status_of(ended: &OverrideOutcome) -> StatusCode {
    match ended {
        OverrideOutcome::Done | OverrideOutcome::DryRun => StatusCode::OK,
        OverrideOutcome::Unsafe(_) | OverrideOutcome::Refused(_) => StatusCode::CONFLICT,
    }
}

fn told(changed: &OverrideReport) -> OverrideReply {
    let (word, code, error, broken) = match &changed.ended {
        OverrideOutcome::Done => ("done", None, None, &[][..]),
        OverrideOutcome::DryRun => ("dry_run", None, None, &[][..]),
        OverrideOutcome::Unsafe(broken) => {
            ("forbidden", Some(ErrorCode::Unsafe), Some("safety rules forbid it"), &broken[..])
        }
        OverrideOutcome::Refused(sentence) => {
            ("refused", Some(ErrorCode::Conflict), Some(sentence.as_str()), &[][..])
        }
    };
    let pops = changed.pops.iter().map(|moved| PopChange {
        name: moved.pop.clone(),
        before: setting(moved.before.state, moved.before.weight),
        after: setting(moved.after.state, moved.after.weight),
    });
    OverrideReply {
        ok: error.is_none(),
        ended: word.into(),
        failure: code.zip(error).map(|(code, error)| Failure::new(code, error)),
        error: error.map(str::to_owned),
        broken: broken.to_vec(),
        sequence: changed.sequence,
        digest: changed.digest.clone(),
        pops: pops.collect(),
        warnings: changed.warnings.clone(),
        forecast: changed.prediction.as_ref().map(forecast),
    }
}

/// Prediction as JSON.
pub(super) fn forecast(prediction: &Prediction) -> Forecast {
    let one = |way: &Move<ALL_CLIENTS>| {
        let MovedShare { space: [cells], queries } = way.share;
        ForecastMove { from: way.from.to_string(), to: way.to.to_string(), cells, queries }
    };
    let policy = |of: &PolicyChangeMoves<ALL_CLIENTS>| PolicyForecast {
        policy: of.policy_change.policy.clone(),
        moves: of.moves.iter().map(one).collect(),
    };
    let gain = |gain: &Gain| LoadGain {
        pop: gain.feed.pop.clone(),
        service: gain.feed.service.clone(),
        added: gain.added,
        load: gain.before.load,
        capacity: gain.before.capacity,
    };
    Forecast {
        moves: prediction.moves.moves.iter().map(one).collect(),
        policies: prediction.moves.policy_changes.iter().map(policy).collect(),
        load: prediction.gains.iter().map(gain).collect(),
        samples: prediction.samples,
    }
}

/// `POST /v1/ledger/acknowledge`: 200 with the texts of the ended alarms, 409 if the ledger cannot
/// be written.
pub(crate) async fn acknowledge(
    State(command_sender): State<CommandSender>,
    peer: Option<Extension<Peer>>,
    InBody(request): InBody<AcknowledgeRequest>,
) -> Response {
    let author = Peer::author(peer.as_deref(), request.author.as_deref()).into();
    match ask(&command_sender, |reply| Command::Acknowledge { author, reply }).await {
        Some(Ok(over)) => reply(StatusCode::OK, Acknowledged { ok: true, over }),
        Some(Err(sentence)) => refused(ErrorCode::Conflict, &sentence),
        None => busy(),
    }
}
