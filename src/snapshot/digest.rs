//! The digest of a snapshot's inputs (SHA-256, shown as its first 16 octets).

use super::inputs::InputHashes;
use crate::steer::pop::AdminState;
use crate::steer::status::{Status, View};
use sha2::{Digest as _, Sha256};
use std::fmt;

/// Changes whenever equal inputs would give other answers than before: part of every digest, so
/// that nodes of different versions are seen to differ.
const ALGORITHM: &[u8] = b"meridian steering 3";

/// What two nodes compare: the inputs, and the inputs with the status.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Digest {
    inputs: [u8; 32],
    whole: [u8; 32],
}

impl Digest {
    /// The digest of inputs in any order.
    pub(crate) fn of(inputs: &InputHashes, status: &Status) -> Digest {
        let mut each = inputs.hashes();
        each.sort_unstable();
        let mut hash = Sha256::new();
        hash.update(ALGORITHM);
        each.iter().for_each(|h| hash.update(h));
        let digest = Digest { inputs: hash.finalize().into(), whole: [0; 32] };
        digest.with_status(status)
    }

    /// The digest of the same inputs with another status.
    pub(crate) fn with_status(self, status: &Status) -> Digest {
        let mut hash = Sha256::new();
        hash.update(self.inputs);
        for pop in status.pops() {
            let state = match pop.state {
                AdminState::Auto => 0u8,
                AdminState::Up => 1,
                AdminState::Down => 2,
                AdminState::Drain => 3,
            };
            hash.update([state]);
            hash.update(pop.weight.to_be_bytes());
            hash.update(pop.left.to_be_bytes());
        }
        for shed in status.sheds() {
            hash.update(shed.share.to_be_bytes());
            shed.accept.iter().for_each(|share| hash.update(share.to_be_bytes()));
        }
        // The horizon is left out: it shapes TTLs alone, and moves with every probe.
        let (views, of_policies) = status.views();
        for view in views {
            hash_view(&mut hash, view);
            for (pool, view) in view.returning() {
                hash.update(pool.0.to_be_bytes());
                hash_view(&mut hash, view);
            }
        }
        of_policies.for_each(|view| hash.update(view.to_be_bytes()));
        Digest { inputs: self.inputs, whole: hash.finalize().into() }
    }
}

fn hash_view(hash: &mut Sha256, view: &View) {
    for slot in view.slots() {
        hash.update([slot.has, slot.up, slot.last_resort, slot.awaited]);
        hash.update(slot.down_v4.to_be_bytes());
        hash.update(slot.down_v6.to_be_bytes());
        hash.update(slot.went_down.to_be_bytes());
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.whole[..16].iter().try_for_each(|octet| write!(f, "{octet:02x}"))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
