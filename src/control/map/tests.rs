//! Tests of `map`: the utilisation of a PoP.

use super::*;

/// The highest load of the feeds counts. A stale reading counts as none, because it would look like
/// a present one.
#[test]
fn stale_loads_are_no_utilisation() {
    let feed = |load, is_stale| FeedView { load, capacity: 200.0, is_stale, ..FeedView::default() };
    for (what, feeds, utilisation) in [
        ("no feed", vec![], None),
        ("no reading", vec![feed(None, false)], None),
        ("one reading", vec![feed(Some(50.0), false)], Some(0.25)),
        ("the highest", vec![feed(Some(50.0), false), feed(Some(150.0), false)], Some(0.75)),
        ("a stale one", vec![feed(Some(150.0), true)], None),
        (
            "a stale one beside a fresh one",
            vec![feed(Some(150.0), true), feed(Some(50.0), false)],
            Some(0.25),
        ),
    ] {
        assert_eq!(super::utilisation(&feeds), utilisation, "{what}");
    }
}
