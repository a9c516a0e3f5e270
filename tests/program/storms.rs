//! Storms of connections under a low limit of descriptors, against the running program.

use meridian::testing::limits::CONTROL_CONNECTIONS_MAX;
use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use support::deployment::*;
use support::pages;
use support::program::{self, Served, until, until_seen, until_so};

const A: u16 = 1;
/// Descriptors that the server may have.
const LIMIT: usize = 1_024;
/// Silent connections of a storm, more than that.
const STORM: usize = 1_300;

/// A running `meridian serve` under a limit of descriptors.
struct Process {
    deployment: Deployment,
    served: Served,
    dns: SocketAddr,
    admin: SocketAddr,
}

impl Process {
    fn start(deployment: Deployment, limit: usize, engine: &str) -> Process {
        // The storm's own end of each connection.
        let own = meridian::testing::sys::descriptors::raise();
        assert!(own.is_some_and(|limit| limit.soft > 2 * STORM), "tests need descriptors");
        let command = program::meridian_over(&deployment.config(), &["serve", "--engine", engine]);
        let served = Served::of(program::behind(&under(limit), &command));
        Process { deployment, dns: served.dns, admin: served.admin(), served }
    }

    /// Sets the soft limit of the running process.
    fn limit(&self, soft: usize) {
        let pid = self.served.process.pid().to_string();
        let set = Command::new("prlimit").args(["--pid", &pid, &format!("--nofile={soft}:")]).status();
        assert!(set.expect("prlimit of util-linux").success());
    }

    /// A page. Readers of one address share places, so that one of a storm's may be told to come
    /// again.
    fn page(&self, path: &str) -> String {
        let page =
            until(path, PATIENCE, || Some(pages::admin(self.admin, path)).filter(|page| page.status != 503));
        assert_eq!(page.status, 200, "{path}: {page:?}");
        page.body
    }

    fn scrape(&self) -> BTreeMap<String, f64> {
        pages::series(&self.page("/metrics"))
    }

    /// Waits until a scrape says so.
    fn until(&self, what: &str, is_so: impl Fn(&BTreeMap<String, f64>) -> bool) -> BTreeMap<String, f64> {
        until_seen(what, PATIENCE, || {
            let scrape = self.scrape();
            if is_so(&scrape) { Ok(scrape) } else { Err(format!("{scrape:?}")) }
        })
    }
}

/// Words of a shell that run a command under a limit of descriptors.
fn under(limit: usize) -> String {
    format!("ulimit -n {limit} && exec \"$0\" \"$@\"")
}

fn deployment(listen: &str) -> Deployment {
    Deployment::new(&["127.0.0.1:0"], &format!("  admin: \"127.0.0.1:0\"\n{listen}"))
}

/// A target that counts its checks.
fn target() -> (SocketAddr, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("loopback");
    let (address, checks) = (listener.local_addr().expect("bound"), Arc::new(AtomicUsize::new(0)));
    let count = Arc::clone(&checks);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            drop(stream);
            count.fetch_add(1, Ordering::SeqCst);
        }
    });
    (address, checks)
}

/// More silent TCP connections than there are descriptors take none of a page, a verb or a probe;
/// the number that is used instead is told at its place.
#[test]
fn a_storm_of_tcp_takes_no_descriptor_of_others() {
    let deployment = deployment("  tcp_connections: 4096\n  tcp_connections_per_prefix: 4096\n");
    let (address, checks) = target();
    deployment.write(
        "pops.yaml",
        &format!(
            "probes:\n  port: {{ tcp: {{ port: {} }}, every: 1s, timeout: 500ms }}\npops:\n  one:\n    \
             at: {{ lat: 50.1, lon: 8.7, country: DE }}\n    addresses: [127.0.0.1]\n    probe: port\n",
            address.port()
        ),
    );
    let process = Process::start(deployment, LIMIT, "fast");
    process.served.process.logs("warning[MRD0515]");
    process.served.process.logs("tcp_connections: 4096");
    let storm: Vec<TcpStream> = (0..STORM).map(|n| connect_from(n as u8 % 16, process.dns)).collect();
    let scrape = process.until("the share of TCP is taken", |scrape| {
        scrape["meridian_descriptors{use=\"tcp\"}"] == scrape["meridian_descriptors_share{use=\"tcp\"}"]
            && scrape["meridian_dropped_total{reason=\"connections_full\",transport=\"tcp\"}"] > 0.0
    });
    assert_eq!(scrape["process_max_fds"], LIMIT as f64);
    let before = checks.load(Ordering::SeqCst);
    until_so("checks of targets in the storm", || checks.load(Ordering::SeqCst) >= before + 3);
    assert_eq!(process.page("/readyz"), "serving\n");
    let scrape = process.scrape();
    assert!(scrape["process_open_fds"] < LIMIT as f64, "{scrape:?}");
    for none in [
        "meridian_probes_without_result",
        "meridian_descriptors_short",
        "meridian_descriptors_exhausted_total",
        "meridian_pop_health{health=\"down\",pop=\"one\"}",
    ] {
        assert_eq!(scrape[none], 0.0, "{none}");
    }
    drop(storm);
    assert_eq!(decode(&ask_tcp(process.dns, &query(1, "www.cdn.example", A))).1, 0);
}

/// A limit that holds nothing sensible is refused by `serve` and by `check`, with a number that is
/// enough.
#[test]
fn a_limit_that_is_too_low_is_an_error() {
    let deployment = deployment("");
    for command in ["serve", "check"] {
        let refused = program::behind(&under(64), &program::meridian_over(&deployment.config(), &[command]));
        let (status, _, told) = program::run(refused);
        assert_eq!(status, 1, "{command}: {told}");
        assert!(told.contains("error[MRD0515]") && told.contains("LimitNOFILE="), "{command}: {told}");
    }
}

/// Under a limit of 128 the server starts with every share cut, and says so; a storm of silent
/// connections takes nothing from a page, a reload or a verb, and its own descriptors suffice.
#[test]
fn few_descriptors_are_enough() {
    let process = Process::start(deployment(""), 128, "fast");
    process.served.process.logs("every share is cut: ");
    let storm: Vec<TcpStream> = (0..200).map(|_| connect(process.dns)).collect();
    let silent: Vec<TcpStream> = (0..200).map(|_| connect(process.admin)).collect();
    assert_eq!(process.page("/readyz"), "serving\n");
    for command in [&["reload"][..], &["pop", "drain", "one", "--reason", "storm"]] {
        let (status, _, stderr) = process.deployment.run(command);
        assert_eq!(status, 0, "{command:?}: {stderr}");
    }
    let scrape = process.scrape();
    let shares = ["tcp", "pages", "probes", "own"].map(|part| {
        let of = |what: &str| scrape[&format!("meridian_descriptors{what}{{use=\"{part}\"}}")];
        assert!(of("") <= of("_share"), "{part}: {scrape:?}");
        of("_share")
    });
    assert!(shares.iter().sum::<f64>() <= 128.0, "{shares:?}");
    for none in ["meridian_descriptors_short", "meridian_descriptors_exhausted_total"] {
        assert_eq!(scrape[none], 0.0, "{none}: {scrape:?}");
    }
    drop((storm, silent));
    assert_eq!(decode(&ask_tcp(process.dns, &query(1, "www.cdn.example", A))).1, 0);
}

/// A storm of silent connections on the admin address and on the control socket, and many scrapes
/// that never read, leave `/readyz`, `/metrics` and verbs as they are.
#[test]
fn a_storm_on_the_pages_cuts_its_own() {
    let deployment = deployment("");
    let process = Process::start(deployment, LIMIT, "fast");
    let silent: Vec<TcpStream> = (0..STORM).map(|_| connect(process.admin)).collect();
    let control = process.deployment.path("control.sock");
    let half = b"POST /pops/override HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99\r\n\r\n{";
    let verbs: Vec<UnixStream> = (0..2 * CONTROL_CONNECTIONS_MAX)
        .map(|_| {
            let mut stream = UnixStream::connect(&control).expect("the kernel accepts");
            stream.write_all(half).expect("the kernel takes it");
            stream
        })
        .collect();
    let deaf: Vec<TcpStream> = (0..CONTROL_CONNECTIONS_MAX)
        .map(|_| {
            let mut stream = connect(process.admin);
            stream
                .write_all(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n")
                .expect("the kernel takes it");
            stream
        })
        .collect();
    assert_eq!(process.page("/readyz"), "serving\n");
    let (status, _, stderr) = process.deployment.run(&["pop", "drain", "one", "--reason", "storm"]);
    assert_eq!(status, 0, "{stderr}");
    drop(deaf);
    let scrape = process.scrape();
    assert!(
        scrape["meridian_descriptors{use=\"pages\"}"] <= scrape["meridian_descriptors_share{use=\"pages\"}"]
    );
    assert_eq!(scrape["meridian_pop_state{pop=\"one\",state=\"drain\"}"], 1.0);
    drop((silent, verbs));
}

/// Out of descriptors, no accept loop spins or ends: what waits in the kernel is answered once
/// there are some again, under either engine, and the lack is an alarm.
#[test]
fn a_lack_of_descriptors_ends_no_listener() {
    for engine in ["fast", "hickory"] {
        let process = Process::start(deployment(""), LIMIT, engine);
        // The numbers below stand for the standard streams, which are open.
        process.limit(3);
        let mut tcp = connect(process.dns);
        tcp.write_all(&framed(&query(7, "www.cdn.example", A))).expect("the kernel takes it");
        let mut admin = connect(process.admin);
        admin.write_all(b"GET /readyz HTTP/1.1\r\nHost: localhost\r\n\r\n").expect("the kernel takes it");
        let mut control = UnixStream::connect(process.deployment.path("control.sock")).expect("accepts");
        control.write_all(b"GET /readyz HTTP/1.1\r\nHost: localhost\r\n\r\n").expect("the kernel takes it");
        // Nobody accepts: the answer does not come while the limit is low.
        tcp.set_read_timeout(Some(std::time::Duration::from_millis(300))).expect("it can be set");
        assert!(tcp.read(&mut [0]).is_err(), "{engine}: the limit is in force");
        tcp.set_read_timeout(Some(PATIENCE)).expect("it can be set");
        process.limit(LIMIT);
        assert_eq!(decode(&read_framed(&mut tcp)), (7, 0, vec!["198.51.100.10".to_owned()]), "{engine}");
        let mut text = String::new();
        admin.read_to_string(&mut text).expect("text");
        assert!(text.starts_with("HTTP/1.1 200"), "{engine}: {text}");
        text.clear();
        control.set_read_timeout(Some(PATIENCE)).expect("it can be set");
        control.read_to_string(&mut text).expect("text");
        assert!(text.starts_with("HTTP/1.1 200"), "{engine}: {text}");
        let scrape =
            process.until("the lack is an alarm", |scrape| scrape["meridian_descriptors_short"] == 1.0);
        let ready = process.page("/readyz");
        assert!(ready.contains("note: descriptors are short: "), "{engine}: {ready}");
        // The state folder cannot be written meanwhile either.
        assert!(scrape["meridian_alarms"] >= 1.0, "{engine}");
        // Three loops that waited longer each time.
        let failed = scrape["meridian_descriptors_exhausted_total"];
        assert!((3.0..200.0).contains(&failed), "{engine}: {failed}");
        process.deployment.events(|events| events.contains("descriptors_short"));
        let _ = tcp.shutdown(Shutdown::Both);
    }
}
