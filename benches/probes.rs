//! Cost of probing to a running server, and time until a verdict is served: 1,000 targets every 5
//! s, all plain HTTP, then all HTTPS with whole handshakes; how late checks come while others hang;
//! and, with 1,000 PoPs and 200 policies, the time from a pushed verdict until every worker answers
//! by it.
//!
//! `cargo bench --bench probes` takes about two minutes. The targets are a process of their own,
//! which this program starts from itself and whose time does not count.

use meridian::testing::server::Engine;
use rustls::{ServerConnection, StreamOwned};
use std::collections::HashMap;
use std::fmt::Write as _;
use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::process::ChildStdin;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use support::deployment::{Deployment, PATIENCE, push};
use support::program::Process;

/// Targets of a run; each is an address of loopback.
const TARGETS: u32 = 1_000;
/// Interval between two checks of a target.
const EVERY: Duration = Duration::from_secs(5);
/// Duration of a run, after the first round.
const MEASURED: Duration = Duration::from_secs(20);
/// Verdicts that are turned to see how soon they are served.
const TURNS: usize = 100;
/// Clients that must all see a verdict: enough that each worker has some.
const CLIENTS: usize = 16;

fn main() {
    let mut words = std::env::args().skip(1).filter(|word| word != "--bench");
    match words.next().as_deref() {
        Some("targets") => targets(),
        Some(word) if word.starts_with('-') => println!("skipped: this bench knows no options"),
        _ => {
            probing("http", 0);
            probing("https", 0);
            probing("http", 20);
            serving();
        }
    }
}

/// The n-th target.
fn address(index: u32) -> Ipv4Addr {
    Ipv4Addr::from_bits(0x7f01_0000 + index)
}

/// Probes all targets, of which some never answer, and prints what that costs.
fn probing(scheme: &str, hanging: u32) {
    let deployment = Deployment::new(&["127.0.0.1:0"], "");
    let mut targets = Targets::start();
    deployment.write("ca.pem", &targets.authority);
    let port = if scheme == "https" { targets.secure } else { targets.plain };
    let verify = if scheme == "https" { ", sni: probe.cdn.example, ca: ca.pem" } else { "" };
    let check = |port: u16| {
        format!(
            "{{ {scheme}: {{ path: /, port: {port}{verify} }}, every: {}s, timeout: 4s }}",
            EVERY.as_secs()
        )
    };
    let mut pops = format!("probes:\n  web: {}\n  dead: {}\npops:\n", check(port), check(targets.hanging));
    for index in 0..TARGETS {
        let _ = writeln!(pops, "  p{index}: {{ addresses: [{}], probe: web }}", address(index));
    }
    for index in TARGETS..TARGETS + hanging {
        let _ = writeln!(pops, "  p{index}: {{ addresses: [{}], probe: dead }}", address(index));
    }
    deployment.write("pops.yaml", &pops);
    policies(&deployment, 1);
    let server = deployment.start(Engine::Fast);
    // The first checks come all at once; their times are not those of a period.
    std::thread::sleep(2 * EVERY);
    targets.lateness();
    let (before, began) = (cpu(), Instant::now());
    std::thread::sleep(MEASURED);
    let (spent, passed) = (cpu() - before, began.elapsed());
    let (checks, p50, p99, worst) = targets.lateness();
    println!(
        "{TARGETS} {scheme} targets every {} s{}: {:.2} % of a core, {:.0} us a check; {checks} checks, off \
         their period by {p50:.1} ms \
         (median), {p99:.1} ms (99 %), {worst:.1} ms (worst)",
        EVERY.as_secs(),
        if hanging > 0 { format!(" beside {hanging} that hang") } else { String::new() },
        100.0 * spent.as_secs_f64() / passed.as_secs_f64(),
        spent.as_secs_f64() * 1e6 / f64::from(checks.max(1)),
    );
    server.stop();
}

/// Turns verdicts and waits until every client sees each.
fn serving() {
    let deployment = Deployment::new(&["127.0.0.1:0"], "");
    let mut pops =
        "probes: { pushed: { push: { ttl: 1h }, up_after: 1, down_after: 1 } }\npops:\n".to_owned();
    for index in 0..1_000 {
        let _ = writeln!(pops, "  p{index}: {{ addresses: [{}], probe: pushed }}", address(index));
    }
    deployment.write("pops.yaml", &pops);
    policies(&deployment, 200);
    let server = deployment.start(Engine::Fast);
    let clients: Vec<UdpSocket> =
        (0..CLIENTS).map(|_| support::deployment::client(server.dns()[0])).collect();
    push(&server, "pushed", "p0", &[], true);
    let mut took: Vec<Duration> = Vec::new();
    for turn in 0..TURNS {
        let is_up = turn % 2 == 1;
        let wanted = address(if is_up { 0 } else { 1 });
        let began = Instant::now();
        push(&server, "pushed", "p0", &[], is_up);
        for client in &clients {
            while ask(client, server.dns()[0]) != wanted {}
        }
        took.push(began.elapsed());
    }
    took.sort_unstable();
    println!(
        "a verdict among 1,000 PoPs and 200 policies is served by every worker after {:.2} ms (median), \
         {:.2} ms (worst of {TURNS})",
        took[TURNS / 2].as_secs_f64() * 1e3,
        took[TURNS - 1].as_secs_f64() * 1e3,
    );
    server.stop();
}

fn policies(deployment: &Deployment, count: usize) {
    let mut policies = "policies:\n".to_owned();
    for policy in 0..count {
        let _ = writeln!(policies, "  w{policy}: {{ pops: all, order: listed }}");
    }
    deployment.write("policies.yaml", &policies);
    let mut zone =
        "zone: cdn.example.\nsoa: { mname: ns1, rname: h }\nrecords:\n  \"@\": { NS: [ns1] }\n  ns1: { A: \
         192.0.2.53 }\n"
            .to_owned();
    for policy in 0..count {
        let _ = writeln!(zone, "  www{policy}: {{ steer: w{policy} }}");
    }
    deployment.write("zones/cdn.example.yaml", &zone);
    let server = std::fs::read_to_string(deployment.path("meridian.yaml")).expect("ours");
    deployment.write("meridian.yaml", &format!("{server}policies: policies.yaml\n"));
}

fn ask(client: &UdpSocket, server: SocketAddr) -> Ipv4Addr {
    client.send_to(&support::deployment::query(1, "www0.cdn.example", 1), server).expect("sent");
    let mut answer = [0; 512];
    let length = client.recv(&mut answer).expect("an answer comes");
    let octets: [u8; 4] = answer[length - 4..length].try_into().expect("four octets");
    octets.into()
}

/// Processor time of this process, its ended threads too.
fn cpu() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").expect("Linux");
    let fields: Vec<&str> = stat.rsplit_once(')').expect("a name").1.split_whitespace().collect();
    let ticks: u64 = [11, 12].iter().map(|field| fields[*field].parse::<u64>().expect("a number")).sum();
    // USER_HZ is 100 on every Linux that we know.
    Duration::from_millis(ticks * 10)
}

/// The process of the targets, seen from the bench.
struct Targets {
    process: Process,
    ask: ChildStdin,
    /// Octets of its output that are read.
    read: usize,
    plain: u16,
    secure: u16,
    hanging: u16,
    authority: String,
}

impl Targets {
    fn start() -> Targets {
        let mut command = std::process::Command::new(std::env::current_exe().expect("this program"));
        command.arg("targets");
        let mut process = Process::start_with_input(command);
        let mut targets = Targets {
            ask: process.input(),
            process,
            read: 0,
            plain: 0,
            secure: 0,
            hanging: 0,
            authority: String::new(),
        };
        let line = targets.line();
        let ports: Vec<u16> = line.split_whitespace().map(|port| port.parse().expect("a port")).collect();
        [targets.plain, targets.secure, targets.hanging] = ports.try_into().expect("three ports");
        while !targets.authority.contains("-----END") {
            let line = targets.line();
            targets.authority += &line;
        }
        targets
    }

    /// The next line of its output.
    fn line(&mut self) -> String {
        let read = self.read;
        let next = |printed: &str| {
            let line = printed[read..].split_inclusive('\n').next()?;
            line.ends_with('\n').then(|| line.to_owned())
        };
        let line = self.process.prints(PATIENCE, next).expect("the targets go on");
        self.read += line.len();
        line
    }

    /// Since the last call: checks, and by how many milliseconds their distance differs from the
    /// period.
    fn lateness(&mut self) -> (u32, f64, f64, f64) {
        writeln!(self.ask, "report").expect("it listens");
        let line = self.line();
        let mut numbers = line.split_whitespace().map(|number| number.parse::<f64>().expect("a number"));
        let mut next = || numbers.next().expect("four numbers");
        (next() as u32, next(), next(), next())
    }
}

/// For each target when it was last asked, and how far each check was off its period, in
/// microseconds.
#[derive(Default)]
struct Clock {
    last: HashMap<IpAddr, Instant>,
    off: Vec<u64>,
}

/// The targets themselves. Ends with its standard input.
fn targets() {
    let listen = || TcpListener::bind("0.0.0.0:0").expect("loopback has room");
    let (plain, secure, hanging) = (listen(), listen(), listen());
    let port = |listener: &TcpListener| listener.local_addr().expect("bound").port();
    println!("{} {} {}", port(&plain), port(&secure), port(&hanging));
    let (config, authority) = support::certificate::fresh();
    print!("{authority}");
    let clock = Arc::new(Mutex::new(Clock::default()));
    for (listener, tls) in [(plain, None), (secure, Some(config))] {
        let clock = Arc::clone(&clock);
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                clock.lock().expect("no panic").tick(stream.local_addr().expect("connected").ip());
                let tls = tls.clone();
                std::thread::spawn(move || match tls {
                    Some(config) => exchange(StreamOwned::new(
                        ServerConnection::new(config).expect("a configuration"),
                        stream,
                    )),
                    None => exchange(stream),
                });
            }
        });
    }
    std::thread::spawn(move || {
        // Taken and never answered; what the other side has given up is let go with the rest.
        let mut held: Vec<TcpStream> = Vec::new();
        for stream in hanging.incoming().map_while(Result::ok) {
            held.push(stream);
        }
    });
    for _ in std::io::stdin().lines().map_while(Result::ok) {
        let mut off = std::mem::take(&mut clock.lock().expect("no panic").off);
        off.sort_unstable();
        let at = |per_mille: usize| {
            off.get((off.len() * per_mille / 1_000).min(off.len().saturating_sub(1))).copied().unwrap_or(0)
                as f64
                / 1e3
        };
        println!("{} {} {} {}", off.len(), at(500), at(990), at(1_000));
    }
}

impl Clock {
    fn tick(&mut self, target: IpAddr) {
        let now = Instant::now();
        if let Some(last) = self.last.insert(target, now) {
            self.off.push((now - last).abs_diff(EVERY).as_micros() as u64);
        }
    }
}

fn exchange(mut stream: impl Read + Write) {
    let mut part = [0; 2048];
    if stream.read(&mut part).is_ok() {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok");
        let _ = stream.flush();
        let _ = stream.read(&mut part);
    }
}
