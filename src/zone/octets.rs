//! Record data as read; short data is stored inline.
//!
//! Most data is an address: a zone with a million of them would otherwise need a million
//! allocations.

use std::fmt;
use std::ops::Deref;

/// Octets, stored without an allocation if they are few.
#[derive(Clone)]
pub struct Octets(Held);

/// Octets that fit beside tag and length in 24 octets, the size that the enum has in any case
/// because of its box.
const HERE_MAX: usize = 22;

#[derive(Clone)]
enum Held {
    Here(u8, [u8; HERE_MAX]),
    Elsewhere(Box<[u8]>),
}

impl Deref for Octets {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match &self.0 {
            Held::Here(len, octets) => &octets[..usize::from(*len)],
            Held::Elsewhere(octets) => octets,
        }
    }
}

impl AsRef<[u8]> for Octets {
    fn as_ref(&self) -> &[u8] {
        self
    }
}

impl From<&[u8]> for Octets {
    fn from(octets: &[u8]) -> Octets {
        let mut here = [0; HERE_MAX];
        match here.get_mut(..octets.len()) {
            Some(room) => {
                room.copy_from_slice(octets);
                Octets(Held::Here(octets.len() as u8, here))
            }
            None => Octets(Held::Elsewhere(octets.into())),
        }
    }
}

impl From<Vec<u8>> for Octets {
    fn from(octets: Vec<u8>) -> Octets {
        if octets.len() <= HERE_MAX {
            octets.as_slice().into()
        } else {
            Octets(Held::Elsewhere(octets.into()))
        }
    }
}

impl fmt::Debug for Octets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.deref().fmt(f)
    }
}

#[cfg(test)]
mod tests;
