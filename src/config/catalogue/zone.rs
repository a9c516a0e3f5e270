//! Keys of zone files.

use super::*;

/// The zone file.
pub(super) const FILE: FileKind =
    FileKind { word: "zone", path: "zones/example.org.yaml", root: &ZONE, sections: &[&ZONE, &SOA, &OWNER] };

static ZONE: KeySection = KeySection {
    id: "zone",
    title: "Zones",
    about: "One file for each zone: its owners, their records, and the steered names.",
    block: "yaml zones/example.org.yaml
zone: example.org.
ttl: 300
soa: { mname: ns1.cdn.example., rname: hostmaster.cdn.example., serial: 1, refresh: 2h, retry: 15m, expire: \
14d, negative_ttl: 60 }
chain: full
records:
  \"@\":
    NS: [ns1.cdn.example., ns2.cdn.example.]
    TXT: '\"v=spf1 -all\"'
    steer: here
  www: { steer: here, ttl: { min: 10, max: 30 } }
  mail: { A: 203.0.113.30, ttl: 3600 }
  \"*.apps\": { CNAME: www }
  _odd: { TYPE65280: '\\# 4 0a000001' }
policies:
  here: { pops: [fra, ams], order: listed }",
    entries: &[
        entry("zone", &NAME, REQUIRED, "the apex", "example.org."),
        entry("ttl", &DNS_TIME, Absent::Default("1h"), "TTL of records without one of their own", "300"),
        entry(
            "soa",
            &Shape::Map(&SOA),
            Absent::Words("required, unless zone text beside it has one"),
            "the SOA record",
            "",
        ),
        entry(
            "chain",
            &Shape::Choice(&["full", "first", "same_scope"]),
            Absent::Default("full"),
            "CNAMEs are followed inside our zones: to the end; not at all; or as long as the scope does not \
             change. Resolvers ask again for a name in another zone, so `full` serves clients without a \
             cache",
            "full",
        ),
        entry(
            "records",
            &Shape::Names("owner", &Shape::Map(&OWNER)),
            NONE,
            "owners and their records; `@` is the apex, and an owner is relative to the zone unless it ends \
             in a dot",
            "\n\"@\":\n  NS: [ns1.example.org., ns2.example.org.]\n  steer: here\nns1: { A: 203.0.113.1 \
             }\nns2: { A: 203.0.113.2 }\nwww: { steer: web, ttl: { min: 10, max: 30 } }\nmail: { A: \
             203.0.113.30, TXT: '\"v=spf1 -all\"', ttl: 1h }",
        ),
        entry(
            "policies",
            &super::policies::NAMED,
            NONE,
            "[policies](#policies) of this zone alone",
            "{ here: { pops: [fra], order: listed } }",
        ),
    ],
    others: Others::None,
    notes: "",
};

static SOA: KeySection = KeySection {
    id: "soa",
    title: "",
    about: "Keys of `soa`:",
    block: "",
    entries: &[
        entry("mname", &NAME, REQUIRED, "the primary server", "ns1.example.org."),
        entry(
            "rname",
            &NAME,
            REQUIRED,
            "the mailbox as a name (`hostmaster.example.`, not `hostmaster@example.`)",
            "hostmaster.example.org.",
        ),
        entry(
            "serial",
            &Shape::Integer(0, 4_294_967_295),
            Absent::Default("1"),
            "the same on all nodes; never derived from the time of reading",
            "1",
        ),
        entry(
            "refresh",
            &DNS_TIME,
            Absent::Default("2h"),
            "for secondary servers, which are not supported yet",
            "2h",
        ),
        entry("retry", &DNS_TIME, Absent::Default("15m"), "for secondary servers", "15m"),
        entry("expire", &DNS_TIME, Absent::Default("14d"), "for secondary servers", "14d"),
        entry(
            "negative_ttl",
            &DNS_TIME,
            Absent::Default("5m"),
            "longest time for which negative answers are cached (RFC 2308 section 5)",
            "60",
        ),
    ],
    others: Others::None,
    notes: "",
};

static OWNER: KeySection = KeySection {
    id: "owner",
    title: "",
    about: "Keys of an owner. Every further key is a [record type](#record-types), with one text or a list \
        of texts as its value:",
    block: "",
    entries: &[
        entry(
            "steer",
            &Shape::Text("a policy"),
            NONE,
            "the policy that answers A and AAAA, and HTTPS if its PoPs have it",
            "web",
        ),
        entry(
            "ttl",
            &Shape::Either(&[Shape::Seconds(0, i32::MAX as u32), Shape::Map(&super::policies::TTL)]),
            Absent::Words("the zone's or the policy's"),
            "TTL of its records; with `steer` also a map of `min` and `max`, which override the policy's",
            "60",
        ),
    ],
    others: Others::Records,
    notes: "TXT is quoted twice, once for YAML and once for the DNS: `'\"v=spf1 -all\"'`.",
};
