//! The walk: the general way of one query to its answer, from name to name.

use super::outcome::Outcome;
use super::reply::Reply;
use super::trace::Trace;
use crate::limits::CHAIN_MAX;
use crate::wire::header::flag;
use crate::wire::name_hash::NameHash;
use crate::wire::query::QueryName;
use crate::wire::rr::{Rcode, RrType};
use crate::zone::image::Match;
use crate::zone::set::Found;

/// A query on its way, whatever it asks.
pub(crate) struct Walk<'s, 't, T> {
    /// The reply in the making.
    pub(crate) reply: Reply<'s>,
    /// Listener of `explain`, or a silent one.
    pub(crate) trace: &'t mut T,
    /// The outcome, for counters.
    pub(crate) outcome: &'t mut Outcome,
    extended_error: Option<(u16, &'static str)>,
    /// The names of the steps so far, where repetition is looked for.
    trail: Option<Trail>,
    /// True if the steps ran out before the chain ended.
    pub(crate) is_cut_short: bool,
}

/// Hashes of the names of a chain, in the order of its steps.
#[derive(Default)]
struct Trail {
    hashes: [NameHash; CHAIN_MAX + 1],
    len: usize,
}

impl<'s, 't, T: Trace> Walk<'s, 't, T> {
    /// Continues a reply.
    pub(crate) fn new(reply: Reply<'s>, outcome: &'t mut Outcome, trace: &'t mut T) -> Walk<'s, 't, T> {
        // A recording trace must get each step once, so a traced walk cannot be repeated to find a
        // loop, and keeps the trail from its start.
        let trail = (!T::IS_SILENT).then(Trail::default);
        Walk { reply, trace, outcome, extended_error: None, trail, is_cut_short: false }
    }

    /// Removes the answer, to walk the chain again and look for names that come twice. Only a
    /// chain that used up its steps is walked again.
    #[cold]
    pub(crate) fn begin_again(&mut self) {
        self.reply.begin_again();
        (self.trail, self.is_cut_short) = (Some(Trail::default()), false);
    }

    /// True if the chain is a loop: it has visited this name before. The answer ends there, so that
    /// each CNAME of the loop is in the answer once (RFC 1034 section 3.6.2). Without a trail,
    /// always false.
    pub(crate) fn goes_in_circle(&mut self, name: &[u8]) -> bool {
        let Some(trail) = &mut self.trail else { return false };
        let hash = self.reply.snapshot.zones.key().whole(name);
        if trail.hashes.iter().take(trail.len).any(|seen| *seen == hash) {
            return true;
        }
        if let Some(place) = trail.hashes.get_mut(trail.len) {
            (*place, trail.len) = (hash, trail.len + 1);
        }
        false
    }

    /// Match of a name in our zones, for the query type; `None` outside them. DS belongs to the
    /// parent's side of a cut (RFC 4035 section 3.1.4.1). The child zone is used instead if the
    /// parent zone is not ours, or if it has neither a delegation nor the name: the child zone
    /// exists, so its parent must not deny it.
    pub(crate) fn find(&self, name: &QueryName) -> Option<Found> {
        if self.reply.query.qtype == RrType::DS {
            self.find_signer(name)
        } else {
            self.reply.snapshot.zones.lookup(name)
        }
    }

    fn find_signer(&self, name: &QueryName) -> Option<Found> {
        let zones = &self.reply.snapshot.zones;
        let above =
            zones.zone_of(name, true).map(|zone| Found { zone, matched: zones.zone(zone).lookup(name) });
        above
            .filter(|found| matches!(found.matched, Match::Cut(_) | Match::Exact(_)))
            .or_else(|| zones.lookup(name))
    }

    /// Adds an extended error, if the query has EDNS and there is room.
    pub(crate) fn explain_error(&mut self, code: u16, text: &'static str) {
        self.extended_error = Some((code, text));
    }

    /// Writes the OPT and the header, and completes the outcome.
    pub(crate) fn finish(&mut self, rcode: Rcode) {
        // A failure is not authoritative, as in NSD, Knot and BIND.
        if rcode == Rcode::SERVFAIL {
            self.reply.response.clear_flag(flag::AA);
        }
        // A truncated reply is only a request to ask over TCP: what has no room for all of the
        // answer has none of it, so a forged query gains nothing. The fast path truncates nothing.
        if self.reply.response.is_truncated() {
            self.reply.response.clear_records(self.reply.query.end_of_question());
        }
        self.reply.finish(rcode, self.extended_error, self.outcome);
    }
}
