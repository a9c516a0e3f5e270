//! `meridian map`: the PoP that each country gets, as a picture.
//!
//! The server ranks the countries in its own state (`GET /v1/map`). With `--files` and `--diff` the
//! command compiles files, and the same function ranks.

use super::diff;
use super::moves::percent;
use super::remote::RemoteOptions;
use super::server::{ServerClient, with_query};
use super::{Config, print};
use crate::control::map;
use crate::control::protocol::comparison::{AnswerMove, ComparisonReply, PolicyMoves};
use crate::control::protocol::map::{Map as Reply, MapCountry, MapPop};
use crate::explain;
use crate::geo::place::Coordinates;
use crate::impact::countries;
use crate::picture::drawn;
use crate::picture::scene::{Land, Scene, Site, Way};
use crate::snapshot::Snapshot;
use crate::steer::policy::PolicyId;
use crate::steer::pop::{AdminState, PopId};
use crate::steer::view::Supposed;
use crate::sys::replace;
use hyper::{Method, StatusCode};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Arguments of `map`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Asks the running server for the PoPs of each country, or reads files (--files, --diff) with every
PoP up. Each country is ranked from its largest city, as a client of which only the country is
known; `meridian explain` has the answer of one client. The picture has no date: the same state
gives the same file. A browser opens it, and prints it or saves it as PNG.

Exit status: 0 drawn, 1 refused, 2 the command line is wrong or no server answers.

Examples:
  meridian map --policy web -o web.svg
  meridian map --policy web --down fra -o fra-down.svg
  meridian map --policy web --files --config site/meridian.yaml -o site.svg
  meridian map --policy web --diff old/meridian.yaml new/meridian.yaml -o moves.svg")]
pub(crate) struct Map {
    /// Policy whose answers are drawn; in a zone file, behind the name of the zone
    #[arg(long, value_name = "NAME")]
    policy: String,
    /// Picture to write, as SVG; a file of that name is replaced
    #[arg(long, short, value_name = "FILE")]
    output: PathBuf,
    /// PoP supposed to be down by probes: the picture shows its takers (may be given more than
    /// once)
    #[arg(long, value_name = "POP", value_delimiter = ',', conflicts_with = "diff")]
    down: Vec<String>,
    /// Two server files: the picture shows the countries that move from the first to the second
    #[arg(long, value_names = ["OLD", "NEW"], num_args = 2)]
    #[arg(conflicts_with_all = ["files", "server", "config"])]
    diff: Option<Vec<PathBuf>>,
    /// Read the files as they are now, with every PoP up, and ask no server
    #[arg(long, conflicts_with = "server")]
    files: bool,
    #[command(flatten)]
    config: Config,
    #[command(flatten)]
    remote: RemoteOptions,
}

/// Pairs of requests until both show the same snapshot.
const TRIES: usize = 5;

/// Two states of the map, and the shares that move.
struct Sides {
    before: Reply,
    after: Reply,
    /// `None` where no shares are known: from a server, and for a policy without names.
    ways: Option<Vec<Way>>,
    capacities: BTreeMap<String, f64>,
}

impl Map {
    /// Draws, or prints the fault.
    pub(crate) fn run(self) -> ExitCode {
        let sides = match &self.diff {
            Some(files) => self.of_diff(files),
            None if self.files => self.of_files(),
            None => self.of_server(),
        };
        sides.map_or_else(|status| status, |sides| self.written(&sides))
    }

    fn written(&self, sides: &Sides) -> ExitCode {
        match write(&self.output, &self.scene(sides)) {
            Ok(octets) => {
                print(&format!("{}: {octets} octets\n", self.output.display()));
                ExitCode::SUCCESS
            }
            Err(status) => status,
        }
    }

    fn is_change(&self) -> bool {
        self.diff.is_some() || !self.down.is_empty()
    }

    fn of_server(&self) -> Result<Sides, ExitCode> {
        let server = ServerClient::of(self.config.clone(), self.remote.clone());
        let ask = |down: &str| {
            let path = with_query("/v1/map", &[("policy", self.policy.clone()), ("down", down.to_owned())]);
            let reached = server.ask(Method::GET, &path).inspect_err(|_| {
                note("`map` asks a running server; to have the files drawn instead, add --files");
            })?;
            let is_missing = matches!(reached.answer.status, StatusCode::NOT_FOUND | StatusCode::BAD_REQUEST);
            reached.done::<Reply>().inspect_err(|_| {
                if is_missing {
                    note("help: `meridian policy list` and `meridian pop list` show the names");
                }
            })
        };
        let sides = |before, after| Sides { before, after, ways: None, capacities: BTreeMap::new() };
        for _ in 0..TRIES {
            let before = ask("")?;
            if !self.is_change() {
                return Ok(sides(before.clone(), before));
            }
            let after = ask(&self.down.join(","))?;
            // Both of one snapshot, so that only the supposition makes them differ.
            if before.sequence == after.sequence {
                return Ok(sides(before, after));
            }
        }
        Err(refused("the server changes its state all the time: try again when it is calm"))
    }

    fn of_files(&self) -> Result<Sides, ExitCode> {
        let snapshot = compiled(&self.config.path())?;
        let supposed: Vec<_> = self.down.iter().map(|name| (name.clone(), Supposed::Down)).collect();
        let after = explain::supposing(&snapshot, &supposed).map_err(|sentence| refused(&sentence))?;
        self.compared(&snapshot, after.as_ref().unwrap_or(&snapshot))
    }

    fn of_diff(&self, files: &[PathBuf]) -> Result<Sides, ExitCode> {
        let [old, new] = files else { return Err(ExitCode::from(2)) };
        self.compared(&compiled(old)?, &compiled(new)?)
    }

    fn compared(&self, before: &Snapshot, after: &Snapshot) -> Result<Sides, ExitCode> {
        let capacities = after.pops.iter().filter_map(|pop| Some((pop.name.to_string(), pop.capacity?)));
        Ok(Sides {
            before: of_snapshot(before, &self.policy)?,
            after: of_snapshot(after, &self.policy)?,
            ways: if self.is_change() { self.ways(&diff::compared(before, after)) } else { None },
            capacities: capacities.collect(),
        })
    }

    /// Moves of the clients of names that keep the policy; `None` if it has no such name.
    fn ways(&self, reply: &ComparisonReply) -> Option<Vec<Way>> {
        let is_kept = |moves: &&PolicyMoves| {
            *moves.policy == *self.policy && moves.then.as_deref() == Some(self.policy.as_str())
        };
        let of = reply.policies.iter().find(is_kept)?;
        let way = |way: &AnswerMove| Way {
            from: way.from.clone(),
            to: way.to.clone(),
            shares: format!(
                "{} of the policy's IPv4 addresses, {} of its IPv6 leaves",
                percent(way.share.ipv4),
                percent(way.share.ipv6)
            ),
        };
        Some(of.moves.iter().map(way).collect())
    }

    fn scene(&self, sides: &Sides) -> Scene {
        let mut title = format!("policy {}", self.policy);
        if self.diff.is_some() {
            title.push_str(": clients that move from the old files to the new ones");
        } else if self.is_change() {
            let _ = write!(title, ": clients that move if {} is down", self.down.join(", "));
        } else {
            title.push_str(": PoP of each country");
        }
        let sites: Vec<Site> = (sides.after.pops.iter())
            .map(|pop| {
                let is_down = self.down.iter().any(|name| **name == *pop.name);
                site(pop, is_down.then_some(Supposed::Down), sides.capacities.get(&*pop.name).copied())
            })
            .collect();
        let countries = sides.before.countries.iter().zip(&sides.after.countries);
        let lands: Vec<Land> = countries.map(|(before, after)| land(before, after)).collect();
        let mut scene = Scene {
            title,
            sites,
            lands,
            ways: sides.ways.clone(),
            is_change: self.is_change(),
            notes: Vec::new(),
            decided: None,
        };
        scene.notes = self.notes(&scene);
        scene
    }

    fn notes(&self, scene: &Scene) -> Vec<String> {
        let out = scene.sites.iter().filter(|site| site.is_out).count();
        let moving = scene.lands.iter().filter(|land| land.way().is_some()).count();
        let mut totals = format!(
            "{} PoPs, {out} of them out of service; {} countries and territories",
            scene.sites.len(),
            scene.lands.len()
        );
        if scene.is_change {
            let _ = write!(totals, ", {moving} of them move (hatched: number before \u{2192} number after)");
        }
        let state = match self.diff.is_some() || self.files {
            true => "from files, every PoP up by probes",
            false => "in the state of the running server",
        };
        let ranked = format!("each country ranked from its largest city, {state}");
        vec![totals, ranked]
    }
}

/// Map of a snapshot of files, as a server that starts with them has it. Prints a fault.
pub(super) fn of_snapshot(snapshot: &Snapshot, policy: &str) -> Result<Reply, ExitCode> {
    let policies = &snapshot.steering.policies;
    let place = policies.iter().position(|other| *other.name == *policy);
    let answers = place.and_then(|place| countries::of_policy(snapshot, PolicyId::at(place)));
    let Some(answers) = answers else {
        let names: Vec<&str> = policies.iter().map(|policy| &*policy.name).collect();
        let (policy, names) = (policy.escape_debug(), names.join(" "));
        return Err(refused(&format!("there is no policy `{policy}`; there are {names}")));
    };
    let pops = snapshot.pops.iter().enumerate().map(|(index, pop)| {
        let status = snapshot.status.pop(PopId::at(index));
        let mut of = MapPop {
            name: pop.name.clone(),
            lat: pop.coordinates.map(Coordinates::lat),
            lon: pop.coordinates.map(Coordinates::lon),
            ..MapPop::default()
        };
        of.effective.setting.state = status.state.word().into();
        of.effective.setting.weight = status.weight;
        of
    });
    Ok(Reply {
        pops: pops.collect(),
        countries: answers.iter().map(map::country).collect(),
        ..Reply::default()
    })
}

/// PoP with its words, in the state that is supposed of it.
pub(super) fn site(pop: &MapPop, supposed: Option<Supposed>, capacity: Option<f64>) -> Site {
    let setting = &pop.effective.setting;
    let state = AdminState::from_word(&setting.state);
    let is_switched = state.is_some_and(AdminState::is_out);
    // The state that an operator has set stands above the results of probes.
    let is_forced = state.is_some_and(AdminState::is_forced_up);
    let (mut words, is_out) = match supposed {
        None => (setting.state.to_string(), is_switched || pop.in_service == "no"),
        Some(Supposed::Drain) => ("supposed drained".to_owned(), true),
        Some(Supposed::Down) => (format!("{}, supposed down", setting.state), !is_forced),
        Some(Supposed::Up) => (format!("{}, supposed up", setting.state), is_switched),
    };
    let _ = write!(words, ", weight {}", setting.weight);
    if let Some(capacity) = capacity {
        let _ = write!(words, ", capacity {capacity}");
    }
    if let Some(utilisation) = pop.utilisation {
        let _ = write!(words, ", load {:.0} %", utilisation * 100.0);
    }
    let health = pop.health.to_string();
    if !health.is_empty() && health != "no probe" {
        let _ = write!(words, ", {health}");
    }
    Site {
        name: pop.name.to_string(),
        at: pop.lat.zip(pop.lon).and_then(|(lat, lon)| Coordinates::from_degrees(lat, lon)),
        words,
        is_out,
    }
}

/// Country with its answers in two states.
pub(super) fn land(before: &MapCountry, after: &MapCountry) -> Land {
    let answers = |of: &MapCountry| {
        of.answers.iter().map(|answer| (answer.answer.clone(), answer.share)).collect::<Vec<_>>()
    };
    Land {
        country: after.country.clone(),
        at: Coordinates::from_degrees(after.lat, after.lon),
        before: answers(before),
        after: answers(after),
    }
}

/// Writes a picture, and returns its octets; prints a fault.
pub(super) fn write(path: &Path, scene: &Scene) -> Result<usize, ExitCode> {
    let svg = drawn::svg(scene);
    let written = replace::named(path, svg.as_bytes(), None);
    written.map_err(|error| refused(&format!("cannot write `{}`: {error}", path.display())))?;
    Ok(svg.len())
}

fn compiled(path: &Path) -> Result<Snapshot, ExitCode> {
    diff::compile(path).ok_or(ExitCode::FAILURE)
}

/// Exit status of a refusal, whose sentence is printed.
pub(super) fn refused(sentence: &str) -> ExitCode {
    note(&format!("error: {sentence}"));
    ExitCode::FAILURE
}

fn note(sentence: &str) {
    let _ = writeln!(std::io::stderr(), "{sentence}");
}
