//! When a certificate ends: the one field that is read of it (RFC 5280 section 4.1.2.5).
//!
//! Everything else of a certificate is webpki's affair. A parser of whole certificates would be ten
//! crates for this one field.

const SECS_PER_DAY: i64 = 86_400;

/// `notAfter` of a certificate in DER, in seconds since 1970; `None` if it cannot be read.
pub fn not_after(der: &[u8]) -> Option<i64> {
    const SEQUENCE: u8 = 0x30;
    const VERSION: u8 = 0xa0;
    const INTEGER: u8 = 0x02;
    let (certificate, _) = element(der, SEQUENCE)?;
    let (mut fields, _) = element(certificate, SEQUENCE)?;
    if let Some((_, rest)) = element(fields, VERSION) {
        fields = rest;
    }
    // Serial number, algorithm, issuer; then validity.
    for tag in [INTEGER, SEQUENCE, SEQUENCE] {
        fields = element(fields, tag)?.1;
    }
    let (validity, _) = element(fields, SEQUENCE)?;
    let (_, _, after_begin) = any(validity)?;
    let (tag, end, _) = any(after_begin)?;
    time(tag, end)
}

/// Whole days from now until then, negative once it has passed.
pub(crate) fn days_left(not_after: i64, now: i64) -> i32 {
    let days = not_after.saturating_sub(now).div_euclid(SECS_PER_DAY);
    i32::try_from(days).unwrap_or(if days < 0 { i32::MIN } else { i32::MAX })
}

/// Tag, content and what follows.
fn any(der: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&tag, rest) = der.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (len, rest) = match first {
        0..=0x7f => (usize::from(first), rest),
        // A certificate is shorter than a record of TLS, so three octets of length are plenty.
        0x81..=0x83 => {
            let (octets, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
            (octets.iter().fold(0, |len, octet| len << 8 | usize::from(*octet)), rest)
        }
        _ => return None,
    };
    let (content, rest) = rest.split_at_checked(len)?;
    Some((tag, content, rest))
}

fn element(der: &[u8], wanted: u8) -> Option<(&[u8], &[u8])> {
    any(der).filter(|(tag, _, _)| *tag == wanted).map(|(_, content, rest)| (content, rest))
}

/// UTCTime `YYMMDDHHMMSSZ` or GeneralizedTime `YYYYMMDDHHMMSSZ`, the only forms allowed.
fn time(tag: u8, text: &[u8]) -> Option<i64> {
    let (_, digits) = text.split_last().filter(|(last, _)| **last == b'Z')?;
    if !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let number = |octets: &[u8]| octets.iter().fold(0i64, |n, octet| n * 10 + i64::from(octet - b'0'));
    let (year, rest) = match (tag, digits.len()) {
        (0x17, 12) => match number(&digits[..2]) {
            year @ 50.. => (1900 + year, &digits[2..]),
            year => (2000 + year, &digits[2..]),
        },
        (0x18, 14) => (number(&digits[..4]), &digits[4..]),
        _ => return None,
    };
    let part = |at: usize| number(&rest[2 * at..2 * at + 2]);
    let (month, day, hour, minute, second) = (part(0), part(1), part(2), part(3), part(4));
    let is_sound =
        (1..=12).contains(&month) && (1..=31).contains(&day) && hour < 24 && minute < 60 && second <= 60;
    is_sound.then(|| days_from_civil(year, month, day) * SECS_PER_DAY + hour * 3_600 + minute * 60 + second)
}

/// Days since 1970 of a date of the Gregorian calendar. Years begin in March, so that the leap day
/// is the last.
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    year * 365 + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400) + day_of_year - 719_468
}

#[cfg(test)]
mod tests;
