//! Keys of `meridian.yaml` about clients: those without answers, and those behind balancers.

use super::*;
use crate::limits::KNOWN_AFTER_SECS_MAX;

static LISTED: Shape = Shape::AnyList(&Shape::Text("a prefix, an address or a network"));
static BALANCERS: Shape = Shape::List(&Shape::Text("a prefix, an address or a network"));

/// Access lists.
pub(super) static ACCESS: KeySection = KeySection {
    id: "access",
    title: "",
    about: "Keys of `access`, lists of prefixes, addresses, and names of `networks.yaml`. The longest prefix \
        that contains the source address of a client decides; an address in no list is allowed:",
    block: "",
    entries: &[
        entry(
            "refuse",
            &LISTED,
            NONE,
            "queries get REFUSED with the extended error 18 (Prohibited); other messages get nothing",
            "[198.51.100.0/24]",
        ),
        entry(
            "drop",
            &LISTED,
            NONE,
            "messages get no reply, and connections are closed (behind a balancer, after its header)",
            "[203.0.113.0/24, \"2001:db8::/32\"]",
        ),
        entry("allow", &LISTED, NONE, "exceptions inside wider prefixes of the other lists", "[203.0.113.7]"),
    ],
    others: Others::None,
    notes: "At most 16,384 prefixes, each under one key. Over UDP a source address can be forged, so `allow` \
        does not authenticate a client ([operate.md](operate.md#access-lists)).",
};

/// Treatment of an overload of UDP.
pub(super) static OVERLOAD: KeySection = KeySection {
    id: "overload",
    title: "",
    about: "Keys of `overload`, which holds for UDP and the engine `fast`. A prefix is a /24 (IPv4) or /48 \
        (IPv6):",
    block: "",
    entries: &[
        entry(
            "known_first",
            &SWITCH,
            Absent::Required,
            "while a socket's receive buffer overflows, the kernel passes queries of known prefixes, and of \
             all others only as many as the server can answer",
            "on",
        ),
        entry(
            "known_after",
            &Shape::Seconds(1, KNOWN_AFTER_SECS_MAX),
            Absent::Default("60s"),
            "shortest time between two answers without an error that make a prefix known",
            "60s",
        ),
    ],
    others: Others::None,
    notes: "[operate.md](operate.md#overload) explains what it protects and what not.",
};

/// Balancers that send PROXY headers.
pub(super) static PROXY_PROTOCOL: KeySection = KeySection {
    id: "proxy_protocol",
    title: "",
    about: "Keys of `proxy_protocol`, the PROXY protocol of version 2:",
    block: "",
    entries: &[entry(
        "from",
        &BALANCERS,
        REQUIRED,
        "source addresses whose every datagram, and every connection, begins with a PROXY header: prefixes, \
         addresses, and names of `networks.yaml`",
        "[192.0.2.10, \"2001:db8:53::/64\"]",
    )],
    others: Others::None,
    notes: "At most 1,024 prefixes. The client of the header takes the place of the sender for the answer, \
        the limits and the lists; without a header, nothing is answered. List balancers alone, because they \
        can claim to be any client ([operate.md](operate.md#behind-a-balancer)).",
};
