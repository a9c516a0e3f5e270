//! `meridian explain`: the reasons of the answer that a client gets.
//!
//! The command asks the running server, because overrides, verdicts, ramps, guards and shed shares
//! shape an answer as much as files do, and only the server knows them. Only `--files` and
//! `--verify-scopes` read files instead. If no server runs, the command reports that and explains
//! nothing: an answer from files would mislead the operator just when the server's own answer
//! matters.

mod picture;

use super::server::{ServerClient, complain, with_query};
use super::{Config, Format, json, map, print, print_findings, verify};
use crate::cli::progress::{self, Progress};
use crate::control::explain::explained;
use crate::control::protocol::explain::{Asked, Decision, ExplainRequest, Explained};
use crate::control::protocol::map::Map;
use crate::explain::{self, ExplainQuery};
use crate::geo::prefix::Prefix;
use crate::reload::prepare;
use crate::reload::watch::Watch;
use crate::rfc3339;
use crate::snapshot::{Snapshot, compile};
use crate::steer::view::Supposed;
use crate::sys::clock::epoch_secs;
use crate::wire::idn;
use crate::wire::name::Name;
use crate::wire::rr::RrType;
use hyper::{Method, StatusCode};
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

/// Arguments of `explain`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Asks the running server for the answer that it gives now, under its overrides, probe
results, ramps, guards and load. Supposed states (--down, --up, --drain) are laid over
that state; nothing is changed. With --files no server is asked: the files are read,
and every PoP counts as up.

Exit status: 0 explained, 1 refused, 2 the question is wrong or no server answers.

Examples:
  meridian explain www.shop.example --client 192.0.2.7
  meridian explain www.shop.example AAAA --ecs 198.51.100.0/24
  meridian explain api.edge.cdn.example --client 192.0.2.7 --down iad --down fra
  meridian explain www.shop.example --ecs 198.51.100.0/24 --files
  meridian explain www.shop.example --client 192.0.2.7 --map www.svg
  meridian explain --verify-scopes")]
pub(crate) struct Explain {
    /// Name asked for
    #[arg(required_unless_present = "verify_scopes")]
    name: Option<String>,
    /// Record type asked for
    #[arg(value_name = "TYPE", default_value = "A")]
    rtype: String,
    /// Address of the resolver that asks; needed without --ecs
    #[arg(long, value_name = "IP", required_unless_present_any = ["verify_scopes", "ecs"])]
    client: Option<IpAddr>,
    /// EDNS client subnet that the resolver sends
    #[arg(long, value_name = "PREFIX")]
    ecs: Option<ipnet::IpNet>,
    /// PoP supposed to be down by probes (may be given more than once)
    #[arg(long, value_name = "POP", value_delimiter = ',')]
    down: Vec<String>,
    /// PoP supposed to be up by probes
    #[arg(long, value_name = "POP", value_delimiter = ',')]
    up: Vec<String>,
    /// PoP supposed to be drained
    #[arg(long, value_name = "POP", value_delimiter = ',')]
    drain: Vec<String>,
    /// Read the files as they are now, and ask no server
    #[arg(long, conflicts_with_all = ["control", "server"])]
    files: bool,
    /// Walk every leaf of every policy of the files, ask inside it, and prove that each scope is
    /// true
    #[arg(long, conflicts_with_all = ["name", "client", "ecs", "down", "up", "drain"])]
    verify_scopes: bool,
    /// Picture to write beside the explanation, as SVG: the place of the client, its candidates and
    /// the chosen PoP; a file of that name is replaced
    #[arg(long, value_name = "FILE", conflicts_with = "verify_scopes")]
    map: Option<PathBuf>,
    #[command(flatten)]
    server: ServerClient,
}

/// Addresses asked for in each leaf by `--verify-scopes`.
const SAMPLES_PER_LEAF: usize = 4;

impl Explain {
    /// Explains, or prints the fault of the question, the server or the files.
    pub(crate) fn run(self) -> ExitCode {
        if self.verify_scopes {
            return match read(self.server.config()) {
                Ok(files) => verified(&files.snapshot),
                Err(status) => status,
            };
        }
        let asked = match self.asked() {
            Ok(asked) => asked,
            Err(words) => {
                eprintln!("error: {words}");
                return ExitCode::from(2);
            }
        };
        let done = if self.files { self.by_files(&asked) } else { self.by_server(&asked) };
        done.unwrap_or_else(|status| status)
    }

    fn asked(&self) -> Result<ExplainQuery, String> {
        let written = self.name.as_deref().unwrap_or(".");
        let name = Name::parse(written, None).map_err(|error| {
            let help = idn::help(error, written).map(|help| format!("; {help}")).unwrap_or_default();
            format!("`{written}` is not a domain name: {error}{help}")
        })?;
        let rtype =
            RrType::from_text(&self.rtype).ok_or_else(|| format!("`{}` is not a record type", self.rtype))?;
        let lists = [(&self.down, Supposed::Down), (&self.up, Supposed::Up), (&self.drain, Supposed::Drain)];
        let supposed =
            lists.into_iter().flat_map(|(names, what)| names.iter().map(move |name| (name.clone(), what)));
        let ecs = self.ecs.map(Prefix::from);
        Ok(ExplainQuery { name, rtype, client: self.client, ecs, supposed: supposed.collect() })
    }

    /// Has the running server explain.
    fn by_server(&self, asked: &ExplainQuery) -> Result<ExitCode, ExitCode> {
        let request = ExplainRequest {
            name: asked.name.to_string(),
            rtype: Some(asked.rtype.to_string()),
            client: asked.client,
            ecs: asked.ecs.map(|prefix| prefix.to_string()),
            down: self.down.clone(),
            up: self.up.clone(),
            drain: self.drain.clone(),
        };
        let asked_of = match self.server.is_unproven() {
            true => self.server.ask(Method::GET, &parameters(&request)),
            false => self.server.post("/v1/explain", &request),
        };
        let reached = asked_of.inspect_err(|_| {
            eprintln!(
                "`explain` asks a running server; to have the files explained instead, with every PoP up, \
                 add --files"
            );
        })?;
        if !reached.is_done() {
            complain(&reached.read()?);
            let is_question = reached.answer.status == StatusCode::BAD_REQUEST;
            return Err(ExitCode::from(if is_question { 2 } else { 1 }));
        }
        let explained = reached.read::<Explained>()?;
        print(&match self.server.format {
            Format::Json => reached.json(),
            Format::Text => {
                let Asked { node, sequence, digest, moment } = explained.asked.clone().unwrap_or_default();
                let moment = rfc3339::parse(&moment).unwrap_or_else(epoch_secs);
                let snapshot = (sequence, &*digest, &*explained.files_digest);
                explain::head(&node, &reached.place, snapshot, moment) + &explained.text
            }
        });
        self.drawn(asked, explained.decision, "in the state of the running server", |policy| {
            let policy = ("policy", policy.to_owned());
            let query = [policy].into_iter().chain(supposed(&request)).collect::<Vec<_>>();
            self.server.ask(Method::GET, &with_query("/v1/map", &query))?.done::<Map>()
        })
    }

    /// Compiles the files and explains the answer of a server that starts with them, with every PoP
    /// up.
    fn by_files(&self, asked: &ExplainQuery) -> Result<ExitCode, ExitCode> {
        let files = read(self.server.config())?;
        let read = |path: &Path| {
            let found = files.databases.iter().find(|(other, _)| Path::new(&**other) == path);
            found.map(|(_, octets)| Arc::clone(octets)).ok_or_else(|| "it was not read".to_owned())
        };
        let explanation = match explain::explain(&files.snapshot, None, asked, &read) {
            Ok(explanation) => explanation,
            Err(sentence) => {
                eprintln!("error: {sentence}");
                return Err(ExitCode::from(2));
            }
        };
        let (config, digest) = (self.server.config().path(), files.snapshot.files_digest());
        let explained = Explained {
            config: Some(config.to_string_lossy().into_owned()),
            ..explained(&explanation, &files.snapshot)
        };
        print(&match self.server.format {
            Format::Json => json(&explained),
            Format::Text => format!(
                "{:<10} the files of {} as they are now, files {digest}; no server was asked: no override, \
                 no probe result, no load\n{}",
                "asked",
                config.display(),
                explanation.text()
            ),
        });
        let laid_over = explain::supposing(&files.snapshot, &asked.supposed).ok().flatten();
        let snapshot = laid_over.as_ref().unwrap_or(&files.snapshot);
        self.drawn(asked, explained.decision, "from files, every PoP up by probes", |policy| {
            map::of_snapshot(snapshot, policy)
        })
    }

    /// Draws a decision, if a picture is wanted; `read` gets the map of its policy.
    fn drawn(
        &self,
        asked: &ExplainQuery,
        decision: Option<Decision>,
        state: &str,
        read: impl FnOnce(&str) -> Result<Map, ExitCode>,
    ) -> Result<ExitCode, ExitCode> {
        let Some(path) = &self.map else { return Ok(ExitCode::SUCCESS) };
        let Some(decision) = decision else {
            return Err(map::refused("no policy decided this answer, so there is no picture of it"));
        };
        let scene = picture::scene(asked, &decision, &read(&decision.policy)?, state);
        map::write(path, &scene).map(|_| ExitCode::SUCCESS)
    }
}

/// Path that asks for an explanation as anyone may.
fn parameters(request: &ExplainRequest) -> String {
    let ExplainRequest { name, rtype, client, ecs, .. } = request;
    let client = client.map(|client| client.to_string());
    let given = [
        ("name", name.clone()),
        ("type", rtype.clone().unwrap_or_default()),
        ("client", client.unwrap_or_default()),
        ("ecs", ecs.clone().unwrap_or_default()),
    ];
    with_query("/v1/explain", &given.into_iter().chain(supposed(request)).collect::<Vec<_>>())
}

/// Suppositions of a request, for a query.
fn supposed(request: &ExplainRequest) -> [(&'static str, String); 3] {
    [("down", &request.down), ("up", &request.up), ("drain", &request.drain)]
        .map(|(key, names)| (key, names.join(",")))
}

/// Compiled files.
struct Compiled {
    snapshot: Snapshot,
    /// Database files as they were read, by path.
    databases: Vec<(Arc<str>, Arc<[u8]>)>,
}

/// Reads and compiles the files, or prints their findings.
fn read(config: &Config) -> Result<Compiled, ExitCode> {
    let watch = Watch::default();
    watch.enter("reading");
    let (deployment, mut findings, files) = progress::beside(&watch, || prepare::read(&config.path(), true));
    let compiled = deployment.and_then(|deployment| {
        watch.enter("compiling");
        let (snapshot, found) = progress::beside(&watch, || compile::compile(&deployment, None, 1));
        findings.extend(found);
        let databases =
            deployment.databases.iter().map(|source| (source.path.clone(), source.octets.clone()));
        Some(Compiled { databases: databases.collect(), snapshot: snapshot? })
    });
    compiled.ok_or_else(|| {
        print_findings(&findings, &files);
        ExitCode::FAILURE
    })
}

/// Proves the scopes of a snapshot, and prints the counts of the proof or its faults.
fn verified(snapshot: &Snapshot) -> ExitCode {
    let mut progress = Progress::new("leaves");
    let verified =
        verify::verify_noting(snapshot, SAMPLES_PER_LEAF, &mut |done, all| progress.at(done, Some(all)));
    drop(progress);
    match verified {
        Ok(report) => {
            let verify::VerifyReport { names, leaves, pairs } = report;
            print(&format!(
                "every scope is true: {names} steered names, {leaves} leaves, {pairs} pairs of clients \
                 compared\n"
            ));
            ExitCode::SUCCESS
        }
        Err(faults) => {
            faults.iter().for_each(|fault| eprintln!("{fault}"));
            ExitCode::FAILURE
        }
    }
}
