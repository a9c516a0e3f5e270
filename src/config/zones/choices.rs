//! Which texts each zone is read from: those of its files, its last good ones, or none.
//!
//! The zones of a reading are judged as wholes, because their checks follow names from one into
//! another. So a reading goes in rounds over the same octets. The first takes every zone from its
//! files. A zone that is blamed for an error is put aside: the next round reads it from its last
//! good texts, or leaves it out. A round without a blamed zone is the result. An error that belongs
//! to no zone refuses everything.

use crate::finding::{At, FileId, Files, Finding, Findings, code};
use crate::limits::{LOAD_STARVED_ROUNDS_MAX, WHY_OCTETS_MAX};
use crate::wire::name::Name;
use crate::zone::source::{
    FileUse, FolderStanding, LastGood, Standing, StrayFile, ZoneFile, ZoneSource, ZoneTexts,
};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What is done with a zone that is faulty, or gone while others need it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum OnError {
    /// It goes on from its last good texts.
    #[default]
    Keep,
    /// It refuses the reload.
    Refuse,
}

/// How a round ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Round {
    /// Every zone that was read is sound.
    Sound,
    /// Some zone was put aside: read again.
    Again,
    /// Something refuses everything.
    Refused,
}

/// The choices of one reading.
#[derive(Debug, Default)]
pub(crate) struct Choices {
    last_good: LastGood,
    /// The zone of each file among the last good texts, included files apart, by its path.
    zones_of_last_good: HashMap<Arc<str>, Name>,
    /// Whether zones may be lost (`reload --allow-loss`).
    allow_loss: bool,
    /// Zones that are not read from their files.
    aside: BTreeMap<Name, Standing>,
    /// The zone of each path in the folder.
    zones_of_paths: BTreeMap<PathBuf, Name>,
    /// The zone that a file belongs to, for the blame of findings in it.
    zones_of_files: HashMap<FileId, Name>,
    /// Files of the folder that no zone is known of.
    nameless: BTreeSet<FileId>,
    /// Files that cost no zone when they are faulty, by their numbers.
    strays: HashMap<FileId, (PathBuf, StrayFile)>,
    /// Those that are not read any more.
    strays_aside: BTreeMap<PathBuf, StrayFile>,
    /// Rounds that were repeated because faulty zones had left too little for others.
    starved_rounds: usize,
    /// Errors of the rounds before, of zones that are put aside.
    told: Findings,
    /// Of this round: the texts of each zone.
    texts: BTreeMap<Name, ZoneTexts>,
    /// Of this round: zones that are gone and needed, and why.
    needed: Vec<(Name, String)>,
}

impl Choices {
    /// Choices of a reading that may lose zones, or not.
    pub(crate) fn new(allow_loss: bool) -> Choices {
        Choices { allow_loss, ..Choices::default() }
    }

    /// Takes what may be gone back to.
    pub(crate) fn recall(&mut self, last_good: LastGood) {
        self.last_good = last_good;
        self.last_good.zones.sort_by(|a, b| a.apex.cmp(&b.apex));
        for source in &self.last_good.zones {
            for file in source.texts.files.iter().filter(|file| !file.file_use.is_included()) {
                let zone = self.zones_of_last_good.entry(Arc::clone(&file.path));
                // A zone that goes on from texts of before may have lost its file to another one.
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

    /// Whether a file is of a zone that is put aside.
    pub(crate) fn passes_over(&self, path: &Path) -> bool {
        self.strays_aside.contains_key(path)
            || self.zones_of_paths.get(path).is_some_and(|zone| self.aside.contains_key(zone))
    }

    /// Says that a file of the folder costs no zone: another file is read for the zone that it
    /// tells, or it cannot be a zone at all.
    pub(crate) fn stray(&mut self, path: &Path, file: FileId, stray: StrayFile) {
        self.zones_of_paths.remove(path);
        self.zones_of_files.remove(&file);
        self.strays.insert(file, (path.to_owned(), stray));
    }

    /// The zones that are read from their last good texts, with these.
    pub(crate) fn kept(&self) -> Vec<(Name, Arc<ZoneTexts>)> {
        let of = |(zone, standing): (&Name, &Standing)| match standing {
            Standing::Kept(_) | Standing::Vanished(_) => {
                self.last_good.of(zone).map(|source| (zone.clone(), Arc::clone(&source.texts)))
            }
            Standing::Current | Standing::Dead(_) => None,
        };
        self.aside.iter().filter_map(of).collect()
    }

    /// The zones that are not served.
    pub(crate) fn dead(&self) -> Vec<Name> {
        let is_dead = |standing: &Standing| matches!(standing, Standing::Dead(_));
        self.aside.iter().filter(|(_, standing)| is_dead(standing)).map(|(zone, _)| zone.clone()).collect()
    }

    /// The zone that had this file among its last good texts.
    pub(crate) fn had_file(&self, path: &Path) -> Option<Name> {
        self.zones_of_last_good.get(&*path.display().to_string()).cloned()
    }

    /// Whether this file is among the last good texts of a zone.
    pub(crate) fn held(&self, zone: &Name, path: &Path) -> bool {
        let shown = path.display().to_string();
        self.last_good.of(zone).is_some_and(|source| {
            source.texts.files.iter().any(|file| !file.file_use.is_included() && *file.path == shown)
        })
    }

    /// Whether a file of the folder is taken for this zone.
    pub(crate) fn is_of(&self, path: &Path, zone: &Name) -> bool {
        self.zones_of_paths.get(path).is_some_and(|of| of == zone)
    }

    /// Says which zone a file of the folder belongs to, if that is known.
    pub(crate) fn assign(&mut self, path: &Path, file: FileId, zone: Option<&Name>) {
        match zone.map(Name::to_lowercase) {
            Some(zone) => {
                self.zones_of_paths.insert(path.to_owned(), zone.clone());
                self.belongs(file, &zone);
            }
            None => _ = self.nameless.insert(file),
        }
    }

    /// Says that findings in a file are of a zone.
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

    /// The zones that were there before and are no more, dead ones apart.
    pub(crate) fn gone(&self) -> Vec<Name> {
        let there: BTreeSet<&Name> = self.zones_of_paths.values().collect();
        let is_gone = |source: &&ZoneSource| {
            !there.contains(&source.apex)
                && !self.aside.contains_key(&source.apex)
                && !matches!(source.standing, Standing::Dead(_))
        };
        self.last_good.zones.iter().filter(is_gone).map(|source| source.apex.clone()).collect()
    }

    /// Takes which of the zones that are gone are needed, and why.
    pub(crate) fn need(&mut self, needed: Vec<(Name, String)>) {
        self.needed = needed;
    }

    /// Judges a round by its findings. `at` is where the folder of zones is written.
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
                    "put its file back, or reload with `meridian reload --allow-loss` to let it go"
                }
                Standing::Dead(_) if !self.last_good.is_served => {
                    "mend its files; a running server that has served it goes on from its last good texts"
                }
                _ => "mend its files and reload",
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

    /// What each of the zones that are served, or dead, is served from, and which files are strays.
    pub(crate) fn folder(&mut self) -> FolderStanding {
        let texts = std::mem::take(&mut self.texts);
        let current = texts.into_iter().filter(|(zone, _)| !self.aside.contains_key(zone));
        // Held also where a fault refuses all: the next server file may say `keep`.
        let mut zones: Vec<ZoneSource> = current
            .map(|(apex, texts)| ZoneSource { apex, texts: Arc::new(texts), standing: Standing::Current })
            .collect();
        zones.extend(self.aside.iter().map(|(zone, standing)| self.source(zone, standing)));
        zones.sort_by(|a, b| a.apex.cmp(&b.apex));
        FolderStanding { zones, strays: self.strays_aside.values().cloned().collect() }
    }

    fn source(&self, zone: &Name, standing: &Standing) -> ZoneSource {
        // Those of a dead zone too: it goes on from them once they fit what steers.
        let texts = self.last_good.of(zone).map(|source| Arc::clone(&source.texts));
        ZoneSource { apex: zone.clone(), texts: texts.unwrap_or_default(), standing: standing.clone() }
    }

    /// Puts the zones aside that errors are of; refuses everything if one is of no zone.
    pub(crate) fn put_aside(&mut self, findings: &mut Findings, files: &Files, on_error: OnError) -> Round {
        let mut blamed: BTreeMap<Name, String> = BTreeMap::new();
        let mut starved: BTreeSet<Name> = BTreeSet::new();
        let mut strays: BTreeMap<PathBuf, StrayFile> = BTreeMap::new();
        let mut refuses = on_error == OnError::Refuse;
        for finding in findings.blames() {
            let file = finding.at.map(|at| at.file);
            if let Some((path, stray)) = file.and_then(|file| self.strays.get(&file)) {
                strays.insert(path.clone(), stray.clone());
                continue;
            }
            match file.and_then(|file| self.zones_of_files.get(&file)) {
                Some(zone) => {
                    if finding.code == code::BUDGET_SPENT {
                        starved.insert(zone.clone());
                    }
                    blamed.entry(zone.clone()).or_insert_with(|| why(finding, files));
                }
                None => refuses = true,
            }
        }
        let named = findings.iter().filter_map(|finding| finding.at).map(|at| at.file);
        let nameless: BTreeSet<FileId> = named.filter(|file| self.nameless.contains(file)).collect();
        for file in nameless {
            let finding = Finding::error(
                code::ZONE_NAMELESS,
                format!("neither the text nor the name of `{}` tells which zone it is", files.path(file)),
            );
            findings.push(
                finding.at(At::whole(file), "").help(
                    "call the file after its zone, as in `example.com.yaml`, and only that zone is lost",
                ),
            );
        }
        if refuses || (blamed.is_empty() && strays.is_empty()) {
            return Round::Refused;
        }
        // What faulty zones leave of the budget says nothing of the others: they are read again
        // without them.
        let spared = !starved.is_empty() && blamed.keys().any(|zone| !starved.contains(zone));
        if spared && self.starved_rounds < LOAD_STARVED_ROUNDS_MAX {
            self.starved_rounds += 1;
            blamed.retain(|zone, _| !starved.contains(zone));
            let zone_of = |finding: &Finding| self.zones_of_files.get(&finding.at?.file);
            findings.retain(|finding| !zone_of(finding).is_some_and(|zone| starved.contains(zone)));
        }
        let before = self.aside.clone();
        let mut unfit = Vec::new();
        for (zone, why) in blamed {
            let before = self.last_good.of(&zone);
            let was_served = before.is_some_and(|source| !matches!(source.standing, Standing::Dead(_)));
            let standing = match self.aside.get(&zone) {
                None if before.is_some_and(ZoneSource::has_texts) => Standing::Kept(why.into()),
                // What is served now never dies by a reload.
                None | Some(Standing::Kept(_) | Standing::Vanished(_))
                    if self.last_good.is_served && was_served =>
                {
                    unfit.push((zone, why));
                    continue;
                }
                // What was wrong with its files says more than why its last good texts do not fit.
                Some(Standing::Kept(files) | Standing::Dead(files)) => Standing::Dead(Arc::clone(files)),
                // Of a zone without files, only its last good texts can be faulty.
                Some(Standing::Current | Standing::Vanished(_)) => Standing::Dead(why.into()),
                None => Standing::Dead(why.into()),
            };
            self.aside.insert(zone, standing);
        }
        let is_served = |zone: &Name| !matches!(self.aside.get(zone), Some(Standing::Dead(_)));
        // Reading the same again would find the same, for ever.
        let is_news = self.aside != before || strays.keys().any(|path| !self.strays_aside.contains_key(path));
        if is_news
            && unfit.is_empty()
            && (self.zones_of_paths.values().any(is_served) || !self.kept().is_empty())
        {
            self.strays_aside.append(&mut strays);
            findings.contain();
            let told = std::mem::take(findings);
            self.told.extend(told.errors_alone());
            return Round::Again;
        }
        self.aside = before;
        for (zone, why) in unfit {
            let finding = Finding::error(
                code::KEPT_TEXTS,
                format!(
                    "the zone `{zone}` cannot go on from its last good texts, because they are faulty beside \
                     the other files of now: {why}"
                ),
            );
            findings.push(finding.help(
                "mend the zone's files, or put back what its last good texts need of other files; nothing \
                 is taken over until then",
            ));
        }
        Round::Refused
    }

    /// Adds what rounds before have found.
    fn tell(&mut self, findings: &mut Findings) {
        findings.extend(self.told.clone());
        findings.sort();
    }

    /// Refuses where more than half of the zones are gone. Dead ones are none that could be lost:
    /// their files may tell another apex once they are mended.
    fn lost(&self, at: Option<At>) -> Option<Finding> {
        let there: BTreeSet<&Name> = self.zones_of_paths.values().collect();
        let lives = |source: &&ZoneSource| !matches!(source.standing, Standing::Dead(_));
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
            format!("{} of {all} zones have no file any more: {}{more}", gone.len(), named.join(", ")),
        );
        let finding =
            finding.help("see whether the folder is whole; `meridian reload --allow-loss` lets them go");
        Some(match at {
            Some(at) => finding.at(at, "more than half are gone"),
            None => finding,
        })
    }

    /// Refuses where a zone is gone that others need, and nothing may be kept.
    fn missed(&self, on_error: OnError, at: Option<At>) -> Option<Finding> {
        let has_texts = |zone: &Name| self.last_good.of(zone).is_some_and(ZoneSource::has_texts);
        let (zone, why) =
            self.needed.iter().find(|(zone, _)| on_error == OnError::Refuse || !has_texts(zone))?;
        let finding = Finding::error(
            code::ZONES_GONE,
            format!("the zone `{zone}` has no file any more, but is needed, because {why}"),
        );
        let finding = finding.help("put its file back, or reload with `meridian reload --allow-loss`");
        Some(match at {
            Some(at) => finding.at(at, "no longer in this folder"),
            None => finding,
        })
    }

    /// Whether zones that are gone may be let go without a look at who needs them.
    pub(crate) fn may_lose(&self) -> bool {
        self.allow_loss
    }

    /// Sentences about what was kept and cannot be read, each told once.
    pub(crate) fn faults(&mut self) -> Vec<String> {
        std::mem::take(&mut self.last_good.faults)
    }
}

/// A fault and its place in one line.
fn why(finding: &Finding, files: &Files) -> String {
    let place = finding.at.map(|at| format!("{}: ", files.place(at))).unwrap_or_default();
    let mut why = format!("{place}{}", finding.message);
    if why.len() > WHY_OCTETS_MAX {
        why.truncate(why.floor_char_boundary(WHY_OCTETS_MAX));
        why.push_str("...");
    }
    why
}
