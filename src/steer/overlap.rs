//! Conditions that cover all clients of another condition, and conditions that exclude each other,
//! as far as both are certain for every client that the databases could hold.

use super::rule::When;
use crate::geo::lands::Lands;
use crate::geo::place::{Continent, Country};
use crate::geo::territories;

/// True if every client that meets `inner` meets `outer` too.
pub(crate) fn covers(outer: &When, inner: &When, lands: &Lands) -> bool {
    country(outer, inner)
        && holds_all(&outer.subdivision, &inner.subdivision)
        && continent(outer, inner, lands)
        && holds_all(&outer.asn, &inner.asn)
        && holds_all(&outer.network, &inner.network)
        && holds_all(&outer.resolver_network, &inner.resolver_network)
        && holds_all(&outer.site, &inner.site)
        && outer.not.as_deref().is_none_or(|excluded| {
            inner.not.as_deref().is_some_and(|not| covers(not, excluded, lands)) || are_apart(excluded, inner)
        })
}

/// A list without members asks for nothing.
fn holds_all<T: PartialEq>(outer: &[T], inner: &[T]) -> bool {
    outer.is_empty() || (!inner.is_empty() && inner.iter().all(|member| outer.contains(member)))
}

fn country(outer: &When, inner: &When) -> bool {
    // A subdivision that is a territory may be written by its own country code alone.
    let of_subdivision = inner.subdivision.iter().all(|(of, part)| {
        let own = territories::own_country(*of, &[*part]);
        outer.country.contains(of) && outer.country.contains(&own)
    });
    holds_all(&outer.country, &inner.country) || (!inner.subdivision.is_empty() && of_subdivision)
}

/// A country lies on one continent, but for its territories.
fn continent(outer: &When, inner: &When, lands: &Lands) -> bool {
    let lies_on = |country: Country| {
        let continents = lands.continents_of(country);
        !continents.is_empty() && continents.iter().all(|one| outer.continent.contains(one))
    };
    let is_on = |country: Country| {
        let mut all = std::iter::once(country).chain(territories::of_country(country));
        all.all(lies_on)
    };
    let of_country = !inner.country.is_empty() && inner.country.iter().all(|country| is_on(*country));
    let mut parts = inner.subdivision.iter();
    let of_subdivision = !inner.subdivision.is_empty()
        && parts.all(|(of, part)| match territories::own_country(*of, &[*part]) {
            own if own == *of => lies_on(own),
            own => is_on(own),
        });
    holds_all(&outer.continent, &inner.continent) || of_country || of_subdivision
}

/// True if it is certain that no client can meet both.
fn are_apart(a: &When, b: &When) -> bool {
    let of_countries = |when: &When| -> Vec<Country> {
        let parts = when.subdivision.iter();
        match when.country.is_empty() {
            false => when.country.clone(),
            true => parts.flat_map(|(of, part)| [*of, territories::own_country(*of, &[*part])]).collect(),
        }
    };
    let (in_a, in_b) = (of_countries(a), of_countries(b));
    let is_part = |of: &Country, other: &Country| territories::of_country(*of).any(|own| own == *other);
    let meet = |x: &Country, y: &Country| x == y || is_part(x, y) || is_part(y, x);
    let no_country =
        !in_a.is_empty() && !in_b.is_empty() && !in_a.iter().any(|x| in_b.iter().any(|y| meet(x, y)));
    no_country
        || have_none_in_common::<Continent>(&a.continent, &b.continent)
        || have_none_in_common(&a.asn, &b.asn)
        || have_none_in_common(&a.site, &b.site)
}

fn have_none_in_common<T: PartialEq>(a: &[T], b: &[T]) -> bool {
    !a.is_empty() && !b.is_empty() && !a.iter().any(|member| b.contains(member))
}

/// First country of a condition that no client can meet, because all its countries, or all its
/// subdivisions, lie on other continents than the condition demands.
pub(crate) fn apart_by_continent(when: &When, lands: &Lands) -> Option<Country> {
    if when.continent.is_empty() {
        return None;
    }
    let of_subdivisions = when.subdivision.iter().map(|(of, part)| territories::own_country(*of, &[*part]));
    let lists: [Vec<Country>; 2] = [when.country.clone(), of_subdivisions.collect()];
    let is_elsewhere = |country: &Country| {
        let own = std::iter::once(*country).chain(territories::of_country(*country));
        let mut continents = own.map(|country| lands.continents_of(country));
        // A country of which nothing is known may be anywhere.
        continents.all(|of| !of.is_empty() && !of.iter().any(|one| when.continent.contains(one)))
    };
    let apart = lists.iter().find(|list| !list.is_empty() && list.iter().all(is_elsewhere));
    apart.and_then(|list| list.first()).copied()
}

#[cfg(test)]
mod tests;
