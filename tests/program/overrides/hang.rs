//! Verbs while the disk of the state folder hangs.

use super::*;

/// A state disk that hangs: a verb is refused as not saved in its time, verdicts, reloads and pages
/// go on, `--unsaved` holds in memory under an alarm, and the disk has the ledger in force once it
/// answers.
#[test]
fn a_disk_that_hangs_stops_nothing() {
    let deployment = two_pops();
    let process = Process::start(&deployment);
    assert_eq!(process.run(&["pop", "weight", "--yes", "two", "7", "--reason", "saved"]).0, 0);
    deployment.write("state/overrides.yaml.hang", "");
    let (status, stdout, stderr) = process.run(&["pop", "down", "--yes", "one", "--reason", "late"]);
    assert!(status == 1 && format!("{stdout}{stderr}").contains("--unsaved"), "{stdout}{stderr}");
    assert_eq!(process.answers(), [ONE, TWO], "what was refused does not hold");
    // The disk still hangs, and nothing else waits for it.
    let (status, stdout, stderr) = process.run(&["pop", "down", "--yes", "one", "--reason", "again"]);
    assert!(status == 1 && format!("{stdout}{stderr}").contains("an earlier save"), "{stdout}{stderr}");
    pops(&deployment, "drain");
    assert_eq!(process.run(&["reload"]).0, 0);
    assert_eq!(process.answers(), [ONE, ONE]);
    let (status, text) = process.page("/readyz");
    assert!(status == 200 && text.contains("does not answer"), "{text}");
    let (status, stdout, stderr) =
        process.run(&["pop", "down", "--yes", "--unsaved", "one", "--reason", "fire"]);
    assert_eq!(status, 0, "{stdout}{stderr}");
    assert_eq!(process.answers(), [TWO, TWO]);
    assert!(process.page("/readyz").1.contains("are not saved"));
    std::fs::remove_file(deployment.path("state/overrides.yaml.hang")).expect("ours");
    let end = Instant::now() + PATIENCE;
    while process.page("/readyz").1 != "serving\n" {
        assert!(Instant::now() < end, "{}", process.page("/readyz").1);
        std::thread::yield_now();
    }
    let saved = std::fs::read_to_string(deployment.path("state/overrides.yaml")).expect("there");
    assert!(saved.contains("fire") && !saved.contains("late") && !saved.contains("again"), "{saved}");
    drop(process);
    let process = Process::start(&deployment);
    assert_eq!(process.answers(), [TWO, TWO], "after a restart too");
}

/// A change that need not be saved waits for a save that is in time: neither is lost.
#[test]
fn an_unsaved_change_beside_a_save_loses_neither() {
    use std::io::{Read, Write};
    let deployment = two_pops();
    let process = Process::start(&deployment);
    let send = |body: &str| {
        let mut stream =
            std::os::unix::net::UnixStream::connect(deployment.path("control.sock")).expect("accepts");
        let length = body.len();
        write!(
            stream,
            "POST /pops/override HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n\
             content-length: {length}\r\n\r\n{body}"
        )
        .expect("the server reads");
        stream
    };
    let end = Instant::now() + PATIENCE;
    let hang = deployment.path("state/overrides.yaml.hang");
    std::fs::create_dir_all(deployment.path("state")).expect("ours");
    std::fs::write(&hang, "").expect("ours");
    let mut saved = send(r#"{"pops":["two"],"weight":7,"reason":"saved"}"#);
    while !deployment.path("state/overrides.yaml.hanging").exists() {
        assert!(Instant::now() < end, "the first is not being saved");
        std::thread::yield_now();
    }
    let mut unsaved = send(r#"{"pops":["one"],"state":"down","reason":"fire","unsaved":true}"#);
    // Commands come to the writer in order, so these are answered behind it.
    for _ in 0..2 {
        assert_eq!(process.page("/pops").0, 200);
        let (status, ..) = process.run(&["pop", "up", "one", "--reason", "look", "--dry-run"]);
        assert_eq!(status, 0);
    }
    std::fs::remove_file(&hang).expect("ours");
    for stream in [&mut saved, &mut unsaved] {
        let mut reply = String::new();
        stream.read_to_string(&mut reply).expect("an answer");
        assert!(reply.contains("200 OK"), "{reply}");
    }
    assert_eq!(process.answers(), [TWO, TWO]);
    loop {
        let text = std::fs::read_to_string(deployment.path("state/overrides.yaml")).expect("there");
        if text.contains("fire") && text.contains("saved") {
            break;
        }
        assert!(Instant::now() < end, "{text}");
        std::thread::yield_now();
    }
}
