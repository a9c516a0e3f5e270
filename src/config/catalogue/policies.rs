//! Keys of `policies.yaml`, and of the policies of a zone file.

use super::*;
use crate::limits::{ANSWERS_MAX, LEAF_DEPTH_V4_MAX, LEAF_DEPTH_V6_MAX, LIST_DEPTH_MAX};
use crate::steer::policy::Order;

/// The policy file.
pub(super) const FILE: FileKind = FileKind {
    word: "policies",
    path: "policies.yaml",
    root: &POLICIES,
    sections: &[&POLICIES, &POLICY, &CANDIDATES, &LATENCY_BAND, &TTL, &PANIC, &ALL_DOWN, &RULE, &WHEN],
};

/// Policies by name.
pub(super) static NAMED: Shape = Shape::Names("policy", &Shape::Map(&POLICY));

static BAND_MEMBER: Shape = Shape::Either(&[Shape::Text("a PoP"), Shape::Map(&CANDIDATE)]);
static MEMBER: Shape =
    Shape::Either(&[Shape::Text("a PoP"), Shape::Map(&CANDIDATE), Shape::List(&BAND_MEMBER)]);
static LISTED: Shape = Shape::List(&MEMBER);
static CHOSEN: Shape =
    Shape::Either(&[Shape::Choice(&["all"]), Shape::Map(&CANDIDATES), Shape::List(&MEMBER)]);
static ORDER: Shape = Shape::Choice(&Order::WORDS);
static BAND: Shape =
    Shape::Either(&[Shape::Percent(0, 1_000), Shape::Choice(&["none"]), Shape::Map(&LATENCY_BAND)]);
static WEIGHTS: Shape = Shape::Names("PoP", &WEIGHT);
static LIFE: Shape = Shape::Either(&[Shape::Seconds(0, i32::MAX as u32), Shape::Map(&TTL)]);
static ANSWERS: Shape = Shape::Integer(1, ANSWERS_MAX as i64);
static WHEN_ALL_DOWN: Shape =
    Shape::Either(&[Shape::Choice(&["as_if_up", "nodata", "servfail", "last_good"]), Shape::Map(&ALL_DOWN)]);
static AS_POLICY: &str = "as in a policy, for these clients";
static OF_POLICY: Absent = Absent::Words("the policy's");

static POLICIES: KeySection = KeySection {
    id: "policies",
    title: "Policies",
    about: "A policy chooses among PoPs for steered names. A zone file may have `policies` of its own, which \
        only that zone uses; they take precedence over shared policies of the same name.",
    block: "yaml in policies
example:
  pops: all
  service: default
  order: nearest
  band: 10%
  weights: { fra: 80, ams: 20 }
  share: sticky
  ttl: { min: 20, max: 60 }
  answers: 2
  when_all_down: as_if_up
  ecs: on
  depth: 8
  cell_max_v4: 20
  cell_max_v6: 40
  up_threshold: 50%
  rules:
    - { when: { country: [CN, HK] }, pops: [[nrt, sin], bom] }
    - { when: { country: RU, not: { asn: 64500 } }, pops: { tag: eu }, fence: true }",
    entries: &[entry("policies", &NAMED, REQUIRED, "the policies, by name", "web")],
    others: Others::None,
    notes: "",
};

static POLICY: KeySection = KeySection {
    id: "policy",
    title: "",
    about: "Keys of a policy:",
    block: "",
    entries: &[
        entry(
            "pops",
            &CHOSEN,
            Absent::Words("required without `use`"),
            "the candidates: every PoP that offers the service, those with a tag, or a list. A list inside \
             the list is a band of equals: `[[fra, ams], lhr]`",
            "all",
        ),
        entry(
            "default",
            &LISTED,
            Absent::Words("as seen from the node's `site`, or as listed"),
            "PoPs of `pops` in the order for clients without a known place; the other PoPs follow. By \
             default, PoPs from `all` or a tag are ordered as seen from the node's `site`, and a list keeps \
             its order",
            "[fra]",
        ),
        aside(
            "use",
            &Shape::Text("a policy"),
            NONE,
            "instead of `pops`: [as another policy](#rules), except for this policy's own rules, which come \
             first. `default`, `order`, `band`, `weights`, `ttl`, `answers`, `when_all_down`, `depth` and \
             `spill_max_km` come from the other policy, and must not be written here",
            "nearest",
        ),
        entry(
            "service",
            &Shape::Text("a service"),
            Absent::Default("default"),
            "the service whose addresses are answered",
            "default",
        ),
        entry(
            "order",
            &ORDER,
            Absent::Default("nearest"),
            "by distance, as written, or by round-trip time as the latency map has it (by distance where it \
             has nothing)",
            "nearest",
        ),
        entry(
            "band",
            &BAND,
            Absent::Default("10%"),
            "PoPs are equals if they are at most this much farther than the nearest, plus 50 km; up to \
             1000%. With `order: latency`, if they are at most this much slower than the fastest, or 5 ms",
            "10%",
        ),
        entry("weights", &WEIGHTS, Absent::Words("the PoPs' own"), "shares among equals", "{ fra: 80 }"),
        entry(
            "share",
            &Shape::Choice(&["sticky", "random"]),
            Absent::Default("sticky"),
            "equals share clients by the client's network, or at random",
            "sticky",
        ),
        entry(
            "ttl",
            &LIFE,
            Absent::Default("{ min: 30, max: 60 }"),
            "`max` while no change of state is due (always, without probes); closer to `min` while a state \
             may change",
            "{ min: 20, max: 60 }",
        ),
        entry("answers", &ANSWERS, Absent::Default("1"), "addresses in an answer, all of one PoP", "1"),
        entry(
            "when_all_down",
            &WHEN_ALL_DOWN,
            Absent::Default("as_if_up"),
            "the answer when no candidate is usable",
            "as_if_up",
        ),
        entry(
            "ecs",
            &SWITCH,
            Absent::Default("on"),
            "use the client subnet; with `off`, the resolver's address decides, and the scope is 0",
            "on",
        ),
        entry(
            "depth",
            &Shape::Integer(1, LIST_DEPTH_MAX as i64),
            Absent::Default("8"),
            "number of PoPs in a preference list; a written band of equals is never cut. The listed order \
             follows the list",
            "8",
        ),
        entry(
            "cell_max_v4",
            &Shape::Integer(1, LEAF_DEPTH_V4_MAX as i64),
            Absent::Default("20"),
            "longest IPv4 prefix that moves as one when equals share clients",
            "20",
        ),
        entry(
            "cell_max_v6",
            &Shape::Integer(1, LEAF_DEPTH_V6_MAX as i64),
            Absent::Default("40"),
            "longest IPv6 prefix that moves as one when equals share clients",
            "40",
        ),
        entry(
            "spill_max_km",
            &Shape::Integer(1, 20_040),
            NONE,
            "longest distance, in kilometres, to which health or load may send a client",
            "3000",
        ),
        entry(
            "up_threshold",
            &Shape::Portion,
            Absent::Default("50%"),
            "share of a PoP's addresses of a family that must be up, 1% to 100%; below it, the PoP is passed \
             over",
            "50%",
        ),
        entry(
            "panic",
            &Shape::Either(&[Shape::Choice(&["off"]), Shape::Map(&PANIC)]),
            Absent::Default("{ share: 50%, window: 30s, hold: 60s }"),
            "when a policy with three or more PoPs distrusts its probes; the same numbers limit the way back \
             from a state with all PoPs down",
            "{ share: 50%, window: 30s, hold: 60s }",
        ),
        entry(
            "expose_pops",
            &SWITCH,
            Absent::Default("off"),
            "a name `<pop>.<owner>` for each PoP that the policy can answer, for debugging and client \
             retries. It has all addresses of the PoP, whatever the PoP's state. Wildcard owners get no such \
             names",
            "off",
        ),
        entry(
            "rules",
            &Shape::AnyList(&Shape::Map(&RULE)),
            NONE,
            "[rules](#rules); the first match decides",
            "\n- { when: { country: [DE, AT] }, pops: [fra] }\n- { when: { network: office }, answers: 2 }",
        ),
    ],
    others: Others::None,
    notes: "",
};

static PANIC: KeySection = KeySection {
    id: "panic",
    title: "",
    about: "Keys of `panic` as a map:",
    block: "",
    entries: &[
        entry(
            "share",
            &Shape::Portion,
            Absent::Default("50%"),
            "the guard acts when probes take down more than this share of the PoPs (by capacity, if all have \
             one); 100% means never",
            "50%",
        ),
        entry("window", &TIME, Absent::Default("30s"), "time within which the PoPs go down", "30s"),
        entry(
            "hold",
            &TIME,
            Absent::Default("60s"),
            "time for which the policy keeps its earlier answers before it believes the probes",
            "60s",
        ),
    ],
    others: Others::None,
    notes: "",
};

static CANDIDATES: KeySection = KeySection {
    id: "candidates",
    title: "",
    about: "Keys of `pops` as a map:",
    block: "",
    entries: &[
        entry("tag", &Shape::Text("a tag"), NONE, "the PoPs with this tag", "eu"),
        entry(
            "cname",
            &NAME,
            NONE,
            "a CNAME instead of PoPs, or as a member of a list",
            "other-cdn.example.",
        ),
    ],
    others: Others::None,
    notes: "",
};

static CANDIDATE: KeySection = KeySection {
    id: "candidate",
    title: "",
    about: "",
    block: "",
    entries: &[entry("cname", &NAME, REQUIRED, "a CNAME among PoPs", "other-cdn.example.")],
    others: Others::None,
    notes: "",
};

/// Bounds of a TTL.
pub(super) static TTL: KeySection = KeySection {
    id: "ttl",
    title: "",
    about: "Keys of `ttl` as a map. A missing key has its default, or the other key's value if the default \
        would contradict it:",
    block: "",
    entries: &[
        entry("min", &DNS_TIME, Absent::Default("30"), "TTL while a change of state is near", "20"),
        entry("max", &DNS_TIME, Absent::Default("60"), "TTL while no change of state is due", "60"),
    ],
    others: Others::None,
    notes: "",
};

/// Band of `order: latency`, in milliseconds and per cent.
pub(super) static LATENCY_BAND: KeySection = KeySection {
    id: "band",
    title: "",
    about: "Of `band` that is a map, with `order: latency` alone; the larger of both counts:",
    block: "",
    entries: &[
        entry("ms", &Shape::Integer(0, 3_000), Absent::Default("5"), "milliseconds", "5"),
        entry(
            "percent",
            &Shape::Integer(0, 1_000),
            Absent::Default("10"),
            "per cent of the lowest round-trip time of the band",
            "10",
        ),
    ],
    others: Others::None,
    notes: "",
};

static ALL_DOWN: KeySection = KeySection {
    id: "when_all_down",
    title: "",
    about: "Keys of `when_all_down` as a map:",
    block: "",
    entries: &[entry("cname", &NAME, REQUIRED, "the CNAME to answer", "other-cdn.example.")],
    others: Others::None,
    notes: "",
};

static RULE: KeySection = KeySection {
    id: "rule",
    title: "Rules",
    about: "The first rule whose `when` matches decides; its missing keys come from the policy. With `use`, \
        these clients are treated as by another policy: its rules, order, bands, weights, TTL, number of \
        answers, fallback and fences apply, and no candidate outside it is answered. The service, `share`, \
        `ecs`, cells, `up_threshold` and `panic` stay those of the policy that steers the name. Every PoP of \
        the other policy must offer the service. Circles are refused.",
    block: "",
    entries: &[
        entry(
            "when",
            &Shape::Map(&WHEN),
            NONE,
            "[conditions](#conditions); without them, the rule matches every client",
            "",
        ),
        entry(
            "pops",
            &CHOSEN,
            NONE,
            "candidates that come first. A list implies `order: listed`; `all` and a tag keep the policy's \
             order",
            "[fra]",
        ),
        entry(
            "cname",
            &NAME,
            NONE,
            "answer this CNAME instead, to every type; excludes `pops`",
            "other-cdn.example.",
        ),
        aside(
            "use",
            &Shape::Text("a policy"),
            NONE,
            "treat these clients as another policy does; allows no other key but `when`",
            "nearest",
        ),
        entry(
            "fence",
            &SWITCH,
            Absent::Default("off"),
            "never answer outside the rule's candidates. Without a fence, the policy's order follows them",
            "on",
        ),
        entry("order", &ORDER, OF_POLICY, AS_POLICY, "listed"),
        entry("band", &BAND, OF_POLICY, AS_POLICY, "none"),
        entry("weights", &WEIGHTS, OF_POLICY, AS_POLICY, "{ fra: 80 }"),
        entry("ttl", &LIFE, OF_POLICY, AS_POLICY, "20"),
        entry("answers", &ANSWERS, OF_POLICY, AS_POLICY, "2"),
        entry("when_all_down", &WHEN_ALL_DOWN, OF_POLICY, AS_POLICY, "nodata"),
    ],
    others: Others::None,
    notes: "",
};

static WHEN: KeySection = KeySection {
    id: "when",
    title: "Conditions",
    about: "All keys must match; a list matches if one of its members does.",
    block: "",
    entries: &[
        entry("country", &Shape::List(&COUNTRY), NONE, "the client's country", "[DE, AT]"),
        entry(
            "subdivision",
            &Shape::List(&SUBDIVISION),
            NONE,
            "the client's subdivision at any level, such as `US-CA`",
            "US-CA",
        ),
        entry(
            "continent",
            &Shape::List(&Shape::Choice(&["AF", "AN", "AS", "EU", "NA", "OC", "SA"])),
            NONE,
            "the client's continent",
            "EU",
        ),
        entry(
            "asn",
            &Shape::List(&ASN),
            NONE,
            "the client's AS number, such as `64500` or `AS64500`",
            "64500",
        ),
        entry(
            "network",
            &Shape::List(&Shape::Text("a network")),
            NONE,
            "[networks](#networks), one of which contains the client",
            "office",
        ),
        entry(
            "resolver_network",
            &Shape::List(&Shape::Text("a network")),
            NONE,
            "networks, one of which contains the resolver, whatever the client subnet",
            "office",
        ),
        entry("site", &Shape::List(&POP), NONE, "the site of the node that answers", "fra"),
        entry("not", &Shape::Map(&WHEN), NONE, "conditions that must not match together", "{ asn: 64500 }"),
    ],
    others: Others::None,
    notes: "",
};
