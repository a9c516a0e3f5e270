//! TLS records of a client of DNS over TLS or HTTPS, given to the task of the connection: octets as
//! they are, or those of a client that makes a handshake, with one wound, in its records or in the
//! octets inside them.

use super::lanes::{PAIR, replay, talk};
use meridian::testing::transport::scripted::{Entrance, Step};
use meridian::testing::wire::proxy_header::{Front, ProxyHeader};
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

/// The first octet has the bits HTTPS, TLS 1.2, handshake, balancer, and inside. Behind it stand
/// the octets of the client, or the wound of a handshake: its place (2 octets), and the bits that
/// it turns over, where 0 ends the octets there. With the bit inside, a balancer sends its header
/// inside TLS, and the place counts from there.
pub fn tls(data: &[u8]) {
    let Some((kind, octets)) = data.split_first() else { return };
    let bits = [1, 2, 4, 8, 16].map(|bit| kind & bit != 0);
    let [is_https, is_older, is_live, is_balancer, is_inside] = bits;
    let entrance = if is_https { Entrance::Doh } else { Entrance::Dot };
    if !is_live {
        return records(&replay(entrance, is_balancer, octets));
    }
    let Some((&[high, low, turned], _)) = octets.split_first_chunk::<3>() else { return };
    let wound = Wound { at: usize::from(u16::from_be_bytes([high, low])), turned };
    let mut client = Live::new(entrance, is_older);
    match (is_balancer, is_inside) {
        (true, true) => client.ask_behind_a_header(wound),
        (true, false) => client.front = HEADER.to_vec(),
        _ => {}
    }
    // Inside, the one wound is made already.
    client.wound = (!(is_balancer && is_inside)).then_some(wound);
    client.talk(entrance, is_balancer);
    let expected: &[u8] = if is_https { b"HTTP/1.1 200" } else { &[203, 0, 113, 53] };
    let is_answered = client.read.windows(expected.len()).any(|octets| octets == expected);
    assert!(is_answered || client.is_wounded, "a sound client has no answer");
    assert!(!is_answered || !client.has_faulty_header, "a client behind a faulty header has an answer");
}

/// Octets that a sound client sends.
pub fn recorded(entrance: Entrance, is_older: bool, is_balancer: bool) -> Vec<u8> {
    let mut client = Live::new(entrance, is_older);
    if is_balancer {
        client.front = HEADER.to_vec();
    }
    client.talk(entrance, is_balancer);
    client.sent
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

/// The one fault of a client.
#[derive(Clone, Copy)]
struct Wound {
    /// Its place.
    at: usize,
    /// The bits that it turns over; 0 ends the octets there.
    turned: u8,
}

impl Wound {
    /// Wounds octets, which begin at a place; true if the place of the wound is among them.
    fn make(self, octets: &mut Vec<u8>, begin: usize) -> bool {
        let Some(at) = self.at.checked_sub(begin).filter(|at| *at < octets.len()) else { return false };
        if self.turned == 0 {
            octets.truncate(at);
        } else {
            octets[at] ^= self.turned;
        }
        true
    }
}

/// A client that makes a handshake and asks once.
struct Live {
    connection: ClientConnection,
    /// Octets in clear before the handshake.
    front: Vec<u8>,
    /// Octets inside TLS.
    inside: Vec<u8>,
    is_asked: bool,
    /// The wound in the octets of TCP.
    wound: Option<Wound>,
    /// True if a wound may leave the server without a whole question.
    is_wounded: bool,
    /// True if the server must not answer, because it can read no header.
    has_faulty_header: bool,
    sent: Vec<u8>,
    /// Octets of the server, decrypted.
    read: Vec<u8>,
}

impl Live {
    fn new(entrance: Entrance, is_older: bool) -> Live {
        thread_local! {
            static CONFIGS: [OnceCell<Arc<ClientConfig>>; 2] = const { [OnceCell::new(), OnceCell::new()] };
        }
        let config = CONFIGS
            .with(|configs| Arc::clone(configs[usize::from(is_older)].get_or_init(|| config(is_older))));
        let name = "dns.example".try_into().expect("a name");
        Live {
            connection: ClientConnection::new(config, name).expect("a connection"),
            front: Vec::new(),
            inside: if entrance == Entrance::Dot { QUERY.to_vec() } else { REQUEST.to_vec() },
            is_asked: false,
            wound: None,
            is_wounded: false,
            has_faulty_header: false,
            sent: Vec::new(),
            read: Vec::new(),
        }
    }

    /// Puts a header before the question, inside TLS, and wounds both. A header with a wound may be
    /// sound still, as that of another client.
    fn ask_behind_a_header(&mut self, wound: Wound) {
        let question = std::mem::take(&mut self.inside);
        self.inside = [HEADER, &question].concat();
        wound.make(&mut self.inside, 0);
        match ProxyHeader::front(&self.inside) {
            Ok(Front::Whole(header)) => self.is_wounded = self.inside[header.len..] != question,
            Ok(Front::Partial(_)) | Err(_) => (self.is_wounded, self.has_faulty_header) = (true, true),
        }
    }

    fn talk(&mut self, entrance: Entrance, is_balancer: bool) {
        records(&talk(entrance, is_balancer, |octets| self.step(octets)));
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
            self.connection.writer().write_all(&self.inside).expect("room");
            self.is_asked = true;
            // Without a whole question, the server would wait for the rest of it.
            is_last |= self.is_wounded;
        }
        if is_last {
            self.connection.send_close_notify();
        }
        let mut octets = std::mem::take(&mut self.front);
        while self.connection.wants_write() {
            self.connection.write_tls(&mut octets).expect("memory");
        }
        if self.wound.is_some_and(|wound| wound.make(&mut octets, self.sent.len())) {
            // The server may have half of a record.
            (self.is_wounded, is_last) = (true, true);
        }
        self.sent.extend_from_slice(&octets);
        if is_last { Step::Last(octets) } else { Step::Send(octets) }
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
