//! Reloads and starts whose disk does not answer.

use super::*;

/// Waits until the server hangs at a file.
fn hangs_at(deployment: &Deployment, file: &str) {
    until(&format!("a reader of {file}"), PATIENCE, || {
        deployment.path(&format!("{file}.hanging")).exists().then_some(())
    });
    std::fs::remove_file(deployment.path(&format!("{file}.hanging"))).expect("ours");
}

fn metric(process: &Process, name: &str) -> f64 {
    let page = process.page("/metrics").1;
    let line = page.lines().find(|line| line.starts_with(&format!("{name} ")));
    line.and_then(|line| line.split(' ').nth(1)?.parse().ok()).unwrap_or_else(|| panic!("{name}: {page}"))
}

/// A zone file that hangs: verbs are done, the reload tells what it waits for, and it is given up
/// by hand. Then the files can be taken over as though nothing had been.
#[test]
fn a_reload_that_hangs_is_told_and_cancelled() {
    let deployment = two_pops();
    let process = Process::start(&deployment);
    let zone = "zones/cdn.example.yaml";
    assert!(process.run(&["reload", "--status"]).1.contains("no reload runs"));
    let (status, _, stderr) = process.run(&["reload", "--cancel"]);
    assert!(status == 1 && stderr.contains("no reload runs"), "{stderr}");
    deployment.write(&format!("{zone}.hang"), "");
    std::thread::scope(|scope| {
        let reload = scope.spawn(|| process.run(&["reload"]));
        hangs_at(&deployment, zone);
        let (status, told, _) = process.run(&["reload", "--status"]);
        assert!(status == 0 && told.contains("reading ") && told.contains(zone), "{told}");
        assert_eq!(process.run(&["pop", "down", "--yes", "one", "--reason", "meanwhile"]).0, 0);
        assert_eq!(process.answers(), [TWO, TWO]);
        assert!(metric(&process, "meridian_reload_running_seconds") < 100.0);
        let (status, told, _) = process.run(&["reload", "--cancel"]);
        assert!(status == 0 && told.contains(zone), "{told}");
        let (status, _, stderr) = reload.join().expect("it ends");
        assert!(status == 1 && stderr.contains("cancelled by"), "{stderr}");
    });
    assert!((metric(&process, "meridian_reloads_given_up_total") - 1.0).abs() < 0.5);
    // The thread that was given up still hangs, and keeps nobody from a reload.
    let told = process.run(&["reload", "--status"]).1;
    assert!(told.contains("1 reloads that were given up still wait"), "{told}");
    std::fs::remove_file(deployment.path(&format!("{zone}.hang"))).expect("ours");
    assert_eq!(process.run(&["reload"]).0, 0);
    assert_eq!(process.answers(), [TWO, TWO]);
}

/// Reloads and comparisons are given up by themselves once a file has not answered for long enough,
/// and only so many threads may hang.
#[test]
fn what_hangs_is_given_up_in_its_time() {
    let deployment = two_pops();
    let process = Process::start_with(&deployment, &[("MERIDIAN_HOOK_DISK_ANSWER_SECS", "0")]);
    let zone = "zones/cdn.example.yaml";
    deployment.write(&format!("{zone}.hang"), "");
    for _ in 0..4 {
        let (status, _, stderr) = process.run(&["reload"]);
        assert!(status == 1 && stderr.contains("has not answered") && stderr.contains(zone), "{stderr}");
    }
    let (status, _, stderr) = process.run(&["reload"]);
    assert!(status == 1 && stderr.contains("4 reloads that were given up still wait"), "{stderr}");
    let (status, told) = process.ask("POST", "/diff");
    assert!(status == 503 && told.contains("has not answered"), "{told}");
    assert_eq!(process.answers(), [ONE, TWO]);
    // A stop waits for none of them.
    process.ends();
}

/// A start on files or a state folder that hang ends with a finding in its time, and with a signal
/// before.
#[test]
fn a_start_that_hangs_ends() {
    for hung in ["zones/cdn.example.yaml", "state"] {
        let deployment = two_pops();
        deployment.write(&format!("{hung}.hang"), "");
        let start = |secs: &str| {
            let mut command = meridian(&deployment, &["serve"]);
            command.env("MERIDIAN_HOOK_DISK_ANSWER_SECS", secs);
            command
        };
        let (status, _, told) = program::run(start("0"));
        assert!(status != 0 && told.contains("MRD0509") && told.contains(hung), "{told}");
        let _ = std::fs::remove_file(deployment.path(&format!("{hung}.hanging")));
        let mut process = program::Process::start(start("3000"));
        hangs_at(&deployment, hung);
        process.signal("TERM");
        let status = process.ends(PATIENCE);
        let told = process.stderr();
        assert!(!status.success() && told.contains("SIGTERM ended the start"), "{told}");
    }
}
