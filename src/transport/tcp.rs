//! DNS over TCP (RFC 7766): the connection itself carries the messages.

use crate::answer::Transport;
use crate::transport::stream::Carrier;
use std::io;
use tokio::net::TcpStream;

/// Carrier of plain TCP.
pub(crate) struct PlainTcp;

impl Carrier for PlainTcp {
    const TRANSPORT: Transport = Transport::Tcp;
    type Stream = TcpStream;

    async fn open(&self, connection: TcpStream) -> io::Result<TcpStream> {
        // Without Nagle's algorithm, because each write has whole replies: a wait for a full
        // segment would only delay them.
        let _ = connection.set_nodelay(true);
        Ok(connection)
    }
}
