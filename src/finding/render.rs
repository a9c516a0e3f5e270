//! Findings as text for people, drawn as rustc draws its errors, and as JSON for programs.
//!
//! The drawing library panics on a span outside the text or inside a character, so every span is
//! clamped here. The library gets only the marked lines, so that a fault in a large file costs no
//! more than one in a small file.

use crate::finding::escape::{is_active, stand_in};
use crate::finding::folded::Folded;
use crate::finding::report::{FindingReport, PlaceReport, RelatedReport};
use crate::finding::{At, FileId, Files, Finding, Findings, Severity};
use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};
use std::borrow::Cow;

#[cfg(test)]
mod tests;

/// Octets of the longest line that is drawn: a minified file is one line of megabytes. Of a longer
/// line only the start of the marked text is shown.
const LINE_SHOWN: usize = 400;
/// Largest distance, in lines, between places of one file that are drawn together.
const LINES_TOGETHER: u32 = 200;

/// All findings as text, with a last line of counts. `colour` adds terminal escapes.
pub fn text(findings: &Findings, files: &Files, colour: bool) -> String {
    let renderer = if colour { Renderer::styled() } else { Renderer::plain() };
    let mut text = String::new();
    for Folded { finding, more, places } in findings.folded() {
        text.push_str(&one(finding, files, &renderer));
        text.push('\n');
        if more > 0 {
            let places: Vec<String> = places.into_iter().map(|at| files.place(at)).collect();
            let rest = if more > places.len() { ", ..." } else { "" };
            let places = if places.is_empty() {
                " in this file".to_owned()
            } else {
                format!(": {}{rest}", places.join(", "))
            };
            text.push_str(&format!("   = and {more} more like it{places}\n"));
        }
        text.push('\n');
    }
    if findings.beyond() > 0 {
        text.push_str(&format!("and {} more in other places\n", findings.beyond()));
    }
    let summary = summary(findings);
    if !summary.is_empty() {
        text.push_str(&summary);
        text.push('\n');
    }
    text
}

/// Finding on one line: its place, where it has one, and its sentence.
pub(crate) fn line(finding: &Finding, files: &Files) -> String {
    let place = finding.at.map(|at| format!("{}: ", files.place(at))).unwrap_or_default();
    format!("{place}{}", finding.message)
}

/// Findings on one line: the place and sentence of each.
pub(crate) fn lines(findings: &Findings, files: &Files) -> String {
    let one = |(finding, more): (&Finding, usize)| {
        let more = if more > 0 { format!(" (and {more} more like it)") } else { String::new() };
        format!("{}{more}", line(finding, files))
    };
    findings.counted().into_iter().map(one).collect::<Vec<_>>().join("; ")
}

/// `3 errors, 1 warning`; empty without findings.
pub(crate) fn summary(findings: &Findings) -> String {
    let mut parts = Vec::new();
    for (severity, count) in [
        (Severity::Error, findings.errors()),
        (Severity::Warning, findings.count(Severity::Warning)),
        (Severity::Note, findings.count(Severity::Note)),
    ] {
        match count {
            0 => {}
            1 => parts.push(format!("1 {}", severity.word())),
            n => parts.push(format!("{n} {}s", severity.word())),
        }
    }
    parts.join(", ")
}

/// Findings for programs, in order. [`FindingReport::more`] is the number of findings of the same
/// kind that were only counted.
pub fn reports(findings: &Findings, files: &Files) -> Vec<FindingReport> {
    let place = |at: At| {
        let path = Some(files.path(at.file).to_owned());
        if at.line == 0 {
            return PlaceReport { path, ..PlaceReport::default() };
        }
        let text = files.text(at.file);
        let width = shown(text, clamp(text, at)).chars().count();
        PlaceReport {
            path,
            line: Some(at.line),
            column: Some(at.column),
            end: Some(at.column as usize + width),
        }
    };
    let related = |(at, words): &(At, String)| RelatedReport { place: place(*at), message: words.clone() };
    let one = |(finding, more): (&Finding, usize)| FindingReport {
        code: finding.code.id.into(),
        severity: finding.severity.word().into(),
        message: finding.message.clone(),
        label: finding.label.clone(),
        help: finding.help.clone(),
        more,
        place: finding.at.map(place).unwrap_or_default(),
        related: finding.related.iter().map(related).collect(),
    };
    findings.counted().into_iter().map(one).collect()
}

fn one(finding: &Finding, files: &Files, renderer: &Renderer) -> String {
    let level = match finding.severity {
        Severity::ZoneError | Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
        Severity::Note => Level::NOTE,
    };
    let mut group = Group::with_title(level.primary_title(finding.message.as_str()).id(finding.code.id));
    let mut places: Vec<Mark<'_>> = Vec::new();
    places.extend(finding.at.map(|at| Mark { at, words: &finding.label, primary: true }));
    places.extend(finding.related.iter().map(|(at, words)| Mark { at: *at, words, primary: false }));
    // Draw the place at fault first, with related places where they are near.
    while let Some(first) = places.first().copied() {
        let near = |mark: &Mark<'_>| {
            mark.at.file == first.at.file
                && (mark.at.line == 0) == (first.at.line == 0)
                && near(mark.at, first.at)
        };
        let (together, rest): (Vec<_>, Vec<_>) = places.into_iter().partition(near);
        places = rest;
        group = draw(group, first.at.file, &together, files);
    }
    for help in &finding.help {
        group = group.element(Level::HELP.message(help.as_str()));
    }
    renderer.render(&[group])
}

fn near(a: At, b: At) -> bool {
    a.line.abs_diff(b.line) <= LINES_TOGETHER
}

#[derive(Clone, Copy)]
struct Mark<'f> {
    at: At,
    words: &'f str,
    primary: bool,
}

/// Adds marks of one file that stand near each other to a group.
fn draw<'f>(mut group: Group<'f>, file: FileId, marks: &[Mark<'f>], files: &'f Files) -> Group<'f> {
    let (path, text) = (files.path(file), files.text(file));
    let spans: Vec<(usize, usize)> = marks.iter().map(|mark| clamp(text, mark.at)).collect();
    let begin = spans.iter().map(|span| line_begin(text, span.0)).min().unwrap_or(0);
    let end = spans.iter().map(|span| line_end(text, span.0)).max().unwrap_or(0);
    let window = shown(text, (begin, end));
    let first_line = marks.iter().map(|mark| mark.at.line).min().unwrap_or(0);
    let too_long = window.split('\n').any(|line| line.len() > LINE_SHOWN);
    if first_line == 0 || text.is_empty() || too_long {
        for mark in marks {
            let mut origin = Origin::path(path);
            if mark.at.line > 0 {
                origin = origin.line(mark.at.line as usize).char_column(mark.at.column as usize);
            }
            group = group.element(origin);
            let shown = if mark.at.line > 0 { excerpt(text, clamp(text, mark.at)) } else { String::new() };
            let words = match (mark.words.is_empty(), shown.is_empty()) {
                (false, false) => format!("{}: `{shown}`", mark.words),
                (false, true) => mark.words.to_owned(),
                (true, false) => format!("`{shown}`"),
                (true, true) => continue,
            };
            group = group.element(Level::NOTE.message(words));
        }
        return group;
    }
    let mut snippet = Snippet::source(window).path(path).line_start(first_line as usize);
    for (mark, (start, end)) in marks.iter().zip(spans) {
        let kind = if mark.primary { AnnotationKind::Primary } else { AnnotationKind::Context };
        let mut annotation = kind.span(start - begin..end - begin);
        if !mark.words.is_empty() {
            annotation = annotation.label(mark.words);
        }
        snippet = snippet.annotation(annotation);
    }
    group.element(snippet)
}

/// Marked octets of a place, clamped to the text, to character boundaries and to one line.
fn clamp(text: &[u8], at: At) -> (usize, usize) {
    let start = boundary(text, (at.start as usize).min(text.len()));
    let end = boundary(text, (at.end as usize).clamp(start, line_end(text, start)));
    (start, end.max(start))
}

/// Start of the character (UTF-8, RFC 3629 section 3) that contains an octet.
fn boundary(text: &[u8], at: usize) -> usize {
    let goes_on = |at: usize| text.get(at).is_some_and(|octet| octet & 0xc0 == 0x80);
    let begins = |at: usize| text.get(at).is_some_and(|octet| *octet >= 0xc0);
    // A continuation octet without a start is no character.
    (at.saturating_sub(3)..=at).rev().find(|at| !goes_on(*at)).filter(|begin| begins(*begin)).unwrap_or(at)
}

fn line_begin(text: &[u8], at: usize) -> usize {
    text.get(..at)
        .and_then(|before| before.iter().rposition(|octet| matches!(octet, b'\n' | b'\r')))
        .map_or(0, |newline| newline + 1)
}

fn line_end(text: &[u8], at: usize) -> usize {
    text.get(at..)
        .and_then(|behind| behind.iter().position(|octet| matches!(octet, b'\n' | b'\r')))
        .map_or(text.len(), |newline| at + newline)
}

/// Part of a text with each active character replaced by one of as many octets, so that offsets
/// stay right. In a text that is not UTF-8, each octet beyond ASCII is shown as `?`.
fn shown(text: &[u8], (start, end): (usize, usize)) -> Cow<'_, str> {
    let part = text.get(start..end).unwrap_or_default();
    let is_shown = |c: char| !is_active(c) || matches!(c, '\n' | '\t');
    match std::str::from_utf8(part) {
        Ok(part) if part.chars().all(is_shown) => part.into(),
        Ok(part) => lines_of_cr(part.chars().map(|c| if is_shown(c) || c == '\r' { c } else { stand_in(c) })),
        Err(_) => lines_of_cr(part.iter().map(|octet| match char::from(*octet) {
            c if octet.is_ascii() && (is_shown(c) || c == '\r') => c,
            _ => '?',
        })),
    }
}

/// Text in which a CR ends a line as LF does; a CR before an LF becomes a blank.
fn lines_of_cr(text: impl Iterator<Item = char>) -> Cow<'static, str> {
    let mut text = text.peekable();
    let mut out = String::new();
    while let Some(c) = text.next() {
        out.push(match c {
            '\r' if text.peek() == Some(&'\n') => ' ',
            '\r' => '\n',
            c => c,
        });
    }
    out.into()
}

/// Start of the marked text, for lines too long to show.
fn excerpt(text: &[u8], marked: (usize, usize)) -> String {
    let marked = shown(text, marked);
    let shown: String = marked.chars().take(60).collect();
    if shown.len() < marked.len() { format!("{shown}...") } else { shown }
}
