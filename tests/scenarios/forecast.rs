//! What a change would move, told before it is made: exactly the clients that it does move.

use meridian::testing::health::health_state::HealthState;
use meridian::testing::impact::{
    ALL_CLIENTS, Answered, FeedName, Flow, MeasuredLoad, MeasuredLoads, PolicyChange, SAMPLES, forecast,
    predict,
};
use meridian::testing::snapshot::Snapshot;
use meridian::testing::steer::pop::AdminState;
use meridian::testing::steer::pop_status::PopStatus;
use meridian::testing::steer::status::Status;
use std::sync::Arc;
use support::{ServerFile, Tree, World, load, sample, with_down};

/// The sample with the status of one PoP changed by hand.
fn with(world: &World, name: &str, change: impl Fn(&mut PopStatus)) -> Arc<Snapshot> {
    let steering = &world.snapshot.steering;
    let mut pops = world.snapshot.status.pops().to_vec();
    change(&mut pops[steering.pops.iter().position(|p| &*p.name == name).unwrap()]);
    let status = Status::new(pops, &steering.slots, &steering.policies, &HealthState::default(), vec![]);
    Arc::new(world.snapshot.with_status(status, 2))
}

fn of<'f>(policy_changes: &'f [PolicyChange<ALL_CLIENTS>], policy: &str) -> &'f Flow {
    &policy_changes.iter().find(|policy_change| &*policy_change.policy == policy).unwrap().flows[0]
}

fn pop(name: &str) -> Answered {
    Answered::Pop(name.into())
}

/// Without a change nobody moves; a PoP that leaves gives away all its clients and nobody else's;
/// half a drain gives away half of them.
#[test]
fn only_who_must_move_moves() {
    let world = sample();
    assert!(
        forecast(&world.snapshot, &world.snapshot, 512)
            .iter()
            .all(|f| f.flows[0].moves.is_empty() && f.flows[0].whole > 500.0)
    );
    let changes: [(&str, Arc<Snapshot>, f64); 4] = [
        ("down by probes", with_down(&world, &["fra"]), 1.0),
        ("drained", with(&world, "fra", |p| p.state = AdminState::Drain), 1.0),
        ("off", with(&world, "fra", |p| p.state = AdminState::Down), 1.0),
        ("half of its cells have left", with(&world, "fra", |p| p.left = 128), 0.5),
    ];
    for (what, after, share) in changes {
        let forecasts = forecast(&world.snapshot, &after, SAMPLES);
        for f in &forecasts {
            assert!(
                f.flows[0].moves.keys().all(|(from, to)| *from == pop("fra") && *to != pop("fra")),
                "{what}: {f:?}"
            );
        }
        let nearest = of(&forecasts, "nearest");
        let gone: f64 = nearest.moves.keys().map(|(from, to)| nearest.share_of(from, to)).sum();
        assert!((gone - share).abs() < 0.06, "{what}: {gone}");
        assert!(
            nearest.moves.values().sum::<f64>() > 0.01 * nearest.whole
                && nearest.before.values().sum::<f64>() == nearest.whole,
            "{what}"
        );
        assert!(of(&forecasts, "failover").moves.is_empty(), "Frankfurt is not the first there");
    }
}

/// A weight moves clients between equals only, and the same clients each time it is asked.
#[test]
fn a_weight_moves_its_difference() {
    let world = sample();
    let after = with(&world, "ams", |p| p.weight = 100);
    let forecasts = forecast(&world.snapshot, &after, SAMPLES);
    let nearest = of(&forecasts, "nearest");
    assert!(
        !nearest.moves.is_empty() && nearest.moves.keys().all(|(_, to)| *to == pop("ams")),
        "{nearest:?}"
    );
    assert_eq!(forecasts, forecast(&world.snapshot, &after, SAMPLES));
    let back = forecast(&after, &world.snapshot, SAMPLES);
    assert_eq!(of(&back, "nearest").moves.values().sum::<f64>(), nearest.moves.values().sum::<f64>());
}

/// Load goes where the clients go: that of a service with a feed of its own by itself, that of the
/// others with the whole PoP.
#[test]
fn services_bring_their_own_load() {
    let pop = |name: &str, n: u8| {
        let video = format!(
            "services: {{ video: {{ addresses: [192.0.2.1{n}] }}, mail: {{ addresses: [192.0.2.2{n}] }} }}"
        );
        format!("  {name}: {{ addresses: [192.0.2.{n}], {video} }}\n")
    };
    let policy = |name: &str, service: &str| {
        format!("  {name}: {{ pops: [one, two], order: listed, service: {service} }}\n")
    };
    let tree = Tree::of(ServerFile::default())
        .with("pops.yaml", format!("pops:\n{}{}", pop("one", 1), pop("two", 2)))
        .with(
            "policies.yaml",
            format!(
                "policies:\n{}{}{}",
                policy("web", "default"),
                policy("film", "video"),
                policy("post", "mail")
            ),
        )
        .with(
            "zones/z.example.yaml",
            "zone: z.example.\nsoa: { mname: ns, rname: h }\nrecords:\n  \"@\": { NS: ns }\n  ns: { A: \
             192.0.2.9 }\n  \
             w: { steer: web }\n  f: { steer: film }\n  p: { steer: post }\n",
        );
    let world = load(&tree).unwrap_or_else(|findings| panic!("{findings}"));
    let after = with(&world, "one", |p| p.state = AdminState::Down);
    let loads: MeasuredLoads = [
        ("one", Some("video"), 700.0, 1_000.0),
        ("one", None, 40.0, 100.0),
        ("two", Some("video"), 100.0, 1_000.0),
        ("two", None, 5.0, 100.0),
    ]
    .into_iter()
    .map(|(pop, service, load, capacity)| {
        (FeedName { pop: pop.into(), service: service.map(Into::into) }, MeasuredLoad { load, capacity })
    })
    .collect();
    let told = predict(&world.snapshot, &after, std::iter::empty(), &loads);
    let gains: Vec<(&str, Option<&str>, u32, u32)> = told
        .gains
        .iter()
        .map(|gain| {
            (
                &*gain.feed.pop,
                gain.feed.service.as_deref(),
                gain.added.round() as u32,
                gain.before.load as u32,
            )
        })
        .collect();
    assert_eq!(gains, [("two", None, 40, 5), ("two", Some("video"), 700, 100)]);
}
