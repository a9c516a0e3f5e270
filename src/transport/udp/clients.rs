//! Clients of a batch that has datagrams of balancers: their PROXY headers are read and taken off
//! before any other code sees the octets. A reply goes to the sender, without a header.

use crate::proxies::Proxies;
use crate::shared::counters::{CounterBlock, Dropped};
use crate::sys::datagram::Batch;
use crate::transport::{proxied, sender};
use crate::wire::proxy_header::ProxyHeader;
use std::net::IpAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Client of each datagram.
#[derive(Default)]
pub(super) struct Clients(Vec<Origin>);

/// Client of one datagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// The sender itself.
    Sender,
    /// The address in the header of a balancer.
    Named(IpAddr),
    /// None: the datagram is dropped.
    Dropped(Dropped),
}

impl Clients {
    /// Reads the headers of a batch of `count` datagrams. No octet of a faulty one remains.
    #[inline(never)]
    pub(super) fn read(&mut self, proxies: &Proxies, batch: &mut Batch, count: usize, block: &CounterBlock) {
        self.0.clear();
        for index in 0..count {
            let is_proxy = batch.sender(index).is_some_and(|(address, _)| proxies.contains(address));
            let origin = if is_proxy { take_header(batch, index, block) } else { Origin::Sender };
            self.0.push(origin);
        }
    }

    /// Client of a datagram of the batch.
    #[inline(always)]
    pub(super) fn of(&self, index: usize) -> Origin {
        // Each datagram of a batch has been read; one that was not has no client.
        self.0.get(index).copied().unwrap_or(Origin::Dropped(Dropped::Silence))
    }
}

fn take_header(batch: &mut Batch, index: usize, block: &CounterBlock) -> Origin {
    let octets = batch.octets(index);
    // The parser does not panic. If it ever does, one datagram is lost and counted.
    let (len, origin) = match catch_unwind(AssertUnwindSafe(|| ProxyHeader::of_datagram(octets))) {
        Ok(Ok(header)) => {
            block.proxy_header();
            (header.len, header.client.map_or(Origin::Sender, named))
        }
        Ok(Err(fault)) => (octets.len(), Origin::Dropped(proxied::reason(fault))),
        Err(_) => (octets.len(), Origin::Dropped(Dropped::Panic)),
    };
    batch.skip(index, len);
    origin
}

/// A client gets no answer through a balancer that it would not get from us.
fn named((address, port): (IpAddr, u16)) -> Origin {
    let client = (address, port);
    // A balancer may not know the port.
    if port == 0 || sender::is_answerable(&client) {
        return Origin::Named(address);
    }
    Origin::Dropped(sender::reason(Some(client)))
}
