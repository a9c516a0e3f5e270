//! `meridian latency build`: measurements, place databases and PoPs become the map.
//!
//! The map is an ordinary MaxMind DB whose records hold parallel arrays, fastest PoP first:
//!
//! ```text
//! latency: { pop: [fra, ams], rtt_ms: [12, 19], samples: [40, 3], source: [measured, neighbours],
//!            measured_at: 1764230400, resolver: { pop: [iad, fra], ... } }
//! ```
//!
//! `resolver` has the same arrays for queries that are steered by the address of a resolver there,
//! where `--resolvers` names the clients behind it; `samples` counts the networks of these clients.
//!
//! The same inputs, `--epoch` and `--previous` make the same octets on every machine.

use super::Config;
use super::lines::{self, Faults, Progress};
use super::mix::{Mix, Ranking};
use crate::cli::print_findings;
use crate::finding::Files;
use crate::geo::atlas::Atlas;
use crate::geo::mmdb::{Database, Fields};
use crate::geo::prefix::Prefix;
use crate::latency::estimate::{Estimator, OwnRtt, Spot};
use crate::latency::measurements::{HEADER, Row, RowFault};
use crate::latency::ranking::{Moves, Ranked, explore, rank, settle};
use crate::latency::report::Report;
use crate::latency::resolvers::{Resolvers, units_of};
use crate::latency::units::{NETWORKS_MIN, Unit, Units};
use crate::limits::DATABASE_OCTETS_MAX;
use crate::reload::prepare;
use crate::sys::clock::epoch_secs;
use crate::sys::replace;
use crate::wire::hash;
use ipnet::IpNet;
use mmdb_writer::{Ipv4Aliasing, Value, Writer};
use std::collections::HashMap;
use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

/// The name of this kind of database.
const KIND: &str = "Meridian-Latency";

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

/// PoPs and places of the deployment.
struct World {
    pops: Vec<Arc<str>>,
    spots: Vec<Option<Spot>>,
    atlas: Atlas,
}

/// The map before: the first PoP of each unit, and the PoPs that it knew.
struct Previous {
    map: Database,
    first: Vec<Option<u16>>,
    knows: Vec<bool>,
}

impl Build {
    /// Runs the command.
    pub(super) fn run(self) -> Result<String, String> {
        if !(0.0..=100.0).contains(&self.explore) {
            return Err(format!("--explore {}: a percentage lies between 0 and 100", self.explore));
        }
        let world = World::read(&self.config)?;
        let mut mix = Mix::read(&self.resolvers)?;
        let (mut rows, faults) = read_rows(&self.measurements, &world.pops)?;
        let row_count = rows.len();
        let units = Units::new(&world.atlas, &world.spots, &mut rows);
        drop(rows);
        let resolvers = Resolvers::new(std::mem::take(&mut mix.rows), &units.list)?;
        let (mut rankings, mut resolvers, mut report) = world.ranked(&units, resolvers)?;
        let moves = self.settle(&units.list, &mut rankings, &mut resolvers, &world.pops)?;
        let epoch = self.epoch.unwrap_or_else(epoch_secs);
        let explored = self.explore(&units.list, &mut rankings, epoch);
        let octets = encode(&units.list, &rankings, &resolvers, &world.pops, epoch)?;
        replace::named(&self.output, &octets, None)
            .map_err(|error| format!("cannot write `{}`: {error}", self.output.display()))?;
        let mut text = report.text(&units.list);
        text.push_str(&faults_text(&faults, row_count, &units));
        text.push_str(&mix.text(&resolvers, &units.list, &rankings));
        for (noun, moves) in ["units", "resolvers"].into_iter().zip(moves.into_iter().flatten()) {
            if noun == "units" || !self.resolvers.is_empty() {
                text.push_str(&moves_text(noun, &moves));
            }
        }
        if explored > 0 {
            text.push_str(&format!("explores  {explored} units\n"));
        }
        text.push_str(&format!("wrote     {}: {} octets\n", self.output.display(), octets.len()));
        Ok(text)
    }

    /// Holds the rankings near those of `--previous`, if there is one.
    fn settle(
        &self,
        units: &[Unit],
        rankings: &mut [Vec<Ranked>],
        resolvers: &mut Ranking,
        pops: &[Arc<str>],
    ) -> Result<Option<[Moves; 2]>, String> {
        let Some(path) = &self.previous else { return Ok(None) };
        let previous = Previous::read(path, units, pops)?;
        let samples = |unit: &Unit| unit.own.iter().map(|own| own.samples).sum::<u32>();
        let demand: Vec<f64> = units.iter().map(|unit| 1.0 + f64::from(samples(unit))).collect();
        let is_new = |pop: u16| !previous.knows[usize::from(pop)];
        let of_units = settle(rankings, &demand, |unit| previous.first[unit], is_new);
        let of_resolvers = resolvers.settle(|prefix| previous.first_of_resolver(prefix, pops), is_new);
        Ok(Some([of_units, of_resolvers]))
    }

    fn explore(&self, units: &[Unit], rankings: &mut [Vec<Ranked>], epoch: u64) -> usize {
        let limit = (self.explore / 100.0 * 2_f64.powi(32)) as u64;
        let mut count = 0;
        for (unit, ranking) in units.iter().zip(rankings) {
            let draw = hash::octets(format!("{} {epoch}", unit.prefix).as_bytes());
            if draw >> 32 < limit && explore(ranking, draw & 0xffff_ffff) {
                count += 1;
            }
        }
        count
    }
}

impl World {
    fn read(config: &Config) -> Result<World, String> {
        let (deployment, findings, files) = prepare::read(&config.path(), true);
        let Some(deployment) = deployment else {
            print_findings(&findings, &files);
            return Err("the deployment has faults".to_owned());
        };
        let mut databases = Vec::new();
        for source in &deployment.databases {
            match Database::read(source.path.clone(), &source.octets, source.file) {
                Ok(database) => databases.push(database),
                Err(findings) => {
                    print_findings(&findings, &files);
                    return Err("a database cannot be read".to_owned());
                }
            }
        }
        let (atlas, _) = Atlas::build(&databases, &deployment.networks);
        let spots = (deployment.pops.iter())
            .map(|pop| pop.coordinates.map(|at| Spot::new(pop.country, at)))
            .collect();
        let pops = deployment.pops.iter().map(|pop| Arc::clone(&pop.name)).collect();
        Ok(World { pops, spots, atlas })
    }

    /// The ranking of each unit and resolver over the PoPs that have a place; the others are in
    /// none.
    fn ranked(
        &self,
        units: &Units,
        mut resolvers: Resolvers,
    ) -> Result<(Vec<Vec<Ranked>>, Ranking, Report), String> {
        // The located PoPs are numbered anew, in the order of their names.
        let located: Vec<u16> = (0..).zip(&self.spots).filter_map(|(pop, spot)| spot.map(|_| pop)).collect();
        let spots: Vec<Spot> = self.spots.iter().flatten().copied().collect();
        if spots.is_empty() {
            return Err("no PoP has a place: give them `location` in the file of PoPs".to_owned());
        }
        let place_of = |pop: u16| located.binary_search(&pop).ok().map(|at| at as u16);
        let measured: Vec<_> = (units.measured.iter().cloned())
            .map(|mut network| {
                network.own = renumbered(&network.own, place_of);
                network
            })
            .collect();
        let estimator = Estimator::learn(&spots, &measured, NETWORKS_MIN);
        let mut report = Report::new(spots.len());
        let mut rankings = ranked(&units.list, &estimator, &spots, place_of, &mut report);
        let mut of_resolvers = resolvers.ranked(&units.list, spots.len(), |unit| {
            Some(estimator.estimates(&unit.spot?, &renumbered(&unit.own, place_of)))
        });
        for ranked in rankings.iter_mut().chain(&mut of_resolvers).flatten() {
            ranked.pop = located[usize::from(ranked.pop)];
        }
        Ok((rankings, Ranking { resolvers, rankings: of_resolvers }, report))
    }
}

fn read_rows(paths: &[PathBuf], pops: &[Arc<str>]) -> Result<(Vec<Row>, Faults<RowFault>), String> {
    let index: HashMap<&str, u16> = pops.iter().map(|pop| &**pop).zip(0..).collect();
    let (mut rows, mut faults) = (Vec::new(), Faults::default());
    lines::each(paths, "rows", |line| {
        let text = std::str::from_utf8(line.octets).unwrap_or_default().trim();
        if text == HEADER || line.octets.is_empty() {
            return Ok(());
        }
        match Row::read(text, |pop| index.get(pop).copied()) {
            Ok(row) => rows.push(row),
            Err(fault) => faults.add(fault, line),
        }
        Ok(())
    })?;
    match rows.is_empty() {
        true => Err(format!("no measurements: no line of the form `{HEADER}` in the files given")),
        false => Ok((rows, faults)),
    }
}

fn faults_text(faults: &Faults<RowFault>, rows: usize, units: &Units) -> String {
    let mut text = format!("rows      {rows} used");
    if units.impossible > 0 {
        text.push_str(&format!("; {} not believed: faster than light in fibre", units.impossible));
    }
    if units.unplaced > 0 {
        text.push_str(&format!("; {} of networks or PoPs without a place", units.unplaced));
    }
    for (fault, count, first) in faults.each() {
        text.push_str(&format!("; {count} not used: {} (first {first})", fault.words()));
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

/// Samples with PoPs renumbered; those of other PoPs go.
fn renumbered(own: &[OwnRtt], place_of: impl Fn(u16) -> Option<u16>) -> Vec<OwnRtt> {
    own.iter().filter_map(|own| place_of(own.pop).map(|pop| OwnRtt { pop, ..*own })).collect()
}

/// The ranking of each unit. Units of one place without samples share the estimates.
fn ranked(
    units: &[Unit],
    estimator: &Estimator,
    pops: &[Spot],
    place_of: impl Fn(u16) -> Option<u16>,
    report: &mut Report,
) -> Vec<Vec<Ranked>> {
    let mut by_place: HashMap<u32, Vec<Ranked>> = HashMap::new();
    let (mut progress, all) = (Progress::new("units"), units.len() as u64);
    (units.iter().zip(1..))
        .map(|(unit, done)| {
            progress.at(done, Some(all));
            let Some(spot) = unit.spot else { return Vec::new() };
            let own = renumbered(&unit.own, &place_of);
            let known = if own.is_empty() { by_place.get(&unit.place) } else { None };
            let ranking = match known {
                Some(ranking) => ranking.clone(),
                None => rank(&estimator.estimates(&spot, &own)),
            };
            report.add(unit, &spot, &ranking, pops, estimator, &own);
            if own.is_empty() {
                by_place.entry(unit.place).or_insert_with(|| ranking.clone());
            }
            ranking
        })
        .collect()
}

impl Previous {
    /// Reads the choices of a map. A damaged map is an error, because without hysteresis all
    /// clients would move.
    fn read(path: &Path, units: &[Unit], pops: &[Arc<str>]) -> Result<Previous, String> {
        let shown = path.display().to_string();
        let octets = fs::read(path).map_err(|error| format!("cannot read `{shown}`: {error}"))?;
        let mut files = Files::default();
        let file = files.add(shown.as_str(), "");
        let map = Database::read(shown.as_str(), &octets, file).map_err(|findings| {
            print_findings(&findings, &files);
            format!("the previous map `{shown}` cannot be used")
        })?;
        let index: HashMap<&str, u16> = pops.iter().map(|pop| &**pop).zip(0..).collect();
        let mut knows = vec![false; pops.len()];
        let lists = map.places.iter().flat_map(|place| [&place.rtts, &place.resolver_rtts]).flatten();
        for (name, _) in lists.flat_map(|list| list.entries()) {
            if let Some(&pop) = index.get(name) {
                knows[usize::from(pop)] = true;
            }
        }
        let first = |unit: &Unit| {
            let (name, _) = fields_of(&map, unit.prefix)?.rtts.as_ref()?.entries().next()?;
            index.get(name).copied()
        };
        Ok(Previous { first: units.iter().map(first).collect(), knows, map })
    }

    /// The first PoP that the resolvers of a prefix had.
    fn first_of_resolver(&self, prefix: Prefix, pops: &[Arc<str>]) -> Option<u16> {
        let (name, _) = fields_of(&self.map, prefix)?.resolver_rtts.as_ref()?.entries().next()?;
        pops.iter().position(|pop| **pop == *name).map(|at| at as u16)
    }
}

/// The fields of a map for the first address of a prefix.
fn fields_of(map: &Database, prefix: Prefix) -> Option<&Fields> {
    let holds = |start: IpAddr, len| Prefix::new(start, len).contains(prefix.address());
    let place = match prefix {
        Prefix::V4 { bits, .. } => {
            let &(start, len, place) = before(&map.leaves_v4, |leaf| leaf.0 <= bits)?;
            holds(Ipv4Addr::from_bits(start).into(), len).then_some(place)?
        }
        Prefix::V6 { bits, .. } => {
            let &(start, len, place) = before(&map.leaves_v6, |leaf| leaf.0 <= bits)?;
            holds(Ipv6Addr::from_bits(start).into(), len).then_some(place)?
        }
    };
    map.places.get(place as usize)
}

/// The last leaf that begins at or before an address.
fn before<L>(leaves: &[L], is_before: impl Fn(&L) -> bool) -> Option<&L> {
    leaves.get(leaves.partition_point(is_before).checked_sub(1)?)
}

fn encode(
    units: &[Unit],
    rankings: &[Vec<Ranked>],
    resolvers: &Ranking,
    pops: &[Arc<str>],
    epoch: u64,
) -> Result<Vec<u8>, String> {
    let date = (UNIX_EPOCH.checked_add(Duration::from_secs(epoch)).filter(|_| epoch > 0))
        .ok_or_else(|| format!("--epoch {epoch}: no date of a database"))?;
    let mut writer = Writer::builder(KIND)
        .description(&[("en", "Estimated RTT of networks to PoPs, made by meridian latency build")])
        .languages(["en"])
        .ipv4_aliasing(Ipv4Aliasing::Disabled)
        .build_epoch(date)
        .build();
    let mut progress = Progress::new("records");
    for ((unit, ranking), done) in units.iter().zip(rankings).zip(1..) {
        progress.at(done, Some(units.len() as u64));
        if !ranking.is_empty() {
            let value = record(unit, ranking, &[], pops);
            writer.insert_value(network(unit.prefix)?, value).map_err(|error| error.to_string())?;
        }
    }
    progress.end();
    // Wider prefixes come first, so that the longest decides where they nest.
    for (resolver, of_resolver) in resolvers.each().filter(|(_, of_resolver)| !of_resolver.is_empty()) {
        for unit in units_of(units, resolver.prefix) {
            let narrower =
                [units[unit].prefix, resolver.prefix].into_iter().max_by_key(|prefix| prefix.len());
            let value = record(&units[unit], &rankings[unit], of_resolver, pops);
            let network = network(narrower.unwrap_or(resolver.prefix))?;
            writer.insert_value(network, value).map_err(|error| error.to_string())?;
        }
    }
    let octets = writer.to_bytes().map_err(|error| error.to_string())?;
    match octets.len() > DATABASE_OCTETS_MAX {
        true => Err(format!("the map would have {} octets, at most {DATABASE_OCTETS_MAX}", octets.len())),
        false => Ok(octets),
    }
}

fn network(prefix: Prefix) -> Result<IpNet, String> {
    IpNet::new(prefix.address(), prefix.len()).map_err(|error| error.to_string())
}

/// Record of a unit, with the ranking for resolvers there if they have one.
fn record(unit: &Unit, ranking: &[Ranked], of_resolvers: &[Ranked], pops: &[Arc<str>]) -> Value {
    let mut fields = if ranking.is_empty() { Vec::new() } else { arrays(ranking, pops) };
    if !unit.own.is_empty() {
        fields.push(("measured_at", Value::from(u64::from(unit.newest_hour) * 3600)));
    }
    if !of_resolvers.is_empty() {
        fields.push(("resolver", Value::map(arrays(of_resolvers, pops))));
    }
    Value::map([("latency", Value::map(fields))])
}

fn arrays(ranking: &[Ranked], pops: &[Arc<str>]) -> Vec<(&'static str, Value)> {
    vec![
        ("pop", Value::array(ranking.iter().map(|ranked| &*pops[usize::from(ranked.pop)]))),
        ("rtt_ms", Value::array(ranking.iter().map(|ranked| ranked.rtt_ms))),
        ("samples", Value::array(ranking.iter().map(|ranked| ranked.samples))),
        ("source", Value::array(ranking.iter().map(|ranked| ranked.source.word()))),
    ]
}
