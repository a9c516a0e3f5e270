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

/// Places of a territory meet conditions by both of its codes, and by the country that the data
/// have.
#[test]
fn territories_are_met_by_either_code() {
    let of = |country: &str, subdivision: &str| Place {
        country: Country::from_code(country),
        subdivisions: Subdivision::from_code(subdivision).into_iter().collect(),
        ..Place::default()
    };
    let by_country =
        |code: &str| When { country: Country::from_code(code).into_iter().collect(), ..When::default() };
    let by_subdivision = |country: &str, code: &str| When {
        subdivision: Country::from_code(country).zip(Subdivision::from_code(code)).into_iter().collect(),
        ..When::default()
    };
    let rows = [
        (of("PR", ""), by_country("PR"), true),
        (of("PR", ""), by_country("US"), false),
        (of("PR", ""), by_subdivision("US", "PR"), true),
        (of("US", "PR"), by_country("PR"), true),
        (of("US", "PR"), by_country("US"), true),
        (of("US", "PR"), by_subdivision("US", "PR"), true),
        (of("US", "NY"), by_country("PR"), false),
        (of("HK", "KKC"), by_subdivision("CN", "HK"), true),
        (of("CN", "HK"), by_country("HK"), true),
        (of("RE", ""), by_subdivision("FR", "RE"), true),
        (of("FR", "974"), by_subdivision("FR", "RE"), true),
        (of("FR", ""), by_country("RE"), false),
    ];
    for (place, when, expected) in rows {
        let of = Circumstances { place: &place, resolver_networks: &[], site: None };
        assert_eq!(when.matches(of), expected, "{when:?} of {place:?}");
    }
}
