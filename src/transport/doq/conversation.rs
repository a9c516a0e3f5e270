//! A conversation over one connection: queries of its streams, each answered by a task of its own.

use super::QuicContext;
use super::query::{NoQuery, Query};
use crate::answer::{Client, Outcome, Transport};
use crate::limits::{QUIC_FAREWELL_SECS, QUIC_HELD_OCTETS, STREAM_MESSAGE_SECS, STREAM_WRITE_SECS};
use crate::shared::counters::Dropped;
use crate::snapshot::Snapshot;
use crate::transport::connection_limit::ConnectionPermit;
use crate::transport::exchange::{Exchanged, Exchanges};
use crate::transport::stream::{count_panic, frame};
use quinn::{Connection, RecvStream, SendStream, VarInt};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::task::{JoinError, JoinSet};
use tokio::time::{Instant, sleep_until, timeout};

/// DOQ_NO_ERROR (RFC 9250 section 4.3).
pub(super) const NO_ERROR: VarInt = VarInt::from_u32(0);
/// DOQ_INTERNAL_ERROR.
const INTERNAL_ERROR: VarInt = VarInt::from_u32(1);
/// DOQ_PROTOCOL_ERROR.
const PROTOCOL_ERROR: VarInt = VarInt::from_u32(2);
/// DOQ_EXCESSIVE_LOAD.
pub(super) const EXCESSIVE_LOAD: VarInt = VarInt::from_u32(4);
/// DOQ_UNSPECIFIED_ERROR.
const UNSPECIFIED_ERROR: VarInt = VarInt::from_u32(5);

/// Open connection.
pub(super) struct Conversation<'c> {
    connection: &'c Connection,
    context: &'c Arc<QuicContext>,
    permit: &'c ConnectionPermit,
    lane: Arc<Lane>,
    streams: JoinSet<Ended>,
    /// Time of the begin, or of the end of the last query.
    moved: Instant,
}

/// Parts that all streams of a connection need.
struct Lane {
    context: Arc<QuicContext>,
    exchanges: Exchanges,
    /// Room for long queries, in octets.
    room: Arc<Semaphore>,
}

/// End of a stream.
enum Ended {
    /// The query is answered.
    Answered,
    /// There is no query to answer.
    Nothing,
    /// The query takes too long to arrive.
    SlowMessage,
    /// The client has broken a rule.
    Breach(&'static str),
    /// The client does not take its answer.
    SlowReader,
    /// The answer has failed: a fault of ours.
    Failed,
    /// The access lists drop the client.
    Dropped,
}

impl<'c> Conversation<'c> {
    /// A conversation without a query.
    pub(super) fn new(
        connection: &'c Connection,
        context: &'c Arc<QuicContext>,
        permit: &'c ConnectionPermit,
    ) -> Conversation<'c> {
        let client = Client { address: connection.remote_address().ip(), transport: Transport::Doq };
        let lane = Arc::new(Lane {
            context: Arc::clone(context),
            exchanges: Exchanges::new(client, QUIC_HELD_OCTETS),
            room: Arc::new(Semaphore::new(QUIC_HELD_OCTETS)),
        });
        Conversation { connection, context, permit, lane, streams: JoinSet::new(), moved: Instant::now() }
    }

    /// Answers until the connection ends: by the client, for its idle time, for a breach of the
    /// rules, or with the server.
    pub(super) async fn run(mut self) {
        let code = loop {
            let idle_at = self.moved + self.context.idle;
            tokio::select! {
                biased;
                Some(ended) = self.streams.join_next(), if !self.streams.is_empty() => {
                    if let Some(code) = self.handle(ended) {
                        break code;
                    }
                }
                stream = self.connection.accept_bi() => match stream {
                    Ok((send, recv)) => {
                        self.streams.spawn(Arc::clone(&self.lane).answer(send, recv));
                    }
                    Err(error) => return tracing::debug!(%error, "a connection of DNS over QUIC ended"),
                },
                () = self.context.stop.cancelled() => {
                    self.farewell().await;
                    break NO_ERROR;
                }
                () = sleep_until(idle_at), if self.streams.is_empty() => break NO_ERROR,
            }
        };
        self.connection.close(code, b"");
    }

    /// Notes the end of a stream; a code if the connection ends with it.
    fn handle(&mut self, ended: Result<Ended, JoinError>) -> Option<VarInt> {
        self.moved = Instant::now();
        count_panic(self.context, &ended);
        match ended {
            Ok(Ended::Answered) => {
                self.permit.touch();
                None
            }
            Ok(Ended::Nothing | Ended::Failed) | Err(_) => None,
            Ok(Ended::SlowMessage) => {
                self.context.block.dropped(Dropped::SlowMessage, 1);
                None
            }
            Ok(Ended::Breach(rule)) => {
                self.context.block.dropped(Dropped::ProtocolError, 1);
                tracing::debug!(rule, "a client of DNS over QUIC breaks a rule");
                Some(PROTOCOL_ERROR)
            }
            Ok(Ended::SlowReader) => {
                self.context.block.dropped(Dropped::SlowReader, 1);
                Some(EXCESSIVE_LOAD)
            }
            Ok(Ended::Dropped) => Some(NO_ERROR),
        }
    }

    /// Waits for answers on their way.
    async fn farewell(&mut self) {
        let rest = async {
            while let Some(ended) = self.streams.join_next().await {
                count_panic(self.context, &ended);
            }
        };
        let _ = timeout(Duration::from_secs(QUIC_FAREWELL_SECS), rest).await;
    }
}

impl Lane {
    /// Answers the query of a stream, or resets the stream: one that is only dropped would end as
    /// if its answer had no octets.
    async fn answer(self: Arc<Lane>, mut send: SendStream, mut recv: RecvStream) -> Ended {
        let ended = self.carry(&mut send, &mut recv).await;
        let code = match ended {
            Ended::Answered => return ended,
            Ended::Nothing => UNSPECIFIED_ERROR,
            Ended::Failed => INTERNAL_ERROR,
            Ended::SlowMessage | Ended::SlowReader => EXCESSIVE_LOAD,
            Ended::Breach(_) => PROTOCOL_ERROR,
            Ended::Dropped => NO_ERROR,
        };
        // Streams that have ended give an error, which says nothing new.
        let _ = (recv.stop(code), send.reset(code));
        ended
    }

    /// Reads the query of a stream, and writes its answer.
    async fn carry(&self, send: &mut SendStream, recv: &mut RecvStream) -> Ended {
        let reading = timeout(Duration::from_secs(STREAM_MESSAGE_SECS), Query::read(recv, &self.room));
        let query = match reading.await {
            Ok(Ok(query)) => query,
            Ok(Err(NoQuery::Breach(rule))) => return Ended::Breach(rule),
            Ok(Err(NoQuery::Cancelled)) => return Ended::Nothing,
            Err(_) => return Ended::SlowMessage,
        };
        // Room for any answer, of which the answer keeps its length until the client has it.
        let room = timeout(Duration::from_secs(STREAM_WRITE_SECS), self.exchanges.room());
        let Ok(mut room) = room.await else { return Ended::SlowReader };
        let octets = match self.exchange(query.message()) {
            Exchanged::Reply(octets) => octets,
            Exchanged::Silence => return Ended::Nothing,
            Exchanged::Failed => return Ended::Failed,
            Exchanged::Dropped => return Ended::Dropped,
        };
        drop(query);
        room.shrink(octets.len());
        let writing = async {
            send.write_all(&octets).await.ok()?;
            drop(octets);
            send.finish().ok()?;
            // Until the client has acknowledged all of it.
            send.stopped().await.ok()
        };
        match timeout(Duration::from_secs(STREAM_WRITE_SECS), writing).await {
            Ok(_) => Ended::Answered,
            Err(_) => Ended::SlowReader,
        }
    }

    fn exchange(&self, message: &[u8]) -> Exchanged<Vec<u8>> {
        let take = |_: &Snapshot, _: &Outcome, octets: &[u8]| {
            let mut framed = Vec::with_capacity(2 + octets.len());
            frame(&mut framed, octets).then_some(framed)
        };
        self.exchanges.exchange((&self.context.shared, &self.context.block), message, take)
    }
}
