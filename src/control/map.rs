//! `GET /v1/map`: PoPs with position, state, health and load, and the answers of each country.

use crate::control::Shown;
use crate::control::costly::{Asker, COSTLY};
use crate::control::explain::{supposed, together};
use crate::control::input::InQuery;
use crate::control::pops::setting;
use crate::control::protocol::error_code::ErrorCode;
use crate::control::protocol::map::{Map, MapAnswer, MapCountry, MapPop, MapQuery};
use crate::control::protocol::names;
use crate::control::protocol::pops::EffectiveSetting;
use crate::control::reply::{body, quoted, refused, rendered, reply};
use crate::explain::supposing;
use crate::impact::answered::Answered;
use crate::impact::countries::{self, CountryAnswers};
use crate::shared::operator_view::{FeedView, OperatorView, PopView};
use crate::snapshot::Snapshot;
use crate::steer::policy::PolicyId;
use crate::steer::pop::Pop;
use crate::steer::pop_status::fraction;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use std::collections::HashMap;
use std::sync::Arc;

/// `GET /v1/map`: the PoPs alone are rendered once for all waiting readers. 404 if the query names
/// a policy that does not exist, 400 for a supposed PoP that does not exist, 503 if enough requests
/// of the client wait.
pub(crate) async fn page(
    State(shown): State<Shown>,
    asker: Asker,
    InQuery(query): InQuery<MapQuery>,
) -> Response {
    if query == MapQuery::default() {
        let pages = Arc::clone(&shown.pages);
        return rendered(pages.map.read(move || body(&pops(&shown))).await);
    }
    match COSTLY.run(asker, move || map(&shown, query)).await {
        Ok(Ok(map)) => reply(StatusCode::OK, map),
        Ok(Err((code, sentence))) => refused(code, &sentence),
        Err(refusal) => refusal,
    }
}

fn map(shown: &Shown, query: MapQuery) -> Result<Map, (ErrorCode, String)> {
    let (snapshot, operator_view) = together(shown);
    let supposed = supposed(names(&query.down), names(&query.up), names(&query.drain));
    let laid_over = supposed.and_then(|supposed| supposing(&snapshot, &supposed));
    let laid_over = laid_over.map_err(|sentence| (ErrorCode::BadRequest, sentence))?;
    let ranked = laid_over.as_ref().unwrap_or(&snapshot);
    let countries = match &query.policy {
        None => Vec::new(),
        Some(name) => {
            let place = snapshot.steering.policies.iter().position(|policy| *policy.name == **name);
            let answers = place.and_then(|place| countries::of_policy(ranked, PolicyId::at(place)));
            let sentence = || format!("there is no policy {}", quoted(name));
            answers.ok_or_else(|| (ErrorCode::NotFound, sentence()))?
        }
    };
    let map = of_pops(&snapshot, &operator_view);
    let countries = countries.iter().map(country).collect();
    Ok(Map { policy: query.policy.map(Into::into), countries, ..map })
}

/// Map without countries.
fn pops(shown: &Shown) -> Map {
    let (snapshot, operator_view) = together(shown);
    of_pops(&snapshot, &operator_view)
}

fn of_pops(snapshot: &Snapshot, operator_view: &OperatorView) -> Map {
    let written: HashMap<&str, &Pop> = snapshot.pops.iter().map(|pop| (&*pop.name, pop)).collect();
    let pops = operator_view.pops.iter();
    Map {
        sequence: snapshot.sequence(),
        pops: pops.map(|pop| map_pop(pop, written.get(&*pop.name).copied())).collect(),
        ..Map::default()
    }
}

/// PoP with its state and its entry in the file.
fn map_pop(view: &PopView, written: Option<&Pop>) -> MapPop {
    let at = written.and_then(|pop| pop.coordinates);
    MapPop {
        name: view.name.clone(),
        lat: at.map(|at| at.lat()),
        lon: at.map(|at| at.lon()),
        country: written.and_then(|pop| pop.country).map(|country| country.to_string()),
        effective: EffectiveSetting { setting: setting(view.state, view.weight), left: view.left },
        health: view.health.word().into(),
        in_service: view.in_service.word().into(),
        utilisation: utilisation(&view.feeds),
        shed_share: view.feeds.iter().map(|feed| fraction(feed.share)).fold(0.0, f64::max),
        ramp_left: fraction(view.ramp_left),
    }
}

/// Highest load of the feeds, divided by the capacity. An old reading is no load: it would look
/// like a present one.
fn utilisation(feeds: &[FeedView]) -> Option<f64> {
    let fresh = feeds.iter().filter(|feed| !feed.is_stale);
    fresh.filter_map(|feed| Some(feed.load? / feed.capacity)).reduce(f64::max)
}

/// Country with its answers, for programs.
pub(crate) fn country(of: &CountryAnswers) -> MapCountry {
    let answer = |(answered, share): &(Answered, f64)| MapAnswer {
        pop: match answered {
            Answered::Pop(pop) => Some(pop.clone()),
            Answered::Cname(_) | Answered::Nothing | Answered::Records => None,
        },
        answer: answered.to_string(),
        share: *share,
    };
    MapCountry {
        country: of.hub.country.to_owned(),
        city: of.hub.city.to_owned(),
        lat: of.hub.lat,
        lon: of.hub.lon,
        answers: of.answers.iter().map(answer).collect(),
    }
}

#[cfg(test)]
mod tests;
