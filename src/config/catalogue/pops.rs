//! `pops.yaml`.

use super::probes::{
    DNS_CHECK, EXEC_CHECK, FILE_CHECK, HTTP_CHECK, HTTPS_CHECK, ICMP_CHECK, N_OF, PROBE, PUSH_CHECK,
    TCP_CHECK,
};
use super::*;
use crate::config::pops::https::ALPN;

/// The file.
pub(super) const FILE: FileKind =
    FileKind { word: "pops", path: "pops.yaml", root: &POPS, sections: SECTIONS };

const SECTIONS: &[&KeySection] = &[
    &POPS,
    &POP_MAP,
    &AT,
    &ADDRESS,
    &SERVICE,
    &HTTPS,
    &PROBE,
    &HTTPS_CHECK,
    &HTTP_CHECK,
    &TCP_CHECK,
    &DNS_CHECK,
    &EXEC_CHECK,
    &FILE_CHECK,
    &PUSH_CHECK,
    &ICMP_CHECK,
    &N_OF,
    &CANARIES,
    &SAFETY,
    &SAFETY_OF,
    &LOAD,
    &HTTP_FEED,
    &PROMETHEUS_FEED,
    &PUSH_FEED,
];

static PROBE_NAMES: Shape = Shape::List(&Shape::Text("a probe"));
static ADDRESSES: Shape = Shape::List(&Shape::Either(&[Shape::Text("an IP address"), Shape::Map(&ADDRESS)]));
static CAPACITY: Shape = Shape::Positive(1e15);

static POPS: KeySection = KeySection {
    id: "pops",
    title: "PoPs",
    about: "The places that serve content. A PoP's name has lower-case letters, digits and hyphens; `all` is \
        taken.",
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
        aside(
            "probes",
            &Shape::Names("probe", &Shape::Map(&PROBE)),
            NONE,
            "the [probes](#probes), by name; PoPs and services use them by `probe`. `none` is taken",
            "{ web: { https: { path: /healthz }, every: 5s } }",
        ),
        aside(
            "canaries",
            &Shape::Map(&CANARIES),
            NONE,
            "[addresses outside](#canaries-and-safety) that tell whether this node's own network works",
            "{ probe: web, addresses: [203.0.113.250, \"2001:db8:f:fa::10\"] }",
        ),
        entry(
            "startup_wait",
            &Shape::Time(0, 60_000),
            Absent::Default("3s"),
            "how long the first answer waits for the first round of probes, and new targets after a reload \
             for their first result; to 60s",
            "3s",
        ),
        aside(
            "safety",
            &Shape::AnyList(&Shape::Map(&SAFETY)),
            NONE,
            "[rules](#canaries-and-safety) that overrides and reloads must not break",
            "[{ never_fewer_than: 2, of: { tag: eu } }]",
        ),
        aside(
            "safety_off_until",
            &Shape::Pattern("a date", "[0-9]{4}-[0-9]{2}-[0-9]{2}"),
            NONE,
            "safety rules hold again from this day on, 00:00 UTC; a day that has come gives a warning",
            "2030-01-31",
        ),
    ],
    others: Others::None,
    notes: "",
};

static POP_MAP: KeySection = KeySection {
    id: "pop",
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
            "bias_ms",
            &Shape::Integer(-3_000, 3_000),
            Absent::Default("0"),
            "milliseconds added to every round-trip time, with `order: latency`",
            "0",
        ),
        entry(
            "state",
            &Shape::Choice(&["auto", "up", "drain", "down"]),
            Absent::Default("auto"),
            "`auto`: in service unless probes say otherwise; `up`: in service whatever probes say; `drain`: \
             only when nothing else passes; \
             `down`: never answered",
            "auto",
        ),
        entry("tags", &WORDS, NONE, "groups, used as `pops: { tag: eu }`", "[eu]"),
        entry(
            "https",
            &Shape::Map(&HTTPS),
            NONE,
            "HTTPS records (RFC 9460) beside `addresses`",
            "{ alpn: [h3, h2] }",
        ),
        entry(
            "services",
            &Shape::Names("service", &Shape::Map(&SERVICE)),
            NONE,
            "further address sets of the same place. A PoP has `addresses`, `services`, or both",
            "{ video: { addresses: [203.0.113.20, \"2001:db8:f:1::20\"] } }",
        ),
        aside(
            "probe",
            &PROBE_NAMES,
            NONE,
            "what probes its addresses, in every service that does not say so itself; of several all must be \
             well; `none` for none",
            "web",
        ),
        entry(
            "capacity",
            &CAPACITY,
            NONE,
            "how much it can carry, in any one unit, above 0: what its `load` is measured against, and panic \
             guards and safety rules \
             weigh PoPs by",
            "400",
        ),
        aside(
            "load",
            &Shape::Map(&LOAD),
            NONE,
            "the [load](#load) of the whole PoP: it speaks for every service that has none of its own",
            "{ http: \"http://203.0.113.15/load\", target: 70% }",
        ),
        entry(
            "ramp",
            &Shape::Time(0, DAY_MS),
            Absent::Words("at once"),
            "over how long its clients come back once probes have called it down and up again, by and by, \
             each once; to 1 d",
            "5m",
        ),
    ],
    others: Others::None,
    notes: "",
};

static AT: KeySection = KeySection {
    id: "at",
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

static ADDRESS: KeySection = KeySection {
    id: "address",
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

static SERVICE: KeySection = KeySection {
    id: "service",
    title: "",
    about: "Of a service:",
    block: "",
    entries: &[
        entry("addresses", &ADDRESSES, REQUIRED, "as in a PoP", "[203.0.113.20]"),
        entry("https", &Shape::Map(&HTTPS), NONE, "as in a PoP", "{ alpn: [h3, h2] }"),
        aside(
            "probe",
            &PROBE_NAMES,
            Absent::Words("the PoP's"),
            "what probes its addresses; `none` for none",
            "web",
        ),
        aside(
            "capacity",
            &CAPACITY,
            Absent::Words("the PoP's"),
            "what its own `load` is measured against",
            "150",
        ),
        aside(
            "load",
            &Shape::Map(&LOAD),
            Absent::Words("the PoP's"),
            "the [load](#load) of this service alone",
            "{ push: {} }",
        ),
    ],
    others: Others::None,
    notes: "",
};

static HTTPS: KeySection = KeySection {
    id: "https",
    title: "HTTPS records",
    about: "A policy answers HTTPS (type 65) if every PoP that it can answer with has `https` in the \
        policy's service: one record, \
            `1 .`, with these parameters, and the PoP's addresses as hints, from the same decision as A and \
            AAAA. If only some have it, \
            none is answered, and a warning names the others.",
    block: "yaml in pops
mad:
  at: { lat: 40.42, lon: -3.70, country: ES }
  addresses: [203.0.113.200, \"2001:db8:f:40::10\"]
  https: { alpn: [h3, h2], port: 8443, ech: AAT+DQAA }",
    entries: &[
        entry(
            "alpn",
            &Shape::List(&Shape::Choice(&ALPN)),
            NONE,
            "protocols beside HTTP/1.1, most wanted first",
            "[h3, h2]",
        ),
        entry("port", &Shape::Integer(1, 65_535), Absent::Words("443"), "the port of the service", "443"),
        aside(
            "ech",
            &Shape::Text("base64"),
            NONE,
            "the ECHConfigList for encrypted client hellos, at most 512 octets",
            "AAT+DQAA",
        ),
    ],
    others: Others::None,
    notes: "",
};

static CANARIES: KeySection = KeySection {
    id: "canaries",
    title: "Canaries and safety",
    about: "While all canaries of a family fail, it is this node's network that is broken, and verdicts of \
        that family stay as they are. Of \
            `canaries`:",
    block: "",
    entries: &[
        entry(
            "probe",
            &Shape::Text("a probe"),
            REQUIRED,
            "a check that goes over the network; its `to` is not used",
            "web",
        ),
        entry(
            "addresses",
            &Shape::List(&Shape::Text("an IP address")),
            REQUIRED,
            "at most 64, some of each family",
            "[203.0.113.250]",
        ),
        entry(
            "freeze_max",
            &TIME,
            Absent::Default("10m"),
            "for how long verdicts stay at most, 1 s to 1 d",
            "10m",
        ),
    ],
    others: Others::None,
    notes: "",
};

static SAFETY: KeySection = KeySection {
    id: "safety",
    title: "",
    about: "A safety rule has one of `never_fewer_than` and `never_more_off_than`. A PoP is off if it is \
        down, drained, switched off, or of \
            weight 0. A reload of files that break a rule by `state` and `weight` is refused; a start gives \
            a warning.",
    block: "yaml beside pops
safety:
  - { never_fewer_than: 2, of: { tag: eu } }
  - { never_more_off_than: 30%, of: all }",
    entries: &[
        aside(
            "never_fewer_than",
            &Shape::Integer(1, crate::limits::POPS_MAX as i64),
            NONE,
            "so many PoPs are always in service",
            "2",
        ),
        entry(
            "never_more_off_than",
            &Shape::Percent(0, 99),
            NONE,
            "no more than this is off, 0% to 99%: of their capacity if all have one, else of their number",
            "30%",
        ),
        entry(
            "of",
            &Shape::Either(&[Shape::Choice(&["all"]), Shape::Map(&SAFETY_OF), Shape::List(&POP)]),
            REQUIRED,
            "all PoPs, those with a tag, or these",
            "all",
        ),
    ],
    others: Others::None,
    notes: "",
};

static SAFETY_OF: KeySection = KeySection {
    id: "safety_of",
    title: "",
    about: "Of `of` that is a map:",
    block: "",
    entries: &[entry("tag", &Shape::Text("a tag"), REQUIRED, "the PoPs that carry it", "eu")],
    others: Others::None,
    notes: "",
};

static LOAD: KeySection = KeySection {
    id: "load",
    title: "Load",
    about: "How full a PoP or a service is. A `load` has exactly one feed (`http`, `prometheus`, `file` or \
        `push`), whose number is the load \
            now, finite and not negative, in the unit of `capacity`; utilisation is the one divided by the \
            other. Above the target a PoP \
            sheds a growing share of its clients to the PoPs that follow it, below it takes them back. \
            Without a capacity the feed is not \
            read, which gives a warning. A feed that fails, or says nothing, is told and tried again; after \
            `stale_after` it is lost: \
            what is shed then fades to nothing.",
    block: "yaml in pops
mad:
  at: { lat: 40.42, lon: -3.70, country: ES }
  addresses: [203.0.113.200, \"2001:db8:f:40::10\"]
  capacity: 400
  ramp: 5m
  load:
    prometheus:
      url: \"https://metrics.mad.example:9100/metrics\"
      to: 203.0.113.215
      metric: nginx_http_requests_per_second
      labels: { vhost: cdn.example }
    every: 10s
    target: 75%
    limit: 90%
  services:
    video:
      addresses: [203.0.113.210, \"2001:db8:f:40::20\"]
      capacity: 9000
      load: { file: \"/run/load/{pop}-{service}\" }",
    entries: &[
        aside(
            "http",
            &Shape::Either(&[URL, Shape::Map(&HTTP_FEED)]),
            NONE,
            "a body of one number, or of JSON with one in it, asked with `GET`; status 200, at most 64 KiB",
            "\"http://203.0.113.15/load\"",
        ),
        aside(
            "prometheus",
            &Shape::Map(&PROMETHEUS_FEED),
            NONE,
            "a metric of a page in the Prometheus text format, at most 8 MiB",
            "{ url: \"http://203.0.113.15:9100/metrics\", metric: requests_per_second }",
        ),
        aside(
            "file",
            &PATH_ONLY,
            NONE,
            "a file whose first word is the number, written anew within `stale_after`; `{pop}` and \
             `{service}` in the path stand for the names",
            "\"/run/load/{pop}\"",
        ),
        aside(
            "push",
            &Shape::Map(&PUSH_FEED),
            NONE,
            "numbers that somebody pushes: `meridian pop load`, or `POST /load/push`",
            "{}",
        ),
        aside(
            "every",
            &TIME,
            Absent::Default("15s"),
            "from one reading and one step to the next, 1 s to 1 d",
            "15s",
        ),
        aside(
            "stale_after",
            &Shape::Time(1_000, 7 * DAY_MS),
            Absent::Words("30s, or twice `every` where that is more"),
            "after this long without a number the feed is lost; longer than `every`, to 7 d",
            "60s",
        ),
        aside(
            "target",
            &Shape::Percent(1, 1_000),
            Absent::Default("80%"),
            "the utilisation that is steered for, 1% to 1000%",
            "70%",
        ),
        aside(
            "limit",
            &Shape::Percent(1, 1_000),
            Absent::Default("95%"),
            "above this for two readings steps are four times larger; more than `target`",
            "95%",
        ),
        aside(
            "gain",
            &Shape::Number(0.001, 1.0),
            Absent::Default("0.08"),
            "how much of the excess over the target the shed share grows by in each step; more than 0.1 may \
             swing",
            "0.05",
        ),
        aside(
            "smoothing",
            &Shape::Number(0.01, 1.0),
            Absent::Default("0.5"),
            "the weight of a new number in the smoothed load; 1 takes each as it is",
            "0.5",
        ),
    ],
    others: Others::None,
    notes: "",
};

const URL: Shape =
    Shape::Pattern("a URL with an IP address", "[Hh][Tt][Tt][Pp][Ss]?://[!-\"$-.0->@-~][!-\"$-~]*");
const PATH_ONLY: Shape = Shape::Text("a path");
static LABELS: Shape = Shape::Names("label", &Shape::AnyText("a text"));

static HTTP_FEED: KeySection = KeySection {
    id: "http_feed",
    title: "",
    about: "Of `http` that is a map:",
    block: "",
    entries: &[
        entry("url", &URL, REQUIRED, URL_ABOUT, "\"http://203.0.113.15/load\""),
        entry(
            "pointer",
            &Shape::Pattern("a JSON pointer", "(/([^~/]|~[01])*)+"),
            NONE,
            "where the number, or a text that is one, stands in JSON (RFC 6901)",
            "/load/now",
        ),
        aside("to", &TO, Absent::Words("the URL's"), TO_ABOUT, "203.0.113.15"),
    ],
    others: Others::None,
    notes: "",
};

static PROMETHEUS_FEED: KeySection = KeySection {
    id: "prometheus_feed",
    title: "",
    about: "Of `prometheus`:",
    block: "",
    entries: &[
        entry("url", &URL, REQUIRED, URL_ABOUT, "\"http://203.0.113.15:9100/metrics\""),
        entry(
            "metric",
            &Shape::Pattern("the name of a metric", "[A-Za-z_:][A-Za-z0-9_:]{0,255}"),
            REQUIRED,
            "name of the samples, exactly",
            "requests_per_second",
        ),
        entry(
            "labels",
            &LABELS,
            NONE,
            "labels that a sample must have; where several samples have them, they are added up",
            "{ vhost: cdn.example }",
        ),
        aside("to", &TO, Absent::Words("the URL's"), TO_ABOUT, "203.0.113.15"),
    ],
    others: Others::None,
    notes: "",
};

static TO: Shape = Shape::Text("an address, or `address:port`");
const URL_ABOUT: &str = "`http` or `https`. Its host is an IP address, since names are not looked up, or a \
    name with `to` beside it. A certificate must be for the \
     host, by the system's roots";
const TO_ABOUT: &str = "connected to instead";

static PUSH_FEED: KeySection = KeySection {
    id: "push_feed",
    title: "",
    about: "",
    block: "",
    entries: &[],
    others: Others::None,
    notes: "",
};
