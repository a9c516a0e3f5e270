//! `GET /v1/forecast`: the clients and the load that a supposition about PoPs would move, as the
//! dry run of an override predicts them.

use crate::control::Shown;
use crate::control::costly::{Asker, COSTLY};
use crate::control::explain::{supposed, together};
use crate::control::input::InQuery;
use crate::control::overrides;
use crate::control::protocol::error_code::ErrorCode;
use crate::control::protocol::forecast::{ForecastQuery, SupposedForecast};
use crate::control::protocol::names;
use crate::control::reply::{refused, reply};
use crate::explain::supposing;
use crate::impact::prediction::{self, FeedName, MeasuredLoad, MeasuredLoads};
use crate::shared::operator_view::OperatorView;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;

/// `GET /v1/forecast`: 400 for a PoP that does not exist, 503 if enough requests of the client
/// wait.
pub(crate) async fn page(
    State(shown): State<Shown>,
    asker: Asker,
    InQuery(query): InQuery<ForecastQuery>,
) -> Response {
    match COSTLY.run(asker, move || forecast(&shown, &query)).await {
        Ok(Ok(forecast)) => reply(StatusCode::OK, forecast),
        Ok(Err(sentence)) => refused(ErrorCode::BadRequest, &sentence),
        Err(refusal) => refusal,
    }
}

fn forecast(shown: &Shown, query: &ForecastQuery) -> Result<SupposedForecast, String> {
    let (snapshot, operator_view) = together(shown);
    let supposed = supposed(names(&query.down), names(&query.up), names(&query.drain))?;
    let laid_over = supposing(&snapshot, &supposed)?;
    let after = laid_over.as_ref().unwrap_or(&snapshot);
    let counted = shown.shared.published.decisions();
    let prediction = prediction::predict(&snapshot, after, counted.by_pop(), &measured(&operator_view));
    Ok(SupposedForecast { sequence: snapshot.sequence(), forecast: overrides::forecast(&prediction) })
}

/// Measured loads, of feeds that are not stale.
fn measured(view: &OperatorView) -> MeasuredLoads {
    let feeds = view.pops.iter().flat_map(|pop| pop.feeds.iter().map(move |feed| (pop, feed)));
    let fresh = feeds.filter(|(_, feed)| !feed.is_stale);
    let measured = fresh.filter_map(|(pop, feed)| {
        let name = FeedName { pop: pop.name.clone(), service: feed.service.clone() };
        Some((name, MeasuredLoad { load: feed.load?, capacity: feed.capacity }))
    });
    measured.collect()
}
