//! Record types with examples; a test reads every example as the program reads zones.

/// A record type in the reference.
#[derive(Debug)]
pub(crate) struct RecordType {
    /// Mnemonic.
    pub(crate) name: &'static str,
    /// Purpose, with the RFC.
    pub(crate) about: &'static str,
    /// Record data as text (RFC 1035 section 5.1).
    pub(crate) examples: &'static [&'static str],
}

const fn of(name: &'static str, about: &'static str, examples: &'static [&'static str]) -> RecordType {
    RecordType { name, about, examples }
}

/// Types with a mnemonic. SOA is written under `soa`, or in zone text.
pub(crate) static RECORD_TYPES: &[RecordType] = &[
    of("A", "IPv4 address (RFC 1035)", &["192.0.2.1"]),
    of("AAAA", "IPv6 address (RFC 3596)", &["2001:db8::1"]),
    of("NS", "name server (RFC 1035)", &["ns1.example.org."]),
    of("CNAME", "alias (RFC 1035)", &["www.example.net."]),
    of("DNAME", "alias of everything below (RFC 6672)", &["example.net."]),
    of("MX", "mail server (RFC 1035)", &["10 mail.example.org."]),
    of("TXT", "text (RFC 1035)", &["\"v=spf1 -all\"", "\"a\" \"b\""]),
    of("PTR", "name of an address (RFC 1035)", &["host.example.org."]),
    of("SRV", "server of a service (RFC 2782)", &["10 60 5060 sip.example.org."]),
    of("CAA", "authorities that may issue certificates (RFC 8659)", &["0 issue \"ca.example.net\""]),
    of(
        "HTTPS",
        "parameters of a web server (RFC 9460)",
        &["1 . alpn=h3,h2 port=8443 ipv4hint=192.0.2.1", "0 www.example.net."],
    ),
    of("SVCB", "parameters of a service (RFC 9460)", &["1 svc.example.net. alpn=h2 port=5353"]),
    of("DS", "key of a signed child (RFC 4034)", &["60485 5 1 2bb183af5f22588179a53b0a98631fad1a292118"]),
    of(
        "TLSA",
        "certificate of a server (RFC 6698)",
        &["3 1 1 d2abde240d7cd3ee6b4b28c54df034b97983a1d16e8a410e4561cb106618e971"],
    ),
    of("SSHFP", "fingerprint of an SSH key (RFC 4255)", &["2 1 123456789abcdef67890123456789abcdef67890"]),
    of(
        "NAPTR",
        "rewriting of names (RFC 3403)",
        &["100 10 \"u\" \"E2U+sip\" \"!^.*$!sip:info@example.org!\" ."],
    ),
    of("HINFO", "machine (RFC 1035)", &["\"PC\" \"Linux\""]),
    of(
        "LOC",
        "position (RFC 1876)",
        &["52 22 23.000 N 4 53 32.000 E -2.00m 1m 10000m 10m", "42 21 54 N 71 06 18 W -24m 30m"],
    ),
    of("URI", "locator (RFC 7553)", &["10 1 \"https://www.example.org/path\""]),
    of("CSYNC", "records that a parent may copy (RFC 7477)", &["66 3 A NS AAAA"]),
    of("OPENPGPKEY", "OpenPGP key (RFC 7929)", &["mQINBFit2jsBEADr"]),
    of("SMIMEA", "certificate for mail (RFC 8162)", &["3 0 0 308201a2"]),
    of("RP", "responsible person (RFC 1183)", &["admin.example.org. contact.example.org."]),
    of("AFSDB", "server of a cell (RFC 1183)", &["1 afs.example.org."]),
    of("KX", "key exchanger (RFC 2230)", &["10 kx.example.org."]),
    of("CERT", "certificate (RFC 4398)", &["PKIX 12345 RSASHA256 AQIDBA==", "1 0 0 AQIDBA=="]),
    of(
        "CDS",
        "key that a child asks its parent to publish (RFC 7344)",
        &["60485 5 1 2bb183af5f22588179a53b0a98631fad1a292118"],
    ),
    of(
        "CDNSKEY",
        "DNSKEY that a child asks its parent to use (RFC 7344)",
        &["257 3 13 mdsswUyr3DPW132mOi8V9xESWE8jTo0d"],
    ),
    of("DNSKEY", "key of a zone (RFC 4034); it is served, nothing is signed", &["256 3 8 AwEAAbdx"]),
    of(
        "ZONEMD",
        "digest of a zone (RFC 8976)",
        &["2018031500 1 1 \
             feBe3d4ce2ec2ffa4ba99d46cd69d6d29711e55217057bee7eb1a7b641a47ba7fed\
             2dd5b97ae499fafa4f22c6bd647de"],
    ),
    of(
        "IPSECKEY",
        "key and gateway of a host (RFC 4025)",
        &["10 1 2 192.0.2.38 AQNRU3mG7TVTO2BkR47usntb102uFJtu", "10 0 2 . AQID"],
    ),
    of("DHCID", "client of a DHCP server (RFC 4701)", &["AAIBY2/AuCccgoJbsaxcQc9TUapptP69lOjxfNuVAA2kjEA="]),
    of("PX", "mapping of mail addresses (RFC 2163)", &["10 map822.example.org. mapx400.example.org."]),
    of(
        "NSAP",
        "address of an OSI network (RFC 1706)",
        &["0x47.0005.80.005a00.0000.0001.e133.ffffff000162.00"],
    ),
    of("WKS", "services at an address (RFC 1035)", &["192.0.2.1 tcp smtp 80"]),
    of("APL", "lists of address prefixes (RFC 3123)", &["1:192.0.2.0/24 !1:192.0.2.64/28 2:2001:db8::/32"]),
    of(
        "HIP",
        "identity of a host (RFC 8005)",
        &["2 200100107b1a74df365639cc39f1d578 AwEAAbdx rvs.example.com."],
    ),
    of("AMTRELAY", "relay of multicast (RFC 8777)", &["10 0 1 203.0.113.15", "128 1 0 ."]),
    of("NID", "node identifier (RFC 6742)", &["10 0014:4fff:ff20:ee64"]),
    of("L32", "32-bit locator (RFC 6742)", &["10 10.1.2.0"]),
    of("L64", "64-bit locator (RFC 6742)", &["10 2001:0db8:1140:1000"]),
    of("LP", "name of locators (RFC 6742)", &["10 l64-subnet1.example.com."]),
    of("EUI48", "48-bit hardware address (RFC 7043)", &["00-00-5e-00-53-2a"]),
    of("EUI64", "64-bit hardware address (RFC 7043)", &["00-00-5e-ef-10-00-00-2a"]),
    of("X25", "X.25 address (RFC 1183)", &["311061700956"]),
    of("ISDN", "ISDN address (RFC 1183)", &["150862028003217 004"]),
    of("RT", "router to a host (RFC 1183)", &["10 relay.example.org."]),
    of("GPOS", "older form of a position (RFC 1712)", &["-32.6882 116.8652 10.0"]),
    of("MINFO", "mailboxes of a list (RFC 1035)", &["admin.example.org. errors.example.org."]),
    of("RESINFO", "capabilities of a resolver (RFC 9606)", &["qnamemin exterr=15,16,17"]),
    of("SPF", "older place of sender policies (RFC 7208)", &["\"v=spf1 -all\""]),
    of("TYPE65280", "any type by number and octets (RFC 3597)", &["\\# 4 0a000001", "\\# 0"]),
];

#[cfg(test)]
mod tests;
