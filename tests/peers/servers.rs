//! NSD and Knot DNS as child processes on loopback, in a folder of their own.

use crate::zones::ZoneText;
use std::fmt::Write as _;
use std::net::{SocketAddr, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};
use support::deployment::{PATIENCE, query};
use support::free_port::free_port;
use support::program::Process;
use support::reply;

/// A peer that runs; it ends with this value.
pub struct Peer {
    pub name: &'static str,
    pub at: SocketAddr,
    process: Process,
    log: PathBuf,
}

impl Drop for Peer {
    fn drop(&mut self) {
        // NSD is a parent with children: asked to end, it ends them.
        self.process.terminate(Duration::from_secs(5));
    }
}

/// How often a peer is started anew on another port.
const STARTS: usize = 5;

fn write_zones(folder: &Path, zones: &[ZoneText]) {
    std::fs::create_dir_all(folder).expect("the folder is ours");
    for (number, zone) in zones.iter().enumerate() {
        std::fs::write(folder.join(format!("{number}.zone")), &zone.text).expect("the folder is ours");
    }
}

/// Starts a peer until it serves every zone.
fn started(start: impl Fn(u16) -> Result<Peer, String>) -> Peer {
    let mut why = Vec::new();
    for _ in 0..STARTS {
        match start(free_port()) {
            Ok(peer) => return peer,
            Err(failed) => why.push(failed),
        }
    }
    panic!("{}", why.join("\n"));
}

/// NSD over the zones.
pub fn nsd(program: &Path, folder: &Path, zones: &[ZoneText]) -> Peer {
    started(|port| nsd_at(port, program, folder, zones))
}

fn nsd_at(port: u16, program: &Path, folder: &Path, zones: &[ZoneText]) -> Result<Peer, String> {
    let dir = folder.display();
    write_zones(&folder.join("zones"), zones);
    let mut text = format!(
        "server:\n  ip-address: 127.0.0.1@{port}\n  server-count: 1\n  username: \"\"\n  chroot: \"\"\n  \
         zonesdir: \"{dir}/zones\"\n  \
         database: \"\"\n  pidfile: \"{dir}/nsd.pid\"\n  xfrdfile: \"{dir}/xfrd.state\"\n  xfrdir: \
         \"{dir}\"\n  zonelistfile: \"{dir}/zone.list\"\n  \
         logfile: \"{dir}/nsd.log\"\n  rrl-ratelimit: 0\n  rrl-whitelist-ratelimit: 0\n  refuse-any: no\n  \
         minimal-responses: no\n  \
         tcp-count: 20\nremote-control:\n  control-enable: no\n"
    );
    for (number, zone) in zones.iter().enumerate() {
        let _ = write!(text, "zone:\n  name: \"{}\"\n  zonefile: \"{number}.zone\"\n", zone.apex);
    }
    let config = folder.join("nsd.conf");
    std::fs::write(&config, text).expect("the folder is ours");
    let mut command = Command::new(program);
    command.arg("-d").arg("-c").arg(config);
    start("NSD", command, port, folder.join("nsd.log"), zones)
}

/// Knot DNS over the zones.
pub fn knot(program: &Path, folder: &Path, zones: &[ZoneText]) -> Peer {
    started(|port| knot_at(port, program, folder, zones))
}

fn knot_at(port: u16, program: &Path, folder: &Path, zones: &[ZoneText]) -> Result<Peer, String> {
    let dir = folder.display();
    write_zones(&folder.join("zones"), zones);
    let mut text = format!(
        "server:\n    rundir: \"{dir}\"\n    listen: 127.0.0.1@{port}\n    udp-workers: 1\n    tcp-workers: \
         1\n    background-workers: 1\n\
         log:\n  - target: \"{dir}/knot.log\"\n    any: info\n\
         database:\n    storage: \"{dir}\"\n\
         template:\n  - id: default\n    storage: \"{dir}/zones\"\n    semantic-checks: off\n    \
         zonefile-sync: -1\n    journal-content: none\n\
         zone:\n"
    );
    for (number, zone) in zones.iter().enumerate() {
        let _ = write!(text, "  - domain: \"{}\"\n    file: \"{number}.zone\"\n", zone.apex);
    }
    let config = folder.join("knot.conf");
    std::fs::write(&config, text).expect("the folder is ours");
    let mut command = Command::new(program);
    command.arg("-c").arg(config);
    start("Knot", command, port, folder.join("knot.log"), zones)
}

/// Starts a peer and waits until it answers for every zone. The error is what it logged.
fn start(
    name: &'static str,
    command: Command,
    port: u16,
    log: PathBuf,
    zones: &[ZoneText],
) -> Result<Peer, String> {
    let at = SocketAddr::from(([127, 0, 0, 1], port));
    let mut peer = Peer { name, at, process: Process::start(command), log };
    let socket = UdpSocket::bind("127.0.0.1:0").expect("loopback has room");
    socket.set_read_timeout(Some(Duration::from_millis(100))).expect("a time-out can be set");
    let until = Instant::now() + PATIENCE;
    for zone in zones {
        loop {
            let mut answer = [0; 4096];
            let _ = socket.send_to(&query(7, &zone.apex, 6), peer.at);
            let serves = |octets: &[u8]| {
                reply::decode(octets).is_ok_and(|reply| reply.is_authoritative() && reply.rcode == 0)
            };
            if socket.recv(&mut answer).is_ok_and(|length| serves(&answer[..length])) {
                break;
            }
            if peer.process.status().is_some() || Instant::now() > until {
                let log = std::fs::read_to_string(&peer.log).unwrap_or_default();
                let said = peer.process.stderr();
                return Err(format!("{name} does not serve {}:\n{log}{said}", zone.apex));
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }
    Ok(peer)
}
