//! Names and types that do not exist (RFC 2308). Negative answers carry nothing tailored.

use super::trace::Trace;
use super::walk::Walk;
use crate::answer::step::{Next, Step};
use crate::wire::edns::extended_error;
use crate::wire::header::flag;
use crate::wire::response::Section;
use crate::wire::rr::{Rcode, Ttl};

impl<T: Trace> Walk<'_, '_, T> {
    /// NXDOMAIN or, with NOERROR, no data: the SOA of the zone that knows, with the smaller of its
    /// TTL and its MINIMUM.
    pub(crate) fn negative(&mut self, step: Step<'_>, rcode: Rcode) -> Next<'static> {
        self.negative_for(step, rcode, Ttl::MAX)
    }

    /// [`Walk::negative`] with a TTL of at most `ttl`: no data because of states that can change.
    pub(crate) fn negative_for(&mut self, step: Step<'_>, rcode: Rcode, ttl: Ttl) -> Next<'static> {
        let zone = step.image;
        let Some(soa) = zone.denial() else { return self.dead() };
        let apex = step.ending(&self.reply.response, zone.apex());
        match self.reply.response.only(Section::Authority, apex, &soa, step.written()) {
            Ok(rdata_at) => self.reply.response.lower_ttl(rdata_at, ttl),
            Err(_) => _ = self.truncate(),
        }
        Next::Done(rcode)
    }

    /// The zone is not served, because its files are faulty and there are no last good texts.
    #[cold]
    fn dead(&mut self) -> Next<'static> {
        self.reply.response.clear_flag(flag::AA);
        self.explain_error(extended_error::INVALID_DATA, "the data of this zone cannot be used");
        Next::Done(Rcode::SERVFAIL)
    }
}
