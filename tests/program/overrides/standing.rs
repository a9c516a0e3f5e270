//! What `pop list` and `pop show` tell of PoPs: whether clients get them and since when, what is to
//! come, who set an override, targets that PoPs share, and safety rules that are broken by force.

use super::*;
use serde_json::json;

/// `one` and `two` share a target of kind `push`, `xxx` is not probed, and two of three must stay.
fn three_pops() -> Deployment {
    let deployment = Deployment::new(&["127.0.0.1:0"], "");
    deployment.write(
        "pops.yaml",
        "probes:\n  shared: { tcp: { port: 9 }, to: \"127.0.0.1:9\", every: 1s, timeout: 500ms }\n\
         safety:\n  - { never_fewer_than: 2, of: all }\npops:\n  one: { addresses: [198.51.100.10], \
         probe: shared, \
         weight: 7, capacity: 100, load: { push: {}, every: 1s } }\n  two: { addresses: \
         [198.51.100.20], probe: \
         shared }\n  xxx: { addresses: [198.51.100.30] }\n  idle: { addresses: [198.51.100.40] }\n",
    );
    deployment.write(
        "zones/cdn.example.yaml",
        "zone: cdn.example.\nttl: 300\nsoa: { mname: ns1, rname: hostmaster }\nrecords:\n  \"@\": { \
         NS: [ns1] \
         }\n  ns1: { A: 192.0.2.53 }\n  a: { steer: first }\n  b: { steer: first }\npolicies:\n  \
         first: { pops: \
         [one, two, xxx], order: listed, panic: off }\n",
    );
    deployment
}

fn pop(process: &Process<'_>, name: &str) -> Value {
    let (status, text) = process.page(&format!("/pops/{name}"));
    assert_eq!(status, 200);
    serde_json::from_str(&text).expect("JSON")
}

/// Waits until a page of a PoP is right.
fn becomes(process: &Process<'_>, name: &str, is_right: impl Fn(&Value) -> bool) -> Value {
    until_seen(&format!("the right page of {name}"), PATIENCE, || {
        let shown = pop(process, name);
        if is_right(&shown) { Ok(shown) } else { Err(shown) }
    })
}

/// A target that two PoPs share stands with both, so that neither is unknown; without a probe is
/// not unknown.
#[test]
fn shared_targets_stand_with_each_pop() {
    let deployment = three_pops();
    let process = Process::start(&deployment);
    for name in ["one", "two"] {
        let shown = becomes(&process, name, |pop| pop["health"] == "down");
        assert_eq!(shown["targets"].as_array().expect("targets").len(), 1, "{shown:#}");
        assert_eq!((&shown["in_service"], &shown["targets"][0]["verdict"]), (&json!("no"), &json!("down")));
        assert!(shown["targets"][0]["last_error"].is_string(), "{shown:#}");
    }
    let (_, stdout, _) = process.run(&["pop", "show", "two"]);
    assert!(stdout.contains("127.0.0.1:9 default shared: down for"), "where the check goes to: {stdout}");
    assert!(stdout.contains("ago: "), "an error as of when it was: {stdout}");
    assert_eq!(pop(&process, "xxx")["health"], "no probe");
    assert_eq!(pop(&process, "idle")["in_service"], "unused");
    // A row says what moves traffic.
    let body = "{\"pop\": \"one\", \"value\": 71}";
    assert_eq!(process.run(&["pop", "load", "one", "71"]).0, 0, "{body}");
    becomes(&process, "one", |pop| pop["feeds"][0]["load"] == 71.0);
    let (_, stdout, _) = process.run(&["pop", "list"]);
    let head = stdout.lines().next().expect("a head");
    for column in ["IN SERVICE", "SINCE", "HEALTH", "LOAD", "SHEDS", "RAMP", "OVERRIDE"] {
        assert!(head.contains(column), "{stdout}");
    }
    let row = stdout.lines().find(|line| line.starts_with("one")).expect("a row");
    assert!(row.contains("no ") && row.contains("down") && row.contains("71 %"), "{stdout}");
}

/// An error is gone once a result is good again.
#[test]
fn an_error_ends_with_a_good_result() {
    let deployment = three_pops();
    let text = std::fs::read_to_string(deployment.path("pops.yaml")).expect("a file");
    deployment.write(
        "pops.yaml",
        &text.replace(
            "tcp: { port: 9 }, to: \"127.0.0.1:9\", every: 1s, timeout: 500ms",
            "push: {}, up_after: 2, down_after: 1",
        ),
    );
    let process = Process::start(&deployment);
    let push =
        |up: bool| {
            let body =
                json!({ "probe": "shared", "pop": "two", "up": up, "reason": "page is 500" }).to_string();
            let mut curl = Command::new("curl");
            curl.args(["-s", "--unix-socket", deployment.path("control.sock").to_str().expect("text")])
                .args(["http://x/probes/push", "-H", "content-type: application/json", "-d", &body]);
            assert_eq!(program::run(curl).0, 0);
        };
    push(false);
    let shown = becomes(&process, "two", |pop| pop["health"] == "down");
    assert_eq!(shown["targets"][0]["last_error"], "page is 500");
    push(true);
    let shown = becomes(&process, "two", |pop| pop["targets"][0]["good_streak"] == 1);
    assert!(shown["health"] == "down" && shown["targets"][0]["last_error"].is_null(), "{shown:#}");
}

/// The author is the user of the connection; a name that is given stands beside it as a claim, and
/// the environment says nothing.
#[test]
fn the_system_names_the_author() {
    let deployment = three_pops();
    let process = Process::start(&deployment);
    let mut id = Command::new("id");
    id.arg("-un");
    let user = program::run(id).1.trim().to_owned();
    let drain = ["pop", "drain", "--yes", "--force", "xxx", "--reason", "x"];
    assert_eq!(process.run(&drain).0, 0);
    let author = |shown: Value| shown["state_override"]["author"].as_str().expect("an author").to_owned();
    let plain = author(pop(&process, "xxx"));
    assert!(plain == user || plain.starts_with(&format!("{user} (login ")), "{plain} is not {user}");
    assert_eq!(process.run(&[&drain[..], &["--author", "bob"]].concat()).0, 0);
    assert_eq!(author(pop(&process, "xxx")), format!("{plain}, claims to be bob"));
    let events = deployment.events(|events| events.contains("claims to be bob"));
    // `sudo` is a claim too, unless the system knows the login.
    let mut command = program::meridian_over(&deployment.config(), &drain);
    command.env("SUDO_USER", "bea");
    assert_eq!(program::run(command).0, 0);
    let by_sudo = author(pop(&process, "xxx"));
    assert!(
        [format!("{user}, claims to be bea"), format!("{user} (login bea)")].contains(&by_sudo)
            || by_sudo.contains("(login "),
        "{by_sudo}"
    );
    assert!(!events.contains("by ann"), "{events}");
}

/// What a plan comes to is told before and after, with moments in words; a rule that is broken by
/// force is shown for as long as it is broken.
#[test]
fn plans_and_broken_rules_are_shown() {
    let deployment = three_pops();
    let text = std::fs::read_to_string(deployment.path("pops.yaml")).expect("a file");
    deployment.write("pops.yaml", &text.replace(", probe: shared", ""));
    let process = Process::start(&deployment);
    let plan =
        ["pop", "drain", "--yes", "xxx", "--at", "+2h", "--over", "30m", "--for", "1h", "--reason", "x"];
    let (status, stdout, stderr) = process.run(&[&plan[..], &["--dry-run"]].concat());
    assert!(status == 0 && stdout.contains("begins at 2"), "{stdout}{stderr}");
    assert!(stdout.contains("in 1 h 59 min") || stdout.contains("in 2 h"), "how far away: {stdout}");
    assert_eq!(process.run(&plan).0, 0);
    let shown = pop(&process, "xxx");
    let coming: Vec<_> = shown["coming"].as_array().expect("a list").iter().map(|c| &c["state"]).collect();
    assert_eq!(coming, ["drain", "auto"], "{shown:#}");
    let (_, stdout, _) = process.run(&["pop", "show", "xxx"]);
    assert!(stdout.contains("then       drain, weight 100 from ") && stdout.contains("(in 2 h "), "{stdout}");
    assert_eq!(process.run(&["pop", "auto", "--yes", "xxx"]).0, 0);

    for name in ["one", "idle"] {
        assert_eq!(process.run(&["pop", "down", "--yes", name, "--reason", "x"]).0, 0);
    }
    let (status, _, stderr) = process.run(&["pop", "down", "--yes", "two", "--reason", "x"]);
    assert!(status == 1 && stderr.contains("fewer than 2"), "{stderr}");
    assert!(!process.page("/pops").1.contains("is broken"));
    assert_eq!(process.run(&["pop", "down", "--yes", "two", "--reason", "x", "--force"]).0, 0);
    becomes(&process, "two", |pop| pop["breaks"].as_array().is_some_and(|breaks| !breaks.is_empty()));
    for command in [&["pop", "list"][..], &["pop", "show", "two"]] {
        let (_, stdout, _) = process.run(command);
        assert!(
            stdout.contains("the safety rule over all PoPs is broken: 1 of all PoPs are in service"),
            "{stdout}"
        );
    }
    let (status, text) = process.page("/readyz");
    assert!(status == 200 && text.contains("is broken"), "{text}");
    assert_eq!(process.run(&["pop", "auto", "--yes", "two"]).0, 0);
    becomes(&process, "two", |pop| pop["breaks"] == json!([]));
    assert!(!process.page("/pops").1.contains("is broken"));
}
