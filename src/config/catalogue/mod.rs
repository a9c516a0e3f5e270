//! Catalogue of every key of every file: its kind, default, meaning and an example.
//!
//! The JSON Schema, the commented samples and `docs/configuration.md` are generated from this list.
//! A test compares it with the keys that the reader takes, so that all of them describe the
//! program.

mod clients;
mod networks;
mod policies;
mod pops;
mod probes;
mod process;
mod record_types;
mod server;
mod stream_limits;
mod tls;
mod together;
mod zone;

pub(crate) use record_types::RECORD_TYPES;
pub(crate) use together::{POLICY_SETTINGS, RULE_SETTINGS, TOGETHER, Together};

/// One kind of map: a file, or a part of one.
#[derive(Debug)]
pub(crate) struct KeySection {
    /// Name in the JSON Schema.
    pub(crate) id: &'static str,
    /// Heading in the reference; empty if the section belongs under the heading before it.
    pub(crate) title: &'static str,
    /// Description in a few sentences of Markdown.
    pub(crate) about: &'static str,
    /// YAML example for the reference, with the info string of its fence; empty for none.
    pub(crate) block: &'static str,
    /// Keys, in the order of the reference.
    pub(crate) entries: &'static [KeyEntry],
    /// Keys beyond the list.
    pub(crate) others: Others,
    /// Sentences after the table.
    pub(crate) notes: &'static str,
}

/// Keys of a map beyond its list.
#[derive(Debug)]
pub(crate) enum Others {
    /// None.
    None,
    /// Any name, with a value of this shape.
    Named(&'static Shape),
    /// Record types, each with one text or a list of texts.
    Records,
}

/// A key.
#[derive(Clone, Copy, Debug)]
pub(crate) struct KeyEntry {
    /// The key.
    pub(crate) key: &'static str,
    /// Shape of its value.
    pub(crate) shape: &'static Shape,
    /// Meaning of its absence.
    pub(crate) absent: Absent,
    /// Meaning of the key.
    pub(crate) about: &'static str,
    /// YAML for the sample, after the key, or on lines of its own after a line break. Empty if the
    /// sample descends into the section of the value.
    pub(crate) example: &'static str,
    /// True if the sample shows the key as a comment, because it excludes another key or has no
    /// effect yet.
    pub(crate) aside: bool,
}

/// Meaning of a key's absence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Absent {
    /// The key is required.
    Required,
    /// The default, in YAML.
    Default(&'static str),
    /// No effect, or the effect in these words.
    Words(&'static str),
}

/// Shape of a value.
#[derive(Debug)]
pub(crate) enum Shape {
    /// Any non-empty text, described by these words.
    Text(&'static str),
    /// Any text, also an empty one.
    AnyText(&'static str),
    /// A text that matches a regular expression, without its anchors.
    Pattern(&'static str, &'static str),
    /// A whole number within bounds.
    Integer(i64, i64),
    /// A decimal number within bounds.
    Number(f64, f64),
    /// A number above 0, up to this one.
    Positive(f64),
    /// A whole percentage within bounds.
    Percent(u16, u16),
    /// A share: `50%` or `0.5`.
    Portion,
    /// A time with a unit, or seconds, within bounds in milliseconds.
    Time(u64, u64),
    /// Time in whole seconds, within bounds.
    Seconds(u32, u32),
    /// `on`, `off` and their synonyms.
    Switch,
    /// One of a few words.
    Choice(&'static [&'static str]),
    /// One of these shapes.
    Either(&'static [Shape]),
    /// A list with at least one member; a lone value is a list of one.
    List(&'static Shape),
    /// A list that may be empty; a lone value is a list of one.
    AnyList(&'static Shape),
    /// A map with fixed keys.
    Map(&'static KeySection),
    /// A map from names to values; the words describe the names.
    Names(&'static str, &'static Shape),
}

/// A kind of file.
#[derive(Debug)]
pub struct FileKind {
    /// Word on the command line.
    pub word: &'static str,
    /// Usual path.
    pub(crate) path: &'static str,
    /// Section of the whole file.
    pub(crate) root: &'static KeySection,
    /// Sections of the file in the reference, in order.
    pub(crate) sections: &'static [&'static KeySection],
}

/// All kinds of files.
pub static FILES: [FileKind; 5] = [server::FILE, pops::FILE, policies::FILE, networks::FILE, zone::FILE];

const fn entry(
    key: &'static str,
    shape: &'static Shape,
    absent: Absent,
    about: &'static str,
    example: &'static str,
) -> KeyEntry {
    KeyEntry { key, shape, absent, about, example, aside: false }
}

/// Entry for a key that the sample shows as a comment.
const fn aside(
    key: &'static str,
    shape: &'static Shape,
    absent: Absent,
    about: &'static str,
    example: &'static str,
) -> KeyEntry {
    KeyEntry { key, shape, absent, about, example, aside: true }
}

const NONE: Absent = Absent::Words("none");
const REQUIRED: Absent = Absent::Required;

static PATH: Shape = Shape::Text("a path");
static NAME: Shape = Shape::Text("a domain name");
static POP: Shape = Shape::Text("a PoP");
static SOCKET: Shape = Shape::Text("`address:port`");
static COUNTRY: Shape = Shape::Text("an ISO 3166-1 code");
static SUBDIVISION: Shape = Shape::Text("an ISO 3166-2 code");
static ASN: Shape = Shape::Either(&[
    Shape::Integer(1, 4_294_967_295),
    Shape::Pattern("`AS` and a number", "(AS|as)0*[1-9][0-9]{0,9}"),
]);
static LAT: Shape = Shape::Number(-90.0, 90.0);
static LON: Shape = Shape::Number(-180.0, 180.0);
static WEIGHT: Shape = Shape::Integer(0, crate::limits::WEIGHT_MAX as i64);
/// TTL or another time of the DNS (RFC 2181 section 8).
static DNS_TIME: Shape = Shape::Seconds(0, i32::MAX as u32);
/// Time from one second to one day.
static TIME: Shape = Shape::Time(1_000, DAY_MS);
/// A day in milliseconds.
const DAY_MS: u64 = 86_400_000;
static SWITCH: Shape = Shape::Switch;
static WORDS: Shape = Shape::AnyList(&Shape::Text("a word"));
