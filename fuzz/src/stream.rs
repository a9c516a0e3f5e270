//! Octets of a connection of TCP: messages behind their lengths, perhaps behind a PROXY header.

use super::{lanes, packet};
use meridian::testing::answer::Transport;
use meridian::testing::transport::scripted::Entrance;
use meridian::testing::wire::proxy_header::{Front, ProxyHeader};
use meridian::testing::wire::query::{Query, parse};
use meridian::testing::wire::reject::Parsed;

/// The first octet is odd for a balancer. Each whole message that deserves a reply has one, in
/// order, and nothing else is written.
pub fn stream(data: &[u8]) {
    let Some((kind, octets)) = data.split_first() else { return };
    let is_balancer = kind & 1 == 1;
    let answer = lanes::replay(Entrance::Tcp, is_balancer, octets);
    let asked = match is_balancer.then(|| ProxyHeader::front(octets)) {
        None => octets,
        Some(Ok(Front::Whole(header))) => &octets[header.len..],
        Some(_) => &[],
    };
    let mut replies = messages(&answer);
    for asked in messages(asked) {
        if !matches!(parse(asked, &mut Query::default()), Parsed::Silence) {
            packet::sound(asked, replies.next().expect("a reply is missing"), Transport::Tcp);
        }
    }
    assert!(replies.next().is_none(), "a reply to nothing");
    assert!(whole(&answer), "a reply is cut");
}

/// Messages behind their lengths, without the one that is cut.
fn messages(octets: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = octets;
    std::iter::from_fn(move || {
        let (length, behind) = rest.split_first_chunk::<2>()?;
        let (message, behind) = behind.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
        rest = behind;
        Some(message)
    })
}

fn whole(octets: &[u8]) -> bool {
    messages(octets).map(|message| 2 + message.len()).sum::<usize>() == octets.len()
}
