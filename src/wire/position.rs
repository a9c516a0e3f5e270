//! Positions of names in a message, for compression pointers (RFC 1035 section 4.1.4).

use super::header::HEADER_LEN;

/// Position of a name: `literal` octets at `start`, and the rest in one piece at `tail`, unless
/// `tail` is [`SCATTERED`].
#[derive(Clone, Copy, Debug)]
pub(crate) struct NamePosition {
    start: u16,
    literal: u16,
    tail: u16,
}

/// A `tail` whose labels are not in one piece. No message reaches this offset.
const SCATTERED: u16 = u16::MAX;

impl NamePosition {
    /// The name in the question.
    pub(crate) const QUESTION: NamePosition =
        NamePosition { start: HEADER_LEN as u16, literal: 0, tail: HEADER_LEN as u16 };

    /// A name that is written in one piece at `start`.
    #[inline]
    pub(crate) fn whole(start: usize) -> NamePosition {
        NamePosition { start: start as u16, literal: 0, tail: start as u16 }
    }

    /// A name whose first `literal` octets are at `start`, before a pointer to the ending of this
    /// name that begins `offset` octets into it.
    #[inline(always)]
    pub(crate) fn before(&self, start: usize, literal: u16, offset: usize) -> NamePosition {
        // An ending that begins among the literal octets is not in one piece.
        let tail = if offset < usize::from(self.literal) { None } else { self.ending(offset) };
        NamePosition { start: start as u16, literal, tail: tail.map_or(SCATTERED, |tail| tail as u16) }
    }

    /// Offset of the name in the message.
    #[inline(always)]
    pub(crate) fn start(&self) -> usize {
        usize::from(if self.literal == 0 && self.tail != SCATTERED { self.tail } else { self.start })
    }

    /// Offset in the message of the ending that begins `offset` octets into the name; `None` if
    /// only a walk through the message can find the ending.
    #[inline(always)]
    pub(crate) fn ending(&self, offset: usize) -> Option<usize> {
        let NamePosition { start, literal, tail } = *self;
        match offset.checked_sub(usize::from(literal)) {
            None => Some(usize::from(start) + offset),
            Some(_) if tail == SCATTERED => None,
            Some(behind) => Some(usize::from(tail) + behind),
        }
    }
}

/// A name that was written into the message.
#[derive(Clone, Copy, Debug)]
pub(crate) struct WrittenName {
    /// Position in the message.
    pub(crate) position: NamePosition,
    /// Octets of its wire form.
    pub(crate) len: usize,
}
