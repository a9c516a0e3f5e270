//! The portable engine (`--engine hickory`): hickory's server over the same core. It serves on
//! systems without the fast lane, and tests compare the fast lane with it.
//!
//! hickory's handler can only send records, so it decodes and encodes our octets once more. A
//! client decodes the same records from both engines. The differences:
//!
//! * hickory itself answers undecodable messages (FORMERR without question and OPT), uncounted,
//!   texts of other protocols among them: `fast` is the engine for the open internet;
//! * hickory itself decodes the datagrams of balancers, so their PROXY headers are not read, and
//!   clients behind a balancer get FORMERR or nothing;
//! * on a wildcard bind, the kernel's route selects the source address of a UDP reply, which may
//!   differ from the destination address of the query: list the addresses instead.
//!
//! TCP is our own ([`super::tcp`]) under either engine: hickory's accept loop has no limit of
//! connections, retries without a pause when descriptors are exhausted, and ends at an aborted
//! connection.

use crate::answer::bare;
use crate::answer::{Client, Disposition, QueryContext, Transport};
use crate::limits::{MESSAGE_MAX, UDP_PAYLOAD_MAX};
use crate::shared::Shared;
use crate::shared::counters::{CounterBlock, Dropped};
use crate::sys::clock;
use crate::transport::access;
use crate::transport::draw::Draws;
use crate::transport::quarantine;
use crate::transport::sender;
use hickory_server::Server;
use hickory_server::net::runtime::Time;
use hickory_server::proto::op::{Header, HeaderCounts, Message, Metadata};
use hickory_server::server::{Request, RequestHandler, ResponseHandler, ResponseInfo};
use hickory_server::zone_handler::MessageResponseBuilder;
use std::cell::RefCell;
use std::io;
use std::net::UdpSocket;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Instant;
use tokio_util::sync::CancellationToken;

/// The core behind hickory's server.
pub(crate) struct Portable {
    /// State that threads share.
    pub(crate) shared: Arc<Shared>,
    /// Counters of UDP.
    pub(crate) udp: Arc<CounterBlock>,
}

/// Serves non-blocking sockets until stopped.
pub(crate) async fn serve(handler: Portable, udp: Vec<UdpSocket>, stop: CancellationToken) -> io::Result<()> {
    let mut server = Server::new(handler);
    for socket in udp {
        server.register_socket(tokio::net::UdpSocket::from_std(socket)?);
    }
    tokio::select! {
        () = stop.cancelled() => server.shutdown_gracefully().await.map_err(io::Error::other),
        ended = server.block_until_done() => ended.map_err(io::Error::other),
    }
}

thread_local! {
    static SCRATCH: RefCell<(Box<[u8]>, Draws)> =
        RefCell::new((vec![0; MESSAGE_MAX].into_boxed_slice(), Draws::seeded()));
}

impl Portable {
    /// Our octets for a request, or `None` for silence.
    fn octets(&self, request: &Request) -> Option<Vec<u8>> {
        let client = Client { address: request.src().ip(), transport: Transport::Udp };
        let block = &self.udp;
        let began = block.arrived().then(Instant::now);
        let sender = (client.address, request.src().port());
        if !sender::is_answerable(&sender) {
            block.dropped(sender::reason(Some(sender)), 1);
            return None;
        }
        let service = self.shared.published.served();
        if service.snapshot.is_proxy(client.address) {
            block.dropped(Dropped::ProxyMissing, 1);
            return None;
        }
        let outcome = SCRATCH.with_borrow_mut(|(scratch, draws)| {
            let moment = QueryContext { draw: draws.draw(), epoch_secs: clock::cookie_secs() };
            let message = bare::Message { octets: request.as_slice(), client: &client, context: moment };
            let outcome = catch_unwind(AssertUnwindSafe(|| {
                let quarantine = &self.shared.quarantine;
                let outcome = access::respond(quarantine, &service.snapshot, &message, block, scratch)?;
                Some(match outcome.disposition {
                    Disposition::Send(length) => (outcome, scratch.get(..length).map(<[u8]>::to_vec)),
                    Disposition::Silence => (outcome, None),
                })
            }));
            if let Ok(Some((outcome, Some(_)))) = &outcome {
                block.answered(&service, outcome);
                if let Some(began) = began {
                    block.took(began.elapsed().as_nanos() as u64, 1);
                }
            }
            outcome
        });
        match outcome {
            Ok(None) => None,
            Ok(Some((_, Some(octets)))) => Some(octets),
            Ok(Some((_, None))) => {
                block.dropped(Dropped::Silence, 1);
                None
            }
            Err(panic) => {
                quarantine::take_in(&self.shared, request.as_slice(), &client, block, &*panic);
                None
            }
        }
    }
}

#[async_trait::async_trait]
impl RequestHandler for Portable {
    async fn handle_request<R: ResponseHandler, T: Time>(
        &self,
        request: &Request,
        mut response_handle: R,
    ) -> ResponseInfo {
        let block = &self.udp;
        let silent = ResponseInfo::from(Header {
            metadata: Metadata::response_from_request(&request.metadata),
            counts: HeaderCounts::default(),
        });
        let Some(octets) = self.octets(request) else { return silent };
        let Ok(mut message) = Message::from_vec(&octets) else {
            block.dropped(Dropped::TooLong, 1);
            return silent;
        };
        // hickory truncates a UDP reply to the payload size in the OPT of the reply, and then loses
        // the OPT. The core has already limited the reply, so this payload size must not be below
        // the core's limit.
        if let Some(edns) = &mut message.edns {
            edns.set_max_payload(UDP_PAYLOAD_MAX);
        }
        let builder = MessageResponseBuilder::new(&request.queries, message.edns.as_ref());
        let mut response = builder.build(
            message.metadata,
            &message.answers,
            &message.authorities,
            &[],
            &message.additionals,
        );
        if let Some(signature) = message.signature.take() {
            response.set_signature(signature);
        }
        match response_handle.send_response(response).await {
            Ok(info) => info,
            Err(error) => {
                block.dropped(Dropped::Unsent, 1);
                tracing::debug!(%error, "a UDP reply cannot be sent");
                silent
            }
        }
    }
}
