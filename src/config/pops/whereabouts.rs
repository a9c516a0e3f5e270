//! Check for PoPs whose coordinates are outside their country: most often latitude and longitude
//! are swapped, or a sign is missing.
//!
//! Countries are approximated by circles around their hub cities, and a false warning is worse than
//! a missed one. So a PoP outside the circle is reported only if a typing error explains it, or if
//! it is too far away for any island of the country.

use crate::finding::{At, Finding, Findings, code};
use crate::geo::distance::great_circle_m;
use crate::geo::hubs;
use crate::geo::place::{Coordinates, Country};
use crate::geo::territories;
use crate::steer::pop::Pop;

/// Half the circumference of the earth, in kilometres.
const EVERYWHERE_KM: u32 = 20_040;

/// Default distance from a country's hub city to its farthest point, in kilometres.
const REACH_KM: u32 = 1_500;

/// Kilometres beyond the farthest point from which a PoP is reported without a typing error.
const SLACK_KM: u32 = 3_000;

/// Countries, each with the codes of territories that it governs. A PoP in such a territory often
/// has the code of the governing country, although ISO 3166-2 has no subdivision for the territory.
const GOVERNED: [(&str, &str); 6] = [
    ("AU", "CC CX HM NF"),
    ("DK", "FO GL"),
    ("GB", "AI BM FK GG GI GS IM IO JE KY MS PN SH TC VG"),
    ("MA", "EH"),
    ("NO", "BV SJ"),
    ("NZ", "CK NU TK"),
];

/// Distances from the hub city to the farthest point, in kilometres, for countries that reach
/// farther or have remote islands.
const FAR_REACHES_KM: [(&str, u32); 39] = [
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
    ("GL", 2_700),
    ("ID", 4_600),
    ("IN", 3_000),
    ("JP", 2_600),
    ("KI", 4_000),
    ("KZ", 3_000),
    ("MH", 1_700),
    ("MN", 1_800),
    ("MX", 2_900),
    ("MY", 2_200),
    ("MZ", 2_000),
    ("NO", 2_200), // Svalbard
    ("NZ", 1_700),
    ("PF", 2_200),
    ("PK", 1_900),
    ("PN", 1_700),
    ("PT", 2_100), // the Azores
    ("RU", 8_000),
    ("SA", 2_000),
    ("SD", 1_800),
    ("SH", 2_800),         // Tristan da Cunha and Gough
    ("TF", EVERYWHERE_KM), // islands in two oceans
    ("UM", EVERYWHERE_KM), // islands in two oceans
    ("US", 8_500),         // Hawaii and Alaska, from New York
    ("ZA", 2_200),         // the Prince Edward Islands
];

/// Warns of a PoP far from its country.
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
    // Choose the correction nearest to the hub city, because several may lie near a large country.
    let meant = slips
        .into_iter()
        .filter_map(|(lat, lon)| {
            Coordinates::from_degrees(lat, lon).map(|coordinates| (coordinates, lat, lon))
        })
        .filter(|(coordinates, ..)| is_near(country, *coordinates))
        .min_by_key(|(coordinates, ..)| hub_at.map(|hub| great_circle_m(hub, *coordinates)));
    if meant.is_none() && is_within(country, coordinates, SLACK_KM) {
        return;
    }
    out.push(match meant {
        Some((_, lat, lon)) => finding.help(format!("did you mean `lat: {lat}, lon: {lon}`?")),
        None => finding
            .help("the coordinates decide which clients the PoP gets: correct the wrong one of the two"),
    });
}

/// True if coordinates may be in a country or one of its territories.
fn is_near(country: Country, coordinates: Coordinates) -> bool {
    is_within(country, coordinates, 0)
}

/// [`is_near`] with `slack_km` beyond the farthest points.
fn is_within(country: Country, coordinates: Coordinates, slack_km: u32) -> bool {
    let reach_km = |country: Country| {
        let far = FAR_REACHES_KM.iter().find(|(code, _)| *code == country.code());
        far.map_or(REACH_KM, |(_, km)| *km)
    };
    // Remote uninhabited islands must not extend a country over the whole earth.
    let territories = territories::of_country(country).filter(|own| reach_km(*own) < EVERYWHERE_KM);
    let governed = GOVERNED.iter().filter(|(code, _)| *code == country.code());
    let governed = governed.flat_map(|(_, of)| of.split(' ')).filter_map(Country::from_code);
    std::iter::once(country).chain(territories).chain(governed).any(|country| {
        hubs::find(country)
            .and_then(|hub| Coordinates::from_degrees(hub.lat, hub.lon))
            .is_some_and(|hub| great_circle_m(hub, coordinates) / 1_000 <= reach_km(country) + slack_km)
    })
}

#[cfg(test)]
mod tests;
