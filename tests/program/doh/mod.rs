//! DNS over HTTPS (RFC 8484) over real sockets: answers are those of TCP, HTTP errors tell what is
//! wrong, and caches know whose answer it is.

pub mod client;
mod hostile;

use client::{Client, MEDIA_TYPE, PATH, get, post, query_of, request};
use hyper::body::Bytes;
use hyper::{Response, StatusCode};
use meridian::testing::answer::Transport;
use meridian::testing::server::{Engine, Server};
use meridian::testing::shared::counters::Dropped;
use rustls::{ALL_VERSIONS, ClientConfig};
use std::net::SocketAddr;
use std::process::Command;
use std::sync::Arc;
use support::certificate::{self, Issued, sound};
use support::corpus::{KEEPALIVE, PADDING, queries};
use support::deployment::*;
use support::encrypted::{encrypted, kdig, with_pair, write_pair};
use support::program::until_so;
use support::reply::Reply;

const A: u16 = 1;

/// A deployment with DNS over HTTPS and this pair.
fn deployment(listen: &str, pair: &Issued) -> Deployment {
    encrypted(&format!("  doh: [\"127.0.0.1:0\"]\n{listen}"), pair)
}

/// The address for DNS over HTTPS.
fn doh(server: &Server) -> SocketAddr {
    stream_address(server, Transport::Doh)
}

fn client_of(issued: &Issued, alpn: &[&str]) -> Arc<ClientConfig> {
    certificate::client(&[issued], ALL_VERSIONS, alpn)
}

fn open(pair: &Issued, server: &Server) -> Client {
    Client::open(&client_of(pair, &["h2"]), connect(doh(server))).expect("a connection")
}

fn is_answered(client: &mut Client) -> bool {
    decode(client.post(&query(1, "www.cdn.example", A)).body()).2 == ["198.51.100.10"]
}

fn dropped(server: &Server, reason: Dropped) -> u64 {
    support::deployment::dropped(server, Transport::Doh, reason)
}

fn header<'r>(response: &'r Response<Bytes>, name: &str) -> &'r str {
    response.headers().get(name).map_or("", |value| value.to_str().expect("text"))
}

/// Both engines answer by GET and POST, over both versions of HTTP, octet for octet as over TCP;
/// only the keepalive option is that of TCP alone. Each message is counted.
#[test]
fn answers_are_those_of_tcp() {
    let pair = sound();
    for engine in [Engine::Fast, Engine::Hickory] {
        let deployment = deployment("", &pair);
        let server = deployment.start(engine);
        let banner = server.banner();
        assert!(banner.contains(&format!("doh       {}", doh(&server))), "{banner}");
        let mut count = 0;
        for (alpn, is_http2) in [(&["h2"][..], true), (&["http/1.1"], false), (&[], false)] {
            let config = client_of(&pair, alpn);
            let mut client = Client::open(&config, connect(doh(&server))).expect("a connection");
            assert_eq!(client.is_http2(), is_http2, "{alpn:?}");
            for (what, octets) in queries() {
                let over_tcp = match what {
                    "a keepalive" => ask_tcp(server.dns()[0], &with_option(octets.clone(), 100, &[])),
                    _ => ask_tcp(server.dns()[0], &octets),
                };
                for response in [client.get(&octets), client.post(&octets)] {
                    assert_eq!(response.status(), StatusCode::OK, "{what}");
                    assert_eq!(header(&response, "content-type"), MEDIA_TYPE, "{what}");
                    assert_eq!(header(&response, "content-length"), response.body().len().to_string());
                    let reply = Reply::of(response.body());
                    match what {
                        "a keepalive" => {
                            let has = reply.opt.expect("an OPT").options.iter().any(|o| o.0 == 11);
                            assert!(!has, "{engine:?}: the option is that of TCP");
                        }
                        _ => assert_eq!(response.body(), &over_tcp, "{engine:?}: {what}"),
                    }
                    count += 1;
                }
            }
        }
        let totals = server.shared().counters.fold(Transport::Doh);
        assert_eq!((totals.received, totals.replied()), (count, count));
        // Clients of another protocol get no connection, and are counted.
        assert!(Client::open(&client_of(&pair, &["dot"]), connect(doh(&server))).is_err());
        until_so("a failed handshake", || dropped(&server, Dropped::HandshakeFailed) == 1);
        server.stop();
    }
}

/// Status, method, path, headers and body of a request.
type Row<'r> = (u16, &'r str, String, &'r [(&'r str, &'r str)], &'r [u8]);

/// A request without a message has the HTTP status that fits, and the connection goes on.
#[test]
fn requests_without_a_message_are_http_errors() {
    let pair = sound();
    let deployment = deployment("", &pair);
    let server = deployment.start(Engine::Fast);
    let message = query(0, "www.cdn.example", A);
    let (at, good) = (|query: &str| format!("{PATH}{query}"), query_of(&message));
    let typed = [("content-type", MEDIA_TYPE)];
    let packed = [typed[0], ("content-encoding", "gzip")];
    let padded = format!("{good}=");
    let mut response = message.clone();
    response[2] |= 0x80;
    let long = vec![0; 65_536];
    let rows: Vec<Row<'_>> = vec![
        (404, "GET", format!("/{good}"), &[], &[]),
        (404, "GET", "/".to_owned(), &[], &[]),
        (404, "POST", at("/"), &typed, &message),
        (405, "PUT", at(""), &typed, &message),
        (405, "HEAD", at(&good), &[], &[]),
        (400, "GET", at(""), &[], &[]),
        (400, "GET", at("?dns"), &[], &[]),
        (400, "GET", at("?DNS=AAAA"), &[], &[]),
        (400, "GET", at(&padded), &[], &[]),
        (400, "GET", at("?dns=AAA+"), &[], &[]),
        (400, "GET", at("?dns=AAA%2D"), &[], &[]),
        (400, "GET", at("?dns=A"), &[], &[]),
        (400, "GET", at(&format!("{good}&dns=AAAA")), &[], &[]),
        (400, "GET", at("?dns="), &[], &[]),
        (400, "POST", at(""), &typed, &[]),
        (400, "POST", at(""), &typed, &response),
        (415, "POST", at(""), &[], &message),
        (415, "POST", at(""), &[("content-type", "text/plain")], &message),
        (415, "POST", at(""), &packed, &message),
        (413, "POST", at(""), &typed, &long),
    ];
    let mut refused = 0;
    for alpn in ["h2", "http/1.1"] {
        let config = client_of(&pair, &[alpn]);
        let mut client = Client::open(&config, connect(doh(&server))).expect("a connection");
        for (status, method, path, headers, body) in &rows {
            let response = client.send(request(method, path, headers, body));
            assert_eq!(response.status(), *status, "{alpn} {method} {path} {headers:?}");
            assert_eq!(header(&response, "cache-control"), "no-store");
            assert_eq!(header(&response, "allow"), if *status == 405 { "GET, POST" } else { "" });
            assert!(response.body().len() < 100 && header(&response, "content-type").contains("text/plain"));
            refused += 1;
            if *status == 413 {
                // The body of HTTP/1.1 is on its way, so the connection ends.
                client = Client::open(&config, connect(doh(&server))).expect("a connection");
            }
            assert!(is_answered(&mut client), "{alpn} {method} {path}");
        }
        // Further parameters, and those of the media type, change nothing.
        let more = client.send(request("GET", &at(&good.replace('?', "?ct&x=1&")), &[], &[]));
        assert_eq!(decode(more.body()).2, ["198.51.100.10"]);
        let cased = [("content-type", "Application/DNS-Message; x=1"), ("content-encoding", "identity")];
        assert_eq!(decode(client.send(request("POST", PATH, &cased, &message)).body()).2.len(), 1);
    }
    // Messages that are no query (an empty one twice, and a response) are counted as over TCP.
    let silent = dropped(&server, Dropped::Silence);
    assert_eq!((silent, dropped(&server, Dropped::BadRequest)), (6, refused - 6));
    server.stop();
}

/// Caches keep an answer for its shortest TTL; one that depends on the client is for the client
/// alone.
#[test]
fn caches_know_whose_answer_it_is() {
    let pair = sound();
    let deployment = Deployment::sample(&["127.0.0.1:0"]);
    deployment.edit("meridian.yaml", |text| text.replace("listen:\n", "listen:\n  doh: [\"127.0.0.1:0\"]\n"));
    // One list for all clients of a resolver, and another one for resolvers of a network.
    deployment.edit("policies.yaml", |text| {
        text + "  by-resolver:\n    pops: [fra]\n    order: listed\n    rules:\n      \
                - { when: { resolver_network: office }, pops: [iad] }\n"
    });
    deployment.edit("zones/cdn.example.yaml", |text| {
        text.replace("  status: {", "  by-resolver: { steer: by-resolver }\n  status: {")
    });
    with_pair(&deployment, &pair);
    let server = deployment.start(Engine::Fast);
    let mut client = open(&pair, &server);
    let video = query(0, "video.edge.cdn.example", A);
    let rows = [
        ("a static name", query(0, "status.cdn.example", A), "max-age="),
        ("a name that is not there", query(0, "none.cdn.example", A), "max-age="),
        ("a client subnet decides", with_subnet(video.clone(), [192, 0, 2]), "private, max-age="),
        ("the resolver decides", video, "private, max-age="),
        ("the resolver's network decides", query(0, "by-resolver.cdn.example", A), "private, max-age="),
        ("a refusal", query(0, "other.test", A), "no-store"),
        ("a cookie", with_option(query(0, "status.cdn.example", A), 10, &[7; 8]), "private, max-age="),
    ];
    for (what, octets, begin) in rows {
        for response in [client.get(&octets), client.post(&octets)] {
            let text = header(&response, "cache-control");
            assert!(text.starts_with(begin), "{what}: {text}");
            let reply = Reply::of(response.body());
            let Some((_, secs)) = text.split_once("max-age=") else { continue };
            let shortest = reply.sections.iter().flatten().map(|record| record.ttl_secs).min();
            assert_eq!(secs.parse().ok(), shortest, "{what}");
        }
    }
    server.stop();
}

/// Padding is answered in blocks of 468 octets (RFC 8467).
#[test]
fn padding() {
    let pair = sound();
    let deployment = deployment("", &pair);
    let server = deployment.start(Engine::Fast);
    let mut client = open(&pair, &server);
    for name in ["www.cdn.example", "cdn.example", "none.cdn.example", "other.test"] {
        let padded = with_option(query(3, name, A), PADDING, &[0; 50]);
        assert_eq!(client.post(&padded).body().len() % 468, 0, "{name}");
        assert_eq!(client.get(&padded).body().len() % 468, 0, "{name}");
        let plain = with_option(query(3, name, A), KEEPALIVE, &[]);
        assert_ne!(client.post(&plain).body().len() % 468, 0, "{name}");
    }
    server.stop();
}

/// A refused client gets REFUSED, which no cache keeps; the connection of one that is dropped ends
/// without a response, from its begin and after a reload.
#[test]
fn access_lists_hold() {
    let pair = sound();
    let deployment = deployment("", &pair);
    let lists = "access: { refuse: [127.1.1.0/24], drop: [127.1.2.0/24] }\n";
    deployment.edit("meridian.yaml", |text| text + lists);
    let server = deployment.start(Engine::Fast);
    let config = client_of(&pair, &["h2"]);
    let from = |prefix| Client::open(&config, connect_from(prefix, doh(&server)));
    let response = from(1).expect("a connection").get(&query(1, "www.cdn.example", A));
    assert_eq!(Reply::of(response.body()).status, "REFUSED");
    assert_eq!(header(&response, "cache-control"), "no-store");
    assert!(from(2).is_err(), "no handshake");
    assert_eq!(dropped(&server, Dropped::Access), 1);
    for alpn in ["h2", "http/1.1"] {
        deployment.edit("meridian.yaml", |text| text.replace("127.1.3.0/24, ", ""));
        assert!(reload(&server).published);
        let config = client_of(&pair, &[alpn]);
        let mut client = Client::open(&config, connect_from(3, doh(&server))).expect("a connection");
        assert!(is_answered(&mut client));
        deployment.edit("meridian.yaml", |text| text.replace("drop: [", "drop: [127.1.3.0/24, "));
        assert!(reload(&server).published);
        assert!(client.try_send(get(&query(1, "www.cdn.example", A))).is_err(), "{alpn}");
    }
    assert_eq!(dropped(&server, Dropped::Access), 3);
    server.stop();
}

/// A reload gives new connections the new certificate, while an open one goes on. Requests in
/// progress end before the server does.
#[test]
fn a_reload_changes_the_certificate() {
    let (first, second) = (sound(), sound());
    let deployment = deployment("", &first);
    let server = deployment.start(Engine::Fast);
    let mut old = open(&first, &server);
    assert!(is_answered(&mut old));
    write_pair(&deployment, &second.certificate, &second.key);
    assert!(reload(&server).published);
    assert!(is_answered(&mut old), "the open connection stays");
    assert!(is_answered(&mut open(&second, &server)));
    assert!(Client::open(&client_of(&first, &["h2"]), connect(doh(&server))).is_err());
    server.stop();
    assert!(old.try_send(post(&query(1, "www.cdn.example", A))).is_err(), "the server has said goodbye");
}

/// The pages and the metrics name the transport.
#[test]
fn pages_name_the_transport() {
    let pair = sound();
    let deployment = deployment("", &pair);
    let server = deployment.start(Engine::Fast);
    let mut client = open(&pair, &server);
    assert!(is_answered(&mut client));
    assert_eq!(client.send(request("GET", "/", &[], &[])).status(), 404);
    let status = deployment.page("/status").json();
    assert_eq!(status["streams"][0]["transport"], "doh");
    assert_eq!(status["streams"][0]["addresses"][0], doh(&server).to_string());
    assert_eq!(status["lanes"]["doh"]["received"], 1);
    deployment.has_metrics(&[
        "meridian_queries_total{transport=\"doh\"} 1",
        "meridian_connections_total{transport=\"doh\"} 1",
        "meridian_dropped_total{reason=\"bad_request\",transport=\"doh\"} 1",
        "meridian_descriptors{use=\"doh\"} 1",
    ]);
    server.stop();
}

/// `kdig` is answered by POST and GET, with padding.
#[test]
fn kdig_is_answered() {
    let pair = sound();
    let deployment = deployment("", &pair);
    let server = deployment.start(Engine::Fast);
    for method in ["+https", "+https-get"] {
        let words = ["+https", method, "+padding"];
        let Some((printed, errors)) = kdig(&deployment, doh(&server).port(), &words) else { return };
        if printed.is_empty() {
            println!("skipped: this kdig has no HTTPS: {errors}");
            return;
        }
        assert!(printed.contains("198.51.100.10") && printed.contains("HTTP session"), "{printed}");
        assert!(printed.contains("468 B"), "a padded answer: {printed}");
    }
    server.stop();
}

/// `curl` is answered over both versions of HTTP, by GET and POST.
#[test]
fn curl_is_answered() {
    let version = Command::new("curl").arg("--version").output();
    let text = version.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
    if !text.contains("HTTP2") || !text.contains("SSL") {
        println!("skipped: curl with HTTP/2 and TLS is not installed");
        return;
    }
    let pair = sound();
    let deployment = deployment("", &pair);
    let server = deployment.start(Engine::Fast);
    let octets = query(0, "www.cdn.example", A);
    std::fs::write(deployment.path("message"), &octets).expect("ours");
    let (port, message) = (doh(&server).port(), deployment.path("message").display().to_string());
    let over_tcp = ask_tcp(server.dns()[0], &octets);
    for (version, number) in [("--http2", "2"), ("--http1.1", "1.1")] {
        for is_post in [false, true] {
            let mut curl = Command::new("curl");
            curl.args(["--silent", "--fail", version, "--max-time", "10", "--cacert"])
                .arg(deployment.path("tls/cert.pem"))
                .args(["--resolve", &format!("dns.example:{port}:127.0.0.1")])
                .args(["--write-out", "%{stderr}%{http_version} %{content_type}"]);
            match is_post {
                true => curl
                    .args(["--header", &format!("content-type: {MEDIA_TYPE}")])
                    .args(["--data-binary", &format!("@{message}")])
                    .arg(format!("https://dns.example:{port}{PATH}")),
                false => curl.arg(format!("https://dns.example:{port}{PATH}{}", query_of(&octets))),
            };
            let output = curl.output().expect("curl runs");
            assert_eq!(output.stdout, over_tcp, "{version} {is_post}: {output:?}");
            assert_eq!(String::from_utf8_lossy(&output.stderr), format!("{number} {MEDIA_TYPE}"));
        }
    }
    server.stop();
}
