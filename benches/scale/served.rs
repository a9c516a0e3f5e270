//! Whole servers, started as an operator does, on one core: memory, the first answer beside Knot
//! DNS, and processor time of an answer with few names and with many.

use crate::report::{Bar, Report};
use std::fs;
use std::path::Path;
use std::thread;
use std::time::Duration;
use support::machine;
use support::machine::median;
use support::servers::{Kind, Running};
use support::traffic;
use support::world::{Workload, World, WorldSize};

/// Names of the smaller zone.
const FEW: usize = 10_000;
/// When memory is read after the first answer: what a load has freed is given back by then.
const NO_HORIZON: Duration = Duration::from_secs(5);
/// Load of one round on one server.
const LOADED: Duration = Duration::from_secs(2);
/// Questions that take turns: as many as the comparison with other servers asks, and so many that
/// caches hold little of what they touch.
const QUESTIONS: [usize; 2] = [16_384, 200_000];

fn mebibytes(octets: u64) -> f64 {
    octets as f64 / f64::from(1 << 20)
}

/// Measures with a zone of `many` names; figures that vary are medians of so many rounds.
pub fn measure(many: usize, rounds: usize, scratch: &Path, report: &mut Report) {
    // This program and the load stay off the core of the servers.
    machine::stay_off_the_servers_core();
    if let Err(why) = countries(scratch, report) {
        report.skipped.push(("memory with networks of countries".to_owned(), why));
    }
    let world = World::new(WorldSize { names: many, networks: 1_000, seed: 1 });
    if let Err(why) = first_answers(&world, rounds, scratch, report) {
        report.skipped.push(("first answers".to_owned(), why));
    }
    if let Err(why) = of_each_name(&world, scratch, report) {
        report.skipped.push(("memory of each name".to_owned(), why));
    }
    for kind in [Kind::Meridian, Kind::Knot] {
        if let Err(why) = few_and_many(kind, &world, rounds, scratch, report) {
            report.skipped.push((format!("few names and many of {}", kind.word()), why));
        }
    }
}

/// Memory with a large database of countries.
fn countries(scratch: &Path, report: &mut Report) -> Result<(), String> {
    let world = World::new(WorldSize { names: FEW, networks: 1_050_000, seed: 1 });
    let running = Running::start(Kind::Meridian, &world, &scratch.join("countries"))?;
    thread::sleep(NO_HORIZON);
    let is = mebibytes(running.resident());
    report.bars.push(Bar {
        what: "resident memory with 10,000 names and 1,050,000 networks of countries, MiB",
        is,
        at_most: 38.0,
    });
    Ok(())
}

/// From the start of a server to its first answer, ours and Knot's by turns.
fn first_answers(world: &World, rounds: usize, scratch: &Path, report: &mut Report) -> Result<(), String> {
    let mut firsts = [Vec::new(), Vec::new()];
    for round in 0..=rounds {
        for (kind, firsts) in [Kind::Meridian, Kind::Knot].into_iter().zip(&mut firsts) {
            let folder = scratch.join(format!("first-{}-{round}", kind.word()));
            let running =
                Running::start(kind, world, &folder).map_err(|why| format!("{}: {why}", kind.word()))?;
            // The first round fills the caches of the disk.
            if round > 0 {
                firsts.push(running.first_answer.as_secs_f64());
            }
            drop(running);
            let _ = fs::remove_dir_all(folder);
        }
    }
    let [ours, theirs] = firsts.map(median);
    report.facts.push((
        format!("first answer with {} names", world.size.names),
        format!("{ours:.2} s; {} {theirs:.2} s; medians of {rounds} rounds", Kind::Knot.version()),
    ));
    report.bars.push(Bar {
        what: "first answer from zone text, as a share of Knot's",
        is: ours / theirs,
        at_most: 1.0,
    });
    Ok(())
}

/// Memory that names cost.
fn of_each_name(many: &World, scratch: &Path, report: &mut Report) -> Result<(), String> {
    let resident = |world: &World| -> Result<u64, String> {
        let running =
            Running::start(Kind::Meridian, world, &scratch.join(format!("resident-{}", world.size.names)))?;
        thread::sleep(NO_HORIZON);
        Ok(running.resident())
    };
    let [with_few, with_many] = [resident(&with_names(many, FEW))?, resident(many)?];
    report.facts.push((
        "resident memory".to_owned(),
        format!(
            "{:.1} MiB with {FEW} names, {:.1} MiB with {}",
            mebibytes(with_few),
            mebibytes(with_many),
            many.size.names
        ),
    ));
    let is = (with_many as f64 - with_few as f64) / (many.size.names - FEW) as f64;
    report.bars.push(Bar { what: "resident memory of each further name, octets", is, at_most: 120.0 });
    Ok(())
}

fn with_names(world: &World, names: usize) -> World {
    World::new(WorldSize { names, ..world.size })
}

/// Processor time of an answer over UDP with few names and with many, by turns.
fn few_and_many(
    kind: Kind,
    many: &World,
    rounds: usize,
    scratch: &Path,
    report: &mut Report,
) -> Result<(), String> {
    let few = with_names(many, FEW);
    let start = |world: &World| {
        Running::start(kind, world, &scratch.join(format!("{}-{}", kind.word(), world.size.names)))
    };
    let servers = [start(&few)?, start(many)?];
    for count in QUESTIONS {
        let questions = [&few, many].map(|world| world.questions(Workload::Static, count));
        let mut micros = [Vec::new(), Vec::new()];
        for round in 0..=rounds {
            for ((server, questions), micros) in servers.iter().zip(&questions).zip(&mut micros) {
                let before = server.cpu_nanos();
                let outcome = traffic::closed_loop(server.at, questions, LOADED);
                let spent = server.cpu_nanos() - before;
                if outcome.answered == 0 {
                    return Err(format!("{}: no answers under load", kind.word()));
                }
                // The first round warms caches.
                if round > 0 {
                    micros.push(spent as f64 / outcome.answered as f64 / 1e3);
                }
            }
        }
        let [of_few, of_many] = micros.map(median);
        report.facts.push((
            format!("processor time of an answer over UDP, {}, {count} questions by turns", kind.word()),
            format!(
                "{of_few:.2} us with {FEW} names, {of_many:.2} us with {}; medians of {rounds} rounds",
                many.size.names
            ),
        ));
        if kind == Kind::Meridian && count == QUESTIONS[0] {
            let what = "processor time of an answer over UDP with the most names, over that with 10,000";
            report.bars.push(Bar { what, is: of_many / of_few, at_most: 1.15 });
        }
    }
    Ok(())
}
