//! Tests of requests.

use super::*;
use hyper::Request;

/// Method, path, headers, and what comes of them.
type Row<'r> = (&'r str, &'r str, &'r [(&'r str, &'r str)], Result<Asked, u16>);

fn asked_by(method: &str, path: &str, headers: &[(&str, &str)]) -> Result<Asked, u16> {
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    asked(&request.body(()).unwrap().into_parts().0).map_err(|refusal| refusal.status.as_u16())
}

/// The message is found in the query or the body, or the status says what is wrong.
#[test]
fn requests_have_a_message_or_a_status() {
    let typed = [("content-type", MEDIA_TYPE)];
    let rows: &[Row<'_>] = &[
        ("GET", "/dns-query?dns=AAEB", &[], Ok(Asked::Message(vec![0, 1, 1]))),
        ("GET", "/dns-query?a=b&dns=_-8", &[], Ok(Asked::Message(vec![255, 239]))),
        ("GET", "/dns-query?dns=AAE", &[], Ok(Asked::Message(vec![0, 1]))),
        ("GET", "/dns-query?dns=", &[], Ok(Asked::Message(vec![]))),
        ("GET", "/dns-query?dns=AAF", &[], Err(400)),
        ("GET", "/dns-query?dns=AAE=", &[], Err(400)),
        ("GET", "/dns-query?dns=A", &[], Err(400)),
        ("GET", "/dns-query?dns=/+8", &[], Err(400)),
        ("GET", "/dns-query?xdns=AAEB", &[], Err(400)),
        ("GET", "/dns-query?dns=AAEB&dns=AAEB", &[], Err(400)),
        ("GET", "/dns-query", &[], Err(400)),
        ("GET", "/dns-query/?dns=AAEB", &[], Err(404)),
        ("GET", "/", &[], Err(404)),
        ("POST", "/dns-query", &typed, Ok(Asked::Body)),
        ("POST", "/dns-query?dns=AAEB", &typed, Ok(Asked::Body)),
        ("POST", "/dns-query", &[("content-type", "application/dns-messages")], Err(415)),
        ("POST", "/dns-query", &[("content-type", "\u{e9}")], Err(415)),
        ("POST", "/dns-query", &[typed[0], ("content-encoding", "br")], Err(415)),
        ("POST", "/dns-query", &[], Err(415)),
        ("OPTIONS", "/dns-query", &[], Err(405)),
        ("CONNECT", "/dns-query", &[], Err(405)),
    ];
    for (method, path, headers, expected) in rows {
        assert_eq!(&asked_by(method, path, headers), expected, "{method} {path} {headers:?}");
    }
}
