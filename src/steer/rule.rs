//! Rules: conditions on where a client is, and what they change in a policy.

use super::policy::{BandWidth, Bands, Order, Policy, TtlRange, Weights, WhenAllDown};
use crate::finding::At;
use crate::geo::place::{Continent, Country, Place, Subdivision};
use crate::geo::territories;
use crate::wire::name::Name;
use std::sync::Arc;

/// Input of a condition: the client's place, the networks of its resolver, and the site
/// of the answering node.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Circumstances<'a> {
    /// Place of the subject.
    pub(crate) place: &'a Place,
    /// Operator networks that hold the resolver's address, ascending.
    pub(crate) resolver_networks: &'a [u16],
    /// Site of the node.
    pub(crate) site: Option<&'a str>,
}

/// Conditions that must all hold; a list means any of its members.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct When {
    /// Countries.
    pub(crate) country: Vec<Country>,
    /// Subdivisions with their country (`US-CA`).
    pub(crate) subdivision: Vec<(Country, Subdivision)>,
    /// Continents.
    pub(crate) continent: Vec<Continent>,
    /// Autonomous systems.
    pub(crate) asn: Vec<u32>,
    /// Operator networks that hold the client, as indexes into the deployment's networks.
    pub(crate) network: Vec<u16>,
    /// Operator networks that hold the resolver.
    pub(crate) resolver_network: Vec<u16>,
    /// Sites of the answering node.
    pub(crate) site: Vec<Arc<str>>,
    /// Conditions that must not all hold.
    pub(crate) not: Option<Box<When>>,
}

impl When {
    /// True if every condition holds.
    pub(crate) fn matches(&self, of: Circumstances<'_>) -> bool {
        let place = of.place;
        let any = |list_is_empty: bool, hit: bool| list_is_empty || hit;
        // A territory is met by both of its codes: PR and US-PR.
        let own = if self.country.is_empty() { None } else { territories::of_place(place) };
        let is_in = |country: &Country| place.country == Some(*country) || own == Some(*country);
        let lies_in = |subdivision: &(Country, Subdivision)| {
            let written = place.country.map(|country| (country, &*place.subdivisions));
            written.is_some_and(|written| territories::lies_in(written, *subdivision))
        };
        any(self.country.is_empty(), self.country.iter().any(is_in))
            && any(self.subdivision.is_empty(), self.subdivision.iter().any(lies_in))
            && any(self.continent.is_empty(), place.continent.is_some_and(|c| self.continent.contains(&c)))
            && any(self.asn.is_empty(), place.asn.is_some_and(|a| self.asn.contains(&a)))
            && any(self.network.is_empty(), self.network.iter().any(|n| place.networks.contains(n)))
            && any(
                self.resolver_network.is_empty(),
                self.resolver_network.iter().any(|n| of.resolver_networks.contains(n)),
            )
            && any(self.site.is_empty(), of.site.is_some_and(|s| self.site.iter().any(|x| &**x == s)))
            && self.not.as_ref().is_none_or(|not| !not.matches(of))
    }

    /// The condition in the words of the file, such as `country: [DE, FR], not: { asn: 64500 }`;
    /// empty for a condition without keys. `networks` are the names of operator networks.
    pub(crate) fn words(&self, networks: &[Arc<str>]) -> String {
        let network = |index: &u16| {
            networks.get(usize::from(*index)).map_or_else(|| index.to_string(), ToString::to_string)
        };
        let rows: [(&str, Vec<String>); 7] = [
            ("country", self.country.iter().map(ToString::to_string).collect()),
            ("subdivision", self.subdivision.iter().map(|(country, of)| format!("{country}-{of}")).collect()),
            ("continent", self.continent.iter().map(|continent| continent.code().to_owned()).collect()),
            ("asn", self.asn.iter().map(ToString::to_string).collect()),
            ("network", self.network.iter().map(network).collect()),
            ("resolver_network", self.resolver_network.iter().map(network).collect()),
            ("site", self.site.iter().map(ToString::to_string).collect()),
        ];
        let one = |(key, values): &(&str, Vec<String>)| match &values[..] {
            [] => None,
            [value] => Some(format!("{key}: {value}")),
            values => Some(format!("{key}: [{}]", values.join(", "))),
        };
        let not = self.not.as_ref().map(|not| format!("not: {{ {} }}", not.words(networks)));
        rows.iter().filter_map(one).chain(not).collect::<Vec<_>>().join(", ")
    }

    /// Every operator network that a `resolver_network` condition names, here or under `not`.
    pub(crate) fn resolver_networks(&self) -> Vec<u16> {
        let mut all = self.resolver_network.clone();
        all.extend(self.not.iter().flat_map(|not| not.resolver_networks()));
        all
    }
}

/// Target of a rule.
#[derive(Clone, Debug)]
pub(crate) enum RuleTarget {
    /// The policy's own candidates; the rule only changes other settings.
    Policy,
    /// These candidates first.
    Candidates(Bands),
    /// Another name, for every type.
    Cname(Name),
    /// Another policy (`use`): its rules, order, bands, weights, TTL, number of addresses and
    /// fallback apply, but with the service of the policy that answers. A chain of `use` never
    /// leads back.
    Use(Arc<Policy>),
}

impl RuleTarget {
    /// The other policy.
    pub(crate) fn used(&self) -> Option<&Arc<Policy>> {
        match self {
            RuleTarget::Use(policy) => Some(policy),
            RuleTarget::Policy | RuleTarget::Candidates(_) | RuleTarget::Cname(_) => None,
        }
    }

    /// The rule's own candidates.
    pub(crate) fn candidates(&self) -> Option<&Bands> {
        match self {
            RuleTarget::Candidates(bands) => Some(bands),
            RuleTarget::Policy | RuleTarget::Cname(_) | RuleTarget::Use(_) => None,
        }
    }

    /// Clients keep the policy's own candidates.
    pub(crate) fn is_policy(&self) -> bool {
        match self {
            RuleTarget::Policy => true,
            RuleTarget::Candidates(_) | RuleTarget::Cname(_) | RuleTarget::Use(_) => false,
        }
    }
}

/// A rule. What it leaves open (`None`) is as the policy says.
#[derive(Clone, Debug)]
pub(crate) struct Rule {
    /// When it applies.
    pub(crate) when: When,
    /// Its target.
    pub(crate) target: RuleTarget,
    /// True if its own candidates were written one by one, as [`Policy::is_listed`].
    pub(crate) is_listed: bool,
    /// Order of its candidates; a plain list means listed.
    pub(crate) order: Option<Order>,
    /// Rule for equals.
    pub(crate) band: Option<BandWidth>,
    /// Weights over the policy's.
    pub(crate) weights: Option<Weights>,
    /// TTL bounds.
    pub(crate) ttl: Option<TtlRange>,
    /// Most addresses of an answer.
    pub(crate) answers: Option<u8>,
    /// The answer when no candidate passes.
    pub(crate) when_all_down: Option<WhenAllDown>,
    /// True if nothing outside its candidates is ever served.
    pub(crate) fence: bool,
    /// Its place in the file.
    pub(crate) at: At,
}

#[cfg(test)]
mod tests;
