//! Rows of a source as a database in MaxMind DB format, in the layout of MaxMind's City databases
//! with the AS number beside the place.

use crate::cli::progress::Progress;
use crate::geo::prefix::Prefix;
use crate::geo::source_text::Row;
use ipnet::IpNet;
use mmdb_writer::{Ipv4Aliasing, Value, Writer};
use std::time::{Duration, UNIX_EPOCH};

/// Type of the database in its metadata (`database_type`).
pub(super) const KIND: &str = "Meridian-Places";

/// Octets of a database with the date `epoch`.
pub(super) fn encode(rows: &[Row], epoch: u64) -> Result<Vec<u8>, String> {
    let date = UNIX_EPOCH
        .checked_add(Duration::from_secs(epoch))
        .ok_or_else(|| format!("the epoch {epoch} is too far in the future"))?;
    let mut writer = Writer::builder(KIND)
        .description(&[("en", "Places of networks, made by meridian geoip build")])
        .languages(["en"])
        .ipv4_aliasing(Ipv4Aliasing::Enabled)
        .build_epoch(date)
        .build();
    // Shorter prefixes first, so that longer ones override them; then by address, so that the order
    // of the source does not show in the octets.
    let mut sorted: Vec<&Row> = rows.iter().collect();
    sorted.sort_unstable_by_key(|row| (row.prefix.len(), row.prefix));
    let (mut progress, all) = (Progress::new("networks"), sorted.len() as u64);
    for (done, row) in (1..).zip(sorted) {
        progress.at(done, Some(all));
        writer.insert_value(network(row.prefix)?, record(row)).map_err(|e| e.to_string())?;
    }
    writer.to_bytes().map_err(|e| e.to_string())
}

fn network(prefix: Prefix) -> Result<IpNet, String> {
    IpNet::new(prefix.address(), prefix.len()).map_err(|e| e.to_string())
}

fn record(row: &Row) -> Value {
    let mut fields: Vec<(&str, Value)> = Vec::new();
    if let Some(continent) = row.continent {
        fields.push(("continent", Value::map([("code", continent.code())])));
    }
    if let Some(country) = row.country {
        fields.push(("country", Value::map([("iso_code", country.code())])));
    }
    if let Some(subdivision) = row.subdivision {
        fields.push(("subdivisions", Value::array([Value::map([("iso_code", subdivision.code())])])));
    }
    if let Some(at) = row.coordinates {
        fields.push(("location", Value::map([("latitude", at.lat()), ("longitude", at.lon())])));
    }
    if let Some(asn) = row.asn {
        fields.push(("autonomous_system_number", Value::from(asn)));
    }
    if let Some(city) = &row.city {
        fields.push(("city", Value::map([("names", Value::map([("en", city.as_str())]))])));
    }
    Value::map(fields)
}
