//! Words of presentation format (RFC 1035 section 5.1): separated by blanks, quoted or not, with
//! escapes.

use super::RdataError;

/// A word of presentation format.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// Between the quotes or blanks, escapes as written.
    pub(super) raw: String,
    /// Whether it stood in quotes.
    pub(super) quoted: bool,
}

impl Token {
    /// A word from octets as they stand in a file; what is not UTF-8 is escaped.
    pub fn new(octets: &[u8], quoted: bool) -> Token {
        let raw = match std::str::from_utf8(octets) {
            Ok(text) => text.to_owned(),
            Err(_) => octets.iter().map(|o| if o.is_ascii() { char::from(*o).to_string() } else { format!("\\{o:03}") }).collect(),
        };
        Token { raw, quoted }
    }
}

/// Cuts a text into words.
pub(super) fn split(text: &str) -> Result<Vec<Token>, RdataError> {
    let mut tokens = Vec::new();
    let mut rest = text.chars().peekable();
    while let Some(&first) = rest.peek() {
        if first.is_whitespace() {
            rest.next();
            continue;
        }
        let quoted = first == '"';
        if quoted {
            rest.next();
        }
        let mut raw = String::new();
        loop {
            match rest.peek().copied() {
                None if quoted => return Err(RdataError::new("a quoted string has no end")),
                None => break,
                Some('"') if quoted => {
                    rest.next();
                    break;
                }
                Some('"') => return Err(RdataError::new("a quote stands inside a word").help(r#"write `\"` for a quote that is meant"#)),
                Some(c) if !quoted && c.is_whitespace() => break,
                Some(c) => {
                    rest.next();
                    raw.push(c);
                    if c == '\\' {
                        raw.push(rest.next().ok_or_else(|| RdataError::new("nothing follows a backslash"))?);
                    }
                }
            }
        }
        tokens.push(Token { raw, quoted });
    }
    Ok(tokens)
}

/// The octets of a word with its escapes undone.
pub(super) fn octets(token: &Token) -> Result<Vec<u8>, RdataError> {
    let bad = || RdataError::new("a backslash must be followed by one character or by three digits up to 255");
    let mut octets = Vec::with_capacity(token.raw.len());
    let mut rest = token.raw.bytes();
    while let Some(octet) = rest.next() {
        if octet != b'\\' {
            octets.push(octet);
            continue;
        }
        let first = rest.next().ok_or_else(bad)?;
        if !first.is_ascii_digit() {
            octets.push(first);
            continue;
        }
        let digits = [Some(first), rest.next(), rest.next()];
        let mut value: u16 = 0;
        for digit in digits {
            let digit = digit.filter(u8::is_ascii_digit).ok_or_else(bad)?;
            value = value * 10 + u16::from(digit - b'0');
        }
        octets.push(u8::try_from(value).map_err(|_| bad())?);
    }
    Ok(octets)
}

/// Writes octets as the inside of a quoted string.
pub(super) fn escape(octets: &[u8], to: &mut String) {
    for &octet in octets {
        match octet {
            b'"' | b'\\' => {
                to.push('\\');
                to.push(octet as char);
            }
            0x20..=0x7e => to.push(octet as char),
            _ => to.push_str(&format!("\\{octet:03}")),
        }
    }
}
