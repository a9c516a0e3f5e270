//! Errors for messages that are not valid queries: the header, the question if it could be read,
//! and OPT if the client speaks EDNS. Also the reply to a message without a question that asks for
//! a cookie.

use super::outcome::Outcome;
use super::reply::Reply;
use super::{Client, Disposition, QueryContext};
use crate::snapshot::Snapshot;
use crate::wire::cookie::CookieStatus;
use crate::wire::edns::extended_error;
use crate::wire::header::HEADER_LEN;
use crate::wire::query::Query;
use crate::wire::reject::{Question, Reject};
use crate::wire::rr::Rcode;
use crate::wire::tsig::{REFUSAL_OCTETS_MAX, Signature};

/// Writes the error. If the message asks for a cookie alone (`asks_cookie`), writes the cookie
/// instead (RFC 7873 section 5.4), with BADCOOKIE if the server cookie in the message is invalid.
/// Without cookies in this server, such a message too gets the error.
#[cold]
pub(crate) fn reject(
    snapshot: &Snapshot,
    (reject, asks_cookie, packet_len): (&Reject<'_>, bool, usize),
    sender: (&Client, QueryContext),
    out: &mut [u8],
    outcome: &mut Outcome,
) {
    let query = Query::left_by(reject);
    let mut reply = Reply::new(snapshot, &query, reject.question, sender, out, outcome);
    let rcode = match outcome.cookie {
        CookieStatus::Client | CookieStatus::Valid if asks_cookie => Rcode::NOERROR,
        CookieStatus::Invalid if asks_cookie => Rcode::BADCOOKIE,
        _ => reject.rcode,
    };
    // Code without text: no longer than needed for a message that nothing is known of.
    let error = (rcode == Rcode::NOTIMP).then_some((extended_error::NOT_SUPPORTED, ""));
    reply.finish(rcode, error, outcome);
    if let Some(signature) = &reject.signature {
        reply.refuse(signature, reject.question, packet_len, outcome);
    }
}

impl Reply<'_> {
    /// Appends the TSIG record that refuses a key, behind the OPT. If there is no room, sets TC, so
    /// that the client asks for the record over TCP (RFC 8945 section 5.3). The same if header,
    /// question and record would be longer than the message, because its pointers overlap: a forger
    /// would gain by them.
    fn refuse(
        &mut self,
        signature: &Signature<'_>,
        question: Question<'_>,
        packet_len: usize,
        outcome: &mut Outcome,
    ) {
        let (name, mut room) = (question.name(), [0; REFUSAL_OCTETS_MAX]);
        let least = HEADER_LEN + question.len;
        let record = signature.refusal(name, &mut room).filter(|record| least + record.len() <= packet_len);
        let appended = record.and_then(|record| self.response.append(record));
        match appended {
            Some(len) => outcome.disposition = Disposition::Send(len),
            None => {
                self.response.mark_truncated();
                outcome.truncated = true;
            }
        }
    }
}
