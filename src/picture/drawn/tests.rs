//! Pictures of small scenes: every part is there, and words are escaped.

use super::super::scene::Decided;
use super::*;
use crate::geo::place::Coordinates;

fn site(name: &str, lat: f64, lon: f64, is_out: bool) -> Site {
    let at = Coordinates::from_degrees(lat, lon);
    Site { name: name.to_owned(), at, words: "auto, weight 100".to_owned(), is_out }
}

fn land(country: &str, before: &str, after: &str) -> Land {
    let answers = |answer: &str| vec![(answer.to_owned(), 1.0)];
    let at = Coordinates::from_degrees(1.3, 103.8);
    Land { country: country.to_owned(), at, before: answers(before), after: answers(after) }
}

fn scene() -> Scene {
    Scene {
        title: "policy <web>".to_owned(),
        notes: vec!["2 PoPs & more".to_owned()],
        sites: vec![site("fra", 50.1, 8.7, true), site("sin", 1.3, 103.8, false)],
        lands: vec![land("BR", "sin", "sin"), land("DE", "fra", "sin"), land("SG", "nothing", "nothing")],
        ..Scene::default()
    }
}

/// Countries, dots, numbers, crosses and names; a word of the files is no markup.
#[test]
fn a_scene_has_its_parts() {
    let text = svg(&scene());
    for part in [
        "<title>policy &lt;web&gt;</title>",
        "2 PoPs &amp; more",
        "<title>BR: sin 100 %</title>",
        "<title>DE: sin 100 %; before: fra 100 %</title>",
        "<title>SG: nothing 100 %</title></circle>",
        ">1 fra</text>",
        ">2 sin</text>",
        ">2</text>",
        "d=\"M-4-4L4 4M-4 4L4-4\"",
        "auto, weight 100, 2 countries",
        "fill=\"#c8c8c8\"",
    ] {
        assert!(text.contains(part), "{part}\n{text}");
    }
    assert!(!text.contains("<web>"));
    assert_eq!(text, svg(&scene()));
}

/// A change has a list of moves, with shares where they are known; without a move it reports that.
#[test]
fn a_change_lists_its_moves() {
    let way = super::super::scene::Way {
        from: "fra".to_owned(),
        to: "sin".to_owned(),
        shares: "8.3 % of IPv4".to_owned(),
    };
    let moving = svg(&Scene { is_change: true, ways: vec![way], ..scene() });
    assert!(moving.contains("fra \u{2192} sin: 8.3 % of IPv4; 1 country: DE"), "{moving}");
    let still = Scene { is_change: true, lands: vec![land("BR", "sin", "sin")], ..scene() };
    assert!(svg(&still).contains("no client moves"));
}

/// A decision has a star, a strong line to the chosen PoP, dashed ones to other candidates, and
/// none to a PoP outside the list.
#[test]
fn a_decision_has_its_lines() {
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    let decided = |from, candidates: &[&str], chosen: Option<&str>| Scene {
        decided: Some(Decided { from, candidates: names(candidates), chosen: chosen.map(str::to_owned) }),
        ..scene()
    };
    let lines = |scene: &Scene| {
        let text = svg(scene);
        let group = |head: &str| {
            let (_, rest) = text.split_once(head).expect("a group");
            rest.split("</g>").next().expect("its end").matches("<path ").count()
        };
        (group("stroke-dasharray=\"3 4\">"), group("<g stroke=\"#000\" stroke-width=\"3\">"))
    };
    let tokyo = Coordinates::from_degrees(35.7, 139.7);
    assert_eq!(lines(&decided(tokyo, &["sin", "fra"], Some("sin"))), (1, 1));
    assert_eq!(lines(&decided(tokyo, &["sin"], Some("sin"))), (0, 1));
    assert_eq!(lines(&decided(tokyo, &["sin", "fra"], None)), (2, 0));
    let text = svg(&decided(tokyo, &["sin"], Some("sin")));
    assert!(text.contains("Star: ") && text.contains("fill-opacity=\".3\""));
    let unknown = svg(&decided(None, &["sin"], Some("sin")));
    assert!(!unknown.contains("stroke-dasharray"));
}
