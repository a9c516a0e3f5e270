//! Tests of `affinity`.

use super::*;

/// A bound thread may run only on its core; a core that does not exist is refused.
#[test]
fn a_thread_is_bound() {
    let all = allowed().expect("the system tells");
    let last = *all.last().expect("it runs somewhere");
    let bound = std::thread::spawn(move || pin(last).and_then(|()| allowed())).join().expect("no panic");
    assert_eq!(bound.expect("it may be bound where it may run"), [last]);
    assert!(std::thread::spawn(|| pin(u16::MAX)).join().expect("no panic").is_err());
    assert_eq!(allowed().expect("the system tells"), all, "other threads are as they were");
}
