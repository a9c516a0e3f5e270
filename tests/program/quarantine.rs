//! Queries of death: a message on which the program panics costs one query, messages like it are
//! refused, and others lose nothing.

use std::io::Write;
use std::net::{SocketAddr, UdpSocket};
use std::process::Command;
use std::time::{Duration, Instant};
use support::deployment::*;
use support::program::{Served, meridian_over, run, until, until_so};
use support::reply::Reply;

const A: u16 = 1;
const AAAA: u16 = 28;
/// Other (RFC 8914 section 4.1).
const OTHER: u16 = 0;
/// Name with the label on which the program panics.
const BAD: &str = "boom.cdn.example";
const GOOD: &str = "www.cdn.example";

/// `meridian` that panics on messages with `boom`.
fn faulty(deployment: &Deployment, arguments: &[&str]) -> Command {
    let mut command = meridian_over(&deployment.config(), arguments);
    command.env("MERIDIAN_HOOK_PANIC_ON", "boom");
    command
}

fn serve(deployment: &Deployment, engine: &str) -> Served {
    Served::of(faulty(deployment, &["serve", "--engine", engine]))
}

/// Sends a message that gets no reply, then a sound one; returns the reply to this.
fn ask_behind(client: &UdpSocket, server: SocketAddr, bad: &[u8]) -> Reply {
    client.send_to(bad, server).expect("sent");
    Reply::of(&ask_from(client, server, &query(7, GOOD, A)))
}

/// A value of `/status` about the quarantine.
fn status(deployment: &Deployment, key: &str) -> u64 {
    deployment.page("/status").json()["quarantine"][key].as_u64().expect("a number")
}

fn files(deployment: &Deployment) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(deployment.path("state/quarantine")) else { return Vec::new() };
    let names = entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned());
    let mut names: Vec<String> = names.filter(|name| name.ends_with(".txt")).collect();
    names.sort();
    names
}

#[test]
fn one_panic_and_no_more() {
    for engine in ["fast", "hickory"] {
        let deployment = Deployment::new(&["127.0.0.1:0"], "");
        let served = serve(&deployment, engine);
        let client = client(served.dns);
        let reply = ask_behind(&client, served.dns, &query(1, BAD, A));
        assert_eq!((reply.id, reply.status.as_str()), (7, "NOERROR"), "{engine}");
        until_so("the question is in", || status(&deployment, "quarantined") == 1);
        // A retry with another ID and case is refused, over every transport.
        let again = Reply::of(&ask_from(&client, served.dns, &query(2, "BooM.cdn.Example", A)));
        assert_eq!((again.id, again.status.as_str(), again.opt), (2, "REFUSED", None), "{engine}");
        assert!(again.sections.iter().all(Vec::is_empty));
        assert_eq!(Reply::of(&ask_tcp(served.dns, &query(3, BAD, A))).status, "REFUSED");
        // With EDNS it is another question: one more panic, on a connection that goes on.
        let edns = with_subnet(query(4, BAD, AAAA), [192, 0, 2]);
        let mut stream = connect(served.dns);
        stream.write_all(&framed(&edns)).expect("taken");
        stream.write_all(&framed(&query(5, GOOD, A))).expect("taken");
        assert_eq!(Reply::of(&read_framed(&mut stream)).id, 5);
        stream.write_all(&framed(&edns)).expect("taken");
        let refused = Reply::of(&read_framed(&mut stream));
        assert_eq!((refused.id, refused.status.as_str()), (4, "REFUSED"));
        assert_eq!(refused.opt.expect("an OPT").ede, Some(OTHER));
        assert_eq!(Reply::of(&ask_from(&client, served.dns, &query(6, GOOD, A))).status, "NOERROR");
        until_so("each panic has a file", || files(&deployment).len() == 2);
        assert_eq!((status(&deployment, "questions"), status(&deployment, "quarantined")), (2, 2));
        assert_eq!((status(&deployment, "refused"), status(&deployment, "files_lost")), (3, 0));
        let notes = deployment.page("/readyz").body;
        assert!(notes.contains("refuses questions like them: 2;"), "{notes}");
        let metrics = deployment.page("/metrics").body;
        for line in [
            "meridian_quarantined_total 2\n",
            "meridian_quarantine_questions 2\n",
            "meridian_quarantine_refused_total{transport=\"udp\"} 1\n",
            "meridian_quarantine_refused_total{transport=\"tcp\"} 2\n",
            "meridian_quarantine_files_lost_total 0\n",
            "meridian_dropped_total{reason=\"panic\",transport=\"udp\"} 1\n",
            "meridian_dropped_total{reason=\"panic\",transport=\"tcp\"} 1\n",
        ] {
            assert!(metrics.contains(line), "{engine}: {line}{metrics}");
        }
        let events = deployment.events(|events| events.matches("\"quarantined\"").count() == 2);
        assert!(events.contains("a fault on demand"), "{events}");
        drop(served);
        listed_and_replayed(&deployment);
    }
}

fn listed_and_replayed(deployment: &Deployment) {
    let files = files(deployment);
    let (code, list, _) = deployment.run(&["quarantine", "list"]);
    assert_eq!(code, 0);
    let lines: Vec<&str> = list.lines().collect();
    assert_eq!(lines.len(), 3, "{list}");
    for (line, words) in
        lines[1..].iter().zip([["udp", "boom.cdn.example. A"], ["tcp", "boom.cdn.example. AAAA"]])
    {
        assert!(words.iter().all(|word| line.contains(word)) && line.contains("src/sys/hooks.rs:"), "{list}");
    }
    let (_, json, _) = deployment.run(&["quarantine", "list", "--format", "json"]);
    assert!(json.contains("\"source\": \"127.0.0.0/24\"") && !json.contains("127.0.0.1"), "{json}");
    // The faulty program panics again; a sound one answers.
    let (code, text, errors) = run(faulty(deployment, &["quarantine", "replay", &files[0]]));
    assert_eq!((code, errors.as_str()), (1, ""), "{text}");
    assert!(text.contains(" panics at src/sys/hooks.rs:") && text.contains(": a fault on demand"), "{text}");
    let (code, text, _) = deployment.run(&["quarantine", "replay", &files[0]]);
    assert_eq!(code, 0, "{text}");
    assert!(text.contains("status: NXDOMAIN"), "{text}");
    // What cannot be read has a status of its own, and does not hide the others.
    assert_eq!(deployment.run(&["quarantine", "replay", "9-9.txt"]).0, 2);
    deployment.write("state/quarantine/1-1.txt", "meridian quarantine 1\n");
    let (code, list, errors) = deployment.run(&["quarantine", "list"]);
    assert_eq!((code, list.lines().count()), (1, 3), "{errors}");
    assert!(errors.contains("1-1.txt: it has no line `time`"), "{errors}");
    deployment.write("pops.yaml", "pops: [");
    assert_eq!(deployment.run(&["quarantine", "replay", &files[0]]).0, 2);
}

/// A worker that has panicked answers on, and no other query of its batches is lost.
#[test]
fn others_lose_nothing() {
    let deployment = Deployment::new(&["127.0.0.1:0"], "");
    let served = serve(&deployment, "fast");
    let client = client(served.dns);
    let mut fastest = Duration::MAX;
    for round in 0..10u16 {
        let begun = Instant::now();
        let reply = ask_behind(&client, served.dns, &query(1, &format!("boom{round}.cdn.example"), A));
        assert_eq!(reply.id, 7);
        fastest = fastest.min(begun.elapsed());
    }
    assert!(fastest < Duration::from_millis(100), "the worker was back after {fastest:?}");
    // Every third message is a new query of death; one socket, so that one worker has them all.
    for id in 0..90u16 {
        let name = if id % 3 == 0 { format!("boom-{id}.cdn.example") } else { GOOD.to_owned() };
        client.send_to(&query(1_000 + id, &name, A), served.dns).expect("sent");
    }
    for id in (0..90u16).filter(|id| id % 3 != 0) {
        let mut octets = [0; 512];
        let (length, _) = client.recv_from(&mut octets).expect("no query is lost");
        assert_eq!(Reply::of(&octets[..length]).id, 1_000 + id);
    }
    assert_eq!((status(&deployment, "quarantined"), status(&deployment, "refused")), (40, 0));
    let fate = || files(&deployment).len() as u64 + status(&deployment, "files_lost");
    until("each has a file or is counted", PATIENCE, || (fate() == 40).then_some(()));
    assert!(files(&deployment).len() >= 10);
}

/// A disk that takes no file loses the file, counts it and logs it; questions are refused all the
/// same.
#[test]
fn a_full_disk_loses_the_file_alone() {
    let deployment = Deployment::new(&["127.0.0.1:0"], "");
    std::fs::create_dir_all(deployment.path("state/quarantine")).expect("the folder is ours");
    deployment.write("state/quarantine/.fault", "full");
    let served = serve(&deployment, "fast");
    let client = client(served.dns);
    ask_behind(&client, served.dns, &query(1, BAD, A));
    until_so("the file is lost", || status(&deployment, "files_lost") == 1);
    served.process.logs("the message is lost, because it cannot be written");
    assert_eq!(Reply::of(&ask_from(&client, served.dns, &query(2, BAD, A))).status, "REFUSED");
    assert_eq!(files(&deployment), Vec::<String>::new());
}
