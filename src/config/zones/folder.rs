//! The folder of zones: its files, the zone to which each belongs, and the zones read from them.
//!
//! A zone that is put aside ([`Choices`]) is read from its last good texts through the same steps,
//! so that its own policies are compiled against the present PoPs.

use super::choices::Choices;
use super::file_name::{Kind, kind, odd_character, zone_of_stem};
use crate::budget::Budget;
use crate::config::Sources;
use crate::config::files::FileReader;
use crate::config::input::{Input, InputRole};
use crate::config::tree::Node;
use crate::config::world::World;
use crate::config::zones::{self, Policies};
use crate::finding::{At, FileId, Finding, Findings, code};
use crate::wire::idn;
use crate::wire::name::Name;
use crate::zone::master::Included;
use crate::zone::source::{FileUse, StrayFile, ZoneTexts};
use crate::zone::text::{ChainMode, Record, Zone};
use crate::zone::{check, master};
use std::collections::{HashMap, HashSet};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

/// An included file: its number and its octets.
type IncludedText = (FileId, Arc<[u8]>);

/// A YAML file and the zone to which it is assigned.
struct Claim {
    zone: Name,
    path: PathBuf,
    file: FileId,
    /// Its tree and octets, if it is readable.
    text: Option<(Node, Arc<[u8]>)>,
    /// Reason to prefer it among several files of one zone.
    right: Option<Right>,
    /// Error in its name, if the name is not UTF-8.
    fault: Option<String>,
}

/// Reason to read one file of a zone and not another. The first reason takes precedence.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Right {
    /// The zone was read from this file before.
    Held,
    /// The file is named after the zone.
    Named,
}

impl Right {
    const ALL: [Right; 2] = [Right::Held, Right::Named];
}

/// Reader of the folder.
pub(crate) struct ZoneFolder<'r, 's> {
    files: &'r mut FileReader<'s>,
    choices: &'r mut Choices,
    /// YAML files whose zones are known.
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

/// Reads every zone of the folder, whose path is written at `at`. The second value is true if all
/// of it was readable.
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
    let mut foreign: Vec<&Path> = Vec::new();
    for path in &list {
        match kind(path) {
            Kind::Passed => {}
            Kind::Foreign => foreign.push(path),
            _ if folder.choices.passes_over(path) => {}
            Kind::Unnameable => folder.unnameable(path),
            Kind::Yaml => folder.yaml(path),
            Kind::Text => folder.text(path),
        }
    }
    folder.take_claims();
    // Warn of files that an earlier round put aside too: the odd name may be the only fault.
    list.iter().for_each(|path| folder.odd_name(path));
    for (zone, texts) in folder.choices.kept() {
        folder.kept(&zone, &texts);
    }
    let zones = folder.lower(world, policies);
    // Files included by zone text may have any ending.
    foreign.retain(|path| !folder.included.contains(*path));
    for path in foreign {
        let finding = Finding::note(code::UNREADABLE, format!("`{}` is not read", path.display()))
            .at(at, "in this folder");
        let help = "zone files end in `.yaml` (YAML) or `.zone` (RFC 1035 text)";
        folder.files.findings.push(finding.help(help));
    }
    (zones, folder.all_read)
}

impl ZoneFolder<'_, '_> {
    /// Handles a file whose name is not UTF-8. If its text names a zone, the fault belongs to that
    /// zone; else it affects no zone.
    fn unnameable(&mut self, path: &Path) {
        let name = escaped(path.file_name().unwrap_or_default());
        // Distinguish it from a file whose name equals the escaped form.
        let file = self.files.number_of(&escaped(path.as_os_str()), &format!("{path:?}"), Arc::default());
        let message = format!("the file name `{name}` is not UTF-8, so the file is not read");
        let finding = Finding::error(code::BAD_NAME, message.clone()).at(At::whole(file), "");
        self.files.findings.push(finding.help("rename the file, or move it elsewhere"));
        self.all_read = false;
        let is_yaml = path.extension().is_some_and(|ending| ending != "zone");
        let octets = self.files.sources.read(path).ok().filter(|_| is_yaml);
        match octets.as_deref().and_then(zone_line) {
            Some(zone) => {
                self.choices.assign(path, file, Some(&zone));
                let (path, fault) = (path.to_owned(), Some(message));
                self.claims.push(Claim { zone, path, file, text: None, right: None, fault });
            }
            None => self.stray(path, file, None, message),
        }
    }

    /// Zone file in YAML, kept as a claim for [`ZoneFolder::take_claims`]. Its zone is the one that
    /// its text names; else the zone that has the file among its last good texts; else the zone of
    /// the file name. So a file that has become faulty still belongs to its zone.
    fn yaml(&mut self, path: &Path) {
        let read = self.files.yaml(path, None);
        let told = read.tree.as_ref().and_then(zones::apex_of);
        let written = told.or_else(|| read.octets.as_deref().and_then(zone_line));
        let named = zone_of_stem(path).ok();
        let zone = written.or_else(|| self.choices.had_file(path)).or_else(|| named.clone());
        self.choices.assign(path, read.file, zone.as_ref());
        let text = read.tree.zip(read.octets);
        self.all_read &= text.is_some();
        match (zone, text) {
            (Some(zone), text) => {
                let right = if self.choices.held(&zone, path) {
                    Some(Right::Held)
                } else {
                    named.filter(|named| *named == zone).map(|_| Right::Named)
                };
                let (path, fault) = (path.to_owned(), None);
                self.claims.push(Claim { zone, path, file: read.file, text, right, fault });
            }
            // A file that names no zone is read only for its faults.
            (None, Some(text)) => self.take(&Name::root(), path, text),
            (None, None) => {}
        }
    }

    fn take(&mut self, apex: &Name, path: &Path, (tree, octets): (Node, Arc<[u8]>)) {
        self.input(InputRole::Zone(apex.to_lowercase()), &octets);
        self.choices.add_text(apex, FileUse::Yaml, &path.display().to_string(), &octets);
        self.trees.push((apex.clone(), tree));
    }

    /// Takes the YAML files whose zones are known. Among several files of one zone, the file from
    /// which it was read before wins, so that a new file cannot replace it; else the file that is
    /// named after the zone. Each other file, perhaps a copy, is at fault alone.
    fn take_claims(&mut self) {
        let claims = std::mem::take(&mut self.claims);
        let mut rights: HashMap<Name, Vec<(Right, FileId)>> = HashMap::new();
        for claim in &claims {
            let rights = rights.entry(claim.zone.to_lowercase()).or_default();
            rights.extend(claim.right.map(|right| (right, claim.file)));
        }
        // A file whose name is not UTF-8 is no fault of its zone if the zone has another, readable
        // file.
        let of_yaml = claims.iter().filter(|claim| claim.text.is_some()).map(|claim| &claim.zone);
        let readable: HashSet<Name> =
            of_yaml.chain(self.texts.iter().map(|text| &text.apex)).map(Name::to_lowercase).collect();
        let chosen = |zone: &Name| {
            let rights = rights.get(&zone.to_lowercase())?;
            Right::ALL.into_iter().find_map(|right| {
                let mut of_right = rights.iter().filter(|(of, _)| *of == right);
                of_right.next().filter(|_| of_right.next().is_none()).copied()
            })
        };
        for Claim { zone, path, file, text, fault, .. } in claims {
            let Some((right, chosen)) = chosen(&zone).filter(|(_, chosen)| *chosen != file) else {
                match fault {
                    Some(message) if readable.contains(&zone.to_lowercase()) => {
                        self.stray(&path, file, Some(zone), message);
                    }
                    _ => text.into_iter().for_each(|text| self.take(&zone, &path, text)),
                }
                continue;
            };
            let is_told = fault.is_some();
            let message = fault.unwrap_or_else(|| {
                let read = self.files.files.path(chosen);
                match right {
                    Right::Held => format!("the zone `{zone}` is already served from `{read}`"),
                    Right::Named => format!("the zone `{zone}` is in `{read}`, which is named after it"),
                }
            });
            if !is_told {
                let finding = Finding::error(code::DUPLICATE_ZONE, message.clone()).at(At::whole(file), "");
                let finding = finding.related(At::whole(chosen), "the file that is read");
                self.files.findings.push(finding.help(match right {
                    Right::Held => "move this file elsewhere, or move the other one to read this one",
                    Right::Named => {
                        "move this file elsewhere; a running server continues with the file that it serves \
                         (see `meridian reload --status`)"
                    }
                }));
            }
            self.stray(&path, file, Some(zone), message);
        }
    }

    /// Marks a file as stray: it is not in force, and affects no zone.
    fn stray(&mut self, path: &Path, file: FileId, zone: Option<Name>, why: String) {
        self.all_read = false;
        let shown = self.files.files.path(file).into();
        self.choices.stray(path, file, StrayFile { path: shown, zone, why: why.into() });
    }

    /// Warns of a zone that takes its name from a file whose name looks like that of a copy.
    fn odd_name(&mut self, path: &Path) {
        let Some(odd) = odd_character(path).filter(|_| matches!(kind(path), Kind::Yaml | Kind::Text)) else {
            return;
        };
        let Some(zone) = zone_of_stem(path).ok().filter(|zone| self.choices.is_of(path, zone)) else {
            return;
        };
        let with = if odd == ' ' { "a blank".to_owned() } else { format!("`{odd}`") };
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let message = format!("the file name `{name}` contains {with}, and names the zone `{zone}`");
        let is_text = kind(path) == Kind::Text;
        let message = if is_text { message } else { format!("{message}, because the file names none") };
        let file = self.files.number(&path.display().to_string(), Arc::default());
        let finding = Finding::warning(code::ODD_ZONE_NAME, message).at(At::whole(file), "");
        self.files.findings.push(finding.help(match is_text {
            true => format!(
                "name the file after its zone, as in `example.com.zone`, or move a copy elsewhere; a zone \
                 that really has this name belongs in `{zone}zone`"
            ),
            false => "write `zone:` into the file, or move a copy elsewhere".to_owned(),
        }));
    }

    /// Takes `<apex>.zone`, which is RFC 1035 text. The name of the file is the name of the zone,
    /// and `root.zone` is the root, as IANA calls it.
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
                "zone text belongs in a file named after its zone, such as `example.com.zone`".to_owned()
            });
            self.files.findings.push(finding.help(help));
        });
        let (Ok(apex), Some(octets)) = (apex, octets) else {
            self.all_read = false;
            return;
        };
        self.input(InputRole::ZoneText(apex.to_lowercase()), &octets);
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
                    self.input(InputRole::Zone(zone.to_lowercase()), &file.octets);
                    match read.tree {
                        Some(tree) => self.trees.push((zone.clone(), tree)),
                        None => self.all_read = false,
                    }
                }
                FileUse::Text => {
                    let number = self.files.number(&shown, Arc::clone(&file.octets));
                    self.choices.belongs(number, zone);
                    self.input(InputRole::ZoneText(zone.to_lowercase()), &file.octets);
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

    fn input(&mut self, role: InputRole, octets: &Arc<[u8]>) {
        self.files.inputs.push(Input { role, octets: Arc::clone(octets) });
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
            // A YAML file beside zone text adds to it, for example steered names.
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

    /// Parses zone texts: first those without inclusions, in any order and perhaps in parallel,
    /// then those that include other files, which are read on the way.
    fn parse_all(&mut self) -> Vec<Zone> {
        let texts = std::mem::take(&mut self.texts);
        let mut parsed: Vec<OnceLock<Parsed>> = texts.iter().map(|_| OnceLock::new()).collect();
        let alone: Vec<usize> = (0..texts.len()).filter(|index| !texts[*index].may_include()).collect();
        let before = self.files.budget.copy();
        self.files.sources.each(alone.len(), &|number| {
            let index = alone[number];
            let none = &mut |_: &str| Err("no file can be included here".to_owned());
            // Each index occurs once.
            let _ = parsed[index].set(texts[index].parse(none, &self.files.budget));
        });
        if self.files.budget.is_spent() {
            // On several cores, chance decides which text exhausts the budget. Parse them one after
            // another, so that every run on every machine gives the same result.
            parsed.iter_mut().for_each(|parsed| _ = parsed.take());
            self.files.budget = before;
        }
        // Includes need the file reader, and count against the same budget. These texts always
        // follow those without inclusions.
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

    /// Reads a file that zone text includes.
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
                // If another zone has included the file, it has had its grant: this text draws on
                // the budget of the load.
                (shown, octets, self.included.insert(path))
            }
            Includes::Kept(texts) => {
                let file = texts.included(written).ok_or("it is not among the last good texts")?;
                (format!("{written} (last good of {})", text.apex), Arc::clone(&file.octets), true)
            }
        };
        // A file that several zones include may be valid in one and faulty in another.
        let read = self.files.text_of(&shown, &text.apex.to_string(), octets)?;
        if is_first {
            let role = InputRole::Included(written.to_owned());
            self.files.inputs.push(Input { role, octets: read.1.clone() });
        }
        self.choices.belongs(read.0, &text.apex);
        self.choices.add_text(&text.apex, FileUse::Included, written, &read.1);
        let (file, text) = read.clone();
        self.includes.insert(key, read);
        Ok(Included { file, text, is_first })
    }
}

/// Apex from a line `zone: ...` in a text that is not valid YAML.
fn zone_line(octets: &[u8]) -> Option<Name> {
    const QUOTES: [char; 2] = ['"', '\''];
    // Octets that are not UTF-8 may be on another line, or behind the name, so they do not matter.
    let text = String::from_utf8_lossy(octets.strip_prefix(b"\xef\xbb\xbf").unwrap_or(octets));
    let value = |line: &str| {
        let rest = line.trim_start_matches(QUOTES).strip_prefix("zone")?;
        let rest = rest.trim_start_matches(QUOTES).trim_start().strip_prefix(':')?;
        Some(rest.split_whitespace().next()?.trim_matches(QUOTES).to_owned())
    };
    Name::parse(&text.lines().find_map(value)?, None).ok()
}

/// Source of a zone text's included files.
enum Includes {
    /// This folder.
    Folder(PathBuf),
    /// The zone's last good texts.
    Kept(Arc<ZoneTexts>),
}

/// Result of parsing a zone text.
type Parsed = (Vec<Record>, Findings);

/// A zone text that is read and not yet parsed.
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

/// A name with the octets that are not UTF-8 escaped, so that two names look alike only if one
/// contains a backslash.
fn escaped(name: &OsStr) -> String {
    let chunks = name.as_encoded_bytes().utf8_chunks();
    chunks.map(|chunk| format!("{}{}", chunk.valid(), chunk.invalid().escape_ascii())).collect()
}

#[cfg(test)]
mod tests;
