//! Several runners of one task.

use super::*;
use crate::answer::Transport;

/// A listener that hangs or has ended is reported, even if another one runs well.
#[test]
fn no_runner_hides_behind_another() {
    let board = TaskBoard::new(0);
    let [first, second] =
        [board.enter(Task::Stream(Transport::Tcp)), board.enter(Task::Stream(Transport::Tcp))];
    first.beat(1_000);
    second.beat(1_000);
    let age = |now_ms| {
        board.ages(now_ms).find(|(task, _)| *task == Task::Stream(Transport::Tcp)).map(|(_, age_ms)| age_ms)
    };
    for now_ms in [2_000, 60_000] {
        second.beat(now_ms);
        assert_eq!(age(now_ms), Some(now_ms - 1_000));
    }
    let alarms = || {
        let alarms = board.alarms(60_000, 30_000).into_iter();
        alarms.map(|alarm| (alarm.key, alarm.sentence, alarm.age_ms)).collect::<Vec<_>>()
    };
    assert_eq!(
        alarms(),
        [(
            AlarmKey::TaskStill(Task::Stream(Transport::Tcp)),
            "the task `tcp` has not moved for 59 s".to_owned(),
            59_000
        )]
    );
    first.beat(60_000);
    assert_eq!(alarms(), []);
    first.ended("it has ended".to_owned(), 50_000);
    second.ended("another has".to_owned(), 55_000);
    second.is_well();
    assert_eq!(
        alarms(),
        [(AlarmKey::TaskEnded(Task::Stream(Transport::Tcp)), "it has ended".to_owned(), 10_000)]
    );
    assert_eq!(board.ends(Task::Stream(Transport::Tcp)), 2);
    first.is_well();
    assert_eq!(alarms(), []);
}

/// Every caller gets the same runner of a task that has one.
#[test]
fn a_task_of_one_runner_has_one_row() {
    let board = TaskBoard::new(0);
    board.runner(Task::Writer).beat(5);
    board.runner(Task::Writer).beat(7);
    assert_eq!(board.ages(7).collect::<Vec<_>>(), [(Task::Writer, 0)]);
}
