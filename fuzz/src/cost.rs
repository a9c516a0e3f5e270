//! What reading costs: a reader that is linear stays far below the bar, one that is quadratic
//! passes it. The bar is in processor time of this thread, so a busy machine passes none.

/// Octets that an input is made to by repetition.
const OCTETS: usize = 128 << 10;
/// Milliseconds for so many octets: some hundred times what a linear reader takes.
const BAR_MS: u64 = 2_000;

/// Runs a reader on the input, and every so often on as many repetitions of it as make it large.
pub fn stays_linear(data: &[u8], read: impl Fn(&[u8])) {
    read(data);
    // One input in 64: large ones cost more than all others.
    let mark = data.iter().fold(data.len(), |mark, octet| mark.wrapping_mul(31) + usize::from(*octet));
    if data.is_empty() || !mark.is_multiple_of(64) {
        return;
    }
    let large: Vec<u8> = data.iter().copied().cycle().take(OCTETS).collect();
    let before = processor_ms();
    read(&large);
    // Pieces repeated behind one beginning reach deeper than the beginning repeated.
    let (beginning, rest) = data.split_at(data.len() / 2);
    let deep: Vec<u8> = beginning.iter().copied().chain(rest.iter().copied().cycle()).take(OCTETS).collect();
    read(&deep);
    if let (Some(before), Some(after)) = (before, processor_ms()) {
        assert!(after - before < BAR_MS, "{} ms for {OCTETS} octets twice", after - before);
    }
}

/// Processor time of this thread; `None` where the system does not tell it.
fn processor_ms() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    text.split(' ').next()?.parse::<u64>().ok().map(|nanos| nanos / 1_000_000)
}
