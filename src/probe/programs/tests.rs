//! What is left of runs, by lists of processes that never were.

use super::*;

/// Our own number, and one below which nothing of ours stands.
fn own() -> u32 {
    std::process::id()
}

fn process(pid: u32, parent: u32) -> Process {
    Process { pid, parent, started: 1, is_zombie: false }
}

/// Run 2 goes on; its leader is `BASE`.
fn inner(adopts: bool) -> Inner {
    let table = Table { last: 2, running: HashMap::from([(BASE, 2)]), ..Table::default() };
    Inner { table: Mutex::new(table), changed: Condvar::new(), seed: 7, adopts }
}

/// Numbers that no process of a test has.
const BASE: u32 = 1 << 30;

/// What has the mark of a run that is over goes, with all below it; what runs, and what is not
/// ours, stays. While a process is looked at, the table is free.
#[test]
fn only_what_is_left_over_goes() {
    let all = [
        (process(own(), 1), None),
        // The run that goes on: leader, child, and a grandchild that has lost the mark.
        (process(BASE, own()), Some(2)),
        (process(BASE + 1, BASE), Some(2)),
        (process(BASE + 2, BASE + 1), None),
        // What it has left to us while it runs.
        (process(BASE + 3, own()), Some(2)),
        // Left by the run that is over: with a mark, and below that without one.
        (process(BASE + 4, own()), Some(1)),
        (process(BASE + 5, BASE + 4), None),
        // An orphan without a mark: of a child from before, or of another in the same container.
        (process(BASE + 6, own()), None),
        // Nobody's, and out of our sight.
        (process(BASE + 7, 1), None),
        (process(BASE + 8, 1), Some(1)),
        // Dead, and waiting for us or for another.
        (Process { is_zombie: true, ..process(BASE + 9, own()) }, None),
        (Process { is_zombie: true, ..process(BASE + 10, BASE + 1) }, None),
    ];
    let list: Vec<Process> = all.iter().map(|(process, _)| *process).collect();
    // A server, and a program that embeds one, so that orphans go to another process.
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

/// A mark names a run of its own server alone, and binds nothing: 2^62 microseconds are long.
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

/// A circle of parents, as a list of different moments may hold, ends.
#[test]
fn circles_end() {
    let all = [process(BASE, BASE + 1), process(BASE + 1, BASE), process(BASE + 2, BASE + 2)];
    assert_eq!(below(BASE, &all).len(), 2);
    assert_eq!(below(BASE + 2, &all).len(), 1);
}
