//! DNS check: sends one query and judges the response. The parser trusts no octet of it.

use super::{Finding, Trial, words};
use crate::health::spec::DnsCheck;
use crate::limits::{DATAGRAM_MAX, MESSAGE_MAX};
use crate::wire::header::HEADER_LEN;
use crate::wire::name::wire_name_len;
use crate::wire::rr::{CLASS_IN, Rcode, RrType};
use std::hash::{BuildHasher, RandomState};
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UdpSocket;

/// Sends the query of the check and judges the reply.
pub(super) async fn run(check: &DnsCheck, to: SocketAddr, trial: &mut Trial) -> Finding {
    // The system seeds the id: a sender that cannot see the query cannot guess it.
    let id = RandomState::new().hash_one(to) as u16;
    let query = query(id, check.qname.as_wire(), check.qtype);
    let reply = if check.tcp { over_tcp(&query, to, trial).await } else { over_udp(&query, to, trial).await };
    judge(check, &reply.map_err(|error| words::io(&error))?)
}

fn judge(check: &DnsCheck, reply: &DnsReply) -> Finding {
    let (DnsReply::Answer { rcode, .. } | DnsReply::Malformed { rcode }) = reply else {
        return Err(OTHER.to_owned());
    };
    if *rcode != check.rcode {
        return Err(format!("rcode {}, expected {}", Rcode((*rcode).into()), Rcode(check.rcode.into())));
    }
    match (reply, check.answer) {
        (DnsReply::Malformed { .. }, _) => Err("the response is malformed".to_owned()),
        (DnsReply::Answer { addresses, .. }, Some(wanted)) if !addresses.contains(&wanted) => {
            Err(format!("the answer does not hold {wanted}"))
        }
        _ => Ok(()),
    }
}

const OTHER: &str = "the reply is no response to the query";

async fn over_udp(query: &[u8], to: SocketAddr, trial: &mut Trial) -> io::Result<DnsReply> {
    trial.doing = "waiting for the response";
    let any: IpAddr = if to.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
    let open = async {
        let socket = UdpSocket::bind(SocketAddr::new(any, 0)).await?;
        // The kernel then drops datagrams of other senders, and reports a closed port.
        socket.connect(to).await?;
        socket.send(query).await?;
        io::Result::Ok(socket)
    };
    let socket = open.await.inspect_err(|error| drop(trial.before_sending(error, Some(to.ip()))))?;
    let mut octets = [0u8; DATAGRAM_MAX];
    loop {
        let len = socket.recv(&mut octets).await?;
        match read(query, &octets[..len]) {
            // A forged or late datagram; the true response may follow.
            DnsReply::Other => {}
            reply => return Ok(reply),
        }
    }
}

async fn over_tcp(query: &[u8], to: SocketAddr, trial: &mut Trial) -> io::Result<DnsReply> {
    trial.doing = "connecting";
    let connected = super::metered::Metered::connect(to).await;
    let mut stream = connected.inspect_err(|error| drop(trial.before_sending(error, Some(to.ip()))))?;
    trial.doing = "waiting for the response";
    let len = u16::try_from(query.len()).map_err(|_| io::ErrorKind::InvalidInput)?;
    stream.write_all(&[&len.to_be_bytes(), query].concat()).await?;
    let len = usize::from(stream.read_u16().await?).min(MESSAGE_MAX);
    let mut octets = vec![0; len];
    stream.read_exact(&mut octets).await?;
    Ok(read(query, &octets))
}

/// Builds a query of one question, without EDNS. RD is clear, since the target answers from its own
/// zones.
pub fn query(id: u16, name: &[u8], qtype: RrType) -> Vec<u8> {
    let mut query = Vec::with_capacity(HEADER_LEN + name.len() + 4);
    query.extend_from_slice(&id.to_be_bytes());
    query.extend_from_slice(&[0, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
    query.extend_from_slice(name);
    query.extend_from_slice(&qtype.0.to_be_bytes());
    query.extend_from_slice(&CLASS_IN.to_be_bytes());
    query
}

/// Parsed reply to a query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DnsReply {
    /// Not a response to this query: another id, another question, a query itself.
    Other,
    /// A response whose answer section cannot be read to its end.
    Malformed {
        /// Its response code, without EDNS.
        rcode: u8,
    },
    /// A response.
    Answer {
        /// Its response code, without EDNS.
        rcode: u8,
        /// Addresses of the queried type in the answer section. Their owner may be any name, since
        /// a CNAME may lead there.
        addresses: Vec<IpAddr>,
    },
}

/// Parses a reply to a query that [`query`] built. A truncated one counts as a response.
pub fn read(query: &[u8], reply: &[u8]) -> DnsReply {
    let Some(header) = reply.first_chunk::<HEADER_LEN>() else { return DnsReply::Other };
    let word = |at: usize| u16::from_be_bytes([header[at], header[at + 1]]);
    let (flags, questions, answers) = (word(2), word(4), word(6));
    let rcode = (flags & 0xf) as u8;
    if header[..2] != query[..2] || flags & 0xf800 != 0x8000 {
        return DnsReply::Other;
    }
    let question = &query[HEADER_LEN..];
    let answer = match questions {
        // Some servers leave the question out of an error.
        0 if rcode != 0 => &reply[HEADER_LEN..],
        1 => match reply[HEADER_LEN..].split_at_checked(question.len()) {
            Some((echoed, rest)) if is_same_question(question, echoed) => rest,
            _ => return DnsReply::Other,
        },
        _ => return DnsReply::Other,
    };
    let qtype = RrType(u16::from_be_bytes([question[question.len() - 4], question[question.len() - 3]]));
    match addresses(answer, answers, qtype) {
        Some(addresses) => DnsReply::Answer { rcode, addresses },
        None => DnsReply::Malformed { rcode },
    }
}

/// True if both are equal, the case of letters in the name aside.
fn is_same_question(asked: &[u8], echoed: &[u8]) -> bool {
    let name = asked.len() - 4;
    asked[..name].eq_ignore_ascii_case(&echoed[..name]) && asked[name..] == echoed[name..]
}

fn addresses(mut octets: &[u8], count: u16, qtype: RrType) -> Option<Vec<IpAddr>> {
    let mut found = Vec::new();
    for _ in 0..count {
        octets = octets.get(owner_len(octets)?..)?;
        let (fixed, rest) = octets.split_first_chunk::<10>()?;
        let word = |at: usize| u16::from_be_bytes([fixed[at], fixed[at + 1]]);
        let (rdata, rest) = rest.split_at_checked(usize::from(word(8)))?;
        octets = rest;
        if RrType(word(0)) != qtype || word(2) != CLASS_IN {
            continue;
        }
        if qtype == RrType::A {
            found.push(IpAddr::from(<[u8; 4]>::try_from(rdata).ok()?));
        } else if qtype == RrType::AAAA {
            found.push(IpAddr::from(<[u8; 16]>::try_from(rdata).ok()?));
        }
    }
    Some(found)
}

/// Length of a name that may end in a compression pointer. The pointer is not followed (RFC 1035
/// section 4.1.4).
fn owner_len(octets: &[u8]) -> Option<usize> {
    let mut at = 0;
    loop {
        match *octets.get(at)? {
            0xc0.. => return octets.get(at + 1).map(|_| at + 2),
            0x40.. => return None,
            0 => return wire_name_len(octets),
            len => at += 1 + usize::from(len),
        }
        if at > 255 {
            return None;
        }
    }
}
