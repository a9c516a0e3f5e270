//! Overrides in the writer's hands: the ledger, its store, its alarms, and the rules that guard it.
//!
//! A change is on the disk before it is published: what a node serves, it serves again after a
//! restart, however it ended. A change that cannot be saved is refused, and nothing changes, unless
//! it may be unsaved: then it holds in memory under an alarm ([`super::saves`]).

use crate::health::health_state::HealthState;
use crate::limits::{OVERRIDE_SECS_MAX, PLAN_SECS_MAX};
use crate::rfc3339;
use crate::server::safety::broken_rules;
use crate::shared::command::{OverrideChange, OverrideOutcome, PopChange};
use crate::shared::event::Event;
use crate::shared::operator_view::{Alarm, OperatorView, PopHealth, PopView};
use crate::shared::prediction::MeasuredLoads;
use crate::snapshot::Snapshot;
use crate::state::ledger_store::{LedgerStore, Opened};
use crate::steer::ledger::{Action, Effective, Ledger, Override, Selector};
use crate::steer::pop::{AdminState, Pop};
use crate::steer::status::{ALL_CELLS, Share256, Shed, Status};
use crate::steer::transition::Transition;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

/// The overrides of a running server.
pub struct Overrides {
    /// The ledger in force.
    pub ledger: Ledger,
    /// Alarms of a damaged ledger.
    alarms: Vec<Alarm>,
    /// The alarm of a state disk that does not answer.
    hang: Option<Alarm>,
    /// The alarm of a ledger in force that the disk does not have.
    unsaved: Option<Alarm>,
    loads: MeasuredLoads,
    /// For each entry that takes time, how far it was when that was last told, in quarters; none
    /// before it begins.
    told: BTreeMap<u64, Option<u8>>,
}

/// A change that was looked at and not done yet.
pub struct Draft {
    /// The ledger after it.
    pub ledger: Ledger,
    /// The ledger as though all of the change held at once: what it comes to in the end.
    pub(crate) in_the_end: Ledger,
    /// How it ends, unless writing it fails.
    pub ended: OverrideOutcome,
    /// The PoPs that it covers.
    pub(crate) pops: Vec<PopChange>,
    /// What the operator should know besides.
    pub(crate) warnings: Vec<String>,
    /// What to tell once it is done.
    pub(crate) events: Vec<Event>,
}

impl Overrides {
    /// Reads the ledger of a state folder; gives its store too.
    pub fn open(state: &Path, now: u64) -> (Overrides, LedgerStore) {
        let Opened { store, ledger, alarms } = LedgerStore::open(state);
        let alarms = alarms
            .into_iter()
            .map(|sentence| Alarm { sentence, since_epoch_secs: now, is_of_ledger: true })
            .collect();
        let mut overrides = Overrides {
            ledger,
            alarms,
            hang: None,
            unsaved: None,
            loads: Arc::new(|_| None),
            told: BTreeMap::new(),
        };
        // What came about before a restart was told then.
        overrides.told =
            overrides.quarters(now).into_iter().map(|(entry, quarter)| (entry.id, quarter)).collect();
        (overrides, store)
    }

    /// Has predictions told against what PoPs carry.
    pub(crate) fn weigh(&mut self, loads: MeasuredLoads) {
        self.loads = loads;
    }

    /// What PoPs carry.
    pub(crate) fn loads(&self) -> MeasuredLoads {
        Arc::clone(&self.loads)
    }

    /// Alarms that nobody has acknowledged.
    pub(crate) fn alarms(&self) -> &[Alarm] {
        &self.alarms
    }

    /// The snapshot with the states and weights in force and what probes say, as publication
    /// `sequence`.
    pub fn with_live_state(
        &self,
        snapshot: &Snapshot,
        live_inputs: LiveInputs<'_>,
        now: u64,
        sequence: u64,
    ) -> Snapshot {
        with_live_state(&self.ledger, snapshot, live_inputs, now, sequence)
    }

    /// Which PoPs an operator has decided about, by override or in the file, in order: the panic
    /// guard leaves them out.
    pub fn overridden(&self, pops: &[Pop], now: u64) -> Vec<bool> {
        self.ledger
            .effective(pops, now)
            .iter()
            .map(|is| is.state_by.is_some() || is.state != AdminState::Auto)
            .collect()
    }

    /// What is shown of it.
    pub(crate) fn operator_view(&self, snapshot: &Snapshot, now: u64) -> OperatorView {
        let entry = |id: Option<u64>| id.and_then(|id| self.ledger.entry(id)).cloned();
        let one = |(pop, is): (&Pop, Effective)| PopView {
            name: pop.name.clone(),
            tags: pop.tags.clone(),
            file_state: pop.state,
            file_weight: pop.weight,
            state: is.state,
            weight: is.weight,
            state_by: entry(is.state_by),
            weight_by: entry(is.weight_by),
            left: is.left,
            plans: self.ledger.plans(pop, now).cloned().collect(),
            cached_secs: ahead_secs(snapshot),
            health: PopHealth::default(),
            targets: Vec::new(),
            feeds: Vec::new(),
            ramp_left: 0,
        };
        OperatorView {
            sequence: snapshot.sequence(),
            pops: snapshot.pops.iter().zip(self.ledger.effective(&snapshot.pops, now)).map(one).collect(),
            alarms: self.alarms.iter().chain(&self.hang).chain(&self.unsaved).cloned().collect(),
            without_result: 0,
            frozen: [false; 2],
            held: Vec::new(),
        }
    }

    /// Looks at a change without doing it. `is_down` tells whom probes call down.
    pub fn draft(&self, change: &OverrideChange, snapshot: &Snapshot, is_down: &[bool], now: u64) -> Draft {
        let pops = &snapshot.pops;
        let before = self.ledger.effective(pops, now);
        let mut draft = Draft {
            ledger: self.ledger.clone(),
            in_the_end: self.ledger.clone(),
            ended: OverrideOutcome::Done,
            pops: Vec::new(),
            warnings: Vec::new(),
            events: Vec::new(),
        };
        if let Err(sentence) = add(&mut draft, change, pops, now) {
            draft.ended = OverrideOutcome::Refused(sentence);
            return draft;
        }
        draft.ledger.prune(now);
        // What it comes to is judged, not its first step.
        let after = draft.in_the_end.effective(pops, now);
        let covered = |pop: &Pop| change.selectors.iter().any(|selector| selector.covers(pop));
        draft.pops = (pops.iter().zip(before.iter().zip(&after)).filter(|(pop, _)| covered(pop)))
            .map(|(pop, (before, after))| PopChange { pop: pop.name.clone(), before: *before, after: *after })
            .collect();
        draft.warnings.push(
            "this holds on this node only: other nodes of the fleet have ledgers of their own".to_owned(),
        );
        if !self.alarms.is_empty() {
            draft.warnings.push(
                "the ledger could not be read and nobody has acknowledged it: overrides may be missing"
                    .to_owned(),
            );
        }
        for (moved, pop) in draft.pops.iter().zip(pops.iter().filter(|pop| covered(pop))) {
            if moved.after.state_by.is_some()
                && pop.state != crate::steer::pop::AdminState::Auto
                && pop.state != moved.after.state
            {
                draft.warnings.push(format!(
                    "the file says `{}` of `{}`; the override wins",
                    pop.state.word(),
                    pop.name
                ));
            }
        }
        if after.iter().all(Effective::is_off) {
            draft.warnings.push(
                "no PoP is left in service: those that drain are answered, and those that are down never"
                    .to_owned(),
            );
        }
        // Whatever takes a PoP out of service is judged as done, also where it has only begun or is
        // planned: two slow drains must not pass one by one.
        let was = self.ledger.all_taken_out().effective(pops, now);
        let will = draft.ledger.all_taken_out().effective(pops, now);
        let broken = broken_rules(snapshot, (&was, &will), is_down, now);
        if !broken.is_empty() {
            if change.force {
                draft.warnings.extend(broken.into_iter().map(|sentence| format!("forced: {sentence}")));
            } else {
                draft.ended = OverrideOutcome::Unsafe(broken);
                return draft;
            }
        }
        if change.dry_run {
            draft.ended = OverrideOutcome::DryRun;
        }
        draft
    }

    /// Lets a ledger hold that the disk has.
    pub(crate) fn keep(&mut self, ledger: Ledger) {
        self.ledger = ledger;
        self.end_disk_alarms();
    }

    /// Ends the alarms of the disk, because it has the ledger in force.
    pub(crate) fn end_disk_alarms(&mut self) {
        (self.hang, self.unsaved) = (None, None);
    }

    /// Lets a ledger hold that the disk does not have.
    pub(crate) fn keep_unsaved(&mut self, ledger: Ledger, now: u64) -> Option<Event> {
        self.ledger = ledger;
        self.miss(
            "the overrides in force are not on the disk: a restart begins without the last of them",
            now,
        )
    }

    /// Raises the alarm of a ledger that the disk does not have; gives its event if it is new.
    pub(crate) fn miss(&mut self, sentence: &str, now: u64) -> Option<Event> {
        raise(&mut self.unsaved, sentence.to_owned(), now)
    }

    /// Raises the alarm of a disk that does not answer; gives its event if it is new.
    pub(crate) fn hangs(&mut self, now: u64) -> Option<Event> {
        let sentence = "the disk of the state folder does not answer: overrides are refused as not saved \
                        (`--unsaved` applies one in memory)";
        raise(&mut self.hang, sentence.to_owned(), now)
    }

    /// The disk has answered.
    pub(crate) fn answers(&mut self) {
        self.hang = None;
    }

    /// Whether the disk does not have the ledger in force.
    pub(crate) fn is_unsaved(&self) -> bool {
        self.unsaved.is_some()
    }

    /// Ends the alarms of a damaged ledger; gives their sentences.
    pub(crate) fn acknowledge(&mut self) -> Vec<String> {
        std::mem::take(&mut self.alarms).into_iter().map(|alarm| alarm.sentence).collect()
    }

    /// Entries that are planned or take time, with how far each is.
    fn quarters(&self, now: u64) -> Vec<(&Override, Option<u8>)> {
        let gradual = self.ledger.entries().iter().filter(|entry| entry.transition.end() > 0);
        gradual
            .map(|entry| {
                (
                    entry,
                    if entry.is_planned(now) {
                        None
                    } else {
                        entry.transition.quarter(now.max(entry.transition.start_epoch_secs))
                    },
                )
            })
            .collect()
    }

    /// What has come about of plans and gradual changes since the last call: that one begins,
    /// passes a quarter, or holds whole. What was said for now has begun with that.
    pub(crate) fn progress(&mut self, now: u64) -> Vec<Event> {
        let (mut told, mut events) = (BTreeMap::new(), Vec::new());
        for (entry, quarter) in self.quarters(now) {
            let is_plan = entry.transition.start_epoch_secs > entry.set_epoch_secs;
            let before = self.told.get(&entry.id).copied().unwrap_or(if is_plan { None } else { Some(0) });
            // A clock that was set back tells nothing twice.
            let quarter = quarter.max(before);
            told.insert(entry.id, quarter);
            if quarter > before && (entry.transition.over_secs > 0 || before.is_none()) {
                // What begins and holds whole at once has begun.
                let is_whole = quarter == Some(4) && entry.transition.over_secs > 0;
                let percent = if is_whole {
                    100
                } else if before.is_none() {
                    0
                } else {
                    quarter.unwrap_or(0) * 25
                };
                events.push(Event::OverrideProgress { entry: entry.clone(), percent });
            }
        }
        self.told = told;
        events
    }

    /// Takes out what has ended. The disk need not know: an entry that has ended says nothing there
    /// either.
    pub fn expire(&mut self, now: u64) -> Vec<Override> {
        self.ledger.expire(now)
    }
}

/// Raises an alarm; gives its event if it did not stand with these words.
fn raise(place: &mut Option<Alarm>, sentence: String, now: u64) -> Option<Event> {
    let since_epoch_secs = match place {
        Some(alarm) if alarm.sentence == sentence => return None,
        Some(alarm) => alarm.since_epoch_secs,
        None => now,
    };
    *place = Some(Alarm { sentence: sentence.clone(), since_epoch_secs, is_of_ledger: false });
    Some(Event::LedgerAlarm { sentence })
}

/// What probes and feeds say now, by the numbers of one snapshot.
#[derive(Clone, Copy)]
pub struct LiveInputs<'t> {
    /// What probes say.
    pub health_state: &'t HealthState,
    /// Cells of each PoP that a ramp has not brought back; none for nothing.
    pub left: &'t [Share256],
    /// What each slot sheds; none for nothing.
    pub sheds: &'t [Shed],
}

/// A snapshot with the states and weights that a ledger makes of its PoPs, and what probes and
/// feeds say of them.
pub(crate) fn with_live_state(
    ledger: &Ledger,
    snapshot: &Snapshot,
    live_inputs: LiveInputs<'_>,
    now: u64,
    sequence: u64,
) -> Snapshot {
    let mut pops = ledger.statuses(&snapshot.pops, now, ahead_secs(snapshot));
    for (pop, left) in pops.iter_mut().zip(live_inputs.left) {
        // By hand or by health, the cells of both leave in one order, so the larger share holds the
        // smaller. Forced up ignores probes, and with them what a ramp has not brought back.
        if pop.state != AdminState::Up {
            pop.left = pop.left.max(*left);
        }
    }
    let (slots, policies) = (&snapshot.steering.slots, &snapshot.steering.policies);
    snapshot.with_status(
        Status::new(pops, slots, policies, live_inputs.health_state, live_inputs.sheds.to_vec()),
        sequence,
    )
}

/// The longest TTL that a policy gives, in seconds: so long before a planned change TTLs are at
/// their shortest.
pub fn ahead_secs(snapshot: &Snapshot) -> u32 {
    let of_policies = snapshot.policies.iter().map(|scoped| &scoped.policy);
    let ttls =
        of_policies.flat_map(|policy| policy.rules.iter().filter_map(|rule| rule.ttl).chain([policy.ttl]));
    ttls.map(|ttl| ttl.max_secs).max().unwrap_or(0)
}

/// Adds the entries of a change.
fn add(draft: &mut Draft, change: &OverrideChange, pops: &[Pop], now: u64) -> Result<(), String> {
    if change.reason.trim().is_empty() && !change.action.hands_back() {
        return Err("an override needs a reason".to_owned());
    }
    if change.lasts_secs.is_some_and(|secs| secs == 0 || secs > OVERRIDE_SECS_MAX) {
        return Err(format!("an override lasts from 1 second to {} days", OVERRIDE_SECS_MAX / 86_400));
    }
    if change.over_secs > OVERRIDE_SECS_MAX {
        return Err(format!("a change takes up to {} days", OVERRIDE_SECS_MAX / 86_400));
    }
    if change.start_epoch_secs.is_some_and(|start| start <= now || start > now + PLAN_SECS_MAX) {
        return Err(format!(
            "a change is planned for a moment within the next {} days",
            PLAN_SECS_MAX / 86_400
        ));
    }
    if change.selectors.is_empty() {
        return Err("no PoP was named".to_owned());
    }
    for selector in &change.selectors {
        let covered: Vec<String> =
            pops.iter().filter(|pop| selector.covers(pop)).map(|pop| pop.name.to_string()).collect();
        let held = draft.ledger.entries().iter().any(|entry| entry.selector == *selector);
        // What was said of a PoP that is gone may still be taken back.
        if covered.is_empty() && !(held && change.action.hands_back()) {
            return Err(format!(
                "no PoP is covered by `{selector}`; `meridian pop list` tells their names and tags"
            ));
        }
        for (selector, transition) in courses(draft, change, selector, pops, now) {
            let entry = Override {
                id: 0,
                selector,
                action: change.action,
                author: Arc::clone(&change.author),
                reason: Arc::clone(&change.reason),
                set_epoch_secs: now,
                until_epoch_secs: change.lasts_secs.map(|secs| transition.end().max(now) + secs),
                transition,
            };
            for plan in pops.iter().flat_map(|pop| {
                draft
                    .ledger
                    .plans(pop, now)
                    .filter(|plan| entry.selector.covers(pop) && plan.is_of_a_kind_with(&entry))
            }) {
                let sentence = format!(
                    "`{} {}`, planned for {}, {}",
                    plan.selector,
                    plan.action,
                    rfc3339::date_time(plan.transition.start_epoch_secs),
                    if entry.is_planned(now) {
                        "stands too; of two plans the one said last wins where both have begun"
                    } else {
                        "is off"
                    }
                );
                if !draft.warnings.contains(&sentence) {
                    draft.warnings.push(sentence);
                }
            }
            draft.in_the_end.add(Override { transition: Transition::default(), ..entry.clone() })?;
            draft.ledger.add(entry.clone())?;
            draft.events.push(Event::OverrideSet { entry, pops: covered.clone() });
        }
    }
    Ok(())
}

/// How a change of a selector comes into force. What is gradual goes on from where each PoP will
/// stand when it begins: PoPs that stand elsewhere than most get entries of their own.
fn courses(
    draft: &Draft,
    change: &OverrideChange,
    selector: &Selector,
    pops: &[Pop],
    now: u64,
) -> Vec<(Selector, Transition)> {
    if change.over_secs == 0 && change.start_epoch_secs.is_none() {
        return vec![(selector.clone(), Transition::default())];
    }
    let start_epoch_secs = change.start_epoch_secs.unwrap_or(now);
    let stands = |is: &Effective| match change.action {
        Action::Weight(_) => is.weight,
        Action::State(_) if matches!(is.state, AdminState::Down | AdminState::Drain) => u32::from(ALL_CELLS),
        Action::State(_) => u32::from(is.left),
    };
    let at_start = draft.ledger.effective(pops, start_epoch_secs);
    let covered: Vec<(&Pop, u32)> = (pops.iter().zip(&at_start))
        .filter(|(pop, _)| selector.covers(pop))
        .map(|(pop, is)| (pop, stands(is)))
        .collect();
    let most = |from: u32| covered.iter().filter(|(_, other)| *other == from).count();
    let from = covered.iter().map(|(_, from)| *from).max_by_key(|from| most(*from)).unwrap_or(0);
    let transition = |from: u32| Transition { start_epoch_secs, over_secs: change.over_secs, from };
    let apart = covered
        .iter()
        .filter(|(_, other)| *other != from)
        .map(|(pop, other)| (Selector::Pop(pop.name.clone()), transition(*other)));
    std::iter::once((selector.clone(), transition(from))).chain(apart).collect()
}
