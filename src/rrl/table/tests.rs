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

/// Hash of a holder whose tag is not that of an empty word.
const HASH: u64 = 1 << 63 | 77;

/// Two words of one holder, which workers that meet can make, count as the first one does.
#[test]
fn a_second_word_of_a_holder_is_not_counted() {
    let (table, now, quiet) = (Table::default(), 9, 10);
    let word = |count: u64| head(holder(HASH, now)) << SECOND_SHIFT | count;
    let set = &table.0[HASH as usize % RRL_SETS].0;
    set[1].store(word(10), Ordering::Relaxed);
    set[2].store(word(1), Ordering::Relaxed);
    let counted = table.count_past(quiet, HASH, now, fresh);
    assert_eq!(counted, Some(Account { count: 11, is_busy: false }));
    assert_eq!(set[2].load(Ordering::Relaxed), word(1));
}

/// An account is passed over up to `quiet` answers, and counted as ever beyond, also when the
/// second wraps; a busy one is always returned.
#[test]
fn quiet_accounts_are_passed_over() {
    for now in [9, u32::MAX] {
        let table = Table::default();
        let counts: Vec<Option<u16>> =
            (0..5).map(|_| table.count_past(3, HASH, now, fresh).map(|account| account.count)).collect();
        assert_eq!(counts, [None, None, None, Some(4), Some(5)]);
        let later = now.wrapping_add(1);
        assert_eq!(table.count_past(3, HASH, later, fresh), None, "a second later");
        let busy = |_| Account { count: 0, is_busy: true };
        let last = later.wrapping_add(1);
        assert_eq!(table.count_past(3, HASH, last, busy), Some(Account { count: 1, is_busy: true }));
        assert_eq!(table.count_past(3, HASH, last, fresh), Some(Account { count: 2, is_busy: true }));
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
