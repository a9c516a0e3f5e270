//! The control pages as an API: the OpenAPI document against a running server, events as they
//! happen, the admin address over TLS and its bounds, the words of refusals, and commands of
//! another host.

mod document;
mod events;
mod gate;
mod handshakes;
mod maps;
mod refusals;
mod remote;
mod shapes;
mod zones;

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use support::deployment::Deployment;

/// Token of `ops` in the deployments of these tests.
const TOKEN: &str = "0123456789abcdef0123456789abcdef";

/// An authority, and pairs that it has signed, in PEM.
struct Authority {
    certificate: String,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    fn new() -> Authority {
        let mut params = CertificateParams::new(Vec::new()).expect("no names");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("a key");
        let certificate = params.self_signed(&key).expect("a certificate").pem();
        Authority { certificate, issuer: Issuer::new(params, key) }
    }

    /// Certificate and key for these names.
    fn sign(&self, names: &[&str]) -> (String, String) {
        let names: Vec<String> = names.iter().map(ToString::to_string).collect();
        let mut params = CertificateParams::new(names).expect("names");
        params.is_ca = IsCa::ExplicitNoCa;
        let key = KeyPair::generate().expect("a key");
        let certificate = params.signed_by(&key, &self.issuer).expect("a certificate").pem();
        (certificate, key.serialize_pem())
    }
}

/// A copy of the sample whose admin address speaks TLS with a certificate of `authority`, and takes
/// a token and client certificates of it.
fn secured(authority: &Authority) -> Deployment {
    let deployment = Deployment::sample(&["127.0.0.1:0"]);
    let (certificate, key) = authority.sign(&["127.0.0.1", "localhost"]);
    let (client, client_key) = authority.sign(&["operator"]);
    for (name, text) in [
        ("admin.pem", &certificate),
        ("admin.key", &key),
        ("ca.pem", &authority.certificate),
        ("client.pem", &client),
        ("client.key", &client_key),
        ("admin.tokens", &format!("ops {TOKEN}\n")),
        ("token", &format!("{TOKEN}\n")),
        ("wrong", &format!("{TOKEN}0\n")),
    ] {
        deployment.write(name, text);
    }
    deployment.edit("meridian.yaml", |text| {
        text + "admin: { tls: { certificate: admin.pem, key: admin.key }, tokens: admin.tokens, client_ca: \
                ca.pem }\n"
    });
    deployment
}
