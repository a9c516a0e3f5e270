//! Rare messages: whatever is no plain query, answered as the slow path does.

use hickory_proto::op::Message;
use meridian::testing::transport::slow_path::answer;
use meridian::testing::wire::cookie::Secrets;
use std::net::{IpAddr, Ipv4Addr};

/// Answers the message; the answer is one that hickory reads, or there is none.
pub fn rare(data: &[u8]) {
    let cookies = Secrets::new(&[[7; 16]]);
    let Some(reply) = answer(data, IpAddr::V4(Ipv4Addr::LOCALHOST), &cookies) else {
        // Only what is no message, or an answer itself.
        return assert!(data.len() < 12 || data[2] & 0x80 != 0);
    };
    assert!((12..=65_535).contains(&reply.len()), "{} octets", reply.len());
    assert_eq!(reply[..2], data[..2], "the id is echoed");
    assert_eq!(reply[2] & 0xf8, 0x80 | data[2] & 0x78, "a response, of the same opcode");
    let read = Message::from_vec(&reply).unwrap_or_else(|error| panic!("{error}"));
    assert!(read.answers.is_empty() && read.authorities.is_empty(), "it says no more than no");
    assert!(reply.len() <= data.len() + 64, "{} octets for {}", reply.len(), data.len());
}
