//! The program as a process: start, signals, reload, exit statuses.

use serde_json::Value;
use support::deployment::*;
use support::pages;
use support::program::{self, Served, until};

const A: u16 = 1;

/// `meridian` run to its end: exit status, standard output, errors.
pub fn run(arguments: &[&str]) -> (i32, String, String) {
    program::run(program::meridian(arguments))
}

fn address(served: &Served) -> Vec<String> {
    decode(&ask_udp(served.dns, &query(1, "www.cdn.example", A))).2
}

/// Waits until the answer is `address`; every answer before must be one of the two.
fn becomes(served: &Served, old: &str, new: &str) {
    until(&format!("the answer {new}"), PATIENCE, || {
        let now = address(served);
        assert!(now == [old] || now == [new], "{now:?}");
        (now == [new]).then_some(())
    });
}

/// SIGHUP takes a changed file over, a broken one changes nothing, a mended one goes on; SIGTERM
/// and SIGINT end the process with status 0.
#[test]
fn signals() {
    for (engine, last) in [("fast", "TERM"), ("hickory", "INT")] {
        let deployment = Deployment::new(&["127.0.0.1:0"], "");
        let mut served = deployment.serve(&["--engine", engine]);
        assert_eq!(address(&served), ["198.51.100.10"]);
        deployment.set_address("198.51.100.11");
        served.process.signal("HUP");
        becomes(&served, "198.51.100.10", "198.51.100.11");
        deployment.write("pops.yaml", "pops: [: broken");
        served.process.signal("HUP");
        let config = deployment.path("meridian.yaml");
        // The writer takes commands in order: when this refusal is told, the one of SIGHUP is over.
        assert_eq!(run(&["reload", "--config", config.to_str().expect("text")]).0, 1);
        assert_eq!(address(&served), ["198.51.100.11"]);
        deployment.set_address("198.51.100.12");
        served.process.signal("HUP");
        becomes(&served, "198.51.100.11", "198.51.100.12");
        served.process.signal(last);
        assert_eq!(served.process.ends(PATIENCE).code(), Some(0));
        assert!(!deployment.path("control.sock").exists());
    }
}

/// `meridian reload` waits, tells the difference or the findings, and exits accordingly; it finds
/// the server even while the server file itself is broken at another place.
#[test]
fn reload_tells_what_came_of_it() {
    let deployment = Deployment::new(&["127.0.0.1:0"], "");
    let config = deployment.path("meridian.yaml");
    let config = config.to_str().expect("text");
    let (status, _, stderr) = run(&["reload", "--config", config]);
    assert_eq!(status, 2, "{stderr}");
    let served = deployment.serve(&[]);

    deployment.set_address("198.51.100.11");
    let (status, stdout, stderr) = run(&["reload", "--config", config]);
    assert_eq!(status, 0, "{stderr}");
    assert!(stdout.contains("published snapshot 2"), "{stdout}");
    assert_eq!(address(&served), ["198.51.100.11"], "the answer has changed when the command ends");

    let (status, stdout, _) = run(&["reload", "--config", config, "--format", "json"]);
    let told: Value = serde_json::from_str(&stdout).expect("JSON");
    assert_eq!((status, told["ok"].as_bool(), told["sequence"].as_u64()), (0, Some(true), Some(3)));
    assert_eq!(told["difference"].as_array().map(Vec::len), Some(0), "{stdout}");

    deployment.set_address("198.51.100.300");
    let (status, stdout, stderr) = run(&["reload", "--config", config]);
    assert_eq!(status, 1, "{stdout}");
    assert!(stderr.contains("error[MRD"), "{stderr}");
    assert!(stdout.contains("snapshot 3"), "{stdout}");
    assert_eq!(address(&served), ["198.51.100.11"]);

    deployment.set_address("198.51.100.11");
    let good = std::fs::read_to_string(config).expect("readable");
    deployment.write("meridian.yaml", &good.replace("threads: 2", "threads: 3"));
    let (status, _, stderr) = run(&["reload", "--config", config]);
    assert_eq!(status, 1);
    assert!(stderr.contains("MRD0501") && stderr.contains("listen.threads"), "{stderr}");
    drop(served);
}

/// Requests that come together are all answered, and merged into few runs.
#[test]
fn reloads_are_coalesced() {
    let deployment = Deployment::new(&["127.0.0.1:0"], "  admin: \"127.0.0.1:0\"\n");
    let config = deployment.path("meridian.yaml");
    let config = config.to_str().expect("text").to_owned();
    let mut served = deployment.serve(&[]);
    deployment.set_address("198.51.100.11");
    let all: Vec<_> = (0..8)
        .map(|_| {
            let config = config.clone();
            std::thread::spawn(move || run(&["reload", "--config", &config]).0)
        })
        .collect();
    for one in all {
        assert_eq!(one.join().expect("no panic"), 0);
    }
    assert_eq!(address(&served), ["198.51.100.11"]);
    served.process.signal("TERM");
    assert_eq!(served.process.ends(PATIENCE).code(), Some(0));
}

/// The admin address shows and changes nothing; the control socket is its owner's alone.
#[test]
fn admin_shows_and_changes_nothing() {
    use std::io::Write;
    use std::os::unix::fs::PermissionsExt;
    let listen = "  admin: \"127.0.0.1:0\"\n  admin_hosts: [status.example.net]\n";
    let deployment = Deployment::new(&["127.0.0.1:0"], listen);
    let served = deployment.serve(&["--log", "json"]);
    let admin = served.admin();
    assert_eq!(address(&served), ["198.51.100.10"]);
    assert_eq!(pages::admin(admin, "/healthz").status, 200);
    assert_eq!(pages::admin(admin, "/readyz").body, "serving\n");
    let status = pages::admin(admin, "/status").json();
    assert_eq!((&status["node"], &status["sequence"]), (&"test".into(), &1.into()));
    let metrics = pages::admin(admin, "/metrics").body;
    for line in [
        "meridian_queries_total{transport=\"udp\"} 1",
        "meridian_replies_total{rcode=\"NOERROR\",transport=\"udp\"} 1",
        "meridian_snapshot_sequence 1",
    ] {
        assert!(metrics.contains(line), "{line} is not in {metrics}");
    }
    let refused = pages::ask(connect(admin), "POST", "/reload", "").expect("an answer");
    assert_eq!(refused.status, 403);
    // A name that a stranger may own gets nothing, whatever the page.
    for (host, status) in [("127.0.0.1:80", 200), ("status.example.net", 200), ("evil.example", 421)] {
        for path in ["/healthz", "/status"] {
            let mut stream = connect(admin);
            write!(stream, "GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n")
                .expect("it reads");
            let page = pages::read(stream).expect("an answer");
            assert_eq!(page.status, status, "{host} {path}");
            assert_eq!(page.body.contains("listen.admin_hosts"), status == 421, "{host} {path}");
        }
    }
    let mode = std::fs::metadata(deployment.path("control.sock")).expect("there").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

/// `meridian check` tells, and exits with 1 for errors; `serve` refuses the same files.
#[test]
fn check_refuses_what_serve_refuses() {
    let deployment = Deployment::new(&["127.0.0.1:0"], "");
    let config = deployment.path("meridian.yaml");
    let config = config.to_str().expect("text");
    let (status, stdout, stderr) = run(&["check", "--config", config]);
    assert_eq!(status, 0, "{stderr}");
    assert!(stdout.contains("digest"), "{stdout}");
    deployment.write("pops.yaml", "pops: [: broken");
    for command in ["check", "serve"] {
        let (status, _, stderr) = run(&[command, "--config", config]);
        assert_eq!(status, 1, "{command}");
        assert!(stderr.contains("error[MRD"), "{command}: {stderr}");
    }
    let (status, stdout, _) = run(&["check", "--config", config, "--format", "json"]);
    let told: Value = serde_json::from_str(&stdout).expect("JSON");
    assert_eq!((status, told["ok"].as_bool()), (1, Some(false)));
    assert!(told["findings"].as_array().is_some_and(|findings| !findings.is_empty()));
}

/// The command line explains itself.
#[test]
fn help_and_completions() {
    for command in ["serve", "check", "reload", "completions"] {
        let (status, stdout, _) = run(&[command, "--help"]);
        assert_eq!(status, 0);
        assert!(stdout.contains("Example"), "{command} has no example");
    }
    assert_eq!(run(&["no-such-command"]).0, 2);
    assert!(run(&["completions", "bash"]).1.contains("meridian"));
}
