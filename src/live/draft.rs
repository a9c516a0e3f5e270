//! Draft of an override: the result of a change of the ledger, computed before the change.

use crate::limits::{OVERRIDE_SECS_MAX, PLAN_SECS_MAX};
use crate::rfc3339;
use crate::shared::command::{OverrideChange, OverrideOutcome, PopChange};
use crate::shared::event::Event;
use crate::steer::ledger::{Action, Effective, Ledger, Override, Selector};
use crate::steer::pop::Pop;
use crate::steer::pop_status::ALL_CELLS;
use crate::steer::safety::{Safety, Standing, in_service, judge};
use crate::steer::transition::Transition;
use std::sync::Arc;

/// Computed change that is not done yet.
pub struct Draft {
    /// Ledger after the change.
    pub ledger: Ledger,
    /// Ledger as if the change had full effect at once: its final result.
    pub(crate) in_the_end: Ledger,
    /// Outcome, unless the write fails.
    pub ended: OverrideOutcome,
    /// Selected PoPs, before and after.
    pub(crate) pops: Vec<PopChange>,
    /// Warnings for the operator.
    pub(crate) warnings: Vec<String>,
    /// Events to report once it is done.
    pub(crate) events: Vec<Event>,
}

/// State in which a change is drafted.
pub(crate) struct Ground<'g> {
    /// Ledger in force.
    pub(crate) ledger: &'g Ledger,
    /// PoPs of the snapshot.
    pub(crate) pops: &'g [Pop],
    /// Safety rules of the snapshot.
    pub(crate) safety: &'g Safety,
    /// For each PoP, true if its probes keep regular clients away.
    pub(crate) is_off: &'g [bool],
    /// True if the ledger could not be read and is not acknowledged.
    pub(crate) is_damaged: bool,
}

/// Computes a change without doing it.
pub(crate) fn draft(ground: &Ground<'_>, change: &OverrideChange, now: u64) -> Draft {
    let Ground { ledger, pops, .. } = *ground;
    let before = ledger.effective(pops, now);
    let mut draft = Draft::unchanged(ledger, now);
    if let Err(sentence) = add(&mut draft, change, pops, now) {
        draft.ended = OverrideOutcome::Refused(sentence);
        return draft;
    }
    draft.ledger.prune(now);
    // The final result is shown, not the first step.
    let after = draft.in_the_end.effective(pops, now);
    let covered = |pop: &Pop| change.selectors.iter().any(|selector| selector.covers(pop));
    draft.pops = (pops.iter().zip(before.iter().zip(&after)).filter(|(pop, _)| covered(pop)))
        .map(|(pop, (before, after))| PopChange { pop: pop.name.clone(), before: *before, after: *after })
        .collect();
    draft.warn(ground, &after, covered);
    let broken = newly_broken(ground, &draft.ledger, now);
    if !broken.is_empty() && !change.force {
        draft.ended = OverrideOutcome::Unsafe(broken);
        return draft;
    }
    draft.warnings.extend(broken.into_iter().map(|sentence| format!("forced: {sentence}")));
    if change.dry_run {
        draft.ended = OverrideOutcome::DryRun;
    }
    draft
}

impl Draft {
    /// Draft without a change: the ledger at this time.
    fn unchanged(ledger: &Ledger, now: u64) -> Draft {
        let mut without_ended = ledger.clone();
        without_ended.expire(now);
        without_ended.prune(now);
        Draft {
            in_the_end: without_ended.clone(),
            ledger: without_ended,
            ended: OverrideOutcome::Done,
            pops: Vec::new(),
            warnings: Vec::new(),
            events: Vec::new(),
        }
    }

    /// Adds the warnings about the final result, whose PoPs are `after`.
    fn warn(&mut self, ground: &Ground<'_>, after: &[Effective], covered: impl Fn(&Pop) -> bool) {
        self.warnings.push(
            "this holds on this node only: other nodes of the fleet have ledgers of their own".to_owned(),
        );
        if ground.is_damaged {
            self.warnings.push(
                "the ledger could not be read and is not acknowledged: overrides may be missing".to_owned(),
            );
        }
        for (moved, pop) in self.pops.iter().zip(ground.pops.iter().filter(|pop| covered(pop))) {
            if moved.after.state_by.is_some() && !pop.state.is_auto() && pop.state != moved.after.state {
                self.warnings.push(format!(
                    "the PoP file sets `{}` to `{}`; the override takes precedence",
                    pop.name,
                    pop.state.word()
                ));
            }
        }
        if after.iter().all(Effective::is_off) {
            self.warnings.push(
                "no PoP is left in service: those that drain are answered, and those that are down never"
                    .to_owned(),
            );
        }
    }

    /// Warns of plans that a new entry takes the place of, or that stand beside it.
    fn warn_of_plans(&mut self, entry: &Override, pops: &[Pop], now: u64) {
        let covered = pops.iter().filter(|pop| entry.selector.covers(pop));
        for plan in covered.flat_map(|pop| self.ledger.plans(pop, now)) {
            if !plan.is_of_a_kind_with(entry) {
                continue;
            }
            let sentence = format!(
                "`{} {}`, planned for {}, {}",
                plan.selector,
                plan.action,
                rfc3339::date_time(plan.transition.start_epoch_secs),
                if entry.is_planned(now) {
                    "stands too; once both plans have begun, the one set last wins"
                } else {
                    "is off"
                }
            );
            if !self.warnings.contains(&sentence) {
                self.warnings.push(sentence);
            }
        }
    }
}

/// Sentences about the safety rules that a ledger breaks and the one in force does not. They judge
/// a PoP as out of service as soon as a change that takes it out is set, even if it is gradual or
/// planned: two slow drains must not pass one by one.
fn newly_broken(ground: &Ground<'_>, ledger: &Ledger, now: u64) -> Vec<String> {
    let Ground { pops, .. } = *ground;
    let serves = |ledger: &Ledger| in_service(&ledger.all_taken_out().effective(pops, now), ground.is_off);
    let (served, will_serve) = (serves(ground.ledger), serves(ledger));
    let standing = |serves| Standing { rules: ground.safety.in_force(now), pops, serves };
    judge(Some(&standing(&served[..])), &standing(&will_serve[..]))
        .into_iter()
        .filter_map(|(_, broken, is_new)| is_new.then_some(broken.sentence))
        .collect()
}

/// Refuses a change without a reason or PoP, and times out of their bounds. A dry run sets nothing,
/// and needs no reason.
fn check(change: &OverrideChange, now: u64) -> Result<(), String> {
    if change.reason.trim().is_empty() && !change.dry_run && !change.action.hands_back() {
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
    Ok(())
}

/// Adds the entries of a change.
fn add(draft: &mut Draft, change: &OverrideChange, pops: &[Pop], now: u64) -> Result<(), String> {
    check(change, now)?;
    for selector in &change.selectors {
        let covered: Vec<String> =
            pops.iter().filter(|pop| selector.covers(pop)).map(|pop| pop.name.to_string()).collect();
        let held = draft.ledger.entries().iter().any(|entry| entry.selector == *selector);
        // An override of a PoP that no longer exists may still be cleared.
        if covered.is_empty() && !(held && change.action.hands_back()) {
            return Err(format!(
                "no PoP is covered by `{selector}`; `meridian pop list` shows their names and tags"
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
            draft.warn_of_plans(&entry, pops, now);
            draft.in_the_end.add(Override { transition: Transition::default(), ..entry.clone() })?;
            draft.ledger.add(entry.clone())?;
            draft.events.push(Event::OverrideSet { entry, pops: covered.clone() });
        }
    }
    Ok(())
}

/// Selectors and transitions of a change. A gradual or planned change starts from the state that
/// each PoP will have when the change begins. PoPs whose state then differs from that of most
/// others get entries of their own.
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
        Action::State(_) if is.state.is_out() => u32::from(ALL_CELLS),
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
