//! Faults on demand: tasks that end, a wall clock that is set, a state folder that is removed,
//! replaced, full or of another server. Answers go on, and everything is told.

use super::*;
use support::pages;

impl Process<'_> {
    /// Has something go wrong (`src/control/hooks.rs`).
    fn fault(&self, body: &str) {
        let page = self.deployment.send("POST", "/hooks", body);
        assert_eq!(page.status, 200, "{page:?}");
    }

    /// Waits until `/metrics` has a line with so much.
    fn reaches(&self, metric: &str, least: f64) {
        until_seen(&format!("{metric} of {least}"), PATIENCE, || {
            let value = pages::series(&self.try_page("/metrics").unwrap_or_default()).get(metric).copied();
            if value.is_some_and(|value| value >= least) { Ok(()) } else { Err(format!("{value:?}")) }
        });
    }

    /// A page, unless the control socket is just being begun anew.
    fn try_page(&self, path: &str) -> Option<String> {
        let page = pages::try_control(&self.deployment.path("control.sock"), "GET", path, "");
        page.ok().map(|page| page.body)
    }

    /// Waits until `/readyz` says something, or no longer does.
    fn notes(&self, words: &str, are_there: bool) {
        until_seen(&format!("`{words}` in /readyz: {are_there}"), PATIENCE, || {
            let page = self.try_page("/readyz").unwrap_or_default();
            if !page.is_empty() && page.contains(words) == are_there { Ok(()) } else { Err(page) }
        });
    }
}

/// Each task that ends is begun anew: an event, a metric and an alarm tell it, what was said by
/// hand stays in force, and verbs work again.
#[test]
fn every_task_is_begun_anew() {
    let deployment = two_pops();
    let process = Process::start(&deployment);
    assert_eq!(process.run(&["pop", "down", "--yes", "one", "--reason", "before"]).0, 0);
    assert_eq!(process.answers(), [TWO, TWO]);
    for task in ["writer", "checks", "feeds", "tcp", "state_folder", "events", "control"] {
        process.fault(&format!("{{\"end\":\"{task}\"}}"));
        process.reaches(&format!("meridian_task_ends_total{{task=\"{task}\"}}"), 1.0);
        process.notes(&format!("the task `{task}` has ended"), true);
        assert_eq!(process.answers(), [TWO, TWO], "{task}");
        if task != "events" {
            deployment.events(|events| {
                events.lines().any(|line| line.contains("task_ended") && line.contains(task))
            });
        }
    }
    assert_eq!(process.run(&["pop", "auto", "--yes", "one", "--reason", "after"]).0, 0);
    assert_eq!(process.answers(), [ONE, TWO]);
    assert_eq!(process.run(&["reload"]).0, 0);
    let answer = decode(&ask_tcp(process.dns, &query(9, "a.cdn.example", A))).2;
    assert_eq!(answer, [ONE], "TCP answers again");
    process.ends();
}

/// Ends the writer three times: its alarm stays, and the restarted writer does its work.
#[test]
fn trouble_that_comes_back_stays_an_alarm() {
    let deployment = two_pops();
    let process = Process::start(&deployment);
    for ends in 1..=3 {
        process.fault("{\"end\":\"writer\"}");
        process.reaches("meridian_task_ends_total{task=\"writer\"}", f64::from(ends));
    }
    process.notes("the task `writer` has ended 3 times within 10 minutes", true);
    let (status, _) = process.page("/readyz");
    assert_eq!(status, 200, "what can strike every node at once withdraws none");
    until_so("a verb that is done", || process.run(&["pop", "down", "--yes", "two", "--reason", "x"]).0 == 0);
    assert_eq!(process.answers(), [ONE, ONE]);
}

/// With `exit_on_fault` the first fault ends the process, not well, in its time; the thread of the
/// event log is no exception.
#[test]
fn a_fault_may_end_the_process() {
    for task in ["writer", "events"] {
        let deployment = two_pops();
        let config = std::fs::read_to_string(deployment.path("meridian.yaml")).expect("ours");
        deployment.write("meridian.yaml", &format!("{config}exit_on_fault: on\n"));
        let mut process = Process::start(&deployment);
        process.fault(&format!("{{\"end\":\"{task}\"}}"));
        let status = process.served.process.ends(PATIENCE);
        assert_eq!(status.code(), Some(1), "{task}");
        deployment.events(|events| events.contains("exit_on_fault"));
    }
}

/// The wall clock goes forward past the end of an override and back: what is in force is what a
/// restarted server would say, and the steps are told.
#[test]
fn a_clock_that_is_set_is_told() {
    let deployment = two_pops();
    let process = Process::start(&deployment);
    let down = ["pop", "down", "--yes", "one", "--for", "1h", "--reason", "x"];
    assert_eq!(process.run(&down).0, 0);
    assert_eq!(process.answers(), [TWO, TWO]);
    for (shift, answers) in [(7_200, [ONE, TWO]), (0, [TWO, TWO]), (-7_200, [TWO, TWO]), (7_200, [ONE, TWO])]
    {
        process.fault(&format!("{{\"clock_shift_secs\":{shift}}}"));
        process.becomes(answers);
    }
    let events = deployment.events(|events| events.matches("clock_stepped").count() >= 3);
    assert!(events.contains("was set forward by") && events.contains("was set back by"), "{events}");
}

/// The state folder is removed and moved away: both times it is mended from memory, and a second
/// server is kept out of it.
#[test]
fn a_state_folder_that_goes_is_made_anew() {
    let deployment = two_pops();
    let process = Process::start_with(&deployment, &[("MERIDIAN_HOOK_STATE_LOOK_SECS", "0")]);
    assert_eq!(process.run(&["pop", "down", "--yes", "one", "--reason", "kept"]).0, 0);
    let (state, moved) = (deployment.path("state"), deployment.path("moved"));
    let has_ledger = || {
        let ledger = deployment.path("state/overrides.yaml");
        until_so("a ledger that is written anew", || {
            std::fs::read_to_string(&ledger).is_ok_and(|text| text.contains("kept"))
        });
    };
    // The server may write into it meanwhile.
    until("a folder that is removed", PATIENCE, || std::fs::remove_dir_all(&state).ok());
    has_ledger();
    process.notes("is writing its state there again", false);
    std::fs::rename(&state, &moved).expect("ours");
    has_ledger();
    process.notes("is writing its state there again", false);
    deployment.events(|events| events.contains("was gone, and was recreated"));
    // A second server is kept out of the recreated folder.
    let second = Deployment::new(&["127.0.0.1:0"], "");
    let theirs = std::fs::read_to_string(second.path("meridian.yaml")).expect("ours");
    second.write("meridian.yaml", &theirs.replace("state: state/", &format!("state: {}", state.display())));
    let (status, _, stderr) = run(&second, &["serve"]);
    assert!(status == 1 && stderr.contains("another server runs on the state folder"), "{stderr}");
    assert_eq!(process.answers(), [TWO, TWO]);
    drop(process);
    let process = Process::start(&deployment);
    assert_eq!(process.answers(), [TWO, TWO], "after a restart too");
}

/// A folder in which nothing can be written is an alarm and a metric within seconds, and ends when
/// it can.
#[test]
fn a_state_folder_that_takes_nothing_is_an_alarm() {
    let deployment = two_pops();
    let process = Process::start_with(&deployment, &[("MERIDIAN_HOOK_STATE_LOOK_SECS", "0")]);
    process.reaches("meridian_state_folder_ok", 1.0);
    let state = deployment.path("state");
    let moved = deployment.path("moved");
    std::fs::rename(&state, &moved).expect("ours");
    // Something else stands there: no folder can be made.
    until("a file in its place", PATIENCE, || {
        let _ = std::fs::remove_dir_all(&state);
        std::fs::write(&state, "a file").ok()
    });
    process.notes("cannot be claimed", true);
    let (status, _, stderr) = process.run(&["pop", "down", "--yes", "one", "--reason", "x"]);
    assert!(status == 1 && stderr.contains("cannot be written"), "{stderr}");
    std::fs::remove_file(&state).expect("ours");
    process.notes("cannot be claimed", false);
    process.reaches("meridian_state_folder_ok", 1.0);
    assert_eq!(process.run(&["pop", "down", "--yes", "one", "--reason", "x"]).0, 0);
}

/// A stop that the disk keeps from ending is cut off in its time.
#[test]
fn a_stop_that_hangs_is_cut_off() {
    let deployment = two_pops();
    let mut process = Process::start(&deployment);
    deployment.write("control.sock.hang", "");
    process.served.process.signal("TERM");
    let status = process.served.process.ends(2 * PATIENCE);
    assert_eq!(status.code(), Some(1));
}

/// A control socket that somebody has removed is bound anew.
#[test]
fn the_control_socket_comes_back() {
    let deployment = two_pops();
    let process = Process::start_with(&deployment, &[("MERIDIAN_HOOK_STATE_LOOK_SECS", "0")]);
    std::fs::remove_file(deployment.path("control.sock")).expect("ours");
    process.notes("serving", true);
    assert_eq!(process.run(&["reload"]).0, 0);
    deployment.events(|events| events.contains("the control socket"));
}
