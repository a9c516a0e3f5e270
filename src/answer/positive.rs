//! Names that exist: the asked RRset, a CNAME, or no data of the asked type.

use super::trace::Trace;
use super::walk::Walk;
use crate::answer::step::{Next, Step};
use crate::wire::response::Section;
use crate::wire::rr::{Rcode, RrType, Ttl};
use crate::zone::image::NodeId;

/// CPU "RFC8482", OS empty: the whole of an answer to ANY (RFC 8482 section 4.2).
const ANY_HINFO: &[u8] = b"\x07RFC8482\x00";
/// The TTL of that answer: it never changes.
const ANY_TTL_SECS: u32 = 3_600;

impl<'s, T: Trace> Walk<'s, '_, T> {
    /// Answers from the RRsets of a node; a wildcard's are owned by the asked name.
    pub(crate) fn positive<'n>(&mut self, step: Step<'n>, node: NodeId) -> Next<'n>
    where
        's: 'n,
    {
        let zone = step.image;
        if let Some(set) = zone.set(node, self.reply.query.qtype) {
            let written = match zone.ready(set) {
                Some(records) if step.owns_what_is_ready() => {
                    self.reply.response.ready(Section::Answer, records, set.count)
                }
                _ => self.reply.response.rrset(
                    Section::Answer,
                    step.owner(),
                    zone.records(set),
                    step.written(),
                    |_, _| {},
                ),
            };
            return if written.is_ok() { Next::Done(Rcode::NOERROR) } else { self.truncate() };
        }
        if let Some(set) = zone.set(node, RrType::CNAME) {
            return self.static_cname(step, set);
        }
        if self.reply.query.qtype == RrType::ANY && !zone.sets_at(node).is_empty() {
            return self.any(step, Ttl::MAX);
        }
        self.negative(step, Rcode::NOERROR)
    }

    /// The least that answers ANY, for at most `ttl`.
    pub(crate) fn any(&mut self, step: Step, ttl: Ttl) -> Next<'static> {
        let ttl = Ttl::from_secs(ANY_TTL_SECS).map_or(ttl, |any| any.min(ttl));
        match self.reply.response.record(Section::Answer, step.owner(), RrType::HINFO, ttl, ANY_HINFO) {
            Ok(_) => Next::Done(Rcode::NOERROR),
            Err(_) => self.truncate(),
        }
    }
}
