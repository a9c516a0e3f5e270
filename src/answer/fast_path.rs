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
use crate::wire::rr::{CLASS_IN, Rcode, RrType};
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
        self.denial(step, apex)
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

/// True if the fast path may answer this type. False for OPT, CNAME, and DS, which lies above a cut
/// (RFC 4035 section 3.1.4.1). False for all types from 249 on: ANY and the other types for
/// questions alone are among them, and the data types (such as CAA) are rare.
#[inline(always)]
pub(super) fn is_plain(qtype: RrType) -> bool {
    IS_PLAIN.get(usize::from(qtype.0)).is_some_and(|is_plain| *is_plain)
}

const IS_PLAIN: [bool; 249] = {
    let mut types = [true; 249];
    let mut apart = [RrType::CNAME, RrType::OPT, RrType::DS].as_slice();
    while let [next, others @ ..] = apart {
        types[next.0 as usize] = false;
        apart = others;
    }
    types
};
