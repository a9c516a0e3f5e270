//! What each zone of a deployment is served from: the texts in force, and why they are not those of
//! its files, where they are not.
//!
//! Zones stand each for themselves. A zone whose files are faulty goes on from its last good texts:
//! the octets of all its files, includes with them, as they were when they last made a zone. They
//! are compiled anew with every reload, so that they follow the steering of the day. A zone without
//! last good texts is *dead*: its names are answered SERVFAIL (RFC 8914 section 4.25, Invalid
//! Data). A zone whose files are gone, but whose names other zones need, goes on likewise.

use crate::wire::name::Name;
use std::path::Path;
use std::sync::Arc;

/// What a file of a zone is to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum FileUse {
    /// A zone file in YAML.
    Yaml,
    /// Zone text (RFC 1035 section 5).
    Text,
    /// A file that zone text includes, by the path written there.
    Included,
}

impl FileUse {
    /// The file belongs to another one, which includes it.
    pub(crate) fn is_included(self) -> bool {
        match self {
            FileUse::Included => true,
            FileUse::Yaml | FileUse::Text => false,
        }
    }

    /// The word in digests of texts. It never changes: nodes of different versions compare them.
    pub(crate) fn digest_word(self) -> &'static str {
        match self {
            FileUse::Yaml => "Yaml",
            FileUse::Text => "Text",
            FileUse::Included => "Included",
        }
    }
}

/// A file of a zone, as it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ZoneFile {
    /// What it is to the zone.
    pub(crate) file_use: FileUse,
    /// Path as shown to operators; of an included file, as the text has it.
    pub(crate) path: Arc<str>,
    /// Its octets.
    pub(crate) octets: Arc<[u8]>,
}

/// All files of a zone at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ZoneTexts {
    /// The files, in the order read.
    pub(crate) files: Vec<ZoneFile>,
}

impl ZoneTexts {
    /// The file that zone text includes by this path.
    pub(crate) fn included(&self, written: &str) -> Option<&ZoneFile> {
        self.files
            .iter()
            .find(|file| file.file_use.is_included() && Path::new(&*file.path) == Path::new(written))
    }

    /// Octets of all files.
    pub(crate) fn octets(&self) -> usize {
        self.files.iter().map(|file| file.octets.len()).sum()
    }
}

/// Why a zone is served as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// By its files, as they are.
    Current,
    /// By its last good texts, because its files are faulty: the first fault, with its place.
    Kept(Arc<str>),
    /// By its last good texts, because its files are gone and other zones need it: which name of
    /// theirs leads there.
    Vanished(Arc<str>),
    /// Not at all, because its files are faulty and there are no sound last good texts.
    Dead(Arc<str>),
}

impl Standing {
    /// The word in pages and metrics.
    pub(crate) fn word(&self) -> &'static str {
        match self {
            Standing::Current => "current",
            Standing::Kept(_) => "kept",
            Standing::Vanished(_) => "vanished",
            Standing::Dead(_) => "dead",
        }
    }

    /// Why it is not current.
    pub(crate) fn why(&self) -> &str {
        match self {
            Standing::Current => "",
            Standing::Kept(why) | Standing::Vanished(why) | Standing::Dead(why) => why,
        }
    }
}

/// A zone with what it is served from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ZoneSource {
    /// Apex in lower case.
    pub(crate) apex: Name,
    /// The texts in force. Of a dead zone, those that are faulty beside the other files, if any.
    pub(crate) texts: Arc<ZoneTexts>,
    /// Why these.
    pub(crate) standing: Standing,
}

impl ZoneSource {
    /// Whether there are texts to go on from.
    pub(crate) fn has_texts(&self) -> bool {
        !self.texts.files.is_empty()
    }

    /// A sentence for operators, where it is not served by its files as they are.
    pub(crate) fn sentence(&self) -> Option<String> {
        let apex = &self.apex;
        Some(match &self.standing {
            Standing::Current => return None,
            Standing::Kept(why) => {
                format!(
                    "the zone `{apex}` is served from its last good texts, because its files are faulty: \
                     {why}"
                )
            }
            Standing::Vanished(why) => format!(
                "the zone `{apex}` has no file any more, and is served from its last good texts, because \
                 {why}"
            ),
            Standing::Dead(why) if self.has_texts() => format!(
                "the zone `{apex}` is answered SERVFAIL, because neither its files nor its last good texts \
                 make a sound zone beside the other files of now: {why}"
            ),
            Standing::Dead(why) => format!(
                "the zone `{apex}` is answered SERVFAIL, because its files are faulty and it has no last \
                 good texts: {why}"
            ),
        })
    }
}

/// A file in the folder of zones that is not in force and costs no zone, such as a copy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct StrayFile {
    /// Path as shown to operators.
    pub(crate) path: Arc<str>,
    /// The zone that it tells; another file is read for it.
    pub(crate) zone: Option<Name>,
    /// Why it is not in force.
    pub(crate) why: Arc<str>,
}

impl StrayFile {
    /// A sentence for operators.
    pub(crate) fn sentence(&self) -> String {
        format!("the file `{}` is not in force: {}", self.path, self.why)
    }
}

/// The folder of zones as it was read: its zones and its stray files.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct FolderStanding {
    /// What each zone is served from, sorted by apex.
    pub(crate) zones: Vec<ZoneSource>,
    /// Files that are not in force, sorted by path.
    pub(crate) strays: Vec<StrayFile>,
}

impl FolderStanding {
    /// The zones that are not served by their files.
    pub(crate) fn not_current(&self) -> impl Iterator<Item = &ZoneSource> {
        self.zones.iter().filter(|source| source.standing != Standing::Current)
    }
}

/// What a reading may go back to.
#[derive(Clone, Debug, Default)]
pub(crate) struct LastGood {
    /// The zones in force before, sorted by apex; at a start, those that the state folder kept.
    pub(crate) zones: Vec<ZoneSource>,
    /// Whether a server serves them now: zones that are gone are then counted, and a zone whose
    /// last good texts do not compile refuses all files.
    pub(crate) is_served: bool,
    /// Sentences about what was kept and cannot be read.
    pub(crate) faults: Vec<String>,
}

impl LastGood {
    /// The zone with this apex.
    pub(crate) fn of(&self, apex: &Name) -> Option<&ZoneSource> {
        let index = self.zones.binary_search_by(|zone| zone.apex.cmp(apex)).ok()?;
        self.zones.get(index)
    }
}
