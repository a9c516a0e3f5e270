//! Findings: the faults in an operator's files, all at once, each with its place and a way out.
//!
//! A finding has a stable code, a severity, a sentence, a place (file, line, column), a label under
//! the marked text, related places, and help. Findings are collected, not returned as errors: a
//! parser records one and continues, so that one run shows every fault. [`Findings::has_errors`]
//! decides at the end whether the input is accepted.
//!
//! Repeated faults are listed a few times and then counted: the list has a limit per code and file,
//! and one per severity. The counts stay exact.

mod contained;
pub(crate) mod escape;
pub(crate) mod folded;
pub(crate) mod render;
pub(crate) mod report;

use crate::limits::{FINDING_PLACES_MAX, FINDINGS_ALIKE_MAX, FINDINGS_KEPT_MAX};
use escape::escaped;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

#[cfg(test)]
mod tests;

/// Severity of a finding. Only [`Severity::Error`] refuses a deployment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Useful to know; nothing is wrong.
    Note,
    /// Probably a mistake; the deployment is accepted.
    Warning,
    /// A fault of one zone: the zone continues with its last good texts, or is not served; the rest
    /// of the deployment is accepted.
    ZoneError,
    /// The deployment is refused, and the server keeps its snapshot.
    Error,
}

impl Severity {
    /// The lower-case word used in rendered findings and in JSON.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Severity::Note => "note",
            Severity::Warning => "warning",
            Severity::ZoneError | Severity::Error => "error",
        }
    }
}

/// Stable code of one kind of fault, such as `MRD0102`, with its one-line meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Code {
    /// The code as printed.
    pub id: &'static str,
    /// Meaning of the code, for the catalogue in the documents.
    pub about: &'static str,
}

macro_rules! codes {
    ($($name:ident = $id:literal, $about:literal;)*) => {
        /// Every code, by name. A code never gets another meaning.
        pub mod code {
            use super::Code;
            $(#[doc = $about] pub const $name: Code = Code { id: $id, about: $about };)*
            /// All codes in order, for the documents and the test that compares them.
            pub const CATALOGUE: &[Code] = &[$($name),*];
        }
    };
}

codes! {
    // 01xx: the text of configuration files
    UNREADABLE = "MRD0100", "a file cannot be read";
    YAML_SYNTAX = "MRD0101", "the text is not well-formed YAML";
    UNKNOWN_KEY = "MRD0102", "a key that is unknown at this place";
    DUPLICATE_KEY = "MRD0103", "a key written twice";
    BAD_VALUE = "MRD0104", "a value of the wrong kind or out of its range";
    MISSING_KEY = "MRD0105", "a required key is missing";
    TOO_LARGE = "MRD0106", "the input exceeds a limit";
    BAD_ADDRESS = "MRD0107", "not an IP address or prefix";
    BAD_NAME = "MRD0108", "not a domain name";
    NOT_UTF8 = "MRD0109", "the file is not UTF-8 text";
    EMPTY_DEPLOYMENT = "MRD0110", "nothing would be served";
    BAD_SECRETS = "MRD0111", "a file of cookie secrets that is unusable, or that others can read";
    BUDGET_SPENT = "MRD0112", "too little is left of the memory and work that the files of one load share";
    BAD_CERTIFICATE = "MRD0113", "a certificate or key that TLS cannot use, or a key that others can read";
    CERTIFICATE_ENDS = "MRD0114", "a certificate that is not valid now, or not for long";
    // 02xx: zones
    OUT_OF_ZONE = "MRD0201", "an owner name outside its zone";
    CNAME_AND_OTHER = "MRD0202", "a CNAME beside other data at one owner";
    CNAME_LOOP = "MRD0203", "CNAMEs that lead back to themselves";
    NO_SOA = "MRD0204", "a zone without exactly one SOA record at its apex";
    NO_NS = "MRD0205", "a zone without name servers at its apex";
    BAD_RDATA = "MRD0206", "record data that its type does not allow";
    UNKNOWN_TYPE = "MRD0207", "a record type that is not known or cannot be served";
    DUPLICATE_RECORD = "MRD0208", "the same record twice";
    DUPLICATE_ZONE = "MRD0209", "a zone read from two files";
    MISSING_GLUE = "MRD0210", "a name server below a delegation without an address";
    OCCLUDED = "MRD0211", "data below a delegation that can never be answered";
    TTL_DIFFERS = "MRD0212", "records of one RRset with different TTLs";
    CHAIN_TOO_LONG = "MRD0213", "a CNAME chain longer than the server follows";
    DANGLING_TARGET = "MRD0214", "a name in one of our zones that has no data";
    CNAME_TARGET = "MRD0215", "an alias as the target of a record whose target must not be one";
    TOO_BIG = "MRD0216", "an RRset too large for a DNS message";
    STEERED_AND_STATIC = "MRD0217", "static data where a policy decides";
    STEERED_CNAME_PLACE = "MRD0218", "a policy that may answer a CNAME where a CNAME must not stand";
    ZONE_SYNTAX = "MRD0219", "zone text that is not well-formed";
    BAD_TTL = "MRD0220", "an invalid TTL, or none where one is required";
    BAD_INCLUDE = "MRD0221", "an included file that cannot be read";
    BAD_GENERATE = "MRD0222", "a template of records that cannot be expanded";
    BELOW_DNAME = "MRD0223", "a name below a DNAME, which can never be answered";
    DNAME_PLACE = "MRD0224", "a DNAME where it must not stand, or more than one";
    WILDCARD_NS = "MRD0225", "a wildcard that delegates";
    DS_PLACE = "MRD0226", "a DS record where there is no delegation";
    SOA_FIELDS = "MRD0227", "an SOA record with unusual fields";
    ODD_ZONE_NAME = "MRD0228", "a zone that takes its name from a file which looks like a copy";
    // 03xx: PoPs and policies
    NO_SUCH_POP = "MRD0301", "a PoP that is not defined";
    NO_SUCH_POLICY = "MRD0302", "a policy that is not defined";
    NO_SUCH_SERVICE = "MRD0303", "a service that a PoP does not have";
    NO_SUCH_NETWORK = "MRD0304", "an operator network that is not defined";
    NO_SUCH_TAG = "MRD0305", "a tag that no PoP carries";
    NO_CANDIDATES = "MRD0306", "a policy or rule without any PoP";
    FENCE_FAMILY = "MRD0307", "a fence without an address family that its policy offers";
    UNREACHABLE_RULE = "MRD0308", "a rule that can never match";
    NO_COORDINATES = "MRD0309", "a PoP without coordinates in a policy that orders by distance";
    DUPLICATE_ADDRESS = "MRD0310", "the same address twice";
    ALL_OFF = "MRD0311", "every PoP of a policy has `state: down`";
    UNUSED_POLICY = "MRD0312", "a policy that no name uses";
    FALLBACK_OUTSIDE_FENCE = "MRD0313", "a fallback CNAME that the fence does not name";
    NO_SUCH_SITE = "MRD0314", "a site that is not a PoP";
    SPECIAL_ADDRESS = "MRD0315", "a PoP address that clients on the internet cannot reach";
    DUPLICATE_POP = "MRD0316", "a PoP listed twice";
    FAMILY_LOST = "MRD0317", "some PoPs of a policy lack an address family that others have";
    HTTPS_DIFFERS = "MRD0318", "some PoPs of a policy have HTTPS parameters and others have not";
    NO_SUCH_PROBE = "MRD0319", "a probe that is not defined";
    PROBE_LOOP = "MRD0320", "probes that lead back to themselves";
    POLICY_LOOP = "MRD0321", "policies that use each other in a circle, or in too long a chain";
    USED_SERVICE = "MRD0322", "a policy used for a service that some of its PoPs do not have";
    EXPOSED_NAME = "MRD0323", "a name from `expose_pops` that is taken or invalid";
    UNSAFE = "MRD0324", "files that break a safety rule";
    SAFETY_OFF_PAST = "MRD0325", "the date until which safety rules are off has passed";
    CNAME_FOR_SOME = "MRD0326", "a policy with a CNAME for some clients, and denials of its types for others";
    // 04xx: geography
    BAD_DATABASE = "MRD0401", "a GeoIP database that is truncated or corrupt";
    DATABASE_LAYOUT = "MRD0402", "a GeoIP database without fields that steering can use";
    DUPLICATE_PREFIX = "MRD0403", "one prefix twice in operator networks, access lists or `proxy_protocol`";
    DATABASE_SHRUNK = "MRD0404", "a GeoIP database with far fewer networks than the one in service";
    NO_DATABASE = "MRD0405", "no GeoIP database, but policies that need one";
    BAD_PLACE = "MRD0406", "not a country, continent, subdivision, coordinate or AS number";
    NO_SOURCE = "MRD0407", "a rule or an order that asks for a field which no database and no network has";
    FAR_FROM_COUNTRY = "MRD0408", "a PoP whose coordinates are not in its country";
    LATENCY_MAP = "MRD0409", "a latency map of old samples, or one or a `bias_ms` that no policy uses";
    // 05xx: reload and process
    NEEDS_RESTART = "MRD0501", "a changed key that takes effect only after a restart";
    SOURCE_CHANGED = "MRD0502", "a file changed while it was read";
    CANNOT_LISTEN = "MRD0503", "a socket that cannot be opened";
    RELOAD_BUSY = "MRD0504", "a reload that could not be started";
    OWN_FAULT = "MRD0505", "a fault of the program itself; please report it";
    STATE_TAKEN = "MRD0506", "a state folder that another running server uses";
    CANNOT_PIN = "MRD0507", "a core to which a thread cannot be bound";
    BUFFER_CUT = "MRD0508", "a socket buffer smaller than the server file asks for";
    DISK_HANGS = "MRD0509", "a disk that does not answer, or a reload that takes too long";
    RELOAD_CANCELLED = "MRD0510", "a reload that an operator cancelled";
    LEDGER_AND_FILE = "MRD0511", "an override that takes precedence over a value of the file";
    LEDGER_COVERS_NOBODY = "MRD0512", "an override that covers no PoP of the deployment";
    BROKEN_LEDGER = "MRD0513", "a ledger of overrides that cannot be read";
    START_ENDED = "MRD0514", "a start that a signal ended";
    DESCRIPTORS = "MRD0515", "a descriptor limit too low for the server file";
    ALLOWED_ANYWAY = "MRD0516", "an `allow` of `access` that no wider `refuse` or `drop` contains";
    FORGEABLE_CLIENTS = "MRD0517", "a prefix of `proxy_protocol` so wide that strangers can name clients";
    IDLE_PROXY = "MRD0518", "a prefix of `proxy_protocol` without effect";
    NO_SOCKET_AFFINITY = "MRD0519", "`listen.socket_affinity` without effect";
    ZONE_STANDING = "MRD0520", "a zone not served from its present files, because they are faulty or gone";
    ZONE_NAMELESS = "MRD0521", "a zone file whose zone follows neither from its text nor from its name";
    ZONES_GONE = "MRD0522", "missing zones that are more than half of all, or that other zones need";
    KEPT_TEXTS = "MRD0523", "last good texts of a zone that are unreadable, or faulty beside the other files";
    NO_SANDBOX = "MRD0524", "a sandbox of which this kernel knows a part or nothing";
    NO_USER = "MRD0525", "a `user` that this process cannot become";
}

/// Number of a file in [`Files`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileId(pub u32);

/// Place in a file: the marked octets, with line and column.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct At {
    /// The file.
    pub file: FileId,
    /// Line, from 1; 0 if the finding is about the whole file.
    pub line: u32,
    /// Column in characters, from 1; 0 if the finding is about the whole file.
    pub column: u32,
    /// First marked octet.
    pub start: u32,
    /// One past the last marked octet.
    pub end: u32,
}

impl At {
    /// A whole file, when no single line is at fault.
    pub fn whole(file: FileId) -> At {
        At { file, line: 0, column: 0, start: 0, end: 0 }
    }
}

/// Files to which findings refer: each with its path as the operator wrote it, and its text.
#[derive(Clone, Debug, Default)]
pub struct Files {
    files: Vec<(Arc<str>, Arc<[u8]>)>,
}

impl Files {
    /// Adds a file and returns its number. Binary files are added with an empty text.
    pub(crate) fn add(&mut self, path: impl Into<Arc<str>>, text: impl Into<Arc<str>>) -> FileId {
        let text: Arc<str> = text.into();
        self.add_octets(path, text.into())
    }

    /// [`Files::add`] for text that may not be UTF-8. The text is shared, not copied, because zone
    /// text can be large.
    pub(crate) fn add_octets(&mut self, path: impl Into<Arc<str>>, text: Arc<[u8]>) -> FileId {
        let path: Arc<str> = path.into();
        self.files.push((escaped(&path).into(), text));
        FileId(self.files.len() as u32 - 1)
    }

    /// Returns the file that was added with `path`.
    pub(crate) fn find(&self, path: &str) -> Option<FileId> {
        let path = escaped(path);
        (0..).zip(&self.files).find(|(_, file)| *file.0 == *path).map(|(id, _)| FileId(id))
    }

    /// Path of a file; `?` for an unknown number.
    pub fn path(&self, id: FileId) -> &str {
        self.files.get(id.0 as usize).map_or("?", |f| &f.0)
    }

    /// Text of a file; empty for binary files and unknown numbers.
    pub fn text(&self, id: FileId) -> &[u8] {
        self.files.get(id.0 as usize).map_or(&[], |f| &f.1)
    }

    /// Drops the texts of files without a finding: the text of a large zone need not stay in memory
    /// when no line of it will be shown.
    pub(crate) fn forget_all_but(&mut self, findings: &Findings) {
        let named = |id: u32| {
            findings
                .iter()
                .any(|f| f.at.iter().chain(f.related.iter().map(|(at, _)| at)).any(|at| at.file.0 == id))
        };
        for (id, (_, text)) in (0..).zip(&mut self.files) {
            if !named(id) {
                *text = Arc::default();
            }
        }
    }

    /// `path:line:column`, or only the path if the finding is about the whole file.
    pub fn place(&self, at: At) -> String {
        if at.line == 0 {
            self.path(at.file).to_owned()
        } else {
            format!("{}:{}:{}", self.path(at.file), at.line, at.column)
        }
    }
}

/// One fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Kind of fault.
    pub code: Code,
    /// Severity, which decides on refusal.
    pub severity: Severity,
    /// The fault in one sentence, with the offending value in backticks.
    pub message: String,
    /// Place; `None` only for faults of the process itself.
    pub at: Option<At>,
    /// Label under the marked text.
    pub(crate) label: String,
    /// Related places that explain the fault, each with its label.
    pub related: Vec<(At, String)>,
    /// Ways out, one sentence each.
    pub(crate) help: Vec<String>,
}

impl Finding {
    /// A fault that refuses the deployment.
    pub(crate) fn error(code: Code, message: impl Into<String>) -> Finding {
        Finding::new(code, Severity::Error, message)
    }

    /// A fault with which the deployment is accepted.
    pub(crate) fn warning(code: Code, message: impl Into<String>) -> Finding {
        Finding::new(code, Severity::Warning, message)
    }

    /// A fact that is useful to know.
    pub(crate) fn note(code: Code, message: impl Into<String>) -> Finding {
        Finding::new(code, Severity::Note, message)
    }

    fn new(code: Code, severity: Severity, message: impl Into<String>) -> Finding {
        Finding {
            code,
            severity,
            message: message.into(),
            at: None,
            label: String::new(),
            related: Vec::new(),
            help: Vec::new(),
        }
    }

    /// Sets the place and the label under it.
    pub(crate) fn at(mut self, at: At, label: impl Into<String>) -> Finding {
        self.at = Some(at);
        self.label = label.into();
        self
    }

    /// Adds a related place that explains the fault.
    pub(crate) fn related(mut self, at: At, words: impl Into<String>) -> Finding {
        self.related.push((at, words.into()));
        self
    }

    /// Makes all sentences fit to show: escapes characters that would act on a terminal or log, and
    /// shortens the text, which may quote a line of megabytes.
    fn settle(&mut self) {
        self.related.truncate(FINDING_PLACES_MAX);
        self.help.truncate(FINDING_PLACES_MAX);
        let words = [&mut self.message, &mut self.label];
        for words in
            words.into_iter().chain(&mut self.help).chain(self.related.iter_mut().map(|(_, words)| words))
        {
            escape::fit(words);
        }
    }

    /// Adds a help sentence.
    pub(crate) fn help(mut self, words: impl Into<String>) -> Finding {
        self.help.push(words.into());
        self
    }
}

/// Key under which findings are counted.
type Kind = (&'static str, Severity, Option<FileId>);

fn kind(finding: &Finding) -> Kind {
    (finding.code.id, finding.severity, finding.at.map(|at| at.file))
}

/// Findings in order of detection, up to the limits.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Findings {
    list: Vec<Finding>,
    /// Number of findings in the list, by kind.
    kept: HashMap<Kind, usize>,
    /// Number of findings in the list, by severity.
    of_severity: [usize; 4],
    /// Number of findings beyond the list, by kind.
    more: HashMap<Kind, usize>,
    /// Number of findings beyond the limit for all kinds, by severity.
    beyond: [usize; 4],
    /// First error and number of errors of each kind beyond that limit, by file and code, so that
    /// every faulty file is known.
    unlisted: BTreeMap<(Option<FileId>, &'static str), (Finding, usize)>,
}

impl Findings {
    /// Records a finding.
    pub fn push(&mut self, mut finding: Finding) {
        let kind = kind(&finding);
        let alike = self.kept.get(&kind).copied().unwrap_or(0);
        if alike >= FINDINGS_ALIKE_MAX {
            *self.more.entry(kind).or_default() += 1;
        } else if self.of_severity[finding.severity as usize] >= FINDINGS_KEPT_MAX {
            self.pass_over(&finding, 1);
        } else {
            self.kept.insert(kind, alike + 1);
            self.of_severity[finding.severity as usize] += 1;
            finding.settle();
            self.list.push(finding);
        }
    }

    /// Counts findings that are not kept: under their kind if the list has a finding of this kind,
    /// else only under their severity.
    fn pass_over(&mut self, finding: &Finding, count: usize) {
        let kind = kind(finding);
        if self.kept.contains_key(&kind) {
            *self.more.entry(kind).or_default() += count;
        } else {
            self.beyond[finding.severity as usize] += count;
            self.note_unlisted(finding, count);
        }
    }

    /// Records all findings of another list.
    pub fn extend(&mut self, other: Findings) {
        let Findings { list, more, beyond, unlisted, .. } = other;
        let mut more = more;
        for finding in list {
            let counted = more.remove(&kind(&finding)).unwrap_or(0);
            let likeness = (counted > 0).then(|| finding.clone());
            self.push(finding);
            if let Some(finding) = likeness {
                self.pass_over(&finding, counted);
            }
        }
        self.beyond.iter_mut().zip(beyond).for_each(|(sum, count)| *sum += count);
        unlisted.values().for_each(|(finding, count)| self.note_unlisted(finding, *count));
    }

    /// True if a finding refuses the deployment.
    pub fn has_errors(&self) -> bool {
        self.count(Severity::Error) > 0
    }

    /// Number of recorded findings of a severity, kept or not.
    pub(crate) fn count(&self, severity: Severity) -> usize {
        let more: usize =
            self.more.iter().filter(|((_, of, _), _)| *of == severity).map(|(_, count)| count).sum();
        self.of_severity[severity as usize] + more + self.beyond[severity as usize]
    }

    /// Number of findings of kinds that the list does not contain.
    pub(crate) fn beyond(&self) -> usize {
        self.beyond.iter().sum()
    }

    /// Kept findings.
    pub fn iter(&self) -> std::slice::Iter<'_, Finding> {
        self.list.iter()
    }

    /// Number of recorded findings, kept or not.
    pub(crate) fn len(&self) -> usize {
        self.list.len() + self.more.values().sum::<usize>() + self.beyond()
    }

    /// Number of kept findings, for [`Findings::relocate`].
    pub(crate) fn mark(&self) -> usize {
        self.list.len()
    }

    /// True if there is none.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Recounts the kept findings from the list, and forgets the counts of kinds that are gone.
    fn recount(&mut self) {
        self.kept.clear();
        self.of_severity = [0; 4];
        for finding in &self.list {
            self.of_severity[finding.severity as usize] += 1;
            *self.kept.entry(kind(finding)).or_default() += 1;
        }
        self.more.retain(|kind, _| self.kept.contains_key(kind));
    }

    /// Moves the findings recorded since a [`Findings::mark`] to another place, because their own
    /// place is in a text that no operator has seen.
    pub(crate) fn relocate(&mut self, first: usize, at: At) {
        if first < self.list.len() {
            self.list.iter_mut().skip(first).for_each(|finding| finding.at = Some(at));
            self.recount();
        }
    }

    /// Sorts findings by file and position, those without a place first, and those of one place
    /// (`$GENERATE` makes many) by code and sentence, so that every run prints the same.
    pub(crate) fn sort(&mut self) {
        let place = |f: &Finding| f.at.map(|a| (a.file, a.start, a.line));
        self.list.sort_by(|a, b| {
            place(a).cmp(&place(b)).then_with(|| (a.code.id, &a.message).cmp(&(b.code.id, &b.message)))
        });
    }
}

impl From<Finding> for Findings {
    fn from(finding: Finding) -> Findings {
        let mut findings = Findings::default();
        findings.push(finding);
        findings
    }
}

impl IntoIterator for Findings {
    type Item = Finding;
    type IntoIter = std::vec::IntoIter<Finding>;
    fn into_iter(self) -> Self::IntoIter {
        self.list.into_iter()
    }
}
