//! The catalogue as `docs/configuration.md`.

use crate::config::catalogue::{Absent, FILES, KeySection, Others, RECORD_TYPES, Shape};
use std::fmt::Write as _;

/// Text before the sections of the files.
const HEAD: &str = include_str!("head.md");
/// Text after the sections of the files.
const TAIL: &str = include_str!("tail.md");

/// The whole page.
pub fn markdown() -> String {
    let mut out = HEAD.to_owned();
    for file in &FILES {
        for section in file.sections {
            section_text(&mut out, section);
        }
    }
    out.push_str(
        "\n### Record types\n\nRecord data is written as in zone text (RFC 1035 section 5.1); names are \
         relative to the zone.\n\n",
    );
    out.push_str("| type | for | examples |\n|---|---|---|\n");
    for record in RECORD_TYPES {
        let examples: Vec<String> =
            record.examples.iter().map(|e| format!("`{}`", e.replace('|', "\\|"))).collect();
        let _ = writeln!(out, "| `{}` | {} | {} |", record.name, record.about, examples.join(", "));
    }
    out.push_str(TAIL);
    out
}

fn section_text(out: &mut String, section: &KeySection) {
    if !section.title.is_empty() {
        let nested = !FILES.iter().any(|file| std::ptr::eq(file.root, section));
        let _ = writeln!(out, "\n{} {}", if nested { "###" } else { "##" }, section.title);
    }
    let _ = writeln!(out, "\n{}", wrapped(section.about));
    if !section.block.is_empty() {
        let _ = writeln!(out, "\n```{}\n```", section.block);
    }
    if !section.entries.is_empty() {
        out.push_str("\n| key | kind | default | meaning |\n|---|---|---|---|\n");
        for entry in section.entries {
            let absent = match entry.absent {
                Absent::Required => "required".to_owned(),
                Absent::Default(default) => format!("`{default}`"),
                Absent::Words(words) => words.to_owned(),
            };
            let _ = writeln!(out, "| `{}` | {} | {absent} | {} |", entry.key, kind(entry.shape), entry.about);
        }
    }
    if let Others::Named(_) = section.others {
        out.push_str("\nThe keys are names.\n");
    }
    if !section.notes.is_empty() {
        let _ = writeln!(out, "\n{}", wrapped(section.notes));
    }
}

/// Most columns of a line of prose.
const COLUMNS: usize = 100;

/// Paragraphs with lines of at most [`COLUMNS`], broken at blanks.
fn wrapped(text: &str) -> String {
    let mut out = String::new();
    for (number, line) in text.split('\n').enumerate() {
        if number > 0 {
            out.push('\n');
        }
        let mut columns = 0;
        for word in line.split(' ') {
            let width = word.chars().count();
            if columns > 0 && columns + 1 + width > COLUMNS {
                out.push('\n');
                columns = 0;
            } else if columns > 0 {
                out.push(' ');
                columns += 1;
            }
            out.push_str(word);
            columns += width;
        }
    }
    out
}

/// Shape in words.
fn kind(shape: &Shape) -> String {
    match shape {
        Shape::Text(what) | Shape::AnyText(what) | Shape::Pattern(what, _) => (*what).to_owned(),
        Shape::Integer(least, most) if least == most => least.to_string(),
        Shape::Integer(least, most) => format!("{least} to {most}"),
        Shape::Positive(_) => "a number above 0".to_owned(),
        Shape::Number(least, most) => format!("{least} to {most}"),
        Shape::Percent(..) => "percentage".to_owned(),
        Shape::Portion => "percentage, or a fraction".to_owned(),
        Shape::Time(..) | Shape::Seconds(..) => "time".to_owned(),
        Shape::Switch => "switch".to_owned(),
        Shape::Choice(words) => words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", "),
        Shape::Either(shapes) => shapes.iter().map(kind).collect::<Vec<_>>().join(", or "),
        Shape::List(member) | Shape::AnyList(member) => format!("list of: {}", kind(member)),
        Shape::Map(section) => format!(
            "map: {}",
            section.entries.iter().map(|e| format!("`{}`", e.key)).collect::<Vec<_>>().join(", ")
        ),
        Shape::Names(what, Shape::Map(_)) => format!("map from {what} names"),
        Shape::Names(what, value) => format!("map from {what} names to {}", kind(value)),
    }
}
