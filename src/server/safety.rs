//! Safety rules, held against a change by hand and against new files.

use crate::snapshot::Snapshot;
use crate::steer::ledger::{Effective, Ledger};
use crate::steer::pop::{AdminState, PopId};
use crate::steer::safety::{Lacks, SafetyRule};

/// A sentence for each safety rule that a change from one list of states to another breaks, or
/// breaks further: what is broken anyhow must not keep anybody from mending it, or from work
/// elsewhere. Whoever is down by probes is off too, unless it is forced up.
pub(crate) fn broken_rules(
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
