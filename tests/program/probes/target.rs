//! Targets and servers that the tests are made of.

use meridian::testing::health::probe_result::ProbeResult;
use meridian::testing::health::spec::{Check, FlapLimits, HttpCheck, HttpMethod, Spec};
use meridian::testing::health::targets::Target;
use meridian::testing::probe::Prober;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;

/// Where everything listens: a port that is free.
pub const ANY: (Ipv4Addr, u16) = (Ipv4Addr::LOCALHOST, 0);

/// Enough for a sound exchange on a busy machine.
pub const LONG: u32 = 20_000;
/// For peers that never answer.
pub const SHORT: u32 = 700;

pub fn target(check: Check, destination: SocketAddr, timeout_ms: u32) -> Target {
    let spec = Spec {
        check,
        to: None,
        every_ms: 60_000,
        timeout_ms,
        up_after: 1,
        down_after: 1,
        ok_after: 1,
        flap: FlapLimits::default(),
    };
    Target {
        key: "key".into(),
        spec: Arc::new(spec),
        probe: "probe".into(),
        pop: "ams1".into(),
        service: "edge".into(),
        address: destination.ip(),
        destination,
    }
}

/// A plain `GET /` that wants 200.
pub fn get() -> HttpCheck {
    HttpCheck {
        tls: None,
        port: 0,
        method: HttpMethod::Get,
        path: "/".into(),
        host: None,
        headers: Vec::new(),
        expect: vec![200..=200],
        expect_headers: Vec::new(),
        body: None,
    }
}

pub fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

/// One run.
pub fn run(target: &Target) -> ProbeResult {
    runtime().block_on(Prober::new().run(target))
}

/// Why it failed, or nothing.
pub fn why(outcome: &ProbeResult) -> &str {
    outcome.result.as_ref().err().map_or("", |why| why)
}

/// A server on a port of its own; each connection gets a thread.
pub fn serve(behave: impl Fn(TcpStream) + Send + Sync + 'static) -> SocketAddr {
    let listener = TcpListener::bind(ANY).unwrap();
    let address = listener.local_addr().unwrap();
    let behave = Arc::new(behave);
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let behave = Arc::clone(&behave);
            std::thread::spawn(move || behave(stream));
        }
    });
    address
}
