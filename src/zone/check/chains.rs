//! Targets of names: CNAME loops and chains across all zones, and missing targets.

use super::index::{ALIAS, Index, IndexMatch, OwnerRecords};
use crate::finding::{At, Finding, Findings, code};
use crate::limits::{CHAIN_MAX, FINDINGS_KEPT_MAX};
use crate::steer::policy::{Candidate, Policy, PolicyId, WhenAllDown};
use crate::steer::rule::RuleTarget;
use crate::wire::name::Name;
use crate::wire::rr::RrType;
use crate::zone::rdata::{NameUse, names_in, names_with_use, promises};
use crate::zone::text::ScopedPolicy;
use std::collections::HashSet;

/// Every name that a policy may answer instead of addresses, with the place of its rule or policy.
pub(super) fn cnames_of(policy: &Policy) -> Vec<(&Name, At)> {
    policy.reach().into_iter().flat_map(own_cnames_of).collect()
}

fn own_cnames_of(policy: &Policy) -> Vec<(&Name, At)> {
    fn fallback(what: &WhenAllDown) -> Option<&Name> {
        match what {
            WhenAllDown::Cname(name) => Some(name),
            WhenAllDown::AsIfUp | WhenAllDown::NoData | WhenAllDown::ServFail | WhenAllDown::LastGood => None,
        }
    }
    fn among<'c>(candidates: impl Iterator<Item = &'c Candidate>) -> impl Iterator<Item = &'c Name> {
        candidates.filter_map(|candidate| match candidate {
            Candidate::Cname(name) => Some(name),
            Candidate::Pop(_) => None,
        })
    }
    let mut names: Vec<(&Name, At)> = among(policy.candidates.iter().flatten())
        .chain(fallback(&policy.when_all_down))
        .map(|name| (name, policy.at))
        .collect();
    for rule in &policy.rules {
        match &rule.target {
            RuleTarget::Cname(name) => names.push((name, rule.at)),
            RuleTarget::Candidates(bands) => {
                names.extend(among(bands.iter().flatten()).map(|name| (name, rule.at)))
            }
            // These policies are visited on their own, by `reach`.
            RuleTarget::Policy | RuleTarget::Use(_) => {}
        }
        names.extend(rule.when_all_down.as_ref().and_then(fallback).map(|name| (name, rule.at)));
    }
    names
}

/// Checks the targets of records and policies, and follows every chain of CNAMEs to its end.
pub(super) fn check(index: &Index<'_>, policies: &[ScopedPolicy], out: &mut Findings) {
    targets(index, policies, out);
    let chosen: Vec<Vec<Step>> = policies.iter().map(|policy| steps_of_policy(index, policy)).collect();
    let mut walk = Walk { index, steps: Vec::new(), ends: Vec::new(), state: Vec::new(), circles: 0 };
    for number in 0..index.len() {
        if index.has_any(number, ALIAS) || index.is_steered(number) {
            let before = walk.steps.len();
            walk.steps.extend(index.owner(number).iter().flat_map(|owner| steps(index, owner, &chosen)));
            // A deployment without internal CNAMEs needs no list.
            if walk.steps.len() > before {
                walk.ends.resize(number, before as u32);
                walk.ends.push(walk.steps.len() as u32);
            }
        }
    }
    if !walk.steps.is_empty() {
        walk.ends.resize(index.len(), walk.steps.len() as u32);
        for steps in &chosen {
            walk.steps.extend(steps);
            walk.ends.push(walk.steps.len() as u32);
        }
        walk.state = vec![State::New; walk.ends.len()];
        walk.run(out);
    }
}

/// Edge of the walk, with its place: a CNAME from one node to another, or the step from an owner to
/// the policy that steers it.
#[derive(Clone, Copy)]
struct Step {
    to: usize,
    at: At,
}

fn step(index: &Index<'_>, name: &Name, at: At) -> Option<Step> {
    match index.find(name) {
        IndexMatch::OwnerRecords(to) => Some(Step { to, at }),
        IndexMatch::Elsewhere | IndexMatch::Missing => None,
    }
}

fn steps_of_policy(index: &Index<'_>, policy: &ScopedPolicy) -> Vec<Step> {
    cnames_of(&policy.policy).into_iter().filter_map(|(name, at)| step(index, name, at)).collect()
}

fn steps(index: &Index<'_>, owner: &OwnerRecords<'_>, chosen: &[Vec<Step>]) -> Vec<Step> {
    let fixed = owner
        .of(RrType::CNAME)
        .flat_map(|record| names_in(RrType::CNAME, &record.rdata).into_iter().map(|name| (name, record.at)))
        .filter_map(|(name, at)| step(index, &name, at));
    let leads_on = |policy: PolicyId| chosen.get(policy.index()).is_some_and(|steps| !steps.is_empty());
    let steered = owner
        .steered
        .iter()
        .filter(|steered| leads_on(steered.policy))
        .map(|steered| Step { to: index.len() + steered.policy.index(), at: steered.at });
    fixed.chain(steered).collect()
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    New,
    /// On the current path, at this index.
    Open(usize),
    /// Visited: the most CNAMEs that an answer follows from here.
    Done(usize),
}

/// Depth-first walk along CNAMEs. The nodes are all owners, followed by all policies, so that a
/// policy's CNAMEs are stored once, however many owners it steers. Wildcards need no special case:
/// the target of a CNAME does not depend on the question name.
struct Walk<'i, 'z> {
    index: &'i Index<'z>,
    /// All steps, grouped by node.
    steps: Vec<Step>,
    /// End of each node's steps in that list.
    ends: Vec<u32>,
    state: Vec<State>,
    /// Circles reported so far.
    circles: usize,
}

impl Walk<'_, '_> {
    fn run(mut self, out: &mut Findings) {
        for start in 0..self.index.len() {
            if self.state.get(start) == Some(&State::New) && !self.steps_of(start).is_empty() {
                self.walk(start, out);
            }
        }
    }

    fn steps_of(&self, node: usize) -> &[Step] {
        let end = |node: usize| self.ends.get(node).map_or(0, |end| *end as usize);
        let begin = node.checked_sub(1).map_or(0, end);
        self.steps.get(begin..end(node)).unwrap_or_default()
    }

    fn is_owner(&self, node: usize) -> bool {
        node < self.index.len()
    }

    /// Walks iteratively, since a chain may be longer than the program's stack.
    fn walk(&mut self, start: usize, out: &mut Findings) {
        let mut way: Vec<(usize, usize)> = vec![(start, 0)];
        self.set(start, State::Open(0));
        while let Some(&mut (node, ref mut next)) = way.last_mut() {
            let step = self.steps_of(node).get(*next).copied();
            *next += 1;
            match step {
                None => {
                    let depth = self.depth(node);
                    self.set(node, State::Done(depth));
                    way.pop();
                    // Report only the first chain that is too long; those that lead into it are
                    // longer still.
                    if depth == CHAIN_MAX + 1 && self.is_owner(node) {
                        self.too_long(node, out);
                    }
                }
                Some(step) => match self.state.get(step.to) {
                    Some(State::New) => {
                        self.set(step.to, State::Open(way.len()));
                        way.push((step.to, 0));
                    }
                    Some(State::Open(begin)) => {
                        let finding = self.circle(way.get(*begin..).unwrap_or_default(), step);
                        self.circles += 1;
                        out.push(finding);
                    }
                    _ => {}
                },
            }
        }
    }

    fn set(&mut self, node: usize, state: State) {
        if let Some(slot) = self.state.get_mut(node) {
            *slot = state;
        }
    }

    fn depth(&self, node: usize) -> usize {
        let behind = |step: &Step| {
            // The step from an owner to its policy is not a CNAME.
            let own = usize::from(self.is_owner(step.to));
            match self.state.get(step.to) {
                Some(State::Done(depth)) => own + depth,
                _ => 1,
            }
        };
        // A target outside our zones has no step, because the server does not follow it.
        self.steps_of(node).iter().map(behind).max().unwrap_or(0)
    }

    fn name(&self, node: usize) -> Option<String> {
        let owner = self.index.owner(node)?;
        let name = owner.records.first().map(|r| &r.owner).or(owner.steered.first().map(|s| &s.owner));
        name.map(Name::to_string)
    }

    fn circle(&self, circle: &[(usize, usize)], last: Step) -> Finding {
        let told = |message: String| {
            Finding::warning(code::CNAME_LOOP, message).at(last.at, "leads back").help(
                "resolvers get these CNAMEs without an address; point one of them to a name with addresses",
            )
        };
        // Further circles are only counted, because naming one takes time in proportion to a
        // policy's rules.
        if self.circles >= FINDINGS_KEPT_MAX {
            return told("CNAMEs lead in a circle".to_owned());
        }
        let owners = circle.iter().filter(|(node, _)| self.is_owner(*node));
        let mut names: Vec<String> = owners.take(13).filter_map(|(node, _)| self.name(*node)).collect();
        let first = names.first().cloned();
        if names.len() > 12 {
            names.truncate(12);
            names.push("...".to_owned());
        }
        names.extend(first);
        let mut finding = told(format!("CNAMEs lead in a circle: {}", names.join(" -> ")));
        for pair in circle.windows(2).take(8) {
            let [(from, _), (to, _)] = pair else { continue };
            let step = self.steps_of(*from).iter().find(|step| step.to == *to && self.is_owner(*to));
            if let Some(step) = step {
                finding = finding.related(step.at, "on the way");
            }
        }
        finding
    }

    fn too_long(&self, node: usize, out: &mut Findings) {
        let first = |node: usize| self.steps_of(node).first();
        // If the CNAME comes from a policy, show the place of the rule or policy that names the
        // target.
        let step =
            first(node).and_then(|step| if self.is_owner(step.to) { Some(step) } else { first(step.to) });
        if let Some(step) = step {
            let name = self.name(node).unwrap_or_default();
            let message = format!("the chain from `{name}` has more than {CHAIN_MAX} CNAMEs");
            out.push(
                Finding::warning(code::CHAIN_TOO_LONG, message)
                    .at(step.at, "the chain begins here")
                    .help("the answer stops there; resolvers must ask again, and some give up"),
            );
        }
    }
}

fn targets(index: &Index<'_>, policies: &[ScopedPolicy], out: &mut Findings) {
    for names in &index.zones {
        for record in &names.zone.records {
            if !promises(record.rtype) {
                continue;
            }
            for (name_use, target) in names_with_use(record.rtype, &record.rdata) {
                match name_use {
                    NameUse::Host if target.is_root() => {}
                    NameUse::Alias | NameUse::Host => {
                        of_record(index, record.rtype, (name_use, &target), record.at, out);
                    }
                    NameUse::Any => {}
                }
            }
        }
    }
    let mut told = HashSet::new();
    for steered in index.zones.iter().flat_map(|names| &names.zone.steered) {
        let Some(policy) = policies.get(steered.policy.index()).filter(|_| told.insert(steered.policy))
        else {
            continue;
        };
        for (name, at) in cnames_of(&policy.policy) {
            of_record(index, RrType::CNAME, (NameUse::Alias, name), at, out);
        }
    }
}

fn of_record(
    index: &Index<'_>,
    rtype: RrType,
    (name_use, target): (NameUse, &Name),
    at: At,
    out: &mut Findings,
) {
    let owner = match index.find(target) {
        IndexMatch::Elsewhere => return,
        IndexMatch::OwnerRecords(number) => index.owner(number),
        IndexMatch::Missing => None,
    };
    let dangling = match owner {
        None => true,
        Some(owner) if name_use == NameUse::Alias => owner.is_empty(),
        Some(owner) if owner.has(RrType::CNAME) => {
            out.push(
                Finding::warning(
                    code::CNAME_TARGET,
                    format!("the {rtype} record leads to `{target}`, which is an alias"),
                )
                .at(at, "must not lead to an alias (RFC 2181 section 10.3)")
                .help("use the name that has the addresses"),
            );
            false
        }
        Some(owner) => !owner.has_address(),
    };
    if dangling {
        let missing = match owner {
            None => "does not exist",
            Some(owner) if owner.is_empty() => "has no data",
            Some(_) => "has no address",
        };
        let mut finding =
            Finding::warning(code::DANGLING_TARGET, format!("`{target}` {missing} in our zone"))
                .at(at, "leads nowhere");
        // A name written in full, with its final dot, is not shorter in the file than the target.
        let is_short = ((at.end - at.start) as usize) < target.to_string().len();
        if let Some(doubled) = index
            .zone_of(target.as_wire())
            .filter(|_| is_short)
            .and_then(|names| doubled(target, &names.zone.apex))
        {
            finding = finding.help(format!("did you forget the final dot of `{doubled}`?"));
        }
        out.push(finding);
    }
}

/// Detects `www.example.com.cdn.example.` for `www.example.com.`, the usual result of a forgotten
/// final dot.
fn doubled(target: &Name, apex: &Name) -> Option<String> {
    let short = target.to_string();
    let short = short.strip_suffix(&apex.to_string())?;
    short.trim_end_matches('.').contains('.').then(|| short.to_owned())
}
