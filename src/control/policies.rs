//! Policies on the control pages.

use crate::control::Shown;
use crate::control::costly::{Asker, COSTLY};
use crate::control::input::InQuery;
use crate::control::protocol::error_code::ErrorCode;
use crate::control::protocol::policies::{
    Bands, Candidate, GuardSetting, Member, PanicGuard, Policies, PoliciesQuery, Policy, PolicyQuery,
    PopAnswers, Rule, RuleTarget, TtlRange, WhenAllDown,
};
use crate::control::reply::{body, quoted, refused, rendered, reply};
use crate::impact::answered::Answered;
use crate::impact::prediction;
use crate::shared::decisions::Decisions;
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
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// `GET /v1/policies`: 400 for `expected` without `pop`, 503 with `pop` if enough requests of the
/// client wait.
pub(crate) async fn policies(
    State(shown): State<Shown>,
    asker: Asker,
    InQuery(query): InQuery<PoliciesQuery>,
) -> Response {
    let pages = Arc::clone(&shown.pages);
    match query {
        PoliciesQuery { pop: Some(pop), expected, .. } => {
            apart(asker, move || {
                let look = Look::new(&shown);
                reply(StatusCode::OK, look.with_pop(&pop, expected))
            })
            .await
        }
        PoliciesQuery { expected: true, .. } => {
            refused(ErrorCode::BadRequest, "`expected` needs `pop`; `/v1/policies/NAME` has it for all PoPs")
        }
        PoliciesQuery { brief: true, .. } => {
            let render = move || body(&Look::new(&shown).all(Part::Settings));
            rendered(pages.brief_policies.read(render).await)
        }
        _ => rendered(pages.policies.read(move || body(&Look::new(&shown).all(Part::Whole))).await),
    }
}

/// `GET /v1/policies/{name}`; policies of a zone file are `zone./name`. 404 if there is no such
/// policy, 503 if enough requests of the client wait.
pub(crate) async fn policy(
    State(shown): State<Shown>,
    asker: Asker,
    Path(name): Path<String>,
    InQuery(query): InQuery<PolicyQuery>,
) -> Response {
    apart(asker, move || {
        let look = Look::new(&shown);
        let place = look.snapshot.steering.policies.iter().position(|policy| *policy.name == *name);
        let page = |place| look.page(PolicyId::at(place), Part::Whole, query.expected, &look.counts());
        match place.and_then(page) {
            Some(policy) => reply(StatusCode::OK, policy),
            None => refused(ErrorCode::NotFound, &format!("there is no policy {}", quoted(&name))),
        }
    })
    .await
}

/// Makes a reply on a thread of its own.
async fn apart(asker: Asker, work: impl FnOnce() -> Response + Send + 'static) -> Response {
    COSTLY.run(asker, work).await.unwrap_or_else(|refusal| refusal)
}

/// Part of a policy on a page.
#[derive(Clone, Copy)]
enum Part {
    /// All of it.
    Whole,
    /// No candidates, rules and members.
    Settings,
    /// One member, and no candidates and rules.
    OfPop(PopId),
}

/// State from which the policies of one reply are made.
struct Look {
    snapshot: Arc<Snapshot>,
    operator_view: Arc<OperatorView>,
    decisions: Decisions,
}

/// Answers of a policy by PoP.
type Answers<'d> = HashMap<&'d str, u64>;

/// Answers of the policies with a count of their own.
type Counts<'d> = HashMap<&'d str, Answers<'d>>;

impl Look {
    fn new(shown: &Shown) -> Look {
        Look {
            snapshot: shown.shared.published.snapshot(),
            operator_view: shown.shared.operator_view.load_full(),
            decisions: shown.shared.published.decisions(),
        }
    }

    fn ids(&self) -> impl Iterator<Item = PolicyId> {
        PolicyId::in_order().take(self.snapshot.steering.policies.len())
    }

    /// Every policy, and the answers of every PoP.
    fn all(&self, part: Part) -> Policies {
        let counts = self.counts();
        let policies = self.ids().filter_map(|policy| self.page(policy, part, false, &counts));
        let mut answered: HashMap<&str, u64> = HashMap::new();
        for (_, pop, count) in self.decisions.by_pop() {
            *answered.entry(pop).or_default() += count;
        }
        let of = |pop: &Arc<str>| PopAnswers {
            pop: pop.clone(),
            answered: answered.get(&**pop).copied().unwrap_or_default(),
        };
        let pops = self.snapshot.steering.pops.iter().map(|pop| of(&pop.name)).collect();
        Policies { sequence: self.snapshot.sequence(), policies: policies.collect(), pops }
    }

    /// Policies that can answer with a PoP.
    fn with_pop(&self, name: &str, expected: bool) -> Policies {
        let (steering, counts) = (&self.snapshot.steering, &self.counts());
        let pop = steering.pops.iter().position(|pop| *pop.name == *name).map(PopId::at);
        let has = |policy: &PolicyId, pop| members(&self.snapshot, *policy).any(|member| member == pop);
        let policies = pop.into_iter().flat_map(|pop| {
            let policies = self.ids().filter(move |policy| has(policy, pop));
            policies.filter_map(move |policy| self.page(policy, Part::OfPop(pop), expected, counts))
        });
        Policies { sequence: self.snapshot.sequence(), policies: policies.collect(), pops: Vec::new() }
    }

    /// Answers by policy and PoP. Every policy with a count of its own has a count of reasons.
    fn counts(&self) -> Counts<'_> {
        let mut counts: Counts<'_> =
            self.decisions.by_reason().map(|(policy, ..)| (policy, Answers::new())).collect();
        for (policy, pop, count) in self.decisions.by_pop() {
            if let Some(answers) = counts.get_mut(policy) {
                answers.insert(pop, count);
            }
        }
        counts
    }

    fn page(&self, policy: PolicyId, part: Part, expected: bool, counts: &Counts<'_>) -> Option<Policy> {
        let (snapshot, operator_view) = (&*self.snapshot, &self.operator_view);
        let table = snapshot.steering.policies.get(policy.index())?;
        let written = &snapshot.policies.get(policy.index())?.policy;
        let answers = counts.get(&*table.name);
        let shares = expected.then(|| prediction::shares(snapshot, policy));
        let rules = written.rules.iter().map(|rule| Rule {
            when: rule.when.words(&snapshot.networks),
            candidates: target(snapshot, &rule.target),
            order: rule.order.map(|order| order.word().into()),
            fence: rule.fence,
        });
        let is_whole = matches!(part, Part::Whole);
        let is_shown = |pop: &PopId| match part {
            Part::Whole => true,
            Part::Settings => false,
            Part::OfPop(only) => *pop == only,
        };
        let shown = members(snapshot, policy).filter(is_shown);
        Some(Policy {
            name: table.name.clone(),
            service: written.service.clone(),
            candidates: if is_whole { bands(snapshot, &written.candidates) } else { Bands::new() },
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
            rules: if is_whole { rules.collect() } else { Vec::new() },
            members: shown.map(|pop| member(snapshot, policy, pop, answers, shares.as_ref())).collect(),
            answered: answers.map(|answers| answers.values().sum()),
            scopes: table.scopes,
            preference_lists: table.preference_lists.len(),
            https: table.https,
            panic: guard(written),
            held: operator_view.held.contains(&table.name),
            returning: operator_view.returning.contains(&table.name),
        })
    }
}

/// PoPs that a policy can answer with.
fn members(snapshot: &Snapshot, policy: PolicyId) -> impl Iterator<Item = PopId> {
    let table = &snapshot.steering.policies[policy.index()];
    table.members.iter().filter_map(|entry| entry.target.split().ok())
}

/// `shares` are the expected shares of the policy's clients.
fn member(
    snapshot: &Snapshot,
    policy: PolicyId,
    pop: PopId,
    answers: Option<&Answers<'_>>,
    shares: Option<&BTreeMap<Answered, f64>>,
) -> Member {
    let table = &snapshot.steering.policies[policy.index()];
    let (is, slot) = (snapshot.status.pop(pop), table.slots[pop.index()]);
    let up = if slot == NO_SLOT { 0 } else { snapshot.status.view(policy).slot(slot).up };
    let serves = [(V4, "A"), (V6, "AAAA")].into_iter().filter(|(family, _)| up & family != 0);
    let shed = snapshot.status.shed(slot).map_or(0, |shed| shed.share);
    let name = &snapshot.steering.pops[pop.index()].name;
    let share =
        |shares: &BTreeMap<_, f64>| shares.get(&Answered::Pop(name.clone())).copied().unwrap_or_default();
    Member {
        pop: name.clone(),
        state: is.state.word().into(),
        weight: is.weight,
        serves: serves.map(|(_, rtype)| rtype.into()).collect(),
        left: fraction(is.left),
        sheds: fraction(shed),
        answered: answers.map(|answers| answers.get(&**name).copied().unwrap_or_default()),
        expected: shares.map(share),
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
