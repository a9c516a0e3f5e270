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

/// A change has a list of moves, with shares where they are known, and claims that no client moves
/// only if they are.
#[test]
fn a_change_lists_its_moves() {
    let way = super::super::scene::Way {
        from: "fra".to_owned(),
        to: "sin".to_owned(),
        shares: "8.3 % of IPv4".to_owned(),
    };
    let moving = svg(&Scene { is_change: true, ways: Some(vec![way]), ..scene() });
    assert!(moving.contains("fra \u{2192} sin: 8.3 % of IPv4; 1 country: DE"), "{moving}");
    assert!(!moving.contains("not known here"), "{moving}");
    let lands = vec![land("BR", "sin", "sin")];
    let still = Scene { is_change: true, lands, ways: Some(Vec::new()), ..scene() };
    assert!(svg(&still).contains(">no client moves<"));
    let unknown = svg(&Scene { ways: None, ..still });
    let words = ">no country&#39;s largest city moves; shares of clients are not known here<";
    assert!(unknown.contains(words), "{unknown}");
    let partly = svg(&Scene { is_change: true, ways: None, ..scene() });
    assert!(partly.contains("fra \u{2192} sin; 1 country: DE") && partly.contains(">shares of clients are"));
}

/// The list of moves has the known shares first, then the ways of the most countries.
#[test]
fn the_largest_moves_stand_first() {
    let lands = (0..30).map(|place| land("AA", "fra", &format!("p{place:02}")));
    let many = [land("BR", "sin", "zrh"), land("DE", "sin", "zrh")];
    let way = super::super::scene::Way { from: "x".to_owned(), to: "y".to_owned(), shares: "9 %".to_owned() };
    let lands = lands.chain(many).collect();
    let text = svg(&Scene { is_change: true, lands, ways: Some(vec![way]), ..scene() });
    let places =
        ["x \u{2192} y: 9 %", "sin \u{2192} zrh; 2 countries: BR DE", "fra \u{2192} p00", "and 12 more"];
    let places = places.map(|words| text.find(words).unwrap_or_else(|| panic!("{words}\n{text}")));
    assert!(places.is_sorted(), "{places:?}");
}

/// Three hundred PoPs: the numbers of the legend stand beside their swatches, and large countries
/// have their numbers although the names of PoPs do not all have room.
#[test]
fn countries_of_many_pops_have_numbers() {
    let place = |index: u32| (f64::from(index * 37 % 120) - 55.0, f64::from(index * 101 % 340) - 170.0);
    let sites = (0..300).map(|index| site(&format!("p{index:03}"), place(index).0, place(index).1, false));
    let lands = ["RU", "CA", "BR", "AU", "CN"].map(|country| land(country, "p007", "p007"));
    let text = svg(&Scene { sites: sites.collect(), lands: lands.to_vec(), ..scene() });
    let (_, numbers) = text.rsplit_once("<g text-anchor=\"middle\"").expect("numbers");
    let (numbers, legend) = numbers.split_once("</g>").expect("their end");
    assert_eq!(numbers.matches(">8</text>").count(), 5, "{numbers}");
    assert!(text.contains(">8 p007</text>"), "the PoP that leads has its name");
    let lines: Vec<&str> = legend.lines().collect();
    let left = |line: &str| {
        let (_, x) = line.split_once(" x=\"")?;
        x.split('"').next()?.parse::<f64>().ok()
    };
    let entries = lines.windows(2).filter(|pair| pair[0].contains("width=\"24\""));
    let gaps =
        entries.filter_map(|pair| Some(left(pair[1])? - markup::width("300", 12.0) - left(pair[0])? - 24.0));
    let gaps: Vec<f64> = gaps.collect();
    assert_eq!(gaps.len(), 300, "300 PoPs");
    assert!(gaps.iter().all(|gap| *gap > 0.0), "{gaps:?}");
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
