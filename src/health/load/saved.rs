//! State of a load feed, saved for a restart.

use std::sync::Arc;

/// Milliseconds for which a saved share is valid: a restart for maintenance.
const AGE_MAX_MS: u64 = 600_000;

/// Feed that sheds. Plain values, for any file format.
#[derive(Clone, Debug, PartialEq)]
pub struct SavedLoad {
    /// [`super::feeds::FeedTarget::key`].
    pub(crate) key: Arc<str>,
    /// Exact share, 0 to 1.
    pub(crate) share: f64,
    /// Smoothed load, in the unit of the capacity.
    pub(crate) smoothed: Option<f64>,
    /// Published share, in steps of 1/256.
    pub(crate) published: u16,
    /// PoPs that accepted shed cells, by name, with their shares in steps of 1/256.
    pub(crate) accept: Vec<(Arc<str>, u16)>,
    /// Time of the save, in milliseconds since 1970.
    pub(crate) saved_epoch_ms: u64,
}

impl SavedLoad {
    /// Line of text, without its end. Keys and names hold no line ends, and no blanks at their
    /// ends.
    pub(crate) fn to_line(&self) -> String {
        let accept: Vec<String> = self.accept.iter().map(|(pop, share)| format!("{pop}={share}")).collect();
        let smoothed = self.smoothed.map_or_else(|| "-".to_owned(), |smoothed| smoothed.to_string());
        let accept = if accept.is_empty() { "-".to_owned() } else { accept.join(",") };
        format!(
            "load {} {smoothed} {} {accept} {} {}",
            self.share, self.published, self.saved_epoch_ms, self.key
        )
    }

    /// Parses a line; `None` if it is not about load.
    pub(crate) fn from_line(line: &str) -> Option<SavedLoad> {
        let mut words = line.strip_prefix("load ")?.splitn(6, ' ');
        let finite =
            |word: &str| word.parse().ok().filter(|number: &f64| number.is_finite() && *number >= 0.0);
        let share = finite(words.next()?)?;
        let smoothed = words.next()?;
        let published = words.next()?.parse().ok().filter(|share: &u16| *share <= 256)?;
        let accept = words.next()?;
        let pair = |pair: &str| {
            pair.split_once('=')
                .and_then(|(pop, share)| Some((pop.into(), share.parse().ok().filter(|s| *s <= 256)?)))
        };
        Some(SavedLoad {
            share: share.min(1.0),
            smoothed: if smoothed == "-" { None } else { Some(finite(smoothed)?) },
            published,
            accept: if accept == "-" {
                Vec::new()
            } else {
                accept.split(',').map(pair).collect::<Option<_>>()?
            },
            saved_epoch_ms: words.next()?.parse().ok()?,
            key: words.next()?.into(),
        })
    }

    /// True if the saved share is not too old. A time stamp too far in the future is as wrong as an
    /// old one.
    pub(crate) fn is_fresh(&self, now_epoch_ms: u64) -> bool {
        self.saved_epoch_ms.abs_diff(now_epoch_ms) <= AGE_MAX_MS
    }
}
