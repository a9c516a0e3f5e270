//! Search for remaining processes, in made-up process lists.

use super::*;

/// Process id of the test, and the parent of an adopted orphan.
fn own() -> u32 {
    std::process::id()
}

fn process(pid: u32, parent: u32) -> Process {
    Process { pid, parent, started: 1, is_zombie: false }
}

/// Table in which run 2 goes on, with the leader `BASE`.
fn inner(adopts: bool) -> Inner {
    let table = Table { last: 2, running: HashMap::from([(BASE, 2)]), ..Table::default() };
    Inner { table: Mutex::new(table), changed: Condvar::new(), seed: 7, adopts }
}

/// First of the process ids that no process of the system has.
const BASE: u32 = 1 << 30;

/// Processes with the mark of an ended run are found, with their descendants. Running programs and
/// unmarked processes are not. The table is not locked while a process is examined.
#[test]
fn only_what_is_left_over_goes() {
    let all = [
        (process(own(), 1), None),
        // Run that goes on: leader, child, and a grandchild that has lost the mark.
        (process(BASE, own()), Some(2)),
        (process(BASE + 1, BASE), Some(2)),
        (process(BASE + 2, BASE + 1), None),
        // Orphan of the run that goes on.
        (process(BASE + 3, own()), Some(2)),
        // Orphan of the ended run, and its child without a mark.
        (process(BASE + 4, own()), Some(1)),
        (process(BASE + 5, BASE + 4), None),
        // Orphan without a mark: of an earlier server, or of another program in the container.
        (process(BASE + 6, own()), None),
        // Processes that are no descendants of this one.
        (process(BASE + 7, 1), None),
        (process(BASE + 8, 1), Some(1)),
        // Dead processes: one for this process to reap, one for another.
        (Process { is_zombie: true, ..process(BASE + 9, own()) }, None),
        (Process { is_zombie: true, ..process(BASE + 10, BASE + 1) }, None),
    ];
    let list: Vec<Process> = all.iter().map(|(process, _)| *process).collect();
    // A server, and a host program that embeds one, where orphans go to another process.
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

/// A mark names a run of its own server, and limits nothing: 2^62 microseconds are long.
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

/// The walk ends on a circle of parents, which a list of two moments may contain.
#[test]
fn circles_end() {
    let all = [process(BASE, BASE + 1), process(BASE + 1, BASE), process(BASE + 2, BASE + 2)];
    assert_eq!(below(BASE, &all).len(), 2);
    assert_eq!(below(BASE + 2, &all).len(), 1);
}
