//! Outlines of countries, in the frame of [`super::projection`].
//!
//! `outlines.txt` is made by `.ci/outlines.py` from Natural Earth, which is in the public domain.
//! Countries that are too small at 1:110m, such as Singapore and Hong Kong, have no outline.

/// Outlines with a head of comments: `CC PATH` in each line.
pub(crate) const TEXT: &str = include_str!("outlines.txt");

/// Outline of a country.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Outline {
    /// ISO 3166-1 alpha-2 code.
    pub(crate) country: &'static str,
    /// Path data of SVG: `Mx yldx dy...z` for each ring, whole numbers, for the rule `evenodd`.
    pub(crate) path: &'static str,
}

/// Every outline, sorted by code.
pub(crate) fn all() -> impl Iterator<Item = Outline> {
    let rows = TEXT.lines().filter(|line| !line.starts_with('#'));
    rows.filter_map(|line| line.split_once(' ')).map(|(country, path)| Outline { country, path })
}

impl Outline {
    /// Corners of each ring. The last corner joins the first.
    pub(crate) fn rings(&self) -> Vec<Vec<(i32, i32)>> {
        self.path.split_terminator('z').map(ring).collect()
    }
}

/// Corners of one ring: the first is absolute, each other one a step from the one before.
fn ring(path: &str) -> Vec<(i32, i32)> {
    let spaced = path.replace(['M', 'l'], " ").replace('-', " -");
    let numbers: Vec<i32> = spaced.split_whitespace().filter_map(|word| word.parse().ok()).collect();
    let steps = numbers.chunks_exact(2).map(|pair| (pair[0], pair[1]));
    steps
        .scan((0, 0), |at, (x, y)| {
            *at = (at.0 + x, at.1 + y);
            Some(*at)
        })
        .collect()
}

#[cfg(test)]
mod tests;
