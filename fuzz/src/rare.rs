//! Rare messages: whatever is no plain query, answered by the sample.

use super::packet::snapshot;
use hickory_proto::op::Message;
use meridian::testing::answer::{Client, Disposition, QueryContext, Transport, respond};
use std::net::{IpAddr, Ipv4Addr};

/// Octets that a reply to what is no query has beyond the message: the OPT with a cookie, a node
/// name and an extended error.
const OPT_OCTETS: usize = 11 + 28 + 4 + 128 + 64;

/// The reply of the sample to a datagram.
pub fn reply(data: &[u8]) -> Option<Vec<u8>> {
    let client = Client { address: IpAddr::V4(Ipv4Addr::LOCALHOST), transport: Transport::Udp };
    let mut out = [0; 1232];
    match respond(snapshot(), data, &client, QueryContext { draw: 0, epoch_secs: 0 }, &mut out).disposition {
        Disposition::Send(len) => Some(out[..len].to_vec()),
        Disposition::Silence => None,
    }
}

/// Answers the message; the answer is one that hickory reads, or there is none.
pub fn rare(data: &[u8]) {
    let Some(reply) = reply(data) else { return };
    assert!((12..=1232).contains(&reply.len()), "{} octets", reply.len());
    assert_eq!(reply[..2], data[..2], "the id is echoed");
    assert_eq!(reply[2] & 0xf8, 0x80 | data[2] & 0x78, "a response, of the same opcode");
    let read = Message::from_vec(&reply).unwrap_or_else(|error| panic!("{error}"));
    assert!(read.edns.is_some() || reply.len() <= 512, "{} octets without OPT", reply.len());
    // The reply to a reply is silence, so two servers never answer each other.
    assert!(self::reply(&reply).is_none(), "a second round");
    if data[2] & 0x78 != 0 {
        assert!(read.answers.is_empty() && read.authorities.is_empty(), "it says no more than no");
        assert!(reply.len() <= data.len() + OPT_OCTETS, "{} octets for {}", reply.len(), data.len());
    }
}
