//! Every operation of the OpenAPI document, with sound and hostile values: each reply has a status,
//! a kind and a shape that the document has, and none is a fault of the program.

use super::shapes::{self, operations};
use serde_json::Value;
use support::deployment::Deployment;
use support::pages::Page;

/// Names that the sample has, for paths and queries.
const KNOWN: &[&str] = &["fra", "global", "nearest", "shop.example.", "cdn.example"];

/// Each operation that ends, and each old path of it.
#[test]
fn replies_have_documented_shapes() {
    let deployment = Deployment::sample(&["127.0.0.1:0"]);
    let _served = deployment.serve(&[]);
    let socket = deployment.path(SOCKET);
    let document = shapes::document();
    let (mut faults, mut count) = (Vec::new(), 0);
    for operation in operations(&document).into_iter().filter(|operation| operation.path != "/v1/events") {
        for (path, body) in operation.requests(&document, KNOWN) {
            let page: Page = support::pages::send(&socket, &operation.method, &path, &body);
            count += 1;
            assert_ne!(page.status, 500, "{} {path} {body}: {}", operation.method, page.body);
            if let Some(fault) = operation.fault(&document, &page) {
                let short: String = body.chars().take(200).collect();
                faults.push(format!(
                    "{} {path:.200} {short}\n  {fault}\n  {:.300}",
                    operation.method, page.body
                ));
            }
        }
    }
    assert!(faults.is_empty(), "{} of {count}:\n{}", faults.len(), faults.join("\n"));
    assert!(count > 500, "{count} requests");
    assert_eq!(support::pages::control(&socket, "/readyz").status, 200);
}

/// The sample's control socket.
const SOCKET: &str = "state/control.sock";

/// The server gives the document that the program prints, and the old paths give the same pages.
#[test]
fn the_document_is_served() {
    let deployment = Deployment::sample(&["127.0.0.1:0"]);
    let _served = deployment.serve(&[]);
    let page = |path: &str| support::pages::control(&deployment.path(SOCKET), path);
    assert_eq!(page("/v1/openapi.json").json(), shapes::document());
    for path in ["/pops/fra", "/policies", "/reload"] {
        let (new, old) = (page(&format!("/v1{path}")), page(path));
        assert_eq!((new.status, old.status), (200, 200), "{path}");
        let keys =
            |page: &Page| page.json().as_object().map(|object| object.keys().cloned().collect::<Vec<_>>());
        assert_eq!(keys(&new), keys(&old), "{path}");
    }
}

/// Requests that no page takes are refused in JSON.
#[test]
fn refusals_are_json() {
    let deployment = Deployment::sample(&["127.0.0.1:0"]);
    let _served = deployment.serve(&[]);
    for (method, path, body, status, code) in [
        ("GET", "/other", "", 404, "not_found"),
        ("GET", "/v2/pops", "", 404, "not_found"),
        ("GET", "/v1/pops/none", "", 404, "not_found"),
        ("GET", "/v1/pops/%ff", "", 400, "bad_request"),
        ("PUT", "/v1/pops", "", 405, "method_not_allowed"),
        ("POST", "/v1/reload?colour=maybe", "", 400, "bad_request"),
        ("DELETE", "/v1/reload", "", 409, "conflict"),
        ("POST", "/v1/overrides", "{}", 400, "bad_request"),
        ("POST", "/v1/overrides", &"x".repeat(70_000), 413, "too_large"),
        ("GET", "/v1/map?policy=none", "", 404, "not_found"),
        ("GET", "/v1/map?down=none", "", 400, "bad_request"),
        ("GET", "/v1/zones?after=..", "", 400, "bad_request"),
        ("GET", "/v1/zones?most=1", "", 400, "bad_request"),
        ("GET", "/v1/map?policy=web&dwon=fra", "", 400, "bad_request"),
        ("GET", "/v1/explain?name=www.shop.example&client=192.0.2.1&dwon=fra", "", 400, "bad_request"),
        ("GET", "/v1/events?since=1", "", 400, "bad_request"),
        ("POST", "/v1/reload?allow_los=true", "", 400, "bad_request"),
    ] {
        let page = support::pages::send(&deployment.path(SOCKET), method, path, body);
        let refusal: Value = page.json();
        assert_eq!((page.status, &refusal["code"]), (status, &code.into()), "{method} {path}: {refusal}");
        assert_eq!((&refusal["ok"], &refusal["error"]), (&false.into(), &refusal["message"]), "{path}");
        assert!(refusal["help"].as_str().is_some_and(|help| !help.is_empty()), "{path}");
        let allows = page.head.to_ascii_lowercase().contains("\r\nallow: get");
        assert_eq!(allows, status == 405, "{path}: {}", page.head);
    }
}

/// The map has each PoP with its position, and for a policy the PoP of each country; a PoP that is
/// down is the answer of none.
#[test]
fn the_map_follows_the_state() {
    let deployment = Deployment::sample(&["127.0.0.1:0"]);
    let _served = deployment.serve(&[]);
    let page = |path: &str| support::pages::control(&deployment.path(SOCKET), path).json();
    let policies = page("/v1/policies");
    let policy =
        policies["policies"].as_array().expect("policies").iter().find(|policy| {
            policy["order"] == "nearest" && policy["rules"].as_array().is_some_and(Vec::is_empty)
        });
    let policy = policy.expect("the sample ranks by distance")["name"].as_str().expect("a name").to_owned();
    let answer = |country: &str| {
        let map = page(&format!("/v1/map?policy={policy}"));
        let found =
            map["countries"].as_array().expect("countries").iter().find(|of| of["country"] == country);
        found.expect("every country")["answers"][0]["pop"].as_str().expect("a PoP").to_owned()
    };
    let map = page("/v1/map");
    assert_eq!((&map["policy"], map["countries"].as_array().map(Vec::len)), (&Value::Null, Some(0)));
    assert!(map["pops"].as_array().is_some_and(|pops| pops.iter().all(|pop| pop["lat"].is_number())));
    let first = answer("DE");
    let body = format!(r#"{{"pops":["{first}"],"state":"down","reason":"r","force":true}}"#);
    let changed = support::pages::send(&deployment.path(SOCKET), "POST", "/v1/overrides", &body);
    assert_eq!(changed.status, 200, "{}", changed.body);
    assert_ne!(answer("DE"), first);
    let overrides = page("/v1/overrides");
    assert_eq!(overrides["overrides"][0]["pops"], first.as_str(), "{overrides}");
}

/// An override of many PoPs is listed once, so that the list is no longer than the ledger.
#[test]
fn an_override_of_many_pops_is_listed_once() {
    let deployment = Deployment::sample(&["127.0.0.1:0"]);
    let _served = deployment.serve(&[]);
    let page = |path: &str| support::pages::control(&deployment.path(SOCKET), path).json();
    let set = |body: &str| {
        let changed = support::pages::send(&deployment.path(SOCKET), "POST", "/v1/overrides", body);
        assert_eq!(changed.status, 200, "{}", changed.body);
    };
    set(r#"{"pops":["*"],"weight":1,"reason":"all"}"#);
    set(r#"{"pops":["fra"],"state":"drain","reason":"one","force":true}"#);
    let pops = page("/v1/pops")["pops"].as_array().map_or(0, Vec::len);
    assert!(pops > 1, "{pops} PoPs");
    let overrides = page("/v1/overrides");
    let mut reasons: Vec<&str> = overrides["overrides"]
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(|of| of["reason"].as_str())
        .collect();
    reasons.sort_unstable();
    assert_eq!(reasons, ["all", "one"], "{overrides}");
}

/// Zones come a page at a time, in order.
#[test]
fn zones_come_in_pages() {
    let deployment = Deployment::sample(&["127.0.0.1:0"]);
    let _served = deployment.serve(&[]);
    let page = |path: &str| support::pages::control(&deployment.path(SOCKET), path).json();
    let all = page("/v1/zones");
    let total = all["total"].as_u64().expect("a number");
    assert!(total > 1 && all["next"].is_null(), "{all}");
    let (mut found, mut path) = (Vec::new(), "/v1/zones?limit=1".to_owned());
    loop {
        let one = page(&path);
        found.extend(one["zones"].as_array().expect("zones").iter().cloned());
        match one["next"].as_str() {
            Some(next) => path = format!("/v1/zones?limit=1&after={next}"),
            None => break,
        }
    }
    assert_eq!(Value::from(found.clone()), all["zones"]);
    assert_eq!(found.len() as u64, total);
    let apex = found[0]["zone"].as_str().expect("an apex").trim_end_matches('.').to_uppercase();
    assert_eq!(page(&format!("/v1/zones/{apex}")), found[0]);
}
