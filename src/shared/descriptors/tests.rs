//! Counts of descriptors.

use super::*;

/// Each part is counted separately; the remaining open descriptors are the process's own.
#[test]
fn parts_are_counted() {
    let descriptors = Arc::new(Descriptors::new(Shares::each(100, |_| 100)));
    let hold = |part| Arc::clone(&descriptors).hold(part);
    let held = [
        hold(Use::Stream(Transport::Tcp)),
        hold(Use::Stream(Transport::Tcp)),
        hold(Use::Probes),
        hold(Use::Own),
    ];
    descriptors.note_open(10);
    let held_by = || Use::all().map(|part| descriptors.held(part)).collect::<Vec<_>>();
    assert_eq!(held_by(), [2, 0, 0, 0, 1, 7]);
    drop(held);
    assert_eq!(held_by(), [0, 0, 0, 0, 0, 10]);
    assert_eq!(descriptors.shares().limit, 100);
}
