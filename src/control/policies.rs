//! Policies on the control pages.

use crate::control::Shown;
use crate::control::protocol::error_code::ErrorCode;
use crate::control::protocol::policies::{
    Bands, Candidate, GuardSetting, Member, PanicGuard, Policies, Policy, Rule, RuleTarget, TtlRange,
    WhenAllDown,
};
use crate::control::reply::{body, refused, rendered, reply};
use crate::shared::operator_view::OperatorView;
use crate::snapshot::Snapshot;
use crate::steer::policy::{self, BandWidth, PolicyId, Sharing};
use crate::steer::pop::PopId;
use crate::steer::pop_status::fraction;
use crate::steer::rule;
use crate::steer::table::{NO_SLOT, V4, V6};
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use std::sync::Arc;

/// `GET /v1/policies`.
pub(crate) async fn policies(State(shown): State<Shown>) -> Response {
    let pages = Arc::clone(&shown.pages);
    let render = move || {
        let snapshot = shown.shared.published.snapshot();
        let operator_view = shown.shared.operator_view.load();
        let policies = PolicyId::in_order()
            .take(snapshot.steering.policies.len())
            .filter_map(|policy| page(&snapshot, policy, &operator_view))
            .collect();
        body(&Policies { sequence: snapshot.sequence(), policies })
    };
    rendered(pages.policies.read(render).await)
}

/// `GET /v1/policies/{name}`; policies of a zone file are `zone./name`. 404 if there is no such
/// policy.
pub(crate) async fn policy(State(shown): State<Shown>, Path(name): Path<String>) -> Response {
    let snapshot = shown.shared.published.snapshot();
    let place = snapshot.steering.policies.iter().position(|policy| *policy.name == *name);
    let policy = place.map(PolicyId::at);
    match policy.and_then(|policy| page(&snapshot, policy, &shown.shared.operator_view.load())) {
        Some(policy) => reply(StatusCode::OK, policy),
        None => refused(ErrorCode::NotFound, &format!("there is no policy `{}`", name.escape_debug())),
    }
}

fn page(snapshot: &Snapshot, policy: PolicyId, operator_view: &OperatorView) -> Option<Policy> {
    let table = snapshot.steering.policies.get(policy.index())?;
    let written = &snapshot.policies.get(policy.index())?.policy;
    let members = table.members.iter().filter_map(|entry| entry.target.split().ok());
    let rules = written.rules.iter().map(|rule| Rule {
        when: rule.when.words(&snapshot.networks),
        candidates: target(snapshot, &rule.target),
        order: rule.order.map(|order| order.word().into()),
        fence: rule.fence,
    });
    Some(Policy {
        name: table.name.clone(),
        service: written.service.clone(),
        candidates: bands(snapshot, &written.candidates),
        order: written.order.word().into(),
        band: match written.band {
            BandWidth::None => "none".to_owned(),
            BandWidth::Percent(percent) => format!("{percent}%"),
            BandWidth::Latency(band) => format!("{} ms, {}%", band.millis, band.percent),
        },
        share: match written.share {
            Sharing::Sticky => "sticky".into(),
            Sharing::Random => "random".into(),
        },
        ttl: TtlRange { min: written.ttl.min_secs, max: written.ttl.max_secs },
        answers: written.answers,
        when_all_down: when_all_down(&written.when_all_down),
        rules: rules.collect(),
        members: members.map(|pop| member(snapshot, policy, pop)).collect(),
        scopes: table.scopes,
        preference_lists: table.preference_lists.len(),
        https: table.https,
        panic: guard(written),
        held: operator_view.held.contains(&table.name),
        returning: operator_view.returning.contains(&table.name),
    })
}

fn member(snapshot: &Snapshot, policy: PolicyId, pop: PopId) -> Member {
    let table = &snapshot.steering.policies[policy.index()];
    let (is, slot) = (snapshot.status.pop(pop), table.slots[pop.index()]);
    let up = if slot == NO_SLOT { 0 } else { snapshot.status.view(policy).slot(slot).up };
    let serves = [(V4, "A"), (V6, "AAAA")].into_iter().filter(|(family, _)| up & family != 0);
    let shed = snapshot.status.shed(slot).map_or(0, |shed| shed.share);
    Member {
        pop: snapshot.steering.pops[pop.index()].name.clone(),
        state: is.state.word().into(),
        weight: is.weight,
        serves: serves.map(|(_, rtype)| rtype.into()).collect(),
        left: fraction(is.left),
        sheds: fraction(shed),
    }
}

fn guard(policy: &policy::Policy) -> PanicGuard {
    let guard = &policy.guard;
    if guard.share_percent >= 100 {
        return PanicGuard::Word("off".into());
    }
    PanicGuard::On(GuardSetting {
        share: f64::from(guard.share_percent) / 100.0,
        window_secs: f64::from(guard.window_ms) / 1000.0,
        hold_secs: f64::from(guard.hold_ms) / 1000.0,
    })
}

fn when_all_down(setting: &policy::WhenAllDown) -> WhenAllDown {
    match setting {
        policy::WhenAllDown::AsIfUp => WhenAllDown::Word("as_if_up".into()),
        policy::WhenAllDown::NoData => WhenAllDown::Word("nodata".into()),
        policy::WhenAllDown::ServFail => WhenAllDown::Word("servfail".into()),
        policy::WhenAllDown::LastGood => WhenAllDown::Word("last_good".into()),
        policy::WhenAllDown::Cname(name) => WhenAllDown::Cname { cname: name.to_string() },
    }
}

fn bands(snapshot: &Snapshot, bands: &[Vec<policy::Candidate>]) -> Bands {
    let one = |candidate: &policy::Candidate| match candidate {
        policy::Candidate::Pop(pop) => Candidate::Pop(snapshot.steering.pops[pop.index()].name.clone()),
        policy::Candidate::Cname(name) => Candidate::Cname { cname: name.to_string() },
    };
    bands.iter().map(|band| band.iter().map(one).collect()).collect()
}

fn target(snapshot: &Snapshot, target: &rule::RuleTarget) -> RuleTarget {
    match target {
        rule::RuleTarget::Policy => RuleTarget::Word("policy".into()),
        rule::RuleTarget::Candidates(candidates) => RuleTarget::Candidates(bands(snapshot, candidates)),
        rule::RuleTarget::Cname(name) => RuleTarget::Cname { cname: name.to_string() },
        rule::RuleTarget::Use(policy) => RuleTarget::Use { r#use: policy.name.clone() },
    }
}
