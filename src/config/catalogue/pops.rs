//! `pops.yaml`.

use super::*;
use crate::config::https::ALPN;

pub(super) const FILE: FileKind = FileKind { word: "pops", path: "pops.yaml", root: &POPS, sections: SECTIONS };

const SECTIONS: &[&Section] = &[
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
];

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
            &TIME,
            Absent::Default("3s"),
            "how long the first answer waits for the first round of probes, and new targets after a reload for their first result; to 60s",
            "3s",
        ),
        aside(
            "safety",
            &Shape::List(&Shape::Map(&SAFETY)),
            NONE,
            "[rules](#canaries-and-safety) that overrides and reloads must not break",
            "[{ never_fewer_than: 2, of: { tag: eu } }]",
        ),
        aside(
            "safety_off_until",
            &Shape::Text("a date"),
            NONE,
            "safety rules hold again from this day on, 00:00 UTC; a day that has come gives a warning",
            "2030-01-31",
        ),
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
            "`auto`: in service unless probes say otherwise; `up`: in service whatever probes say; `drain`: only when nothing else passes; \
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
        aside(
            "probe",
            &PROBE_NAMES,
            NONE,
            "what probes its addresses, in every service that does not say so itself; of several all must be well; `none` for none",
            "web",
        ),
        entry(
            "capacity",
            &Shape::Number(0.0, 1e15),
            NONE,
            "how much it can carry, in any one unit, above 0: what panic guards and safety rules weigh PoPs by",
            "400",
        ),
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
        aside("probe", &PROBE_NAMES, Absent::Words("the PoP's"), "what probes its addresses; `none` for none", "web"),
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

static PORT: Shape = Shape::Integer(1, 65_535);
static HEADERS: Shape = Shape::Names("header", &Shape::Text("a text"));
static PARTS: Shape = Shape::List(&Shape::Text("a probe"));
static COUNT: Shape = Shape::Integer(1, 1_000);
static STATUSES: Shape = Shape::List(&Shape::Either(&[Shape::Integer(100, 599), Shape::Text("a range such as `300-399`")]));
static HOST: Shape = Shape::Text("a host name");
static RCODES: Shape = Shape::Choice(&["NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED"]);

static PROBE: Section = Section {
    id: "probe",
    read_as: "the probe",
    title: "Probes",
    about: "A probe has exactly one kind: a check (`https` to `icmp`), or a group of other probes (`all_of`, `any_of`, `n_of`). A check is made \
            of every address of the services that use it; one check of one address is made once, however many use it (where only their \
            timing differs, in that of the probe whose name comes first). A group has no timing of its own.",
    block: "yaml beside pops
probes:
  web: { https: { path: /healthz, host: probe.cdn.example, expect: [200, 204] }, every: 5s, timeout: 2s }
  plain: { http: /status }
  ssh: { tcp: { port: 22, expect: SSH-2.0 } }
  names: { dns: { name: cdn.example., type: SOA } }
  script: { exec: [/usr/local/bin/check-pop, --fast], every: 30s, timeout: 10s }
  marker: { file: \"/run/pops/{pop}.state\" }
  robot: { push: { ttl: 60s } }
  ping: { icmp: {} }
  both: { all_of: [web, ping] }
  most: { n_of: { n: 2, of: [web, plain, ssh] } }",
    entries: &[
        aside(
            "https",
            &Shape::Either(&[PATH_ONLY, Shape::Map(&HTTPS_CHECK)]),
            NONE,
            "an HTTP/1.1 request over TLS; a text is its path",
            "{ path: /healthz }",
        ),
        aside("http", &Shape::Either(&[PATH_ONLY, Shape::Map(&HTTP_CHECK)]), NONE, "the same without TLS", "/healthz"),
        aside("tcp", &Shape::Map(&TCP_CHECK), NONE, "a connection", "{ port: 22 }"),
        aside("dns", &Shape::Map(&DNS_CHECK), NONE, "a DNS query", "{ name: cdn.example. }"),
        aside(
            "exec",
            &Shape::Either(&[Shape::List(&Shape::Text("a word")), Shape::Map(&EXEC_CHECK)]),
            NONE,
            "a program and its arguments; exit status 0 means well. It runs without a shell, with `MERIDIAN_POP`, `MERIDIAN_SERVICE` and \
             `MERIDIAN_ADDRESS` in its environment",
            "[/usr/local/bin/check-pop]",
        ),
        aside(
            "file",
            &Shape::Either(&[PATH_ONLY, Shape::Map(&FILE_CHECK)]),
            NONE,
            "a file that says `UP` or `DOWN`, and perhaps for how many seconds since it was written",
            "/run/pops/fra.state",
        ),
        aside("push", &Shape::Map(&PUSH_CHECK), NONE, "results that somebody pushes over the control socket", "{ ttl: 60s }"),
        aside("icmp", &Shape::Map(&ICMP_CHECK), NONE, "an echo request, where the system lets the server send one", "{}"),
        aside("all_of", &PARTS, NONE, "a group: all of these must be well", "[web, ping]"),
        aside("any_of", &PARTS, NONE, "a group: one of these must be well", "[web, ping]"),
        aside("n_of", &Shape::Map(&N_OF), NONE, "a group: so many of these must be well", "{ n: 2, of: [web, ping, ssh] }"),
        aside(
            "to",
            &Shape::Text("an address, or `address:port`"),
            Absent::Words("the PoP's address"),
            "asked instead; then all who use the probe share one result. Not for `exec`, `file` and `push`",
            "192.0.2.250:8443",
        ),
        aside("every", &TIME, Absent::Default("5s"), "from one check of an address to the next, 100 ms to 1 d", "5s"),
        aside("timeout", &TIME, Absent::Words("2s, or half of `every` where that is 2s or less"), "shorter than `every`", "2s"),
        aside("up_after", &COUNT, Absent::Default("3"), "good results in a row that bring an address up", "3"),
        aside(
            "down_after",
            &COUNT,
            Absent::Default("3"),
            "bad results that take it down; good ones between them do not clear the count",
            "3",
        ),
        aside("ok_after", &COUNT, Absent::Default("10"), "good results in a row that clear the count of bad ones", "10"),
    ],
    others: Others::None,
    notes: "",
};

const PATH_ONLY: Shape = Shape::Text("a path");

/// The keys that HTTPS and HTTP checks have in common, and those of TLS behind them.
macro_rules! http_entries {
    ($port:literal $(, $tls:expr)* $(,)?) => {
        &[
            entry("path", &PATH_ONLY, Absent::Default("/"), "path and query of the request", "/healthz"),
            entry("port", &PORT, Absent::Default($port), "the port", $port),
            entry("method", &Shape::Choice(&["GET", "HEAD"]), Absent::Default("GET"), "redirects are not followed", "GET"),
            entry("host", &HOST, Absent::Words("the address"), "what `Host` says", "probe.cdn.example"),
            entry("headers", &HEADERS, NONE, "further headers of the request", "{ X-Probe: meridian }"),
            entry("expect", &STATUSES, Absent::Default("200"), "statuses that are well", "[200, 204, \"300-399\"]"),
            entry("expect_headers", &HEADERS, NONE, "headers of the response, and what their values must contain", "{ Server: nginx }"),
            entry("body", &Shape::Text("a text"), NONE, "what the first 64 KiB of the body must contain", "ok"),
            $($tls,)*
        ]
    };
}

static HTTPS_CHECK: Section = Section {
    id: "https_check",
    read_as: "an HTTPS check",
    title: "",
    about: "Of `https` that is a map:",
    block: "",
    entries: http_entries!(
        "443",
        entry("sni", &HOST, Absent::Words("`host`"), "the name that TLS asks for, and the certificate must be for", "probe.cdn.example"),
        entry("verify", &SWITCH, Absent::Default("on"), "whether the certificate is checked", "on"),
        aside(
            "ca",
            &PATH_ONLY,
            Absent::Words("the system's roots"),
            "a file of certificates (PEM) that are trusted instead; relative to the folder of the server file",
            "probes-ca.pem",
        ),
        entry(
            "warn_days",
            &Shape::Integer(0, 3_650),
            Absent::Default("14"),
            "a certificate that ends within so many days is told; the address stays up",
            "14",
        ),
    ),
    others: Others::None,
    notes: "",
};

static HTTP_CHECK: Section = Section {
    id: "http_check",
    read_as: "an HTTP check",
    title: "",
    about: "Of `http` that is a map:",
    block: "",
    entries: http_entries!("80"),
    others: Others::None,
    notes: "",
};

static TCP_CHECK: Section = Section {
    id: "tcp_check",
    read_as: "a TCP check",
    title: "",
    about: "Of `tcp`:",
    block: "",
    entries: &[
        entry("port", &PORT, REQUIRED, "the port", "22"),
        entry("send", &Shape::Text("a text"), NONE, "what is sent first", "\"PING\\r\\n\""),
        entry("expect", &Shape::Text("a text"), NONE, "what the first 64 KiB received must contain", "PONG"),
    ],
    others: Others::None,
    notes: "",
};

static DNS_CHECK: Section = Section {
    id: "dns_check",
    read_as: "a DNS check",
    title: "",
    about: "Of `dns`:",
    block: "",
    entries: &[
        entry("name", &NAME, REQUIRED, "the name asked", "cdn.example."),
        entry("type", &Shape::Text("a record type"), Absent::Default("A"), "the type asked", "SOA"),
        entry("rcode", &RCODES, Absent::Default("NOERROR"), "the response code that is well", "NOERROR"),
        entry("answer", &Shape::Text("an IP address"), NONE, "an address that the answer must hold; for A and AAAA", "203.0.113.10"),
        entry("port", &PORT, Absent::Default("53"), "the port", "53"),
        entry("tcp", &SWITCH, Absent::Default("off"), "over TCP instead of UDP", "off"),
    ],
    others: Others::None,
    notes: "",
};

static EXEC_CHECK: Section = Section {
    id: "exec_check",
    read_as: "an exec check",
    title: "",
    about: "Of `exec` that is a map:",
    block: "",
    entries: &[entry(
        "command",
        &Shape::List(&Shape::Text("a word")),
        REQUIRED,
        "the program and its arguments",
        "[/usr/local/bin/check-pop]",
    )],
    others: Others::None,
    notes: "",
};

static FILE_CHECK: Section = Section {
    id: "file_check",
    read_as: "a file check",
    title: "",
    about: "Of `file` that is a map:",
    block: "",
    entries: &[entry(
        "path",
        &PATH_ONLY,
        REQUIRED,
        "the file; `{pop}`, `{service}` and `{address}` stand for those of the address",
        "\"/run/pops/{pop}.state\"",
    )],
    others: Others::None,
    notes: "",
};

static PUSH_CHECK: Section = Section {
    id: "push_check",
    read_as: "a push check",
    title: "",
    about: "Of `push`:",
    block: "",
    entries: &[entry(
        "ttl",
        &TIME,
        Absent::Words("for ever"),
        "how long a pushed result holds; then the address counts as failing. 1 s to 1 d",
        "60s",
    )],
    others: Others::None,
    notes: "",
};

static ICMP_CHECK: Section =
    Section { id: "icmp_check", read_as: "an ICMP check", title: "", about: "", block: "", entries: &[], others: Others::None, notes: "" };

static N_OF: Section = Section {
    id: "n_of",
    read_as: "an n_of group",
    title: "",
    about: "Of `n_of`:",
    block: "",
    entries: &[
        entry("n", &COUNT, REQUIRED, "how many must be well", "2"),
        entry("of", &PARTS, REQUIRED, "the probes; one address may hang on 64 checks in all", "[web, ping, ssh]"),
    ],
    others: Others::None,
    notes: "",
};

static CANARIES: Section = Section {
    id: "canaries",
    read_as: "`canaries`",
    title: "Canaries and safety",
    about: "While all canaries of a family fail, it is this node's network that is broken, and verdicts of that family stay as they are. Of \
            `canaries`:",
    block: "",
    entries: &[
        entry("probe", &Shape::Text("a probe"), REQUIRED, "a check that goes over the network; its `to` is not used", "web"),
        entry("addresses", &Shape::List(&Shape::Text("an IP address")), REQUIRED, "at most 64, some of each family", "[203.0.113.250]"),
        entry("freeze_max", &TIME, Absent::Default("10m"), "for how long verdicts stay at most, 1 s to 1 d", "10m"),
    ],
    others: Others::None,
    notes: "",
};

static SAFETY: Section = Section {
    id: "safety",
    read_as: "a safety rule",
    title: "",
    about: "A safety rule has one of `never_fewer_than` and `never_more_off_than`. A PoP is off if it is down, drained, switched off, or of \
            weight 0. A reload of files that break a rule by `state` and `weight` is refused; a start gives a warning.",
    block: "yaml beside pops
safety:
  - { never_fewer_than: 2, of: { tag: eu } }
  - { never_more_off_than: 30%, of: all }",
    entries: &[
        aside("never_fewer_than", &Shape::Integer(1, crate::limits::POPS_MAX as i64), NONE, "so many PoPs are always in service", "2"),
        entry(
            "never_more_off_than",
            &Shape::Percent,
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

static SAFETY_OF: Section = Section {
    id: "safety_of",
    read_as: "`of`",
    title: "",
    about: "Of `of` that is a map:",
    block: "",
    entries: &[entry("tag", &Shape::Text("a tag"), REQUIRED, "the PoPs that carry it", "eu")],
    others: Others::None,
    notes: "",
};

static LOAD: Section = Section {
    id: "load",
    read_as: "`load`",
    title: "Load",
    about: "Read and checked, but **without effect yet**; gives a warning. A `load` has one feed (`http`, `prometheus`, `file` or `push`), and:",
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
