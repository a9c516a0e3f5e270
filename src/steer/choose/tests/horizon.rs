//! The horizon of a choice: the nearest change of a PoP that it depends on.

use super::*;

/// The horizon is that of whoever was looked at, up to the band that won; those behind it do not
/// count.
#[test]
fn the_nearest_horizon() {
    let mut scene = scene("0 1 2", ["46 -", "46", "46"]);
    let horizons = [9, 30, 5];
    let slots: Vec<Slot> =
        (0..3).map(|i| pop(NAMES[i], "46").1).zip(0..).map(|(s, i)| Slot { pop: PopId(i), ..s }).collect();
    let health = |i: usize| SlotHealth {
        down_v4: u64::from(i == 0),
        down_v6: u64::from(i == 0),
        horizon_secs: horizons[i],
        ..SlotHealth::default()
    };
    let health_state = HealthState { slots: (0..3).map(health).collect(), ..HealthState::default() };
    let pops = (0..3).map(|i| PopStatus::of(&pop(NAMES[i], "46").0)).collect();
    let policies = [scene.policy];
    scene.status = Status::new(pops, &slots, &policies, &health_state, vec![]);
    [scene.policy] = policies;
    for (list, expected) in [("0 1 2", 9), ("1 0 2", 30), ("1=2 0", 5), ("0 1=2", 5)] {
        let preference_list = preference_list(list, false, AllDown::AsIfUp);
        assert_eq!(
            choose(question(&scene, &preference_list, Some(V4)), &|| 1, &mut NoChoiceTrace).1,
            expected,
            "{list}"
        );
    }
}

/// A planned change of a PoP that is passed over for its state counts, its probes do not; of a PoP
/// behind the winner neither does.
#[test]
fn planned_changes_of_those_passed_over() {
    let list = preference_list("0 1 2", false, AllDown::AsIfUp);
    for (word, planned, expected) in [
        ("46 off", [0, NO_HORIZON], 0),
        ("46 drain", [0, NO_HORIZON], 0),
        ("46 zero", [0, NO_HORIZON], 0),
        ("46 drain", [NO_HORIZON; 2], NO_HORIZON),
        ("46 off", [NO_HORIZON, 0], NO_HORIZON),
    ] {
        let mut scene = scene("0 1 2", [word, "46", "46"]);
        let made: Vec<_> = NAMES.iter().zip([word, "46", "46"]).map(|(name, word)| pop(name, word)).collect();
        let slots: Vec<Slot> =
            made.iter().zip(0..).map(|(made, i)| Slot { pop: PopId(i), ..made.1.clone() }).collect();
        let mut pops: Vec<PopStatus> = made.iter().map(|made| PopStatus::of(&made.0)).collect();
        (pops[0].horizon_secs, pops[2].horizon_secs) = (planned[0], planned[1]);
        let near = SlotHealth { horizon_secs: 3, ..SlotHealth::default() };
        let health_state = HealthState {
            slots: vec![near, SlotHealth::default(), SlotHealth::default()],
            ..HealthState::default()
        };
        let policies = [scene.policy];
        scene.status = Status::new(pops, &slots, &policies, &health_state, vec![]);
        [scene.policy] = policies;
        let chosen = choose(question(&scene, &list, Some(V4)), &|| 1, &mut NoChoiceTrace);
        assert!(matches!(chosen.0, Choice::Pop { pop: PopId(1), .. }));
        assert_eq!(chosen.1, expected, "{word} {planned:?}");
    }
}
