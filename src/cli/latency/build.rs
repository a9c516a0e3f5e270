//! `meridian latency build`: measurements, place databases and PoPs become the map.
//!
//! The map is an ordinary MaxMind DB whose records hold parallel arrays, fastest PoP first:
//!
//! ```text
//! latency: { pop: [fra, ams], rtt_ms: [12, 19], samples: [40, 3], source: [measured, neighbours],
//!            measured_at: 1764230400, explored: 1, resolver: { pop: [iad, fra], ... } }
//! ```
//!
//! `resolver` has the same arrays for queries that are steered by the address of a resolver there,
//! where `--resolvers` names the clients behind it; `samples` counts the networks of these clients.
//!
//! `explored` stands where the first PoP is only tried: it is the place, from 0, that this PoP has
//! else, so that the next build with `--previous` returns it there.
//!
//! The same inputs, `--epoch` and `--previous` make the same octets on every machine,
//! in any order of files and rows.

use super::Config;
use super::deployed::Deployed;
use super::lines::{self, Faults};
use super::map_file::{MapFile, Record};
use super::mix::{Mix, Ranking};
use super::picture;
use super::previous::Previous;
use crate::cli::progress::Progress;
use crate::latency::estimate::{Around, Estimator, Spot};
use crate::latency::measurements::{HEADER, Row, RowFault};
use crate::latency::quality::Quality;
use crate::latency::ranking::{Moves, Ranked, Rankings, rank, settle};
use crate::latency::report::{Report, ToNearest};
use crate::latency::resolvers::{Resolvers, units_of};
use crate::latency::units::{NETWORKS_MIN, Unit, Units};
use crate::limits::{DATABASE_OCTETS_MAX, LATENCY_ROWS_MAX};
use crate::sys::clock::epoch_secs;
use crate::sys::replace;
use crate::wire::hash;
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

/// Examples.
pub(super) const HELP: &str = "\
Examples:
  meridian latency build --output geoip/latency.mmdb fra.csv ams.csv
  meridian latency build --resolvers clients.csv --output geoip/latency.mmdb *.csv
  meridian latency build --previous geoip/latency.mmdb --explore 0.5 --output new.mmdb fra.csv ams.csv";

/// Build the map of RTTs
#[derive(Debug, clap::Args)]
pub(crate) struct Build {
    /// Map to write
    #[arg(long, short, value_name = "FILE")]
    output: PathBuf,
    /// Map in service: units leave its choice only for 10 ms and 10 %, and at most a twentieth of
    /// the demand in one build
    #[arg(long, value_name = "FILE")]
    previous: Option<PathBuf>,
    /// Per cent of the units whose second or third PoP is put in front, so that it is measured
    #[arg(long, value_name = "PERCENT", default_value_t = 0.0)]
    explore: f64,
    /// Files with the networks of clients behind each resolver: `resolver,prefix,weight`
    #[arg(long, value_name = "FILE")]
    resolvers: Vec<PathBuf>,
    /// Picture to write: estimated against measured RTTs, and the penalty of the choices
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
    /// Date of the map in seconds since 1970; now by default
    #[arg(long, value_name = "SECONDS")]
    epoch: Option<u64>,
    /// Files that `meridian latency import` wrote
    #[arg(required = true, value_name = "MEASUREMENTS")]
    measurements: Vec<PathBuf>,
    /// Deployment: its databases, networks and PoPs.
    #[command(flatten)]
    config: Config,
}

impl Build {
    /// Runs the command.
    pub(super) fn run(self) -> Result<String, String> {
        if !(0.0..=100.0).contains(&self.explore) {
            return Err(format!("--explore {}: a percentage lies between 0 and 100", self.explore));
        }
        let epoch = self.epoch.unwrap_or_else(epoch_secs);
        if epoch == 0 || UNIX_EPOCH.checked_add(Duration::from_secs(epoch)).is_none() {
            return Err(format!("--epoch {epoch}: no date of a database"));
        }
        let Deployed { pops, spots, atlas } = Deployed::read(&self.config)?;
        let mut units = Units::of_atlas(&atlas);
        drop(atlas);
        let mut mix = Mix::read(&self.resolvers)?;
        let (mut rows, faults) = read_rows(&self.measurements, &pops, epoch)?;
        let row_count = rows.len() as u64;
        units.take(&spots, &mut rows);
        drop(rows);
        let resolvers = Resolvers::new(std::mem::take(&mut mix.rows), &units.list)?;
        let previous = match &self.previous {
            Some(path) => Previous::read(path, &units.list, &resolvers, &pops[..spots.len()])?,
            None => Previous::default(),
        };
        let (mut rankings, mut resolvers, nearest) = self.ranked(&units, &spots, resolvers, &previous)?;
        let moves = self.settle(&units, &mut rankings, &mut resolvers, &previous);
        let explored = self.explore(&units.list, &mut rankings, epoch);
        let octets = encode(&units, &rankings, &resolvers, &pops, epoch)?;
        replace::named(&self.output, &octets, None)
            .map_err(|error| format!("cannot write `{}`: {error}", self.output.display()))?;
        let mut text = Report::new(spots.len(), &rankings, &nearest).text();
        text.push_str(&rows_text(&faults, row_count, &units));
        text.push_str(&mix.text(&resolvers, &units.list, &rankings));
        for (noun, moves) in ["units", "resolvers"].into_iter().zip(moves.into_iter().flatten()) {
            if noun == "units" || !self.resolvers.is_empty() {
                text.push_str(&moves_text(noun, &moves));
            }
        }
        if explored > 0 {
            text.push_str(&format!("explores  {explored} units\n"));
        }
        if self.resolvers.is_empty() && previous.resolver_lists > 0 {
            let lists = previous.resolver_lists;
            text.push_str(&format!(
                "warning   the map before has {lists} lists of resolvers, and this one has none: give \
                 --resolvers with the files of their clients\n"
            ));
        }
        text.push_str(&format!("wrote     {}: {} octets\n", self.output.display(), octets.len()));
        Ok(text)
    }

    /// The ranking of each unit and resolver, and the RTTs to the nearest PoPs of measured units.
    /// Writes the picture if it is asked for. Units at one place share what is known around it, and
    /// those without samples their list too.
    fn ranked(
        &self,
        units: &Units,
        pops: &[Spot],
        mut resolvers: Resolvers,
        previous: &Previous,
    ) -> Result<(Rankings, Ranking, Vec<ToNearest>), String> {
        let estimator = Estimator::learn(pops, &units.measured, NETWORKS_MIN);
        let mut making = Making {
            units,
            previous,
            rankings: Rankings::new(units.list.len()),
            nearest: Vec::new(),
            quality: self.svg.is_some().then(Quality::default),
        };
        making.rank(&estimator);
        if let Some((path, mut quality)) = self.svg.as_ref().zip(making.quality.take()) {
            quality.sort();
            replace::named(path, picture::svg(&quality).as_bytes(), None)
                .map_err(|error| format!("cannot write `{}`: {error}", path.display()))?;
        }
        let estimates = |unit: &Unit| {
            let (own, votes) = (units.own(unit), units.votes(unit));
            Some(estimator.around(units.spot(unit)?).estimates(own, votes))
        };
        let of_resolvers =
            resolvers.ranked(&units.list, pops.len(), estimates, |prefix| previous.of_resolver(prefix))?;
        Ok((making.rankings, Ranking { resolvers, rankings: of_resolvers }, making.nearest))
    }

    /// Holds the rankings near those of `--previous`, if there is one.
    fn settle(
        &self,
        units: &Units,
        rankings: &mut Rankings,
        resolvers: &mut Ranking,
        previous: &Previous,
    ) -> Option<[Moves; 2]> {
        self.previous.as_ref()?;
        let samples = |unit: &Unit| units.own(unit).iter().map(|own| own.samples).sum::<u32>();
        let demand: Vec<f64> = units.list.iter().map(|unit| 1.0 + f64::from(samples(unit))).collect();
        let of_units = settle(rankings, &demand, |unit| previous.of_unit(unit));
        let of_resolvers = resolvers.settle(|prefix| previous.of_resolver(prefix));
        Some([of_units, of_resolvers])
    }

    fn explore(&self, units: &[Unit], rankings: &mut Rankings, epoch: u64) -> usize {
        let limit = (self.explore / 100.0 * 2_f64.powi(32)) as u64;
        if limit == 0 {
            return 0;
        }
        let mut count = 0;
        for (at, unit) in units.iter().enumerate() {
            let draw = hash::octets(format!("{} {epoch}", unit.prefix).as_bytes());
            if draw >> 32 < limit && rankings.explore(at, draw & 0xffff_ffff) {
                count += 1;
            }
        }
        count
    }
}

/// Reads the rows. A row of more than an hour after `epoch` is a fault.
fn read_rows(
    paths: &[PathBuf],
    pops: &[Arc<str>],
    epoch: u64,
) -> Result<(Vec<Row>, Faults<RowFault>), String> {
    let index: HashMap<&str, u16> = pops.iter().map(|pop| &**pop).zip(0..).collect();
    let (mut rows, mut faults) = (Vec::new(), Faults::default());
    let last_hour = u32::try_from(epoch / 3600 + 1).unwrap_or(u32::MAX);
    lines::each(paths, "rows", |line| {
        let text = std::str::from_utf8(line.octets).unwrap_or_default().trim();
        if text == HEADER {
            return Ok(());
        }
        match Row::read(text, last_hour, |pop| index.get(pop).copied()) {
            Ok(_) if rows.len() == LATENCY_ROWS_MAX => {
                return Err(format!(
                    "`{}`:{}: more than {LATENCY_ROWS_MAX} rows: give newer files only, since old samples \
                     count little beside new ones",
                    line.path.display(),
                    line.number
                ));
            }
            Ok(row) => rows.push(row),
            Err(fault) => faults.add(fault, line),
        }
        Ok(())
    })?;
    match rows.is_empty() {
        true => Err(format!(
            "no measurements: no line of the form `{HEADER}` in the files given{}",
            faults.text("", RowFault::words)
        )),
        false => Ok((rows, faults)),
    }
}

fn rows_text(faults: &Faults<RowFault>, rows: u64, units: &Units) -> String {
    let unused = [
        (units.impossible, "not believed: faster than light in fibre"),
        (units.unplaced, "of networks or PoPs without a place"),
        (units.too_wide, "of networks wider than their units"),
    ];
    let used = rows - unused.iter().map(|(count, _)| count).sum::<u64>();
    let mut text = format!("rows      {used} used");
    for (count, words) in unused.iter().filter(|(count, _)| *count > 0) {
        text.push_str(&format!("; {count} {words}"));
    }
    text.push_str(&faults.text("", RowFault::words));
    if units.undecided > 0 {
        text.push_str(&format!(
            "; {} units have samples of fewer than three networks, which rank no PoP there",
            units.undecided
        ));
    }
    text.push('\n');
    text
}

fn moves_text(noun: &str, moves: &Moves) -> String {
    format!(
        "moves     {} {noun} ({:.2} % of the demand); {} stay, since less than 10 ms or 10 % is gained; \
         {} wait for the next build\n",
        moves.moved,
        moves.demand_share * 100.0,
        moves.stayed,
        moves.waiting
    )
}

/// Rankings at work.
struct Making<'m> {
    units: &'m Units,
    previous: &'m Previous,
    rankings: Rankings,
    /// Measured units with the RTTs to their nearest PoPs.
    nearest: Vec<ToNearest>,
    quality: Option<Quality>,
}

impl Making<'_> {
    /// Ranks all units.
    fn rank(&mut self, estimator: &Estimator) {
        let units = self.units;
        let mut order: Vec<u32> = (0..units.list.len() as u32).collect();
        let spot_of = |unit: &u32| units.list[*unit as usize].spot();
        order.sort_by_key(spot_of);
        let (mut progress, mut done) = (Progress::new("units"), 0);
        for at_place in order.chunk_by(|a, b| spot_of(a) == spot_of(b)) {
            let Some(spot) = units.spot(&units.list[at_place[0] as usize]) else { continue };
            self.rank_place(at_place, spot, &mut estimator.around(spot));
            for _ in at_place {
                done += 1;
                progress.at(done, Some(order.len() as u64));
            }
        }
    }

    /// Ranks the units of one place.
    fn rank_place(&mut self, at_place: &[u32], spot: &Spot, around: &mut Around<'_>) {
        // Lists of units without samples by their order in the map before.
        let mut lists: Vec<(&[u16], u32)> = Vec::new();
        for &number in at_place {
            let number = number as usize;
            let (unit, before) = (&self.units.list[number], self.previous.of_unit(number));
            if unit.measured().is_some() {
                let own = self.units.own(unit);
                let estimates = around.estimates(own, self.units.votes(unit));
                if let Some(pop) = around.nearest() {
                    let rtt_ms = match own.iter().find(|own| own.pop == pop) {
                        Some(own) => own.rtt_ms,
                        None => estimates[usize::from(pop)].rtt_ms,
                    };
                    self.nearest.push(ToNearest { unit: number, country: spot.country, pop, rtt_ms });
                }
                if let Some(quality) = &mut self.quality {
                    quality.add(around, own, self.units.votes(unit));
                }
                let list = self.rankings.add(&rank(estimates, before));
                self.rankings.set(number, list);
                continue;
            }
            let at = lists.iter().position(|list| list.0 == before.order).unwrap_or_else(|| {
                let ranking = rank(around.estimates(&[], &[]), before);
                lists.push((before.order, self.rankings.add(&ranking)));
                lists.len() - 1
            });
            self.rankings.set(number, lists[at].1);
        }
    }
}

fn encode(
    units: &Units,
    rankings: &Rankings,
    resolvers: &Ranking,
    pops: &[Arc<str>],
    epoch: u64,
) -> Result<Vec<u8>, String> {
    let mut map = MapFile::new(pops);
    let put = |map: &mut MapFile<'_>, number: usize, prefix, of_resolver: &[Ranked]| {
        let unit = &units.list[number];
        let newest_hour = unit.measured().map_or(0, |number| units.measured.newest_hour(number));
        let record = Record {
            ranking: &rankings.of(number),
            explored: rankings.explored(number),
            measured_at: u64::from(newest_hour) * 3600,
            resolver: of_resolver,
        };
        let is_empty = record.ranking.is_empty() && record.resolver.is_empty();
        if is_empty { Ok(()) } else { map.insert(prefix, &record) }
    };
    let mut progress = Progress::new("records");
    for (number, unit) in units.list.iter().enumerate() {
        progress.at(number as u64 + 1, Some(units.list.len() as u64));
        put(&mut map, number, unit.prefix, &[])?;
    }
    drop(progress);
    // Wider prefixes come first, so that the longest decides where they nest.
    for (resolver, of_resolver) in resolvers.each().filter(|(_, of_resolver)| !of_resolver.is_empty()) {
        for number in units_of(&units.list, resolver.prefix) {
            let own = units.list[number].prefix;
            let narrower = if own.len() > resolver.prefix.len() { own } else { resolver.prefix };
            put(&mut map, number, narrower, &of_resolver)?;
        }
    }
    let octets = map.finish(epoch);
    match octets.len() > DATABASE_OCTETS_MAX {
        true => Err(format!("the map would have {} octets, at most {DATABASE_OCTETS_MAX}", octets.len())),
        false => Ok(octets),
    }
}
