//! TLS records of a client of DNS over TLS or HTTPS, given to the task of the connection: octets as
//! they are, or those of a client that makes a handshake, with one wound.

use super::lanes::{PAIR, replay, talk};
use meridian::testing::transport::scripted::{Entrance, Step};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::version::{TLS12, TLS13};
use rustls::{ClientConfig, ClientConnection, RootCertStore};
use std::cell::OnceCell;
use std::io::{Read, Write};
use std::sync::Arc;

/// Query for `ns1.cdn.example. A`, behind its length.
pub const QUERY: &[u8] = b"\0\x21\0\x07\0\0\0\x01\0\0\0\0\0\0\x03ns1\x03cdn\x07example\0\0\x01\0\x01";
/// Request with the query of RFC 8484 section 4.1.1.
pub const REQUEST: &[u8] = b"GET /dns-query?dns=AAABAAABAAAAAAAAA3d3dwdleGFtcGxlA2NvbQAAAQAB HTTP/1.1\r\n\
    host: dns.example\r\nconnection: close\r\n\r\n";
/// PROXY header of a client at 192.0.2.1.
pub const HEADER: &[u8] = b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\xc0\0\x02\x01\xc6\x33\x64\x07\xdc\x04\0\x35";

/// The first octet has the bits HTTPS, TLS 1.2, handshake, and balancer. Behind it stand the octets
/// of the client, or the wound of a handshake: its place (2 octets), and the bits that it turns
/// over, where 0 ends the connection there.
pub fn tls(data: &[u8]) {
    let Some((kind, octets)) = data.split_first() else { return };
    let bits = [1, 2, 4, 8].map(|bit| kind & bit != 0);
    let [is_https, is_older, is_live, is_balancer] = bits;
    let entrance = if is_https { Entrance::Doh } else { Entrance::Dot };
    if !is_live {
        return records(&replay(entrance, is_balancer, octets));
    }
    let Some((&[high, low, turned], _)) = octets.split_first_chunk::<3>() else { return };
    let wound = Some((usize::from(u16::from_be_bytes([high, low])), turned));
    let client = live(entrance, is_older, is_balancer, wound);
    if !client.is_wounded {
        let expected: &[u8] = if is_https { b"HTTP/1.1 200" } else { &[203, 0, 113, 53] };
        let is_answered = client.read.windows(expected.len()).any(|octets| octets == expected);
        assert!(is_answered, "a sound client has no answer");
    }
}

/// Octets that a sound client sends.
pub fn recorded(entrance: Entrance, is_older: bool, is_balancer: bool) -> Vec<u8> {
    live(entrance, is_older, is_balancer, None).sent
}

fn live(entrance: Entrance, is_older: bool, is_balancer: bool, wound: Option<(usize, u8)>) -> Live {
    let mut client = Live::new(entrance, is_older, wound);
    if is_balancer {
        client.front = HEADER.to_vec();
    }
    records(&talk(entrance, is_balancer, |octets| client.step(octets)));
    client
}

/// Every octet of the server stands in a record (RFC 8446 section 5.1).
fn records(answer: &[u8]) {
    let mut rest = answer;
    while let Some((&[kind, major, _, high, low], behind)) = rest.split_first_chunk::<5>() {
        assert!((20..=23).contains(&kind) && major == 3, "a record of type {kind}");
        rest = behind.get(usize::from(u16::from_be_bytes([high, low]))..).expect("a whole record");
    }
    assert!(rest.is_empty(), "the head of a record is cut");
}

/// A client that makes a handshake and asks once.
struct Live {
    connection: ClientConnection,
    /// Octets in clear before the handshake.
    front: Vec<u8>,
    question: &'static [u8],
    is_asked: bool,
    wound: Option<(usize, u8)>,
    is_wounded: bool,
    sent: Vec<u8>,
    /// Octets of the server, decrypted.
    read: Vec<u8>,
}

impl Live {
    fn new(entrance: Entrance, is_older: bool, wound: Option<(usize, u8)>) -> Live {
        thread_local! {
            static CONFIGS: [OnceCell<Arc<ClientConfig>>; 2] = const { [OnceCell::new(), OnceCell::new()] };
        }
        let config = CONFIGS
            .with(|configs| Arc::clone(configs[usize::from(is_older)].get_or_init(|| config(is_older))));
        let name = "dns.example".try_into().expect("a name");
        Live {
            connection: ClientConnection::new(config, name).expect("a connection"),
            front: Vec::new(),
            question: if entrance == Entrance::Dot { QUERY } else { REQUEST },
            is_asked: false,
            wound,
            is_wounded: false,
            sent: Vec::new(),
            read: Vec::new(),
        }
    }

    /// The next octets, after those of the server.
    fn step(&mut self, mut octets: &[u8]) -> Step {
        let mut is_last = false;
        while !octets.is_empty() {
            let _ = self.connection.read_tls(&mut octets);
            is_last |= self.connection.process_new_packets().is_err();
        }
        let _ = self.connection.reader().read_to_end(&mut self.read);
        is_last |= !self.read.is_empty();
        if !self.connection.is_handshaking() && !self.is_asked {
            self.connection.writer().write_all(self.question).expect("room");
            self.is_asked = true;
        }
        if is_last {
            self.connection.send_close_notify();
        }
        let mut octets = std::mem::take(&mut self.front);
        while self.connection.wants_write() {
            self.connection.write_tls(&mut octets).expect("memory");
        }
        self.wound(&mut octets);
        self.sent.extend_from_slice(&octets);
        // Octets with a wound may leave the server with half of a record.
        if is_last || self.is_wounded { Step::Last(octets) } else { Step::Send(octets) }
    }

    fn wound(&mut self, octets: &mut Vec<u8>) {
        let Some((at, turned)) = self.wound else { return };
        let Some(at) = at.checked_sub(self.sent.len()).filter(|at| *at < octets.len()) else { return };
        self.is_wounded = true;
        if turned == 0 {
            octets.truncate(at);
        } else {
            octets[at] ^= turned;
        }
    }
}

/// Settings of a client that trusts the certificate, and keeps no tickets.
fn config(is_older: bool) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(PAIR[0]).expect("PEM")).expect("a trust anchor");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let versions = [if is_older { &TLS12 } else { &TLS13 }];
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&versions)
        .expect("versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.resumption = rustls::client::Resumption::disabled();
    Arc::new(config)
}
