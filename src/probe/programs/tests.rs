//! Processes left by runs, from invented process lists.

use super::*;

/// Our own process ID, below which none of our processes is.
fn own() -> u32 {
    std::process::id()
}

fn process(pid: u32, parent: u32) -> Process {
    Process { pid, parent, started: 1, is_zombie: false }
}

/// Run 2 continues; its leader is `BASE`.
fn inner(adopts: bool) -> Inner {
    let table = Table { last: 2, running: HashMap::from([(BASE, 2)]), ..Table::default() };
    Inner { table: Mutex::new(table), changed: Condvar::new(), seed: 7, adopts }
}

/// Process IDs that no process of a test has.
const BASE: u32 = 1 << 30;

/// Processes with the mark of a finished run are killed, with their descendants; running and
/// foreign processes stay. The table is unlocked while processes are examined.
#[test]
fn only_what_is_left_over_goes() {
    let all = [
        (process(own(), 1), None),
        // The continuing run: leader, child, and a grandchild without the mark.
        (process(BASE, own()), Some(2)),
        (process(BASE + 1, BASE), Some(2)),
        (process(BASE + 2, BASE + 1), None),
        // An orphan that the continuing run has left to us.
        (process(BASE + 3, own()), Some(2)),
        // Left by the finished run: one with a mark, and its descendant without one.
        (process(BASE + 4, own()), Some(1)),
        (process(BASE + 5, BASE + 4), None),
        // An orphan without a mark: from an earlier child, or from another process of the
        // container.
        (process(BASE + 6, own()), None),
        // A process that is not our descendant.
        (process(BASE + 7, 1), None),
        (process(BASE + 8, 1), Some(1)),
        // Dead, and waiting for us or for another process.
        (Process { is_zombie: true, ..process(BASE + 9, own()) }, None),
        (Process { is_zombie: true, ..process(BASE + 10, BASE + 1) }, None),
    ];
    let list: Vec<Process> = all.iter().map(|(process, _)| *process).collect();
    // A server, and a program that embeds one, so that another process adopts orphans.
    for (adopts, wanted) in [(true, vec![4, 5, 9]), (false, vec![4, 5, 8])] {
        let inner = inner(adopts);
        let run_of = |pid| {
            assert!(inner.table.try_lock().is_ok(), "no probe waits for the table of processes");
            all.iter().find(|(process, _)| process.pid == pid).and_then(|(_, run)| *run)
        };
        let found = inner.look(&list, run_of);
        let mut found: Vec<u32> = found.iter().map(|process| process.pid - BASE).collect();
        found.sort_unstable();
        assert_eq!(found, wanted, "adopts {adopts}");
    }
}

/// A mark identifies a run of its own server only, and has no effect: 2^62 microseconds are long.
#[test]
fn marks_are_of_one_server() {
    let us = inner(true);
    for run in [1, 2, u32::MAX] {
        assert_eq!(us.run_of(us.mark(run)), Some(run));
        assert!(us.mark(run) >= 1 << 62 && us.mark(run) < 1 << 63);
        assert_eq!(Inner { seed: 8, ..inner(true) }.run_of(us.mark(run)), None);
    }
    assert_eq!((us.run_of(0), us.run_of(u64::MAX)), (None, None));
}

/// A circle of parents, possible in a list from different moments, ends.
#[test]
fn circles_end() {
    let all = [process(BASE, BASE + 1), process(BASE + 1, BASE), process(BASE + 2, BASE + 2)];
    assert_eq!(below(BASE, &all).len(), 2);
    assert_eq!(below(BASE + 2, &all).len(), 1);
}
