//! Conversations with scripted clients, for fuzz targets: the tasks that carry accepted
//! connections, over streams of memory. The octets of a client come in one piece or in answer to
//! those of the server, and end as a connection does that its client closes.
//!
//! Nothing waits for a clock: a conversation has come to a standstill when its runtime is about to
//! park, because there only a timer of the server could move it on.

use crate::answer::Transport;
use crate::limits::STREAM_MESSAGE_SECS;
use crate::shared::Shared;
use crate::shared::counters::{CounterBlock, Counters, Dropped};
use crate::shared::descriptors::Descriptors;
use crate::shared::operator_view::OperatorView;
use crate::shared::published::Published;
use crate::shared::tasks::TaskBoard;
use crate::snapshot::Snapshot;
use crate::transport::connection_limit::{ConnectionLimit, ConnectionPermit};
use crate::transport::doh::{self, DnsOverHttps};
use crate::transport::dot::DnsOverTls;
use crate::transport::proxied::TLS_HANDSHAKE;
use crate::transport::stream::{Accepted, Carrier, StreamContext, carry};
use crate::transport::tcp::PlainTcp;
use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, DuplexStream, duplex};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// Octets on the way in each direction: more than a script and its answers have, so that no side
/// waits for the other to read.
const PIPE_OCTETS: usize = 4 << 20;
/// Connections that each lane may have.
const CONNECTIONS: u32 = 16;
/// Address of every client.
const CLIENT: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 77));

/// Place at which a script begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Entrance {
    /// Octets of TCP.
    Tcp,
    /// Octets of TCP to DNS over TLS.
    Dot,
    /// Octets of TCP to DNS over HTTPS.
    Doh,
    /// HTTP/1.1 inside of TLS.
    Http1,
    /// HTTP/2 inside of TLS.
    Http2,
}

/// Octets that a client sends next.
pub enum Step {
    /// These, before the server says more.
    Send(Vec<u8>),
    /// These, and no more.
    Last(Vec<u8>),
}

/// A conversation that has ended.
pub struct Talk {
    /// Octets of the server.
    pub answer: Vec<u8>,
    /// False if the server waits for a timer, and has not ended the connection of a client that has
    /// closed it.
    pub is_ended: bool,
}

/// Lanes without sockets.
pub struct Lanes {
    runtime: Runtime,
    /// Notified when no task of the runtime can go on.
    standstill: Arc<Notify>,
    shared: Arc<Shared>,
    tcp: Arc<StreamContext<PlainTcp>>,
    dot: Arc<StreamContext<DnsOverTls>>,
    doh: Arc<StreamContext<DnsOverHttps>>,
}

impl Accepted for BufReader<DuplexStream> {
    async fn begins_tls(&mut self) -> bool {
        matches!(self.fill_buf().await, Ok([TLS_HANDSHAKE, ..]))
    }
}

impl Lanes {
    /// Lanes that answer from one snapshot, which has a certificate.
    pub fn new(snapshot: Arc<Snapshot>) -> io::Result<Lanes> {
        let [tcp, dot, doh] = [Transport::Tcp, Transport::Dot, Transport::Doh]
            .map(|transport| Arc::new(CounterBlock::multi_writer(transport, 0)));
        let blocks = [&tcp, &dot, &doh].map(Arc::clone).to_vec();
        let shared = Arc::new(Shared::new(
            Published::new(snapshot, 1),
            Counters::new(blocks, Arc::default()),
            OperatorView::default(),
            Arc::new(TaskBoard::new(1)),
            Arc::new(Descriptors::default()),
        ));
        let over_tls = DnsOverTls::new(Arc::clone(&shared)).map_err(io::Error::other)?;
        let over_https = DnsOverHttps::new(Arc::clone(&shared)).map_err(io::Error::other)?;
        let standstill = Arc::new(Notify::new());
        let parked = Arc::clone(&standstill);
        let mut runtime = Builder::new_current_thread();
        runtime.enable_time().on_thread_park(move || parked.notify_one());
        Ok(Lanes {
            runtime: runtime.build()?,
            standstill,
            tcp: Arc::new(context(PlainTcp, &shared, tcp)),
            dot: Arc::new(context(over_tls, &shared, dot)),
            doh: Arc::new(context(over_https, &shared, doh)),
            shared,
        })
    }

    /// A conversation with a client, or with a balancer. `client` gets the octets of the server
    /// since its last step.
    pub fn talk(&self, entrance: Entrance, is_balancer: bool, client: impl FnMut(&[u8]) -> Step) -> Talk {
        let (ours, theirs) = duplex(PIPE_OCTETS);
        let ours = BufReader::new(ours);
        let mut answer = Vec::new();
        let side = speak(theirs, client, &mut answer);
        let server = async {
            match entrance {
                Entrance::Tcp => carried(ours, is_balancer, &self.tcp).await,
                Entrance::Dot => carried(ours, is_balancer, &self.dot).await,
                Entrance::Doh => carried(ours, is_balancer, &self.doh).await,
                Entrance::Http1 | Entrance::Http2 => {
                    let permit = permit(&self.doh.connection_limit, false);
                    let is_http2 = entrance == Entrance::Http2;
                    doh::respond(ours, is_http2, CLIENT, (&self.doh, &permit)).await;
                }
            }
        };
        let is_ended = self.runtime.block_on(async {
            // The standstill of a conversation before is none of this one.
            tokio::select! {
                biased;
                () = self.standstill.notified() => {}
                () = std::future::ready(()) => {}
            }
            tokio::select! {
                biased;
                _ = async { tokio::join!(server, side) } => true,
                () = self.standstill.notified() => false,
            }
        });
        Talk { answer, is_ended }
    }

    /// Messages on which the program has panicked, so far.
    pub fn panics(&self) -> u64 {
        let of = |transport| self.shared.counters.fold(transport).dropped(Dropped::Panic);
        of(Transport::Tcp) + of(Transport::Dot) + of(Transport::Doh)
    }
}

fn context<C: Carrier>(carrier: C, shared: &Arc<Shared>, block: Arc<CounterBlock>) -> StreamContext<C> {
    StreamContext {
        carrier,
        shared: Arc::clone(shared),
        block,
        connection_limit: Arc::new(ConnectionLimit::new(CONNECTIONS, CONNECTIONS)),
        idle: Duration::from_secs(2 * STREAM_MESSAGE_SECS),
        stop: CancellationToken::new(),
    }
}

fn permit(limit: &Arc<ConnectionLimit>, is_balancer: bool) -> ConnectionPermit {
    limit.enter((!is_balancer).then_some(CLIENT)).0
}

/// Carries a connection as the accept loop does.
async fn carried<C: Carrier>(
    connection: BufReader<DuplexStream>,
    is_balancer: bool,
    context: &Arc<StreamContext<C>>,
) {
    let permit = permit(&context.connection_limit, is_balancer);
    carry(connection, (CLIENT, is_balancer), context, &permit).await;
}

/// The client's side of a conversation.
async fn speak(mut stream: DuplexStream, mut client: impl FnMut(&[u8]) -> Step, answer: &mut Vec<u8>) {
    let mut seen = 0;
    loop {
        let step = client(&answer[seen..]);
        seen = answer.len();
        // A server that has closed the connection takes no more octets.
        match step {
            Step::Send(octets) => {
                let _ = stream.write_all(&octets).await;
                if !matches!(stream.read_buf(answer).await, Ok(1..)) {
                    return;
                }
            }
            Step::Last(octets) => {
                let _ = stream.write_all(&octets).await;
                let _ = stream.shutdown().await;
                let _ = stream.read_to_end(answer).await;
                return;
            }
        }
    }
}
