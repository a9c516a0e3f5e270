//! Safety rules: how many PoPs must stay in service, whatever an operator asks for.
//!
//! A PoP is off when it takes no regular clients: switched off, drained, of weight 0, or down.

use super::pop::PopId;
use crate::finding::At;

/// A rule over some PoPs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SafetyRule {
    /// What must hold.
    pub(crate) need: Requirement,
    /// Over whom; at least one, each once.
    pub(crate) of: Vec<PopId>,
    /// How the operator wrote whom: `all`, `tag eu`, or names.
    pub(crate) words: String,
    /// Where it is written.
    pub(crate) at: At,
}

/// What must hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Requirement {
    /// So many of them are in service.
    NeverFewerThan(u32),
    /// Of their capacity, or of their number where not all have one, no more than this is off.
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
    /// What is wrong, as an English sentence without a full stop.
    pub(crate) sentence: String,
    /// By how much: PoPs that are missing, or per cent that are too many.
    pub(crate) lack: f64,
}

/// By how much rules are broken somewhere, by what they are about: so that what was so before is
/// not held against a change that leaves it so, or mends a part.
#[derive(Clone, Debug, Default)]
pub(crate) struct Lacks(Vec<(String, f64)>);

impl Lacks {
    /// Of rules where `serving` and `capacity` tell what is so.
    pub(crate) fn of(
        rules: &[SafetyRule],
        serving: impl Fn(PopId) -> bool,
        capacity: impl Fn(PopId) -> Option<f64>,
    ) -> Lacks {
        Lacks(
            rules
                .iter()
                .filter_map(|rule| Some((rule.subject(), rule.broken(&serving, &capacity)?.lack)))
                .collect(),
        )
    }

    /// Whether a rule was broken as much before.
    pub(crate) fn have(&self, rule: &SafetyRule, broken: &BrokenRule) -> bool {
        let subject = rule.subject();
        self.0.iter().any(|(other, lack)| *other == subject && broken.lack <= *lack)
    }
}

impl SafetyRule {
    /// What it is about. Its number is not: a stricter one makes the lack larger, which is the
    /// doing of who wrote it.
    fn subject(&self) -> String {
        match self.need {
            Requirement::NeverFewerThan(_) => format!("fewer {}", self.words),
            Requirement::NeverMoreOffThan { .. } => format!("off {}", self.words),
        }
    }

    /// Whether the rule is broken where `serving` tells who takes regular clients, and `capacity`
    /// what each can carry.
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
