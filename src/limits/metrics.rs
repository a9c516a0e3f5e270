//! Limits of counters and of the page of metrics.

/// Pairs of policy and PoP with counters of their own: each worker then has 512 KiB of counters.
/// Further policies are counted together as `(other)`.
pub(crate) const DECISION_PAIRS_MAX: usize = 65_536;
/// Pairs of policy and PoP on the page of metrics. Rows of policies past it are summed in the row
/// `(other)`, so that [`SERIES_MAX`] holds.
pub(crate) const PAIRS_SHOWN_MAX: usize = 4_096;
/// Policies with rows of their own in the other families of the page of metrics.
pub(crate) const POLICIES_SHOWN_MAX: usize = 512;
/// Zones with counters of their own, so that each worker has 6 KiB of them; the others are counted
/// together as `(other)`.
pub(crate) const ZONES_COUNTED_MAX: usize = 256;
/// Series on the page of metrics up to which targets of checks are shown, so that a page of 1,000
/// PoPs and 200 policies has no more, and is rendered within 50 ms.
pub const SERIES_MAX: usize = 20_000;
/// PoPs of the largest deployment whose page of metrics has also the samples of PoPs, feeds and
/// targets that are 0: they are most of its series, and say nothing that others do not.
pub(crate) const POPS_WHOLE_MAX: usize = 512;
