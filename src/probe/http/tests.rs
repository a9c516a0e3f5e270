//! Tests of `http`.

use super::hearing::reply;

/// A response means the same, however it is cut into pieces.
#[test]
fn pieces_change_nothing() {
    let responses: [&[u8]; 7] = [
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello, and more",
        b"HTTP/1.1 103 Hints\r\nLink: x\r\n\r\nHTTP/1.1 200\nX : a\n b\n\
            Transfer-Encoding: chunked\n\n3;x\nhel\n2\r\nlo\r\n0\r\nX: y\r\n\r\n",
        b"HTTP/1.0 200 OK\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\nX: a",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhellooo",
        b"HTTP/1.1 2oo OK\r\n",
    ];
    for response in responses {
        let whole = reply([response].into_iter());
        assert_eq!(reply(response.chunks(1)), whole, "{}", response.escape_ascii());
        for at in 0..response.len() {
            let (first, second) = response.split_at(at);
            assert_eq!(reply([first, second].into_iter()), whole, "{} at {at}", response.escape_ascii());
        }
    }
    assert_eq!(reply(responses[1].chunks(7)).unwrap().0, b"hello");
}
