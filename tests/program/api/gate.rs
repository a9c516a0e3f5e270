//! The admin address: plain HTTP only reads; over TLS the holder of a token or of a client
//! certificate changes something, and nobody else does.

use super::{Authority, TOKEN, secured};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use support::deployment::{Deployment, connect};
use support::pages::{self, Page};

/// A client that trusts the authority of a deployment, with its client certificate or without one.
pub(super) fn client(authority: &str, pair: Option<(&str, &str)>) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(authority.as_bytes()).expect("PEM")).expect("an anchor");
    let builder = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_root_certificates(roots);
    Arc::new(match pair {
        None => builder.with_no_client_auth(),
        Some((certificate, key)) => {
            let certificate = CertificateDer::from_pem_slice(certificate.as_bytes()).expect("PEM");
            let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).expect("PEM");
            builder.with_client_auth_cert(vec![certificate], key).expect("a pair")
        }
    })
}

/// A request over TLS with further headers.
pub(super) fn ask(
    config: &Arc<ClientConfig>,
    admin: SocketAddr,
    request: &str,
    headers: &str,
    body: &str,
) -> std::io::Result<Page> {
    let mut stream = open(config, admin);
    let length = body.len();
    write!(
        stream,
        "{request} HTTP/1.1\r\nHost: localhost\r\n{headers}Content-Type: application/json\r\nContent-Length: \
         {length}\r\n\r\n{body}"
    )?;
    answer(stream)
}

type Stream = StreamOwned<ClientConnection, TcpStream>;

fn open(config: &Arc<ClientConfig>, admin: SocketAddr) -> Stream {
    let name = "localhost".try_into().expect("a name");
    let connection = ClientConnection::new(Arc::clone(config), name).expect("a connection");
    StreamOwned::new(connection, connect(admin))
}

fn answer(mut stream: Stream) -> std::io::Result<Page> {
    let mut octets = Vec::new();
    // The server may close without the alert that ends TLS.
    let read = stream.read_to_end(&mut octets);
    if octets.is_empty() {
        read?;
    }
    pages::read(&octets[..])
}

const DRAIN: &str = r#"{"pops":["fra"],"state":"drain","reason":"r","force":true}"#;

fn code(page: &Page) -> String {
    page.json()["code"].as_str().unwrap_or_default().to_owned()
}

/// Without TLS everyone may read and nobody may change anything, token or not.
#[test]
fn plain_http_only_reads() {
    let deployment = Deployment::sample(&["127.0.0.1:0"]);
    let admin = deployment.serve(&[]);
    let admin_address = admin.admin();
    for path in ["/v1/pops", "/v1/zones", "/v1/map", "/v1/overrides", "/v1/openapi.json", "/pops"] {
        assert_eq!(pages::admin(admin_address, path).status, 200, "{path}");
    }
    for (method, path) in [
        ("POST", "/v1/overrides"),
        ("POST", "/pops/override"),
        ("POST", "/v1/reload"),
        ("GET", "/v1/reload"),
        ("DELETE", "/v1/reload"),
        ("POST", "/v1/diff"),
        ("POST", "/v1/explain"),
        ("POST", "/v1/load/push"),
    ] {
        for header in ["", &format!("Authorization: Bearer {TOKEN}\r\n")] {
            let mut stream = connect(admin_address);
            write!(
                stream,
                "{method} {path} HTTP/1.1\r\nHost: localhost\r\n{header}Content-Length: 0\r\n\r\n"
            )
            .expect("the server reads");
            let page = pages::read(stream).expect("an answer");
            assert_eq!((page.status, &*code(&page)), (403, "forbidden"), "{method} {path}: {}", page.body);
        }
    }
}

/// Over TLS a token or a client certificate permits changes; its holder is the author.
#[test]
fn tokens_and_certificates_permit_changes() {
    let authority = Authority::new();
    let deployment = secured(&authority);
    let served = deployment.serve(&[]);
    let admin = served.admin();
    let stranger = client(&authority.certificate, None);
    assert_eq!(ask(&stranger, admin, "GET /v1/pops", "", "").expect("an answer").status, 200);
    let bearer = |token: &str| format!("Authorization: Bearer {token}\r\n");
    for (headers, status) in [
        (String::new(), 401),
        (bearer(""), 401),
        (bearer(&TOKEN[1..]), 401),
        (bearer(&format!("{TOKEN}0")), 401),
        (format!("Authorization: Basic {TOKEN}\r\n"), 401),
        (bearer(TOKEN), 200),
    ] {
        let page = ask(&stranger, admin, "POST /v1/overrides", &headers, DRAIN).expect("an answer");
        assert_eq!(page.status, status, "{headers}: {}", page.body);
        let asks = page.head.to_ascii_lowercase().contains("www-authenticate: bearer");
        assert_eq!(asks, status == 401, "{}", page.head);
        assert!(!page.body.contains(TOKEN));
    }
    let pop = ask(&stranger, admin, "GET /v1/pops/fra", "", "").expect("an answer").json();
    assert_eq!(pop["state_override"]["author"], "the token ops");
    let (certificate, key) = (deployment.read("client.pem"), deployment.read("client.key"));
    let operator = client(&authority.certificate, Some((&certificate, &key)));
    for (headers, status) in [
        ("Origin: https://evil.example\r\n", 403),
        ("Origin: null\r\n", 403),
        ("Origin: https://localhost\r\n", 200),
        ("", 200),
    ] {
        let page = ask(&operator, admin, "POST /v1/overrides", headers, DRAIN).expect("an answer");
        assert_eq!(page.status, status, "{headers}: {}", page.body);
    }
    let pop = ask(&stranger, admin, "GET /v1/pops/fra", "", "").expect("an answer").json();
    let author = pop["state_override"]["author"].as_str().unwrap_or_default().to_owned();
    assert!(author.starts_with("the client certificate "), "{author}");
    // A certificate of another authority makes no connection.
    let (certificate, key) = Authority::new().sign(&["operator"]);
    let other = client(&authority.certificate, Some((&certificate, &key)));
    assert!(ask(&other, admin, "GET /v1/pops", "", "").is_err());
    // Another Host is refused before the token is read.
    let evil = format!("{}X: y\r\n", bearer(TOKEN));
    let rebound = ask(&stranger, admin, "POST http://evil.example/v1/overrides", &evil, DRAIN);
    assert_eq!(rebound.expect("an answer").status, 421);
    // Events with names of people and paths need a proof; their stream has no end.
    for headers in [String::new(), bearer(&TOKEN[1..])] {
        let page = ask(&stranger, admin, "GET /v1/events", &headers, "").expect("an answer");
        assert_eq!((page.status, &*code(&page)), (401, "unauthorized"), "{}", page.body);
    }
    let foreign = ask(&operator, admin, "GET /v1/events", "Origin: https://evil.example\r\n", "");
    let foreign = foreign.expect("an answer");
    assert_eq!(foreign.status, 403);
    assert!(foreign.json()["help"].as_str().is_some_and(|help| help.contains("Origin")), "{}", foreign.body);
    // The author of a reload is recorded.
    let reload = ask(&stranger, admin, "POST /v1/reload", &bearer(TOKEN), "").expect("an answer");
    assert_eq!(reload.status, 200, "{}", reload.body);
    deployment.events(|events| events.contains("reload requested by the token ops"));
    let metrics = ask(&stranger, admin, "GET /v1/metrics", "", "").expect("an answer").body;
    for (reason, least) in [("no_token", 2), ("bad_token", 5), ("foreign_origin", 3)] {
        let series = format!("meridian_admin_refused_total{{reason=\"{reason}\"}} {least}");
        assert!(metrics.contains(&series), "{series}");
    }
    assert!(metrics.contains("meridian_tls_certificate_expiry_timestamp_seconds{use=\"admin\"} "));
    let status = ask(&stranger, admin, "GET /v1/status", "", "").expect("an answer").json();
    assert!(status["admin_certificate_not_after"].is_i64(), "{status}");
    let log = served.process.stderr();
    assert!(!log.contains(TOKEN) && !deployment.read("state/events.jsonl").contains(TOKEN));
}

/// A reload takes new tokens over, and one with a faulty file is refused without quoting it.
#[test]
fn tokens_follow_reloads() {
    let authority = Authority::new();
    let deployment = secured(&authority);
    let served = deployment.serve(&[]);
    let stranger = client(&authority.certificate, None);
    let status = |token: &str| {
        let headers = format!("Authorization: Bearer {token}\r\n");
        ask(&stranger, served.admin(), "GET /v1/reload", &headers, "").expect("an answer").status
    };
    assert_eq!(status(TOKEN), 200);
    let admin = served.admin();
    let mut events = open(&stranger, admin);
    let head = "HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer";
    write!(events, "GET /v1/events {head} {TOKEN}\r\n\r\n").expect("the server reads");
    let mut begin = [0; 12];
    events.read_exact(&mut begin).expect("an answer");
    assert_eq!(&begin, b"HTTP/1.1 200");
    let stream = std::thread::spawn(move || {
        // The server may close without the alert that ends TLS.
        let end = events.read_to_end(&mut Vec::new()).map_err(|error| error.kind());
        assert!(!matches!(end, Err(ErrorKind::WouldBlock | ErrorKind::TimedOut)), "{end:?}");
    });
    // A reload without a change of `admin` ends no stream.
    assert_eq!(deployment.run(&["reload"]).0, 0);
    let other = "f".repeat(40);
    deployment.write("admin.tokens", &format!("ops {other}\n"));
    // A connection that has begun its request.
    let mut begun = open(&stranger, admin);
    write!(begun, "GET /v1/reload HTTP/1.1\r\nHost: localhost\r\n").expect("the server reads");
    begun.flush().expect("the server reads");
    let (code, told, errors) = deployment.run(&["reload"]);
    assert_eq!(code, 0, "{errors}");
    write!(begun, "Authorization: Bearer {TOKEN}\r\n\r\n").expect("the server reads");
    let refused = answer(begun).expect("an answer");
    assert_eq!(refused.status, 401);
    assert_eq!(refused.json()["help"], "connect again");
    assert!(told.contains("admin: other tokens") && !told.contains(&other), "{told}");
    assert_eq!((status(TOKEN), status(&other)), (401, 200));
    stream.join().expect("a withdrawn token reads no further");
    deployment.write("admin.tokens", &format!("{other} broken line\n"));
    let (code, told, errors) = deployment.run(&["reload"]);
    assert_eq!(code, 1, "{told}");
    assert!(errors.contains("MRD0111") && !errors.contains(&other), "{errors}");
    assert_eq!(status(&other), 200);
}
