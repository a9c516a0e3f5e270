//! LOC: a geographic location (RFC 1876), `52 22 23.0 N 4 53 32.0 E -2.00m 0.00m 10000m 10m`.
//!
//! The wire form has version 0; size and two precisions, each as one digit and a power of ten, in
//! centimetres; latitude and longitude in thousandths of an arc second, offset by 2^31; altitude in
//! centimetres above a base 100,000 m below the ellipsoid. All arithmetic is on integers, so text
//! and octets agree on every machine.

use super::RdataError;
use super::token::Token;
use std::fmt::Write as _;

/// Value of the equator and the prime meridian.
const MIDDLE: u32 = 1 << 31;
/// Thousandths of an arc second in a degree.
const DEGREE: u32 = 3_600_000;
/// Offset of altitudes, in centimetres.
const ALTITUDE_BASE: i64 = 10_000_000;
/// Default size, horizontal and vertical precision (RFC 1876 section 3): 1 m, 10 km, 10 m.
const DEFAULTS: [u8; 3] = [0x12, 0x16, 0x13];

/// Octets of a location in text.
pub(super) fn encode(tokens: &[Token]) -> Result<Vec<u8>, RdataError> {
    let mut words = tokens.iter().map(|token| token.raw.as_str());
    let latitude = angle(&mut words, 90, ["N", "S"])?;
    let longitude = angle(&mut words, 180, ["E", "W"])?;
    let altitude = words.next().ok_or_else(|| fault("the altitude is missing"))?;
    let altitude =
        centimetres(altitude).and_then(|written| u32::try_from(written + ALTITUDE_BASE).ok()).ok_or_else(
            || fault(format!("`{altitude}` is not an altitude from -100000 to 42849672.95 metres")),
        )?;
    let mut sizes = DEFAULTS;
    for size in &mut sizes {
        let Some(word) = words.next() else { break };
        *size =
            power(word).ok_or_else(|| fault(format!("`{word}` is not a size from 0 to 90000000 metres")))?;
    }
    if let Some(word) = words.next() {
        return Err(fault(format!(
            "`{word}` is surplus: at most a size and two precisions follow the altitude"
        )));
    }
    let mut octets = vec![0, sizes[0], sizes[1], sizes[2]];
    for number in [latitude, longitude, altitude] {
        octets.extend(number.to_be_bytes());
    }
    Ok(octets)
}

/// True for a plausible location of version 0.
pub(super) fn is_valid(octets: &[u8]) -> bool {
    let [0, size, horizontal, vertical, numbers @ ..] = octets else { return false };
    let Some([latitude, longitude, _]) = words(numbers) else { return false };
    let is_power = |octet: &u8| octet >> 4 <= 9 && octet & 15 <= 9;
    [size, horizontal, vertical].into_iter().all(is_power)
        && latitude.abs_diff(MIDDLE) <= 90 * DEGREE
        && longitude.abs_diff(MIDDLE) <= 180 * DEGREE
}

/// Text of valid octets.
pub(super) fn decode(octets: &[u8]) -> Option<String> {
    let (head, numbers) = octets.split_at_checked(4).filter(|_| is_valid(octets))?;
    let [latitude, longitude, altitude] = words(numbers)?;
    let mut text = String::new();
    for (value, [above, below]) in [(latitude, ["N", "S"]), (longitude, ["E", "W"])] {
        let off = value.abs_diff(MIDDLE);
        let (degrees, minutes, thousandths) = (off / DEGREE, off / 60_000 % 60, off % 60_000);
        let side = if value >= MIDDLE { above } else { below };
        // Writing to a string cannot fail.
        let _ =
            write!(text, "{degrees} {minutes} {}.{:03} {side} ", thousandths / 1_000, thousandths % 1_000);
    }
    let height = i64::from(altitude) - ALTITUDE_BASE;
    let sign = if height < 0 { "-" } else { "" };
    let _ = write!(text, "{sign}{}.{:02}m", height.abs() / 100, height.abs() % 100);
    for octet in &head[1..] {
        let size = u64::from(octet >> 4) * 10u64.pow(u32::from(octet & 15));
        let _ = write!(text, " {}.{:02}m", size / 100, size % 100);
    }
    Some(text)
}

fn words(octets: &[u8]) -> Option<[u32; 3]> {
    let (words, rest) = octets.as_chunks::<4>();
    match words {
        [a, b, c] if rest.is_empty() => Some([a, b, c].map(|word| u32::from_be_bytes(*word))),
        _ => None,
    }
}

fn fault(message: impl Into<String>) -> RdataError {
    RdataError::new(message)
        .help("as in `52 22 23.000 N 4 53 32.000 E -2.00m 0.00m 10000m 10m` (RFC 1876 section 3)")
}

/// Reads degrees, optional minutes and seconds, and the side.
fn angle<'t>(
    words: &mut impl Iterator<Item = &'t str>,
    limit: u32,
    sides: [&str; 2],
) -> Result<u32, RdataError> {
    let mut total = 0;
    for (place, unit, below) in [(0, DEGREE, limit + 1), (1, 60_000, 60), (2, 1_000, 60), (3, 0, 0)] {
        let word =
            words.next().ok_or_else(|| fault(format!("`{}` or `{}` is missing", sides[0], sides[1])))?;
        let side = sides.iter().position(|side| side.eq_ignore_ascii_case(word));
        match side {
            Some(side) if place > 0 && total <= limit * DEGREE => {
                return Ok(if side == 0 { MIDDLE + total } else { MIDDLE - total });
            }
            Some(_) => return Err(fault(format!("the angle is more than {limit} degrees"))),
            None => {}
        }
        let value = match place {
            2 => decimal(word, 3).and_then(|value| u32::try_from(value).ok()).filter(|value| *value < 60_000),
            3 => None,
            _ => word
                .parse::<u32>()
                .ok()
                .filter(|value| *value < below && !word.starts_with('+'))
                .map(|value| value * unit),
        };
        total +=
            value.ok_or_else(|| fault(format!("`{word}` is not part of an angle up to {limit} degrees")))?;
    }
    Err(fault("an angle has degrees, minutes and seconds"))
}

/// Parses an unsigned decimal number with at most `digits` decimal places, in units of the last
/// place.
fn decimal(word: &str, digits: usize) -> Option<u64> {
    let (whole, fraction) = word.split_once('.').unwrap_or((word, ""));
    if whole.is_empty()
        || whole.len() > 10
        || fraction.len() > digits
        || !whole.bytes().chain(fraction.bytes()).all(|b| b.is_ascii_digit())
    {
        return None;
    }
    format!("{whole}{fraction:0<digits$}").parse().ok()
}

/// Parses metres, with or without the unit, to centimetres.
fn centimetres(word: &str) -> Option<i64> {
    let word = word.strip_suffix(['m', 'M']).unwrap_or(word);
    let (sign, word) = word.strip_prefix('-').map_or((1, word), |word| (-1, word));
    decimal(word, 2).and_then(|value| i64::try_from(value).ok()).map(|value| sign * value)
}

/// Encodes metres as one digit and a power of ten; further digits are cut off.
fn power(word: &str) -> Option<u8> {
    let mut value = u64::try_from(centimetres(word)?).ok()?;
    let mut exponent = 0u8;
    while value > 9 {
        value /= 10;
        exponent += 1;
    }
    (exponent <= 9).then_some((value as u8) << 4 | exponent)
}
