//! A crowd: many PoPs all over the world and one policy that ranks them by distance, to show what
//! the number of PoPs costs while all are up, and while all are down.

use super::ordinary::SITES;
use std::fmt::Write as _;

/// The length of an IPv4 address, and the octets that those of all PoPs begin with.
pub const ADDRESSES: [u8; 4] = [0, 4, 198, 18];

/// A number of PoPs, and the depth of their policy's preference lists.
#[derive(Clone, Copy, Debug)]
pub struct Crowd {
    pub pops: usize,
    pub depth: usize,
}

impl Crowd {
    /// The file of PoPs. They stand around those of an ordinary deployment.
    pub fn pops(self) -> String {
        let mut text = "pops:\n".to_owned();
        for pop in 0..self.pops {
            let (name, (lat, lon), ..) = SITES[pop % SITES.len()];
            let (lat, lon) = (lat + (pop % 7) as f64 * 0.4, lon + (pop % 11) as f64 * 0.5);
            let (high, low) = (pop >> 8, pop & 255);
            let _ = writeln!(
                text,
                "  {name}{pop}: {{ at: {{ lat: {lat:.2}, lon: {lon:.2} }}, addresses: [198.18.{high}.{low}, \
                 \"2001:db8::{pop:x}\"] }}"
            );
        }
        text
    }

    /// The file of policies.
    pub fn policies(self) -> String {
        format!(
            "policies:\n  crowd:\n    pops: all\n    order: nearest\n    depth: {}\n    \
             ttl: {{ min: 20, max: 60 }}\n",
            self.depth
        )
    }
}
