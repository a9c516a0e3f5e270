//! Picture of an explained decision: `meridian explain --map`.

use crate::cli::map;
use crate::control::protocol::explain::Decision;
use crate::control::protocol::map::Map;
use crate::explain::ExplainQuery;
use crate::geo::place::Coordinates;
use crate::picture::scene::{Decided, Scene};
use crate::steer::view::Supposed;

/// Map of the decision's policy, with the client and its candidates. `state`: the state in which
/// the policy decided, in words.
pub(super) fn scene(asked: &ExplainQuery, decision: &Decision, of_policy: &Map, state: &str) -> Scene {
    let supposed = |name: &str| {
        let of = asked.supposed.iter().filter(|(other, _)| other == name).map(|(_, what)| *what);
        // A drain stands above results of probes; of these the last one counts.
        of.reduce(|before, what| if before == Supposed::Drain { before } else { what })
    };
    let chosen = decision.chosen.as_deref().unwrap_or("no PoP");
    let from = decision.lat.zip(decision.lon).and_then(|(lat, lon)| Coordinates::from_degrees(lat, lon));
    let place = match from {
        Some(_) => format!("{} candidates, in the order of `meridian explain`", decision.candidates.len()),
        None => "the place of the client is not known, so no lines are drawn".to_owned(),
    };
    Scene {
        title: format!("{} {}: {chosen}", asked.name, asked.rtype),
        notes: vec![
            format!("{}; policy {}", asked.words(), decision.policy),
            format!("{place}; countries pale, by this policy, {state}"),
        ],
        sites: of_policy.pops.iter().map(|pop| map::site(pop, supposed(&pop.name), None)).collect(),
        lands: of_policy.countries.iter().map(|country| map::land(country, country)).collect(),
        decided: Some(Decided {
            from,
            candidates: decision.candidates.iter().map(ToString::to_string).collect(),
            chosen: decision.chosen.as_deref().map(str::to_owned),
        }),
        ..Scene::default()
    }
}
