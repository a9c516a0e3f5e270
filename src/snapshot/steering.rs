//! Compiled steering: the preference lists of every policy, the routes from an address to one of
//! them, and the addresses of every service of every PoP.
//!
//! Each distinct place is ranked once for each policy and class of resolver. Policies that make the
//! same choice for every place share one table of routes. If separate tables would be too large,
//! all policies share one set of leaves; each leaf has a class of places for which every policy
//! makes the same choice. Scopes stay true, but a policy then has as many leaves as all policies
//! together, so its scopes may be longer than it needs.

use super::interner::Interner;
use super::routes::{Choices, Route, Tables};
use super::sizes::tries;
use super::slot_list::Slots;
use crate::finding::{Finding, Findings, code};
use crate::geo::atlas::{Atlas, Space};
use crate::geo::place::Place;
use crate::geo::trie::{Trie, VALUE_MAX};
use crate::health::targets::SlotId;
use crate::limits::ROUTES_OCTETS_MAX;
use crate::snapshot::each::{Each, in_order};
use crate::steer::policy::{Candidate, Policy, PolicyId};
use crate::steer::pop::Pop;
use crate::steer::preference_list::PreferenceList;
use crate::steer::ranker::{PlaceRanking, Ranker};
use crate::steer::table::{Families, NO_SLOT, PolicyTable, PopIdentity, Slot, V4, V6};
use crate::wire::hash;
use crate::zone::text::ScopedPolicy;
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, OnceLock};

/// Value in place of the index of a preference list, for client subnets of special-purpose
/// addresses without data: they have no place, so the address of the resolver decides.
pub(crate) const BY_ECS_SPECIAL: u32 = u32::MAX;

/// Data that a choice reads, except the status.
#[derive(Clone, Debug)]
pub struct Steering {
    /// PoPs, by [`crate::steer::pop::PopId`].
    pub pops: Box<[PopIdentity]>,
    /// Services of PoPs.
    pub slots: Box<[Slot]>,
    /// Policies, by their number in the deployment.
    pub policies: Box<[PolicyTable]>,
    /// True if policies share one set of leaves, because separate tables would be too large.
    pub shares_routes: bool,
    /// Estimated fit of the routes in a core's own cache.
    pub cache_footprint: CacheFootprint,
}

/// Fit of all routes in a core's own cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CacheFootprint {
    /// They fit.
    Near,
    /// They do not fit.
    Far,
}

/// Number of leaves above which routes exceed a core's own cache.
const LEAVES_MANY: usize = 100_000;

impl CacheFootprint {
    fn of(policies: &[PolicyTable]) -> CacheFootprint {
        let mut seen = HashSet::new();
        let different = policies.iter().flat_map(tries).filter(|trie| seen.insert(Arc::as_ptr(trie)));
        let leaves: usize = different.map(|trie| trie.leaves()).sum();
        if leaves > LEAVES_MANY { CacheFootprint::Far } else { CacheFootprint::Near }
    }
}

/// Inputs of the steering.
#[derive(Clone, Copy, Debug)]
pub struct SteeringInputs<'a> {
    /// PoPs, sorted by name.
    pub pops: &'a [Pop],
    /// Policies.
    pub policies: &'a [ScopedPolicy],
    /// Place of every address.
    pub atlas: &'a Atlas,
    /// Site of the node.
    pub site: Option<&'a Arc<str>>,
}

/// Compiles the steering.
pub fn compile(inputs: SteeringInputs<'_>) -> (Steering, Findings) {
    compile_within(&in_order, inputs, ROUTES_OCTETS_MAX)
}

/// Like [`compile`]; `each` ranks the policies.
pub(crate) fn compile_by(each: Each<'_>, inputs: SteeringInputs<'_>) -> (Steering, Findings) {
    compile_within(each, inputs, ROUTES_OCTETS_MAX)
}

/// Like [`compile_by`], with another limit for separate tables of routes, in octets.
pub fn compile_within(
    each: Each<'_>,
    inputs: SteeringInputs<'_>,
    routes_octets_max: usize,
) -> (Steering, Findings) {
    let mut findings = Findings::default();
    let pops = inputs
        .pops
        .iter()
        .map(|p| PopIdentity { name: p.name.clone(), seed: hash::octets(p.name.as_bytes()) })
        .collect();
    let mut slots = Slots::default();
    let mut tables = Tables::default();
    let mut policies = Vec::with_capacity(inputs.policies.len());
    let of_pops: Vec<Box<[SlotId]>> =
        inputs.policies.iter().map(|scoped| slots.of_policy(inputs.pops, &scoped.policy)).collect();
    let rankers: Vec<Ranker<'_>> = inputs
        .policies
        .iter()
        .map(|scoped| Ranker::new(&scoped.policy, inputs.pops, inputs.site.cloned()))
        .collect();
    let drafts: Vec<OnceLock<Result<ChosenPolicy, Finding>>> =
        inputs.policies.iter().map(|_| OnceLock::new()).collect();
    // Ranking PoPs around each place is most of the work, so policies over the same PoPs are
    // compiled together.
    let together = contests(&rankers);
    each(together.len(), &|number| {
        let mut sketches: Vec<ListedPolicy<'_>> = together[number]
            .iter()
            .map(|index| ListedPolicy::new(*index, &rankers[*index], inputs.atlas))
            .collect();
        meet_places(inputs, &mut sketches);
        for sketch in sketches {
            let index = sketch.index;
            // Each index is set once.
            _ = drafts[index].set(sketch.draft(inputs, of_pops[index].clone(), &slots.list));
        }
    });
    for draft in drafts.into_iter().filter_map(OnceLock::into_inner) {
        match draft {
            Ok(draft) => policies.push(draft.ask(&mut tables)),
            Err(finding) => findings.push(finding),
        }
    }
    let (built, shares_routes) = tables.build(each, inputs.atlas, routes_octets_max);
    let policies: Box<[PolicyTable]> =
        PolicyId::in_order().zip(policies).map(|(index, asked)| asked.finish(index, &built)).collect();
    let cache_footprint = if shares_routes { CacheFootprint::Far } else { CacheFootprint::of(&policies) };
    (Steering { pops, slots: slots.list.into(), policies, shares_routes, cache_footprint }, findings)
}

/// Compiled policy without its routes.
struct ChosenPolicy {
    table: PolicyTable,
    /// Choices of each class of resolver.
    choices_of_class: Vec<ClassChoices>,
    /// Class of each place, for resolvers.
    resolver_classes: Option<Vec<u32>>,
}

/// Choices of a policy for one class of resolver.
struct ClassChoices {
    choices: Choices,
    /// True if all clients have one choice.
    is_constant: bool,
}

impl ChosenPolicy {
    fn ask(self, tables: &mut Tables) -> RoutedPolicy {
        // Unknown special-purpose blocks are in no operator network.
        let classes = |of_place| Choices { of_place, ..Choices::default() };
        let resolver_classes = self.resolver_classes.map(|of_place| tables.ask(classes(of_place)));
        let (mut routes, mut cell_routes) = (Vec::new(), Vec::new());
        for ClassChoices { choices, is_constant } in self.choices_of_class {
            let constant =
                is_constant.then(|| Route::Constant(Arc::new(Trie::constant(choices.of_place[0]))));
            // Every policy has these routes too, because a gradual drain may make its answers
            // depend on the cell at any time.
            let full = tables.ask(choices);
            routes.push(constant.unwrap_or_else(|| full.clone()));
            cell_routes.push(full);
        }
        RoutedPolicy { table: self.table, routes, cell_routes, resolver_classes }
    }
}

/// Policy whose routes are built once those of all policies are requested.
struct RoutedPolicy {
    table: PolicyTable,
    routes: Vec<Route>,
    cell_routes: Vec<Route>,
    resolver_classes: Option<Route>,
}

impl RoutedPolicy {
    fn finish(self, index: PolicyId, built: &[Arc<Trie>]) -> PolicyTable {
        let trie = |route: Route| match route {
            Route::Constant(trie) => trie,
            Route::Table(index) => Arc::clone(&built[index]),
        };
        let routes: Box<[Arc<Trie>]> = self.routes.into_iter().map(trie).collect();
        PolicyTable {
            index,
            scopes: routes.iter().map(|r| r.leaves()).sum(),
            overruled: routes
                .iter()
                .filter_map(|r| r.deeper.as_ref())
                .map(|deeper| deeper.overruled)
                .max()
                .unwrap_or(0),
            routes,
            cell_routes: self.cell_routes.into_iter().map(trie).collect(),
            resolver_classes: self.resolver_classes.map(trie),
            ..self.table
        }
    }
}

/// Policies per work item; more would leave too few items for all threads.
const TOGETHER_MAX: usize = 8;

/// Places per policy before the next policy's turn: the preference lists of one policy fit the
/// cache of a core, those of all policies do not.
const PLACES_AT_ONCE: usize = 2_048;

/// Groups of policies with equal rankings, by their numbers.
fn contests(rankers: &[Ranker<'_>]) -> Vec<Vec<usize>> {
    let mut together: Vec<Vec<usize>> = Vec::new();
    let mut open = HashMap::new();
    for (index, ranker) in rankers.iter().enumerate() {
        let at = *open
            .entry(ranker.contest())
            .and_modify(|at: &mut usize| {
                if together[*at].len() == TOGETHER_MAX {
                    *at = together.len()
                }
            })
            .or_insert(together.len());
        if at == together.len() {
            together.push(Vec::new());
        }
        together[at].push(index);
    }
    together
}

/// Interned preference lists and choices of one policy, for the places so far.
struct ListedPolicy<'a> {
    index: usize,
    ranker: &'a Ranker<'a>,
    preference_lists: Interner<PreferenceList>,
    choices: Interner<[u32; 2]>,
    /// Sets of operator networks that distinguish resolvers, and for each set the choices of the
    /// places so far.
    classes: Vec<Vec<u16>>,
    choices_of_class: Vec<Choices>,
    /// Class of each place, for resolvers.
    resolver_classes: Option<Vec<u32>>,
}

/// Ranks each place for policies with equal rankings, for each class of resolvers.
fn meet_places(inputs: SteeringInputs<'_>, sketches: &mut [ListedPolicy<'_>]) {
    let Some(ranker) = sketches.first().map(|sketch| sketch.ranker) else { return };
    let site_place = inputs.site.and_then(|site| site_place(inputs.pops, site));
    for class in 0..sketches.iter().map(|sketch| sketch.classes.len()).max().unwrap_or_default() {
        for places in inputs.atlas.places.chunks(PLACES_AT_ONCE) {
            let mut arounds: Vec<PlaceRanking> = places.iter().map(|place| ranker.around(place)).collect();
            for sketch in sketches.iter_mut().filter(|sketch| class < sketch.classes.len()) {
                for (place, around) in places.iter().zip(&mut arounds) {
                    let at_site =
                        site_place.as_ref().filter(|_| !place.is_located()).map(|site| at_site(place, site));
                    sketch.meet(class, place, around, at_site.as_ref());
                }
            }
        }
    }
}

impl<'a> ListedPolicy<'a> {
    fn new(index: usize, ranker: &'a Ranker<'a>, atlas: &Atlas) -> ListedPolicy<'a> {
        let (classes, resolver_classes) = resolver_classes(atlas, ranker.policy);
        let choices = || Choices { of_place: Vec::with_capacity(atlas.places.len()), ..Choices::default() };
        let choices_of_class = classes.iter().map(|_| choices()).collect();
        ListedPolicy {
            index,
            ranker,
            preference_lists: Interner::default(),
            choices: Interner::default(),
            classes,
            choices_of_class,
            resolver_classes,
        }
    }

    /// Adds the next place for a class of resolvers. `at_site` is the place assumed without a
    /// client subnet, if that differs.
    fn meet(&mut self, class: usize, place: &Place, around: &mut PlaceRanking, at_site: Option<&Place>) {
        let networks = &self.classes[class];
        let by_ecs =
            self.preference_lists.intern(self.ranker.preference_list_around(place, networks, around));
        let by_resolver = at_site
            .map_or(by_ecs, |site| self.preference_lists.intern(self.ranker.preference_list(site, networks)));
        let choice = self.choices.intern([by_ecs, by_resolver]);
        let choices = &mut self.choices_of_class[class];
        // Other orders rank the clients' place as that of the resolver.
        let of_clients = place.of_clients(at_site.unwrap_or(place));
        let is_by_latency = |place: &Place| self.ranker.order_at(place, networks).is_by_rtt();
        if let Some(place) = of_clients.filter(is_by_latency) {
            let by_clients = self.preference_lists.intern(self.ranker.preference_list(&place, networks));
            let of_resolver = self.choices.intern([by_ecs, by_clients]);
            if of_resolver != choice {
                choices.of_resolvers.push((choices.of_place.len() as u32, of_resolver));
            }
        }
        choices.of_place.push(choice);
    }

    /// Finishes the policy, once every place was added.
    fn draft(
        mut self,
        inputs: SteeringInputs<'_>,
        slots: Box<[SlotId]>,
        slot_list: &[Slot],
    ) -> Result<ChosenPolicy, Finding> {
        let (ranker, scoped) = (self.ranker, &inputs.policies[self.index]);
        let policy = ranker.policy;
        // Compute `by_cell` here, because it depends on all preference lists. With it, build a full
        // table even for a class of resolvers that has one choice: the ECS scope of an IPv6 client
        // must not cover a block of embedded IPv4.
        let by_cell = !policy.share.is_drawn()
            && shares_by_cell(policy, self.preference_lists.list(), ranker, &slots, slot_list);
        let mut drafted = Vec::with_capacity(self.classes.len());
        let mut located = false;
        for mut choices in self.choices_of_class {
            // Even if no place is known, a client subnet may change the choice: without one the
            // site of the node counts, or the clients behind the resolver.
            let [by_ecs, by_resolver] = self.choices.list()[choices.of_place[0] as usize];
            let uniform = by_ecs == by_resolver
                && choices.of_resolvers.is_empty()
                && is_uniform(inputs.atlas, &choices.of_place);
            located |= !uniform;
            choices.special = self.choices.intern([BY_ECS_SPECIAL, by_resolver]);
            drafted.push(ClassChoices { choices, is_constant: uniform && !by_cell });
        }
        if self.choices.list().len() as u32 >= VALUE_MAX {
            return Err(too_many_lists(policy));
        }
        let table = PolicyTable {
            // Set once all policies are compiled.
            index: PolicyId(0),
            name: scoped
                .zone
                .as_ref()
                .map_or_else(|| policy.name.clone(), |zone| format!("{zone}/{}", policy.name).into()),
            families: policy_families(policy, &slots, slot_list),
            https: policy.https,
            slots,
            cnames: ranker.cnames().into(),
            members: ranker.members().into(),
            pools: ranker.pools().all(),
            tail: ranker.tail().into(),
            scopes: 0,
            overruled: 0,
            preference_lists: self.preference_lists.finish(),
            choices: self.choices.finish(),
            routes: [].into(),
            cell_routes: [].into(),
            up_threshold_percent: policy.up_threshold_percent,
            resolver_classes: None,
            ecs: policy.ecs,
            share: policy.share,
            by_cell,
            located,
            cell_v4: policy.cell_max_v4,
            cell_v6: policy.cell_max_v6,
        };
        Ok(ChosenPolicy { table, choices_of_class: drafted, resolver_classes: self.resolver_classes })
    }
}

fn too_many_lists(policy: &Policy) -> Finding {
    let message = format!("policy `{}` makes more than {VALUE_MAX} different preference lists", policy.name);
    Finding::error(code::TOO_LARGE, message)
        .at(policy.at, "this policy")
        .help("lower `depth`, or give fewer PoPs")
}

/// Place of the node.
pub(crate) fn site_place(pops: &[Pop], site: &str) -> Option<Place> {
    let site = pops.iter().find(|p| *p.name == *site)?;
    Some(Place {
        continent: site.country.and_then(crate::geo::hubs::continent_of),
        country: site.country,
        coordinates: site.coordinates,
        site: Some(site.name.clone()),
        ..Place::default()
    })
}

/// Place of the node's site, with the operator networks and the AS number of a place that is
/// otherwise unknown.
pub(crate) fn at_site(place: &Place, site: &Place) -> Place {
    Place { networks: place.networks.clone(), asn: place.asn, ..site.clone() }
}

/// Sets of operator networks by which rules distinguish resolvers, and for each place the index of
/// its set; `None` if no rule asks for the resolver's network.
fn resolver_classes(atlas: &Atlas, policy: &Policy) -> (Vec<Vec<u16>>, Option<Vec<u32>>) {
    let rules = policy.reach().into_iter().flat_map(|policy| &policy.rules);
    let asked: Vec<u16> = rules.flat_map(|r| r.when.resolver_networks()).collect();
    if asked.is_empty() {
        return (vec![vec![]], None);
    }
    let mut classes: Vec<Vec<u16>> = vec![vec![]];
    let of_place = atlas
        .places
        .iter()
        .map(|place| {
            let class: Vec<u16> = place.networks.iter().copied().filter(|n| asked.contains(n)).collect();
            classes.iter().position(|c| *c == class).unwrap_or_else(|| {
                classes.push(class);
                classes.len() - 1
            }) as u32
        })
        .collect();
    (classes, Some(of_place))
}

/// True if every client gets the same choice.
fn is_uniform(atlas: &Atlas, of_place: &[u32]) -> bool {
    let usable_v4 = atlas.v4.iter().filter(|l| l.space == Space::Usable).map(|l| l.place);
    let usable_v6 = atlas.v6.iter().filter(|l| l.space == Space::Usable).map(|l| l.place);
    let mut choices = usable_v4.chain(usable_v6).map(|place| of_place[place as usize]);
    choices.all(|c| c == of_place[0])
}

/// True if a policy that shares by cell may read the cell: it has equals in a band, or a PoP with
/// more addresses than it answers. Gradual drains and load shedding may read the cell later.
fn shares_by_cell(
    policy: &Policy,
    preference_lists: &[PreferenceList],
    ranker: &Ranker<'_>,
    slots: &[SlotId],
    slot_list: &[Slot],
) -> bool {
    let has_equals =
        |entries: &[crate::steer::preference_list::Entry]| entries.windows(2).any(|w| w[0].band == w[1].band);
    let answers =
        preference_lists.iter().map(|p| usize::from(p.answers)).min().unwrap_or(usize::from(policy.answers));
    let members = ranker.members();
    // Only PoPs that the policy can answer: many addresses of another PoP do not make it tailored.
    let own_slots = members
        .iter()
        .filter_map(|m| m.target.split().ok())
        .map(|pop| slots[pop.index()])
        .filter(|s| *s != NO_SLOT);
    let picks =
        own_slots.map(|s| &slot_list[s.index()]).any(|s| s.v4.len() > answers || s.v6.len() > answers);
    has_equals(ranker.tail()) || preference_lists.iter().any(|p| has_equals(&p.entries)) || picks
}

/// Families of the policy's own candidates.
fn policy_families(policy: &Policy, slots: &[SlotId], slot_list: &[Slot]) -> Families {
    policy
        .candidates
        .iter()
        .flatten()
        .map(|candidate| match candidate {
            Candidate::Pop(pop) => match slots[pop.index()] {
                NO_SLOT => 0,
                slot => slot_list[slot.index()].families(),
            },
            Candidate::Cname(_) => 0,
        })
        .fold(0, |all, families| all | families & (V4 | V6))
}

impl Steering {
    /// True if some policy shares at random; it is exempt from the laws of scope and equality.
    pub fn has_random_shares(&self) -> bool {
        self.policies.iter().any(|p| p.share.is_drawn())
    }
}
