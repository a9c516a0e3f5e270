//! Prose in `src/` and `benches/`, as far as a test can keep it: a comment opens with a noun or an
//! imperative, and no pronoun stands in for the actor. Strings are held to the second rule too,
//! because findings, log lines and help texts are read at night.

use super::{none, sources};

/// First words of a comment that make a relative clause of its summary.
const OPENINGS: &[&str] = &[
    "What",
    "Who",
    "Whom",
    "Whose",
    "Whoever",
    "Whatever",
    "How",
    "Where",
    "Whether",
    "Which",
    "That of",
    "Those of",
    "That which",
    "One that",
    "The same, ",
    "Of ",
];

/// Words that hide the actor or the act.
pub(super) const STAND_INS: &[&str] =
    &["nobody", "somebody", "everybody", "whoever", "whom", "told", "untold", "tells", "said", "by hand"];

/// Strings that are keywords of a file format, which cannot change.
const KEYWORDS: &[&str] = &["\"told \""];

/// Comments of production code open with a noun or an imperative, and name their actors.
#[test]
fn comments_name_their_subject() {
    let mut breaches = Vec::new();
    for source in ["src", "benches"].into_iter().flat_map(sources).filter(|source| !source.is_test) {
        for (number, fault) in faults(&source.text) {
            breaches.push(format!("{}:{number}: {fault}", source.path));
        }
    }
    none(breaches);
}

/// Line numbers, and the rule that each line breaks.
fn faults(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let mut is_inside = false;
    let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    for (number, line) in (1..).zip(text.lines()) {
        let comment = comment_of(line);
        if let Some(words) = comment.filter(|words| !words.is_empty() && !is_inside)
            && let Some(opening) = OPENINGS.iter().find(|opening| opens_with(words, opening))
        {
            found.push((number, format!("opens with `{opening}`: {words}")));
        }
        is_inside = comment.is_some_and(|words| !words.is_empty());
        let has_keyword = KEYWORDS.iter().any(|keyword| line.contains(keyword));
        for word in STAND_INS.iter().filter(|word| !has_keyword && has_word(prose_of(line), word)) {
            found.push((number, format!("`{word}`: {}", line.trim())));
        }
    }
    found
}

/// The words of a line that is a comment; a line without words separates paragraphs.
fn comment_of(line: &str) -> Option<&str> {
    let line = line.trim_start();
    let words =
        line.strip_prefix("///").or_else(|| line.strip_prefix("//!")).or_else(|| line.strip_prefix("//"));
    words.map(str::trim)
}

/// The part of a line that a person reads: its comment, or from its first quotation mark.
fn prose_of(line: &str) -> &str {
    let start = if comment_of(line).is_some() { Some(0) } else { line.find('"').or_else(|| line.find("//")) };
    start.map_or("", |start| &line[start..])
}

fn opens_with(words: &str, opening: &str) -> bool {
    words.strip_prefix(opening).is_some_and(|rest| {
        opening.ends_with(' ') || !rest.starts_with(|letter: char| letter.is_alphanumeric() || letter == '_')
    })
}

/// The word itself, in any case, outside of names in code.
pub(super) fn has_word(text: &str, word: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    let is_edge = |edge: Option<char>| {
        !edge.is_some_and(|letter| {
            letter.is_alphanumeric() || matches!(letter, '_' | '`' | ':' | '.' | '{' | '}')
        })
    };
    lower.match_indices(word).any(|(at, _)| {
        let after = lower[at + word.len()..].trim_start_matches(['.', ':']).chars().next();
        is_edge(lower[..at].chars().next_back()) && is_edge(after)
    })
}

/// The rules find what they forbid, and nothing else.
#[test]
fn faults_of_prose_are_found() {
    let rows = [
        ("/// What is known.", true),
        ("/// Whatsoever.", false),
        ("/// Number of PoPs,\n/// Which is small.", false),
        ("/// Number of PoPs.\n///\n/// How it grows.", true),
        ("fn a() {} // nobody reads this", true),
        ("/// Read by `nobody`.", false),
        ("let text = \"nobody listens\";", true),
        ("let nobody = 1;", false),
        ("let text = format!(\"key {told}\");", false),
        ("const TOLD: &str = \"told \";", false),
        ("/// Manual overrides.", false),
        ("//! Of two, one.", true),
        ("/// Offset of the name.", false),
    ];
    for (text, is_fault) in rows {
        assert_eq!(!faults(text).is_empty(), is_fault, "{text}");
    }
}
