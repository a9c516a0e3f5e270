//! Clients that hold what a server gives them: connections without a query, halves of messages and
//! of handshakes, answers that are never read; and new clients beside them.

use crate::certificate::{self, Issued, Secure, secure};
use crate::deployment::{Deployment, PATIENCE, framed, query};
use rustls::{ALL_VERSIONS, ClientConfig};
use socket2::{Domain, Socket, Type};
use std::io::{Read, Result, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

/// Keys of `listen` for every encrypted transport, with so many connections of each stream.
pub fn listen(connections: usize) -> String {
    let mut text = String::new();
    for transport in ["dot", "doh", "doq"] {
        text.push_str(&format!("  {transport}: [\"127.0.0.1:0\"]\n"));
    }
    for transport in ["tcp", "dot", "doh", "doq"] {
        text.push_str(&format!("  {transport}_connections: {connections}\n  {transport}_idle: 1h\n"));
    }
    text
}

/// Addresses of a server.
#[derive(Clone, Copy)]
pub struct Addresses {
    pub dns: SocketAddr,
    pub dot: SocketAddr,
    pub doh: SocketAddr,
    pub doq: SocketAddr,
}

impl Addresses {
    /// Those of a running server, which has all transports.
    pub fn of(deployment: &Deployment) -> Addresses {
        let status = deployment.page("/status").json();
        let parse = |value: &serde_json::Value| {
            value.as_str().and_then(|text| text.parse().ok()).expect("an address as text")
        };
        let stream = |transport: &str| {
            let streams = status["streams"].as_array().expect("a list");
            let found = streams.iter().find(|stream| stream["transport"] == transport);
            parse(&found.unwrap_or_else(|| panic!("no {transport}"))["addresses"][0])
        };
        Addresses {
            dns: parse(&status["dns"][0]),
            dot: stream("dot"),
            doh: stream("doh"),
            doq: stream("doq"),
        }
    }
}

/// Clients of one server.
pub struct Clients {
    at: Addresses,
    dot: Arc<ClientConfig>,
    doh: Arc<ClientConfig>,
    /// Number of the next connection, which has its source address from it.
    next: usize,
}

/// Connections of each /24.
const OF_PREFIX: usize = 40;

impl Clients {
    /// Clients that trust this certificate.
    pub fn new(at: Addresses, pair: &Issued) -> Clients {
        let config = |alpn: &str| certificate::client(&[pair], ALL_VERSIONS, &[alpn]);
        Clients { at, dot: config("dot"), doh: config("http/1.1"), next: 0 }
    }

    /// A connection from 127/8, of which few have one prefix.
    fn connect(&mut self, server: SocketAddr) -> Result<TcpStream> {
        let prefix = self.next / OF_PREFIX;
        self.next += 1;
        let from = Ipv4Addr::new(127, 64 + (prefix / 250 % 100) as u8, (prefix % 250) as u8, 1);
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
        socket.bind(&SocketAddr::from((from, 0)).into())?;
        socket.connect(&server.into())?;
        let stream = TcpStream::from(socket);
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        Ok(stream)
    }

    fn dot(&mut self) -> Result<Secure> {
        let stream = self.connect(self.at.dot)?;
        secure(&self.dot, stream)
    }

    /// Connections that have asked once, over TCP and TLS by turns. The server ends those of HTTPS
    /// whose client answers no ping, or sends no further request.
    pub fn idle(&mut self, count: usize) -> Vec<TcpStream> {
        let one = |clients: &mut Clients, number| match number % 2 {
            0 => clients.ask_tcp(),
            _ => clients.ask_dot().map(|stream| stream.sock),
        };
        (0..count).map(|number| one(self, number).expect("the server answers")).collect()
    }

    /// Connections with a part of a message: over TCP and TLS by turns.
    pub fn half(&mut self, count: usize) -> Vec<TcpStream> {
        let part = &framed(&query(1, "www.cdn.example", 1))[..20];
        let one = |clients: &mut Clients, number: usize| {
            if number.is_multiple_of(2) {
                let mut stream = clients.connect(clients.at.dns)?;
                stream.write_all(&part[..1 + number / 2 % 20])?;
                return Ok(stream);
            }
            let mut stream = clients.dot()?;
            stream.write_all(&part[..1 + number / 2 % 20])?;
            Ok(stream.sock)
        };
        let opened: Result<Vec<TcpStream>> = (0..count).map(|number| one(self, number)).collect();
        opened.expect("the server accepts")
    }

    /// Connections with the beginning of a handshake: for DNS over TLS and HTTPS by turns.
    pub fn unfinished(&mut self, count: usize) -> Vec<TcpStream> {
        let one = |clients: &mut Clients, number: usize| {
            let server = if number.is_multiple_of(2) { clients.at.dot } else { clients.at.doh };
            let mut stream = clients.connect(server)?;
            stream.write_all(&[22, 3, 1, 2, 0, 1][..number % 7])?;
            Ok(stream)
        };
        let opened: Result<Vec<TcpStream>> = (0..count).map(|number| one(self, number)).collect();
        opened.expect("the server accepts")
    }

    /// Connections that ask until the server takes no more, and read nothing: over TCP and TLS by
    /// turns.
    pub fn never_read(&mut self, count: usize) -> Vec<TcpStream> {
        let many: Vec<u8> = (0..500).flat_map(|id| framed(&query(id, "none.cdn.example", 1))).collect();
        // Far above the buffers of both sides: a server that takes more keeps it, or drops it.
        let fill = |stream: &mut dyn Write| {
            let taken = (0..(64 << 20) / many.len()).all(|_| stream.write_all(&many).is_ok());
            assert!(!taken, "the server reads on from a client that reads nothing");
        };
        let one = |clients: &mut Clients, number: usize| {
            let server = if number.is_multiple_of(2) { clients.at.dns } else { clients.at.dot };
            let stream = clients.connect(server)?;
            let mut sock = stream.try_clone()?;
            if number.is_multiple_of(2) {
                sock.set_write_timeout(Some(Duration::from_millis(50)))?;
                fill(&mut sock);
            } else {
                let mut secure = secure(&clients.dot, stream)?;
                sock.set_write_timeout(Some(Duration::from_millis(50)))?;
                fill(&mut secure);
            }
            Ok(sock)
        };
        let opened: Result<Vec<TcpStream>> = (0..count).map(|number| one(self, number)).collect();
        opened.expect("the server accepts")
    }

    /// A new client of TCP, with its answer.
    pub fn ask_tcp(&mut self) -> Result<TcpStream> {
        let mut stream = self.connect(self.at.dns)?;
        exchange(&mut stream)?;
        Ok(stream)
    }

    /// A new client of DNS over TLS, with its answer.
    pub fn ask_dot(&mut self) -> Result<Secure> {
        let mut stream = self.dot()?;
        exchange(&mut stream)?;
        Ok(stream)
    }

    /// A new client of DNS over HTTPS, with its answer.
    pub fn ask_doh(&mut self) -> Result<Secure> {
        let stream = self.connect(self.at.doh)?;
        let mut stream = secure(&self.doh, stream)?;
        let message = query(0, "www.cdn.example", 1);
        let head =
            "POST /dns-query HTTP/1.1\r\nhost: dns.example\r\ncontent-type: application/dns-message\r\n";
        let head = format!("{head}content-length: {}\r\n\r\n", message.len());
        stream.write_all(&[head.as_bytes(), &message].concat())?;
        let (mut answer, mut room) = (Vec::new(), [0; 1_500]);
        while !answer.ends_with(&ADDRESS) {
            match stream.read(&mut room)? {
                0 => return Err(std::io::ErrorKind::UnexpectedEof.into()),
                length => answer.extend_from_slice(&room[..length]),
            }
        }
        Ok(stream)
    }
}

/// Address of `www.cdn.example`, with which the answer ends.
const ADDRESS: [u8; 4] = [198, 51, 100, 10];

/// Asks once, and reads the answer.
fn exchange(stream: &mut (impl Read + Write)) -> Result<()> {
    stream.write_all(&framed(&query(7, "www.cdn.example", 1)))?;
    let mut length = [0; 2];
    stream.read_exact(&mut length)?;
    let mut answer = vec![0; usize::from(u16::from_be_bytes(length))];
    stream.read_exact(&mut answer)?;
    if answer.ends_with(&ADDRESS) { Ok(()) } else { Err(std::io::Error::other("another answer")) }
}
