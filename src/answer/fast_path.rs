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
use crate::snapshot::locate::Decision;
use crate::steer::answerable::Answerable;
use crate::steer::choose::{Choice, Resort, leader};
use crate::steer::table::{SharedAddress, V4, V6};
use crate::wire::hash;
use crate::wire::header::flag;
use crate::wire::position::NamePosition;
use crate::wire::response::Section;
use crate::wire::rr::{CLASS_IN, Rcode, RrType, Ttl};
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
                        Some(()) => return Ok(Rcode::NOERROR),
                        None => break,
                    },
                    Usual::Alias(set) if let Some(next) = self.fast_cname(step, set) => step = next,
                    Usual::Alias(_) => break,
                    data => match self.fast_data(step, data) {
                        Some(()) => return Ok(Rcode::NOERROR),
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
    fn fast_data(&mut self, step: Step<'s>, data: Usual<'_>) -> Option<()> {
        match data {
            Usual::Ready(records, count) if step.owns_what_is_ready() => {
                self.response.ready(Section::Answer, records, count).ok()
            }
            Usual::Ready(..) | Usual::Steered(_) | Usual::Alias(_) => None,
            Usual::Named(set) => {
                let records = step.image.records(set);
                self.response.rrset(Section::Answer, step.owner(), records, step.written(), |_, _| {}).ok()
            }
            Usual::NoData => self.fast_denial(step).map(|_| ()),
        }
    }

    /// Writes the SOA of the zone that knows no such name, or no such type of it.
    #[inline(always)]
    fn fast_denial(&mut self, step: Step<'s>) -> Option<usize> {
        let (zone, soa) = (step.image, step.image.denial()?);
        let apex = step.ending(&self.response, zone.apex());
        self.response.pointed(Section::Authority, apex, &soa, step.written())
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
        let at = self.response.pointed(Section::Answer, step.owner(), &rdata, step.written())?;
        Some(self.step(target.name, rdata.written(at, step.written()), target.found))
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
    ) -> Option<()> {
        let (snapshot, qtype) = (self.snapshot, self.query.qtype);
        let policy = snapshot.steering.policies.get(steered.policy.index())?;
        // A CNAME answers every type.
        if policy.may_alias() {
            return None;
        }
        let family = match qtype {
            RrType::A => V4,
            RrType::AAAA => V6,
            RrType::HTTPS if policy.https => return None,
            _ => return self.fast_data(step, step.image.data(node, qtype)),
        };
        // The policy's own candidates decide which types exist, whatever PoPs a rule adds for some
        // clients.
        if policy.families & family == 0 {
            return self.fast_data(step, Usual::NoData);
        }
        let seed = match step.found.matched {
            Match::Wildcard(_) => hash::name(step.name),
            _ => steered.seed,
        };
        let (decision, view) = self.decide(steered.policy, seed)?;
        let question = snapshot.question(policy, decision.preference_list, view, Some(family));
        let (pop, slot, horizon_secs) = leader(question, &|| decision.key())?;
        let own = snapshot.steering.slots.get(slot.index())?;
        let seen = view.slots().get(slot.index())?;
        let ttl = steered.ttl.unwrap_or(decision.preference_list.ttl).at(horizon_secs);
        if family == V4 {
            let own = (&*own.v4, seen.v4);
            self.fast_addresses(step, own, &decision, ttl, |address| address.octets())?;
        } else {
            let own = (&*own.v6, seen.v6);
            self.fast_addresses(step, own, &decision, ttl, |address| address.octets())?;
        }
        let choice = Choice::Pop { pop, slot, resort: Resort::Regular };
        self.takes((steered.policy, policy), &decision, choice, outcome);
        Some(())
    }

    /// Writes the addresses of a PoP that are up, in a drawn order.
    #[inline(always)]
    fn fast_addresses<A: Copy, const N: usize>(
        &mut self,
        step: Step<'s>,
        (addresses, answerable): (&[SharedAddress<A>], Answerable),
        decision: &Decision<'_>,
        ttl: Ttl,
        octets: impl Fn(A) -> [u8; N],
    ) -> Option<()> {
        let (owner, qtype) = (step.owner(), self.query.qtype);
        if let Some(only) = answerable.only() {
            return self.response.pointed_address(owner, qtype, ttl, octets(addresses.get(only)?.address));
        }
        let mut picked = answerable.pick(addresses, decision.preference_list.answers, &|| decision.key());
        picked.shuffle(self.draw);
        let records = picked.indexes().iter().map(|&index| octets(addresses[usize::from(index)].address));
        self.response.addresses(Section::Answer, owner, qtype, ttl, records).ok()
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
