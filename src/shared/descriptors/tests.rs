//! Counts of descriptors.

use super::*;

/// Each part is counted separately; the remaining open descriptors are the process's own.
#[test]
fn parts_are_counted() {
    let descriptors = Arc::new(Descriptors::new(Shares { limit: 100, ..Shares::default() }));
    let hold = |part| Arc::clone(&descriptors).hold(part);
    let held = [hold(Use::Tcp), hold(Use::Tcp), hold(Use::Probes), hold(Use::Own)];
    descriptors.note_open(10);
    assert_eq!(Use::ALL.map(|part| descriptors.held(part)), [2, 0, 1, 7]);
    drop(held);
    assert_eq!(Use::ALL.map(|part| descriptors.held(part)), [0, 0, 0, 10]);
    assert_eq!(descriptors.shares().limit, 100);
}
