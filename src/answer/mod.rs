//! The core: one function from octets to octets.
//!
//! [`respond`] does no I/O, reads no clock, takes no lock, allocates nothing, logs nothing and
//! cannot panic on any input. Everything it needs comes in: the snapshot, the packet, who asks, and a
//! draw for what is random. `explain` calls the same function with a [`trace`] that listens.
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

pub mod outcome;
pub mod trace;

mod admit;
mod chain;
mod chaos;
mod exchange;
mod finish;
mod negative;
mod positive;
mod referral;
mod steered;

pub use exchange::Step;
pub use outcome::{Outcome, Reason, Verdict};
pub use trace::Trace;

use crate::snapshot::Snapshot;
use crate::wire::query::{Parsed, QueryName, parse};
use crate::wire::rr::{Rcode, RrType};
use crate::zone::image::Match;
use exchange::{Exchange, Next};
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
    /// A random number: the order of addresses in a reply, and `share: random`.
    pub draw: u64,
    /// Seconds since 1970 modulo 2^32, for the time stamps of DNS cookies.
    pub epoch_secs: u32,
}

/// Answers a message. `out` should hold 65,535 octets for streams and 1,232 for datagrams; a shorter
/// buffer (at least 512) is a lower limit.
pub fn respond(snapshot: &Snapshot, packet: &[u8], client: &Client, moment: Moment, out: &mut [u8]) -> Outcome {
    respond_traced(snapshot, packet, client, moment, out, &mut trace::Silent::default())
}

/// [`respond`] for a worker, which has one name for all its queries: clearing it costs more than reading into it.
#[inline]
pub fn respond_by(name: &mut QueryName, snapshot: &Snapshot, packet: &[u8], client: &Client, moment: Moment, out: &mut [u8]) -> Outcome {
    converse(name, snapshot, packet, client, moment, out, &mut trace::Silent::default())
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
    converse(&mut QueryName::default(), snapshot, packet, client, moment, out, trace)
}

fn converse<T: Trace>(
    name: &mut QueryName,
    snapshot: &Snapshot,
    packet: &[u8],
    client: &Client,
    moment: Moment,
    out: &mut [u8],
    trace: &mut T,
) -> Outcome {
    if out.len() < usize::from(crate::limits::UDP_PAYLOAD_MIN) {
        return Outcome::silence();
    }
    match &parse(packet, name) {
        Parsed::Silence => Outcome::silence(),
        Parsed::Rare => Outcome::rare(),
        Parsed::Reject(reject) => finish::reject(snapshot, reject, client, moment, out),
        Parsed::CookieOnly(asked) => finish::cookie_only(snapshot, asked, client, moment, out),
        Parsed::Query(query) => {
            let mut exchange = Exchange::begin(snapshot, query, client, moment, out, trace);
            let rcode = exchange.run();
            exchange.finish(rcode)
        }
    }
}

impl<'s, T: Trace> Exchange<'s, '_, T> {
    /// The life of an answer.
    fn run(&mut self) -> Rcode {
        match self.admit() {
            Ok(step) => self.walk(step),
            Err(rcode) => rcode,
        }
    }

    /// From a name along the CNAMEs behind it to the end of the answer.
    fn walk<'n>(&mut self, mut step: Step<'n>) -> Rcode
    where
        's: 'n,
    {
        while self.steps_left > 0 {
            self.steps_left -= 1;
            self.trace.step(self.snapshot, &step);
            let next = match step.found.matched {
                Match::Exact(node) | Match::Wildcard(node) if let Some(steered) = step.image.steered_at(node) => {
                    self.steered(&step, node, steered)
                }
                _ if self.stops_before_scope(0) => return Rcode::NOERROR,
                Match::Exact(node) | Match::Wildcard(node) => self.positive(&step, node),
                Match::NoName => self.negative(&step, Rcode::NXDOMAIN),
                Match::Cut(cut) if self.asks_delegation_signer(&step, cut) => self.positive(&step, cut),
                Match::Cut(cut) => self.referral(&step, cut),
                Match::Redirected(owner) => self.redirected(&step, owner),
            };
            match next {
                Next::Done(rcode) => return rcode,
                Next::Follow(followed) => step = followed,
            }
        }
        // A chain this long was refused at load where it could be seen; the resolver goes on from here.
        Rcode::NOERROR
    }

    /// DS lives above the cut (RFC 4035 section 3.1.4.1).
    fn asks_delegation_signer(&self, step: &Step<'_>, cut: crate::zone::image::NodeId) -> bool {
        self.qtype == RrType::DS && step.image.name(cut) == step.name
    }
}
