//! Body of a response, extracted from its framing as the octets come (RFC 9112 section 6).
//!
//! As lenient as curl: a chunk line may end with a bare line feed, and any text may follow the
//! size. A size has 1 to 16 hexadecimal digits without a blank before.

use super::Intake;
use crate::limits::PROBE_PIECES_MAX;

/// Most hexadecimal digits of a chunk size, the same as curl's limit.
const SIZE_DIGITS_MAX: u8 = 16;

/// End of a body, by its framing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Framing {
    /// After this number of octets.
    Length(u64),
    /// After the chunk of size 0.
    Chunked,
    /// At the end of the connection.
    UntilClose,
}

/// State of a body that is being read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Progress {
    /// The body goes on.
    Partial,
    /// The body has ended.
    Whole,
    /// The intake needs no more of the body.
    Enough,
}

/// Reader of one body.
#[derive(Debug)]
pub(super) struct BodyReader {
    framing: Framing,
    /// Octets left of the body, or of the current chunk.
    left: u64,
    taken: u64,
    at: ChunkPart,
    digits: u8,
    /// Octets of the trailer line that is being read.
    trailer: usize,
    pieces: usize,
}

/// Next part of a chunked body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ChunkPart {
    Size,
    /// Text behind the size, up to the line feed.
    Extension,
    Data,
    /// Line end behind the data.
    DataEnd,
    /// Trailer lines behind the last chunk, up to an empty line.
    Trailer,
}

impl BodyReader {
    /// Starts before the first octet of the body.
    pub(super) fn new(framing: Framing) -> BodyReader {
        let left = if let Framing::Length(octets) = framing { octets } else { 0 };
        BodyReader { framing, left, taken: 0, at: ChunkPart::Size, digits: 0, trailer: 0, pieces: 0 }
    }

    /// Takes the next octets and passes those of the body to `intake`. An empty slice asks whether
    /// the body goes on.
    pub(super) fn take(&mut self, octets: &[u8], intake: &mut dyn Intake) -> Result<Progress, String> {
        match self.framing {
            Framing::UntilClose => self.give(octets, intake),
            Framing::Length(_) => {
                let len = usize::try_from(self.left).map_or(octets.len(), |left| left.min(octets.len()));
                self.left -= len as u64;
                match self.give(&octets[..len], intake)? {
                    Progress::Partial if self.left == 0 => Ok(Progress::Whole),
                    progress => Ok(progress),
                }
            }
            Framing::Chunked => self.chunks(octets, intake),
        }
    }

    /// Handles the end of the connection before the end of the body: an error unless the framing
    /// allows it.
    pub(super) fn end(&self) -> Result<(), String> {
        match self.framing {
            Framing::UntilClose => Ok(()),
            Framing::Length(octets) => {
                Err(format!("the server closed after {} of {octets} octets of the body", self.taken))
            }
            Framing::Chunked => Err(format!(
                "the server closed after {} octets of the body, before its last chunk",
                self.taken
            )),
        }
    }

    fn give(&mut self, octets: &[u8], intake: &mut dyn Intake) -> Result<Progress, String> {
        self.taken += octets.len() as u64;
        if octets.is_empty() || !intake.take(octets)? { Ok(Progress::Partial) } else { Ok(Progress::Enough) }
    }

    fn chunks(&mut self, octets: &[u8], intake: &mut dyn Intake) -> Result<Progress, String> {
        let mut rest = octets;
        while let Some((&octet, behind)) = rest.split_first() {
            match self.at {
                ChunkPart::Data => {
                    let len = usize::try_from(self.left).map_or(rest.len(), |left| left.min(rest.len()));
                    let (data, behind) = rest.split_at(len);
                    self.left -= len as u64;
                    if self.left == 0 {
                        self.at = ChunkPart::DataEnd;
                    }
                    if self.give(data, intake)? == Progress::Enough {
                        return Ok(Progress::Enough);
                    }
                    rest = behind;
                    continue;
                }
                ChunkPart::Size => match char::from(octet).to_digit(16) {
                    Some(_) if self.digits == SIZE_DIGITS_MAX => {
                        return Err(format!(
                            "a chunk of the body has a size of over {SIZE_DIGITS_MAX} digits"
                        ));
                    }
                    Some(digit) => {
                        self.digits += 1;
                        self.left = self.left << 4 | u64::from(digit);
                    }
                    None if self.digits == 0 => {
                        return Err(format!(
                            "the chunks of the body are broken after {} octets: \
                                0x{octet:02x} where a size begins",
                            self.taken
                        ));
                    }
                    None => {
                        self.at = ChunkPart::Extension;
                        continue;
                    }
                },
                ChunkPart::Extension if octet == b'\n' => {
                    self.digits = 0;
                    self.pieces += 1;
                    if self.pieces > PROBE_PIECES_MAX {
                        return Err(format!("the body comes in more than {PROBE_PIECES_MAX} pieces"));
                    }
                    self.at = if self.left == 0 { ChunkPart::Trailer } else { ChunkPart::Data };
                }
                ChunkPart::Extension => {}
                ChunkPart::DataEnd => match octet {
                    b'\n' => self.at = ChunkPart::Size,
                    b'\r' => {}
                    _ => {
                        return Err(format!(
                            "the chunks of the body are broken after {} octets: \
                                0x{octet:02x} where a chunk ends",
                            self.taken
                        ));
                    }
                },
                ChunkPart::Trailer => match octet {
                    b'\n' if self.trailer == 0 => return Ok(Progress::Whole),
                    b'\n' => self.trailer = 0,
                    b'\r' => {}
                    _ => self.trailer += 1,
                },
            }
            rest = behind;
        }
        Ok(Progress::Partial)
    }
}
