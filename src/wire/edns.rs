//! EDNS(0): the OPT record of a query, and the one of a response (RFC 6891).

use super::cookie;
use super::ecs::{self, ClientSubnet};

/// NSID (RFC 5001).
const NSID: u16 = 3;
/// Extended DNS errors (RFC 8914).
const EDE: u16 = 15;

/// What a query's OPT asks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Edns {
    /// The payload size that the requestor can take, as sent.
    pub payload: u16,
    /// EDNS version; only 0 exists.
    pub version: u8,
    /// The DO bit (RFC 3225).
    pub dnssec_ok: bool,
    /// Client subnet.
    pub subnet: Option<ClientSubnet>,
    /// Whether NSID was asked.
    pub nsid: bool,
    /// The DNS cookie.
    pub cookie: Option<cookie::Asked>,
}

/// A fault in an OPT record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadOptions;

impl Edns {
    /// Reads an OPT from its CLASS, TTL and RDATA. Options of a version that we do not know are not
    /// looked at, since BADVERS is due whatever they hold (RFC 6891 section 6.1.3).
    #[inline(always)]
    pub fn parse(class: u16, ttl: u32, rdata: &[u8]) -> Result<Edns, (Edns, BadOptions)> {
        let mut edns =
            Edns { payload: class, version: (ttl >> 16) as u8, dnssec_ok: ttl & 0x8000 != 0, subnet: None, nsid: false, cookie: None };
        if edns.version != 0 {
            return Ok(edns);
        }
        let mut rest = rdata;
        let (mut seen_subnet, mut is_bad) = (false, false);
        while !rest.is_empty() {
            let [c0, c1, l0, l1, tail @ ..] = rest else { return Err((edns, BadOptions)) };
            let (code, len) = (u16::from_be_bytes([*c0, *c1]), usize::from(u16::from_be_bytes([*l0, *l1])));
            let Some((data, tail)) = tail.split_at_checked(len) else { return Err((edns, BadOptions)) };
            match code {
                ecs::CODE => {
                    // Two options leave open which client is meant; RFC 7871 has no rule for it, so none is guessed.
                    edns.subnet = ClientSubnet::parse(data).filter(|_| !seen_subnet);
                    seen_subnet = true;
                    // Read on: the error must carry the cookie too, or the client takes it for a forgery.
                    is_bad |= edns.subnet.is_none();
                }
                NSID => edns.nsid = true,
                // The first one counts, whatever the others are (RFC 7873 section 5.2).
                cookie::CODE if edns.cookie.is_none() => {
                    edns.cookie = cookie::Asked::parse(data);
                    if edns.cookie.is_none() {
                        return Err((edns, BadOptions));
                    }
                }
                _ => {}
            }
            rest = tail;
        }
        if is_bad { Err((edns, BadOptions)) } else { Ok(edns) }
    }
}

/// What the OPT of a response says.
#[derive(Clone, Copy, Debug, Default)]
pub struct ResponseOptions<'a> {
    /// The asked client subnet and the scope of this answer.
    pub subnet: Option<(&'a ClientSubnet, u8)>,
    /// NSID, if asked.
    pub nsid: Option<&'a [u8]>,
    /// Client and server cookie, if a cookie was sent.
    pub cookie: Option<&'a cookie::Whole>,
    /// Extended error: code and text.
    pub error: Option<(u16, &'a str)>,
    /// Upper eight bits of the response code.
    pub rcode_high: u8,
    /// DO as asked (RFC 3225 section 3).
    pub dnssec_ok: bool,
    /// Payload size that we advertise.
    pub payload: u16,
}

impl ResponseOptions<'_> {
    /// Octets of the OPT record; does not depend on the scope, so it can be reserved beforehand.
    #[inline(always)]
    pub fn len(&self) -> usize {
        11 + self.subnet.map_or(0, |(s, _)| s.response_len())
            + self.nsid.map_or(0, |id| 4 + id.len())
            + self.cookie.map_or(0, |whole| 4 + whole.len())
            + self.error.map_or(0, |(_, text)| 6 + text.len())
    }

    /// Never: an OPT has at least its fixed part.
    pub fn is_empty(&self) -> bool {
        false
    }

    /// Writes the OPT record; gives the octets written, 0 if `out` is too small.
    #[inline(always)]
    pub fn write(&self, out: &mut [u8]) -> usize {
        let len = self.len();
        if out.len() < len {
            return 0;
        }
        let Some(fixed) = out.first_chunk_mut::<11>() else { return 0 };
        let ([p0, p1], [l0, l1]) = (self.payload.to_be_bytes(), ((len - 11) as u16).to_be_bytes());
        let flags = if self.dnssec_ok { 0x80 } else { 0 };
        *fixed = [0, 0, super::rr::RrType::OPT.0 as u8, p0, p1, self.rcode_high, 0, flags, 0, l0, l1];
        let mut at = 11;
        if let Some((subnet, scope)) = self.subnet {
            at += subnet.write_response(scope, &mut out[at..]);
        }
        if let Some(id) = self.nsid {
            at += write_option(NSID, &[], id, &mut out[at..]);
        }
        if let Some(whole) = self.cookie {
            at += write_option(cookie::CODE, &[], whole, &mut out[at..]);
        }
        if let Some((code, text)) = self.error {
            write_option(EDE, &code.to_be_bytes(), text.as_bytes(), &mut out[at..]);
        }
        len
    }
}

fn write_option(code: u16, head: &[u8], data: &[u8], out: &mut [u8]) -> usize {
    let len = head.len() + data.len();
    out[0..2].copy_from_slice(&code.to_be_bytes());
    out[2..4].copy_from_slice(&(len as u16).to_be_bytes());
    out[4..4 + head.len()].copy_from_slice(head);
    out[4 + head.len()..4 + len].copy_from_slice(data);
    4 + len
}

/// Extended error codes that we send (RFC 8914 section 4).
pub mod extended_error {
    /// Other error.
    pub const OTHER: u16 = 0;
    /// Not authoritative.
    pub const NOT_AUTHORITATIVE: u16 = 20;
    /// Not supported.
    pub const NOT_SUPPORTED: u16 = 21;
    /// No reachable authority; here: no PoP that may be answered.
    pub const NO_REACHABLE: u16 = 22;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_read_or_refused() {
        let subnet = [0u8, 8, 0, 7, 0, 1, 24, 0, 192, 0, 2];
        let sent = [0u8, 10, 0, 8, 1, 2, 3, 4, 5, 6, 7, 8];
        assert!(Edns::parse(1232, 0x8000, &[]).is_ok_and(|e| e.dnssec_ok && e.payload == 1232));
        assert!(Edns::parse(1232, 0, &[0, 3, 0, 0]).is_ok_and(|e| e.nsid));
        assert_eq!(Edns::parse(1232, 0, &subnet).unwrap().subnet.unwrap().source, 24);
        assert!(Edns::parse(1232, 0, &[subnet, subnet].concat()).is_err(), "two subnets");
        assert!(Edns::parse(1232, 0, &subnet[..9]).is_err(), "an option longer than the record");
        let (told, _) = Edns::parse(1232, 0, &[[0, 8, 0, 1, 7].as_slice(), &[0, 10, 0, 8, 1, 2, 3, 4, 5, 6, 7, 8]].concat()).unwrap_err();
        assert!(told.cookie.is_some() && told.subnet.is_none(), "the cookie behind a bad subnet");
        assert!(Edns::parse(1232, 0, &[0, 8]).is_err(), "half an option header");
        assert!(Edns::parse(1232, 0, &sent).is_ok_and(|e| e.cookie == cookie::Asked::parse(&sent[4..])));
        assert!(Edns::parse(1232, 0, &[0, 10, 0, 1, 1]).is_err(), "a cookie of one octet");
        let second = [&sent[..], &[0, 10, 0, 1, 1]].concat();
        assert!(Edns::parse(1232, 0, &second).is_ok_and(|e| e.cookie == cookie::Asked::parse(&sent[4..])), "the first of two cookies");
        assert!(Edns::parse(1232, 1 << 16, &[9]).is_ok_and(|e| e.version == 1), "options of another version are not read");
    }

    #[test]
    fn a_response_has_the_length_it_promised() {
        let subnet = ClientSubnet::parse(&[0, 1, 24, 0, 192, 0, 2]).unwrap();
        let options = ResponseOptions {
            subnet: Some((&subnet, 20)),
            nsid: Some(b"fra-ns1"),
            cookie: Some(&[7; 24]),
            error: Some((20, "not ours")),
            rcode_high: 1,
            dnssec_ok: true,
            payload: 1232,
        };
        let mut out = [0xee; 128];
        let len = options.write(&mut out);
        assert_eq!(len, options.len());
        assert_eq!(out[len], 0xee);
        assert_eq!(usize::from(u16::from_be_bytes([out[9], out[10]])), len - 11);
        assert_eq!(options.write(&mut out[..len - 1]), 0);
    }
}
