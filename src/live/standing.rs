//! Derived parts of the operator view: the state of service of each PoP and the time since when it
//! has it, the changes that the ledger plans, and the safety rules that overrides break.

use crate::health::health_state::Verdict;
use crate::shared::alarm::{Alarm, AlarmKey};
use crate::shared::operator_view::{Coming, InService, OperatorView, PopView, ServiceLimit};
use crate::snapshot::Snapshot;
use crate::steer::ledger::{Effective, Ledger};
use crate::steer::policy::PolicyId;
use crate::steer::pop::{AdminState, Pop, PopId};
use crate::steer::pop_status::ALL_CELLS;
use crate::steer::preference_list::OWN_WEIGHT;
use crate::steer::safety::{self, Standing};
use crate::steer::status::Status;
use crate::steer::table::NO_SLOT;
use std::collections::HashMap;
use std::sync::Arc;

/// Most coming changes that are listed for a PoP.
const COMING_MAX: usize = 8;

/// Start times of the states that the view shows.
#[derive(Clone, Debug, Default)]
pub(crate) struct Since {
    /// For each PoP, by name, its state of service and the start of that.
    pops: HashMap<Arc<str>, (InService, u64)>,
    /// For each broken safety rule, by the beginning of its sentence, the start.
    rules: HashMap<String, u64>,
}

/// Inputs of the derived parts.
#[derive(Clone, Copy)]
pub(crate) struct Ground<'g> {
    /// Ledger in force.
    pub(crate) ledger: &'g Ledger,
    /// Snapshot that live state follows.
    pub(crate) snapshot: &'g Snapshot,
    /// Status of live state.
    pub(crate) status: &'g Status,
    /// For each PoP, true if its probes keep regular clients away.
    pub(crate) is_off: &'g [bool],
}

impl Since {
    /// Adds the derived parts to an operator view that already has health and load.
    pub(crate) fn add(&mut self, operator_view: &mut OperatorView, ground: &Ground<'_>, now: u64) {
        let Ground { ledger, snapshot, status, .. } = *ground;
        let mut pops = HashMap::new();
        let in_service = in_service(snapshot, status);
        let shown = operator_view.pops.iter_mut().zip(snapshot.pops.iter());
        for ((shown, pop), (is, why)) in shown.zip(in_service) {
            (shown.in_service, shown.in_service_why) = (is, why);
            shown.since_epoch_secs = match self.pops.get(&shown.name) {
                Some((before, since)) if *before == is => *since,
                Some(_) => now,
                None => begun(shown, now),
            };
            shown.coming = coming(ledger, pop, now);
            pops.insert(shown.name.clone(), (is, shown.since_epoch_secs));
        }
        self.pops = pops;
        self.broken(operator_view, ground, now);
    }

    /// Adds an alarm for each broken safety rule while overrides keep some of its PoPs out of
    /// service, whether they were forced or the rule held when they were set.
    fn broken(&mut self, operator_view: &mut OperatorView, ground: &Ground<'_>, now: u64) {
        let (before, Ground { ledger, snapshot, is_off, .. }) = (std::mem::take(&mut self.rules), *ground);
        let rules = snapshot.safety.in_force(now);
        if rules.is_empty() || ledger.entries().is_empty() {
            return;
        }
        let states = ledger.effective(&snapshot.pops, now);
        let is_off_by_hand = |pop: &&PopId| {
            let is = states.get(pop.index());
            is.is_some_and(|is| is.is_off() && (is.state_by.is_some() || is.weight_by.is_some()))
        };
        let serves = safety::in_service(&states, is_off);
        let standing = Standing { rules, pops: &snapshot.pops, serves: &serves };
        for (rule, broken, _) in safety::judge(None, &standing) {
            let off: Vec<&PopId> = rule.of.iter().filter(is_off_by_hand).collect();
            if off.is_empty() {
                continue;
            }
            let names: Vec<&str> = off.iter().map(|pop| &*snapshot.pops[pop.index()].name).collect();
            let head = format!("the safety rule over {} is broken: ", rule.words);
            let sentence = format!(
                "{head}{}; out of service by overrides: {}",
                broken.sentence.replacen("would be", "are", 1),
                names.join(" ")
            );
            for pop in &off {
                if let Some(shown) = operator_view.pops.get_mut(pop.index()) {
                    shown.breaks.push(sentence.clone());
                }
            }
            let since_epoch_secs = before.get(&head).copied().unwrap_or(now);
            self.rules.insert(head, since_epoch_secs);
            let key = AlarmKey::SafetyRule(rule.words.clone());
            operator_view.alarms.push(Alarm { key, sentence, since_epoch_secs });
        }
    }
}

/// State of service of each PoP, over all policies that answer with it, and the reason if probes
/// limit it.
fn in_service(snapshot: &Snapshot, status: &Status) -> Vec<(InService, Option<ServiceLimit>)> {
    let mut all: Vec<Option<(InService, Option<ServiceLimit>)>> = vec![None; snapshot.pops.len()];
    for (number, policy) in PolicyId::in_order().zip(&snapshot.steering.policies) {
        let view = status.view(number);
        for member in &policy.members {
            let Ok(pop) = member.target.split() else { continue };
            let index = pop.index();
            let slot = policy.slots[index];
            if slot == NO_SLOT {
                continue;
            }
            let (is, seen) = (status.pop(pop), view.slot(slot));
            let weight = if member.weight == OWN_WEIGHT { is.weight } else { member.weight };
            let sheds = status.shed(slot).is_some_and(|shed| shed.share > 0);
            let lacks = seen.up != seen.has || seen.lacks_addresses();
            let is_withheld = view.is_withheld(slot, &policy.preference_lists);
            let flaps = (seen.up != seen.last_resort).then_some(ServiceLimit::Flaps);
            let (is, why) = match is.state {
                AdminState::Down => (InService::No, None),
                _ if seen.last_resort == 0 => (InService::No, None),
                AdminState::Drain => (InService::LastResort, None),
                _ if seen.up == 0 => (InService::LastResort, flaps),
                _ if weight == 0 || is.left >= ALL_CELLS => (InService::LastResort, None),
                AdminState::Auto if is_withheld => (InService::Partly, Some(ServiceLimit::Returns)),
                _ if lacks || is.left > 0 || sheds => (InService::Partly, flaps),
                AdminState::Auto | AdminState::Up => (InService::Yes, None),
            };
            all[index] = Some(match all[index] {
                None => (is, why),
                Some((other, before)) if other == is => (is, before.or(why)),
                Some((_, before)) => (InService::Partly, before.or(why)),
            });
        }
    }
    all.into_iter().map(|is| is.unwrap_or((InService::Unused, None))).collect()
}

/// Start of a PoP's state in the first view of a process: the start of the override or the verdicts
/// behind it, else the start of the process.
fn begun(shown: &PopView, now: u64) -> u64 {
    if !matches!(shown.in_service, InService::No | InService::LastResort) {
        return now;
    }
    let by_override = [&shown.state_by, &shown.weight_by].into_iter().flatten();
    let by_override = by_override.map(|by| by.transition.end().max(by.set_epoch_secs)).max();
    let down = shown.targets.iter().filter(|target| target.verdict == Verdict::Down.word());
    let by_probes = down.map(|target| target.lasted_secs).min().map(|secs| now.saturating_sub(secs));
    by_override.or(by_probes).filter(|since| *since <= now).unwrap_or(now)
}

/// Coming states and weights of a PoP, by the ledger and the clock alone.
fn coming(ledger: &Ledger, pop: &Pop, now: u64) -> Vec<Coming> {
    let entries = ledger.entries().iter().filter(|entry| entry.selector.covers(pop));
    let moments = entries.flat_map(|entry| {
        let transition = &entry.transition;
        [transition.start_epoch_secs, transition.end()].into_iter().chain(entry.until_epoch_secs)
    });
    let mut moments: Vec<u64> = moments.filter(|at| *at > now).collect();
    moments.sort_unstable();
    moments.dedup();
    let at = |moment: u64| -> Option<Effective> {
        ledger.effective(std::slice::from_ref(pop), moment).first().copied()
    };
    let mut last = at(now).map(|is| (is.state, is.weight));
    let mut all = Vec::new();
    for moment in moments {
        let Some(is) = at(moment) else { continue };
        if last != Some((is.state, is.weight)) && all.len() < COMING_MAX {
            all.push(Coming { epoch_secs: moment, state: is.state, weight: is.weight });
        }
        last = Some((is.state, is.weight));
    }
    all
}
