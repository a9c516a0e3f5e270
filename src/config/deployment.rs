//! Reads every file of a deployment, and combines them. Every file is read and checked even if
//! another one is broken, and a broken file causes no findings about other files that depend on it.

use super::files::{FileReader, YamlFile};
use super::input::{Input, InputRole};
use super::tree::Node;
use super::world::World;
use super::{DatabaseSource, Deployment, ReadResult, Sources};
use crate::config::pops::{PopsFile, STARTUP_WAIT_MS};
use crate::config::server::{Named, ServerFile, WrittenPath, admin, cookie_secrets, tls};
use crate::config::zones::Policies;
use crate::config::zones::choices::{Choices, OnError, Round};
use crate::config::zones::{exposed, folder};
use crate::config::{networks, policy, pops, server};
use crate::finding::{At, FileId, Files, Finding, Findings, Severity, code};
use crate::geo::lands::Lands;
use crate::health::spec::Kind;
use crate::limits::{CERTIFICATES_OCTETS_MAX, DATABASE_OCTETS_MAX};
use crate::steer::policy::{Order, Policy, PolicyId};
use crate::steer::rule::{Rule, When};
use crate::wire::name::Name;
use crate::zone::check;
use crate::zone::source::LastGood;
use crate::zone::text::{ChainMode, Zone};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Returns the last good texts of all zones from the state folder with this path.
pub(crate) type Recall<'s> = &'s dyn Fn(&Path) -> LastGood;

/// Reads the deployment that the server file `root` describes: all of it or nothing. Relative paths
/// in it are relative to its folder.
pub fn read_deployment(root: &Path, sources: &dyn Sources) -> ReadResult {
    let mut reading = Reading::new(root, sources, Choices::default(), None);
    let deployment = reading.round();
    let FileReader { files, mut findings, .. } = reading.open;
    findings.sort();
    let deployment = deployment.filter(|_| !findings.has_errors());
    ReadResult { deployment, findings, files }
}

/// Reading of a deployment whose zones fail independently: see
/// [`choices`](crate::config::zones::choices).
pub(crate) struct Reading<'s> {
    root: PathBuf,
    open: FileReader<'s>,
    /// Deployment of the last round, if it was refused.
    refused: Option<Deployment>,
    choices: Choices,
    recall: Option<Recall<'s>>,
    on_error: OnError,
    /// Place of the path to the folder of zones.
    zones_at: Option<At>,
}

/// Contents of the files that the server file names, the databases apart.
struct Contents {
    world: World,
    pops: PopsFile,
    policies: Policies,
    zones: Vec<Zone>,
    /// True if the whole folder of zones was readable.
    zones_known: bool,
}

impl<'s> Reading<'s> {
    /// Starts a reading of the server file `root`. `recall` is called once, when the state folder
    /// is known.
    pub(crate) fn new(
        root: &Path,
        sources: &'s dyn Sources,
        choices: Choices,
        recall: Option<Recall<'s>>,
    ) -> Reading<'s> {
        Reading {
            root: root.to_owned(),
            open: FileReader::new(sources),
            refused: None,
            choices,
            recall,
            on_error: OnError::default(),
            zones_at: None,
        }
    }

    /// Reads in rounds until every zone that is read is valid, or an error refuses everything. The
    /// deployment is `None` exactly if an error among the findings refuses it.
    pub(crate) fn read(&mut self) -> (Option<Deployment>, Findings) {
        loop {
            let deployment = self.round();
            let mut findings = std::mem::take(&mut self.open.findings);
            match self.choices.judge(&mut findings, &self.open.files, self.on_error, self.zones_at) {
                Round::Sound => {
                    for sentence in self.choices.faults() {
                        findings.push(Finding::warning(code::KEPT_TEXTS, sentence));
                    }
                    let folder = Arc::new(self.choices.folder());
                    return (deployment.map(|d| Deployment { folder, ..d }), findings);
                }
                Round::Again => {}
                Round::Refused => {
                    self.refused = deployment;
                    return (None, findings);
                }
            }
        }
    }

    /// Takes the findings of compilation. True if every error belongs to a zone that is now put
    /// aside, so that [`Reading::read`] must be called again.
    pub(crate) fn put_aside(&mut self, findings: &mut Findings) -> bool {
        self.choices.put_aside(findings, &self.open.files, self.on_error) == Round::Again
    }

    /// Deployment of the last round, if it was refused. Its databases are not yet decoded, and the
    /// findings that depend on them ([`Deployment::doubts`]) not yet judged.
    pub(crate) fn refused(&mut self) -> Option<Deployment> {
        self.refused.take()
    }

    /// Files to which the findings refer.
    pub(crate) fn files(&self) -> &Files {
        &self.open.files
    }

    /// Files to which the findings refer, at the end of the reading.
    pub(crate) fn into_files(self) -> Files {
        self.open.files
    }

    /// Runs one round: reads every zone from the texts that were chosen for it.
    fn round(&mut self) -> Option<Deployment> {
        self.choices.begin();
        self.open.begin();
        self.deployment()
    }

    /// Reads a file as YAML. `role` is its role among the inputs; `named_at` is where its
    /// path is written.
    fn yaml(&mut self, path: &Path, role: Option<InputRole>, named_at: Option<At>) -> (FileId, Option<Node>) {
        let YamlFile { file, octets, tree } = self.open.yaml(path, named_at);
        if let (Some(role), Some(octets)) = (role, octets) {
            self.open.inputs.push(Input { role, octets });
        }
        (file, tree)
    }

    /// Reads the YAML file that a key of the server file names, if it names a readable one.
    fn named_yaml(&mut self, named: &Named, role: InputRole) -> Option<Node> {
        let written = named.file()?;
        self.yaml(&written.path, Some(role), Some(written.at)).1
    }

    fn deployment(&mut self) -> Option<Deployment> {
        let root = self.root.clone();
        let (file, tree) = self.yaml(&root, None, None);
        let folder = root.parent().unwrap_or(Path::new(""));
        let server = server::lower(&tree?, folder, &mut self.open.findings);
        let mut contents = self.contents(&server, folder);
        let mut doubts = contents.world.doubts.take();
        if server.databases.is_empty() {
            self.open.findings.extend(std::mem::take(&mut doubts).judge(&Lands::default(), true));
        }
        self.check_zones(&mut contents);
        let findings = &mut self.open.findings;
        let access = server.access.as_ref().and_then(|lists| lists.compile(&contents.world, findings));
        let proxies = server.proxies.as_ref();
        let proxies = proxies.and_then(|list| list.compile(&contents.world, &server.listen, findings));
        let Contents { world, pops, policies, zones, .. } = contents;
        let FileReader { sources, files, findings, .. } = &mut self.open;
        let cookies = cookie_secrets::read(&server.cookies, sources, files, findings);
        let certificate = tls::read(&server.tls, sources, findings);
        let admin = admin::read(&server, sources, files, findings);
        let databases = self.read_databases(&server);
        if databases.len() < server.databases.len() {
            doubts.lack_data();
        }
        if server.databases.is_empty() {
            self.needs_database(&policies, At::whole(file));
        }
        Some(Deployment {
            node: server.node,
            listen: server.listen,
            state: server.state,
            cookies,
            certificate,
            admin: admin.map(Arc::new),
            rate_limit: server.rate_limit.map(Arc::new),
            overload: server.overload,
            access: access.map(Arc::new),
            proxies: proxies.map(Arc::new),
            databases,
            accept_shrunk: server.accept_shrunk,
            keeps_zones: server.on_error == OnError::Keep,
            pid_file: server.pid_file,
            exit_on_fault: server.exit_on_fault,
            user: server.user,
            sandbox: server.sandbox,
            networks: world.networks,
            pops: world.pops,
            probes: pops.probes,
            canaries: pops.canaries,
            startup_wait_ms: pops.startup_wait_ms,
            safety: pops.safety,
            safety_off_until_epoch: pops.safety_off_until.map(|(epoch, _)| epoch),
            safety_off_until_at: pops.safety_off_until.map(|(_, at)| at),
            policies: policies.all,
            doubts,
            zones,
            folder: Arc::default(),
            inputs: self.inputs(),
        })
    }

    /// Files that were read, by role.
    fn inputs(&mut self) -> Vec<Input> {
        self.open.inputs.sort_by_cached_key(|input| input.role.to_string());
        std::mem::take(&mut self.open.inputs)
    }

    /// Reads the files that the server file names, each after those to which it refers.
    fn contents(&mut self, server: &ServerFile, folder: &Path) -> Contents {
        let mut world = World::default();
        let pops = self.read_pops(&server.pops, folder, &mut world);
        self.read_networks(&server.networks, &mut world);
        self.check_sites(server, &world);
        let mut policies = self.read_policies(&server.policies, &mut world);
        let (mut zones, zones_known) = self.read_zones(server, &mut world, &mut policies);
        exposed::add(&mut zones, &policies.all, &world, &mut self.open.findings);
        Contents { world, pops, policies, zones, zones_known }
    }

    fn read_pops(&mut self, named: &Named, folder: &Path, world: &mut World) -> PopsFile {
        let mut pops = PopsFile { startup_wait_ms: STARTUP_WAIT_MS, ..PopsFile::default() };
        world.pops_known = named.is_absent();
        world.addresses_known = true;
        if let Some(tree) = self.named_yaml(named, InputRole::Pops) {
            let before = self.open.findings.mark();
            pops = self.pops(&tree, folder);
            world.pops = std::mem::take(&mut pops.pops);
            world.addresses_known =
                !self.open.findings.iter().skip(before).any(|finding| finding.code == code::BAD_ADDRESS);
            // An unreadable PoP file has its own findings, so missing names are then not reported.
            world.pops_known = pops.is_read;
        }
        pops
    }

    fn read_networks(&mut self, named: &Named, world: &mut World) {
        world.networks_known = named.is_absent();
        if let Some(tree) = self.named_yaml(named, InputRole::Networks) {
            let before = self.open.findings.count(Severity::Error);
            world.networks = networks::lower(&tree, &mut self.open.findings);
            world.networks_known = true;
            if self.open.findings.count(Severity::Error) > before {
                world.doubts.borrow_mut().lack_data();
            }
        }
        if !world.networks_known {
            world.doubts.borrow_mut().lack_data();
        }
    }

    /// Reads the shared policies.
    fn read_policies(&mut self, named: &Named, world: &mut World) -> Policies {
        let mut policies = Policies {
            all: Vec::new(),
            shared: 0,
            shared_names: HashMap::new(),
            shared_known: named.is_absent(),
            used: Vec::new(),
        };
        if let Some(tree) = self.named_yaml(named, InputRole::Policies) {
            policies.all = policy::lower(&tree, world, &mut self.open.findings);
            policies.shared = policies.all.len();
            let names = policies.all.iter().map(|policy| Arc::clone(&policy.policy.name));
            policies.shared_names = names.zip(PolicyId::in_order()).collect();
            policies.used = vec![false; policies.shared];
            policies.shared_known = true;
        }
        policies
    }

    /// Reads the zones and their policies. The second value is true if the whole folder was
    /// readable.
    fn read_zones(
        &mut self,
        server: &ServerFile,
        world: &mut World,
        policies: &mut Policies,
    ) -> (Vec<Zone>, bool) {
        self.on_error = server.on_error;
        if let Some(recall) = self.recall.take() {
            self.choices.recall(recall(&server.state));
        }
        let Some(WrittenPath { path, at }) = &server.zones else { return (Vec::new(), false) };
        self.zones_at = Some(*at);
        let (zones, known) = folder::read(&mut self.open, &mut self.choices, (path, *at), world, policies);
        if zones.is_empty() && known {
            let finding = Finding::error(code::EMPTY_DEPLOYMENT, "there is no zone")
                .at(*at, "no zone file in this folder");
            self.open.findings.push(finding);
        }
        (zones, known)
    }

    /// Checks the zones together, notes which missing zones others need, and adds the dead zones
    /// without records. `Choices::judge` decides about the missing ones.
    fn check_zones(&mut self, contents: &mut Contents) {
        let Contents { policies, zones, zones_known, .. } = contents;
        let mut findings = Findings::default();
        check::check(zones, &policies.all, &mut findings);
        if self.lost_owners(policies) {
            // The missing target of a name may be lost to another fault.
            findings.retain(|finding| finding.code != code::DANGLING_TARGET);
        }
        self.open.findings.extend(findings);
        let dead = self.choices.dead();
        if *zones_known && dead.is_empty() {
            self.unused(policies);
        }
        let gone = self.choices.gone();
        if !gone.is_empty() && !self.choices.may_lose() {
            self.choices.need(check::needed(zones, &policies.all, &gone));
        }
        self.add_dead(dead, zones);
    }

    /// Adds the zones that are not served, without records, so that they answer SERVFAIL.
    fn add_dead(&mut self, dead: Vec<Name>, zones: &mut Vec<Zone>) {
        let Some(at) = self.zones_at else { return };
        for apex in dead {
            self.open.inputs.push(Input { role: InputRole::DeadZone(apex.clone()), octets: Arc::default() });
            let (records, steered) = (Vec::new(), Vec::new());
            zones.push(Zone { apex, records, steered, chain: ChainMode::default(), at });
        }
        zones.sort_by(|a, b| a.apex.cmp(&b.apex));
    }

    /// Reads the PoP file and the certificates that its probes trust: each once, relative to the
    /// folder of the server file.
    fn pops(&mut self, tree: &Node, folder: &Path) -> PopsFile {
        let mut read: BTreeMap<String, Arc<[u8]>> = BTreeMap::new();
        let sources = &self.open.sources;
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
        let mut file = pops::lower(tree, &mut certificates, &mut self.open.findings);
        watched_files(&mut file, folder);
        let inputs = read.into_iter();
        let input = |(written, octets)| Input { role: InputRole::Certificates(written), octets };
        self.open.inputs.extend(inputs.map(input));
        file
    }

    fn check_sites(&mut self, server: &ServerFile, world: &World) {
        if let (Some(site), Some(at)) = (&server.node.site, server.site_at) {
            world.check_site(site, at, &mut self.open.findings);
        }
        for network in &world.networks {
            if let Some(site) = &network.site {
                world.check_site(site, network.at, &mut self.open.findings);
            }
        }
    }

    /// True if zones lack records or steered names because of faults reported elsewhere.
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
            code::TOO_LARGE,
            code::BUDGET_SPENT,
        ];
        let is_fault =
            |finding: &Finding| finding.severity == Severity::Error && lost.contains(&finding.code);
        !policies.shared_known || self.open.findings.iter().any(is_fault)
    }

    fn read_databases(&mut self, server: &ServerFile) -> Vec<DatabaseSource> {
        let mut databases = Vec::new();
        for (index, written) in server.databases.iter().enumerate() {
            let shown = written.path.display().to_string();
            match self.open.sources.read(&written.path) {
                Ok(octets) if octets.len() > DATABASE_OCTETS_MAX => {
                    let message =
                        format!("`{shown}` has {} octets, more than {DATABASE_OCTETS_MAX}", octets.len());
                    self.open
                        .findings
                        .push(Finding::error(code::TOO_LARGE, message).at(written.at, "named here"));
                }
                Ok(octets) => {
                    let path: Arc<str> = Arc::from(shown);
                    // Findings show the lines of a text table; other databases have no lines.
                    let is_text = written.path.extension().is_some_and(|e| e.eq_ignore_ascii_case("csv"));
                    let text = if is_text { std::str::from_utf8(&octets).unwrap_or_default() } else { "" };
                    let file = self.open.files.add(path.clone(), text);
                    let role = InputRole::Database(index);
                    self.open.inputs.push(Input { role, octets: octets.clone() });
                    databases.push(DatabaseSource { path, octets, file });
                }
                Err(why) => self.open.unreadable(&shown, &why, written.at),
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
                self.open
                    .findings
                    .push(Finding::note(code::UNUSED_POLICY, message).at(policy.policy.at, "not used"));
            }
        }
    }

    fn needs_database(&mut self, policies: &Policies, server: At) {
        if let Some(policy) = policies.all.iter().find(|policy| asks_geography(&policy.policy)) {
            let message = format!(
                "there is no GeoIP database, but the policy `{}` depends on the places of clients",
                policy.policy.name
            );
            self.open.findings.push(
                Finding::warning(code::NO_DATABASE, message)
                    .at(policy.policy.at, "only operator networks give clients a place")
                    .related(server, "add `geoip: { databases: [...] }`"),
            );
        }
    }
}

/// Makes files that probes and feeds watch relative to the folder of the server file, as all others
/// are.
fn watched_files(file: &mut PopsFile, folder: &Path) {
    let join = |path: &mut Arc<str>| *path = folder.join(&**path).display().to_string().into();
    for probe in &mut file.probes {
        if let Kind::Check(spec) = &mut probe.kind
            && let Some(path) = Arc::make_mut(spec).check.watched_mut()
        {
            join(path);
        }
    }
    for pop in &mut file.pops {
        for load in pop.services.iter_mut().map(|service| &mut service.load).chain([&mut pop.load]).flatten()
        {
            if let Some(path) = Arc::make_mut(load).feed.watched_mut() {
                join(path);
            }
        }
    }
}

fn asks_geography(policy: &Policy) -> bool {
    policy.reach().into_iter().any(asks_geography_itself)
}

fn asks_geography_itself(policy: &Policy) -> bool {
    let by_rule = |rule: &Rule| rule.order.is_some_and(Order::needs_place) || asks_database(&rule.when);
    policy.order.needs_place() || policy.rules.iter().any(by_rule)
}

fn asks_database(when: &When) -> bool {
    !(when.country.is_empty()
        && when.subdivision.is_empty()
        && when.continent.is_empty()
        && when.asn.is_empty())
        || when.not.as_deref().is_some_and(asks_database)
}
