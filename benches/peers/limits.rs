//! Processor time of limits while no client reaches them.

use crate::start;
use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;
use std::time::Duration;
use support::machine::median;
use support::report::Report;
use support::servers::{Additions, Kind, Running};
use support::traffic;
use support::world::Question;
use support::world::ordinary::{Kind as Workload, Ordinary};

/// Client networks, each a /24 of loopback.
const CLIENTS: usize = 16_384;
/// Answers a second for one of them: some ten times what it asks at the rates of one core.
const LIMIT: u32 = 300;

/// A server without limits, and one with them.
struct Pair {
    kind: Kind,
    without: Running,
    with: Running,
    nanos: Vec<f64>,
    ratios: Vec<f64>,
}

/// Measures all servers by turns.
pub fn measure((rounds, duration): (usize, Duration), world: &Ordinary, folder: &Path, report: &mut Report) {
    let limited = Additions { limit: Some(LIMIT), ..Additions::default() };
    let mut pairs = Vec::new();
    for kind in [Kind::Meridian, Kind::Nsd, Kind::Knot, Kind::Bind] {
        let at = |word: &str| folder.join(format!("{}-{word}", kind.word()));
        let without = start(kind, world, &at("plain"), &Additions::default(), report);
        let with = start(kind, world, &at("limited"), &limited, report);
        if let (Some(without), Some(with)) = (without, with) {
            pairs.push(Pair { kind, without, with, nanos: Vec::new(), ratios: Vec::new() });
        }
    }
    let questions = questions(world);
    for round in 0..=rounds {
        for pair in &mut pairs {
            let cost = |server: &Running| {
                let before = server.cpu_nanos();
                let outcome = traffic::closed_loop(server.at, &questions, duration);
                let lost = outcome.lost as f64 / outcome.sent as f64;
                assert!(lost < 0.01, "{}: the limit holds: {outcome:?}", server.kind.word());
                (server.cpu_nanos() - before) as f64 / outcome.answered as f64
            };
            // By turns, also within a pair.
            let (without, with) = if round % 2 == 0 {
                let without = cost(&pair.without);
                (without, cost(&pair.with))
            } else {
                let with = cost(&pair.with);
                (cost(&pair.without), with)
            };
            // The first round warms caches and branch predictors.
            if round > 0 {
                pair.nanos.push(without);
                pair.ratios.push(with / without);
            }
        }
    }
    for pair in pairs {
        let (word, ratio) = (pair.kind.word(), median(pair.ratios));
        report.figures.push((format!("{word}: ns an answer, without limits"), median(pair.nanos)));
        let what = format!("{word}: with limits, as a share of that without");
        match pair.kind {
            Kind::Meridian => report.at_most(&what, ratio, 1.02),
            _ => report.figures.push((what, ratio)),
        }
    }
}

/// Questions for static names, each from a client network of its own.
fn questions(world: &Ordinary) -> Vec<Question> {
    let mut questions = world.questions(Workload::Static, CLIENTS);
    for (number, question) in (0..).zip(&mut questions) {
        // Behind 127.0.0.0/24, which the servers have.
        let network: u32 = 0x7f00_0000 + ((number + 256) << 8);
        question.client = IpAddr::V4(Ipv4Addr::from(network + 1));
    }
    questions
}
