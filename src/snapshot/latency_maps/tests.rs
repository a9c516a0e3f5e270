//! Findings about maps, and the evidence of addresses, over small deployments.

use super::*;
use crate::geo::mmdb::Fields;
use crate::geo::rtts::{Rtt, RttList, share_known};
use crate::steer::policy::Candidate;

/// A policy over one PoP.
fn policy(order: Order, at: At) -> Policy {
    Policy::bare(vec![vec![Candidate::Pop(PopId(0))]], order, at)
}

/// A map of a build in day 100 since 1970, whose newest sample is so many days older, over PoPs.
fn map(days_old: u64, pops: &[&str]) -> LatencyMap {
    let rtt = |source| Rtt { rtt_ms: 10, source, samples: 3 };
    let list = |source, measured_at| {
        RttList::new(pops.iter().map(|pop| (*pop, rtt(source))), measured_at).map(Arc::new)
    };
    let newest = (100 - days_old) * 86_400;
    let mut database = Database {
        name: "latency.mmdb".into(),
        kind: "Meridian-Latency".into(),
        build_epoch: 100 * 86_400,
        node_count: 0,
        ip_version: 6,
        leaves_v4: vec![(0, 8, 0), (1 << 24, 8, 1), (2 << 24, 8, 1)],
        leaves_v6: vec![(0, 32, 1), (1 << 96, 32, 2)],
        places: vec![
            Fields { rtts: list(RttSource::Measured, newest), ..Fields::default() },
            Fields { rtts: list(RttSource::Neighbours, 0), ..Fields::default() },
            Fields { resolver_rtts: list(RttSource::Distance, 0), ..Fields::default() },
        ],
    };
    let lists = (database.places.iter_mut())
        .flat_map(|fields| [fields.rtts.as_mut(), fields.resolver_rtts.as_mut()])
        .flatten();
    share_known(lists);
    LatencyMap::of(&database).unwrap()
}

/// What a map covers: networks by evidence, resolvers apart.
#[test]
fn coverage() {
    let map = map(2, &["ams"]);
    assert_eq!((map.networks, map.resolvers, map.newest_sample), ([1, 3, 0], 1, Some(98 * 86_400)));
    assert_eq!(map.words(), "RTTs of 4 networks, 1 measured, 1 of resolvers");
}

/// An order, `bias_ms` of ams, maps, and the codes of the findings in their order.
#[test]
fn what_can_never_work() {
    use Order::{Latency, Nearest};
    type Row<'r> = (&'r str, Order, i32, &'r [LatencyMap], &'r [&'r str]);
    let rows: &[Row<'_>] = &[
        ("all is well", Latency, 0, &[map(2, &["ams"])], &[]),
        ("a bias that counts", Latency, 5, &[map(2, &["ams"])], &[]),
        ("no map", Latency, 0, &[], &["MRD0407"]),
        ("a map of other PoPs", Latency, 0, &[map(2, &["fra"])], &["MRD0407"]),
        ("one of two maps is enough", Latency, 0, &[map(2, &["fra"]), map(2, &["ams"])], &[]),
        ("no policy by latency", Nearest, 0, &[map(2, &["ams"])], &["MRD0409"]),
        ("no map and no policy", Nearest, 0, &[], &[]),
        ("a bias without a policy", Nearest, 5, &[], &["MRD0409"]),
        ("samples of a month", Latency, 0, &[map(30, &["ams"])], &["MRD0409"]),
        ("samples of almost a month", Latency, 0, &[map(29, &["ams"])], &[]),
    ];
    for (name, order, bias_ms, maps, expected) in rows {
        let at = At::whole(FileId(0));
        let pops = [Pop { bias_ms: *bias_ms, ..Pop::bare("ams", at) }];
        let policy = policy(*order, at);
        let policies = [ScopedPolicy { policy, zone: None }];
        let findings = check(&policies, &pops, maps, |_| Some(FileId(0)));
        let codes: Vec<&str> = findings.iter().map(|finding| finding.code.id).collect();
        assert_eq!(codes, *expected, "{name}");
    }
}
