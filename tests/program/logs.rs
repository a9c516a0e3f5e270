//! The log as JSON: one object a line, from start to stop, and nothing for a query.

use serde_json::Value;
use support::deployment::*;
use support::pages;
use support::program::{self, Process, Served, until_seen};

/// The lines of the log from `*read` on until one holds `words`, as objects; `*read` moves behind
/// it.
fn until(process: &Process, read: &mut usize, words: &str) -> Vec<Value> {
    let object = |line: &str| {
        let object: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        for key in ["timestamp", "level", "message"] {
            assert!(object[key].as_str().is_some_and(|text| !text.is_empty()), "no `{key}` in {line}");
        }
        object
    };
    until_seen(&format!("a line with `{words}`"), PATIENCE, || {
        let log = process.stderr();
        let new = &log[*read..];
        let lines = new.split_inclusive('\n').filter(|line| line.ends_with('\n'));
        let (mut objects, mut octets) = (Vec::new(), 0);
        for line in lines {
            octets += line.len();
            objects.push(object(line));
            let message = objects.last().and_then(|object| object["message"].as_str());
            if message.is_some_and(|message| message.contains(words)) {
                *read += octets;
                return Ok(objects);
            }
        }
        Err(new.to_owned())
    })
}

/// Start, a reload that is published, one that is refused, 100 queries without a word, stop.
#[test]
fn one_object_a_line_and_none_for_a_query() {
    let deployment = Deployment::new(&["127.0.0.1:0"], "");
    let mut served = deployment.serve(&["--log", "json"]);
    let (dns, mut read) = (served.dns, 0);

    let start = until(&served.process, &mut read, "serving");
    assert_eq!(start.last().map(|line| &line["level"]), Some(&"INFO".into()));

    deployment.set_address("198.51.100.11");
    served.process.signal("HUP");
    let published = until(&served.process, &mut read, "published");
    let last = published.last().expect("a line");
    assert_eq!((&last["level"], &last["sequence"]), (&"INFO".into(), &2.into()), "{last}");
    for key in ["digest", "changes", "took_millis"] {
        assert!(!last[key].is_null(), "no `{key}` in {last}");
    }
    let changed = until(&served.process, &mut read, "changed:");
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
    served.process.signal("HUP");
    let refused = until(&served.process, &mut read, "refused");
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

    served.process.signal("TERM");
    let stopped = until(&served.process, &mut read, "stopped");
    assert!(stopped.iter().any(|line| line["signal"] == "SIGTERM"), "{stopped:#?}");
    assert_eq!(served.process.ends(PATIENCE).code(), Some(0));
}

/// A log that its reader no longer reads, or has closed, keeps nothing from being done: reloads,
/// overrides and the end of the process go on, and lost lines are counted.
#[test]
fn a_log_that_cannot_be_written_stops_nothing() {
    for is_closed in [false, true] {
        let deployment = Deployment::new(&["127.0.0.1:0"], "");
        let mut command = program::meridian_over(&deployment.config(), &["serve"]);
        command.env("RUST_LOG", "debug");
        let (log, errors) = std::io::pipe().expect("descriptors suffice");
        let mut served = Served::printed_by(Process::start_with_errors_to(command, errors))
            .unwrap_or_else(|why| panic!("no server: {why}"));
        let dns = served.dns;
        // A pipe holds 64 KiB, and each reload writes some 400 octets.
        let unread = Some(log).filter(|_| !is_closed);
        for number in 0..300 {
            let reply = deployment.send("POST", "/reload", "");
            assert_eq!(reply.status, 200, "reload {number}: {reply:?}");
        }
        deployment.set_address("198.51.100.77");
        assert_eq!(deployment.send("POST", "/reload", "").status, 200);
        assert_eq!(decode(&ask_udp(dns, &query(1, "www.cdn.example", 1))).2, ["198.51.100.77"]);
        let body = r#"{"pops":["one"],"state":"down","reason":"test","author":"test"}"#;
        let verb = deployment.send("POST", "/pops/override", body);
        assert_eq!(verb.status, 200, "{verb:?}");
        let scrape = pages::series(&deployment.page("/metrics").body);
        let dropped = scrape["meridian_log_lines_dropped_total"];
        assert_eq!(dropped > 0.0, is_closed, "{dropped}");
        served.process.signal("TERM");
        assert_eq!(served.process.ends(PATIENCE).code(), Some(0));
        drop(unread);
    }
}
