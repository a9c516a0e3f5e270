//! Picture of the quality of a map, as SVG: estimated against measured RTTs, and the distribution
//! of the penalty. Its colours follow the scheme of the reader, light or dark.

use crate::latency::quality::Quality;
use std::fmt::Write as _;

/// Dots of the left panel: more would hide each other.
const DOTS_MAX: usize = 4_000;
/// Points of a curve of the right panel.
const POINTS: usize = 200;
/// Edge of a panel, and its left and upper margin.
const EDGE: f64 = 320.0;
const LEFT: f64 = 56.0;
const TOP: f64 = 64.0;
/// Distance between the left edges of both panels.
const STEP: f64 = 420.0;

/// Plain colours, because some renderers know no variables of CSS.
const STYLE: &str = "\
svg { color-scheme: light dark }
text { fill: #1f2328; font: 13px sans-serif }
.ground { fill: #ffffff }
.title { font-weight: bold; font-size: 15px }
.grid { stroke: #d0d7de; fill: none }
.equal { stroke: #1f2328; stroke-dasharray: 2 4; fill: none }
.dot { fill: #0969da; fill-opacity: .35 }
.ours { stroke: #0969da; stroke-width: 2.5; fill: none }
.other { stroke: #bc4c00; stroke-width: 2.5; stroke-dasharray: 7 4; fill: none }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3 }
  .ground { fill: #0d1117 }
  .grid { stroke: #3d444d }
  .equal { stroke: #e6edf3 }
  .dot { fill: #58a6ff }
  .ours { stroke: #58a6ff }
  .other { stroke: #f0883e }
}
";

/// The picture. `quality` is sorted.
pub(super) fn svg(quality: &Quality) -> String {
    let (width, height) = (LEFT + STEP + EDGE + 30.0, TOP + EDGE + 60.0);
    let mut text = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" role=\"img\">\n\
         <title>Quality of a latency map</title>\n<style>\n{STYLE}</style>\n\
         <rect class=\"ground\" width=\"{width}\" height=\"{height}\"/>\n"
    );
    dots(quality, &mut text);
    curves(quality, &mut text);
    text.push_str("</svg>\n");
    text
}

/// Writes an element of text. Writing to a string cannot fail.
fn label(out: &mut String, x: f64, y: f64, anchor: &str, words: &str) {
    let _ = writeln!(out, "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\">{words}</text>");
}

fn title(out: &mut String, x: f64, words: &str, below: &str) {
    let _ = writeln!(out, "<text class=\"title\" x=\"{x:.1}\" y=\"26\">{words}</text>");
    label(out, x, 46.0, "start", below);
}

fn line(out: &mut String, class: &str, points: &[(f64, f64)]) {
    let points: Vec<String> = points.iter().map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
    let _ = writeln!(out, "<polyline class=\"{class}\" points=\"{}\"/>", points.join(" "));
}

/// The left panel: each dot is a network and a PoP, on logarithmic axes.
fn dots(quality: &Quality, out: &mut String) {
    let most = (quality.pairs.iter()).map(|(a, b)| a.max(*b)).fold(100.0_f32, f32::max);
    let (low, high) = (0.0, libm::log10(f64::from(most)));
    let along = |ms: f64| (libm::log10(ms.max(1.0)) - low) / (high - low) * EDGE;
    let (x, y) = (|ms: f64| LEFT + along(ms), |ms: f64| TOP + EDGE - along(ms));
    let mut errors: Vec<f32> = quality.pairs.iter().map(|(a, b)| (a - b).abs()).collect();
    errors.sort_unstable_by(f32::total_cmp);
    let median = errors.get(errors.len() / 2).copied().unwrap_or_default();
    let below = format!("{} pairs of network and PoP, median error {median:.1} ms", quality.pairs.len());
    title(out, LEFT, "Estimate without own samples", &below);
    for ms in
        [1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1000.0, 3000.0].into_iter().filter(|ms| *ms <= f64::from(most))
    {
        line(out, "grid", &[(x(ms), TOP), (x(ms), TOP + EDGE)]);
        line(out, "grid", &[(LEFT, y(ms)), (LEFT + EDGE, y(ms))]);
        label(out, x(ms), TOP + EDGE + 18.0, "middle", &format!("{ms}"));
        label(out, LEFT - 6.0, y(ms) + 4.0, "end", &format!("{ms}"));
    }
    line(out, "equal", &[(LEFT, TOP + EDGE), (LEFT + EDGE, TOP)]);
    for (measured, estimated) in quality.pairs.iter().step_by(quality.pairs.len().div_ceil(DOTS_MAX).max(1)) {
        let (at_x, at_y) = (x(f64::from(*measured)), y(f64::from(*estimated)));
        let _ = writeln!(out, "<circle class=\"dot\" cx=\"{at_x:.1}\" cy=\"{at_y:.1}\" r=\"2\"/>");
    }
    label(out, LEFT + EDGE / 2.0, TOP + EDGE + 40.0, "middle", "measured, ms");
    let (turn_x, turn_y) = (16.0, TOP + EDGE / 2.0);
    let _ = writeln!(
        out,
        "<text x=\"{turn_x}\" y=\"{turn_y}\" text-anchor=\"middle\" transform=\"rotate(-90 {turn_x} \
         {turn_y})\">estimated, ms</text>"
    );
}

/// The right panel: the share of networks up to each penalty.
fn curves(quality: &Quality, out: &mut String) {
    let left = LEFT + STEP;
    let both = [&quality.by_latency, &quality.by_distance];
    let p98 = |list: &[f32]| list.get(list.len() * 98 / 100).copied().unwrap_or_default();
    let most = both.iter().map(|list| p98(list)).fold(10.0_f32, f32::max);
    let step = [2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0]
        .into_iter()
        .find(|step| step * 6.0 >= f64::from(most))
        .unwrap_or(1000.0);
    let most = (f64::from(most) / step).ceil() * step;
    let (x, y) = (|ms: f64| left + ms / most * EDGE, |share: f64| TOP + EDGE * (1.0 - share));
    let below = format!("{} networks that measured two PoPs or more", quality.by_latency.len());
    title(out, left, "Penalty over the fastest measured PoP", &below);
    for percent in [0, 25, 50, 75, 100] {
        let at = y(f64::from(percent) / 100.0);
        line(out, "grid", &[(left, at), (left + EDGE, at)]);
        label(out, left - 6.0, at + 4.0, "end", &format!("{percent} %"));
    }
    let mut ms = 0.0;
    while ms <= most {
        line(out, "grid", &[(x(ms), TOP), (x(ms), TOP + EDGE)]);
        label(out, x(ms), TOP + EDGE + 18.0, "middle", &format!("{ms}"));
        ms += step;
    }
    label(out, left + EDGE / 2.0, TOP + EDGE + 40.0, "middle", "penalty at most, ms");
    for (list, class, words, at) in
        [(both[1], "other", "nearest PoP", 44.0), (both[0], "ours", "by estimate", 20.0)]
    {
        let share = |ms: f64| {
            list.partition_point(|penalty| f64::from(*penalty) <= ms) as f64 / list.len().max(1) as f64
        };
        let points: Vec<(f64, f64)> = (0..=POINTS)
            .map(|point| most * point as f64 / POINTS as f64)
            .map(|ms| (x(ms), y(share(ms))))
            .collect();
        line(out, class, &points);
        let mean = list.iter().map(|ms| f64::from(*ms)).sum::<f64>() / list.len().max(1) as f64;
        let height = TOP + EDGE - at;
        line(out, class, &[(left + 110.0, height - 4.0), (left + 140.0, height - 4.0)]);
        label(out, left + 148.0, height, "start", &format!("{words}: mean {mean:.1} ms"));
    }
}

#[cfg(test)]
mod tests;
