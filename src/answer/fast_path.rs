//! The fast path: the usual answers in a straight line. These are an RRset, its denial, a CNAME to
//! one of our names, and the addresses of a PoP that is chosen without a scan of the candidates
//! ([`leader`]).
//!
//! The fast path decides as [`Walk::walk`] does, but omits checks that cannot fail for usual
//! answers. An unusual case goes to `walk` from the step at which it is met, before anything of
//! that step is written. The two are separate functions, because the branches of `walk` need values
//! that usual answers never read, and the processor has few registers. A recording trace uses
//! `walk` alone, so `explain` never comes here, and the law that a traced answer is the served
//! answer compares the two.

use super::outcome::Outcome;
use super::reply::Reply;
use crate::answer::step::Step;
use crate::steer::choose::{Choice, Resort, leader};
use crate::wire::header::flag;
use crate::wire::position::NamePosition;
use crate::wire::rr::{CLASS_IN, Rcode, RrType, Ttl};
use crate::zone::image::{Match, NodeId, Set, Steered, Usual};
use crate::zone::set::Found;
use crate::zone::text::ChainMode;

impl<'s> Reply<'s> {
    /// Writes a usual answer and returns its response code. For any other, the error is the step
    /// from which to walk, or `None` if the walk must begin at the question. `found` is the lookup
    /// of the name, if an earlier stage did it.
    #[inline(always)]
    pub(crate) fn fast_path(
        &mut self,
        found: Option<Found>,
        outcome: &mut Outcome,
    ) -> Result<Rcode, Option<Step<'s>>> {
        let query = self.query;
        if query.qclass != CLASS_IN || !is_plain(query.qtype) {
            return Err(None);
        }
        let Some(found) = found.or_else(|| self.snapshot.zones.lookup(&query.name)) else { return Err(None) };
        outcome.zone = Some(found.zone);
        self.response.set_flag(flag::AA);
        let mut step = self.step(query.name.wire(), NamePosition::QUESTION, found);
        while self.steps_left > 0 {
            match step.found.matched {
                Match::Exact(node) | Match::Wildcard(node) => match step.image.usual(node, query.qtype) {
                    Usual::Steered(steered) => match self.fast_steered(step, node, steered, outcome) {
                        Some(_) => return Ok(Rcode::NOERROR),
                        None => break,
                    },
                    Usual::Alias(set) if let Some(next) = self.fast_cname(step, set) => step = next,
                    data => match self.fast_data(step, data) {
                        Some(_) => return Ok(Rcode::NOERROR),
                        None => break,
                    },
                },
                Match::NoName if self.fast_denial(step).is_some() => return Ok(Rcode::NXDOMAIN),
                _ => break,
            }
            self.steps_left -= 1;
        }
        Err(Some(step))
    }

    /// Writes the RRset that is asked for, or its denial.
    #[inline(always)]
    fn fast_data(&mut self, step: Step<'s>, data: Usual<'_>) -> Option<usize> {
        if let Usual::NoData = data { self.fast_denial(step) } else { self.data(step, data) }
    }

    /// Writes the SOA that denies the name, or the type of the name.
    #[inline(always)]
    fn fast_denial(&mut self, step: Step<'s>) -> Option<usize> {
        let apex = step.ending(&self.response, step.image.apex()).pointer()?;
        self.denial(step, apex, Ttl::MAX)
    }

    /// Writes a CNAME, if it leads to one of our names.
    #[inline(always)]
    fn fast_cname(&mut self, step: Step<'s>, set: &Set) -> Option<Step<'s>> {
        let zone = step.image;
        // Only where a chain is simply followed.
        if zone.chain != ChainMode::Full {
            return None;
        }
        let rdata = zone.records(set).next()?;
        let target = self.snapshot.zones.target(step.found.zone, rdata.link?)?;
        let written = self.cname(step, step.owner().pointer()?, rdata)?;
        Some(self.step(target.name, written, target.found))
    }

    /// Writes the answer at a steered name, if it needs no scan of the candidates: the addresses of
    /// the PoP that leads the preference list or wins among equals. For a type that the policy does
    /// not decide, writes the records of the zone.
    #[inline(always)]
    fn fast_steered(
        &mut self,
        step: Step<'s>,
        node: NodeId,
        steered: &Steered,
        outcome: &mut Outcome,
    ) -> Option<usize> {
        let (snapshot, qtype) = (self.snapshot, self.query.qtype);
        let policy = snapshot.steering.policies.get(steered.policy.index())?;
        if !policy.decides(qtype) {
            return self.fast_data(step, step.image.data(node, qtype));
        }
        let family = policy.offers(qtype).filter(|_| !policy.may_alias())?;
        let (decision, view) = self.decide(step, steered)?;
        let question = snapshot.question(policy, decision.preference_list, view, Some(family));
        let (pop, slot, horizon_secs) = leader(question, &|| decision.key())?;
        let seen = view.slots().get(slot.index())?;
        let answered = (snapshot.steering.slots.get(slot.index())?, (seen.v4, seen.v6));
        let ttl = steered.ttl.unwrap_or(decision.preference_list.ttl).at(horizon_secs);
        let written = self.addresses(step.owner().pointer()?, answered, &decision, ttl)?;
        let choice = Choice::Pop { pop, slot, resort: Resort::Regular };
        self.takes(policy, &decision, choice, outcome);
        Some(written)
    }
}

/// True if the fast path may answer this type ([`is_plain_number`]).
#[inline(always)]
pub(super) fn is_plain(qtype: RrType) -> bool {
    IS_PLAIN.get(usize::from(qtype.0)).is_some_and(|is_plain| *is_plain)
}

/// The lowest number from which no type is plain.
const TYPES_END: u16 = RrType::TKEY.0;

/// Each type with a rule of its own is named here. All others are looked up alike, whatever their
/// number: a node has data of the type, or is denied it.
const fn is_plain_number(number: u16) -> bool {
    const CNAME: u16 = RrType::CNAME.0;
    const OPT: u16 = RrType::OPT.0;
    const DS: u16 = RrType::DS.0;
    match number {
        // No chain is followed.
        CNAME => false,
        // Not a question type.
        OPT => false,
        // Lies above a cut (RFC 4035 section 3.1.4.1).
        DS => false,
        // Data types, and numbers that no type has yet.
        0..TYPES_END => true,
        // TKEY, TSIG, transfers, MAILB, MAILA and ANY are no data. The data types behind them, such
        // as CAA, are rare.
        TYPES_END.. => false,
    }
}

const IS_PLAIN: [bool; TYPES_END as usize] = {
    let mut types = [true; TYPES_END as usize];
    let mut number = 0;
    while number < TYPES_END {
        types[number as usize] = is_plain_number(number);
        number += 1;
    }
    types
};
