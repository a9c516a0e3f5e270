//! The catalogue as a commented sample of a file. All samples together are a deployment that
//! `meridian check` accepts. The first line of each sample names the schema file for editors; the
//! help of `meridian schema` shows the command that writes this file beside the server file.

use crate::config::catalogue::{Absent, FileKind, KeyEntry, KeySection, Others, Shape};
use std::fmt::Write as _;

/// Most columns of a line of comment.
const WIDTH: usize = 100;
/// Name of the network in the sample.
const NETWORK: &str = "office";

/// The sample of a file.
pub fn of(file: &FileKind) -> String {
    let up = "../".repeat(file.path.matches('/').count());
    let mut out = format!("# yaml-language-server: $schema={up}{}.schema.json\n", file.word);
    comment(&mut out, 0, &format!("{}. {}", file.path, words(file.root.about)));
    if let Others::Named(Shape::Either([Shape::Map(section), ..])) = &file.root.others {
        let _ = writeln!(out, "\n{NETWORK}:");
        section_lines(&mut out, section, 2);
    }
    out.push('\n');
    section_lines(&mut out, file.root, 0);
    out
}

fn section_lines(out: &mut String, section: &'static KeySection, indent: usize) {
    for entry in section.entries {
        entry_lines(out, entry, indent);
    }
}

fn entry_lines(out: &mut String, entry: &'static KeyEntry, indent: usize) {
    let absent = match entry.absent {
        Absent::Required => "Required.".to_owned(),
        Absent::Default(default) => format!("Default: {default}"),
        Absent::Words("none") => "Optional.".to_owned(),
        Absent::Words(text) => format!("Default: {text}"),
    };
    let mut about = words(entry.about);
    if !about.ends_with('.') {
        about.push('.');
    }
    comment(out, indent, &format!("{about} {absent}"));
    let pad = " ".repeat(indent);
    let mark = if entry.aside { "# " } else { "" };
    let line = match (entry.shape, entry.example) {
        (Shape::Map(inner), "") => {
            let _ = writeln!(out, "{pad}{}:", entry.key);
            section_lines(out, inner, indent + 2);
            return;
        }
        // A map from names: the sample has one of them in full.
        (Shape::Names(_, Shape::Map(inner)), name) if is_word(name) => {
            let _ = writeln!(out, "{pad}{}:\n{pad}  {name}:", entry.key);
            section_lines(out, inner, indent + 4);
            return;
        }
        (_, example) => match example.strip_prefix('\n') {
            Some(lines) => {
                let lines: Vec<String> = lines.lines().map(|line| format!("{pad}  {line}")).collect();
                format!("{pad}{}:\n{}", entry.key, lines.join("\n"))
            }
            None => format!("{pad}{mark}{}: {example}", entry.key),
        },
    };
    let _ = writeln!(out, "{line}");
}

fn is_word(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric())
}

/// Markdown as words: links lose their targets.
fn words(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, link)) = rest.split_once("](#") {
        let at = before.rfind('[').unwrap_or(before.len());
        out.push_str(before.get(..at).unwrap_or_default());
        out.push_str(before.get(at + 1..).unwrap_or_default());
        rest = link.split_once(')').map_or("", |(_, behind)| behind);
    }
    (out + rest).replace("**", "")
}

fn comment(out: &mut String, indent: usize, text: &str) {
    let pad = " ".repeat(indent);
    let mut line = String::new();
    for word in text.split_whitespace() {
        if !line.is_empty() && indent + 2 + line.len() + 1 + word.len() > WIDTH {
            let _ = writeln!(out, "{pad}# {line}");
            line.clear();
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    let _ = writeln!(out, "{pad}# {line}");
}
