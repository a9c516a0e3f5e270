//! Domain names in wire form, for configuration and zone data.
//!
//! A [`Name`] is the uncompressed wire form in its original letter case; comparing and hashing
//! ignore ASCII case (RFC 4343). The answer path works on the octets of packets ([`super::query`]);
//! `Name` serves the work of a load.

use std::fmt;
use std::hash::{Hash, Hasher};

/// Reason why a text is not a domain name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NameError {
    /// A label of more than 63 octets.
    LabelTooLong,
    /// More than 255 octets in wire form.
    NameTooLong,
    /// Two dots in a row, or a dot at the start.
    EmptyLabel,
    /// A backslash that is not followed by one character or three digits up to 255.
    BadEscape,
    /// No text at all.
    Empty,
    /// UTF-8 text that is not ASCII: an internationalized name in U-labels.
    NotAscii,
    /// Octets that are not an uncompressed wire name.
    BadWire,
}

impl fmt::Display for NameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            NameError::LabelTooLong => "a label is longer than 63 octets",
            NameError::NameTooLong => "the name is longer than 255 octets",
            NameError::EmptyLabel => "a label is empty",
            NameError::BadEscape => "a backslash must be followed by one character or three digits",
            NameError::Empty => "the name is empty",
            NameError::NotAscii => "it has characters that are not ASCII",
            NameError::BadWire => "these octets are not a name in wire form",
        })
    }
}

/// Compares two names in lower-case wire form: as `==`, but without a call for most names.
#[inline(always)]
pub(crate) fn same(a: &[u8], b: &[u8]) -> bool {
    if a.len() != b.len() {
        return false;
    }
    // Two overlapping blocks cover every octet of a name of at most 32 octets.
    match (a.first_chunk::<16>(), a.last_chunk::<16>(), b.first_chunk::<16>(), b.last_chunk::<16>()) {
        (Some(a0), Some(a1), Some(b0), Some(b1)) if a.len() <= 32 => {
            (u128::from_ne_bytes(*a0) ^ u128::from_ne_bytes(*b0))
                | (u128::from_ne_bytes(*a1) ^ u128::from_ne_bytes(*b1))
                == 0
        }
        _ => a == b,
    }
}

/// Octets of the longest common ending of two names in wire form, without regard to letter case; at
/// least 1, for the root.
pub(crate) fn common_ending_len(mut a: &[u8], mut b: &[u8]) -> usize {
    let behind = |name: &mut &[u8]| {
        let label = name.first().map_or(0, |len| 1 + usize::from(*len));
        *name = name.get(label..).unwrap_or_default();
    };
    loop {
        let longer = a.len().cmp(&b.len());
        if longer.is_eq() && a.eq_ignore_ascii_case(b) {
            return a.len();
        }
        if longer.is_ge() {
            behind(&mut a);
        }
        if longer.is_le() {
            behind(&mut b);
        }
    }
}

/// Domain name: uncompressed wire form that keeps its case and compares without case.
#[derive(Clone)]
pub struct Name {
    wire: Box<[u8]>,
}

/// Longest name in wire form (RFC 1035 section 3.1).
pub(crate) const NAME_OCTETS_MAX: usize = 255;

impl Name {
    /// The root.
    pub fn root() -> Name {
        Name { wire: Box::new([0]) }
    }

    /// Parses presentation format. A name without a final dot is relative to `origin`, and `@` is
    /// `origin` itself (RFC 1035 section 5.1).
    pub fn parse(text: &str, origin: Option<&Name>) -> Result<Name, NameError> {
        Name::parse_octets(text.as_bytes(), origin)
    }

    /// [`Name::parse`] for any octets, as in zone files. Octets beyond ASCII are taken as they are,
    /// unless they are UTF-8: UTF-8 means an IDN, which has another name in the DNS.
    pub(crate) fn parse_octets(text: &[u8], origin: Option<&Name>) -> Result<Name, NameError> {
        let root = Name::root();
        let origin = origin.unwrap_or(&root);
        match text {
            b"" => return Err(NameError::Empty),
            b"@" => return Ok(origin.clone()),
            b"." => return Ok(root),
            _ => {}
        }
        if !text.is_ascii() && std::str::from_utf8(text).is_ok() {
            return Err(NameError::NotAscii);
        }
        let mut wire: Vec<u8> = Vec::with_capacity(text.len().min(NAME_OCTETS_MAX) + origin.wire.len() + 1);
        let mut label_at = 0;
        wire.push(0);
        let mut rest = text.iter().copied();
        let mut absolute = false;
        while let Some(octet) = rest.next() {
            absolute = false;
            let octet = match octet {
                b'.' => {
                    let length = wire.len() - label_at - 1;
                    if length == 0 {
                        return Err(NameError::EmptyLabel);
                    }
                    wire[label_at] = length as u8;
                    label_at = wire.len();
                    wire.push(0);
                    absolute = true;
                    continue;
                }
                b'\\' => match rest.next().ok_or(NameError::BadEscape)? {
                    d1 @ b'0'..=b'9' => {
                        let (d2, d3) = (rest.next(), rest.next());
                        match (d2, d3) {
                            (Some(d2 @ b'0'..=b'9'), Some(d3 @ b'0'..=b'9')) => {
                                let value = u16::from(d1 - b'0') * 100
                                    + u16::from(d2 - b'0') * 10
                                    + u16::from(d3 - b'0');
                                u8::try_from(value).map_err(|_| NameError::BadEscape)?
                            }
                            _ => return Err(NameError::BadEscape),
                        }
                    }
                    other => other,
                },
                other => other,
            };
            wire.push(octet);
            if wire.len() - label_at - 1 > 63 {
                return Err(NameError::LabelTooLong);
            }
            if wire.len() > NAME_OCTETS_MAX {
                return Err(NameError::NameTooLong);
            }
        }
        if absolute {
            // The last pushed length octet is the root label.
        } else {
            wire[label_at] = (wire.len() - label_at - 1) as u8;
            wire.extend_from_slice(&origin.wire);
        }
        if wire.len() > NAME_OCTETS_MAX {
            return Err(NameError::NameTooLong);
        }
        Ok(Name { wire: wire.into() })
    }

    /// Parses uncompressed wire octets; the slice must be exactly one name.
    pub fn from_wire(wire: &[u8]) -> Result<Name, NameError> {
        match wire_name_len(wire) {
            Some(len) if len == wire.len() => Ok(Name { wire: wire.into() }),
            _ => Err(NameError::BadWire),
        }
    }

    /// Wire form in its original case.
    pub fn as_wire(&self) -> &[u8] {
        &self.wire
    }

    /// The name in lower case, in which names are stored and hashed.
    pub fn to_lowercase(&self) -> Name {
        Name { wire: self.wire.to_ascii_lowercase().into() }
    }

    /// True for the root.
    pub(crate) fn is_root(&self) -> bool {
        self.wire.len() == 1
    }

    /// Labels from the left, without the root label.
    pub(crate) fn labels(&self) -> impl Iterator<Item = &[u8]> {
        let mut at = 0;
        std::iter::from_fn(move || {
            let len = self.wire[at] as usize;
            if len == 0 {
                return None;
            }
            let label = &self.wire[at + 1..at + 1 + len];
            at += 1 + len;
            Some(label)
        })
    }

    /// Number of labels, without the root label.
    pub(crate) fn label_count(&self) -> usize {
        self.labels().count()
    }

    /// True if this name is `ancestor` or is below it.
    pub fn is_at_or_below(&self, ancestor: &Name) -> bool {
        let (Some(cut), tail) = (self.wire.len().checked_sub(ancestor.wire.len()), &ancestor.wire) else {
            return false;
        };
        self.wire[cut..].eq_ignore_ascii_case(tail) && self.label_starts().any(|start| start == cut)
    }

    /// True if the first label is a lone asterisk (RFC 4592 section 2.1.1).
    pub(crate) fn is_wildcard(&self) -> bool {
        self.wire.starts_with(b"\x01*")
    }

    /// Prepends one label.
    pub(crate) fn prepend(&self, label: &[u8]) -> Result<Name, NameError> {
        if label.is_empty() {
            return Err(NameError::EmptyLabel);
        }
        if label.len() > 63 {
            return Err(NameError::LabelTooLong);
        }
        if label.len() + 1 + self.wire.len() > NAME_OCTETS_MAX {
            return Err(NameError::NameTooLong);
        }
        let mut wire = Vec::with_capacity(label.len() + 1 + self.wire.len());
        wire.push(label.len() as u8);
        wire.extend_from_slice(label);
        wire.extend_from_slice(&self.wire);
        Ok(Name { wire: wire.into() })
    }

    fn label_starts(&self) -> impl Iterator<Item = usize> {
        let mut at = Some(0usize);
        std::iter::from_fn(move || {
            let start = at?;
            let len = self.wire[start] as usize;
            at = (len > 0).then_some(start + 1 + len);
            Some(start)
        })
    }
}

/// Length of the uncompressed name at the start of `octets`, with its root label; `None` without a
/// valid name.
pub(crate) fn wire_name_len(octets: &[u8]) -> Option<usize> {
    let mut at = 0;
    loop {
        let len = *octets.get(at)? as usize;
        at += 1;
        if len == 0 {
            return Some(at);
        }
        if len > 63 || at + len >= NAME_OCTETS_MAX {
            return None;
        }
        at += len;
    }
}

impl PartialEq for Name {
    fn eq(&self, other: &Name) -> bool {
        self.wire.eq_ignore_ascii_case(&other.wire)
    }
}
impl Eq for Name {}

impl Hash for Name {
    /// Hashes the octets in lower case. [`super::hash`] has no key, so it would let the author of a
    /// zone choose names that collide in every table.
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write(in_lower_case(&self.wire, &mut [0; NAME_OCTETS_MAX]));
    }
}

impl PartialOrd for Name {
    fn partial_cmp(&self, other: &Name) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Name {
    /// Canonical order of RFC 4034 section 6.1: by label from the right, in lower case.
    fn cmp(&self, other: &Name) -> std::cmp::Ordering {
        let (mine, theirs) = (LabelStarts::of(&self.wire), LabelStarts::of(&other.wire));
        for (a, b) in mine.rightmost_first().zip(theirs.rightmost_first()) {
            match lowered(&self.wire, a).cmp(lowered(&other.wire, b)) {
                std::cmp::Ordering::Equal => {}
                order => return order,
            }
        }
        mine.count.cmp(&theirs.count)
    }
}

/// An uncompressed wire name in lower case, written to `room`.
pub(crate) fn in_lower_case<'r>(wire: &[u8], room: &'r mut [u8; NAME_OCTETS_MAX]) -> &'r [u8] {
    let lower = &mut room[..wire.len().min(NAME_OCTETS_MAX)];
    for (to, from) in lower.iter_mut().zip(wire) {
        *to = from.to_ascii_lowercase();
    }
    lower
}

/// Label that begins at `start`, octet by octet in lower case.
fn lowered(wire: &[u8], start: u8) -> impl Iterator<Item = u8> {
    let start = usize::from(start);
    wire[start + 1..start + 1 + usize::from(wire[start])].iter().map(u8::to_ascii_lowercase)
}

/// Starts of a name's labels, without allocation: loading zones compares names
/// a million times.
struct LabelStarts {
    starts: [u8; 128],
    count: usize,
}

impl LabelStarts {
    fn of(wire: &[u8]) -> LabelStarts {
        let mut found = LabelStarts { starts: [0; 128], count: 0 };
        let mut at = 0;
        while wire[at] > 0 {
            found.starts[found.count] = at as u8;
            found.count += 1;
            at += 1 + usize::from(wire[at]);
        }
        found
    }

    fn rightmost_first(&self) -> impl Iterator<Item = u8> {
        self.starts[..self.count].iter().rev().copied()
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_name(f, &self.wire)
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// Writes a wire name in presentation format with a final dot.
pub(crate) fn write_name(f: &mut impl fmt::Write, wire: &[u8]) -> fmt::Result {
    let mut at = 0;
    loop {
        let len = match wire.get(at) {
            Some(0) | None => break,
            Some(len) => *len as usize,
        };
        for &octet in wire.get(at + 1..at + 1 + len).unwrap_or_default() {
            match octet {
                b'.' | b'\\' | b'"' | b'(' | b')' | b';' | b'@' | b'$' => write!(f, "\\{}", octet as char)?,
                0x21..=0x7e => f.write_char(octet as char)?,
                _ => write!(f, "\\{octet:03}")?,
            }
        }
        f.write_char('.')?;
        at += 1 + len;
    }
    if at == 0 { f.write_char('.') } else { Ok(()) }
}

#[cfg(test)]
mod tests;
