//! The pools of a policy. A pool is the set of PoPs among which a preference list chooses. The
//! first pool has all PoPs that the policy offers outside fences; each fence with a different set
//! of PoPs is one more pool.

use super::pop::PopId;
use super::preference_list::PoolNumber;

/// Pools in the making.
#[derive(Debug)]
pub(crate) struct Pools(Vec<Vec<PopId>>);

impl Default for Pools {
    fn default() -> Pools {
        Pools(vec![Vec::new()])
    }
}

impl Pools {
    /// Adds PoPs that are offered outside fences.
    pub(crate) fn offer(&mut self, pops: impl Iterator<Item = PopId>) -> PoolNumber {
        self.0[0].extend(pops);
        PoolNumber::OPEN
    }

    /// The pool of a fence, which is new unless another fence has the same PoPs.
    pub(crate) fn fence(&mut self, pops: impl Iterator<Item = PopId>) -> PoolNumber {
        let pops = sorted(pops.collect());
        let known = self.0.iter().skip(1).position(|pool| *pool == pops).map(|at| at + 1);
        let number = known.unwrap_or_else(|| {
            self.0.push(pops);
            self.0.len() - 1
        });
        PoolNumber(u16::try_from(number).unwrap_or(u16::MAX))
    }

    /// All of them by their numbers, each sorted.
    pub(crate) fn all(&self) -> Box<[Box<[PopId]>]> {
        self.0.iter().map(|pool| sorted(pool.clone()).into()).collect()
    }
}

fn sorted(mut pops: Vec<PopId>) -> Vec<PopId> {
    pops.sort_unstable();
    pops.dedup();
    pops
}

#[cfg(test)]
mod tests;
