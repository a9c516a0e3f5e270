//! HIP: the identity of a host and its rendezvous servers (RFC 8005 section 5),
//! `2 200100107b1a74df365639cc39f1d578 AwEAAb... rvs.example.com.`.

use super::RdataError;
use super::shape::{base64, hex, name, parse, write_base64};
use super::token::Token;
use crate::wire::name::{Name, wire_name_len, write_name};

/// Reads algorithm, host identity tag, key, and names of servers.
pub(super) fn encode(tokens: &[Token], origin: &Name) -> Result<Vec<u8>, RdataError> {
    let [algorithm, tag, key, servers @ ..] = tokens else {
        return Err(RdataError::new(
            "the data must be an algorithm, a host identity tag, a key, and names of servers",
        ));
    };
    let algorithm: u8 = parse(algorithm, "a number from 0 to 255")?;
    let (tag, key) = (hex(std::slice::from_ref(tag))?, base64(std::slice::from_ref(key))?);
    let fault = || RdataError::new("the host identity tag or the key is empty or too long");
    let tag_length = u8::try_from(tag.len()).ok().filter(|length| *length > 0).ok_or_else(fault)?;
    let key_length = u16::try_from(key.len()).ok().filter(|length| *length > 0).ok_or_else(fault)?;
    let mut octets = vec![tag_length, algorithm];
    octets.extend(key_length.to_be_bytes());
    octets.extend(tag);
    octets.extend(key);
    for server in servers {
        octets.extend(name(server, origin)?.as_wire());
    }
    Ok(octets)
}

/// The identity as text; `None` if the octets are not valid.
pub(super) fn decode(rdata: &[u8]) -> Option<String> {
    let ([tag_length, algorithm, high, low], rest) = rdata.split_first_chunk()?;
    let (tag, rest) = rest.split_at_checked(usize::from(*tag_length))?;
    let (key, mut rest) = rest.split_at_checked(usize::from(u16::from_be_bytes([*high, *low])))?;
    if tag.is_empty() || key.is_empty() {
        return None;
    }
    let mut text = format!("{algorithm} ");
    text.extend(tag.iter().map(|octet| format!("{octet:02x}")));
    text.push(' ');
    write_base64(key, &mut text);
    while !rest.is_empty() {
        let (server, behind) = rest.split_at_checked(wire_name_len(rest)?)?;
        text.push(' ');
        write_name(&mut text, server).ok()?;
        rest = behind;
    }
    Some(text)
}
