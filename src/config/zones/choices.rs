//! Choice of texts for each zone: those of its files, its last good ones, or none.
//!
//! The zones of a reading are checked together, because checks follow names from one zone into
//! another. So a reading takes rounds over the same octets. The first round takes every zone from
//! its files. A zone with an error is put aside: the next round reads it from its last good texts,
//! or leaves it out. The first round without such an error is the result. An error that belongs to
//! no zone refuses everything.

use crate::finding::{At, FileId, Files, Finding, Findings, code, render};
use crate::limits::{LOAD_STARVED_ROUNDS_MAX, WHY_OCTETS_MAX};
use crate::wire::name::Name;
use crate::zone::source::{
    FileUse, FolderStanding, LastGood, Standing, StrayFile, ZoneFile, ZoneSource, ZoneTexts,
};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Treatment of a zone that is faulty, or missing although others need it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum OnError {
    /// The zone continues with its last good texts.
    #[default]
    Keep,
    /// The zone refuses the reload.
    Refuse,
}

/// Result of a round.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Round {
    /// Every zone that was read is valid.
    Sound,
    /// A zone was put aside, so another round is needed.
    Again,
    /// An error refuses everything.
    Refused,
}

/// Choices of one reading.
#[derive(Debug, Default)]
pub(crate) struct Choices {
    last_good: LastGood,
    /// Zone of each file among the last good texts, by its path, without included files.
    zones_of_last_good: HashMap<Arc<str>, Name>,
    /// True if zones may disappear (`reload --allow-loss`).
    allow_loss: bool,
    /// Zones that are not read from their files.
    aside: BTreeMap<Name, Standing>,
    /// Zone of each path in the folder.
    zones_of_paths: BTreeMap<PathBuf, Name>,
    /// Zone to which findings in a file belong.
    zones_of_files: HashMap<FileId, Name>,
    /// Files of the folder whose zone is unknown.
    nameless: BTreeSet<FileId>,
    /// Files that affect no zone when they are faulty, by their numbers.
    strays: HashMap<FileId, (PathBuf, StrayFile)>,
    /// Stray files that are no longer read.
    strays_aside: BTreeMap<PathBuf, StrayFile>,
    /// Rounds that were repeated because faulty zones had left too little budget for others.
    starved_rounds: usize,
    /// Errors of earlier rounds, in zones that are put aside.
    told: Findings,
    /// Texts of each zone in this round.
    texts: BTreeMap<Name, ZoneTexts>,
    /// Missing zones that others need in this round, with the reasons.
    needed: Vec<(Name, String)>,
}

/// Zones and files to which the errors of a round belong.
#[derive(Debug, Default)]
struct Blamed {
    /// Zones with errors, with the first error of each.
    zones: BTreeMap<Name, String>,
    /// Zones that failed for lack of budget.
    starved: BTreeSet<Name>,
    strays: BTreeMap<PathBuf, StrayFile>,
    /// True if an error belongs to no zone and no stray file.
    is_general: bool,
}

impl Blamed {
    /// True if no zone and no file can be put aside.
    fn is_empty(&self) -> bool {
        self.zones.is_empty() && self.strays.is_empty()
    }
}

impl Choices {
    /// Starts the choices of a reading that may lose zones, or may not.
    pub(crate) fn new(allow_loss: bool) -> Choices {
        Choices { allow_loss, ..Choices::default() }
    }

    /// Takes the texts to fall back to.
    pub(crate) fn recall(&mut self, last_good: LastGood) {
        self.last_good = last_good;
        self.last_good.zones.sort_by(|a, b| a.apex.cmp(&b.apex));
        for source in &self.last_good.zones {
            for file in source.texts.files.iter().filter(|file| !file.file_use.is_included()) {
                let zone = self.zones_of_last_good.entry(Arc::clone(&file.path));
                // A zone on last good texts may have lost its file to another zone, so a zone that
                // is served from its present files takes precedence.
                if source.standing == Standing::Current {
                    zone.insert_entry(source.apex.clone());
                } else {
                    zone.or_insert_with(|| source.apex.clone());
                }
            }
        }
    }

    /// Begins a round.
    pub(crate) fn begin(&mut self) {
        self.texts.clear();
        self.needed.clear();
    }

    /// True if a file is not read in this round: it is a stray file, or its zone is put aside.
    pub(crate) fn passes_over(&self, path: &Path) -> bool {
        self.strays_aside.contains_key(path)
            || self.zones_of_paths.get(path).is_some_and(|zone| self.aside.contains_key(zone))
    }

    /// Marks a file of the folder as stray: its zone is read from another file, or it cannot be a
    /// zone.
    pub(crate) fn stray(&mut self, path: &Path, file: FileId, stray: StrayFile) {
        self.zones_of_paths.remove(path);
        self.zones_of_files.remove(&file);
        self.strays.insert(file, (path.to_owned(), stray));
    }

    /// Zones that are read from their last good texts, with these texts.
    pub(crate) fn kept(&self) -> Vec<(Name, Arc<ZoneTexts>)> {
        let of = |(zone, standing): (&Name, &Standing)| match standing {
            Standing::Kept(_) | Standing::Vanished(_) => {
                self.last_good.of(zone).map(|source| (zone.clone(), Arc::clone(&source.texts)))
            }
            Standing::Current | Standing::Dead(_) => None,
        };
        self.aside.iter().filter_map(of).collect()
    }

    /// Zones that are not served.
    pub(crate) fn dead(&self) -> Vec<Name> {
        let is_dead = Standing::is_dead;
        self.aside.iter().filter(|(_, standing)| is_dead(standing)).map(|(zone, _)| zone.clone()).collect()
    }

    /// The zone that had this file among its last good texts.
    pub(crate) fn had_file(&self, path: &Path) -> Option<Name> {
        self.zones_of_last_good.get(&*path.display().to_string()).cloned()
    }

    /// True if this file is among the last good texts of a zone.
    pub(crate) fn held(&self, zone: &Name, path: &Path) -> bool {
        let shown = path.display().to_string();
        self.last_good.of(zone).is_some_and(|source| {
            source.texts.files.iter().any(|file| !file.file_use.is_included() && *file.path == shown)
        })
    }

    /// True if a file of the folder is assigned to this zone.
    pub(crate) fn is_of(&self, path: &Path, zone: &Name) -> bool {
        self.zones_of_paths.get(path).is_some_and(|of| of == zone)
    }

    /// Assigns a file of the folder to its zone, if the zone is known.
    pub(crate) fn assign(&mut self, path: &Path, file: FileId, zone: Option<&Name>) {
        match zone.map(Name::to_lowercase) {
            Some(zone) => {
                self.zones_of_paths.insert(path.to_owned(), zone.clone());
                self.belongs(file, &zone);
            }
            None => _ = self.nameless.insert(file),
        }
    }

    /// Assigns findings in a file to a zone.
    pub(crate) fn belongs(&mut self, file: FileId, zone: &Name) {
        self.zones_of_files.insert(file, zone.to_lowercase());
    }

    /// Adds a text of a zone.
    pub(crate) fn add_text(&mut self, zone: &Name, file_use: FileUse, path: &str, octets: &Arc<[u8]>) {
        let file = ZoneFile { file_use, path: path.into(), octets: Arc::clone(octets) };
        let texts = self.texts.entry(zone.to_lowercase()).or_default();
        if !texts.files.contains(&file) {
            texts.files.push(file);
        }
    }

    /// Zones that existed before and are missing now, except dead ones.
    pub(crate) fn gone(&self) -> Vec<Name> {
        let there: BTreeSet<&Name> = self.zones_of_paths.values().collect();
        let is_gone = |source: &&ZoneSource| {
            !there.contains(&source.apex)
                && !self.aside.contains_key(&source.apex)
                && !source.standing.is_dead()
        };
        self.last_good.zones.iter().filter(is_gone).map(|source| source.apex.clone()).collect()
    }

    /// Takes the missing zones that others need, with the reasons.
    pub(crate) fn need(&mut self, needed: Vec<(Name, String)>) {
        self.needed = needed;
    }

    /// Judges a round by its findings. `at` is the place of the folder of zones.
    pub(crate) fn judge(
        &mut self,
        findings: &mut Findings,
        files: &Files,
        on_error: OnError,
        at: Option<At>,
    ) -> Round {
        findings.sort();
        if findings.has_errors() {
            let round = self.put_aside(findings, files, on_error);
            if round == Round::Refused {
                self.tell(findings);
            }
            return round;
        }
        if let Some(refusal) = self.lost(at).or_else(|| self.missed(on_error, at)) {
            findings.push(refusal);
            self.tell(findings);
            return Round::Refused;
        }
        if !self.needed.is_empty() {
            for (zone, why) in std::mem::take(&mut self.needed) {
                self.aside.insert(zone, Standing::Vanished(why.into()));
            }
            return Round::Again;
        }
        self.tell(findings);
        for source in self.aside.iter().map(|(zone, standing)| self.source(zone, standing)) {
            let Some(sentence) = source.sentence() else { continue };
            let help = match source.standing {
                Standing::Vanished(_) => {
                    "restore its file, or run `meridian reload --allow-loss` to drop the zone"
                }
                Standing::Dead(_) if !self.last_good.is_served => {
                    "correct its files; a server that already serves it continues with its last good texts"
                }
                Standing::Current | Standing::Kept(_) | Standing::Dead(_) => "correct its files and reload",
            };
            let finding = Finding::warning(code::ZONE_STANDING, sentence).help(help);
            findings.push(match at {
                Some(at) => finding.at(at, "in this folder"),
                None => finding,
            });
        }
        findings.sort();
        Round::Sound
    }

    /// Sources of all zones, served or dead, and the stray files.
    pub(crate) fn folder(&mut self) -> FolderStanding {
        let texts = std::mem::take(&mut self.texts);
        let current = texts.into_iter().filter(|(zone, _)| !self.aside.contains_key(zone));
        // Note the texts under `on_error: refuse` too, because the next server file may have
        // `on_error: keep`.
        let mut zones: Vec<ZoneSource> = current
            .map(|(apex, texts)| {
                // Equal texts are kept once, with their digest.
                let known = self.last_good.of(&apex).filter(|known| *known.texts == texts);
                let texts = known.map_or_else(|| Arc::new(texts), |known| Arc::clone(&known.texts));
                ZoneSource { apex, texts, standing: Standing::Current }
            })
            .collect();
        zones.extend(self.aside.iter().map(|(zone, standing)| self.source(zone, standing)));
        zones.sort_by(|a, b| a.apex.cmp(&b.apex));
        FolderStanding { zones, strays: self.strays_aside.values().cloned().collect() }
    }

    fn source(&self, zone: &Name, standing: &Standing) -> ZoneSource {
        // Keep the texts of a dead zone too: it continues with them once they fit the other files.
        let texts = self.last_good.of(zone).map(|source| Arc::clone(&source.texts));
        ZoneSource { apex: zone.clone(), texts: texts.unwrap_or_default(), standing: standing.clone() }
    }

    /// Puts the zones with errors aside; refuses everything if an error belongs to no zone.
    pub(crate) fn put_aside(&mut self, findings: &mut Findings, files: &Files, on_error: OnError) -> Round {
        let mut blamed = self.blame(findings, files);
        self.tell_nameless(findings, files);
        if on_error == OnError::Refuse || blamed.is_general || blamed.is_empty() {
            return Round::Refused;
        }
        self.spare_starved(&mut blamed, findings);
        let before = self.aside.clone();
        let unfit = self.fall_back(blamed.zones);
        let is_served = |zone: &Name| !self.aside.get(zone).is_some_and(Standing::is_dead);
        let is_new_stray = |path: &PathBuf| !self.strays_aside.contains_key(path);
        // Another round without a change would give the same result for ever.
        let is_news = self.aside != before || blamed.strays.keys().any(is_new_stray);
        if is_news
            && unfit.is_empty()
            && (self.zones_of_paths.values().any(is_served) || !self.kept().is_empty())
        {
            self.strays_aside.append(&mut blamed.strays);
            findings.contain();
            let told = std::mem::take(findings);
            self.told.extend(told.errors_alone());
            return Round::Again;
        }
        self.aside = before;
        unfit.into_iter().for_each(|(zone, why)| findings.push(cannot_continue(&zone, &why)));
        Round::Refused
    }

    /// Attributes each error to a zone or a stray file, as far as it belongs to one.
    fn blame(&self, findings: &Findings, files: &Files) -> Blamed {
        let mut blamed = Blamed::default();
        for finding in findings.blames() {
            let file = finding.at.map(|at| at.file);
            if let Some((path, stray)) = file.and_then(|file| self.strays.get(&file)) {
                blamed.strays.insert(path.clone(), stray.clone());
                continue;
            }
            match file.and_then(|file| self.zones_of_files.get(&file)) {
                Some(zone) => {
                    if finding.code == code::BUDGET_SPENT {
                        blamed.starved.insert(zone.clone());
                    }
                    blamed.zones.entry(zone.clone()).or_insert_with(|| why(finding, files));
                }
                None => blamed.is_general = true,
            }
        }
        blamed
    }

    /// Explains for which files an error cannot be attributed to a zone.
    fn tell_nameless(&self, findings: &mut Findings, files: &Files) {
        let named = findings.iter().filter_map(|finding| finding.at).map(|at| at.file);
        let nameless: BTreeSet<FileId> = named.filter(|file| self.nameless.contains(file)).collect();
        for file in nameless {
            let finding = Finding::error(
                code::ZONE_NAMELESS,
                format!("the zone of `{}` follows neither from its text nor from its name", files.path(file)),
            );
            findings.push(finding.at(At::whole(file), "").help(
                "name the file after its zone, as in `example.com.yaml`, to confine its faults to that zone",
            ));
        }
    }

    /// Takes the blame off zones that failed for lack of budget, because they need not be faulty:
    /// they are read again without the others.
    fn spare_starved(&mut self, blamed: &mut Blamed, findings: &mut Findings) {
        let Blamed { zones, starved, .. } = blamed;
        let spared = !starved.is_empty() && zones.keys().any(|zone| !starved.contains(zone));
        if spared && self.starved_rounds < LOAD_STARVED_ROUNDS_MAX {
            self.starved_rounds += 1;
            zones.retain(|zone, _| !starved.contains(zone));
            let zone_of = |finding: &Finding| self.zones_of_files.get(&finding.at?.file);
            findings.retain(|finding| !zone_of(finding).is_some_and(|zone| starved.contains(zone)));
        }
    }

    /// Puts each blamed zone aside. Returns the zones for which there is nothing to fall back to,
    /// with their faults.
    fn fall_back(&mut self, blamed: BTreeMap<Name, String>) -> Vec<(Name, String)> {
        let mut unfit = Vec::new();
        for (zone, why) in blamed {
            match self.next_standing(&zone, &why) {
                Some(standing) => _ = self.aside.insert(zone, standing),
                None => unfit.push((zone, why)),
            }
        }
        unfit
    }

    /// Standing of a zone after a fault in its present texts; `None` if the zone would end its
    /// service, which a reload never does.
    fn next_standing(&self, zone: &Name, why: &str) -> Option<Standing> {
        let before = self.last_good.of(zone);
        let was_served = before.is_some_and(|source| !source.standing.is_dead());
        match self.aside.get(zone) {
            None if before.is_some_and(ZoneSource::has_texts) => Some(Standing::Kept(why.into())),
            None | Some(Standing::Kept(_) | Standing::Vanished(_))
                if self.last_good.is_served && was_served =>
            {
                None
            }
            // The fault in its files is more useful than the reason why its last good texts do not
            // fit.
            Some(Standing::Kept(files) | Standing::Dead(files)) => Some(Standing::Dead(Arc::clone(files))),
            // For a zone without files, only its last good texts can be faulty.
            Some(Standing::Current | Standing::Vanished(_)) => Some(Standing::Dead(why.into())),
            None => Some(Standing::Dead(why.into())),
        }
    }

    /// Adds the errors of earlier rounds.
    fn tell(&mut self, findings: &mut Findings) {
        findings.extend(self.told.clone());
        findings.sort();
    }

    /// Refuses if more than half of the zones are missing. Dead zones do not count, because their
    /// corrected files may name another apex.
    fn lost(&self, at: Option<At>) -> Option<Finding> {
        let there: BTreeSet<&Name> = self.zones_of_paths.values().collect();
        let lives = |source: &&ZoneSource| !source.standing.is_dead();
        let before: Vec<&Name> =
            self.last_good.zones.iter().filter(lives).map(|source| &source.apex).collect();
        let all = before.len();
        let gone: Vec<&Name> = before.into_iter().filter(|apex| !there.contains(apex)).collect();
        if self.allow_loss || !self.last_good.is_served || gone.len() * 2 <= all {
            return None;
        }
        let named: Vec<String> = gone.iter().take(3).map(|zone| format!("`{zone}`")).collect();
        let more = if gone.len() > named.len() { ", ..." } else { "" };
        let finding = Finding::error(
            code::ZONES_GONE,
            format!("{} of {all} zones no longer have a file: {}{more}", gone.len(), named.join(", ")),
        );
        let finding = finding
            .help("check that the folder is complete; `meridian reload --allow-loss` drops these zones");
        Some(match at {
            Some(at) => finding.at(at, "more than half are missing"),
            None => finding,
        })
    }

    /// Refuses if a zone that others need is missing and cannot continue, because it has no last
    /// good texts or because of `on_error: refuse`.
    fn missed(&self, on_error: OnError, at: Option<At>) -> Option<Finding> {
        let has_texts = |zone: &Name| self.last_good.of(zone).is_some_and(ZoneSource::has_texts);
        let (zone, why) =
            self.needed.iter().find(|(zone, _)| on_error == OnError::Refuse || !has_texts(zone))?;
        let finding = Finding::error(
            code::ZONES_GONE,
            format!("the zone `{zone}` no longer has a file, but is needed, because {why}"),
        );
        let finding = finding.help("restore its file, or run `meridian reload --allow-loss`");
        Some(match at {
            Some(at) => finding.at(at, "no longer in this folder"),
            None => finding,
        })
    }

    /// True if missing zones are dropped even if others need them.
    pub(crate) fn may_lose(&self) -> bool {
        self.allow_loss
    }

    /// Sentences about stored texts that cannot be read, each returned once.
    pub(crate) fn faults(&mut self) -> Vec<String> {
        std::mem::take(&mut self.last_good.faults)
    }
}

/// Refuses everything because of a zone that would end its service.
fn cannot_continue(zone: &Name, why: &str) -> Finding {
    let finding = Finding::error(
        code::KEPT_TEXTS,
        format!(
            "the zone `{zone}` cannot continue with its last good texts, because they are faulty beside the \
             other present files: {why}"
        ),
    );
    finding.help(
        "correct the zone's files, or restore the contents of other files that its last good texts need; \
         until then, nothing is accepted",
    )
}

/// A fault and its place on one line.
fn why(finding: &Finding, files: &Files) -> String {
    let mut why = render::line(finding, files);
    if why.len() > WHY_OCTETS_MAX {
        why.truncate(why.floor_char_boundary(WHY_OCTETS_MAX));
        why.push_str("...");
    }
    why
}
