//! Judges a response while it comes: first the head, then the body if an intake wants it. This file
//! uses no sockets, so that the fuzzer runs the same code as a probe.

use super::body::{BodyReader, Framing, Progress};
use super::head::{Found, Head, HeadReader};
use crate::health::spec::{HttpCheck, HttpMethod};
use crate::probe::tcp::Sought;
use crate::probe::{Finding, words};

/// Consumer of a body, piece by piece.
pub(crate) trait Intake {
    /// Takes the next octets of the body. Returns true once the intake needs no more of them. An
    /// error ends the exchange.
    fn take(&mut self, octets: &[u8]) -> Result<bool, String>;

    /// Handles the end of a body before [`Intake::take`] has returned true.
    fn end(&mut self) -> Finding;
}

/// Response that is being received.
pub(super) struct Hearing<'c, 'i> {
    check: &'c HttpCheck,
    heads: HeadReader<'c>,
    body: Option<Body>,
    intake: Option<&'i mut (dyn Intake + Send)>,
}

/// Body that is being received.
struct Body {
    reader: BodyReader,
    is_until_close: bool,
    encoding: Option<Vec<u8>>,
}

impl<'c, 'i> Hearing<'c, 'i> {
    /// Starts before the first octet. Without an intake the body is not examined.
    pub(super) fn new(check: &'c HttpCheck, intake: Option<&'i mut (dyn Intake + Send)>) -> Hearing<'c, 'i> {
        let heads = HeadReader::new(&check.expect_headers, check.method == HttpMethod::Head);
        Hearing { check, heads, body: None, intake }
    }

    /// True if the head is complete and passed the check.
    pub(super) fn is_in_body(&self) -> bool {
        self.body.is_some()
    }

    /// Oddities of a response that passed.
    pub(super) fn remark(&self) -> Option<String> {
        self.heads.remark()
    }

    /// Takes the next octets; true once the response has passed.
    pub(super) fn take(&mut self, octets: &[u8]) -> Result<bool, String> {
        if self.body.is_some() {
            return self.take_body(octets);
        }
        match self.heads.take(octets)? {
            None => Ok(false),
            Some((head, used)) => Ok(self.head(head)? || self.take_body(&octets[used..])?),
        }
    }

    /// Handles the end of the connection; `is_cut`: without a close_notify of TLS.
    pub(super) fn end(&mut self, is_cut: bool) -> Finding {
        if self.body.is_none() {
            let head = self.heads.end()?;
            if self.head(head)? || self.take_body(&[])? {
                return Ok(());
            }
        }
        let (Some(body), Some(intake)) = (&self.body, &mut self.intake) else { return Ok(()) };
        body.reader.end()?;
        intake.end().map_err(|why| body.encoded(why))?;
        if is_cut && body.is_until_close {
            return Err("the server closed without an end of TLS, so the body may be cut".to_owned());
        }
        Ok(())
    }

    /// Judges the head; true if no intake wants the body.
    fn head(&mut self, head: Head) -> Result<bool, String> {
        judge(self.check, &head)?;
        // An unsupported coding matters only if an intake wants the body.
        if let Some(why) = head.unread
            && self.intake.is_some()
            && head.framing != Framing::Length(0)
        {
            return Err(why);
        }
        let is_until_close = head.framing == Framing::UntilClose;
        let reader = BodyReader::new(head.framing);
        self.body = Some(Body { reader, is_until_close, encoding: head.encoding });
        Ok(self.intake.is_none())
    }

    fn take_body(&mut self, octets: &[u8]) -> Result<bool, String> {
        let (Some(body), Some(intake)) = (&mut self.body, &mut self.intake) else { return Ok(true) };
        let taken = match body.reader.take(octets, &mut **intake) {
            Ok(Progress::Partial) => Ok(false),
            Ok(Progress::Enough) => Ok(true),
            Ok(Progress::Whole) => intake.end().map(|()| true),
            Err(why) => Err(why),
        };
        taken.map_err(|why| body.encoded(why))
    }
}

impl Body {
    /// Adds the probable cause to a fault: bodies are not decoded.
    fn encoded(&self, why: String) -> String {
        match &self.encoding {
            Some(encoding) => format!("{why} (its Content-Encoding is {})", words::quoted(encoding)),
            None => why,
        }
    }
}

fn judge(check: &HttpCheck, head: &Head) -> Finding {
    let status = head.status;
    if !check.expect.iter().any(|range| range.contains(&status)) {
        let ranges = check.expect.iter().map(|range| match (range.start(), range.end()) {
            (first, last) if first == last => first.to_string(),
            (first, last) => format!("{first}-{last}"),
        });
        return Err(format!("status {status}, expected {}", ranges.collect::<Vec<_>>().join(", ")));
    }
    for (found, (name, wanted)) in head.found.iter().zip(&check.expect_headers) {
        let name = || words::quoted(name.as_bytes());
        match found {
            Found::Value => {}
            Found::Nothing => return Err(format!("the response has no header {}", name())),
            Found::Name => {
                let wanted = words::quoted(wanted.as_bytes());
                return Err(format!("header {} does not contain {wanted}", name()));
            }
        }
    }
    Ok(())
}

/// Text that the body must contain.
pub(super) struct Expected<'e> {
    expected: &'e [u8],
    sought: Sought<'e>,
}

impl<'e> Expected<'e> {
    /// Starts before the first octet.
    pub(super) fn new(expected: &'e [u8]) -> Expected<'e> {
        Expected { expected, sought: Sought::new(expected) }
    }
}

impl Intake for Expected<'_> {
    fn take(&mut self, octets: &[u8]) -> Result<bool, String> {
        if self.sought.take(octets) {
            return Ok(true);
        }
        if self.sought.is_full() {
            return Err(format!("{} is not in {}", words::quoted(self.expected), self.sought.name("body")));
        }
        Ok(false)
    }

    fn end(&mut self) -> Finding {
        if self.sought.take(b"") {
            Ok(())
        } else {
            Err(format!("the body does not contain {}", words::quoted(self.expected)))
        }
    }
}

/// Parses a complete response that comes in pieces: its body, and its oddities. Any status from 200
/// passes.
pub fn reply<'p>(pieces: impl Iterator<Item = &'p [u8]>) -> Result<(Vec<u8>, Option<String>), String> {
    #[derive(Default)]
    struct Kept(Vec<u8>);
    impl Intake for Kept {
        fn take(&mut self, octets: &[u8]) -> Result<bool, String> {
            self.0.extend_from_slice(octets);
            Ok(false)
        }
        fn end(&mut self) -> Finding {
            Ok(())
        }
    }
    let check = HttpCheck {
        tls: None,
        port: 80,
        method: HttpMethod::Get,
        path: "/".into(),
        host: None,
        headers: Vec::new(),
        expect: vec![200..=999],
        expect_headers: Vec::new(),
        body: None,
    };
    let mut kept = Kept::default();
    let mut hearing = Hearing::new(&check, Some(&mut kept));
    let mut is_well = false;
    for piece in pieces {
        is_well = hearing.take(piece)?;
        if is_well {
            break;
        }
    }
    if !is_well {
        hearing.end(false)?;
    }
    let remark = hearing.remark();
    Ok((kept.0, remark))
}
