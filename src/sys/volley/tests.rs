//! Tests of `volley`.

use super::*;

/// All datagrams arrive, in order; those beyond one volley are left for the next.
#[test]
fn a_volley_arrives() {
    let to = UdpSocket::bind("127.0.0.1:0").unwrap();
    to.set_read_timeout(Some(std::time::Duration::from_secs(5))).unwrap();
    let from = UdpSocket::bind("127.0.0.1:0").unwrap();
    from.connect(to.local_addr().unwrap()).unwrap();
    let octets: Vec<[u8; 2]> = (0..VOLLEY_MAX as u8 + 6).map(|n| [n, 7]).collect();
    let datagrams: Vec<&[u8]> = octets.iter().map(|o| &o[..]).collect();
    assert_eq!(volley(&from, &datagrams).unwrap(), VOLLEY_MAX);
    for expected in &octets[..VOLLEY_MAX] {
        let mut received = [0; 8];
        assert_eq!(to.recv(&mut received).unwrap(), 2);
        assert_eq!(&received[..2], expected);
    }
}
