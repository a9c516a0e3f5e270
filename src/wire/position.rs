//! Where a name stands in a message, for compression pointers (RFC 1035 section 4.1.4).

use super::header::HEADER_LEN;

/// Place of a name in the message: `literal` octets at `start`, all others in one piece at `tail`,
/// unless `tail` is [`SCATTERED`].
#[derive(Clone, Copy, Debug)]
pub(crate) struct NamePosition {
    start: u16,
    literal: u16,
    tail: u16,
}

/// A `tail` whose labels stand in more than one place. Messages end before this offset.
const SCATTERED: u16 = u16::MAX;

impl NamePosition {
    /// The name in the question.
    pub(crate) const QUESTION: NamePosition =
        NamePosition { start: HEADER_LEN as u16, literal: 0, tail: HEADER_LEN as u16 };

    /// A name whose octets all stand at `start`.
    #[inline]
    pub(crate) fn whole(start: usize) -> NamePosition {
        NamePosition { start: start as u16, literal: 0, tail: start as u16 }
    }

    /// A name of which the first `literal` octets stand at `start`, before a pointer to the ending
    /// of this name that begins `offset` octets into it.
    #[inline(always)]
    pub(crate) fn before(&self, start: usize, literal: u16, offset: usize) -> NamePosition {
        // An ending that begins among the literal octets goes on elsewhere.
        let tail = if offset < usize::from(self.literal) { None } else { self.ending(offset) };
        NamePosition { start: start as u16, literal, tail: tail.map_or(SCATTERED, |tail| tail as u16) }
    }

    /// Where the name begins.
    #[inline(always)]
    pub(crate) fn start(&self) -> usize {
        usize::from(if self.literal == 0 && self.tail != SCATTERED { self.tail } else { self.start })
    }

    /// Where the ending begins that starts `offset` octets into the name; `None` if only the
    /// message tells.
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

/// A name that stands in the message.
#[derive(Clone, Copy, Debug)]
pub(crate) struct WrittenName {
    /// Where it stands.
    pub(crate) position: NamePosition,
    /// Octets of its wire form.
    pub(crate) len: usize,
}

impl WrittenName {
    /// Where its last piece ends, and the least placeholder of a pointer to an ending that begins
    /// in this piece ([`super::fragment::EARLIER`]); beyond all of them if there is no such piece.
    #[inline(always)]
    pub(crate) fn end(&self) -> (u16, u16) {
        let NamePosition { literal, tail, .. } = self.position;
        let piece = (self.len as u16).wrapping_sub(literal);
        let least = if tail == SCATTERED { u16::MAX } else { 0xc000 - (piece & 0xff) };
        (tail.wrapping_add(piece), least)
    }
}
