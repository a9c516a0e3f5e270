//! A PoP whose coordinates are not in its country: most often latitude and longitude are swapped,
//! or a sign is missing.

use crate::finding::{At, Finding, Findings, code};
use crate::geo::distance::great_circle_m;
use crate::geo::hubs;
use crate::geo::place::{Coordinates, Country};
use crate::geo::territories;
use crate::steer::pop::Pop;

/// Half the circumference of the earth.
const EVERYWHERE_KM: u32 = 20_040;

/// Farthest point of a country from its hub city, in km, where nothing else is known.
const REACH_KM: u32 = 1_500;

/// The same of countries that reach farther, with islands far away.
const FAR_REACHES_KM: [(&str, u32); 34] = [
    ("AQ", EVERYWHERE_KM), // all around the pole
    ("AR", 2_800),
    ("AU", 4_500),
    ("BR", 4_000),
    ("CA", 4_800),
    ("CD", 2_000),
    ("CL", 4_000), // Easter Island
    ("CN", 4_700),
    ("DZ", 2_200),
    ("EC", 1_700),
    ("ES", 2_300), // the Canaries
    ("FJ", 2_000),
    ("FM", 3_000),
    ("GB", 1_600),
    ("ID", 4_600),
    ("IN", 3_000),
    ("JP", 2_600),
    ("KI", 4_000),
    ("KZ", 3_000),
    ("MH", 1_700),
    ("MN", 1_800),
    ("MX", 2_900),
    ("MY", 2_200),
    ("NZ", 1_700),
    ("PF", 2_200),
    ("PN", 1_700),
    ("PT", 2_100), // the Azores
    ("RU", 8_000),
    ("SA", 2_000),
    ("SD", 1_800),
    ("TF", EVERYWHERE_KM), // islands in two oceans
    ("UM", EVERYWHERE_KM), // islands in two oceans
    ("US", 8_500),         // Hawaii and Alaska, from New York
    ("ZA", 2_200),         // the Prince Edward Islands
];

/// Tells a PoP far from its country.
pub(super) fn check(pop: &Pop, at: At, out: &mut Findings) {
    let Some((country, coordinates)) = pop.country.zip(pop.coordinates) else { return };
    let Some(hub) = hubs::find(country).filter(|_| !is_near(country, coordinates)) else { return };
    let hub_at = Coordinates::from_degrees(hub.lat, hub.lon);
    let km = hub_at.map_or(0, |hub| great_circle_m(hub, coordinates) / 1_000);
    let finding = Finding::warning(
        code::FAR_FROM_COUNTRY,
        format!("the PoP `{}` is not in its country {country}: it is {km} km from {}", pop.name, hub.city),
    )
    .at(at, "country and coordinates differ");
    let (lat, lon) = (coordinates.lat(), coordinates.lon());
    let slips = [(lon, lat), (lat, -lon), (-lat, lon), (-lat, -lon), (lon, -lat), (-lon, lat)];
    // The nearest to the hub: a large country is near to many slips.
    let meant = slips
        .into_iter()
        .filter_map(|(lat, lon)| {
            Coordinates::from_degrees(lat, lon).map(|coordinates| (coordinates, lat, lon))
        })
        .filter(|(coordinates, ..)| is_near(country, *coordinates))
        .min_by_key(|(coordinates, ..)| hub_at.map(|hub| great_circle_m(hub, *coordinates)));
    out.push(match meant {
        Some((_, lat, lon)) => finding.help(format!("did you mean `lat: {lat}, lon: {lon}`?")),
        None => finding.help("clients are sent by the coordinates: correct whichever of the two is wrong"),
    });
}

/// Whether coordinates may lie in a country, or in one of its territories.
fn is_near(country: Country, coordinates: Coordinates) -> bool {
    let reach_km = |country: Country| {
        let far = FAR_REACHES_KM.iter().find(|(code, _)| *code == country.code());
        far.map_or(REACH_KM, |(_, km)| *km)
    };
    // Scattered islands without inhabitants must not make a country reach everywhere.
    let territories = territories::of_country(country).filter(|own| reach_km(*own) < EVERYWHERE_KM);
    std::iter::once(country).chain(territories).any(|country| {
        hubs::find(country)
            .and_then(|hub| Coordinates::from_degrees(hub.lat, hub.lon))
            .is_some_and(|hub| great_circle_m(hub, coordinates) / 1_000 <= reach_km(country))
    })
}

#[cfg(test)]
mod tests;
