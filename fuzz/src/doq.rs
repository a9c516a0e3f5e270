//! Octets of a stream of DNS over QUIC, from the first to the last.

use super::packet;
use meridian::testing::answer::{Client, Disposition, QueryContext, Transport, respond};
use meridian::testing::transport::doq::query::check;
use meridian::testing::wire::query::{Query, parse};
use meridian::testing::wire::reject::Parsed;
use std::net::Ipv4Addr;

/// A stream keeps the rules, or breaks one that its octets show (RFC 9250 sections 4.2, 4.2.1 and
/// 5.5.2). A message that keeps them has a sound reply, or none.
pub fn doq(data: &[u8]) {
    let message =
        data.split_first_chunk::<2>().map(|(length, message)| (u16::from_be_bytes(*length), message));
    let is_whole = message.is_some_and(|(length, message)| usize::from(length) == message.len());
    let has_id = message.is_some_and(|(_, message)| message.iter().take(2).any(|octet| *octet != 0));
    let checked = check(data);
    match checked {
        Ok(()) => assert!(is_whole && !has_id),
        // The client has all reasons to know which rule it broke.
        Err(rule) if rule.contains("keepalive") => assert!(is_whole && !has_id && data.contains(&11)),
        Err(rule) if rule.contains("ID") => assert!(is_whole && has_id),
        Err(_) => assert!(!is_whole),
    }
    let (Ok(()), Some((_, message))) = (checked, message) else { return };
    let mut out = [0; 65_535];
    let client = Client { address: Ipv4Addr::new(192, 0, 2, 77).into(), transport: Transport::Doq };
    let moment = QueryContext { draw: data.len() as u64, epoch_secs: 1_559_731_985 };
    match respond(packet::snapshot(), message, &client, moment, &mut out).disposition {
        Disposition::Send(length) => packet::sound(message, &out[..length], Transport::Doq),
        Disposition::Silence => {
            assert!(matches!(parse(message, &mut Query::default()), Parsed::Silence));
        }
    }
}
