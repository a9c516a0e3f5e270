//! Keys of `networks.yaml`.

use super::*;

/// The networks file.
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
    about: "Operator networks by name; rules use them as `when: { network: office }`. A client belongs to \
        the network with the longest prefix that contains it. The network's fields come first, and the \
        databases fill the missing ones. Each prefix belongs to one network only.",
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
    notes: "A network with nothing but prefixes may be written as the plain list of them.",
};

static NETWORK: KeySection = KeySection {
    id: "network",
    title: "",
    about: "Keys of a network:",
    block: "",
    entries: &[
        entry(
            "prefixes",
            &PREFIXES,
            REQUIRED,
            "its addresses and prefixes",
            "[198.18.0.0/24, \"2001:db8:ff1::/48\"]",
        ),
        entry("country", &COUNTRY, NONE, "the country", "DE"),
        entry(
            "subdivision",
            &SUBDIVISION,
            NONE,
            "subdivision, with `country` beside it or in the code: `DE-BE`",
            "BE",
        ),
        entry("lat", &LAT, NONE, "degrees north; together with `lon`", "52.52"),
        entry("lon", &LON, NONE, "degrees east", "13.40"),
        entry("asn", &ASN, NONE, "the AS number", "64511"),
        entry("site", &POP, NONE, "the PoP at whose place these clients are assumed to be", "fra"),
    ],
    others: Others::None,
    notes: "",
};
