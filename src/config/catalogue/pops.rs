//! `pops.yaml`.

use super::*;
use crate::config::https::ALPN;

pub(super) const FILE: FileKind =
    FileKind { word: "pops", path: "pops.yaml", root: &POPS, sections: &[&POPS, &POP_MAP, &AT, &ADDRESS, &SERVICE, &HTTPS, &PROBE, &LOAD] };

static PROBE_NAMES: Shape = Shape::List(&Shape::Text("a probe"));
static ADDRESSES: Shape = Shape::List(&Shape::Either(&[Shape::Text("an IP address"), Shape::Map(&ADDRESS)]));
static LATER: &str = "read and checked, but **without effect yet**; gives a warning";

static POPS: Section = Section {
    id: "pops",
    read_as: "the PoP file",
    title: "PoPs",
    about: "The places that serve content. A PoP's name has lower-case letters, digits and hyphens; `all` is taken.",
    block: "yaml in pops
mad:
  at: { lat: 40.42, lon: -3.70, country: ES }
  addresses:
    - { address: 203.0.113.200, weight: 80 }
    - { address: 203.0.113.201, weight: 20 }
    - 2001:db8:f:40::10
  weight: 50
  state: auto
  bias: -100
  tags: [eu, south]
  services:
    video: { addresses: [203.0.113.210, \"2001:db8:f:40::20\"] }",
    entries: &[
        entry("pops", &Shape::Names("PoP", &Shape::Map(&POP_MAP)), REQUIRED, "the PoPs, by name", "fra"),
        aside("probes", &Shape::Names("probe", &Shape::Map(&PROBE)), NONE, LATER, "{ web: { https: { path: /healthz }, every: 5s } }"),
    ],
    others: Others::None,
    notes: "",
};

static POP_MAP: Section = Section {
    id: "pop",
    read_as: "the PoP",
    title: "",
    about: "Of a PoP:",
    block: "",
    entries: &[
        entry("at", &Shape::Map(&AT), NONE, "where it stands; needed where a policy orders by distance", ""),
        entry(
            "addresses",
            &ADDRESSES,
            Absent::Words("see `services`"),
            "what clients are given: the service `default`; at most 64 of a family",
            "[203.0.113.10, \"2001:db8:f:1::10\"]",
        ),
        entry("weight", &WEIGHT, Absent::Default("100"), "share among equals; 0 means last resort", "100"),
        entry(
            "bias",
            &Shape::Integer(-20_000, 20_000),
            Absent::Default("0"),
            "kilometres added to every distance: pushes clients away, or pulls them",
            "0",
        ),
        entry(
            "state",
            &Shape::Choice(&["auto", "up", "drain", "down"]),
            Absent::Default("auto"),
            "`auto`: in service (probes will decide); `up`: in service whatever probes say; `drain`: only when nothing else passes; \
             `down`: never answered",
            "auto",
        ),
        entry("tags", &WORDS, NONE, "groups, used as `pops: { tag: eu }`", "[eu]"),
        entry("https", &Shape::Map(&HTTPS), NONE, "HTTPS records (RFC 9460) beside `addresses`", "{ alpn: [h3, h2] }"),
        entry(
            "services",
            &Shape::Names("service", &Shape::Map(&SERVICE)),
            NONE,
            "further address sets of the same place. A PoP has `addresses`, `services`, or both",
            "{ video: { addresses: [203.0.113.20, \"2001:db8:f:1::20\"] } }",
        ),
        aside("probe", &PROBE_NAMES, NONE, LATER, "web"),
        aside("capacity", &Shape::Number(0.0, 1e15), NONE, LATER, "400"),
        aside("load", &Shape::Map(&LOAD), NONE, LATER, "{ http: \"http://203.0.113.15/load\", target: 70% }"),
    ],
    others: Others::None,
    notes: "",
};

static AT: Section = Section {
    id: "at",
    read_as: "`at`",
    title: "",
    about: "Of `at`; `lat` and `lon` stand together or not at all:",
    block: "",
    entries: &[
        entry("lat", &LAT, NONE, "degrees north", "50.11"),
        entry("lon", &LON, NONE, "degrees east", "8.68"),
        entry("country", &COUNTRY, NONE, "the country of a node that stands here", "DE"),
    ],
    others: Others::None,
    notes: "",
};

static ADDRESS: Section = Section {
    id: "address",
    read_as: "an address",
    title: "",
    about: "Of an address that is a map:",
    block: "",
    entries: &[
        entry("address", &Shape::Text("an IP address"), REQUIRED, "the address", "203.0.113.10"),
        entry("weight", &WEIGHT, Absent::Default("100"), "share among the addresses of the PoP", "100"),
    ],
    others: Others::None,
    notes: "",
};

static SERVICE: Section = Section {
    id: "service",
    read_as: "the service",
    title: "",
    about: "Of a service:",
    block: "",
    entries: &[
        entry("addresses", &ADDRESSES, REQUIRED, "as in a PoP", "[203.0.113.20]"),
        entry("https", &Shape::Map(&HTTPS), NONE, "as in a PoP", "{ alpn: [h3, h2] }"),
        aside("probe", &PROBE_NAMES, NONE, LATER, "web"),
    ],
    others: Others::None,
    notes: "",
};

static HTTPS: Section = Section {
    id: "https",
    read_as: "`https`",
    title: "HTTPS records",
    about: "A policy answers HTTPS (type 65) if every PoP that it can answer with has `https` in the policy's service: one record, \
            `1 .`, with these parameters, and the PoP's addresses as hints, from the same decision as A and AAAA. If only some have it, \
            none is answered, and a warning names the others.",
    block: "yaml in pops
mad:
  at: { lat: 40.42, lon: -3.70, country: ES }
  addresses: [203.0.113.200, \"2001:db8:f:40::10\"]
  https: { alpn: [h3, h2], port: 8443, ech: AAT+DQAA }",
    entries: &[
        entry("alpn", &Shape::List(&Shape::Choice(&ALPN)), NONE, "protocols beside HTTP/1.1, most wanted first", "[h3, h2]"),
        entry("port", &Shape::Integer(1, 65_535), Absent::Words("443"), "the port of the service", "443"),
        aside("ech", &Shape::Text("base64"), NONE, "the ECHConfigList for encrypted client hellos, at most 512 octets", "AAT+DQAA"),
    ],
    others: Others::None,
    notes: "",
};

static PROBE: Section = Section {
    id: "probe",
    read_as: "the probe",
    title: "Probes and load",
    about: "Read and checked, but **without effect yet**; each gives a warning. A probe has one kind (`https` to `all_of`), and:",
    block: "",
    entries: &[
        aside("https", &Shape::Anything, NONE, "a kind", "{}"),
        aside("http", &Shape::Anything, NONE, "a kind", "{}"),
        aside("tcp", &Shape::Anything, NONE, "a kind", "{}"),
        aside("dns", &Shape::Anything, NONE, "a kind", "{}"),
        aside("exec", &Shape::Anything, NONE, "a kind", "{}"),
        aside("file", &Shape::Anything, NONE, "a kind", "{}"),
        aside("push", &Shape::Anything, NONE, "a kind", "{}"),
        aside("icmp", &Shape::Anything, NONE, "a kind", "{}"),
        aside("all_of", &Shape::Anything, NONE, "a kind", "{}"),
        aside("every", &TIME, NONE, "from one probe to the next, 100 ms to 1 d", "5s"),
        aside("timeout", &TIME, NONE, "shorter than `every`", "2s"),
        aside("up_after", &Shape::Integer(1, 1_000), NONE, "good results until a PoP is up", "3"),
        aside("down_after", &Shape::Integer(1, 1_000), NONE, "bad results until a PoP is down", "3"),
        aside("ok_after", &Shape::Integer(1, 1_000), NONE, "parts that must be good", "1"),
    ],
    others: Others::None,
    notes: "",
};

static LOAD: Section = Section {
    id: "load",
    read_as: "`load`",
    title: "",
    about: "A `load` has one feed (`http`, `prometheus`, `file` or `push`), and:",
    block: "",
    entries: &[
        aside("http", &Shape::Anything, NONE, "a feed", "\"http://203.0.113.15/load\""),
        aside("prometheus", &Shape::Anything, NONE, "a feed", "{}"),
        aside("file", &Shape::Anything, NONE, "a feed", "load.txt"),
        aside("push", &Shape::Anything, NONE, "a feed", "{}"),
        aside("target", &Shape::Percent, NONE, "where shedding begins", "70%"),
        aside("limit", &Shape::Percent, NONE, "where it is complete", "95%"),
        aside("every", &TIME, NONE, "from one reading to the next, 1 s to 1 d", "10s"),
        aside("stale_after", &TIME, NONE, "when a reading is too old, 1 s to 1 d", "60s"),
    ],
    others: Others::None,
    notes: "",
};
