//! Replies without records, in place of an answer past a rate limit: hardly longer than the query.
//!
//! A client behind a real address takes TC as a request to ask over TCP (RFC 2181 section 9), and
//! BADCOOKIE as one to ask again with the cookie that comes with it (RFC 7873 section 5.2.3). The
//! answer to either proves its address, and is not limited.

use super::outcome::Outcome;
use super::reply::Reply;
use super::{Client, QueryContext};
use crate::snapshot::Snapshot;
use crate::wire::cookie::CookieStatus;
use crate::wire::header::flag;
use crate::wire::query::{Query, parse};
use crate::wire::reject::Parsed;
use crate::wire::rr::Rcode;

/// A message and its sender.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Message<'a> {
    /// Octets of the message.
    pub(crate) octets: &'a [u8],
    /// The sender.
    pub(crate) client: &'a Client,
    /// Random number and time.
    pub(crate) context: QueryContext,
}

/// Writes the reply past a rate limit. With `may_grow`, a client that sent a cookie gets BADCOOKIE, which is at most
/// 16 octets longer than the query; otherwise no reply is longer. A message that is no query gets
/// no reply.
#[cold]
pub(crate) fn slip(snapshot: &Snapshot, message: &Message<'_>, may_grow: bool, out: &mut [u8]) -> Outcome {
    let (mut query, mut outcome) = (Query::default(), Outcome::default());
    let Message { octets, client, context } = *message;
    if !matches!(parse(octets, &mut query), Parsed::Query) {
        return outcome;
    }
    if let Some(edns) = &mut query.edns {
        edns.nsid = false;
        if !may_grow {
            edns.cookie = None;
        }
    }
    let mut reply =
        Reply::new(snapshot, &query, query.question(octets), (client, context), out, &mut outcome);
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
