//! Keys of `meridian.yaml`.

use super::clients::{ACCESS, OVERLOAD, PROXY_PROTOCOL};
use super::process::SANDBOX;
use super::stream_limits::STREAM_LIMITS;
use super::tls::{ADMIN, TLS};
use super::*;
use crate::closed_set::in_a_row;
use crate::config::listen::STREAMS;
use crate::limits::{BATCH_MAX, CPU_MAX, RRL_RATE_MAX, SOCKET_OCTETS_MAX, SOCKET_OCTETS_MIN, THREADS_MAX};

/// The server file.
pub(super) const FILE: FileKind = FileKind {
    word: "server",
    path: "meridian.yaml",
    root: &SERVER,
    sections: &[
        &SERVER,
        &NODE,
        &LISTEN,
        &GEOIP,
        &ZONES,
        &COOKIES,
        &TLS,
        &ADMIN,
        &RATE_LIMIT,
        &OVERLOAD,
        &ACCESS,
        &PROXY_PROTOCOL,
    ],
};

static SERVER: KeySection = KeySection {
    id: "server",
    title: "The server file",
    about: "`meridian.yaml`, or `--config FILE`: the identity of this node, its listening sockets, and the \
        files of the deployment. Paths are relative to the file's folder.",
    block: "yaml meridian.yaml
node: { name: fra-ns1, site: fra }
listen:
  dns: [\"192.0.2.53:53\", \"[2001:db8::53]:53\"]
  control: /run/meridian/control.sock
  admin: \"127.0.0.1:8053\"
  threads: 4
  tcp_connections: 10000
  tcp_connections_per_prefix: 256
  tcp_idle: 10s
geoip: { databases: [geoip/places.mmdb], networks: geoip/networks.yaml }
pops: pops.yaml
policies: policies.yaml
zones: zones/
state: /var/lib/meridian",
    entries: &[
        entry("node", &Shape::Map(&NODE), REQUIRED, "this node", ""),
        entry(
            "listen",
            &Shape::Map(&LISTEN),
            REQUIRED,
            "sockets; changes need a restart, and a reload with such a change is refused",
            "",
        ),
        entry("geoip", &Shape::Map(&GEOIP), NONE, "data on the places of clients", ""),
        entry("pops", &PATH, NONE, "the [PoP file](#pops); not needed for static zones alone", "pops.yaml"),
        entry("policies", &PATH, NONE, "the file of shared [policies](#policies)", "policies.yaml"),
        entry(
            "zones",
            &Shape::Either(&[Shape::Text("a path"), Shape::Map(&ZONES)]),
            REQUIRED,
            "a folder, in which every `*.yaml` and every `*.zone` is a [zone](#zones); or a map, which also \
             says how to treat faulty zones",
            "zones/",
        ),
        entry(
            "state",
            &PATH,
            Absent::Default("state"),
            "the folder of state that outlasts a restart",
            "state/",
        ),
        entry(
            "pid_file",
            &PATH,
            NONE,
            "a file with the process ID, from the first answer until the server stops; its folder must exist",
            "state/meridian.pid",
        ),
        entry(
            "exit_on_fault",
            &Shape::Switch,
            Absent::Default("off"),
            "`on`: the first fault of a supervised task (any but a UDP worker) ends the process, so that \
             systemd can restart it; `off`: the task is restarted, and answers continue",
            "on",
        ),
        entry(
            "user",
            &Shape::Pattern("the name of a user", "[^\\x00-\\x1f:]*[^\\x00-\\x1f:0-9][^\\x00-\\x1f:]*"),
            Absent::Words("the user that starts the process"),
            "user that the process becomes before it reads the deployment; it then has no capability but to \
             open ports below 1024, and none when it answers",
            "meridian",
        ),
        entry(
            "sandbox",
            &Shape::Either(&[Shape::Choice(&["on"]), Shape::Map(&SANDBOX)]),
            Absent::Default("on"),
            "limits that the process sets for itself where the kernel has them (Landlock, seccomp)",
            "on",
        ),
        entry(
            "cookies",
            &Shape::Either(&[Shape::Choice(&["off"]), Shape::Map(&COOKIES)]),
            Absent::Words("a secret of this process alone"),
            "DNS cookies (RFC 7873, RFC 9018). Nodes behind one address must share their secrets, because \
             otherwise they reject each other's cookies; `off` disables cookies",
            "off",
        ),
        entry(
            "tls",
            &Shape::Map(&TLS),
            NONE,
            "the certificate of encrypted transports (`listen.dot`, `listen.doh`, `listen.doq`)",
            "{ certificate: tls/fullchain.pem, key: tls/privkey.pem }",
        ),
        entry(
            "admin",
            &Shape::Map(&ADMIN),
            NONE,
            "TLS of the admin address (`listen.admin`), and the tokens and client certificates whose holders \
             may change something over it; without this key it is plain HTTP, and read-only",
            "{ tls: { certificate: tls/fullchain.pem, key: tls/privkey.pem }, tokens: tls/admin.tokens }",
        ),
        entry(
            "rate_limit",
            &Shape::Either(&[Shape::Choice(&["off"]), Shape::Map(&RATE_LIMIT)]),
            Absent::Default("off"),
            "bounds of the answers that one client prefix gets over UDP, so that forged queries do not make \
             this server a weapon",
            "{ per_second: 20, exempt: [192.0.2.0/24] }",
        ),
        entry(
            "overload",
            &Shape::Map(&OVERLOAD),
            NONE,
            "clients that keep their answers while more queries come than the server can answer",
            "{ known_first: on }",
        ),
        entry(
            "access",
            &Shape::Map(&ACCESS),
            NONE,
            "clients that are refused or get no answer",
            "{ drop: [203.0.113.0/24], allow: [203.0.113.7] }",
        ),
        entry(
            "proxy_protocol",
            &Shape::Map(&PROXY_PROTOCOL),
            NONE,
            "balancers in front of this server, whose PROXY headers name the clients",
            "{ from: [192.0.2.10] }",
        ),
    ],
    others: Others::None,
    notes: "",
};

static NODE: KeySection = KeySection {
    id: "node",
    title: "",
    about: "Keys of `node`:",
    block: "",
    entries: &[
        entry("name", &Shape::Text("1 to 128 octets"), REQUIRED, "the answer to NSID (RFC 5001)", "fra-ns1"),
        entry(
            "id_server",
            &Shape::Text("1 to 255 octets, or `off`"),
            Absent::Words("`name`"),
            "the answer to `CH TXT id.server` (RFC 4892) and `hostname.bind`; `off` refuses both",
            "frankfurt-1",
        ),
        entry(
            "version_server",
            &Shape::Text("1 to 255 octets, or `off`"),
            Absent::Words("`Meridian`"),
            "the answer to `CH TXT version.server` and `version.bind`; `off` refuses both",
            "off",
        ),
        entry(
            "site",
            &POP,
            NONE,
            "the PoP of this node: the place of clients of which nothing else is known, and the value of \
             `when: { site: ... }`",
            "fra",
        ),
    ],
    others: Others::None,
    notes: "",
};

static HOSTS: Shape = Shape::List(&NAME);
static BUFFER: Shape = Shape::Integer(SOCKET_OCTETS_MIN as i64, SOCKET_OCTETS_MAX as i64);

/// Keys of `listen` but those of the stream transports.
const SOCKETS: &[KeyEntry] = &[
    entry(
        "dns",
        const { &Shape::List(&SOCKET) },
        REQUIRED,
        "addresses for UDP and TCP",
        "[\"127.0.0.1:5300\", \"[::1]:5300\"]",
    ),
    entry(
        "dot",
        const { &Shape::List(&SOCKET) },
        NONE,
        "addresses for DNS over TLS (RFC 7858), whose usual port is 853; needs `tls`",
        "[\"127.0.0.1:8853\", \"[::1]:8853\"]",
    ),
    entry(
        "doh",
        const { &Shape::List(&SOCKET) },
        NONE,
        "addresses for DNS over HTTPS (RFC 8484), path `/dns-query`, whose usual port is 443; needs `tls`",
        "[\"127.0.0.1:8443\", \"[::1]:8443\"]",
    ),
    entry(
        "doq",
        const { &Shape::List(&SOCKET) },
        NONE,
        "addresses for DNS over QUIC (RFC 9250), whose usual port is 853 of UDP; needs `tls`",
        "[\"127.0.0.1:8853\", \"[::1]:8853\"]",
    ),
    entry(
        "control",
        &PATH,
        Absent::Default("state/control.sock"),
        "Unix socket for commands, mode 0600",
        "state/control.sock",
    ),
    entry(
        "admin",
        &SOCKET,
        NONE,
        "HTTP: `/v1/status`, `/v1/metrics`, `/v1/healthz`, `/v1/readyz` and the other pages that change \
         nothing; with `admin`, HTTPS, and changes by holders of a token or a client certificate",
        "\"127.0.0.1:8053\"",
    ),
    entry(
        "admin_hosts",
        &HOSTS,
        NONE,
        "host names for which `admin` answers, beside IP addresses, `localhost` and the name of this host; a \
         request for any other gets 421, because a page in a browser could give its own name the address of \
         this server",
        "[fra-ns1.example.net]",
    ),
    entry(
        "threads",
        &Shape::Either(&[Shape::Integer(1, THREADS_MAX as i64), Shape::Choice(&["auto"])]),
        Absent::Words("one per core"),
        "UDP threads per address; `auto` is one per core, or one per member of `cpus`",
        "auto",
    ),
    entry(
        "cpus",
        &Shape::Either(&[
            Shape::Choice(&["off"]),
            Shape::Choice(&["auto"]),
            Shape::List(&Shape::Integer(0, CPU_MAX as i64)),
        ]),
        Absent::Default("off"),
        "binds each UDP thread to one core, in turn: to those that the process may use (`auto`), or to \
         these numbers. With `off`, the kernel schedules the threads, which is as good unless other \
         programs are kept off those cores",
        "auto",
    ),
    entry(
        "socket_affinity",
        &SWITCH,
        Absent::Default("off"),
        "gives a datagram to the thread on the core that received it, in place of the kernel's hash of \
         addresses and ports. Needs `cpus`, two threads or more, and a core for each thread; a core \
         without a thread leaves its datagrams to the hash",
        "on",
    ),
    entry(
        "batch",
        &Shape::Integer(1, BATCH_MAX as i64),
        Absent::Default("64"),
        "datagrams that a thread takes from the kernel at once; fewer shorten the longest wait, more \
         save some processor time under load",
        "64",
    ),
    entry(
        "receive_buffer",
        &BUFFER,
        Absent::Default("524288"),
        "octets of kernel buffer for waiting queries, requested for each UDP socket",
        "524288",
    ),
    entry(
        "send_buffer",
        &BUFFER,
        Absent::Default("4194304"),
        "octets of kernel buffer for waiting answers, requested for each UDP socket",
        "4194304",
    ),
];

static LISTEN: KeySection = KeySection {
    id: "listen",
    title: "",
    about: "Keys of `listen`:",
    block: "",
    entries: &in_a_row::<_, { SOCKETS.len() + 3 * STREAMS.len() }>(&[SOCKETS, STREAM_LIMITS.as_flattened()]),
    others: Others::None,
    notes: "The kernel limits buffers to `net.core.rmem_max` and `net.core.wmem_max` \
        ([deploy/sysctl.conf](../deploy/sysctl.conf)). `serve` and `meridian size` print the granted sizes; \
        a warning reports each buffer that is smaller than the file asks for.",
};

static GEOIP: KeySection = KeySection {
    id: "geoip",
    title: "",
    about: "Keys of `geoip`:",
    block: "",
    entries: &[
        entry(
            "databases",
            &Shape::AnyList(&PATH),
            NONE,
            "files in MaxMind DB format (layouts of MaxMind, DB-IP and IPinfo); or `.csv`: a geofeed (RFC \
             8805), or a table of prefixes as for `meridian geoip build`. Later files fill the gaps of \
             earlier ones",
            "[geoip/places.mmdb]",
        ),
        entry(
            "accept_shrunk",
            &SWITCH,
            Absent::Default("off"),
            "accept a database with fewer than half the networks of the one in service, which a reload \
             otherwise refuses",
            "off",
        ),
        entry("networks", &PATH, NONE, "[operator networks](#networks)", "geoip/networks.yaml"),
    ],
    others: Others::None,
    notes: "Without a database, policies with `order: nearest` still work from networks and the site, and a \
        finding reports it. An invalid line of a geofeed is an error, and refuses the deployment.",
};

static ZONES: KeySection = KeySection {
    id: "zones_folder",
    title: "",
    about: "Keys of `zones` as a map:",
    block: "",
    entries: &[
        entry("folder", &PATH, REQUIRED, "the folder of zone files", "zones/"),
        entry(
            "on_error",
            &Shape::Choice(&["keep", "refuse"]),
            Absent::Default("keep"),
            "`keep`: a faulty zone continues with its last good texts, and the rest of the deployment is \
             accepted; `refuse`: one faulty zone refuses the start or the reload",
            "keep",
        ),
    ],
    others: Others::None,
    notes: "[operate.md](operate.md#faulty-zones) describes the treatment of a faulty zone.",
};

static COOKIES: KeySection = KeySection {
    id: "cookies",
    title: "",
    about: "Keys of `cookies`:",
    block: "",
    entries: &[entry(
        "secrets",
        &PATH,
        REQUIRED,
        "a file with 1 to 4 secrets of 32 hexadecimal digits, one per line; `#` begins a comment. The first \
         signs, all verify",
        "/etc/meridian/cookies.secrets",
    )],
    others: Others::None,
    notes: "The file is read at every reload, and no secret is ever logged or shown. \
        [operate.md](operate.md#dns-cookies) explains how to change secrets without an effect on clients.",
};

static RATE: Shape = Shape::Integer(1, RRL_RATE_MAX as i64);

static RATE_LIMIT: KeySection = KeySection {
    id: "rate_limit",
    title: "",
    about: "Keys of `rate_limit`, which holds for UDP. TCP is never limited, and a valid DNS cookie up to \
        `prefix_per_second`. A prefix is a /24 (IPv4) or /56 (IPv6):",
    block: "",
    entries: &[
        entry(
            "mode",
            &Shape::Choice(&["enforce", "log_only"]),
            Absent::Default("enforce"),
            "`log_only`: answers past a limit are counted, and sent",
            "log_only",
        ),
        entry(
            "from_qps",
            &Shape::Integer(0, u32::MAX as i64),
            Absent::Default("500"),
            "queries a second of this node over UDP below which nothing is limited. Each worker applies its \
             share, but at least 20",
            "500",
        ),
        entry(
            "per_second",
            &RATE,
            Absent::Default("20"),
            "answers of each of the classes below a second to one prefix",
            "20",
        ),
        entry(
            "answers",
            &RATE,
            Absent::Words("`per_second`"),
            "equal answers with records: same name, type and client subnet",
            "50",
        ),
        entry(
            "answers_per_name",
            &RATE,
            Absent::Words("25 times `answers`"),
            "answers with records a second of one owner name to one prefix: all types and client subnets, \
             and all names under a wildcard or DNAME, together",
            "500",
        ),
        entry("nodata", &RATE, Absent::Words("`per_second`"), "denials of the types of one owner name", "20"),
        entry("nxdomain", &RATE, Absent::Words("`per_second`"), "denials of names in one zone", "20"),
        entry("referrals", &RATE, Absent::Words("`per_second`"), "referrals to one delegation", "20"),
        entry("errors", &RATE, Absent::Words("`per_second`"), "other response codes, such as REFUSED", "5"),
        entry(
            "prefix_per_second",
            &RATE,
            NONE,
            "all answers a second to one prefix, and as many to clients with valid cookies. Large resolvers \
             ask for many names: exempt them, or leave this key out",
            "2000",
        ),
        entry(
            "zone_nxdomain_per_second",
            &RATE,
            NONE,
            "denials of names a second in one zone to all prefixes, against floods of random subdomains",
            "5000",
        ),
        entry(
            "slip",
            &Shape::Integer(0, 10),
            Absent::Default("2"),
            "one in so many answers past a limit becomes a short reply: TC, or BADCOOKIE if the query has a \
             cookie; the others get none. `0`: no reply; `1`: always TC",
            "2",
        ),
        entry(
            "exempt",
            &Shape::List(&Shape::Text("a prefix or address")),
            NONE,
            "clients without limits, at most 256 prefixes",
            "[192.0.2.0/24, \"2001:db8::/32\"]",
        ),
    ],
    others: Others::None,
    notes: "[operate.md](operate.md#rate-limits) says how to find the limits of a deployment.",
};
