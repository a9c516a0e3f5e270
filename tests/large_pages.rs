//! Tables that stay are asked to stand in large pages; what a load allocates on its way is not.

#![cfg(target_os = "linux")]

use meridian::sys::memory::{Allocator, Passing};

#[global_allocator]
static ALLOCATOR: Allocator = Allocator;

/// Whether large pages were asked for where these octets stand (proc(5), `hg` among `VmFlags`).
fn is_asked(octets: &[u8]) -> bool {
    let at = octets.as_ptr().addr() + octets.len() / 2;
    let text = std::fs::read_to_string("/proc/self/smaps").expect("the kernel tells");
    let mut is_here = false;
    for line in text.lines() {
        let first = line.split(' ').next().unwrap_or_default();
        if let Some((from, to)) = first.split_once('-') {
            let number = |text: &str| usize::from_str_radix(text, 16).expect("an address");
            is_here = (number(from)..number(to)).contains(&at);
        } else if is_here && first == "VmFlags:" {
            return line.split(' ').any(|flag| flag == "hg");
        }
    }
    panic!("no memory holds {at:x}");
}

#[test]
fn what_stays_stands_in_large_pages() {
    if !std::path::Path::new("/sys/kernel/mm/transparent_hugepage").exists() {
        println!("skipped: this kernel has no transparent large pages");
        return;
    }
    let some = || vec![1; 8 << 20];
    let before = some();
    let (outer, first) = (Passing::begin(), some());
    let inner = Passing::begin();
    drop(outer);
    let second = some();
    assert_eq!([&before, &first, &second].map(|octets| is_asked(octets)), [true, false, false]);
    drop(inner);
    // Freed, they do not lend their small pages to what stays.
    drop((first, second));
    assert!(is_asked(&some()));
}
