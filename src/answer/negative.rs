//! Names and types that do not exist (RFC 2308). The records of a denial are the same for all
//! clients.

use super::reply::Reply;
use super::trace::Trace;
use super::walk::Walk;
use crate::answer::step::{Next, Step};
use crate::wire::edns::extended_error;
use crate::wire::header::flag;
use crate::wire::response::rrset::One;
use crate::wire::response::{Origin, Owner, Section};
use crate::wire::rr::{Rcode, Ttl};

impl Reply<'_> {
    /// Writes the SOA that denies the name, or the type of the name. Its TTL is the smaller of the
    /// TTL and the MINIMUM of the SOA (RFC 2308 section 5), and at most `ttl`: pass `Ttl::MAX`
    /// unless the reason of the denial can change, such as the state of a PoP. Returns the offset
    /// of the record data.
    #[inline(always)]
    pub(crate) fn denial(&mut self, step: Step<'_>, apex: impl Owner, ttl: Ttl) -> Option<usize> {
        let soa = step.image.denial()?;
        let soa = One(&soa, step.written());
        let rdata_at = self.response.rrset(Section::Authority, Origin::Authoritative, apex, soa)?;
        if ttl < Ttl::MAX {
            self.response.lower_ttl(rdata_at, ttl);
        }
        Some(rdata_at)
    }
}

impl<T: Trace> Walk<'_, '_, T> {
    /// Denies the name (NXDOMAIN) or the type (NOERROR), for at most `ttl` ([`Reply::denial`]).
    pub(crate) fn negative(&mut self, step: Step<'_>, rcode: Rcode, ttl: Ttl) -> Next<'static> {
        if step.image.is_dead() {
            return self.dead();
        }
        let apex = step.ending(&self.reply.response, step.image.apex());
        self.reply.denial(step, apex, ttl);
        Next::Done(rcode)
    }

    /// Answers for a zone that is not served, because its files are faulty and no earlier version
    /// of them is saved.
    #[cold]
    fn dead(&mut self) -> Next<'static> {
        self.reply.response.clear_flag(flag::AA);
        self.explain_error(extended_error::INVALID_DATA, "the data of this zone cannot be used");
        Next::Done(Rcode::SERVFAIL)
    }
}
