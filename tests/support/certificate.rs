//! TLS: the server that probes are pointed at, certificates of a DNS server, and its clients. All
//! certificates are made anew for each test run.

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{
    ClientConfig, ClientConnection, RootCertStore, ServerConfig, StreamOwned, SupportedProtocolVersion,
};
use std::net::TcpStream;
use std::sync::Arc;

/// A server for `probe.cdn.example`, and its issuer's certificate as PEM.
pub fn fresh() -> (Arc<ServerConfig>, String) {
    let mut authority = CertificateParams::new(Vec::new()).expect("no names");
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority_key = KeyPair::generate().expect("a key");
    let pem = authority.self_signed(&authority_key).expect("a certificate").pem();
    let key = KeyPair::generate().expect("a key");
    let mut params = CertificateParams::new(vec!["probe.cdn.example".to_owned()]).expect("a name");
    params.is_ca = IsCa::ExplicitNoCa;
    let certificate = params.signed_by(&key, &Issuer::new(authority, authority_key)).expect("a certificate");
    let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(
            vec![certificate.der().clone()],
            PrivateKeyDer::try_from(key.serialize_der()).expect("a key"),
        )
        .expect("they belong together");
    (Arc::new(config), pem)
}

/// Certificate of a DNS server and its key, in PEM.
pub struct Issued {
    pub certificate: String,
    pub key: String,
}

/// A certificate for `dns.example`, signed by itself, from 2020 to this day.
pub fn issue((year, month, day): (i32, u8, u8)) -> Issued {
    let key = KeyPair::generate().expect("a key");
    let mut params = CertificateParams::new(vec!["dns.example".to_owned()]).expect("a name");
    params.not_before = rcgen::date_time_ymd(2020, 1, 1);
    params.not_after = rcgen::date_time_ymd(year, month, day);
    let certificate = params.self_signed(&key).expect("a certificate").pem();
    Issued { certificate, key: key.serialize_pem() }
}

/// A pair that is valid for long.
pub fn sound() -> Issued {
    issue((2045, 1, 1))
}

/// A client that trusts these certificates, speaks these versions, and offers these protocols.
pub fn client(
    trusted: &[&Issued],
    versions: &[&'static SupportedProtocolVersion],
    alpn: &[&str],
) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    for issued in trusted {
        let der = CertificateDer::from_pem_slice(issued.certificate.as_bytes()).expect("PEM");
        roots.add(der).expect("a trust anchor");
    }
    let mut config = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_protocol_versions(versions)
        .expect("versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
    config.enable_early_data = true;
    Arc::new(config)
}

/// A stream of messages over TLS.
pub type Secure = StreamOwned<ClientConnection, TcpStream>;

/// Opens TLS over a connection, the handshake included.
pub fn secure(config: &Arc<ClientConfig>, mut stream: TcpStream) -> std::io::Result<Secure> {
    let name = "dns.example".try_into().expect("a name");
    let mut connection = ClientConnection::new(Arc::clone(config), name).expect("a connection");
    while connection.is_handshaking() {
        connection.complete_io(&mut stream)?;
    }
    Ok(StreamOwned::new(connection, stream))
}
