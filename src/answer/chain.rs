//! Following CNAMEs inside our zones.
//!
//! By default a chain is followed to its end and the whole answer has the longest scope of its steps
//! (RFC 7871 section 7.2.1 prefers to stop at the first tailored CNAME; following saves the resolver a
//! round trip, and one that starts again at the target loses nothing). A zone may say otherwise.

use super::exchange::{Exchange, Next, Step};
use super::trace::Trace;
use crate::wire::fragment::NO_PATCH;
use crate::wire::query::QueryName;
use crate::wire::response::{Owner, Section, Written};
use crate::wire::rr::{Rcode, RrType, Ttl};
use crate::zone::image::{NodeId, Set};
use crate::zone::text::ChainMode;

impl<T: Trace> Exchange<'_, '_, T> {
    /// Writes the CNAME of a zone and goes on at its target.
    pub fn static_cname(&mut self, step: &Step, set: &Set) -> Next {
        let zone = self.zone(step);
        let apex_at = step.suffix_at(zone.apex().len());
        let mut target = None;
        let written =
            self.response.rrset(Section::Answer, step.owner(), RrType::CNAME, set.ttl, zone.records(set), apex_at, |at, rdata| {
                target = if rdata.patches[0] == NO_PATCH {
                    QueryName::parse(rdata.octets).map(|name| (name, Written::whole(at)))
                } else {
                    let literal = usize::from(rdata.patches[0]);
                    QueryName::join(&rdata.octets[..literal], zone.apex()).map(|name| (name, Written::split(at, literal, apex_at)))
                };
            });
        match (written, target) {
            (Err(_), _) => self.truncate(),
            (Ok(()), Some((name, written))) => self.follow(step, name, written),
            (Ok(()), None) => Next::Done(Rcode::NOERROR),
        }
    }

    /// Writes a CNAME that a policy answers and goes on at its target.
    pub fn steered_cname(&mut self, step: &Step, target: &[u8], ttl: Ttl) -> Next {
        match (self.response.record(Section::Answer, step.owner(), RrType::CNAME, ttl, target), QueryName::parse(target)) {
            (Err(_), _) => self.truncate(),
            (Ok(at), Some(name)) => self.follow(step, name, Written::whole(at)),
            (Ok(_), None) => Next::Done(Rcode::NOERROR),
        }
    }

    /// Writes a DNAME and the CNAME that it makes of the name below it (RFC 6672 section 3.1), and goes
    /// on at the target. A target that would be too long is YXDOMAIN (section 2.2).
    pub fn redirected(&mut self, step: &Step, owner: NodeId) -> Next {
        let zone = self.zone(step);
        let Some((set, target)) = zone.set(owner, RrType::DNAME).and_then(|set| Some((set, zone.records(set).next()?))) else {
            return Next::Done(Rcode::SERVFAIL);
        };
        let owner_name = zone.name(owner);
        let dname_owner = Owner { at: step.suffix_at(owner_name.len()), wire: owner_name };
        let (position, before) = (self.response.position(), self.response.answers());
        if self.response.record(Section::Answer, dname_owner, RrType::DNAME, set.ttl, target.octets).is_err() {
            return self.truncate();
        }
        let name = step.name.wire();
        let Some(target) = QueryName::join(&name[..name.len() - owner_name.len()], target.octets) else {
            return Next::Done(Rcode::YXDOMAIN);
        };
        match self.response.record(Section::Answer, step.owner(), RrType::CNAME, set.ttl, target.wire()) {
            Ok(at) if self.qtype == RrType::ANY => self.go_on(step, target, Written::whole(at)),
            Ok(at) => self.follow(step, target, Written::whole(at)),
            Err(_) => {
                self.response.rewind(position, Section::Answer, self.response.answers() - before);
                self.truncate()
            }
        }
    }

    fn follow(&mut self, step: &Step, name: QueryName, written: Written) -> Next {
        // A CNAME answers CNAME and ANY itself (RFC 1034 section 3.6.2).
        if matches!(self.qtype, RrType::CNAME | RrType::ANY) {
            return Next::Done(Rcode::NOERROR);
        }
        self.go_on(step, name, written)
    }

    fn go_on(&mut self, step: &Step, name: QueryName, written: Written) -> Next {
        if self.zone(step).chain == ChainMode::First {
            return Next::Done(Rcode::NOERROR);
        }
        match self.find(&name) {
            Some(found) => Next::Follow(Step { name, written, zone: found.zone, matched: found.matched }),
            None => Next::Done(Rcode::NOERROR),
        }
    }

    /// Whether a step that would give the answer another scope must be left to the resolver.
    pub fn stops_before_scope(&self, scope: u8) -> bool {
        let chain = self.outcome.zone.map(|zone| self.snapshot.zones.zone(zone).chain);
        self.response.answers() > 0 && chain == Some(ChainMode::SameScope) && scope != self.scope
    }
}
