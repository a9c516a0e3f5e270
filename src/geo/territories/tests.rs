//! Both codes of a territory, in both directions.

use super::*;

fn place(country: &str, subdivision: &str) -> (Country, Vec<Subdivision>) {
    (Country::from_code(country).unwrap(), Subdivision::from_code(subdivision).into_iter().collect())
}

#[test]
fn rows_are_sorted_and_of_countries() {
    assert!(TERRITORIES.is_sorted_by(|a, b| (a.0, a.1) < (b.0, b.1)));
    for (_, _, own, _) in TERRITORIES {
        assert!(crate::geo::hubs::find(Country::from_code(own).unwrap()).is_some(), "{own}");
    }
}

/// Each row: a place as written, a subdivision, and whether the place is in it.
#[test]
fn either_code_is_understood() {
    let rows = [
        (("US", "PR"), ("US", "PR"), true),
        (("PR", ""), ("US", "PR"), true),
        (("US", "CA"), ("US", "PR"), false),
        (("US", ""), ("US", "PR"), false),
        (("RE", ""), ("FR", "974"), true),
        (("RE", ""), ("FR", "RE"), true),
        (("FR", "974"), ("FR", "RE"), true),
        (("FR", "75C"), ("FR", "RE"), false),
        (("HK", ""), ("CN", "HK"), true),
        (("CN", "HK"), ("CN", "HK"), true),
        (("BQ", ""), ("NL", "BQ1"), false),
        (("BQ", "BQ1"), ("NL", "BQ1"), true),
        (("NL", "BQ1"), ("NL", "BQ1"), true),
        (("NL", "BQ2"), ("NL", "BQ1"), false),
    ];
    for (written, asked, expected) in rows {
        let (country, subdivisions) = place(written.0, written.1);
        let asked = (Country::from_code(asked.0).unwrap(), Subdivision::from_code(asked.1).unwrap());
        assert_eq!(lies_in((country, &subdivisions), asked), expected, "{written:?} in {asked:?}");
    }
}

#[test]
fn the_own_country() {
    for (country, subdivision, own) in
        [("US", "GU", "GU"), ("US", "NY", "US"), ("GU", "", "GU"), ("FR", "974", "RE")]
    {
        let (country, subdivisions) = place(country, subdivision);
        assert_eq!(own_country(country, &subdivisions).code(), own);
    }
    let french = Country::from_code("FR").unwrap();
    assert!(of_country(french).any(|own| own.code() == "RE"));
}
