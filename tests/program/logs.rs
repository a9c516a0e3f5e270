//! The log as JSON: one object a line, from start to stop, and nothing for a query.

use crate::support::deployment::*;
use serde_json::Value;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};

/// Kills the process if the test fails before it ends.
struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Reads lines until one holds `words`; all of them as objects.
fn until(lines: &Receiver<String>, words: &str) -> Vec<Value> {
    let mut read = Vec::new();
    loop {
        let line = lines
            .recv_timeout(PATIENCE)
            .unwrap_or_else(|_| panic!("no line with `{words}` behind {read:#?}"));
        let object: Value = serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"));
        for key in ["timestamp", "level", "message"] {
            assert!(object[key].as_str().is_some_and(|text| !text.is_empty()), "no `{key}` in {line}");
        }
        let found = object["message"].as_str().is_some_and(|message| message.contains(words));
        read.push(object);
        if found {
            return read;
        }
    }
}

/// Start, a reload that is published, one that is refused, 100 queries without a word, stop.
#[test]
fn one_object_a_line_and_none_for_a_query() {
    let deployment = Deployment::new(&["127.0.0.1:0"], "");
    let config = deployment.path("meridian.yaml");
    let mut child = Command::new(env!("CARGO_BIN_EXE_meridian"))
        .args(["serve", "--log", "json", "--config"])
        .arg(&config)
        .env_remove("RUST_LOG")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map(Killed)
        .expect("the program runs");
    let (to, lines) = channel();
    let stderr = child.0.stderr.take().expect("piped");
    std::thread::spawn(move || {
        BufReader::new(stderr).lines().map_while(Result::ok).try_for_each(|line| to.send(line))
    });
    let (dns, _) = banner(child.0.stdout.take().expect("piped"));
    let hang_up = |name: &str| {
        let status = Command::new("sh")
            .args(["-c", &format!("kill -{name} {}", child.0.id())])
            .status()
            .expect("a shell");
        assert!(status.success());
    };

    let start = until(&lines, "serving");
    assert_eq!(start.last().map(|line| &line["level"]), Some(&"INFO".into()));

    deployment.set_address("198.51.100.11");
    hang_up("HUP");
    let published = until(&lines, "published");
    let last = published.last().expect("a line");
    assert_eq!((&last["level"], &last["sequence"]), (&"INFO".into(), &2.into()), "{last}");
    for key in ["digest", "changes", "took_millis"] {
        assert!(!last[key].is_null(), "no `{key}` in {last}");
    }
    let changed = until(&lines, "changed:");
    assert_eq!(changed.last().map(|line| &line["level"]), Some(&"INFO".into()));

    // Warnings of the good load are told before the next thing is; then there is silence over
    // queries.
    for id in 0..100 {
        let (answered, rcode, addresses) = decode(&ask_udp(dns, &query(id, "www.cdn.example", 1)));
        assert_eq!((answered, rcode, addresses.len()), (id, 0, 1));
    }
    // A name outside of every zone, and octets that are no query, are no reason for a line either.
    assert_eq!(decode(&ask_udp(dns, &query(1, "www.elsewhere.example", 1))).1, 5);

    deployment.write(
        "pops.yaml",
        "pops:\n  one:\n    at: { lat: 50.1, lon: 8.7 }\n    addresses: [198.51.100.300]\n",
    );
    hang_up("HUP");
    let refused = until(&lines, "refused");
    let messages: Vec<&str> = refused.iter().filter_map(|line| line["message"].as_str()).collect();
    assert!(messages[0].contains("reload"), "a line between the reloads: {messages:?}");
    let finding =
        refused.iter().find(|line| line["code"] == "MRD0107").unwrap_or_else(|| panic!("{refused:#?}"));
    assert_eq!(finding["level"], "ERROR");
    assert!(finding["place"].as_str().is_some_and(|place| place.ends_with("pops.yaml:4:17")), "{finding}");
    let last = refused.last().expect("a line");
    assert_eq!(
        (&last["level"], &last["sequence"], &last["errors"]),
        (&"ERROR".into(), &2.into(), &1.into()),
        "{last}"
    );

    hang_up("TERM");
    let stopped = until(&lines, "stopped");
    assert!(stopped.iter().any(|line| line["signal"] == "SIGTERM"), "{stopped:#?}");
    assert_eq!(child.0.wait().expect("our child").code(), Some(0));
}

/// Sends one request to the control socket, and gives the whole reply.
fn control(deployment: &Deployment, request: &str) -> String {
    use std::io::{Read, Write};
    let mut stream =
        std::os::unix::net::UnixStream::connect(deployment.path("control.sock")).expect("listens");
    stream.set_read_timeout(Some(PATIENCE)).expect("a time-out can be set");
    stream.write_all(request.as_bytes()).expect("taken");
    let mut reply = String::new();
    stream.read_to_string(&mut reply).expect("an answer in time");
    reply
}

fn reload(deployment: &Deployment) -> String {
    control(deployment, "POST /reload HTTP/1.1\r\nhost: local\r\ncontent-length: 0\r\n\r\n")
}

/// A log that its reader no longer reads, or has closed, keeps nothing from being done: reloads,
/// overrides and the end of the process go on, and lost lines are counted.
#[test]
fn a_log_that_cannot_be_written_stops_nothing() {
    for is_closed in [false, true] {
        let deployment = Deployment::new(&["127.0.0.1:0"], "");
        let mut child = Command::new(env!("CARGO_BIN_EXE_meridian"))
            .args(["serve", "--config"])
            .arg(deployment.path("meridian.yaml"))
            .env("RUST_LOG", "debug")
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map(Killed)
            .expect("the program runs");
        let stderr = child.0.stderr.take().expect("piped");
        let (dns, _) = banner(child.0.stdout.take().expect("piped"));
        // A pipe holds 64 KiB, and each reload writes some 400 octets.
        let unread = Some(stderr).filter(|_| !is_closed);
        for number in 0..300 {
            let reply = reload(&deployment);
            assert!(reply.contains("200 OK"), "reload {number}: {reply}");
        }
        deployment.set_address("198.51.100.77");
        assert!(reload(&deployment).contains("200 OK"));
        assert_eq!(decode(&ask_udp(dns, &query(1, "www.cdn.example", 1))).2, ["198.51.100.77"]);
        let body = r#"{"pops":["one"],"state":"down","reason":"test","author":"test"}"#;
        let length = body.len();
        let verb = control(
            &deployment,
            &format!(
                "POST /pops/override HTTP/1.1\r\nhost: local\r\ncontent-type: application/json\r\n\
                 content-length: {length}\r\n\r\n{body}"
            ),
        );
        assert!(verb.contains("200 OK"), "{verb}");
        let page = control(&deployment, "GET /metrics HTTP/1.1\r\nhost: local\r\n\r\n");
        let dropped = page
            .lines()
            .find_map(|line| line.strip_prefix("meridian_log_lines_dropped_total "))
            .unwrap_or_else(|| panic!("{page}"));
        assert_eq!(dropped != "0", is_closed, "{dropped}");
        let status = Command::new("sh")
            .args(["-c", &format!("kill -TERM {}", child.0.id())])
            .status()
            .expect("a shell");
        assert!(status.success());
        let end = std::time::Instant::now() + PATIENCE;
        let status = loop {
            if let Some(status) = child.0.try_wait().expect("our child") {
                break status;
            }
            assert!(std::time::Instant::now() < end, "SIGTERM was not heard");
            std::thread::yield_now();
        };
        assert_eq!(status.code(), Some(0));
        drop(unread);
    }
}
