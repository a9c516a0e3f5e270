//! Policies: how one steered name chooses among PoPs, as checked values.

use super::pop::PopId;
use super::rule::{Rule, RuleTarget};
use crate::finding::At;
use crate::health::spec::PanicGuard;
use crate::wire::name::Name;
use crate::wire::rr::Ttl;
use std::sync::Arc;

pub(crate) use crate::health::targets::PolicyId;

/// Something a policy can answer with.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Candidate {
    /// A PoP of ours.
    Pop(PopId),
    /// A name outside, such as a partner CDN; it answers every type.
    Cname(Name),
}

impl Candidate {
    /// The name outside.
    pub(crate) fn cname(&self) -> Option<&Name> {
        match self {
            Candidate::Cname(name) => Some(name),
            Candidate::Pop(_) => None,
        }
    }
}

/// Candidates in the order written: a list of bands, each a list of equals.
pub(crate) type Bands = Vec<Vec<Candidate>>;

closed_set! {
    /// Order of candidates for a client. Its word stands in files, on control pages and in
    /// differences.
    #[derive(Hash, Default)]
    pub(crate) enum Order {
        /// By great-circle distance.
        #[default]
        Nearest = "nearest",
        /// As written.
        Listed = "listed",
        /// By round-trip time, measured where the latency map knows it.
        Latency = "latency",
    }
}

impl Order {
    /// PoPs need coordinates to be ranked.
    pub(crate) fn needs_coordinates(self) -> bool {
        match self {
            Order::Nearest | Order::Latency => true,
            Order::Listed => false,
        }
    }

    /// Clients need a place, from a database or an operator network.
    pub(crate) fn needs_place(self) -> bool {
        match self {
            Order::Nearest | Order::Latency => true,
            Order::Listed => false,
        }
    }

    /// Round-trip times rank, so that a latency map and a band in milliseconds have an effect.
    pub(crate) fn is_by_rtt(self) -> bool {
        match self {
            Order::Latency => true,
            Order::Nearest | Order::Listed => false,
        }
    }

    /// A client with coordinates or RTTs (`has_rtts`) is ranked by its own place.
    pub(super) fn is_located(self, has_coordinates: bool, has_rtts: bool) -> bool {
        match self {
            Order::Nearest | Order::Listed => has_coordinates,
            Order::Latency => has_coordinates || has_rtts,
        }
    }

    /// The measure of the order in a sentence, after `by`.
    pub(crate) fn measure(self) -> &'static str {
        match self {
            Order::Nearest => "distance",
            Order::Listed => "the list",
            Order::Latency => "latency",
        }
    }
}

/// Rule for equals among candidates of a distance order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum BandWidth {
    /// Only PoPs at one place are equals.
    None,
    /// PoPs within the band's best distance, plus this percentage of it, plus 50 km. For RTTs, PoPs
    /// within this percentage of the band's best RTT, but at least 5 ms.
    Percent(u16),
    /// PoPs within a width of the band's best RTT.
    Latency(LatencyBand),
}

/// Width of a band of RTTs: the larger of both.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct LatencyBand {
    /// Milliseconds.
    pub(crate) millis: u16,
    /// Per cent of the band's best RTT.
    pub(crate) percent: u16,
}

/// Milliseconds of a latency band whose file gives none: less than people or TCP notice.
pub(crate) const LATENCY_BAND_MILLIS: u16 = 5;

impl BandWidth {
    /// The width for RTTs; `None` where only equal RTTs are equals.
    pub(crate) fn of_latency(self) -> Option<LatencyBand> {
        match self {
            BandWidth::None => None,
            BandWidth::Percent(percent) => Some(LatencyBand { millis: LATENCY_BAND_MILLIS, percent }),
            BandWidth::Latency(band) => Some(band),
        }
    }
}

/// Rule by which equals share clients.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub(crate) enum Sharing {
    /// By a hash of the client's cell: the same client gets the same PoP on every node.
    #[default]
    Sticky,
    /// By a draw per query.
    Random,
}

impl Sharing {
    /// A draw decides, instead of the client's cell.
    #[inline(always)]
    pub(crate) fn is_drawn(self) -> bool {
        match self {
            Sharing::Sticky => false,
            Sharing::Random => true,
        }
    }
}

/// The answer when no candidate passes.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Default)]
pub(crate) enum WhenAllDown {
    /// The answer as if every candidate were up.
    #[default]
    AsIfUp,
    /// No data, but only if the whole policy is down.
    NoData,
    /// SERVFAIL.
    ServFail,
    /// The answer before the last candidate went down.
    LastGood,
    /// Another name.
    Cname(Name),
}

impl WhenAllDown {
    /// The answer is no data, which caches keep for all clients.
    pub(crate) fn is_denial(&self) -> bool {
        match self {
            WhenAllDown::NoData => true,
            WhenAllDown::AsIfUp | WhenAllDown::ServFail | WhenAllDown::LastGood | WhenAllDown::Cname(_) => {
                false
            }
        }
    }

    /// The other name.
    pub(crate) fn cname(&self) -> Option<&Name> {
        match self {
            WhenAllDown::Cname(name) => Some(name),
            WhenAllDown::AsIfUp | WhenAllDown::NoData | WhenAllDown::ServFail | WhenAllDown::LastGood => None,
        }
    }
}

/// Bounds of the TTL of steered records, in seconds; `min <= max`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TtlRange {
    /// While a change of state is near.
    pub(crate) min_secs: u32,
    /// While no change of state is due.
    pub(crate) max_secs: u32,
}

impl TtlRange {
    /// The TTL until the state may next change, in `horizon_secs` seconds, within the bounds: a
    /// resolver should not keep an answer past the moment at which a PoP that was consulted can go
    /// down or come back.
    #[inline(always)]
    pub fn at(self, horizon_secs: u32) -> Ttl {
        // Not `clamp`, which would look whether the bounds are in order.
        Ttl::from_secs(horizon_secs.min(self.max_secs).max(self.min_secs)).unwrap_or(Ttl::MAX)
    }
}

/// Weights that override the PoPs' own: (PoP, weight), sorted by PoP.
pub(crate) type Weights = Vec<(PopId, u32)>;

/// A policy.
#[derive(Clone, Debug)]
pub(crate) struct Policy {
    /// Name; unique among the shared policies, and within a zone file.
    pub(crate) name: Arc<str>,
    /// Candidates. With `order: nearest` or `order: latency` the bands only give the fallback
    /// order.
    pub(crate) candidates: Bands,
    /// True if the candidates were written one by one, so that their order counts; false for `all`
    /// or a tag, which give no order.
    pub(crate) is_listed: bool,
    /// Order of the policy's candidates for clients at an unknown place; empty if the file gives
    /// none.
    pub(crate) default: Bands,
    /// The address set of each PoP that is answered.
    pub(crate) service: Arc<str>,
    /// TTL bounds.
    pub(crate) ttl: TtlRange,
    /// Most addresses of an answer, 1 or more.
    pub(crate) answers: u8,
    /// Rules; the first that matches wins.
    pub(crate) rules: Vec<Rule>,
    /// Order without a rule.
    pub(crate) order: Order,
    /// Rule for equals in a distance order.
    pub(crate) band: BandWidth,
    /// Weights over the PoPs' own.
    pub(crate) weights: Weights,
    /// Rule by which equals share clients.
    pub(crate) share: Sharing,
    /// The answer when no candidate passes.
    pub(crate) when_all_down: WhenAllDown,
    /// True if EDNS client subnet is used; `false` answers by the resolver with scope 0.
    pub(crate) ecs: bool,
    /// Length of a preference list, 1 to [`crate::limits::LIST_DEPTH_MAX`].
    pub(crate) depth: u8,
    /// Width of an IPv4 sharing cell, prefix length.
    pub(crate) cell_max_v4: u8,
    /// Width of an IPv6 sharing cell, prefix length.
    pub(crate) cell_max_v6: u8,
    /// Longest distance to which health or load may send a client, in kilometres.
    pub(crate) spill_max_km: Option<u32>,
    /// Share of a PoP's addresses of a family that must be up, in per cent, 1 to 100.
    pub(crate) up_threshold_percent: u8,
    /// The limits past which it distrusts its probes.
    pub(crate) guard: PanicGuard,
    /// True if `<pop>.<owner>` names exist.
    pub(crate) expose_pops: bool,
    /// True if the policy answers HTTPS records: every PoP that it can answer with has
    /// [`HttpsParams`] in the policy's service.
    ///
    /// [`HttpsParams`]: super::pop::HttpsParams
    pub(crate) https: bool,
    /// Place of its name in the file.
    pub(crate) at: At,
}

impl Policy {
    /// This policy and every one that its rules lead to, each once, itself first.
    pub(crate) fn reach(&self) -> Vec<&Policy> {
        let mut found = vec![self];
        let mut next = 0;
        while let Some(policy) = found.get(next).copied() {
            next += 1;
            for rule in &policy.rules {
                if let Some(other) = rule.target.used()
                    && !found.iter().any(|known| std::ptr::eq(*known, &**other))
                {
                    found.push(other);
                }
            }
        }
        found
    }

    /// Every candidate that it can answer with, also by its rules and by the policies that it uses,
    /// in no order and not each once.
    pub(crate) fn everybody(&self) -> impl Iterator<Item = &Candidate> {
        self.reach().into_iter().flat_map(|policy| {
            let of_rules = policy.rules.iter().filter_map(|rule| match &rule.target {
                RuleTarget::Candidates(bands) => Some(bands),
                RuleTarget::Policy | RuleTarget::Cname(_) | RuleTarget::Use(_) => None,
            });
            of_rules.chain([&policy.candidates]).flatten().flatten()
        })
    }
    /// A policy over candidates with an order, all else as a small file would have it: for tests.
    #[cfg(test)]
    pub(crate) fn bare(candidates: Bands, order: Order, at: At) -> Policy {
        Policy {
            name: "web".into(),
            candidates,
            is_listed: true,
            default: vec![],
            service: "default".into(),
            ttl: TtlRange { min_secs: 30, max_secs: 60 },
            answers: 1,
            rules: vec![],
            order,
            band: BandWidth::None,
            weights: vec![],
            share: Sharing::Sticky,
            when_all_down: WhenAllDown::AsIfUp,
            ecs: true,
            depth: 8,
            cell_max_v4: 20,
            cell_max_v6: 40,
            spill_max_km: None,
            up_threshold_percent: 50,
            guard: PanicGuard::default(),
            expose_pops: false,
            https: false,
            at,
        }
    }
}
