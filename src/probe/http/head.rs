//! Head of a response: status line and fields, parsed octet by octet as they come.
//!
//! curl is the reference: a response that curl accepts is accepted, and one that curl refuses is
//! refused. A small flaw that curl ignores becomes a remark, because other clients may refuse the
//! response. Only the current line is kept, and each octet is examined a bounded number of times.

use super::body::Framing;
use crate::limits::{PROBE_HEADER_OCTETS_MAX, PROBE_LINE_OCTETS_MAX};
use crate::probe::tcp::Sought;
use crate::probe::words::quoted;
use std::sync::Arc;

/// Octets of an unexpected line that a message shows.
const SHOWN: usize = 40;

/// Reader of one head. Interim responses (RFC 9110 section 15.2) are skipped.
pub(super) struct HeadReader<'c> {
    /// Fields that the check expects: name, and text that the value must contain.
    expected: &'c [(Arc<str>, Arc<str>)],
    is_head_request: bool,
    /// Current line so far, without its line feed.
    line: Vec<u8>,
    /// Complete field, which the next line may continue, and the number of its first line.
    field: Option<(usize, Vec<u8>)>,
    lines: usize,
    octets: usize,
    head: Head,
    flaws: Flaws,
}

/// Parsed head of a response.
#[derive(Debug)]
pub(super) struct Head {
    /// Status; 0 before the status line is complete.
    pub(super) status: u16,
    /// End of the body.
    pub(super) framing: Framing,
    /// Value of `Content-Encoding`, unless it is `identity`.
    pub(super) encoding: Option<Vec<u8>>,
    /// Match of each expected field.
    pub(super) found: Vec<Found>,
    /// Reason why the body cannot be examined, if its transfer coding is unsupported.
    pub(super) unread: Option<String>,
    length: Option<Length>,
    is_chunked: bool,
}

/// Match of an expected field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// No field has this name.
    Nothing,
    /// A field has the name, with another value.
    Name,
    /// A field has the name and the value.
    Value,
}

/// `Content-Length`.
#[derive(Clone, Copy, Debug)]
enum Length {
    Octets(u64),
    /// More than a 64-bit integer holds: the body ends with the connection.
    Unknown,
}

/// Small flaws: a description of the first, and their number.
#[derive(Debug, Default)]
struct Flaws {
    first: Option<String>,
    count: usize,
}

impl Flaws {
    /// Counts a flaw. Only the first is described.
    fn add(&mut self, line: usize, words: impl FnOnce() -> String) {
        self.count += 1;
        if self.first.is_none() {
            self.first = Some(format!("line {line} of the response has {}", words()));
        }
    }
}

impl<'c> HeadReader<'c> {
    /// Starts before the first octet. The response to `HEAD` has no body.
    pub(super) fn new(expected: &'c [(Arc<str>, Arc<str>)], is_head_request: bool) -> HeadReader<'c> {
        HeadReader {
            expected,
            is_head_request,
            line: Vec::new(),
            field: None,
            lines: 0,
            octets: 0,
            head: Head::new(expected.len()),
            flaws: Flaws::default(),
        }
    }

    /// Takes the next octets. Once the head is complete, returns it and how many of the octets
    /// belong to it.
    pub(super) fn take(&mut self, octets: &[u8]) -> Result<Option<(Head, usize)>, String> {
        let mut rest = octets;
        while let Some(len) = rest.iter().position(|octet| *octet == b'\n') {
            let (line, behind) = rest.split_at(len);
            self.more(line, 1)?;
            rest = &behind[1..];
            if self.end_line()? {
                return Ok(Some((self.done()?, octets.len() - rest.len())));
            }
        }
        self.more(rest, 0)?;
        Ok(None)
    }

    /// Handles the end of the connection. A status line suffices for a response, whatever is
    /// missing behind it.
    pub(super) fn end(&mut self) -> Result<Head, String> {
        if self.head.status == 0 {
            return Err(match self.lines {
                0 if self.line.is_empty() => "the server closed without a response".to_owned(),
                0 => format!("the server closed within the first line, {}", quoted(&self.line)),
                _ => "the server closed after an interim response".to_owned(),
            });
        }
        // A line without its line feed may have lost octets, so it is dropped.
        self.line.clear();
        self.end_field()?;
        self.flaws.add(self.lines + 1, || "no empty line: the server closed within the header".to_owned());
        self.done()
    }

    /// Oddities of a head that is accepted.
    pub(super) fn remark(&self) -> Option<String> {
        let first = self.flaws.first.as_ref()?;
        Some(match self.flaws.count {
            0 | 1 => first.clone(),
            count => format!("{first} (and {} more flaws)", count - 1),
        })
    }

    /// Appends octets to the line; `line_feed` is 1 if the line feed has come, else 0.
    fn more(&mut self, octets: &[u8], line_feed: usize) -> Result<(), String> {
        self.octets += octets.len() + line_feed;
        let continued = self.field.as_ref().map_or(0, |(_, field)| field.len());
        if self.octets > PROBE_HEADER_OCTETS_MAX {
            return Err(format!(
                "the response header is too large (over {} KiB)",
                PROBE_HEADER_OCTETS_MAX >> 10
            ));
        }
        if continued.max(self.line.len() + octets.len()) > PROBE_LINE_OCTETS_MAX {
            return Err(format!(
                "line {} of the response is too large (over {} KiB)",
                self.lines + 1,
                PROBE_LINE_OCTETS_MAX >> 10
            ));
        }
        self.line.extend_from_slice(octets);
        if self.head.status == 0 {
            self.begins_as_http()?;
        }
        Ok(())
    }

    /// Refuses a line that cannot become a status line, so that a flood of other data is not waited
    /// for.
    fn begins_as_http(&self) -> Result<(), String> {
        const NAME: &[u8] = b"HTTP/";
        let len = self.line.len().min(NAME.len());
        if self.line[..len].eq_ignore_ascii_case(&NAME[..len]) {
            return Ok(());
        }
        Err(match *self.line.as_slice() {
            [0x15 | 0x16, 3, ..] => "the server speaks TLS on this port; use `https`".to_owned(),
            [0, 0, _, 4 | 7, ..] => "the server speaks HTTP/2 only; probes speak HTTP/1.1".to_owned(),
            ref line => format!("the response is no HTTP/1.1: it begins with {}", shown(line)),
        })
    }

    /// Handles a complete line; true if it ends the head.
    fn end_line(&mut self) -> Result<bool, String> {
        self.lines += 1;
        let mut line = std::mem::take(&mut self.line);
        let number = self.lines;
        match line.pop_if(|last| *last == b'\r') {
            Some(_) => {}
            None => self.flaws.add(number, || "a line feed without a carriage return".to_owned()),
        }
        if line.contains(&0) {
            return Err(format!("line {number} of the response has the octet 0x00: {}", shown(&line)));
        }
        if self.head.status == 0 {
            self.status_line(&line)?;
        } else if line.is_empty() {
            self.end_field()?;
            // Interim responses precede the final one; after 101 the connection changes its
            // protocol.
            if !matches!(self.head.status, 100 | 102..=199) {
                return Ok(true);
            }
            self.head = Head::new(self.expected.len());
        } else if matches!(line[0], b' ' | b'\t') {
            let Some((_, field)) = &mut self.field else {
                return Err(format!("line {number} of the response continues no field: {}", shown(&line)));
            };
            // Obsolete line folding (RFC 9112 section 5.2): one blank replaces the line end.
            field.truncate(field.trim_ascii_end().len());
            field.push(b' ');
            field.extend_from_slice(line.trim_ascii());
            self.flaws.add(number, || "a folded field (obsolete, RFC 9112 section 5.2)".to_owned());
        } else {
            self.end_field()?;
            self.field = Some((number, line));
            return Ok(false);
        }
        line.clear();
        // Keeps the allocation for the next line.
        self.line = line;
        Ok(false)
    }

    fn status_line(&mut self, line: &[u8]) -> Result<(), String> {
        let number = self.lines;
        let no_http = || format!("the response is no HTTP/1.1: line {number} is {}", shown(line));
        // `more` has checked the name.
        let (name, rest) = line.split_at_checked(5).ok_or_else(no_http)?;
        let version_end = rest.iter().position(|octet| *octet == b' ').unwrap_or(rest.len());
        let (version, rest) = rest.split_at(version_end);
        if !matches!(version, b"1.1" | b"1.0" | b"2" | b"2.0") {
            return Err(format!("the response is HTTP/{}, not HTTP/1.1", version.escape_ascii()));
        }
        let blanks = rest.len() - rest.trim_ascii_start().len();
        let rest = rest.trim_ascii_start();
        let digits = rest.iter().take_while(|octet| octet.is_ascii_digit()).count();
        let (code, reason) = rest.split_at(digits);
        let status = code.iter().fold(0u32, |n, digit| n.saturating_mul(10) + u32::from(digit - b'0'));
        if code.len() != 3 || status < 100 {
            return Err(format!(
                "line {number} of the response has no status of three digits: {}",
                shown(line)
            ));
        }
        self.head.status = status as u16;
        let flaws = &mut self.flaws;
        if name != b"HTTP/" {
            flaws.add(number, || format!("{} for HTTP/", quoted(name)));
        }
        if !version.starts_with(b"1") {
            flaws.add(number, || "the version of another protocol, HTTP/2".to_owned());
        }
        if blanks != 1 {
            flaws.add(number, || format!("{blanks} blanks before the status"));
        }
        match reason {
            [] => flaws.add(number, || "no blank and no reason phrase behind the status".to_owned()),
            [b' ', reason @ ..] => self.odd_octet(number, reason, "the reason phrase"),
            _ => flaws.add(number, || "no blank behind the status".to_owned()),
        }
        Ok(())
    }

    /// Notes the first octet that is not visible ASCII, blank or tab.
    fn odd_octet(&mut self, number: usize, text: &[u8], place: &str) {
        let is_odd = |octet: &&u8| !matches!(**octet, b'\t' | 0x20..=0x7e);
        if let Some(odd) = text.iter().find(is_odd) {
            self.flaws.add(number, || format!("the octet {odd:#04x} in {place}"));
        }
    }

    /// Handles a complete field that no further line continues.
    fn end_field(&mut self) -> Result<(), String> {
        let Some((number, field)) = self.field.take() else { return Ok(()) };
        let Some(colon) = field.iter().position(|octet| *octet == b':') else {
            return Err(format!("line {number} of the response has no colon: {}", shown(&field)));
        };
        let (written, value) = (&field[..colon], field[colon + 1..].trim_ascii());
        let name = written.trim_ascii_end();
        if name.len() < written.len() {
            self.flaws.add(number, || "a blank before the colon (RFC 9112 section 5.1)".to_owned());
        }
        let is_token = |octet: &u8| octet.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(octet);
        if name.is_empty() {
            self.flaws.add(number, || "a field without a name".to_owned());
        } else if let Some(odd) = name.iter().find(|octet| !is_token(octet)) {
            self.flaws.add(number, || format!("the octet {odd:#04x} in a field name"));
        }
        self.odd_octet(number, value, "a field value");
        self.meaning(number, name, value)?;
        for (found, (wanted, text)) in self.head.found.iter_mut().zip(self.expected) {
            if *found != Found::Value && name.eq_ignore_ascii_case(wanted.as_bytes()) {
                let is_there = Sought::new(text.as_bytes()).take(value);
                *found = if is_there { Found::Value } else { Found::Name };
            }
        }
        Ok(())
    }

    /// Interprets the fields for the framing and the coding of the body.
    fn meaning(&mut self, number: usize, name: &[u8], value: &[u8]) -> Result<(), String> {
        if name.eq_ignore_ascii_case(b"content-length") {
            let text = value.strip_prefix(b"+").unwrap_or(value);
            let digits = text.iter().take_while(|octet| octet.is_ascii_digit()).count();
            if digits == 0 {
                return Err(format!("line {number} of the response has the Content-Length {}", shown(value)));
            }
            if digits < value.len() {
                self.flaws.add(number, || format!("the Content-Length {}", shown(value)));
            }
            if self.head.length.is_some() {
                self.flaws.add(number, || "a second Content-Length".to_owned());
            }
            let octets = text[..digits]
                .iter()
                .try_fold(0u64, |n, digit| n.checked_mul(10)?.checked_add(u64::from(digit - b'0')));
            self.head.length = Some(octets.map_or(Length::Unknown, Length::Octets));
        } else if name.eq_ignore_ascii_case(b"transfer-encoding") {
            for coding in value.split(|octet| *octet == b',').map(<[u8]>::trim_ascii) {
                if coding.eq_ignore_ascii_case(b"chunked") {
                    self.head.is_chunked = true;
                } else if !coding.is_empty() && !coding.eq_ignore_ascii_case(b"identity") {
                    let flaw = format!("the Transfer-Encoding {}, which probes do not read", shown(coding));
                    let unread = &mut self.head.unread;
                    unread.get_or_insert_with(|| format!("line {number} of the response has {flaw}"));
                    self.flaws.add(number, || flaw);
                }
            }
        } else if name.eq_ignore_ascii_case(b"content-encoding") && !value.eq_ignore_ascii_case(b"identity") {
            self.head.encoding = Some(value[..value.len().min(SHOWN)].to_vec());
        }
        Ok(())
    }

    fn done(&mut self) -> Result<Head, String> {
        let mut head = std::mem::replace(&mut self.head, Head::new(0));
        if head.is_chunked && head.length.is_some() {
            self.flaws.add(self.lines, || "Content-Length beside Transfer-Encoding before it".to_owned());
        }
        head.framing = match head.length {
            _ if self.is_head_request || matches!(head.status, 204 | 304) => Framing::Length(0),
            _ if head.is_chunked => Framing::Chunked,
            Some(Length::Octets(octets)) => Framing::Length(octets),
            Some(Length::Unknown) | None => Framing::UntilClose,
        };
        Ok(head)
    }
}

impl Head {
    fn new(expected: usize) -> Head {
        Head {
            status: 0,
            framing: Framing::UntilClose,
            encoding: None,
            found: vec![Found::Nothing; expected],
            unread: None,
            length: None,
            is_chunked: false,
        }
    }
}

/// Beginning of a line, in quotes.
fn shown(line: &[u8]) -> String {
    let cut = if line.len() > SHOWN { " ..." } else { "" };
    format!("{}{cut}", quoted(&line[..line.len().min(SHOWN)]))
}
