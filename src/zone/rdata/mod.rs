//! Record data: presentation format to uncompressed wire form and back.
//!
//! Three ways lead to octets. Types whose data is a plain row of fields have a line in the table of
//! [`shape`], which serves reading, writing, checking and finding names alike, and keeps letter case
//! and positions under our control. LOC, SVCB and HTTPS have grammars of their own ([`location`],
//! [`service`]). CERT and CSYNC go through hickory-proto. Every type, known or not, can be written as `\# length hex` (RFC 3597
//! section 5); the octets of known types are still checked.

mod location;
mod service;
mod shape;
mod token;

#[cfg(test)]
mod tests;

use crate::wire::name::Name;
use crate::wire::rr::RrType;
use hickory_proto::rr::{RData, RecordType};
use hickory_proto::serialize::binary::{BinDecoder, BinEncodable, BinEncoder, Restrict};
use std::fmt;
use token::Token;
pub use token::Token as Word;

/// Why a text is not the data of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RdataError {
    /// A sentence, without final stop, that fits behind "is not the data of ...:".
    pub message: String,
    /// A way out, if there is one to tell.
    pub help: Option<String>,
    /// Whether the text may be right, but this version cannot read the type.
    pub unsupported: bool,
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

/// Types that hickory-proto reads.
const BY_HICKORY: &[RrType] = &[RrType::CERT, RrType::CSYNC];

fn is_service(rtype: RrType) -> bool {
    matches!(rtype, RrType::SVCB | RrType::HTTPS)
}

/// The uncompressed wire form of record data in presentation format; relative names are relative to
/// `origin`, the letter case of names is kept.
pub fn from_text(rtype: RrType, text: &str, origin: &Name) -> Result<Vec<u8>, RdataError> {
    // Addresses are the bulk of a large zone.
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

/// [`from_text`] for text that has been cut into words, as zone text is.
pub fn from_words(rtype: RrType, words: &[Word], origin: &Name) -> Result<Vec<u8>, RdataError> {
    from_tokens(rtype, words, origin)
}

/// [`from_text`] for text that has been cut into tokens.
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
    if rtype == RrType::LOC {
        return location::encode(tokens);
    }
    if is_service(rtype) {
        return bounded(service::encode(tokens, origin)?);
    }
    match BY_HICKORY.contains(&rtype) {
        true => bounded(by_hickory(rtype, tokens)?),
        false => Err(RdataError {
            unsupported: true,
            ..RdataError::new("this version knows no presentation format for the type")
                .help(r"write it as `\# length hex` (RFC 3597 section 5)")
        }),
    }
}

fn bounded(octets: Vec<u8>) -> Result<Vec<u8>, RdataError> {
    if octets.len() > usize::from(u16::MAX) {
        return Err(RdataError::new(format!("{} octets are more than the 65535 that a record holds", octets.len())));
    }
    Ok(octets)
}

/// `\# length hex...`
fn generic(rtype: RrType, tokens: &[Token]) -> Result<Vec<u8>, RdataError> {
    let (length, digits) = tokens.split_first().ok_or_else(|| RdataError::new(r"`\#` must be followed by the number of octets"))?;
    let length: u16 = length.raw.parse().map_err(|_| RdataError::new(format!("`{}` is not a number of octets", length.raw)))?;
    let octets = shape::hex(digits)?;
    if octets.len() != usize::from(length) {
        return Err(RdataError::new(format!("{} octets are announced, {} are written", length, octets.len())));
    }
    if !is_valid(rtype, &octets) {
        return Err(RdataError::new(format!("these octets are not valid for {rtype}")));
    }
    Ok(octets)
}

/// Whether octets can be the data of a type; anything can for a type that is not known.
pub fn is_valid(rtype: RrType, rdata: &[u8]) -> bool {
    match shape::of(rtype) {
        Some(fields) => shape::walk(fields, rdata).is_some(),
        None if rtype == RrType::LOC => location::is_valid(rdata),
        None if is_service(rtype) => service::is_valid(rdata),
        None if BY_HICKORY.contains(&rtype) => read_by_hickory(rtype, rdata).is_some(),
        None => true,
    }
}

fn by_hickory(rtype: RrType, tokens: &[Token]) -> Result<Vec<u8>, RdataError> {
    let mut text = String::new();
    for (index, token) in tokens.iter().enumerate() {
        if index > 0 {
            text.push(' ');
        }
        let quote = if token.quoted { "\"" } else { "" };
        text.extend([quote, &token.raw, quote]);
    }
    let rdata = RData::try_from_str(RecordType::from(rtype.0), &text).map_err(|error| RdataError::new(error.to_string()))?;
    let mut octets = Vec::new();
    let mut encoder = BinEncoder::new(&mut octets);
    encoder.set_name_encoding(hickory_proto::serialize::binary::NameEncoding::Uncompressed);
    rdata.emit(&mut encoder).map_err(|error| RdataError::new(error.to_string()))?;
    if !is_valid(rtype, &octets) {
        return Err(RdataError::new("the parts do not fit together"));
    }
    Ok(octets)
}

fn read_by_hickory(rtype: RrType, rdata: &[u8]) -> Option<RData> {
    let length = u16::try_from(rdata.len()).ok()?;
    let mut decoder = BinDecoder::new(rdata);
    let read = RData::read(&mut decoder, RecordType::from(rtype.0), Restrict::new(length)).ok()?;
    decoder.is_empty().then_some(read)
}

/// Record data in presentation format, with absolute names; what is not known or not valid in the
/// generic form of RFC 3597.
pub fn to_text(rtype: RrType, rdata: &[u8]) -> String {
    if let Some(text) = shape::of(rtype).and_then(|fields| shape::walk(fields, rdata)).map(|parts| shape::decode(&parts)) {
        return text;
    }
    if rtype == RrType::LOC
        && let Some(text) = location::decode(rdata)
    {
        return text;
    }
    if is_service(rtype)
        && let Some(text) = service::decode(rdata)
    {
        return text;
    }
    if BY_HICKORY.contains(&rtype)
        && let Some(read) = read_by_hickory(rtype, rdata)
    {
        return read.to_string();
    }
    let mut text = format!(r"\# {}", rdata.len());
    if !rdata.is_empty() {
        text.push(' ');
        text.extend(rdata.iter().map(|octet| format!("{octet:02x}")));
    }
    text
}

/// The names inside record data, in order; none if the octets are not valid.
pub fn names_in(rtype: RrType, rdata: &[u8]) -> Vec<Name> {
    let Some(parts) = shape::of(rtype).and_then(|fields| shape::walk(fields, rdata)) else { return Vec::new() };
    parts.iter().filter(|(field, _)| *field == shape::Field::Name).filter_map(|(_, octets)| Name::from_wire(octets).ok()).collect()
}
