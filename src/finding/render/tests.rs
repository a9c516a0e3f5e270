//! Rendered findings, and resistance to any span.

use super::*;
use crate::finding::code;
use proptest::prelude::*;

fn files() -> Files {
    let mut files = Files::default();
    files.add("zones/a.yaml", "zone: a.\nrecords:\n  www: { steer: wbe }\n");
    files.add("geo.mmdb", "");
    files.add("long.yaml", format!("key: {}\nnext: é", "x".repeat(100_000)));
    files
}

fn at(file: u32, line: u32, column: u32, start: u32, end: u32) -> At {
    At { file: FileId(file), line, column, start, end }
}

/// Findings of several kinds: with a related place and help, in a binary file, on a long line.
#[test]
fn findings_look_like_compiler_errors() {
    let mut findings = Findings::default();
    findings.push(
        Finding::error(code::NO_SUCH_POLICY, "there is no policy `wbe`")
            .at(at(0, 3, 17, 34, 37), "not defined")
            .related(at(0, 1, 7, 6, 8), "in this zone")
            .help("did you mean `web`?"),
    );
    findings.push(Finding::warning(code::BAD_DATABASE, "cut short").at(At::whole(FileId(1)), ""));
    findings.push(Finding::error(code::BAD_VALUE, "too long").at(at(2, 1, 6, 5, 100_005), "this"));
    let shown = text(&findings, &files(), false);
    let expected = "\
error[MRD0301]"
        .replace("0301", "0302");
    assert!(shown.starts_with(&expected), "{shown}");
    for words in [
        "--> zones/a.yaml:3:17",
        "3 |   www: { steer: wbe }",
        "^^^ not defined",
        "-- in this zone",
        "help: did you mean `web`?",
        "warning[MRD0401]: cut short",
        "--> geo.mmdb\n",
        "--> long.yaml:1:6",
        "2 errors, 1 warning\n",
    ] {
        assert!(shown.contains(words), "{words} in\n{shown}");
    }
    assert!(shown.len() < 4_000, "long lines are cut");
    assert!(text(&findings, &files(), true).contains("\u{1b}["));
    let reports = reports(&findings, &files());
    assert_eq!((reports[0].place.line, reports[0].place.end), (Some(3), Some(20)));
    assert_eq!(reports[0].related[0].message, "in this zone");
    assert_eq!(reports[1].place.line, None);
}

/// In a text that is not UTF-8, marks stay at their octets; in UTF-8, they cover whole characters.
#[test]
fn marks_of_other_texts_stay() {
    for (source, (line, column, start, end), shown) in [
        (&b"$TTL 60\n\xb7..b A 192.0.2.1\n"[..], (2, 1, 8, 12), "2 | ?..b A 192.0.2.1\n  | ^^^^"),
        (b"a \xa7x A 1\n", (1, 3, 2, 4), "1 | a ?x A 1\n  |   ^^"),
        ("a éx A 1\n".as_bytes(), (1, 3, 3, 5), "1 | a éx A 1\n  |   ^^"),
    ] {
        let mut files = Files::default();
        let file = files.add_octets("any.zone", source.into());
        let findings =
            Findings::from(Finding::error(code::BAD_NAME, "x").at(At { file, line, column, start, end }, ""));
        let drawn = text(&findings, &files, false);
        assert!(drawn.contains(shown), "{shown}\nin\n{drawn}");
        assert_eq!(reports(&findings, &files)[0].place.end, Some(5));
    }
}

/// UTF-8 texts, and octets that are not UTF-8.
fn text_or_octets() -> impl Strategy<Value = Vec<u8>> {
    let octets = proptest::collection::vec(prop_oneof![any::<u8>(), Just(b'\n'), Just(0xc3)], 0..80);
    prop_oneof!["[ -~\n\té€]{0,80}".prop_map(String::into_bytes), octets]
}

proptest! {
    /// Every claimed place can be drawn.
    #[test]
    fn no_span_panics(
        spans in proptest::collection::vec(
            (0u32..4, 0u32..6, 0u32..9, 0u32..100_100, 0u32..100_100),
            1..4,
        ),
        source in text_or_octets(),
    ) {
        let mut files = files();
        files.add_octets("any", source.into());
        let mut finding = Finding::error(code::BAD_VALUE, "x").help("h");
        for (i, (file, line, column, start, end)) in spans.into_iter().enumerate() {
            // Half of the spans are within the short texts.
            let (start, end) = if i % 2 == 0 { (start % 90, end % 90) } else { (start, end) };
            let at = at(if i % 2 == 0 { 3 } else { file }, line, column, start, end);
            finding = if i == 0 { finding.at(at, "l") } else { finding.related(at, "r") };
        }
        let findings = Findings::from(finding);
        text(&findings, &files, false);
        reports(&findings, &files);
    }
}

/// In a text whose lines end with CR, one line is marked as usual; a tab stays a tab.
#[test]
fn lines_that_end_with_cr_are_drawn() {
    let mut files = Files::default();
    let file = files.add("cr.zone", "a A 192.0.2.1\rb\tA x\rc A 192.0.2.3\r");
    let at = At { file, line: 2, column: 5, start: 18, end: 19 };
    let related = At { file, line: 3, column: 1, start: 20, end: 21 };
    let finding = Finding::error(code::BAD_RDATA, "no").at(at, "this").related(related, "that");
    let drawn = text(&finding.into(), &files, false);
    assert!(drawn.contains("--> cr.zone:2:5"), "{drawn}");
    assert!(drawn.contains("3 | c A 192.0.2.3"), "{drawn}");
    assert!(!drawn.contains("a A 192.0.2.1"), "{drawn}");
}
