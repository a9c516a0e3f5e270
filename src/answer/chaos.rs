//! Questions about the server itself, in class CH (RFC 4892).

use super::trace::Trace;
use super::walk::Walk;
use crate::wire::header::HEADER_LEN;
use crate::wire::header::flag;
use crate::wire::response::rrset::Made;
use crate::wire::response::{Origin, OwnerName, Section};
use crate::wire::rr::{Rcode, RrType, Ttl};

/// Longest character string (RFC 1035 section 3.3).
const STRING_MAX: usize = 255;

impl<T: Trace> Walk<'_, '_, T> {
    /// Answers `id.server` and `hostname.bind` with the node's name, `version.server` and
    /// `version.bind` with the product's name. Refuses every other name and type, as NSD and Knot
    /// do: there is no zone of this class, so no SOA for a denial.
    #[cold]
    pub(crate) fn chaos(&mut self) -> Rcode {
        let query = self.reply.query;
        if !matches!(query.qtype, RrType::TXT | RrType::ANY) {
            return Rcode::REFUSED;
        }
        let text: &str = match query.name.wire() {
            b"\x02id\x06server\0" | b"\x08hostname\x04bind\0" => &self.reply.snapshot.identity.name,
            // The version that runs on a node is the operator's business alone.
            b"\x07version\x06server\0" | b"\x07version\x04bind\0" => "Meridian",
            _ => return Rcode::REFUSED,
        };
        self.reply.response.set_flag(flag::AA);
        let text = &text.as_bytes()[..text.len().min(STRING_MAX)];
        let mut rdata = [0u8; STRING_MAX + 1];
        rdata[0] = text.len() as u8;
        rdata[1..=text.len()].copy_from_slice(text);
        let owner = OwnerName { at: HEADER_LEN, wire: query.name.wire() };
        let zero = Ttl::from_secs(0).unwrap_or(Ttl::MAX);
        let text = Made::one(RrType::TXT, zero, &rdata[..=text.len()]);
        self.reply.response.rrset(Section::Answer, Origin::Chaos, owner, text);
        Rcode::NOERROR
    }
}
