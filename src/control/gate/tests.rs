//! Headers that the gate reads.

use super::*;

#[test]
fn tokens_are_read() {
    for (value, token) in [
        ("Bearer abc", Some("abc")),
        ("bearer  abc ", Some("abc")),
        ("BEARER abc=", Some("abc=")),
        ("Basic abc", None),
        ("Bearer", None),
        ("Bearerabc", None),
        ("", None),
    ] {
        let value = HeaderValue::from_static(value);
        assert_eq!(bearer(&value), token.map(str::as_bytes), "{value:?}");
    }
}

/// A request of another page is foreign, whatever else it says; one without `Origin` is of no page.
#[test]
fn origins_are_own_or_foreign() {
    let path = Uri::from_static("/v1/reload");
    for (host, origins, expected) in [
        ("node.example:8053", &[][..], false),
        ("node.example:8053", &["https://node.example:8053"], false),
        ("node.example:8053", &["https://node.example"], true),
        ("node.example:8053", &["http://node.example:8053"], true),
        ("node.example:8053", &["https://evil.example"], true),
        ("node.example:8053", &["null"], true),
        ("node.example:8053", &["https://node.example:8053", "https://evil.example"], true),
    ] {
        let mut headers = HeaderMap::new();
        headers.insert(HOST, HeaderValue::from_static(host));
        for origin in origins {
            headers.append(ORIGIN, HeaderValue::from_static(origin));
        }
        assert_eq!(is_foreign(&headers, &path), expected, "{origins:?}");
    }
}
