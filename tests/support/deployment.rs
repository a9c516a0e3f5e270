//! Deployments in folders of their own, servers over them, and a client's octets.

use crate::files::{Tree, one_pop};
use crate::pages::{self, Page};
use crate::program::{self, Served, until_seen};
use crate::reply::Reply;
use meridian::testing::answer::Transport;
use meridian::testing::finding::render;
use meridian::testing::server::{Engine, Options, Server};
use meridian::testing::shared::command::{Command, Origin, ProbePush, Report};
use meridian::testing::shared::counters::Dropped;
use socket2::{Domain, Socket, Type};
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream, UdpSocket};
use std::path::{Path, PathBuf};
use std::sync::{Arc, mpsc};
use std::time::Duration;
use tempfile::TempDir;

/// The longest that any step of a test may take.
pub const PATIENCE: Duration = Duration::from_secs(10);

/// The files of a deployment.
pub struct Deployment {
    folder: TempDir,
}

impl Deployment {
    /// The small deployment of [`Tree::small`].
    pub fn new(dns: &[&str], listen: &str) -> Deployment {
        Deployment::of(&Tree::small(dns, listen))
    }

    /// The files of a tree, in a folder of their own.
    pub fn of(tree: &Tree) -> Deployment {
        let deployment = Deployment { folder: tempfile::tempdir().expect("a folder") };
        tree.write(deployment.folder.path());
        deployment
    }

    /// A copy of the sample deployment, which listens on `dns` and has an admin address.
    pub fn sample(dns: &[&str]) -> Deployment {
        let deployment = Deployment { folder: tempfile::tempdir().expect("a folder") };
        copy_sample(deployment.folder.path());
        deployment.edit("meridian.yaml", |text| {
            let lines = text.lines().map(|line| match line.trim_start() {
                l if l.starts_with("dns:") => format!("  dns: {dns:?}"),
                l if l.starts_with("admin:") => "  admin: \"127.0.0.1:0\"".to_owned(),
                _ => line.to_owned(),
            });
            lines.collect::<Vec<_>>().join("\n") + "\n"
        });
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

    /// Rewrites a file as an editor does: a new file, renamed over the old one.
    pub fn edit(&self, name: &str, change: impl FnOnce(String) -> String) {
        let beside = self.path("new");
        std::fs::write(&beside, change(self.read(name))).expect("the folder is ours");
        std::fs::rename(beside, self.path(name)).expect("the folder is ours");
    }

    /// Gives the PoP another address.
    pub fn set_address(&self, address: &str) {
        self.write("pops.yaml", &one_pop(address));
    }

    /// Event log, once `is_enough` accepts it: a separate thread writes it, after the answers are
    /// right.
    pub fn events(&self, is_enough: impl Fn(&str) -> bool) -> String {
        until_seen("enough events", PATIENCE, || {
            // Before the first event there is no file.
            let events = std::fs::read_to_string(self.path("state/events.jsonl")).unwrap_or_default();
            if is_enough(&events) { Ok(events) } else { Err(events) }
        })
    }

    /// A text of the deployment.
    pub fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    /// The server file, which commands are given.
    pub fn config(&self) -> PathBuf {
        self.path("meridian.yaml")
    }

    /// Starts `meridian serve` with further arguments.
    pub fn serve(&self, more: &[&str]) -> Served {
        Served::start(&self.config(), more)
    }

    /// Runs `meridian` over the server file: exit status, standard output, errors.
    pub fn run(&self, arguments: &[&str]) -> (i32, String, String) {
        program::run(program::meridian_over(&self.config(), arguments))
    }

    /// A page of the control socket.
    pub fn page(&self, path: &str) -> Page {
        pages::control(&self.path("control.sock"), path)
    }

    /// Fails unless each line stands in `/metrics`.
    pub fn has_metrics(&self, lines: &[&str]) {
        let metrics = self.page("/metrics").body;
        for line in lines {
            assert!(metrics.lines().any(|found| found == *line), "{line} is not in\n{metrics}");
        }
    }

    /// Sends a body to a page of the control socket.
    pub fn send(&self, method: &str, path: &str, body: &str) -> Page {
        pages::send(&self.path("control.sock"), method, path, body)
    }

    /// Starts a server in this process.
    pub fn start(&self, engine: Engine) -> Server {
        self.try_start(engine).unwrap_or_else(|findings| panic!("refused: {findings}"))
    }

    /// Starts a server in this process; the error is the findings as text.
    pub fn try_start(&self, engine: Engine) -> Result<Server, String> {
        let options =
            Options { config: self.config(), engine, log_dropped: Arc::default(), own_process: None };
        Server::start(&options).map_err(|refusal| render::text(&refusal.0, &refusal.1, false))
    }
}

/// Copies the sample deployment to a folder.
pub fn copy_sample(to: &Path) {
    let top = crate::top();
    for folder in ["zones", "geoip"] {
        std::fs::create_dir(to.join(folder)).expect("a folder");
        for entry in std::fs::read_dir(top.join(folder)).expect("the sample") {
            let entry = entry.expect("the sample");
            std::fs::copy(entry.path(), to.join(folder).join(entry.file_name())).expect("a copy");
        }
    }
    for file in ["meridian.yaml", "pops.yaml", "policies.yaml"] {
        std::fs::copy(top.join(file), to.join(file)).expect("a copy");
    }
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
    Reply::of(octets).cookie().map(<[u8]>::to_vec)
}

/// A UDP client in the family of `server`.
pub fn client(server: SocketAddr) -> UdpSocket {
    let socket =
        UdpSocket::bind(if server.is_ipv4() { "127.0.0.1:0" } else { "[::1]:0" }).expect("loopback has room");
    socket.set_read_timeout(Some(PATIENCE)).expect("a time-out can be set");
    socket
}

/// The message with a client subnet of 24 bits, as its only option.
pub fn with_subnet(octets: Vec<u8>, network: [u8; 3]) -> Vec<u8> {
    let [a, b, c] = network;
    with_option(octets, 8, &[0, 1, 24, 0, a, b, c])
}

/// Asks over UDP; the answer must come from the address that was asked.
pub fn ask_udp(server: SocketAddr, octets: &[u8]) -> Vec<u8> {
    ask_from(&client(server), server, octets)
}

/// Asks over UDP from an existing client. Panics if no answer comes within the client's timeout.
pub fn ask_from(client: &UdpSocket, server: SocketAddr, octets: &[u8]) -> Vec<u8> {
    client.send_to(octets, server).expect("the client sends");
    let mut answer = [0; 65_535];
    let (length, from) =
        client.recv_from(&mut answer).unwrap_or_else(|error| panic!("a question is lost: {error}"));
    assert_eq!(from, server, "the answer comes from the address that was asked");
    answer[..length].to_vec()
}

/// A TCP connection.
pub fn connect(server: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect_timeout(&server, PATIENCE).expect("the server accepts");
    stream.set_read_timeout(Some(PATIENCE)).expect("a time-out can be set");
    stream
}

/// [`connect`] from 127.1.`prefix`.1, so that the client prefix can be chosen.
pub fn connect_from(prefix: u8, server: SocketAddr) -> TcpStream {
    try_connect_from(prefix, server).expect("the server accepts")
}

/// [`connect_from`] to a server that may be gone.
pub fn try_connect_from(prefix: u8, server: SocketAddr) -> io::Result<TcpStream> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    socket.bind(&SocketAddr::from(([127, 1, prefix, 1], 0)).into())?;
    socket.connect(&server.into())?;
    let stream = TcpStream::from(socket);
    stream.set_read_timeout(Some(PATIENCE))?;
    Ok(stream)
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

/// True if the other end closes the connection without another octet.
pub fn is_closed(stream: &mut TcpStream) -> bool {
    match stream.read(&mut [0; 1]) {
        Ok(length) => length == 0,
        Err(error) => error.kind() == std::io::ErrorKind::ConnectionReset,
    }
}

/// The ID, response code, and IPv4 addresses of an answer.
pub fn decode(octets: &[u8]) -> (u16, u16, Vec<String>) {
    let reply = Reply::of(octets);
    (reply.id, reply.rcode, reply.addresses())
}

/// Reloads a server of this process, as SIGHUP does.
pub fn reload(server: &Server) -> Arc<Report> {
    let (tell, told) = mpsc::channel();
    let reply = Box::new(move |report| drop(tell.send(report)));
    let command = Command::Reload { origin: Origin::Signal, reply: Some(reply), allow_loss: false };
    assert!(server.command_sender()(command).is_ok(), "the writer takes the command");
    told.recv_timeout(PATIENCE).expect("a report comes")
}

/// Pushes a result (up or down) to a server of this process, for these addresses of a PoP, or for
/// all of them if none is given. The server has taken it when this returns, and soon serves it.
pub fn push(server: &Server, probe: &str, pop: &str, addresses: &[&str], up: bool) {
    let each = if addresses.is_empty() {
        vec![None]
    } else {
        addresses.iter().map(|address| Some(address.parse().expect("an address"))).collect()
    };
    for address in each {
        let (tell, told) = mpsc::channel();
        let push =
            ProbePush { probe: probe.into(), pop: pop.into(), service: None, address, up, reason: None };
        let reply = Box::new(move |taken| drop(tell.send(taken)));
        assert!(server.command_sender()(Command::Push { push, reply }).is_ok(), "the writer listens");
        told.recv_timeout(PATIENCE).expect("an answer").expect("taken");
    }
}

/// The address of the only transport with addresses of its own, which is this one.
pub fn stream_address(server: &Server, transport: Transport) -> SocketAddr {
    match server.streams() {
        [(of, address)] if *of == transport => *address,
        others => panic!("{others:?}"),
    }
}

/// Messages and connections that a server has dropped for a reason.
pub fn dropped(server: &Server, transport: Transport, reason: Dropped) -> u64 {
    server.shared().counters.fold(transport).dropped(reason)
}
