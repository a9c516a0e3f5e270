//! The folder of zones: which files it has, which zone each belongs to, and the zones read from
//! them.
//!
//! A zone that is put aside ([`Choices`]) is read from its last good texts through the same steps,
//! so that its own policies are compiled against the steering of the day.

use super::choices::Choices;
use crate::budget::Budget;
use crate::config::Sources;
use crate::config::files::FileReader;
use crate::config::tree::Node;
use crate::config::world::World;
use crate::config::zones::{self, Policies};
use crate::finding::{At, FileId, Finding, Findings, code};
use crate::wire::idn;
use crate::wire::name::Name;
use crate::zone::master::Included;
use crate::zone::source::{FileUse, ZoneTexts};
use crate::zone::text::{ChainMode, Record, Zone};
use crate::zone::{check, master};
use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

/// The name of a file of zone text, without its ending, that is the root zone: its own name is
/// empty.
const ROOT_FILE: &str = "root";

/// What a file of the folder is by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// Left behind by editors.
    Passed,
    Yaml,
    Text,
    Foreign,
    /// It ends like a zone file, and its name is not UTF-8.
    Unnameable,
}

fn kind(path: &Path) -> Kind {
    let name = path.file_name().unwrap_or_default();
    let shown = name.to_string_lossy();
    if shown.starts_with(['.', '#']) || shown.ends_with('~') {
        return Kind::Passed;
    }
    match path.extension().and_then(|e| e.to_str()).unwrap_or("") {
        "yaml" | "yml" | "zone" if name.to_str().is_none() => Kind::Unnameable,
        "yaml" | "yml" => Kind::Yaml,
        "zone" => Kind::Text,
        _ => Kind::Foreign,
    }
}

/// Whether whatever bears this name is taken for a zone file: a folder or a pipe in the place of
/// one is a fault of the zone, not its end.
pub(crate) fn is_zone_file(path: &Path) -> bool {
    matches!(kind(path), Kind::Yaml | Kind::Text)
}

/// An included file, by its number and its octets.
type IncludedText = (FileId, Arc<[u8]>);

/// A file of YAML that tells which zone it is.
struct Claim {
    zone: Name,
    path: PathBuf,
    file: FileId,
    /// Its tree and octets, if it can be read.
    text: Option<(Node, Arc<[u8]>)>,
}

/// A reader of the folder.
pub(crate) struct ZoneFolder<'r, 's> {
    files: &'r mut FileReader<'s>,
    choices: &'r mut Choices,
    /// Files of YAML that tell their zones.
    claims: Vec<Claim>,
    trees: Vec<(Name, Node)>,
    texts: Vec<ZoneText>,
    /// Paths that zone text included.
    included: HashSet<PathBuf>,
    /// Texts that a zone included, by the zone and the path in its text: each counts once for a
    /// zone, however often it is included.
    includes: HashMap<(Name, PathBuf), IncludedText>,
    all_read: bool,
}

/// Reads every zone of the folder that is written at `at`; the second value says whether all of it
/// could be read.
pub(crate) fn read(
    files: &mut FileReader<'_>,
    choices: &mut Choices,
    (folder, at): (&Path, At),
    world: &mut World,
    policies: &mut Policies,
) -> (Vec<Zone>, bool) {
    let list = match files.sources.list(folder) {
        Ok(list) => list,
        Err(why) => {
            files.unreadable(&folder.display().to_string(), &why, at);
            return (Vec::new(), false);
        }
    };
    let mut folder = ZoneFolder {
        files,
        choices,
        claims: Vec::new(),
        trees: Vec::new(),
        texts: Vec::new(),
        included: HashSet::new(),
        includes: HashMap::new(),
        all_read: true,
    };
    let mut foreign: Vec<PathBuf> = Vec::new();
    for path in list {
        match kind(&path) {
            Kind::Passed => {}
            Kind::Foreign => foreign.push(path),
            _ if folder.choices.passes_over(&path) => {}
            Kind::Unnameable => folder.unnameable(&path),
            Kind::Yaml => folder.yaml(&path),
            Kind::Text => folder.text(&path),
        }
    }
    folder.copies();
    for (zone, texts) in folder.choices.kept() {
        folder.kept(&zone, &texts);
    }
    let zones = folder.lower(world, policies);
    // Files that zone text includes may end as they like.
    foreign.retain(|path| !folder.included.contains(path));
    for path in foreign {
        let finding = Finding::note(code::UNREADABLE, format!("`{}` is not read", path.display()))
            .at(at, "in this folder");
        let help = "zone files end in `.yaml` (YAML) or `.zone` (RFC 1035 text)";
        folder.files.findings.push(finding.help(help));
    }
    (zones, folder.all_read)
}

impl ZoneFolder<'_, '_> {
    /// A file whose name is not UTF-8. It may be meant as a zone: the one that its text tells, if
    /// it tells any; else it costs no zone.
    fn unnameable(&mut self, path: &Path) {
        let shown = path.file_name().unwrap_or_default().to_string_lossy();
        // Several names may be shown alike.
        let file = self.files.number_of(&path.display().to_string(), &format!("{path:?}"), Arc::default());
        let message = format!("the file name `{shown}` is not UTF-8, so the file is not read");
        let finding = Finding::error(code::BAD_NAME, message).at(At::whole(file), "");
        self.files.findings.push(finding.help("rename the file, or move it elsewhere"));
        self.all_read = false;
        let is_yaml = path.extension().is_some_and(|ending| ending != "zone");
        let octets = self.files.sources.read(path).ok().filter(|_| is_yaml);
        match octets.as_deref().and_then(zone_line) {
            Some(zone) => {
                self.choices.assign(path, file, Some(&zone));
                self.claims.push(Claim { zone, path: path.to_owned(), file, text: None });
            }
            None => self.choices.stray(path, file),
        }
    }

    /// Takes a zone file of YAML. Which zone it is, its text says, or what it was before, or its
    /// name.
    fn yaml(&mut self, path: &Path) {
        let read = self.files.yaml(path, None);
        let told = read.tree.as_ref().and_then(zones::apex_of);
        let written = told.clone().or_else(|| read.octets.as_deref().and_then(zone_line));
        let zone =
            written.clone().or_else(|| self.choices.had_file(path)).or_else(|| zone_of_stem(path).ok());
        self.choices.assign(path, read.file, zone.as_ref());
        let text = read.tree.zip(read.octets);
        self.all_read &= text.is_some();
        match (written, text) {
            (Some(zone), text) => {
                self.claims.push(Claim { zone, path: path.to_owned(), file: read.file, text });
            }
            // What names no zone is read for its faults alone.
            (None, Some(text)) => self.take(&Name::root(), path, text),
            (None, None) => {}
        }
    }

    fn take(&mut self, apex: &Name, path: &Path, (tree, octets): (Node, Arc<[u8]>)) {
        self.input("zone", apex, &octets);
        self.choices.add_text(apex, FileUse::Yaml, &path.display().to_string(), &octets);
        self.trees.push((apex.clone(), tree));
    }

    /// Takes the files of YAML that tell their zones. Where several tell the same one, the file
    /// that is named after it is the zone, and each other, a copy perhaps, is at fault alone.
    fn copies(&mut self) {
        let claims = std::mem::take(&mut self.claims);
        let mut named: HashMap<Name, Vec<FileId>> = HashMap::new();
        for claim in &claims {
            if zone_of_stem(&claim.path).is_ok_and(|zone| zone == claim.zone) {
                named.entry(claim.zone.to_lowercase()).or_default().push(claim.file);
            }
        }
        for Claim { zone, path, file, text } in claims {
            let named = named
                .get(&zone.to_lowercase())
                .and_then(|named| <&[FileId; 1]>::try_from(named.as_slice()).ok());
            match named.filter(|[named]| *named != file) {
                None => text.into_iter().for_each(|text| self.take(&zone, &path, text)),
                Some([named]) => {
                    self.choices.stray(&path, file);
                    self.all_read = false;
                    let message = format!("the zone `{zone}` stands in a file that is named after it");
                    let finding = Finding::error(code::DUPLICATE_ZONE, message).at(At::whole(file), "");
                    let finding = finding.related(At::whole(*named), "the file that is read");
                    self.files.findings.push(finding.help("move this file elsewhere"));
                }
            }
        }
    }

    /// Takes `<apex>.zone`: RFC 1035 text. The name of the file is the name of the zone, and
    /// `root.zone`, as IANA calls it, is the root.
    fn text(&mut self, path: &Path) {
        let shown = path.display().to_string();
        let apex = zone_of_stem(path);
        let read = self.files.sources.read(path).and_then(|octets| self.files.text(&shown, octets));
        let (file, octets) = match read {
            Ok((file, octets)) => (file, Some(octets)),
            Err(why) => {
                let file = self.files.number(&shown, Arc::default());
                self.files.unreadable(&shown, &why, At::whole(file));
                (file, None)
            }
        };
        self.choices.assign(path, file, apex.as_ref().ok());
        let apex = apex.map_err(|(stem, error)| {
            let finding =
                Finding::error(code::BAD_NAME, format!("`{stem}` is not the name of a zone: {error}"))
                    .at(At::whole(file), "");
            let help = idn::help(error, &stem).unwrap_or_else(|| {
                "zone text stands in a file called after its zone, such as `example.com.zone`".to_owned()
            });
            self.files.findings.push(finding.help(help));
        });
        let (Ok(apex), Some(octets)) = (apex, octets) else {
            self.all_read = false;
            return;
        };
        self.input("zone text", &apex, &octets);
        self.choices.add_text(&apex, FileUse::Text, &shown, &octets);
        let folder = path.parent().unwrap_or(Path::new("")).to_owned();
        self.texts.push(ZoneText { apex, file, octets, includes: Includes::Folder(folder) });
    }

    /// Takes the last good texts of a zone.
    fn kept(&mut self, zone: &Name, texts: &Arc<ZoneTexts>) {
        for file in &texts.files {
            let shown = format!("{} (last good)", file.path);
            match file.file_use {
                FileUse::Yaml => {
                    let read = self.files.yaml_text(&shown, Arc::clone(&file.octets));
                    self.choices.belongs(read.file, zone);
                    self.input("zone", zone, &file.octets);
                    match read.tree {
                        Some(tree) => self.trees.push((zone.clone(), tree)),
                        None => self.all_read = false,
                    }
                }
                FileUse::Text => {
                    let number = self.files.number(&shown, Arc::clone(&file.octets));
                    self.choices.belongs(number, zone);
                    self.input("zone text", zone, &file.octets);
                    self.texts.push(ZoneText {
                        apex: zone.clone(),
                        file: number,
                        octets: Arc::clone(&file.octets),
                        includes: Includes::Kept(Arc::clone(texts)),
                    });
                }
                FileUse::Included => {}
            }
        }
    }

    fn input(&mut self, role: &str, zone: &Name, octets: &Arc<[u8]>) {
        self.files.inputs.push((format!("{role} {}", zone.to_lowercase()), Arc::clone(octets)));
    }

    /// Makes the zones.
    fn lower(&mut self, world: &mut World, policies: &mut Policies) -> Vec<Zone> {
        let mut texts = self.parse_all();
        let mut trees = std::mem::take(&mut self.trees);
        trees.sort_by(|a, b| a.0.cmp(&b.0));
        let mut zones: Vec<Zone> = Vec::new();
        for (_, tree) in trees {
            let Some(mut zone) = zones::lower(&tree, world, policies, &mut self.files.findings) else {
                self.all_read = false;
                continue;
            };
            // A YAML file beside zone text adds to it: steered names, say.
            if let Some(index) = texts.iter().position(|text| text.apex == zone.apex) {
                let mut records = texts.swap_remove(index).records;
                records.append(&mut zone.records);
                zone.records = records;
            }
            check::settle(&mut zone, &mut self.files.findings);
            zones.push(zone);
        }
        for mut zone in texts {
            check::settle(&mut zone, &mut self.files.findings);
            zones.push(zone);
        }
        zones.sort_by(|a, b| a.apex.cmp(&b.apex));
        zones
    }

    /// Parses zone texts: those that stand alone in any order, perhaps at the same time, then those
    /// that include other files, which must be read on the way.
    fn parse_all(&mut self) -> Vec<Zone> {
        let texts = std::mem::take(&mut self.texts);
        let mut parsed: Vec<OnceLock<Parsed>> = texts.iter().map(|_| OnceLock::new()).collect();
        let alone: Vec<usize> = (0..texts.len()).filter(|index| !texts[*index].may_include()).collect();
        let before = self.files.budget.copy();
        self.files.sources.each(alone.len(), &|number| {
            let index = alone[number];
            let none = &mut |_: &str| Err("no file can be included here".to_owned());
            // Each number is met once.
            let _ = parsed[index].set(texts[index].parse(none, &self.files.budget));
        });
        if self.files.budget.is_spent() {
            // On several cores it is left to chance which text found the budget spent. One by one,
            // it is the same on every run and every machine.
            parsed.iter_mut().for_each(|parsed| _ = parsed.take());
            self.files.budget = before;
        }
        // Includes need the reader of files, and are counted against the same budget. They come
        // behind the texts that stand alone, whether those are read a second time or not.
        let budget = std::mem::take(&mut self.files.budget).lending();
        let including = (0..texts.len()).filter(|index| texts[*index].may_include());
        for index in alone.into_iter().chain(including) {
            let text = &texts[index];
            parsed[index].get_or_init(|| text.parse(&mut |written| self.include(text, written), &budget));
        }
        let mut zones = Vec::with_capacity(texts.len());
        for (text, parsed) in texts.into_iter().zip(parsed) {
            let (records, findings) = parsed.into_inner().unwrap_or_default();
            self.files.findings.extend(findings);
            let at = At::whole(text.file);
            zones.push(Zone {
                apex: text.apex,
                records,
                steered: Vec::new(),
                chain: ChainMode::default(),
                at,
            });
        }
        self.files.budget = budget;
        zones
    }

    /// A file that zone text includes.
    fn include(&mut self, text: &ZoneText, written: &str) -> Result<Included, String> {
        let key = (text.apex.clone(), PathBuf::from(written));
        if let Some((file, text)) = self.includes.get(&key).cloned() {
            return Ok(Included { file, text, is_first: false });
        }
        let (shown, octets, is_first) = match &text.includes {
            Includes::Folder(folder) => {
                let path = folder.join(written);
                let octets = self.files.sources.read_inside(folder, Path::new(written))?;
                let shown = path.display().to_string();
                // What another zone has made of it is made once more, from the budget.
                (shown, octets, self.included.insert(path))
            }
            Includes::Kept(texts) => {
                let file = texts.included(written).ok_or("it is not among the last good texts")?;
                (format!("{written} (last good of {})", text.apex), Arc::clone(&file.octets), true)
            }
        };
        // What several zones include may be sound in one and faulty in another.
        let read = self.files.text_of(&shown, &text.apex.to_string(), octets)?;
        if is_first {
            self.files.inputs.push((format!("included {written}"), read.1.clone()));
        }
        self.choices.belongs(read.0, &text.apex);
        self.choices.add_text(&text.apex, FileUse::Included, written, &read.1);
        let (file, text) = read.clone();
        self.includes.insert(key, read);
        Ok(Included { file, text, is_first })
    }
}

/// The apex that a file is called after; the error has the name without its ending, and why it is
/// none.
fn zone_of_stem(path: &Path) -> Result<Name, (String, crate::wire::name::NameError)> {
    let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or("");
    match Name::parse(&format!("{}.", stem.trim_end_matches('.')), None) {
        Ok(_) if stem.eq_ignore_ascii_case(ROOT_FILE) => Ok(Name::root()),
        Ok(apex) => Ok(apex),
        Err(error) => Err((stem.to_owned(), error)),
    }
}

/// The apex that a line `zone: ...` names in a text that is not YAML as a whole.
fn zone_line(octets: &[u8]) -> Option<Name> {
    const QUOTES: [char; 2] = ['"', '\''];
    // Octets that are no text may stand in another line, or behind the name.
    let text = String::from_utf8_lossy(octets.strip_prefix(b"\xef\xbb\xbf").unwrap_or(octets));
    let value = |line: &str| {
        let rest = line.trim_start_matches(QUOTES).strip_prefix("zone")?;
        let rest = rest.trim_start_matches(QUOTES).trim_start().strip_prefix(':')?;
        Some(rest.split_whitespace().next()?.trim_matches(QUOTES).to_owned())
    };
    Name::parse(&text.lines().find_map(value)?, None).ok()
}

/// Where a zone text's included files come from.
enum Includes {
    /// This folder.
    Folder(PathBuf),
    /// Its last good texts.
    Kept(Arc<ZoneTexts>),
}

/// What a zone text says.
type Parsed = (Vec<Record>, Findings);

/// A zone text that was read and not yet parsed.
struct ZoneText {
    apex: Name,
    file: FileId,
    octets: Arc<[u8]>,
    includes: Includes,
}

impl ZoneText {
    fn may_include(&self) -> bool {
        let word = b"$include";
        self.octets.windows(word.len()).any(|window| window[0] == b'$' && window.eq_ignore_ascii_case(word))
    }

    fn parse(&self, include: &mut master::Include<'_>, budget: &Budget) -> Parsed {
        let (mut records, mut findings) = (Vec::new(), Findings::default());
        master::read(&self.octets, self.file, &self.apex, include, budget, &mut records, &mut findings);
        (records, findings)
    }
}

#[cfg(test)]
mod tests;
