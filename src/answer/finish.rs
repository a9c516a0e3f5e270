//! Errors for messages that are no query: the header, the question if it could be read, and OPT if
//! the client speaks EDNS.

use super::exchange::{limit, options};
use super::outcome::Outcome;
use super::{Client, Verdict};
use crate::snapshot::Snapshot;
use crate::wire::edns::ResponseOptions;
use crate::wire::query::Reject;
use crate::wire::response::{Response, flag};

/// Writes the error.
pub fn reject(snapshot: &Snapshot, reject: &Reject<'_>, client: &Client, out: &mut [u8]) -> Outcome {
    let flags = u16::from(reject.opcode) << 11 | if reject.recursion_desired { flag::RD } else { 0 };
    let options = reject.edns.as_ref().map(|edns| ResponseOptions { subnet: None, ..options(snapshot, edns, 0, None, reject.rcode) });
    let reserved = options.as_ref().map_or(0, |o| o.len());
    let limit = limit(client.transport, reject.edns.as_ref());
    let response = Response::begin(out, limit, reserved, reject.id, flags, reject.question.unwrap_or_default());
    let len = response.finish(reject.rcode, options.as_ref());
    Outcome { verdict: Verdict::Reply(len), rcode: reject.rcode, ..Outcome::silence() }
}
