//! The servers: configurations from one world, processes on one core, and the time they spend.

#![allow(dead_code)] // each benchmark uses a part

use crate::world::{COUNTRIES, POPS, Workload, World, pop_address, shop_zone};
use std::fmt::Write as _;
use std::fs;
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A kind of server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Sends back what it gets: what the kernel alone costs.
    Echo,
    Meridian,
    Nsd,
    Knot,
    Gdnsd,
}

impl Kind {
    pub const ALL: [Kind; 5] = [Kind::Echo, Kind::Meridian, Kind::Nsd, Kind::Knot, Kind::Gdnsd];

    pub fn word(self) -> &'static str {
        match self {
            Kind::Echo => "echo",
            Kind::Meridian => "meridian",
            Kind::Nsd => "nsd",
            Kind::Knot => "knot",
            Kind::Gdnsd => "gdnsd",
        }
    }

    /// The program, if this machine has it.
    pub fn program(self) -> Option<PathBuf> {
        let name = match self {
            Kind::Echo => return std::env::current_exe().ok(),
            Kind::Meridian => return Some(env!("CARGO_BIN_EXE_meridian").into()),
            Kind::Nsd => "nsd",
            Kind::Knot => "knotd",
            Kind::Gdnsd => "gdnsd",
        };
        ["/usr/sbin", "/usr/local/sbin", "/usr/bin", "/usr/local/bin"]
            .iter()
            .map(|folder| Path::new(folder).join(name))
            .find(|p| p.exists())
    }

    /// What it calls itself.
    pub fn version(self) -> String {
        let Some(program) = self.program() else { return String::new() };
        let flag = match self {
            Kind::Echo => return "recvmmsg, sendmmsg".to_owned(),
            Kind::Nsd => "-v",
            Kind::Gdnsd => "version",
            Kind::Knot | Kind::Meridian => "--version",
        };
        let told = Command::new(program).arg(flag).output();
        let text = told.map(|o| [o.stdout, o.stderr].concat()).unwrap_or_default();
        String::from_utf8_lossy(&text).lines().next().unwrap_or_default().to_owned()
    }

    /// Whether it is made for this kind of question. The echo carries every one.
    pub fn can(self, workload: Workload) -> bool {
        match self {
            Kind::Nsd => !workload.is_steered(),
            Kind::Knot => !workload.is_steered() || has_knot_geoip(),
            Kind::Echo | Kind::Meridian | Kind::Gdnsd => true,
        }
    }

    fn command(self, world: &World, folder: &Path, port: u16) -> Option<Command> {
        let program = self.program()?;
        fs::create_dir_all(folder).expect("a folder can be made");
        // One core for the server; the load takes another.
        let mut command = Command::new("taskset");
        command.args(["-c", "0"]).arg(program);
        match self {
            Kind::Echo => command.args(["echo", &port.to_string()]),
            Kind::Meridian => {
                world.write(folder, port);
                command.arg("serve").arg("--config").arg(folder.join("meridian.yaml"))
            }
            Kind::Nsd => command.arg("-d").arg("-c").arg(nsd(world, folder, port)),
            Kind::Knot => command.arg("-c").arg(knot(world, folder, port)),
            Kind::Gdnsd => command.arg("-c").arg(gdnsd(world, folder, port)).arg("start"),
        };
        Some(command)
    }
}

fn has_knot_geoip() -> bool {
    let folders = fs::read_dir("/usr/lib/x86_64-linux-gnu/knot").or_else(|_| fs::read_dir("/usr/lib/knot"));
    folders.into_iter().flatten().flatten().any(|folder| folder.path().join("geoip.so").exists())
}

fn put(path: PathBuf, text: &str) -> PathBuf {
    fs::create_dir_all(path.parent().expect("a file in a folder")).expect("a folder can be made");
    fs::write(&path, text).expect("a file can be written");
    path
}

fn nsd(world: &World, folder: &Path, port: u16) -> PathBuf {
    let dir = folder.display();
    put(folder.join("zones/cdn.zone"), &world.cdn_zone(""));
    put(folder.join("zones/shop.zone"), &shop_zone());
    let text = format!(
        "server:\n  ip-address: 127.0.0.1@{port}\n  server-count: 1\n  username: \"\"\n  chroot: \"\"\n  \
         zonesdir: \"{dir}/zones\"\n  \
         database: \"\"\n  pidfile: \"{dir}/nsd.pid\"\n  xfrdfile: \"{dir}/xfrd.state\"\n  xfrdir: \
         \"{dir}\"\n  zonelistfile: \"{dir}/zone.list\"\n  \
         logfile: \"{dir}/nsd.log\"\n  rrl-ratelimit: 0\n  rrl-whitelist-ratelimit: 0\nremote-control:\n  \
         control-enable: no\n\
         zone:\n  name: cdn.example\n  zonefile: cdn.zone\nzone:\n  name: shop.example\n  zonefile: \
         shop.zone\n"
    );
    put(folder.join("nsd.conf"), &text)
}

fn knot(world: &World, folder: &Path, port: u16) -> PathBuf {
    let dir = folder.display();
    // A name must exist before the module answers for it.
    put(folder.join("zones/cdn.zone"), &world.cdn_zone("edge 60 A 192.0.2.250\n"));
    put(folder.join("zones/shop.zone"), &shop_zone());
    let geo = has_knot_geoip();
    if geo {
        fs::write(folder.join("places.mmdb"), world.database()).expect("a file can be written");
        let mut rows = "edge.cdn.example:\n".to_owned();
        for (number, (country, _)) in COUNTRIES.iter().enumerate() {
            let _ = write!(rows, "  - geo: \"{country}\"\n    A: {}\n", pop_address(number % POPS));
        }
        put(folder.join("geo.conf"), &rows);
    }
    let module = format!(
        "mod-geoip:\n  - id: geo\n    config-file: \"{dir}/geo.conf\"\n    ttl: 60\n    mode: geodb\n    \
         geodb-file: \"{dir}/places.mmdb\"\n    \
         geodb-key: [ country/iso_code ]\n"
    );
    let text = format!(
        "server:\n    rundir: \"{dir}\"\n    listen: 127.0.0.1@{port}\n    udp-workers: 1\n    tcp-workers: \
         1\n    background-workers: 1\n    \
         edns-client-subnet: on\nlog:\n  - target: \"{dir}/knot.log\"\n    any: info\ndatabase:\n    \
         storage: \"{dir}\"\n{}\
         template:\n  - id: default\n    storage: \"{dir}/zones\"\n    semantic-checks: off\n    \
         zonefile-sync: -1\n    journal-content: none\n\
         zone:\n  - domain: cdn.example\n    file: cdn.zone\n{}  - domain: shop.example\n    file: \
         shop.zone\n",
        if geo { &module } else { "" },
        if geo { "    module: mod-geoip/geo\n" } else { "" },
    );
    put(folder.join("knot.conf"), &text)
}

fn gdnsd(world: &World, folder: &Path, port: u16) -> PathBuf {
    let dir = folder.display();
    put(folder.join("zones/cdn.example"), &world.cdn_zone("edge 60 DYNA geoip!web\n"));
    put(folder.join("zones/shop.example"), &shop_zone());
    fs::write(folder.join("places.mmdb"), world.database()).expect("a file can be written");
    for below in ["run", "state"] {
        fs::create_dir_all(folder.join(below)).expect("a folder can be made");
    }
    let all: Vec<String> = (0..POPS).map(|pop| format!("p{pop}")).collect();
    let mut map = String::new();
    for continent in ["EU", "NA", "SA", "AF", "AS", "OC"] {
        let _ = write!(map, "{continent} => {{ ");
        for (number, (country, _)) in COUNTRIES.iter().enumerate().filter(|(_, (_, of))| *of == continent) {
            let _ = write!(map, "{country} => [p{}], ", number % POPS);
        }
        let _ = writeln!(map, "default => [p0] }},");
    }
    let dcmap: Vec<String> = (0..POPS).map(|pop| format!("p{pop} => {}", pop_address(pop))).collect();
    let text = format!(
        "options => {{\n  listen => {{ 127.0.0.1:{port} => {{ udp_threads = 1, tcp_threads = 1 }} }},\n  \
         run_dir => \"{dir}/run\",\n  \
         state_dir => \"{dir}/state\"\n}}\n\
         plugins => {{ geoip => {{\n  maps => {{ web => {{\n    geoip2_db => \"{dir}/places.mmdb\",\n    \
         datacenters => [{}],\n    map => {{\n{map}    \
         default => [p0] }}\n  }} }},\n  resources => {{ web => {{ map => web, service_types => up, dcmap => \
         {{ {} }} }} }}\n}} }}\n",
        all.join(", "),
        dcmap.join(", ")
    );
    put(folder.join("config"), &text);
    folder.to_owned()
}

/// A server that runs; it ends with this value.
pub struct Running {
    pub kind: Kind,
    pub at: SocketAddr,
    /// From its start, all files being there, to its first answer.
    pub first_answer: Duration,
    child: Child,
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = Command::new("kill").arg(self.child.id().to_string()).status();
        let until = Instant::now() + Duration::from_secs(8);
        while Instant::now() < until {
            if matches!(self.child.try_wait(), Ok(Some(_))) {
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Running {
    /// Starts a server and waits for its first answer; the reason if there is none.
    pub fn start(kind: Kind, world: &World, folder: &Path) -> Result<Running, String> {
        let port = free_port();
        let mut command = kind.command(world, folder, port).ok_or("not installed")?;
        let said = folder.join("said");
        let output = || fs::File::create(&said).map(Stdio::from).unwrap_or_else(|_| Stdio::null());
        let started = Instant::now();
        let child = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(output())
            .spawn()
            .map_err(|e| e.to_string())?;
        let mut running = Running {
            kind,
            at: SocketAddr::from(([127, 0, 0, 1], port)),
            first_answer: Duration::ZERO,
            child,
        };
        let socket = UdpSocket::bind("127.0.0.1:0").expect("loopback has room");
        socket.set_read_timeout(Some(Duration::from_millis(10))).expect("a time-out can be set");
        let question = world.questions(Workload::Static, 1).remove(0).packet;
        let until = Instant::now() + Duration::from_secs(120);
        while Instant::now() < until {
            let mut answer = [0; 1500];
            let _ = socket.send_to(&question, running.at);
            if socket.recv(&mut answer).is_ok() && answer[3] & 15 == 0 {
                running.first_answer = started.elapsed();
                return Ok(running);
            }
            if let Ok(Some(status)) = running.child.try_wait() {
                return Err(format!(
                    "it ended at once ({status}): {}",
                    fs::read_to_string(&said).unwrap_or_default().trim()
                ));
            }
        }
        Err("it does not answer".to_owned())
    }

    /// Nanoseconds of processor time that it and its children have had.
    pub fn cpu_nanos(&self) -> u64 {
        family(self.child.id()).into_iter().map(nanos_of).sum()
    }

    /// Octets of memory that it and its children hold, what they share counted once for each.
    pub fn resident(&self) -> u64 {
        let of = |pid: u32| {
            let text = fs::read_to_string(format!("/proc/{pid}/statm")).unwrap_or_default();
            text.split_whitespace().nth(1).and_then(|pages| pages.parse::<u64>().ok()).unwrap_or(0) * 4096
        };
        family(self.child.id()).into_iter().map(of).sum()
    }
}

/// A process with its descendants.
fn family(pid: u32) -> Vec<u32> {
    let parents: Vec<(u32, u32)> = fs::read_dir("/proc")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter_map(|pid: u32| {
            let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
            // The name before the last parenthesis may hold anything.
            let parent = stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()?;
            Some((pid, parent))
        })
        .collect();
    let mut found = vec![pid];
    let mut at = 0;
    while let Some(parent) = found.get(at).copied() {
        found.extend(parents.iter().filter(|(_, of)| *of == parent).map(|(pid, _)| *pid));
        at += 1;
    }
    found
}

fn nanos_of(pid: u32) -> u64 {
    let threads = fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
    let told = threads.filter_map(|thread| fs::read_to_string(thread.path().join("schedstat")).ok());
    told.filter_map(|text| text.split_whitespace().next()?.parse::<u64>().ok()).sum()
}

/// A port that is free for UDP and TCP.
fn free_port() -> u16 {
    loop {
        let udp = UdpSocket::bind("127.0.0.1:0").expect("loopback has room");
        let port = udp.local_addr().expect("it is bound").port();
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}
