//! `meridian.yaml`.

use super::*;
use crate::limits::{BATCH_MAX, CPU_MAX, SOCKET_OCTETS_MAX, SOCKET_OCTETS_MIN, THREADS_MAX};

/// The file.
pub(super) const FILE: FileKind = FileKind {
    word: "server",
    path: "meridian.yaml",
    root: &SERVER,
    sections: &[&SERVER, &NODE, &LISTEN, &GEOIP, &ZONES, &COOKIES],
};

static SERVER: KeySection = KeySection {
    id: "server",
    title: "The server file",
    about: "`meridian.yaml`, or `--config FILE`: who this node is, where it listens, and which files make up \
        the deployment. Paths are \
            relative to its folder.",
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
            "sockets; a change needs a restart, and a reload that finds one is refused",
            "",
        ),
        entry("geoip", &Shape::Map(&GEOIP), NONE, "where clients are", ""),
        entry("pops", &PATH, NONE, "the [PoP file](#pops); a server of static zones needs none", "pops.yaml"),
        entry(
            "policies",
            &PATH,
            NONE,
            "the file of [policies](#policies) that all zones may use",
            "policies.yaml",
        ),
        entry(
            "zones",
            &Shape::Either(&[Shape::Text("a path"), Shape::Map(&ZONES)]),
            REQUIRED,
            "a folder: every `*.yaml` and every `*.zone` in it is a [zone](#zones); or a map, with what is \
             done with faulty ones",
            "zones/",
        ),
        entry("state", &PATH, Absent::Default("state"), "what a node keeps between restarts", "state/"),
        entry(
            "pid_file",
            &PATH,
            NONE,
            "a file with the number of the process, from the first answer until the server stops; its folder \
             must be there",
            "state/meridian.pid",
        ),
        entry(
            "exit_on_fault",
            &Shape::Switch,
            Absent::Default("off"),
            "`on`: the first fault of a task of the control plane ends the process, for those who leave \
             starting anew to systemd; `off`: the task begins anew, and answers go on",
            "on",
        ),
        entry(
            "cookies",
            &Shape::Either(&[Shape::Choice(&["off"]), Shape::Map(&COOKIES)]),
            Absent::Words("a secret that only this process has"),
            "DNS cookies (RFC 7873, RFC 9018). Nodes behind one address must share their secrets, or each \
             calls the other's cookies \
             invalid; `off` answers none",
            "off",
        ),
    ],
    others: Others::None,
    notes: "",
};

static NODE: KeySection = KeySection {
    id: "node",
    title: "",
    about: "Of `node`:",
    block: "",
    entries: &[
        entry(
            "name",
            &Shape::Text("1 to 255 octets"),
            REQUIRED,
            "told in NSID (RFC 5001), and to `CH TXT id.server` (RFC 4892)",
            "fra-ns1",
        ),
        entry(
            "site",
            &POP,
            NONE,
            "the PoP in which the node stands: where a client is taken to be if nothing else is known, and \
             what `when: { site: ... }` asks",
            "fra",
        ),
    ],
    others: Others::None,
    notes: "",
};

static BUFFER: Shape = Shape::Integer(SOCKET_OCTETS_MIN as i64, SOCKET_OCTETS_MAX as i64);

static LISTEN: KeySection = KeySection {
    id: "listen",
    title: "",
    about: "Of `listen`:",
    block: "",
    entries: &[
        entry(
            "dns",
            &Shape::List(&SOCKET),
            REQUIRED,
            "UDP and TCP on each",
            "[\"127.0.0.1:5300\", \"[::1]:5300\"]",
        ),
        entry(
            "control",
            &PATH,
            Absent::Default("state/control.sock"),
            "Unix socket of the commands, mode 0600",
            "state/control.sock",
        ),
        entry(
            "admin",
            &SOCKET,
            NONE,
            "read-only HTTP: `/status`, `/metrics`, `/healthz`, `/readyz`",
            "\"127.0.0.1:8053\"",
        ),
        entry(
            "threads",
            &Shape::Either(&[Shape::Integer(1, THREADS_MAX as i64), Shape::Choice(&["auto"])]),
            Absent::Words("one a core"),
            "UDP threads for each address; `auto` is one for each core, or for each member of `cpus`",
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
            "binds each UDP thread to one core, in turn: of those that the process may use (`auto`), or of \
             these numbers. `off` leaves it to the \
             kernel, which is as good unless other programs are kept off those cores",
            "auto",
        ),
        entry(
            "batch",
            &Shape::Integer(1, BATCH_MAX as i64),
            Absent::Default("64"),
            "datagrams that a thread takes from the kernel at once; fewer shorten the longest wait, more \
             save a little processor time under load",
            "64",
        ),
        entry(
            "receive_buffer",
            &BUFFER,
            Absent::Default("524288"),
            "octets of kernel buffer for queries that wait, asked for each UDP socket",
            "524288",
        ),
        entry(
            "send_buffer",
            &BUFFER,
            Absent::Default("4194304"),
            "octets of kernel buffer for answers that wait, asked for each UDP socket",
            "4194304",
        ),
        entry(
            "tcp_connections",
            &Shape::Integer(1, 1_000_000),
            Absent::Default("4096"),
            "TCP connections in all; fewer where the limit of descriptors leaves less \
             ([operate.md](operate.md#descriptors)), which a warning says",
            "4096",
        ),
        entry(
            "tcp_connections_per_prefix",
            &Shape::Integer(1, 1_000_000),
            Absent::Default("256"),
            "TCP connections of one client prefix (/24, /56)",
            "256",
        ),
        entry(
            "tcp_idle",
            &Shape::Seconds(1, 3_600),
            Absent::Default("10s"),
            "a connection without a query is closed after this long, 1 s to 1 h",
            "10s",
        ),
    ],
    others: Others::None,
    notes: "The kernel cuts buffers at `net.core.rmem_max` and `net.core.wmem_max` \
        ([deploy/sysctl.conf](../deploy/sysctl.conf)). What it has granted stands in what `serve` \
            prints, and in `meridian size`; where a buffer that the file asks for is cut, a warning says so.",
};

static GEOIP: KeySection = KeySection {
    id: "geoip",
    title: "",
    about: "Of `geoip`:",
    block: "",
    entries: &[
        entry(
            "databases",
            &Shape::AnyList(&PATH),
            NONE,
            "files in MaxMind DB format (layouts of MaxMind, DB-IP and IPinfo); or `.csv`: a geofeed (RFC \
             8805), or a table of prefixes as \
             `meridian geoip build` reads it. Later ones fill what earlier ones lack",
            "[geoip/places.mmdb]",
        ),
        entry(
            "accept_shrunk",
            &SWITCH,
            Absent::Default("off"),
            "a reload refuses a database with fewer than half the networks of the one in service; `on` takes \
             it all the same",
            "off",
        ),
        entry("networks", &PATH, NONE, "[operator networks](#networks)", "geoip/networks.yaml"),
    ],
    others: Others::None,
    notes: "Without any database, policies with `order: nearest` still work from networks and the site; a \
        finding says so. A line of a \
            geofeed that cannot be read is an error, and refuses the files like any other.",
};

static ZONES: KeySection = KeySection {
    id: "zones_folder",
    title: "",
    about: "Of `zones`, where it is a map:",
    block: "",
    entries: &[
        entry("folder", &PATH, REQUIRED, "the folder of zone files", "zones/"),
        entry(
            "on_error",
            &Shape::Choice(&["keep", "refuse"]),
            Absent::Default("keep"),
            "`keep`: a faulty zone goes on from its last good texts, and all else is taken over; `refuse`: \
             one faulty zone refuses the start or the reload",
            "keep",
        ),
    ],
    others: Others::None,
    notes: "[operate.md](operate.md#faulty-zones) tells what happens to a faulty zone.",
};

static COOKIES: KeySection = KeySection {
    id: "cookies",
    title: "",
    about: "Of `cookies`:",
    block: "",
    entries: &[entry(
        "secrets",
        &PATH,
        REQUIRED,
        "a file with 1 to 4 secrets of 32 hexadecimal digits, one on each line, `#` begins a comment. The \
         first signs, all verify",
        "/etc/meridian/cookies.secrets",
    )],
    others: Others::None,
    notes: "The file is read with every reload, and no secret is ever logged or shown. \
        [operate.md](operate.md#dns-cookies) tells how secrets \
            are changed without a client noticing.",
};
