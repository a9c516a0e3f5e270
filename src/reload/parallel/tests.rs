//! Tests of `parallel`.

use super::*;

/// Each number is passed exactly once, for any count.
#[test]
fn each_once() {
    for count in [0, 1, 2, 1_000] {
        let met: Vec<AtomicUsize> = (0..count).map(|_| AtomicUsize::new(0)).collect();
        each(count, &|number| _ = met[number].fetch_add(1, Ordering::Relaxed));
        assert!(met.iter().all(|times| times.load(Ordering::Relaxed) == 1), "{count}");
    }
}
