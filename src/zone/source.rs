//! Texts from which each zone of a deployment is served, with the reason if they are not those of
//! its files.
//!
//! Zones fail independently. A zone with faulty files continues with its last good texts: the
//! octets of all its files, included ones too, from the last time that they made a valid zone.
//! These texts are compiled anew at every reload, so that they use the present policies. A zone
//! without last good texts is *dead*: its names are answered SERVFAIL (RFC 8914 section 4.25,
//! Invalid Data). A zone whose files are gone continues in the same way if other zones need its
//! names.

use crate::wire::name::Name;
use std::path::Path;
use std::sync::{Arc, OnceLock};

/// Use of a file by its zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum FileUse {
    /// A zone file in YAML.
    Yaml,
    /// Zone text (RFC 1035 section 5).
    Text,
    /// A file included by zone text, by the path written in the text.
    Included,
}

impl FileUse {
    /// True if another file of the zone includes this one.
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

/// A file of a zone, as read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ZoneFile {
    /// Use by the zone.
    pub(crate) file_use: FileUse,
    /// Path as shown to operators; for an included file, the path in the text.
    pub(crate) path: Arc<str>,
    /// Its octets.
    pub(crate) octets: Arc<[u8]>,
}

/// All files of a zone at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ZoneTexts {
    /// The files, in the order read.
    pub(crate) files: Vec<ZoneFile>,
    /// Their digest.
    pub(crate) digest: TextsDigest,
}

/// Digest of texts, which is computed once. It follows from the texts, so it is equal to any other.
#[derive(Clone, Debug, Default)]
pub(crate) struct TextsDigest(OnceLock<[u8; 16]>);

impl TextsDigest {
    /// The digest, which the first caller computes.
    pub(crate) fn get(&self, compute: impl FnOnce() -> [u8; 16]) -> [u8; 16] {
        *self.0.get_or_init(compute)
    }

    /// True if it is computed.
    #[cfg(test)]
    pub(crate) fn is_known(&self) -> bool {
        self.0.get().is_some()
    }
}

impl PartialEq for TextsDigest {
    fn eq(&self, _: &TextsDigest) -> bool {
        true
    }
}

impl Eq for TextsDigest {}

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

/// State of a zone: from which texts it is served, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// Served from its present files.
    Current,
    /// Served from its last good texts, because its files are faulty; with the first fault and its
    /// place.
    Kept(Arc<str>),
    /// Served from its last good texts, because its files are gone and other zones need it; with
    /// the name that leads into it.
    Vanished(Arc<str>),
    /// Not served, because its files are faulty and there are no valid last good texts.
    Dead(Arc<str>),
}

impl Standing {
    /// Word for pages and metrics.
    pub(crate) fn word(&self) -> &'static str {
        match self {
            Standing::Current => "current",
            Standing::Kept(_) => "kept",
            Standing::Vanished(_) => "vanished",
            Standing::Dead(_) => "dead",
        }
    }

    /// The zone is not served.
    pub(crate) fn is_dead(&self) -> bool {
        match self {
            Standing::Dead(_) => true,
            Standing::Current | Standing::Kept(_) | Standing::Vanished(_) => false,
        }
    }

    /// Reason for a state other than current.
    pub(crate) fn why(&self) -> &str {
        match self {
            Standing::Current => "",
            Standing::Kept(why) | Standing::Vanished(why) | Standing::Dead(why) => why,
        }
    }
}

/// A zone with the texts from which it is served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ZoneSource {
    /// Apex in lower case.
    pub(crate) apex: Name,
    /// Texts in force. For a dead zone, its last good texts that do not fit the other files, if
    /// any.
    pub(crate) texts: Arc<ZoneTexts>,
    /// State of the zone.
    pub(crate) standing: Standing,
}

impl ZoneSource {
    /// True if there are texts to continue with.
    pub(crate) fn has_texts(&self) -> bool {
        !self.texts.files.is_empty()
    }

    /// Sentence for operators, unless the zone is served from its present files.
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
                "the zone `{apex}` no longer has a file, and is served from its last good texts, because \
                 {why}"
            ),
            Standing::Dead(why) if self.has_texts() => format!(
                "the zone `{apex}` is answered SERVFAIL, because neither its files nor its last good texts \
                 make a valid zone beside the other present files: {why}"
            ),
            Standing::Dead(why) => format!(
                "the zone `{apex}` is answered SERVFAIL, because its files are faulty and it has no last \
                 good texts: {why}"
            ),
        })
    }
}

/// A file in the folder of zones that is not in force and affects no zone, such as a copy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct StrayFile {
    /// Path as shown to operators.
    pub(crate) path: Arc<str>,
    /// Zone named by the file; that zone is read from another file.
    pub(crate) zone: Option<Name>,
    /// Reason why it is not in force.
    pub(crate) why: Arc<str>,
}

impl StrayFile {
    /// Sentence for operators.
    pub(crate) fn sentence(&self) -> String {
        format!("the file `{}` is not in force: {}", self.path, self.why)
    }
}

/// Result of reading the folder of zones: its zones and its stray files.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct FolderStanding {
    /// Sources of all zones, sorted by apex.
    pub(crate) zones: Vec<ZoneSource>,
    /// Files not in force, sorted by path.
    pub(crate) strays: Vec<StrayFile>,
}

impl FolderStanding {
    /// Zones that are not served from their present files.
    pub(crate) fn not_current(&self) -> impl Iterator<Item = &ZoneSource> {
        self.zones.iter().filter(|source| source.standing != Standing::Current)
    }
}

/// Last good texts of all zones, to which the reading of the zone files may fall back.
#[derive(Clone, Debug, Default)]
pub(crate) struct LastGood {
    /// Zones that were in force before, sorted by apex; at a start, those from the state folder.
    pub(crate) zones: Vec<ZoneSource>,
    /// True if a running server serves these zones. Then the load is refused if more than half of
    /// these zones are missing, or if a zone in service cannot continue with its last good texts.
    pub(crate) is_served: bool,
    /// Sentences about stored texts that cannot be read.
    pub(crate) faults: Vec<String>,
}

impl LastGood {
    /// The zone with this apex.
    pub(crate) fn of(&self, apex: &Name) -> Option<&ZoneSource> {
        let index = self.zones.binary_search_by(|zone| zone.apex.cmp(apex)).ok()?;
        self.zones.get(index)
    }
}
