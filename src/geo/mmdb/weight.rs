//! How much there is to decode in the records of a database, counted before any is decoded.
//!
//! Records share what they point at, and so may a hostile file's: 13,000 records of three octets
//! that point at one map of 60,000 values are 800 million values in 150 KiB. The crate bounds what
//! one record may hold, and knows nothing of the others.
//!
//! Specification: MaxMind DB File Format 2.0, section "Output Data Section".

use crate::limits::{DATABASE_VALUES_MIN, DATABASE_VALUES_PER_OCTET};

/// How deep values may contain each other: as the crate has it.
const DEPTH_MAX: u32 = 512;

/// Octets of text that weigh as much as one value.
const OCTETS_OF_VALUE: u64 = 64;

const POINTER: u8 = 1;
const MAP: u8 = 7;
const ARRAY: u8 = 11;
const BOOLEAN: u8 = 14;

/// The data section, and the values that may still be met in it.
pub(super) struct Weights<'a> {
    data: &'a [u8],
    left: u64,
}

/// The head of a value: its type, its size, and where its content begins.
struct Head {
    kind: u8,
    size: usize,
    content: usize,
}

impl<'a> Weights<'a> {
    /// For a data section in a file of so many octets.
    pub(super) fn new(data: &'a [u8], file_octets: usize) -> Weights<'a> {
        let left = (file_octets as u64).saturating_mul(DATABASE_VALUES_PER_OCTET).max(DATABASE_VALUES_MIN);
        Weights { data, left }
    }

    /// Counts the values of the record at an offset; `None` once there were too many. A record that
    /// cannot be read is left to the crate, which says what is wrong with it.
    pub(super) fn weigh(&mut self, offset: usize) -> Option<()> {
        match self.value(offset, 0) {
            Err(Stop::TooMany) => None,
            Ok(_) | Err(Stop::Unreadable) => Some(()),
        }
    }

    /// Counts one value with all that it holds. Gives the offset behind it.
    fn value(&mut self, offset: usize, depth: u32) -> Result<usize, Stop> {
        let head = self.head(offset).filter(|_| depth <= DEPTH_MAX).ok_or(Stop::Unreadable)?;
        let mut at = head.content;
        self.spend(1)?;
        match head.kind {
            POINTER => {
                self.value(head.size, depth + 1)?;
            }
            MAP | ARRAY => {
                let each = if head.kind == MAP { 2 } else { 1 };
                for _ in 0..head.size.saturating_mul(each) {
                    at = self.value(at, depth + 1)?;
                }
            }
            BOOLEAN => {}
            _ => {
                self.spend(head.size as u64 / OCTETS_OF_VALUE)?;
                at = at.checked_add(head.size).ok_or(Stop::Unreadable)?;
            }
        }
        Ok(at)
    }

    fn spend(&mut self, values: u64) -> Result<(), Stop> {
        self.left = self.left.checked_sub(values).ok_or(Stop::TooMany)?;
        Ok(())
    }

    /// Reads the control octets at an offset. The size of a pointer is where it leads.
    fn head(&self, offset: usize) -> Option<Head> {
        let control = *self.data.get(offset)?;
        let mut at = offset + 1;
        let mut number = |octets: usize| {
            let read = self.data.get(at..at + octets)?;
            at += octets;
            Some(read.iter().fold(0usize, |number, octet| number << 8 | usize::from(*octet)))
        };
        let low = usize::from(control & 7);
        if control >> 5 == POINTER {
            let size = match control >> 3 & 3 {
                0 => low << 8 | number(1)?,
                1 => (low << 16 | number(2)?) + 2_048,
                2 => (low << 24 | number(3)?) + 526_336,
                _ => number(4)?,
            };
            return Some(Head { kind: POINTER, size, content: at });
        }
        let kind = match control >> 5 {
            0 => u8::try_from(number(1)? + 7).ok()?,
            kind => kind,
        };
        let size = match control & 31 {
            29 => 29 + number(1)?,
            30 => 285 + number(2)?,
            31 => 65_821 + number(3)?,
            size => usize::from(size),
        };
        Some(Head { kind, size, content: at })
    }
}

/// Why a count ends early.
enum Stop {
    TooMany,
    Unreadable,
}

#[cfg(test)]
mod tests;
