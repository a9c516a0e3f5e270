//! A view: the state of every slot as one policy sees it.
//!
//! Policies have different views if their `up_threshold` differs, if the panic guard holds one of
//! them to earlier health, if one ignores damping, or if a pool of one is on its way back.

use super::answerable::Answerable;
use super::pop::{AdminState, PopId};
use super::pop_status::{CandidateTier, PopStatus, Shed};
use super::preference_list::{PoolNumber, PreferenceList};
use super::table::{Families, Slot, V4, V6};
use crate::health::health_state::{NO_HORIZON, ReturningPool, SlotHealth};
use crate::health::targets::SlotId;
use crate::health::way_back::Census;

/// A slot as a policy sees it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
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
    /// Families in which the slot may be answered without further checks: those in `up`, if the PoP
    /// is in regular service with a weight above 0, and all cells are there (no gradual drain, ramp
    /// or shedding). Only a weight of 0 in the list's entry still excludes the slot.
    pub(crate) unconditional: Families,
    /// True if the slot cannot be a regular candidate for any client and family: the PoP is in
    /// regular service, but no family of the slot is up.
    pub(crate) is_out: bool,
    /// IPv4 addresses that are answered.
    pub(crate) v4: Answerable,
    /// IPv6 addresses that are answered.
    pub(crate) v6: Answerable,
    /// Families that take no clients yet, because their addresses are new since a reload and have
    /// no verdict. They take clients before the policy's answer for all down, because unknown is
    /// not down.
    pub awaited: Families,
}

/// All slots as a policy sees them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct View {
    slots: Box<[SlotView]>,
    /// Pools on their way back from all down. If there is one, no slot is unconditional, because
    /// preference lists of that pool use another view.
    returning: Box<[ReturningView]>,
}

/// The view of preference lists whose pool is on its way back from all down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ReturningView {
    /// The pool.
    pub(crate) pool: PoolNumber,
    /// All slots, those of the pool wholly down.
    pub(crate) view: View,
    /// Slots of the pool.
    members: Box<[SlotId]>,
    /// Share of the pool's PoPs, in per cent, past which it is back.
    share_percent: u8,
}

impl View {
    /// The view of policies with this threshold.
    pub(super) fn new(
        pops: &[PopStatus],
        slots: &[Slot],
        health: &[SlotHealth],
        sheds: &[Shed],
        threshold_percent: u8,
    ) -> View {
        let look = |(index, (slot, health)): (usize, (&Slot, SlotHealth))| {
            let pop = pops.get(slot.pop.index());
            let (state, planned) = pop.map_or((AdminState::Auto, NO_HORIZON), |p| (p.state, p.horizon_secs));
            let view = SlotView::new(slot, health, state, threshold_percent);
            let sheds = sheds.get(index).is_some_and(|shed| shed.share > 0);
            let horizon_secs = view.horizon_secs.min(planned);
            SlotView { horizon_secs, ..view }.prepared(slot, pop, sheds)
        };
        let unknown = std::iter::repeat(SlotHealth::default());
        View {
            slots: slots.iter().zip(health.iter().copied().chain(unknown)).enumerate().map(look).collect(),
            returning: [].into(),
        }
    }

    /// The view that a preference list uses. If its pool is on its way back, and the list goes on
    /// as if all were down, this is the view of that pool.
    pub fn of(&self, preference_list: &PreferenceList) -> &View {
        let mut pools = self.returning.iter().filter(|_| goes_on(preference_list));
        pools.find(|returning| returning.pool == preference_list.pool).map_or(self, |it| &it.view)
    }

    /// True if some of these preference lists show a slot as down, whatever its probes say, because
    /// its pool is on its way back.
    pub(crate) fn is_withheld(&self, slot: SlotId, preference_lists: &[PreferenceList]) -> bool {
        let pools = self.returning.iter().filter(|returning| returning.members.contains(&slot));
        pools
            .map(|returning| returning.pool)
            .any(|pool| preference_lists.iter().any(|list| list.pool == pool && goes_on(list)))
    }

    /// The views of preference lists whose pools are on their way back.
    pub(crate) fn returning(&self) -> &[ReturningView] {
        &self.returning
    }

    /// A slot.
    #[inline]
    pub fn slot(&self, slot: SlotId) -> &SlotView {
        &self.slots[slot.index()]
    }

    /// All slots, in order.
    pub(crate) fn slots(&self) -> &[SlotView] {
        &self.slots
    }
}

impl View {
    /// With pools on their way back.
    pub(super) fn with_returning(
        mut self,
        health: &[SlotHealth],
        returning: &[ReturningPool],
        look: impl Fn(&[SlotHealth]) -> View,
    ) -> View {
        let of_pool = |pool: &ReturningPool| {
            let mut health = health.to_vec();
            for (slot, went_down) in &pool.slots {
                if let Some(slot) = health.get_mut(slot.index()) {
                    *slot = SlotHealth::returning(*went_down);
                }
            }
            ReturningView {
                pool: PoolNumber(pool.pool),
                view: look(&health),
                members: pool.slots.iter().map(|(slot, _)| *slot).collect(),
                share_percent: pool.share_percent,
            }
        };
        if returning.is_empty() {
            return self;
        }
        self.returning = returning.iter().map(of_pool).collect();
        self.slots.iter_mut().for_each(|slot| slot.unconditional = 0);
        self
    }

    /// Applies a supposition about a PoP. It is not applied to the views of pools on their way back
    /// that include the PoP: there the PoP stays down.
    pub(super) fn suppose(&mut self, pop: PopId, supposing: &Supposing<'_>) {
        let Supposing { what, slots, pops, sheds, fell } = *supposing;
        let Some(is) = pops.get(pop.index()) else { return };
        for (index, slot) in slots.iter().enumerate().filter(|(_, slot)| slot.pop == pop) {
            let sheds = sheds.get(index).is_some_and(|shed| shed.share > 0);
            let others =
                self.returning.iter_mut().filter(|returning| !returning.members.contains(&SlotId::at(index)));
            let views = others.map(|returning| &mut returning.view.slots).chain([&mut self.slots]);
            for seen in views.filter_map(|seen| seen.get_mut(index)) {
                *seen = seen.supposing(what, slot, is, sheds, fell);
            }
        }
    }

    /// Ends the way back of each pool that has one of these PoPs, if the pool's PoPs are now all
    /// down, or enough of them are up.
    pub(super) fn end_returns(&mut self, of: &[(PopId, Supposed)], slots: &[Slot], pops: &[PopStatus]) {
        let is_of = |slot: &SlotId| {
            let slot = slots.get(slot.index());
            slot.is_some_and(|slot| of.iter().any(|(pop, _)| *pop == slot.pop))
        };
        let goes_on = |returning: &&ReturningView| {
            !returning.members.iter().any(is_of) || self.still_returns(returning, slots, pops)
        };
        self.returning = self.returning.iter().filter(goes_on).cloned().collect();
        if !self.returning.is_empty() {
            self.slots.iter_mut().for_each(|slot| slot.unconditional = 0);
        }
    }

    /// True if a pool is still on its way back: by this view some of its PoPs are up, but not
    /// enough.
    fn still_returns(&self, returning: &ReturningView, slots: &[Slot], pops: &[PopStatus]) -> bool {
        let mut census = Census::default();
        for index in returning.members.iter().map(|slot| slot.index()) {
            let (Some(slot), Some(seen)) = (slots.get(index), self.slots.get(index)) else { continue };
            let is_up = seen.last_resort | seen.awaited != 0;
            match pops.get(slot.pop.index()).map_or(AdminState::Auto, |pop| pop.state) {
                AdminState::Auto => census.add(is_up),
                AdminState::Up => census.is_served = true,
                AdminState::Drain => census.is_served |= is_up,
                AdminState::Down => {}
            }
        }
        census.up > 0 && !census.is_back(returning.share_percent)
    }
}

impl SlotView {
    fn new(slot: &Slot, health: SlotHealth, state: AdminState, threshold_percent: u8) -> SlotView {
        let has = slot.families();
        if state.is_forced_up() {
            // Forced up ignores probes, in everything.
            return SlotView {
                down_v4: 0,
                down_v6: 0,
                horizon_secs: NO_HORIZON,
                went_down: 0,
                has,
                up: has,
                last_resort: has,
                awaited: 0,
                ..SlotView::default()
            };
        }
        let enough = |total: usize, down: u64| {
            let up = total - (down.count_ones() as usize).min(total);
            // At least ceil(threshold * total), and never none.
            up > 0 && up * 100 >= total * usize::from(threshold_percent)
        };
        // Addresses that flap are left out while enough others are up.
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
        let horizon_secs = if state.is_down() { NO_HORIZON } else { health.horizon_secs };
        SlotView {
            down_v4,
            down_v6,
            horizon_secs,
            went_down: health.went_down,
            has,
            up,
            last_resort,
            awaited,
            ..SlotView::default()
        }
    }

    /// This view of a slot with the facts that follow from it, so that no query has to find them.
    /// `is` is the status of the PoP; `sheds` is true if load sends some of its cells elsewhere.
    fn prepared(self, slot: &Slot, is: Option<&PopStatus>, sheds: bool) -> SlotView {
        let is_regular = is.is_some_and(|is| !is.state.is_out() && is.weight > 0 && is.left == 0);
        SlotView {
            unconditional: if is_regular && !sheds { self.up } else { 0 },
            is_out: is_regular && self.up == 0,
            v4: Answerable::of(&slot.v4, self.down_v4),
            v6: Answerable::of(&slot.v6, self.down_v6),
            ..self
        }
    }

    /// This view of a slot with a supposition about its PoP, whose status is `is`. `fell` is the
    /// `went_down` of a slot that is supposed to be down.
    pub(super) fn supposing(
        &self,
        what: Supposed,
        slot: &Slot,
        is: &PopStatus,
        sheds: bool,
        fell: u32,
    ) -> SlotView {
        let is_fixed = is.state.is_forced_up() || is.state.is_down();
        let has = slot.families();
        let (down, went_down, up) = match what {
            Supposed::Drain => return (*self).prepared(slot, Some(is), sheds),
            Supposed::Down | Supposed::Up if is_fixed => return *self,
            Supposed::Down => (u64::MAX, fell, 0),
            Supposed::Up => (0, 0, has),
        };
        let (down_v4, down_v6, last_resort, awaited) = (down, down, up, 0);
        SlotView { down_v4, down_v6, went_down, up, last_resort, awaited, ..*self }.prepared(
            slot,
            Some(is),
            sheds,
        )
    }

    /// True if some of its addresses are not answered.
    pub(crate) fn lacks_addresses(&self) -> bool {
        self.down_v4 | self.down_v6 != 0
    }

    /// IPv4 and IPv6 addresses of the slot that may be answered. A stage that ignores probes also
    /// ignores their verdicts on single addresses.
    #[inline]
    pub(crate) fn answerable(&self, slot: &Slot, ignores_probes: bool) -> (Answerable, Answerable) {
        match ignores_probes {
            true => (Answerable::of(&slot.v4, 0), Answerable::of(&slot.v6, 0)),
            false => (self.v4, self.v6),
        }
    }

    /// Families that may be answered: those that are up; in the tier of last resorts also those
    /// that flap; all families of the slot if probes are ignored.
    #[inline]
    pub(crate) fn families(&self, tier: CandidateTier, ignore_probes: bool) -> Families {
        match tier {
            _ if ignore_probes => self.has,
            CandidateTier::Regular => self.up,
            CandidateTier::LastResort => self.last_resort,
        }
    }
}

/// True if a preference list goes on as if all were down while its pool is on its way back, because
/// its answer for all down serves clients. An error or a denial ends with the first PoP that is
/// back.
fn goes_on(preference_list: &PreferenceList) -> bool {
    preference_list.when_all_down.lasts_on_the_way_back()
}

/// A supposition, and the status that it is laid over.
#[derive(Clone, Copy)]
pub(super) struct Supposing<'s> {
    /// The supposition.
    pub(super) what: Supposed,
    /// All slots.
    pub(super) slots: &'s [Slot],
    /// All PoPs, as they are supposed to be.
    pub(super) pops: &'s [PopStatus],
    /// Cells that each slot sheds; empty while nothing is shed anywhere.
    pub(super) sheds: &'s [Shed],
    /// Number of the fall of a PoP that is supposed to be down: the last one.
    pub(super) fell: u32,
}

/// A state that is supposed of a PoP, in place of the real one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Supposed {
    /// Probes call all of it down.
    Down,
    /// Probes call all of it up.
    Up,
    /// An operator drains it.
    Drain,
}

#[cfg(test)]
mod tests;
