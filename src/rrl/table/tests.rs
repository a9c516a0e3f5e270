//! Tests of `table`.

use super::*;

const EMPTY: Account = Account { count: 0, is_busy: false };

fn fresh(_: Account) -> Account {
    EMPTY
}

#[test]
fn an_account_counts_one_second() {
    let table = Table::default();
    let counts = [5, 5, 5, 6, 6, 5].map(|now| table.count(77, now, fresh).count);
    assert_eq!(counts, [1, 2, 3, 1, 2, 1], "a clock that steps back begins a second too");
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

#[test]
fn threads_count_together() {
    let table = Table::default();
    table.count(77, 9, fresh);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| (0..5_000).for_each(|_| _ = table.count(77, 9, fresh)));
        }
    });
    assert_eq!(table.count(77, 9, fresh).count, 20_002);
}
