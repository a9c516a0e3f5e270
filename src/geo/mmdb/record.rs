//! Fields of a record in the layouts of several vendors.
//!
//! Supported layouts: MaxMind (nested maps: City, Country, Enterprise, ASN, ISP), DB-IP (as
//! MaxMind), and IPinfo (flat keys, numbers often as text). A value of an unexpected kind counts as
//! a missing field and not as a fault, because vendors add and change fields. Values that mean
//! "unknown" (a country of ZZ, XX or A1, `-`, empty text, coordinates of 0 and 0 without a country)
//! count as missing too, so that the next source is used.

use crate::geo::iso3166;
use crate::geo::place::{Continent, Coordinates, Country, Subdivision};
use crate::geo::rtts::{ENTRIES_MAX, Rtt, RttList, RttSource};
use serde::de::{
    Deserialize, DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor,
};
use std::fmt;
use std::sync::Arc;

/// Subdivisions kept of one record: no country has more than a few levels.
const SUBDIVISIONS_MAX: usize = 4;

/// Fields of a place from a database.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Fields {
    /// Continent.
    pub(crate) continent: Option<Continent>,
    /// Country, or the country of registration if the database has no other.
    pub(crate) country: Option<Country>,
    /// Subdivisions from the largest to the smallest.
    pub(crate) subdivisions: Vec<Subdivision>,
    /// Coordinates.
    pub(crate) coordinates: Option<Coordinates>,
    /// Number of the autonomous system.
    pub(crate) asn: Option<u32>,
    /// RTTs to PoPs, of a latency map.
    pub(crate) rtts: Option<Arc<RttList>>,
    /// Mean RTTs of the clients behind resolvers, of a latency map.
    pub(crate) resolver_rtts: Option<Arc<RttList>>,
}

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Fields, D::Error> {
        Node::deserialize(deserializer).map(|node| Fields::from_record(&node))
    }
}

impl Fields {
    fn from_record(record: &Node) -> Fields {
        let first = |keys: &[&'static str]| keys.iter().find_map(|key| record.field(key));
        let subdivisions = match first(&["subdivisions"]) {
            Some(list) => list
                .items
                .iter()
                .filter_map(|item| Subdivision::from_code(item.code()?))
                .take(SUBDIVISIONS_MAX)
                .collect(),
            // IPinfo writes the name of the region under `region`; a code is in capitals.
            None => ["region_code", "region"]
                .iter()
                .filter_map(|key| record.field(key)?.text.as_deref())
                .filter(|text| !text.bytes().any(|b| b.is_ascii_lowercase()))
                .find_map(Subdivision::from_code)
                .into_iter()
                .collect(),
        };
        let spot = first(&["location"]).unwrap_or(record);
        let latency = record.field("latency");
        let degrees = |keys: &[&'static str]| keys.iter().find_map(|key| spot.field(key)?.degrees());
        let fields = Fields {
            continent: ["continent", "continent_code"]
                .iter()
                .find_map(|key| Continent::from_code(record.field(key)?.code()?)),
            country: ["country", "country_code", "registered_country"]
                .iter()
                .find_map(|key| iso3166::said(record.field(key)?.code()?)),
            subdivisions,
            coordinates: degrees(&["latitude", "lat"])
                .zip(degrees(&["longitude", "lng", "lon"]))
                .and_then(|(lat, lon)| Coordinates::from_degrees(lat, lon)),
            asn: ["autonomous_system_number", "asn", "as_number"]
                .iter()
                .find_map(|key| record.field(key)?.as_number()),
            rtts: latency.and_then(Node::rtts).map(Arc::new),
            resolver_rtts: latency
                .and_then(|latency| latency.field("resolver")?.rtts())
                .map(|list| Arc::new(list.of_clients())),
        };
        fields.without_unknown()
    }

    /// Drops a value that means "unknown": coordinates of 0 and 0 without a country.
    pub(super) fn without_unknown(mut self) -> Fields {
        if self.country.is_none() && self.coordinates.is_some_and(|at| at.is_null()) {
            self.coordinates = None;
        }
        self
    }
}

/// Keys that hold fields, or maps with fields.
const KEYS: [&str; 30] = [
    "as",
    "as_number",
    "asn",
    "autonomous_system_number",
    "code",
    "continent",
    "continent_code",
    "country",
    "country_code",
    "explored",
    "geo",
    "iso_code",
    "lat",
    "latency",
    "latitude",
    "lng",
    "location",
    "lon",
    "longitude",
    "measured_at",
    "pop",
    "region",
    "region_code",
    "registered_country",
    "resolver",
    "rtt_ms",
    "samples",
    "source",
    "subdivisions",
    "traits",
];

/// A value of any kind, with only the relevant keys kept.
#[derive(Default)]
struct Node {
    text: Option<String>,
    number: Option<f64>,
    fields: Vec<(&'static str, Node)>,
    items: Vec<Node>,
}

impl Node {
    /// A field of this map, or of the inner maps in which some layouts group their fields.
    fn field(&self, key: &str) -> Option<&Node> {
        let own = |node: &'_ Node, key: &str| node.fields.iter().position(|(k, _)| *k == key);
        if let Some(at) = own(self, key) {
            return Some(&self.fields[at].1);
        }
        ["traits", "geo", "as"].iter().find_map(|inner| {
            let inner = &self.fields[own(self, inner)?].1;
            Some(&inner.fields[own(inner, key)?].1)
        })
    }

    /// A code: the text itself, or `code` or `iso_code` of a map.
    fn code(&self) -> Option<&str> {
        self.text
            .as_deref()
            .or_else(|| ["code", "iso_code"].iter().find_map(|key| self.field(key)?.text.as_deref()))
    }

    /// RTTs to PoPs: parallel arrays, as `meridian latency build` writes them. A PoP without an RTT
    /// of 1 to 65,535 ms is left out.
    fn rtts(&self) -> Option<RttList> {
        let at = |key: &str, index: usize| self.field(key)?.items.get(index);
        let number = |key: &str, index: usize| at(key, index)?.number;
        let entries = self.field("pop")?.items.iter().enumerate().filter_map(|(index, pop)| {
            let rtt_ms = number("rtt_ms", index).filter(|ms| *ms >= 1.0 && *ms <= f64::from(u16::MAX))?;
            let source = at("source", index).and_then(|source| source.text.as_deref()).unwrap_or_default();
            let samples = number("samples", index).filter(|n| *n > 0.0).unwrap_or_default();
            let rtt =
                Rtt { rtt_ms: rtt_ms as u16, source: RttSource::of_word(source), samples: samples as u32 };
            Some((pop.text.as_deref()?, rtt))
        });
        let measured_at = self.field("measured_at").and_then(|at| at.number).unwrap_or_default();
        let list = RttList::new(entries, measured_at as u64)?;
        let explored = self.field("explored").and_then(|explored| explored.number).unwrap_or_default();
        // A number that is no place of the list explores nothing.
        Some(list.explored(explored as u8))
    }

    fn degrees(&self) -> Option<f64> {
        self.number.or_else(|| self.text.as_deref()?.trim().parse().ok())
    }

    /// AS number from a number, or from text with or without `AS`. Zero is reserved (RFC 7607).
    fn as_number(&self) -> Option<u32> {
        let number = match (&self.text, self.number) {
            (Some(text), _) => {
                text.strip_prefix("AS").or(text.strip_prefix("as")).unwrap_or(text).parse().ok()?
            }
            (None, Some(number)) if (0.0..=f64::from(u32::MAX)).contains(&number) => number as u32,
            _ => 0,
        };
        (number != 0).then_some(number)
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Node, D::Error> {
        deserializer.deserialize_any(AnyValue)
    }
}

struct AnyValue;

impl<'de> Visitor<'de> for AnyValue {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Node, E> {
        Ok(Node { text: Some(text.to_owned()), ..Node::default() })
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Node, E> {
        Ok(Node { number: Some(number), ..Node::default() })
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Node, E> {
        self.visit_f64(number as f64)
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Node, E> {
        self.visit_f64(number as f64)
    }

    fn visit_u128<E: Error>(self, _: u128) -> Result<Node, E> {
        Ok(Node::default())
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<Node, E> {
        Ok(Node::default())
    }

    fn visit_bytes<E: Error>(self, _: &[u8]) -> Result<Node, E> {
        Ok(Node::default())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Node, A::Error> {
        let mut node = Node::default();
        while node.items.len() < ENTRIES_MAX {
            match seq.next_element()? {
                Some(item) => node.items.push(item),
                None => return Ok(node),
            }
        }
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(node)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Node, A::Error> {
        let mut node = Node::default();
        while let Some(key) = map.next_key_seed(Key)? {
            match key {
                Some(key) => node.fields.push((key, map.next_value()?)),
                None => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(node)
    }
}

/// A map key, as an index into [`KEYS`] if it is one of them.
struct Key;

impl<'de> DeserializeSeed<'de> for Key {
    type Value = Option<&'static str>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_identifier(self)
    }
}

impl Visitor<'_> for Key {
    type Value = Option<&'static str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a map key")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        self.visit_bytes(text.as_bytes())
    }

    fn visit_bytes<E: Error>(self, octets: &[u8]) -> Result<Self::Value, E> {
        Ok(KEYS.into_iter().find(|key| key.as_bytes() == octets))
    }
}
