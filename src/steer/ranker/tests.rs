//! Preference lists of one policy over five PoPs, as rows: a policy, a place, and its list.

use super::bands::BAND_FLOOR_M;
use super::*;
use crate::finding::{At, FileId};
use crate::geo::place::Country;
use crate::steer::policy::LatencyBand;
use crate::steer::rule::When;
use proptest::prelude::*;

const AT: At = At { file: FileId(0), line: 1, column: 1, start: 0, end: 0 };
const NAMES: [&str; 5] = ["ams", "fra", "lhr", "nrt", "syd"];

fn coordinates(lat: f64, lon: f64) -> Coordinates {
    Coordinates::from_degrees(lat, lon).unwrap()
}

fn pops() -> Vec<Pop> {
    let at = [(52.37, 4.90), (50.11, 8.68), (51.51, -0.13), (35.68, 139.69), (-33.87, 151.21)];
    let pop = |(name, (lat, lon)): (&str, (f64, f64))| Pop {
        coordinates: Some(coordinates(lat, lon)),
        ..Pop::bare(name, At::whole(FileId(0)))
    };
    NAMES.into_iter().zip(at).map(pop).collect()
}

fn bands(text: &str) -> Bands {
    let pop = |name: &str| PopId(NAMES.iter().position(|n| *n == name).unwrap() as u16);
    let candidate = |name: &str| {
        if name.ends_with('.') {
            Candidate::Cname(Name::parse(name, None).unwrap())
        } else {
            Candidate::Pop(pop(name))
        }
    };
    text.split_whitespace().map(|band| band.split('=').map(candidate).collect()).collect()
}

fn policy(candidates: &str, order: Order, band: BandWidth) -> Policy {
    Policy { band, ..Policy::bare(bands(candidates), order, AT) }
}

fn rule(country: &str, target: RuleTarget, fence: bool) -> Rule {
    Rule {
        when: When { country: vec![Country::from_code(country).unwrap()], ..When::default() },
        target,
        is_listed: true,
        order: Some(Order::Listed),
        band: None,
        weights: None,
        ttl: None,
        answers: None,
        when_all_down: None,
        fence,
        at: AT,
    }
}

fn place(lat: f64, lon: f64, country: &str) -> Place {
    Place {
        coordinates: Some(coordinates(lat, lon)),
        country: Country::from_code(country),
        ..Place::default()
    }
}

/// A preference list as text: bands apart by a blank, equals joined by `=`, `...` if the tail
/// follows.
fn shown(ranker: &Ranker<'_>, preference_list: &PreferenceList) -> String {
    let mut text = String::new();
    let mut band = None;
    for entry in &preference_list.entries {
        text.push_str(match band {
            None => "",
            Some(b) if b == entry.band => "=",
            Some(_) => " ",
        });
        band = Some(entry.band);
        match entry.target.split() {
            Ok(pop) => text.push_str(NAMES[pop.index()]),
            Err(index) => text.push_str(&ranker.cnames()[index].to_string()),
        }
    }
    if let Some(index) = preference_list.cname {
        text.push_str(&format!("CNAME {}", ranker.cnames()[usize::from(index)]));
    }
    if preference_list.tail { text + " ..." } else { text }
}

fn check(what: &str, policy: &Policy, pops: &[Pop], place: &Place, expected: &str) {
    let ranker = Ranker::new(policy, pops, None);
    assert_eq!(shown(&ranker, &ranker.preference_list(place, &[])), expected, "{what}");
}

const ALL: &str = "ams fra lhr nrt syd";

/// Distance decides, and a band makes equals of those near the best of the band.
#[test]
fn orders_and_bands() {
    let pops = pops();
    let berlin = place(52.52, 13.40, "DE");
    let rows = [
        (
            "by distance, no bands",
            policy(ALL, Order::Nearest, BandWidth::None),
            &berlin,
            "fra ams lhr nrt syd ...",
        ),
        (
            "50 km more than the best is an equal whatever the per cent",
            policy(ALL, Order::Nearest, BandWidth::Percent(0)),
            &berlin,
            "fra ams lhr nrt syd ...",
        ),
        (
            "Amsterdam is 36 % further than Frankfurt",
            policy(ALL, Order::Nearest, BandWidth::Percent(30)),
            &berlin,
            "ams=fra lhr nrt syd ...",
        ),
        (
            "ten times as far is an equal",
            policy(ALL, Order::Nearest, BandWidth::Percent(1_000)),
            &berlin,
            "ams=fra=lhr nrt=syd ...",
        ),
        (
            "as listed, wherever the client is",
            policy("syd lhr=fra nrt", Order::Listed, BandWidth::None),
            &berlin,
            "syd fra=lhr nrt ...",
        ),
        (
            "nobody knows where the client is: as listed",
            policy("syd lhr=fra nrt", Order::Nearest, BandWidth::None),
            &Place::default(),
            "syd fra=lhr nrt ...",
        ),
        (
            "a CNAME has no place and comes last",
            policy("x.example. fra ams", Order::Nearest, BandWidth::None),
            &berlin,
            "fra ams x.example. ...",
        ),
    ];
    for (what, policy, place, expected) in rows {
        check(what, &policy, &pops, place, expected);
    }
}

/// The date line and the poles are no edges.
#[test]
fn the_earth_is_round() {
    let pops = pops();
    let rows = [
        ("east of the date line, Sydney is near", place(-18.0, -178.0, "FJ"), "syd nrt"),
        ("west of it as well", place(-18.0, 178.0, "FJ"), "syd nrt"),
        ("at the north pole, the northernmost", place(90.0, 0.0, "NO"), "ams lhr"),
        ("whatever its longitude", place(90.0, 139.0, "NO"), "ams lhr"),
        ("at the south pole, the southernmost", place(-90.0, 0.0, "AQ"), "syd nrt"),
    ];
    for (what, place, first) in rows {
        let policy = policy(ALL, Order::Nearest, BandWidth::None);
        let ranker = Ranker::new(&policy, &pops, None);
        let text = shown(&ranker, &ranker.preference_list(&place, &[]));
        assert!(text.starts_with(first), "{what}: {text}");
    }
}

/// PoPs at one place always share; a bias pushes one of them away; a tie goes by name.
#[test]
fn one_place_and_bias() {
    let berlin = place(52.52, 13.40, "DE");
    let nearest = policy(ALL, Order::Nearest, BandWidth::None);
    let mut twins = pops();
    twins[0].coordinates = twins[1].coordinates;
    check("two in Frankfurt", &nearest, &twins, &berlin, "ams=fra lhr nrt syd ...");
    twins[0].bias_km = 10;
    check("one of them is pushed away", &nearest, &twins, &berlin, "fra ams lhr nrt syd ...");
    twins[0].bias_km = -10;
    check("one of them is pulled near", &nearest, &twins, &berlin, "ams fra lhr nrt syd ...");
    let mut biased = pops();
    biased[1].bias_km = 5_000;
    check("Frankfurt is 5,000 km further", &nearest, &biased, &berlin, "ams lhr fra nrt syd ...");
}

/// Rules: the first that matches wins; the policy goes on behind it, unless there is a fence.
#[test]
fn rules() {
    let pops = pops();
    let berlin = place(52.52, 13.40, "DE");
    let with = |rules: Vec<Rule>| Policy { rules, ..policy(ALL, Order::Nearest, BandWidth::None) };
    let to = |text: &str| RuleTarget::Candidates(bands(text));
    let nearest = |rule: Rule| Rule { order: Some(Order::Nearest), ..rule };
    let rows = [
        ("another country", with(vec![rule("FR", to("syd"), false)]), "fra ams lhr nrt syd ..."),
        (
            "the rule's PoPs, then the policy's order without them",
            with(vec![rule("DE", to("syd=nrt lhr"), false)]),
            "nrt=syd lhr fra ams ...",
        ),
        ("a fence has nothing behind it", with(vec![rule("DE", to("syd lhr"), true)]), "syd lhr"),
        (
            "the first that matches",
            with(vec![rule("DE", to("lhr"), true), rule("DE", to("syd"), true)]),
            "lhr",
        ),
        ("a rule of its own order", with(vec![nearest(rule("DE", to("syd lhr fra"), true))]), "fra lhr syd"),
        (
            "a CNAME answers alone",
            with(vec![rule("DE", RuleTarget::Cname(Name::parse("y.example.", None).unwrap()), false)]),
            "CNAME y.example.",
        ),
    ];
    for (what, policy, expected) in rows {
        check(what, &policy, &pops, &berlin, expected);
    }
}

/// What a rule leaves open is as the policy says.
#[test]
fn settings_are_inherited() {
    let pops = pops();
    let mut policy = policy(ALL, Order::Listed, BandWidth::None);
    policy.weights = vec![(PopId(0), 7)];
    let mut changed = rule("DE", RuleTarget::Policy, false);
    changed.answers = Some(3);
    changed.weights = Some(vec![(PopId(1), 9)]);
    changed.when_all_down = Some(WhenAllDown::ServFail);
    policy.rules = vec![changed];
    let ranker = Ranker::new(&policy, &pops, None);
    let (german, other) = (
        ranker.preference_list(&place(0.0, 0.0, "DE"), &[]),
        ranker.preference_list(&place(0.0, 0.0, "FR"), &[]),
    );
    let weights = |preference_list: &PreferenceList| {
        [preference_list.entries[0].weight, preference_list.entries[1].weight]
    };
    assert_eq!(
        (german.answers, german.when_all_down, weights(&german)),
        (3, AllDown::ServFail, [OWN_WEIGHT, 9])
    );
    assert_eq!((other.answers, other.when_all_down, weights(&other)), (1, AllDown::AsIfUp, [7, OWN_WEIGHT]));
    assert_eq!(german.ttl, other.ttl);
}

/// A list stops at `depth`; a bound on distance spares the first band and cuts the tail off.
#[test]
fn depth_and_bound() {
    let pops = pops();
    let berlin = place(52.52, 13.40, "DE");
    let mut shallow = policy(ALL, Order::Nearest, BandWidth::None);
    shallow.depth = 2;
    check("two and the tail", &shallow, &pops, &berlin, "fra ams ...");
    shallow.band = BandWidth::Percent(1_000);
    check("a band is cut at depth, nearest first", &shallow, &pops, &berlin, "ams=fra ...");
    let mut written = policy("ams=fra=lhr nrt=syd", Order::Listed, BandWidth::None);
    for (depth, expected) in [(2, "ams=fra=lhr ..."), (3, "ams=fra=lhr ..."), (4, "ams=fra=lhr nrt=syd ...")]
    {
        written.depth = depth;
        check("but of a written one all share", &written, &pops, &berlin, expected);
    }
    let behind = |depth, first: &str| {
        let rules = vec![rule("DE", RuleTarget::Candidates(bands(first)), false)];
        Policy { depth, rules, ..policy("ams=fra lhr nrt syd", Order::Listed, BandWidth::None) }
    };
    for (depth, first, expected) in
        [(2, "syd", "syd ams=fra ..."), (3, "ams", "ams fra lhr ..."), (1, "nrt syd", "nrt syd ...")]
    {
        check(
            "behind a rule's PoPs those that are not among them fill the list",
            &behind(depth, first),
            &pops,
            &berlin,
            expected,
        );
    }
    let mut bounded = policy(ALL, Order::Nearest, BandWidth::None);
    bounded.spill_max_km = Some(600);
    check("nobody is sent further than 600 km", &bounded, &pops, &berlin, "fra ams");
    check("but the best may be further", &bounded, &pops, &place(0.0, -120.0, "PF"), "syd");
}

/// Members are all candidates, those of rules too, each once.
#[test]
fn members() {
    let pops = pops();
    let mut policy = policy("fra ams", Order::Listed, BandWidth::None);
    policy.rules = vec![rule("DE", RuleTarget::Candidates(bands("ams syd")), false)];
    let members: Vec<&str> = Ranker::new(&policy, &pops, None)
        .members()
        .iter()
        .map(|e| NAMES[usize::from(e.target.split().unwrap().0)])
        .collect();
    assert_eq!(members, ["ams", "fra", "syd"]);
}

/// Bands cut the plain way: every distance is asked for, and all PoPs are ranked.
fn plainly(policy: &Policy, pops: &[Pop], from: Coordinates) -> Vec<(PopId, u16)> {
    let biased_m = |pop: PopId| {
        let pop = &pops[pop.index()];
        i64::from(great_circle_m(from, pop.coordinates.unwrap())) + i64::from(pop.bias_km) * 1000
    };
    let mut left: Vec<PopId> = (0..pops.len()).map(|number| PopId(number as u16)).collect();
    left.sort_by_key(|pop| (biased_m(*pop), *pop));
    let (mut listed, mut band) = (Vec::new(), 0);
    while let Some(best) = left.first().copied().filter(|_| listed.len() < usize::from(policy.depth)) {
        let best_m = biased_m(best);
        let is_equal = |pop: &PopId| match policy.band {
            BandWidth::Latency(LatencyBand { percent, .. }) | BandWidth::Percent(percent) => {
                biased_m(*pop) <= best_m + best_m.max(0) * i64::from(percent) / 100 + BAND_FLOOR_M
            }
            BandWidth::None => {
                biased_m(*pop) == best_m
                    && pops[pop.index()].coordinates == pops[usize::from(best.0)].coordinates
            }
        };
        let (mut equals, rest): (Vec<PopId>, Vec<PopId>) = left.into_iter().partition(is_equal);
        equals.truncate(usize::from(policy.depth) - listed.len());
        equals.sort();
        listed.extend(equals.into_iter().map(|pop| (pop, band)));
        (band, left) = (band + 1, rest);
    }
    listed
}

proptest! {
    /// Preference lists equal those of a plain sort, for every place, bias, band and depth. Few
    /// places make many ties.
    #[test]
    fn plans_are_those_of_the_plain_way(
        at in proptest::collection::vec(
            (-4..=4i32, -9..=9i32, prop_oneof![4 => Just(0), 1 => -900..900i32]),
            1..120,
        ),
        from in (-900_000..=900_000i32, -1_800_000..=1_800_000i32),
        grid in any::<bool>(),
        band in prop_oneof![Just(BandWidth::None), (0..300u16).prop_map(BandWidth::Percent)],
        depth in 1..=16u8,
    ) {
        let (lat_step, lon_step) = if grid { (200_000, 200_000) } else { (1_113, 977) };
        let pop = |(number, (lat, lon, bias_km)): (usize, (i32, i32, i32))| {
            let coordinates = Some(Coordinates { lat_e4: lat * lat_step, lon_e4: lon * lon_step });
            Pop { name: format!("n{number:03}").into(), coordinates, bias_km, ..pops().swap_remove(0) }
        };
        let pops: Vec<Pop> = at.into_iter().enumerate().map(pop).collect();
        let all = (0..pops.len()).map(|number| vec![Candidate::Pop(PopId(number as u16))]).collect();
        let policy = Policy { candidates: all, depth, ..policy("", Order::Nearest, band) };
        // On the grid a client may stand on a line of symmetry, where PoPs tie.
        let from = if grid { (from.0 / 100_000 * 100_000, from.1 / 100_000 * 100_000) } else { from };
        let from = Coordinates { lat_e4: from.0, lon_e4: from.1 };
        let preference_list = Ranker::new(&policy, &pops, None)
            .preference_list(&Place { coordinates: Some(from), ..Place::default() }, &[]);
        let listed: Vec<(PopId, u16)> =
            preference_list.entries.iter().map(|entry| (entry.target.split().unwrap(), entry.band)).collect();
        prop_assert_eq!(listed, plainly(&policy, &pops, from));
    }
}
