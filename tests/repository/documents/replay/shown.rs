//! An answer as `dig` prints it, taken apart so that two can be compared.

use std::collections::BTreeSet;
use std::fmt::Write as _;

/// What is compared: everything but the message ID, the cookie's value, sizes, times, and the order
/// of records.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shown {
    status: Option<String>,
    flags: BTreeSet<String>,
    subnet: Option<String>,
    /// Digits of the cookie, whose value is another each time.
    cookie_digits: Option<usize>,
    extended_errors: BTreeSet<String>,
    /// `SECTION: owner ttl class type data`, blanks made one.
    records: BTreeSet<String>,
}

impl Shown {
    /// Reads what `dig`, or `meridian explain`, printed.
    pub fn read(text: &str) -> Shown {
        let mut shown = Shown::default();
        let mut section = "ANSWER".to_owned();
        for line in text.lines() {
            if let Some((_, rest)) = line.split_once("status: ") {
                shown.status = rest.split(',').next().map(str::to_owned);
            }
            if let Some((before, rest)) = line.split_once("flags: ")
                && !before.contains("EDNS")
            {
                shown.flags = rest
                    .split(';')
                    .next()
                    .unwrap_or_default()
                    .split_whitespace()
                    .map(str::to_owned)
                    .collect();
            }
            if let Some(rest) = line.strip_prefix("; CLIENT-SUBNET: ") {
                shown.subnet = Some(rest.trim().to_owned());
            } else if let Some(rest) = line.strip_prefix("; COOKIE: ") {
                shown.cookie_digits = rest.split_whitespace().next().map(str::len);
            } else if let Some(rest) = line.strip_prefix("; EDE: ") {
                shown.extended_errors.extend(rest.split_whitespace().next().map(str::to_owned));
            } else if let Some(rest) =
                line.strip_prefix(";; ").and_then(|rest| rest.strip_suffix(" SECTION:"))
            {
                section = rest.to_owned();
            } else if !line.starts_with(';') && !line.trim().is_empty() {
                shown
                    .records
                    .insert(format!("{section}: {}", line.split_whitespace().collect::<Vec<_>>().join(" ")));
            }
        }
        shown
    }

    /// Whether it is a whole message, not only a part of it.
    pub fn is_whole(&self) -> bool {
        self.status.is_some()
    }

    /// What is left of an answer when `dig` is told to print only a part of it.
    pub fn limited_to(mut self, arguments: &[&str]) -> Shown {
        let is_short = arguments.contains(&"+short");
        if !is_short && !arguments.contains(&"+noall") {
            return self;
        }
        self.records.retain(|record| record.starts_with("ANSWER: "));
        if is_short {
            // `ANSWER: owner ttl class type data`: only the data is printed.
            self.records = self
                .records
                .iter()
                .map(|r| format!("ANSWER: {}", r.splitn(6, ' ').nth(5).unwrap_or_default()))
                .collect();
        }
        Shown { records: self.records, ..Shown::default() }
    }

    /// What differs from an expectation; empty if nothing does.
    pub fn differs_from(&self, expected: &Shown) -> String {
        let mut text = String::new();
        let mut tell = |what: &str, expected: &dyn std::fmt::Debug, found: &dyn std::fmt::Debug| {
            // Writing to a string does not fail.
            let _ = writeln!(text, "  {what}: the document has {expected:?}, the server answered {found:?}");
        };
        if self.status != expected.status {
            tell("status", &expected.status, &self.status);
        }
        if self.flags != expected.flags {
            tell("flags", &expected.flags, &self.flags);
        }
        if self.subnet != expected.subnet {
            tell("client subnet", &expected.subnet, &self.subnet);
        }
        if self.cookie_digits != expected.cookie_digits {
            tell("digits of the cookie", &expected.cookie_digits, &self.cookie_digits);
        }
        if self.extended_errors != expected.extended_errors {
            tell("extended errors", &expected.extended_errors, &self.extended_errors);
        }
        if self.records != expected.records {
            tell("records", &expected.records, &self.records);
        }
        text
    }
}
