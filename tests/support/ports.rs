//! Ports of loopback that stay a test's own while nobody listens there. A port whose socket was
//! closed belongs to whoever comes next: the tests beside this one, and their connections.

use std::io::Result;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, UdpSocket};

use socket2::{Domain, Socket, Type};

/// A TCP port of one address, held by a socket that is bound but never listens. Connections are
/// refused until somebody listens through [`Port::listen`], and again once that listener is closed.
pub struct Port {
    /// With `SO_REUSEADDR`: the kernel lets a listener with the same option bind beside a socket
    /// that does not listen, and gives the port to nobody who asks for any free one.
    _holder: Socket,
    address: SocketAddr,
}

impl Port {
    fn hold(address: SocketAddr) -> Result<Port> {
        let holder = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
        holder.set_reuse_address(true)?;
        holder.bind(&address.into())?;
        let address = holder.local_addr()?.as_socket().expect("a socket of the internet");
        Ok(Port { _holder: holder, address })
    }

    /// A port that nobody else has, at an address of loopback.
    pub fn any(address: Ipv4Addr) -> Port {
        Port::hold((address, 0).into()).expect("loopback has room")
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Listens here.
    pub fn listen(&self) -> TcpListener {
        TcpListener::bind(self.address).expect("the port is ours")
    }
}

/// One port that is ours at every one of these addresses.
pub fn hold(addresses: &[Ipv4Addr]) -> (u16, Vec<Port>) {
    for _ in 0..100 {
        let first = Port::any(addresses[0]);
        let port = first.address.port();
        let rest: Result<Vec<Port>> =
            addresses[1..].iter().map(|address| Port::hold((*address, port).into())).collect();
        if let Ok(rest) = rest {
            return (port, std::iter::once(first).chain(rest).collect());
        }
    }
    panic!("no port is free on all addresses");
}

/// A UDP port that refuses what comes while the socket lives: it is connected to itself, so that
/// datagrams of anybody else find no receiver.
pub fn closed_udp() -> UdpSocket {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("loopback has room");
    socket.connect(socket.local_addr().expect("bound")).expect("loopback is reachable");
    socket
}
