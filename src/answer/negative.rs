//! Names and types that do not exist (RFC 2308). Negative answers carry nothing tailored.

use super::trace::Trace;
use super::walk::Walk;
use crate::answer::step::{Next, Step};
use crate::wire::response::{OwnerName, Section};
use crate::wire::rr::Rcode;

impl<T: Trace> Walk<'_, '_, T> {
    /// NXDOMAIN or, with NOERROR, no data: the SOA of the zone that knows, with the smaller of its
    /// TTL and its MINIMUM.
    pub(crate) fn negative(&mut self, step: Step<'_>, rcode: Rcode) -> Next<'static> {
        let zone = step.image;
        let Some(soa) = zone.denial() else { return Next::Done(Rcode::SERVFAIL) };
        let apex_at = step.suffix_at(zone.apex().len());
        let owner = OwnerName { at: apex_at, wire: zone.apex() };
        if self.reply.response.only(Section::Authority, owner, &soa, apex_at).is_err() {
            self.truncate();
        }
        Next::Done(rcode)
    }
}
