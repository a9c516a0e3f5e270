//! Overrides in the writer's hands: the ledger, its store, its alarms, and the rules that guard it.
//!
//! A change is written to the disk before it is published: what a node serves, it serves again
//! after a restart, however it ended. A change that cannot be written is refused, and nothing
//! changes.

use crate::health::health_state::HealthState;
use crate::limits::{OVERRIDE_SECS_MAX, PLAN_SECS_MAX};
use crate::rfc3339;
use crate::shared::command::{OverrideChange, OverrideOutcome, PopChange};
use crate::shared::event::Event;
use crate::shared::operator_view::{Alarm, OperatorView, PopHealth, PopView};
use crate::shared::prediction::MeasuredLoads;
use crate::snapshot::Snapshot;
use crate::state::ledger_store::{LedgerStore, Opened};
use crate::steer::ledger::{Action, Effective, Ledger, Override, Selector};
use crate::steer::pop::{AdminState, Pop, PopId};
use crate::steer::safety::{Lacks, SafetyRule};
use crate::steer::status::{ALL_CELLS, Share256, Shed, Status};
use crate::steer::transition::Transition;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

/// The overrides of a running server.
pub struct Overrides {
    /// The ledger in force.
    pub ledger: Ledger,
    store: Option<LedgerStore>,
    alarms: Vec<Alarm>,
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
    /// Reads the ledger of a state folder.
    pub fn open(state: &Path, now: u64) -> Overrides {
        let Opened { store, ledger, alarms } = LedgerStore::open(state);
        let alarms = alarms
            .into_iter()
            .map(|sentence| Alarm { sentence, since_epoch_secs: now, unready: true })
            .collect();
        let mut overrides = Overrides {
            ledger,
            store: Some(store),
            alarms,
            loads: Arc::new(|_| None),
            told: BTreeMap::new(),
        };
        // What came about before a restart was told then.
        overrides.told =
            overrides.quarters(now).into_iter().map(|(entry, quarter)| (entry.id, quarter)).collect();
        overrides
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
            alarms: self.alarms.clone(),
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

    /// Writes a ledger and then lets it hold. The error is a sentence; nothing has changed then.
    pub(crate) async fn keep(&mut self, ledger: Ledger) -> Result<(), String> {
        let written = self.with_store(ledger.clone(), |store, ledger| store.save(ledger)).await;
        written.map_err(|why| format!("the ledger cannot be written, so nothing was changed: {why}"))?;
        self.ledger = ledger;
        Ok(())
    }

    /// Ends the alarms; gives their sentences.
    pub(crate) async fn acknowledge(&mut self) -> Result<Vec<String>, String> {
        let done = self.with_store(self.ledger.clone(), LedgerStore::acknowledge).await;
        done.map_err(|why| format!("the ledger cannot be written, so the alarm stays: {why}"))?;
        Ok(std::mem::take(&mut self.alarms).into_iter().map(|alarm| alarm.sentence).collect())
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

    async fn with_store(
        &mut self,
        ledger: Ledger,
        work: impl FnOnce(&mut LedgerStore, &Ledger) -> std::io::Result<()> + Send + 'static,
    ) -> Result<(), String> {
        let Some(mut store) = self.store.take() else {
            return Err("the program lost it by a fault of its own".to_owned());
        };
        let path = store.path().to_owned();
        let run = tokio::task::spawn_blocking(move || {
            let done = work(&mut store, &ledger);
            (store, done)
        });
        let (store, done) = run.await.map_err(|fault| fault.to_string())?;
        self.store = Some(store);
        done.map_err(|error| format!("{}: {error}", path.display()))
    }
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

/// A sentence for each safety rule that a change from one list of states to another breaks, or
/// breaks further: what is broken anyhow must not keep anybody from mending it, or from work
/// elsewhere. Whoever is down by probes is off too, unless it is forced up.
fn broken_rules(
    snapshot: &Snapshot,
    (was, will): (&[Effective], &[Effective]),
    is_down: &[bool],
    now: u64,
) -> Vec<String> {
    let serves = |states: &[Effective], pop: PopId| {
        let index = usize::from(pop.0);
        let Some(is) = states.get(index).filter(|is| !is.is_off()) else { return false };
        is.state == AdminState::Up || !is_down.get(index).copied().unwrap_or(false)
    };
    let capacity = |pop: PopId| snapshot.pops.get(usize::from(pop.0)).and_then(|pop| pop.capacity);
    let loses = |rule: &&SafetyRule| rule.of.iter().any(|pop| serves(was, *pop) && !serves(will, *pop));
    let rules = snapshot.safety.in_force(now).iter().filter(loses);
    rules
        .filter_map(|rule| rule.broken(|pop| serves(will, pop), capacity))
        .map(|broken| broken.sentence)
        .collect()
}

/// A sentence for each safety rule that new files break together with the ledger, each of which
/// alone may be sound, and did not break as much before: files that mend a rule in part are
/// welcome.
pub(crate) fn broken_by_files(
    ledger: &Ledger,
    previous: &Snapshot,
    fresh: &Snapshot,
    now: u64,
) -> Vec<String> {
    let ledger = ledger.all_taken_out();
    let states = |snapshot: &Snapshot| ledger.effective(&snapshot.pops, now);
    let (were, are) = (states(previous), states(fresh));
    let serves =
        |states: &[Effective], pop: PopId| states.get(usize::from(pop.0)).is_some_and(|is| !is.is_off());
    let capacity =
        |snapshot: &Snapshot, pop: PopId| snapshot.pops.get(usize::from(pop.0)).and_then(|pop| pop.capacity);
    let lacks =
        Lacks::of(previous.safety.in_force(now), |pop| serves(&were, pop), |pop| capacity(previous, pop));
    let broken = |rule: &SafetyRule| {
        rule.broken(|pop| serves(&are, pop), |pop| capacity(fresh, pop)).filter(|b| !lacks.have(rule, b))
    };
    fresh.safety.in_force(now).iter().filter_map(broken).map(|broken| broken.sentence).collect()
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
                    rfc3339::moment(plan.transition.start_epoch_secs),
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
