//! The sample deployment, out of the binary itself, with one file replaced if wanted.

use meridian::config::Sources;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Path and content of every file of the sample.
pub const FILES: [(&str, &[u8]); 8] = [
    ("meridian.yaml", include_bytes!("../../meridian.yaml")),
    ("pops.yaml", include_bytes!("../../pops.yaml")),
    ("policies.yaml", include_bytes!("../../policies.yaml")),
    ("geoip/networks.yaml", include_bytes!("../../geoip/networks.yaml")),
    ("zones/cdn.example.yaml", include_bytes!("../../zones/cdn.example.yaml")),
    ("zones/media.example.yaml", include_bytes!("../../zones/media.example.yaml")),
    ("zones/shop.example.yaml", include_bytes!("../../zones/shop.example.yaml")),
    ("geoip/places.mmdb", include_bytes!("../../geoip/places.mmdb")),
];

/// The source of the sample database.
pub const PLACES_CSV: &[u8] = include_bytes!("../../geoip/places.csv");

/// The files, one of them replaced.
pub struct Replaced<'a> {
    pub path: &'a str,
    pub content: &'a [u8],
}

impl Sources for Replaced<'_> {
    fn read(&self, path: &Path) -> Result<Arc<[u8]>, String> {
        if path == Path::new(self.path) {
            return Ok(self.content.into());
        }
        let file = FILES.iter().find(|(name, _)| path == Path::new(name));
        file.map(|(_, octets)| Arc::from(*octets)).ok_or_else(|| "no such file".to_owned())
    }

    fn list(&self, folder: &Path) -> Result<Vec<PathBuf>, String> {
        Ok(FILES.iter().map(|(name, _)| PathBuf::from(name)).filter(|p| p.parent() == Some(folder)).collect())
    }
}
