//! The core: one function from octets to octets.
//!
//! [`respond`] does no I/O, reads no clock, takes no lock, allocates nothing, logs nothing and
//! cannot panic on any input. It reads nothing but its arguments: the snapshot, the packet, the
//! client, the context (a draw for random choices, and the time for cookies) and the buffer for the
//! reply. A query in service takes the fast path first ([`fast_path`]), which has only the usual
//! answers, and then the general path ([`walk`]). `explain` calls [`respond_traced`] with a
//! recording [`trace`], which always takes the general path. Law 7 (tests/laws/served) compares the
//! two paths: a traced answer is the served answer.
//!
//! ```text
//! parse --- Silence
//!   |-- Reject, CookieOnly ------------------------------------.
//!   `-- Query -> admit -> look up -+- positive --- follow --.   |
//!                          ^       +- steered ---- follow --+   |
//!                          |       +- referral              |   |
//!                          |       `- negative              |   |
//!                          `--------------------------------'   |
//!                                                  reply (OPT) <'
//! ```

pub(crate) mod bare;
pub(crate) mod outcome;
pub(crate) mod stages;
pub(crate) mod trace;

mod admit;
mod ahead;
mod chain;
mod chaos;
mod fast_path;
mod negative;
mod positive;
mod referral;
mod reject;
mod reply;
mod steered;
mod step;
mod walk;

pub use outcome::{Decided, Disposition, Outcome, Reason};
pub use step::Step;
pub use trace::Trace;

use crate::snapshot::Snapshot;
use crate::wire::query::{Query, parse};
use crate::wire::reject::Parsed;
use crate::wire::rr::{Rcode, RrType, Ttl};
use crate::zone::image::Match;
use ahead::Ahead;
use reply::Reply;
use std::net::IpAddr;
use step::Next;
use walk::Walk;

closed_set! {
    /// Transport of a message, which bounds the size of the reply. Its word stands in metrics and
    /// pages.
    pub enum Transport {
        /// One datagram.
        Udp = "udp",
        /// A stream over TCP.
        Tcp = "tcp",
        /// A stream over TLS (RFC 7858).
        Dot = "dot",
        /// HTTP over TLS (RFC 8484).
        Doh = "doh",
        /// Streams over QUIC (RFC 9250).
        Doq = "doq",
    }
}

impl Transport {
    /// True if messages come over connections.
    pub(crate) fn is_stream(self) -> bool {
        match self {
            Transport::Udp => false,
            Transport::Tcp | Transport::Dot | Transport::Doh | Transport::Doq => true,
        }
    }

    /// True if each connection takes a file descriptor.
    pub(crate) fn takes_descriptors(self) -> bool {
        match self {
            Transport::Udp | Transport::Doq => false,
            Transport::Tcp | Transport::Dot | Transport::Doh => true,
        }
    }

    /// True if the transport encrypts messages, so that padding hides their length (RFC 7830
    /// section 6).
    pub(crate) fn is_encrypted(self) -> bool {
        match self {
            Transport::Udp | Transport::Tcp => false,
            Transport::Dot | Transport::Doh | Transport::Doq => true,
        }
    }
}

/// The sender of a query.
#[derive(Clone, Copy, Debug)]
pub struct Client {
    /// Source address of the query: the resolver.
    pub address: IpAddr,
    /// Transport of the query.
    pub transport: Transport,
}

/// Inputs of an answer that differ from query to query and are not in the message.
#[derive(Clone, Copy, Debug)]
pub struct QueryContext {
    /// Random number for the order of addresses in a reply and for `share: random`. Mix it before
    /// use, because successive draws are not independent.
    pub draw: u64,
    /// Seconds since 1970 modulo 2^32, for the time stamps of DNS cookies.
    pub epoch_secs: u32,
}

/// Answers a message. `out` should hold 65,535 octets for streams and 1,232 for datagrams. A
/// shorter buffer is a lower limit of the reply; with less than 512 octets there is no reply.
pub fn respond(
    snapshot: &Snapshot,
    packet: &[u8],
    client: &Client,
    context: QueryContext,
    out: &mut [u8],
) -> Outcome {
    respond_traced(snapshot, packet, client, context, out, &mut trace::NoTrace::default())
}

/// [`respond`] with a trace.
pub fn respond_traced<T: Trace>(
    snapshot: &Snapshot,
    packet: &[u8],
    client: &Client,
    context: QueryContext,
    out: &mut [u8],
    trace: &mut T,
) -> Outcome {
    let (mut query, mut outcome) = (Query::default(), Outcome::default());
    converse(&mut query, &Ahead::default(), &mut outcome, snapshot, packet, client, context, out, trace);
    outcome
}

#[inline(always)]
#[expect(clippy::too_many_arguments, reason = "what belongs together here is apart for all callers")]
fn converse<T: Trace>(
    query: &mut Query,
    ahead: &Ahead<'_>,
    outcome: &mut Outcome,
    snapshot: &Snapshot,
    packet: &[u8],
    client: &Client,
    context: QueryContext,
    out: &mut [u8],
    trace: &mut T,
) {
    *outcome = Outcome::default();
    if out.len() < usize::from(crate::limits::UDP_PAYLOAD_MIN) {
        return;
    }
    match &(if ahead.is_read { Parsed::Query } else { parse(packet, query) }) {
        Parsed::Query => {
            let question = query.question(packet);
            let mut reply = Reply::new(snapshot, query, question, (client, context), out, outcome);
            reply.located = ahead.located.as_ref();
            match if T::IS_SILENT { reply.fast_path(ahead.found, outcome) } else { Err(None) } {
                Ok(rcode) => reply.finish(rcode, None, outcome),
                Err(step) => at_length(reply.moved(), step, outcome, trace),
            }
        }
        Parsed::Silence => {}
        Parsed::Reject(of) => {
            reject::reject(snapshot, (of, false, packet.len()), (client, context), out, outcome)
        }
        Parsed::CookieOnly(of) => {
            reject::reject(snapshot, (of, true, packet.len()), (client, context), out, outcome)
        }
    }
}

/// Answers any query by the general path: from `step`, if the fast path has found one, else from
/// the question.
#[inline(never)]
fn at_length<'s, T: Trace>(reply: Reply<'s>, step: Option<Step<'s>>, outcome: &mut Outcome, trace: &mut T) {
    let mut walk = Walk::new(reply, outcome, trace);
    let mut rcode = match step.map_or_else(|| walk.admit(), Ok) {
        Ok(step) => walk.walk(step),
        Err(rcode) => rcode,
    };
    if walk.is_cut_short && T::IS_SILENT {
        walk.begin_again();
        rcode = walk.admit().map_or_else(|rcode| rcode, |step| walk.walk(step));
    }
    walk.finish(rcode);
}

impl<'s, T: Trace> Walk<'s, '_, T> {
    /// Follows the CNAMEs from the name of `step` to the end of the answer.
    fn walk<'n>(&mut self, mut step: Step<'n>) -> Rcode
    where
        's: 'n,
    {
        while self.reply.steps_left > 0 {
            self.reply.steps_left -= 1;
            if self.goes_in_circle(step.name) {
                return Rcode::NOERROR;
            }
            self.trace.step(self.reply.snapshot, &step);
            let next = match step.found.matched {
                Match::Exact(node) | Match::Wildcard(node) => match self.decided_at(step, node) {
                    Some((steered, policy)) => self.steered(step, steered, policy),
                    None if self.stops_before_scope(0) => return Rcode::NOERROR,
                    None => self.positive(step, node),
                },
                _ if self.stops_before_scope(0) => return Rcode::NOERROR,
                Match::NoName => self.negative(step, Rcode::NXDOMAIN, Ttl::MAX),
                Match::Cut(cut) if self.asks_delegation_signer(step, cut) => self.positive(step, cut),
                Match::Cut(cut) => self.referral(step, cut),
                Match::Redirected(owner) => self.redirected(step, owner),
            };
            match next {
                Next::Done(rcode) => return rcode,
                Next::Follow(followed) => step = followed,
            }
        }
        // The chain has more than `CHAIN_MAX` CNAMEs. The answer ends here, and the resolver asks
        // for the last target itself. A reload warns of such chains, as far as zones and policies
        // show them.
        self.is_cut_short = true;
        Rcode::NOERROR
    }

    /// DS lives above the cut (RFC 4035 section 3.1.4.1).
    #[cold]
    fn asks_delegation_signer(&self, step: Step<'_>, cut: crate::zone::image::NodeId) -> bool {
        self.reply.query.qtype == RrType::DS && step.image.name(cut) == step.name
    }
}
