//! Safety rules: how many PoPs must stay in service, whatever an operator asks for.
//!
//! A PoP is off when it is not in service: switched off, drained, of weight 0, down, or flapping.

use super::ledger::Effective;
use super::pop::{Pop, PopId};
use crate::finding::At;

/// A rule over some PoPs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SafetyRule {
    /// The requirement.
    pub(crate) need: Requirement,
    /// The PoPs that it is about; at least one, each once.
    pub(crate) of: Vec<PopId>,
    /// These PoPs in the operator's words: `all`, `tag eu`, or names.
    pub(crate) words: String,
    /// Its place in the file.
    pub(crate) at: At,
}

/// The requirement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Requirement {
    /// So many of them are in service.
    NeverFewerThan(u32),
    /// Highest share that may be off: of the PoPs' capacity, or of their number if the capacity of
    /// one is unknown.
    NeverMoreOffThan {
        /// In per cent.
        percent: u8,
    },
}

/// Safety rules of a deployment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Safety {
    /// The rules.
    pub(crate) rules: Vec<SafetyRule>,
    /// Before this time they do not hold, in seconds since 1970.
    pub(crate) off_until_epoch: Option<u64>,
}

impl Safety {
    /// The rules that hold at a time, in seconds since 1970.
    pub(crate) fn in_force(&self, now_epoch: u64) -> &[SafetyRule] {
        if self.off_until_epoch.is_some_and(|until| now_epoch < until) { &[] } else { &self.rules }
    }
}

/// A rule that does not hold.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct BrokenRule {
    /// The fault, as an English sentence without a full stop.
    pub(crate) sentence: String,
    /// The lack: PoPs that are missing, or per cent that are too many.
    pub(crate) lack: f64,
}

/// The facts by which rules are judged: the PoPs, by number, and those in service.
#[derive(Clone, Copy)]
pub(crate) struct Standing<'s> {
    /// The rules in force.
    pub(crate) rules: &'s [SafetyRule],
    /// The PoPs.
    pub(crate) pops: &'s [Pop],
    /// The PoPs in service; see [`in_service`].
    pub(crate) serves: &'s [bool],
}

impl Standing<'_> {
    fn broken(&self, rule: &SafetyRule) -> Option<BrokenRule> {
        let index = |pop: PopId| pop.index();
        rule.broken(
            |pop| self.serves.get(index(pop)).copied().unwrap_or(false),
            |pop| self.pops.get(index(pop)).and_then(|pop| pop.capacity),
        )
    }
}

/// For each PoP, true if it is in service: it takes regular clients. Neither a file nor an override
/// has taken it out, nor have its probes (down, or flapping) unless it is forced up. Safety rules
/// and load judge by this one definition.
pub(crate) fn in_service(states: &[Effective], is_off: &[bool]) -> Vec<bool> {
    let is_off = is_off.iter().copied().chain(std::iter::repeat(false));
    states
        .iter()
        .zip(is_off)
        .map(|(is, is_off)| !is.is_off() && (is.state.is_forced_up() || !is_off))
        .collect()
}

/// Each rule that is broken after a change, and true if the change has broken it or increased its
/// lack. A rule that was broken before must not keep an operator from a partial repair, or from
/// other work. Without `before`, no rule counts as broken by the change.
pub(crate) fn judge<'s>(
    before: Option<&Standing<'_>>,
    after: &Standing<'s>,
) -> Vec<(&'s SafetyRule, BrokenRule, bool)> {
    // Rules with equal subjects count as the same rule, even if their numbers differ. A stricter
    // number makes the lack larger, and then the change of the number has broken the rule.
    let lacks: Option<Vec<(String, f64)>> = before.map(|before| {
        let lack = |rule: &SafetyRule| Some((rule.subject(), before.broken(rule)?.lack));
        before.rules.iter().filter_map(lack).collect()
    });
    let is_new = |rule: &SafetyRule, broken: &BrokenRule| {
        let subject = rule.subject();
        lacks
            .as_ref()
            .is_some_and(|lacks| !lacks.iter().any(|(other, lack)| *other == subject && broken.lack <= *lack))
    };
    let broken = |rule: &'s SafetyRule| {
        let broken = after.broken(rule)?;
        let is_new = is_new(rule, &broken);
        Some((rule, broken, is_new))
    };
    after.rules.iter().filter_map(broken).collect()
}

impl SafetyRule {
    /// Its subject, its number apart.
    fn subject(&self) -> String {
        match self.need {
            Requirement::NeverFewerThan(_) => format!("fewer {}", self.words),
            Requirement::NeverMoreOffThan { .. } => format!("off {}", self.words),
        }
    }

    /// The fault, if the rule is broken. `serving` is true for PoPs that take regular clients;
    /// `capacity` is the capacity of a PoP.
    pub(crate) fn broken(
        &self,
        serving: impl Fn(PopId) -> bool,
        capacity: impl Fn(PopId) -> Option<f64>,
    ) -> Option<BrokenRule> {
        let on = self.of.iter().filter(|pop| serving(**pop)).count();
        match self.need {
            Requirement::NeverFewerThan(least) => (on < least as usize).then(|| BrokenRule {
                lack: f64::from(least) - on as f64,
                sentence: format!(
                    "{on} of {} would be in service, and there must never be fewer than {least}",
                    self.words
                ),
            }),
            Requirement::NeverMoreOffThan { percent } => {
                let capacities: Option<Vec<(PopId, f64)>> =
                    self.of.iter().map(|pop| Some((*pop, capacity(*pop)?))).collect();
                // Equal PoPs where the capacity of one is not known.
                let by_capacity = capacities.is_some();
                let parts = capacities.unwrap_or_else(|| self.of.iter().map(|pop| (*pop, 1.0)).collect());
                let whole: f64 = parts.iter().map(|(_, part)| part).sum();
                let off: f64 = parts.iter().filter(|(pop, _)| !serving(*pop)).map(|(_, part)| part).sum();
                let of_what = if by_capacity { "the capacity" } else { "the PoPs" };
                (off * 100.0 > whole * f64::from(percent)).then(|| BrokenRule {
                    lack: off * 100.0 / whole - f64::from(percent),
                    sentence: format!(
                        "{}% of {of_what} of {} would be off, and there must never be more than {percent}%",
                        libm::round(off * 100.0 / whole),
                        self.words
                    ),
                })
            }
        }
    }
}

#[cfg(test)]
mod tests;
