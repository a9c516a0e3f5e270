//! The servers: configurations from one world, processes on one core, and the time they spend.

use crate::certificate::Issued;
use crate::free_port::free_port;
use crate::program::{self, Process};
use crate::reply;
use crate::world::ordinary::Kind as Workload;
use crate::world::{COUNTRIES, Deployment};
use std::fmt::Write as _;
use std::fs::{self, Permissions};
use std::net::{SocketAddr, UdpSocket};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
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
    Bind,
}

/// Additions to the configuration of a server that only answers over UDP and TCP.
#[derive(Clone, Copy, Default)]
pub struct Additions<'a> {
    /// Answers a second of one client prefix, beyond which a limit holds.
    pub limit: Option<u32>,
    /// Certificate for DNS over TLS.
    pub tls: Option<&'a Issued>,
    /// Pages of an admin address; of Meridian alone.
    pub has_pages: bool,
}

/// Places of a server on loopback.
#[derive(Clone, Copy)]
struct Ports {
    dns: u16,
    dot: u16,
    admin: u16,
}

impl Kind {
    /// Servers that are compared by workload; BIND is there for limits and TLS alone.
    pub const ALL: [Kind; 5] = [Kind::Echo, Kind::Meridian, Kind::Nsd, Kind::Knot, Kind::Gdnsd];

    pub fn word(self) -> &'static str {
        match self {
            Kind::Echo => "echo",
            Kind::Meridian => "meridian",
            Kind::Nsd => "nsd",
            Kind::Knot => "knot",
            Kind::Gdnsd => "gdnsd",
            Kind::Bind => "bind",
        }
    }

    /// The program, if this machine has it.
    pub fn program(self) -> Option<PathBuf> {
        let name = match self {
            Kind::Echo => return std::env::current_exe().ok(),
            Kind::Meridian => return Some(program::path()),
            Kind::Nsd => "nsd",
            Kind::Knot => "knotd",
            Kind::Gdnsd => "gdnsd",
            Kind::Bind => "named",
        };
        program::installed(name)
    }

    /// Version, as the program prints it.
    pub fn version(self) -> String {
        let Some(program) = self.program() else { return String::new() };
        let flag = match self {
            Kind::Echo => return "recvmmsg, sendmmsg".to_owned(),
            Kind::Nsd | Kind::Bind => "-v",
            Kind::Gdnsd => "version",
            Kind::Knot | Kind::Meridian => "--version",
        };
        let output = Command::new(program).arg(flag).output();
        let text = output.map(|o| [o.stdout, o.stderr].concat()).unwrap_or_default();
        String::from_utf8_lossy(&text).lines().next().unwrap_or_default().to_owned()
    }

    /// True if the server can answer this workload. The echo carries all of them. No peer shares
    /// clients by weight and network: gdnsd draws for each query, and Knot's weights know no
    /// countries.
    pub fn can(self, workload: Workload) -> bool {
        match self {
            Kind::Knot | Kind::Gdnsd if workload == Workload::Shared => false,
            Kind::Nsd | Kind::Bind => !workload.is_steered(),
            Kind::Knot => !workload.is_steered() || has_knot_geoip(),
            Kind::Echo | Kind::Meridian | Kind::Gdnsd => true,
        }
    }

    fn command(
        self,
        world: &dyn Deployment,
        folder: &Path,
        ports: Ports,
        more: &Additions<'_>,
    ) -> Option<Command> {
        let program = self.program()?;
        fs::create_dir_all(folder).expect("a folder can be made");
        if let Some(pair) = more.tls {
            put(folder.join("cert.pem"), &pair.certificate);
            let key = put(folder.join("key.pem"), &pair.key);
            fs::set_permissions(key, Permissions::from_mode(0o600)).expect("ours");
        }
        // One core for the server; the load takes another.
        let mut command = Command::new("taskset");
        command.args(["-c", "0"]).arg(program);
        match self {
            Kind::Echo => command.args(["echo", &ports.dns.to_string()]),
            Kind::Meridian => {
                world.write(folder, ports.dns);
                add_to_meridian(folder, ports, more);
                command.arg("serve").arg("--config").arg(folder.join("meridian.yaml"))
            }
            Kind::Nsd => command.arg("-d").arg("-c").arg(nsd(world, folder, ports, more)),
            Kind::Knot => command.arg("-c").arg(knot(world, folder, ports.dns, more)),
            Kind::Gdnsd => command.arg("-c").arg(gdnsd(world, folder, ports.dns)).arg("start"),
            Kind::Bind => command.args(["-f", "-n", "1", "-c"]).arg(bind(world, folder, ports, more)),
        };
        Some(command)
    }
}

/// Adds to the server file of Meridian.
fn add_to_meridian(folder: &Path, ports: Ports, more: &Additions<'_>) {
    let path = folder.join("meridian.yaml");
    let mut text = fs::read_to_string(&path).expect("it was written");
    if let Some(limit) = more.limit {
        let _ = writeln!(text, "rate_limit: {{ from_qps: 0, per_second: {limit} }}");
    }
    if more.tls.is_some() {
        let dot = format!("  threads: 1\n  dot: [\"127.0.0.1:{}\"]\n", ports.dot);
        text = text.replacen("  threads: 1\n", &dot, 1);
        text.push_str("tls: { certificate: cert.pem, key: key.pem }\n");
    }
    if more.has_pages {
        let admin = format!("  threads: 1\n  admin: \"127.0.0.1:{}\"\n", ports.admin);
        text = text.replacen("  threads: 1\n", &admin, 1);
    }
    put(path, &text);
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

fn nsd(world: &dyn Deployment, folder: &Path, ports: Ports, more: &Additions<'_>) -> PathBuf {
    let (dir, Ports { dns: port, dot, .. }) = (folder.display(), ports);
    let limit = more.limit.unwrap_or(0);
    let tls = more.tls.map_or_else(String::new, |_| {
        format!(
            "  ip-address: 127.0.0.1@{dot}\n  tls-service-key: \"{dir}/key.pem\"\n  tls-service-pem: \
             \"{dir}/cert.pem\"\n  tls-port: {dot}\n  tcp-count: 1000\n"
        )
    });
    let mut zones = String::new();
    for (apex, text) in world.zones("") {
        put(folder.join(format!("zones/{apex}.zone")), &text);
        let _ = writeln!(zones, "zone:\n  name: {apex}\n  zonefile: {apex}.zone");
    }
    let text = format!(
        "server:\n  ip-address: 127.0.0.1@{port}\n  server-count: 1\n  username: \"\"\n  chroot: \"\"\n  \
         zonesdir: \"{dir}/zones\"\n  \
         database: \"\"\n  pidfile: \"{dir}/nsd.pid\"\n  xfrdfile: \"{dir}/xfrd.state\"\n  xfrdir: \
         \"{dir}\"\n  zonelistfile: \"{dir}/zone.list\"\n  \
         logfile: \"{dir}/nsd.log\"\n  rrl-ratelimit: {limit}\n  rrl-whitelist-ratelimit: \
         {limit}\n{tls}remote-control:\n  \
         control-enable: no\n{zones}"
    );
    put(folder.join("nsd.conf"), &text)
}

fn knot(world: &dyn Deployment, folder: &Path, port: u16, more: &Additions<'_>) -> PathBuf {
    let dir = folder.display();
    // A name must exist before the module answers for it, and have the types that it answers.
    let (mut steered, mut rows) = (String::new(), String::new());
    for table in world.by_country() {
        for owner in &table.owners {
            let _ = writeln!(steered, "{owner} 60 A 192.0.2.250\n{owner} 60 AAAA 2001:db8:ffff::250");
            let _ = writeln!(rows, "{owner}.cdn.example:");
            for ((country, _), home) in COUNTRIES.iter().zip(&table.home) {
                let _ = writeln!(rows, "  - geo: \"{country}\"");
                for (rtype, is_v4) in [("A", true), ("AAAA", false)] {
                    let of = table.addresses[*home].iter().filter(|address| address.is_ipv4() == is_v4);
                    let of: Vec<String> = of.map(|address| format!("\"{address}\"")).collect();
                    if !of.is_empty() {
                        let _ = writeln!(rows, "    {rtype}: [ {} ]", of.join(", "));
                    }
                }
            }
        }
    }
    let geo = has_knot_geoip();
    let mut zones = String::new();
    for (number, (apex, text)) in world.zones(&steered).into_iter().enumerate() {
        put(folder.join(format!("zones/{apex}.zone")), &text);
        let _ = writeln!(zones, "  - domain: {apex}\n    file: {apex}.zone");
        if geo && number == 0 {
            zones.push_str("    module: mod-geoip/geo\n");
        }
    }
    if geo {
        fs::write(folder.join("places.mmdb"), world.database()).expect("a file can be written");
        put(folder.join("geo.conf"), &rows);
    }
    let module = format!(
        "mod-geoip:\n  - id: geo\n    config-file: \"{dir}/geo.conf\"\n    ttl: 60\n    mode: geodb\n    \
         geodb-file: \"{dir}/places.mmdb\"\n    \
         geodb-key: [ country/iso_code ]\n"
    );
    let (limits, limited) = more.limit.map_or_else(Default::default, |limit| {
        let limits = format!("mod-rrl:\n  - id: of-clients\n    rate-limit: {limit}\n");
        (limits, "    global-module: mod-rrl/of-clients\n")
    });
    let text = format!(
        "server:\n    rundir: \"{dir}\"\n    listen: 127.0.0.1@{port}\n    udp-workers: 1\n    tcp-workers: \
         1\n    background-workers: 1\n    \
         edns-client-subnet: on\nlog:\n  - target: \"{dir}/knot.log\"\n    any: info\ndatabase:\n    \
         storage: \"{dir}\"\n{}{limits}\
         template:\n  - id: default\n{limited}    storage: \"{dir}/zones\"\n    semantic-checks: off\n    \
         zonefile-sync: -1\n    journal-content: none\n\
         zone:\n{zones}",
        if geo { &module } else { "" },
    );
    put(folder.join("knot.conf"), &text)
}

fn bind(world: &dyn Deployment, folder: &Path, ports: Ports, more: &Additions<'_>) -> PathBuf {
    let (dir, Ports { dns: port, dot, .. }) = (folder.display(), ports);
    let mut zones = String::new();
    for (apex, text) in world.zones("") {
        put(folder.join(format!("zones/{apex}.zone")), &text);
        let _ = writeln!(zones, "zone \"{apex}\" {{ type primary; file \"zones/{apex}.zone\"; }};");
    }
    let limit = more.limit.map_or_else(String::new, |limit| {
        format!("  rate-limit {{ responses-per-second {limit}; max-table-size 1000000; }};\n")
    });
    let (pair, tls) = more.tls.map_or_else(Default::default, |_| {
        let pair = format!("tls own {{ cert-file \"{dir}/cert.pem\"; key-file \"{dir}/key.pem\"; }};\n");
        (pair, format!("  listen-on port {dot} tls own {{ 127.0.0.1; }};\n"))
    });
    let text = format!(
        "{pair}controls {{ }};\noptions {{\n  directory \"{dir}\";\n  listen-on port {port} {{ 127.0.0.1; \
         }};\n{tls}  listen-on-v6 {{ none; }};\n  pid-file \"{dir}/named.pid\";\n  session-keyfile \
         \"{dir}/session.key\";\n  recursion no;\n  dnssec-validation no;\n  notify no;\n  \
         minimal-responses no;\n  check-names primary ignore;\n{limit}}};\n{zones}"
    );
    put(folder.join("named.conf"), &text)
}

fn gdnsd(world: &dyn Deployment, folder: &Path, port: u16) -> PathBuf {
    let dir = folder.display();
    let tables = world.by_country();
    let mut steered = String::new();
    for table in &tables {
        for owner in &table.owners {
            let _ = writeln!(steered, "{owner} 60 DYNA geoip!{}", table.word);
        }
    }
    for (apex, text) in world.zones(&steered) {
        // gdnsd knows no DNAME, and refuses a zone that has one.
        let lines = text.lines().filter(|line| !line.contains(" DNAME "));
        put(folder.join(format!("zones/{apex}")), &lines.map(|line| format!("{line}\n")).collect::<String>());
    }
    fs::write(folder.join("places.mmdb"), world.database()).expect("a file can be written");
    for below in ["run", "state"] {
        fs::create_dir_all(folder.join(below)).expect("a folder can be made");
    }
    let (mut maps, mut resources) = (String::new(), String::new());
    for table in &tables {
        let mut map = String::new();
        for continent in ["EU", "NA", "SA", "AF", "AS", "OC"] {
            let _ = write!(map, "{continent} => {{ ");
            let of = COUNTRIES.iter().zip(&table.home).filter(|((_, of), _)| *of == continent);
            for ((country, _), home) in of {
                let _ = write!(map, "{country} => [p{home}], ");
            }
            let _ = writeln!(map, "default => [p0] }},");
        }
        let (mut names, mut dcmap) = (Vec::new(), Vec::new());
        for (pop, addresses) in table.addresses.iter().enumerate() {
            let of = |is_v4: bool| {
                let of = addresses.iter().filter(|address| address.is_ipv4() == is_v4);
                of.map(|address| address.to_string()).collect::<Vec<_>>().join(", ")
            };
            names.push(format!("p{pop}"));
            dcmap.push(match of(false) {
                none if none.is_empty() => format!("p{pop} => [ {} ]", of(true)),
                v6 => format!("p{pop} => {{ addrs_v4 => [ {} ], addrs_v6 => [ {v6} ] }}", of(true)),
            });
        }
        let word = table.word;
        let _ = writeln!(
            maps,
            "{word} => {{ geoip2_db => \"{dir}/places.mmdb\", datacenters => [{}], map => {{\n{map} default \
             => [p0] }} }}",
            names.join(", ")
        );
        let _ = writeln!(
            resources,
            "{word} => {{ map => {word}, service_types => up, dcmap => {{ {} }} }}",
            dcmap.join(", ")
        );
    }
    let text = format!(
        "options => {{\n  listen => {{ 127.0.0.1:{port} => {{ udp_threads = 1, tcp_threads = 1 }} }},\n  \
         run_dir => \"{dir}/run\",\n  state_dir => \"{dir}/state\"\n}}\nplugins => {{ geoip => {{\n  maps => \
         {{ {maps} }},\n  resources => {{ {resources} }}\n}} }}\n"
    );
    put(folder.join("config"), &text);
    folder.to_owned()
}

/// A server that runs; it ends with this value.
pub struct Running {
    pub kind: Kind,
    pub at: SocketAddr,
    /// Address of DNS over TLS, where it was asked for.
    pub dot: SocketAddr,
    /// Admin address, where it was asked for.
    pub admin: SocketAddr,
    /// From its start, all files being there, to its first answer.
    pub first_answer: Duration,
    process: Process,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.process.terminate(Duration::from_secs(8));
    }
}

impl Running {
    /// Starts a server and waits for its first answer; the reason if there is none.
    pub fn start(kind: Kind, world: &dyn Deployment, folder: &Path) -> Result<Running, String> {
        Running::start_with(kind, world, folder, &Additions::default())
    }

    /// Starts a server with additions to its configuration.
    pub fn start_with(
        kind: Kind,
        world: &dyn Deployment,
        folder: &Path,
        more: &Additions<'_>,
    ) -> Result<Running, String> {
        let ports = Ports { dns: free_port(), dot: free_port(), admin: free_port() };
        let command = kind.command(world, folder, ports, more).ok_or("not installed")?;
        let [at, dot, admin] =
            [ports.dns, ports.dot, ports.admin].map(|port| SocketAddr::from(([127, 0, 0, 1], port)));
        let started = Instant::now();
        let mut running =
            Running { kind, at, dot, admin, first_answer: Duration::ZERO, process: Process::start(command) };
        let socket = UdpSocket::bind("127.0.0.1:0").expect("loopback has room");
        socket.set_read_timeout(Some(Duration::from_millis(10))).expect("a time-out can be set");
        let question = world.example().packet;
        let until = Instant::now() + Duration::from_secs(120);
        while Instant::now() < until {
            let mut answer = [0; 1500];
            let _ = socket.send_to(&question, running.at);
            let answered = socket.recv(&mut answer).ok().map(|length| reply::decode(&answer[..length]));
            if answered.is_some_and(|reply| reply.is_ok_and(|reply| reply.rcode == 0)) {
                running.first_answer = started.elapsed();
                return Ok(running);
            }
            if let Some(status) = running.process.status() {
                return Err(format!("it ended at once ({status}): {}", running.process.stderr().trim()));
            }
        }
        Err("it does not answer".to_owned())
    }

    /// Nanoseconds of processor time that it and its children have had.
    pub fn cpu_nanos(&self) -> u64 {
        self.cpu_nanos_of(|_| true)
    }

    /// The same of the threads with such names.
    pub fn cpu_nanos_of(&self, is_meant: impl Fn(&str) -> bool) -> u64 {
        family(self.process.pid()).into_iter().map(|pid| nanos_of(pid, &is_meant)).sum()
    }

    /// Octets of memory that it and its children hold, what they share counted once for each.
    pub fn resident(&self) -> u64 {
        let of = |pid: u32| {
            let text = fs::read_to_string(format!("/proc/{pid}/statm")).unwrap_or_default();
            text.split_whitespace().nth(1).and_then(|pages| pages.parse::<u64>().ok()).unwrap_or(0) * 4096
        };
        family(self.process.pid()).into_iter().map(of).sum()
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

fn nanos_of(pid: u32, is_meant: &impl Fn(&str) -> bool) -> u64 {
    let threads = fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
    let meant = threads.filter(|thread| {
        fs::read_to_string(thread.path().join("comm")).is_ok_and(|name| is_meant(name.trim_end()))
    });
    let told = meant.filter_map(|thread| fs::read_to_string(thread.path().join("schedstat")).ok());
    told.filter_map(|text| text.split_whitespace().next()?.parse::<u64>().ok()).sum()
}
