//! Programs and files.

use super::target::{LONG, SHORT, run, runtime, target, why};
use meridian::testing::health::spec::{Check, ExecCheck, FileCheck, PushCheck};
use meridian::testing::health::targets::Target;
use meridian::testing::probe::Prober;
use std::time::{Duration, SystemTime};

fn shell(script: &str, timeout_ms: u32) -> Target {
    let command = ["/bin/sh", "-c", script].map(Into::into).to_vec();
    target(Check::Exec(ExecCheck { command }), "192.0.2.7:0".parse().unwrap(), timeout_ms)
}

#[test]
fn exit_statuses_and_their_words() {
    // A socket of the server, which no program may inherit.
    let _ours = std::net::TcpListener::bind(super::target::ANY).unwrap();
    let rows = [
        ("exit 0", ""),
        ("echo all is well; exit 0", ""),
        ("exit 3", "exit status 3"),
        ("echo; echo ' disk full ' >&2; echo more; exit 1", "exit status 1: \"disk full\""),
        ("printf '\\033[2J'; exit 1", "exit status 1: \"\\x1b[2J\""),
        ("kill -9 $$", "killed by signal 9"),
        ("test \"$MERIDIAN_POP/$MERIDIAN_SERVICE/$MERIDIAN_ADDRESS\" = ams1/edge/192.0.2.7", ""),
        // Nothing else of the environment: the shell itself adds PWD and the like.
        ("test -z \"$CARGO_MANIFEST_DIR$HOME$USER\"", ""),
        ("read line && exit 1; exit 0", ""),
        ("! ls -l /proc/self/fd | grep socket:", ""),
        (
            "while :; do echo 0123456789012345678901234567890123456789; done",
            "the program prints more than 64 KiB",
        ),
        ("exec head -c 1000000000 /dev/zero", "the program prints more than 64 KiB"),
        ("sleep 1000 & exit 0", ""),
    ];
    for (script, wanted) in rows {
        assert_eq!(why(&run(&shell(script, LONG))), wanted, "{script}");
    }
    let missing = ExecCheck { command: vec!["/nowhere/at/all".into()] };
    let outcome = run(&target(Check::Exec(missing), "192.0.2.7:0".parse().unwrap(), LONG));
    assert!(why(&outcome).starts_with("cannot run \"/nowhere/at/all\": "), "{outcome:?}");
    assert!(outcome.is_own, "a program that cannot be run says nothing of the target");
}

/// State letter of a process, if it is still in the table (proc(5)).
fn state(pid: &str) -> Option<char> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit_once(") ")?.1.chars().next()
}

/// A program that ignores SIGTERM, and its child, are gone after the time-out, and nothing waits to
/// be reaped.
#[test]
fn the_whole_group_is_killed() {
    let folder = tempfile::tempdir().unwrap();
    let pids = folder.path().join("pids");
    let script =
        format!("trap '' TERM; (trap '' TERM; sleep 1000) & echo $$ $! > {}; sleep 1000", pids.display());
    runtime().block_on(async {
        let outcome = Prober::new().run(&shell(&script, 2_000)).await;
        assert_eq!(why(&outcome), "no answer within 2 s (running the program)");
        let pids = std::fs::read_to_string(&pids).unwrap();
        let pids: Vec<&str> = pids.split_whitespace().collect();
        assert_eq!(pids.len(), 2);
        // Our child must be reaped by us; its child by whoever adopted it, which may be lazy, so a
        // zombie will do.
        let gone = async {
            while state(pids[0]).is_some() || state(pids[1]).is_some_and(|state| state != 'Z') {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(30), gone).await.expect("both are gone");
    });
}

/// What a program leaves behind when it exits by itself is gone too.
#[test]
fn children_do_not_outlive_a_program_that_exits() {
    let folder = tempfile::tempdir().unwrap();
    let pid = folder.path().join("pid");
    let script = format!("sleep 1000 & echo $! > {}; exit 0", pid.display());
    runtime().block_on(async {
        let outcome = Prober::new().run(&shell(&script, LONG)).await;
        assert_eq!(why(&outcome), "");
        let pid = std::fs::read_to_string(&pid).unwrap().trim().to_owned();
        let gone = async {
            // A zombie will do: whoever adopted it may be lazy.
            while state(&pid).is_some_and(|state| state != 'Z') {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(30), gone).await.expect("it is gone");
    });
}

#[test]
fn files_and_their_age() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| -> Check {
        Check::File(FileCheck { path: folder.path().join(name).to_str().unwrap().into() })
    };
    let to = "192.0.2.7:0".parse().unwrap();
    let write = |name: &str, text: &str, age: i64| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        let now = SystemTime::now();
        let age_secs = Duration::from_secs(age.unsigned_abs());
        let at = if age < 0 { now + age_secs } else { now - age_secs };
        std::fs::File::options().write(true).open(&path).unwrap().set_modified(at).unwrap();
    };
    let rows = [
        ("UP", 100_000, ""),
        ("UP 60", 0, ""),
        ("UP 60", -1_000, ""),
        ("UP 60", 1_000, "the file says UP 60 and is 1000 s old"),
        ("down\n", 0, "the file says DOWN"),
        ("", 0, "the file is empty"),
    ];
    for (text, age, wanted) in rows {
        write("ams1.edge.192.0.2.7", text, age);
        assert_eq!(
            why(&run(&target(file("{pop}.{service}.{address}"), to, LONG))),
            wanted,
            "{text:?}, {age} s old"
        );
    }
    // Only the beginning is read.
    write("long", &format!("UP {}", " ".repeat(1 << 20)), 0);
    assert_eq!(why(&run(&target(file("long"), to, LONG))), "");
    let outcome = run(&target(file("missing"), to, LONG));
    assert!(why(&outcome).starts_with("no file ") && outcome.latency_us.is_none(), "{outcome:?}");
    let outcome = run(&target(file(""), to, LONG));
    assert!(why(&outcome).ends_with("is no regular file"), "{outcome:?}");
    assert!(
        std::process::Command::new("mkfifo")
            .arg(folder.path().join("pipe"))
            .status()
            .is_ok_and(|status| status.success())
    );
    let outcome = run(&target(file("pipe"), to, SHORT));
    assert!(why(&outcome).ends_with("is no regular file"), "{outcome:?}");
}

#[test]
fn a_push_is_never_run() {
    let outcome = run(&target(Check::Push(PushCheck { ttl_ms: 0 }), "192.0.2.7:0".parse().unwrap(), LONG));
    assert_eq!(why(&outcome), "a push is waited for, not run");
}
