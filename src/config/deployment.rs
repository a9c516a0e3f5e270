//! Reads every file of a deployment and brings them together. Every file is read and checked even
//! when another one is broken, and what depends on a broken file is not accused for it.

use super::tree::{self, Node};
use super::world::World;
use super::{DatabaseSource, Deployment, ReadResult, Sources};
use crate::config::pops::{PopsFile, STARTUP_WAIT_MS};
use crate::config::server::cookie_secrets;
use crate::config::zones;
use crate::config::zones::Policies;
use crate::config::zones::exposed;
use crate::config::{networks, policy, pops, server};
use crate::finding::{At, FileId, Files, Finding, Findings, Severity, code};
use crate::health::load::spec::Feed;
use crate::health::spec::{Check, Kind};
use crate::limits::{CERTIFICATES_OCTETS_MAX, CONFIG_OCTETS_MAX, DATABASE_OCTETS_MAX};
use crate::steer::policy::{Order, Policy};
use crate::steer::rule::When;
use crate::wire::name::Name;
use crate::zone::text::{ChainMode, Record, Zone};
use crate::zone::{check, master};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

/// The name of a file of zone text, without its ending, that is the root zone: its own name is
/// empty.
const ROOT_FILE: &str = "root";

/// Reads the deployment that the server file `root` describes. Relative paths in it are relative to
/// its folder.
pub fn read_deployment(root: &Path, sources: &dyn Sources) -> ReadResult {
    let mut reader = Reader {
        sources,
        files: Files::default(),
        findings: Findings::default(),
        inputs: Vec::new(),
        databases: Vec::new(),
        included: Vec::new(),
        yaml_budget: tree::Budget::default(),
    };
    let deployment = reader.deployment(root);
    let Reader { files, mut findings, databases, .. } = reader;
    findings.sort();
    let deployment = deployment.filter(|_| !findings.has_errors());
    ReadResult { deployment, databases, findings, files }
}

struct Reader<'s> {
    sources: &'s dyn Sources,
    files: Files,
    findings: Findings,
    inputs: Vec<(String, Arc<[u8]>)>,
    databases: Vec<DatabaseSource>,
    /// Files that zone text included.
    included: Vec<PathBuf>,
    /// What aliases may still copy.
    yaml_budget: tree::Budget,
}

impl Reader<'_> {
    fn deployment(&mut self, root: &Path) -> Option<Deployment> {
        let (file, tree) = self.yaml(root, None, None);
        let tree = tree?;
        let folder = root.parent().unwrap_or(Path::new(""));
        let server = server::lower(&tree, folder, &mut self.findings);
        let whole = At::whole(file);

        let mut world = World::default();
        let mut pops = PopsFile { startup_wait_ms: STARTUP_WAIT_MS, ..PopsFile::default() };
        world.pops_known = server.pops.is_absent();
        world.addresses_known = true;
        if let Some(written) = server.pops.file()
            && let (_, Some(tree)) = self.yaml(&written.path, Some("pops"), Some(written.at))
        {
            let before = self.findings.mark();
            pops = self.pops(&tree, folder);
            world.pops = std::mem::take(&mut pops.pops);
            world.addresses_known =
                !self.findings.iter().skip(before).any(|finding| finding.code == code::BAD_ADDRESS);
            // PoPs that could not be read have their own findings; every name that is missing then
            // is no news.
            world.pops_known = pops.is_read;
        }
        world.networks_known = server.networks.is_absent();
        if let Some(written) = server.networks.file()
            && let (_, Some(tree)) = self.yaml(&written.path, Some("networks"), Some(written.at))
        {
            world.networks = networks::lower(&tree, &mut self.findings);
            world.networks_known = true;
        }
        self.check_sites(&server, &world);

        let mut policies = Policies {
            all: Vec::new(),
            shared: 0,
            shared_names: HashMap::new(),
            shared_known: server.policies.is_absent(),
            used: Vec::new(),
        };
        if let Some(written) = server.policies.file()
            && let (_, Some(tree)) = self.yaml(&written.path, Some("policies"), Some(written.at))
        {
            policies.all = policy::lower(&tree, &mut world, &mut self.findings);
            policies.shared = policies.all.len();
            let names = policies.all.iter().map(|policy| Arc::clone(&policy.policy.name));
            policies.shared_names = names.enumerate().map(|(index, name)| (name, index)).collect();
            policies.used = vec![false; policies.shared];
            policies.shared_known = true;
        }
        let mut zones = Vec::new();
        let mut zones_known = false;
        if let Some(written) = &server.zones {
            (zones, zones_known) = self.zones(&written.path, written.at, &mut world, &mut policies);
            if zones.is_empty() && zones_known {
                let finding = Finding::error(code::EMPTY_DEPLOYMENT, "there is no zone")
                    .at(written.at, "no zone file in this folder");
                self.findings.push(finding);
            }
        }
        exposed::add(&mut zones, &policies.all, &world, &mut self.findings);
        let mut findings = Findings::default();
        check::check(&zones, &policies.all, &mut findings);
        if self.lost_owners(&policies) {
            // What a name leads to may be what a fault took away.
            findings.retain(|finding| finding.code != code::DANGLING_TARGET);
        }
        self.findings.extend(findings);
        if zones_known {
            self.unused(&policies);
        }
        let cookies =
            cookie_secrets::read(&server.cookies, self.sources, &mut self.files, &mut self.findings);
        let databases = self.databases(&server);
        self.databases.clone_from(&databases);
        if server.databases.is_empty() {
            self.needs_database(&policies, whole);
        }
        self.inputs.sort_by(|a, b| a.0.cmp(&b.0));
        Some(Deployment {
            node: server.node,
            listen: server.listen,
            tcp_connections_at: server.tcp_connections_at,
            state: server.state,
            cookies,
            databases,
            accept_shrunk: server.accept_shrunk,
            pid_file: server.pid_file,
            exit_on_fault: server.exit_on_fault,
            networks: world.networks,
            pops: world.pops,
            probes: pops.probes,
            canaries: pops.canaries,
            startup_wait_ms: pops.startup_wait_ms,
            safety: pops.safety,
            safety_off_until_epoch: pops.safety_off_until.map(|(epoch, _)| epoch),
            safety_off_until_at: pops.safety_off_until.map(|(_, at)| at),
            policies: policies.all,
            zones,
            inputs: std::mem::take(&mut self.inputs),
        })
    }

    /// Reads the PoP file, and the certificates that its probes trust: each once, relative to the
    /// folder of the server file.
    fn pops(&mut self, tree: &Node, folder: &Path) -> PopsFile {
        let mut read: BTreeMap<String, Arc<[u8]>> = BTreeMap::new();
        let sources = self.sources;
        let mut certificates = |written: &str| -> Result<Arc<[u8]>, String> {
            if let Some(octets) = read.get(written) {
                return Ok(Arc::clone(octets));
            }
            let octets = sources.read(&folder.join(written))?;
            if octets.len() > CERTIFICATES_OCTETS_MAX {
                return Err(format!("it has {} octets, more than {CERTIFICATES_OCTETS_MAX}", octets.len()));
            }
            read.insert(written.to_owned(), Arc::clone(&octets));
            Ok(octets)
        };
        let mut file = pops::lower(tree, &mut certificates, &mut self.findings);
        watched_files(&mut file, folder);
        self.inputs
            .extend(read.into_iter().map(|(written, octets)| (format!("certificates {written}"), octets)));
        file
    }

    /// Reads a file as YAML. `role` names it among the digest's inputs; `named_at` is where its
    /// path is written.
    fn yaml(&mut self, path: &Path, role: Option<&str>, named_at: Option<At>) -> (FileId, Option<Node>) {
        let shown = path.display().to_string();
        let octets = match self.sources.read(path) {
            Ok(octets) => octets,
            Err(why) => {
                let file = self.files.add(shown.as_str(), "");
                self.unreadable(&shown, &why, named_at.unwrap_or(At::whole(file)));
                return (file, None);
            }
        };
        if octets.len() > CONFIG_OCTETS_MAX {
            let file = self.files.add(shown.as_str(), "");
            let message = format!("`{shown}` has {} octets, more than {CONFIG_OCTETS_MAX}", octets.len());
            self.findings.push(Finding::error(code::TOO_LARGE, message).at(At::whole(file), ""));
            return (file, None);
        }
        let text = match std::str::from_utf8(&octets) {
            Ok(text) => text,
            Err(error) => {
                let file = self.files.add(shown.as_str(), "");
                let line = 1 + octets.iter().take(error.valid_up_to()).filter(|b| **b == b'\n').count();
                let message =
                    format!("`{shown}` is not UTF-8 text: octet {} on line {line}", error.valid_up_to());
                self.findings.push(Finding::error(code::NOT_UTF8, message).at(At::whole(file), ""));
                return (file, None);
            }
        };
        let file = self.files.add_octets(shown.as_str(), Arc::clone(&octets));
        if let Some(role) = role {
            self.inputs.push((role.to_owned(), octets.clone()));
        }
        (file, tree::parse(text, file, &mut self.yaml_budget, &mut self.findings))
    }

    fn unreadable(&mut self, shown: &str, why: &str, at: At) {
        self.findings.push(
            Finding::error(code::UNREADABLE, format!("`{shown}` cannot be read: {why}")).at(at, "named here"),
        );
    }

    fn check_sites(&mut self, server: &server::ServerFile, world: &World) {
        if let (Some(site), Some(at)) = (&server.node.site, server.site_at) {
            world.check_site(site, at, &mut self.findings);
        }
        for network in &world.networks {
            if let Some(site) = &network.site {
                world.check_site(site, network.at, &mut self.findings);
            }
        }
    }

    /// Reads every zone file of the folder; the second value says whether the folder could be read.
    fn zones(
        &mut self,
        folder: &Path,
        at: At,
        world: &mut World,
        policies: &mut Policies,
    ) -> (Vec<Zone>, bool) {
        let list = match self.sources.list(folder) {
            Ok(list) => list,
            Err(why) => {
                self.unreadable(&folder.display().to_string(), &why, at);
                return (Vec::new(), false);
            }
        };
        let mut all_read = true;
        let mut trees: Vec<(Name, Node)> = Vec::new();
        let mut texts: Vec<ZoneText> = Vec::new();
        let mut foreign: Vec<PathBuf> = Vec::new();
        for path in list {
            let Some(name) = path.file_name().and_then(|name| name.to_str()) else { continue };
            // What editors leave behind.
            if name.starts_with(['.', '#']) || name.ends_with('~') {
                continue;
            }
            let extension = Path::new(name).extension().and_then(|e| e.to_str()).unwrap_or("");
            match extension {
                "yaml" | "yml" => {}
                "zone" => {
                    match self.zone_text(&path, at) {
                        Some(text) => texts.push(text),
                        None => all_read = false,
                    }
                    continue;
                }
                _ => {
                    foreign.push(path);
                    continue;
                }
            }
            let before = self.inputs.len();
            let (_, tree) = self.yaml(&path, Some("zone"), Some(at));
            match tree {
                Some(tree) => {
                    let apex = zones::apex_of(&tree).unwrap_or_else(Name::root);
                    if let Some((role, _)) = self.inputs.get_mut(before) {
                        *role = format!("zone {}", apex.to_lowercase());
                    }
                    trees.push((apex, tree));
                }
                None => all_read = false,
            }
        }
        let mut texts = self.parse_all(texts);
        trees.sort_by(|a, b| a.0.cmp(&b.0));
        let mut zones: Vec<Zone> = Vec::new();
        for (_, tree) in trees {
            let Some(mut zone) = zones::lower(&tree, world, policies, &mut self.findings) else {
                all_read = false;
                continue;
            };
            // A YAML file beside zone text adds to it: steered names, say.
            if let Some(index) = texts.iter().position(|text| text.apex == zone.apex) {
                let mut records = texts.swap_remove(index).records;
                records.append(&mut zone.records);
                zone.records = records;
            }
            check::settle(&mut zone, &mut self.findings);
            zones.push(zone);
        }
        for mut zone in texts {
            check::settle(&mut zone, &mut self.findings);
            zones.push(zone);
        }
        zones.sort_by(|a, b| a.apex.cmp(&b.apex));
        // Files that zone text includes may end as they like.
        foreign.retain(|path| !self.included.contains(path));
        for path in foreign {
            self.foreign(&path, at);
        }
        (zones, all_read)
    }

    /// Whether zones lack records or steered names because of faults that are told elsewhere.
    fn lost_owners(&self, policies: &Policies) -> bool {
        let lost = [
            code::NO_SUCH_POLICY,
            code::BAD_RDATA,
            code::UNKNOWN_TYPE,
            code::OUT_OF_ZONE,
            code::BAD_NAME,
            code::ZONE_SYNTAX,
            code::BAD_TTL,
            code::BAD_INCLUDE,
            code::BAD_GENERATE,
        ];
        let is_fault =
            |finding: &Finding| finding.severity == Severity::Error && lost.contains(&finding.code);
        !policies.shared_known || self.findings.iter().any(is_fault)
    }

    fn foreign(&mut self, path: &Path, at: At) {
        let finding = Finding::note(code::UNREADABLE, format!("`{}` is not read", path.display()))
            .at(at, "in this folder");
        self.findings.push(finding.help("zone files end in `.yaml` (YAML) or `.zone` (RFC 1035 text)"));
    }

    /// Reads `<apex>.zone`: RFC 1035 text. The name of the file is the name of the zone, and
    /// `root.zone`, as IANA calls it, is the root.
    fn zone_text(&mut self, path: &Path, at: At) -> Option<ZoneText> {
        let folder = path.parent().unwrap_or(Path::new("")).to_owned();
        let (file, octets) = match self.text_file(path) {
            Ok(read) => read,
            Err(why) => {
                self.unreadable(&path.display().to_string(), &why, at);
                return None;
            }
        };
        let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or("");
        let apex = match Name::parse(&format!("{}.", stem.trim_end_matches('.')), None) {
            Ok(_) if stem.eq_ignore_ascii_case(ROOT_FILE) => Name::root(),
            Ok(apex) => apex,
            Err(error) => {
                let finding =
                    Finding::error(code::BAD_NAME, format!("`{stem}` is not the name of a zone: {error}"))
                        .at(At::whole(file), "");
                self.findings
                    .push(finding.help(
                        "zone text stands in a file called after its zone, such as `example.com.zone`",
                    ));
                return None;
            }
        };
        self.inputs.push((format!("zone text {}", apex.to_lowercase()), octets.clone()));
        Some(ZoneText { apex, file, octets, folder })
    }

    /// Parses zone texts: those that stand alone in any order, perhaps at the same time, then those
    /// that include other files, which must be read on the way.
    fn parse_all(&mut self, texts: Vec<ZoneText>) -> Vec<Zone> {
        let parsed: Vec<OnceLock<(Vec<Record>, Findings)>> = texts.iter().map(|_| OnceLock::new()).collect();
        let alone: Vec<usize> = (0..texts.len()).filter(|index| !texts[*index].may_include()).collect();
        self.sources.each(alone.len(), &|number| {
            let index = alone[number];
            let read = texts[index].parse(&mut |_| Err("no file can be included here".to_owned()));
            // Each number is met once.
            let _ = parsed[index].set(read);
        });
        let mut zones = Vec::with_capacity(texts.len());
        for (text, parsed) in texts.into_iter().zip(parsed) {
            let (records, findings) = parsed.into_inner().unwrap_or_else(|| {
                text.parse(&mut |written| {
                    let path = text.folder.join(written);
                    let octets = self.sources.read_inside(&text.folder, &path)?;
                    let read = self.text(&path, octets)?;
                    self.inputs.push((format!("included {written}"), read.1.clone()));
                    self.included.push(path);
                    Ok(read)
                })
            });
            self.findings.extend(findings);
            let at = At::whole(text.file);
            zones.push(Zone {
                apex: text.apex,
                records,
                steered: Vec::new(),
                chain: ChainMode::default(),
                at,
            });
        }
        zones
    }

    /// The octets of a text file, whose text is kept for findings.
    fn text_file(&mut self, path: &Path) -> Result<(FileId, Arc<[u8]>), String> {
        self.text(path, self.sources.read(path)?)
    }

    /// [`Reader::text_file`] of octets that are read.
    fn text(&mut self, path: &Path, octets: Arc<[u8]>) -> Result<(FileId, Arc<[u8]>), String> {
        if octets.len() > CONFIG_OCTETS_MAX {
            return Err(format!("it has {} octets, more than {CONFIG_OCTETS_MAX}", octets.len()));
        }
        Ok((self.files.add_octets(path.display().to_string(), Arc::clone(&octets)), octets))
    }

    fn databases(&mut self, server: &server::ServerFile) -> Vec<DatabaseSource> {
        let mut databases = Vec::new();
        for (index, written) in server.databases.iter().enumerate() {
            let shown = written.path.display().to_string();
            match self.sources.read(&written.path) {
                Ok(octets) if octets.len() > DATABASE_OCTETS_MAX => {
                    let message =
                        format!("`{shown}` has {} octets, more than {DATABASE_OCTETS_MAX}", octets.len());
                    self.findings.push(Finding::error(code::TOO_LARGE, message).at(written.at, "named here"));
                }
                Ok(octets) => {
                    let path: Arc<str> = Arc::from(shown);
                    // Faults of a table of text are shown in it; those of other databases have no
                    // line.
                    let is_text = written.path.extension().is_some_and(|e| e.eq_ignore_ascii_case("csv"));
                    let text = if is_text { std::str::from_utf8(&octets).unwrap_or_default() } else { "" };
                    let file = self.files.add(path.clone(), text);
                    self.inputs.push((format!("database {index:03}"), octets.clone()));
                    databases.push(DatabaseSource { path, octets, file });
                }
                Err(why) => self.unreadable(&shown, &why, written.at),
            }
        }
        databases
    }

    fn unused(&mut self, policies: &Policies) {
        let named = policies.all.iter().zip(&policies.used).filter(|(_, used)| **used);
        let reached: HashSet<At> =
            named.flat_map(|(policy, _)| policy.policy.reach()).map(|policy| policy.at).collect();
        for policy in &policies.all {
            if !reached.contains(&policy.policy.at) {
                let message = format!("no name is steered by the policy `{}`", policy.policy.name);
                self.findings
                    .push(Finding::note(code::UNUSED_POLICY, message).at(policy.policy.at, "not used"));
            }
        }
    }

    fn needs_database(&mut self, policies: &Policies, server: At) {
        if let Some(policy) = policies.all.iter().find(|policy| asks_geography(&policy.policy)) {
            let message = format!(
                "there is no GeoIP database, but the policy `{}` asks where clients are",
                policy.policy.name
            );
            self.findings.push(
                Finding::warning(code::NO_DATABASE, message)
                    .at(policy.policy.at, "only operator networks can answer that")
                    .related(server, "add `geoip: { databases: [...] }`"),
            );
        }
    }
}

/// A zone text that was read and not yet parsed.
struct ZoneText {
    apex: Name,
    file: FileId,
    octets: Arc<[u8]>,
    /// What it may include stands in here.
    folder: PathBuf,
}

impl ZoneText {
    fn may_include(&self) -> bool {
        let word = b"$include";
        self.octets.windows(word.len()).any(|window| window[0] == b'$' && window.eq_ignore_ascii_case(word))
    }

    fn parse(&self, include: &mut master::Include<'_>) -> (Vec<Record>, Findings) {
        let (mut records, mut findings) = (Vec::new(), Findings::default());
        master::read(&self.octets, self.file, &self.apex, include, &mut records, &mut findings);
        (records, findings)
    }
}

/// Files that probes and feeds watch stand relative to the folder of the server file, as all others
/// do.
fn watched_files(file: &mut PopsFile, folder: &Path) {
    let join = |path: &mut Arc<str>| *path = folder.join(&**path).display().to_string().into();
    for probe in &mut file.probes {
        if let Kind::Check(spec) = &mut probe.kind
            && let Check::File(check) = &mut Arc::make_mut(spec).check
        {
            join(&mut check.path);
        }
    }
    for pop in &mut file.pops {
        for load in pop.services.iter_mut().map(|service| &mut service.load).chain([&mut pop.load]).flatten()
        {
            if let Feed::File { path } = &mut Arc::make_mut(load).feed {
                join(path);
            }
        }
    }
}

fn asks_geography(policy: &Policy) -> bool {
    policy.reach().into_iter().any(asks_geography_itself)
}

fn asks_geography_itself(policy: &Policy) -> bool {
    policy.order == Order::Nearest
        || policy.rules.iter().any(|rule| rule.order == Some(Order::Nearest) || asks_database(&rule.when))
}

fn asks_database(when: &When) -> bool {
    !(when.country.is_empty()
        && when.subdivision.is_empty()
        && when.continent.is_empty()
        && when.asn.is_empty())
        || when.not.as_deref().is_some_and(asks_database)
}
