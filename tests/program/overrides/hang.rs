//! Verbs while the disk of the state folder hangs.

use super::*;
use support::pages;

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
    until_so("an end of the alarm", || process.page("/readyz").1 == "serving\n");
    let saved = std::fs::read_to_string(deployment.path("state/overrides.yaml")).expect("there");
    assert!(saved.contains("fire") && !saved.contains("late") && !saved.contains("again"), "{saved}");
    drop(process);
    let process = Process::start(&deployment);
    assert_eq!(process.answers(), [TWO, TWO], "after a restart too");
}

/// A change that need not be saved waits for a save that is in time: neither is lost.
#[test]
fn an_unsaved_change_beside_a_save_loses_neither() {
    use std::io::Write;
    let deployment = two_pops();
    let process = Process::start(&deployment);
    let send = |body: &str| {
        let mut stream =
            std::os::unix::net::UnixStream::connect(deployment.path("control.sock")).expect("accepts");
        let length = body.len();
        write!(
            stream,
            "POST /pops/override HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: \
             application/json\r\ncontent-length: {length}\r\n\r\n{body}"
        )
        .expect("the server reads");
        stream
    };
    let hang = deployment.path("state/overrides.yaml.hang");
    std::fs::create_dir_all(deployment.path("state")).expect("ours");
    std::fs::write(&hang, "").expect("ours");
    let saved = send(r#"{"pops":["two"],"weight":7,"reason":"saved"}"#);
    until_so("a save of the first", || deployment.path("state/overrides.yaml.hanging").exists());
    let unsaved = send(r#"{"pops":["one"],"state":"down","reason":"fire","unsaved":true}"#);
    // Commands come to the writer in order, so these are answered behind it.
    for _ in 0..2 {
        assert_eq!(process.page("/pops").0, 200);
        let (status, ..) = process.run(&["pop", "up", "one", "--reason", "look", "--dry-run"]);
        assert_eq!(status, 0);
    }
    std::fs::remove_file(&hang).expect("ours");
    for stream in [saved, unsaved] {
        let page = pages::read(stream).expect("an answer");
        assert_eq!(page.status, 200, "{page:?}");
    }
    assert_eq!(process.answers(), [TWO, TWO]);
    until_seen("both in the ledger", PATIENCE, || {
        let text = deployment.read("state/overrides.yaml");
        if text.contains("fire") && text.contains("saved") { Ok(()) } else { Err(text) }
    });
}
