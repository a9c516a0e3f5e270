//! Counts the values in the records of a database before any is decoded.
//!
//! Records may share values, and a hostile file may exploit it: 13,000 records of three octets that
//! point at one map of 60,000 values stand for 800 million values in 150 KiB. The crate limits the
//! contents of one record, but not of all.
//!
//! Specification: MaxMind DB File Format 2.0, section "Output Data Section".

use crate::limits::{DATABASE_VALUES_MIN, DATABASE_VALUES_PER_OCTET};

/// Deepest nesting of values, as in the crate.
const DEPTH_MAX: u32 = 512;

/// Octets of text that count as one value.
const OCTETS_OF_VALUE: u64 = 64;

const POINTER: u8 = 1;
const MAP: u8 = 7;
const ARRAY: u8 = 11;
const BOOLEAN: u8 = 14;

/// The data section, and the number of values that may still be counted.
pub(super) struct Weights<'a> {
    data: &'a [u8],
    left: u64,
}

/// Head of a value: its type, its size, and the offset of its content.
struct Head {
    kind: u8,
    size: usize,
    content: usize,
}

impl<'a> Weights<'a> {
    /// Starts the count for a data section in a file of `file_octets` octets.
    pub(super) fn new(data: &'a [u8], file_octets: usize) -> Weights<'a> {
        let left = (file_octets as u64).saturating_mul(DATABASE_VALUES_PER_OCTET).max(DATABASE_VALUES_MIN);
        Weights { data, left }
    }

    /// Counts the values of the record at an offset; `None` if there were too many. An unreadable
    /// record is left to the crate, which reports the fault.
    pub(super) fn weigh(&mut self, offset: usize) -> Option<()> {
        match self.value(offset, 0) {
            Err(Stop::TooMany) => None,
            Ok(_) | Err(Stop::Unreadable) => Some(()),
        }
    }

    /// Counts one value with its contents. Returns the offset behind it.
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

    /// Reads the control octets at an offset. The size of a pointer is its target.
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

/// Reason why a count ends early.
enum Stop {
    TooMany,
    Unreadable,
}

#[cfg(test)]
mod tests;
