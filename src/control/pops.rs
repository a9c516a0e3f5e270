//! PoPs on the control pages.

use crate::control::Shown;
use crate::control::protocol::error_code::ErrorCode;
use crate::control::protocol::pops::{
    Alarm, Coming, EffectiveSetting, Feed, Pop, Pops, Progress, Setting, Target,
};
use crate::control::reply::{body, quoted, refused, rendered, reply};
use crate::rfc3339;
use crate::shared::alarm;
use crate::shared::operator_view::{self, FeedView, PopView, TargetView};
use crate::shared::override_entry::OverrideEntry;
use crate::steer::ledger::{Action, Override};
use crate::steer::pop::AdminState;
use crate::steer::pop_status::fraction;
use crate::steer::transition::Transition;
use crate::sys::clock::epoch_secs;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use std::sync::Arc;

/// `GET /v1/pops`.
pub(crate) async fn pops(State(shown): State<Shown>) -> Response {
    let pages = Arc::clone(&shown.pages);
    let render = move || {
        let operator_view = shown.shared.operator_view.load();
        body(&Pops {
            sequence: operator_view.sequence,
            pops: operator_view.pops.iter().map(page).collect(),
            alarms: shown.alarms().into_iter().map(alarm).collect(),
        })
    };
    rendered(pages.pops.read(render).await)
}

/// `GET /v1/pops/{name}`: 404 if there is no such PoP.
pub(crate) async fn pop(State(shown): State<Shown>, Path(name): Path<String>) -> Response {
    let operator_view = shown.shared.operator_view.load();
    match operator_view.pops.iter().find(|pop| *pop.name == *name) {
        Some(pop) => reply(StatusCode::OK, page(pop)),
        None => refused(ErrorCode::NotFound, &format!("there is no PoP {}", quoted(&name))),
    }
}

fn page(pop: &PopView) -> Pop {
    Pop {
        name: pop.name.clone(),
        tags: pop.tags.clone(),
        file: setting(pop.file_state, pop.file_weight),
        effective: EffectiveSetting { setting: setting(pop.state, pop.weight), left: pop.left },
        progress: progress(pop, epoch_secs()),
        plans: pop.plans.iter().map(OverrideEntry::of).collect(),
        state_override: pop.state_by.as_ref().map(OverrideEntry::of),
        weight_override: pop.weight_by.as_ref().map(OverrideEntry::of),
        health: pop.health.word().into(),
        flaps: pop.targets.iter().any(|target| target.damped_secs.is_some()),
        in_service: pop.in_service.word().into(),
        in_service_why: pop.in_service_why.map(|why| why.word().into()),
        since: rfc3339::date_time(pop.since_epoch_secs),
        coming: pop.coming.iter().map(coming).collect(),
        breaks: pop.breaks.clone(),
        ramp_left: fraction(pop.ramp_left),
        feeds: pop.feeds.iter().map(feed).collect(),
        targets: pop.targets.iter().map(target).collect(),
    }
}

/// State and weight.
pub(super) fn setting(state: AdminState, weight: u32) -> Setting {
    Setting { state: state.word().into(), weight }
}

fn coming(coming: &operator_view::Coming) -> Coming {
    Coming { at: rfc3339::date_time(coming.epoch_secs), setting: setting(coming.state, coming.weight) }
}

/// Progress of a gradual override at a PoP; `None` if no override is in progress.
fn progress(pop: &PopView, now: u64) -> Option<Progress> {
    let moving = |entry: &&Override| {
        entry.transition.over_secs > 0 && now < entry.transition.end() + u64::from(pop.cached_secs)
    };
    let entry = [&pop.state_by, &pop.weight_by].into_iter().flatten().find(moving)?;
    let Transition { start_epoch_secs, over_secs, .. } = entry.transition;
    let done_secs = now.saturating_sub(start_epoch_secs).min(over_secs);
    // Resolvers may cache answers from before the last steps for the longest TTL.
    let cached = |secs: u32| {
        let moved = |at: u64| at.saturating_sub(start_epoch_secs).min(over_secs);
        (moved(now) - moved(now.saturating_sub(u64::from(secs)))) as f64 / over_secs as f64
    };
    let percent = |share: f64| (share * 100.0).round();
    let (gone, cached) = (percent(done_secs as f64 / over_secs as f64), percent(cached(pop.cached_secs)));
    let what = match entry.action {
        Action::State(AdminState::Drain | AdminState::Down) => {
            format!("draining: {} % of cells have left", percent(fraction(pop.left)))
        }
        Action::State(_) => {
            format!("ramping: {} % of cells are back", percent(1.0 - fraction(pop.left)))
        }
        Action::Weight(_) => format!("weight on its way to {}: {gone} % done", entry.action),
    };
    let end = rfc3339::date_time(entry.transition.end());
    Some(Progress {
        text: format!(
            "{what}, done at {end}; at most {cached} % still cached the old way, for up to {} s",
            pop.cached_secs
        ),
        done_percent: gone,
        cached_percent: cached,
        end,
    })
}

fn feed(feed: &FeedView) -> Feed {
    Feed {
        service: feed.service.clone(),
        load: feed.load,
        capacity: feed.capacity,
        target: feed.target,
        shed_share: fraction(feed.share),
        accept: feed.accept.iter().map(|(pop, share)| (pop.clone(), fraction(*share))).collect(),
        stale: feed.is_stale,
        oscillates: feed.oscillates,
        no_room: feed.is_stuck,
        last_error: feed.last_error.clone(),
        age_secs: feed.age_secs,
    }
}

fn target(target: &TargetView) -> Target {
    Target {
        probe: target.probe.clone(),
        service: target.service.clone(),
        address: target.address.clone(),
        verdict: target.verdict.into(),
        good_streak: target.good_streak,
        bad_streak: target.bad_streak,
        checks_to_flip: target.checks_to_flip,
        up_after: target.up_after,
        down_after: target.down_after,
        ok_after: target.ok_after,
        failures: target.failures,
        frozen: target.is_frozen,
        turns: target.turns,
        damped_secs: target.damped_secs,
        lasted_secs: target.lasted_secs,
        last_error: target.last_error.clone(),
        latency_micros: target.latency_micros,
        certificate_days: target.certificate_days,
        degraded: target.degraded.clone(),
        result_age_secs: target.result_age_secs,
    }
}

fn alarm(alarm: alarm::Alarm) -> Alarm {
    Alarm { text: alarm.sentence, since: rfc3339::date_time(alarm.since_epoch_secs) }
}
