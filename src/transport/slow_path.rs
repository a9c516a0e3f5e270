//! The slow path: messages that the core leaves ([`crate::wire::query::Parsed::SlowPath`]), which
//! are other opcodes, transfers, TKEY and signed messages. They wait in a bounded queue; one task
//! answers them with hickory's decoder and encoder, off the fast lane.
//!
//! | message | answer | why |
//! |---|---|---|
//! | not exactly one question | FORMERR; NOTIMP for unserved opcodes | hickory gets no absurd counts |
//! | undecodable | the same; an OPT if the message has a readable one | RFC 6891 section 6.1.1 |
//! | TSIG | NOTAUTH, BADKEY | we hold no keys (RFC 8945 section 5.2.1) |
//! | EDNS version above 0, for every opcode | BADVERS | RFC 6891 section 6.1.3; so does Knot DNS |
//! | AXFR, IXFR | REFUSED | transfers are not offered (RFC 5936 section 2.2.1) |
//! | NOTIFY | NOTAUTH | no zone of ours is a secondary (RFC 1996 section 3.10) |
//! | UPDATE | REFUSED | files are the only source of zones (RFC 2136 section 3.3) |
//! | any other opcode or question type | NOTIMP | RFC 1035 section 4.1.1 |

use crate::limits::{SLOW_PATH_QUEUE_MAX, UDP_PAYLOAD_MAX};
use crate::shared::Shared;
use crate::shared::counters::Dropped;
use crate::sys::clock;
use crate::wire::behind::edns_of;
use crate::wire::cookie::{CODE, CookieOption, Secrets};
use crate::wire::query::is_served;
use hickory_proto::op::{Edns, Message, MessageType, Metadata, OpCode, ResponseCode};
use hickory_proto::rr::rdata::TSIG;
use hickory_proto::rr::rdata::opt::{EdnsCode, EdnsOption};
use hickory_proto::rr::rdata::tsig::TsigError;
use hickory_proto::rr::{DNSClass, Name, RData, Record, RecordType};
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use tokio::sync::{Mutex, mpsc, oneshot};

/// A slow-path message in the queue.
pub(crate) struct SlowPathQuery {
    /// As received.
    pub(crate) octets: Vec<u8>,
    /// Address of the sender.
    pub(crate) peer: SocketAddr,
    /// Sender of the answer.
    pub(crate) reply: ReplyTo,
}

/// Sender of the answer to a slow-path message.
pub(crate) enum ReplyTo {
    /// Sends from the worker's socket, with the query's destination address as source.
    Datagram {
        /// The worker's socket.
        socket: Arc<UdpSocket>,
        /// Destination address of the query.
        #[cfg(target_os = "linux")]
        local: Option<crate::sys::datagram::Local>,
    },
    /// Sends to the task of the connection; dropped unsent if the message gets no answer.
    Stream(oneshot::Sender<Vec<u8>>),
}

/// Sending end of the queue; cheap to clone, and usable from threads without a runtime.
#[derive(Clone)]
pub(crate) struct SlowPathQueue(mpsc::Sender<SlowPathQuery>);

impl SlowPathQueue {
    /// The sending and the receiving end of a new queue.
    pub(crate) fn new() -> (SlowPathQueue, FarEnd) {
        let (sender, receiver) = mpsc::channel(SLOW_PATH_QUEUE_MAX);
        (SlowPathQueue(sender), Arc::new(Mutex::new(receiver)))
    }

    /// Queues a message; false if the queue is full. Never waits.
    pub(crate) fn offer(&self, slow_path: SlowPathQuery) -> bool {
        self.0.try_send(slow_path).is_ok()
    }
}

/// Receiving end of the queue. One task at a time serves it; after a fault the supervisor restarts
/// the task.
pub(crate) type FarEnd = Arc<Mutex<mpsc::Receiver<SlowPathQuery>>>;

/// Answers queued messages until every sending end is dropped.
pub(crate) async fn serve(far_end: FarEnd, shared: Arc<Shared>) {
    let mut queue = far_end.lock().await;
    let block = shared.counters.slow_path();
    while let Some(slow_path) = queue.recv().await {
        // hickory has panicked on hostile input before; a panic must not end the task.
        let cookies = Arc::clone(&shared.published.snapshot().cookies);
        let answer =
            catch_unwind(AssertUnwindSafe(|| answer(&slow_path.octets, slow_path.peer.ip(), &cookies)))
                .unwrap_or_else(|_| {
                    block.dropped(Dropped::Panic, 1);
                    None
                });
        match (slow_path.reply, answer) {
            (ReplyTo::Stream(sender), Some(octets)) => drop(sender.send(octets)),
            (ReplyTo::Stream(_), None) => {}
            (ReplyTo::Datagram { .. }, None) => block.dropped(Dropped::Silence, 1),
            #[cfg(target_os = "linux")]
            (ReplyTo::Datagram { socket, local }, Some(octets)) => {
                if octets.len() > usize::from(UDP_PAYLOAD_MAX) {
                    block.dropped(Dropped::TooLong, 1);
                } else {
                    block.replied(u16::from(octets.get(3).copied().unwrap_or(0) & 0x0f));
                    if crate::sys::datagram::send_one(&socket, &octets, slow_path.peer, local).is_err() {
                        block.dropped(Dropped::Unsent, 1);
                    }
                }
            }
            #[cfg(not(target_os = "linux"))]
            (ReplyTo::Datagram { .. }, Some(_)) => block.dropped(Dropped::Unsent, 1),
        }
    }
}

/// Answer to a slow-path message; `None` for silence.
pub fn answer(octets: &[u8], client: IpAddr, cookies: &Secrets) -> Option<Vec<u8>> {
    let header: &[u8; 12] = octets.first_chunk()?;
    if header[2] & 0x80 != 0 {
        return None;
    }
    let opcode = (header[2] >> 3) & 0x0f;
    let is_single = u16::from_be_bytes([header[4], header[5]]) == 1;
    let Some(request) = is_single.then(|| Message::from_vec(octets).ok()).flatten() else {
        let code = if is_served(opcode) { ResponseCode::FormErr } else { ResponseCode::NotImp };
        return Some(bare(header, code, edns_of(octets).is_some()));
    };
    let unsent = || bare(header, ResponseCode::ServFail, request.edns.is_some());
    Some(refuse(&request, client, cookies).unwrap_or_else(unsent))
}

/// Response code for a message that hickory decoded.
fn disposition(request: &Message) -> ResponseCode {
    if request.edns.as_ref().is_some_and(|edns| edns.version() > 0) {
        return ResponseCode::BADVERS;
    }
    if signature(request).is_some() {
        return ResponseCode::NotAuth;
    }
    let asked = request.queries.first().map(|query| query.query_type());
    match (request.metadata.op_code, asked) {
        (OpCode::Query, Some(RecordType::AXFR | RecordType::IXFR)) => ResponseCode::Refused,
        (OpCode::Notify, _) => ResponseCode::NotAuth,
        (OpCode::Update, _) => ResponseCode::Refused,
        _ => ResponseCode::NotImp,
    }
}

/// The TSIG record of a request. Without its DNSSEC feature, hickory leaves the record in the
/// additional section.
fn signature(request: &Message) -> Option<(&Name, &TSIG)> {
    request.additionals.iter().rev().find_map(|record| match &record.data {
        RData::TSIG(tsig) => Some((&record.name, tsig)),
        _ => None,
    })
}

/// Cookie option for a client that sent one in a supported EDNS version (0).
fn cookie(request: &Message, client: IpAddr, cookies: &Secrets) -> Option<EdnsOption> {
    let edns = request.edns.as_ref().filter(|edns| edns.version() == 0)?;
    let Some(EdnsOption::Unknown(_, octets)) = edns.option(EdnsCode::Cookie) else { return None };
    let asked = CookieOption::parse(octets)?;
    let (_, whole) = cookies.answer(&asked, client, clock::cookie_secs())?;
    Some(EdnsOption::Unknown(CODE, whole.to_vec()))
}

fn refuse(request: &Message, client: IpAddr, cookies: &Secrets) -> Option<Vec<u8>> {
    let code = disposition(request);
    let mut response = Message::new(request.metadata.id, MessageType::Response, request.metadata.op_code);
    // Neither AA nor AD, because these response codes claim nothing about a zone.
    response.metadata = Metadata::response_from_request(&request.metadata);
    response.metadata.response_code = code;
    response.queries.clone_from(&request.queries);
    if request.edns.is_some() {
        let mut edns = Edns::new();
        edns.set_max_payload(UDP_PAYLOAD_MAX);
        if let Some(cookie) = cookie(request, client, cookies) {
            edns.options_mut().insert(cookie);
        }
        response.edns = Some(edns);
    }
    if let Some((key, asked)) = signature(request).filter(|_| code == ResponseCode::NotAuth) {
        response.signature = Some(Box::new(unsigned(key, asked)));
    }
    response.to_vec().ok()
}

/// TSIG record of the answer to an unknown key: same key name and algorithm, no MAC, BADKEY (RFC
/// 8945 section 5.3.2).
fn unsigned(key: &Name, asked: &TSIG) -> Record<TSIG> {
    let error = Some(TsigError::BadKey);
    let tsig =
        TSIG::new(asked.algorithm.clone(), asked.time, asked.fudge, Vec::new(), asked.oid, error, Vec::new());
    let mut record = Record::from_rdata(key.clone(), 0, tsig);
    record.dns_class = DNSClass::ANY;
    record
}

/// Reply without a question: a header with ID, opcode and RD of the query and a response code, and
/// an OPT if the query had a readable one (RFC 6891 section 6.1.1).
fn bare(query: &[u8; 12], code: ResponseCode, has_opt: bool) -> Vec<u8> {
    let mut reply = vec![0; 12];
    reply[..2].copy_from_slice(&query[..2]);
    reply[2] = 0x80 | (query[2] & 0x79);
    reply[3] = code.low() & 0x0f;
    if has_opt {
        let [p0, p1] = UDP_PAYLOAD_MAX.to_be_bytes();
        reply[11] = 1;
        reply.extend_from_slice(&[0, 0, 41, p0, p1, 0, 0, 0, 0, 0, 0]);
    }
    reply
}

#[cfg(test)]
mod tests;
