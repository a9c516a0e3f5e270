//! Following CNAMEs inside our zones.
//!
//! By default a chain is followed to its end, and the answer has the longest ECS scope of its
//! steps. RFC 7871 section 7.2.1 prefers to stop at the first tailored CNAME. Following the chain
//! saves a round trip for resolvers that accept the whole chain, and costs nothing for resolvers
//! that ask again for the target (docs/adr/0007-chains.md). [`ChainMode`] has the other modes,
//! which a zone can select.

use super::reply::Reply;
use super::trace::Trace;
use super::walk::Walk;
use crate::answer::step::{Next, Step};
use crate::wire::fragment::Rdata;
use crate::wire::name::common_ending_len;
use crate::wire::position::{NamePosition, WrittenName};
use crate::wire::query::QueryName;
use crate::wire::response::rrset::One;
use crate::wire::response::{Origin, Owner, Section};
use crate::wire::rr::{Rcode, RrType, Ttl};
use crate::zone::image::{NodeId, Set};
use crate::zone::links::{LinkTarget, read_target};
use crate::zone::text::ChainMode;

/// Target of a CNAME that was written.
enum Aim<'a> {
    /// A record of a zone, which has a link.
    Linked(Rdata<'a>),
    /// A name.
    Named(&'a [u8]),
}

impl Reply<'_> {
    /// Writes the CNAME of a zone. Returns the position of its target.
    #[inline(always)]
    pub(crate) fn cname(
        &mut self,
        step: Step<'_>,
        owner: impl Owner,
        rdata: Rdata<'_>,
    ) -> Option<NamePosition> {
        let rdata_at = self.response.rrset(
            Section::Answer,
            Origin::Authoritative,
            owner,
            One(&rdata, step.written()),
        )?;
        Some(rdata.written(rdata_at, step.written()))
    }
}

impl<'s, T: Trace> Walk<'s, '_, T> {
    /// Writes the CNAME of a zone and goes on at its target.
    pub(crate) fn static_cname(&mut self, step: Step<'_>, set: &Set) -> Next<'s> {
        let zone = step.image;
        // An alias has one target: a reload refuses a second one.
        let Some(rdata) = zone.records(set).next() else { return Next::Done(Rcode::NOERROR) };
        match self.reply.cname(step, step.owner(), rdata) {
            Some(written) => self.follow(step, written, Aim::Linked(rdata)),
            None => Next::Done(Rcode::NOERROR),
        }
    }

    /// Writes a CNAME that a policy answers and goes on at its target.
    pub(crate) fn steered_cname(&mut self, step: Step<'_>, target: &[u8], ttl: Ttl) -> Next<'s> {
        // Computed here and not at load, because one policy steers many owners, and each shares
        // another ending with the target.
        let literal = target.len() - common_ending_len(target, step.name);
        match self.reply.response.alias(
            Origin::Synthesised,
            step.owner(),
            ttl,
            target,
            (literal, step.written()),
        ) {
            Some(written) => self.follow(step, written, Aim::Named(target)),
            None => Next::Done(Rcode::NOERROR),
        }
    }

    /// Writes a DNAME and the CNAME that is synthesized from it (RFC 6672 section 3.1), and goes on
    /// at the target. The answer is YXDOMAIN if the target would be too long (section 2.2).
    pub(crate) fn redirected(&mut self, step: Step<'_>, owner: NodeId) -> Next<'s> {
        let zone = step.image;
        let Some((set, target)) =
            zone.set(owner, RrType::DNAME).and_then(|set| Some((set, zone.records(set).next()?)))
        else {
            return Next::Done(Rcode::SERVFAIL);
        };
        let owner_name = zone.name(owner);
        let dname_owner = step.ending(&self.reply.response, owner_name);
        let (position, before) = (self.reply.response.position(), self.reply.response.answers());
        let dname = One(&target, step.written());
        let Some(ending_at) =
            self.reply.response.rrset(Section::Answer, Origin::Authoritative, dname_owner, dname)
        else {
            return Next::Done(Rcode::NOERROR);
        };
        let (kept, ending_len) = (&step.name[..step.name.len() - owner_name.len()], target.octets.len());
        let Some(target) = QueryName::join(kept, target.octets) else {
            return Next::Done(Rcode::YXDOMAIN);
        };
        // The DNAME's own data is never compressed (RFC 6672 section 2.5): the whole name is there.
        let dname_target = WrittenName { position: NamePosition::whole(ending_at), len: ending_len };
        let behind = (kept.len(), dname_target);
        match self.reply.response.alias(Origin::Redirected, step.owner(), set.ttl, target.wire(), behind) {
            Some(written) if self.reply.query.qtype == RrType::ANY => {
                self.go_on(step, written, Aim::Named(target.wire()))
            }
            Some(written) => self.follow(step, written, Aim::Named(target.wire())),
            None => {
                self.reply.response.rewind(position, before);
                Next::Done(Rcode::NOERROR)
            }
        }
    }

    fn follow(&mut self, step: Step<'_>, written: NamePosition, aim: Aim<'_>) -> Next<'s> {
        // A CNAME answers CNAME and ANY itself (RFC 1034 section 3.6.2).
        if matches!(self.reply.query.qtype, RrType::CNAME | RrType::ANY) {
            return Next::Done(Rcode::NOERROR);
        }
        self.go_on(step, written, aim)
    }

    fn go_on(&mut self, step: Step<'_>, written: NamePosition, aim: Aim<'_>) -> Next<'s> {
        let zone = step.image;
        if zone.chain == ChainMode::First {
            return Next::Done(Rcode::NOERROR);
        }
        match aim {
            // A link leads to one side of a zone cut, but DS needs the other (RFC 4035 section
            // 3.1.4.1), so a target of a DS query is looked up by name.
            Aim::Linked(Rdata { link: Some(link), .. }) if self.reply.query.qtype != RrType::DS => {
                match self.reply.snapshot.zones.target(step.found.zone, link) {
                    Some(LinkTarget { name, found }) => Next::Follow(self.reply.step(name, written, found)),
                    None => Next::Done(Rcode::NOERROR),
                }
            }
            Aim::Linked(rdata) => self.go_on_by_name(written, |name| read_target(name, &rdata, step.name)),
            Aim::Named(wire) => self.go_on_by_name(written, |name| name.read(wire)),
        }
    }

    /// Finds a target without a link by its name, and walks the rest of the chain from there. The
    /// name lives on the stack during this recursion, whose depth `steps_left` bounds.
    #[cold]
    fn go_on_by_name(
        &mut self,
        written: NamePosition,
        read: impl FnOnce(&mut QueryName) -> bool,
    ) -> Next<'static> {
        let mut name = QueryName::default();
        if !read(&mut name) {
            return Next::Done(Rcode::NOERROR);
        }
        // A chain ends before a zone that is not served.
        match self.find(&name).filter(|found| !self.reply.snapshot.zones.zone(found.zone).is_dead()) {
            Some(found) => Next::Done(self.walk(self.reply.step(name.wire(), written, found))),
            None => Next::Done(Rcode::NOERROR),
        }
    }

    /// True if the answer must end before a step with this ECS scope, because the zone of the
    /// question wants one scope for the whole answer. The resolver then asks for the name of the
    /// step itself.
    #[inline(always)]
    pub(crate) fn stops_before_scope(&self, scope: u8) -> bool {
        self.reply.response.answers() > 0 && scope != self.reply.scope && self.keeps_scope()
    }

    /// True if the zone of the question wants one scope for the whole answer.
    #[cold]
    fn keeps_scope(&self) -> bool {
        self.outcome
            .zone
            .is_some_and(|zone| self.reply.snapshot.zones.zone(zone).chain == ChainMode::SameScope)
    }
}
