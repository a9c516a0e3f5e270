//! Tables that stay are asked to stand in large pages; what a reload allocates on its way is not.

use meridian::testing::sys::memory::{Passing, keep_large_apart};

/// Whether large pages were asked for at an address (proc(5), `hg` among `VmFlags`); `None` where
/// there is no memory.
fn is_asked(at: usize) -> Option<bool> {
    let text = std::fs::read_to_string("/proc/self/smaps").expect("the kernel tells");
    let mut is_here = false;
    for line in text.lines() {
        let first = line.split(' ').next().unwrap_or_default();
        if let Some((from, to)) = first.split_once('-') {
            let number = |text: &str| usize::from_str_radix(text, 16).expect("an address");
            is_here = (number(from)..number(to)).contains(&at);
        } else if is_here && first == "VmFlags:" {
            return Some(line.split(' ').any(|flag| flag == "hg"));
        }
    }
    None
}

/// Some octets of a table, and an address in its middle.
fn table() -> (Vec<u8>, usize) {
    let octets = vec![1; 8 << 20];
    let middle = octets.as_ptr().addr() + octets.len() / 2;
    (octets, middle)
}

#[test]
fn what_stays_stands_in_large_pages() {
    if !std::path::Path::new("/sys/kernel/mm/transparent_hugepage").exists() {
        println!("skipped: this kernel has no transparent large pages");
        return;
    }
    keep_large_apart();
    let (_before, before) = table();
    let (outer, (first, passing)) = (Passing::begin(), table());
    let inner = Passing::begin();
    drop(outer);
    let (_second, still_passing) = table();
    assert_eq!([before, passing, still_passing].map(is_asked), [Some(true), Some(false), Some(false)]);
    let (_third, elsewhere) = std::thread::spawn(table).join().expect("a thread");
    assert_eq!(is_asked(elsewhere), Some(true), "another thread's may stay");
    drop(inner);
    let (_fourth, after) = table();
    assert_eq!(is_asked(after), Some(true));
    // Freed, it does not lend its small pages to what stays; also the second time, when the C
    // library alone would keep it.
    drop(first);
    assert_eq!(is_asked(passing), None);
    let (again, passing) = table();
    drop(again);
    assert_eq!(is_asked(passing), None);
}
