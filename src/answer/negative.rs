//! Names and types that do not exist (RFC 2308). Negative answers carry nothing tailored.

use super::exchange::{Exchange, Next, Step};
use super::opening::Opening;
use super::trace::Trace;
use crate::wire::response::{Full, Owner, Section};
use crate::wire::rr::Rcode;

impl Opening<'_> {
    /// Writes the SOA of the zone that knows of no more, with the smaller of its TTL and its MINIMUM; `None` if it has none.
    #[inline(always)]
    pub fn deny(&mut self, step: &Step<'_>) -> Option<Result<(), Full>> {
        let zone = step.image;
        let soa = zone.records(zone.negative()?).next()?;
        let apex_at = step.suffix_at(zone.apex().len());
        let owner = Owner { at: apex_at, wire: zone.apex() };
        Some(self.response.only(Section::Authority, owner, &soa, apex_at).map(|_| ()))
    }
}

impl<T: Trace> Exchange<'_, '_, T> {
    /// NXDOMAIN or, with NOERROR, no data.
    pub fn negative(&mut self, step: Step<'_>, rcode: Rcode) -> Next<'static> {
        match self.opening.deny(&step) {
            Some(Ok(())) => {}
            Some(Err(Full)) => _ = self.truncate(),
            None => return Next::Done(Rcode::SERVFAIL),
        }
        Next::Done(rcode)
    }
}
