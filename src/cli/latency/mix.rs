//! The mix of the clients behind resolvers, for `meridian latency build --resolvers`.

use super::lines::{self, Faults};
use crate::geo::prefix::Prefix;
use crate::latency::ranking::{Before, Moves, Ranked, Rankings, settle};
use crate::latency::resolvers::{ClientRow, HEADER, Resolver, Resolvers, units_of};
use crate::latency::units::Unit;
use crate::limits::LATENCY_MIX_ROWS_MAX;
use std::path::PathBuf;

/// Rows of the files of mixes, and those that were not used.
#[derive(Default)]
pub(super) struct Mix {
    /// The rows.
    pub(super) rows: Vec<ClientRow>,
    is_asked: bool,
    faults: Faults<&'static str>,
}

impl Mix {
    /// Reads the files.
    pub(super) fn read(paths: &[PathBuf]) -> Result<Mix, String> {
        let mut mix = Mix { is_asked: !paths.is_empty(), ..Mix::default() };
        lines::each(paths, "rows of clients", |line| {
            let text = std::str::from_utf8(line.octets).unwrap_or_default().trim();
            if text == HEADER {
                return Ok(());
            }
            match ClientRow::read(text) {
                Ok(row) => mix.rows.push(row),
                Err(fault) => mix.faults.add(fault, line),
            }
            match mix.rows.len() > LATENCY_MIX_ROWS_MAX {
                true => Err(format!("`{}`: more than {LATENCY_MIX_ROWS_MAX} rows", line.path.display())),
                false => Ok(()),
            }
        })?;
        match mix.rows.is_empty() && mix.is_asked {
            true => Err(format!(
                "--resolvers: no line of the form `{HEADER}` in the files given{}",
                mix.faults.text("rows ", |fault| fault)
            )),
            false => Ok(mix),
        }
    }

    /// Lines of the report: resolvers with a mix, and those that leave the PoP of their network.
    pub(super) fn text(&self, resolvers: &Ranking, units: &[Unit], of_units: &Rankings) -> String {
        if !self.is_asked {
            return String::new();
        }
        let pop = |ranked: Option<Ranked>| ranked.map(|ranked| ranked.pop);
        let with_mix = || resolvers.each().filter(|(_, ranking)| !ranking.is_empty());
        let leaving = with_mix().filter(|(resolver, ranking)| {
            let own = units_of(units, resolver.prefix).next();
            own.and_then(|own| pop(of_units.first(own))) != pop(ranking.first().copied())
        });
        let mut text = format!(
            "resolvers {} by the clients behind them, {} to another PoP than their own network",
            with_mix().count(),
            leaving.count()
        );
        let too_few = resolvers.resolvers.too_few;
        if too_few > 0 {
            text.push_str(&format!("; {too_few} not used: fewer than three networks of clients"));
        }
        let unplaced = resolvers.each().count() - with_mix().count();
        if unplaced > 0 {
            text.push_str(&format!("; {unplaced} not used: most clients have no place"));
        }
        text.push_str(&self.faults.text("rows ", |fault| fault));
        text.push('\n');
        text
    }
}

/// Resolvers, each with its ranking of PoPs.
pub(super) struct Ranking {
    /// The resolvers.
    pub(super) resolvers: Resolvers,
    /// Their rankings, empty where most clients have no place.
    pub(super) rankings: Rankings,
}

impl Ranking {
    /// The resolvers with their rankings.
    pub(super) fn each(&self) -> impl Iterator<Item = (&Resolver, Vec<Ranked>)> {
        self.resolvers.list.iter().enumerate().map(|(at, resolver)| (resolver, self.rankings.of(at)))
    }

    /// Keeps the rankings near those of the map before. `before` gives the order that a resolver
    /// had in it.
    pub(super) fn settle<'b>(&mut self, before: impl Fn(Prefix) -> Before<'b>) -> Moves {
        let list = &self.resolvers.list;
        let demand: Vec<f64> = list.iter().map(|resolver| resolver.weight).collect();
        settle(&mut self.rankings, &demand, |at| before(list[at].prefix))
    }
}
