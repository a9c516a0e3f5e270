//! Rules that no client reaches, because an earlier rule of the policy takes all of their clients.

use super::rule::WrittenRule;
use crate::finding::{Finding, Findings, code};
use crate::geo::place::{Continent, Country};
use crate::geo::{hubs, territories};
use crate::steer::rule::When;

/// Tells each rule that can never match.
pub(super) fn check(rules: &[WrittenRule], out: &mut Findings) {
    for (index, rule) in rules.iter().enumerate() {
        let when = &rule.rule.when;
        let earlier = rules.iter().take(index).find(|earlier| covers(&earlier.rule.when, when));
        let finding = Finding::warning(code::UNREACHABLE_RULE, "this rule can never match");
        if let Some(earlier) = earlier {
            let words = if earlier.rule.when == When::default() {
                "this rule matches everybody"
            } else if earlier.rule.when == *when {
                "this rule has the same conditions"
            } else {
                "this rule takes all of its clients"
            };
            out.push(
                finding
                    .at(rule.rule.at, "never reached")
                    .related(earlier.rule.at, words)
                    .help("the first rule that matches wins"),
            );
        } else if when.not.as_deref() == Some(&When::default()) {
            out.push(finding.at(rule.rule.at, "`not: {}` excludes everybody"));
        } else if let Some(not) = &when.not
            && covers(not, &When { not: None, ..when.clone() })
        {
            out.push(finding.at(rule.rule.at, "its `not` excludes every client that it names"));
        }
    }
}

/// Whether every client that meets `inner` meets `outer` too.
fn covers(outer: &When, inner: &When) -> bool {
    country(outer, inner)
        && holds_all(&outer.subdivision, &inner.subdivision)
        && continent(outer, inner)
        && holds_all(&outer.asn, &inner.asn)
        && holds_all(&outer.network, &inner.network)
        && holds_all(&outer.resolver_network, &inner.resolver_network)
        && holds_all(&outer.site, &inner.site)
        && outer.not.as_deref().is_none_or(|excluded| {
            inner.not.as_deref().is_some_and(|not| covers(not, excluded)) || are_apart(excluded, inner)
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
fn continent(outer: &When, inner: &When) -> bool {
    let is_on = |country: Country| {
        let all = std::iter::once(country).chain(territories::of_country(country));
        let mut continents = all.map(hubs::continent_of);
        continents.all(|continent| continent.is_some_and(|continent| outer.continent.contains(&continent)))
    };
    let of_country = !inner.country.is_empty() && inner.country.iter().all(|country| is_on(*country));
    let mut parts = inner.subdivision.iter();
    let of_subdivision = !inner.subdivision.is_empty()
        && parts.all(|(of, part)| match territories::own_country(*of, &[*part]) {
            own if own == *of => hubs::continent_of(own).is_some_and(|c| outer.continent.contains(&c)),
            own => is_on(own),
        });
    holds_all(&outer.continent, &inner.continent) || of_country || of_subdivision
}

/// Whether no client can meet both: only what is certain.
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

#[cfg(test)]
mod tests;
