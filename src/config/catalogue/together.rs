//! Relations between keys of one map, for the JSON Schema.

use super::probes::{ALL_KINDS, UNCONNECTED};
use crate::closed_set::in_a_row;
use crate::config::pops::feed;
use crate::config::probes::group::GroupKind;

/// A relation between the keys of one map.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Together {
    /// Exactly one of these keys is present.
    ExactlyOne(&'static [&'static str]),
    /// At most one of these keys is present.
    AtMostOne(&'static [&'static str]),
    /// At least one of these keys is present.
    Some(&'static [&'static str]),
    /// With the first key, none of the others is present.
    Excludes(&'static str, &'static [&'static str]),
    /// With the first key, the second is present.
    Needs(&'static str, &'static str),
}

/// Keys that a group of probes does not have.
const TIMING: &[&str] =
    &["to", "every", "timeout", "up_after", "down_after", "ok_after", "flap_turns", "flap_window"];

/// Exclusion of `others` by each of the keys.
const fn excluding<const N: usize>(keys: &[&'static str], others: &'static [&'static str]) -> [Together; N] {
    let mut relations = [Together::Excludes("", others); N];
    let mut at = 0;
    while at < N {
        relations[at] = Together::Excludes(keys[at], others);
        at += 1;
    }
    relations
}

/// Settings of a policy with `use` that come from the other policy, apart from its PoPs.
pub(crate) const POLICY_SETTINGS: &[&str] =
    &["default", "order", "band", "weights", "ttl", "answers", "when_all_down", "depth", "spill_max_km"];

/// Settings of a rule with `use` that come from the other policy, apart from its PoPs.
pub(crate) const RULE_SETTINGS: &[&str] =
    &["fence", "order", "band", "weights", "ttl", "answers", "when_all_down"];

/// Relations of each section, by its `id`.
pub(crate) static TOGETHER: &[(&str, &[Together])] = &[
    ("at", &[Together::Needs("lat", "lon"), Together::Needs("lon", "lat")]),
    ("network", &[Together::Needs("lat", "lon"), Together::Needs("lon", "lat")]),
    ("pop", &[Together::Some(&["addresses", "services"]), Together::Needs("https", "addresses")]),
    ("safety", &[Together::ExactlyOne(&["never_fewer_than", "never_more_off_than"])]),
    ("load", &[Together::ExactlyOne(&feed::KINDS)]),
    (
        "probe",
        &in_a_row::<_, { 1 + GroupKind::ALL.len() + UNCONNECTED.len() }>(&[
            &[Together::ExactlyOne(&ALL_KINDS)],
            &excluding::<{ GroupKind::ALL.len() }>(&GroupKind::WORDS, TIMING),
            &excluding::<{ UNCONNECTED.len() }>(&UNCONNECTED, &["to"]),
        ]),
    ),
    ("policy", &[Together::ExactlyOne(&["pops", "use"]), Together::Excludes("use", POLICY_SETTINGS)]),
    ("rule", &[Together::AtMostOne(&["pops", "cname", "use"]), Together::Excludes("use", RULE_SETTINGS)]),
    ("candidates", &[Together::ExactlyOne(&["tag", "cname"])]),
];
