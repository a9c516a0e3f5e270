//! Progress by a clock of the test.

use super::*;

fn part(done: u64, all: Option<u64>, secs: u64) -> Part {
    Part { noun: "rows", done, all, age: Duration::from_secs(secs) }
}

/// A terminal gets nothing within two seconds, then a bar that is drawn anew, at most four times a
/// second, and cleared at the end.
#[test]
fn a_terminal_gets_a_bar() {
    let mut painter = Painter::new(true);
    let millis = Duration::from_millis;
    assert_eq!(painter.draw(millis(1_999), &part(10, Some(40), 2)), None);
    let bar = painter.draw(millis(2_000), &part(10, Some(40), 2));
    let expected = "\r\x1b[K[######------------------] rows: 10 of 40 (25 %), 5 a second";
    assert_eq!(bar.as_deref(), Some(expected));
    assert_eq!(painter.draw(millis(2_249), &part(11, Some(40), 2)), None);
    let bar = painter.draw(millis(2_250), &part(40, Some(40), 2)).expect("it is time");
    assert!(bar.contains("[########################] rows: 40 of 40 (100 %)"), "{bar:?}");
    let of_unknown = painter.draw(millis(3_000), &part(12, None, 3)).expect("it is time");
    assert_eq!(of_unknown, "\r\x1b[Krows: 12, 4 a second");
    assert_eq!(painter.end().as_deref(), Some("\r\x1b[K"));
    assert_eq!(painter.end(), None);
}

/// Anything else gets whole lines without control characters, at most one in ten seconds.
#[test]
fn a_file_gets_lines() {
    let mut painter = Painter::new(false);
    let mut lines = String::new();
    for secs in 0..=35 {
        lines.extend(painter.draw(Duration::from_secs(secs), &part(secs * 2, Some(80), secs)));
    }
    let expected = "rows: 20 of 80 (25 %), 2 a second\nrows: 40 of 80 (50 %), 2 a second\n\
                    rows: 60 of 80 (75 %), 2 a second\n";
    assert_eq!(lines, expected);
    assert_eq!(painter.end(), None);
}

/// Short work prints nothing at all.
#[test]
fn short_work_is_silent() {
    for is_terminal in [true, false] {
        let mut painter = Painter::new(is_terminal);
        for millis in 0..2_000 {
            assert_eq!(painter.draw(Duration::from_millis(millis), &part(millis, Some(9), 1)), None);
        }
        assert_eq!(painter.end(), None);
    }
}

/// The result of the work is passed on, and its counts are seen beside it.
#[test]
fn work_is_watched() {
    let watch = Watch::default();
    watch.enter("checking");
    let done = beside(&watch, || {
        watch.each(5, &|number| {
            let part = watch.part();
            assert!((part.noun, part.all) == ("checking", Some(5)) && part.done < 5, "{number}: {part:?}");
        });
        watch.part()
    });
    // Behind the loop there is nothing to count.
    assert_eq!((done.noun, done.done, done.all), ("checking", 0, None));
    watch.enter("compiling");
    assert_eq!((watch.part().noun, watch.part().done, watch.part().all), ("compiling", 0, None));
}
