//! Errors for messages that are no query: the header, the question if it could be read, and OPT if
//! the client speaks EDNS. And the answer to who asks for nothing but a cookie.

use super::outcome::Outcome;
use super::reply::{answer_cookie, limit, options};
use super::{Client, Disposition, QueryContext};
use crate::snapshot::Snapshot;
use crate::wire::cookie::CookieStatus;
use crate::wire::header::flag;
use crate::wire::query::Reject;
use crate::wire::response::Response;
use crate::wire::rr::Rcode;

/// Writes the error.
#[cold]
pub(crate) fn reject(
    snapshot: &Snapshot,
    reject: &Reject<'_>,
    client: &Client,
    context: QueryContext,
    out: &mut [u8],
) -> Outcome {
    let flags = u16::from(reject.opcode) << 11 | if reject.recursion_desired { flag::RD } else { 0 };
    // The subnet is not echoed: nothing of the answer is about it.
    let mut edns = reject.edns;
    if let Some(edns) = &mut edns {
        edns.subnet = None;
    }
    let (cookie_status, cookie) = edns
        .as_ref()
        .map_or((CookieStatus::None, None), |edns| answer_cookie(snapshot, edns, client, context));
    let options = edns.as_ref().map(|edns| options(snapshot, edns, cookie.as_ref(), 0, None, reject.rcode));
    let reserved = options.as_ref().map_or(0, |o| o.len());
    let limit = limit(client.transport, reject.edns.as_ref());
    let mut response =
        Response::begin(out, limit, reserved, u32::from(reject.id) << 16 | u32::from(flags), reject.question);
    let len = response.finish(reject.rcode, options.as_ref());
    Outcome {
        disposition: Disposition::Send(len),
        rcode: reject.rcode,
        cookie: cookie_status,
        ..Outcome::silence()
    }
}

/// Gives a cookie to who asks for nothing else: BADCOOKIE if the server cookie that came was not
/// good (RFC 7873 section 5.4), FORMERR where cookies are off.
#[cold]
pub(crate) fn cookie_only(
    snapshot: &Snapshot,
    asked: &Reject<'_>,
    client: &Client,
    context: QueryContext,
    out: &mut [u8],
) -> Outcome {
    let cookie_status = asked
        .edns
        .as_ref()
        .map_or(CookieStatus::None, |edns| answer_cookie(snapshot, edns, client, context).0);
    let rcode = match cookie_status {
        CookieStatus::None => asked.rcode,
        CookieStatus::Client | CookieStatus::Valid => Rcode::NOERROR,
        CookieStatus::Invalid => Rcode::BADCOOKIE,
    };
    reject(snapshot, &Reject { rcode, ..*asked }, client, context, out)
}
