//! Words of presentation format (RFC 1035 section 5.1): separated by blanks, quoted or not, with
//! escapes.

use super::RdataError;

/// A word of presentation format.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Token {
    /// Text between the quotes or blanks, escapes as written.
    pub(super) raw: String,
    /// True if the word was quoted.
    pub(super) quoted: bool,
    /// True if no blank separates it from the word before.
    pub(super) attached: bool,
}

impl Token {
    /// Makes a word from octets as written in a file; escapes them if they are not UTF-8.
    pub(crate) fn new(octets: &[u8], quoted: bool, attached: bool) -> Token {
        let raw = match std::str::from_utf8(octets) {
            Ok(text) => text.to_owned(),
            Err(_) => escaped(octets),
        };
        Token { raw, quoted, attached }
    }
}

/// Text of octets that are not UTF-8, with every octet beyond ASCII escaped.
fn escaped(octets: &[u8]) -> String {
    let mut text = String::new();
    let mut rest = octets.iter().copied();
    while let Some(octet) = rest.next() {
        // A backslash protects the octet behind it, whichever it is.
        let (before, octet) = if octet == b'\\' { ("\\", rest.next()) } else { ("", Some(octet)) };
        match octet {
            Some(octet) if !octet.is_ascii() => text.push_str(&format!("\\{octet:03}")),
            octet => text.extend(before.chars().chain(octet.map(char::from))),
        }
    }
    text
}

/// Splits a text into words. With `values`, a quote may follow `=` inside a word (RFC 9460 section
/// 2.1).
pub(super) fn split(text: &str, values: bool) -> Result<Vec<Token>, RdataError> {
    let mut tokens = Vec::new();
    let mut rest = text.chars().peekable();
    let mut attached = false;
    while let Some(&first) = rest.peek() {
        if first.is_whitespace() {
            rest.next();
            attached = false;
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
                Some('"') if values && raw.ends_with('=') => break,
                Some('"') => {
                    return Err(RdataError::new("there is a quote inside a word")
                        .help(r#"write `\"` for a literal quote"#));
                }
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
        tokens.push(Token { raw, quoted, attached });
        attached = true;
    }
    Ok(tokens)
}

/// Octets of a word with its escapes undone.
pub(super) fn octets(token: &Token) -> Result<Vec<u8>, RdataError> {
    let bad =
        || RdataError::new("a backslash must be followed by one character or by three digits up to 255");
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
