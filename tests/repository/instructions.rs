//! The decision of `cargo bench --bench instructions -- check`, over made-up counts: a row past the
//! baseline is counted again, and one that the baseline lacks is not.

#[path = "../../benches/instructions/bounds.rs"]
mod bounds;

use bounds::{Rows, compare};

/// Rows of one count: key, whole and answer.
type Count<'c> = &'c [(&'c str, [u64; 2])];

const BASELINE: [(&str, [u64; 2]); 2] = [("plain", [1000, 500]), ("wild@million", [2000, 1000])];

fn rows(of: Count<'_>) -> Rows {
    of.iter().map(|(key, figures)| ((*key).to_owned(), *figures)).collect()
}

/// Compares counts, of which the first is of all rows. Returns the findings, and the words that
/// were counted again.
fn compared(counts: &[Count<'_>]) -> (Vec<String>, Vec<String>) {
    let (mut again, mut words) = (counts[1..].iter(), Vec::new());
    let result = compare(rows(counts[0]), &rows(&BASELINE), |asked| {
        words.push(asked.join(" "));
        rows(again.next().expect("no further count"))
    });
    assert_eq!(again.count(), 0, "counts that were not asked for");
    (result.err().unwrap_or_default(), words)
}

#[test]
fn rows_past_the_baseline_are_counted_again() {
    const KEPT: (&str, [u64; 2]) = ("wild@million", [2060, 1030]);
    let plain = |whole, answer| ("plain", [whole, answer]);
    let rows: [(&str, &[Count<'_>], &str); 6] = [
        ("within 3 %", &[&[plain(1030, 515), KEPT]], ""),
        ("the second count is within", &[&[plain(1031, 500), KEPT], &[plain(1030, 500)]], ""),
        ("the third is", &[&[plain(1099, 500), KEPT], &[plain(1031, 500)], &[plain(1000, 500)]], ""),
        ("each figure has its own least count", &[&[plain(1000, 516), KEPT], &[plain(1099, 515)]], ""),
        (
            "none is",
            &[&[plain(1040, 500), KEPT], &[plain(1031, 500)], &[plain(1050, 500)]],
            "plain, whole: 1031 instructions, 1000 in the baseline",
        ),
        (
            "a count without the row",
            &[&[plain(1000, 520), KEPT], &[], &[]],
            "plain, answer: 520 instructions, 500 in the baseline",
        ),
    ];
    for (what, counts, finding) in rows {
        let (findings, words) = compared(counts);
        assert_eq!(findings.join("\n"), finding, "{what}");
        assert_eq!(words, vec!["plain"; counts.len() - 1], "{what}");
    }
    // A kind is counted in every world, and once for both figures.
    let all = [plain(1040, 500), ("wild@million", [3000, 2000])];
    let (findings, words) = compared(&[&all, &[plain(1000, 500), ("wild@million", [2000, 1000])]]);
    assert_eq!((findings, words), (vec![], vec!["plain wild".to_owned()]));
}

#[test]
fn a_row_that_the_baseline_lacks_fails_at_once() {
    let (findings, words) = compared(&[&[("new", [10, 5]), ("plain", [1100, 500])]]);
    assert_eq!(findings, ["new: not in the baseline; `cargo bench --bench instructions -- write` adds it"]);
    assert!(words.is_empty(), "counted again: {words:?}");
}
