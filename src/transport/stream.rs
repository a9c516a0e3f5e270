//! DNS over streams (RFC 7766): an accept loop that pauses after errors, and connections that
//! answer pipelined queries in order. A [`Carrier`] opens the stream of an accepted connection, so
//! that each transport is one file beside this one.

use crate::access::Action;
use crate::answer::{Client, Outcome, Transport};
use crate::limits::{DRAIN_SECS, STREAM_GATHER_OCTETS, STREAM_MESSAGE_SECS, STREAM_WRITE_SECS};
use crate::shared::Shared;
use crate::shared::counters::{CounterBlock, Dropped};
use crate::shared::descriptors::Use;
use crate::snapshot::Snapshot;
use crate::sys::accept::AcceptPause;
use crate::transport::connection_limit::{ConnectionLimit, ConnectionPermit, Full};
use crate::transport::draw::Draws;
use crate::transport::exchange::{Exchanged, exchange};
use crate::transport::proxied;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout, timeout_at};
use tokio_util::sync::CancellationToken;

/// Connection that was accepted: one of TCP, or a scripted one of fuzz targets.
pub(crate) trait Accepted: AsyncRead + AsyncWrite + Unpin + Send + 'static {
    /// True if the connection begins with a TLS handshake. Waits for its first octet, and leaves
    /// it.
    fn begins_tls(&mut self) -> impl Future<Output = bool> + Send;
}

impl Accepted for TcpStream {
    async fn begins_tls(&mut self) -> bool {
        let mut first = [0];
        matches!(self.peek(&mut first).await, Ok(1)) && first == [proxied::TLS_HANDSHAKE]
    }
}

/// Opens the stream that carries the messages of an accepted connection, for one transport.
pub(crate) trait Carrier: Send + Sync + 'static {
    /// Transport, for the counters and the size limit of replies.
    const TRANSPORT: Transport;
    /// Stream of messages over a connection.
    type Stream<A: Accepted>: AsyncRead + AsyncWrite + Unpin + Send;
    /// Opens the stream, with a handshake if the transport has one. The connection is closed after
    /// an error, or after [`STREAM_MESSAGE_SECS`] without a result.
    fn open<A: Accepted>(&self, connection: A) -> impl Future<Output = io::Result<Self::Stream<A>>> + Send;
    /// Answers the messages of an open stream until its end: each behind its length, unless the
    /// transport has another framing.
    fn converse<A: Accepted>(
        stream: Self::Stream<A>,
        client: IpAddr,
        context: &Arc<StreamContext<Self>>,
        permit: &ConnectionPermit,
    ) -> impl Future<Output = ()> + Send
    where
        Self: Sized,
    {
        async move { Connection::new(stream, client, context, permit).run().await }
    }
}

/// Context of every connection of one transport.
pub(crate) struct StreamContext<C> {
    /// Carrier.
    pub(crate) carrier: C,
    /// State that threads share.
    pub(crate) shared: Arc<Shared>,
    /// Counters of the transport.
    pub(crate) block: Arc<CounterBlock>,
    /// Limits of connections.
    pub(crate) connection_limit: Arc<ConnectionLimit>,
    /// Time without a query after which a connection is closed.
    pub(crate) idle: Duration,
    /// Cancelled when the server stops.
    pub(crate) stop: CancellationToken,
}

/// Accepts connections until the server stops, then waits for running answers.
pub(crate) async fn serve<C: Carrier>(listener: TcpListener, context: Arc<StreamContext<C>>) {
    let mut connections = JoinSet::new();
    let mut pause = AcceptPause::default();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = context.stop.cancelled() => break,
        };
        match accepted {
            Ok((connection, peer)) => {
                pause = AcceptPause::default();
                admit(connection, peer, &context, &mut connections);
            }
            Err(error) => {
                context.block.dropped(Dropped::SocketError, 1);
                if let Some(wait) = pause.after(&error) {
                    context.shared.descriptors.note_exhausted();
                    // Frees a descriptor for the connection that waits in the kernel.
                    if context.connection_limit.make_room() {
                        context.block.dropped(Dropped::ConnectionsFull, 1);
                    }
                    let transport = C::TRANSPORT.word();
                    tracing::debug!(transport, %error, "a DNS listener cannot accept a connection");
                    tokio::select! { () = sleep(wait) => {}, () = context.stop.cancelled() => break }
                }
            }
        }
        while let Some(ended) = connections.try_join_next() {
            count_panic(&context, &ended);
        }
        // Waits until the descriptors of connections that give way are free, so that a storm never
        // exceeds the limit.
        while connections.len() > context.connection_limit.total_max()
            && let Some(ended) = connections.join_next().await
        {
            count_panic(&context, &ended);
        }
    }
    drop(listener);
    let drain = async {
        while let Some(ended) = connections.join_next().await {
            count_panic(&context, &ended);
        }
    };
    let _ = timeout(Duration::from_secs(DRAIN_SECS), drain).await;
}

fn admit<C: Carrier>(
    connection: TcpStream,
    peer: SocketAddr,
    context: &Arc<StreamContext<C>>,
    connections: &mut JoinSet<()>,
) {
    let is_proxy = context.shared.published.served().snapshot.is_proxy(peer.ip());
    if !is_proxy && is_unwelcome(peer.ip(), context) {
        return;
    }
    // The client of a balancer is not known before the header.
    let permit = enter((!is_proxy).then(|| peer.ip()), context);
    // Without Nagle's algorithm, because each write has whole replies: a wait for a full segment
    // would only delay them.
    let _ = connection.set_nodelay(true);
    let context = Arc::clone(context);
    let held = Arc::clone(&context.shared.descriptors).hold(Use::Stream(C::TRANSPORT));
    connections.spawn(async move {
        tokio::select! {
            () = carry(connection, (peer.ip(), is_proxy), &context, &permit) => {}
            () = permit.revoked() => {
                let transport = C::TRANSPORT.word();
                tracing::debug!(transport, "an idle connection gives way to another");
            }
        }
        drop((permit, held));
    });
}

/// True, and counted, if the access lists drop a client: a client that gets no answer has no
/// connection either, so that it displaces no other.
pub(super) fn is_unwelcome<C>(client: IpAddr, context: &StreamContext<C>) -> bool {
    let service = context.shared.published.served();
    let access = service.snapshot.access.as_deref();
    let is_dropped = access.is_some_and(|access| access.verdict(client).action == Action::Drop);
    if is_dropped {
        context.block.dropped(Dropped::Access, 1);
    }
    is_dropped
}

/// Takes a permit for a connection, and counts it. The client of a balancer is named later
/// ([`ConnectionPermit::name`]).
pub(super) fn enter<C>(client: Option<IpAddr>, context: &StreamContext<C>) -> ConnectionPermit {
    let (permit, displaced) = context.connection_limit.enter(client);
    context.block.connected();
    match displaced {
        None => {}
        Some(Full::Prefix) => context.block.dropped(Dropped::PrefixFull, 1),
        Some(Full::Total) => context.block.dropped(Dropped::ConnectionsFull, 1),
    }
    permit
}

/// Carries one connection from its opening to its end. The header of a balancer and the handshake
/// have [`STREAM_MESSAGE_SECS`] together.
pub(super) async fn carry<C: Carrier, A: Accepted>(
    connection: A,
    (peer, is_proxy): (IpAddr, bool),
    context: &Arc<StreamContext<C>>,
    permit: &ConnectionPermit,
) {
    let opening = open(connection, (peer, is_proxy), context, permit);
    let opened = tokio::select! {
        opened = timeout(Duration::from_secs(STREAM_MESSAGE_SECS), opening) => opened,
        () = context.stop.cancelled() => return,
    };
    match opened {
        Ok(Some((client, stream))) => C::converse::<A>(stream, client, context, permit).await,
        Ok(None) => {}
        Err(_) => context.block.dropped(Dropped::SlowMessage, 1),
    }
}

/// Opens the stream of a connection, and finds its client; `None` closes the connection.
async fn open<C: Carrier, A: Accepted>(
    mut connection: A,
    (peer, is_proxy): (IpAddr, bool),
    context: &StreamContext<C>,
    permit: &ConnectionPermit,
) -> Option<(IpAddr, C::Stream<A>)> {
    let mut client = (!is_proxy).then_some(peer);
    if client.is_none() && !(C::TRANSPORT.is_encrypted() && connection.begins_tls().await) {
        client = Some(name_client(&mut connection, peer, context, permit).await?);
    }
    let mut stream = match context.carrier.open(connection).await {
        Ok(stream) => stream,
        Err(error) => {
            context.block.dropped(Dropped::HandshakeFailed, 1);
            tracing::debug!(transport = C::TRANSPORT.word(), %error, "a handshake failed");
            return None;
        }
    };
    let client = match client {
        Some(client) => client,
        None => name_client(&mut stream, peer, context, permit).await?,
    };
    Some((client, stream))
}

/// Client of a balancer's connection, by the header at the front of a stream; `None` closes the
/// connection.
async fn name_client<C: Carrier>(
    stream: &mut (impl AsyncRead + Unpin),
    peer: IpAddr,
    context: &StreamContext<C>,
    permit: &ConnectionPermit,
) -> Option<IpAddr> {
    let named = proxied::client(stream, &context.block).await.ok()?;
    let client = named.unwrap_or(peer);
    if is_unwelcome(client, context) {
        return None;
    }
    if named.is_some_and(|client| permit.name(client)) {
        context.block.dropped(Dropped::PrefixFull, 1);
    }
    Some(client)
}

/// Counts a task that has ended by a panic.
pub(super) fn count_panic<C, T>(context: &StreamContext<C>, ended: &Result<T, tokio::task::JoinError>) {
    if ended.as_ref().is_err_and(tokio::task::JoinError::is_panic) {
        context.block.dropped(Dropped::Panic, 1);
    }
}

/// Reason for the end of a connection. It is not logged.
enum End {
    Closed,
    Idle,
    SlowMessage,
    SlowReader,
    Stopped,
}

struct Connection<'a, C, S> {
    stream: S,
    client: IpAddr,
    context: &'a StreamContext<C>,
    permit: &'a ConnectionPermit,
    draws: Draws,
    /// Octets read and not yet answered.
    pending: Vec<u8>,
    /// Answers not yet written, each after its length prefix.
    answers: Vec<u8>,
    /// Arrival time of the first octet of the message at the head of `pending`.
    begun: Option<Instant>,
}

impl<'a, C: Carrier, S: AsyncRead + AsyncWrite + Unpin> Connection<'a, C, S> {
    fn new(
        stream: S,
        client: IpAddr,
        context: &'a StreamContext<C>,
        permit: &'a ConnectionPermit,
    ) -> Connection<'a, C, S> {
        Connection {
            stream,
            client,
            context,
            permit,
            draws: Draws::seeded(),
            pending: Vec::new(),
            answers: Vec::new(),
            begun: None,
        }
    }

    async fn run(mut self) {
        let end = loop {
            if let Err(end) = self.turn().await {
                break end;
            }
        };
        match end {
            End::SlowMessage => self.context.block.dropped(Dropped::SlowMessage, 1),
            End::SlowReader => self.context.block.dropped(Dropped::SlowReader, 1),
            End::Closed | End::Idle | End::Stopped => {}
        }
        let _ = timeout(Duration::from_secs(1), self.stream.shutdown()).await;
    }

    /// Reads the octets that have arrived, answers every whole message, and writes the answers.
    async fn turn(&mut self) -> Result<(), End> {
        self.read().await?;
        let mut start = 0;
        while let Some(length) = whole_message(&self.pending[start..]) {
            let message = start + 2..start + 2 + length;
            start = message.end;
            self.answer(message)?;
            if self.answers.len() >= STREAM_GATHER_OCTETS {
                self.write().await?;
            }
        }
        if start > 0 {
            // Only whole messages count as activity.
            self.permit.touch();
            self.pending.drain(..start);
            self.begun = (!self.pending.is_empty()).then(Instant::now);
            // Frees the memory of a large message before the connection ends.
            self.pending.shrink_to(4096);
        }
        self.write().await
    }

    /// Waits for octets until the idle deadline, or the deadline of a partly received message.
    async fn read(&mut self) -> Result<(), End> {
        let (deadline, late) = match self.begun {
            Some(begun) => (begun + Duration::from_secs(STREAM_MESSAGE_SECS), End::SlowMessage),
            None => (Instant::now() + self.context.idle, End::Idle),
        };
        // Small at first, because every idle connection holds this buffer.
        self.pending.reserve(512);
        let read = tokio::select! {
            biased;
            read = timeout_at(deadline, self.stream.read_buf(&mut self.pending)) => read,
            () = self.context.stop.cancelled() => return Err(End::Stopped),
        };
        match read {
            Err(_) => Err(late),
            Ok(Ok(0) | Err(_)) => Err(End::Closed),
            Ok(Ok(_)) => {
                self.begun.get_or_insert_with(Instant::now);
                Ok(())
            }
        }
    }

    /// Answers a message; an end if the access lists of the snapshot in service drop its client.
    fn answer(&mut self, message: std::ops::Range<usize>) -> Result<(), End> {
        let client = Client { address: self.client, transport: C::TRANSPORT };
        let answers = &mut self.answers;
        let lane = (&*self.context.shared, &*self.context.block);
        let take = |_: &Snapshot, _: &Outcome, octets: &[u8]| frame(answers, octets).then_some(());
        match exchange(lane, &client, &mut self.draws, &self.pending[message], take) {
            Exchanged::Reply(()) | Exchanged::Silence | Exchanged::Failed => Ok(()),
            Exchanged::Dropped => Err(End::Closed),
        }
    }

    async fn write(&mut self) -> Result<(), End> {
        if self.answers.is_empty() {
            return Ok(());
        }
        // A flush, because an encrypted stream keeps what the connection does not take.
        let write = async {
            self.stream.write_all(&self.answers).await?;
            self.stream.flush().await
        };
        let written = timeout(Duration::from_secs(STREAM_WRITE_SECS), write).await;
        self.answers.clear();
        self.answers.shrink_to(STREAM_GATHER_OCTETS);
        match written {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(End::Closed),
            Err(_) => Err(End::SlowReader),
        }
    }
}

/// Length of the message at the head of `octets`; `None` if the message is incomplete (RFC 1035
/// section 4.2.2).
fn whole_message(octets: &[u8]) -> Option<usize> {
    let (prefix, rest) = octets.split_first_chunk::<2>()?;
    let length = usize::from(u16::from_be_bytes(*prefix));
    (rest.len() >= length).then_some(length)
}

/// Appends the length prefix and the message. Returns false if the message exceeds 65,535 octets.
pub(super) fn frame(answers: &mut Vec<u8>, octets: &[u8]) -> bool {
    let Ok(length) = u16::try_from(octets.len()) else { return false };
    answers.extend_from_slice(&length.to_be_bytes());
    answers.extend_from_slice(octets);
    true
}
