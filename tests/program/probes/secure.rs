//! TLS: which certificates are accepted, what is told of them, and servers that speak something
//! else.

use super::target::{LONG, SHORT, get, run, serve, target, why};
use meridian::testing::health::probe_result::ProbeResult;
use meridian::testing::health::spec::{Check, HttpCheck, TlsCheck, Verify};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, date_time_ymd};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::{CertifiedKey, Signer, SigningKey};
use rustls::{ServerConfig, ServerConnection, SignatureAlgorithm, SignatureScheme, StreamOwned};
use std::io::{Read, Write};
use std::net::SocketAddr;
use std::sync::{Arc, mpsc};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

pub(super) const DAY: i64 = 86_400;

pub struct Authority {
    pub(super) pem: Arc<[u8]>,
    pub(super) issuer: Issuer<'static, KeyPair>,
}

pub fn authority(name: &str) -> Authority {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().unwrap();
    let pem = params.self_signed(&key).unwrap().pem();
    Authority { pem: pem.into_bytes().into(), issuer: Issuer::new(params, key) }
}

impl Authority {
    /// A server with a certificate for this name that ends so many seconds from now. It tells the
    /// SNI it saw.
    pub fn server(&self, name: &str, ends_in: i64) -> (SocketAddr, mpsc::Receiver<Option<String>>) {
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() as i64;
        params.not_after = date_time_ymd(1970, 1, 1) + Duration::from_secs((now + ends_in) as u64);
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(
                vec![certificate.der().clone()],
                PrivateKeyDer::try_from(key.serialize_der()).unwrap(),
            )
            .unwrap();
        let config = Arc::new(config);
        let (tell, told) = mpsc::channel();
        let address = serve(move |stream| {
            let mut tls = StreamOwned::new(ServerConnection::new(Arc::clone(&config)).unwrap(), stream);
            let read = tls.read(&mut [0; 4096]);
            let _ = tell.send(tls.conn.server_name().map(str::to_owned));
            if read.is_ok() {
                let _ = tls.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nall is ok");
                let _ = tls.read(&mut [0]);
            }
        });
        (address, told)
    }
}

fn ask(
    to: SocketAddr,
    sni: Option<&str>,
    host: Option<&str>,
    verify: Verify,
    timeout_ms: u32,
) -> ProbeResult {
    let tls = TlsCheck { sni: sni.map(Into::into), verify, warn_days: 14 };
    let check =
        HttpCheck { tls: Some(tls), host: host.map(Into::into), body: Some((*b"is ok").into()), ..get() };
    run(&target(Check::Http(check), to, timeout_ms))
}

#[test]
fn which_certificates_are_accepted() {
    let (ours, other, namesake) = (authority("ours"), authority("other"), authority("ours"));
    let pinned = || Verify::Pinned(Arc::clone(&ours.pem));
    type Row<'r> = (&'r str, i64, Option<&'r str>, Option<&'r str>, Verify, &'r str, i32, Option<&'r str>);
    let rows: [Row<'_>; 12] = [
        ("www.example", 30 * DAY + 600, Some("www.example"), None, pinned(), "", 30, None),
        ("www.example", 30 * DAY + 600, None, Some("www.example:8443"), pinned(), "", 30, None),
        ("127.0.0.1", 30 * DAY + 600, None, None, pinned(), "", 30, None),
        ("127.0.0.1", 30 * DAY + 600, Some("127.0.0.1"), Some("www.example"), pinned(), "", 30, None),
        (
            "www.example",
            5 * DAY + 600,
            Some("www.example"),
            None,
            pinned(),
            "",
            5,
            Some("certificate expires in 5 days"),
        ),
        (
            "www.example",
            600,
            Some("www.example"),
            None,
            pinned(),
            "",
            0,
            Some("certificate expires within a day"),
        ),
        (
            "www.example",
            -3 * DAY - 600,
            Some("www.example"),
            None,
            pinned(),
            "certificate: expired 3 days ago",
            -4,
            None,
        ),
        (
            "www.example",
            -3 * DAY - 600,
            Some("www.example"),
            None,
            Verify::Off,
            "",
            -4,
            Some("certificate expired 3 days ago"),
        ),
        (
            "other.example",
            30 * DAY + 600,
            Some("www.example"),
            None,
            pinned(),
            "certificate: wrong name: has \"other.example\", wants \"www.example\"",
            30,
            None,
        ),
        (
            "www.example",
            30 * DAY + 600,
            Some("www.example"),
            None,
            Verify::Pinned(Arc::clone(&other.pem)),
            "certificate: its issuer \"ours\" is unknown: not in the file that `ca` names",
            30,
            None,
        ),
        (
            "www.example",
            30 * DAY + 600,
            Some("www.example"),
            None,
            Verify::Pinned(Arc::clone(&namesake.pem)),
            "certificate: not signed by the issuer that is trusted",
            30,
            None,
        ),
        ("other.example", 30 * DAY + 600, Some("www.example"), None, Verify::Off, "", 30, None),
    ];
    for (name, ends_in, sni, host, verify, wanted, days, degraded) in rows {
        let (address, told) = ours.server(name, ends_in);
        let outcome = ask(address, sni, host, verify, LONG);
        assert_eq!(why(&outcome), wanted, "{name} for {sni:?} {host:?}");
        assert_eq!((outcome.certificate_days, outcome.degraded.as_deref()), (Some(days), degraded), "{name}");
        // An address is never sent as a server name.
        let sent = sni
            .or(host.map(|host| host.trim_end_matches(":8443")))
            .filter(|name| name.parse::<std::net::IpAddr>().is_err());
        assert_eq!(told.recv().unwrap().as_deref(), sent);
    }
}

#[test]
fn roots_that_cannot_be_had() {
    let ours = authority("ours");
    let (address, _told) = ours.server("www.example", DAY);
    let outcome = ask(address, Some("www.example"), None, Verify::System, LONG);
    let why_not = why(&outcome);
    assert!(
        why_not
            == "certificate: its issuer \"ours\" is unknown: not among the \
                system's roots; `ca` trusts another"
            || why_not.starts_with("this system has no root certificates"),
        "{why_not}"
    );
    for (pem, wanted) in [
        ("", "the file that `ca` names holds no certificate"),
        (
            "-----BEGIN CERTIFICATE-----\n!!\n",
            "the file that `ca` names has a certificate without an end (line 1)",
        ),
    ] {
        let outcome = ask(address, Some("www.example"), None, Verify::Pinned(pem.as_bytes().into()), LONG);
        assert!(why(&outcome).starts_with(wanted), "{outcome:?}");
    }
    assert_eq!(why(&ask(address, Some("no name"), None, Verify::Off, LONG)), "\"no name\" is no server name");
}

#[test]
fn servers_that_speak_something_else() {
    let silent = serve(|mut stream| {
        let _ = stream.read_to_end(&mut Vec::new());
    });
    assert_eq!(why(&ask(silent, None, None, Verify::Off, SHORT)), "no answer within 700 ms (TLS handshake)");
    let plain = serve(|mut stream| {
        let _ = stream.read(&mut [0; 4096]);
        let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n");
    });
    assert_eq!(why(&ask(plain, None, None, Verify::Off, LONG)), "the server does not speak TLS on this port");
    // Records of an alert level warning, for ever; and half a record, then the end.
    let endless =
        serve(|mut stream| while stream.write_all(&[21, 3, 3, 0, 2, 1, 0x5a].repeat(1_000)).is_ok() {});
    assert!(why(&ask(endless, None, None, Verify::Off, LONG)).starts_with("TLS: "));
    let cut = serve(|mut stream| {
        let _ = stream.read(&mut [0; 4096]);
        let _ = stream.write_all(&[22, 3, 3, 0x10, 0]);
    });
    assert!(["connection closed (TLS handshake)", "connection reset (TLS handshake)"].contains(&why(&ask(
        cut,
        None,
        None,
        Verify::Off,
        LONG
    ))));
}

/// A server with a certificate and its key, whatever its version, that signs by a scheme.
pub(super) fn showing(
    certificate: &CertificateDer<'static>,
    key: Arc<dyn SigningKey>,
    is_tls12: bool,
) -> SocketAddr {
    showing_chain(vec![certificate.clone()], key, is_tls12)
}

pub(super) fn showing_chain(
    chain: Vec<CertificateDer<'static>>,
    key: Arc<dyn SigningKey>,
    is_tls12: bool,
) -> SocketAddr {
    #[derive(Debug)]
    struct One(Arc<CertifiedKey>);
    impl ResolvesServerCert for One {
        fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
            Some(Arc::clone(&self.0))
        }
    }
    let version = if is_tls12 { &rustls::version::TLS12 } else { &rustls::version::TLS13 };
    let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_protocol_versions(&[version])
        .unwrap()
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(One(Arc::new(CertifiedKey::new(chain, key)))));
    let config = Arc::new(config);
    serve(move |stream| {
        let mut tls = StreamOwned::new(ServerConnection::new(Arc::clone(&config)).unwrap(), stream);
        if tls.read(&mut [0; 4096]).is_ok() {
            let _ = tls.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nall is ok");
            let _ = tls.read(&mut [0]);
        }
    })
}

pub(super) fn signing(key: &[u8]) -> Arc<dyn SigningKey> {
    rustls::crypto::ring::sign::any_supported_type(&PrivateKeyDer::try_from(key.to_vec()).unwrap()).unwrap()
}

/// A certificate signed by itself, as `openssl req -x509` makes it: an authority or not, with
/// alternative names or a common name alone.
pub(super) fn self_signed(
    is_ca: bool,
    has_alternative_name: bool,
    ends_in: i64,
) -> (rcgen::Certificate, KeyPair) {
    let names = if has_alternative_name { vec!["www.example".to_owned()] } else { Vec::new() };
    let mut params = CertificateParams::new(names).unwrap();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, "www.example");
    params.is_ca = if is_ca { IsCa::Ca(BasicConstraints::Unconstrained) } else { IsCa::ExplicitNoCa };
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() as i64;
    params.not_after = date_time_ymd(1970, 1, 1) + Duration::from_secs((now + ends_in) as u64);
    let key = KeyPair::generate().unwrap();
    (params.self_signed(&key).unwrap(), key)
}

pub(super) fn asked(to: SocketAddr, name: &str, verify: Verify) -> String {
    why(&ask(to, Some(name), None, verify, LONG)).to_owned()
}

/// A server that shows exactly what is pinned needs no issuer. Its name, its dates and its key are
/// checked all the same; another certificate for the same name is not it.
#[test]
fn a_pinned_certificate_is_trusted_itself() {
    for (is_ca, has_alternative_name, is_tls12) in
        [(true, true, false), (true, false, true), (false, true, true), (false, false, false)]
    {
        let (certificate, key) = self_signed(is_ca, has_alternative_name, 30 * DAY);
        let (stale, stale_key) = self_signed(is_ca, has_alternative_name, -3 * DAY - 600);
        let (other, other_key) = self_signed(is_ca, has_alternative_name, 30 * DAY);
        let pinned = || Verify::Pinned((certificate.pem() + &stale.pem()).into_bytes().into());
        let what = format!("CA {is_ca}, alternative name {has_alternative_name}");
        let server = showing(certificate.der(), signing(&key.serialize_der()), is_tls12);
        assert_eq!(asked(server, "www.example", pinned()), "", "{what}");
        assert_eq!(asked(server, "WWW.example", pinned()), "", "{what}");
        let has = if has_alternative_name {
            "\"www.example\""
        } else {
            "no subject alternative name, only the common name \"www.example\""
        };
        let wanted = format!("certificate: wrong name: has {has}, wants \"else.example\"");
        assert_eq!(asked(server, "else.example", pinned()), wanted, "{what}");
        let server = showing(stale.der(), signing(&stale_key.serialize_der()), is_tls12);
        assert_eq!(asked(server, "www.example", pinned()), "certificate: expired 3 days ago", "{what}");
        let server = showing(other.der(), signing(&other_key.serialize_der()), is_tls12);
        assert_eq!(asked(server, "www.example", pinned()), NOT_PINNED, "{what}");
        // The certificate alone is public: a server without its key is another.
        let server = showing(certificate.der(), signing(&other_key.serialize_der()), is_tls12);
        let said = asked(server, "www.example", pinned());
        assert_eq!(said, "TLS: the server does not have the key of the certificate that it shows", "{what}");
    }
}

const NOT_PINNED: &str =
    "certificate: it is signed by itself: not in the file that `ca` names, where it would be trusted";

/// Made by openssl, whose certificates without extensions are of version 1.
pub(super) const V1: &[u8] = include_bytes!("certificates/v1.pem");
pub(super) const V1_KEY: &[u8] = include_bytes!("certificates/v1.key");
const P521: &[u8] = include_bytes!("certificates/p521.pem");

#[test]
fn a_pinned_certificate_of_version_1_is_trusted() {
    let der = CertificateDer::from_pem_slice(V1).unwrap();
    let key = rustls::crypto::ring::sign::any_supported_type(&PrivateKeyDer::from_pem_slice(V1_KEY).unwrap());
    for is_tls12 in [false, true] {
        let server = showing(&der, key.clone().unwrap(), is_tls12);
        assert_eq!(asked(server, "www.example", Verify::Pinned(V1.into())), "");
    }
}

/// A key that signs nothing but octets of zero, under a scheme that ring does not know.
#[derive(Debug)]
struct P521Key;

impl SigningKey for P521Key {
    fn choose_scheme(&self, offered: &[SignatureScheme]) -> Option<Box<dyn Signer>> {
        offered
            .contains(&SignatureScheme::ECDSA_NISTP521_SHA512)
            .then(|| Box::new(P521Key) as Box<dyn Signer>)
    }
    fn algorithm(&self) -> SignatureAlgorithm {
        SignatureAlgorithm::ECDSA
    }
}

impl Signer for P521Key {
    fn sign(&self, _: &[u8]) -> Result<Vec<u8>, rustls::Error> {
        Ok(vec![0; 139])
    }
    fn scheme(&self) -> SignatureScheme {
        SignatureScheme::ECDSA_NISTP521_SHA512
    }
}

/// ring verifies no signature of a P-521 key: the line says so, and `verify: off` asks for none.
#[test]
fn a_key_that_cannot_be_verified_is_named() {
    let der = CertificateDer::from_pem_slice(P521).unwrap();
    for is_tls12 in [false, true] {
        let server = showing(&der, Arc::new(P521Key), is_tls12);
        let said = asked(server, "www.example", Verify::Pinned(P521.into()));
        assert!(
            said.starts_with("certificate: it has a P-521 key, which this server cannot verify"),
            "{said}"
        );
        let ours = Verify::Pinned(Arc::clone(&authority("ours").pem));
        let said = asked(server, "www.example", ours);
        assert!(
            said.starts_with("certificate: it has a P-521 key, which this server cannot verify"),
            "{said}"
        );
        assert_eq!(asked(server, "www.example", Verify::Off), "");
    }
}

/// Files as others write them: with a byte order mark, with line ends of Windows, with text around.
#[test]
fn files_of_certificates_as_they_are() {
    let (ours, other) = (authority("ours"), authority("other"));
    let (server, _told) = ours.server("www.example", 30 * DAY);
    let text = std::str::from_utf8(&ours.pem).unwrap();
    let crlf = text.replace("\r\n", "\n").replace('\n', "\r\n");
    for file in [
        format!("\u{feff}{text}"),
        format!("\u{feff}{crlf}"),
        format!("Certificate:\n    Data:\n        Version: 3 (0x2)\n{text}\nThe end.\n"),
        format!("{}{crlf}", std::str::from_utf8(&other.pem).unwrap()),
    ] {
        assert_eq!(
            asked(server, "www.example", Verify::Pinned(file.clone().into_bytes().into())),
            "",
            "{file}"
        );
    }
}
