//! What `tests/repository/tidy/mod.rs` holds the source tree to, as data.

/// What each folder or file at the top of `src/` may use, itself apart. Lower floors stand first.
#[rustfmt::skip]
pub const MAY_USE: &[(&str, &[&str])] = &[
    // 0  ground
    ("closed_set", &[]),
    ("limits",    &[]),
    ("rfc3339",   &[]),
    ("budget",    &["limits"]),
    ("finding",   &["limits"]),
    ("wire",      &["limits", "finding"]),
    // 1  facts
    ("geo",       &["limits", "finding", "wire"]),
    ("health",    &["limits", "finding", "wire"]),
    ("latency",   &["limits", "rfc3339", "geo"]),
    ("steer",     &["limits", "finding", "wire", "geo", "health", "latency"]),
    ("zone",      &["limits", "budget", "finding", "wire"]),
    ("rrl",       &["closed_set", "limits", "wire", "geo"]),
    ("overload",  &["limits", "wire", "geo"]),
    ("tls",       &["health"]),
    ("admin",     &["closed_set", "finding", "tls"]),
    ("access",    &["closed_set", "geo"]),
    ("proxies",   &["geo"]),
    // 2  words
    ("config",    &["closed_set", "admin", "limits", "rfc3339", "budget", "finding", "wire", "geo",
                    "health", "steer", "zone", "rrl", "overload", "tls", "access", "proxies"]),
    // 3  core
    ("snapshot",  &["closed_set", "admin", "limits", "rfc3339", "finding", "wire", "geo", "health",
                    "steer", "zone", "rrl", "overload", "tls", "access", "proxies"]),
    ("answer",    &["closed_set", "limits", "finding", "wire", "geo", "health", "steer", "zone",
                    "snapshot"]),
    ("impact",    &["limits", "admin", "rfc3339", "wire", "geo", "health", "steer", "zone", "rrl", "overload",
                    "tls", "access", "proxies", "snapshot"]),
    ("shared",    &["admin", "limits", "rfc3339", "finding", "wire", "geo", "health", "steer", "zone",
                    "snapshot", "answer", "impact", "rrl", "overload"]),
    ("explain",   &["limits", "rfc3339", "finding", "wire", "geo", "health", "steer", "zone", "access",
                    "snapshot", "answer", "shared"]),
    ("live",      &["limits", "rfc3339", "wire", "health", "steer", "snapshot", "impact", "shared"]),
    ("picture",   &["geo", "steer", "impact"]),
    // 4  edges
    ("sys",       &["limits"]),
    ("transport", &["limits", "finding", "wire", "geo", "health", "steer", "zone", "snapshot", "answer",
                    "shared", "sys", "rrl", "overload", "access", "proxies"]),
    ("probe",     &["limits", "finding", "wire", "geo", "health", "steer", "zone", "snapshot", "shared",
                    "sys"]),
    ("reload",    &["limits", "rfc3339", "finding", "wire", "geo", "health", "steer", "zone", "tls",
                    "snapshot", "shared", "sys", "config"]),
    ("state",     &["limits", "finding", "wire", "health", "steer", "zone", "shared", "live", "sys",
                    "config"]),
    ("control",   &["closed_set", "admin", "limits", "rfc3339", "finding", "wire", "geo", "health",
                    "steer", "zone", "snapshot", "answer", "impact", "picture", "shared", "explain", "sys"]),
    // 5  program: everything below, and each other
    ("server",    EVERYTHING),
    ("cli",       EVERYTHING),
    ("main",      EVERYTHING),
    ("lib",       EVERYTHING),
    // What tests may see of it.
    ("testing",   EVERYTHING),
];

/// Every folder.
pub const EVERYTHING: &[&str] = &[
    "closed_set",
    "limits",
    "rfc3339",
    "budget",
    "finding",
    "wire",
    "geo",
    "health",
    "latency",
    "steer",
    "zone",
    "rrl",
    "overload",
    "tls",
    "admin",
    "access",
    "proxies",
    "config",
    "snapshot",
    "answer",
    "impact",
    "picture",
    "shared",
    "explain",
    "live",
    "sys",
    "transport",
    "probe",
    "reload",
    "state",
    "control",
    "server",
    "cli",
];

/// Folders of floors 0 to 3, which use no I/O, clock, thread or lock ([`IMPURE`]).
pub const PURE: &[&str] = &[
    "closed_set",
    "limits",
    "rfc3339",
    "budget",
    "finding",
    "wire",
    "geo",
    "health",
    "steer",
    "zone",
    "config",
    "snapshot",
    "answer",
    "impact",
    "picture",
    "shared",
    "live",
    "explain",
    "latency",
    "rrl",
    "overload",
    "tls",
    "admin",
    "access",
    "proxies",
];

/// Uses beyond the table: files that begin so may use paths that begin so, for a reason.
pub const ALSO: &[(&str, &str, &str)] = &[
    (
        "src/zone/",
        "steer::policy",
        "a steered owner stands in a zone: its TTL, and the CNAMEs its policy may answer",
    ),
    ("src/zone/check/", "steer::rule", "a rule may answer a CNAME, which must not close a loop"),
    ("src/snapshot/inputs.rs", "config", "it names what each part of a deployment is compiled from"),
    ("src/snapshot/origins.rs", "config", "it names the databases and networks of a deployment"),
    ("src/snapshot/targets", "config", "who is watched is made of the deployment's probes"),
    (
        "src/snapshot/compile.rs",
        "config",
        "compiling is the one place where the checked deployment becomes a snapshot",
    ),
];

/// Uses that the table allows by folder, but that only some files need: (path, files that may).
pub const ONLY: &[(&str, &[&str])] = &[
    // The query path never sees a database: it was compiled away.
    (
        "geo::mmdb",
        &[
            "src/geo/",
            "src/snapshot/compile.rs",
            "src/snapshot/latency_maps",
            "src/explain/places.rs",
            "src/reload/prepare.rs",
            "src/cli/",
            "src/testing.rs",
        ],
    ),
    (
        "geo::atlas",
        &[
            "src/geo/",
            "src/snapshot/compile.rs",
            "src/snapshot/steering",
            "src/snapshot/latency_maps",
            "src/snapshot/routes",
            "src/latency/units",
            "src/explain/places.rs",
            "src/cli/",
            "src/testing.rs",
        ],
    ),
];

/// Where a crate may be named.
pub const CRATES: &[(&str, &[&str])] = &[
    ("hickory_proto", &[]),
    ("hickory_server", &["src/transport/portable"]),
    ("async_trait", &["src/transport/"]),
    ("tokio", EDGES_AND_PROGRAM),
    ("tokio_util", EDGES_AND_PROGRAM),
    ("tracing", EDGES_AND_PROGRAM),
    ("tracing_subscriber", &["src/cli/"]),
    ("libc", &["src/sys/"]),
    ("nix", &["src/sys/privilege.rs"]),
    ("caps", &["src/sys/privilege.rs"]),
    ("landlock", &["src/sys/sandbox/mod.rs"]),
    ("seccompiler", &["src/sys/sandbox/"]),
    ("socket2", &["src/sys/"]),
    ("serde_yaml", &["src/config/", "src/control/client.rs"]),
    (
        "serde",
        &[
            "src/config/",
            "src/control/",
            "src/cli/",
            "src/geo/mmdb/record.rs",
            "src/latency/case.rs",
            // Shapes that the control protocol has in common with the event log and `--format
            // json`.
            "src/finding/report.rs",
            "src/shared/event_line.rs",
            "src/shared/override_entry.rs",
        ],
    ),
    (
        "serde_json",
        &[
            "src/control/",
            "src/cli/",
            "src/finding/tests.rs",
            "src/shared/event_line.rs",
            "src/probe/load",
            "src/latency/log_line",
        ],
    ),
    ("axum", &["src/control/", "src/server/admin_listener.rs"]),
    (
        "hyper",
        &[
            "src/control/",
            "src/transport/doh/",
            "src/cli/check.rs",
            "src/cli/explain/mod.rs",
            "src/cli/limits.rs",
            "src/cli/map.rs",
            "src/cli/reload.rs",
            "src/cli/pop",
            "src/cli/policy.rs",
            "src/cli/server.rs",
            "src/cli/remote.rs",
        ],
    ),
    ("http_body_util", &["src/control/", "src/transport/doh/", "src/cli/reload.rs"]),
    (
        "rustls",
        &[
            "src/tls",
            "src/admin.rs",
            "src/server/admin_listener.rs",
            "src/cli/remote.rs",
            "src/probe/tls.rs",
            "src/probe/pinned.rs",
            "src/probe/refusal.rs",
            "src/transport/tls.rs",
            "src/transport/dot.rs",
            "src/transport/doh/mod.rs",
        ],
    ),
    (
        "tokio_rustls",
        &[
            "src/probe/tls.rs",
            "src/transport/tls.rs",
            "src/transport/dot.rs",
            "src/transport/doh/mod.rs",
            "src/server/admin_listener.rs",
            "src/cli/remote.rs",
        ],
    ),
    ("quinn", &["src/transport/doq/"]),
    ("data_encoding", &["src/transport/doh/request"]),
    ("prometheus", &["src/control/"]),
    ("clap", &["src/cli/"]),
    ("clap_mangen", &["src/cli/man.rs"]),
    ("arc_swap", &["src/shared/"]),
    ("maxminddb", &["src/geo/mmdb"]),
    ("mmdb_writer", &["src/cli/geoip"]),
    ("flate2", &["src/cli/latency"]),
    ("annotate_snippets", &["src/finding/render"]),
    (
        "sha2",
        &["src/snapshot/digest.rs", "src/snapshot/inputs.rs", "src/admin.rs", "src/server/admin_listener.rs"],
    ),
    ("siphasher", &["src/wire/cookie.rs"]),
    ("schemars", &["src/control/", "src/finding/report.rs", "src/shared/override_entry.rs"]),
    ("idna", &["src/wire/idn"]),
    ("strsim", &["src/config/", "src/zone/master/"]),
    ("ipnet", &["src/config/", "src/geo/", "src/cli/", "src/latency/measurements"]),
    ("rand", &[]),
];

/// Floors 4 and 5.
pub const EDGES_AND_PROGRAM: &[&str] =
    &["src/transport/", "src/probe/", "src/reload/", "src/control/", "src/server/", "src/cli/"];

/// Items that no folder of [`PURE`] may name. The check looks for the first word of each.
pub const IMPURE: &[&str] = &[
    "std::time",
    "std::thread",
    "std::fs",
    "std::process",
    "std::env",
    "Mutex",
    "RwLock",
    "Condvar",
    "TcpStream",
    "TcpListener",
    "UdpSocket",
    "SystemTime",
    "Instant",
];

/// Float functions of the standard library: their last bit differs between platforms, and two nodes
/// must agree. `libm::sin(x)` is the same everywhere; `x.sin()` is not.
pub const STD_FLOAT: &[&str] = &[
    "sin",
    "cos",
    "tan",
    "asin",
    "acos",
    "atan",
    "atan2",
    "sinh",
    "cosh",
    "tanh",
    "sqrt",
    "cbrt",
    "ln",
    "ln_1p",
    "log",
    "log2",
    "log10",
    "exp",
    "exp2",
    "exp_m1",
    "powf",
    "powi",
    "hypot",
    "mul_add",
    "sin_cos",
    "to_radians",
    "to_degrees",
];

/// File names that do not tell their content.
pub const BANNED_NAMES: &[&str] =
    &["util", "utils", "common", "helper", "helpers", "misc", "manager", "types", "data", "info"];

/// Most lines of a file: a longer one usually holds two subjects.
pub const LINES_MAX: usize = 500;

/// Files that are longer all the same. The list only shrinks: a file that got below the limit is
/// struck off.
pub const LONG: &[&str] =
    &["src/config/catalogue/pops.rs", "src/health/monitor/mod.rs", "src/steer/choose.rs"];

/// Most lines of a function: a longer one is cut into named steps.
pub const FUNCTION_LINES_MAX: usize = 60;

/// Control blocks that may stand in each other.
pub const BLOCKS_MAX: usize = 5;

/// Files that may read the wall clock, or compare times of files with it.
pub const CLOCKS: &[&str] = &["src/sys/clock.rs", "src/probe/file.rs", "src/reload/disk.rs"];

/// Codes of findings that no test names. The list only shrinks: a new code has a test.
pub const CODES_WITHOUT_TEST: &[&str] = &["MRD0502", "MRD0512", "MRD0513", "MRD0514", "MRD0520", "MRD0521"];

/// Files that may have long lines, with the reason.
pub const WIDE: &[(&str, &str)] = &[("tests/peers/zones.rs", "zone text in raw strings, line by line")];

/// Files that need each other, with the reason why that is right.
pub const CIRCLES: &[(&[&str], &str)] = &[
    (
        &["src/steer/policy.rs", "src/steer/rule.rs"],
        "a rule may hand its clients to another policy (`use:`), and a policy has rules",
    ),
    (&["src/zone/links.rs", "src/zone/set.rs"], "a set of zones has links, and a link leads into the set"),
];
