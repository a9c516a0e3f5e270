//! A view: what a policy sees of every slot.
//!
//! Two policies see different things where they ask for different shares of a PoP's addresses, or
//! where the panic guard holds one of them to what was before.

use super::pop::AdminState;
use super::pop_status::{CandidateTier, PopStatus, Shed};
use super::preference_list::{AllDown, PoolNumber, PreferenceList};
use super::table::{Families, Slot, V4, V6};
use crate::health::health_state::{NO_HORIZON, ReturningPool, SlotHealth};

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
    /// In the order of slots.
    pub(super) slots: Box<[SlotView]>,
    /// Of each pool on its way back from all down: what its preference lists see. Where there is
    /// one, no slot is unconditional, because the preference list decides what is seen.
    returning: Box<[(PoolNumber, View)]>,
}

impl View {
    /// What a policy sees with a threshold of its own.
    pub(super) fn new(
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
    pub(super) fn with_returning(
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
    pub(super) fn supposing(
        &self,
        what: Supposed,
        slot: &Slot,
        is: &PopStatus,
        sheds: bool,
        fell: u32,
    ) -> SlotView {
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

#[cfg(test)]
mod tests;
