//! Admission: which questions are answered at all, and from which zone.

use super::exchange::{Exchange, Step};
use super::trace::Trace;
use crate::wire::edns::extended_error;
use crate::wire::response::{Written, flag};
use crate::wire::rr::{CLASS_CH, CLASS_IN, Rcode, RrType};

impl<'s, T: Trace> Exchange<'s, '_, T> {
    /// The first step, or the response code of a question that no zone answers.
    #[inline(always)]
    pub fn admit(&mut self) -> Result<Step<'s>, Rcode> {
        let query = self.query;
        match query.qclass {
            CLASS_IN => {}
            CLASS_CH => return Err(self.chaos(query)),
            _ => return Err(Rcode::REFUSED),
        }
        match query.qtype {
            // An OPT or no type at all is not a question.
            RrType::OPT | RrType(0) => return Err(Rcode::FORMERR),
            // Obsolete question types (RFC 1035 section 3.2.3).
            RrType::MAILA | RrType::MAILB => return Err(Rcode::NOTIMP),
            _ => {}
        }
        let Some(found) = self.find(query.name) else {
            self.explain_error(extended_error::NOT_AUTHORITATIVE, "no zone here holds this name");
            return Err(Rcode::REFUSED);
        };
        self.outcome.zone = Some(found.zone);
        self.response.set_flag(flag::AA);
        Ok(self.step(query.name.wire(), Written::question(), found))
    }
}
