//! Unreachable rules: an earlier rule of the policy takes all of their clients.

use super::rule::WrittenRule;
use crate::config::doubts::Claim;
use crate::config::world::World;
use crate::finding::{Finding, Findings, code};
use crate::geo::lands::Lands;
use crate::steer::overlap::covers;
use crate::steer::rule::When;

/// Reports each rule that can never match.
pub(super) fn check(rules: &[WrittenRule], world: &World, out: &mut Findings) {
    let lands = &Lands::default();
    for (index, rule) in rules.iter().enumerate() {
        let when = &rule.rule.when;
        let earlier = rules.iter().take(index).find(|earlier| covers(&earlier.rule.when, when, lands));
        let finding = Finding::warning(code::UNREACHABLE_RULE, "this rule can never match");
        if let Some(earlier) = earlier {
            let words = if earlier.rule.when == When::default() {
                "this rule matches every client"
            } else if earlier.rule.when == *when {
                "this rule has the same conditions"
            } else {
                "this rule takes all of its clients"
            };
            let finding = finding
                .at(rule.rule.at, "never reached")
                .related(earlier.rule.at, words)
                .help("the first matching rule decides");
            world.doubt(finding, Claim::Covers(earlier.rule.when.clone(), when.clone()));
        } else if when.not.as_deref() == Some(&When::default()) {
            out.push(finding.at(rule.rule.at, "`not: {}` excludes every client"));
        } else if let Some(not) = &when.not
            && let named = (When { not: None, ..when.clone() })
            && covers(not, &named, lands)
        {
            let finding = finding.at(rule.rule.at, "its `not` excludes every client that it names");
            world.doubt(finding, Claim::Covers(not.as_ref().clone(), named));
        }
    }
}
