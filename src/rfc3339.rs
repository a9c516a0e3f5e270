//! Seconds since 1970 as RFC 3339 dates in UTC, and back.

/// Day such as `2026-03-01`, by the proleptic Gregorian calendar.
pub(crate) fn day(epoch_secs: u64) -> String {
    // Days since 0000-03-01: a year then ends with its leap day. An era has 400 years.
    let days = epoch_secs / 86_400 + 719_468;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_index = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_index + 2) / 5 + 1;
    let month = if month_index < 10 { month_index + 3 } else { month_index - 9 };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}")
}

/// Date and time such as `2026-03-01T12:00:00Z`.
pub(crate) fn date_time(epoch_secs: u64) -> String {
    let second = epoch_secs % 86_400;
    format!("{}T{:02}:{:02}:{:02}Z", day(epoch_secs), second / 3_600, second / 60 % 60, second % 60)
}

/// Parses a text such as `2026-03-01T12:00:00Z` to seconds since 1970. Accepts only UTC, whole
/// seconds, and the years 1970 to 9999.
pub(crate) fn parse(text: &str) -> Option<u64> {
    let field = |from: usize, to: usize| {
        let digits = text.get(from..to)?;
        digits.bytes().all(|b| b.is_ascii_digit()).then(|| digits.parse::<u64>().ok()).flatten()
    };
    if text.len() != 20 {
        return None;
    }
    let (year, month, day_of_month) = (field(0, 4)?, field(5, 7)?, field(8, 10)?);
    let (hour, minute, second) = (field(11, 13)?, field(14, 16)?, field(17, 19)?);
    if year < 1970
        || !(1..=12).contains(&month)
        || !(1..=31).contains(&day_of_month)
        || hour > 23
        || minute > 59
        || second > 59
    {
        return None;
    }
    let march_year = if month <= 2 { year - 1 } else { year };
    let month_index = (month + 9) % 12;
    let day_of_year = (153 * month_index + 2) / 5 + day_of_month - 1;
    let days = march_year * 365 + march_year / 4 - march_year / 100 + march_year / 400 + day_of_year;
    let secs = (days.checked_sub(719_468)?) * 86_400 + hour * 3_600 + minute * 60 + second;
    // Printing the date again catches wrong punctuation and days that the month does not have.
    (date_time(secs) == text).then_some(secs)
}

#[cfg(test)]
mod tests;
