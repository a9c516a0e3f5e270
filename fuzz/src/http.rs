//! Octets of a client of DNS over HTTPS inside of TLS, given to the task of the connection.

use super::lanes;
use meridian::testing::transport::scripted::Entrance;

/// Statuses that requests may have. 500 would be a fault of the server.
const STATUSES: [&str; 11] = ["100", "200", "400", "404", "405", "408", "413", "414", "415", "417", "431"];

/// The first octet is odd for HTTP/2. The server answers with whole frames, or with whole responses
/// whose statuses are known.
pub fn http(data: &[u8]) {
    let Some((kind, octets)) = data.split_first() else { return };
    if kind & 1 == 1 {
        frames(&lanes::replay(Entrance::Http2, false, octets));
    } else {
        responses(octets, &lanes::replay(Entrance::Http1, false, octets));
    }
}

/// Frames of HTTP/2, of which the first has the settings (RFC 9113 section 3.4).
fn frames(answer: &[u8]) {
    let mut rest = answer;
    while let Some((head, behind)) = rest.split_first_chunk::<9>() {
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize;
        assert!(length <= behind.len(), "a frame of {length} octets is cut");
        assert!(rest.len() < answer.len() || head[3] == 4, "the first frame has no settings");
        assert!(head[3] <= 9, "a frame of type {}", head[3]);
        rest = &behind[length..];
    }
    assert!(rest.is_empty(), "the head of a frame is cut");
}

/// Responses of HTTP/1.1, each with its length.
fn responses(asked: &[u8], answer: &[u8]) {
    let mut rest = answer;
    while !rest.is_empty() {
        let text = String::from_utf8_lossy(rest);
        let status = text.strip_prefix("HTTP/1.").and_then(|text| text.get(2..5)).unwrap_or_default();
        assert!(STATUSES.contains(&status), "{text}");
        let head = rest.windows(4).position(|octets| octets == b"\r\n\r\n").expect("the end of a head") + 4;
        let lines = String::from_utf8_lossy(&rest[..head]).to_ascii_lowercase();
        let length = lines.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
        // The length of a response to HEAD says nothing of its octets.
        let has_no_body = asked.windows(4).any(|octets| octets == b"HEAD");
        if has_no_body {
            return;
        }
        rest = rest.get(head + length.unwrap_or(0)..).expect("a whole body");
    }
}
