//! Names that exist: the asked RRset, a CNAME, or no data of the asked type.

use super::reply::Reply;
use super::trace::Trace;
use super::walk::Walk;
use crate::answer::step::{Next, Step};
use crate::wire::response::rrset::{Made, Ready};
use crate::wire::response::{Origin, Section};
use crate::wire::rr::{Rcode, RrType, Ttl};
use crate::zone::image::{NodeId, Usual};

/// CPU "RFC8482", OS empty: the whole of an answer to ANY (RFC 8482 section 4.2).
const ANY_HINFO: &[u8] = b"\x07RFC8482\x00";
/// The TTL of that answer: it never changes.
const ANY_TTL_SECS: u32 = 3_600;

impl Reply<'_> {
    /// Writes the RRset of the query type. The owner of a wildcard's RRset is the query name.
    #[inline(always)]
    pub(crate) fn data(&mut self, step: Step<'_>, data: Usual<'_>) -> Option<usize> {
        match data {
            Usual::Ready(records, set) if step.owns_what_is_ready() => self.response.rrset(
                Section::Answer,
                Origin::Authoritative,
                step.owner(),
                Ready(records, set.count),
            ),
            Usual::Ready(_, set) | Usual::Named(set) => {
                self.response.rrset(Section::Answer, Origin::Authoritative, step.owner(), step.stored(set))
            }
            Usual::Steered(_) | Usual::Alias(_) | Usual::NoData => None,
        }
    }
}

impl<'s, T: Trace> Walk<'s, '_, T> {
    /// Answers from the RRsets of a node.
    pub(crate) fn positive(&mut self, step: Step<'_>, node: NodeId) -> Next<'s> {
        let (zone, qtype) = (step.image, self.reply.query.qtype);
        let is_any = qtype == RrType::ANY;
        match zone.data(node, qtype) {
            Usual::Alias(set) => return self.static_cname(step, set),
            Usual::NoData if is_any && zone.has_data(node) => return self.any(step, Ttl::MAX),
            Usual::NoData => return self.negative(step, Rcode::NOERROR, Ttl::MAX),
            data => self.reply.data(step, data),
        };
        Next::Done(Rcode::NOERROR)
    }

    /// The least that answers ANY, for at most `ttl`.
    pub(crate) fn any(&mut self, step: Step, ttl: Ttl) -> Next<'static> {
        let ttl = Ttl::from_secs(ANY_TTL_SECS).map_or(ttl, |any| any.min(ttl));
        let hinfo = Made::one(RrType::HINFO, ttl, ANY_HINFO);
        self.reply.response.rrset(Section::Answer, Origin::Synthesised, step.owner(), hinfo);
        Next::Done(Rcode::NOERROR)
    }
}
