//! The reply: its size limit, its cookie and the echoed question, then the OPT and the header.

use super::ahead::Located;
use super::outcome::{Decided, Outcome, Reason};
use super::{Client, Disposition, QueryContext, Transport};
use crate::answer::step::Step;
use crate::limits::{CHAIN_MAX, MESSAGE_MAX, UDP_PAYLOAD_MAX, UDP_PAYLOAD_MIN};
use crate::snapshot::Snapshot;
use crate::snapshot::locate::{Decision, QuerySource};
use crate::steer::choose::Choice;
use crate::steer::table::PolicyTable;
use crate::steer::view::View;
use crate::wire::cookie;
use crate::wire::edns::{Edns, ResponseOptions, ZoneVersion};
use crate::wire::position::NamePosition;
use crate::wire::query::Query;
use crate::wire::reject::Question;
use crate::wire::response::Response;
use crate::wire::rr::Rcode;
use crate::zone::image::Steered;
use crate::zone::set::{Found, ZoneId};

/// Octets of a block of padded responses: longer blocks hide more of a name from observers of
/// encrypted connections, shorter ones cost less (RFC 8467 section 4.1).
const PADDING_BLOCK: usize = 468;

/// A reply in the making. The fast path is inlined into one function, so that the fields of this
/// struct stay in registers.
pub(crate) struct Reply<'s> {
    /// The snapshot, held for the whole answer.
    pub(crate) snapshot: &'s Snapshot,
    /// The query.
    pub(crate) query: &'s Query,
    /// The client: the sender, or the one that a balancer names.
    pub(crate) client: &'s Client,
    /// A random number.
    pub(crate) draw: u64,
    /// The message in the making.
    pub(crate) response: Response<'s>,
    /// Longest scope of the steps so far.
    pub(crate) scope: u8,
    /// Names that may still be looked at: the question itself, and one for each CNAME that is
    /// followed.
    pub(crate) steps_left: usize,
    /// The client, if it was located before.
    pub(crate) located: Option<&'s Located<'s>>,
    /// The cookie that goes into the response.
    pub(crate) cookie: Option<cookie::Whole>,
}

impl<'s> Reply<'s> {
    /// Begins the response to a query. `outcome` is that of silence.
    #[inline(always)]
    pub(crate) fn new(
        snapshot: &'s Snapshot,
        query: &'s Query,
        question: Question<'_>,
        (client, context): (&'s Client, QueryContext),
        out: &'s mut [u8],
        outcome: &mut Outcome,
    ) -> Reply<'s> {
        outcome.qtype = query.qtype;
        let (mut reserved, mut cookie) = (0, None);
        if let Some(edns) = &query.edns {
            if edns.asks
                && let Some(asked) = &edns.cookie
                && let Some(answer) = snapshot.cookies.answer(asked, client.address, context.epoch_secs)
            {
                (outcome.cookie, cookie) = (answer.0, Some(answer.1));
            }
            reserved = options(snapshot, edns, client.transport, cookie.as_ref(), 0).len();
        }
        let limit = limit(client.transport, query.edns.as_ref());
        let response = Response::begin(out, limit, reserved, query.copied_head(), question);
        Reply {
            snapshot,
            query,
            client,
            draw: context.draw,
            response,
            scope: 0,
            steps_left: CHAIN_MAX + 1,
            located: None,
            cookie,
        }
    }

    /// Moves field by field, so that LLVM need not spill the struct, and a reply that ends on the
    /// fast path stays in registers.
    #[inline(always)]
    pub(crate) fn moved(self) -> Reply<'s> {
        let Reply { snapshot, query, client, draw, response, scope, steps_left, located, cookie } = self;
        Reply {
            snapshot,
            query,
            client,
            draw,
            response: response.moved(),
            scope,
            steps_left,
            located,
            cookie,
        }
    }

    /// Removes everything behind the question.
    pub(crate) fn begin_again(&mut self) {
        self.response.rewind(self.query.end_of_question(), 0);
        (self.scope, self.steps_left) = (0, CHAIN_MAX + 1);
    }

    /// The step at a name that was found.
    #[inline(always)]
    pub(crate) fn step<'n>(&self, name: &'n [u8], written: NamePosition, found: Found) -> Step<'n>
    where
        's: 'n,
    {
        Step { name, written, found, image: self.snapshot.zones.zone(found.zone) }
    }

    /// The decision of a policy at a steered name, and the policy's view of the PoPs. A client that
    /// an earlier stage located for this policy is not located again. A subnet with source prefix
    /// length 0 is ignored, because it forbids the use of the client's address (RFC 7871 section
    /// 7.1.2).
    #[inline(always)]
    pub(crate) fn decide(&self, step: Step<'_>, steered: &Steered) -> Option<(Decision<'s>, &'s View)> {
        let (number, owner_seed) = (steered.policy, step.seed(steered));
        let source = QuerySource { resolver: self.client.address, subnet: self.query.subnet() };
        if let Some(known) = self.located
            && known.policy == number
        {
            let decision = source.decide(&known.lookup, known.leaf, owner_seed, self.draw);
            return Some((decision, known.lookup.view));
        }
        let lookup = source.lookup(self.snapshot, number)?;
        Some((source.decide(&lookup, lookup.leaf(), owner_seed, self.draw), lookup.view))
    }

    /// Records the choice of a policy, and raises the ECS scope prefix length of the answer to that
    /// of the decision. A denial that is the same for all clients leaves the scope as it is.
    #[inline(always)]
    pub(crate) fn takes(
        &mut self,
        policy: &PolicyTable,
        decision: &Decision<'_>,
        choice: Choice,
        outcome: &mut Outcome,
    ) {
        let pop = match choice {
            Choice::Pop { pop, resort, .. } => Some((pop, resort)),
            _ => None,
        };
        let (reason, evidence) = (Reason::of(choice), decision.evidence());
        outcome.decided = Some(Decided { policy: policy.index, reason, evidence, pop });
        // An answer depends on the client, except a denial that all clients of the policy get at
        // the same time. If the policy has CNAMEs, a denial too depends on the client, because
        // other clients may get a CNAME instead.
        if choice != Choice::NoData || policy.may_alias() {
            self.scope = self.scope.max(decision.scope());
        }
    }

    /// Writes the OPT, with an extended error if there is room, and the header. Completes the
    /// outcome.
    #[inline(always)]
    pub(crate) fn finish(&mut self, rcode: Rcode, error: Option<(u16, &str)>, outcome: &mut Outcome) {
        let len = match &self.query.edns {
            None => self.response.finish(rcode, None),
            Some(edns) => {
                let transport = self.client.transport;
                let mut options = options(self.snapshot, edns, transport, self.cookie.as_ref(), self.scope);
                debug_assert_eq!(
                    options.len(),
                    self.response.reserved(),
                    "the options do not have the length that was reserved"
                );
                if options.zone_version.is_some() {
                    options.zone_version = outcome.zone.and_then(|zone| version(self.snapshot, zone));
                }
                (options.error, options.rcode_high) = (error, (rcode.0 >> 4) as u8);
                // The reserve has room for the OPT without the extended error. The error is
                // optional, so it is left out if it does not fit.
                if options.error.is_some()
                    && self.response.position() + options.len() > self.response.limit_with_reserve()
                {
                    options.error = None;
                }
                if options.padding.is_some() {
                    let len = self.response.position() + options.len();
                    options.padding = Some(padding(len, self.response.limit_with_reserve()));
                }
                self.response.finish(rcode, Some(&options))
            }
        };
        (outcome.disposition, outcome.rcode) = (Disposition::Send(len), rcode);
        (outcome.truncated, outcome.scope) = (self.response.is_truncated(), self.scope);
    }
}

/// Most octets of a response: the smaller of the client's limit and ours.
#[inline(always)]
fn limit(transport: Transport, edns: Option<&Edns>) -> usize {
    match (transport, edns) {
        (Transport::Tcp | Transport::Dot | Transport::Doh | Transport::Doq, _) => MESSAGE_MAX,
        (Transport::Udp, None) => usize::from(UDP_PAYLOAD_MIN),
        // Less than 512 means 512 (RFC 6891 section 6.2.3).
        (Transport::Udp, Some(edns)) => usize::from(edns.payload.clamp(UDP_PAYLOAD_MIN, UDP_PAYLOAD_MAX)),
    }
}

/// The OPT of a response without an error. Padding and the version of the zone take their room, and
/// get their octets in [`Reply::finish`].
#[inline(always)]
fn options<'s>(
    snapshot: &'s Snapshot,
    asked: &'s Edns,
    transport: Transport,
    cookie: Option<&'s cookie::Whole>,
    scope: u8,
) -> ResponseOptions<'s> {
    let node = snapshot.identity.name.as_bytes();
    let (mut keepalive, mut padding, mut zone_version) = (None, None, None);
    if asked.asks {
        keepalive = if asked.keepalive { idle(snapshot, transport) } else { None };
        padding = (asked.padding && transport.is_encrypted()).then_some(0);
        zone_version = asked.zone_version.then(ZoneVersion::default);
    }
    ResponseOptions {
        asked,
        scope,
        node,
        cookie,
        error: None,
        keepalive,
        padding,
        zone_version,
        rcode_high: 0,
        payload: UDP_PAYLOAD_MAX,
    }
}

/// Version of a zone; `None` if it is not served.
#[cold]
fn version(snapshot: &Snapshot, zone: ZoneId) -> Option<ZoneVersion> {
    let zone = snapshot.zones.zone(zone);
    Some(ZoneVersion { labels: zone.apex_labels() as u8, serial: zone.serial()? })
}

/// Idle time of a connection, in units of 100 ms; `None` for UDP, over which the option is
/// ignored (RFC 7828 section 3.3.1), and for transports that end connections by means of their own.
fn idle(snapshot: &Snapshot, transport: Transport) -> Option<u16> {
    match transport {
        Transport::Udp | Transport::Doh | Transport::Doq => None,
        Transport::Tcp => Some(snapshot.idle.tcp),
        Transport::Dot => Some(snapshot.idle.dot),
    }
}

/// Octets of padding that fill up a message of `len` octets to whole blocks, or to its limit (RFC
/// 8467 section 4.1).
fn padding(len: usize, limit: usize) -> usize {
    len.next_multiple_of(PADDING_BLOCK).min(limit).saturating_sub(len)
}

#[cfg(test)]
mod tests;
