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
    /// Who said the continent.
    pub(crate) continent: Source,
    /// Who said the country.
    pub(crate) country: Source,
    /// Who said the subdivisions.
    pub(crate) subdivisions: Source,
    /// Who said the coordinates.
    pub(crate) coordinates: Source,
    /// Who said the AS number.
    pub(crate) asn: Source,
    /// Who said the site.
    pub(crate) site: Source,
    /// The latency map.
    pub(crate) rtts: Source,
}

impl Provenance {
    /// Each field's name with its source, known fields only.
    pub(crate) fn fields(&self) -> impl Iterator<Item = (&'static str, Source)> {
        [
            ("continent", self.continent),
            ("country", self.country),
            ("subdivision", self.subdivisions),
            ("coordinates", self.coordinates),
            ("asn", self.asn),
            ("site", self.site),
            ("latency", self.rtts),
        ]
        .into_iter()
        .filter(|(_, source)| *source != Source::Unknown)
    }
}
