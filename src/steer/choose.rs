//! Choosing: a hash and a scan of a plan against the status.
//!
//! One decision serves A, AAAA and HTTPS. The first band with a passing PoP decides; inside it PoPs
//! that pass in every family of the policy come first, and the highest score wins. Only if the winner
//! lacks the asked family does that family go on alone. The order of desperation is: regular
//! candidates; last resorts (drained, weight 0); then what the policy says for "all down", which by
//! default is the same again with the probes' verdicts ignored. A PoP switched off by hand is never
//! answered.

use super::plan::{AllDown, Entry, OWN_WEIGHT, Plan};
use super::pop::PopId;
use super::share::Score;
use super::status::{Standing, Status};
use super::table::{Families, NO_SLOT, PolicyTable, PopIdentity, SharedAddress};
use crate::limits::ANSWERS_MAX;
use crate::wire::hash::mix;

/// Why an entry was not the one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Passed {
    /// It has none of the addresses that are needed.
    NoAddresses,
    /// Switched off by hand.
    Off,
    /// Drained or of weight 0, and others were tried first.
    LastResort,
    /// Down by probes.
    Down,
    /// An equal with a higher score won.
    Outscored,
    /// An equal that passes in more families was preferred.
    FewerFamilies,
    /// Reserved for last resorts or for the fallback that ignores probes.
    NotYet,
}

/// How far the choice had to go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Resort {
    /// A regular candidate that passes.
    Regular,
    /// A drained candidate or one of weight 0.
    LastResort,
    /// Everything is down; as if it were up.
    AsIfUp,
    /// Everything is down and drained; as if it were up.
    AsIfUpLastResort,
}

impl Resort {
    const ALL: [Resort; 4] = [Resort::Regular, Resort::LastResort, Resort::AsIfUp, Resort::AsIfUpLastResort];

    fn standing(self) -> Standing {
        match self {
            Resort::Regular | Resort::AsIfUp => Standing::Regular,
            Resort::LastResort | Resort::AsIfUpLastResort => Standing::LastResort,
        }
    }

    /// Whether the probes' verdicts were ignored.
    pub fn ignores_probes(self) -> bool {
        self >= Resort::AsIfUp
    }
}

/// What came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Choice {
    /// A PoP, by its slot.
    Pop {
        /// The PoP.
        pop: PopId,
        /// Its slot.
        slot: u32,
        /// How far the choice had to go.
        resort: Resort,
    },
    /// A CNAME of the policy, by index.
    Cname(u16),
    /// No data for everyone.
    NoData,
    /// SERVFAIL: nothing may be answered.
    ServFail,
}

/// Sees each entry as it is judged; does nothing in service.
pub trait Watch {
    /// An entry and why it was passed over in a scan.
    fn passed(&mut self, entry: &Entry, resort: Resort, why: Passed);
    /// An entry that leads its band so far.
    fn leads(&mut self, entry: &Entry, resort: Resort, key: u64);
}

/// Everything a choice reads.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    /// The policy.
    pub policy: &'a PolicyTable,
    /// The plan for this client.
    pub plan: &'a Plan,
    /// The PoPs' names.
    pub pops: &'a [PopIdentity],
    /// What is true now.
    pub status: &'a Status,
    /// Hash of cell and owner, or of the draw.
    pub key: u64,
    /// The asked family; `None` for types that are not addresses.
    pub family: Option<Families>,
}

/// Chooses.
pub fn choose(question: Question<'_>, watch: &mut impl Watch) -> Choice {
    if let Some(cname) = question.plan.cname {
        return Choice::Cname(cname);
    }
    for resort in [Resort::Regular, Resort::LastResort] {
        if let Some(found) = question.scan(resort, None, watch) {
            return question.with_family(found, watch);
        }
    }
    match question.plan.when_all_down {
        AllDown::Cname(index) => return Choice::Cname(index),
        AllDown::ServFail => return Choice::ServFail,
        AllDown::NoData if question.whole_policy_is_down() => return Choice::NoData,
        AllDown::AsIfUp | AllDown::NoData | AllDown::LastGood => {}
    }
    for resort in [Resort::AsIfUp, Resort::AsIfUpLastResort] {
        if let Some(found) = question.scan(resort, None, watch) {
            return question.with_family(found, watch);
        }
    }
    Choice::ServFail
}

/// A candidate that won a scan.
#[derive(Clone, Copy)]
enum Winner {
    Pop { pop: PopId, slot: u32, families: Families, resort: Resort },
    Cname(u16),
}

impl Question<'_> {
    /// The winner if it has the asked family, else the next PoP that has it, for that family alone.
    fn with_family(&self, winner: Winner, watch: &mut impl Watch) -> Choice {
        let (pop, slot, families, resort) = match winner {
            Winner::Cname(index) => return Choice::Cname(index),
            Winner::Pop { pop, slot, families, resort } => (pop, slot, families, resort),
        };
        let Some(family) = self.family.filter(|f| families & f == 0) else { return Choice::Pop { pop, slot, resort } };
        for resort in Resort::ALL.into_iter().filter(|r| *r >= resort) {
            if let Some(Winner::Pop { pop, slot, resort, .. }) = self.scan(resort, Some(family), watch) {
                return Choice::Pop { pop, slot, resort };
            }
        }
        // Whoever has the family is switched off by hand: there is none of it for anybody.
        if !self.status.offers(self.policy, family) {
            return Choice::NoData;
        }
        // Only a list that stops short gets here. A fence is never left, and the type does exist.
        if self.plan.fence {
            return Choice::ServFail;
        }
        // A bound on distance is about health and load; which families there are must not depend on
        // where the client is, so the policy's own order answers for this one.
        for resort in Resort::ALL {
            if let Some(Winner::Pop { pop, slot, resort, .. }) = self.scan_entries(self.policy.tail.iter(), resort, Some(family), watch) {
                return Choice::Pop { pop, slot, resort };
            }
        }
        Choice::ServFail
    }

    fn whole_policy_is_down(&self) -> bool {
        ![Resort::Regular, Resort::LastResort]
            .into_iter()
            .any(|r| self.scan_entries(self.policy.members.iter(), r, None, &mut Blind).is_some())
    }

    /// The list, then the policy's listed order without those of the list, whose weights may be others
    /// there.
    fn scan(&self, resort: Resort, family: Option<Families>, watch: &mut impl Watch) -> Option<Winner> {
        let list = self.plan.entries.iter();
        let behind = self.policy.tail.iter().filter(|behind| !self.plan.entries.iter().any(|e| e.target == behind.target));
        self.scan_entries(list, resort, family, watch)
            .or_else(|| if self.plan.tail { self.scan_entries(behind, resort, family, watch) } else { None })
    }

    /// The winner of the first band in which anything passes.
    fn scan_entries<'e>(
        &self,
        entries: impl Iterator<Item = &'e Entry>,
        resort: Resort,
        family: Option<Families>,
        watch: &mut impl Watch,
    ) -> Option<Winner> {
        let mut best: Option<(Winner, Score, bool)> = None;
        let mut band = 0;
        for entry in entries {
            if entry.band != band {
                if best.is_some() {
                    break;
                }
                band = entry.band;
            }
            let (winner, weight, complete) = match self.judge(entry, resort, family) {
                Ok(judged) => judged,
                Err(why) => {
                    watch.passed(entry, resort, why);
                    continue;
                }
            };
            let score = Score::new(self.key, self.seed(entry), weight);
            if let Some((_, high, high_complete)) = best {
                if high_complete && !complete {
                    watch.passed(entry, resort, Passed::FewerFamilies);
                    continue;
                }
                if high_complete == complete && !score.beats(high) {
                    watch.passed(entry, resort, Passed::Outscored);
                    continue;
                }
            }
            watch.leads(entry, resort, self.key);
            best = Some((winner, score, complete));
        }
        best.map(|(winner, ..)| winner)
    }

    /// Whether an entry passes: as what, with which weight, and in every family of the policy.
    fn judge(&self, entry: &Entry, resort: Resort, family: Option<Families>) -> Result<(Winner, u32, bool), Passed> {
        let pop = match entry.target.split() {
            Ok(pop) => pop,
            Err(index) if resort == Resort::Regular && family.is_none() => {
                let weight = if entry.weight == OWN_WEIGHT { 1 } else { entry.weight };
                return Ok((Winner::Cname(index as u16), weight.max(1), true));
            }
            Err(_) => return Err(Passed::NotYet),
        };
        let weight = if entry.weight == OWN_WEIGHT { self.status.pop(pop).weight } else { entry.weight };
        match self.status.standing(pop, weight) {
            None => return Err(Passed::Off),
            Some(Standing::LastResort) if resort.standing() == Standing::Regular => return Err(Passed::LastResort),
            Some(Standing::Regular) if resort.standing() == Standing::LastResort => return Err(Passed::NotYet),
            Some(_) => {}
        }
        let slot = self.policy.slots[usize::from(pop.0)];
        if slot == NO_SLOT {
            return Err(Passed::NoAddresses);
        }
        let families = self.status.families(slot, resort.ignores_probes());
        let wanted = family.unwrap_or(Families::MAX);
        if families & wanted == 0 {
            let has = self.status.families(slot, true) & wanted != 0;
            return Err(if has { Passed::Down } else { Passed::NoAddresses });
        }
        let complete = families & self.policy.families == self.policy.families;
        Ok((Winner::Pop { pop, slot, families, resort }, weight.max(1), complete))
    }

    fn seed(&self, entry: &Entry) -> u64 {
        match entry.target.split() {
            Ok(pop) => self.pops[usize::from(pop.0)].seed,
            Err(index) => index as u64,
        }
    }
}

/// A watch that sees nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Blind;

impl Watch for Blind {
    #[inline(always)]
    fn passed(&mut self, _: &Entry, _: Resort, _: Passed) {}
    #[inline(always)]
    fn leads(&mut self, _: &Entry, _: Resort, _: u64) {}
}

/// Picks at most `answers` of a PoP's addresses by weighted rendezvous; gives how many and their
/// indexes, best first. Addresses of weight 0 are picked only where all are 0.
pub fn pick<A>(addresses: &[SharedAddress<A>], answers: u8, key: u64) -> ([u8; ANSWERS_MAX as usize], usize) {
    let mut picked = [0u8; ANSWERS_MAX as usize];
    let wanted = usize::from(answers.min(ANSWERS_MAX));
    let mut scores = [Score::new(0, 0, 0); ANSWERS_MAX as usize];
    let mut count = 0;
    let all_zero = addresses.iter().all(|a| a.weight == 0);
    for (index, address) in addresses.iter().enumerate() {
        if address.weight == 0 && !all_zero {
            continue;
        }
        let score = Score::new(mix(key, ADDRESS_SALT), address.seed, address.weight.max(1));
        let mut at = count;
        while at > 0 && score.beats(scores[at - 1]) {
            at -= 1;
        }
        if at >= wanted {
            continue;
        }
        count = (count + 1).min(wanted);
        picked.copy_within(at..count - 1, at + 1);
        scores.copy_within(at..count - 1, at + 1);
        (picked[at], scores[at]) = (index as u8, score);
    }
    (picked, count)
}

/// Keeps the choice of an address independent of the choice of its PoP.
const ADDRESS_SALT: u64 = 0x6164_6472_6573_7365;

#[cfg(test)]
mod tests;
