//! The sample behind the lanes of TCP, TLS and HTTPS, without sockets.

use super::sample::{FILES, Replaced};
use meridian::testing::snapshot::{Snapshot, compile};
use meridian::testing::transport::scripted::{Entrance, Lanes, Step, Talk};
use std::path::Path;
use std::sync::{Arc, OnceLock};

/// Certificate of `dns.example`, signed by itself, and its key, which serve fuzz targets alone.
pub const PAIR: [&[u8]; 2] = [include_bytes!("pair/cert.pem"), include_bytes!("pair/key.pem")];

/// The sample with the certificate.
pub fn snapshot() -> &'static Arc<Snapshot> {
    static SNAPSHOT: OnceLock<Arc<Snapshot>> = OnceLock::new();
    SNAPSHOT.get_or_init(|| {
        let files = [&FILES[..], &[("tls/cert.pem", PAIR[0]), ("tls/key.pem", PAIR[1])]].concat();
        let tls = b"tls: { certificate: tls/cert.pem, key: tls/key.pem }\n";
        let server = [FILES[0].1, tls].concat();
        let loaded = meridian::testing::config::read_deployment(
            Path::new("meridian.yaml"),
            &Replaced { files: &files, path: "meridian.yaml", content: &server },
        );
        let deployment = loaded.deployment.expect("the sample is sound");
        Arc::new(compile(&deployment, None, 1).0.expect("the sample compiles"))
    })
}

/// A conversation. The server ends its connection when its client does, and does not panic.
pub fn talk(entrance: Entrance, is_balancer: bool, client: impl FnMut(&[u8]) -> Step) -> Vec<u8> {
    thread_local! {
        static LANES: Lanes = Lanes::new(Arc::clone(snapshot())).expect("a runtime");
    }
    LANES.with(|lanes| {
        let before = lanes.panics();
        let Talk { answer, is_ended } = lanes.talk(entrance, is_balancer, client);
        assert!(is_ended, "the connection outlives its client");
        assert_eq!(lanes.panics(), before, "a panic was caught");
        answer
    })
}

/// A conversation with a client that sends all at once.
pub fn replay(entrance: Entrance, is_balancer: bool, octets: &[u8]) -> Vec<u8> {
    talk(entrance, is_balancer, |_| Step::Last(octets.to_vec()))
}
