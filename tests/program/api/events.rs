//! `/v1/events`: events as they happen, and where a reader goes on.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use support::deployment::{Deployment, PATIENCE, connect};

/// A reader of events over the control socket.
struct Reader(BufReader<UnixStream>);

/// An event: its identifier, its kind and its data.
type Event = (String, String, String);

impl Reader {
    /// Opens a stream with a further header, and reads the head of the reply.
    fn open(deployment: &Deployment, header: &str) -> (Reader, String) {
        let mut stream = UnixStream::connect(deployment.path("control.sock")).expect("a server");
        stream.set_read_timeout(Some(PATIENCE)).expect("a time limit");
        write!(stream, "GET /v1/events HTTP/1.1\r\nHost: x\r\n{header}\r\n").expect("the server reads");
        let mut reader = Reader(BufReader::new(stream));
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            assert!(reader.0.read_line(&mut head).expect("a head comes") > 0, "{head}");
        }
        (reader, head)
    }

    /// The next event. Comments, chunk sizes and empty lines are passed over.
    fn next(&mut self) -> Event {
        let (mut id, mut kind) = (String::new(), String::new());
        loop {
            let mut line = String::new();
            assert!(self.0.read_line(&mut line).expect("an event comes") > 0, "the stream has ended");
            let line = line.trim_end();
            if let Some(value) = line.strip_prefix("id: ") {
                id = value.to_owned();
            } else if let Some(value) = line.strip_prefix("event: ") {
                kind = value.to_owned();
            } else if let Some(data) = line.strip_prefix("data: ") {
                return (id, kind, data.to_owned());
            }
        }
    }

    /// The next event of a kind.
    fn next_of(&mut self, kind: &str) -> Event {
        loop {
            let event = self.next();
            if event.1 == kind {
                return event;
            }
        }
    }
}

/// Overrides the state of the only PoP.
fn set(deployment: &Deployment, state: &str) {
    let pops = deployment.page("/v1/pops").json();
    let pop = pops["pops"][0]["name"].as_str().expect("a PoP");
    let body = format!(r#"{{"pops":["{pop}"],"state":"{state}","reason":"r","force":true}}"#);
    let page = deployment.send("POST", "/v1/overrides", &body);
    assert_eq!(page.status, 200, "{}", page.body);
}

/// A reader sees an override when it is set. One that comes back goes on behind its last event, and
/// one of another run learns that events are lost.
#[test]
fn readers_follow_and_come_back() {
    let deployment = Deployment::new(&["127.0.0.1:0"], "");
    let served = deployment.serve(&[]);
    let set = |state: &str| set(&deployment, state);
    let (mut reader, head) = Reader::open(&deployment, "");
    assert!(head.starts_with("HTTP/1.1 200") && head.contains("content-type: text/event-stream"), "{head}");
    set("drain");
    let (first, _, data) = reader.next_of("override_set");
    let data: serde_json::Value = serde_json::from_str(&data).expect("JSON");
    assert_eq!((&data["kind"], &data["override"]["action"]), (&"override_set".into(), &"drain".into()));
    drop(reader);
    set("auto");
    set("down");
    let (mut reader, _) = Reader::open(&deployment, &format!("Last-Event-ID: {first}\r\n"));
    assert!(reader.next_of("override_cleared").2.contains("auto"));
    assert!(reader.next_of("override_set").2.contains("down"));
    for id in ["1.1-1", "1.1-999999"] {
        let (mut reader, _) = Reader::open(&deployment, &format!("Last-Event-ID: {id}\r\n"));
        let (_, kind, data) = reader.next();
        let data: serde_json::Value = serde_json::from_str(&data).expect("JSON");
        assert_eq!((&*kind, &data["kind"]), ("lost", &"lost".into()));
        assert!(data["time"].is_string() && data["sequence"].is_u64() && data["text"].is_string(), "{data}");
        // Then the oldest that is kept: that of the start.
        assert_eq!(reader.next().1, "serving");
    }
    let (_, head) = Reader::open(&deployment, "Last-Event-ID: none\r\n");
    assert!(head.starts_with("HTTP/1.1 400"), "{head}");
    // A stopping server ends the streams.
    let (mut reader, _) = Reader::open(&deployment, "");
    served.process.signal("TERM");
    assert_eq!(reader.next_of("stopping").1, "stopping");
}

/// A reader over plain HTTP gets events without their authors and reasons; the event log has them.
#[test]
fn strangers_get_the_public_part() {
    let deployment = Deployment::sample(&["127.0.0.1:0"]);
    let served = deployment.serve(&[]);
    let mut stream = connect(served.admin());
    write!(stream, "GET /v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n").expect("the server reads");
    let mut stranger = Stream(BufReader::new(stream));
    stranger.line(|line| line.starts_with("id: "));
    let body = r#"{"pops":["fra"],"state":"drain","reason":"ticket seven","force":true,"author":"mallory"}"#;
    let socket = deployment.path("state/control.sock");
    let page = support::pages::send(&socket, "POST", "/v1/overrides", body);
    assert_eq!(page.status, 200, "{}", page.body);
    let data = stranger.line(|line| line.contains("override_set") && line.starts_with("data: "));
    assert!(!data.contains("mallory") && !data.contains("ticket"), "{data}");
    let data: serde_json::Value = serde_json::from_str(&data["data: ".len()..]).expect("JSON");
    assert!(data["time"].is_string() && data["sequence"].is_u64() && data["text"].is_string(), "{data}");
    deployment.events(|events| events.contains("mallory") && events.contains("ticket seven"));
}

/// Lines of a stream over the admin address.
struct Stream(BufReader<TcpStream>);

impl Stream {
    /// The next line for which a condition holds.
    fn line(&mut self, is_it: impl Fn(&str) -> bool) -> String {
        loop {
            let mut line = String::new();
            assert!(self.0.read_line(&mut line).expect("a line comes") > 0, "the stream has ended");
            if is_it(line.trim_end()) {
                return line.trim_end().to_owned();
            }
        }
    }
}

/// A stream begins with an identifier, so that a reader that has had no event goes on behind it.
#[test]
fn streams_begin_with_an_identifier() {
    let deployment = Deployment::new(&["127.0.0.1:0"], "");
    let _served = deployment.serve(&[]);
    let (mut reader, _) = Reader::open(&deployment, "");
    let id = loop {
        let mut line = String::new();
        assert!(reader.0.read_line(&mut line).expect("a line comes") > 0, "the stream has ended");
        if let Some(id) = line.trim_end().strip_prefix("id: ") {
            break id.to_owned();
        }
    };
    drop(reader);
    set(&deployment, "drain");
    let (mut reader, _) = Reader::open(&deployment, &format!("Last-Event-ID: {id}\r\n"));
    assert_eq!(reader.next().1, "override_set");
}

/// One more reader than there are places is refused, and nobody loses a place to it.
#[test]
fn readers_are_bounded() {
    let deployment = Deployment::new(&["127.0.0.1:0"], "");
    let _served = deployment.serve(&[]);
    let mut readers: Vec<Reader> = Vec::new();
    let refused = loop {
        let (reader, head) = Reader::open(&deployment, "");
        if !head.starts_with("HTTP/1.1 200") {
            break head;
        }
        readers.push(reader);
        assert!(readers.len() <= 16, "there is no bound");
    };
    assert!(refused.starts_with("HTTP/1.1 503"), "{refused}");
    set(&deployment, "drain");
    for reader in &mut readers {
        reader.next_of("override_set");
    }
}
