//! Tests of `table`.

use super::*;
use std::sync::atomic::AtomicU32;

const EMPTY: Account = Account { count: 0, is_busy: false };

fn fresh(_: Account) -> Account {
    EMPTY
}

#[test]
fn an_account_counts_one_second() {
    let table = Table::default();
    let counts = [5, 5, 5, 6, 6, 4, 7].map(|now| table.count(77, now, fresh).count);
    assert_eq!(counts, [1, 2, 3, 1, 2, 1, 1], "a clock that steps back begins a second too");
}

#[test]
fn a_new_second_is_made_from_the_last() {
    let table = Table::default();
    (0..7).for_each(|_| _ = table.count(77, u32::MAX, fresh));
    let account = table.count(77, 2, |last| {
        assert_eq!(last.count, 7);
        Account { count: 10, is_busy: true }
    });
    assert_eq!(account, Account { count: 11, is_busy: true });
    assert_eq!(table.count(77, 2, fresh), Account { count: 12, is_busy: true });
}

#[test]
fn counts_do_not_overflow() {
    let table = Table::default();
    (0..70_000).for_each(|_| _ = table.count(77, 9, fresh));
    assert_eq!(table.count(77, 9, fresh), Account { count: COUNT_MAX + 1, is_busy: false });
}

/// Many holders of one set push out old and light accounts, not the heavy one.
#[test]
fn a_heavy_account_stays() {
    let table = Table::default();
    let hash = |tag: u64| tag << TAG_SHIFT | 3;
    (0..100).for_each(|_| _ = table.count(hash(1), 9, fresh));
    for stranger in 2..1000 {
        table.count(hash(stranger), 9, fresh);
    }
    assert_eq!(table.count(hash(1), 9, fresh).count, 101);
    for stranger in 1000..1010 {
        table.count(hash(stranger), 10, fresh);
    }
    assert_eq!(table.count(hash(1), 10, |last| last).count, 1, "the last second is old");
}

/// Two workers with different seconds share the account of the later one.
#[test]
fn a_worker_that_is_a_second_behind_counts_for_the_others() {
    for seconds in [[100, 101], [u32::MAX, 0]] {
        let table = Table::default();
        let counts: Vec<u16> =
            seconds.into_iter().cycle().take(200).map(|now| table.count(1 << 63, now, fresh).count).collect();
        let expected: Vec<u16> = [1].into_iter().chain(1..200).collect();
        assert_eq!(counts, expected, "{seconds:?}");
    }
}

/// In every second, and from the first answer on, no two threads get the same count.
#[test]
fn threads_count_together() {
    const THREADS: usize = 2;
    const ANSWERS: usize = 100;
    let (table, begun) = (Table::default(), AtomicU32::new(0));
    let count = |second: u32| {
        begun.fetch_add(1, Ordering::Relaxed);
        // Both begin the second within nanoseconds, so that they meet in the table.
        let mut spins = 0u32;
        while begun.load(Ordering::Relaxed) < (second - 1) * THREADS as u32 {
            spins += 1;
            if spins.is_multiple_of(5_000) { std::thread::yield_now() } else { std::hint::spin_loop() }
        }
        [(); ANSWERS].map(|()| table.count(77, second, fresh).count)
    };
    let worker = || (2..5_000).map(count).collect::<Vec<_>>();
    let counts = std::thread::scope(|scope| {
        let threads = [(); THREADS].map(|()| scope.spawn(worker));
        threads.map(|thread| thread.join().expect("a thread that counts"))
    });
    for second in 0..counts[0].len() {
        let mut of_second: Vec<u16> = counts.iter().flat_map(|thread| thread[second]).collect();
        of_second.sort_unstable();
        assert!(of_second.iter().copied().eq(1..=(THREADS * ANSWERS) as u16), "{second}: {of_second:?}");
    }
}
