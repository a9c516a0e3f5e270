//! A small deployment in a folder of its own, servers over it, and a client's octets.
//!
//! It serves `www.cdn.example. A` by a policy with one PoP, whose address tests change.

pub mod sample;

use meridian::testing::server::{Engine, Options, Server};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream, UdpSocket};
use std::path::PathBuf;
use std::process::ChildStdout;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// The longest that any step of a test may take.
pub const PATIENCE: Duration = Duration::from_secs(10);

/// The files of a deployment.
pub struct Deployment {
    folder: TempDir,
}

impl Deployment {
    /// Files that listen on `dns`, with further keys of `listen`.
    pub fn new(dns: &[&str], listen: &str) -> Deployment {
        let deployment = Deployment { folder: tempfile::tempdir().expect("a folder") };
        deployment.write(
            "meridian.yaml",
            &format!(
                "node: {{ name: test }}\nlisten:\n  dns: {dns:?}\n  control: control.sock\n  threads: \
                 2\n{listen}\
                 pops: pops.yaml\nzones: zones/\nstate: state/\n"
            ),
        );
        deployment.set_address("198.51.100.10");
        std::fs::create_dir(deployment.path("zones")).expect("a folder");
        deployment.write(
            "zones/cdn.example.yaml",
            "zone: cdn.example.\nttl: 300\nsoa: { mname: ns1, rname: hostmaster, negative_ttl: 60 \
             }\nrecords:\n  \"@\": { NS: [ns1] }\n  \
             ns1: { A: 192.0.2.53 }\n  www: { steer: web }\npolicies:\n  web: { pops: [one], order: listed \
             }\n",
        );
        deployment
    }

    /// A file of the deployment.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file of the deployment.
    pub fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).expect("the folder is ours");
    }

    /// Gives the PoP another address.
    pub fn set_address(&self, address: &str) {
        self.write(
            "pops.yaml",
            &format!(
                "pops:\n  one:\n    at: {{ lat: 50.1, lon: 8.7, country: DE }}\n    addresses: [{address}]\n"
            ),
        );
    }

    /// The event log once it tells enough: a thread of its own writes it, after the answers are
    /// right.
    pub fn events(&self, is_enough: impl Fn(&str) -> bool) -> String {
        let end = Instant::now() + PATIENCE;
        loop {
            // Before the first event there is no file.
            let events = std::fs::read_to_string(self.path("state/events.jsonl")).unwrap_or_default();
            if is_enough(&events) {
                return events;
            }
            assert!(Instant::now() < end, "{events}");
            std::thread::yield_now();
        }
    }

    /// Starts a server in this process.
    pub fn start(&self, engine: Engine) -> Server {
        let options =
            Options { config: self.path("meridian.yaml"), engine, log_dropped: std::sync::Arc::default() };
        Server::start(&options).unwrap_or_else(|refusal| panic!("refused: {:?}", refusal.0))
    }
}

/// The addresses that `meridian serve` prints before it answers: DNS (the first), and admin.
pub fn banner(stdout: ChildStdout) -> (SocketAddr, Option<SocketAddr>) {
    let (mut dns, mut admin) = (None, None);
    for line in BufReader::new(stdout).lines().map_while(Result::ok) {
        let mut words = line.split_whitespace();
        match (words.next(), words.next()) {
            (Some("dns"), Some(address)) => dns = dns.or(address.parse().ok()),
            (Some("admin"), Some(url)) => admin = url.trim_start_matches("http://").parse().ok(),
            (Some("snapshot"), _) => break,
            _ => {}
        }
    }
    (dns.expect("the address is printed"), admin)
}

/// A query without EDNS.
pub fn query(id: u16, name: &str, rtype: u16) -> Vec<u8> {
    message(id, 0, name, rtype)
}

/// A message with one question.
pub fn message(id: u16, opcode: u8, name: &str, rtype: u16) -> Vec<u8> {
    let mut octets = id.to_be_bytes().to_vec();
    octets.extend_from_slice(&[opcode << 3, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
    for label in name.trim_end_matches('.').split('.') {
        octets.push(label.len() as u8);
        octets.extend_from_slice(label.as_bytes());
    }
    octets.push(0);
    octets.extend_from_slice(&rtype.to_be_bytes());
    octets.extend_from_slice(&[0, 1]);
    octets
}

/// The message with an OPT that holds one option.
pub fn with_option(mut octets: Vec<u8>, code: u8, option: &[u8]) -> Vec<u8> {
    octets[11] += 1;
    octets.extend_from_slice(&[
        0,
        0,
        41,
        4,
        208,
        0,
        0,
        0,
        0,
        0,
        4 + option.len() as u8,
        0,
        code,
        0,
        option.len() as u8,
    ]);
    octets.extend_from_slice(option);
    octets
}

/// The DNS cookie of an answer.
pub fn cookie_of(octets: &[u8]) -> Option<Vec<u8>> {
    use domain::base::iana::OptionCode;
    use domain::base::opt::UnknownOptData;
    let message = domain::base::Message::from_octets(octets).expect("a DNS message");
    let opt = message.opt()?;
    let options = opt.opt().iter::<UnknownOptData<_>>().map(|option| option.expect("a whole option"));
    options.filter(|option| option.code() == OptionCode::COOKIE).map(|option| option.data().to_vec()).next()
}

/// A UDP client in the family of `server`.
pub fn client(server: SocketAddr) -> UdpSocket {
    let socket =
        UdpSocket::bind(if server.is_ipv4() { "127.0.0.1:0" } else { "[::1]:0" }).expect("loopback has room");
    socket.set_read_timeout(Some(PATIENCE)).expect("a time-out can be set");
    socket
}

/// Asks over UDP; the answer must come from the address that was asked.
pub fn ask_udp(server: SocketAddr, octets: &[u8]) -> Vec<u8> {
    let client = client(server);
    client.send_to(octets, server).expect("the client sends");
    let mut answer = [0; 65_535];
    let (length, from) = client.recv_from(&mut answer).expect("an answer comes");
    assert_eq!(from, server, "the answer comes from the address that was asked");
    answer[..length].to_vec()
}

/// A TCP connection.
pub fn connect(server: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect_timeout(&server, PATIENCE).expect("the server accepts");
    stream.set_read_timeout(Some(PATIENCE)).expect("a time-out can be set");
    stream
}

/// A message behind its length.
pub fn framed(octets: &[u8]) -> Vec<u8> {
    [&(octets.len() as u16).to_be_bytes()[..], octets].concat()
}

/// The next message of a connection.
pub fn read_framed(stream: &mut TcpStream) -> Vec<u8> {
    let mut length = [0; 2];
    stream.read_exact(&mut length).expect("a length comes");
    let mut octets = vec![0; usize::from(u16::from_be_bytes(length))];
    stream.read_exact(&mut octets).expect("a message comes");
    octets
}

/// Asks over TCP.
pub fn ask_tcp(server: SocketAddr, octets: &[u8]) -> Vec<u8> {
    let mut stream = connect(server);
    stream.write_all(&framed(octets)).expect("the server reads");
    read_framed(&mut stream)
}

/// Whether the other end closes the connection without another octet.
pub fn is_closed(stream: &mut TcpStream) -> bool {
    match stream.read(&mut [0; 1]) {
        Ok(length) => length == 0,
        Err(error) => error.kind() == std::io::ErrorKind::ConnectionReset,
    }
}

/// The ID, response code, and IPv4 addresses of an answer, by a decoder that is not the server's.
pub fn decode(octets: &[u8]) -> (u16, u8, Vec<String>) {
    use domain::rdata::A;
    let message = domain::base::Message::from_octets(octets).expect("a DNS message");
    let answers = message.answer().expect("an answer section").limit_to::<A>();
    let addresses = answers.map(|record| record.expect("a whole record").data().addr().to_string()).collect();
    (message.header().id(), message.header().rcode().to_int(), addresses)
}
