//! Choosing: a hash and a scan of a preference list against the status.
//!
//! One decision serves A, AAAA and HTTPS. A list has *bands* of equal candidates, the best band
//! first. The first band with a passing PoP decides. Among its PoPs, those that pass in every
//! family of the policy come first, and the highest score wins. Only if the winner lacks the asked
//! family is another PoP chosen, for that family alone.
//!
//! A *cell* is a block of client addresses that moves as a whole. Candidates are tried in this
//! order: regular candidates; last resorts; then the policy's answer for "all down". Last resorts
//! are PoPs that are drained, have weight 0, flap, or serve only some cells now (by a gradual drain
//! or a ramp) and not the client's. By default the answer for "all down" tries the same candidates
//! again and ignores the verdicts of probes. A PoP that an operator has switched off is never
//! answered.
//!
//! An overloaded PoP sheds some cells. A shed cell goes to the first other candidate of the list
//! that passes and accepts the cell. If there is none, the cell stays.

use super::outage::Common;
use super::pop::PopId;
use super::pop_status::CandidateTier;
use super::preference_list::{AllDown, Entry, OWN_WEIGHT, PreferenceList};
use super::rendezvous::Score;
use super::status::Status;
use super::table::{Families, NO_SLOT, PolicyTable, PopIdentity};
use super::view::{SlotView, View};
use crate::health::health_state::NO_HORIZON;
use crate::health::targets::SlotId;

/// The reason why an entry was not chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Passed {
    /// It has none of the addresses that are needed.
    NoAddresses,
    /// An operator has switched it off.
    Off,
    /// Drained, of weight 0, or without this cell because of a gradual drain or a ramp; other
    /// candidates were tried first.
    LastResort,
    /// Down by probes.
    Down,
    /// It came back from all down, and the others have not yet.
    Returning,
    /// It turned up and down too often, and others were tried first.
    Flaps,
    /// An equal with a higher score won.
    Outscored,
    /// An equal that passes in more families was preferred.
    FewerFamilies,
    /// Load sends this cell to another PoP.
    Shed,
    /// It accepts no more of the cells that another sheds.
    NoRoom,
    /// Reserved for last resorts or for the fallback that ignores probes.
    NotYet,
}

/// The stage of the choice at which a PoP was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Resort {
    /// A regular candidate that passes.
    Regular,
    /// A drained candidate, one of weight 0 or without this client's cell, or one that flaps.
    LastResort,
    /// Everything is down; the PoP that went down last.
    LastGood,
    /// Everything is down; the PoP that went down last, a last resort.
    LastGoodLastResort,
    /// Everything is down; as if it were up.
    AsIfUp,
    /// Everything is down and drained; as if it were up.
    AsIfUpLastResort,
}

impl Resort {
    /// Every stage that does not depend on earlier states, in order.
    const ALL: [Resort; 4] = [Resort::Regular, Resort::LastResort, Resort::AsIfUp, Resort::AsIfUpLastResort];

    /// The candidates that the stage considers.
    pub(crate) fn tier(self) -> CandidateTier {
        match self {
            Resort::Regular | Resort::LastGood | Resort::AsIfUp => CandidateTier::Regular,
            Resort::LastResort | Resort::LastGoodLastResort | Resort::AsIfUpLastResort => {
                CandidateTier::LastResort
            }
        }
    }

    /// True if the stage considers only the PoPs that went down last.
    fn asks_last(self) -> bool {
        match self {
            Resort::LastGood | Resort::LastGoodLastResort => true,
            Resort::Regular | Resort::LastResort | Resort::AsIfUp | Resort::AsIfUpLastResort => false,
        }
    }

    /// True if the stage ignores the verdicts of probes.
    pub fn ignores_probes(self) -> bool {
        self >= Resort::LastGood
    }
}

/// The result of a choice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Choice {
    /// A PoP, by its slot.
    Pop {
        /// The PoP.
        pop: PopId,
        /// Its slot.
        slot: SlotId,
        /// The stage of the choice at which a PoP was found.
        resort: Resort,
    },
    /// A CNAME of the policy, by index.
    Cname(u16),
    /// No data, for all clients.
    NoData,
    /// SERVFAIL: nothing may be answered.
    ServFail,
}

/// A listener that hears each entry as it is judged; silent in service.
pub trait ChoiceTrace {
    /// True if it records nothing, so that scans with a known result may be left out.
    const IS_SILENT: bool = false;
    /// An entry and why it was passed over in a scan.
    fn passed(&mut self, entry: &Entry, resort: Resort, why: Passed);
    /// An entry that leads its band so far.
    fn leads(&mut self, entry: &Entry, resort: Resort);
    /// The winner lacks the asked family: what follows is judged for that family alone.
    fn family_alone(&mut self);
}

/// Most equal candidates among which [`leader`] chooses behind a first candidate that is out. A
/// band with more of them needs a scan.
const EQUALS_MAX: usize = 16;

/// Everything a choice reads.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ChoiceInputs<'a> {
    /// The policy.
    pub(crate) policy: &'a PolicyTable,
    /// The preference list of this client.
    pub(crate) preference_list: &'a PreferenceList,
    /// The PoPs' names.
    pub(crate) pops: &'a [PopIdentity],
    /// The status now.
    pub(crate) status: &'a Status,
    /// The policy's view of the status.
    pub(crate) view: &'a View,
    /// The asked family; `None` for types that are not addresses.
    pub(crate) family: Option<Families>,
}

/// Chooses a PoP or another answer. `key` is the hash of cell and owner, or of the draw. It is
/// called only if the choice depends on the key, and no step before that call depends on the cell.
/// So a caller that records the call knows if the ECS scope must cover the cell. The second value
/// is the horizon: the seconds until the state of a consulted PoP can change, or [`NO_HORIZON`].
#[inline(always)]
pub(crate) fn choose(
    question: ChoiceInputs<'_>,
    key: &impl Fn() -> u64,
    choice_trace: &mut impl ChoiceTrace,
) -> (Choice, u32) {
    match sole(
        question.policy,
        question.preference_list,
        question.view,
        question.family.unwrap_or(Families::MAX),
    ) {
        Some((entry, pop, slot, horizon_secs)) => {
            choice_trace.leads(entry, Resort::Regular);
            (Choice::Pop { pop, slot, resort: Resort::Regular }, horizon_secs)
        }
        None => contended(question, key, choice_trace),
    }
}

/// Shortcut for the usual case: the first candidate has no equal, and is unconditional in an asked
/// family.
#[inline(always)]
pub fn sole<'a>(
    policy: &PolicyTable,
    preference_list: &'a PreferenceList,
    view: &View,
    families: Families,
) -> Option<(&'a Entry, PopId, SlotId, u32)> {
    let (first, others) = preference_list.entries.split_first()?;
    if preference_list.cname.is_some()
        || first.weight == 0
        || others.first().is_some_and(|second| second.band == first.band)
    {
        return None;
    }
    let (pop, slot, horizon_secs) = sole_of(policy, view, first, families)?;
    Some((first, pop, slot, horizon_secs))
}

/// Shortcut for the usual cases, with or without equals. If the first candidate is not out, its
/// whole band must be unconditional. If it is out, the same must hold for the candidates that are
/// not out in the first band that has such candidates. Several candidates must be unconditional in
/// every family of the policy, a single one in an asked family. Returns the PoP that [`choose`]
/// would, its slot and the horizon; `None` if a scan is needed.
#[inline(always)]
pub(crate) fn leader(question: ChoiceInputs<'_>, key: &impl Fn() -> u64) -> Option<(PopId, SlotId, u32)> {
    let ChoiceInputs { policy, preference_list, status, view, family, .. } = question;
    let families = family.unwrap_or(Families::MAX);
    if let Some((_, pop, slot, horizon_secs)) = sole(policy, preference_list, view, families) {
        return Some((pop, slot, horizon_secs));
    }
    let first = preference_list.entries.first()?;
    if preference_list.cname.is_some() {
        return None;
    }
    let (_, _, seen) = seen(policy, view, first)?;
    if !seen.is_out {
        return question.best_of(&preference_list.entries, key, |seen| seen.unconditional);
    }
    let behind = Behind::of(policy, preference_list, status, view)?;
    let (pop, slot, horizon_secs) = match behind.equals.get(..behind.count)? {
        [only] => sole_of(policy, view, only, families)?,
        equals => question.best_of(equals, key, |seen| seen.unconditional)?,
    };
    Some((pop, slot, horizon_secs.min(behind.horizon_secs)))
}

/// The candidates that are not out, of the first band that is not wholly out.
struct Behind {
    equals: [Entry; EQUALS_MAX],
    count: usize,
    /// Nearest horizon of the candidates that are out.
    horizon_secs: u32,
}

impl Behind {
    /// The candidates behind a first one that is out, in the list or in its tail; `None` where a
    /// scan is needed.
    #[inline(never)]
    fn of(
        policy: &PolicyTable,
        preference_list: &PreferenceList,
        status: &Status,
        view: &View,
    ) -> Option<Behind> {
        // Both scans would be in vain where nothing passes.
        if status.outage(policy, preference_list.pool, false).is_some() {
            return None;
        }
        let first = *preference_list.entries.first()?;
        let mut behind = Behind { equals: [first; EQUALS_MAX], count: 0, horizon_secs: NO_HORIZON };
        behind.take(preference_list.entries.iter(), policy, view)?;
        if behind.count == 0 {
            behind.take(tail(preference_list, policy), policy, view)?;
        }
        Some(behind)
    }

    /// Takes the first band of some entries that is not wholly out.
    fn take<'e>(
        &mut self,
        entries: impl Iterator<Item = &'e Entry>,
        policy: &PolicyTable,
        view: &View,
    ) -> Option<()> {
        for entry in entries {
            if self.count > 0 && self.equals[0].band != entry.band {
                break;
            }
            let (_, _, seen) = seen(policy, view, entry)?;
            // An entry of weight 0 is a last resort, whatever its PoP is.
            if entry.weight == 0 {
                return None;
            }
            if seen.is_out {
                self.horizon_secs = self.horizon_secs.min(seen.horizon_secs);
            } else {
                (*self.equals.get_mut(self.count)?, self.count) = (*entry, self.count + 1);
            }
        }
        Some(())
    }
}

/// The PoP of an entry, its slot, and the policy's view of the slot.
#[inline(always)]
fn seen<'v>(policy: &PolicyTable, view: &'v View, entry: &Entry) -> Option<(PopId, SlotId, &'v SlotView)> {
    let pop = entry.target.split().ok()?;
    let slot = *policy.slots.get(pop.index())?;
    Some((pop, slot, view.slots().get(slot.index())?))
}

/// PoP, slot and horizon of a candidate without an equal, if it is unconditional in one of
/// `families`.
#[inline(always)]
fn sole_of(
    policy: &PolicyTable,
    view: &View,
    entry: &Entry,
    families: Families,
) -> Option<(PopId, SlotId, u32)> {
    let (pop, slot, seen) = seen(policy, view, entry)?;
    (seen.unconditional & families != 0).then_some((pop, slot, seen.horizon_secs))
}

/// Scans the list, for every other case.
#[inline(never)]
fn contended(
    question: ChoiceInputs<'_>,
    key: &impl Fn() -> u64,
    choice_trace: &mut impl ChoiceTrace,
) -> (Choice, u32) {
    let view = question.view.of(question.preference_list);
    let mut scan = Scan {
        base: question.view,
        question: ChoiceInputs { view, ..question },
        key,
        choice_trace,
        horizon_secs: NO_HORIZON,
        last_down: u32::MAX,
        saw_awaited: false,
        takes_awaited: false,
    };
    let choice = scan.choose();
    (choice, scan.horizon_secs)
}

/// A candidate that won a scan.
#[derive(Clone, Copy)]
enum Winner {
    Pop { pop: PopId, slot: SlotId, families: Families, resort: Resort },
    Cname(u16),
}

/// The candidate that leads a band so far.
struct Best<'a> {
    winner: Winner,
    entry: &'a Entry,
    weight: u32,
    /// Its score, once an equal was met: most bands have one candidate, which needs none.
    score: Option<Score>,
    complete: bool,
}

/// A choice in the making.
struct Scan<'a, 'w, K, W> {
    question: ChoiceInputs<'a>,
    /// The policy's view without pools on their way back.
    base: &'a View,
    key: &'w K,
    choice_trace: &'w mut W,
    /// Nearest horizon of the PoPs that were consulted.
    horizon_secs: u32,
    /// Place of the last fall, for the stages that ask for it.
    last_down: u32,
    /// A candidate was passed over because nothing is known of it yet.
    saw_awaited: bool,
    /// True if such candidates pass.
    takes_awaited: bool,
}

impl<'a, K: Fn() -> u64, W: ChoiceTrace> Scan<'a, '_, K, W> {
    fn choose(&mut self) -> Choice {
        let preference_list = self.question.preference_list;
        if let Some(cname) = preference_list.cname {
            return Choice::Cname(cname);
        }
        let outage = self.outage();
        let stages: &[Resort] = if outage.is_some() { &[] } else { &[Resort::Regular, Resort::LastResort] };
        for &resort in stages {
            if let Some(found) = self.scan(resort, None) {
                let found = if resort == Resort::Regular { self.relieved(found) } else { found };
                return self.with_family(found);
            }
        }
        // Candidates that still await their first probe result come before the policy's answer for
        // all down.
        if self.saw_awaited {
            self.takes_awaited = true;
            for resort in [Resort::Regular, Resort::LastResort] {
                if let Some(found) = self.scan(resort, None) {
                    return self.with_family(found);
                }
            }
        }
        match preference_list.when_all_down {
            AllDown::Cname(index) => return Choice::Cname(index),
            AllDown::ServFail => return Choice::ServFail,
            AllDown::NoData if self.whole_policy_is_down() => return Choice::NoData,
            AllDown::LastGood => {
                self.last_down = self.question.last_down(outage.map(|outage| outage.went_down));
                // No last fall is known where nothing ever was up: answered as if all were up.
                let stages: &[Resort] =
                    if self.last_down > 0 { &[Resort::LastGood, Resort::LastGoodLastResort] } else { &[] };
                for &resort in stages {
                    if let Some(found) = self.scan(resort, None) {
                        return self.with_family(found);
                    }
                }
            }
            AllDown::AsIfUp | AllDown::NoData => {}
        }
        if outage.is_some()
            && let Some((pop, slot, _)) = self.question.first_as_if_up(self.key)
        {
            return Choice::Pop { pop, slot, resort: Resort::AsIfUp };
        }
        for resort in [Resort::AsIfUp, Resort::AsIfUpLastResort] {
            if let Some(found) = self.scan(resort, None) {
                return self.with_family(found);
            }
        }
        Choice::ServFail
    }

    /// Facts about the list's pool, if none of its PoPs passes; the scans for regular candidates
    /// and last resorts are then left out. Lowers the horizon to the nearest of the list, as those
    /// scans would. The pool's horizon is the nearest of its PoPs, so the search ends at a PoP of
    /// the list that has it.
    fn outage(&mut self) -> Option<&'a Common> {
        let ChoiceInputs { policy, preference_list, status, view, .. } = self.question;
        if !W::IS_SILENT {
            return None;
        }
        let returns = !std::ptr::eq(view, self.base);
        let outage = status.outage(policy, preference_list.pool, returns)?;
        for pop in self.question.listed() {
            let slot = policy.slots[pop.index()];
            let slot_secs = match slot {
                NO_SLOT => status.pop(pop).horizon_secs,
                _ => view.slot(slot).horizon_secs,
            };
            self.horizon_secs = self.horizon_secs.min(slot_secs);
            if slot_secs == outage.horizon_secs {
                break;
            }
        }
        Some(outage)
    }

    /// The winner after load is considered. If the winner sheds the cell, the first other candidate
    /// of the list that passes and accepts the cell takes it; if there is none, the cell stays.
    fn relieved(&mut self, winner: Winner) -> Winner {
        let (ChoiceInputs { status, pops, preference_list, .. }, key) = (self.question, self.key);
        let Winner::Pop { pop: from, slot, .. } = winner else { return winner };
        let Some(shed) = status.shed(slot) else { return winner };
        let seed = pops[from.index()].seed;
        if !shed.sheds(key, seed) {
            return winner;
        }
        let list = preference_list.entries.iter().chain(self.question.tail());
        for entry in list {
            let Ok(to) = entry.target.split() else { continue };
            if to == from {
                self.choice_trace.passed(entry, Resort::Regular, Passed::Shed);
                continue;
            }
            let to_seed = pops[to.index()].seed;
            let judged = self.judge(entry, Resort::Regular, None).and_then(|(found, ..)| {
                let sheds_too = matches!(found, Winner::Pop { slot, .. }
                    if status.shed(slot).is_some_and(|s| s.sheds(key, to_seed)));
                if sheds_too {
                    Err(Passed::Shed)
                } else if shed.hands_to(key, seed, to, to_seed) {
                    Ok(found)
                } else {
                    Err(Passed::NoRoom)
                }
            });
            match judged {
                Ok(found) => {
                    self.choice_trace.leads(entry, Resort::Regular);
                    return found;
                }
                Err(why) => self.choice_trace.passed(entry, Resort::Regular, why),
            }
        }
        winner
    }

    /// The winner if it has the asked family, else the next PoP that has the family, for this
    /// family alone. If all PoPs with the family are down, one of them is answered as if it were
    /// up. The policy's answer for all down does not apply, because other families are up, and stub
    /// resolvers that ask for both families fail the whole look-up if one of them gets SERVFAIL.
    fn with_family(&mut self, winner: Winner) -> Choice {
        let ChoiceInputs { policy, preference_list, status, .. } = self.question;
        let (pop, slot, families, resort) = match winner {
            Winner::Cname(index) => return Choice::Cname(index),
            Winner::Pop { pop, slot, families, resort } => (pop, slot, families, resort),
        };
        let Some(family) = self.question.family.filter(|f| families & f == 0) else {
            return Choice::Pop { pop, slot, resort };
        };
        self.choice_trace.family_alone();
        for resort in Resort::ALL.into_iter().filter(|r| *r >= resort) {
            if let Some(Winner::Pop { pop, slot, resort, .. }) = self.scan(resort, Some(family)) {
                return Choice::Pop { pop, slot, resort };
            }
        }
        // Operators have switched off all PoPs with the family: no client gets it.
        if !status.offers(policy, family) {
            self.horizon_secs = self.horizon_secs.min(status.planned_secs(policy));
            return Choice::NoData;
        }
        // The policy offers the family, but the list and its tail do not. Nothing outside a fence
        // is ever answered, and NODATA would deny a type that exists.
        if preference_list.pool.is_fence() {
            return Choice::ServFail;
        }
        // `spill_max_km` bounds moves by health and load. Which families a name has must not depend
        // on the client's place, so the policy's listed order is scanned for this family.
        for resort in Resort::ALL {
            if let Some(Winner::Pop { pop, slot, resort, .. }) =
                self.scan_entries(policy.tail.iter(), resort, Some(family))
            {
                return Choice::Pop { pop, slot, resort };
            }
        }
        // Only PoPs of rules are left. They are tried one by one, in the order of names, because a
        // choice among equals would depend on the client's cell.
        for resort in Resort::ALL {
            for member in &policy.members {
                if let Some(Winner::Pop { pop, slot, resort, .. }) =
                    self.scan_entries(std::iter::once(member), resort, Some(family))
                {
                    return Choice::Pop { pop, slot, resort };
                }
            }
        }
        Choice::ServFail
    }

    /// True if no PoP of the policy passes, for any client. The client's cell is not read: a PoP
    /// that a cell has left is a last resort for this cell, so it passes one of the two scans all
    /// the same.
    fn whole_policy_is_down(&mut self) -> bool {
        let ChoiceInputs { policy, status, .. } = self.question;
        if W::IS_SILENT
            && let Some(secs) = status.whole_outage_secs(policy)
        {
            self.horizon_secs = self.horizon_secs.min(secs);
            return true;
        }
        let Scan { question, base, .. } = *self;
        let mut blind = Scan {
            question,
            base,
            key: &|| 0,
            choice_trace: &mut NoChoiceTrace,
            horizon_secs: NO_HORIZON,
            last_down: u32::MAX,
            saw_awaited: false,
            takes_awaited: true,
        };
        let mut passes = |resort: Resort| {
            // All are looked at: the horizon is that of all.
            let members = question.policy.members.iter();
            members.filter(|member| blind.judge(member, resort, None).is_ok()).count() > 0
        };
        let is_down = !passes(Resort::Regular) && !passes(Resort::LastResort);
        self.horizon_secs = blind.horizon_secs.min(self.horizon_secs);
        is_down
    }

    /// Scans the list, then the tail behind it.
    fn scan(&mut self, resort: Resort, family: Option<Families>) -> Option<Winner> {
        let question = self.question;
        self.scan_entries(question.preference_list.entries.iter(), resort, family)
            .or_else(|| self.scan_entries(question.tail(), resort, family))
    }

    /// The winner of the first band in which anything passes.
    #[inline]
    fn scan_entries(
        &mut self,
        mut entries: impl Iterator<Item = &'a Entry> + Clone,
        resort: Resort,
        family: Option<Families>,
    ) -> Option<Winner> {
        let mut best: Option<Best<'a>> = None;
        let mut band = 0;
        while let Some(entry) = entries.next() {
            if entry.band != band {
                if best.is_some() {
                    break;
                }
                band = entry.band;
            }
            let (winner, weight, complete) = match self.judge(entry, resort, family) {
                Ok(judged) => judged,
                Err(why) => {
                    self.choice_trace.passed(entry, resort, why);
                    continue;
                }
            };
            let mut score = None;
            if let Some(high) = &best {
                let gives_way = !complete
                    && (high.complete || self.is_complete_among(entries.clone(), band, resort, family));
                if gives_way {
                    self.choice_trace.passed(entry, resort, Passed::FewerFamilies);
                    continue;
                }
                if high.complete == complete {
                    let key = (self.key)();
                    let mine = Score::new(key, self.question.seed(entry), weight);
                    let theirs = high
                        .score
                        .unwrap_or_else(|| Score::new(key, self.question.seed(high.entry), high.weight));
                    if !mine.beats(theirs) {
                        best = best.map(|high| Best { score: Some(theirs), ..high });
                        self.choice_trace.passed(entry, resort, Passed::Outscored);
                        continue;
                    }
                    score = Some(mine);
                }
            }
            self.choice_trace.leads(entry, resort);
            best = Some(Best { winner, entry, weight, score, complete });
        }
        best.map(|best| best.winner)
    }

    /// True if a later entry of the band passes in every family of the policy. Then entries that
    /// pass in fewer families cannot win.
    fn is_complete_among(
        &mut self,
        entries: impl Iterator<Item = &'a Entry>,
        band: u16,
        resort: Resort,
        family: Option<Families>,
    ) -> bool {
        let mut equals = entries.take_while(|entry| entry.band == band);
        equals.any(|entry| self.judge(entry, resort, family).is_ok_and(|(.., complete)| complete))
    }

    /// Judges an entry. Returns it as a winner, with its weight and whether it passes in every
    /// family of the policy; or the reason why the entry does not pass.
    #[inline]
    fn judge(
        &mut self,
        entry: &Entry,
        resort: Resort,
        family: Option<Families>,
    ) -> Result<(Winner, u32, bool), Passed> {
        let (ChoiceInputs { policy, status, view, pops, .. }, key) = (self.question, self.key);
        let pop = match entry.target.split() {
            Ok(pop) => pop,
            Err(index) if resort == Resort::Regular && family.is_none() => {
                let weight = if entry.weight == OWN_WEIGHT { 1 } else { entry.weight };
                return Ok((Winner::Cname(index as u16), weight.max(1), true));
            }
            Err(_) => return Err(Passed::NotYet),
        };
        let weight = if entry.weight == OWN_WEIGHT { status.pop(pop).weight } else { entry.weight };
        let tier = status.tier(pop, weight, key, pops[pop.index()].seed);
        let slot = policy.slots[pop.index()];
        let seen = (slot != NO_SLOT).then(|| view.slot(slot));
        let wanted = family.unwrap_or(Families::MAX);
        // In regular service, but the asked families flap.
        let flaps = seen.is_some_and(|seen| {
            seen.up & wanted == 0 && seen.last_resort & wanted != 0 && !resort.ignores_probes()
        });
        let passed = match (tier, resort.tier()) {
            (None, _) => Some(Passed::Off),
            (Some(CandidateTier::LastResort), CandidateTier::Regular) => Some(Passed::LastResort),
            (Some(CandidateTier::Regular), CandidateTier::LastResort) if !flaps => Some(Passed::NotYet),
            (Some(CandidateTier::Regular), CandidateTier::Regular | CandidateTier::LastResort)
            | (Some(CandidateTier::LastResort), CandidateTier::LastResort) => None,
        };
        if let Some(passed) = passed {
            // The probes of a PoP that is passed over do not matter, but a planned change of its
            // state or weight may bring it back.
            self.horizon_secs = self.horizon_secs.min(status.pop(pop).horizon_secs);
            return Err(passed);
        }
        let Some(seen) = seen else { return Err(Passed::NoAddresses) };
        self.horizon_secs = self.horizon_secs.min(seen.horizon_secs);
        if resort.asks_last() && seen.went_down != self.last_down {
            return Err(Passed::Down);
        }
        self.saw_awaited |= seen.awaited != 0;
        let families = seen.families(resort.tier(), resort.ignores_probes())
            | if self.takes_awaited { seen.awaited } else { 0 };
        if families & wanted == 0 {
            return Err(match () {
                () if seen.has & wanted == 0 => Passed::NoAddresses,
                () if flaps => Passed::Flaps,
                () if self.base.slot(slot).up & wanted != 0 => Passed::Returning,
                () => Passed::Down,
            });
        }
        let complete = families & policy.families == policy.families;
        Ok((Winner::Pop { pop, slot, families, resort }, weight.max(1), complete))
    }
}

impl<'a> ChoiceInputs<'a> {
    /// In an outage, the candidate that wins in the first band as if up, where only probes keep the
    /// band down. Looks before it reads the key: a candidate without an equal needs no score.
    fn first_as_if_up(self, key: &impl Fn() -> u64) -> Option<(PopId, SlotId, u32)> {
        let ChoiceInputs { policy, view, preference_list, .. } = self;
        let first = preference_list.entries.first()?;
        let count = preference_list.entries.iter().take_while(|entry| entry.band == first.band).count();
        let equals = preference_list.entries.get(..count)?;
        let passes = |entry: &Entry| {
            let seen = seen(policy, view, entry).filter(|(.., seen)| seen.is_out && entry.weight > 0);
            seen.is_some_and(|(.., seen)| policy.families & !seen.has == 0)
        };
        if !equals.iter().all(passes) {
            return None;
        }
        self.best_of(equals, &|| if count > 1 { key() } else { 0 }, |_| Families::MAX)
    }

    /// The candidate of the first band with the highest score, and the horizon of the band, if all
    /// of it passes without another look in every family of the policy. `passes` gives the families
    /// in which a slot passes.
    #[inline(always)]
    fn best_of(
        self,
        entries: &[Entry],
        key: &impl Fn() -> u64,
        passes: impl Fn(&SlotView) -> Families,
    ) -> Option<(PopId, SlotId, u32)> {
        let ChoiceInputs { policy, status, view, pops, .. } = self;
        let first = entries.first()?;
        let key = key();
        let mut best: Option<(PopId, SlotId, Score)> = None;
        let mut horizon_secs = NO_HORIZON;
        for entry in entries.iter().take_while(|entry| entry.band == first.band) {
            let (pop, slot, seen) = seen(policy, view, entry)?;
            if entry.weight == 0 || policy.families & !passes(seen) != 0 {
                return None;
            }
            horizon_secs = horizon_secs.min(seen.horizon_secs);
            let weight = if entry.weight == OWN_WEIGHT { status.pop(pop).weight } else { entry.weight };
            let score = Score::new(key, pops.get(pop.index())?.seed, weight);
            if best.is_none_or(|(_, _, high)| score.beats(high)) {
                best = Some((pop, slot, score));
            }
        }
        best.map(|(pop, slot, _)| (pop, slot, horizon_secs))
    }

    /// The tail behind the list.
    fn tail(self) -> impl Iterator<Item = &'a Entry> + Clone {
        tail(self.preference_list, self.policy)
    }

    /// The PoPs of the list and of the tail behind it; some may come twice.
    fn listed(self) -> impl Iterator<Item = PopId> {
        let behind = if self.preference_list.tail { &self.policy.tail[..] } else { &[] };
        self.preference_list.entries.iter().chain(behind).filter_map(|entry| entry.target.split().ok())
    }

    /// Highest `went_down` among the PoPs of the list that no operator has switched off; 0 if none
    /// went down. `latest`, if known, is the highest of the whole pool, so the search ends at a PoP
    /// that has it.
    fn last_down(self, latest: Option<u32>) -> u32 {
        let mut last = 0;
        for pop in self.listed() {
            let slot = self.policy.slots[pop.index()];
            if slot != NO_SLOT && self.status.pop(pop).state != super::pop::AdminState::Down {
                last = last.max(self.view.slot(slot).went_down);
                if latest == Some(last) {
                    break;
                }
            }
        }
        last
    }

    fn seed(&self, entry: &Entry) -> u64 {
        match entry.target.split() {
            Ok(pop) => self.pops[pop.index()].seed,
            Err(index) => index as u64,
        }
    }
}

/// The policy's listed order behind a list, without the candidates that are in the list, because
/// their weights may differ there.
fn tail<'a>(
    preference_list: &'a PreferenceList,
    policy: &'a PolicyTable,
) -> impl Iterator<Item = &'a Entry> + Clone {
    let behind = if preference_list.tail { &policy.tail[..] } else { &[] };
    behind.iter().filter(move |behind| !preference_list.entries.iter().any(|e| e.target == behind.target))
}

/// A trace that records nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoChoiceTrace;

impl ChoiceTrace for NoChoiceTrace {
    const IS_SILENT: bool = true;
    #[inline(always)]
    fn passed(&mut self, _: &Entry, _: Resort, _: Passed) {}
    #[inline(always)]
    fn leads(&mut self, _: &Entry, _: Resort) {}
    #[inline(always)]
    fn family_alone(&mut self) {}
}

#[cfg(test)]
mod tests;
