//! Queries and responses in the format of `dig`, for `explain` and the documents.

use crate::geo::prefix::Prefix;
use crate::wire::name::{Name, write_name};
use crate::wire::rr::{Rcode, RrType};
use crate::zone::image::names_in;
use crate::zone::rdata;
use std::fmt::Write as _;
use std::net::IpAddr;

/// Builds a query with EDNS, as `dig` sends it.
pub fn query(name: &Name, rtype: RrType, ecs: Option<Prefix>) -> Vec<u8> {
    let mut packet = vec![0, 1, 0x01, 0x20, 0, 1, 0, 0, 0, 0, 0, 1];
    packet.extend_from_slice(name.as_wire());
    packet.extend_from_slice(&rtype.0.to_be_bytes());
    packet.extend_from_slice(&[0, 1, 0, 0, 41, 4, 208, 0, 0, 0, 0]);
    let option = ecs.map_or_else(Vec::new, |prefix| {
        let octets = match prefix.address() {
            IpAddr::V4(a) => a.octets().to_vec(),
            IpAddr::V6(a) => a.octets().to_vec(),
        };
        let sent = &octets[..usize::from(prefix.len()).div_ceil(8)];
        let family = if prefix.address().is_ipv4() { 1 } else { 2 };
        [&[0, 8, 0, 4 + sent.len() as u8, 0, family, prefix.len(), 0], sent].concat()
    });
    packet.extend_from_slice(&(option.len() as u16).to_be_bytes());
    packet.extend_from_slice(&option);
    packet
}

/// Formats a message as text. The text of a malformed message ends with a remark at the fault.
pub fn render(message: &[u8]) -> String {
    let mut text = String::new();
    if sections(message, &mut text).is_none() {
        text.push_str(";; the rest cannot be read\n");
    }
    text
}

fn sections(message: &[u8], text: &mut String) -> Option<()> {
    let header = message.first_chunk::<12>()?;
    let word = |at: usize| u16::from_be_bytes([header[at], header[at + 1]]);
    let flags = word(2);
    let names = [(0x8000, "qr"), (0x0400, "aa"), (0x0200, "tc"), (0x0100, "rd"), (0x0080, "ra")];
    let shown: Vec<&str> = names.iter().filter(|(bit, _)| flags & bit != 0).map(|(_, name)| *name).collect();
    let mut records = String::new();
    let mut rcode = flags & 0xf;
    let mut at = 12;
    for _ in 0..word(4) {
        let (name, end) = name_at(message, at)?;
        let rtype = RrType(u16::from_be_bytes([*message.get(end)?, *message.get(end + 1)?]));
        let _ = writeln!(records, ";; QUESTION SECTION:\n;{}\t\tIN\t{rtype}\n", shown_name(&name));
        at = end + 4;
    }
    for (section, count) in [("ANSWER", word(6)), ("AUTHORITY", word(8)), ("ADDITIONAL", word(10))] {
        let mut body = String::new();
        for _ in 0..count {
            at = record(message, at, &mut body, &mut rcode, &mut records)?;
        }
        if !body.is_empty() {
            let _ = writeln!(records, ";; {section} SECTION:\n{body}");
        }
    }
    let _ = writeln!(text, ";; status: {}, flags: {}", Rcode(rcode), shown.join(" "));
    text.push_str(&records);
    Some(())
}

fn record(
    message: &[u8],
    at: usize,
    body: &mut String,
    rcode: &mut u16,
    pseudo: &mut String,
) -> Option<usize> {
    let (name, end) = name_at(message, at)?;
    let fixed = message.get(end..)?.first_chunk::<10>()?;
    let rtype = RrType(u16::from_be_bytes([fixed[0], fixed[1]]));
    let ttl = u32::from_be_bytes([fixed[4], fixed[5], fixed[6], fixed[7]]);
    let len = usize::from(u16::from_be_bytes([fixed[8], fixed[9]]));
    let data_at = end + 10;
    let data = message.get(data_at..data_at + len)?;
    if rtype == RrType::OPT {
        *rcode |= (ttl >> 24 << 4) as u16;
        options(data, pseudo);
    } else {
        let data = expanded(message, rtype, data_at, data)?;
        let _ = writeln!(body, "{}\t{ttl}\tIN\t{rtype}\t{}", shown_name(&name), rdata::to_text(rtype, &data));
    }
    Some(data_at + len)
}

fn options(mut data: &[u8], text: &mut String) {
    while let [c0, c1, l0, l1, rest @ ..] = data {
        let (code, len) = (u16::from_be_bytes([*c0, *c1]), usize::from(u16::from_be_bytes([*l0, *l1])));
        let Some((option, rest)) = rest.split_at_checked(len) else { return };
        match (code, option) {
            (8, [_, family, source, scope, address @ ..]) => {
                let mut octets = [0u8; 16];
                octets[..address.len().min(16)].copy_from_slice(&address[..address.len().min(16)]);
                let address = if *family == 2 {
                    IpAddr::from(octets)
                } else {
                    IpAddr::from([octets[0], octets[1], octets[2], octets[3]])
                };
                let _ = writeln!(text, "; CLIENT-SUBNET: {address}/{source}/{scope}");
            }
            (10, cookie) => {
                let digits: String = cookie.iter().map(|octet| format!("{octet:02x}")).collect();
                let _ = writeln!(text, "; COOKIE: {digits}");
            }
            (15, [e0, e1, words @ ..]) => {
                let _ = writeln!(
                    text,
                    "; EDE: {} ({})",
                    u16::from_be_bytes([*e0, *e1]),
                    String::from_utf8_lossy(words)
                );
            }
            _ => {}
        }
        data = rest;
    }
}

/// Decompresses the names in record data, for the types that may be compressed.
fn expanded(message: &[u8], rtype: RrType, at: usize, data: &[u8]) -> Option<Vec<u8>> {
    let Some((skip, names)) = names_in(rtype) else { return Some(data.to_vec()) };
    let mut whole = data.get(..skip)?.to_vec();
    let mut from = at + skip;
    for _ in 0..names {
        let (name, end) = name_at(message, from)?;
        whole.extend(name);
        from = end;
    }
    whole.extend_from_slice(message.get(from..at + data.len())?);
    Some(whole)
}

/// Reads the name at an offset without compression. Returns the name and the offset behind it.
fn name_at(message: &[u8], at: usize) -> Option<(Vec<u8>, usize)> {
    let mut name = Vec::new();
    let (mut from, mut end) = (at, None);
    loop {
        match *message.get(from)? {
            0 => {
                name.push(0);
                return Some((name, end.unwrap_or(from + 1)));
            }
            len @ 1..=63 => {
                name.extend_from_slice(message.get(from..from + 1 + usize::from(len))?);
                from += 1 + usize::from(len);
            }
            high @ 0xc0.. => {
                let target = usize::from(high & 0x3f) << 8 | usize::from(*message.get(from + 1)?);
                end = end.or(Some(from + 2));
                // Pointers lead backwards, so the loop ends.
                if target >= from {
                    return None;
                }
                from = target;
            }
            _ => return None,
        }
        if name.len() > 255 {
            return None;
        }
    }
}

fn shown_name(wire: &[u8]) -> String {
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = write_name(&mut text, wire);
    text
}
