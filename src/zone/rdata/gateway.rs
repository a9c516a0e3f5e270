//! IPSECKEY (RFC 4025) and AMTRELAY (RFC 8777): data in which one field gives the kind of a later
//! one: nothing, an IPv4 address, an IPv6 address or a name.

use super::RdataError;
use super::shape::{base64, name, parse, write_base64};
use super::token::Token;
use crate::wire::name::{Name, wire_name_len, write_name};
use std::net::{Ipv4Addr, Ipv6Addr};

/// Reads `precedence gateway-type algorithm gateway key...`; the key may be missing, as with
/// algorithm 0.
pub(super) fn encode_ipseckey(tokens: &[Token], origin: &Name) -> Result<Vec<u8>, RdataError> {
    let [precedence, kind, algorithm, gateway, key @ ..] = tokens else {
        return Err(RdataError::new(
            "the data must be a precedence, the type of the gateway, an algorithm, the gateway and a key",
        ));
    };
    let kind: u8 = parse(kind, "a number from 0 to 3")?;
    let mut octets =
        vec![parse(precedence, "a number from 0 to 255")?, kind, parse(algorithm, "a number from 0 to 255")?];
    octets.extend(encode(kind, gateway, origin)?);
    octets.extend(base64(key)?);
    Ok(octets)
}

/// Reads `precedence discovery type relay`; the relay of type 0 is written as a dot (RFC 8777
/// section 4.3.1).
pub(super) fn encode_amtrelay(tokens: &[Token], origin: &Name) -> Result<Vec<u8>, RdataError> {
    let [precedence, discovery, kind, relay] = tokens else {
        return Err(RdataError::new(
            "the data must be a precedence, 0 or 1 for discovery, the type of the relay, and the relay",
        ));
    };
    let discovery = match discovery.raw.as_str() {
        "0" => 0,
        "1" => 0x80,
        other => return Err(RdataError::new(format!("`{other}` is neither 0 nor 1"))),
    };
    let kind: u8 = parse(kind, "a number from 0 to 3")?;
    let gateway = encode(kind, relay, origin)?;
    let mut octets = vec![parse(precedence, "a number from 0 to 255")?, discovery | kind];
    octets.extend(gateway);
    Ok(octets)
}

fn encode(kind: u8, token: &Token, origin: &Name) -> Result<Vec<u8>, RdataError> {
    match kind {
        0 if token.raw == "." => Ok(Vec::new()),
        0 => Err(RdataError::new(format!("`{}` is a gateway, but type 0 means none; write `.`", token.raw))),
        1 => Ok(parse::<Ipv4Addr>(token, "an IPv4 address")?.octets().to_vec()),
        2 => Ok(parse::<Ipv6Addr>(token, "an IPv6 address")?.octets().to_vec()),
        3 => Ok(name(token, origin)?.as_wire().to_vec()),
        other => Err(RdataError::new(format!(
            "{other} is not a type of gateway: 0 nothing, 1 IPv4, 2 IPv6, 3 a name"
        ))),
    }
}

/// IPSECKEY as text.
pub(super) fn decode_ipseckey(rdata: &[u8]) -> Option<String> {
    let ([precedence, kind, algorithm], rest) = rdata.split_first_chunk()?;
    let (gateway, key) = decode(*kind, rest)?;
    let mut text = format!("{precedence} {kind} {algorithm} {gateway}");
    if !key.is_empty() {
        text.push(' ');
        write_base64(key, &mut text);
    }
    Some(text)
}

/// AMTRELAY as text.
pub(super) fn decode_amtrelay(rdata: &[u8]) -> Option<String> {
    let ([precedence, both], rest) = rdata.split_first_chunk()?;
    let (relay, behind) = decode(both & 0x7f, rest)?;
    behind.is_empty().then(|| format!("{precedence} {} {} {relay}", both >> 7, both & 0x7f))
}

/// Gateway as text, and the octets behind it.
fn decode(kind: u8, rest: &[u8]) -> Option<(String, &[u8])> {
    Some(match kind {
        0 => (".".to_owned(), rest),
        1 => {
            let (octets, behind) = rest.split_first_chunk::<4>()?;
            (Ipv4Addr::from(*octets).to_string(), behind)
        }
        2 => {
            let (octets, behind) = rest.split_first_chunk::<16>()?;
            (Ipv6Addr::from(*octets).to_string(), behind)
        }
        3 => {
            let (octets, behind) = rest.split_at_checked(wire_name_len(rest)?)?;
            let mut text = String::new();
            write_name(&mut text, octets).ok()?;
            (text, behind)
        }
        _ => return None,
    })
}
