//! Effect of readers of pages on answers: DNS over TCP, asked one question after the other,
//! without readers and with sixteen that read `/metrics` in a loop, of 1,000 PoPs with two probed
//! addresses each; then `/readyz` meanwhile.
//!
//! `cargo bench --bench pages` takes half a minute. The server is a process of its own; the readers
//! and the client share the cores with it, so that times are those of a busy machine.
//! The bar: 99 of 100 answers within 10 ms on two cores. Figures: benches/runs.

use std::fmt::Write as _;
use std::io::Write;
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};
use support::deployment::{Deployment, connect, framed, query, read_framed};
use support::pages;
use support::program::Served;

const POPS: u32 = 1_000;
const READERS: usize = 16;
/// Duration of each part.
const MEASURED: Duration = Duration::from_secs(10);
/// Time between two questions: a client that waits, not a load.
const EVERY: Duration = Duration::from_millis(2);

fn main() {
    if std::env::args().skip(1).any(|word| word.starts_with('-') && word != "--bench") {
        println!("skipped: this bench knows no options");
        return;
    }
    let (deployment, served) = start();
    let (dns, admin) = (served.dns, served.admin());
    let page = read(admin, "/metrics");
    println!("{POPS} PoPs: /metrics has {} octets, {} lines", page.len(), page.lines().count());
    let alone: Vec<Duration> = (0..20).map(|_| time(|| drop(read(admin, "/metrics")))).collect();
    told("one reader of /metrics in a loop, pauses included", alone);
    told("TCP answer, no reader", answers(dns));
    told("/readyz, no reader", checks(admin));
    let (stop, reads) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let readers: Vec<_> = (0..READERS)
        .map(|_| {
            let (stop, reads) = (Arc::clone(&stop), Arc::clone(&reads));
            std::thread::spawn(move || {
                while !stop.load(Ordering::Relaxed) {
                    let _ = read(admin, "/metrics");
                    reads.fetch_add(1, Ordering::Relaxed);
                }
            })
        })
        .collect();
    let began = Instant::now();
    told(&format!("TCP answer, {READERS} readers of /metrics"), answers(dns));
    told(&format!("/readyz, {READERS} readers of /metrics"), checks(admin));
    let per_sec = reads.load(Ordering::Relaxed) as f64 / began.elapsed().as_secs_f64();
    println!("{per_sec:.1} pages a second in all");
    stop.store(true, Ordering::Relaxed);
    readers.into_iter().for_each(|reader| reader.join().expect("no panic"));
    drop((served, deployment));
}

/// A server with PoPs that are probed by push: their targets are all there is, and nothing goes
/// out.
fn start() -> (Deployment, Served) {
    let deployment = Deployment::new(&["127.0.0.1:0"], "  admin: \"127.0.0.1:0\"\n");
    let mut pops = "probes: { robot: { push: { ttl: 1h }, up_after: 1, down_after: 1 } }\npops:\n".to_owned();
    for pop in 0..POPS {
        let name = if pop == 0 { "one".to_owned() } else { format!("p{pop:04}") };
        let (high, low) = (pop >> 8, pop & 255);
        let _ = writeln!(
            pops,
            "  {name}: {{ at: {{ lat: 50.1, lon: 8.7, country: DE }}, probe: robot, addresses: \
             [\"10.0.{high}.{low}\", \"2001:db8::{high:x}:{low:x}\"] }}"
        );
    }
    deployment.write("pops.yaml", &pops);
    let served = deployment.serve(&[]);
    (deployment, served)
}

fn read(admin: SocketAddr, path: &str) -> String {
    let page = pages::admin(admin, path);
    assert_eq!(page.status, 200, "{}", page.head);
    page.body
}

fn time(run: impl FnOnce()) -> Duration {
    let began = Instant::now();
    run();
    began.elapsed()
}

/// Times from a question to its answer, on one connection that is kept.
fn answers(dns: SocketAddr) -> Vec<Duration> {
    let mut stream: TcpStream = connect(dns);
    stream.set_nodelay(true).expect("it can be set");
    let question = framed(&query(1, "www.cdn.example", 1));
    repeated(|| {
        stream.write_all(&question).expect("the server reads");
        drop(read_framed(&mut stream));
    })
}

fn checks(admin: SocketAddr) -> Vec<Duration> {
    repeated(|| drop(read(admin, "/readyz")))
}

fn repeated(mut run: impl FnMut()) -> Vec<Duration> {
    let end = Instant::now() + MEASURED;
    let mut times = Vec::new();
    while Instant::now() < end {
        times.push(time(&mut run));
        std::thread::sleep(EVERY);
    }
    times
}

fn told(what: &str, mut times: Vec<Duration>) {
    times.sort_unstable();
    let at = |share: f64| {
        let index = ((times.len() as f64 * share) as usize).min(times.len() - 1);
        times[index].as_secs_f64() * 1_000.0
    };
    println!(
        "{what}: {} times, median {:.2} ms, 90 % {:.2} ms, 99 % {:.2} ms, 99.9 % {:.2} ms, most {:.2} ms",
        times.len(),
        at(0.5),
        at(0.9),
        at(0.99),
        at(0.999),
        at(1.0)
    );
}
