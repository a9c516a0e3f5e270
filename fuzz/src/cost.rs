//! What reading costs: a reader that is linear stays far below the bar, one that is quadratic
//! passes it. The bar is in processor time of this thread, so a busy machine passes none.

use std::time::Duration;

/// Octets that an input is made to by repetition.
const OCTETS: usize = 128 << 10;
/// Time for so many octets: some hundred times what a linear reader takes.
const BAR: Duration = Duration::from_secs(2);

/// Runs a reader on the input, and every so often on as many repetitions of it as make it large.
pub fn stays_linear(data: &[u8], read: impl Fn(&[u8])) {
    read(data);
    // One input in 64: large ones cost more than all others.
    let mark = data.iter().fold(data.len(), |mark, octet| mark.wrapping_mul(31) + usize::from(*octet));
    if data.is_empty() || !mark.is_multiple_of(64) {
        return;
    }
    let large: Vec<u8> = data.iter().copied().cycle().take(OCTETS).collect();
    let before = processor_time();
    read(&large);
    // Pieces repeated behind one beginning reach deeper than the beginning repeated.
    let (beginning, rest) = data.split_at(data.len() / 2);
    let deep: Vec<u8> = beginning.iter().copied().chain(rest.iter().copied().cycle()).take(OCTETS).collect();
    read(&deep);
    if let (Some(before), Some(after)) = (before, processor_time()) {
        assert!(after - before < BAR, "{:?} for {OCTETS} octets twice", after - before);
    }
}

/// Processor time of this thread; `None` where the system does not tell it.
pub fn processor_time() -> Option<Duration> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    text.split(' ').next()?.parse().ok().map(Duration::from_nanos)
}
