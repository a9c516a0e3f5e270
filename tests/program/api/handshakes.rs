//! Handshakes of TLS on the admin address: few are unfinished at once, each has a time limit, and
//! an honest client is answered meanwhile.

use super::gate::{ask, client};
use super::{Authority, TOKEN, secured};
use rustls::ClientConnection;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};
use support::deployment::{PATIENCE, connect, connect_from};
use support::pages::series;

/// Unfinished handshakes at once, of all clients and of one.
const MOST: usize = 32;
const MOST_OF_ONE: usize = 16;
/// Time limit of a handshake.
const LIMIT: Duration = Duration::from_secs(5);

/// A connection that has begun a handshake and sends no more.
fn begun(mut stream: TcpStream, hello: &[u8]) -> TcpStream {
    stream.write_all(hello).expect("the server reads");
    stream
}

/// Octets of a client's first message.
fn hello(config: &Arc<rustls::ClientConfig>) -> Vec<u8> {
    let name = "localhost".try_into().expect("a name");
    let mut connection = ClientConnection::new(Arc::clone(config), name).expect("a connection");
    let mut octets = Vec::new();
    connection.write_tls(&mut octets).expect("a message");
    octets
}

/// True if the server has closed a connection, behind whatever it has sent.
fn is_closed(stream: &mut TcpStream) -> bool {
    stream.set_nonblocking(true).expect("ours");
    let mut octets = [0; 4_096];
    loop {
        match stream.read(&mut octets) {
            Ok(0) => return true,
            Ok(_) => {}
            Err(error) => return error.kind() != std::io::ErrorKind::WouldBlock,
        }
    }
}

/// Waits until the server has closed so many of these connections.
fn closed(streams: &mut [TcpStream], least: usize) -> usize {
    let began = Instant::now();
    loop {
        let count = streams.iter_mut().filter_map(|stream| is_closed(stream).then_some(())).count();
        if count >= least {
            return count;
        }
        assert!(began.elapsed() < PATIENCE, "{count} of {least} are closed");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// The holder of a token is answered while many clients begin handshakes and stop. The oldest are
/// closed for newer ones, those of the client with the most first; the rest end by their limit.
#[test]
fn stopped_handshakes_lock_nobody_out() {
    let authority = Authority::new();
    let deployment = secured(&authority);
    let served = deployment.serve(&[]);
    let admin: SocketAddr = served.admin();
    let stranger = client(&authority.certificate, None);
    let (whole, cut) = (hello(&stranger), hello(&stranger)[..40].to_vec());
    let honest = |path: &str| {
        let (bearer, began) = (format!("Authorization: Bearer {TOKEN}\r\n"), Instant::now());
        let page = ask(&stranger, admin, path, &bearer, "").expect("an answer");
        assert_eq!(page.status, 200, "{}", page.body);
        assert!(began.elapsed() < LIMIT / 2, "{:?}", began.elapsed());
        page
    };
    honest("GET /v1/reload");
    let began = Instant::now();
    // One client, with a quarter more than it may have.
    let mut of_one: Vec<TcpStream> =
        (0..MOST_OF_ONE + 4).map(|_| begun(connect_from(1, admin), &whole)).collect();
    assert_eq!(closed(&mut of_one[..4], 4), 4);
    honest("GET /v1/reload");
    // Many clients with two each, one of which stops within its first message.
    let others = |number: usize| begun(connect_from(2 + number as u8 / 2, admin), [&whole, &cut][number % 2]);
    let mut of_many: Vec<TcpStream> = (0..2 * MOST).map(others).collect();
    honest("GET /v1/reload");
    closed(&mut of_many, MOST);
    assert!(began.elapsed() < LIMIT, "they are closed for others, and not by their time limit");
    let open = of_many.iter_mut().chain(&mut of_one).filter_map(|stream| (!is_closed(stream)).then_some(()));
    assert!(open.count() <= MOST);
    // No TLS at all.
    let mut other = begun(connect(admin), b"GET / HTTP/1.1\r\n\r\n");
    assert_eq!(closed(std::slice::from_mut(&mut other), 1), 1);
    closed(&mut of_many, 2 * MOST);
    assert!(began.elapsed() > LIMIT, "{:?}", began.elapsed());
    let counts = series(&honest("GET /v1/metrics").body);
    for (reason, least) in [("handshakes_full", 4 + MOST), ("slow_handshake", 1), ("handshake_failed", 1)] {
        let count = counts[&format!("meridian_admin_unopened_total{{reason=\"{reason}\"}}")];
        assert!(count >= least as f64, "{reason}: {count}");
    }
}
