//! What a change would move, told before it is made: exactly the clients that it does move.

mod support;

use meridian::health::condition::Picture;
use meridian::snapshot::Snapshot;
use meridian::snapshot::forecast::{Answered, PolicyForecast, SAMPLES, forecast};
use meridian::steer::pop::AdminState;
use meridian::steer::status::{PopStatus, Status};
use std::sync::Arc;
use support::{World, sample, with_down};

/// The sample with the status of one PoP changed by hand.
fn with(world: &World, name: &str, change: impl Fn(&mut PopStatus)) -> Arc<Snapshot> {
    let steering = &world.snapshot.steering;
    let mut pops = world.snapshot.status.pops().to_vec();
    change(&mut pops[steering.pops.iter().position(|p| &*p.name == name).unwrap()]);
    let status = Status::new(pops, &steering.slots, &steering.policies, &Picture::default(), vec![]);
    Arc::new(world.snapshot.with_status(status, 2))
}

fn of<'f>(forecasts: &'f [PolicyForecast], policy: &str) -> &'f PolicyForecast {
    forecasts.iter().find(|f| &*f.policy == policy).unwrap()
}

fn pop(name: &str) -> Answered {
    Answered::Pop(name.into())
}

/// Without a change nobody moves; a PoP that leaves gives away all its clients and nobody else's; half a drain
/// gives away half of them.
#[test]
fn only_who_must_move_moves() {
    let world = sample();
    assert!(forecast(&world.snapshot, &world.snapshot, 512).iter().all(|f| f.moves.is_empty() && f.samples > 500));
    let changes: [(&str, Arc<Snapshot>, f64); 4] = [
        ("down by probes", with_down(&world, &["fra"]), 1.0),
        ("drained", with(&world, "fra", |p| p.state = AdminState::Drain), 1.0),
        ("off", with(&world, "fra", |p| p.state = AdminState::Down), 1.0),
        ("half of its cells have left", with(&world, "fra", |p| p.left = 128), 0.5),
    ];
    for (what, after, share) in changes {
        let forecasts = forecast(&world.snapshot, &after, SAMPLES);
        for f in &forecasts {
            assert!(f.moves.keys().all(|(from, to)| *from == pop("fra") && *to != pop("fra")), "{what}: {f:?}");
        }
        let nearest = of(&forecasts, "nearest");
        let gone: f64 = nearest.moves.keys().map(|(from, to)| nearest.share_of(from, to)).sum();
        assert!((gone - share).abs() < 0.06, "{what}: {gone}");
        assert!(nearest.moved() > 0.01 && nearest.before.values().sum::<u32>() == nearest.samples, "{what}");
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
    assert!(!nearest.moves.is_empty() && nearest.moves.keys().all(|(_, to)| *to == pop("ams")), "{nearest:?}");
    assert_eq!(forecasts, forecast(&world.snapshot, &after, SAMPLES));
    let back = forecast(&after, &world.snapshot, SAMPLES);
    assert_eq!(of(&back, "nearest").moves.values().sum::<u32>(), nearest.moves.values().sum::<u32>());
}
