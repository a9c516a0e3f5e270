//! Control protocol: requests and replies of the control socket and the admin address, as the types
//! that the server writes and the commands read. docs/control.md lists the paths.
//!
//! One file for each page or command. Three rules keep nodes and commands of different versions
//! talking:
//!
//! * A reply has a default for each field, and unknown fields are skipped, so a command reads the
//!   reply of an older or a newer server.
//! * A request refuses unknown fields, because a server must not do half of what was asked. A
//!   field that is not used is left out, so that an older server takes the request.
//! * A word of a closed set is a [`Word`] and no enum, because a newer server may have one more.
//!
//! Shares are numbers from 0 to 1. A moment is RFC 3339 in UTC, such as `2026-03-01T22:00:00Z`.
//! `null` stands for a value that does not exist or is not known.

pub(crate) mod comparison;
pub(crate) mod error_code;
pub(crate) mod events;
pub(crate) mod explain;
pub(crate) mod forecast;
pub(crate) mod map;
pub(crate) mod overrides;
pub(crate) mod policies;
pub(crate) mod pops;
pub(crate) mod pushes;
pub(crate) mod reload;
pub(crate) mod status;
pub(crate) mod zones;

use self::error_code::ErrorCode;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// A word of a closed set. The field's comment lists the set.
pub(crate) type Word = Cow<'static, str>;

/// Reply of every path where it refuses a request.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub(crate) struct Refusal {
    /// Always false.
    pub(crate) ok: bool,
    /// Code, a word of [`ErrorCode`].
    pub(crate) code: Word,
    /// Reason, one sentence.
    pub(crate) message: String,
    /// Way out, in words.
    pub(crate) help: String,
    /// The same as `message`, for older commands.
    pub(crate) error: Option<String>,
    /// Broken safety rules, one sentence each.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) broken: Vec<String>,
    /// Findings as drawn for a terminal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) text: Option<String>,
}

impl Refusal {
    /// Refusal by a command, before a server is asked.
    pub(crate) fn because(sentence: impl Into<String>) -> Refusal {
        Refusal { error: Some(sentence.into()), ..Refusal::default() }
    }

    /// Refusal with the way out of the code.
    pub(crate) fn new(code: ErrorCode, sentence: impl Into<String>) -> Refusal {
        let message = sentence.into();
        Refusal {
            code: code.word().into(),
            help: code.help().to_owned(),
            error: Some(message.clone()),
            message,
            ..Refusal::default()
        }
    }
}

/// Code, reason and way out of a reply that refuses a request and has more to show than a
/// [`Refusal`].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Failure {
    /// Code, a word of [`ErrorCode`].
    pub(crate) code: Word,
    /// Reason, one sentence.
    #[serde(default)]
    pub(crate) message: String,
    /// Way out, in words.
    #[serde(default)]
    pub(crate) help: String,
}

impl Failure {
    /// Failure with the way out of the code.
    pub(crate) fn new(code: ErrorCode, sentence: impl Into<String>) -> Failure {
        Failure { code: code.word().into(), message: sentence.into(), help: code.help().to_owned() }
    }
}

/// Names in a parameter of a query, separated by commas.
pub(crate) fn names(list: &str) -> Vec<String> {
    list.split(',').filter(|name| !name.is_empty()).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests;
