//! Findings for programs: one shape for the control pages and `--format json`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// Finding. Lines and columns count from 1; columns count characters.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct FindingReport {
    /// Code (docs/findings.md).
    pub(crate) code: Cow<'static, str>,
    /// `error`, `warning`, `note`.
    pub(crate) severity: Cow<'static, str>,
    /// Fault, one sentence.
    pub(crate) message: String,
    /// Words under the marked text; may be empty.
    pub(crate) label: String,
    /// Ways out, one sentence each.
    pub(crate) help: Vec<String>,
    /// Number of findings like this one that are not in the list.
    pub(crate) more: usize,
    /// Place.
    #[serde(flatten)]
    pub(crate) place: PlaceReport,
    /// Other places that explain it.
    pub(crate) related: Vec<RelatedReport>,
}

/// Place of a finding; all of it is `None` for a fault of the process.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub(crate) struct PlaceReport {
    /// Path of the file.
    pub(crate) path: Option<String>,
    /// Line; `None` where the file as a whole is meant.
    pub(crate) line: Option<u32>,
    /// Column of the first marked character.
    pub(crate) column: Option<u32>,
    /// Column one past the last marked character of the line.
    pub(crate) end: Option<usize>,
}

/// Place that explains a finding.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub(crate) struct RelatedReport {
    /// Place.
    #[serde(flatten)]
    pub(crate) place: PlaceReport,
    /// Explanation, a few words.
    pub(crate) message: String,
}
