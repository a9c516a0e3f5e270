//! Status: what is true of every PoP right now. All that a change of health, state or weight replaces.

use super::pop::{AdminState, Pop, PopId};
use super::table::{Families, NO_SLOT, PolicyTable, Slot, V4, V6};

/// What probes say of a service in one PoP.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum Verdict {
    /// Not probed, or no result yet; counts as up.
    #[default]
    Unknown,
    /// Well.
    Up,
    /// Not well.
    Down,
}

/// Which candidates a scan looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// In service.
    Regular,
    /// Drained or of weight 0: only when nothing else passes.
    LastResort,
}

/// A PoP right now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PopStatus {
    /// What the operator says.
    pub state: AdminState,
    /// The PoP's own weight.
    pub weight: u32,
}

/// Everything that changes without a reload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    pops: Box<[PopStatus]>,
    /// For each slot: families it has, and families that probes do not call down.
    slots: Box<[(Families, Families)]>,
}

impl Status {
    /// The status of a deployment where `verdict` says what probes found of a slot and family.
    pub fn new(pops: &[Pop], slots: &[Slot], verdict: impl Fn(&Slot, Families) -> Verdict) -> Status {
        let up = |slot: &Slot, family: Families| slot.families() & family != 0 && verdict(slot, family) != Verdict::Down;
        Status {
            pops: pops.iter().map(|p| PopStatus { state: p.state, weight: p.weight }).collect(),
            slots: slots
                .iter()
                .map(|s| {
                    let well = (if up(s, V4) { V4 } else { 0 }) | (if up(s, V6) { V6 } else { 0 });
                    // Forced up ignores probes.
                    let forced = pops.get(usize::from(s.pop.0)).is_some_and(|p| p.state == AdminState::Up);
                    (s.families(), if forced { s.families() } else { well })
                })
                .collect(),
        }
    }

    /// A PoP's state and weight.
    pub fn pop(&self, pop: PopId) -> PopStatus {
        self.pops[usize::from(pop.0)]
    }

    /// All PoPs in order.
    pub fn pops(&self) -> &[PopStatus] {
        &self.pops
    }

    /// All slots in order: families present, and families up.
    pub fn slots(&self) -> &[(Families, Families)] {
        &self.slots
    }

    /// Where a PoP stands with a weight; `None` if it is switched off by hand.
    pub fn standing(&self, pop: PopId, weight: u32) -> Option<Standing> {
        match self.pop(pop).state {
            AdminState::Down => None,
            AdminState::Drain => Some(Standing::LastResort),
            _ if weight == 0 => Some(Standing::LastResort),
            _ => Some(Standing::Regular),
        }
    }

    /// Whether anybody of a policy or its rules has a family and is not switched off by hand, whatever
    /// probes say.
    pub fn offers(&self, policy: &PolicyTable, family: Families) -> bool {
        policy.members.iter().filter_map(|member| member.target.split().ok()).any(|pop| {
            let slot = policy.slots[usize::from(pop.0)];
            slot != NO_SLOT && self.families(slot, true) & family != 0 && self.pop(pop).state != AdminState::Down
        })
    }

    /// Families of a slot that may be answered: those it has, and unless probes are ignored those
    /// that are not down.
    pub fn families(&self, slot: u32, ignore_probes: bool) -> Families {
        let (has, up) = self.slots[slot as usize];
        if ignore_probes { has } else { up }
    }
}
