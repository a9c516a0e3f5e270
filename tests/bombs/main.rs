//! Bombs: files that are small on the disk, and large or slow once they are read. Each is a finding
//! at its place, within the budget of a load.
//!
//! Memory is counted by the allocator: no more than the budget, what it lends to one text, what the
//! files themselves may make, and 64 MiB. Time is counted as work, by that budget; the clock is
//! only asked whether a load has hung, with a bound that no busy machine reaches unless something
//! is quadratic.
#![allow(unsafe_code)] // an allocator is unsafe by its signature; this one only counts and passes on

mod zone_text;

use meridian::testing::budget::Budget;
use meridian::testing::config::{ReadResult, Sources, read_deployment};
use meridian::testing::finding::Severity;
use std::alloc::{GlobalAlloc, Layout, System};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};
use support::Tree;

/// Octets that a load may hold beyond its budget.
const SLACK: usize = 64 << 20;
/// Octets that each octet of a text may make.
const GRANTED: usize = 64;
/// Parts of the budget, of which one is lent.
const LENT_PARTS: usize = 4;
/// A load that takes longer hangs.
const HANGS: Duration = Duration::from_secs(60);

struct Counting;

static NOW: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);
/// One load at a time: what is counted is of the whole program.
static ALONE: Mutex<()> = Mutex::new(());

fn grown(octets: usize) {
    let now = NOW.fetch_add(octets, Ordering::Relaxed) + octets;
    PEAK.fetch_max(now, Ordering::Relaxed);
}

// SAFETY: every call goes to the system's allocator with the arguments as they came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        grown(layout.size());
        // SAFETY: the caller's promise is passed on.
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        NOW.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller's promise is passed on.
        unsafe { System.dealloc(at, layout) }
    }
    unsafe fn realloc(&self, at: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // Both may stand at the same time.
        grown(size);
        NOW.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller's promise is passed on.
        unsafe { System.realloc(at, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Files of a deployment beside the sample's, and what comes of reading them.
struct Bomb {
    /// What it is.
    name: &'static str,
    /// Path and text.
    files: Vec<(String, Vec<u8>)>,
    /// The finding that ends it, and where; `None` if all of it is read, in linear time.
    told: Option<(&'static str, &'static str)>,
}

/// Reads the sample with a bomb in it, and holds memory and time to their bounds.
fn load(bomb: &Bomb) -> ReadResult {
    load_by(bomb, |tree| tree)
}

/// [`load`] from files that are read otherwise.
fn load_by<S: Sources>(bomb: &Bomb, sources: impl Fn(Tree) -> S) -> ReadResult {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let mut tree = Tree::sample();
    for (path, text) in &bomb.files {
        tree = tree.with(path, text.clone());
    }
    let tree = sources(tree);
    let written: usize = bomb.files.iter().map(|(_, text)| text.len()).sum();
    // Texts are read into memory, and may make what plain text makes.
    let budget = Budget::default().octets_left() as usize;
    let bound = budget + budget / LENT_PARTS + written * (GRANTED + 1) + SLACK;
    PEAK.store(NOW.load(Ordering::Relaxed), Ordering::Relaxed);
    let (held, begun) = (NOW.load(Ordering::Relaxed), Instant::now());
    let read = read_deployment(Path::new("meridian.yaml"), &tree);
    let (peak, took) = (PEAK.load(Ordering::Relaxed) - held, begun.elapsed());
    println!("{}: {written} octets, peak {} MiB, {:.2} s", bomb.name, peak >> 20, took.as_secs_f64());
    assert!(peak <= bound, "{}: {} MiB, past {} MiB", bomb.name, peak >> 20, bound >> 20);
    assert!(took < HANGS, "{}: {took:?}", bomb.name);
    read
}

/// Reads a bomb and compares what is told.
fn check(bomb: &Bomb) {
    let read = load(bomb);
    let errors: Vec<(&str, String)> = read
        .findings
        .iter()
        .filter(|finding| finding.severity == Severity::Error)
        .map(|finding| (finding.code.id, finding.at.map(|at| read.files.place(at)).unwrap_or_default()))
        .collect();
    match bomb.told {
        None => assert_eq!(errors, [], "{}", bomb.name),
        Some((code, place)) => {
            assert_eq!(errors.first(), Some(&(code, place.to_owned())), "{}: {errors:?}", bomb.name);
            let elsewhere = errors.iter().find(|(_, at)| at.split(':').next() != place.split(':').next());
            assert_eq!(elsewhere, None, "{}", bomb.name);
        }
    }
}
