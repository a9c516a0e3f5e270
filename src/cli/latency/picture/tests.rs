//! The picture of a few pairs, and of none.

use super::*;

/// Each pair is a dot up to the bound, both penalties have a curve, and no number is missing.
#[test]
fn a_picture_has_what_was_measured() {
    let pairs: Vec<(f32, f32)> = (1..=9_000).map(|n| (n as f32 / 10.0, n as f32 / 9.0)).collect();
    let by_latency: Vec<f32> = (0..100).map(|n| n as f32 / 10.0).collect();
    let by_distance: Vec<f32> = (0..100).map(|n| n as f32).collect();
    let text = svg(&Quality { pairs, by_latency, by_distance });
    let dots = text.matches("<circle").count();
    assert!((2_000..=DOTS_MAX).contains(&dots), "{dots}");
    for words in
        ["9000 pairs", "by estimate: mean 5.0 ms", "nearest PoP: mean 49.5 ms", "prefers-color-scheme"]
    {
        assert!(text.contains(words), "no {words:?} in\n{text}");
    }
    let nothing = svg(&Quality::default());
    assert!(!nothing.contains("NaN") && !nothing.contains("inf"), "{nothing}");
}
