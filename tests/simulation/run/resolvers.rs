//! Resolvers: each asks one question for one cell, and keeps the answer for its TTL, or ten times
//! longer.

use super::{Answer, TICK_MS};
use crate::world::{Compiled, NEAR, POPS, TYPES};
use support::dice::Dice;

/// In a world of few cells, and of many.
const IN_ALL: usize = 2_000;
const EACH: usize = 4;

struct Resolver {
    question: (usize, usize, usize),
    demand: f64,
    /// Keeps answers ten times longer than it may.
    is_slow: bool,
    pop: Option<u16>,
}

pub struct Resolvers {
    all: Vec<Resolver>,
    /// For each tick those that ask then, over and over.
    wheel: Vec<Vec<u32>>,
}

impl Resolvers {
    /// Resolvers of every cell, and the capacity that each PoP needs for them to be at 70 % of it.
    pub fn new(world: &Compiled, names: usize, skew: f64, dice: &mut Dice) -> (Resolvers, Vec<f64>) {
        let mut capacity = vec![0.0; POPS];
        let mut all = Vec::new();
        let is_coarse = names > 1;
        for cell in 0..world.kind.cells {
            let owner = usize::from(world.nearest[cell][0]);
            for _ in 0..if is_coarse { EACH } else { IN_ALL / world.kind.cells } {
                let (name, rtype) =
                    if is_coarse { (dice.below(names), dice.below(TYPES.len())) } else { (NEAR, 0) };
                let is_more = Dice(cell as u64).once_in(2);
                let demand = (0.5 + dice.between(0.0, 1.0)) * if is_more { 1.0 + skew } else { 1.0 - skew };
                capacity[owner] += demand / 0.7;
                all.push(Resolver {
                    question: (name, rtype, cell),
                    demand,
                    is_slow: dice.below(100) < 9,
                    pop: None,
                });
            }
        }
        let mean = capacity.iter().sum::<f64>() / POPS as f64;
        capacity.iter_mut().for_each(|capacity| *capacity = capacity.max(mean / 2.0));
        let mut wheel = vec![Vec::new(); 4 * 1_024];
        for resolver in 0..all.len() as u32 {
            wheel[dice.below(30 * 4)].push(resolver);
        }
        (Resolvers { all, wheel }, capacity)
    }

    fn tick(&self, at_ms: u64) -> usize {
        (at_ms / TICK_MS) as usize % self.wheel.len()
    }

    /// Those that ask now.
    pub fn due(&mut self, now_ms: u64) -> Vec<u32> {
        let tick = self.tick(now_ms);
        std::mem::take(&mut self.wheel[tick])
    }

    /// Has them ask at a later moment.
    pub fn wait(&mut self, who: Vec<u32>, until_ms: u64) {
        let tick = self.tick(until_ms);
        self.wheel[tick].extend(who);
    }

    /// Name, type and cell.
    pub fn question(&self, index: u32) -> (usize, usize, usize) {
        self.all[index as usize].question
    }

    /// It has its answer. Gives its demand, and whose clients they were until now.
    pub fn keep(&mut self, index: u32, answer: Answer, now_ms: u64) -> (f64, Option<u16>) {
        let resolver = &mut self.all[index as usize];
        let secs = u64::from(answer.ttl_secs.max(1)) * if resolver.is_slow { 10 } else { 1 };
        let was = std::mem::replace(&mut resolver.pop, answer.pop.map(|(pop, _)| pop));
        let demand = resolver.demand;
        self.wait(vec![index], now_ms + secs * 1_000);
        (demand, was)
    }
}
