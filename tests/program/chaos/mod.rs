//! The chaos run: PoPs die and return while everything beside the network goes wrong, one trouble
//! after another. Clients ask all the time. No question is lost, nobody is sent elsewhere than
//! health says, verdicts turn in their time, and each trouble stands in metrics, events or
//! readiness, and is gone when it is over.
//!
//! `MERIDIAN_CHAOS_ROUNDS=n` runs through all troubles so many times (1 unless it is said), from
//! the seed `MERIDIAN_CHAOS_SEED`. With `MERIDIAN_CHAOS_STRICT=1` a verdict that comes more than a
//! second after the time of its checks fails the run: for machines with nothing else to do.

mod troubles;
mod world;

use std::time::Duration;
use support::dice::Dice;
use troubles::{TROUBLES, Trouble};
use world::{POPS, World};

#[test]
fn every_trouble_while_pops_die_and_return() {
    let seed = support::number("MERIDIAN_CHAOS_SEED").unwrap_or(1);
    let dice = &mut Dice(seed);
    let mut slowest = Duration::ZERO;
    let mut asked = 0;
    for round in 0..support::number("MERIDIAN_CHAOS_ROUNDS").unwrap_or(1) {
        let mut troubles: Vec<&Trouble> = TROUBLES.iter().collect();
        // Another order each round, so that troubles meet what others have left.
        for place in (1..troubles.len()).rev() {
            troubles.swap(place, dice.below(place + 1));
        }
        let world = World::start();
        println!("round {round}, seed {seed}");
        for trouble in troubles {
            let pop = dice.below(POPS);
            println!("  {}: PoP {pop} dies and returns", trouble.name);
            world.mark();
            (trouble.begin)(&world);
            let before = slowest;
            slowest = slowest.max(world.turn(pop, false));
            world.waits_for(trouble.name, &trouble.shows);
            slowest = slowest.max(world.turn(pop, true));
            (trouble.end)(&world);
            world.waits_for(trouble.name, &trouble.is_over);
            if slowest > before {
                println!("    slowest verdict so far: {} ms after its checks", slowest.as_millis());
            }
        }
        asked += world.end();
    }
    println!("{asked} questions, none lost; slowest verdict {} ms after its checks", slowest.as_millis());
    if support::number("MERIDIAN_CHAOS_STRICT").unwrap_or(0) == 1 {
        assert!(slowest <= Duration::from_secs(1), "a verdict came {slowest:?} after its checks");
    }
}
