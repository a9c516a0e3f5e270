//! Processes as listed by the system.

use super::*;
use std::process::{Command, Stdio};

/// A process name may contain blanks, brackets and text that looks like other fields.
#[test]
fn a_stat_is_read_behind_the_name() {
    let behind = "7 7 7 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 4711 0 0";
    let rows = [
        (format!("12 (sleep) S {behind}"), Some((false, 4711))),
        (format!("12 (a) Z 1 (b) Z {behind}"), Some((true, 4711))),
        (format!("12 (\n) X {behind}"), Some((true, 4711))),
        ("12 (sleep) S 7 7".to_owned(), None),
        ("12 sleep".to_owned(), None),
        (String::new(), None),
    ];
    for (stat, wanted) in rows {
        let wanted = wanted.map(|(is_zombie, started)| Process { pid: 12, parent: 7, started, is_zombie });
        assert_eq!(read(12, stat.as_bytes()), wanted, "{stat:?}");
    }
}

/// A child is found by its mark, and only the listed process is killed.
#[test]
#[cfg(target_os = "linux")]
fn a_child_is_known_and_killed() {
    let mut child = Command::new("sleep")
        .arg("1000")
        .env("MERIDIAN_RUN", "7-1")
        .stdin(Stdio::null())
        .spawn()
        .expect("sleep is there");
    let listed = list().into_iter().find(|process| process.pid == child.id()).expect("it is listed");
    assert_eq!((listed.parent, listed.is_zombie), (std::process::id(), false));
    while variable(listed.pid, "MERIDIAN_RUN").is_none() {
        // Until it starts its program, it has our environment.
        std::thread::yield_now();
    }
    assert_eq!(variable(listed.pid, "MERIDIAN_RUN").as_deref(), Some("7-1"));
    assert_eq!(variable(listed.pid, "MERIDIAN_RU"), None);
    kill(&Process { started: listed.started + 1, ..listed });
    assert_eq!(child.try_wait().expect("our child"), None, "another process of that number is not killed");
    kill(&listed);
    assert!(!child.wait().expect("our child").success());
    assert_eq!(process(listed.pid).filter(|now| now.started == listed.started), None);
}

/// A mark reaches descendants with an empty environment and in their own session, and this process
/// keeps its own limit.
#[test]
#[cfg(target_os = "linux")]
fn a_mark_is_inherited() {
    let own = mark(std::process::id());
    let wanted = 1 << 62 | 4_711;
    let script = "env -i setsid sh -c 'grep \"Max realtime timeout\" /proc/self/limits'";
    let output = marked(wanted, || Command::new("sh").args(["-c", script]).output()).expect("a shell");
    let text = String::from_utf8(output.stdout).expect("text");
    assert!(text.contains(&wanted.to_string()), "{text}");
    assert_eq!(mark(std::process::id()), own);
}
