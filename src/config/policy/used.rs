//! Resolves `use: NAME` of policies and rules, and refuses circles.
//!
//! Everything is resolved while the files are read, so that a query never meets a circle.

use super::rule::Uses;
use crate::config::policy::WrittenPolicy;
use crate::config::world::{World, missing};
use crate::finding::{At, Finding, Findings, code};
use crate::limits::USE_DEPTH_MAX;
use crate::steer::policy::{Candidate, Policy};
use crate::steer::rule::RuleTarget;
use crate::zone::text::ScopedPolicy;
use std::collections::HashMap;
use std::sync::Arc;

/// Shared policies, for the policies of a zone file.
#[derive(Clone, Copy)]
pub(crate) struct SharedPolicies<'a> {
    /// The policies.
    pub(crate) policies: &'a [ScopedPolicy],
    /// True if the shared policy file was readable. If not, a `use` of an unknown policy is not
    /// reported, because that file may define it.
    pub(crate) known: bool,
}

impl SharedPolicies<'_> {
    /// No shared policies, for the shared file itself.
    pub(crate) const NONE: SharedPolicies<'static> = SharedPolicies { policies: &[], known: true };
}

/// Resolves every `use` of a file.
pub(crate) fn resolve(
    written: &mut [WrittenPolicy],
    shared: SharedPolicies<'_>,
    world: &World,
    out: &mut Findings,
) {
    let names = written.iter().enumerate().map(|(index, w)| (Arc::clone(&w.policy.name), index)).collect();
    let done = vec![Progress::New; written.len()];
    let mut resolver =
        Resolver { written, shared, names, done, of_shared: HashMap::new(), path: Vec::new(), world, out };
    for index in 0..resolver.done.len() {
        resolver.visit(index);
    }
}

#[derive(Clone)]
enum Progress {
    New,
    /// On the current path.
    Open,
    Done(Found),
}

/// A resolved policy, and the length of its chain, itself included.
#[derive(Clone)]
struct Found {
    policy: Arc<Policy>,
    depth: usize,
}

struct Resolver<'a> {
    written: &'a mut [WrittenPolicy],
    shared: SharedPolicies<'a>,
    names: HashMap<Arc<str>, usize>,
    done: Vec<Progress>,
    of_shared: HashMap<usize, Found>,
    /// Policies on the current path.
    path: Vec<usize>,
    world: &'a World,
    out: &'a mut Findings,
}

impl Resolver<'_> {
    fn visit(&mut self, index: usize) {
        if !matches!(self.done[index], Progress::New) {
            return;
        }
        self.done[index] = Progress::Open;
        self.path.push(index);
        let mut depth = 1;
        for rule in 0..self.written[index].rules.len() {
            let Some(uses) = self.written[index].rules[rule].uses.clone() else { continue };
            let Some(found) = self.find(index, &uses) else { continue };
            depth = depth.max(found.depth + 1);
            if depth > USE_DEPTH_MAX {
                self.too_deep(&uses);
                depth = 1;
                continue;
            }
            self.take_over(index, rule, &uses, found.policy);
        }
        self.path.pop();
        let policy = Arc::new(self.written[index].policy.clone());
        self.done[index] = Progress::Done(Found { policy, depth });
    }

    /// Policy with a name, ready for use; a finding if there is none.
    fn find(&mut self, user: usize, uses: &Uses) -> Option<Found> {
        if let Some(&index) = self.names.get(&uses.name) {
            if let Some(from) = self.path.iter().position(|on_path| *on_path == index) {
                self.circle(from, uses);
                return None;
            }
            if self.path.len() > USE_DEPTH_MAX {
                self.too_deep(uses);
                return None;
            }
            self.visit(index);
            return match &self.done[index] {
                Progress::Done(found) => Some(found.clone()),
                Progress::New | Progress::Open => None,
            };
        }
        if let Some(index) = self.shared.policies.iter().position(|p| p.policy.name == uses.name) {
            let policies = self.shared.policies;
            let found = self.of_shared.entry(index).or_insert_with(|| {
                let policy = Arc::new(policies[index].policy.clone());
                Found { depth: depth_of(&policy, &mut HashMap::new()), policy }
            });
            return Some(found.clone());
        }
        if self.shared.known {
            let own = &self.written[user].policy.name;
            let names = self.names.keys().map(|name| &**name).filter(|name| *name != &**own);
            let names = names.chain(self.shared.policies.iter().map(|p| &*p.policy.name));
            self.out.push(missing(code::NO_SUCH_POLICY, "policy", &uses.name, uses.at, names));
        }
        None
    }

    fn circle(&mut self, from: usize, uses: &Uses) {
        let way: Vec<&str> = self.path[from..]
            .iter()
            .map(|index| &*self.written[*index].policy.name)
            .chain([&*uses.name])
            .collect();
        let first = self.written[self.path[from]].policy.at;
        self.out.push(
            Finding::error(
                code::POLICY_LOOP,
                format!("the policy `{}` would use itself: {}", uses.name, way.join(" -> ")),
            )
            .at(uses.at, "closes the circle")
            .related(first, "the policy")
            .help("give one of them its own `pops`"),
        );
    }

    fn too_deep(&mut self, uses: &Uses) {
        self.out.push(
            Finding::error(
                code::POLICY_LOOP,
                format!("more than {USE_DEPTH_MAX} policies use each other in a chain"),
            )
            .at(uses.at, "exceeds the limit")
            .help("use the last one directly"),
        );
    }

    fn take_over(&mut self, index: usize, rule: usize, uses: &Uses, other: Arc<Policy>) {
        self.check_service(index, uses, &other);
        let written = &mut self.written[index];
        if written.uses.is_some() && rule + 1 == written.rules.len() {
            let policy = &mut written.policy;
            policy.candidates.clone_from(&other.candidates);
            policy.default.clone_from(&other.default);
            policy.is_listed = other.is_listed;
            policy.weights.clone_from(&other.weights);
            policy.when_all_down.clone_from(&other.when_all_down);
            (policy.order, policy.band, policy.ttl, policy.answers) =
                (other.order, other.band, other.ttl, other.answers);
            (policy.depth, policy.spill_max_km) = (other.depth, other.spill_max_km);
        }
        let target = RuleTarget::Use(other);
        written.policy.rules[rule].target = target.clone();
        written.rules[rule].rule.target = target;
    }

    /// Reports PoPs of the used policy `other` that lack the service of the policy `index`, because
    /// answers of the policy `index` keep its own service.
    fn check_service(&mut self, index: usize, uses: &Uses, other: &Policy) {
        let policy = &self.written[index].policy;
        let mut lacking: Vec<&str> = other
            .everybody()
            .filter_map(|candidate| match candidate {
                Candidate::Pop(id) => self.world.pop(*id),
                Candidate::Cname(_) => None,
            })
            .filter(|pop| pop.service(&policy.service).is_none() && !pop.services.is_empty())
            .map(|pop| &*pop.name)
            .collect();
        lacking.sort_unstable();
        lacking.dedup();
        let known = self.world.pops.iter().any(|pop| pop.service(&policy.service).is_some());
        if lacking.is_empty() || !known {
            return;
        }
        let shown = crate::config::policy::check::listed(&lacking);
        self.out.push(
            Finding::error(
                code::USED_SERVICE,
                format!(
                    "the policy `{}` answers the service `{}`, which {shown} of `{}` lacks",
                    policy.name, policy.service, uses.name
                ),
            )
            .at(uses.at, "used here")
            .related(other.at, "the other policy")
            .help("give these PoPs the service, or use a policy whose PoPs all have it"),
        );
    }
}

fn depth_of(policy: &Policy, known: &mut HashMap<At, usize>) -> usize {
    if let Some(depth) = known.get(&policy.at) {
        return *depth;
    }
    let used = policy.rules.iter().filter_map(|rule| match &rule.target {
        RuleTarget::Use(other) => Some(depth_of(other, known)),
        RuleTarget::Policy | RuleTarget::Candidates(_) | RuleTarget::Cname(_) => None,
    });
    let depth = 1 + used.max().unwrap_or(0);
    known.insert(policy.at, depth);
    depth
}
