//! One query on its way to an answer: what is known so far.

use super::outcome::Outcome;
use super::trace::Trace;
use super::{Client, Moment, Transport};
use crate::limits::{CHAIN_MAX, MESSAGE_MAX, UDP_PAYLOAD_MAX, UDP_PAYLOAD_MIN};
use crate::snapshot::Snapshot;
use crate::snapshot::vantage::Vantage;
use crate::wire::cookie::{self, Standing};
use crate::wire::edns::{Edns, ResponseOptions};
use crate::wire::query::{HEADER_LEN, Query, QueryName};
use crate::wire::response::{Owner, Response, Written, flag};
use crate::wire::rr::{Rcode, RrType};
use crate::zone::image::{Image, Match};
use crate::zone::set::Found;

/// One name on the way: the question, or the target of a CNAME.
#[derive(Clone, Copy, Debug)]
pub struct Step<'s> {
    /// The name in lower-case wire form.
    pub name: &'s [u8],
    /// Where it stands in the message.
    pub written: Written,
    /// The zone that holds it, and what it is there.
    pub found: Found,
    /// The image of that zone.
    pub image: &'s Image,
}

impl Step<'_> {
    /// The name as an owner.
    pub fn owner(&self) -> Owner<'_> {
        Owner { at: self.written.suffix(0), wire: self.name }
    }

    /// Whether records as they stand ready have the right owner: they point at the name in the question. The root is
    /// never pointed at.
    #[inline(always)]
    pub fn owns_what_is_ready(&self) -> bool {
        self.written.suffix(0) == HEADER_LEN && self.name.len() > 1
    }

    /// Where the suffix of `len` octets stands.
    pub fn suffix_at(&self, len: usize) -> usize {
        self.written.suffix(self.name.len() - len)
    }
}

/// What follows a step.
pub enum Next<'s> {
    /// The answer is complete.
    Done(Rcode),
    /// A CNAME was written whose target is in one of our zones.
    Follow(Step<'s>),
}

/// A query on its way.
pub struct Exchange<'s, 't, T> {
    /// The snapshot, held for the whole answer.
    pub snapshot: &'s Snapshot,
    /// Sink of the story.
    pub trace: &'t mut T,
    /// What is asked.
    pub query: &'s Query<'s>,
    /// QTYPE.
    pub qtype: RrType,
    /// What is random.
    pub draw: u64,
    /// What is written.
    pub response: Response<'s>,
    /// Longest scope of the steps so far.
    pub scope: u8,
    /// What the counters are told.
    pub outcome: Outcome,
    /// Names that may still be looked at: the question itself, and one for each CNAME that is followed.
    pub steps_left: usize,
    client: &'s Client,
    extended_error: Option<(u16, &'static str)>,
    cookie: Option<cookie::Whole>,
}

impl<'s, 't, T: Trace> Exchange<'s, 't, T> {
    /// Begins the response to a query.
    #[inline(always)]
    pub fn begin(
        snapshot: &'s Snapshot,
        query: &'s Query<'s>,
        client: &'s Client,
        moment: Moment,
        out: &'s mut [u8],
        trace: &'t mut T,
    ) -> Exchange<'s, 't, T> {
        let copied = (if query.recursion_desired { flag::RD } else { 0 }) | (if query.checking_disabled { flag::CD } else { 0 });
        let limit = limit(client.transport, query.edns.as_ref());
        let (standing, cookie) = cookie(snapshot, query.edns.as_ref(), client, moment);
        let reserved = query.edns.as_ref().map_or(0, |edns| options(snapshot, edns, cookie.as_ref(), 0, None, Rcode::NOERROR).len());
        Exchange {
            snapshot,
            trace,
            query,
            client,
            qtype: query.qtype,
            draw: moment.draw,
            response: Response::begin(out, limit, reserved, query.id, copied, query.question),
            scope: 0,
            outcome: Outcome { qtype: query.qtype, cookie: standing, ..Outcome::silence() },
            steps_left: CHAIN_MAX + 1,
            extended_error: None,
            cookie,
        }
    }

    /// From where the query is seen. Source 0 asks not to be located by the subnet (RFC 7871 section 7.1.2).
    pub fn vantage(&self) -> Vantage<'s> {
        let subnet = self.query.edns.as_ref().and_then(|edns| edns.subnet.as_ref());
        Vantage { resolver: self.client.address, subnet: subnet.filter(|subnet| subnet.source > 0) }
    }

    /// What a name is in our zones, for the asked type; `None` outside them. DS belongs to
    /// the parent's side of a cut (RFC 4035 section 3.1.4.1), unless the parent is not ours or knows nothing
    /// of the name: a child that no delegation of ours leads to does exist, so its parent must not deny it.
    #[inline(always)]
    pub fn find(&self, name: &QueryName) -> Option<Found> {
        if self.qtype == RrType::DS
            && let Some(found) = self.find_above(name)
        {
            return Some(found);
        }
        self.snapshot.zones.lookup(name)
    }

    #[cold]
    fn find_above(&self, name: &QueryName) -> Option<Found> {
        let zone = self.snapshot.zones.zone_of(name, true)?;
        let matched = self.snapshot.zones.zone(zone).lookup(name);
        matches!(matched, Match::Cut(_) | Match::Exact(_)).then_some(Found { zone, matched })
    }

    /// The step at a name that was found.
    #[inline(always)]
    pub fn step<'n>(&self, name: &'n [u8], written: Written, found: Found) -> Step<'n>
    where
        's: 'n,
    {
        Step { name, written, found, image: self.snapshot.zones.zone(found.zone) }
    }

    /// Adds an extended error, if the query has EDNS and there is room.
    pub fn explain_error(&mut self, code: u16, text: &'static str) {
        self.extended_error = Some((code, text));
    }

    /// The rest does not fit: the client comes back over TCP.
    pub fn truncate(&mut self) -> Next<'static> {
        self.response.set_flag(flag::TC);
        Next::Done(Rcode::NOERROR)
    }

    /// Writes the OPT and the header.
    #[inline(always)]
    pub fn finish(&mut self, rcode: Rcode) -> Outcome {
        let mut options =
            self.query.edns.as_ref().map(|edns| options(self.snapshot, edns, self.cookie.as_ref(), self.scope, self.extended_error, rcode));
        // Room was kept for the OPT without the extended error, which is a courtesy.
        if self.extended_error.is_some()
            && let Some(options) = &mut options
            && self.response.position() + options.len() > self.response.limit_with_reserve()
        {
            options.error = None;
        }
        let len = self.response.finish(rcode, options.as_ref());
        let (truncated, scope) = (self.response.is_truncated(), self.scope);
        Outcome { verdict: super::Verdict::Reply(len), rcode, truncated, scope, ..self.outcome }
    }
}

/// Octets that a response may have: what the client can take, and what we dare to send.
#[inline(always)]
pub fn limit(transport: Transport, edns: Option<&Edns>) -> usize {
    match (transport, edns) {
        (Transport::Tcp, _) => MESSAGE_MAX,
        (Transport::Udp, None) => usize::from(UDP_PAYLOAD_MIN),
        // Less than 512 means 512 (RFC 6891 section 6.2.3).
        (Transport::Udp, Some(edns)) => usize::from(edns.payload.clamp(UDP_PAYLOAD_MIN, UDP_PAYLOAD_MAX)),
    }
}

/// What the query's cookie says, and the one that goes into the response.
#[inline(always)]
pub fn cookie(snapshot: &Snapshot, edns: Option<&Edns>, client: &Client, moment: Moment) -> (Standing, Option<cookie::Whole>) {
    let asked = edns.and_then(|edns| edns.cookie.as_ref());
    match asked.and_then(|asked| snapshot.cookies.answer(asked, client.address, moment.epoch_secs)) {
        Some((standing, whole)) => (standing, Some(whole)),
        None => (Standing::None, None),
    }
}

/// The OPT of a response.
#[inline(always)]
pub fn options<'s>(
    snapshot: &'s Snapshot,
    edns: &'s Edns,
    cookie: Option<&'s cookie::Whole>,
    scope: u8,
    error: Option<(u16, &'s str)>,
    rcode: Rcode,
) -> ResponseOptions<'s> {
    ResponseOptions {
        subnet: edns.subnet.as_ref().map(|subnet| (subnet, scope)),
        nsid: edns.nsid.then(|| snapshot.identity.name.as_bytes()),
        cookie,
        error,
        rcode_high: (rcode.0 >> 4) as u8,
        dnssec_ok: edns.dnssec_ok,
        payload: UDP_PAYLOAD_MAX,
    }
}
