//! Names whose addresses a policy decides.

use super::reply::Reply;
use super::trace::Trace;
use super::walk::Walk;
use crate::answer::step::{Next, Step};
use crate::health::targets::SlotId;
use crate::limits::{ANSWERS_MAX, ECH_OCTETS_MAX};
use crate::snapshot::locate::Decision;
use crate::steer::answerable::Answerable;
use crate::steer::choose::{Choice, Resort, choose};
use crate::steer::table::{Families, PolicyTable, SharedAddress, Slot, V4, V6};
use crate::steer::view::View;
use crate::wire::edns::extended_error;
use crate::wire::response::rrset::Made;
use crate::wire::response::{Origin, Owner, Section};
use crate::wire::rr::{Rcode, RrType, Ttl};
use crate::zone::image::{NodeId, Steered};
use std::iter::once;

impl Reply<'_> {
    /// Writes the answerable addresses of a slot in the family of the query type, in random order.
    /// Their number is at most `answers` of the preference list.
    #[inline(always)]
    pub(crate) fn addresses(
        &mut self,
        owner: impl Owner,
        (slot, (v4, v6)): (&Slot, (Answerable, Answerable)),
        decision: &Decision<'_>,
        ttl: Ttl,
    ) -> Option<usize> {
        if self.query.qtype == RrType::A {
            self.picked(owner, (&slot.v4, v4), decision, ttl, |address| address.octets())
        } else {
            self.picked(owner, (&slot.v6, v6), decision, ttl, |address| address.octets())
        }
    }

    #[inline(always)]
    fn picked<A: Copy, const N: usize>(
        &mut self,
        owner: impl Owner,
        (addresses, answerable): (&[SharedAddress<A>], Answerable),
        decision: &Decision<'_>,
        ttl: Ttl,
        octets: impl Fn(A) -> [u8; N],
    ) -> Option<usize> {
        let rtype = self.query.qtype;
        if let Some(only) = answerable.only() {
            let rdata = once(octets(addresses.get(only)?.address));
            return self.response.rrset(
                Section::Answer,
                Origin::Synthesised,
                owner,
                Made { rtype, ttl, len: N, rdata },
            );
        }
        let mut picked = answerable.pick(addresses, decision.preference_list.answers, &|| decision.key());
        picked.shuffle(self.draw);
        let rdata = picked.indexes().iter().map(|&index| octets(addresses[usize::from(index)].address));
        self.response.rrset(Section::Answer, Origin::Synthesised, owner, Made { rtype, ttl, len: N, rdata })
    }
}

impl<'s, T: Trace> Walk<'s, '_, T> {
    /// The policy that decides the answer to the question at a node; `None` if the zone's records
    /// do. Which types exist depends on the policy alone, never on the client. Only the CNAMEs of a
    /// policy are exempt, because a CNAME answers every type.
    pub(crate) fn decided_at<'n>(
        &self,
        step: Step<'n>,
        node: NodeId,
    ) -> Option<(&'n Steered, &'s PolicyTable)> {
        let steered = step.image.steered_at(node)?;
        let policy = self.reply.snapshot.steering.policies.get(steered.policy.index())?;
        policy.decides(self.reply.query.qtype).then_some((steered, policy))
    }

    /// Answers from a policy that decides.
    pub(crate) fn steered(&mut self, step: Step<'_>, steered: &Steered, policy: &PolicyTable) -> Next<'s> {
        let snapshot = self.reply.snapshot;
        let Some((decision, view)) = self.reply.decide(step, steered) else {
            return Next::Done(Rcode::SERVFAIL);
        };
        self.trace.decision(policy, &decision);
        let offered = policy.offers(self.reply.query.qtype);
        let question = snapshot.question(policy, decision.preference_list, view, offered);
        let (choice, horizon_secs) = choose(question, &|| decision.key(), self.trace.choice_trace());
        self.trace.choice(snapshot, policy, choice);
        let ttl = steered.ttl.unwrap_or(decision.preference_list.ttl);
        self.trace.horizon(ttl, horizon_secs);
        let ttl = ttl.at(horizon_secs);
        let chosen = Chosen { policy, decision: &decision, choice, ttl };
        match (choice, offered) {
            (Choice::Pop { slot, resort, .. }, Some(family)) => {
                let (slot, _, (v4, v6)) = self.seen(view, slot, resort);
                let (picks, of) = if family == V4 { (v4, slot.v4.len()) } else { (v6, slot.v6.len()) };
                let count = picks.count(decision.preference_list.answers, &|| decision.key());
                if self.takes(&chosen) {
                    self.trace.picked(count, of, ttl.secs());
                    self.reply.addresses(step.owner(), (slot, (v4, v6)), &decision, ttl);
                }
                Next::Done(Rcode::NOERROR)
            }
            _ => self.otherwise(step, &chosen, view),
        }
    }

    /// Records the choice, and raises the ECS scope of the answer to that of the decision. Called
    /// after everything is chosen and before any of it is written. False if the answer must stop
    /// before this step.
    fn takes(&mut self, chosen: &Chosen<'_>) -> bool {
        let Chosen { policy, decision, choice, .. } = *chosen;
        if self.stops_before_scope(decision.scope()) {
            return false;
        }
        self.trace.key(policy, decision);
        self.reply.takes(policy, decision, choice, self.outcome);
        true
    }

    /// The answer where the choice is not the addresses of a PoP.
    fn otherwise(&mut self, step: Step<'_>, chosen: &Chosen<'_>, view: &View) -> Next<'s> {
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
            Choice::NoData => self.negative(step, Rcode::NOERROR, ttl),
            Choice::ServFail => {
                self.explain_error(extended_error::NO_REACHABLE, "no PoP of the policy may be answered");
                Next::Done(Rcode::SERVFAIL)
            }
            Choice::Pop { .. } if self.reply.query.qtype == RrType::ANY => self.any(step, ttl),
            // The policy has no addresses and no HTTPS record for this type. It still decides,
            // because other clients may get a CNAME, which answers every type. Resolvers may keep
            // this denial for all clients (RFC 7871 section 7.4), so its TTL is at most that of the
            // policy. The owner has no records of its own, because a reload refuses other records
            // beside a CNAME.
            Choice::Pop { .. } => self.negative(step, Rcode::NOERROR, ttl),
        }
    }

    /// The chosen slot with the families and addresses to answer. If the resort ignores probe
    /// results of PoPs, those of single addresses are ignored too.
    fn seen(&self, view: &View, slot: SlotId, resort: Resort) -> Seen<'s> {
        let (seen, slot) = (view.slot(slot), &self.reply.snapshot.steering.slots[slot.index()]);
        let families = seen.families(resort.tier(), resort.ignores_probes()) | seen.awaited;
        (slot, families, seen.answerable(slot, resort.ignores_probes()))
    }
}

/// The chosen slot, the families to answer, and the answerable addresses (IPv4, IPv6).
type Seen<'s> = (&'s Slot, Families, (Answerable, Answerable));

/// The choice of a policy, to be written.
struct Chosen<'a> {
    policy: &'a PolicyTable,
    decision: &'a Decision<'a>,
    choice: Choice,
    ttl: Ttl,
}

impl<'s, T: Trace> Walk<'s, '_, T> {
    /// Writes the HTTPS record of a PoP (RFC 9460) in service mode, for the owner itself. The hints
    /// are the addresses of the PoP that A and AAAA queries with the same decision get. A family
    /// that this PoP cannot answer now has no hint: A or AAAA queries get this family from another
    /// PoP, and addresses of another PoP would not go with these parameters.
    #[inline(never)]
    fn https(
        &mut self,
        step: Step<'_>,
        chosen: &Chosen<'_>,
        (slot, families, (v4, v6)): Seen<'s>,
    ) -> Next<'static> {
        let Chosen { decision, ttl, .. } = *chosen;
        let Some(params) = &slot.https else { return self.negative(step, Rcode::NOERROR, Ttl::MAX) };
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
        let https = Made::one(RrType::HTTPS, ttl, rdata);
        self.reply.response.rrset(Section::Answer, Origin::Synthesised, step.owner(), https);
        Next::Done(Rcode::NOERROR)
    }
}

/// Octets that an HTTPS record can have here: 3 of priority and target, 25 of `alpn` and `port`,
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

    /// Appends a hint with the picked addresses, in the order of the file. Clients in one ECS scope
    /// must get the same record data, and the order of addresses is a part of it, so the order must
    /// not be random. The order of A and AAAA records may be.
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
