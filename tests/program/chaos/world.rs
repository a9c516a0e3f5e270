//! The world of a chaos run: a server, the sites of its PoPs, and clients who ask without end.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::io::PipeReader;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use support::deployment::*;
use support::pages;
use support::ports::{self, Port};
use support::program::{self, Process, Served};

pub const POPS: usize = 3;
/// What checks need to make a verdict: two of them, a second apart, each within its time-out.
const DETECTION: Duration = Duration::from_millis(2_600);
/// The longest that a verdict or a sign of trouble may take.
const LONG: Duration = Duration::from_secs(20);
/// Descriptors of the server: few, so that clients can take them.
const DESCRIPTORS: &str = "700";

pub struct World {
    pub deployment: Deployment,
    pub dns: SocketAddr,
    /// The server; it ends with the world.
    _served: Served,
    /// The reading end of its log.
    log: RefCell<Option<PipeReader>>,
    /// Where sites answer checks; held also while a site is dead.
    ports: Vec<Port>,
    sites: RefCell<Vec<Option<TcpListener>>>,
    /// PoPs that may be answered now.
    allowed: Arc<Mutex<BTreeSet<String>>>,
    /// PoP that was answered last.
    last: Arc<Mutex<String>>,
    asked: Arc<AtomicU64>,
    stop: Arc<AtomicBool>,
    clients: RefCell<Vec<JoinHandle<Result<(), String>>>>,
    /// How many events of each kind, and ends of tasks, there were before the trouble.
    marks: RefCell<BTreeMap<String, f64>>,
    /// Connections that say nothing.
    pub silent: RefCell<Vec<TcpStream>>,
}

fn address(pop: usize) -> String {
    site(pop).to_string()
}

fn site(pop: usize) -> Ipv4Addr {
    Ipv4Addr::new(127, 0, 0, pop as u8 + 2)
}

impl World {
    pub fn start() -> World {
        let (port, ports) = ports::hold(&(0..POPS).map(site).collect::<Vec<_>>());
        let sites = ports.iter().map(|port| Some(port.listen())).collect();
        let deployment = Deployment::new(&["127.0.0.1:0"], "  tcp_connections_per_prefix: 100000\n");
        let pop = |pop: usize| format!("  p{pop}: {{ addresses: [{}], probe: web }}\n", address(pop));
        deployment.write(
            "pops.yaml",
            &format!(
                "probes:\n  web: {{ tcp: {{ port: {port} }}, every: 1s, timeout: 500ms, up_after: 2, \
                 down_after: 2, flap_turns: off }}\npops:\n{}",
                (0..POPS).map(pop).collect::<String>()
            ),
        );
        deployment.write(
            "zones/cdn.example.yaml",
            "zone: cdn.example.\nttl: 300\nsoa: { mname: ns1, rname: hostmaster, negative_ttl: 60 }\n\
             records:\n  \"@\": { NS: [ns1] }\n  ns1: { A: 192.0.2.53 }\n  w: { steer: web }\n\
             policies:\n  web: { pops: [p0, p1, p2], order: listed }\n",
        );
        let mut command = program::meridian_over(&deployment.config(), &["serve"]);
        command.env("MERIDIAN_HOOK_STATE_LOOK_SECS", "1");
        let command = program::behind(&format!("ulimit -n {DESCRIPTORS} && exec \"$0\" \"$@\""), &command);
        let (log, errors) = std::io::pipe().expect("descriptors suffice");
        let process = Process::start_with_errors_to(command, errors);
        let served = Served::printed_by(process).unwrap_or_else(|why| panic!("no server: {why}"));
        let dns = served.dns;
        let world = World {
            deployment,
            dns,
            _served: served,
            log: RefCell::new(Some(log)),
            ports,
            sites: RefCell::new(sites),
            allowed: Arc::new(Mutex::new(BTreeSet::from([address(0)]))),
            last: Arc::default(),
            asked: Arc::default(),
            stop: Arc::default(),
            clients: RefCell::default(),
            marks: RefCell::default(),
            silent: RefCell::default(),
        };
        let clients = (0..2).map(|_| world.client()).collect();
        *world.clients.borrow_mut() = clients;
        world
    }

    /// A client who asks one question after another. The error is a question that was lost, or sent
    /// elsewhere.
    fn client(&self) -> JoinHandle<Result<(), String>> {
        let (dns, allowed, last) = (self.dns, Arc::clone(&self.allowed), Arc::clone(&self.last));
        let (asked, stop) = (Arc::clone(&self.asked), Arc::clone(&self.stop));
        std::thread::spawn(move || {
            let client = client(dns);
            client.set_read_timeout(Some(PATIENCE)).expect("can be set");
            let mut octets = [0; 1_500];
            while !stop.load(Ordering::Relaxed) {
                let id = asked.fetch_add(1, Ordering::Relaxed) as u16;
                client.send(&[]).ok();
                client.send_to(&query(id, "w.cdn.example", 1), dns).map_err(|error| error.to_string())?;
                let length =
                    client.recv(&mut octets).map_err(|error| format!("question {id} was lost: {error}"))?;
                // Read before what may be answered, which only grows while a verdict is awaited.
                let answer = decode(&octets[..length]).2.join(" ");
                if !allowed.lock().expect("whole").contains(&answer) {
                    return Err(format!("a client was sent to {answer}"));
                }
                *last.lock().expect("whole") = answer;
            }
            Ok(())
        })
    }

    /// A PoP dies or returns. Gives by how much the verdict was later than its checks take.
    pub fn turn(&self, pop: usize, is_up: bool) -> Duration {
        let alive = |sites: &[Option<TcpListener>]| {
            (0..POPS).find(|pop| sites[*pop].is_some()).map(address).expect("one is alive")
        };
        let mut sites = self.sites.borrow_mut();
        sites[pop] = is_up.then(|| self.ports[pop].listen());
        let next = alive(&sites);
        drop(sites);
        let began = Instant::now();
        self.allowed.lock().expect("whole").insert(next.clone());
        while *self.last.lock().expect("whole") != next {
            self.check_clients();
            assert!(began.elapsed() < LONG, "clients are not sent to {next}: {}", self.page("/pops"));
            std::thread::sleep(Duration::from_millis(5));
        }
        // Answers on their way are of before.
        std::thread::sleep(Duration::from_millis(50));
        *self.allowed.lock().expect("whole") = BTreeSet::from([next]);
        // A PoP behind the first changes no answer, but its verdict comes all the same.
        let word = if is_up { "up" } else { "down" };
        while !self.page(&format!("/pops/p{pop}")).contains(&format!("\"health\":\"{word}\"")) {
            assert!(began.elapsed() < LONG, "p{pop} is not {word}: {}", self.page(&format!("/pops/p{pop}")));
            std::thread::sleep(Duration::from_millis(20));
        }
        began.elapsed().saturating_sub(DETECTION)
    }

    fn check_clients(&self) {
        if self.clients.borrow().iter().any(JoinHandle::is_finished) {
            self.stop.store(true, Ordering::Relaxed);
            for client in self.clients.borrow_mut().drain(..) {
                client.join().expect("no panic").unwrap_or_else(|why| panic!("{why}"));
            }
        }
    }

    /// A page of the control socket; empty if it cannot be read just now.
    pub fn page(&self, path: &str) -> String {
        self.ask("GET", path, "").unwrap_or_default()
    }

    /// Sends something to the control socket.
    pub fn ask(&self, method: &str, path: &str, body: &str) -> Option<String> {
        let page = pages::try_control(&self.deployment.path("control.sock"), method, path, body);
        page.ok().map(|page| page.body)
    }

    /// The value of a metric.
    pub fn metric(&self, name: &str) -> Option<f64> {
        pages::series(&self.page("/metrics")).get(name).copied()
    }

    /// Waits until something is seen.
    pub fn waits_for(&self, what: &str, is_so: &dyn Fn(&World) -> bool) {
        let end = Instant::now() + PATIENCE;
        while !is_so(self) {
            self.check_clients();
            assert!(Instant::now() < end, "{what}: {}", self.page("/readyz"));
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Notes what has been told so far.
    pub fn mark(&self) {
        *self.marks.borrow_mut() = self.told();
    }

    /// Whether more of something was told since the mark; a log that was begun anew counts from
    /// nothing.
    pub fn tells(&self, what: &str) -> bool {
        let of = |told: &BTreeMap<String, f64>| told.get(what).copied().unwrap_or(0.0);
        let (before, now) = (of(&self.marks.borrow()), of(&self.told()));
        now > before || now > 0.0 && now < before
    }

    /// Events by kind, and ends of tasks.
    fn told(&self) -> BTreeMap<String, f64> {
        let events = std::fs::read_to_string(self.deployment.path("state/events.jsonl")).unwrap_or_default();
        let mut told = BTreeMap::new();
        for line in events.lines() {
            let kind = line.split_once("\"kind\":\"").and_then(|(_, rest)| rest.split_once('"'));
            *told.entry(kind.map_or("", |(kind, _)| kind).to_owned()).or_default() += 1.0;
        }
        for line in self.page("/metrics").lines() {
            if let Some((name, value)) = line.rsplit_once(' ')
                && name.starts_with("meridian_task_ends_total")
            {
                told.insert(name.to_owned(), value.parse().unwrap_or(0.0));
            }
        }
        told
    }

    /// Closes the reading end of the log.
    pub fn close_log(&self) {
        self.log.borrow_mut().take();
    }

    /// Ends the run; gives how many questions were asked.
    pub fn end(self) -> u64 {
        self.check_clients();
        self.stop.store(true, Ordering::Relaxed);
        for client in self.clients.borrow_mut().drain(..) {
            client.join().expect("no panic").unwrap_or_else(|why| panic!("{why}"));
        }
        self.asked.load(Ordering::Relaxed)
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}
