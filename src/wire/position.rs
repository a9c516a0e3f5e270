//! Where a name stands in a message, for compression pointers (RFC 1035 section 4.1.4).

use super::header::HEADER_LEN;

/// A name that stands in the message: `literal` octets at `start`, the rest (from there on) at
/// `tail`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NamePosition {
    start: u16,
    literal: u16,
    tail: u16,
}

impl NamePosition {
    /// The name in the question.
    pub(crate) const QUESTION: NamePosition =
        NamePosition { start: HEADER_LEN as u16, literal: u16::MAX, tail: 0 };

    /// A name whose octets all stand at `start`.
    #[inline]
    pub(crate) fn whole(start: usize) -> NamePosition {
        NamePosition { start: start as u16, literal: u16::MAX, tail: 0 }
    }

    /// A name of which the first `literal` octets stand at `start` and the rest at `tail`. Messages
    /// end before 65,536.
    #[inline]
    pub(crate) fn split(start: usize, literal: u16, tail: usize) -> NamePosition {
        NamePosition { start: start as u16, literal, tail: tail as u16 }
    }

    /// Where the suffix that begins `offset` octets into the name stands.
    #[inline(always)]
    pub(crate) fn suffix(&self, offset: usize) -> usize {
        let NamePosition { start, literal, tail } = *self;
        if offset < usize::from(literal) {
            usize::from(start) + offset
        } else {
            usize::from(tail) + (offset - usize::from(literal))
        }
    }
}
