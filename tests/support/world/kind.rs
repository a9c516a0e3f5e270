//! The kinds of questions that are measured in an ordinary deployment.

use Kind::*;

/// A kind of question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Static,
    StaticCookie,
    StaticNoData,
    Nxdomain,
    Wildcard,
    Referral,
    Dname,
    Mx,
    SteeredNoData,
    Https,
    SteeredWildcard,
    CnameTwo,
    OneV4,
    OneV6,
    OneResolver,
    TwoV4,
    TwoCookie,
    TwoV6,
    TwoOfFour,
    Shared,
    Nearest,
    Random,
    Fenced,
    CrossTwo,
    Mixture,
    TwoResolver,
    NearestSomeDown,
    TwoAllDown,
    SharedAllDown,
    NearestAllDown,
    OfCrowd,
    CrowdAllDown,
    Fastest,
}

impl Kind {
    /// Each kind with its key in files, its description, and its aim in instructions.
    pub const ROWS: [(Kind, &'static str, &'static str, Option<u64>); 32] = [
        (Static, "static", "static, 1 or 3 A", Some(700)),
        (StaticCookie, "static_cookie", "the same with a DNS cookie that is good", None),
        (StaticNoData, "static_no_data", "static, no data", Some(800)),
        (Nxdomain, "nxdomain", "NXDOMAIN", Some(800)),
        (Wildcard, "wildcard", "wildcard", Some(900)),
        (Referral, "referral", "referral with glue", Some(1_100)),
        (Dname, "dname", "DNAME", Some(1_500)),
        (Mx, "mx", "MX", Some(850)),
        (SteeredNoData, "steered_no_data", "steered, no data (TXT)", Some(950)),
        (Https, "https", "HTTPS, steered", Some(1_350)),
        (SteeredWildcard, "steered_wildcard", "steered wildcard, two", Some(1_300)),
        (CnameTwo, "cname_two", "CNAME to two, ECS", Some(1_350)),
        (OneV4, "one_ecs4", "one address, ECS IPv4", Some(1_000)),
        (OneV6, "one_ecs6", "one address, ECS IPv6", Some(1_150)),
        (OneResolver, "one_resolver", "one address, by resolver", Some(950)),
        (TwoV4, "two_ecs4", "two of two, ECS IPv4", Some(1_050)),
        (TwoCookie, "two_ecs4_cookie", "the same with a DNS cookie that is good", None),
        (TwoV6, "two_ecs6", "two of two, ECS IPv6", Some(1_200)),
        (TwoOfFour, "two_of_four", "two of four", Some(1_350)),
        (Shared, "shared", "shared by three PoPs", Some(1_350)),
        (Nearest, "nearest", "nearest with a band", Some(1_100)),
        (Random, "random", "share: random", Some(1_300)),
        (Fenced, "fenced", "rules and a fence, two", Some(1_150)),
        (CrossTwo, "cross_two", "CNAMEs over two zones to two", Some(1_600)),
        (Mixture, "mixture", "a mixture of ECS, chains and denials", None),
        (NearestSomeDown, "some_down_nearest", "nearest with a band, a third of the PoPs down", None),
        (TwoAllDown, "all_down_two", "two of two, all PoPs down", None),
        (SharedAllDown, "all_down_shared", "shared by three PoPs, all down", None),
        (NearestAllDown, "all_down_nearest", "nearest with a band, all PoPs down", None),
        (OfCrowd, "crowd", "nearest of many PoPs", None),
        (CrowdAllDown, "all_down_crowd", "nearest of many PoPs, all down", None),
        (Fastest, "fastest", "fastest by measurement with a band", None),
    ];

    /// Kinds by which whole servers are compared.
    pub const COMPARED: [Kind; 11] = [
        Static,
        Nxdomain,
        OneV4,
        OneResolver,
        TwoV4,
        TwoV6,
        TwoResolver,
        CnameTwo,
        CrossTwo,
        Shared,
        Mixture,
    ];

    /// Its key in files.
    pub fn word(self) -> &'static str {
        if self == TwoResolver {
            return "two_resolver";
        }
        Kind::ROWS.iter().find(|row| row.0 == self).map_or("", |row| row.1)
    }

    /// True if all addresses of this PoP are down by probes during the measurement.
    pub fn is_down(self, pop: usize) -> bool {
        match self {
            NearestSomeDown => pop.is_multiple_of(3),
            TwoAllDown | SharedAllDown | NearestAllDown | CrowdAllDown => true,
            _ => false,
        }
    }

    /// True if only a [`super::crowd::Crowd`] of PoPs is asked.
    pub fn is_of_crowd(self) -> bool {
        matches!(self, OfCrowd | CrowdAllDown)
    }

    /// True if the ordinary deployment alone answers it.
    pub fn is_ordinary(self) -> bool {
        !self.is_of_crowd() && self != Fastest
    }

    /// True if a policy decides, for some questions at least.
    pub fn is_steered(self) -> bool {
        self.policy().is_some() || self == Mixture
    }

    /// The policy that decides, if one does.
    pub fn policy(self) -> Option<&'static str> {
        Some(match self {
            SteeredNoData | OneV4 | OneV6 | OneResolver => "one",
            Https | SteeredWildcard | CnameTwo | TwoV4 | TwoCookie | TwoV6 | TwoResolver | CrossTwo
            | TwoAllDown => "two",
            TwoOfFour => "four",
            Shared | SharedAllDown => "shared",
            Nearest | NearestSomeDown | NearestAllDown => "near",
            OfCrowd | CrowdAllDown => "crowd",
            Fastest => "fast",
            Random => "random",
            Fenced => "fenced",
            _ => return None,
        })
    }
}
