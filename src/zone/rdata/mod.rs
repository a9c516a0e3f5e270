//! Record data: converts presentation format to uncompressed wire form and back.
//!
//! There are three ways from text to octets. Types whose data is a plain sequence of fields have a
//! line in the table of [`shape`], which serves reading, writing, checking and finding names, and
//! preserves letter case. A few types have a grammar of their own ([`location`], [`service`],
//! [`prefixes`], [`gateway`], [`host_identity`], [`nsap`], [`well_known`]). Every type, known or
//! not, can be written as `\# length hex` (RFC 3597 section 5); the octets of known types are still
//! checked.
//!
//! [`from_text`] reads the output of [`to_text`] as the same octets. [`to_text`] uses the generic
//! form if a text would lose something, such as one of two encodings of a size.

mod bitmap;
mod gateway;
mod host_identity;
mod location;
mod mnemonic;
mod nsap;
mod pattern;
mod prefixes;
mod service;
mod shape;
mod token;
mod well_known;

#[cfg(test)]
mod tests;

use crate::wire::name::{Name, wire_name_len};
use crate::wire::rr::RrType;
pub(crate) use pattern::pattern;
pub(crate) use shape::NameUse;
use std::borrow::Cow;
use std::fmt;
use token::Token;
pub(crate) use token::Token as Word;

/// Reason why a text is not the data of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RdataError {
    /// Sentence without a final stop, to follow "this is not the data of ...:".
    pub(crate) message: String,
    /// Help, if there is any.
    pub(crate) help: Option<String>,
    /// True if the text may be right, but this version cannot read the type.
    pub(crate) unsupported: bool,
}

impl RdataError {
    fn new(message: impl Into<String>) -> RdataError {
        RdataError { message: message.into(), help: None, unsupported: false }
    }

    fn help(mut self, help: impl Into<String>) -> RdataError {
        self.help = Some(help.into());
        self
    }
}

impl fmt::Display for RdataError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for RdataError {}

/// A type with a grammar of its own.
struct Grammar {
    rtype: RrType,
    encode: fn(&[Token], &Name) -> Result<Vec<u8>, RdataError>,
    is_valid: fn(&[u8]) -> bool,
    decode: fn(&[u8]) -> Option<String>,
    /// Offset of the name in the data that an answer may lead to, and whose letter case is folded
    /// for comparison, if there is one; and its use.
    name_at: Option<(usize, NameUse)>,
}

const OWN: &[Grammar] = &[
    Grammar {
        rtype: RrType::WKS,
        encode: |tokens, _| well_known::encode(tokens),
        is_valid: well_known::is_valid,
        decode: well_known::decode,
        name_at: None,
    },
    Grammar {
        rtype: RrType::NSAP,
        encode: |tokens, _| nsap::encode(tokens),
        is_valid: nsap::is_valid,
        decode: nsap::decode,
        name_at: None,
    },
    Grammar {
        rtype: RrType::LOC,
        encode: |tokens, _| location::encode(tokens),
        is_valid: location::is_valid,
        decode: location::decode,
        name_at: None,
    },
    Grammar {
        rtype: RrType::SVCB,
        encode: service::encode,
        is_valid: service::is_valid,
        decode: service::decode,
        name_at: Some((2, NameUse::Any)),
    },
    Grammar {
        rtype: RrType::HTTPS,
        encode: service::encode,
        is_valid: service::is_valid,
        decode: service::decode,
        name_at: Some((2, NameUse::Any)),
    },
    Grammar {
        rtype: RrType::APL,
        encode: |tokens, _| prefixes::encode(tokens),
        is_valid: prefixes::is_valid,
        decode: prefixes::decode,
        name_at: None,
    },
    Grammar {
        rtype: RrType::IPSECKEY,
        encode: gateway::encode_ipseckey,
        is_valid: |rdata| gateway::decode_ipseckey(rdata).is_some(),
        decode: gateway::decode_ipseckey,
        name_at: None,
    },
    Grammar {
        rtype: RrType::AMTRELAY,
        encode: gateway::encode_amtrelay,
        is_valid: |rdata| gateway::decode_amtrelay(rdata).is_some(),
        decode: gateway::decode_amtrelay,
        name_at: None,
    },
    Grammar {
        rtype: RrType::HIP,
        encode: host_identity::encode,
        is_valid: |rdata| host_identity::decode(rdata).is_some(),
        decode: host_identity::decode,
        name_at: None,
    },
];

fn own(rtype: RrType) -> Option<&'static Grammar> {
    OWN.iter().find(|grammar| grammar.rtype == rtype)
}

/// True for types whose tokens may be `key="value"`.
fn is_service(rtype: RrType) -> bool {
    matches!(rtype, RrType::SVCB | RrType::HTTPS)
}

/// Types that a signer makes. Their presentation format is refused, because this server has no
/// other part of DNSSEC, so validators could not use the signatures. The generic form (RFC 3597) is
/// read, as for every type.
const OF_A_SIGNER: [RrType; 5] =
    [RrType::RRSIG, RrType::NSEC, RrType::NSEC3, RrType::NSEC3PARAM, RrType::SIG];

/// Converts presentation format to uncompressed wire form. Relative names are relative to `origin`;
/// names keep their letter case.
pub fn from_text(rtype: RrType, text: &str, origin: &Name) -> Result<Vec<u8>, RdataError> {
    // Fast path: addresses are the bulk of a large zone.
    match rtype {
        RrType::A => {
            if let Ok(address) = text.trim().parse::<std::net::Ipv4Addr>() {
                return Ok(address.octets().to_vec());
            }
        }
        RrType::AAAA => {
            if let Ok(address) = text.trim().parse::<std::net::Ipv6Addr>() {
                return Ok(address.octets().to_vec());
            }
        }
        _ => {}
    }
    from_tokens(rtype, &token::split(text, is_service(rtype))?, origin)
}

/// [`from_text`] for words, as zone text has them.
pub(crate) fn from_words(rtype: RrType, words: &[Word], origin: &Name) -> Result<Vec<u8>, RdataError> {
    from_tokens(rtype, words, origin)
}

/// [`from_text`] for tokens.
fn from_tokens(rtype: RrType, tokens: &[Token], origin: &Name) -> Result<Vec<u8>, RdataError> {
    if let Some((first, rest)) = tokens.split_first()
        && !first.quoted
        && first.raw == r"\#"
    {
        return generic(rtype, rest);
    }
    if let Some(fields) = shape::of(rtype) {
        let octets = shape::encode(fields, tokens, origin)?;
        return bounded(octets);
    }
    if let Some(grammar) = own(rtype) {
        return bounded((grammar.encode)(tokens, origin)?);
    }
    if OF_A_SIGNER.contains(&rtype) {
        return Err(RdataError {
            unsupported: true,
            ..RdataError::new("signed zones are not served by this version")
                .help("use the zone as it is before signing, without RRSIG, NSEC, NSEC3 and NSEC3PARAM")
        });
    }
    Err(RdataError {
        unsupported: true,
        ..RdataError::new("this version knows no presentation format for the type")
            .help(r"write it as `\# length hex` (RFC 3597 section 5)")
    })
}

fn bounded(octets: Vec<u8>) -> Result<Vec<u8>, RdataError> {
    if octets.len() > usize::from(u16::MAX) {
        return Err(RdataError::new(format!(
            "{} octets are more than the 65535 that a record holds",
            octets.len()
        )));
    }
    Ok(octets)
}

/// Reads `\# length hex...`.
fn generic(rtype: RrType, tokens: &[Token]) -> Result<Vec<u8>, RdataError> {
    let (length, digits) = tokens
        .split_first()
        .ok_or_else(|| RdataError::new(r"`\#` must be followed by the number of octets"))?;
    let length: u16 = length
        .raw
        .parse()
        .map_err(|_| RdataError::new(format!("`{}` is not a number of octets", length.raw)))?;
    let octets = shape::hex(digits)?;
    if octets.len() != usize::from(length) {
        let verb = if octets.len() == 1 { "is" } else { "are" };
        return Err(RdataError::new(format!(
            "the length is {length} octets, but {} {verb} written",
            octets.len()
        )));
    }
    if !is_valid(rtype, &octets) {
        return Err(RdataError::new(format!("these octets are not valid for {rtype}")));
    }
    Ok(octets)
}

/// True if the octets are valid data of the type; always true for an unknown type.
pub fn is_valid(rtype: RrType, rdata: &[u8]) -> bool {
    match shape::of(rtype) {
        Some(fields) => shape::walk(fields, rdata).is_some(),
        None if let Some(grammar) = own(rtype) => (grammar.is_valid)(rdata),
        None => true,
    }
}

/// Record data in presentation format with absolute names. The generic form of RFC 3597 if the type
/// is unknown, the data is invalid, or its text would not be read as the same octets.
pub fn to_text(rtype: RrType, rdata: &[u8]) -> String {
    if let Some(text) =
        shape::of(rtype).and_then(|fields| shape::walk(fields, rdata)).map(|parts| shape::decode(&parts))
    {
        return text;
    }
    if let Some(text) = own(rtype).and_then(|grammar| (grammar.decode)(rdata))
        && from_text(rtype, &text, &Name::root()).is_ok_and(|read| read == rdata)
    {
        return text;
    }
    let mut text = format!(r"\# {}", rdata.len());
    if !rdata.is_empty() {
        text.push(' ');
        text.extend(rdata.iter().map(|octet| format!("{octet:02x}")));
    }
    text
}

/// Record data in its form for comparison: names in lower case, since letter case distinguishes
/// neither names (RFC 4343 section 3) nor records of a set (RFC 2181 section 5).
pub(crate) fn folded(rtype: RrType, rdata: &[u8]) -> Cow<'_, [u8]> {
    if let Some((at, _)) = own(rtype).and_then(|grammar| grammar.name_at) {
        let end = rdata.get(at..).and_then(wire_name_len).map_or(0, |len| at + len);
        let mut folded = rdata.to_vec();
        folded.iter_mut().take(end).skip(at).for_each(|octet| octet.make_ascii_lowercase());
        return Cow::Owned(folded);
    }
    let fields = shape::of(rtype).filter(|fields| fields.iter().any(|field| field.is_name()));
    let Some(parts) = fields.and_then(|fields| shape::walk(fields, rdata)) else {
        return Cow::Borrowed(rdata);
    };
    let mut folded = Vec::with_capacity(rdata.len());
    for (field, octets) in parts {
        match field.is_name() {
            true => folded.extend(octets.iter().map(u8::to_ascii_lowercase)),
            false => folded.extend_from_slice(octets),
        }
    }
    Cow::Owned(folded)
}

/// Names in record data, in order; none if the octets are not valid.
pub fn names_in(rtype: RrType, rdata: &[u8]) -> Vec<Name> {
    names_with_use(rtype, rdata).into_iter().map(|(_, name)| name).collect()
}

/// True if records of the type promise something of a name in their data.
pub(crate) fn promises(rtype: RrType) -> bool {
    let is_promise = |name_use: NameUse| match name_use {
        NameUse::Alias | NameUse::Host => true,
        NameUse::Any => false,
    };
    match own(rtype) {
        Some(grammar) => grammar.name_at.is_some_and(|(_, name_use)| is_promise(name_use)),
        None => shape::of(rtype).is_some_and(|fields| {
            fields.iter().any(|field| matches!(field, shape::Field::Name(of) if is_promise(*of)))
        }),
    }
}

/// Names in record data, in order, each with what the record promises of it; none if the octets are
/// not valid.
pub(crate) fn names_with_use(rtype: RrType, rdata: &[u8]) -> Vec<(NameUse, Name)> {
    if let Some(grammar) = own(rtype) {
        let name = grammar.name_at.filter(|_| (grammar.is_valid)(rdata)).and_then(|(at, name_use)| {
            let octets = rdata.get(at..)?;
            Some((name_use, Name::from_wire(&octets[..wire_name_len(octets)?]).ok()?))
        });
        return name.into_iter().collect();
    }
    let Some(parts) = shape::of(rtype).and_then(|fields| shape::walk(fields, rdata)) else {
        return Vec::new();
    };
    parts
        .iter()
        .filter_map(|(field, octets)| match field {
            shape::Field::Name(name_use) => Some((*name_use, Name::from_wire(octets).ok()?)),
            _ => None,
        })
        .collect()
}
