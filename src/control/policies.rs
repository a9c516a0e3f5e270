//! Policies on the control pages.

use crate::control::Shown;
use crate::control::overrides::{Page, refused, rendered};
use crate::shared::operator_view::OperatorView;
use crate::snapshot::Snapshot;
use crate::steer::policy::{BandWidth, Candidate, Order, Policy, Sharing, WhenAllDown};
use crate::steer::pop::PopId;
use crate::steer::rule::RuleTarget;
use crate::steer::table::{NO_SLOT, V4, V6};
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::{Value, json};
use std::sync::Arc;

/// `GET /policies`.
pub(crate) async fn policies(State(shown): State<Shown>) -> Response {
    let pages = Arc::clone(&shown.pages);
    let render = move || {
        let snapshot = shown.shared.published.snapshot();
        let operator_view = shown.shared.operator_view.load();
        let all: Vec<Value> = (0..snapshot.steering.policies.len())
            .filter_map(|index| policy_json(&snapshot, index, &operator_view))
            .collect();
        Ok(json!({ "sequence": snapshot.sequence(), "policies": all }).to_string().into_bytes())
    };
    rendered(pages.policies.read(render).await)
}

/// `GET /policies/{name}`; policies of a zone file are `zone./name`. 404 if there is none.
pub(crate) async fn policy(State(shown): State<Shown>, Path(name): Path<String>) -> Page {
    let snapshot = shown.shared.published.snapshot();
    let index = snapshot.steering.policies.iter().position(|policy| *policy.name == *name);
    match index.and_then(|index| policy_json(&snapshot, index, &shown.shared.operator_view.load())) {
        Some(policy) => (StatusCode::OK, Json(policy)),
        None => refused(StatusCode::NOT_FOUND, &format!("there is no policy `{}`", name.escape_debug())),
    }
}

fn policy_json(snapshot: &Snapshot, index: usize, operator_view: &OperatorView) -> Option<Value> {
    let table = snapshot.steering.policies.get(index)?;
    let written = &snapshot.policies.get(index)?.policy;
    let view = snapshot.status.view(index as u32);
    let member = |pop: PopId| {
        let (is, slot) = (snapshot.status.pop(pop), table.slots[usize::from(pop.0)]);
        let up = if slot == NO_SLOT { 0 } else { view.slot(slot).up };
        let up: Vec<&str> = [(V4, "A"), (V6, "AAAA")]
            .into_iter()
            .filter(|(family, _)| up & family != 0)
            .map(|(_, rtype)| rtype)
            .collect();
        let shed = snapshot.status.shed(slot).map_or(0, |shed| shed.share);
        json!({
            "pop": &*snapshot.steering.pops[usize::from(pop.0)].name,
            "state": is.state.word(),
            "weight": is.weight,
            "serves": up,
            "left": f64::from(is.left) / 256.0,
            "sheds": f64::from(shed) / 256.0,
        })
    };
    let guard = &written.guard;
    let panic = json!({
        "share": f64::from(guard.share_percent) / 100.0,
        "window_secs": f64::from(guard.window_ms) / 1000.0,
        "hold_secs": f64::from(guard.hold_ms) / 1000.0,
    });
    let members: Vec<Value> =
        table.members.iter().filter_map(|entry| entry.target.split().ok()).map(member).collect();
    let rules: Vec<Value> = (written.rules.iter())
        .map(|rule| {
            let when = rule.when.words(&snapshot.networks);
            json!({
                "when": when,
                "candidates": target(snapshot, &rule.target),
                "order": rule.order.map(order),
                "fence": rule.fence,
            })
        })
        .collect();
    Some(json!({
        "name": &*table.name,
        "service": &*written.service,
        "candidates": bands(snapshot, &written.candidates),
        "order": order(written.order),
        "band": match written.band {
            BandWidth::None => "none".to_owned(),
            BandWidth::Percent(percent) => format!("{percent}%"),
            BandWidth::Latency(band) => format!("{} ms, {}%", band.millis, band.percent),
        },
        "share": match written.share { Sharing::Sticky => "sticky", Sharing::Random => "random" },
        "ttl": { "min": written.ttl.min_secs, "max": written.ttl.max_secs },
        "answers": written.answers,
        "when_all_down": when_all_down(written),
        "rules": rules,
        "members": members,
        "scopes": table.scopes,
        "preference_lists": table.preference_lists.len(),
        "https": table.https,
        "panic": if guard.share_percent >= 100 { json!("off") } else { panic },
        "held": operator_view.held.contains(&table.name),
        "returning": operator_view.returning.contains(&table.name),
    }))
}

fn order(order: Order) -> &'static str {
    match order {
        Order::Nearest => "nearest",
        Order::Listed => "listed",
        Order::Latency => "latency",
    }
}

fn when_all_down(policy: &Policy) -> Value {
    match &policy.when_all_down {
        WhenAllDown::AsIfUp => json!("as_if_up"),
        WhenAllDown::NoData => json!("nodata"),
        WhenAllDown::ServFail => json!("servfail"),
        WhenAllDown::LastGood => json!("last_good"),
        WhenAllDown::Cname(name) => json!({ "cname": name.to_string() }),
    }
}

fn bands(snapshot: &Snapshot, bands: &[Vec<Candidate>]) -> Value {
    let one = |candidate: &Candidate| match candidate {
        Candidate::Pop(pop) => json!(&*snapshot.steering.pops[usize::from(pop.0)].name),
        Candidate::Cname(name) => json!({ "cname": name.to_string() }),
    };
    bands.iter().map(|band| Value::Array(band.iter().map(one).collect())).collect()
}

fn target(snapshot: &Snapshot, target: &RuleTarget) -> Value {
    match target {
        RuleTarget::Policy => json!("policy"),
        RuleTarget::Candidates(candidates) => bands(snapshot, candidates),
        RuleTarget::Cname(name) => json!({ "cname": name.to_string() }),
        RuleTarget::Use(policy) => json!({ "use": &*policy.name }),
    }
}
