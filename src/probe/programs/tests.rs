//! What is left of runs, by lists of processes that never were.

use super::*;

/// Our own number, and one below which nothing of ours stands.
fn own() -> u32 {
    std::process::id()
}

fn process(pid: u32, parent: u32, started: u64) -> Process {
    Process { pid, parent, started, is_zombie: false }
}

fn inner(adopts: bool, is_sole: bool) -> Inner {
    Inner { table: Mutex::default(), changed: Condvar::new(), prefix: "us-".to_owned(), adopts, is_sole }
}

/// Numbers that no process of a test has.
const BASE: u32 = 1 << 30;

/// Run 1 is over, run 2 goes on; it began at 100, and its leader is `BASE`.
fn left(adopts: bool, is_sole: bool, all: &[(Process, Option<&str>)]) -> Vec<u32> {
    let running = HashMap::from([(BASE, Run { mark: "us-2".to_owned(), started: 100 })]);
    let list: Vec<Process> = all.iter().map(|(process, _)| *process).collect();
    let mark = |pid| {
        let (_, mark) = all.iter().find(|(process, _)| process.pid == pid)?;
        mark.map(str::to_owned)
    };
    let mut found: Vec<u32> = inner(adopts, is_sole)
        .left_over(&list, &running, mark)
        .iter()
        .map(|process| process.pid - BASE)
        .collect();
    found.sort_unstable();
    found
}

/// What has the mark of a run that is over goes, with all below it; what runs, and what is not
/// ours, stays.
#[test]
fn only_what_is_left_over_goes() {
    let all = [
        (process(own(), 1, 1), None),
        // The run that goes on: leader, child, and a grandchild that has cleared its environment.
        (process(BASE, own(), 100), Some("us-2")),
        (process(BASE + 1, BASE, 101), Some("us-2")),
        (process(BASE + 2, BASE + 1, 102), None),
        // What it has left to us while it runs.
        (process(BASE + 3, own(), 103), Some("us-2")),
        // Left by the run that is over: with a mark, and below that without one.
        (process(BASE + 4, own(), 104), Some("us-1")),
        (process(BASE + 5, BASE + 4, 105), None),
        // Without a mark: older than all that run, and younger.
        (process(BASE + 6, own(), 99), None),
        (process(BASE + 7, own(), 100), None),
        // Another server's, and nobody's.
        (process(BASE + 8, own(), 106), Some("them-1")),
        (process(BASE + 9, 1, 5), None),
        (process(BASE + 10, 1, 5), Some("us-1")),
        // Dead, and waiting for us or for another.
        (Process { is_zombie: true, ..process(BASE + 11, own(), 107) }, None),
        (Process { is_zombie: true, ..process(BASE + 12, BASE + 1, 108) }, None),
    ];
    let rows = [
        // The server.
        ((true, true), vec![4, 5, 6, 11]),
        // The init process of a container, or one that had children before.
        ((true, false), vec![4, 5, 11]),
        // A program that embeds a server: orphans go to another process.
        ((false, false), vec![4, 5, 10]),
    ];
    for ((adopts, is_sole), wanted) in rows {
        assert_eq!(left(adopts, is_sole, &all), wanted, "adopts {adopts}, sole {is_sole}");
    }
}

/// A circle of parents, as a list of different moments may hold, ends.
#[test]
fn circles_end() {
    let all = [process(BASE, BASE + 1, 1), process(BASE + 1, BASE, 1), process(BASE + 2, BASE + 2, 1)];
    assert_eq!(below(BASE, &all).len(), 2);
    assert_eq!(below(BASE + 2, &all).len(), 1);
}
