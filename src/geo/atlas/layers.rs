//! One place out of what the layers say.
//!
//! The longest operator network speaks first, then the databases in their order; each fills the
//! fields that those before left open. One exception keeps the result a place that exists: a layer
//! that names another country than the one already known fills no field that lies inside a country
//! (subdivision, coordinates) nor the continent. So an operator who says only `country: DE` of an
//! address that a database puts in Kansas gets Germany's hub, not German clients in Kansas. Both
//! codes of a territory, such as PR and US-PR, are one country here.

use super::provenance::{Provenance, Source};
use crate::geo::hubs;
use crate::geo::mmdb::Fields;
use crate::geo::networks::Network;
use crate::geo::place::{Continent, Coordinates, Country, Place, Subdivision};
use crate::geo::territories;

/// A place in the making.
#[derive(Default)]
pub(super) struct Layered {
    /// What is known of it so far.
    pub(super) place: Place,
    /// Where each part of it is from.
    pub(super) evidence: Provenance,
}

impl Layered {
    /// The innermost operator network that holds the addresses.
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

    /// What a database says of the addresses.
    pub(super) fn database(&mut self, index: u16, fields: &Fields) {
        if self.place.rtts.is_none() && fields.rtts.is_some() {
            self.place.rtts.clone_from(&fields.rtts);
            self.evidence.rtts = Source::Database(index);
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
        // A subdivision is one of its own country: PR and US-PR are one place, PR-PR is none.
        let is_of_country = country.is_none() || place.country == country;
        if place.subdivisions.is_empty() && !subdivisions.is_empty() && is_of_country {
            (place.subdivisions, evidence.subdivisions) = (subdivisions.to_vec(), source);
        }
        if place.coordinates.is_none() && coordinates.is_some() {
            (place.coordinates, evidence.coordinates) = (coordinates, source);
        }
    }

    /// Fills what follows from the country.
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
