//! `policies.yaml`, and the policies of a zone file.

use super::*;
use crate::limits::{ANSWERS_MAX, LEAF_DEPTH_V4_MAX, LEAF_DEPTH_V6_MAX, LIST_DEPTH_MAX};

/// The file.
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
static ORDER: Shape = Shape::Choice(&["nearest", "listed", "latency"]);
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
    about: "How a steered name chooses among PoPs. A zone file may have `policies` too, for itself alone; \
        its own policy of the same \
            name comes before the shared one.",
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
    about: "Of a policy:",
    block: "",
    entries: &[
        entry(
            "pops",
            &CHOSEN,
            Absent::Words("required without `use`"),
            "who may answer: every PoP that offers the service, those with a tag, or these. A nested list is \
             a band of equals: \
             `[[fra, ams], lhr]`",
            "all",
        ),
        entry(
            "default",
            &LISTED,
            Absent::Words("as seen from the node's `site`, or as listed"),
            "the order for clients whose place nobody knows, of PoPs that are among `pops`; the others come \
             behind. Without it PoPs that are written as `all` or by a tag are ordered as seen from the \
             node's `site`, and a list stays as it is",
            "[fra]",
        ),
        aside(
            "use",
            &Shape::Text("a policy"),
            NONE,
            "instead of `pops`: [as another policy](#rules) but for its own rules, which come first. It \
             takes over `default`, `order`, `band`, \
             `weights`, `ttl`, `answers`, `when_all_down`, `depth` and `spill_max_km`, which may not be \
             written here",
            "nearest",
        ),
        entry(
            "service",
            &Shape::Text("a service"),
            Absent::Default("default"),
            "which address set of each PoP is answered",
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
            "PoPs this much farther than the best, and 50 km, are equals; to 1000%. With `order: latency` PoPs \
             this much slower than the best, or 5 ms",
            "10%",
        ),
        entry("weights", &WEIGHTS, Absent::Words("the PoPs' own"), "share among equals", "{ fra: 80 }"),
        entry(
            "share",
            &Shape::Choice(&["sticky", "random"]),
            Absent::Default("sticky"),
            "equals share by the client's network, or by chance",
            "sticky",
        ),
        entry(
            "ttl",
            &LIFE,
            Absent::Default("{ min: 30, max: 60 }"),
            "`max` while no change of state is due, which holds always without probes; towards `min` while a \
             state may change",
            "{ min: 20, max: 60 }",
        ),
        entry("answers", &ANSWERS, Absent::Default("1"), "addresses in an answer, all of one PoP", "1"),
        entry(
            "when_all_down",
            &WHEN_ALL_DOWN,
            Absent::Default("as_if_up"),
            "what is answered when nothing passes",
            "as_if_up",
        ),
        entry(
            "ecs",
            &SWITCH,
            Absent::Default("on"),
            "whether the client subnet is used; `off`: the resolver's address decides, scope 0",
            "on",
        ),
        entry(
            "depth",
            &Shape::Integer(1, LIST_DEPTH_MAX as i64),
            Absent::Default("8"),
            "PoPs of a preference list; a written band of equals is never cut; behind them the listed order",
            "8",
        ),
        entry(
            "cell_max_v4",
            &Shape::Integer(1, LEAF_DEPTH_V4_MAX as i64),
            Absent::Default("20"),
            "length of the IPv4 prefix that shares as one",
            "20",
        ),
        entry(
            "cell_max_v6",
            &Shape::Integer(1, LEAF_DEPTH_V6_MAX as i64),
            Absent::Default("40"),
            "the same for IPv6",
            "40",
        ),
        entry(
            "spill_max_km",
            &Shape::Integer(1, 20_040),
            NONE,
            "how far health or load may send a client, in kilometres",
            "3000",
        ),
        entry(
            "up_threshold",
            &Shape::Portion,
            Absent::Default("50%"),
            "addresses of a PoP, in a family, that must be up, 1% to 100%; with fewer the PoP is passed over",
            "50%",
        ),
        entry(
            "panic",
            &Shape::Either(&[Shape::Choice(&["off"]), Shape::Map(&PANIC)]),
            Absent::Default("{ share: 50%, window: 30s, hold: 60s }"),
            "when it distrusts its probes, if it has three PoPs or more; its numbers also bound the way back \
             from all down",
            "{ share: 50%, window: 30s, hold: 60s }",
        ),
        entry(
            "expose_pops",
            &SWITCH,
            Absent::Default("off"),
            "`<pop>.<owner>` names for each PoP that it can answer with, to find faults and to let clients \
             retry: all its addresses, \
             whatever its state. Owners that are wildcards have none",
            "off",
        ),
        entry(
            "rules",
            &Shape::AnyList(&Shape::Map(&RULE)),
            NONE,
            "[rules](#rules); the first that matches decides",
            "\n- { when: { country: [DE, AT] }, pops: [fra] }\n- { when: { network: office }, answers: 2 }",
        ),
    ],
    others: Others::None,
    notes: "",
};

static PANIC: KeySection = KeySection {
    id: "panic",
    title: "",
    about: "Of `panic` that is a map:",
    block: "",
    entries: &[
        entry(
            "share",
            &Shape::Portion,
            Absent::Default("50%"),
            "if probes take down more than this of its PoPs, or of their capacity where all have one; 100% \
             never",
            "50%",
        ),
        entry("window", &TIME, Absent::Default("30s"), "within this time,", "30s"),
        entry(
            "hold",
            &TIME,
            Absent::Default("60s"),
            "it goes on as before for this long, and only then believes them",
            "60s",
        ),
    ],
    others: Others::None,
    notes: "",
};

static CANDIDATES: KeySection = KeySection {
    id: "candidates",
    title: "",
    about: "Of `pops` that is a map:",
    block: "",
    entries: &[
        entry("tag", &Shape::Text("a tag"), NONE, "the PoPs that carry it", "eu"),
        entry("cname", &NAME, NONE, "a CNAME instead of PoPs; also a member of a list", "other-cdn.example."),
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
    about: "Of `ttl` that is a map; the one that is left out is as the default, or as the other where that \
        would cross it:",
    block: "",
    entries: &[
        entry("min", &DNS_TIME, Absent::Default("30"), "while a change of state is near", "20"),
        entry("max", &DNS_TIME, Absent::Default("60"), "while no change of state is due", "60"),
    ],
    others: Others::None,
    notes: "",
};

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
    about: "Of `when_all_down` that is a map:",
    block: "",
    entries: &[entry("cname", &NAME, REQUIRED, "this CNAME is answered", "other-cdn.example.")],
    others: Others::None,
    notes: "",
};

static RULE: KeySection = KeySection {
    id: "rule",
    title: "Rules",
    about: "The first rule whose `when` matches decides; what it leaves out is as the policy says. With \
        `use` these clients are treated as \
            another policy would treat them: its rules, order, bands, weights, TTL, number of answers, \
            fallback and fences hold, and nobody \
            outside it answers. The service, `share`, `ecs`, cells, `up_threshold` and `panic` stay those of \
            the policy that a name is \
            steered by, and every PoP of the other must have that service. Circles are refused.",
    block: "",
    entries: &[
        entry(
            "when",
            &Shape::Map(&WHEN),
            NONE,
            "[conditions](#conditions); left out, the rule matches everybody",
            "",
        ),
        entry(
            "pops",
            &CHOSEN,
            NONE,
            "these first. A list means `order: listed`; `all` and a tag keep the policy's order",
            "[fra]",
        ),
        entry(
            "cname",
            &NAME,
            NONE,
            "answer this CNAME instead, for every type. Either `pops` or `cname`",
            "other-cdn.example.",
        ),
        aside(
            "use",
            &Shape::Text("a policy"),
            NONE,
            "treat these clients as another policy would. Stands alone beside `when`",
            "nearest",
        ),
        entry(
            "fence",
            &SWITCH,
            Absent::Default("off"),
            "nothing outside the rule's PoPs is ever answered. Without it the policy's order goes on behind \
             them",
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
    about: "All keys must match; a list means any of its members.",
    block: "",
    entries: &[
        entry("country", &Shape::List(&COUNTRY), NONE, "the client's country", "[DE, AT]"),
        entry(
            "subdivision",
            &Shape::List(&SUBDIVISION),
            NONE,
            "a subdivision of any level, such as `US-CA`",
            "US-CA",
        ),
        entry(
            "continent",
            &Shape::List(&Shape::Choice(&["AF", "AN", "AS", "EU", "NA", "OC", "SA"])),
            NONE,
            "the client's continent",
            "EU",
        ),
        entry("asn", &Shape::List(&ASN), NONE, "the AS number, such as `64500` or `AS64500`", "64500"),
        entry(
            "network",
            &Shape::List(&Shape::Text("a network")),
            NONE,
            "the client is in one of these [networks](#networks)",
            "office",
        ),
        entry(
            "resolver_network",
            &Shape::List(&Shape::Text("a network")),
            NONE,
            "the resolver that asks is, whatever the client subnet",
            "office",
        ),
        entry("site", &Shape::List(&POP), NONE, "the node that answers stands there", "fra"),
        entry("not", &Shape::Map(&WHEN), NONE, "its content does not match", "{ asn: 64500 }"),
    ],
    others: Others::None,
    notes: "",
};
