//! PoPs that a policy gives to the clients of each country, for a map.
//!
//! A snapshot has no networks of countries: its routes know leaves alone. So each country is ranked
//! as the compiler ranks a client with a known country alone: from its hub city
//! ([`hubs`]), without operator networks and RTTs. Clients whose networks the databases place
//! elsewhere may get other PoPs; `meridian explain` has the answer of one client.

use super::answered::Answered;
use crate::geo::hubs::{self, Hub};
use crate::geo::place::{Coordinates, Country, Place};
use crate::snapshot::Snapshot;
use crate::steer::choose::{Choice, NoChoiceTrace, choose};
use crate::steer::policy::PolicyId;
use crate::steer::ranker::Ranker;
use crate::wire::hash::mix;
use std::collections::BTreeMap;

/// Cells of each country that are asked: shares are right to a few per cent.
const CELLS: u64 = 64;

/// Country with the answers of its clients.
#[derive(Clone, Debug)]
pub(crate) struct CountryAnswers {
    /// Hub city of the country.
    pub(crate) hub: &'static Hub,
    /// Answers with their shares of the cells, the largest first.
    pub(crate) answers: Vec<(Answered, f64)>,
}

/// Answers of a policy to the clients of every country, in the state in service; `None` if there is
/// no such policy.
pub(crate) fn of_policy(snapshot: &Snapshot, policy: PolicyId) -> Option<Vec<CountryAnswers>> {
    let written = &snapshot.policies.get(policy.index())?.policy;
    let ranker = Ranker::new(written, &snapshot.pops, snapshot.identity.site.clone());
    let of_country = |hub: &'static Hub| {
        let place = Place {
            continent: Some(hub.continent),
            country: Country::from_code(hub.country),
            coordinates: Coordinates::from_degrees(hub.lat, hub.lon),
            ..Place::default()
        };
        CountryAnswers { hub, answers: answers(snapshot, policy, &ranker, &place) }
    };
    Some(hubs::all().iter().map(of_country).collect())
}

fn answers(
    snapshot: &Snapshot,
    policy: PolicyId,
    ranker: &Ranker<'_>,
    place: &Place,
) -> Vec<(Answered, f64)> {
    let (table, view) = (&snapshot.steering.policies[policy.index()], snapshot.status.view(policy));
    let preference_list = ranker.preference_list(place, &[]);
    let mut counts: BTreeMap<Answered, u64> = BTreeMap::new();
    for cell in 0..CELLS {
        let question = snapshot.question(table, &preference_list, view, None);
        let answered = match choose(question, &|| mix(cell, CELLS), &mut NoChoiceTrace).0 {
            Choice::Pop { pop, .. } => Answered::Pop(snapshot.steering.pops[pop.index()].name.clone()),
            Choice::Cname(cname) => {
                let target = table.cnames.get(usize::from(cname));
                Answered::Cname(target.map_or_else(String::new, ToString::to_string))
            }
            Choice::NoData | Choice::ServFail => Answered::Nothing,
        };
        *counts.entry(answered).or_default() += 1;
    }
    let mut answers: Vec<(Answered, f64)> =
        counts.into_iter().map(|(answered, count)| (answered, count as f64 / CELLS as f64)).collect();
    answers.sort_by(|(one, a), (other, b)| b.total_cmp(a).then_with(|| one.cmp(other)));
    answers
}
