//! Admission: which questions are answered at all, and from which zone.

use super::trace::Trace;
use super::walk::Walk;
use crate::answer::step::Step;
use crate::wire::edns::extended_error;
use crate::wire::header::flag;
use crate::wire::position::NamePosition;
use crate::wire::rr::{CLASS_CH, CLASS_IN, Rcode, RrType};

impl<'s, T: Trace> Walk<'s, '_, T> {
    /// The first step, or the response code of a question that no zone answers.
    pub(crate) fn admit(&mut self) -> Result<Step<'s>, Rcode> {
        let query = self.reply.query;
        self.screen()?;
        match self.find(&query.name) {
            Some(found) => {
                self.outcome.zone = Some(found.zone);
                self.reply.response.set_flag(flag::AA);
                Ok(self.reply.step(query.name.wire(), NamePosition::QUESTION, found))
            }
            None => {
                self.explain_error(extended_error::NOT_AUTHORITATIVE, "no zone here holds this name");
                Err(Rcode::REFUSED)
            }
        }
    }

    /// Turns away what is not to be looked up.
    fn screen(&mut self) -> Result<(), Rcode> {
        match (self.reply.query.qclass, self.reply.query.qtype) {
            // OPT is not a question type. Type 0 is answered like any type without data, as in NSD
            // and BIND.
            (CLASS_IN, RrType::OPT) => Err(Rcode::FORMERR),
            // Transfers are not offered (RFC 5936 section 2.2.1).
            (_, RrType::AXFR | RrType::IXFR) => {
                self.explain_error(extended_error::NOT_SUPPORTED, "zone transfers are not offered");
                Err(Rcode::REFUSED)
            }
            // No keys are agreed upon (RFC 2930).
            (_, RrType::TKEY) => Err(self.not_offered()),
            // Obsolete question types (RFC 1035 section 3.2.3).
            (CLASS_IN, RrType::MAILA | RrType::MAILB) => Err(self.not_offered()),
            (CLASS_IN, _) => Ok(()),
            (CLASS_CH, _) => Err(self.chaos()),
            _ => {
                self.explain_error(extended_error::NOT_SUPPORTED, "only the classes IN and CH are served");
                Err(Rcode::REFUSED)
            }
        }
    }

    fn not_offered(&mut self) -> Rcode {
        self.explain_error(extended_error::NOT_SUPPORTED, "this question type is not offered");
        Rcode::NOTIMP
    }
}
