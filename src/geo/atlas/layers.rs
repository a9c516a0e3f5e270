//! Combines the layers of data about an address into one place.
//!
//! The operator network with the longest prefix comes first, then the databases in their order;
//! each layer fills the fields that earlier layers left empty. One exception keeps the place
//! consistent: a layer with another country than the known one fills neither the continent nor a
//! field inside a country (subdivision, coordinates). So if an operator sets only `country: DE` for
//! an address that a database puts in Kansas, its clients are at Germany's hub, and not German
//! clients in Kansas. Both codes of a territory, such as PR and US-PR, count as one country.

use super::provenance::{Provenance, Source};
use crate::geo::hubs;
use crate::geo::mmdb::Fields;
use crate::geo::networks::Network;
use crate::geo::place::{Continent, Coordinates, Country, Place, Subdivision};
use crate::geo::territories;

/// A place under construction.
#[derive(Default)]
pub(super) struct Layered {
    /// Fields known so far.
    pub(super) place: Place,
    /// Source of each field.
    pub(super) evidence: Provenance,
}

impl Layered {
    /// Adds the innermost operator network that contains the addresses.
    pub(super) fn network(&mut self, index: u16, network: &Network) {
        self.place.site.clone_from(&network.site);
        if self.place.site.is_some() {
            self.evidence.site = Source::Network(index);
        }
        let subdivisions = network.subdivision.as_slice();
        self.fill(
            Source::Network(index),
            None,
            network.country,
            subdivisions,
            network.coordinates,
            network.asn,
        );
    }

    /// Adds the fields of a database for the addresses.
    pub(super) fn database(&mut self, index: u16, fields: &Fields) {
        if self.place.rtts.is_none() && fields.rtts.is_some() {
            self.place.rtts.clone_from(&fields.rtts);
            self.evidence.rtts = Source::Database(index);
        }
        if self.place.resolver_rtts.is_none() && fields.resolver_rtts.is_some() {
            self.place.resolver_rtts.clone_from(&fields.resolver_rtts);
            self.evidence.resolver_rtts = Source::Database(index);
        }
        self.fill(
            Source::Database(index),
            fields.continent,
            fields.country,
            &fields.subdivisions,
            fields.coordinates,
            fields.asn,
        );
    }

    fn fill(
        &mut self,
        source: Source,
        continent: Option<Continent>,
        country: Option<Country>,
        subdivisions: &[Subdivision],
        coordinates: Option<Coordinates>,
        asn: Option<u32>,
    ) {
        let (place, evidence) = (&mut self.place, &mut self.evidence);
        if place.asn.is_none() && asn.is_some() {
            (place.asn, evidence.asn) = (asn, source);
        }
        let own = territories::own_country;
        if let Some((known, said)) = place.country.zip(country)
            && known != said
            && own(known, &place.subdivisions) != own(said, subdivisions)
        {
            return;
        }
        if place.country.is_none() && country.is_some() {
            (place.country, evidence.country) = (country, source);
        }
        if place.continent.is_none() && continent.is_some() {
            (place.continent, evidence.continent) = (continent, source);
        }
        // A subdivision belongs to its own country: PR and US-PR are one place, but PR-PR does not
        // exist.
        let is_of_country = country.is_none() || place.country == country;
        if place.subdivisions.is_empty() && !subdivisions.is_empty() && is_of_country {
            (place.subdivisions, evidence.subdivisions) = (subdivisions.to_vec(), source);
        }
        if place.coordinates.is_none() && coordinates.is_some() {
            (place.coordinates, evidence.coordinates) = (coordinates, source);
        }
    }

    /// Derives fields from the country, and returns the place.
    pub(super) fn finish(mut self) -> (Place, Provenance) {
        if let Some(hub) = territories::of_place(&self.place).and_then(hubs::find) {
            if self.place.continent.is_none() {
                (self.place.continent, self.evidence.continent) = (Some(hub.continent), Source::Hubs);
            }
            if self.place.coordinates.is_none() {
                (self.place.coordinates, self.evidence.coordinates) =
                    (Coordinates::from_degrees(hub.lat, hub.lon), Source::Hubs);
            }
        }
        (self.place, self.evidence)
    }
}
