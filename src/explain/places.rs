//! Places of a query's addresses, and the databases from which they come.
//!
//! A snapshot no longer holds the databases. So the files are read again, and only the entries that
//! the query needs are decoded. A file that has changed since the snapshot was compiled is not
//! consulted, because the snapshot does not use its present content.

use crate::finding::FileId;
use crate::geo::atlas::{Atlas, Provenance};
use crate::geo::embedded;
use crate::geo::mmdb::Database;
use crate::geo::place::Place;
use crate::snapshot::Snapshot;
use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;
use std::sync::Arc;

/// Reads a whole file; the error is a sentence.
pub(crate) type ReadFile<'r> = &'r dyn Fn(&Path) -> Result<Arc<[u8]>, String>;

/// Places of a few addresses.
pub(crate) struct Places {
    atlas: Atlas,
    /// Sentence for each database that was not consulted.
    pub(crate) missing: Vec<String>,
}

impl Places {
    /// Looks up addresses in the databases and operator networks of a snapshot.
    pub(crate) fn of(snapshot: &Snapshot, addresses: &[IpAddr], read: ReadFile<'_>) -> Places {
        let mut addresses = addresses.to_vec();
        let inner: Vec<IpAddr> = addresses
            .iter()
            .filter_map(|address| match address {
                IpAddr::V6(address) => embedded::ipv4_in(address.to_bits()),
                IpAddr::V4(_) => None,
            })
            .map(|(bits, _)| IpAddr::V4(Ipv4Addr::from_bits(bits)))
            .collect();
        // Databases hold the clients of IPv4 under their IPv4 addresses only.
        addresses.retain(
            |address| !matches!(address, IpAddr::V6(v6) if embedded::ipv4_in(v6.to_bits()).is_some()),
        );
        addresses.extend(inner);
        let mut missing = Vec::new();
        let databases: Vec<Database> = (snapshot.origins.databases.iter())
            .map(|file| {
                let consulted = read(Path::new(&*file.path))
                    .map_err(|why| format!("{} cannot be read: {why}", file.path))
                    .and_then(|octets| {
                        if !file.is(&octets) {
                            return Err(format!("{} has changed since the snapshot was compiled", file.path));
                        }
                        Database::about(&file.path, &octets, FileId(0), &addresses)
                            .map_err(|_| format!("{} is not a sound database", file.path))
                    });
                consulted.unwrap_or_else(|sentence| {
                    missing.push(sentence);
                    Database::silent(file.path.clone())
                })
            })
            .collect();
        Places { atlas: Atlas::build(&databases, &snapshot.origins.networks).0, missing }
    }

    /// Place of an address, and the source of each field.
    pub(crate) fn of_address(&self, address: IpAddr) -> (&Place, &Provenance) {
        let (place, _, provenance) = self.atlas.place_of(address);
        (place, provenance)
    }

    /// Sources of a place, such as `country by geoip/places.mmdb`.
    pub(crate) fn sources(&self, provenance: &Provenance) -> Vec<String> {
        let said = |(field, source)| format!("{field} by {}", self.atlas.source_name(source));
        provenance.fields().map(said).collect()
    }
}
