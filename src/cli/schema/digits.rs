//! Regular expressions for whole numbers within bounds: a JSON schema can bound a number, but not
//! the number in a text such as `30s`.

use crate::config::UNITS;

/// Expression for a time from `least_ms` to `most_ms` with its unit; `whole_seconds` excludes the
/// unit `ms`.
pub(super) fn time(least_ms: u64, most_ms: u64, whole_seconds: bool) -> String {
    let units: Vec<String> = UNITS
        .iter()
        .filter(|(unit, _)| !(whole_seconds && *unit == "ms"))
        .map(|(unit, factor)| (unit, least_ms.div_ceil(*factor), most_ms / factor))
        .filter(|(_, least, most)| least <= most)
        .map(|(unit, least, most)| format!("{} ?{unit}", within(least, most)))
        .collect();
    format!("^({})$", units.join("|"))
}

/// Expression for a number from `least` to `most`, with or without leading zeros.
pub(super) fn within(least: u64, most: u64) -> String {
    // Numbers up to each of these ends have a pattern of their own: 7 to 325 is 7-9, 10-99,
    // 100-299, 300-319 and 320-325.
    let mut ends = vec![most];
    let mut power = 10;
    while let Some(end) = least.checked_div(power).map(|head| head * power + power - 1)
        && end < most
    {
        ends.push(end);
        power *= 10;
    }
    power = 10;
    while let Some(end) = ((most + 1) / power * power).checked_sub(1)
        && end >= least
    {
        ends.push(end);
        power *= 10;
    }
    ends.sort_unstable();
    ends.dedup();
    let mut start = least;
    let mut parts = Vec::new();
    for end in ends {
        parts.push(alike(start, end));
        start = end + 1;
    }
    format!("0*({})", parts.join("|"))
}

/// Expression for numbers of one length whose digits vary independently.
fn alike(start: u64, end: u64) -> String {
    let (start, end) = (start.to_string(), end.to_string());
    start
        .chars()
        .zip(end.chars())
        .map(|(low, high)| if low == high { low.to_string() } else { format!("[{low}-{high}]") })
        .collect()
}

#[cfg(test)]
mod tests;
