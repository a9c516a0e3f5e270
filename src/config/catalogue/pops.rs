//! Keys of `pops.yaml`.

use super::probes::{CHECKS, N_OF, PROBE};
use super::*;
use crate::closed_set::in_a_row;
use crate::config::pops::https::ALPN;

/// The PoP file.
pub(super) const FILE: FileKind =
    FileKind { word: "pops", path: "pops.yaml", root: &POPS, sections: SECTIONS };

const SECTIONS: &[&KeySection] =
    &in_a_row::<_, { BEFORE.len() + CHECKS.len() + BEHIND.len() }>(&[BEFORE, &CHECKS, BEHIND]);

/// Sections before those of the checks.
const BEFORE: &[&KeySection] = &[&POPS, &POP_MAP, &AT, &ADDRESS, &SERVICE, &HTTPS, &PROBE];

/// Sections behind those of the checks.
const BEHIND: &[&KeySection] =
    &[&N_OF, &CANARIES, &SAFETY, &SAFETY_OF, &LOAD, &HTTP_FEED, &PROMETHEUS_FEED, &PUSH_FEED];

static PROBE_NAMES: Shape = Shape::List(&Shape::Text("a probe"));
static ADDRESSES: Shape = Shape::List(&Shape::Either(&[Shape::Text("an IP address"), Shape::Map(&ADDRESS)]));
static CAPACITY: Shape = Shape::Positive(1e15);

static POPS: KeySection = KeySection {
    id: "pops",
    title: "PoPs",
    about: "The places that serve content. The name of a PoP has lower-case letters, digits and hyphens; \
        `all` is reserved.",
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
            "the [probes](#probes), by name; PoPs and services refer to them by `probe`. `none` is reserved",
            "{ web: { https: { path: /healthz }, every: 5s } }",
        ),
        aside(
            "canaries",
            &Shape::Map(&CANARIES),
            NONE,
            "[outside addresses](#canaries-and-safety) that show whether this node's own network works",
            "{ probe: web, addresses: [203.0.113.250, \"2001:db8:f:fa::10\"] }",
        ),
        entry(
            "startup_wait",
            &Shape::Time(0, 60_000),
            Absent::Default("3s"),
            "longest wait for first probe results: of the first answer after a start, and of new targets \
             after a reload; up to 60s",
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
            "day (00:00 UTC) from which safety rules apply again; a day in the past gives a warning",
            "2030-01-31",
        ),
    ],
    others: Others::None,
    notes: "",
};

static POP_MAP: KeySection = KeySection {
    id: "pop",
    title: "",
    about: "Keys of a PoP:",
    block: "",
    entries: &[
        entry("at", &Shape::Map(&AT), NONE, "its location; required if a policy orders it by distance", ""),
        entry(
            "addresses",
            &ADDRESSES,
            Absent::Words("see `services`"),
            "the addresses that clients get, as the service `default`; at most 64 of a family",
            "[203.0.113.10, \"2001:db8:f:1::10\"]",
        ),
        entry(
            "weight",
            &WEIGHT,
            Absent::Default("100"),
            "share among equals; 0 makes it a last resort",
            "100",
        ),
        entry(
            "bias",
            &Shape::Integer(-20_000, 20_000),
            Absent::Default("0"),
            "kilometres added to every distance: positive pushes clients away, negative attracts them",
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
             only if no other candidate is usable; `down`: never answered",
            "auto",
        ),
        entry("tags", &WORDS, NONE, "groups, used as `pops: { tag: eu }`", "[eu]"),
        entry(
            "https",
            &Shape::Map(&HTTPS),
            NONE,
            "parameters of the HTTPS records (RFC 9460) for `addresses`",
            "{ alpn: [h3, h2] }",
        ),
        entry(
            "services",
            &Shape::Names("service", &Shape::Map(&SERVICE)),
            NONE,
            "further services with addresses of their own. A PoP has `addresses`, `services`, or both",
            "{ video: { addresses: [203.0.113.20, \"2001:db8:f:1::20\"] } }",
        ),
        aside(
            "probe",
            &PROBE_NAMES,
            NONE,
            "probes of its addresses, for every service without a `probe` of its own; if several, all must \
             succeed; `none` for none",
            "web",
        ),
        entry(
            "capacity",
            &CAPACITY,
            NONE,
            "the load that it can carry, above 0, in any unit: the measure of its `load`, and its weight in \
             panic guards and safety rules",
            "400",
        ),
        aside(
            "load",
            &Shape::Map(&LOAD),
            NONE,
            "the [load](#load) of the whole PoP, for every service without a `load` of its own",
            "{ http: \"http://203.0.113.15/load\", target: 70% }",
        ),
        entry(
            "ramp",
            &Shape::Time(0, DAY_MS),
            Absent::Words("at once"),
            "time over which its clients return after probes took it down and up again; each client moves \
             once; up to 1 d",
            "5m",
        ),
    ],
    others: Others::None,
    notes: "",
};

static AT: KeySection = KeySection {
    id: "at",
    title: "",
    about: "Keys of `at`; `lat` and `lon` need each other:",
    block: "",
    entries: &[
        entry("lat", &LAT, NONE, "degrees north", "50.11"),
        entry("lon", &LON, NONE, "degrees east", "8.68"),
        entry("country", &COUNTRY, NONE, "country of the PoP, and of nodes at this site", "DE"),
    ],
    others: Others::None,
    notes: "",
};

static ADDRESS: KeySection = KeySection {
    id: "address",
    title: "",
    about: "Keys of an address as a map:",
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
    about: "Keys of a service:",
    block: "",
    entries: &[
        entry("addresses", &ADDRESSES, REQUIRED, "as in a PoP", "[203.0.113.20]"),
        entry("https", &Shape::Map(&HTTPS), NONE, "as in a PoP", "{ alpn: [h3, h2] }"),
        aside(
            "probe",
            &PROBE_NAMES,
            Absent::Words("the PoP's"),
            "probes of its addresses; `none` for none",
            "web",
        ),
        aside("capacity", &CAPACITY, Absent::Words("the PoP's"), "the measure of its own `load`", "150"),
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
    about: "A policy answers HTTPS (type 65) if every PoP that it can answer has `https` in the policy's \
        service. The answer is one record, `1 .`, with these parameters and the PoP's addresses as hints, \
        from the same decision as A and AAAA. If only some PoPs have `https`, no record is answered, and a \
        warning names the others.",
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
            "protocols besides HTTP/1.1, in order of preference",
            "[h3, h2]",
        ),
        entry("port", &Shape::Integer(1, 65_535), Absent::Words("443"), "the port of the service", "443"),
        aside(
            "ech",
            &Shape::Text("base64"),
            NONE,
            "the ECHConfigList for Encrypted Client Hello, at most 512 octets",
            "AAT+DQAA",
        ),
    ],
    others: Others::None,
    notes: "",
};

static CANARIES: KeySection = KeySection {
    id: "canaries",
    title: "Canaries and safety",
    about: "While all canaries of a family fail, this node's own network is at fault, and the verdicts of \
        that family are frozen. Keys of `canaries`:",
    block: "",
    entries: &[
        entry(
            "probe",
            &Shape::Text("a probe"),
            REQUIRED,
            "a check over the network; its `to` is ignored",
            "web",
        ),
        entry(
            "addresses",
            &Shape::List(&Shape::Text("an IP address")),
            REQUIRED,
            "at most 64, with some of each family",
            "[203.0.113.250]",
        ),
        entry("freeze_max", &TIME, Absent::Default("10m"), "longest freeze of verdicts, 1 s to 1 d", "10m"),
    ],
    others: Others::None,
    notes: "",
};

static SAFETY: KeySection = KeySection {
    id: "safety",
    title: "",
    about: "A safety rule has one of `never_fewer_than` and `never_more_off_than`. A PoP counts as off if it \
        is down, drained, switched off, or of weight 0. A reload whose files break a rule by `state` and \
        `weight` is refused; a start gives a warning.",
    block: "yaml beside pops
safety:
  - { never_fewer_than: 2, of: { tag: eu } }
  - { never_more_off_than: 30%, of: all }",
    entries: &[
        aside(
            "never_fewer_than",
            &Shape::Integer(1, crate::limits::POPS_MAX as i64),
            NONE,
            "number of PoPs that must stay in service",
            "2",
        ),
        entry(
            "never_more_off_than",
            &Shape::Percent(0, 99),
            NONE,
            "largest share that may be off, 0% to 99%: of the PoPs' capacity if all have one, else of their \
             number",
            "30%",
        ),
        entry(
            "of",
            &Shape::Either(&[Shape::Choice(&["all"]), Shape::Map(&SAFETY_OF), Shape::List(&POP)]),
            REQUIRED,
            "all PoPs, those with a tag, or a list",
            "all",
        ),
    ],
    others: Others::None,
    notes: "",
};

static SAFETY_OF: KeySection = KeySection {
    id: "safety_of",
    title: "",
    about: "Keys of `of` as a map:",
    block: "",
    entries: &[entry("tag", &Shape::Text("a tag"), REQUIRED, "the PoPs with this tag", "eu")],
    others: Others::None,
    notes: "",
};

static LOAD: KeySection = KeySection {
    id: "load",
    title: "Load",
    about: "The utilisation of a PoP or service. A `load` has exactly one feed (`http`, `prometheus`, `file` \
        or `push`). The feed's number is the present load, finite and not negative, in the unit of \
        `capacity`; utilisation is load divided by capacity. Above the target, a PoP sheds a growing share \
        of its clients to the PoPs that follow it; below the target, it takes them back. Without a capacity, \
        the feed is not read, and a warning is given. A feed that fails is reported and read again. After \
        `stale_after` it counts as lost, and the shed share fades to zero.",
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
            "response to a `GET`: one number, or JSON that contains it; status 200, at most 64 KiB",
            "\"http://203.0.113.15/load\"",
        ),
        aside(
            "prometheus",
            &Shape::Map(&PROMETHEUS_FEED),
            NONE,
            "a metric from a page in the Prometheus text format, at most 8 MiB",
            "{ url: \"http://203.0.113.15:9100/metrics\", metric: requests_per_second }",
        ),
        aside(
            "file",
            &PATH_ONLY,
            NONE,
            "a file with the number as its first word, rewritten within `stale_after`; `{pop}` and \
             `{service}` in the path stand for the names",
            "\"/run/load/{pop}\"",
        ),
        aside(
            "push",
            &Shape::Map(&PUSH_FEED),
            NONE,
            "numbers pushed by `meridian pop load` or `POST /load/push`",
            "{}",
        ),
        aside(
            "every",
            &TIME,
            Absent::Default("15s"),
            "interval between readings, and between control steps, 1 s to 1 d",
            "15s",
        ),
        aside(
            "stale_after",
            &Shape::Time(1_000, 7 * DAY_MS),
            Absent::Words("30s, or twice `every` if that is more"),
            "time without a number until the feed counts as lost; longer than `every`, up to 7 d",
            "60s",
        ),
        aside(
            "target",
            &Shape::Percent(1, 1_000),
            Absent::Default("80%"),
            "utilisation that the control aims at, 1% to 1000%",
            "70%",
        ),
        aside(
            "limit",
            &Shape::Percent(1, 1_000),
            Absent::Default("95%"),
            "utilisation above which two readings make steps four times larger; more than `target`",
            "95%",
        ),
        aside(
            "gain",
            &Shape::Number(0.001, 1.0),
            Absent::Default("0.08"),
            "growth of the shed share per step, as a fraction of the excess over the target; more than 0.1 \
             may oscillate",
            "0.05",
        ),
        aside(
            "smoothing",
            &Shape::Number(0.01, 1.0),
            Absent::Default("0.5"),
            "weight of a new number in the smoothed load; 1 means no smoothing",
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
    about: "Keys of `http` as a map:",
    block: "",
    entries: &[
        entry("url", &URL, REQUIRED, URL_ABOUT, "\"http://203.0.113.15/load\""),
        entry(
            "pointer",
            &Shape::Pattern("a JSON pointer", "(/([^~/]|~[01])*)+"),
            NONE,
            "place of the number in JSON (RFC 6901); a text that is a number is accepted",
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
    about: "Keys of `prometheus`:",
    block: "",
    entries: &[
        entry("url", &URL, REQUIRED, URL_ABOUT, "\"http://203.0.113.15:9100/metrics\""),
        entry(
            "metric",
            &Shape::Pattern("the name of a metric", "[A-Za-z_:][A-Za-z0-9_:]{0,255}"),
            REQUIRED,
            "exact name of the samples",
            "requests_per_second",
        ),
        entry(
            "labels",
            &LABELS,
            NONE,
            "labels that a sample must have; several matching samples are added up",
            "{ vhost: cdn.example }",
        ),
        aside("to", &TO, Absent::Words("the URL's"), TO_ABOUT, "203.0.113.15"),
    ],
    others: Others::None,
    notes: "",
};

static TO: Shape = Shape::Text("an address, or `address:port`");
const URL_ABOUT: &str = "`http` or `https`. Its host is an IP address, because names are not looked up, or a \
    name with `to` beside it. A certificate must be valid for the host under the system's roots";
const TO_ABOUT: &str = "address to connect to instead of the host";

static PUSH_FEED: KeySection = KeySection {
    id: "push_feed",
    title: "",
    about: "",
    block: "",
    entries: &[],
    others: Others::None,
    notes: "",
};
