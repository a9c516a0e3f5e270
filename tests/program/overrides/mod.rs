//! Overrides by hand: verbs, answers, restarts, expiry, damage, reloads, over the real program.

#[cfg(debug_assertions)]
mod faults;
#[cfg(debug_assertions)] // the hook that makes a disk hang is not in other builds
mod hang;
#[cfg(debug_assertions)]
mod reloads;
mod standing;

use serde_json::Value;
use std::net::SocketAddr;
use std::process::Command;
use support::deployment::*;
use support::program::{self, Served, until, until_seen, until_so};
use support::reply::Reply;

const A: u16 = 1;
const ONE: &str = "198.51.100.10";
const TWO: &str = "198.51.100.20";

/// `meridian` over the files of a deployment, as its user `ann`.
fn meridian(deployment: &Deployment, arguments: &[&str]) -> Command {
    let mut command = program::meridian_over(&deployment.config(), arguments);
    command.env("USER", "ann").env_remove("SUDO_USER");
    command
}

/// A deployment where `a` prefers PoP `one`, `b` prefers PoP `two`, each with the other behind it.
fn two_pops() -> Deployment {
    let deployment = Deployment::new(&["127.0.0.1:0"], "");
    pops(&deployment, "auto");
    deployment.write(
        "zones/cdn.example.yaml",
        "zone: cdn.example.\nttl: 300\nsoa: { mname: ns1, rname: hostmaster, negative_ttl: 60 }\nrecords:\n  \
         \"@\": { NS: [ns1] }\n  \
         ns1: { A: 192.0.2.53 }\n  a: { steer: first }\n  b: { steer: second }\npolicies:\n  \
         first: { pops: [one, two], order: listed }\n  second: { pops: [two, one], order: listed }\n",
    );
    deployment
}

fn pops(deployment: &Deployment, state_of_two: &str) {
    deployment.write(
        "pops.yaml",
        &format!(
            "pops:\n  one: {{ addresses: [{ONE}], tags: [eu] }}\n  two: {{ addresses: [{TWO}], state: \
            {state_of_two} }}\n"
        ),
    );
}

/// A running server; killed (with SIGKILL) when it is dropped.
struct Process<'d> {
    deployment: &'d Deployment,
    served: Served,
    dns: SocketAddr,
}

impl Process<'_> {
    fn start(deployment: &Deployment) -> Process<'_> {
        Process::start_with(deployment, &[])
    }

    /// The same with variables of the environment.
    fn start_with<'d>(deployment: &'d Deployment, env: &[(&str, &str)]) -> Process<'d> {
        let mut command = meridian(deployment, &["serve"]);
        command.envs(env.iter().copied());
        let served = Served::of(command);
        Process { deployment, dns: served.dns, served }
    }

    /// Ends on SIGTERM, in its time and well.
    #[cfg(debug_assertions)]
    fn ends(mut self) {
        self.served.process.signal("TERM");
        // Below the time that answers under way would get: there are none.
        let status = self.served.process.ends(PATIENCE / 2);
        assert!(status.success(), "{status}");
    }

    /// What `a` and `b` answer.
    fn answers(&self) -> [String; 2] {
        ["a.cdn.example", "b.cdn.example"]
            .map(|name| decode(&ask_udp(self.dns, &query(1, name, A))).2.join(" "))
    }

    fn run(&self, arguments: &[&str]) -> (i32, String, String) {
        run(self.deployment, arguments)
    }

    /// Waits until the answers are these.
    fn becomes(&self, answers: [&str; 2]) {
        until_seen(&format!("{answers:?}"), PATIENCE, || {
            let now = self.answers();
            if now == answers { Ok(()) } else { Err(format!("{now:?}")) }
        });
    }

    /// The status and text of a page of the control socket.
    fn page(&self, path: &str) -> (u16, String) {
        self.ask("GET", path)
    }

    fn ask(&self, method: &str, path: &str) -> (u16, String) {
        let page = self.deployment.send(method, path, "");
        (page.status, page.body)
    }
}

fn run(deployment: &Deployment, arguments: &[&str]) -> (i32, String, String) {
    program::run(meridian(deployment, arguments))
}

/// A drain moves exactly the clients of the PoP; it survives SIGKILL, so that the first answer
/// equals the last one before; `auto` brings them back.
#[test]
fn a_drain_moves_and_survives() {
    let deployment = two_pops();
    assert_eq!(run(&deployment, &["pop", "drain", "--yes", "one", "--reason", "x"]).0, 2, "nobody runs");
    let process = Process::start(&deployment);
    assert_eq!(process.answers(), [ONE, TWO]);
    let (status, stdout, _) =
        process.run(&["pop", "drain", "--yes", "tag:eu", "--reason", "new \"switch\"", "--dry-run"]);
    assert!(status == 0 && stdout.contains("nothing was changed"), "{stdout}");
    let (status, stdout, _) = process.run(&["pop", "drain", "one", "--dry-run"]);
    assert!(status == 0 && stdout.contains("nothing was changed"), "a dry run needs no reason: {stdout}");
    assert_eq!(process.answers(), [ONE, TWO]);
    assert_eq!(process.run(&["pop", "drain", "--yes", "one"]).0, 2, "without a reason");
    let (status, _, stderr) = process.run(&["pop", "drain", "one", "--reason", "x"]);
    assert!(
        status == 2 && stderr.contains("--yes") && stderr.contains("50.0 %"),
        "clients would move, and there is no terminal: {stderr}"
    );
    assert_eq!(process.answers(), [ONE, TWO]);
    assert_eq!(process.run(&["pop", "drain", "--yes", "none", "--reason", "x"]).0, 1);
    let (status, stdout, stderr) =
        process.run(&["pop", "drain", "--yes", "tag:eu", "--reason", "new \"switch\""]);
    assert!(status == 0 && stdout.contains("this node only"), "{stdout}{stderr}");
    assert_eq!(process.answers(), [TWO, TWO]);
    let (_, stdout, _) = process.run(&["pop", "list"]);
    assert!(
        stdout.contains("drain") && !stdout.contains("ann") && stdout.contains("new \"switch\""),
        "{stdout}"
    );
    drop(process);
    let process = Process::start(&deployment);
    assert_eq!(process.answers(), [TWO, TWO]);
    assert_eq!(process.run(&["pop", "auto", "--yes", "one"]).0, 0);
    assert_eq!(process.answers(), [ONE, TWO]);
    let (status, stdout, _) = process.run(&["pop", "show", "one", "--format", "json"]);
    let shown: Value = serde_json::from_str(&stdout).expect("JSON");
    assert_eq!(
        (status, &shown["effective"]["state"], &shown["state_override"]),
        (0, &"auto".into(), &Value::Null)
    );
    let (status, stdout, _) = process.run(&["policy", "show", "cdn.example./first"]);
    assert!(
        status == 0
            && stdout.contains("guard             watches, of more than 50 %")
            && stdout.contains("\npreference_lists  ")
            && stdout.contains("SERVES"),
        "{stdout}"
    );
    let (_, stdout, _) = process.run(&["policy", "show", "cdn.example./first", "--format", "json"]);
    let policy: Value = serde_json::from_str(&stdout).expect("JSON");
    assert!(policy["preference_lists"].as_u64() > Some(0) && policy["plans"].is_null(), "{policy}");
    let events = deployment.events(|events| events.lines().count() >= 3);
    let kinds: Vec<String> = events
        .lines()
        .map(|line| {
            serde_json::from_str::<Value>(line).expect("JSON")["kind"].as_str().expect("a kind").to_owned()
        })
        .collect();
    assert_eq!(&kinds[..3], ["serving", "override_set", "serving"]);
}

/// An override with an end gives the PoP back by itself.
#[test]
fn an_override_ends() {
    let deployment = two_pops();
    let process = Process::start(&deployment);
    assert_eq!(process.run(&["pop", "down", "--yes", "t*", "--for", "2s", "--reason", "short"]).0, 0);
    process.becomes([ONE, ONE]);
    process.becomes([ONE, TWO]);
    let (status, stdout, _) = process.run(&["pop", "list"]);
    assert!(status == 0 && !stdout.contains("short"), "{stdout}");
}

/// The ledger wins over the file, before and after a reload, and `check` tells both places.
#[test]
fn the_ledger_wins_over_the_file() {
    let deployment = two_pops();
    let process = Process::start(&deployment);
    assert_eq!(process.run(&["pop", "up", "--yes", "two", "--reason", "stay"]).0, 0);
    pops(&deployment, "down");
    assert_eq!(process.run(&["reload"]).0, 0);
    assert_eq!(process.answers(), [ONE, TWO]);
    let (status, _, stderr) = process.run(&["check"]);
    assert!(
        status == 0
            && stderr.contains("MRD0511")
            && stderr.contains("overrides.yaml")
            && stderr.contains("pops.yaml"),
        "{stderr}"
    );
    assert_eq!(process.run(&["pop", "auto", "--yes", "two"]).0, 0);
    assert_eq!(process.answers(), [ONE, ONE]);
}

/// Overrides said while reloads run are in service when the verb ends, and stay.
#[test]
fn overrides_do_not_wait_for_reloads() {
    let deployment = two_pops();
    let process = Process::start(&deployment);
    std::thread::scope(|scope| {
        let reloads = scope.spawn(|| (0..6).map(|_| process.run(&["reload"]).0).sum::<i32>());
        for _ in 0..3 {
            assert_eq!(process.run(&["pop", "down", "--yes", "one", "--reason", "x"]).0, 0);
            assert_eq!(process.answers(), [TWO, TWO]);
            assert_eq!(process.run(&["pop", "auto", "--yes", "one"]).0, 0);
            assert_eq!(process.answers(), [ONE, TWO]);
        }
        assert_eq!(process.run(&["pop", "down", "--yes", "one", "--reason", "x"]).0, 0);
        assert_eq!(reloads.join().expect("no panic"), 0);
    });
    assert_eq!(process.answers(), [TWO, TWO]);
}

/// A damaged ledger: the copy before it serves, and `/readyz` notes it until it is acknowledged.
#[test]
fn a_damaged_ledger_is_acknowledged() {
    let deployment = two_pops();
    {
        let process = Process::start(&deployment);
        assert_eq!(process.page("/readyz").0, 200);
        assert_eq!(process.run(&["pop", "down", "--yes", "one", "--reason", "kept"]).0, 0);
        assert_eq!(process.run(&["pop", "weight", "--yes", "two", "7", "--reason", "lost"]).0, 0);
    }
    deployment.write("state/overrides.yaml", "overrides:\n  - pops: [");
    for _ in 0..2 {
        let process = Process::start(&deployment);
        assert_eq!(process.answers(), [TWO, TWO]);
        let (status, text) = process.page("/readyz");
        assert!(status == 200 && text.contains("overrides.yaml"), "{text}");
        assert!(process.page("/metrics").1.contains("meridian_ledger_alarm 1"));
    }
    let process = Process::start(&deployment);
    let (status, stdout, _) = process.run(&["pop", "acknowledge"]);
    assert!(status == 0 && stdout.contains("acknowledged"), "{stdout}");
    assert_eq!(process.page("/readyz"), (200, "serving\n".to_owned()));
    drop(process);
    let process = Process::start(&deployment);
    assert_eq!(process.page("/readyz"), (200, "serving\n".to_owned()));
    assert_eq!(process.answers(), [TWO, TWO]);
}

/// Where the ledger cannot be written, the verb says so and nothing changes.
#[test]
fn what_cannot_be_kept_is_refused() {
    let deployment = two_pops();
    // A file where the folder should be: refuses also a test that runs with all rights.
    deployment.write("state", "not a folder");
    let process = Process::start(&deployment);
    let (status, _, stderr) = process.run(&["pop", "down", "--yes", "one", "--reason", "x"]);
    assert!(status == 1 && stderr.contains("nothing was changed"), "{stderr}");
    assert_eq!(process.answers(), [ONE, TWO]);
}

/// A prediction says which way clients would go, in cells and in counted queries; what moves nobody
/// is done without a word.
#[test]
fn what_would_move_is_told_first() {
    let deployment = two_pops();
    let process = Process::start(&deployment);
    for _ in 0..3 {
        assert_eq!(process.answers(), [ONE, TWO]);
    }
    assert_eq!(decode(&ask_udp(process.dns, &query(1, "a.cdn.example", A))).2, [ONE]);
    let (status, stdout, _) =
        process.run(&["pop", "down", "one", "--reason", "x", "--dry-run", "--format", "json"]);
    let told: Value = serde_json::from_str(&stdout).expect("JSON");
    assert_eq!((status, told["ended"].as_str()), (0, Some("dry_run")));
    let forecast = &told["forecast"];
    let moves = forecast["moves"].as_array().expect("moves");
    assert_eq!(
        (moves.len(), moves[0]["from"].as_str(), moves[0]["to"].as_str()),
        (1, Some("one"), Some("two")),
        "{forecast}"
    );
    assert_eq!(moves[0]["cells"], 0.5, "one of two policies: {forecast}");
    assert_eq!(moves[0]["queries"], 4.0 / 7.0, "four of the seven questions asked: {forecast}");
    let policies = forecast["policies"].as_array().expect("policies");
    assert_eq!(
        (policies.len(), &policies[0]["policy"], &policies[0]["moves"][0]["queries"]),
        (1, &"cdn.example./first".into(), &1.0.into())
    );
    let (status, stdout, _) = process.run(&["pop", "weight", "one", "7", "--reason", "alone in its band"]);
    assert!(status == 0 && stdout.contains("no client moves"), "{stdout}");
}

/// A gradual drain goes on over a restart and ends in the state that it should; a plan waits, is
/// shown, and is taken back.
#[test]
fn a_gradual_drain_ends_drained() {
    let deployment = two_pops();
    let process = Process::start(&deployment);
    let (status, _, stderr) =
        process.run(&["pop", "drain", "one", "--over", "4s", "--reason", "slowly", "--yes"]);
    assert_eq!(status, 0, "{stderr}");
    let (_, stdout, _) = process.run(&["pop", "show", "one"]);
    assert!(stdout.contains("% of cells have left"), "{stdout}");
    drop(process);
    let process = Process::start(&deployment);
    process.becomes([TWO, TWO]);
    let shown = |process: &Process<'_>| -> Value {
        serde_json::from_str(&process.run(&["pop", "show", "one", "--format", "json"]).1).expect("JSON")
    };
    until_seen("a drain", PATIENCE, || {
        let shown = shown(&process);
        if shown["effective"]["state"] == "drain" { Ok(()) } else { Err(shown) }
    });
    assert_eq!(process.run(&["pop", "ramp", "one", "--yes"]).0, 2, "a ramp takes time");
    assert_eq!(process.run(&["pop", "ramp", "one", "--over", "2s", "--yes"]).0, 0);
    process.becomes([ONE, TWO]);
    assert_eq!(process.run(&["pop", "down", "one", "--at", "+1h", "--reason", "planned", "--yes"]).0, 0);
    assert_eq!(process.answers(), [ONE, TWO]);
    assert_eq!(shown(&process)["plans"][0]["reason"], "planned");
    let (_, stdout, _) = process.run(&["pop", "auto", "--yes", "one"]);
    assert!(stdout.contains("is off"), "{stdout}");
    assert_eq!(shown(&process)["plans"], serde_json::json!([]));
    // Each of both moves tells some of its steps, forth only, and its end, once, also over the
    // restart.
    let told = |events: &str, action: &str| -> Vec<u64> {
        progress(events, action).iter().map(|(_, percent)| *percent).collect()
    };
    let events = deployment.events(|events| told(events, "auto").last() == Some(&100));
    for action in ["drain", "auto"] {
        let told = told(&events, action);
        assert!(
            told.is_sorted_by(|a, b| a < b) && told.last() == Some(&100) && told.len() > 1,
            "{action}: {told:?}"
        );
    }
}

/// Events of the transitions of an action in the event log: kinds and per cent.
fn progress(events: &str, action: &str) -> Vec<(String, u64)> {
    let lines = events.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
    let of_action = lines.filter(|event| event["override"]["action"] == action);
    of_action
        .filter_map(|event| Some((event["kind"].as_str()?.to_owned(), event["percent"].as_u64()?)))
        .collect()
}

/// A plan tells that it begins, a plan that takes time its end too.
#[test]
fn plans_tell_that_they_begin() {
    let deployment = two_pops();
    let process = Process::start(&deployment);
    assert_eq!(process.run(&["pop", "down", "one", "--at", "+2s", "--reason", "planned", "--yes"]).0, 0);
    assert_eq!(
        process
            .run(&["pop", "drain", "two", "--at", "+2s", "--over", "2s", "--reason", "planned", "--yes"])
            .0,
        0
    );
    let events = deployment.events(|events| events.contains("drain"));
    assert_eq!(progress(&events, "down"), []);
    process.becomes([TWO, TWO]);
    let events = deployment
        .events(|events| progress(events, "drain").last().is_some_and(|(_, percent)| *percent == 100));
    assert_eq!(progress(&events, "down"), [("override_begun".to_owned(), 0)]);
    let drain = progress(&events, "drain");
    assert_eq!(
        (drain.first(), drain.last()),
        (Some(&("override_begun".to_owned(), 0)), Some(&("override_done".to_owned(), 100))),
        "{drain:?}"
    );
}

/// TTLs are at their shortest one longest TTL ahead of a plan, and as before without one.
#[test]
fn a_plan_lowers_ttls_ahead() {
    let deployment = two_pops();
    let process = Process::start(&deployment);
    let ttl = || {
        let reply = Reply::of(&ask_udp(process.dns, &query(1, "a.cdn.example", A)));
        reply.answers().first().expect("an answer").ttl_secs
    };
    let settled = ttl();
    assert_eq!(process.run(&["pop", "drain", "one", "--at", "+23h", "--reason", "far", "--yes"]).0, 0);
    assert_eq!(ttl(), settled);
    assert_eq!(process.run(&["pop", "drain", "one", "--at", "+20s", "--reason", "near", "--yes"]).0, 0);
    assert!(ttl() < settled, "{} of {settled}", ttl());
    assert_eq!(process.run(&["pop", "auto", "one"]).0, 0);
    assert_eq!(ttl(), settled);
}

/// Safety rules count what has begun and what is planned: two slow drains do not pass one by one,
/// neither does a file that drains the other PoP; what is forced does, and taking back is never
/// refused, nor is a file that mends a part.
#[test]
fn two_slow_drains_do_not_pass_a_safety_rule() {
    let deployment = two_pops();
    let safe = |state: &str, percent: u8| {
        let pops = format!(
            "pops:\n  one: {{ addresses: [{ONE}], tags: [eu] }}\n  two: {{ addresses: [{TWO}], state: \
             {state} }}\n"
        );
        deployment.write(
            "pops.yaml",
            &format!(
                "safety: [{{ never_fewer_than: 1, of: all }}, {{ never_more_off_than: {percent}%, of: \
                all }}]\n{pops}"
            ),
        );
    };
    safe("auto", 60);
    let process = Process::start(&deployment);
    let drain = |name: &str, more: &[&str]| {
        let verb = ["pop", "drain", name, "--over", "30m", "--reason", "x", "--yes"];
        process.run(&[&verb[..], more].concat())
    };
    assert_eq!(drain("one", &[]).0, 0);
    let (status, _, stderr) = drain("two", &[]);
    assert!(status == 1 && stderr.contains("never be fewer than 1"), "{stderr}");
    let (status, _, stderr) = drain("two", &["--at", "+10m"]);
    assert!(status == 1 && stderr.contains("never be fewer than 1"), "{stderr}");
    safe("drain", 60);
    let (status, _, stderr) = process.run(&["reload"]);
    assert!(status == 1 && stderr.contains("with the overrides in force"), "{stderr}");
    safe("auto", 60);
    assert_eq!(process.run(&["reload"]).0, 0);
    assert_eq!(drain("two", &["--force"]).0, 0);
    // All of it is off now, 40 % more than may be. 20 % too many are better than that; 30 % again
    // are not.
    for (percent, status) in [(80, 0), (70, 1), (80, 0)] {
        safe("auto", percent);
        assert_eq!(process.run(&["reload"]).0, status, "{percent} %");
    }
    assert_eq!(process.run(&["pop", "auto", "two", "--yes"]).0, 0, "{}", process.run(&["pop", "list"]).1);
}
