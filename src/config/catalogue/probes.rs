//! Keys of `probes:` in `pops.yaml`.

use super::*;
use crate::closed_set::{enumerated, in_a_row};
use crate::config::probes::group::GroupKind;
use crate::health::spec::CheckKind;

static PORT: Shape = Shape::Integer(1, 65_535);
static HEADERS: Shape = Shape::Names("header", &Shape::AnyText("a text"));
static PARTS: Shape = Shape::List(&Shape::Text("a probe"));
static COUNT: Shape = Shape::Integer(1, 1_000);
/// Interim responses are not accepted, except 101, which is final (RFC 9110 section 15.2).
static STATUSES: Shape = Shape::List(&Shape::Either(&[
    Shape::Integer(200, 599),
    Shape::Integer(101, 101),
    Shape::Pattern("a range such as `300-399`", "101|[2-5][0-9]{2}|[1-5][0-9]{2}-[1-5][0-9]{2}"),
]));
static HOST: Shape = Shape::Text("a host name");
static RCODES: Shape = Shape::Choice(&["NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED"]);

/// Section of `probes`.
pub(super) static PROBE: KeySection = KeySection {
    id: "probe",
    title: "Probes",
    about: const_text!(&[
        "A probe has exactly one kind: a check (`",
        CheckKind::WORDS[0],
        "` to `",
        CheckKind::WORDS[CheckKind::WORDS.len() - 1],
        "`), or a group of other probes (`all_of`, `any_of`, `n_of`). A check runs for every address of the \
         services that use it. One check of one address runs once, however many probes share it; if only \
         their timing differs, the probe whose name comes first sets it. A group has no timing of its own.",
    ]),
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
    entries: &in_a_row::<_, { KINDS.len() + GROUPS.len() + SETTINGS.len() }>(&[&KINDS, &GROUPS, SETTINGS]),
    others: Others::None,
    notes: "",
};

/// Entry of each kind of check.
const KINDS: [KeyEntry; CheckKind::ALL.len()] = {
    let mut entries = [kind(CheckKind::ALL[0]); CheckKind::ALL.len()];
    let mut at = 1;
    while at < entries.len() {
        entries[at] = kind(CheckKind::ALL[at]);
        at += 1;
    }
    entries
};

/// Section of the settings of each kind of check.
pub(super) const CHECKS: [&KeySection; CheckKind::ALL.len()] = {
    let mut sections = [check(CheckKind::ALL[0]); CheckKind::ALL.len()];
    let mut at = 1;
    while at < sections.len() {
        sections[at] = check(CheckKind::ALL[at]);
        at += 1;
    }
    sections
};

/// Section of the settings of a kind of check.
const fn check(kind: CheckKind) -> &'static KeySection {
    match kind {
        CheckKind::Https => &HTTPS_CHECK,
        CheckKind::Http => &HTTP_CHECK,
        CheckKind::Tcp => &TCP_CHECK,
        CheckKind::Dns => &DNS_CHECK,
        CheckKind::Exec => &EXEC_CHECK,
        CheckKind::File => &FILE_CHECK,
        CheckKind::Push => &PUSH_CHECK,
        CheckKind::Icmp => &ICMP_CHECK,
    }
}

/// Entry of a kind of check: the shape of its settings, its meaning and an example.
const fn kind(kind: CheckKind) -> KeyEntry {
    let (shape, about, example): (&Shape, _, _) = match kind {
        CheckKind::Https => (
            const { &Shape::Either(&[URL_PATH, Shape::Map(&HTTPS_CHECK)]) },
            "an HTTP/1.1 request over TLS; a text is its path",
            "{ path: /healthz }",
        ),
        CheckKind::Http => (
            const { &Shape::Either(&[URL_PATH, Shape::Map(&HTTP_CHECK)]) },
            "an HTTP/1.1 request without TLS; a text is its path",
            "/healthz",
        ),
        CheckKind::Tcp => (const { &Shape::Map(&TCP_CHECK) }, "a TCP connection", "{ port: 22 }"),
        CheckKind::Dns => (const { &Shape::Map(&DNS_CHECK) }, "a DNS query", "{ name: cdn.example. }"),
        CheckKind::Exec => (
            const { &Shape::Either(&[Shape::List(&Shape::Text("a word")), Shape::Map(&EXEC_CHECK)]) },
            "a program and its arguments; exit status 0 means success. It runs without a shell, with \
             `MERIDIAN_POP`, `MERIDIAN_SERVICE` and `MERIDIAN_ADDRESS` in its environment. Processes that it \
             starts inherit `MERIDIAN_RUN`, and are killed when it ends",
            "[/usr/local/bin/check-pop]",
        ),
        CheckKind::File => (
            const { &Shape::Either(&[PATH_ONLY, Shape::Map(&FILE_CHECK)]) },
            "a file with `UP` or `DOWN`, optionally followed by the seconds for which it is valid",
            "/run/pops/fra.state",
        ),
        CheckKind::Push => {
            (const { &Shape::Map(&PUSH_CHECK) }, "results pushed over the control socket", "{ ttl: 60s }")
        }
        CheckKind::Icmp => (
            const { &Shape::Map(&ICMP_CHECK) },
            "an ICMP echo request, if the system lets the server send one",
            "{}",
        ),
    };
    aside(kind.word(), shape, NONE, about, example)
}

/// Entry of each kind of group.
const GROUPS: [KeyEntry; GroupKind::ALL.len()] = [
    aside(GroupKind::All.word(), &PARTS, NONE, "a group: all of these must succeed", "[web, ping]"),
    aside(GroupKind::Any.word(), &PARTS, NONE, "a group: one of these must succeed", "[web, ping]"),
    aside(
        GroupKind::Number.word(),
        const { &Shape::Map(&N_OF) },
        NONE,
        "a group: a number of these must succeed",
        "{ n: 2, of: [web, ping, ssh] }",
    ),
];

/// Words of all kinds, of which a probe has one.
pub(super) const ALL_KINDS: [&str; CheckKind::ALL.len() + GroupKind::ALL.len()] =
    in_a_row(&[&CheckKind::WORDS, &GroupKind::WORDS]);

/// Words of the kinds of checks for which `to` has no meaning.
pub(super) const UNCONNECTED: [&str; CheckKind::ALL.len() - connected()] = {
    let mut words = [""; CheckKind::ALL.len() - connected()];
    let (mut at, mut count) = (0, 0);
    while at < CheckKind::ALL.len() {
        if !CheckKind::ALL[at].facts().connects {
            words[count] = CheckKind::WORDS[at];
            count += 1;
        }
        at += 1;
    }
    words
};

/// Number of kinds of checks for which `to` has a meaning.
const fn connected() -> usize {
    let (mut at, mut count) = (0, 0);
    while at < CheckKind::ALL.len() {
        count += CheckKind::ALL[at].facts().connects as usize;
        at += 1;
    }
    count
}

/// Settings of all probes.
const SETTINGS: &[KeyEntry] = &[
    aside(
        "to",
        &Shape::Text("an address, or `address:port`"),
        Absent::Words("the PoP's address"),
        const_text!(&[
            "address to check instead; all users of the probe then share one result. Not for ",
            const_text!(&enumerated::<{ 4 * UNCONNECTED.len() - 1 }>(&UNCONNECTED)),
        ]),
        "192.0.2.250:8443",
    ),
    aside(
        "every",
        &Shape::Time(100, DAY_MS),
        Absent::Default("5s"),
        "interval between checks of an address, 100 ms to 1 d",
        "5s",
    ),
    aside(
        "timeout",
        &Shape::Time(10, DAY_MS),
        Absent::Words("2s, or half of `every` if that is 2s or less"),
        "shorter than `every`",
        "2s",
    ),
    aside("up_after", &COUNT, Absent::Default("3"), "successes in a row until an address is up", "3"),
    aside(
        "down_after",
        &COUNT,
        Absent::Default("3"),
        "failures until it is down; successes between them do not reset the count",
        "3",
    ),
    aside(
        "ok_after",
        &COUNT,
        Absent::Default("10"),
        "successes in a row that reset the count of failures",
        "10",
    ),
    aside(
        "flap_turns",
        &Shape::Either(&[Shape::Integer(1, 100), Shape::Choice(&["off"])]),
        Absent::Default("6"),
        "an address whose verdict changes more often than this within `flap_window` becomes a last \
         resort, for a growing time of at most 10 min",
        "6",
    ),
    aside(
        "flap_window",
        &TIME,
        Absent::Default("10m"),
        "window for counting changes of a verdict, 1 s to 1 d",
        "10m",
    ),
];

const PATH_ONLY: Shape = Shape::Text("a path");
/// Visible ASCII after a slash, without a fragment.
const URL_PATH: Shape = Shape::Pattern("a path", "/[!-\"$-~]*");

/// Keys of HTTPS and HTTP checks, followed by those of TLS.
macro_rules! http_entries {
    ($port:literal $(, $tls:expr)* $(,)?) => {
        &[
            entry("path", &URL_PATH, Absent::Default("/"), "path and query of the request", "/healthz"),
            entry("port", &PORT, Absent::Default($port), "the port", $port),
            entry("method", &Shape::Choice(&["GET", "HEAD"]), Absent::Default("GET"),
                "redirects are not followed", "GET"),
            entry("host", &HOST, Absent::Words("the address"), "the `Host` header", "probe.cdn.example"),
            entry("headers", &HEADERS, NONE, "further headers of the request", "{ X-Probe: meridian }"),
            entry("expect", &STATUSES, Absent::Default("200"), "statuses that mean success",
                "[200, 204, \"300-399\"]"),
            entry("expect_headers", &HEADERS, NONE,
                "headers of the response, and texts that their values must contain", "{ Server: nginx }"),
            entry("body", &Shape::Text("a text"), NONE,
                "text that the first 64 KiB of the body must contain", "ok"),
            $($tls,)*
        ]
    };
}

/// Section of `https`.
static HTTPS_CHECK: KeySection = KeySection {
    id: "https_check",
    title: "",
    about: "Keys of `https` as a map:",
    block: "",
    entries: http_entries!(
        "443",
        entry(
            "sni",
            &HOST,
            Absent::Words("`host`"),
            "the server name in TLS, which the certificate must match",
            "probe.cdn.example"
        ),
        entry("verify", &SWITCH, Absent::Default("on"), "verify the certificate", "on"),
        aside(
            "ca",
            &PATH_ONLY,
            Absent::Words("the system's roots"),
            "a file of certificates (PEM) to trust instead, as issuers or as the server's own; relative to \
             the folder of the server file",
            "probes-ca.pem",
        ),
        entry(
            "warn_days",
            &Shape::Integer(0, 3_650),
            Absent::Default("14"),
            "days before the end of a certificate at which it is reported; the address stays up",
            "14",
        ),
    ),
    others: Others::None,
    notes: "",
};

/// Section of `http`.
static HTTP_CHECK: KeySection = KeySection {
    id: "http_check",
    title: "",
    about: "Keys of `http` as a map:",
    block: "",
    entries: http_entries!("80"),
    others: Others::None,
    notes: "",
};

/// Section of `tcp`.
static TCP_CHECK: KeySection = KeySection {
    id: "tcp_check",
    title: "",
    about: "Keys of `tcp`:",
    block: "",
    entries: &[
        entry("port", &PORT, REQUIRED, "the port", "22"),
        entry("send", &Shape::Text("a text"), NONE, "text to send first", "\"PING\\r\\n\""),
        entry(
            "expect",
            &Shape::Text("a text"),
            NONE,
            "text that the first 64 KiB received must contain",
            "PONG",
        ),
    ],
    others: Others::None,
    notes: "",
};

/// Section of `dns`.
static DNS_CHECK: KeySection = KeySection {
    id: "dns_check",
    title: "",
    about: "Keys of `dns`:",
    block: "",
    entries: &[
        entry("name", &NAME, REQUIRED, "the question name", "cdn.example."),
        entry("type", &Shape::Text("a record type"), Absent::Default("A"), "the question type", "SOA"),
        entry(
            "rcode",
            &RCODES,
            Absent::Default("NOERROR"),
            "the response code that means success",
            "NOERROR",
        ),
        entry(
            "answer",
            &Shape::Text("an IP address"),
            NONE,
            "an address that the answer must contain; for A and AAAA",
            "203.0.113.10",
        ),
        entry("port", &PORT, Absent::Default("53"), "the port", "53"),
        entry("tcp", &SWITCH, Absent::Default("off"), "use TCP instead of UDP", "off"),
    ],
    others: Others::None,
    notes: "",
};

/// Section of `exec`.
static EXEC_CHECK: KeySection = KeySection {
    id: "exec_check",
    title: "",
    about: "Keys of `exec` as a map:",
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

/// Section of `file`.
static FILE_CHECK: KeySection = KeySection {
    id: "file_check",
    title: "",
    about: "Keys of `file` as a map:",
    block: "",
    entries: &[entry(
        "path",
        &PATH_ONLY,
        REQUIRED,
        "the file; `{pop}`, `{service}` and `{address}` stand for those of the checked address",
        "\"/run/pops/{pop}.state\"",
    )],
    others: Others::None,
    notes: "",
};

/// Section of `push`.
static PUSH_CHECK: KeySection = KeySection {
    id: "push_check",
    title: "",
    about: "Keys of `push`:",
    block: "",
    entries: &[entry(
        "ttl",
        &TIME,
        Absent::Words("for ever"),
        "time for which a pushed result is valid; afterwards the address counts as failing. 1 s to 1 d",
        "60s",
    )],
    others: Others::None,
    notes: "",
};

/// Section of `icmp`.
static ICMP_CHECK: KeySection = KeySection {
    id: "icmp_check",
    title: "",
    about: "",
    block: "",
    entries: &[],
    others: Others::None,
    notes: "",
};

/// Section of `n_of`.
pub(super) static N_OF: KeySection = KeySection {
    id: "n_of",
    title: "",
    about: "Keys of `n_of`:",
    block: "",
    entries: &[
        entry("n", &COUNT, REQUIRED, "number of probes that must succeed", "2"),
        entry(
            "of",
            &PARTS,
            REQUIRED,
            "the probes; one address may depend on at most 64 checks",
            "[web, ping, ssh]",
        ),
    ],
    others: Others::None,
    notes: "",
};
