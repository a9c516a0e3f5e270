//! Names and types that do not exist (RFC 2308). Negative answers carry nothing tailored.

use super::reply::Reply;
use super::trace::Trace;
use super::walk::Walk;
use crate::answer::step::{Next, Step};
use crate::wire::edns::extended_error;
use crate::wire::header::flag;
use crate::wire::response::rrset::One;
use crate::wire::response::{Owner, Section};
use crate::wire::rr::{Rcode, Ttl};

impl Reply<'_> {
    /// Writes the SOA of the zone that knows no such name, or no such type of it, with the smaller
    /// of its TTL and its MINIMUM. Returns the offset of its data.
    #[inline(always)]
    pub(crate) fn denial(&mut self, step: Step<'_>, apex: impl Owner) -> Option<usize> {
        let soa = step.image.denial()?;
        self.response.rrset(Section::Authority, apex, One(&soa, step.written()))
    }
}

impl<T: Trace> Walk<'_, '_, T> {
    /// NXDOMAIN or, with NOERROR, no data; for at most `ttl` where states that can change are the
    /// reason.
    pub(crate) fn negative(&mut self, step: Step<'_>, rcode: Rcode, ttl: Ttl) -> Next<'static> {
        if step.image.is_dead() {
            return self.dead();
        }
        let apex = step.ending(&self.reply.response, step.image.apex());
        if let Some(rdata_at) = self.reply.denial(step, apex) {
            self.reply.response.lower_ttl(rdata_at, ttl);
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
