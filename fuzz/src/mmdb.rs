//! Any octets as a database: refused, or leaves that are ascending and disjoint.

use meridian::testing::finding::FileId;
use meridian::testing::geo::atlas::Atlas;
use meridian::testing::geo::mmdb::Database;

/// Reads a database and layers it.
pub fn mmdb(data: &[u8]) {
    let Ok(database) = Database::read("fuzzed", data, FileId(0)) else { return };
    for pair in database.leaves_v4.windows(2) {
        assert!(pair[0].0 < pair[1].0);
    }
    for (.., place) in &database.leaves_v4 {
        assert!((*place as usize) < database.places.len());
    }
    let (atlas, _) = Atlas::build(std::slice::from_ref(&database), &[]);
    let covered: u128 = atlas.v4.iter().map(|leaf| 1u128 << (32 - leaf.len)).sum();
    assert_eq!(covered, 1 << 32, "leaves cover IPv4 once");
}
