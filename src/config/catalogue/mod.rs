//! Every key of every file: its kind, default, meaning and an example.
//!
//! The JSON Schema, the commented samples and `docs/configuration.md` are made from this one list,
//! and a test holds it against what the reader asks for, so none of them can know another
//! configuration than the program does.

mod networks;
mod policies;
mod pops;
mod probes;
mod record_types;
mod server;
mod together;
mod zone;

pub(crate) use record_types::RECORD_TYPES;
pub(crate) use together::{POLICY_SETTINGS, RULE_SETTINGS, TOGETHER, Together};

/// One kind of map: a file, or a part of one.
#[derive(Debug)]
pub(crate) struct KeySection {
    /// Its name in the JSON Schema.
    pub(crate) id: &'static str,
    /// Heading in the reference; empty if it is told with the section before it.
    pub(crate) title: &'static str,
    /// What it is, in a few sentences of Markdown.
    pub(crate) about: &'static str,
    /// A block of YAML for the reference, with the words behind its fence; empty for none.
    pub(crate) block: &'static str,
    /// Its keys, in the order in which they are told.
    pub(crate) entries: &'static [KeyEntry],
    /// What further keys may be.
    pub(crate) others: Others,
    /// Sentences behind the table.
    pub(crate) notes: &'static str,
}

/// Keys beyond the list.
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
#[derive(Debug)]
pub(crate) struct KeyEntry {
    /// The key.
    pub(crate) key: &'static str,
    /// What its value is.
    pub(crate) shape: &'static Shape,
    /// What holds without it.
    pub(crate) absent: Absent,
    /// What it means.
    pub(crate) about: &'static str,
    /// YAML for the sample: behind the key, or lines of its own after a line break. Empty: the
    /// sample goes into the section that the value is.
    pub(crate) example: &'static str,
    /// Whether the sample shows it as a comment: it excludes another key, or has no effect yet.
    pub(crate) aside: bool,
}

/// What holds without a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Absent {
    /// It must be there.
    Required,
    /// This value, as it would be written.
    Default(&'static str),
    /// Nothing; or what these words say.
    Words(&'static str),
}

/// What a value is.
#[derive(Debug)]
pub(crate) enum Shape {
    /// Any text but the empty one; the words say which.
    Text(&'static str),
    /// Any text, also the empty one.
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
    /// The same in whole seconds.
    Seconds(u32, u32),
    /// `on`, `off` and the like.
    Switch,
    /// One of a few words.
    Choice(&'static [&'static str]),
    /// One of these shapes.
    Either(&'static [Shape]),
    /// A list with at least one member; a lone value is a list of one.
    List(&'static Shape),
    /// The same, or the empty list.
    AnyList(&'static Shape),
    /// A map with fixed keys.
    Map(&'static KeySection),
    /// A map from names to values; the words say what the names are.
    Names(&'static str, &'static Shape),
}

/// A file.
#[derive(Debug)]
pub struct FileKind {
    /// Its word on the command line.
    pub word: &'static str,
    /// Its usual name.
    pub(crate) path: &'static str,
    /// What the whole file is.
    pub(crate) root: &'static KeySection,
    /// The sections that are told of it, in order.
    pub(crate) sections: &'static [&'static KeySection],
}

/// All files.
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

/// A key that the sample shows as a comment.
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
/// A TTL or another time of the DNS (RFC 2181 section 8).
static DNS_TIME: Shape = Shape::Seconds(0, i32::MAX as u32);
/// From a second to a day.
static TIME: Shape = Shape::Time(1_000, DAY_MS);
/// A day in milliseconds.
const DAY_MS: u64 = 86_400_000;
static SWITCH: Shape = Shape::Switch;
static WORDS: Shape = Shape::AnyList(&Shape::Text("a word"));
