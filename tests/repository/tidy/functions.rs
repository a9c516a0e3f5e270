//! Length and depth of functions: one that does not fit on a screen, or that is nested deeper than
//! a reader can hold, has steps without names.
//!
//! Depth counts the control blocks (`if`, `else`, `match`, loops, `unsafe`, `async`) and closures
//! with a block that stand in each other; braces of literals and patterns do not count.

use super::tables::{BLOCKS_MAX, FUNCTION_LINES_MAX};
use super::{none, sources, words};

/// A function, as far as its shape goes.
#[derive(Debug, PartialEq, Eq)]
struct Shape {
    name: String,
    /// Line of its first word, from 1.
    line: usize,
    /// Lines from its first to its last.
    lines: usize,
    /// Control blocks that stand in each other.
    blocks: usize,
}

/// Functions keep to the limits.
#[test]
fn functions_fit_on_a_screen() {
    let mut breaches = Vec::new();
    for source in sources("src").iter().filter(|source| !source.is_test) {
        for Shape { name, line, lines, blocks } in shapes(&source.text) {
            let place = format!("{}:{line}: `{name}`", source.path);
            if blocks > BLOCKS_MAX {
                breaches.push(format!("{place} nests {blocks} blocks, at most {BLOCKS_MAX}"));
            }
            if lines > FUNCTION_LINES_MAX {
                breaches.push(format!("{place} has {lines} lines, at most {FUNCTION_LINES_MAX}"));
            }
        }
    }
    none(breaches);
}

/// Shapes of all functions with a body.
fn shapes(text: &str) -> Vec<Shape> {
    let code = without_text(text);
    let mut found = Vec::new();
    for at in words(&code, "fn") {
        let name: String =
            code[at + 2..].trim_start().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
        let Some(begin) = body(&code, at).filter(|_| !name.is_empty()) else { continue };
        let (end, blocks) = blocks(&code, begin);
        let newlines = |text: &str| text.matches('\n').count();
        let (line, lines) = (newlines(&code[..at]) + 1, newlines(&code[at..end]) + 1);
        found.push(Shape { name, line, lines, blocks });
    }
    found
}

/// Place of the brace that opens the body of the function whose `fn` stands at `at`.
fn body(code: &str, at: usize) -> Option<usize> {
    let mut depth = 0;
    for (offset, c) in code[at..].char_indices() {
        match c {
            '(' | '[' => depth += 1,
            ')' | ']' => depth -= 1,
            '{' if depth == 0 => return Some(at + offset),
            ';' if depth == 0 => return None,
            _ => {}
        }
    }
    None
}

/// Place of the brace that closes the body, and the most control blocks in each other inside it.
fn blocks(code: &str, begin: usize) -> (usize, usize) {
    let (mut open, mut most) = (Vec::new(), 0);
    for (offset, c) in code[begin..].char_indices() {
        let at = begin + offset;
        match c {
            '{' => {
                open.push(!open.is_empty() && is_control(head(&code[..at])));
                most = most.max(open.iter().filter(|is_control| **is_control).count());
            }
            '}' => {
                open.pop();
                if open.is_empty() {
                    return (at, most);
                }
            }
            _ => {}
        }
    }
    (code.len(), most)
}

/// Text between the end of the statement before and a brace.
fn head(before: &str) -> &str {
    let mut depth = 0;
    for (at, c) in before.char_indices().rev() {
        match c {
            ')' | ']' => depth += 1,
            '(' | '[' if depth == 0 => return &before[at + 1..],
            '(' | '[' => depth -= 1,
            ';' | '{' | '}' | ',' if depth == 0 => return &before[at + 1..],
            _ => {}
        }
    }
    before
}

fn is_control(head: &str) -> bool {
    let head = head.rsplit("=>").next().unwrap_or(head);
    let keywords = ["if", "else", "for", "while", "loop", "match", "unsafe", "async"];
    head.trim_end().ends_with('|') || keywords.iter().any(|word| words(head, word).next().is_some())
}

/// The code with comments, texts and characters blanked out; lines stay where they are.
fn without_text(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let is_word = out.ends_with(|c: char| c.is_alphanumeric() || c == '_');
        let end = match first {
            '/' if rest.starts_with("//") => rest.find('\n').unwrap_or(rest.len()),
            'r' if !is_word || out.ends_with('b') => raw_text(rest).unwrap_or(0),
            '"' => plain_text(rest),
            '\'' => character(rest).unwrap_or(0),
            _ => 0,
        };
        if end == 0 {
            out.push(first);
            rest = &rest[first.len_utf8()..];
        } else {
            out.extend(rest[..end].chars().map(|c| if c == '\n' { '\n' } else { ' ' }));
            rest = &rest[end..];
        }
    }
    out
}

/// Length of a raw text at the beginning.
fn raw_text(code: &str) -> Option<usize> {
    let behind = code[1..].trim_start_matches('#');
    let hashes = code.len() - 1 - behind.len();
    let end = format!("\"{}", "#".repeat(hashes));
    let inside = behind.strip_prefix('"')?;
    Some(code.len() - inside.len() + inside.find(&end)? + end.len())
}

/// Length of a text at the beginning.
fn plain_text(code: &str) -> usize {
    let mut is_escaped = false;
    for (at, c) in code.char_indices().skip(1) {
        match c {
            '"' if !is_escaped => return at + 1,
            '\\' => is_escaped = !is_escaped,
            _ => is_escaped = false,
        }
    }
    code.len()
}

/// Length of a character at the beginning; `None` for a lifetime.
fn character(code: &str) -> Option<usize> {
    let mut inside = code[1..].char_indices();
    let (_, first) = inside.next()?;
    let end = match first {
        '\\' => 2 + code[3..].find('\'')? + 1,
        _ => inside.next().filter(|(_, c)| *c == '\'')?.0,
    };
    Some(end + 2)
}

/// The measure counts what it is meant to count.
#[test]
fn shapes_are_measured() {
    let code = "fn plain() {\n    let text = \"{ if\";\n    let a = A { b: '{', c: r#\"}\"# };\n}\n\
                trait T { fn none(&self) -> [u8; 2]; }\n\
                fn nested<'a>(x: &'a str) {\n    for a in x {\n        match a {\n            // if {\n\
                Some(A { b }) => { c(|d| { if d { e() } }) }\n            _ => {}\n        }\n    }\n}\n";
    let shape = |name: &str, line, lines, blocks| Shape { name: name.to_owned(), line, lines, blocks };
    assert_eq!(shapes(code), [shape("plain", 1, 4, 0), shape("nested", 6, 9, 4)]);
}
