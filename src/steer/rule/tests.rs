//! Tests of `rule`.

use super::*;

/// Conditions, and their words.
#[test]
fn conditions_have_words() {
    let country = |code| Country::from_code(code).unwrap();
    let networks: Vec<Arc<str>> = vec!["office".into(), "lab".into()];
    let asn = When { asn: vec![64_500], ..When::default() };
    let rows = [
        (When::default(), ""),
        (When { country: vec![country("DE"), country("FR")], ..When::default() }, "country: [DE, FR]"),
        (
            When {
                country: vec![country("RU")],
                network: vec![1],
                not: Some(Box::new(asn)),
                ..When::default()
            },
            "country: RU, network: lab, not: { asn: 64500 }",
        ),
        (
            When { resolver_network: vec![0, 7], site: vec!["fra".into()], ..When::default() },
            "resolver_network: [office, 7], site: fra",
        ),
    ];
    for (when, words) in rows {
        assert_eq!(when.words(&networks), words);
    }
}
