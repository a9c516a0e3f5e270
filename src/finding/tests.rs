//! Limits on kept findings, and exact counts.

use super::*;
use crate::limits::FINDING_WORDS_MAX;

fn at(file: u32, line: u32) -> At {
    At { file: FileId(file), line, column: 1, start: line, end: line }
}

fn many(code: Code, severity: Severity, file: u32, count: usize) -> Findings {
    let mut findings = Findings::default();
    for line in 0..count {
        findings.push(Finding::new(code, severity, "again").at(at(file, line as u32 + 1), ""));
    }
    findings
}

/// A repeated fault is listed a few times and then counted, per code and file, also when lists are
/// joined.
#[test]
fn repeated_faults_are_counted() {
    let mut all = many(code::DUPLICATE_RECORD, Severity::Warning, 0, 200_000);
    assert_eq!(
        (all.iter().count(), all.len(), all.count(Severity::Warning)),
        (FINDINGS_ALIKE_MAX, 200_000, 200_000)
    );
    assert!(!all.has_errors());
    all.extend(many(code::DUPLICATE_RECORD, Severity::Warning, 1, 3));
    all.extend(many(code::DUPLICATE_RECORD, Severity::Warning, 0, 1_000));
    all.extend(many(code::BAD_RDATA, Severity::Error, 0, 60));
    assert_eq!(
        (all.count(Severity::Warning), all.count(Severity::Error), all.count(Severity::Note)),
        (201_003, 60, 0)
    );
    assert_eq!((all.iter().count(), all.len(), all.beyond()), (2 * FINDINGS_ALIKE_MAX + 3, 201_063, 0));
    all.sort();
    let more: Vec<(&str, u32, usize)> = all
        .counted()
        .into_iter()
        .filter(|(_, more)| *more > 0)
        .map(|(finding, more)| (finding.code.id, finding.at.map_or(0, |at| at.line), more))
        .collect();
    assert_eq!(more, [("MRD0206", 50, 10), ("MRD0208", 50, 201_000 - FINDINGS_ALIKE_MAX)]);
    // Dropped findings are also dropped from the counts.
    all.retain(|finding| finding.code != code::DUPLICATE_RECORD);
    assert_eq!((all.len(), all.count(Severity::Warning), all.has_errors()), (60, 0, true));
}

/// Faults of many files are limited too; warnings never displace errors.
#[test]
fn all_kinds_together_are_bounded() {
    let mut all = Findings::default();
    for file in 0..5_000 {
        all.extend(many(code::DUPLICATE_RECORD, Severity::Warning, file, 2));
    }
    assert_eq!(
        (all.iter().count(), all.len(), all.beyond()),
        (FINDINGS_KEPT_MAX, 10_000, 10_000 - FINDINGS_KEPT_MAX)
    );
    all.push(Finding::error(code::BAD_RDATA, "last").at(at(4_999, 1), ""));
    assert!(all.has_errors());
    assert!(all.iter().any(|finding| finding.message == "last"));
}

/// Sentences, places and help have a limit, whatever they quote.
#[test]
fn words_are_cut() {
    let long = "é".repeat(1 << 20);
    let mut finding = Finding::error(code::BAD_VALUE, long.clone()).at(at(0, 1), long.clone());
    for line in 0..1_000 {
        finding = finding.related(at(0, line), long.get(..4_000).unwrap_or_default());
    }
    let findings = Findings::from(finding.help(long));
    let kept = findings.iter().next().expect("one finding");
    let words = [&kept.message, &kept.label]
        .into_iter()
        .chain(&kept.help)
        .chain(kept.related.iter().map(|(_, words)| words));
    assert!(words.into_iter().all(|words| words.len() <= FINDING_WORDS_MAX && words.ends_with("...")));
    assert_eq!(kept.related.len(), FINDING_PLACES_MAX);
}

/// Quoted text cannot act on the terminal or log that shows it: it forges no line and reverses no
/// text. Each row: the quoted text, and its form in sentences and paths.
#[test]
fn what_is_quoted_is_escaped() {
    for (quoted, shown) in [
        ("a\nb", r"a\nb"),
        ("a\r\tb", r"a\r\tb"),
        ("\u{1b}[31mred", r"\u{1b}[31mred"),
        ("\u{9b}31m", r"\u{9b}31m"),
        ("\u{7f}\0", r"\u{7f}\u{0}"),
        ("abc\u{202e}txt.exe", r"abc\u{202e}txt.exe"),
        ("\u{2066}x\u{2069}\u{61c}\u{200f}", r"\u{2066}x\u{2069}\u{61c}\u{200f}"),
        ("two\u{2028}lines\u{feff}", r"two\u{2028}lines\u{feff}"),
        ("bücher, 他们, קטע", "bücher, 他们, קטע"),
    ] {
        let mut files = Files::default();
        let file = files.add(quoted, format!("{quoted}\n"));
        let at = At { file, line: 1, column: 1, start: 0, end: quoted.len() as u32 };
        let finding = Finding::error(code::BAD_VALUE, quoted).at(at, quoted).related(at, quoted).help(quoted);
        let findings = Findings::from(finding);
        let kept = findings.iter().next().expect("one finding");
        for words in [&kept.message, &kept.label, &kept.help[0], &kept.related[0].1] {
            assert_eq!(words, shown);
        }
        assert_eq!(files.place(at), format!("{shown}:1:1"));
        assert_eq!(files.find(quoted), Some(file));
        let drawn = [render::text(&findings, &files, false), render::lines(&findings, &files)].concat();
        let acting = drawn.chars().find(|c| escape::is_active(*c) && *c != '\n');
        assert_eq!(acting, None, "{drawn:?}");
        let reports = render::reports(&findings, &files);
        let json = serde_json::to_string(&reports).expect("only strings and numbers");
        assert!(!json.contains(escape::is_active), "{json}");
    }
}

/// Sentences are cut by their escaped length, not by the length of the quoted text.
#[test]
fn escaped_words_have_a_length_too() {
    let findings = Findings::from(Finding::error(code::BAD_VALUE, "\u{202e}".repeat(1_000)));
    let kept = findings.iter().next().expect("one finding");
    assert!(kept.message.len() <= FINDING_WORDS_MAX && kept.message.ends_with("..."));
}

/// Withdrawn findings are no longer counted, in the list or beyond it.
#[test]
fn withdrawn_findings_are_not_counted() {
    let at = |file: u32| At::whole(FileId(file));
    let mut findings = Findings::default();
    let files = 2 * FINDINGS_KEPT_MAX as u32;
    for file in 0..files {
        for code in [code::BUDGET_SPENT, code::BUDGET_SPENT, code::BAD_VALUE] {
            findings.push(Finding::error(code, "x").at(at(file), ""));
        }
    }
    let mut all = Findings::default();
    all.extend(findings);
    assert_eq!(all.len(), 3 * files as usize);
    all.retain(|finding| finding.code != code::BUDGET_SPENT);
    assert_eq!((all.len(), all.count(Severity::Error)), (files as usize, files as usize));
    assert_eq!(all.blames().count(), files as usize);
    all.retain(|finding| finding.at.is_some_and(|at| at.file.0 % 2 == 0));
    assert_eq!(all.len(), files as usize / 2);
}
