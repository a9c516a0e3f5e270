//! Questions about the server itself, in class CH (RFC 4892).

use super::trace::Trace;
use super::walk::Walk;
use crate::limits::CHAOS_TEXT_MAX;
use crate::wire::edns::extended_error;
use crate::wire::header::HEADER_LEN;
use crate::wire::header::flag;
use crate::wire::response::rrset::Made;
use crate::wire::response::{Origin, OwnerName, Section};
use crate::wire::rr::{Rcode, RrType, Ttl};

impl<T: Trace> Walk<'_, '_, T> {
    /// Answers `id.server` and `hostname.bind`, `version.server` and `version.bind` with the texts
    /// of the node. Refuses every other name and type, and a name whose text is off, as NSD and
    /// Knot do: there is no zone of this class, so no SOA for a denial.
    #[cold]
    pub(crate) fn chaos(&mut self) -> Rcode {
        let query = self.reply.query;
        let identity = &self.reply.snapshot.identity;
        let text = match query.name.wire() {
            b"\x02id\x06server\0" | b"\x08hostname\x04bind\0" => identity.id_server.as_deref(),
            b"\x07version\x06server\0" | b"\x07version\x04bind\0" => identity.version_server.as_deref(),
            _ => None,
        };
        let is_offered = matches!(query.qtype, RrType::TXT | RrType::ANY);
        let Some(text) = text.filter(|_| is_offered) else {
            self.explain_error(extended_error::NOT_SUPPORTED, "class CH has no such name or type here");
            return Rcode::REFUSED;
        };
        self.reply.response.set_flag(flag::AA);
        let text = &text.as_bytes()[..text.len().min(CHAOS_TEXT_MAX)];
        let mut rdata = [0u8; CHAOS_TEXT_MAX + 1];
        rdata[0] = text.len() as u8;
        rdata[1..=text.len()].copy_from_slice(text);
        let owner = OwnerName { at: HEADER_LEN, wire: query.name.wire() };
        let zero = Ttl::from_secs(0).unwrap_or(Ttl::MAX);
        let text = Made::one(RrType::TXT, zero, &rdata[..=text.len()]);
        self.reply.response.rrset(Section::Answer, Origin::Chaos, owner, text);
        Rcode::NOERROR
    }
}
