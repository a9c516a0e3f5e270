//! Replies without records: to a query past a rate limit, and to one that the access lists refuse.
//! They are hardly longer than the query.
//!
//! A client behind a real address takes TC as a request to ask over TCP (RFC 2181 section 9), and
//! BADCOOKIE as one to ask again with the cookie that comes with it (RFC 7873 section 5.2.3). The
//! answer to either proves its address, and is not limited.

use super::outcome::Outcome;
use super::reject::reject;
use super::reply::Reply;
use super::{Client, QueryContext};
use crate::snapshot::Snapshot;
use crate::wire::cookie::CookieStatus;
use crate::wire::edns::{Edns, extended_error};
use crate::wire::header::flag;
use crate::wire::query::{Query, parse};
use crate::wire::reject::Parsed;
use crate::wire::rr::Rcode;

/// A message and its client.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Message<'a> {
    /// Octets of the message.
    pub(crate) octets: &'a [u8],
    /// The client: the sender, or the one that a balancer names.
    pub(crate) client: &'a Client,
    /// Random number and time.
    pub(crate) context: QueryContext,
}

/// Writes the reply to a query past a rate limit. With `may_grow`, a client that sent a cookie gets
/// BADCOOKIE, which is at most 16 octets longer than the query, and a message that asks for a
/// cookie alone gets it; otherwise no reply is longer. Another message that is no query gets no
/// reply.
#[cold]
pub(crate) fn slip(snapshot: &Snapshot, message: &Message<'_>, may_grow: bool, out: &mut [u8]) -> Outcome {
    let (mut query, mut outcome) = (Query::default(), Outcome::default());
    match parse(message.octets, &mut query) {
        Parsed::Query => {}
        Parsed::CookieOnly(of) if may_grow => {
            let sender = (message.client, message.context);
            reject(snapshot, (&of, true, message.octets.len()), sender, out, &mut outcome);
            return outcome;
        }
        Parsed::CookieOnly(_) | Parsed::Reject(_) | Parsed::Silence => return outcome,
    }
    if let Some(edns) = query.edns.as_mut().filter(|_| !may_grow) {
        edns.cookie = None;
    }
    let mut reply = begin(snapshot, &mut query, message, out, &mut outcome);
    let rcode = match outcome.cookie {
        CookieStatus::Client | CookieStatus::Invalid => Rcode::BADCOOKIE,
        CookieStatus::None | CookieStatus::Valid => {
            reply.response.set_flag(flag::TC);
            Rcode::NOERROR
        }
    };
    reply.finish(rcode, None, &mut outcome);
    outcome
}

/// Writes REFUSED to a query, with the extended error Prohibited (RFC 8914 section 4.19) and the
/// cookie if the client sent one. A message that is no query gets no reply.
#[cold]
pub(crate) fn refuse(snapshot: &Snapshot, message: &Message<'_>, out: &mut [u8]) -> Outcome {
    let (mut query, mut outcome) = (Query::default(), Outcome::default());
    if matches!(parse(message.octets, &mut query), Parsed::Query) {
        let mut reply = begin(snapshot, &mut query, message, out, &mut outcome);
        reply.finish(Rcode::REFUSED, Some((extended_error::PROHIBITED, "")), &mut outcome);
    }
    outcome
}

/// Begins the reply, whose options are no longer than those of the query, but for a cookie.
fn begin<'s>(
    snapshot: &'s Snapshot,
    query: &'s mut Query,
    message: &Message<'s>,
    out: &'s mut [u8],
    outcome: &mut Outcome,
) -> Reply<'s> {
    query.edns = query.edns.map(Edns::without_growth);
    let query = &*query;
    Reply::new(
        snapshot,
        query,
        query.question(message.octets),
        (message.client, message.context),
        out,
        outcome,
    )
}
