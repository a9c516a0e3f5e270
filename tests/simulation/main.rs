//! A world on a fake clock: PoPs fail, flap and fill, feeds lag, die and lie, files change, clocks
//! step, and resolvers keep answers for their TTL, some of them ten times longer. The real machines
//! of health and load, the real status and the real answers run in it, beside a plain model.
//!
//! `MERIDIAN_SIM_SEEDS=10000` runs so many seeds (from `MERIDIAN_SIM_FROM` on),
//! `MERIDIAN_SIM_SEED=17` one of them with its story, and `MERIDIAN_SIM_SVG=file` draws the load of
//! each PoP over time of that one.

mod crowd;
mod live;
mod node;
mod plain;
mod run;
mod shedding;
mod svg;
mod world;

use run::{Control, Run, TICK_MS};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use world::{Compiled, Kind, NAMES, POPS, TTL_SECS};

/// Globes are compiled once; seeds share them.
const GLOBES: usize = 4;

/// A globe of few cells, for many runs; every other one has canaries.
fn coarse(seed: u64) -> [&'static Compiled; 2] {
    static COMPILED: [OnceLock<[Compiled; 2]>; GLOBES] = [const { OnceLock::new() }; GLOBES];
    let globe = seed % GLOBES as u64;
    let kind = Kind { cells: 120, has_canaries: globe % 2 == 1, has_ramps: true };
    let [one, other] = COMPILED[globe as usize]
        .get_or_init(|| [world::compile(globe, kind, 0), world::compile(globe, kind, 1)]);
    [one, other]
}

/// A globe on which one cell is a small part of any PoP, and nothing but load moves anybody.
fn fine(globe: u64) -> [&'static Compiled; 2] {
    static COMPILED: [OnceLock<Compiled>; GLOBES] = [const { OnceLock::new() }; GLOBES];
    let kind = Kind { cells: 2_000, has_canaries: false, has_ramps: false };
    [COMPILED[globe as usize].get_or_init(|| world::compile(globe, kind, 0)); 2]
}

/// Half an hour of a world in which anything happens.
fn half_an_hour(seed: u64) -> Run<'static> {
    let mut run = Run::new(seed, coarse(seed), Control::Integral, NAMES.len(), 0.0);
    for second in 0..1_800u64 {
        if second % 5 == 0 && second > 60 {
            run.stir();
        }
        for _ in 0..1_000 / TICK_MS {
            run.tick();
        }
    }
    run
}

/// Random worlds: what must hold holds at every moment, see `promises.rs`.
#[test]
fn seeds() {
    if let Some(seed) = support::number("MERIDIAN_SIM_SEED") {
        let run = half_an_hour(seed);
        println!("{}", run.story());
        if let Ok(path) = std::env::var("MERIDIAN_SIM_SVG") {
            std::fs::write(
                path,
                svg::draw(&format!("seed {seed}: load per PoP, in per cent of its capacity"), &run.history),
            )
            .unwrap();
        }
        return;
    }
    let first = support::number("MERIDIAN_SIM_FROM").unwrap_or(0);
    let seeds = first + support::number("MERIDIAN_SIM_SEEDS").unwrap_or(100);
    // Threads take the next seed that nobody has, and stop at the first fault of any.
    let next = AtomicU64::new(first);
    let (mut publications, mut questions) = (0, 0);
    std::thread::scope(|scope| {
        let work = || {
            let mut sums = (0, 0);
            loop {
                let seed = next.fetch_add(1, Ordering::Relaxed);
                if seed >= seeds {
                    return sums;
                }
                let run = half_an_hour(seed);
                sums = (sums.0 + run.publications, sums.1 + run.questions);
            }
        };
        for thread in [scope.spawn(work), scope.spawn(work)] {
            let (p, q) = thread.join().unwrap_or_else(|panic| {
                next.store(seeds, Ordering::Relaxed);
                std::panic::resume_unwind(panic)
            });
            (publications, questions) = (publications + p, questions + q);
        }
    });
    println!("seeds {first} to {seeds}, {publications} publications, {questions} answers checked");
    assert!(publications > (seeds - first) * 10);
}

/// One of 20 PoPs fails at 70 % load. Gives the run, 27 minutes later.
fn one_fails(globe_seed: u64, control: Control, skew: f64, gone: usize) -> Run<'static> {
    let mut run = Run::new(globe_seed, fine(globe_seed), control, 1, skew);
    for second in 0..(240 + 27 * 60) {
        if second == 240 {
            run.overload = 0.0;
            run.break_pop(gone);
        }
        // From here on health has done its part.
        run.counts_moves = second >= 265;
        for _ in 0..1_000 / TICK_MS {
            run.tick();
        }
    }
    run
}

/// The PoP whose failure overloads its neighbours most.
fn heaviest(globe_seed: u64) -> usize {
    let run = Run::new(globe_seed, fine(globe_seed), Control::Integral, 1, 0.0);
    (0..POPS).max_by(|a, b| run.capacity[*a].total_cmp(&run.capacity[*b])).unwrap()
}

/// The slow rule beats on and off by thresholds at least fourfold, in the same world; no cell
/// leaves or enters a PoP twice.
#[test]
fn a_failed_pop_overloads_its_neighbours_for_a_short_time() {
    let (mut slow, mut switched) = (0.0, 0.0);
    for globe_seed in 0..GLOBES as u64 {
        let gone = heaviest(globe_seed);
        let (ours, theirs) = (
            one_fails(globe_seed, Control::Integral, 0.0, gone),
            one_fails(globe_seed, Control::OnOff, 0.0, gone),
        );
        println!(
            "globe {globe_seed}, p{gone:02} fails: {:.0} %s with the slow rule, {:.0} %s on/off; settled \
             after {} s and {} s",
            ours.overload,
            theirs.overload,
            (ours.last_over / 1_000).saturating_sub(240),
            (theirs.last_over / 1_000).saturating_sub(240)
        );
        if let Ok(path) = std::env::var("MERIDIAN_SIM_SVG") {
            for (name, run) in [("slow", &ours), ("onoff", &theirs)] {
                std::fs::write(format!("{path}.{name}{globe_seed}.svg"), svg::draw(name, &run.history))
                    .unwrap();
            }
        }
        let often: Vec<_> = ours.moves.iter().filter(|(_, [out, into])| *out > 1 || *into > 1).collect();
        println!(
            "  {} cells moved twice of {} moves",
            often.len(),
            ours.moves.values().map(|[out, _]| out).sum::<u32>()
        );
        assert!(often.is_empty(), "globe {globe_seed}: {often:?}\n{}", ours.story());
        (slow, switched) = (slow + ours.overload, switched + theirs.overload);
    }
    println!("together {slow:.0} %s and {switched:.0} %s");
    assert!(slow * 4.0 <= switched, "{slow} and {switched}");
}

/// Cells are taken to be equal in demand. Where they are wrong by 35 % either way, nobody is above
/// the limit after 20 TTLs.
#[test]
fn a_wrong_estimate_settles() {
    for skew in [-0.35, 0.35] {
        for globe_seed in 0..GLOBES as u64 {
            let run = one_fails(globe_seed, Control::Integral, skew, heaviest(globe_seed));
            let settled_secs = (run.last_over / 1_000).saturating_sub(240);
            println!("globe {globe_seed}, {skew:+}: settled after {settled_secs} s, {:.0} %s", run.overload);
            assert!(
                settled_secs <= 20 * u64::from(TTL_SECS),
                "globe {globe_seed}, {skew}: {settled_secs} s\n{}",
                run.story()
            );
        }
    }
}
