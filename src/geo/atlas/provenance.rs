//! Provenance: the source of each field of a place.

/// The source of one field of a place.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) enum Source {
    /// No source: the field is not known.
    #[default]
    Unknown,
    /// A database, by its place in the order of layers.
    Database(u16),
    /// An operator network, by its index.
    Network(u16),
    /// The table of hub cities, by way of the country.
    Hubs,
}

/// The source of each field of a place.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Provenance {
    /// Source of the continent.
    pub(crate) continent: Source,
    /// Source of the country.
    pub(crate) country: Source,
    /// Source of the subdivisions.
    pub(crate) subdivisions: Source,
    /// Source of the coordinates.
    pub(crate) coordinates: Source,
    /// Source of the AS number.
    pub(crate) asn: Source,
    /// Source of the site.
    pub(crate) site: Source,
    /// The latency map.
    pub(crate) rtts: Source,
    /// The latency map that knows the clients behind resolvers.
    pub(crate) resolver_rtts: Source,
}

impl Provenance {
    /// Names and sources of the known fields.
    pub(crate) fn fields(&self) -> impl Iterator<Item = (&'static str, Source)> {
        [
            ("continent", self.continent),
            ("country", self.country),
            ("subdivision", self.subdivisions),
            ("coordinates", self.coordinates),
            ("asn", self.asn),
            ("site", self.site),
            ("latency", self.rtts),
            ("latency of resolvers", self.resolver_rtts),
        ]
        .into_iter()
        .filter(|(_, source)| *source != Source::Unknown)
    }
}
