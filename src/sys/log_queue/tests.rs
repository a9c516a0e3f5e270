//! Tests of `log_queue`: outputs that block, fail and recover.

use super::*;
use std::sync::Mutex;
use std::sync::mpsc::Sender;

const PATIENCE: Duration = Duration::from_secs(10);

fn lost(number: u64) -> Vec<u8> {
    format!("lost {number}\n").into_bytes()
}

/// An output whose writes wait for a permit, and fail on an `Err`.
struct Gated {
    permits: Receiver<io::Result<()>>,
    written: Arc<Mutex<String>>,
}

impl Write for Gated {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        self.permits.recv().unwrap_or(Ok(()))?;
        self.written.lock().unwrap().push_str(std::str::from_utf8(octets).unwrap());
        Ok(octets.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn gated() -> (LogQueue, Sender<io::Result<()>>, Arc<Mutex<String>>) {
    let (permit, permits) = std::sync::mpsc::channel();
    let written = Arc::default();
    let output = Gated { permits, written: Arc::clone(&written) };
    (LogQueue::start("test", output, lost).unwrap(), permit, written)
}

/// A blocked output does not delay its callers; lines without room are counted and reported.
#[test]
fn a_blocked_output_blocks_nobody() {
    let (queue, permit, written) = gated();
    for number in 0..LOG_QUEUE + 100 {
        queue.line(format!("{number}\n").into_bytes());
    }
    // The output may already have one line.
    let dropped = queue.dropped().load(Ordering::Relaxed);
    assert!((99..=100).contains(&dropped), "{dropped}");
    assert!(!queue.flush(Duration::ZERO));
    drop(permit);
    assert!(queue.flush(PATIENCE));
    queue.line(b"last\n".to_vec());
    assert!(queue.flush(PATIENCE));
    let text = written.lock().unwrap().clone();
    let (reports, lines): (Vec<&str>, Vec<&str>) = text.lines().partition(|line| line.starts_with("lost "));
    let reported = reports.iter().map(|line| line["lost ".len()..].parse::<u64>().unwrap());
    assert_eq!(reported.sum::<u64>(), dropped);
    let mut expected: Vec<String> = (0..lines.len() - 1).map(|number| number.to_string()).collect();
    expected.push("last".to_owned());
    assert_eq!(lines, expected);
}

/// A closed or full output loses lines, but does not stop the program.
#[test]
fn a_failing_output_is_counted() {
    let (queue, permit, written) = gated();
    permit.send(Err(io::ErrorKind::BrokenPipe.into())).unwrap();
    permit.send(Err(io::ErrorKind::StorageFull.into())).unwrap();
    drop(permit);
    queue.line(b"one\n".to_vec());
    queue.line(b"two\n".to_vec());
    queue.line(b"three\n".to_vec());
    assert!(queue.flush(PATIENCE));
    assert_eq!(queue.dropped().load(Ordering::Relaxed), 1);
    // A failed write may have left half a line, so the next write begins a new one.
    assert_eq!(*written.lock().unwrap(), "\ntwo\nlost 1\nthree\n");
}

/// Lines have a length limit.
#[test]
fn long_lines_are_cut() {
    let (queue, permit, written) = gated();
    drop(permit);
    queue.line(vec![b'x'; 2 * LOG_LINE_OCTETS_MAX]);
    assert!(queue.flush(PATIENCE));
    let text = written.lock().unwrap().clone();
    assert!(text.len() == LOG_LINE_OCTETS_MAX && text.ends_with("x...\n"));
}
