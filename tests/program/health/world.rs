//! Six PoPs on six continents, each a true HTTP or HTTPS server on loopback, and a client beside
//! each.

use meridian::testing::geo::distance::great_circle_m;
use meridian::testing::geo::place::Coordinates;
use meridian::testing::geo::prefix::Prefix;
use meridian::testing::wire::name::Name;
use meridian::testing::wire::rr::RrType;
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use support::deployment::{Deployment, PATIENCE, ask_udp};
use support::ports;
use support::program::{Served, until_seen};
use support::reply::Reply;

/// Name, latitude and longitude of each PoP; a client network stands beside it.
pub const PLACES: [(&str, f64, f64); 6] = [
    ("fra", 50.1, 8.7),
    ("gru", -23.5, -46.6),
    ("iad", 39.0, -77.5),
    ("jnb", -26.2, 28.0),
    ("nrt", 35.7, 139.7),
    ("syd", -33.9, 151.2),
];

/// The address that a PoP is answered with, and probed at.
pub fn address(pop: usize) -> Ipv4Addr {
    Ipv4Addr::new(127, 0, 2, 10 + pop as u8)
}

/// Somebody outside, who tells whether our own network works.
pub const CANARY: Ipv4Addr = Ipv4Addr::new(127, 0, 2, 99);

/// A server that is well or not.
pub struct Target {
    well: Arc<AtomicBool>,
}

impl Target {
    /// Begins to answer at an address of loopback. It says 200 while it is well, 503 while it is
    /// not.
    fn serve(listener: TcpListener, tls: Option<Arc<ServerConfig>>) -> Target {
        let well = Arc::new(AtomicBool::new(true));
        let state = Arc::clone(&well);
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (state, tls) = (Arc::clone(&state), tls.clone());
                std::thread::spawn(move || answer(stream, tls, &state));
            }
        });
        Target { well }
    }

    pub fn set_well(&self, well: bool) {
        self.well.store(well, Ordering::SeqCst);
    }
}

fn answer(stream: TcpStream, tls: Option<Arc<ServerConfig>>, well: &AtomicBool) {
    let _ = stream.set_read_timeout(Some(PATIENCE));
    match tls {
        Some(config) => {
            exchange(StreamOwned::new(ServerConnection::new(config).expect("a configuration"), stream), well)
        }
        None => exchange(stream, well),
    }
}

/// Reads one request and answers it; whoever goes away is no fault.
fn exchange(mut stream: impl Read + Write, well: &AtomicBool) {
    let mut request = Vec::new();
    let mut part = [0; 1024];
    while !request.windows(4).any(|end| end == b"\r\n\r\n") {
        match stream.read(&mut part) {
            Ok(0) | Err(_) => return,
            Ok(length) => request.extend_from_slice(&part[..length]),
        }
    }
    let is_asked_well = request.starts_with(b"GET /healthz HTTP/1.1\r\n");
    let status =
        if well.load(Ordering::SeqCst) && is_asked_well { "200 OK" } else { "503 Service Unavailable" };
    let _ = write!(stream, "HTTP/1.1 {status}\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok");
    let _ = stream.flush();
    let _ = stream.read(&mut part);
}

/// The world: targets, files, and a running server.
pub struct World {
    pub deployment: Deployment,
    pub targets: Vec<Target>,
    pub canary: Target,
    server: Option<Served>,
}

impl World {
    /// Begins, with what the PoP file says besides and what the policy says besides. Every second
    /// PoP speaks TLS.
    pub fn begin(pops_file: &str, policy: &str) -> World {
        let addresses: Vec<Ipv4Addr> = (0..PLACES.len()).map(address).chain([CANARY]).collect();
        let (port, ports) = ports::hold(&addresses);
        let mut listeners: Vec<TcpListener> = ports.iter().map(ports::Port::listen).collect();
        let (config, pem) = support::certificate::fresh();
        let canary = Target::serve(listeners.pop().expect("the last"), None);
        let is_tls = |pop: usize| pop % 2 == 1;
        let targets = listeners
            .into_iter()
            .enumerate()
            .map(|(pop, listener)| Target::serve(listener, is_tls(pop).then(|| config.clone())));
        let targets = targets.collect();
        let deployment = Deployment::new(&["127.0.0.1:0"], "");
        deployment.write("ca.pem", &pem);
        deployment.edit("meridian.yaml", |server| server + "geoip: { networks: networks.yaml }\n");
        let timing = "every: 1s, timeout: 900ms, up_after: 2, down_after: 3";
        let mut pops = format!(
            "{pops_file}probes:\n  plain: {{ http: {{ path: /healthz, port: {port} }}, {timing} }}\n  \
             secure: {{ https: {{ path: /healthz, port: {port}, sni: probe.cdn.example, ca: ca.pem }}, \
             {timing} }}\npops:\n"
        );
        let mut networks = String::new();
        for (pop, (name, lat, lon)) in PLACES.into_iter().enumerate() {
            let probe = if is_tls(pop) { "secure" } else { "plain" };
            let address = address(pop);
            pops.push_str(&format!(
                "  {name}: {{ at: {{ lat: {lat}, lon: {lon} }}, addresses: [{address}], probe: {probe} }}\n"
            ));
            networks.push_str(&format!(
                "near-{name}: {{ prefixes: [198.18.{pop}.0/24], lat: {lat}, lon: {lon} }}\n"
            ));
        }
        deployment.write("pops.yaml", &pops);
        deployment.write("networks.yaml", &networks);
        deployment.write(
            "zones/cdn.example.yaml",
            &format!(
                "zone: cdn.example.\nsoa: {{ mname: ns1, rname: hostmaster }}\nrecords:\n  \"@\": {{ NS: \
                 [ns1] }}\n  \
                 ns1: {{ A: 192.0.2.53 }}\n  www: {{ steer: web }}\npolicies:\n  web: {{ pops: all, band: \
                 none, ttl: {{ min: 1, max: 60 }}{policy} }}\n"
            ),
        );
        let mut world = World { deployment, targets, canary, server: None };
        world.start();
        world
    }

    /// Starts the program; it answers when this returns.
    pub fn start(&mut self) {
        self.server = Some(self.deployment.serve(&[]));
    }

    /// Kills the program as SIGKILL does.
    pub fn kill(&mut self) {
        self.server = None;
    }

    /// What the client beside a PoP is answered: which PoP, and for how long, in seconds.
    pub fn ask(&self, near: usize) -> (usize, u32) {
        let dns = self.server.as_ref().expect("it runs").dns;
        let subnet = Prefix::new(Ipv4Addr::new(198, 18, near as u8, 0).into(), 24);
        let packet = meridian::testing::explain::dig::query(
            &Name::parse("www.cdn.example.", None).expect("a name"),
            RrType::A,
            Some(subnet),
        );
        let reply = Reply::of(&ask_udp(dns, &packet));
        let address: Ipv4Addr = reply.addresses().first().expect("never empty").parse().expect("an address");
        (usize::from(address.octets()[3]) - 10, reply.ttl_secs().expect("never empty"))
    }

    /// What every client is answered.
    pub fn map(&self) -> [usize; 6] {
        std::array::from_fn(|near| self.ask(near).0)
    }

    /// Waits until every client is answered so; gives the TTLs that the client beside `watched` saw
    /// meanwhile.
    pub fn becomes(&self, wanted: [usize; 6], watched: usize) -> Vec<u32> {
        let mut ttls = Vec::new();
        until_seen(&format!("{wanted:?}"), 6 * PATIENCE, || {
            let now = self.map();
            if now == wanted {
                return Ok(());
            }
            ttls.push(self.ask(watched).1);
            Err(format!("{now:?}"))
        });
        ttls
    }

    /// The output of a verb.
    pub fn run(&self, arguments: &[&str]) -> String {
        self.deployment.run(arguments).1
    }

    /// Waits until a verb prints this.
    pub fn says(&self, arguments: &[&str], wanted: &str) {
        until_seen(wanted, 6 * PATIENCE, || {
            let told = self.run(arguments);
            if told.contains(wanted) { Ok(()) } else { Err(told) }
        });
    }
}

/// Who serves each client, by distance, where these PoPs are down.
pub fn nearest_of(down: &[usize]) -> [usize; 6] {
    let at = |place: usize| Coordinates::from_degrees(PLACES[place].1, PLACES[place].2).expect("on earth");
    std::array::from_fn(|near| {
        let up = (0..PLACES.len()).filter(|pop| !down.contains(pop));
        up.min_by_key(|pop| great_circle_m(at(near), at(*pop))).expect("somebody is up")
    })
}
