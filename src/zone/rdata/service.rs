//! SVCB and HTTPS (RFC 9460): a priority, a target, and parameters `key` or `key=value`.
//!
//! In text, parameters come in any order and values may be quoted (section 2.1); in wire form, they
//! ascend by key, each key once (section 2.2). Parameters that contradict each other, such as a
//! `mandatory` key that is missing, are refused (section 2.4.3).

use super::RdataError;
use super::shape::{base64, name};
use super::token::{Token, escape, octets};
use crate::wire::name::{Name, wire_name_len, write_name};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::net::{Ipv4Addr, Ipv6Addr};

const MANDATORY: u16 = 0;
const ALPN: u16 = 1;
const NO_DEFAULT_ALPN: u16 = 2;
const PORT: u16 = 3;
const IPV4_HINT: u16 = 4;
const ECH: u16 = 5;
const IPV6_HINT: u16 = 6;
const DOHPATH: u16 = 7;
const OHTTP: u16 = 8;
/// Key that is never a parameter (section 14.3.2).
const INVALID: u16 = 65_535;

/// Key names by number (section 14.3.2, RFC 9461 section 5, RFC 9540 section 4).
const KEYS: [&str; 9] =
    ["mandatory", "alpn", "no-default-alpn", "port", "ipv4hint", "ech", "ipv6hint", "dohpath", "ohttp"];

/// Octets of priority, target and parameters.
pub(super) fn encode(tokens: &[Token], origin: &Name) -> Result<Vec<u8>, RdataError> {
    let [priority, target, rest @ ..] = tokens else {
        return Err(RdataError::new("the data must be a priority, a target, and parameters if any"));
    };
    let number = number(&priority.raw)
        .ok_or_else(|| RdataError::new(format!("`{}` is not a number from 0 to 65535", priority.raw)))?;
    let mut to = number.to_be_bytes().to_vec();
    to.extend(name(target, origin)?.as_wire());
    let mut params: BTreeMap<u16, Vec<u8>> = BTreeMap::new();
    let mut rest = rest.iter().peekable();
    while let Some(token) = rest.next() {
        // `key="value"` is split into two words without a blank between them.
        let is_open = token.raw.find('=').is_some_and(|at| at + 1 == token.raw.len());
        let quoted = if is_open { rest.next_if(|next| next.quoted && next.attached) } else { None };
        let (key, value) = match token.raw.split_once('=') {
            _ if token.quoted => {
                return Err(RdataError::new(format!("`\"{}\"` is not a parameter", token.raw)));
            }
            Some((key, _)) if quoted.is_some() => (key, quoted.cloned()),
            Some((key, value)) => (key, Some(Token { raw: value.to_owned(), ..token.clone() })),
            None => (&*token.raw, None),
        };
        let number = key_number(key).ok_or_else(|| {
            RdataError::new(format!("`{key}` is not a parameter"))
                .help(format!("there are {}, and `key65280` by number", KEYS.join(", ")))
        })?;
        if params.contains_key(&number) {
            return Err(RdataError::new(format!("`{key}` is written twice")));
        }
        params.insert(number, of_text(number, key, value.as_ref())?);
    }
    for (key, value) in &params {
        let length = u16::try_from(value.len())
            .map_err(|_| RdataError::new(format!("`{}` is too long", key_name(*key))))?;
        to.extend(key.to_be_bytes());
        to.extend(length.to_be_bytes());
        to.extend(value);
    }
    let params: Vec<(u16, &[u8])> = params.iter().map(|(key, value)| (*key, &**value)).collect();
    fault(&params).map_or(Ok(to), |message| Err(RdataError::new(message)))
}

/// True for consistent data of this form.
pub(super) fn is_valid(rdata: &[u8]) -> bool {
    walk(rdata).is_some_and(|(.., params)| fault(&params).is_none())
}

/// Text of valid octets.
pub(super) fn decode(rdata: &[u8]) -> Option<String> {
    let (priority, target, params) = walk(rdata).filter(|(.., params)| fault(params).is_none())?;
    let mut text = format!("{priority} ");
    // Writing to a string cannot fail.
    let _ = write_name(&mut text, target);
    for (key, value) in params {
        let _ = write!(text, " {}", key_name(key));
        let shown = to_text(key, value);
        let is_plain = shown.iter().all(|octet| octet.is_ascii_alphanumeric() || b"-._:/+=,".contains(octet));
        match (shown.is_empty(), is_plain) {
            (true, _) => {}
            (false, true) => text.extend(['='].into_iter().chain(shown.into_iter().map(char::from))),
            (false, false) => {
                text.push_str("=\"");
                escape(&shown, &mut text);
                text.push('"');
            }
        }
    }
    Some(text)
}

/// Parses a number as RFC 1035 writes it: digits alone.
fn number(text: &str) -> Option<u16> {
    text.parse().ok().filter(|_| !text.starts_with('+'))
}

fn key_number(key: &str) -> Option<u16> {
    if let Some(known) = KEYS.iter().position(|known| *known == key) {
        return u16::try_from(known).ok();
    }
    let digits = key.strip_prefix("key")?;
    number(digits).filter(|number| *number != INVALID && (digits == "0" || !digits.starts_with('0')))
}

fn key_name(key: u16) -> String {
    KEYS.get(usize::from(key)).map_or_else(|| format!("key{key}"), |known| (*known).to_owned())
}

/// Octets of a parameter's value from its text.
fn of_text(number: u16, key: &str, value: Option<&Token>) -> Result<Vec<u8>, RdataError> {
    let wrong = |what: &str| RdataError::new(format!("the value of `{key}` must be {what}"));
    let Some(token) = value else { return Ok(Vec::new()) };
    let written = octets(token)?;
    // The value of a key by number is its plain octets, whatever the key means (section 2.1).
    if key.starts_with("key") {
        return Ok(written);
    }
    let text = |octets: &[u8]| String::from_utf8_lossy(octets).into_owned();
    let addresses = |parse: &dyn Fn(&str) -> Option<Vec<u8>>, what: &str| -> Result<Vec<u8>, RdataError> {
        let each: Option<Vec<Vec<u8>>> = text(&written).split(',').map(parse).collect();
        each.map(|each| each.concat()).ok_or_else(|| wrong(what))
    };
    Ok(match number {
        MANDATORY => {
            let keys: Option<Vec<u16>> = text(&written).split(',').map(key_number).collect();
            let mut keys = keys.ok_or_else(|| wrong("a list of keys"))?;
            keys.sort_unstable();
            keys.into_iter().flat_map(u16::to_be_bytes).collect()
        }
        ALPN => {
            let mut value = Vec::new();
            for id in list(&written) {
                value.push(
                    u8::try_from(id.len())
                        .map_err(|_| wrong("a list of protocols of at most 255 octets each"))?,
                );
                value.extend(id);
            }
            value
        }
        PORT => self::number(&text(&written))
            .ok_or_else(|| wrong("a number from 0 to 65535"))?
            .to_be_bytes()
            .to_vec(),
        IPV4_HINT => addresses(
            &|one| one.parse::<Ipv4Addr>().ok().map(|a| a.octets().to_vec()),
            "a list of IPv4 addresses",
        )?,
        IPV6_HINT => addresses(
            &|one| one.parse::<Ipv6Addr>().ok().map(|a| a.octets().to_vec()),
            "a list of IPv6 addresses",
        )?,
        ECH => base64(&[Token { raw: text(&written), ..token.clone() }])?,
        _ => written,
    })
}

/// Members of a value list: commas separate them, and a backslash protects the octet behind it
/// (appendix A.1). The escapes of the string itself are already undone.
fn list(written: &[u8]) -> Vec<Vec<u8>> {
    let mut members = vec![Vec::new()];
    let mut rest = written.iter();
    while let Some(octet) = rest.next() {
        match (octet, members.last_mut()) {
            (b',', _) => members.push(Vec::new()),
            (b'\\', Some(member)) => member.extend(rest.next()),
            (_, Some(member)) => member.push(*octet),
            (_, None) => {}
        }
    }
    members
}

/// Text of a value, before it is escaped as a string.
fn to_text(key: u16, value: &[u8]) -> Vec<u8> {
    let joined = |parts: Vec<String>| parts.join(",").into_bytes();
    let be = |two: &[u8]| two.iter().fold(0u16, |sum, octet| sum << 8 | u16::from(*octet));
    match key {
        MANDATORY => joined(value.chunks(2).map(|key| key_name(be(key))).collect()),
        ALPN => {
            let escaped = |id: &[u8]| -> Vec<u8> {
                let before = |octet: &u8| {
                    if matches!(octet, b',' | b'\\') { vec![b'\\', *octet] } else { vec![*octet] }
                };
                id.iter().flat_map(before).collect()
            };
            strings(value).unwrap_or_default().into_iter().map(escaped).collect::<Vec<_>>().join(&b',')
        }
        PORT => be(value).to_string().into_bytes(),
        IPV4_HINT => {
            joined(value.as_chunks::<4>().0.iter().map(|a| Ipv4Addr::from(*a).to_string()).collect())
        }
        IPV6_HINT => {
            joined(value.as_chunks::<16>().0.iter().map(|a| Ipv6Addr::from(*a).to_string()).collect())
        }
        ECH => {
            let mut text = String::new();
            super::shape::write_base64(value, &mut text);
            text.into_bytes()
        }
        _ => value.to_vec(),
    }
}

/// Non-empty length-prefixed strings; `None` if the octets have another form.
fn strings(mut value: &[u8]) -> Option<Vec<&[u8]>> {
    let mut strings = Vec::new();
    while let Some((&length, rest)) = value.split_first() {
        let (one, behind) = rest.split_at_checked(usize::from(length)).filter(|(one, _)| !one.is_empty())?;
        strings.push(one);
        value = behind;
    }
    Some(strings)
}

type Walked<'r> = (u16, &'r [u8], Vec<(u16, &'r [u8])>);

/// Priority, target, and parameters in the order sent; `None` if octets are missing or surplus.
fn walk(rdata: &[u8]) -> Option<Walked<'_>> {
    let (priority, rest) = rdata.split_first_chunk::<2>()?;
    let (target, mut rest) = rest.split_at_checked(wire_name_len(rest)?)?;
    let mut params = Vec::new();
    while !rest.is_empty() {
        let (key, behind) = rest.split_first_chunk::<2>()?;
        let (length, behind) = behind.split_first_chunk::<2>()?;
        let (value, behind) = behind.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
        params.push((u16::from_be_bytes(*key), value));
        rest = behind;
    }
    Some((u16::from_be_bytes(*priority), target, params))
}

/// First fault of the parameters, if any.
fn fault(params: &[(u16, &[u8])]) -> Option<String> {
    let has = |key: u16| params.binary_search_by_key(&key, |(other, _)| *other).is_ok();
    if !params.is_sorted_by(|a, b| a.0 < b.0) || has(INVALID) {
        return Some("the parameters are not in ascending order".to_owned());
    }
    for (key, value) in params {
        let is_right = match *key {
            MANDATORY => !value.is_empty() && value.len().is_multiple_of(2),
            ALPN => !value.is_empty() && strings(value).is_some(),
            NO_DEFAULT_ALPN | OHTTP => value.is_empty(),
            PORT => value.len() == 2,
            IPV4_HINT => !value.is_empty() && value.len().is_multiple_of(4),
            ECH => !value.is_empty(),
            IPV6_HINT => !value.is_empty() && value.len().is_multiple_of(16),
            DOHPATH => value.starts_with(b"/") && std::str::from_utf8(value).is_ok(),
            _ => true,
        };
        if !is_right {
            return Some(format!("`{}` has an invalid value", key_name(*key)));
        }
    }
    let mandatory: Vec<u16> = params
        .iter()
        .filter(|(key, _)| *key == MANDATORY)
        .flat_map(|(_, v)| v.as_chunks::<2>().0)
        .map(|key| u16::from_be_bytes(*key))
        .collect();
    if !mandatory.is_sorted_by(|a, b| a < b) || mandatory.contains(&MANDATORY) {
        return Some("`mandatory` names a key twice, or itself".to_owned());
    }
    if let Some(missing) = mandatory.into_iter().find(|key| !has(*key)) {
        return Some(format!("`mandatory` names `{}`, which is missing", key_name(missing)));
    }
    (has(NO_DEFAULT_ALPN) && !has(ALPN)).then(|| "`no-default-alpn` is written without `alpn`".to_owned())
}
