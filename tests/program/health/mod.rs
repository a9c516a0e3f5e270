//! Health over true servers: PoPs die and come back while clients on six continents ask. Exactly
//! the clients of a dead PoP move, TTLs follow the horizon, and everybody comes back.

mod world;

use support::program::until_so;
use world::{PLACES, World, nearest_of};

/// One PoP after the other dies, alone and with another, over HTTP and HTTPS; then all come back.
#[test]
fn exactly_the_clients_of_a_dead_pop_move() {
    let world = World::begin("", ", panic: off");
    assert_eq!(world.map(), [0, 1, 2, 3, 4, 5], "each client has its own PoP from the first answer on");
    assert_eq!(world.ask(0), (0, 60), "nothing is pending: the longest TTL");
    for (dead, down) in [(0, vec![0]), (1, vec![0, 1])] {
        world.targets[dead].set_well(false);
        let ttls = world.becomes(nearest_of(&down), dead);
        assert!(ttls.iter().any(|ttl| *ttl <= 3), "the TTL falls while failures are counted: {ttls:?}");
        world.says(&["pop", "show", PLACES[dead].0], "status 503, expected 200");
    }
    assert_eq!(world.ask(0).1, 60, "a PoP that is down for good is settled too");
    for back in [0, 1] {
        world.targets[back].set_well(true);
    }
    world.becomes([0, 1, 2, 3, 4, 5], 0);
    let count = |events: &str, kind: &str| {
        events.lines().filter(|line| line.contains(&format!("\"kind\":\"{kind}\""))).count()
    };
    let events = world.deployment.events(|events| count(events, "target_up") >= 8);
    // Two went down; six were found up at the start, and two came back.
    assert_eq!((count(&events, "target_down"), count(&events, "target_up")), (2, 8), "{events}");
}

/// All down equals all up, and the panic guard holds on to what was before.
#[test]
fn all_down_and_the_panic_guard() {
    let world = World::begin("", ", panic: { share: 40%, window: 30s, hold: 10s }");
    for dead in [0, 1, 2] {
        world.targets[dead].set_well(false);
    }
    world.says(&["pop", "list"], "keeps the state before");
    assert_eq!(world.map(), [0, 1, 2, 3, 4, 5], "a half at once is more likely our own fault");
    world.becomes(nearest_of(&[0, 1, 2]), 0);
    for dead in [3, 4, 5] {
        world.targets[dead].set_well(false);
    }
    for (name, ..) in PLACES {
        world.says(&["pop", "show", name], "health     down");
    }
    world.becomes([0, 1, 2, 3, 4, 5], 0);
}

/// Our own network is cut: targets and canaries fail together. What was down stays down, what was
/// up stays up, an alarm says so, and it is over when a canary answers.
#[test]
fn a_cut_of_our_own_network_changes_nothing() {
    let mut world = World::begin(
        &format!("canaries: {{ probe: plain, addresses: [{}], freeze_max: 10m }}\n", world::CANARY),
        ", panic: off",
    );
    world.targets[4].set_well(false);
    let before = nearest_of(&[4]);
    world.becomes(before, 4);
    world.canary.set_well(false);
    world.says(&["pop", "list"], "canaries of IPv4 fail");
    world.targets.iter().for_each(|target| target.set_well(false));
    // Long enough for every verdict, were they not frozen.
    for (name, ..) in PLACES {
        world.says(&["pop", "show", name], "frozen: all canaries fail");
    }
    for name in ["fra", "gru"] {
        for streak in 4..7 {
            world.says(&["pop", "show", name], &format!("{streak} bad in a row"));
        }
    }
    assert_eq!(world.map(), before);
    // Also over a restart in this state.
    world.kill();
    world.start();
    assert_eq!(world.map(), before, "the first answer equals the last one before");
    world.targets.iter().for_each(|target| target.set_well(true));
    world.canary.set_well(true);
    world.becomes([0, 1, 2, 3, 4, 5], 4);
    assert!(!world.run(&["pop", "list"]).contains("alarm"));
}

/// Health survives SIGKILL: the first answer equals the last one before, though the target is dead
/// and the first round would need two failures.
#[test]
fn the_first_answer_after_a_crash() {
    let mut world = World::begin("", ", panic: off");
    world.targets[2].set_well(false);
    let before = nearest_of(&[2]);
    world.becomes(before, 2);
    // The event is told after the memory is handed to the disk; wait until it is there.
    let path = world.deployment.path("state/health");
    until_so("a verdict that is written down", || {
        std::fs::read_to_string(&path).is_ok_and(|text| text.contains("down "))
    });
    world.kill();
    world.start();
    assert_eq!(world.map(), before);
}
