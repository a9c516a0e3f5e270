//! Place of an address: country, coordinates and other fields.

use super::rtts::RttList;
use std::fmt;

/// Country by its ISO 3166-1 alpha-2 code, in upper case.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Country([u8; 2]);

impl Country {
    /// Country from two ASCII letters of any case. The register is not consulted, because databases
    /// use user-assigned codes such as XK.
    pub(crate) fn from_code(code: &str) -> Option<Country> {
        match code.as_bytes() {
            [a, b] if a.is_ascii_alphabetic() && b.is_ascii_alphabetic() => {
                Some(Country([a.to_ascii_uppercase(), b.to_ascii_uppercase()]))
            }
            _ => None,
        }
    }

    /// Code in upper case.
    pub(crate) fn code(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or("??")
    }
}

impl fmt::Display for Country {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.code())
    }
}
impl fmt::Debug for Country {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// Subdivision by the part of its ISO 3166-2 code after the hyphen (`CA` of `US-CA`): one to three
/// letters or digits, in upper case.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Subdivision([u8; 3]);

impl Subdivision {
    /// Subdivision from its code without the country.
    pub(crate) fn from_code(code: &str) -> Option<Subdivision> {
        let octets = code.as_bytes();
        if octets.is_empty() || octets.len() > 3 || !octets.iter().all(u8::is_ascii_alphanumeric) {
            return None;
        }
        let mut padded = [0; 3];
        for (to, from) in padded.iter_mut().zip(octets) {
            *to = from.to_ascii_uppercase();
        }
        Some(Subdivision(padded))
    }

    /// Code in upper case.
    pub(crate) fn code(&self) -> &str {
        let len = self.0.iter().position(|&b| b == 0).unwrap_or(3);
        std::str::from_utf8(&self.0[..len]).unwrap_or("???")
    }
}

impl fmt::Display for Subdivision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.code())
    }
}
impl fmt::Debug for Subdivision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// Continent, with the two-letter codes of GeoIP databases.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Continent {
    Africa,
    Antarctica,
    Asia,
    Europe,
    NorthAmerica,
    Oceania,
    SouthAmerica,
}

impl Continent {
    /// All seven.
    pub(crate) const ALL: [Continent; 7] = [
        Continent::Africa,
        Continent::Antarctica,
        Continent::Asia,
        Continent::Europe,
        Continent::NorthAmerica,
        Continent::Oceania,
        Continent::SouthAmerica,
    ];

    /// Continent from its code (AF AN AS EU NA OC SA, in any case).
    pub(crate) fn from_code(code: &str) -> Option<Continent> {
        Continent::ALL.into_iter().find(|c| c.code().eq_ignore_ascii_case(code))
    }

    /// Two-letter code.
    pub(crate) fn code(self) -> &'static str {
        match self {
            Continent::Africa => "AF",
            Continent::Antarctica => "AN",
            Continent::Asia => "AS",
            Continent::Europe => "EU",
            Continent::NorthAmerica => "NA",
            Continent::Oceania => "OC",
            Continent::SouthAmerica => "SA",
        }
    }
}

/// A point on the earth in ten-thousandths of a degree (about 11 m), which can be compared, hashed
/// and interned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Coordinates {
    /// Latitude in 1e-4 degrees, -900000 to 900000, north positive.
    pub(crate) lat_e4: i32,
    /// Longitude in 1e-4 degrees, -1800000 to 1800000, east positive.
    pub(crate) lon_e4: i32,
}

impl Coordinates {
    /// Coordinates from degrees; `None` beyond 90 or 180 degrees, or for a value that is not a
    /// number.
    pub fn from_degrees(lat: f64, lon: f64) -> Option<Coordinates> {
        if !(-90.0..=90.0).contains(&lat) || !(-180.0..=180.0).contains(&lon) {
            return None;
        }
        Some(Coordinates { lat_e4: libm::round(lat * 1e4) as i32, lon_e4: libm::round(lon * 1e4) as i32 })
    }

    /// True for the point of 0 and 0 degrees, in the Gulf of Guinea, which databases write for
    /// "unknown".
    pub(crate) fn is_null(self) -> bool {
        (self.lat_e4, self.lon_e4) == (0, 0)
    }

    /// Latitude in degrees.
    pub(crate) fn lat(self) -> f64 {
        f64::from(self.lat_e4) / 1e4
    }

    /// Longitude in degrees.
    pub(crate) fn lon(self) -> f64 {
        f64::from(self.lon_e4) / 1e4
    }
}

/// Known fields of a set of addresses; unknown fields are `None`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Place {
    /// Continent; derived from the country if only that is known.
    pub(crate) continent: Option<Continent>,
    /// Country.
    pub(crate) country: Option<Country>,
    /// Subdivisions from the largest to the smallest (region, then county).
    pub(crate) subdivisions: Vec<Subdivision>,
    /// Coordinates, from the database, an operator network, or the country's hub city.
    pub(crate) coordinates: Option<Coordinates>,
    /// Number of the autonomous system.
    pub(crate) asn: Option<u32>,
    /// Operator networks that contain the addresses, ascending; indexes into the deployment's list
    /// of networks.
    pub(crate) networks: Vec<u16>,
    /// Name of the site (PoP) from an operator network.
    pub(crate) site: Option<std::sync::Arc<str>>,
    /// RTTs to PoPs, from a latency map.
    pub(crate) rtts: Option<std::sync::Arc<RttList>>,
    /// Mean RTTs of the clients behind resolvers in it, from a latency map. They count in place of
    /// [`Place::rtts`] where the address of a resolver decides.
    pub(crate) resolver_rtts: Option<std::sync::Arc<RttList>>,
}

impl Place {
    /// Place for steering by the address of a resolver in this place: `base` with the mean RTTs of
    /// the clients behind such resolvers. `None` if no latency map has these RTTs; then `base`
    /// counts.
    pub(crate) fn of_clients(&self, base: &Place) -> Option<Place> {
        let rtts = self.resolver_rtts.clone()?;
        Some(Place { rtts: Some(rtts), ..base.clone() })
    }

    /// True if the place can be put on a map, by country, continent, coordinates or site.
    /// Membership of an operator network alone is not enough.
    pub(crate) fn is_located(&self) -> bool {
        self.country.is_some()
            || self.continent.is_some()
            || self.coordinates.is_some()
            || self.site.is_some()
    }
}
