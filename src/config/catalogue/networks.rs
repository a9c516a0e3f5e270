//! `networks.yaml`.

use super::*;

/// The file.
pub(super) const FILE: FileKind = FileKind {
    word: "networks",
    path: "geoip/networks.yaml",
    root: &NETWORKS,
    sections: &[&NETWORKS, &NETWORK],
};

static PREFIXES: Shape = Shape::List(&Shape::Text("a prefix or address"));

static NETWORKS: KeySection = KeySection {
    id: "networks",
    title: "Networks",
    about: "A map from names to networks; `when: { network: office }` asks for one. The longest prefix that \
        holds a client speaks \
            first, and the databases fill what it leaves open. A prefix is in one network only.",
    block: "yaml in networks
branch:
  prefixes: [198.18.1.0/24, \"2001:db8:ff2::/48\"]
  country: DE
  subdivision: BE
  lat: 52.52
  lon: 13.40
  asn: 64511
partners: [198.18.2.0/24, 198.18.3.7]",
    entries: &[],
    others: Others::Named(&Shape::Either(&[
        Shape::Map(&NETWORK),
        Shape::List(&Shape::Text("a prefix or address")),
    ])),
    notes: "A network of which nothing but its prefixes is known may be the plain list of them.",
};

static NETWORK: KeySection = KeySection {
    id: "network",
    title: "",
    about: "Of a network:",
    block: "",
    entries: &[
        entry(
            "prefixes",
            &PREFIXES,
            REQUIRED,
            "the addresses that are in it",
            "[198.18.0.0/24, \"2001:db8:ff1::/48\"]",
        ),
        entry("country", &COUNTRY, NONE, "the country", "DE"),
        entry("subdivision", &SUBDIVISION, NONE, "needs its country, or says it: `DE-BE`", "BE"),
        entry("lat", &LAT, NONE, "degrees north; together with `lon`", "52.52"),
        entry("lon", &LON, NONE, "degrees east", "13.40"),
        entry("asn", &ASN, NONE, "the AS number", "64511"),
        entry("site", &POP, NONE, "these clients are taken to stand there", "fra"),
    ],
    others: Others::None,
    notes: "",
};
