//! The queries of RFC 8906 section 8, and what that document wants of their answers, over every
//! transport.

use crate::doh::client::Client as HttpsClient;
use meridian::testing::answer::Transport;
use meridian::testing::server::{Engine, Server};
use quinn::TransportConfig;
use rustls::ALL_VERSIONS;
use std::io::{Read, Write};
use std::net::SocketAddr;
use support::certificate::{self, Issued, Secure, secure, sound};
use support::deployment::*;
use support::encrypted::encrypted;
use support::quic::{Client as QuicClient, Clients, config};
use support::reply::Reply;

const TRANSPORTS: [Transport; 5] =
    [Transport::Udp, Transport::Tcp, Transport::Dot, Transport::Doh, Transport::Doq];
const ZONE: &str = "cdn.example";
const SOA: u16 = 6;
/// Bits of the third and fourth octet of the header (RFC 1035 section 4.1.1, RFC 4035 section 3).
const RD: u16 = 0x0100;
const Z: u16 = 0x0040;
const AD: u16 = 0x0020;
const CD: u16 = 0x0010;
/// Bits of the flags of an OPT (RFC 6891 section 6.1.3).
const DO: u16 = 0x8000;
const EDNS_Z: u16 = 0x0040;

/// OPT of a query.
#[derive(Clone, Copy)]
struct Opt {
    version: u8,
    flags: u16,
    options: &'static [u8],
}

const OPT: Opt = Opt { version: 0, flags: 0, options: &[] };
/// Option 100, which has no meaning.
const UNKNOWN_OPTION: &[u8] = &[0, 100, 0, 0];
/// NSID, an empty client subnet, a client cookie, and EXPIRE (section 8.2.10).
const DEFINED_OPTIONS: &[u8] =
    &[0, 3, 0, 0, 0, 8, 0, 4, 0, 1, 0, 0, 0, 10, 0, 8, 1, 2, 3, 4, 5, 6, 7, 8, 0, 9, 0, 0];

/// A query, and its answer.
struct Row {
    section: &'static str,
    rtype: u16,
    opcode: u8,
    flags: u16,
    opt: Option<Opt>,
    status: &'static str,
    /// Flags of the answer besides QR.
    answered: &'static [&'static str],
}

/// Query for the SOA with NOERROR for an answer.
const PLAIN: Row = Row {
    section: "8.1.1",
    rtype: SOA,
    opcode: 0,
    flags: 0,
    opt: None,
    status: "NOERROR",
    answered: &["aa"],
};

const fn with_opt(section: &'static str, opt: Opt) -> Row {
    let status = if opt.version == 0 { "NOERROR" } else { "BADVERS" };
    let answered: &[&str] = if opt.version == 0 { &["aa"] } else { &[] };
    Row { section, opt: Some(opt), status, answered, ..PLAIN }
}

/// The queries, each with its section. 8.1.5 is the transport, and 8.2.7 has a test of its own.
const ROWS: [Row; 16] = [
    PLAIN,
    Row { section: "8.1.2", rtype: 1000, ..PLAIN },
    Row { section: "8.1.3.1", flags: CD, answered: &["aa", "cd"], ..PLAIN },
    Row { section: "8.1.3.2", flags: AD, ..PLAIN },
    Row { section: "8.1.3.3", flags: Z, ..PLAIN },
    Row { section: "8.1.3.4", flags: RD, answered: &["aa", "rd"], ..PLAIN },
    Row { section: "8.1.4", opcode: 15, status: "NOTIMP", answered: &[], ..PLAIN },
    with_opt("8.2.1", OPT),
    with_opt("8.2.2", Opt { version: 1, ..OPT }),
    with_opt("8.2.3", Opt { options: UNKNOWN_OPTION, ..OPT }),
    with_opt("8.2.4", Opt { flags: EDNS_Z, ..OPT }),
    with_opt("8.2.5", Opt { version: 1, flags: EDNS_Z, ..OPT }),
    with_opt("8.2.6", Opt { version: 1, options: UNKNOWN_OPTION, ..OPT }),
    with_opt("8.2.8", Opt { flags: DO, ..OPT }),
    with_opt("8.2.9", Opt { version: 1, flags: DO, ..OPT }),
    with_opt("8.2.10", Opt { options: DEFINED_OPTIONS, ..OPT }),
];

impl Row {
    /// The query, with the ID 0, which DNS over QUIC wants.
    fn octets(&self) -> Vec<u8> {
        let mut octets = message(0, self.opcode, ZONE, self.rtype);
        let flags = u16::from_be_bytes([octets[2], octets[3]]) | self.flags;
        octets[2..4].copy_from_slice(&flags.to_be_bytes());
        if self.opcode != 0 {
            // A header alone.
            octets.truncate(12);
            octets[5] = 0;
        }
        if let Some(Opt { version, flags, options }) = self.opt {
            octets[11] = 1;
            octets.extend([0, 0, 41, 4, 208, 0, version]);
            octets.extend(flags.to_be_bytes());
            octets.extend((options.len() as u16).to_be_bytes());
            octets.extend(options);
        }
        octets
    }

    /// Checks an answer.
    fn check(&self, octets: &[u8], transport: Transport) {
        let Row { section, .. } = self;
        let reply = Reply::of(octets);
        let seen = format!("RFC 8906 section {section} over {transport:?}:\n{reply:?}");
        assert!(reply.is_response && reply.id == 0 && reply.opcode == self.opcode, "{seen}");
        assert_eq!(reply.status, self.status, "{seen}");
        assert_eq!(reply.flags, self.answered, "{seen}");
        assert_eq!(octets[3] & 0x40, 0, "Z: {seen}");
        let soas = usize::from(self.status == "NOERROR" && self.rtype == SOA);
        assert_eq!(reply.answers().iter().filter(|record| record.rtype == SOA).count(), soas, "{seen}");
        assert_eq!(reply.answers().len(), soas, "{seen}");
        // The additional section has an OPT if and only if the query had one.
        assert_eq!(reply.opt.is_some(), self.opt.is_some(), "{seen}");
        let (Some(opt), Some(asked)) = (&reply.opt, self.opt) else { return };
        assert_eq!(opt.version, 0, "{seen}");
        assert_eq!(opt.is_dnssec_ok, asked.flags & DO != 0, "{seen}");
        assert!(opt.options.iter().all(|(code, _)| *code != 100), "{seen}");
        assert_eq!(flags_of_opt(octets) & !DO, 0, "MBZ of the OPT: {seen}");
        if asked.options == DEFINED_OPTIONS {
            assert!(opt.nsid.is_some() && opt.cookie.is_some() && opt.subnet.is_some(), "{seen}");
        }
    }
}

/// Flags of the OPT at the end of a reply: behind its owner, type, payload, code and version.
fn flags_of_opt(octets: &[u8]) -> u16 {
    let at = octets.windows(3).rposition(|octets| octets == [0, 0, 41]).expect("an OPT");
    u16::from_be_bytes([octets[at + 7], octets[at + 8]])
}

/// Clients of one server, each of its own transport.
struct Five<'c> {
    dns: SocketAddr,
    dot: Secure,
    doh: HttpsClient,
    doq: QuicClient<'c>,
}

impl<'c> Five<'c> {
    fn open(server: &Server, pair: &Issued, clients: &'c Clients) -> Five<'c> {
        let at = |of: Transport| {
            let found = server.streams().iter().find(|(transport, _)| *transport == of);
            found.expect("the transport has an address").1
        };
        let tls = |alpn: &str| certificate::client(&[pair], ALL_VERSIONS, &[alpn]);
        Five {
            dns: server.dns()[0],
            dot: secure(&tls("dot"), connect(at(Transport::Dot))).expect("a handshake"),
            doh: HttpsClient::open(&tls("h2"), connect(at(Transport::Doh))).expect("a connection"),
            doq: clients.open(at(Transport::Doq)).expect("a handshake"),
        }
    }

    fn ask(&mut self, transport: Transport, octets: &[u8]) -> Vec<u8> {
        match transport {
            Transport::Udp => ask_udp(self.dns, octets),
            Transport::Tcp => ask_tcp(self.dns, octets),
            Transport::Dot => {
                self.dot.write_all(&framed(octets)).expect("the server reads");
                let mut length = [0; 2];
                self.dot.read_exact(&mut length).expect("a length comes");
                let mut reply = vec![0; usize::from(u16::from_be_bytes(length))];
                self.dot.read_exact(&mut reply).expect("a message comes");
                reply
            }
            Transport::Doh => self.doh.post(octets).body().to_vec(),
            Transport::Doq => self.doq.ask(octets).expect("a reply"),
        }
    }
}

const ENCRYPTED: &str = "  dot: [\"127.0.0.1:0\"]\n  doh: [\"127.0.0.1:0\"]\n  doq: [\"127.0.0.1:0\"]\n";

/// Every query has its answer over UDP, TCP, TLS, HTTPS and QUIC, by both engines.
#[test]
fn queries_of_rfc_8906() {
    let pair = sound();
    for engine in [Engine::Fast, Engine::Hickory] {
        let deployment = encrypted(ENCRYPTED, &pair);
        let server = deployment.start(engine);
        let clients = Clients::new(9, config(&pair, &["doq"], TransportConfig::default()));
        let mut five = Five::open(&server, &pair, &clients);
        for transport in TRANSPORTS {
            for row in &ROWS {
                row.check(&five.ask(transport, &row.octets()), transport);
            }
        }
        drop(five);
        server.stop();
    }
}

/// An OPT that ends early, or whose options do, is a format error over every transport, and the
/// connection goes on; so does an answer that is too long for a small payload (section 8.2.7) over
/// UDP, where it is truncated and has its OPT.
#[test]
fn opts_that_are_cut_and_answers_that_are() {
    let pair = sound();
    let deployment = encrypted(ENCRYPTED, &pair);
    let text: String = (0..12).map(|n| format!("\"{n:0>60}\", ")).collect();
    deployment.edit("zones/cdn.example.yaml", |zone| {
        zone.replace(
            "records:\n",
            &format!("records:\n  long: {{ TXT: [{}] }}\n", text.trim_end_matches(", ")),
        )
    });
    let server = deployment.start(Engine::Fast);
    let clients = Clients::new(9, config(&pair, &["doq"], TransportConfig::default()));
    let mut five = Five::open(&server, &pair, &clients);
    let whole = Row { opt: Some(Opt { options: DEFINED_OPTIONS, ..OPT }), ..PLAIN }.octets();
    let question = PLAIN.octets().len();
    let mut small = query(0, "long.cdn.example", 16);
    small[11] = 1;
    small.extend([0, 0, 41, 2, 0, 0, 0, 0x80, 0, 0, 0]);
    for transport in TRANSPORTS {
        for length in question..whole.len() {
            let reply = Reply::of(&five.ask(transport, &whole[..length]));
            assert_eq!(reply.status, "FORMERR", "{transport:?}: {length} octets");
        }
        let octets = five.ask(transport, &small);
        let reply = Reply::of(&octets);
        let is_cut = transport == Transport::Udp;
        assert_eq!((reply.is_truncated(), reply.answers().is_empty()), (is_cut, is_cut), "{transport:?}");
        assert!(octets.len() <= 512 || !is_cut, "{} octets", octets.len());
        assert!(reply.opt.is_some_and(|opt| opt.is_dnssec_ok), "{transport:?}");
        PLAIN.check(&five.ask(transport, &PLAIN.octets()), transport);
    }
    drop(five);
    server.stop();
}
