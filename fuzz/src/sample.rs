//! The sample deployment, and a small one, out of the binary itself, with one file replaced if
//! wanted.

use meridian::testing::config::Sources;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Path and content of every file of the sample.
pub const FILES: [(&str, &[u8]); 9] = [
    ("meridian.yaml", include_bytes!("../../meridian.yaml")),
    ("pops.yaml", include_bytes!("../../pops.yaml")),
    ("policies.yaml", include_bytes!("../../policies.yaml")),
    ("geoip/networks.yaml", include_bytes!("../../geoip/networks.yaml")),
    ("zones/cdn.example.yaml", include_bytes!("../../zones/cdn.example.yaml")),
    ("zones/media.example.yaml", include_bytes!("../../zones/media.example.yaml")),
    ("zones/shop.example.yaml", include_bytes!("../../zones/shop.example.yaml")),
    ("geoip/places.mmdb", include_bytes!("../../geoip/places.mmdb")),
    ("geoip/latency.mmdb", include_bytes!("../../geoip/latency.mmdb")),
];

/// A sound deployment that costs little to read: it has one of everything, and no database.
pub const SMALL: [(&str, &[u8]); 6] = [
    (
        "meridian.yaml",
        b"node: { name: n1, site: fra }\nlisten: { dns: \"127.0.0.1:5300\" }\ngeoip: { networks: \
            networks.yaml }\n\
          pops: pops.yaml\npolicies: policies.yaml\nzones: zones\n",
    ),
    (
        "networks.yaml",
        b"office: [198.18.0.0/24]\nlab: { prefixes: ['2001:db8::/32'], country: DE, asn: 64500 }\n",
    ),
    (
        "pops.yaml",
        b"pops:\n  fra: { at: { lat: 50, lon: 8 }, addresses: [192.0.2.1, '2001:db8::1'], tags: [eu], \
            services: { video: { addresses: 192.0.2.9 } } }\n  \
          iad: { at: { lat: 39, lon: -77, country: US }, addresses: { address: 192.0.2.2, weight: 5 }, \
          state: drain, https: { alpn: [h2] } }\n",
    ),
    (
        "policies.yaml",
        b"policies:\n  web:\n    pops: [[fra, iad], { cname: x.example. }]\n    order: listed\n    ttl: { \
            min: 5, max: 60 }\n    rules:\n      - { when: { country: DE, not: { asn: 1 } }, pops: fra \
            }\n      \
          - { when: { network: office }, cname: x.example. }\n",
    ),
    (
        "zones/z.example.yaml",
        b"zone: z.example.\nsoa: { mname: ns1, rname: host }\nrecords:\n  '@': { NS: ns1, MX: 10 ns1 }\n  \
            ns1: { A: 203.0.113.1 }\n  \
          www: { steer: web }\n  '*.w': { CNAME: www, ttl: 5 }\npolicies:\n  own: { pops: all, order: listed \
          }\n",
    ),
    (
        "zones/t.example.zone",
        b"$TTL 60\n@ SOA ns1 host 1 2 3 4 5\n@ NS ns1\nns1 A 192.0.2.1\na CNAME www.z.example.\n",
    ),
];

/// The source of the sample database.
pub const PLACES_CSV: &[u8] = include_bytes!("../../geoip/places.csv");

/// Files, one of them replaced.
pub struct Replaced<'a> {
    pub files: &'a [(&'a str, &'a [u8])],
    pub path: &'a str,
    pub content: &'a [u8],
}

impl Sources for Replaced<'_> {
    fn read(&self, path: &Path) -> Result<Arc<[u8]>, String> {
        if path == Path::new(self.path) {
            return Ok(self.content.into());
        }
        let file = self.files.iter().find(|(name, _)| path == Path::new(name));
        file.map(|(_, octets)| Arc::from(*octets)).ok_or_else(|| "no such file".to_owned())
    }

    /// The secret of RFC 9018 appendix A.1.
    fn own_secret(&self) -> Option<[u8; 16]> {
        Some(0xe5e9_73e5_a6b2_a43f_48e7_dc84_9e37_bfcf_u128.to_be_bytes())
    }

    fn list(&self, folder: &Path) -> Result<Vec<PathBuf>, String> {
        Ok(self
            .files
            .iter()
            .map(|(name, _)| PathBuf::from(name))
            .filter(|p| p.parent() == Some(folder))
            .collect())
    }
}
