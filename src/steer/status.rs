//! Status: what is true of every PoP now; all that a change of health, weight or load replaces.
//!
//! Policies see it through a [`View`]: two policies see different things where they ask for
//! different shares of a PoP's addresses, or where the panic guard holds one of them to what was
//! before. Equal views are one.

use super::policy::Sharing;
use super::pop::{AdminState, Pop, PopId};
use super::preference_list::{AllDown, PoolNumber, PreferenceList};
use super::table::{Families, NO_SLOT, PolicyTable, Slot, V4, V6};
use crate::health::health_state::{HealthState, NO_HORIZON, ReturningPool, SlotHealth};
use crate::wire::hash::mix;
use std::collections::HashMap;
use std::sync::Arc;

/// Which candidates a scan looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum CandidateTier {
    /// In service.
    Regular,
    /// Drained, of weight 0, left by the client's cell, or flapping: only when nothing else passes.
    LastResort,
}

/// A share of all cells, in steps of 1/256: 0 is none, 256 is all. Steps this coarse let every node
/// and every publication agree.
pub type Share256 = u16;

/// All cells.
pub const ALL_CELLS: Share256 = 256;

/// A PoP right now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PopStatus {
    /// What the operator says.
    pub state: AdminState,
    /// The PoP's own weight.
    pub weight: u32,
    /// Cells that have left it by a gradual drain, or not come back yet by a ramp.
    pub left: Share256,
    /// 0 while a plan, a step or the end of an override is near; else [`NO_HORIZON`].
    pub horizon_secs: u32,
}

/// What load sends away from a slot.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shed {
    /// Cells that may leave.
    pub share: Share256,
    /// For each PoP, in order, the share of these cells that it accepts when it is asked; empty
    /// where nothing is shed.
    pub accept: Arc<[Share256]>,
}

impl PopStatus {
    /// What the file says: nothing gradual, nothing shed.
    pub fn of(pop: &Pop) -> PopStatus {
        PopStatus { state: pop.state, weight: pop.weight, left: 0, horizon_secs: NO_HORIZON }
    }

    /// Whether a cell has left by a gradual drain. `seed` is the PoP's.
    #[inline]
    pub(crate) fn is_left_by(&self, cell: u64, seed: u64) -> bool {
        self.left > 0 && order(cell, seed, LEAVE_SALT) < self.left
    }
}

impl Shed {
    /// Whether a cell is among those that load sends elsewhere. `seed` is the PoP's.
    pub fn sheds(&self, cell: u64, seed: u64) -> bool {
        self.share > 0 && order(cell, seed, SHED_SALT) < self.share
    }

    /// Whether a cell shed here may go to another PoP.
    pub fn hands_to(&self, cell: u64, seed: u64, to: PopId, to_seed: u64) -> bool {
        self.accept
            .get(usize::from(to.0))
            .is_some_and(|accept| order(mix(cell, seed), to_seed, ACCEPT_SALT) < *accept)
    }
}

/// Where a cell stands in the order in which cells leave a PoP, 0 to 255: another order for each
/// PoP, and the same cells leave first and come back last.
fn order(cell: u64, seed: u64, salt: u64) -> u16 {
    (mix(cell, seed ^ salt) >> 56) as u16
}

/// Keep the three orders independent of each other, and of the sharing by weight.
const LEAVE_SALT: u64 = 0x6c65_6176_6520_6279;
const SHED_SALT: u64 = 0x7368_6564_2062_7920;
const ACCEPT_SALT: u64 = 0x6163_6365_7074_6564;

/// A slot as a policy sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SlotView {
    /// Addresses that are not answered, by index.
    pub(crate) down_v4: u64,
    /// Addresses that are not answered, by index.
    pub(crate) down_v6: u64,
    /// Seconds until its state can change; [`NO_HORIZON`] if no change is near.
    pub(crate) horizon_secs: u32,
    /// Order in which slots went down, the last highest; 0 for one that is up.
    pub(crate) went_down: u32,
    /// Families in which it has an address.
    pub has: Families,
    /// Families in which enough addresses are up, without those that flap.
    pub up: Families,
    /// Families in which enough addresses are up, with those that flap: a last resort.
    pub last_resort: Families,
    /// Families in which it may be answered without another look: those that are up, where the PoP
    /// is in regular service with a weight of its own, and no cell has left it or is sent
    /// elsewhere. What an entry says may only be its weight.
    pub(crate) unconditional: Families,
    /// Families that take no clients yet because nothing is known of them: new since a reload.
    /// Before everything is taken to be down they do, since unknown is not down.
    pub awaited: Families,
}

/// What a policy sees of all slots.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct View {
    slots: Box<[SlotView]>,
    /// Of each pool on its way back from all down: what its preference lists see. Where there is
    /// one, no slot is unconditional, because the preference list decides what is seen.
    returning: Box<[(PoolNumber, View)]>,
}

impl View {
    fn new(
        pops: &[PopStatus],
        slots: &[Slot],
        health: &[SlotHealth],
        sheds: &[Shed],
        threshold_percent: u8,
    ) -> View {
        let look = |(index, (slot, health)): (usize, (&Slot, SlotHealth))| {
            let pop = pops.get(usize::from(slot.pop.0));
            let (state, planned) = pop.map_or((AdminState::Auto, NO_HORIZON), |p| (p.state, p.horizon_secs));
            let view = SlotView::new(slot, health, state, threshold_percent);
            let is_regular = pop.is_some_and(|p| {
                matches!(p.state, AdminState::Auto | AdminState::Up) && p.weight > 0 && p.left == 0
            });
            let sheds = sheds.get(index).is_some_and(|shed| shed.share > 0);
            let unconditional = if is_regular && !sheds { view.up } else { 0 };
            SlotView { horizon_secs: view.horizon_secs.min(planned), unconditional, ..view }
        };
        let unknown = std::iter::repeat(SlotHealth::default());
        View {
            slots: slots.iter().zip(health.iter().copied().chain(unknown)).enumerate().map(look).collect(),
            returning: [].into(),
        }
    }

    /// What a preference list sees: that of its pool where the pool is on its way back and the list
    /// says what to answer when all is down. An error or a denial ends with the first that is back.
    pub fn of(&self, preference_list: &PreferenceList) -> &View {
        let goes_on =
            matches!(preference_list.when_all_down, AllDown::AsIfUp | AllDown::LastGood | AllDown::Cname(_));
        let mut pools = self.returning.iter().filter(|_| goes_on);
        pools.find(|(pool, _)| *pool == preference_list.pool).map_or(self, |(_, view)| view)
    }

    /// What the preference lists of pools on their way back see.
    pub(crate) fn returning(&self) -> &[(PoolNumber, View)] {
        &self.returning
    }

    /// A slot.
    #[inline]
    pub fn slot(&self, slot: u32) -> &SlotView {
        &self.slots[slot as usize]
    }

    /// All slots, in order.
    pub(crate) fn slots(&self) -> &[SlotView] {
        &self.slots
    }
}

impl View {
    /// With pools on their way back.
    fn with_returning(
        mut self,
        health: &[SlotHealth],
        returning: &[ReturningPool],
        look: impl Fn(&[SlotHealth]) -> View,
    ) -> View {
        let of_pool = |pool: &ReturningPool| {
            let mut health = health.to_vec();
            for (slot, went_down) in &pool.slots {
                if let Some(slot) = health.get_mut(*slot as usize) {
                    *slot = SlotHealth::returning(*went_down);
                }
            }
            (PoolNumber(pool.pool), look(&health))
        };
        if returning.is_empty() {
            return self;
        }
        self.returning = returning.iter().map(of_pool).collect();
        self.slots.iter_mut().for_each(|slot| slot.unconditional = 0);
        self
    }
}

/// What a policy sees that has more damped PoPs than its share.
fn undamped(health_state: &HealthState, policy: u32, health: &[SlotHealth]) -> Option<Vec<SlotHealth>> {
    let at = health_state.undamped.binary_search_by_key(&policy, |(policy, _)| *policy).ok()?;
    let mut health = health.to_vec();
    for slot in &health_state.undamped[at].1 {
        if let Some(slot) = health.get_mut(*slot as usize) {
            (slot.damped_v4, slot.damped_v6) = (0, 0);
        }
    }
    Some(health)
}

/// Pools of a policy on their way back.
fn pools_of(health_state: &HealthState, policy: u32) -> &[ReturningPool] {
    let all = &health_state.returning;
    let (from, to) =
        (all.partition_point(|pool| pool.policy < policy), all.partition_point(|pool| pool.policy <= policy));
    &all[from..to]
}

impl SlotView {
    fn new(slot: &Slot, health: SlotHealth, state: AdminState, threshold_percent: u8) -> SlotView {
        let has = slot.families();
        if state == AdminState::Up {
            // Forced up ignores probes, in everything.
            return SlotView {
                down_v4: 0,
                down_v6: 0,
                horizon_secs: NO_HORIZON,
                went_down: 0,
                has,
                up: has,
                last_resort: has,
                unconditional: 0,
                awaited: 0,
            };
        }
        let enough = |total: usize, down: u64| {
            let up = total - (down.count_ones() as usize).min(total);
            // At least ceil(threshold * total), and never none.
            up > 0 && up * 100 >= total * usize::from(threshold_percent)
        };
        // What flaps is left out while enough else is up.
        let family = |bit: Families, total: usize, down: u64, damped: u64| {
            let is = |down: u64| if has & bit != 0 && enough(total, down) { bit } else { 0 };
            let (up, last_resort) = (is(down | damped), is(down));
            (up, last_resort, if up != 0 { down | damped } else { down })
        };
        let (up_v4, last_v4, down_v4) = family(V4, slot.v4.len(), health.down_v4, health.damped_v4);
        let (up_v6, last_v6, down_v6) = family(V6, slot.v6.len(), health.down_v6, health.damped_v6);
        let (up, last_resort, awaited) = match health.is_awaited {
            true => (0, 0, last_v4 | last_v6),
            false => (up_v4 | up_v6, last_v4 | last_v6, 0),
        };
        let horizon_secs = if state == AdminState::Down { NO_HORIZON } else { health.horizon_secs };
        SlotView {
            down_v4,
            down_v6,
            horizon_secs,
            went_down: health.went_down,
            has,
            up,
            last_resort,
            unconditional: 0,
            awaited,
        }
    }

    /// This view of a slot with what is supposed of its PoP, whose status is `is`; `fell` is the
    /// number of its fall.
    fn supposing(&self, what: Supposed, slot: &Slot, is: &PopStatus, sheds: bool, fell: u32) -> SlotView {
        if matches!(is.state, AdminState::Up | AdminState::Down) && what != Supposed::Drain {
            return *self;
        }
        let has = slot.families();
        match what {
            Supposed::Drain => SlotView { unconditional: 0, ..*self },
            Supposed::Down => SlotView {
                down_v4: u64::MAX,
                down_v6: u64::MAX,
                went_down: fell,
                up: 0,
                last_resort: 0,
                unconditional: 0,
                awaited: 0,
                ..*self
            },
            Supposed::Up => {
                let is_regular = is.state == AdminState::Auto && is.weight > 0 && is.left == 0 && !sheds;
                SlotView {
                    down_v4: 0,
                    down_v6: 0,
                    went_down: 0,
                    up: has,
                    last_resort: has,
                    unconditional: if is_regular { has } else { 0 },
                    awaited: 0,
                    ..*self
                }
            }
        }
    }

    /// Whether some of its addresses are not answered.
    pub(crate) fn lacks_addresses(&self) -> bool {
        self.down_v4 | self.down_v6 != 0
    }

    /// Families that may be answered in a tier: those that are up, as a last resort also those that
    /// flap; and all it has where probes are ignored.
    #[inline]
    pub(crate) fn families(&self, tier: CandidateTier, ignore_probes: bool) -> Families {
        match tier {
            _ if ignore_probes => self.has,
            CandidateTier::Regular => self.up,
            CandidateTier::LastResort => self.last_resort,
        }
    }
}

/// What is supposed of a PoP, in place of what is so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Supposed {
    /// Probes call all of it down.
    Down,
    /// Probes call all of it up.
    Up,
    /// An operator drains it.
    Drain,
}

/// Everything that changes without a reload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    pops: Box<[PopStatus]>,
    /// For each slot; empty while nothing is shed anywhere.
    sheds: Box<[Shed]>,
    views: Box<[View]>,
    /// For each policy its view, and whether cells part by anything gradual.
    policies: Box<[(u16, bool)]>,
}

impl Status {
    /// The status of a deployment: what operators say of each PoP, what probes say of each slot,
    /// and what load sends away from each (none for nothing anywhere).
    pub fn new(
        pops: Vec<PopStatus>,
        slots: &[Slot],
        policies: &[PolicyTable],
        health_state: &HealthState,
        sheds: Vec<Shed>,
    ) -> Status {
        let sheds = if sheds.iter().any(|shed| shed.share > 0) { sheds } else { Vec::new() };
        let mut views: Vec<View> = Vec::new();
        let mut known: HashMap<(u8, usize), u16> = HashMap::new();
        let of_policy = |(index, policy): (usize, &PolicyTable)| {
            let held = health_state.held.binary_search_by_key(&(index as u32), |(policy, _)| *policy).ok();
            let health = held.map_or(&health_state.slots, |at| &health_state.held[at].1);
            // Policies that are held from the same moment on see the same.
            let same = held
                .and_then(|at| health_state.held[..at].iter().position(|(_, slots)| slots == health))
                .or(held);
            let look =
                |health: &[SlotHealth]| View::new(&pops, slots, health, &sheds, policy.up_threshold_percent);
            let key = (policy.up_threshold_percent, same.map_or(0, |at| at + 1));
            let returning = pools_of(health_state, index as u32);
            let steady = undamped(health_state, index as u32, health);
            let is_own = steady.is_some() || !returning.is_empty();
            let health = steady.as_deref().unwrap_or(health);
            let view = if !is_own {
                *known.entry(key).or_insert_with(|| {
                    views.push(look(health));
                    (views.len() - 1) as u16
                })
            } else {
                // What one policy alone sees.
                views.push(look(health).with_returning(health, returning, look));
                (views.len() - 1) as u16
            };
            let mut members =
                policy.members.iter().filter_map(|m| m.target.split().ok()).map(|pop| usize::from(pop.0));
            let parts = members.any(|pop| {
                let sheds = sheds.get(policy.slots[pop] as usize).is_some_and(|shed| shed.share > 0);
                sheds || (1..ALL_CELLS).contains(&pops[pop].left)
            });
            (view, parts)
        };
        let policies = policies.iter().enumerate().map(of_policy).collect();
        Status { pops: pops.into(), sheds: sheds.into(), views: views.into(), policies }
    }

    /// This status but for what is supposed of some PoPs. Where an operator has forced a PoP up or
    /// switched it off, supposed probes change nothing, as in service. A PoP that is forced up and
    /// supposed to drain counts as well: a status does not know its probes.
    pub fn supposing(&self, slots: &[Slot], supposed: &[(PopId, Supposed)]) -> Status {
        let mut status = self.clone();
        for (pop, what) in supposed {
            let Some(is) = status.pops.get_mut(usize::from(pop.0)) else { continue };
            if *what == Supposed::Drain {
                is.state = AdminState::Drain;
            }
            let is = *is;
            let all = status.views.iter().flat_map(|view| view.slots.iter());
            let last = all.map(|slot| slot.went_down).max();
            for view in &mut status.views {
                let of_pop = slots.iter().enumerate().filter(|(_, slot)| slot.pop == *pop);
                for (index, slot) in of_pop {
                    let Some(seen) = view.slots.get_mut(index) else { continue };
                    let sheds = self.sheds.get(index).is_some_and(|shed| shed.share > 0);
                    *seen = seen.supposing(*what, slot, &is, sheds, last.unwrap_or(0) + 1);
                }
            }
        }
        status
    }

    /// A PoP's state, weight and shares.
    #[inline]
    pub fn pop(&self, pop: PopId) -> &PopStatus {
        &self.pops[usize::from(pop.0)]
    }

    /// All PoPs in order.
    pub fn pops(&self) -> &[PopStatus] {
        &self.pops
    }

    /// What load sends away from a slot.
    #[inline]
    pub fn shed(&self, slot: u32) -> Option<&Shed> {
        self.sheds.get(slot as usize)
    }

    /// What load sends away from each slot; empty while nothing is shed anywhere.
    pub(crate) fn sheds(&self) -> &[Shed] {
        &self.sheds
    }

    /// What a policy sees, by its index.
    #[inline]
    pub fn view(&self, policy: u32) -> &View {
        &self.views[usize::from(self.policies[policy as usize].0)]
    }

    /// Whether the cell of a client has a say in what a policy answers: always, or now because
    /// something gradual parts its cells.
    #[inline]
    pub(crate) fn by_cell(&self, index: u32, policy: &PolicyTable) -> bool {
        self.seen_by(index, policy).1
    }

    /// [`Status::view`] and [`Status::by_cell`].
    #[inline(always)]
    pub fn seen_by(&self, index: u32, policy: &PolicyTable) -> (&View, bool) {
        let (view, parts) = self.policies[index as usize];
        (&self.views[usize::from(view)], policy.by_cell || (parts && policy.share == Sharing::Sticky))
    }

    /// All views, and which each policy has.
    pub(crate) fn views(&self) -> (&[View], impl Iterator<Item = u16> + '_) {
        (&self.views, self.policies.iter().map(|(view, _)| *view))
    }

    /// Where a PoP stands with a weight for a cell; `None` if it is switched off by hand.
    #[inline]
    pub fn tier(&self, pop: PopId, weight: u32, cell: u64, seed: u64) -> Option<CandidateTier> {
        let status = self.pop(pop);
        match status.state {
            AdminState::Down => None,
            AdminState::Drain => Some(CandidateTier::LastResort),
            _ if weight == 0 => Some(CandidateTier::LastResort),
            _ if status.is_left_by(cell, seed) => Some(CandidateTier::LastResort),
            _ => Some(CandidateTier::Regular),
        }
    }

    /// 0 while a planned change of any PoP of a policy or its rules is near, else [`NO_HORIZON`].
    pub(crate) fn planned_secs(&self, policy: &PolicyTable) -> u32 {
        let pops = policy.members.iter().filter_map(|member| member.target.split().ok());
        pops.map(|pop| self.pop(pop).horizon_secs).min().unwrap_or(NO_HORIZON)
    }

    /// Whether anybody of a policy or its rules has a family and is not switched off by hand,
    /// whatever probes say.
    pub(crate) fn offers(&self, policy: &PolicyTable, view: &View, family: Families) -> bool {
        policy.members.iter().filter_map(|member| member.target.split().ok()).any(|pop| {
            let slot = policy.slots[usize::from(pop.0)];
            slot != NO_SLOT && view.slot(slot).has & family != 0 && self.pop(pop).state != AdminState::Down
        })
    }
}

#[cfg(test)]
mod tests;
