//! Refusals of a path, a query, a body and a method: each names the key, the value and the values
//! that are allowed, in the server's own words.

use std::io::Write;
use std::os::unix::net::UnixStream;
use support::deployment::{Deployment, PATIENCE};
use support::pages::{self, Page};

/// Words of the libraries that read requests.
const FOREIGN: &[&str] =
    &["deserialize", "serde", "invalid type", "missing field", "Expected request", "Invalid URL"];

const JSON: &str = "application/json";

/// Sends a request with a body of a media type, or of none.
fn send(deployment: &Deployment, method: &str, path: &str, kind: &str, body: &str) -> Page {
    let mut stream = UnixStream::connect(deployment.path("state/control.sock")).expect("a server");
    stream.set_read_timeout(Some(PATIENCE)).expect("a time limit");
    let kind = if kind.is_empty() { String::new() } else { format!("Content-Type: {kind}\r\n") };
    let head = format!("{method} {path} HTTP/1.1\r\nHost: x\r\n{kind}Content-Length: {}\r\n\r\n", body.len());
    stream.write_all((head + body).as_bytes()).expect("the server reads");
    pages::read(stream).expect("an answer")
}

/// Status, sentence and a part of the way out of each refused request.
#[test]
fn refusals_name_the_key_the_value_and_the_way_out() {
    let deployment = Deployment::sample(&["127.0.0.1:0"]);
    let _served = deployment.serve(&[]);
    let zones = "the query may have `after`, `limit`";
    let shapes = "/v1/openapi.json";
    let overrides = "the body must have `pops`, and may have `author`";
    let long = "x".repeat(70_000);
    let queries = [
        ("GET", "/v1/zones?most=1", "the query has no key `most`", zones),
        ("GET", "/v1/zones?limit=1&limit=2", "the query has the key `limit` twice", zones),
        (
            "GET",
            "/v1/zones?limit=a%00",
            "`limit` must be a whole number from 1 to 4294967295, not `a\\0`",
            shapes,
        ),
        ("GET", "/v1/zones?after=..", "`after` must be the apex of a zone, not `..`", shapes),
        (
            "GET",
            "/v1/map?policy=web&dwon=fra",
            "the query has no key `dwon`",
            "`down`, `drain`, `policy`, `up`",
        ),
        ("GET", "/v1/map?policy=none", "there is no policy `none`", "/v1/policies"),
        ("GET", "/v1/events?since=1", "the query has no key `since`", "`after`"),
        ("POST", "/v1/reload?colour=maybe", "`colour` must be true or false, not `maybe`", shapes),
        ("POST", "/v1/reload?allow_los=true", "the query has no key `allow_los`", "`allow_loss`, `colour`"),
        ("GET", "/v1/explain?name=a&client=here", "`client` must be an IP address, not `here`", shapes),
        ("GET", "/v1/explain?name=a&ecs=1", "`ecs` must have the form `address/length`, not `1`", shapes),
        ("GET", "/v1/pops/%ff", "the path `/v1/pops/%ff` has escapes that are no UTF-8", "UTF-8"),
        ("GET", "/v1/policies/a/%ff", "the path `/v1/policies/a/%ff` has escapes that are no UTF-8", "UTF-8"),
        ("GET", "/v1/zones/%ff", "the path `/v1/zones/%ff` has escapes that are no UTF-8", "UTF-8"),
        ("GET", "/v1/zones/none.example", "there is no zone `none.example`", "/v1/zones"),
        ("GET", "/other?a=b", "there is no page `/other`", shapes),
        ("PUT", "/v1/pops", "the page `/v1/pops` has no method `PUT`", "`Allow`"),
    ]
    .map(|(method, path, sentence, help)| (method, path, JSON, "", sentence, help));
    let bodies = [
        ("text/plain", "{}", "the header `Content-Type` must be `application/json`, not `text/plain`", JSON),
        ("", "{}", "the header `Content-Type` must be `application/json`, the request has none", JSON),
        (JSON, "", "the body is empty", overrides),
        (JSON, "{", "the body ends within its JSON", overrides),
        (JSON, "{\"pops\": [}", "the body is no JSON from line 1, column 11 on", overrides),
        (JSON, "[]", "the body must be a JSON object", overrides),
        (JSON, "{\"pop\":[]}", "the body has no key `pop`", overrides),
        (JSON, "{\"state\":\"up\"}", "the body lacks the key `pops`", overrides),
        (JSON, "{\"pops\":[],\"pops\":[]}", "the body has the key `pops` twice", overrides),
        (JSON, "{\"pops\":\"fra\"}", "`pops` must be a list of texts, not `\"fra\"`", shapes),
        (JSON, "{\"pops\":[],\"force\":1}", "`force` must be true or false, not `1`", shapes),
        (JSON, "{\"pops\":[]}", "the body must have `state` or `weight`", shapes),
        (
            JSON,
            "{\"pops\":[],\"state\":\"off\"}",
            "`state` must be up, down, drain or auto, not `off`",
            shapes,
        ),
        (JSON, &long, "the body has more than 64 KiB", "64 KiB"),
    ]
    .map(|(kind, body, sentence, help)| ("POST", "/v1/overrides", kind, body, sentence, help));
    for (method, path, kind, body, sentence, help) in queries.into_iter().chain(bodies) {
        let page = send(&deployment, method, path, kind, body);
        let refusal = page.json();
        let what = format!("{method} {path} {body:.80}: {refusal}");
        assert!((400..500).contains(&page.status) && refusal["ok"] == false, "{what}");
        assert_eq!(refusal["message"], sentence, "{what}");
        assert!(refusal["help"].as_str().is_some_and(|way_out| way_out.contains(help)), "{what}");
        assert!(FOREIGN.iter().all(|word| !page.body.contains(word)), "{what}");
    }
}
