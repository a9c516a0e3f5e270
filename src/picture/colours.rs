//! Fills that colour-blind readers tell apart: seven colours of Okabe and Ito (2008), then the same
//! colours with patterns. Numbers stand beside every fill, so that a print in grey is readable too.

use std::fmt::Write as _;

/// Orange, sky blue, bluish green, yellow, blue, vermilion, reddish purple.
const COLOURS: [&str; 7] = ["#e69f00", "#56b4e9", "#009e73", "#f0e442", "#0072b2", "#d55e00", "#cc79a7"];

/// Marks over the colour, for the second, third, fourth and fifth use of the colours.
const MARKS: [&str; 4] = [
    r##"<path d="M-1 3l4-4M-1 11l12-12M5 13l8-8" stroke="#fff" stroke-width="2"/>"##,
    r##"<circle cx="3" cy="3" r="1.6" fill="#fff"/><circle cx="8" cy="8" r="1.6" fill="#fff"/>"##,
    r##"<path d="M0 3h10M0 8h10" stroke="#222" stroke-width="1.2"/>"##,
    r##"<path d="M0 5h10M5 0v10" stroke="#222" stroke-width="1"/>"##,
];

/// Fill of countries without an answer.
pub(crate) const NOTHING: &str = "#c8c8c8";

/// Fill of a number from 1 on, as the value of `fill`. Numbers past 35 begin anew.
pub(crate) fn fill(number: usize) -> String {
    match mark(number) {
        None => colour(number).to_owned(),
        Some(_) => format!("url(#f{number})"),
    }
}

/// Definition of the pattern of a number, if its fill has one.
pub(crate) fn pattern(number: usize) -> Option<String> {
    let mut text = String::new();
    let (colour, mark) = (colour(number), mark(number)?);
    let _ = write!(text, r#"<pattern id="f{number}" width="10" height="10" patternUnits="userSpaceOnUse">"#);
    let _ = write!(text, r#"<rect width="10" height="10" fill="{colour}"/>{mark}</pattern>"#);
    Some(text)
}

fn colour(number: usize) -> &'static str {
    COLOURS[number.saturating_sub(1) % COLOURS.len()]
}

fn mark(number: usize) -> Option<&'static str> {
    let round = number.saturating_sub(1) / COLOURS.len() % (MARKS.len() + 1);
    round.checked_sub(1).map(|index| MARKS[index])
}
