//! Tests of `catalogue`.

use super::*;
use crate::answer::Transport;
use crate::answer::outcome::Reason;
use crate::geo::rtts::RttSource;
use crate::rrl::{Limit, Treatment};
use crate::shared::descriptors::Use;
use crate::snapshot::locate::Evidence;
use crate::wire::cookie::CookieStatus;

/// Names follow the rules of Prometheus: a prefix, `_total` for counters only, base units as
/// suffixes, unique names, help that ends with a full stop.
#[test]
fn names_follow_the_rules() {
    let mut names: Vec<_> = CATALOGUE.iter().map(|family| family.name).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), CATALOGUE.len());
    for family in CATALOGUE {
        let name = family.name;
        assert!(name.starts_with("meridian_") || name.starts_with("process_"), "{name}");
        assert!(name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'), "{name}");
        assert_eq!(name.ends_with("_total"), family.kind == MetricKind::Counter, "{name}");
        for wrong in ["_millis", "_ms", "_micros", "_octets", "_kb", "_mb", "_secs", "_count", "_epoch"] {
            assert!(!name.ends_with(wrong), "{name} is not in a base unit");
        }
        for (word, suffix) in [
            ("timestamp", "_timestamp_seconds"),
            ("age", "_age_seconds"),
            ("duration", "_duration_seconds"),
            ("memory", "_bytes"),
        ] {
            assert!(
                !name.split('_').any(|part| part == word) || name.ends_with(suffix),
                "{name} has no {suffix}"
            );
        }
        assert!(family.help.ends_with('.') && !family.help.contains(['\n', '|']), "{name}");
        assert!(
            family.labels.iter().all(|label| !["job", "instance", "le"].contains(label)),
            "{name} has a reserved label"
        );
    }
}

/// The help of a label with a closed set has every word of the set.
#[test]
fn help_has_every_word() {
    let sets: &[(&MetricFamily, Vec<&str>)] = &[
        (&QUERIES, Transport::ALL.iter().map(|transport| transport.word()).collect()),
        (&DECISIONS, Reason::WORDS.to_vec()),
        (&COOKIES, CookieStatus::WORDS.to_vec()),
        (&EVIDENCE, Evidence::WORDS.to_vec()),
        (&RATE_LIMITED, Limit::all().map(Limit::word).chain(Treatment::WORDS).collect()),
        (&LATENCY_ADDRESSES, RttSource::WORDS.to_vec()),
        (&DESCRIPTORS, Use::all().map(Use::word).collect()),
    ];
    for (family, words) in sets {
        for word in words {
            let parts = || family.help.split(|c: char| !c.is_alphanumeric() && c != '_');
            assert!(parts().any(|part| part == *word), "{} without {word}", family.name);
        }
    }
}
