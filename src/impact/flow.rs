//! Flows: the clients of one policy change, by their answers before and after.

use super::answered::{Answered, Side};
use super::sample::Client;
use crate::geo::special::special_block;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Clients by their answer before, and those that move. Weights add up to the whole, in the unit of
/// the clients that were asked.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Flow {
    /// All clients.
    pub whole: f64,
    /// Clients of each answer before.
    pub before: BTreeMap<Answered, f64>,
    /// Clients that move: from, to.
    pub moves: BTreeMap<(Answered, Answered), f64>,
}

impl Flow {
    /// Share of all clients that goes one way, 0 to 1.
    pub fn share(&self, from: &Answered, to: &Answered) -> f64 {
        self.moves.get(&(from.clone(), to.clone())).map_or(0.0, |moved| moved / self.whole)
    }

    /// Share of the clients of `from` that goes to `to`, 0 to 1.
    pub fn share_of(&self, from: &Answered, to: &Answered) -> f64 {
        match (self.moves.get(&(from.clone(), to.clone())), self.before.get(from)) {
            (Some(moved), Some(all)) if *all > 0.0 => (moved / all).min(1.0),
            _ => 0.0,
        }
    }

    fn add(&mut self, was: Answered, is: Answered, weight: f64) {
        self.whole += weight;
        *self.before.entry(was.clone()).or_default() += weight;
        if was != is {
            *self.moves.entry((was, is)).or_default() += weight;
        }
    }
}

/// Names with the same policy before and the same policy after (or none). `flows` has one flow for
/// each address family (`N` = 2), or one for all clients (`N` = 1).
#[derive(Clone, Debug, PartialEq)]
pub struct PolicyChange<const N: usize> {
    /// The policy before.
    pub policy: Arc<str>,
    /// The policy after; `None` where the names are not steered any more.
    pub to: Option<Arc<str>>,
    /// Number of names.
    pub names: usize,
    /// Clients of the names.
    pub flows: [Flow; N],
}

impl<const N: usize> PolicyChange<N> {
    /// Every way that a client goes, sorted.
    pub(super) fn ways(&self) -> Vec<(Answered, Answered)> {
        let mut ways: Vec<_> = self.flows.iter().flat_map(|flow| flow.moves.keys().cloned()).collect();
        ways.sort();
        ways.dedup();
        ways
    }

    /// Share of the clients of `from` that goes to `to`: the mean of the flows that have clients of
    /// `from`, because queries are not counted by address family.
    pub(super) fn share_of(&self, from: &Answered, to: &Answered) -> f64 {
        let known = self.flows.iter().filter(|flow| flow.before.contains_key(from));
        let count = known.clone().count().max(1);
        known.map(|flow| flow.share_of(from, to)).sum::<f64>() / count as f64
    }
}

/// Answers after the change.
pub(super) enum After<'s> {
    /// A policy of the other snapshot.
    Policy(Side<'s>),
    /// The same answer for all clients.
    Answer(Answered),
}

impl After<'_> {
    fn answered(&self, client: &Client, seed: u64) -> Option<Answered> {
        match self {
            After::Policy(side) => side.answered(client.address, seed),
            After::Answer(answered) => Some(answered.clone()),
        }
    }
}

/// Seeds of a name before and after: the hashes under which clients share between equals.
#[derive(Clone, Copy, Debug)]
pub(super) struct NameSeeds {
    /// Seed before.
    pub(super) before: u64,
    /// Seed after.
    pub(super) after: u64,
}

/// Both sides of a policy change, and the names that are asked for.
pub(super) struct Asked<'s> {
    /// The side before.
    pub(super) before: Side<'s>,
    /// The side after.
    pub(super) after: After<'s>,
    /// Seeds of the names, of which each client asks for one. If there are none, each client asks
    /// for a name of its own, which neither side has.
    pub(super) names: &'s [NameSeeds],
}

impl<'s> Asked<'s> {
    /// Sides that have a policy.
    pub(super) fn sides(&self) -> Vec<Side<'s>> {
        let after = match &self.after {
            After::Policy(side) => Some(*side),
            After::Answer(_) => None,
        };
        std::iter::once(self.before).chain(after).collect()
    }

    /// Computes the answers to clients before and after. `flow_of` gives the flow to which a client
    /// belongs.
    pub(super) fn flows<const N: usize>(
        &self,
        clients: impl Iterator<Item = Client>,
        flow_of: impl Fn(&Client) -> usize,
    ) -> [Flow; N] {
        let mut flows = std::array::from_fn(|_| Flow::default());
        // A policy that answers all clients alike has no leaves for special-purpose addresses, so
        // they are left out here. No client has them.
        let is_tailored = self.sides().iter().any(|side| side.is_tailored());
        for client in clients {
            if !is_tailored && special_block(client.address).is_some() {
                continue;
            }
            let seeds = match self.names {
                [] => NameSeeds { before: client.dice, after: client.dice },
                names => names[client.dice as usize % names.len()],
            };
            let Some(was) = self.before.answered(client.address, seeds.before) else { continue };
            let Some(is) = self.after.answered(&client, seeds.after) else { continue };
            flows[flow_of(&client)].add(was, is, client.weight);
        }
        flows
    }
}
