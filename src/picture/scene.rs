//! Content of a map: PoPs, answers of countries, and moves between two states.

use crate::geo::place::Coordinates;
use std::collections::{BTreeMap, BTreeSet};

/// Answer for clients that get no address.
const NOTHING: &str = "nothing";

/// PoP on the map.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Site {
    /// Name.
    pub(crate) name: String,
    /// Position; without it the PoP stands in the legend alone.
    pub(crate) at: Option<Coordinates>,
    /// State and capacity, in words.
    pub(crate) words: String,
    /// True if the PoP takes no regular clients.
    pub(crate) is_out: bool,
}

/// Country with its answers.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Land {
    /// ISO 3166-1 alpha-2 code.
    pub(crate) country: String,
    /// Hub city, where a country without an outline has its dot.
    pub(crate) at: Option<Coordinates>,
    /// Answers before a change, with their shares, the largest first; equal to `after` if the
    /// picture shows no change.
    pub(crate) before: Vec<(String, f64)>,
    /// Answers now, or after the change.
    pub(crate) after: Vec<(String, f64)>,
}

/// Clients that go from one answer to another: words for the list.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Way {
    /// Answer before.
    pub(crate) from: String,
    /// Answer after.
    pub(crate) to: String,
    /// Shares of clients in words.
    pub(crate) shares: String,
}

/// Decision for one client.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Decided {
    /// Place from which PoPs were ranked; without it the picture has no lines.
    pub(crate) from: Option<Coordinates>,
    /// PoPs of the preference list, in order.
    pub(crate) candidates: Vec<String>,
    /// Chosen PoP.
    pub(crate) chosen: Option<String>,
}

/// Content of a map.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Scene {
    /// Title.
    pub(crate) title: String,
    /// Sentences below it.
    pub(crate) notes: Vec<String>,
    /// PoPs, sorted by name.
    pub(crate) sites: Vec<Site>,
    /// Countries, sorted by code.
    pub(crate) lands: Vec<Land>,
    /// Moves with their shares, the largest first; `None` where no shares are known.
    pub(crate) ways: Option<Vec<Way>>,
    /// True if the picture shows a change.
    pub(crate) is_change: bool,
    /// Decision for a client, in a picture of one.
    pub(crate) decided: Option<Decided>,
}

impl Land {
    /// Largest loss and largest gain; `None` if less than a hundredth moves.
    pub(crate) fn way(&self) -> Option<(&str, &str)> {
        let largest =
            |from, to| self.losses(from, to).reduce(|one, other| if other.1 > one.1 { other } else { one });
        let (from, share) = largest(&self.before, &self.after)?;
        let (to, _) = largest(&self.after, &self.before)?;
        (share >= 0.01).then_some((from, to))
    }

    /// Answers with a smaller share on the other side, and the difference.
    fn losses<'a>(
        &self,
        from: &'a [(String, f64)],
        to: &'a [(String, f64)],
    ) -> impl Iterator<Item = (&'a str, f64)> {
        from.iter().filter_map(move |(answer, share)| {
            let other = to.iter().find(|(other, _)| other == answer).map_or(0.0, |(_, share)| *share);
            (share - other > 1e-9).then_some((answer.as_str(), share - other))
        })
    }
}

impl Scene {
    /// Answers with a number: PoPs first, then other answers. The first has number 1.
    pub(crate) fn numbered(&self) -> Vec<&str> {
        let sites: Vec<&str> = self.sites.iter().map(|site| site.name.as_str()).collect();
        let answers = self.lands.iter().flat_map(|land| land.before.iter().chain(&land.after));
        let others: BTreeSet<&str> = answers.map(|(answer, _)| answer.as_str()).collect();
        let is_other = |answer: &&str| *answer != NOTHING && !sites.contains(answer);
        sites.iter().copied().chain(others.into_iter().filter(is_other)).collect()
    }

    /// Countries that get an answer more than any other.
    pub(crate) fn countries_of(&self, answer: &str) -> usize {
        let leads = |land: &&Land| land.after.first().is_some_and(|(first, _)| first == answer);
        self.lands.iter().filter(leads).count()
    }

    /// Countries of each way, by code.
    pub(crate) fn countries_by_way(&self) -> BTreeMap<(&str, &str), Vec<&str>> {
        let mut of: BTreeMap<(&str, &str), Vec<&str>> = BTreeMap::new();
        for land in &self.lands {
            if let Some(way) = land.way() {
                of.entry(way).or_default().push(&land.country);
            }
        }
        of
    }
}

#[cfg(test)]
mod tests;
