//! TLS: which certificates are accepted, what is told of them, and servers that speak something
//! else.

use super::target::{LONG, SHORT, get, run, serve, target, why};
use meridian::testing::health::probe_result::ProbeResult;
use meridian::testing::health::spec::{Check, HttpCheck, TlsCheck, Verify};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, date_time_ymd};
use rustls::pki_types::PrivateKeyDer;
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use std::io::{Read, Write};
use std::net::SocketAddr;
use std::sync::{Arc, mpsc};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

const DAY: i64 = 86_400;

pub struct Authority {
    pem: Arc<[u8]>,
    issuer: Issuer<'static, KeyPair>,
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
            Some("certificate ends in 5 days"),
        ),
        (
            "www.example",
            600,
            Some("www.example"),
            None,
            pinned(),
            "",
            0,
            Some("certificate ends within a day"),
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
            "certificate is for other names than \"www.example\"",
            30,
            None,
        ),
        (
            "www.example",
            30 * DAY + 600,
            Some("www.example"),
            None,
            Verify::Pinned(Arc::clone(&other.pem)),
            "certificate: its issuer is not trusted",
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
        why_not == "certificate: its issuer is not trusted"
            || why_not.starts_with("this system has no root certificates"),
        "{why_not}"
    );
    for (pem, wanted) in [
        ("", "the pinned CA file has no certificate"),
        ("-----BEGIN CERTIFICATE-----\n!!\n", "the pinned CA is no PEM"),
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
