//! Slots of a snapshot: the services of PoPs that policies use, each with its addresses and their
//! seeds for sharing.

use crate::health::targets::SlotId;
use crate::steer::policy::Policy;
use crate::steer::pop::{Pop, PopId, Service};
use crate::steer::table::{NO_SLOT, SharedAddress, Slot};
use crate::wire::hash;
use std::collections::HashMap;
use std::sync::Arc;

/// Services of PoPs that policies use, each once.
#[derive(Default)]
pub(super) struct Slots {
    /// The slots, by id.
    pub(super) list: Vec<Slot>,
    known: HashMap<(PopId, Arc<str>), SlotId>,
}

impl Slots {
    /// Slot of each PoP for a policy: that of its service, or [`NO_SLOT`].
    pub(super) fn of_policy(&mut self, pops: &[Pop], policy: &Policy) -> Box<[SlotId]> {
        PopId::in_order()
            .zip(pops)
            .map(|(index, pop)| pop.service(&policy.service).map_or(NO_SLOT, |s| self.slot(index, s)))
            .collect()
    }

    fn slot(&mut self, pop: PopId, service: &Service) -> SlotId {
        *self.known.entry((pop, service.name.clone())).or_insert_with(|| {
            let (v4, v6) = (service.v4.iter(), service.v6.iter());
            self.list.push(Slot {
                pop,
                v4: v4.map(|a| shared(a.address, a.weight, &a.address.octets())).collect(),
                v6: v6.map(|a| shared(a.address, a.weight, &a.address.octets())).collect(),
                https: service.https.clone().map(Box::new),
            });
            SlotId::at(self.list.len() - 1)
        })
    }
}

fn shared<A>(address: A, weight: u32, octets: &[u8]) -> SharedAddress<A> {
    SharedAddress { address, weight, seed: hash::octets(octets) }
}
