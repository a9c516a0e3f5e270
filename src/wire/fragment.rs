//! Record data as it is kept for serving: octets, and the places that depend on the message.

/// Record data, ready to be written.
#[derive(Clone, Copy, Debug)]
pub struct Rdata<'a> {
    /// The octets; where a name is cut before the apex, two octets of placeholder stand.
    pub octets: &'a [u8],
    /// Places of the placeholders within `octets`; [`NO_PATCH`] for none.
    pub patches: [u16; 2],
    /// Where the name in this record leads: for NS within the zone the number of the node that holds the
    /// addresses, for CNAME its number among those of the zone.
    pub link: Option<u32>,
}

/// No placeholder.
pub const NO_PATCH: u16 = u16::MAX;
