//! Tests of `remembered`.

use super::*;

/// A change during a write is written after it, and so are the last lines at the stop.
#[test]
fn nothing_that_turned_is_left_out() {
    let folder = tempfile::tempdir().expect("a folder");
    let read = || {
        let (octets, faults) = health_store::load(&folder.path().join(HEALTH), HEALTH_FILE_OCTETS_MAX);
        assert!(faults.is_empty(), "{faults:?}");
        String::from_utf8(octets.expect("written")).expect("text")
    };
    let lines = |text: &str| vec![text.to_owned()];
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    runtime.block_on(async {
        let mut memory = Memory::of_health(folder.path());
        memory.remember(true, || lines("first"));
        // Works whether or not the first write still runs.
        memory.remember(true, || lines("second"));
        while memory.write.is_stale() {
            memory.wait().await;
            memory.remember(false, || lines("second"));
        }
        memory.close(lines("third")).await;
        assert_eq!((read(), memory.fault()), ("third".to_owned(), None));
        let copy = std::fs::read_to_string(folder.path().join("health.1")).expect("the copy");
        assert!(copy.ends_with("second"), "{copy}");
    });
}
