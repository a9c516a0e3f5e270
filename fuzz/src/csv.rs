//! Any text as the source of a database: findings, or a database that can be read.

use meridian::testing::cli::geoip::build as geoip;
use meridian::testing::finding::{FileId, code};
use meridian::testing::geo::mmdb::Database;

/// Compiles a source and reads what came out.
pub fn csv(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let Ok(octets) = geoip::compile(&text, FileId(0), Some(0)) else { return };
    if let Err(findings) = Database::read("built", &octets, FileId(0)) {
        // A source of rows without any field makes a database that says nothing.
        assert!(findings.iter().all(|f| f.code == code::DATABASE_LAYOUT), "{findings:?}");
    }
}
