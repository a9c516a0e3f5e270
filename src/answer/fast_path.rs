//! The fast path, usual answers in a straight line: an RRset, its denial, a CNAME to one of
//! our names, and the addresses of the PoP that leads a preference list while nothing speaks
//! against it, alone or among equals that all pass.
//!
//! It decides as [`Walk::walk`] does, and leaves out questions whose answers are known. Unusual
//! cases go to `walk` from the step at which they are met, before anything of that step is written.
//! The two are apart because the branches of `walk` need values that usual answers never read, and
//! the processor has registers for few. A trace hears `walk` alone, so `explain` never comes here,
//! and the law that a traced answer is the served answer compares the two.

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
    /// The response code of a usual answer, or the step from which to walk, if one was found. An
    /// earlier stage may have looked the name up.
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

    /// Writes the SOA of the zone that knows no such name, or no such type of it.
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

    /// Writes what a policy answers without a scan: addresses of the PoP that leads its preference
    /// list, or of the one that wins among equals; and for other types what stands beside them.
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

/// True if a type is data, whatever its name, and asked of the name itself: not OPT, nor a type for
/// questions alone; nor CNAME, nor DS, which lies above a cut (RFC 4035 section 3.1.4.1).
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
