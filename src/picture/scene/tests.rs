//! Ways that move, and the numbers of answers.

use super::*;

fn answers(row: &[(&str, f64)]) -> Vec<(String, f64)> {
    row.iter().map(|(answer, share)| ((*answer).to_owned(), *share)).collect()
}

/// The largest loss goes to the largest gain; what stays does not move.
#[test]
fn ways_of_countries() {
    type Row<'r> = (&'r [(&'r str, f64)], &'r [(&'r str, f64)], Option<(&'r str, &'r str)>);
    let rows: [Row<'_>; 4] = [
        (&[("fra", 1.0)], &[("fra", 1.0)], None),
        (&[("fra", 1.0)], &[("ams", 1.0)], Some(("fra", "ams"))),
        (&[("fra", 0.5), ("ams", 0.5)], &[("ams", 0.75), ("lhr", 0.25)], Some(("fra", "ams"))),
        (&[("fra", 1.0)], &[("nothing", 1.0)], Some(("fra", "nothing"))),
    ];
    for (before, after, way) in rows {
        let land = Land { before: answers(before), after: answers(after), ..Land::default() };
        assert_eq!(land.way(), way, "{before:?} {after:?}");
    }
}

/// PoPs have the first numbers, in their order; `nothing` has none.
#[test]
fn answers_are_numbered() {
    let site = |name: &str| Site { name: name.to_owned(), ..Site::default() };
    let land = |row| Land { before: answers(row), after: answers(row), ..Land::default() };
    let scene = Scene {
        sites: vec![site("ams"), site("fra")],
        lands: vec![land(&[("fra", 1.0)]), land(&[("CNAME b.", 1.0)]), land(&[("nothing", 1.0)])],
        ..Scene::default()
    };
    assert_eq!(scene.numbered(), ["ams", "fra", "CNAME b."]);
    assert_eq!((scene.countries_of("fra"), scene.countries_of("ams")), (1, 0));
}
