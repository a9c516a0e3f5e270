//! The fast path, usual answers in a straight line: an RRset that stands ready, a CNAME to another
//! of our names, and the address of the one PoP that a policy puts first while nothing speaks
//! against it.
//!
//! Nothing is decided here that [`Walk::walk`] would not decide alike; this only leaves out the
//! questions whose answers are known. What is not usual is left to `walk` from the step at which it
//! is met, before anything of that step is written. It is apart because all that might be asked
//! besides would keep the processor from holding in its registers what is. A trace hears `walk`
//! alone, so `explain` never comes here, and the law that a traced answer is the served answer
//! compares the two.

use super::outcome::{Outcome, Reason};
use super::reply::Reply;
use crate::answer::step::Step;
use crate::snapshot::locate::Evidence;
use crate::steer::choose::{Resort, sole};
use crate::steer::table::{V4, V6};
use crate::wire::header::flag;
use crate::wire::position::NamePosition;
use crate::wire::response::Section;
use crate::wire::rr::{CLASS_IN, Rcode, RrType};
use crate::zone::image::{Match, Set, Steered, Usual};
use crate::zone::text::ChainMode;
use std::net::IpAddr;

impl<'s> Reply<'s> {
    /// The response code of a usual answer, or the step from which to walk, if one was found.
    #[inline(always)]
    pub(crate) fn fast_path(&mut self, outcome: &mut Outcome) -> Result<Rcode, Option<Step<'s>>> {
        let query = self.query;
        if query.qclass != CLASS_IN || !is_plain(query.qtype) {
            return Err(None);
        }
        let Some(found) = self.snapshot.zones.lookup(&query.name) else { return Err(None) };
        outcome.zone = Some(found.zone);
        self.response.set_flag(flag::AA);
        let mut step = self.step(query.name.wire(), NamePosition::QUESTION, found);
        while self.steps_left > 0 {
            match step.found.matched {
                Match::Exact(node) => match step.image.usual(node, query.qtype) {
                    Usual::Steered(steered) if self.fast_address(step, steered, outcome).is_some() => {
                        return Ok(Rcode::NOERROR);
                    }
                    Usual::Ready(records, count)
                        if step.owns_what_is_ready()
                            && self.response.ready(Section::Answer, records, count).is_ok() =>
                    {
                        return Ok(Rcode::NOERROR);
                    }
                    Usual::Alias(set) if let Some(next) = self.fast_cname(step, set) => step = next,
                    _ => break,
                },
                Match::NoName if self.fast_nxdomain(step).is_some() => return Ok(Rcode::NXDOMAIN),
                _ => break,
            }
            self.steps_left -= 1;
        }
        Err(Some(step))
    }

    /// Writes the SOA of the zone that knows no such name.
    #[inline(always)]
    fn fast_nxdomain(&mut self, step: Step<'s>) -> Option<usize> {
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

    /// Writes the one address of the PoP that a policy puts first, to an IPv4 client.
    #[inline(always)]
    fn fast_address(&mut self, step: Step<'s>, steered: &Steered, outcome: &mut Outcome) -> Option<()> {
        let (snapshot, qtype) = (self.snapshot, self.query.qtype);
        let family = match qtype {
            RrType::A => V4,
            RrType::AAAA => V6,
            _ => return None,
        };
        let policy = snapshot.steering.policies.get(steered.policy as usize)?;
        // Whether a type exists depends on the policy's own candidates, whomever a rule may add for
        // some clients.
        if policy.families & family == 0 || policy.may_alias() || policy.resolver_classes.is_some() {
            return None;
        }
        let (view, by_cell) = snapshot.status.seen_by(steered.policy, policy);
        let trie = policy.routes_of(by_cell).first()?;
        let query_source = self.query_source();
        let subnet = query_source.subnet.filter(|_| policy.ecs);
        let IpAddr::V4(address) = subnet.map_or(query_source.resolver, |subnet| subnet.address) else {
            return None;
        };
        let (choice, depth) = match subnet {
            Some(_) => trie.v4.lookup(address.to_bits()),
            None => trie.full_depth_v4(address.to_bits()),
        };
        let [by_ecs, by_resolver] = *policy.choices.get(choice as usize)?;
        // `BY_ECS_SPECIAL` is never a valid preference list, so `get` returns `None`.
        let preference_list =
            policy.preference_lists.get(if subnet.is_some() { by_ecs } else { by_resolver } as usize)?;
        let (_, pop, slot, horizon_secs) = sole(policy, preference_list, view, family)?;
        let own = snapshot.steering.slots.get(slot as usize)?;
        let ttl = steered.ttl.unwrap_or(preference_list.ttl).at(horizon_secs);
        // Where the only address of a family were down, so would be the PoP in that family.
        match (&*own.v4, &*own.v6) {
            ([only], _) if family == V4 => {
                self.response.pointed_address(step.owner(), qtype, ttl, only.address.octets())?
            }
            (_, [only]) if family == V6 => {
                self.response.pointed_address(step.owner(), qtype, ttl, only.address.octets())?
            }
            _ => return None,
        }
        // The cell was not read.
        let (evidence, scope) = match subnet {
            _ if !policy.located && !by_cell => (Evidence::Nothing, 0),
            Some(_) => (Evidence::Ecs, if policy.located { depth.max(1) } else { 0 }),
            None => (Evidence::Resolver, 0),
        };
        self.scope = self.scope.max(scope);
        outcome.policy = Some(steered.policy);
        outcome.reason = Some(Reason::Regular);
        outcome.evidence = Some(evidence);
        outcome.pop = Some((pop, Resort::Regular));
        Some(())
    }
}

/// Whether a type is data, whatever its name, and asked of the name itself: not OPT, nor what only
/// asks; nor CNAME, nor DS, which lies above a cut (RFC 4035 section 3.1.4.1).
#[inline(always)]
fn is_plain(qtype: RrType) -> bool {
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
