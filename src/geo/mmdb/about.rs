//! Reads the data of a database about a few addresses, which is enough for `explain`. A full
//! reading walks every leaf, which takes seconds and hundreds of megabytes for a large database.

use super::tree::Tree;
use super::{Database, Fault, Fields, Records, text};
use crate::finding::{FileId, Findings};
use crate::limits::DATABASE_OCTETS_MAX;
use maxminddb::Reader;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;

impl Database {
    /// A database with nothing but a name.
    pub(crate) fn silent(name: impl Into<Arc<str>>) -> Database {
        Database {
            name: name.into(),
            kind: "".into(),
            build_epoch: 0,
            node_count: 0,
            ip_version: 6,
            leaves_v4: Vec::new(),
            leaves_v6: Vec::new(),
            places: Vec::new(),
        }
    }

    /// Reads the data about these addresses. Each becomes a leaf of its own; all other addresses
    /// are without data.
    ///
    /// Refuses what [`Database::read`] refuses, as far as the look-ups meet a fault.
    pub(crate) fn about(
        name: &Arc<str>,
        octets: &[u8],
        file: FileId,
        addresses: &[IpAddr],
    ) -> Result<Database, Findings> {
        if text::is_text(name) {
            return text::read(name.clone(), octets, file);
        }
        let refuse = |fault: Fault| Findings::from(fault.finding(name, file));
        if octets.len() > DATABASE_OCTETS_MAX {
            return Err(refuse(Fault::TooLarge(octets.len())));
        }
        let reader = Reader::from_source(octets).map_err(|e| refuse(e.into()))?;
        let mut database = Database::silent(name.clone());
        if reader.metadata().ip_version == 4 {
            database.ip_version = 4;
        }
        let metadata = reader.metadata();
        let tree = Tree::new(octets, metadata.node_count, metadata.record_size);
        let mut records = Records::new(&reader, &tree, octets);
        let v4 = if database.ip_version == 4 { None } else { Some(records.v4(&tree).map_err(refuse)?) };
        for address in addresses.iter().filter(|address| address.is_ipv4() || database.ip_version == 6) {
            let asked = match (address, v4) {
                (IpAddr::V4(address), Some(v4)) => {
                    IpAddr::V6(Ipv6Addr::from_bits(v4.v6_of(address.to_bits())))
                }
                _ => *address,
            };
            let found = reader.lookup(asked).map_err(|e| refuse(e.into()))?;
            let fields = found.decode::<Fields>().map_err(|e| refuse(e.into()))?.unwrap_or_default();
            if fields == Fields::default() {
                continue;
            }
            let place = database.places.len() as u32;
            match address {
                IpAddr::V4(address) => database.leaves_v4.push((address.to_bits(), 32, place)),
                IpAddr::V6(address) => database.leaves_v6.push((address.to_bits(), 128, place)),
            }
            database.places.push(fields);
        }
        database.leaves_v4.sort_unstable();
        database.leaves_v6.sort_unstable();
        database.leaves_v4.dedup_by_key(|leaf| leaf.0);
        database.leaves_v6.dedup_by_key(|leaf| leaf.0);
        Ok(database)
    }
}
