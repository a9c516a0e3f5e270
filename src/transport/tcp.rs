//! DNS over TCP (RFC 7766): the connection itself carries the messages.

use crate::answer::Transport;
use crate::transport::stream::{Accepted, Carrier};
use std::io;

/// Carrier of plain TCP.
pub(crate) struct PlainTcp;

impl Carrier for PlainTcp {
    const TRANSPORT: Transport = Transport::Tcp;
    type Stream<A: Accepted> = A;

    async fn open<A: Accepted>(&self, connection: A) -> io::Result<A> {
        Ok(connection)
    }
}
