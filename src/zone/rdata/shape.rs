//! Record types whose data is a plain sequence of fields, and the operations on such a sequence:
//! reading words, walking the wire form, writing text.

use super::RdataError;
use super::bitmap;
use super::mnemonic;
use super::token::{Token, escape, octets};
use crate::wire::idn;
use crate::wire::name::{Name, wire_name_len, write_name};
use crate::wire::rr::RrType;
use std::fmt::Write as _;
use std::net::{Ipv4Addr, Ipv6Addr};

/// One field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Field {
    V4,
    V6,
    U8,
    U16,
    U32,
    /// Seconds, also as in `1h30m`.
    Time,
    Name(NameUse),
    /// One length-prefixed string.
    Text,
    /// One or more length-prefixed strings, to the end.
    Texts,
    /// A length-prefixed tag of letters and digits (RFC 8659 section 4.1).
    Tag,
    /// Rest of the data, as one string.
    Rest,
    /// Rest of the data, in hexadecimal.
    Hex,
    /// Rest of the data, in Base64.
    Base64,
    /// DNSSEC algorithm, by number or mnemonic (RFC 4034 appendix A.1).
    Algorithm,
    /// Certificate type, by number or mnemonic (RFC 4398 section 2.1).
    CertKind,
    /// Six octets between hyphens (RFC 7043 section 3.2).
    Eui48,
    /// Eight octets between hyphens (RFC 7043 section 4.2).
    Eui64,
    /// Eight octets as four groups of four digits between colons (RFC 6742 section 2.1.2).
    Groups,
    /// Rest of the data, as the mnemonics of a type bitmap (RFC 4034 section 4.1.2); may be empty.
    Types,
}

/// Promise of a record about a name in its data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NameUse {
    /// Target of an alias: it has data.
    Alias,
    /// A host: it has addresses of its own and is no alias (RFC 2181 section 10.3, RFC 2782), or is
    /// `.`, which stands for no host (RFC 7505).
    Host,
    /// Nothing: a mailbox, a name to start from, or a name whose data may be of any type.
    Any,
}

use Field::{
    Algorithm, Base64, CertKind, Eui48, Eui64, Groups, Hex, Rest, Tag, Text, Texts, Time, Types, U8, U16,
    U32, V4, V6,
};

impl Field {
    /// True for a domain name.
    pub(super) fn is_name(self) -> bool {
        match self {
            Field::Name(_) => true,
            V4 | V6 | U8 | U16 | U32 | Time | Text | Texts | Tag | Rest | Hex | Base64 | Algorithm
            | CertKind | Eui48 | Eui64 | Groups | Types => false,
        }
    }
}

/// Fields of a type, if its data is a plain sequence of fields.
pub(super) fn of(rtype: RrType) -> Option<&'static [Field]> {
    const NAME: Field = Field::Name(NameUse::Any);
    const HOST: Field = Field::Name(NameUse::Host);
    Some(match rtype {
        RrType::A => &[V4],
        RrType::AAAA => &[V6],
        // RFC 1035 section 3.3, RFC 6672 section 2.1
        RrType::CNAME => &[Field::Name(NameUse::Alias)],
        RrType::NS => &[HOST],
        RrType::PTR | RrType::DNAME | RrType::MB | RrType::MD | RrType::MF | RrType::MG | RrType::MR => {
            &[NAME]
        }
        RrType::SOA => &[NAME, NAME, U32, Time, Time, Time, Time],
        // RFC 1183, RFC 2230, RFC 6742
        RrType::MX | RrType::AFSDB | RrType::KX => &[U16, HOST],
        // A host that relays by X.25 or ISDN has no address; LP names L32 and L64 records.
        RrType::RT | RrType::LP => &[U16, NAME],
        // RFC 2163 section 4
        RrType::PX => &[U16, NAME, NAME],
        RrType::NID | RrType::L64 => &[U16, Groups],
        RrType::L32 => &[U16, V4],
        // RFC 7043
        RrType::EUI48 => &[Eui48],
        RrType::EUI64 => &[Eui64],
        RrType::MINFO | RrType::RP | RrType::TALINK => &[NAME, NAME],
        RrType::TXT | RrType::SPF | RrType::NINFO | RrType::AVC | RrType::RESINFO => &[Texts],
        RrType::X25 => &[Text],
        // RFC 1183 section 3.2: an address, and optionally a subaddress.
        RrType::ISDN => &[Texts],
        RrType::GPOS => &[Text, Text, Text],
        RrType::HINFO => &[Text, Text],
        RrType::SRV => &[U16, U16, U16, HOST],
        // RFC 3403 section 4.1
        RrType::NAPTR => &[U16, U16, Text, Text, Text, NAME],
        // RFC 8659 section 4.1, RFC 7553 section 4.5
        RrType::CAA => &[U8, Tag, Rest],
        RrType::URI => &[U16, U16, Rest],
        // RFC 4034 section 5.1, RFC 7344
        RrType::DS | RrType::CDS | RrType::DLV | RrType::TA => &[U16, Algorithm, U8, Hex],
        RrType::CDNSKEY | RrType::DNSKEY | RrType::KEY => &[U16, U8, Algorithm, Base64],
        // RFC 4398 section 2, RFC 7477 section 2.1
        RrType::CERT => &[CertKind, U16, Algorithm, Base64],
        RrType::CSYNC => &[U32, U16, Types],
        // RFC 8976 section 2.2
        RrType::ZONEMD => &[U32, U8, U8, Hex],
        // RFC 6698 section 2.1, RFC 8162, RFC 4255 section 3.1, RFC 7929 section 2
        RrType::TLSA | RrType::SMIMEA => &[U8, U8, U8, Hex],
        RrType::SSHFP => &[U8, U8, Hex],
        // RFC 4701 section 3
        RrType::OPENPGPKEY | RrType::DHCID => &[Base64],
        _ => return None,
    })
}

/// Reads fields from words.
pub(super) fn encode(fields: &[Field], tokens: &[Token], origin: &Name) -> Result<Vec<u8>, RdataError> {
    let needed = fields.iter().filter(|field| **field != Types).count();
    if tokens.len() < needed {
        let verb = if tokens.len() < 2 { "is" } else { "are" };
        return Err(RdataError::new(format!(
            "the data must have {}, but {} {verb} written",
            expected(fields),
            counted(tokens.len())
        )));
    }
    let mut rest = tokens;
    let mut to = Vec::new();
    for field in fields {
        rest = put(*field, rest, origin, &mut to)?;
    }
    match rest.first() {
        None => Ok(to),
        Some(token) => Err(RdataError::new(format!(
            "`{}` is surplus: the data must have {}",
            token.raw,
            expected(fields)
        ))),
    }
}

/// Reads one field from the first of the words, or from all of them. Returns the other words.
fn put<'t>(
    field: Field,
    words: &'t [Token],
    origin: &Name,
    to: &mut Vec<u8>,
) -> Result<&'t [Token], RdataError> {
    let Some((token, rest)) = words.split_first() else { return Ok(words) };
    match field {
        V4 => to.extend(parse::<Ipv4Addr>(token, "an IPv4 address")?.octets()),
        V6 => to.extend(parse::<Ipv6Addr>(token, "an IPv6 address")?.octets()),
        U8 => to.push(parse(token, "a number from 0 to 255")?),
        U16 => to.extend(parse::<u16>(token, "a number from 0 to 65535")?.to_be_bytes()),
        U32 => to.extend(parse::<u32>(token, "a number from 0 to 4294967295")?.to_be_bytes()),
        Time => to.extend(seconds(token)?.to_be_bytes()),
        Field::Name(_) => to.extend(name(token, origin)?.as_wire()),
        Text => string(token, to)?,
        Tag => tag(token, to)?,
        Rest => to.extend(octets(token)?),
        Algorithm => to.push(mnemonic::number(mnemonic::ALGORITHMS, token, "a DNSSEC algorithm")?),
        CertKind => {
            let kind: u16 = mnemonic::number(mnemonic::CERTIFICATES, token, "a kind of certificate")?;
            to.extend(kind.to_be_bytes());
        }
        Eui48 => to.extend(groups::<6>(token, '-', 2)?),
        Eui64 => to.extend(groups::<8>(token, '-', 2)?),
        Groups => to.extend(groups::<8>(token, ':', 4)?),
        Texts => {
            words.iter().try_for_each(|word| string(word, to))?;
            return Ok(&[]);
        }
        Hex | Base64 => {
            let octets = if field == Hex { hex(words)? } else { base64(words)? };
            if octets.is_empty() {
                return Err(RdataError::new("the last part is empty"));
            }
            to.extend(octets);
            return Ok(&[]);
        }
        Types => {
            to.extend(bitmap::encode(words)?);
            return Ok(&[]);
        }
    }
    Ok(rest)
}

fn tag(token: &Token, to: &mut Vec<u8>) -> Result<(), RdataError> {
    if token.raw.is_empty() || !token.raw.bytes().all(|b| b.is_ascii_alphanumeric()) {
        return Err(RdataError::new(format!("`{}` is not a tag of letters and digits", token.raw)));
    }
    string(token, to)
}

fn expected(fields: &[Field]) -> String {
    match fields.last() {
        Some(Types) => format!("at least {}", counted(fields.len() - 1)),
        Some(Texts | Hex | Base64) => format!("at least {}", counted(fields.len())),
        _ => counted(fields.len()),
    }
}

fn counted(parts: usize) -> String {
    match parts {
        0 => "nothing".to_owned(),
        1 => "one part".to_owned(),
        n => format!("{n} parts"),
    }
}

/// Parses a number without a sign; `what` describes a valid one for the error.
pub(super) fn parse<T: std::str::FromStr>(token: &Token, what: &str) -> Result<T, RdataError> {
    // Rust accepts `+1` as a number, but RFC 1035 does not.
    let signed = token.raw.starts_with('+');
    token
        .raw
        .parse()
        .ok()
        .filter(|_| !signed)
        .ok_or_else(|| RdataError::new(format!("`{}` is not {what}", token.raw)))
}

/// Parses `N` octets as groups of `digits` hexadecimal digits; locators may omit leading zeros.
fn groups<const N: usize>(token: &Token, separator: char, digits: usize) -> Result<[u8; N], RdataError> {
    let per_group = digits / 2;
    let form = || vec!["x".repeat(digits); N / per_group].join(&separator.to_string());
    let bad = || RdataError::new(format!("`{}` is not {N} octets in the form `{}`", token.raw, form()));
    let mut octets = [0; N];
    let mut groups = token.raw.split(separator);
    for to in octets.chunks_mut(per_group) {
        let group = groups.next().ok_or_else(bad)?;
        let is_right = group.bytes().all(|b| b.is_ascii_hexdigit())
            && (group.len() == digits || digits == 4 && (1..4).contains(&group.len()));
        let value = u16::from_str_radix(group, 16).ok().filter(|_| is_right).ok_or_else(bad)?.to_be_bytes();
        to.copy_from_slice(value.get(2 - per_group..).ok_or_else(bad)?);
    }
    if groups.next().is_some() {
        return Err(bad());
    }
    Ok(octets)
}

fn seconds(token: &Token) -> Result<u32, RdataError> {
    let bad = || RdataError::new(format!("`{}` is not a number of seconds", token.raw));
    let (mut total, mut number) = (0u32, None::<u32>);
    for octet in token.raw.bytes() {
        let factor = match octet {
            b'0'..=b'9' => {
                number = Some(
                    number
                        .unwrap_or(0)
                        .checked_mul(10)
                        .and_then(|n| n.checked_add(u32::from(octet - b'0')))
                        .ok_or_else(bad)?,
                );
                continue;
            }
            b's' | b'S' => 1,
            b'm' | b'M' => 60,
            b'h' | b'H' => 3_600,
            b'd' | b'D' => 86_400,
            b'w' | b'W' => 604_800,
            _ => return Err(bad()),
        };
        let part = number.take().and_then(|n| n.checked_mul(factor)).ok_or_else(bad)?;
        total = total.checked_add(part).ok_or_else(bad)?;
    }
    if token.raw.is_empty() {
        return Err(bad());
    }
    total.checked_add(number.unwrap_or(0)).ok_or_else(bad)
}

/// Parses a name, relative to `origin` unless it ends in a dot.
pub(super) fn name(token: &Token, origin: &Name) -> Result<Name, RdataError> {
    Name::parse(&token.raw, Some(origin)).map_err(|error| {
        let fault = RdataError::new(format!("`{}` is not a domain name: {error}", token.raw));
        idn::help(error, &token.raw).into_iter().fold(fault, RdataError::help)
    })
}

fn string(token: &Token, to: &mut Vec<u8>) -> Result<(), RdataError> {
    let octets = octets(token)?;
    let length = u8::try_from(octets.len()).map_err(|_| {
        RdataError::new(format!("a string has {} octets; at most 255 fit", octets.len()))
            .help(r#"split it into several strings: `'"first part" "second part"'`; readers join them"#)
    })?;
    to.push(length);
    to.extend(octets);
    Ok(())
}

/// Parses hexadecimal digits, which may be spread over several words.
pub(super) fn hex(tokens: &[Token]) -> Result<Vec<u8>, RdataError> {
    let mut octets = Vec::new();
    let mut half = None;
    for character in tokens.iter().flat_map(|token| token.raw.chars()) {
        let digit = character
            .to_digit(16)
            .ok_or_else(|| RdataError::new(format!("`{character}` is not a hexadecimal digit")))?
            as u8;
        half = match half {
            None => Some(digit),
            Some(high) => {
                octets.push(high << 4 | digit);
                None
            }
        };
    }
    if half.is_some() {
        return Err(RdataError::new("the number of hexadecimal digits is odd"));
    }
    Ok(octets)
}

const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Parses Base64 (RFC 4648 section 4), which may be spread over several words.
pub(super) fn base64(tokens: &[Token]) -> Result<Vec<u8>, RdataError> {
    let bad = || RdataError::new("this is not Base64");
    let digits: Vec<u8> = tokens.iter().flat_map(|token| token.raw.bytes()).collect();
    if !digits.len().is_multiple_of(4) {
        return Err(bad());
    }
    let padding = digits.iter().rev().take_while(|d| **d == b'=').count();
    let mut octets = Vec::with_capacity(digits.len() / 4 * 3);
    let (mut bits, mut held) = (0u32, 0);
    for digit in digits.iter().take(digits.len() - padding) {
        let value = BASE64.iter().position(|d| d == digit).ok_or_else(bad)?;
        bits = (bits << 6 | value as u32) & 0xffff;
        held += 6;
        if held >= 8 {
            held -= 8;
            octets.push((bits >> held) as u8);
        }
    }
    // Leftover bits must be zero and belong to the padding.
    let left = bits & ((1 << held) - 1);
    if padding > 2 || left != 0 || held != [0, 2, 4][padding.min(2)] {
        return Err(bad());
    }
    Ok(octets)
}

/// Octets of each field of wire-form data; `None` if they do not match the fields exactly.
pub(super) fn walk<'r>(fields: &[Field], rdata: &'r [u8]) -> Option<Vec<(Field, &'r [u8])>> {
    let mut rest = rdata;
    let mut parts = Vec::new();
    for &field in fields {
        let length = match field {
            U8 | Algorithm => 1,
            U16 | CertKind => 2,
            Eui48 => 6,
            Eui64 | Groups => 8,
            V4 | U32 | Time => 4,
            V6 => 16,
            Field::Name(_) => wire_name_len(rest)?,
            Text | Tag => 1 + usize::from(*rest.first()?),
            Rest | Hex | Base64 | Types => rest.len(),
            Texts => {
                while let Some(&length) = rest.first() {
                    let (part, behind) = rest.split_at_checked(1 + usize::from(length))?;
                    parts.push((Text, part));
                    rest = behind;
                }
                // TXT has at least one string (RFC 1035 section 3.3.14).
                if parts.is_empty() {
                    return None;
                }
                0
            }
        };
        let (part, behind) = rest.split_at_checked(length)?;
        if field == Tag && (part.len() < 2 || !part.get(1..)?.iter().all(u8::is_ascii_alphanumeric)) {
            return None;
        }
        // An empty digest or certificate has no text form.
        if matches!(field, Hex | Base64) && part.is_empty() {
            return None;
        }
        if field == Types && bitmap::decode(part).is_none() {
            return None;
        }
        if field != Texts {
            parts.push((field, part));
        }
        rest = behind;
    }
    rest.is_empty().then_some(parts)
}

/// Writes walked fields as text.
pub(super) fn decode(parts: &[(Field, &[u8])]) -> String {
    let mut text = String::new();
    for (field, octets) in parts {
        if !text.is_empty() {
            text.push(' ');
        }
        let number = octets.iter().take(4).fold(0u32, |sum, octet| sum << 8 | u32::from(*octet));
        // Writing to a string cannot fail.
        let _ = match field {
            V4 => write!(text, "{}", Ipv4Addr::from(number)),
            V6 => write!(text, "{}", Ipv6Addr::from(<[u8; 16]>::try_from(*octets).unwrap_or_default())),
            U8 | U16 | U32 | Time | Algorithm | CertKind => write!(text, "{number}"),
            Field::Name(_) => write_name(&mut text, octets),
            Text => {
                text.push('"');
                escape(octets.get(1..).unwrap_or_default(), &mut text);
                text.push('"');
                Ok(())
            }
            Tag => {
                escape(octets.get(1..).unwrap_or_default(), &mut text);
                Ok(())
            }
            Texts | Rest => {
                text.push('"');
                escape(octets, &mut text);
                text.push('"');
                Ok(())
            }
            Hex => {
                text.extend(octets.iter().map(|octet| format!("{octet:02x}")));
                Ok(())
            }
            Base64 => {
                write_base64(octets, &mut text);
                Ok(())
            }
            Eui48 | Eui64 => {
                let pairs: Vec<String> = octets.iter().map(|octet| format!("{octet:02x}")).collect();
                write!(text, "{}", pairs.join("-"))
            }
            Groups => {
                let fours: Vec<String> = octets
                    .chunks(2)
                    .map(|pair| pair.iter().map(|octet| format!("{octet:02x}")).collect())
                    .collect();
                write!(text, "{}", fours.join(":"))
            }
            Types => {
                let types: Vec<String> =
                    bitmap::decode(octets).unwrap_or_default().iter().map(RrType::to_string).collect();
                write!(text, "{}", types.join(" "))
            }
        };
    }
    // A bitmap without types leaves a trailing blank.
    text.truncate(text.trim_end_matches(' ').len());
    text
}

/// Writes octets in Base64 (RFC 4648 section 4).
pub(super) fn write_base64(octets: &[u8], text: &mut String) {
    for chunk in octets.chunks(3) {
        let bits =
            chunk.iter().enumerate().fold(0u32, |sum, (i, octet)| sum | u32::from(*octet) << (16 - 8 * i));
        for i in 0..4 {
            let digit = BASE64.get((bits >> (18 - 6 * i) & 63) as usize).filter(|_| i <= chunk.len());
            text.push(digit.map_or('=', |d| *d as char));
        }
    }
}
