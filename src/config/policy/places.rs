//! Conditions that match no client: codes that are not places, and conditions that exclude each
//! other.
//!
//! A country code that ISO 3166-1 does not have is an error if the condition has only such codes,
//! unless an operator network assigns it to its clients. Facts from the tables of this program
//! (continents, subdivisions) give warnings, because the registers change.

use crate::config::doubts::Claim;
use crate::config::scalar::plain;
use crate::config::table::nearest;
use crate::config::tree::Node;
use crate::config::world::World;
use crate::finding::{At, Finding, Findings, Severity, code};
use crate::geo::iso3166::{self, Standing};
use crate::geo::lands::Lands;
use crate::geo::place::{Country, Subdivision};
use crate::geo::territories;
use crate::steer::overlap::apart_by_continent;
use crate::steer::rule::When;

/// Reports codes of a condition that are not countries, unless loaded data have them. If the
/// condition has no other code, it can never match.
pub(super) fn countries(list: &[Node], world: &World) {
    let read = |node: &Node| plain(node).and_then(Country::from_code);
    let is_all_dead = world.networks_known
        && list.iter().all(|node| read(node).is_some_and(|country| is_dead(country, world)));
    for node in list {
        let Some(country) = read(node) else { continue };
        if let Some(finding) = no_country(country, node.at, world) {
            let all = list.iter().filter_map(read).collect();
            world.doubt(graver(finding, is_all_dead), Claim::NoCountry(country, all));
        }
    }
}

/// True if no client can be in the country: ISO 3166-1 has no such code, and no operator network
/// assigns it to its clients.
fn is_dead(country: Country, world: &World) -> bool {
    let of_network = world.networks.iter().any(|network| network.country == Some(country));
    iso3166::standing(country) == Standing::Nothing && !of_network
}

/// Raises the finding to an error if the condition as a whole can never match.
fn graver(mut finding: Finding, is_all_dead: bool) -> Finding {
    if is_all_dead {
        finding.severity = Severity::Error;
    }
    finding
}

/// Finding about a code that is not a country; `None` for a country.
fn no_country(country: Country, at: At, world: &World) -> Option<Finding> {
    if world.networks.iter().any(|network| network.country == Some(country)) {
        return None;
    }
    match iso3166::standing(country) {
        Standing::Country => None,
        Standing::OfUsers => Some(
            Finding::warning(
                code::BAD_PLACE,
                format!("`{country}` is a code that ISO 3166-1 leaves to its users"),
            )
            .at(at, "matches only if one of your databases has it"),
        ),
        Standing::Nothing => {
            let finding =
                Finding::warning(code::BAD_PLACE, format!("`{country}` is not a country of ISO 3166-1"))
                    .at(at, "no database has it");
            Some(match (country.code(), iso3166::meant(country)) {
                ("EU", _) => finding.help("did you mean `continent: EU`?"),
                ("AP", _) => finding.help("did you mean `continent: [AS, OC]`?"),
                ("XX" | "ZZ", _) => finding.help(
                    "clients of an unknown country match no country: remove the rule, and use the policy's \
                     `default` for them",
                ),
                (_, Some(meant)) => finding.help(format!("did you mean `{meant}`?")),
                _ => finding.help("https://www.iso.org/obp/ui/ lists the codes in use"),
            })
        }
    }
}

/// Reports subdivisions of a condition that ISO 3166-2 does not have.
pub(super) fn subdivisions(list: &[Node], world: &World, out: &mut Findings) {
    let read = |node: &Node| {
        let (country, subdivision) = plain(node)?.split_once('-')?;
        Some((Country::from_code(country)?, Subdivision::from_code(subdivision)?))
    };
    let is_all_dead = world.networks_known
        && list.iter().all(|node| read(node).is_some_and(|(country, _)| is_dead(country, world)));
    for node in list {
        let Some((country, subdivision)) = read(node) else { continue };
        let of_network = world
            .networks
            .iter()
            .any(|network| (network.country, network.subdivision) == (Some(country), Some(subdivision)));
        if of_network || territories::find(country, subdivision).is_some() {
            continue;
        }
        if let Some(finding) = no_country(country, node.at, world) {
            let all = list.iter().filter_map(read).map(|(country, _)| country).collect();
            world.doubt(graver(finding, is_all_dead), Claim::NoCountry(country, all));
        } else if iso3166::has_subdivision(country, subdivision) == Some(false) {
            let all: Vec<String> =
                iso3166::subdivisions_of(country).iter().map(|code| format!("{country}-{code}")).collect();
            let written = format!("{country}-{subdivision}");
            let finding =
                Finding::warning(code::BAD_PLACE, format!("`{written}` is not a subdivision of ISO 3166-2"))
                    .at(node.at, "few databases have it");
            out.push(match nearest(&written, all.iter().map(String::as_str)) {
                Some(near) => finding.help(format!("did you mean `{near}`?")),
                None => finding.help(format!("{country} has {}", all.join(" "))),
            });
        }
    }
}

/// Reports conditions of one map that exclude each other.
pub(super) fn contradictions(when: &When, at: At, world: &World, out: &mut Findings) {
    let never = |severity: Severity, words: String| {
        let finding = Finding::warning(code::UNREACHABLE_RULE, "these conditions never match together");
        let finding = Finding { severity, ..finding };
        finding.at(at, words).help("all keys of a `when` must match; write two rules for alternatives")
    };
    let is_within = |country: &Country, (of, subdivision): &(Country, Subdivision)| {
        country == of || territories::own_country(*of, &[*subdivision]) == *country
    };
    let pairs =
        || when.country.iter().flat_map(|country| when.subdivision.iter().map(move |of| (country, of)));
    if pairs().next().is_some() && !pairs().any(|(country, of)| is_within(country, of)) {
        let (of, subdivision) = when.subdivision[0];
        out.push(never(Severity::Error, format!("{of}-{subdivision} is not in {}", when.country[0])));
    }
    // Without data, the table of this program decides. Databases may withdraw the finding later.
    if let Some(country) = apart_by_continent(when, &Lands::default()) {
        let words = format!("{country} is not in {}", when.continent[0].code());
        world.doubt(never(Severity::Warning, words), Claim::Never(when.clone()));
    }
}
