//! Drawing of a scene: countries filled by their answers, PoPs, labels, legend.

use super::colours::{self, NOTHING};
use super::labels::{Area, Room};
use super::legend;
use super::markup::{self, PAGE, escaped, number};
use super::outlines::{self, Outline};
use super::projection::{self, HEIGHT, Point, WIDTH, project};
use super::scene::{Land, Scene, Site};
use crate::geo::place::Coordinates;
use std::collections::{BTreeMap, BTreeSet};
use std::f64::consts::PI;
use std::fmt::Write as _;

/// Scale from the frame of the outlines to the page.
const SCALE: f64 = PAGE / WIDTH;
/// Upper edge of the map without notes.
const TOP: f64 = 44.0;
/// Height of a line of notes.
const LINE: f64 = 18.0;
/// Size of the names of PoPs and of the numbers of countries.
const SIZE: f64 = 12.0;
/// Least share that is named beside the largest one.
const SECOND: f64 = 0.25;

/// Drawing of one scene.
struct Drawn<'s> {
    scene: &'s Scene,
    /// Number of each answer.
    numbers: BTreeMap<&'s str, usize>,
    top: f64,
    room: Room,
    text: String,
}

/// The scene as SVG.
pub(crate) fn svg(scene: &Scene) -> String {
    let top = TOP + LINE * scene.notes.len() as f64;
    let numbers = scene.numbered().into_iter().zip(1..).collect();
    let frame = Area { x: 0.0, y: top, width: PAGE, height: HEIGHT * SCALE };
    let mut drawn = Drawn { scene, numbers, top, room: Room::new(frame, Vec::new()), text: String::new() };
    let marks = scene.sites.iter().filter_map(|site| drawn.point(site));
    let marks: Vec<Area> = marks.map(|at| Area::around(at, 11.0, 11.0)).collect();
    drawn.room = Room::new(frame, marks);
    drawn.countries();
    drawn.rays();
    drawn.sites();
    let below = top + HEIGHT * SCALE + 24.0;
    let (legend, height) = legend::drawn(scene, &drawn.numbers, below);
    let mut text = markup::head(PAGE, height, &scene.title);
    drawn.definitions(&mut text);
    text.push_str(&markup::words(Point { x: 20.0, y: 30.0 }, 20.0, r#"font-weight="bold""#, &scene.title));
    for (line, note) in (1..).zip(&scene.notes) {
        let at = Point { x: 20.0, y: 32.0 + LINE * f64::from(line) };
        text.push_str(&markup::words(at, 13.0, "", note));
    }
    text + &drawn.text + &legend + "</svg>\n"
}

impl<'s> Drawn<'s> {
    fn definitions(&self, text: &mut String) {
        text.push_str("<defs>");
        self.numbers.values().filter_map(|number| colours::pattern(*number)).for_each(|pattern| {
            text.push_str(&pattern);
        });
        text.push_str(r#"<pattern id="moves" width="8" height="8" patternUnits="userSpaceOnUse">"#);
        text.push_str(r##"<path d="M-1 1l2-2M-1 9l10-10M7 9l2-2" stroke="#000" stroke-opacity=".6"/>"##);
        text.push_str("</pattern></defs>\n");
    }

    fn on_page(&self, at: Point) -> Point {
        Point { x: at.x * SCALE, y: self.top + at.y * SCALE }
    }

    fn point(&self, site: &Site) -> Option<Point> {
        self.shown(site.at?)
    }

    /// Point on the page; `None` south of the map.
    fn shown(&self, at: Coordinates) -> Option<Point> {
        let at = projection::project(at);
        (at.y <= HEIGHT).then(|| self.on_page(at))
    }

    /// Lines from the client of a decision to its candidates, the chosen one by a strong line, and
    /// the client's star.
    fn rays(&mut self) {
        let Some(decided) = &self.scene.decided else { return };
        let Some(from) = decided.from.and_then(|at| self.shown(at)) else { return };
        let (x, y) = (number(from.x), number(from.y));
        let (mut thin, mut strong) = (String::new(), String::new());
        for site in self.scene.sites.iter().filter(|site| decided.candidates.contains(&site.name)) {
            let Some(to) = self.point(site) else { continue };
            let is_chosen = decided.chosen.as_ref() == Some(&site.name);
            let lines = if is_chosen { &mut strong } else { &mut thin };
            let _ = writeln!(lines, r#"<path d="M{x} {y}L{} {}"/>"#, number(to.x), number(to.y));
        }
        let _ = writeln!(self.text, r##"<g stroke="#222" stroke-dasharray="3 4">{thin}</g>"##);
        let _ = writeln!(self.text, r##"<g stroke="#000" stroke-width="3">{strong}</g>"##);
        let corner = |index: u8| {
            let (radius, angle) =
                (if index.is_multiple_of(2) { 10.0 } else { 4.0 }, f64::from(index) * PI / 5.0);
            format!(
                "{} {}",
                number(from.x + radius * libm::sin(angle)),
                number(from.y - radius * libm::cos(angle))
            )
        };
        let star: Vec<String> = (0..10).map(corner).collect();
        let _ = writeln!(
            self.text,
            r##"<path d="M{}Z" fill="#fff" stroke="#000" stroke-width="1.5"/>"##,
            star.join("L")
        );
    }

    fn fill(&self, land: &Land) -> String {
        let first = land.after.first().and_then(|(answer, _)| self.numbers.get(answer.as_str()));
        first.map_or_else(|| NOTHING.to_owned(), |number| colours::fill(*number))
    }

    /// Outlines, and dots for countries without one.
    fn countries(&mut self) {
        let (top, height) = (number(self.top), number(HEIGHT * SCALE));
        let _ = writeln!(
            self.text,
            r##"<rect y="{top}" width="{}" height="{height}" fill="#f4f7fa"/>"##,
            number(PAGE)
        );
        let _ = writeln!(
            self.text,
            r##"<g transform="translate(0 {top}) scale({SCALE})" stroke="#fff" fill-rule="evenodd">"##
        );
        let outlines: BTreeMap<&str, Outline> =
            outlines::all().map(|outline| (outline.country, outline)).collect();
        let (mut still, mut moving, mut small) = (String::new(), String::new(), String::new());
        for land in &self.scene.lands {
            let (fill, title) = (self.fill(land), escaped(&title(land)));
            let is_moving = land.way().is_some();
            let is_ground = self.scene.decided.is_some() || self.scene.is_change && !is_moving;
            let faded = if is_ground { r#" fill-opacity=".3""# } else { "" };
            match outlines.get(land.country.as_str()) {
                Some(outline) => {
                    let path = outline.path;
                    let _ = writeln!(
                        still,
                        r#"<path d="{path}" fill="{fill}"{faded}><title>{title}</title></path>"#
                    );
                    if is_moving {
                        let _ = writeln!(moving, r##"<path d="{path}"/>"##);
                    }
                }
                None => {
                    let Some(at) = land.at.map(project).filter(|at| at.y <= HEIGHT) else { continue };
                    let (x, y) = (number(at.x), number(at.y));
                    let edge = if is_moving { r##" stroke="#000" stroke-width="2""## } else { "" };
                    let _ = write!(small, r#"<circle cx="{x}" cy="{y}" r="4" fill="{fill}"{faded}{edge}>"#);
                    let _ = writeln!(small, "<title>{title}</title></circle>");
                }
            }
        }
        self.text.push_str(&still);
        if !moving.is_empty() {
            let _ =
                write!(self.text, r##"<g fill="url(#moves)" stroke="#000" stroke-width="1.6">{moving}</g>"##);
        }
        self.text.push_str(&small);
        self.text.push_str("</g>\n");
    }

    /// Marks of PoPs, those out of service above the others.
    fn marks(&mut self) {
        let mut sites: Vec<&Site> = self.scene.sites.iter().collect();
        sites.sort_by_key(|site| site.is_out);
        let mut marks = String::new();
        for site in sites {
            let Some(at) = self.point(site) else { continue };
            let (x, y) = (number(at.x), number(at.y));
            let _ = match site.is_out {
                false => writeln!(marks, r##"<circle cx="{x}" cy="{y}" r="4.5"/>"##),
                true => writeln!(marks, r##"<path transform="translate({x} {y})" d="M-4-4L4 4M-4 4L4-4"/>"##),
            };
        }
        let _ = writeln!(self.text, r##"<g fill="#fff" stroke="#000" stroke-width="2">{marks}</g>"##);
    }

    /// Marks and labels of PoPs, and numbers of countries. Room goes to the chosen PoP of a
    /// decision, PoPs that lead a country, numbers of countries, and other PoPs, in this order.
    fn sites(&mut self) {
        let scene = self.scene;
        let answers =
            scene.lands.iter().flat_map(|land| land.before.first().into_iter().chain(land.after.first()));
        let mut leading: BTreeSet<&str> = answers.map(|(answer, _)| answer.as_str()).collect();
        let chosen = scene.decided.as_ref().and_then(|decided| decided.chosen.as_deref());
        leading.extend(chosen);
        let (mut first, mut rest): (Vec<&Site>, Vec<&Site>) =
            scene.sites.iter().partition(|site| leading.contains(site.name.as_str()));
        for sites in [&mut first, &mut rest] {
            sites.sort_by_key(|site| (chosen != Some(site.name.as_str()), site.is_out));
        }
        let (mut lines, mut labels) = (String::new(), String::new());
        self.names(&first, &mut lines, &mut labels);
        let numbers = self.country_numbers();
        self.names(&rest, &mut lines, &mut labels);
        let _ = writeln!(self.text, r##"<g stroke="#222" stroke-width=".8">{lines}</g>"##);
        self.marks();
        let _ = writeln!(self.text, "{HALO} font-weight=\"bold\">{labels}</g>");
        let _ = writeln!(self.text, "{HALO}>{numbers}</g>");
    }

    /// Numbers and names of PoPs where they have room, with lines to those that are far.
    fn names(&mut self, sites: &[&Site], lines: &mut String, labels: &mut String) {
        for site in sites {
            let Some(at) = self.point(site) else { continue };
            let (x, y) = (number(at.x), number(at.y));
            let label = format!("{} {}", self.numbers[site.name.as_str()], markup::short(&site.name, 20));
            let Some((area, near)) = self.room.beside(at, markup::width(&label, SIZE), SIZE + 2.0) else {
                continue;
            };
            if near > 0 {
                let end = Point {
                    x: at.x.clamp(area.x, area.x + area.width),
                    y: at.y.clamp(area.y, area.y + area.height),
                };
                let _ = writeln!(lines, r#"<path d="M{x} {y}L{} {}"/>"#, number(end.x), number(end.y));
            }
            let middle = Point { x: area.x + area.width / 2.0, y: area.y + SIZE };
            labels.push_str(&markup::words(middle, SIZE, "", &label));
        }
    }

    /// Numbers on countries that are large enough, those that move first.
    fn country_numbers(&mut self) -> String {
        let outlines: BTreeMap<&str, Outline> =
            outlines::all().map(|outline| (outline.country, outline)).collect();
        let mut lands: Vec<(&Land, Area)> = (self.scene.lands.iter())
            .filter_map(|land| Some((land, largest(outlines.get(land.country.as_str())?)?)))
            .collect();
        lands.sort_by(|(one, a), (other, b)| {
            let sizes = (b.width * b.height).total_cmp(&(a.width * a.height));
            other.way().is_some().cmp(&one.way().is_some()).then(sizes)
        });
        let mut labels = String::new();
        for (land, inside) in lands {
            let label = self.number_of(land);
            let (width, height) = (markup::width(&label, SIZE - 1.0), SIZE);
            if inside.width * SCALE < width || inside.height * SCALE < height {
                continue;
            }
            let middle = Point { x: inside.x + inside.width / 2.0, y: inside.y + inside.height / 2.0 };
            let at = self.on_page(middle);
            if self.room.take(Area::around(at, width, height)) {
                let foot = Point { x: at.x, y: at.y + 4.0 };
                labels.push_str(&markup::words(foot, SIZE - 1.0, "", &label));
            }
        }
        labels
    }

    /// Number of the answer; `4/2` if a second one has a large share, `4→2` for a move.
    fn number_of(&self, land: &Land) -> String {
        let of = |answer: &str| {
            self.numbers.get(answer).map_or_else(|| "\u{2013}".to_owned(), ToString::to_string)
        };
        if let Some((from, to)) = land.way() {
            return format!("{}\u{2192}{}", of(from), of(to));
        }
        let large = land.after.iter().filter(|(_, share)| *share >= SECOND).take(2);
        large.map(|(answer, _)| of(answer)).collect::<Vec<_>>().join("/")
    }
}

/// Group of words with a white edge, so that they are readable on every fill.
const HALO: &str = concat!(
    r##"<g text-anchor="middle" fill="#000" stroke="#fff" stroke-width="3.5" stroke-linejoin="round" "##,
    r#"paint-order="stroke""#
);

/// Answers of a country in words.
fn title(land: &Land) -> String {
    let list = |answers: &[(String, f64)]| {
        let word = |(answer, share): &(String, f64)| format!("{answer} {:.0} %", share * 100.0);
        answers.iter().map(word).collect::<Vec<_>>().join(", ")
    };
    match land.way() {
        None => format!("{}: {}", land.country, list(&land.after)),
        Some(_) => format!("{}: {}; before: {}", land.country, list(&land.after), list(&land.before)),
    }
}

/// Area in the middle of the largest ring of an outline, half as large as the ring.
fn largest(outline: &Outline) -> Option<Area> {
    let rings = outline.rings();
    let of_ring = |ring: &Vec<(i32, i32)>| {
        let (mut twice, mut x, mut y) = (0.0, 0.0, 0.0);
        for (&(ax, ay), &(bx, by)) in ring.iter().zip(ring.iter().cycle().skip(1)) {
            let [ax, ay, bx, by] = [ax, ay, bx, by].map(f64::from);
            let cross = ax * by - bx * ay;
            (twice, x, y) = (twice + cross, x + (ax + bx) * cross, y + (ay + by) * cross);
        }
        let span = |of: fn(&(i32, i32)) -> i32| {
            let (least, most) = (ring.iter().map(of).min()?, ring.iter().map(of).max()?);
            Some(f64::from(most - least) / 1.4)
        };
        let middle = Point { x: x / (3.0 * twice), y: y / (3.0 * twice) };
        (twice != 0.0).then_some((twice.abs(), Area::around(middle, span(|at| at.0)?, span(|at| at.1)?)))
    };
    let areas = rings.iter().filter_map(of_ring);
    areas.reduce(|one, other| if other.0 > one.0 { other } else { one }).map(|(_, area)| area)
}

#[cfg(test)]
mod tests;
