//! A drawing of load per PoP over time.

use std::fmt::Write as _;

/// One line per PoP: utilisation (0 to 2) for each second.
pub fn draw(title: &str, lines: &[Vec<f32>]) -> String {
    let (width, height) = (1_200.0, 600.0);
    let seconds = lines.iter().map(Vec::len).max().unwrap_or(1).max(2) as f32 - 1.0;
    let y = |load: f32| height - 40.0 - load.min(2.0) / 2.0 * (height - 80.0);
    let mut text = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" \
         font-family=\"sans-serif\" font-size=\"12\">\n<text x=\"40\" y=\"20\">{title}</text>\n"
    );
    for percent in [0, 50, 80, 100, 150, 200] {
        let at = y(percent as f32 / 100.0);
        let _ = writeln!(
            text,
            "<path d=\"M40 {at}H{}\" stroke=\"#ccc\"/><text x=\"4\" y=\"{at}\">{percent}%</text>",
            width - 20.0
        );
    }
    for minute in 0..=(seconds as u32 / 300) {
        let at = 40.0 + minute as f32 * 300.0 / seconds * (width - 60.0);
        let _ = writeln!(text, "<text x=\"{at}\" y=\"{}\">{} min</text>", height - 15.0, minute * 5);
    }
    for (pop, line) in lines.iter().enumerate() {
        let points: Vec<String> = (line.iter().enumerate().step_by(5))
            .map(|(second, load)| {
                format!("{:.1},{:.1}", 40.0 + second as f32 / seconds * (width - 60.0), y(*load))
            })
            .collect();
        let _ = writeln!(
            text,
            "<polyline fill=\"none\" stroke=\"hsl({},70%,45%)\" \
             points=\"{}\"><title>p{pop:02}</title></polyline>",
            pop * 360 / lines.len().max(1),
            points.join(" ")
        );
    }
    text + "</svg>\n"
}
