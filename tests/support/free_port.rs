//! Port for a server that cannot be given a bound socket.

use std::net::{TcpListener, UdpSocket};

/// A port of loopback that is free for UDP and TCP now. Another program may take it before the
/// server does, so start the server again on another port if it cannot listen.
pub fn free_port() -> u16 {
    loop {
        let udp = UdpSocket::bind("127.0.0.1:0").expect("loopback has room");
        let port = udp.local_addr().expect("it is bound").port();
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}
