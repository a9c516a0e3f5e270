//! Opens all sockets of a server together, or reports every socket that cannot be opened.

use crate::answer::Transport;
use crate::config::{Bound, Cpus, Listen};
use crate::finding::{Finding, Findings, code};
use crate::limits::THREADS_MAX;
use crate::server::Engine;
#[cfg(unix)]
use crate::server::control_socket::{ControlSocket, open_control, place_of_control, probe_control};
use crate::server::streams::{Listeners, stream_listens};
use crate::sys::affinity;
#[cfg(target_os = "linux")]
use crate::sys::reuseport::ByCore;
use crate::sys::socket::{self, Buffers};
use std::io;
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::sync::Arc;

/// Attempts to find one free port for both UDP and TCP, for port 0 in the file.
const PORT_ATTEMPTS: u32 = 16;

/// Open sockets.
pub(crate) struct Sockets {
    /// UDP: for the fast engine one for each worker, else one for each address.
    pub(crate) udp: Vec<UdpSocket>,
    /// CPU core of each UDP socket; `None` if its worker is not bound to a core.
    pub(crate) cpus: Vec<Option<u16>>,
    /// True if `listen.socket_affinity` is in force at every address.
    has_affinity: bool,
    /// Warnings about sockets that are open.
    pub(crate) warnings: Findings,
    /// Listeners of the stream transports, one for each address.
    pub(crate) streams: Vec<(Transport, TcpListener)>,
    /// Sockets of DNS over QUIC, one for each address.
    pub(crate) quic: Vec<UdpSocket>,
    /// Addresses of `listen.dns` as bound.
    pub(crate) bound: Vec<SocketAddr>,
    /// Addresses of the other stream transports as bound.
    pub(crate) streams_at: Vec<(Transport, SocketAddr)>,
    /// The control socket.
    #[cfg(unix)]
    pub(crate) control: Arc<ControlSocket>,
    /// The admin listener.
    pub(crate) admin: Option<TcpListener>,
}

impl Sockets {
    /// Opens all sockets. The error has a finding for each socket that cannot be opened.
    pub(crate) fn open(listen: &Listen, engine: Engine) -> Result<Sockets, Findings> {
        let mut findings = obstacles(listen, engine);
        let OverUdp { listeners: mut streams, udp, cpus, has_affinity, bound } =
            open_over_udp(listen, engine, &mut findings);
        let (own, quic) = (open_streams(listen, &mut findings), open_quic(listen, &mut findings));
        let streams_at = bound_at(&own, &quic);
        streams.extend(own);
        let admin = listen.admin.and_then(|address| match socket::listener(address) {
            Ok(listener) => Some(listener),
            Err(error) => {
                findings.push(cannot(&format!("admin TCP {address}"), &error, address.port()));
                None
            }
        });
        #[cfg(unix)]
        {
            // Last, and only if all other sockets are open, because a refused start must leave no
            // file behind.
            match if findings.has_errors() {
                probe_control(&listen.control).map(|()| None)
            } else {
                let control = open_control(&listen.control);
                control.map(|listener| Some(Arc::new(ControlSocket::new(&listen.control, listener))))
            } {
                Ok(Some(control)) => {
                    let warnings = findings;
                    #[rustfmt::skip]
                    let sockets = Sockets {
                        udp, cpus, has_affinity, warnings, streams, quic, bound, streams_at, control, admin,
                    };
                    Ok(sockets)
                }
                Ok(None) => Err(findings),
                Err(_) if !has_place(&listen.control) => Err(findings),
                Err(error) => {
                    findings.push(no_control(listen, &error));
                    Err(findings)
                }
            }
        }
        #[cfg(not(unix))]
        if findings.has_errors() {
            Err(findings)
        } else {
            let warnings = findings;
            Ok(Sockets { udp, cpus, has_affinity, warnings, streams, quic, bound, streams_at, admin })
        }
    }

    /// Number of UDP workers.
    pub(crate) fn workers(&self) -> usize {
        self.udp.len()
    }

    /// UDP settings for the banner: threads, cores, batches, and buffers as requested and as
    /// granted.
    pub(crate) fn lanes(&self, listen: &Listen) -> Vec<String> {
        let cores: Vec<String> = self.cpus.iter().flatten().map(u16::to_string).collect();
        let affinity = if self.has_affinity { " by the receiving core" } else { "" };
        let bound = match cores.is_empty() {
            true => String::new(),
            false => format!(" on cores {}{affinity}", cores.join(" ")),
        };
        let mut lines = vec![format!("sockets {}{bound}, batches of {}", self.udp.len(), listen.batch)];
        lines.extend(granted(listen, self.udp.first()).map(|granted| words(buffers(listen), granted)));
        lines
    }

    /// The admin address as bound.
    pub(crate) fn admin_address(&self) -> Option<SocketAddr> {
        self.admin.as_ref().and_then(|listener| listener.local_addr().ok())
    }
}

/// Findings about sockets on this machine that need no open socket: errors prevent a start. `serve`
/// and `check` both report them.
pub(crate) fn obstacles(listen: &Listen, engine: Engine) -> Findings {
    let mut findings = Findings::default();
    match cores(listen, engine) {
        Ok(cores) => no_affinity(listen, engine, &cores).into_iter().for_each(|found| findings.push(found)),
        Err(found) => findings.push(found),
    }
    #[cfg(unix)]
    if let Err(error) = place_of_control(&listen.control) {
        findings.push(no_control(listen, &error));
    }
    findings
}

#[cfg(unix)]
fn has_place(control: &std::path::Path) -> bool {
    place_of_control(control).is_ok()
}

#[cfg(unix)]
fn no_control(listen: &Listen, error: &io::Error) -> Finding {
    cannot(&format!("control socket `{}`", listen.control.display()), error, 0)
}

/// Requested buffers.
pub(crate) fn buffers(listen: &Listen) -> Buffers {
    let asked = |octets: Option<u32>, default: usize| octets.map_or(default, |octets| octets as usize);
    let default = Buffers::default();
    Buffers {
        receive: asked(listen.receive_buffer, default.receive),
        send: asked(listen.send_buffer, default.send),
    }
}

/// Buffers that the kernel grants, read from the first socket, or from a socket that is opened as a
/// test.
pub(crate) fn granted(listen: &Listen, first: Option<&UdpSocket>) -> Option<Buffers> {
    match first {
        Some(socket) => socket::granted(socket).ok(),
        None => socket::plain(([127, 0, 0, 1], 0).into(), buffers(listen))
            .and_then(|socket| socket::granted(&socket))
            .ok(),
    }
}

/// Warnings for the buffers that the kernel makes smaller than the file requests.
pub(crate) fn cut(listen: &Listen, granted: Option<Buffers>) -> Findings {
    let mut findings = Findings::default();
    let Some(granted) = granted else { return findings };
    let rows = [
        ("receive_buffer", listen.receive_buffer, granted.receive, "net.core.rmem_max"),
        ("send_buffer", listen.send_buffer, granted.send, "net.core.wmem_max"),
    ];
    for (key, asked, granted, setting) in rows {
        if let Some(asked) = asked.filter(|asked| granted < *asked as usize) {
            let finding = Finding::warning(
                code::BUFFER_CUT,
                format!("`listen.{key}` requests {asked} octets, but the kernel grants {granted}"),
            );
            findings.push(finding.help(format!("raise `{setting}` (deploy/sysctl.conf), or request less")));
        }
    }
    findings
}

/// CPU cores that workers are bound to; empty if unbound. A core in the file on which this process
/// may not run is an error, so that a move to a smaller machine is noticed.
fn cores(listen: &Listen, engine: Engine) -> Result<Vec<u16>, Finding> {
    let allowed = || affinity::allowed().unwrap_or_default();
    match &listen.cpus {
        _ if !engine.has_workers() => Ok(Vec::new()),
        Cpus::Off => Ok(Vec::new()),
        Cpus::Auto => Ok(allowed()),
        Cpus::List(cpus) => {
            let allowed = allowed();
            match cpus.iter().find(|cpu| !allowed.contains(cpu)) {
                None => Ok(cpus.clone()),
                Some(cpu) => {
                    let all: Vec<String> = allowed.iter().map(u16::to_string).collect();
                    let finding = Finding::error(
                        code::CANNOT_PIN,
                        format!("`listen.cpus` names core {cpu}, on which this process may not run"),
                    );
                    Err(finding.help(format!("it may run on {}", all.join(", "))))
                }
            }
        }
    }
}

/// Warning for a `listen.socket_affinity` that has no effect with the other settings.
fn no_affinity(listen: &Listen, engine: Engine, cores: &[u16]) -> Option<Finding> {
    let threads = threads(listen);
    let (why, help) = match threads {
        _ if !listen.socket_affinity => return None,
        _ if !engine.has_workers() => ("this engine has one UDP socket per address", "use the fast engine"),
        1 => ("there is one UDP thread per address", "raise `threads`, or remove the key"),
        _ if cores.is_empty() => ("UDP threads are not bound to cores", "set `cpus`, or remove the key"),
        _ if threads > cores.len() => {
            ("there are more UDP threads per address than cores", "lower `threads`, or list more `cpus`")
        }
        _ => return None,
    };
    Some(without_affinity(why).help(help))
}

fn without_affinity(why: &str) -> Finding {
    let message = format!("`listen.socket_affinity` has no effect: {why}");
    Finding::warning(code::NO_SOCKET_AFFINITY, message)
}

/// Gives each of `cores` the socket of its worker. `sockets` are those of one address, in the order
/// in which they were bound. After an error the kernel goes on by its hash.
#[cfg(target_os = "linux")]
fn attach_affinity(sockets: &[UdpSocket], cores: &[u16], at: SocketAddr) -> Result<(), Finding> {
    let [first, ..] = sockets else { return Ok(()) };
    let cores = &cores[..sockets.len().min(cores.len())];
    ByCore::new(cores).attach(first).map_err(|error| {
        let refused = format!("the kernel refuses it for UDP {at} ({error})");
        without_affinity(&refused).help(
            "it needs Linux 4.5, and `net.core.optmem_max` of 20480 or more; until then, the kernel's hash \
             of addresses and ports chooses the thread",
        )
    })
}

#[cfg(not(target_os = "linux"))]
fn attach_affinity(_: &[UdpSocket], _: &[u16], _: SocketAddr) -> Result<(), Finding> {
    Ok(())
}

/// Buffers as requested and as granted, in words.
pub(crate) fn words(asked: Buffers, granted: Buffers) -> String {
    format!(
        "buffers: receive {} of {} octets, send {} of {}",
        granted.receive, asked.receive, granted.send, asked.send
    )
}

/// Most sockets that a server opens.
pub(crate) fn count(listen: &Listen) -> usize {
    let of = |(bound, _)| match bound {
        // The workers and a listener.
        Bound::Dns => threads(listen) + 1,
        Bound::Dot | Bound::Doh | Bound::Doq => 1,
        // Counted below, whether it is configured or not.
        Bound::Admin => 0,
    };
    // Three more: a socket that tests whether a port is free, the control socket, and the admin
    // address.
    listen.addresses().map(of).sum::<usize>() + 3
}

fn threads(listen: &Listen) -> usize {
    let asked = listen.threads.map(usize::from);
    let cores = || match &listen.cpus {
        Cpus::List(cpus) => cpus.len(),
        Cpus::Off | Cpus::Auto => std::thread::available_parallelism().map_or(1, usize::from),
    };
    asked.unwrap_or_else(cores).clamp(1, usize::from(THREADS_MAX))
}

/// Opens the listeners of the stream transports with addresses of their own.
fn open_streams(listen: &Listen, findings: &mut Findings) -> Vec<(Transport, TcpListener)> {
    let mut opened = Vec::new();
    for stream in stream_listens(listen) {
        let addresses = match stream.listeners {
            Listeners::BesideUdp | Listeners::OverUdp => &[],
            Listeners::At(addresses) => addresses,
        };
        for address in addresses {
            match socket::listener(*address) {
                Ok(listener) => opened.push((stream.transport, listener)),
                Err(error) => {
                    let word = stream.transport.word();
                    findings.push(cannot(&format!("{word} {address}"), &error, address.port()));
                }
            }
        }
    }
    opened
}

/// Addresses as bound, with their transport.
fn bound_at(own: &[(Transport, TcpListener)], quic: &[UdpSocket]) -> Vec<(Transport, SocketAddr)> {
    let own = own.iter().map(|(transport, listener)| (*transport, listener.local_addr()));
    let quic = quic.iter().map(|socket| (Transport::Doq, socket.local_addr()));
    own.chain(quic).filter_map(|(transport, at)| Some((transport, at.ok()?))).collect()
}

/// Opens the sockets of DNS over QUIC.
fn open_quic(listen: &Listen, findings: &mut Findings) -> Vec<UdpSocket> {
    let mut opened = Vec::new();
    for address in &listen.doq {
        match socket::plain(*address, buffers(listen)) {
            Ok(socket) => opened.push(socket),
            Err(error) => {
                let word = Transport::Doq.word();
                findings.push(cannot(&format!("{word} {address}"), &error, address.port()));
            }
        }
    }
    opened
}

/// Sockets of `listen.dns`.
#[derive(Default)]
struct OverUdp {
    /// TCP beside UDP, one for each address.
    listeners: Vec<(Transport, TcpListener)>,
    udp: Vec<UdpSocket>,
    cpus: Vec<Option<u16>>,
    has_affinity: bool,
    bound: Vec<SocketAddr>,
}

/// Opens the sockets of `listen.dns`. An address that cannot be opened is a finding.
fn open_over_udp(listen: &Listen, engine: Engine, findings: &mut Findings) -> OverUdp {
    let cores = cores(listen, engine).unwrap_or_default();
    let wants_affinity = listen.socket_affinity && no_affinity(listen, engine, &cores).is_none();
    let mut opened = OverUdp { has_affinity: wants_affinity, ..OverUdp::default() };
    for address in &listen.dns {
        match open_dns(*address, engine, threads(listen), buffers(listen)) {
            Ok((listener, sockets, at)) => {
                if wants_affinity && let Err(found) = attach_affinity(&sockets, &cores, at) {
                    findings.push(found);
                    opened.has_affinity = false;
                }
                let core = |worker| cores.get(worker % cores.len().max(1)).copied();
                opened.cpus.extend((0..sockets.len()).map(core));
                opened.listeners.push((Transport::Tcp, listener));
                opened.udp.extend(sockets);
                opened.bound.push(at);
            }
            Err((protocol, error)) => {
                findings.push(cannot(&format!("{protocol} {address}"), &error, address.port()))
            }
        }
    }
    opened
}

type Opened = (TcpListener, Vec<UdpSocket>, SocketAddr);

/// Opens the sockets of one address. TCP first, because TCP refuses a port that another server
/// uses, whereas UDP sockets with a shared port would take a part of the other server's queries.
fn open_dns(
    address: SocketAddr,
    engine: Engine,
    threads: usize,
    buffers: Buffers,
) -> Result<Opened, (&'static str, io::Error)> {
    let mut attempt = 1;
    loop {
        let listener = socket::listener(address).map_err(|error| ("TCP", error))?;
        let at = listener.local_addr().map_err(|error| ("TCP", error))?;
        match open_udp(at, engine, threads, buffers) {
            Ok(sockets) => return Ok((listener, sockets, at)),
            // The assigned TCP port may be in use for UDP: try another port.
            Err(_) if address.port() == 0 && attempt < PORT_ATTEMPTS => attempt += 1,
            Err(error) => return Err(("UDP", error)),
        }
    }
}

fn open_udp(at: SocketAddr, engine: Engine, threads: usize, buffers: Buffers) -> io::Result<Vec<UdpSocket>> {
    match engine {
        #[cfg(target_os = "linux")]
        Engine::Fast => {
            // Fails if another process uses the port, because this socket does not share it.
            drop(socket::plain(at, buffers)?);
            (0..threads).map(|_| socket::worker(at, buffers)).collect()
        }
        #[cfg(not(target_os = "linux"))]
        Engine::Fast => {
            let _ = threads;
            Err(io::Error::new(
                io::ErrorKind::Unsupported,
                "the fast engine needs Linux; start with `--engine hickory`",
            ))
        }
        #[cfg(feature = "portable")]
        Engine::Hickory => socket::plain(at, buffers).map(|socket| vec![socket]),
    }
}

fn cannot(what: &str, error: &io::Error, port: u16) -> Finding {
    let finding = Finding::error(code::CANNOT_LISTEN, format!("cannot listen on {what}: {error}"));
    match error.kind() {
        io::ErrorKind::AddrInUse => finding.help(
            "another process uses the address and port; stop the process, or choose another address or port",
        ),
        io::ErrorKind::AddrNotAvailable => {
            finding.help("no interface of this host has the address; add it, or remove it from `listen`")
        }
        io::ErrorKind::PermissionDenied if (1..1024).contains(&port) => finding.help(
            "ports below 1024 need a privilege: run by systemd with CAP_NET_BIND_SERVICE, or \
                choose a higher port",
        ),
        io::ErrorKind::PermissionDenied => {
            finding.help("give the user of the server write access to the folder")
        }
        _ => finding,
    }
}
