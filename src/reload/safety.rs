//! Safety rules, applied to new files: the PoPs that they take out of service, alone or together
//! with the overrides in force.
//!
//! Broken rules refuse a reload, unless the previous files broke them as much. They do not refuse a
//! start, because a node with fewer PoPs in service is better than a node that does not answer.

use super::running::Running;
use crate::config::Deployment;
use crate::finding::{Finding, Findings, code};
use crate::snapshot::Snapshot;
use crate::steer::ledger::Ledger;
use crate::steer::safety::{self, Standing, in_service};
use std::collections::HashMap;
use std::sync::Arc;

/// Finding for a `safety_off_until` that has passed.
pub(crate) fn past(deployment: &Deployment, now_epoch_secs: u64) -> Option<Finding> {
    let (until, at) = (deployment.safety_off_until_epoch?, deployment.safety_off_until_at?);
    (until <= now_epoch_secs).then(|| {
        Finding::warning(
            code::SAFETY_OFF_PAST,
            "the day of `safety_off_until` has come: safety rules hold again",
        )
        .at(at, "no longer in effect")
        .help("remove the line, or give a later date")
    })
}

/// Judges new files by their safety rules. `before` is the served snapshot, with its ledger and
/// probe state if a server runs. Without `before` nothing is refused.
pub(crate) fn judge(
    before: Option<(&Arc<Snapshot>, Option<&Running>)>,
    fresh: &Snapshot,
    now_epoch_secs: u64,
) -> Findings {
    let mut findings = Findings::default();
    let by_files = broken(before, &Ledger::default(), fresh, now_epoch_secs);
    for (rule, sentence, is_new) in &by_files {
        let message = format!("by this file {sentence}");
        let finding = match is_new {
            true => Finding::error(code::UNSAFE, message),
            false => Finding::warning(code::UNSAFE, message),
        };
        let label = match (is_new, before) {
            (true, _) => "refuses the reload",
            (false, Some(_)) => "was so before, and does not refuse the reload",
            (false, None) => "refuses a reload, but not a start",
        };
        findings.push(finding.at(fresh.safety.rules[*rule].at, label).help(
            "give PoPs `state: auto` and a weight above 0, or write `safety_off_until:` with a future date",
        ));
    }
    let ledger = before.and_then(|(_, running)| Some(running?.ledger.all_taken_out())).unwrap_or_default();
    for (rule, sentence, _) in broken(before, &ledger, fresh, now_epoch_secs).iter().filter(|b| b.2) {
        if by_files.iter().any(|(other, _, is_new)| other == rule && *is_new) {
            continue;
        }
        findings.push(Finding::error(code::UNSAFE, format!("with the overrides in force, {sentence}")).help(
            "clear an override (`meridian pop list` shows them), or write `safety_off_until:` with a \
                 future date",
        ));
    }
    findings
}

/// Rules that are broken under a ledger: index, sentence, and true if the new files broke it.
fn broken(
    before: Option<(&Arc<Snapshot>, Option<&Running>)>,
    ledger: &Ledger,
    fresh: &Snapshot,
    now: u64,
) -> Vec<(usize, String, bool)> {
    let down: HashMap<&str, bool> = before.map_or_else(HashMap::new, |(snapshot, running)| {
        let is_off = running.iter().flat_map(|running| running.is_off.iter().copied());
        snapshot.pops.iter().map(|pop| &*pop.name).zip(is_off).collect()
    });
    let serves = |snapshot: &Snapshot| {
        // A PoP that was never probed counts as up.
        let is_off: Vec<bool> =
            snapshot.pops.iter().map(|pop| down.get(&*pop.name).copied().unwrap_or(false)).collect();
        in_service(&ledger.effective(&snapshot.pops, now), &is_off)
    };
    let (served, will_serve) = (before.map(|(snapshot, _)| serves(snapshot)), serves(fresh));
    let before = before.zip(served.as_deref()).map(|((snapshot, _), serves)| Standing {
        rules: snapshot.safety.in_force(now),
        pops: &snapshot.pops,
        serves,
    });
    let rules = fresh.safety.in_force(now);
    let after = Standing { rules, pops: &fresh.pops, serves: &will_serve };
    let number = |rule| rules.iter().position(|other| std::ptr::eq(other, rule)).unwrap_or(0);
    safety::judge(before.as_ref(), &after)
        .into_iter()
        .map(|(rule, broken, is_new)| (number(rule), broken.sentence, is_new))
        .collect()
}
