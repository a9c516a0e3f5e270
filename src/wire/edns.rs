//! EDNS(0): the OPT record of a query and of a response (RFC 6891).
//!
//! | code | option | here |
//! |---|---|---|
//! | 3 | NSID (RFC 5001) | answered |
//! | 8 | client subnet (RFC 7871) | read strictly, answered with a scope |
//! | 10 | cookie (RFC 7873) | the first is answered, others are ignored |
//! | 15 | extended error (RFC 8914) | sent; ignored in a query |
//! | 1, 2 | LLQ, update lease | ignored: there are no updates |
//! | 5 to 7, 13, 14 | algorithms, chain, key tags | ignored: nothing is signed |
//! | 9 | expire (RFC 7314) | ignored: there are no secondaries |
//! | 11 | keepalive (RFC 7828) | answered over streams with the idle time |
//! | 12 | padding (RFC 7830) | answered over encrypted transports, in blocks (RFC 8467) |
//! | 16 to 18 | client and server tags, report channel | ignored |
//! | 19 | zone version (RFC 9660) | answered with the serial of the zone |
//! | 0, 4, from 20 on | reserved, unassigned, local | ignored (RFC 6891 section 6.1.2) |

use super::cookie;
use super::ecs::{self, ClientSubnet};
use super::fragment::HEAD_LEN;
use super::header::HEADER_LEN;
use super::name::NAME_OCTETS_MAX;
use crate::limits::{NODE_NAME_MAX, UDP_PAYLOAD_MIN};

/// Option code of NSID (RFC 5001).
const NSID: u16 = 3;
/// Option code of the keepalive of TCP (RFC 7828).
pub(crate) const KEEPALIVE: u16 = 11;
/// Option code of padding (RFC 7830).
pub(super) const PADDING: u16 = 12;
/// Option code of zone versions (RFC 9660).
const ZONE_VERSION: u16 = 19;
/// Option code of extended DNS errors (RFC 8914).
pub(super) const EDE: u16 = 15;

/// The OPT of a query.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Edns {
    /// UDP payload size of the requestor, as sent.
    pub payload: u16,
    /// EDNS version; only 0 exists.
    pub(crate) version: u8,
    /// The DO bit (RFC 3225).
    pub(crate) dnssec_ok: bool,
    /// True if there are options; if not, all fields below are empty, and need not be read.
    pub(crate) asks: bool,
    /// Client subnet.
    pub subnet: Option<ClientSubnet>,
    /// True if NSID was asked for.
    pub(crate) nsid: bool,
    /// True if the client asks for the idle time of its connection.
    pub(crate) keepalive: bool,
    /// True if the query has padding, and so asks for a padded response.
    pub(crate) padding: bool,
    /// True if the client asks for the version of the zone.
    pub(crate) zone_version: bool,
    /// The DNS cookie.
    pub(crate) cookie: Option<cookie::CookieOption>,
}

/// Fault in the options of an OPT record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct BadOptions;

impl Edns {
    /// An OPT without options.
    #[inline]
    pub(crate) fn new(payload: u16, version: u8, dnssec_ok: bool) -> Edns {
        Edns {
            payload,
            version,
            dnssec_ok,
            asks: false,
            subnet: None,
            nsid: false,
            keepalive: false,
            padding: false,
            zone_version: false,
            cookie: None,
        }
    }

    /// The same OPT without the options that are answered by longer ones, such as NSID. The cookie
    /// stays: it proves an address, and adds at most 16 octets.
    pub(crate) fn without_growth(self) -> Edns {
        // All fields by name, so that a new option has its place here or in the reply.
        let Edns {
            payload,
            version,
            dnssec_ok,
            asks,
            subnet,
            nsid: _,
            keepalive,
            padding,
            zone_version: _,
            cookie,
        } = self;
        let (nsid, zone_version) = (false, false);
        Edns { payload, version, dnssec_ok, asks, subnet, nsid, keepalive, padding, zone_version, cookie }
    }

    /// Reads an OPT from its CLASS, TTL and RDATA. Options of an unknown version are ignored, since
    /// the answer is BADVERS in any case (RFC 6891 section 6.1.3).
    pub(crate) fn parse(class: u16, ttl: u32, rdata: &[u8]) -> Result<Edns, (Edns, BadOptions)> {
        let mut edns = Edns::new(class, (ttl >> 16) as u8, ttl & 0x8000 != 0);
        if edns.version != 0 {
            return Ok(edns);
        }
        match edns.read(rdata) {
            Ok(()) => Ok(edns),
            Err(bad) => Err((edns, bad)),
        }
    }

    /// Reads the options of version 0. After an error, `self` has the options that were readable.
    #[inline(always)]
    pub(crate) fn read(&mut self, rdata: &[u8]) -> Result<(), BadOptions> {
        self.asks = !rdata.is_empty();
        if !self.asks {
            return Ok(());
        }
        // Most queries have a single option, one of these two.
        self.subnet = ClientSubnet::parse_alone(rdata);
        if self.subnet.is_some() {
            return Ok(());
        }
        self.cookie = cookie::CookieOption::parse_alone(rdata);
        if self.cookie.is_some() { Ok(()) } else { self.read_each(rdata) }
    }

    #[inline(never)]
    fn read_each(&mut self, rdata: &[u8]) -> Result<(), BadOptions> {
        let mut rest = rdata;
        let (mut seen_subnet, mut is_bad) = (false, false);
        while !rest.is_empty() {
            let [c0, c1, l0, l1, tail @ ..] = rest else { return Err(BadOptions) };
            let (code, len) = (u16::from_be_bytes([*c0, *c1]), usize::from(u16::from_be_bytes([*l0, *l1])));
            let Some((data, tail)) = tail.split_at_checked(len) else { return Err(BadOptions) };
            match code {
                ecs::CODE => {
                    // Two client subnets do not say which client is meant; RFC 7871 has no rule for
                    // it, so the query is rejected.
                    self.subnet = if seen_subnet { None } else { ClientSubnet::parse(data) };
                    seen_subnet = true;
                    // Continue after the fault: the error response must carry the cookie too, or
                    // the client takes it for a forgery.
                    is_bad |= self.subnet.is_none();
                }
                NSID => self.nsid = true,
                // The first cookie counts, whatever the others are (RFC 7873 section 5.2).
                cookie::CODE if self.cookie.is_none() => {
                    self.cookie = cookie::CookieOption::parse(data);
                    if self.cookie.is_none() {
                        return Err(BadOptions);
                    }
                }
                cookie::CODE => {}
                // Only servers send a time (RFC 7828 section 3.2.1).
                KEEPALIVE => self.keepalive |= data.is_empty(),
                PADDING => self.padding = true,
                // A query's option is empty (RFC 9660 section 3.1).
                ZONE_VERSION if data.is_empty() => self.zone_version = true,
                ZONE_VERSION => is_bad = true,
                // Ignored: the table above has the reasons.
                0..NSID | 4..ecs::CODE | 9 | 13..ZONE_VERSION | 20.. => {}
            }
            rest = tail;
        }
        if is_bad { Err(BadOptions) } else { Ok(()) }
    }
}

/// Contents of a response's OPT.
#[derive(Clone, Copy, Debug)]
pub struct ResponseOptions<'a> {
    /// OPT of the query: the response answers its options, and copies its DO bit (RFC 3225 section
    /// 3).
    pub asked: &'a Edns,
    /// Scope of the answer for the client subnet, if the query had one.
    pub scope: u8,
    /// Node name for NSID.
    pub node: &'a [u8],
    /// Client and server cookie, if the query had a cookie.
    pub cookie: Option<&'a cookie::Whole>,
    /// Extended error: its code and text.
    pub error: Option<(u16, &'a str)>,
    /// Idle time of the connection in units of 100 ms, if the query asked for it over a stream.
    pub keepalive: Option<u16>,
    /// Octets of padding, if the query had padding and the transport encrypts.
    pub padding: Option<usize>,
    /// Version of the zone of the question, if the query asked for it and we have the zone.
    pub zone_version: Option<ZoneVersion>,
    /// Upper eight bits of the response code.
    pub rcode_high: u8,
    /// Payload size that the server advertises.
    pub payload: u16,
}

/// Version of a zone (RFC 9660 section 2), of type SOA-SERIAL, the only one there is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ZoneVersion {
    /// LABELCOUNT: labels of the apex without the root.
    pub labels: u8,
    /// SERIAL of the SOA.
    pub serial: u32,
}

impl ZoneVersion {
    /// Octets of the option, its header included.
    const OCTETS: usize = 4 + 6;

    fn write(self, out: &mut [u8]) -> Option<usize> {
        const SOA_SERIAL: u8 = 0;
        write_option(ZONE_VERSION, &[self.labels, SOA_SERIAL], &self.serial.to_be_bytes(), out)
    }
}

/// Octets of an OPT without options.
const OPT_LEN: usize = 11;

/// Octets of the longest response over UDP with one address: header, the longest question, the
/// address of IPv6, and the OPT with each option that is answered over UDP, but for the extended
/// error, which no address has. An option that may be answered over UDP has a term here.
const LONGEST_WITH_ADDRESS: usize = HEADER_LEN
    + (NAME_OCTETS_MAX + 4)
    + (HEAD_LEN + 16)
    + OPT_LEN
    + ecs::RESPONSE_OCTETS_MAX
    + (4 + NODE_NAME_MAX)
    + ZoneVersion::OCTETS
    + (4 + cookie::WHOLE_LEN);

// A client without a larger buffer gets its address, whatever it asks for beside it.
const _: () = assert!(LONGEST_WITH_ADDRESS <= UDP_PAYLOAD_MIN as usize);

impl ResponseOptions<'_> {
    /// Octets of the OPT record. They do not depend on the scope, so they can be reserved in
    /// advance.
    #[inline(always)]
    pub(crate) fn len(&self) -> usize {
        let error_len = self.error.map_or(0, |(_, text)| 6 + text.len());
        if !self.asked.asks {
            return OPT_LEN + error_len;
        }
        OPT_LEN
            + error_len
            + self.asked.subnet.as_ref().map_or(0, |subnet| subnet.response_len())
            + if self.asked.nsid { 4 + self.node.len() } else { 0 }
            + self.cookie.map_or(0, |whole| 4 + whole.len())
            + if self.keepalive.is_some() { 6 } else { 0 }
            + self.padding.map_or(0, |octets| 4 + octets)
            + if self.zone_version.is_some() { ZoneVersion::OCTETS } else { 0 }
    }

    /// Writes the OPT record; returns the octets written, or `None` if `out` is too small.
    #[inline(always)]
    pub fn write(&self, out: &mut [u8]) -> Option<usize> {
        let (fixed, behind) = out.split_first_chunk_mut::<OPT_LEN>()?;
        let mut len = 0;
        if self.asked.asks {
            if let Some(subnet) = &self.asked.subnet {
                len = subnet.write_response(self.scope, behind)?;
            }
            if self.asked.nsid {
                len += write_option(NSID, &[], self.node, behind.get_mut(len..)?)?;
            }
            if let Some(whole) = self.cookie {
                len += cookie::write(whole, behind.get_mut(len..)?)?;
            }
            if let Some(idle) = self.keepalive {
                len += write_option(KEEPALIVE, &[], &idle.to_be_bytes(), behind.get_mut(len..)?)?;
            }
            if let Some(version) = self.zone_version {
                len += version.write(behind.get_mut(len..)?)?;
            }
        }
        if let Some((code, text)) = self.error {
            len += write_option(EDE, &code.to_be_bytes(), text.as_bytes(), behind.get_mut(len..)?)?;
        }
        // Last, because it fills up what the other options leave.
        if self.asked.asks
            && let Some(octets) = self.padding
        {
            len += write_padding(octets, behind.get_mut(len..)?)?;
        }
        // First word (8 octets): root, type, payload size, EXTENDED-RCODE, version 0, first octet
        // of the flags. Second word (4 octets): both octets of the flags, RDLEN. The words share
        // an octet.
        let flags = u64::from(self.asked.dnssec_ok) << 7;
        let head = u64::from(super::rr::RrType::OPT.0) << 40
            | u64::from(self.payload) << 24
            | u64::from(self.rcode_high) << 16
            | flags;
        *fixed.first_chunk_mut()? = head.to_be_bytes();
        *fixed.last_chunk_mut()? = ((flags as u32) << 24 | len as u32 & 0xffff).to_be_bytes();
        Some(OPT_LEN + len)
    }
}

fn write_option(code: u16, head: &[u8], data: &[u8], out: &mut [u8]) -> Option<usize> {
    let len = head.len() + data.len();
    let out = out.get_mut(..4 + len)?;
    out[0..2].copy_from_slice(&code.to_be_bytes());
    out[2..4].copy_from_slice(&(len as u16).to_be_bytes());
    out[4..4 + head.len()].copy_from_slice(head);
    out[4 + head.len()..].copy_from_slice(data);
    Some(4 + len)
}

/// Writes padding, which is zeros (RFC 7830 section 3).
#[cold]
fn write_padding(octets: usize, out: &mut [u8]) -> Option<usize> {
    let out = out.get_mut(..4 + octets)?;
    out[0..2].copy_from_slice(&PADDING.to_be_bytes());
    out[2..4].copy_from_slice(&(octets as u16).to_be_bytes());
    out[4..].fill(0);
    Some(4 + octets)
}

/// Extended error codes in responses (RFC 8914 section 4).
pub(crate) mod extended_error {
    /// Other: a question like one on which the program has panicked.
    pub(crate) const OTHER: u16 = 0;
    /// Prohibited: a client that the access lists refuse.
    pub(crate) const PROHIBITED: u16 = 18;
    /// Not Supported: an operation, a class or a type that this server does not offer.
    pub(crate) const NOT_SUPPORTED: u16 = 21;
    /// Not Authoritative.
    pub(crate) const NOT_AUTHORITATIVE: u16 = 20;
    /// No Reachable Authority: no PoP can be answered.
    pub(crate) const NO_REACHABLE: u16 = 22;
    /// Invalid Data: a zone that cannot be used.
    pub(crate) const INVALID_DATA: u16 = 24;
}

#[cfg(test)]
mod tests;
