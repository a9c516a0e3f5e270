//! A hundred SIGHUPs while clients ask without a pause: no query is lost, every answer is one that
//! the files of that moment or of the moment before would give.

use crate::databases::addresses;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};
use support::deployment::*;
use support::program::until;

const SIGHUPS: u32 = 100;
const CLIENTS: usize = 3;

#[test]
fn nothing_is_lost_and_nothing_is_wrong() {
    let sample = Deployment::sample(&["127.0.0.1:0"]);
    let served = sample.serve(&[]);
    let socket = client(served.dns);
    let with_iad = addresses(&socket, served.dns, 1);
    let switch = |to: &str| {
        sample.edit("pops.yaml", |text| {
            let (head, tail) = text.split_once("\n  iad:").expect("the sample has iad");
            let (name, rest) = tail.split_once('\n').expect("lines");
            let rest = rest.strip_prefix("    state: down\n").unwrap_or(rest);
            let state = if to == "down" { "    state: down\n" } else { "" };
            format!("{head}\n  iad:{name}\n{state}{rest}")
        });
    };
    switch("down");
    served.process.signal("HUP");
    let without_iad = until("an effect of the first SIGHUP", PATIENCE, || {
        Some(addresses(&socket, served.dns, 2)).filter(|now| *now != with_iad)
    });
    assert!(!without_iad.is_empty() && without_iad.is_disjoint(&with_iad));

    let (stop, asked, dns) = (AtomicBool::new(false), AtomicU64::new(0), served.dns);
    let mut slowest = Duration::ZERO;
    std::thread::scope(|scope| {
        for _ in 0..CLIENTS {
            scope.spawn(|| {
                // Whatever ends this client, the others must not wait for it.
                let _bell = Bell(&stop);
                let socket = client(dns);
                let mut id = 0u16;
                while !stop.load(Ordering::Relaxed) {
                    id = id.wrapping_add(1);
                    let now = addresses(&socket, dns, id);
                    assert!(now == with_iad || now == without_iad, "a wrong answer: {now:?}");
                    asked.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        let _bell = Bell(&stop);
        let mut expected = &with_iad;
        for _ in 0..SIGHUPS {
            switch(if expected == &with_iad { "auto" } else { "down" });
            let begun = Instant::now();
            served.process.signal("HUP");
            // The next SIGHUP goes out when this one is seen to have worked.
            while addresses(&socket, dns, 3) != *expected {
                assert!(begun.elapsed() < PATIENCE, "a SIGHUP had no effect");
                assert!(!stop.load(Ordering::Relaxed), "a client failed");
            }
            slowest = slowest.max(begun.elapsed());
            expected = if expected == &with_iad { &without_iad } else { &with_iad };
        }
    });
    println!("{SIGHUPS} SIGHUPs, {} queries, slowest change {slowest:?}", asked.load(Ordering::Relaxed));
    assert!(asked.load(Ordering::Relaxed) > u64::from(SIGHUPS), "clients asked while files changed");
}

/// Stops all clients when dropped, also by a panic.
struct Bell<'a>(&'a AtomicBool);

impl Drop for Bell<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}
