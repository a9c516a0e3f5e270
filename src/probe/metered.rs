//! TCP connection with a limit on octets and reads, because a peer may send without end.

use crate::limits::{PROBE_READ_OCTETS, PROBE_READS_MAX, PROBE_STREAM_OCTETS_MAX};
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// Connection, with the octets and reads that are left to it.
#[derive(Debug)]
pub(crate) struct Metered {
    stream: TcpStream,
    left: usize,
    octets_max: usize,
    reads_left: usize,
}

/// The peer has sent more small pieces than a sound server sends.
#[derive(Clone, Copy, Debug)]
pub(crate) struct InCrumbs;

impl fmt::Display for InCrumbs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the server sends a few octets at a time, too often")
    }
}

impl std::error::Error for InCrumbs {}

/// The peer has sent more octets than a sound server sends.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Endless {
    /// Limit that was reached.
    octets_max: usize,
}

impl fmt::Display for Endless {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the server sends without end (over {} KiB)", self.octets_max >> 10)
    }
}

impl std::error::Error for Endless {}

impl Metered {
    /// Connects to this address, with the usual limit.
    pub(crate) async fn connect(to: SocketAddr) -> io::Result<Metered> {
        Metered::connect_for(to, PROBE_STREAM_OCTETS_MAX).await
    }

    /// Connects to this address, with a limit of `octets_max` octets.
    pub(crate) async fn connect_for(to: SocketAddr, octets_max: usize) -> io::Result<Metered> {
        let stream = TcpStream::connect(to).await?;
        // Each exchange is one small write, so waiting for more gains nothing. A refused option
        // only costs time.
        let _ = stream.set_nodelay(true);
        let reads_left = PROBE_READS_MAX + octets_max / PROBE_READ_OCTETS;
        Ok(Metered { stream, left: octets_max, octets_max, reads_left })
    }
}

impl AsyncRead for Metered {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.left == 0 {
            return Poll::Ready(Err(io::Error::other(Endless { octets_max: self.octets_max })));
        }
        if self.reads_left == 0 {
            return Poll::Ready(Err(io::Error::other(InCrumbs)));
        }
        let before = buf.filled().len();
        let polled = Pin::new(&mut self.stream).poll_read(cx, buf);
        let read = buf.filled().len().saturating_sub(before);
        self.left = self.left.saturating_sub(read);
        self.reads_left -= usize::from(read > 0);
        polled
    }
}

impl AsyncWrite for Metered {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
