//! The core: one function from octets to octets.
//!
//! [`respond`] does no I/O, reads no clock, takes no lock, allocates nothing, logs nothing and
//! cannot panic on any input. Everything it needs comes in: the snapshot, the packet, who asks, and
//! a draw for what is random. `explain` calls it with a [`trace`] that listens, and walks the
//! general road below; service takes a shorter road for usual answers first (`quick`), and the law
//! that a traced answer is the served answer holds the two together.
//!
//! ```text
//! parse --- Silence, Rare
//!   |-- Reject, CookieOnly ------------------------------------.
//!   `-- Query -> admit -> look up -+- positive --- follow --.   |
//!                          ^       +- steered ---- follow --+   |
//!                          |       +- referral              |   |
//!                          |       `- negative              |   |
//!                          `--------------------------------'   |
//!                                                  finish (OPT) <'
//! ```

pub mod ahead;
pub mod outcome;
pub mod trace;

mod admit;
mod chain;
mod chaos;
mod exchange;
mod finish;
mod negative;
mod opening;
mod positive;
mod quick;
mod referral;
mod steered;

pub use exchange::Step;
pub use outcome::{Outcome, Reason, Verdict};
pub use trace::Trace;

use crate::snapshot::Snapshot;
use crate::wire::query::{Parsed, Query, parse};
use crate::wire::rr::{Rcode, RrType};
use crate::zone::image::Match;
use exchange::{Exchange, Next};
use opening::Opening;
use std::net::IpAddr;

/// How a message arrived: what bounds the reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// One datagram.
    Udp,
    /// A stream.
    Tcp,
}

/// Who asks.
#[derive(Clone, Copy, Debug)]
pub struct Client {
    /// Source address of the query: the resolver.
    pub address: IpAddr,
    /// How it arrived.
    pub transport: Transport,
}

/// What is different for each query without being in it.
#[derive(Clone, Copy, Debug)]
pub struct Moment {
    /// A random number, to be mixed before it is used: the order of addresses in a reply, and
    /// `share: random`.
    pub draw: u64,
    /// Seconds since 1970 modulo 2^32, for the time stamps of DNS cookies.
    pub epoch_secs: u32,
}

/// Answers a message. `out` should hold 65,535 octets for streams and 1,232 for datagrams; a
/// shorter buffer (at least 512) is a lower limit.
pub fn respond(
    snapshot: &Snapshot,
    packet: &[u8],
    client: &Client,
    moment: Moment,
    out: &mut [u8],
) -> Outcome {
    respond_traced(snapshot, packet, client, moment, out, &mut trace::Silent::default())
}

/// What whoever answers many messages keeps from one to the next, so that nothing is made anew or
/// copied. It says nothing of earlier messages but for `outcome`, which is that of the last.
#[derive(Debug, Default)]
pub struct Scratch {
    query: Query,
    /// What came of the last message.
    pub outcome: Outcome,
}

/// [`respond`] for many messages; the outcome stands in `scratch`.
#[inline]
pub fn respond_by(
    scratch: &mut Scratch,
    snapshot: &Snapshot,
    packet: &[u8],
    client: &Client,
    moment: Moment,
    out: &mut [u8],
) {
    converse(scratch, snapshot, packet, client, moment, out, &mut trace::Silent::default());
}

/// [`respond`] with a trace.
pub fn respond_traced<T: Trace>(
    snapshot: &Snapshot,
    packet: &[u8],
    client: &Client,
    moment: Moment,
    out: &mut [u8],
    trace: &mut T,
) -> Outcome {
    let mut scratch = Scratch::default();
    converse(&mut scratch, snapshot, packet, client, moment, out, trace);
    scratch.outcome
}

#[inline(always)]
fn converse<T: Trace>(
    scratch: &mut Scratch,
    snapshot: &Snapshot,
    packet: &[u8],
    client: &Client,
    moment: Moment,
    out: &mut [u8],
    trace: &mut T,
) {
    let Scratch { query, outcome } = scratch;
    *outcome = Outcome::silence();
    if out.len() < usize::from(crate::limits::UDP_PAYLOAD_MIN) {
        return;
    }
    match &parse(packet, query) {
        Parsed::Query => {
            let mut opening = Opening::new(snapshot, query, packet, (client, moment), out, outcome);
            match if T::IS_SILENT { opening.quick(outcome) } else { Err(None) } {
                Ok(rcode) => opening.finish(rcode, None, outcome),
                Err(step) => at_length(opening.moved(), step, outcome, trace),
            }
        }
        Parsed::Silence => {}
        Parsed::SlowPath => outcome.verdict = Verdict::SlowPath,
        Parsed::Reject(reject) => *outcome = finish::reject(snapshot, reject, client, moment, out),
        Parsed::CookieOnly(asked) => *outcome = finish::cookie_only(snapshot, asked, client, moment, out),
    }
}

/// The answer to whatever a query asks: from the question, or from a step that was taken already.
#[inline(never)]
fn at_length<'s, T: Trace>(
    opening: Opening<'s>,
    step: Option<Step<'s>>,
    outcome: &mut Outcome,
    trace: &mut T,
) {
    let mut exchange = Exchange::new(opening, outcome, trace);
    let rcode = match step.map_or_else(|| exchange.admit(), Ok) {
        Ok(step) => exchange.walk(step),
        Err(rcode) => rcode,
    };
    exchange.finish(rcode);
}

impl<'s, T: Trace> Exchange<'s, '_, T> {
    /// From a name along the CNAMEs behind it to the end of the answer.
    fn walk<'n>(&mut self, mut step: Step<'n>) -> Rcode
    where
        's: 'n,
    {
        while self.opening.steps_left > 0 {
            self.opening.steps_left -= 1;
            self.trace.step(self.opening.snapshot, &step);
            let next = match step.found.matched {
                Match::Exact(node) | Match::Wildcard(node) => match step.image.steered_at(node) {
                    Some(steered) => self.steered(step, node, steered),
                    None if self.stops_before_scope(0) => return Rcode::NOERROR,
                    None => self.positive(step, node),
                },
                _ if self.stops_before_scope(0) => return Rcode::NOERROR,
                Match::NoName => self.negative(step, Rcode::NXDOMAIN),
                Match::Cut(cut) if self.asks_delegation_signer(step, cut) => self.positive(step, cut),
                Match::Cut(cut) => self.referral(step, cut),
                Match::Redirected(owner) => self.redirected(step, owner),
            };
            match next {
                Next::Done(rcode) => return rcode,
                Next::Follow(followed) => step = followed,
            }
        }
        // A chain this long was refused at load where it could be seen; the resolver goes on from
        // here.
        Rcode::NOERROR
    }

    /// DS lives above the cut (RFC 4035 section 3.1.4.1).
    #[cold]
    fn asks_delegation_signer(&self, step: Step<'_>, cut: crate::zone::image::NodeId) -> bool {
        self.opening.query.qtype == RrType::DS && step.image.name(cut) == step.name
    }
}
