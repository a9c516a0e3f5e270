//! Names whose addresses a policy decides.

use super::trace::Trace;
use super::walk::Walk;
use crate::answer::step::{Next, Step};
use crate::health::targets::SlotId;
use crate::limits::{ANSWERS_MAX, ECH_OCTETS_MAX};
use crate::snapshot::locate::Decision;
use crate::steer::answerable::Answerable;
use crate::steer::choose::{Choice, Resort, choose};
use crate::steer::policy::PolicyId;
use crate::steer::table::{Families, PolicyTable, SharedAddress, Slot, V4, V6};
use crate::steer::view::View;
use crate::wire::edns::extended_error;
use crate::wire::hash;
use crate::wire::response::Section;
use crate::wire::rr::{Rcode, RrType, Ttl};
use crate::zone::image::{Match, NodeId, Steered};

impl<'s, T: Trace> Walk<'s, '_, T> {
    /// Answers from a policy. Whether a type exists depends on the policy alone, never on the
    /// client: only a CNAME, which answers every type, is exempt.
    pub(crate) fn steered<'n>(&mut self, step: Step<'n>, node: NodeId, steered: &Steered) -> Next<'n>
    where
        's: 'n,
    {
        let snapshot = self.reply.snapshot;
        let policy = &snapshot.steering.policies[steered.policy.index()];
        let family = match self.reply.query.qtype {
            RrType::A => Some(V4),
            RrType::AAAA => Some(V6),
            _ => None,
        };
        let offered = family.filter(|family| policy.families & family != 0);
        if offered.is_none()
            && !policy.may_alias()
            && let Some(next) = self.untailored(step, node, policy, family)
        {
            return next;
        }
        // Names share independently of each other, those below one wildcard too.
        let seed = if matches!(step.found.matched, Match::Wildcard(_)) {
            hash::name(step.name)
        } else {
            steered.seed
        };
        let Some((decision, view)) = self.reply.decide(steered.policy, seed) else {
            return Next::Done(Rcode::SERVFAIL);
        };
        self.trace.decision(policy, &decision);
        let question = snapshot.question(policy, decision.preference_list, view, offered);
        let (choice, horizon_secs) = choose(question, &|| decision.key(), self.trace.choice_trace());
        self.trace.choice(snapshot, policy, choice);
        let ttl = steered.ttl.unwrap_or(decision.preference_list.ttl);
        self.trace.horizon(ttl, horizon_secs);
        let chosen =
            Chosen { policy, index: steered.policy, decision: &decision, choice, ttl: ttl.at(horizon_secs) };
        match (choice, offered) {
            (Choice::Pop { slot, resort, .. }, Some(family)) => {
                self.addresses(step, &chosen, self.seen(view, slot, resort), family)
            }
            _ => self.otherwise(step, &chosen, view),
        }
    }

    /// Records the choice, and raises the ECS scope of the answer to that of the decision. Called
    /// after everything is chosen and before any of it is written. False if the answer must stop
    /// before this step.
    fn takes(&mut self, chosen: &Chosen<'_>) -> bool {
        let Chosen { policy, index, decision, choice, .. } = *chosen;
        if self.stops_before_scope(decision.scope()) {
            return false;
        }
        self.trace.key(policy, decision);
        self.reply.takes((index, policy), decision, choice, self.outcome);
        true
    }

    /// The answer of a policy without CNAMEs to a type of which it has no addresses; `None` for
    /// HTTPS where the policy has such records.
    fn untailored<'n>(
        &mut self,
        step: Step<'n>,
        node: NodeId,
        policy: &PolicyTable,
        family: Option<Families>,
    ) -> Option<Next<'n>>
    where
        's: 'n,
    {
        Some(match family {
            None if policy.https && self.reply.query.qtype == RrType::HTTPS => return None,
            _ if self.stops_before_scope(0) => Next::Done(Rcode::NOERROR),
            Some(_) => self.negative(step, Rcode::NOERROR),
            None if self.reply.query.qtype == RrType::ANY => self.any(step, Ttl::MAX),
            None => self.positive(step, node),
        })
    }

    /// The answer where the choice is not the addresses of a PoP.
    fn otherwise<'n>(&mut self, step: Step<'n>, chosen: &Chosen<'_>, view: &View) -> Next<'n>
    where
        's: 'n,
    {
        let Chosen { policy, choice, ttl, .. } = *chosen;
        if let Choice::Pop { slot, resort, .. } = choice
            && policy.https
            && self.reply.query.qtype == RrType::HTTPS
        {
            return self.https(step, chosen, self.seen(view, slot, resort));
        }
        if !self.takes(chosen) {
            return Next::Done(Rcode::NOERROR);
        }
        match choice {
            Choice::Cname(index) => {
                let target = policy.cnames.get(usize::from(index)).map(|n| n.as_wire()).unwrap_or(b"\0");
                self.steered_cname(step, target, ttl)
            }
            Choice::NoData => self.negative_for(step, Rcode::NOERROR, ttl),
            Choice::ServFail => {
                self.explain_error(extended_error::NO_REACHABLE, "no PoP of the policy may be answered");
                Next::Done(Rcode::SERVFAIL)
            }
            Choice::Pop { .. } if self.reply.query.qtype == RrType::ANY => self.any(step, ttl),
            // A type that this client lacks and that a CNAME of the policy has for others.
            // Resolvers may keep the denial for all clients (RFC 7871 section 7.4), so it ends with
            // the TTL of the policy. Nothing else stands beside a CNAME: a reload refuses it.
            Choice::Pop { .. } => self.negative_for(step, Rcode::NOERROR, ttl),
        }
    }

    /// A chosen slot as it is answered. Where the probes are ignored, so is what they say of single
    /// addresses.
    fn seen(&self, view: &View, slot: SlotId, resort: Resort) -> Seen<'s> {
        let (seen, slot) = (view.slot(slot), &self.reply.snapshot.steering.slots[slot.index()]);
        let families = seen.families(resort.tier(), resort.ignores_probes()) | seen.awaited;
        let (v4, v6) = seen.answerable(slot, resort.ignores_probes());
        Seen { slot, families, v4, v6 }
    }

    /// Writes the addresses of a PoP in a drawn order.
    fn addresses(
        &mut self,
        step: Step<'_>,
        chosen: &Chosen<'_>,
        Seen { slot, v4, v6, .. }: Seen<'s>,
        family: Families,
    ) -> Next<'static> {
        if family == V4 {
            self.write_picked(step, RrType::A, (&slot.v4, v4), chosen, |address| address.octets())
        } else {
            self.write_picked(step, RrType::AAAA, (&slot.v6, v6), chosen, |address| address.octets())
        }
    }

    fn write_picked<A: Copy, const N: usize>(
        &mut self,
        step: Step<'_>,
        rtype: RrType,
        (addresses, answerable): (&[SharedAddress<A>], Answerable),
        chosen: &Chosen<'_>,
        octets: impl Fn(A) -> [u8; N],
    ) -> Next<'static> {
        let Chosen { decision, ttl, .. } = *chosen;
        let mut picked = answerable.pick(addresses, decision.preference_list.answers, &|| decision.key());
        if !self.takes(chosen) {
            return Next::Done(Rcode::NOERROR);
        }
        picked.shuffle(self.reply.draw);
        self.trace.picked(picked.indexes().len(), addresses.len(), ttl.secs());
        let records = picked.indexes().iter().map(|&index| octets(addresses[usize::from(index)].address));
        match self.reply.response.addresses(Section::Answer, step.owner(), rtype, ttl, records) {
            Ok(()) => Next::Done(Rcode::NOERROR),
            Err(_) => self.truncate(),
        }
    }
}

/// The choice of a policy, to be written.
struct Chosen<'a> {
    policy: &'a PolicyTable,
    /// Its number.
    index: PolicyId,
    decision: &'a Decision<'a>,
    choice: Choice,
    ttl: Ttl,
}

impl<'s, T: Trace> Walk<'s, '_, T> {
    /// Writes the HTTPS record of a PoP (RFC 9460): service mode, for the owner itself, with the
    /// PoP's addresses that A and AAAA of the same decision have. A family that this PoP cannot
    /// answer now comes from another one, whose addresses would not go with these parameters, so it
    /// has no hint.
    #[inline(never)]
    fn https(&mut self, step: Step<'_>, chosen: &Chosen<'_>, seen: Seen<'s>) -> Next<'static> {
        let Chosen { decision, ttl, .. } = *chosen;
        let Seen { slot, families, v4, v6 } = seen;
        let Some(params) = &slot.https else { return self.negative(step, Rcode::NOERROR) };
        let mut rdata = HttpsData { octets: [0; HTTPS_OCTETS_MAX], len: 0 };
        // Priority 1, and the root, which stands for the owner.
        rdata.push(&[0, 1, 0]);
        rdata.push(&params.before_hints);
        if families & V4 != 0 {
            rdata.hint(4, (&slot.v4, v4), decision, |address| address.octets());
        }
        rdata.push(&params.ech);
        if families & V6 != 0 {
            rdata.hint(6, (&slot.v6, v6), decision, |address| address.octets());
        }
        if !self.takes(chosen) {
            return Next::Done(Rcode::NOERROR);
        }
        self.trace.picked(1, 1, ttl.secs());
        let rdata = &rdata.octets[..rdata.len];
        match self.reply.response.record(Section::Answer, step.owner(), RrType::HTTPS, ttl, rdata) {
            Ok(_) => Next::Done(Rcode::NOERROR),
            Err(_) => self.truncate(),
        }
    }
}

/// Octets that an HTTPS record can have here: 3 of priority and target, 26 of `alpn` and `port`,
/// the hints with the most addresses, and `ech`; with room to spare.
const HTTPS_OCTETS_MAX: usize = 64 + 8 + 20 * ANSWERS_MAX as usize + 4 + ECH_OCTETS_MAX;

/// Record data in the making.
struct HttpsData {
    octets: [u8; HTTPS_OCTETS_MAX],
    len: usize,
}

impl HttpsData {
    fn push(&mut self, octets: &[u8]) {
        if let Some(room) = self.octets.get_mut(self.len..self.len + octets.len()) {
            room.copy_from_slice(octets);
            self.len += octets.len();
        }
    }

    /// A hint with the addresses that are picked, in the order of the file: unlike that of records,
    /// the order inside record data is part of what a scope promises, so it must depend on nothing
    /// else.
    fn hint<A: Copy, const N: usize>(
        &mut self,
        key: u8,
        (addresses, answerable): (&[SharedAddress<A>], Answerable),
        decision: &Decision<'_>,
        octets: impl Fn(A) -> [u8; N],
    ) {
        let mut picked = answerable.pick(addresses, decision.preference_list.answers, &|| decision.key());
        picked.sort();
        let len = ((picked.indexes().len() * N) as u16).to_be_bytes();
        self.push(&[0, key, len[0], len[1]]);
        for &index in picked.indexes() {
            self.push(&octets(addresses[usize::from(index)].address));
        }
    }
}

/// A chosen slot as it is answered.
#[derive(Clone, Copy)]
struct Seen<'s> {
    slot: &'s Slot,
    families: Families,
    v4: Answerable,
    v6: Answerable,
}
