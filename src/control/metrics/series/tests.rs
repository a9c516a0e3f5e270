//! Rows of the table of policies and PoPs.

use super::*;

fn row<'n>(pairs: &[(&'n str, u64)]) -> Row<'n> {
    pairs.iter().copied().collect()
}

/// A table that fits is shown whole, with names of earlier snapshots.
#[test]
fn a_table_that_fits_is_whole() {
    let possible = vec![("web", row(&[("fra", 0), ("iad", 0)]))];
    let counted = [("old", "ams", 2), ("web", "fra", 3), ("web", "gone", 4)];
    let rows = shown(possible, counted.into_iter(), &["fra", "iad"], 4);
    let expected = [("web", row(&[("fra", 3), ("gone", 4), ("iad", 0)])), ("old", row(&[("ams", 2)]))];
    assert_eq!(rows, expected);
}

/// Reasons of the first policies are shown each, then those of other policies while there is room,
/// and the rest together.
#[test]
fn reasons_past_the_limit_are_summed() {
    let (regular, cname) = (Reason::Regular, Reason::Cname);
    let counted =
        [("z", regular, 1), ("a", regular, 2), ("b", cname, 4), ("gone", regular, 8), (OTHER, cname, 16)];
    let sums = reasons(["z", "b", "a"].into_iter(), counted.into_iter(), 2);
    let expected = [
        (("b", cname.word()), 4),
        ((OTHER, cname.word()), 16),
        ((OTHER, regular.word()), 2 + 8),
        (("z", regular.word()), 1),
    ];
    assert_eq!(sums, expected.into_iter().collect());
    let roomy = reasons(["z", "b", "a"].into_iter(), counted.into_iter(), 4);
    assert_eq!((roomy[&("gone", regular.word())], roomy[&(OTHER, cname.word())]), (8, 16));
    assert!(!roomy.contains_key(&(OTHER, regular.word())));
}

/// Past the limit, the first rows that fit are shown, and no count is lost.
#[test]
fn rows_past_the_limit_are_summed() {
    let pops = ["fra", "iad"];
    let both = || row(&[("fra", 0), ("iad", 0)]);
    let possible = vec![("a", both()), ("b", both()), ("c", both()), ("d", row(&[("iad", 0)]))];
    let counted = [
        ("a", "fra", 1),
        ("b", "iad", 2),
        ("c", "fra", 4),
        ("d", "iad", 8),
        ("old", "gone", 16),
        (OTHER, "fra", 32),
    ];
    let rows = shown(possible, counted.into_iter(), &pops, 8);
    let expected = [
        ("a", row(&[("fra", 1), ("iad", 0)])),
        ("b", row(&[("fra", 0), ("iad", 2)])),
        ("d", row(&[("iad", 8)])),
        (OTHER, row(&[("fra", 4 + 32), ("iad", 0), (OTHER, 16)])),
    ];
    assert_eq!(rows, expected);
    assert!(rows.iter().map(|(_, row)| row.len()).sum::<usize>() <= 8);
}
