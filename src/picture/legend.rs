//! Legend of a map: the moves, then each PoP with its fill, number, state and countries.

use super::colours;
use super::markup::{self, PAGE, number, short};
use super::projection::Point;
use super::scene::{Scene, Way};
use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// Height of a row.
const ROW: f64 = 20.0;
/// Left edge of the first column.
const LEFT: f64 = 20.0;
/// Columns of answers.
const COLUMNS: usize = 3;
/// Width of a column.
const COLUMN: f64 = (PAGE - LEFT) / COLUMNS as f64;
/// Size of words.
const SIZE: f64 = 12.0;
/// Distance of the right edge of a number from the left edge of its swatch, which is 24 wide.
const NUMBER: f64 = 52.0;
/// Distance of a name from the left edge of its swatch.
const NAME: f64 = 62.0;
/// Most rows of the list of moves.
const MOVES_MAX: usize = 20;
/// Most letters of a row over the whole page.
const LETTERS: usize = 190;

/// Sentence of a picture of moves without shares.
const UNKNOWN: &str = "shares of clients are not known here";

/// Legend below `top`, and the height of the page with it.
pub(super) fn drawn(scene: &Scene, numbers: &BTreeMap<&str, usize>, top: f64) -> (String, f64) {
    let mut text = String::new();
    let mut y = top;
    if scene.is_change {
        heading(&mut text, y, "Moves");
        for line in moves(scene) {
            y += ROW;
            text.push_str(&markup::words(Point { x: LEFT, y }, SIZE, "", &short(&line, LETTERS)));
        }
        y += ROW * 1.5;
    }
    heading(&mut text, y, "PoPs and other answers");
    let entries = entries(scene, numbers);
    let rows = entries.len().div_ceil(COLUMNS);
    for (index, (number_of, words)) in entries.iter().enumerate() {
        let (column, row) = (index / rows.max(1), index % rows.max(1));
        let at = Point { x: LEFT + column as f64 * COLUMN, y: y + ROW * (row + 1) as f64 };
        entry(&mut text, at, *number_of, words);
    }
    y += ROW * (rows as f64 + 1.5);
    if scene.decided.is_some() {
        let star =
            "Star: place from which PoPs were ranked. Thick line: the chosen PoP; dashed: other candidates.";
        text.push_str(&markup::words(Point { x: LEFT, y }, 11.0, r##"fill="#555""##, star));
        y += ROW;
    }
    let foot = "The fill of a country is its largest answer; a/b: a second answer has a quarter or more. \
                Circle: PoP in service; cross: out of service. Outlines: Natural Earth.";
    text.push_str(&markup::words(Point { x: LEFT, y }, 11.0, r##"fill="#555""##, foot));
    (text, y + ROW)
}

fn heading(text: &mut String, y: f64, words: &str) {
    text.push_str(&markup::words(Point { x: LEFT, y }, 13.0, r#"font-weight="bold""#, words));
}

/// Number and words of each answer; `None` for clients without an answer.
fn entries(scene: &Scene, numbers: &BTreeMap<&str, usize>) -> Vec<(Option<usize>, [String; 2])> {
    let countries = |answer: &str| match scene.countries_of(answer) {
        1 => "1 country".to_owned(),
        count => format!("{count} countries"),
    };
    let of = |answer: &str, words: &str| {
        let space = if words.is_empty() { "" } else { ", " };
        [short(answer, 40), format!("{words}{space}{}", countries(answer))]
    };
    let mut all: Vec<(Option<usize>, [String; 2])> = Vec::new();
    let mut rest: Vec<(&str, usize)> = numbers.iter().map(|(answer, number)| (*answer, *number)).collect();
    rest.sort_by_key(|(_, number)| *number);
    for (answer, number) in rest {
        let site = scene.sites.iter().find(|site| site.name == answer);
        all.push((Some(number), of(answer, site.map_or("", |site| &site.words))));
    }
    if scene.countries_of("nothing") > 0 {
        all.push((None, of("nothing", "")));
    }
    all
}

fn entry(text: &mut String, at: Point, number_of: Option<usize>, [name, words]: &[String; 2]) {
    let fill = number_of.map_or_else(|| colours::NOTHING.to_owned(), colours::fill);
    let (x, y) = (number(at.x), number(at.y - 11.0));
    let _ = writeln!(
        text,
        r##"<rect x="{x}" y="{y}" width="24" height="14" fill="{fill}" stroke="#222" stroke-width=".6"/>"##
    );
    let label = number_of.map_or_else(|| "\u{2013}".to_owned(), |number| number.to_string());
    let end = Point { x: at.x + NUMBER, y: at.y };
    text.push_str(&markup::words(end, SIZE, r#"text-anchor="end""#, &label));
    let start = Point { x: at.x + NAME, y: at.y };
    text.push_str(&markup::words(start, SIZE, r#"font-weight="bold""#, name));
    let after = Point { x: start.x + (markup::width(name, SIZE) * 1.15 + 8.0).max(56.0), y: at.y };
    let room = at.x + COLUMN - 8.0 - after.x;
    text.push_str(&markup::words(after, SIZE, "", &short(words, markup::letters(room, SIZE))));
}

/// A line for each way: the answers, the shares where they are known, the countries. Known shares
/// stand first, then the ways of the most countries.
fn moves(scene: &Scene) -> Vec<String> {
    let countries = scene.countries_by_way();
    let known = scene.ways.as_deref().unwrap_or_default();
    let mut ways: Vec<(&str, &str)> =
        countries.keys().filter(|way| !known.iter().any(|known| is(known, **way))).copied().collect();
    ways.sort_by_key(|way| Reverse(countries[way].len()));
    ways.splice(..0, known.iter().map(|way| (way.from.as_str(), way.to.as_str())));
    let mut lines: Vec<String> = Vec::new();
    for way in ways.iter().take(MOVES_MAX) {
        let mut line = format!("{} \u{2192} {}", way.0, way.1);
        if let Some(known) = known.iter().find(|known| is(known, *way)) {
            let _ = write!(line, ": {}", known.shares);
        }
        if let Some(codes) = countries.get(way) {
            let noun = if codes.len() == 1 { "country" } else { "countries" };
            let _ = write!(line, "; {} {noun}: {}", codes.len(), codes.join(" "));
        }
        lines.push(line);
    }
    if ways.len() > MOVES_MAX {
        lines.push(format!("and {} more", ways.len() - MOVES_MAX));
    }
    lines.extend(match (ways.is_empty(), scene.ways.is_some()) {
        (true, true) => Some("no client moves".to_owned()),
        (true, false) => Some(format!("no country's largest city moves; {UNKNOWN}")),
        (false, true) => None,
        (false, false) => Some(UNKNOWN.to_owned()),
    });
    lines
}

fn is(known: &Way, way: (&str, &str)) -> bool {
    (known.from.as_str(), known.to.as_str()) == way
}
