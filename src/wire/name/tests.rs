//! Tests of `name`.

use super::*;

#[test]
fn presentation_round_trips() {
    for (text, shown) in [
        (".", "."),
        ("example.", "example."),
        ("WWW.Example.", "WWW.Example."),
        (r"a\.b.example.", r"a\.b.example."),
        (r"\097.example.", "a.example."),
        (r"sp\032ace.example.", r"sp\032ace.example."),
        (r"\200.example.", r"\200.example."),
    ] {
        let name = Name::parse(text, None).unwrap();
        assert_eq!(name.to_string(), shown);
        assert_eq!(Name::parse(&name.to_string(), None).unwrap(), name);
        assert_eq!(Name::from_wire(name.as_wire()).unwrap(), name);
    }
}

#[test]
fn relative_names_take_the_origin() {
    let origin = Name::parse("cdn.example.", None).unwrap();
    assert_eq!(Name::parse("www", Some(&origin)).unwrap().to_string(), "www.cdn.example.");
    assert_eq!(Name::parse("@", Some(&origin)).unwrap(), origin);
    assert_eq!(Name::parse("www.", Some(&origin)).unwrap().to_string(), "www.");
}

/// The example of RFC 4034 section 6.1.
#[test]
fn names_are_in_canonical_order() {
    let order = [
        "example.",
        "a.example.",
        "yljkjljk.a.example.",
        "Z.a.example.",
        "zABC.a.EXAMPLE.",
        "z.example.",
        r"\001.z.example.",
        "*.z.example.",
        r"\200.z.example.",
    ];
    let names: Vec<Name> = order.iter().map(|t| Name::parse(t, None).unwrap()).collect();
    assert!(names.is_sorted());
    assert!(names.windows(2).all(|w| w[0] != w[1] && w[1] > w[0]));
    assert!(Name::root() < names[0]);
}

#[test]
fn faults_are_told_apart() {
    let long = "a".repeat(64);
    for (text, fault) in [
        ("", NameError::Empty),
        ("a..b", NameError::EmptyLabel),
        (".a", NameError::EmptyLabel),
        (r"a\", NameError::BadEscape),
        (r"a\25", NameError::BadEscape),
        (r"a\256", NameError::BadEscape),
        (&long, NameError::LabelTooLong),
        (&format!("{0}.{0}.{0}.{0}.{0}.", "a".repeat(60)), NameError::NameTooLong),
    ] {
        assert_eq!(Name::parse(text, None).unwrap_err(), fault, "{text}");
    }
}

#[test]
fn below_is_by_label_and_without_case() {
    let n = |t: &str| Name::parse(t, None).unwrap();
    assert!(n("www.EXAMPLE.").is_at_or_below(&n("example.")));
    assert!(n("example.").is_at_or_below(&n("example.")));
    assert!(n("example.").is_at_or_below(&Name::root()));
    assert!(!n("wwwexample.").is_at_or_below(&n("example.")));
    assert!(!n("example.").is_at_or_below(&n("www.example.")));
}

#[test]
fn two_names_have_an_ending_in_common() {
    let wire = |text: &str| Name::parse(text, None).unwrap().as_wire().to_vec();
    for (a, b, len) in [
        ("www.example.", "WWW.Example.", 13),
        ("www.example.", "example.", 9),
        ("a.b.example.", "c.b.example.", 11),
        ("a.", "b.", 1),
        (".", "www.example.", 1),
        // Equal octets but different labels: \x01a in a label of two octets.
        ("a.", "\\001a.", 1),
    ] {
        assert_eq!(common_ending_len(&wire(a), &wire(b)), len, "{a} {b}");
        assert_eq!(common_ending_len(&wire(b), &wire(a)), len, "{b} {a}");
    }
}

/// Names that collide under a fixed hash do not collide in the tables of a reload.
#[test]
fn no_fixed_hash_stands_before_that_of_a_table() {
    let table = std::hash::RandomState::new();
    let made = crate::wire::hash::tests::names_with_one_hash(b"\x07example\0").take(1_000);
    let hashes = made.map(|wire| std::hash::BuildHasher::hash_one(&table, Name::from_wire(&wire).unwrap()));
    assert_eq!(hashes.collect::<std::collections::HashSet<_>>().len(), 1_000);
}
