//! Record types, classes, response codes and TTLs as Rust types.

use std::fmt;

/// Record type (RFC 1035 section 3.2.2 and the IANA registry).
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RrType(pub u16);

macro_rules! rr_types {
    ($($name:ident = $number:literal,)*) => {
        #[allow(missing_docs)]
        impl RrType { $(pub const $name: RrType = RrType($number);)* }
        const NAMES: &[(&str, u16)] = &[$((stringify!($name), $number)),*];
    };
}

rr_types! {
    A = 1, NS = 2, MD = 3, MF = 4, CNAME = 5, SOA = 6, MB = 7, MG = 8, MR = 9, NULL = 10, WKS = 11,
    PTR = 12, HINFO = 13, MINFO = 14, MX = 15, TXT = 16, RP = 17, AFSDB = 18, X25 = 19, ISDN = 20,
    RT = 21, NSAP = 22, SIG = 24, KEY = 25, PX = 26, GPOS = 27, AAAA = 28, LOC = 29, SRV = 33,
    NAPTR = 35, KX = 36, CERT = 37, DNAME = 39, OPT = 41, APL = 42, DS = 43, SSHFP = 44,
    IPSECKEY = 45, RRSIG = 46, NSEC = 47, DNSKEY = 48, DHCID = 49, NSEC3 = 50, NSEC3PARAM = 51,
    TLSA = 52, SMIMEA = 53, HIP = 55, NINFO = 56, TALINK = 58, CDS = 59, CDNSKEY = 60,
    OPENPGPKEY = 61, CSYNC = 62, ZONEMD = 63, SVCB = 64, HTTPS = 65, SPF = 99, NID = 104, L32 = 105,
    L64 = 106, LP = 107, EUI48 = 108, EUI64 = 109, TKEY = 249, TSIG = 250, IXFR = 251, AXFR = 252,
    MAILB = 253, MAILA = 254, ANY = 255, URI = 256, CAA = 257, AVC = 258, AMTRELAY = 260,
    RESINFO = 261, TA = 32768, DLV = 32769,
}

impl RrType {
    /// Parses a mnemonic (`AAAA`, in any case) or the generic form `TYPE28` (RFC 3597 section 5).
    pub fn from_text(text: &str) -> Option<RrType> {
        if let Some((_, number)) = NAMES.iter().find(|(name, _)| name.eq_ignore_ascii_case(text)) {
            return Some(RrType(*number));
        }
        let digits = text.get(..4).filter(|p| p.eq_ignore_ascii_case("TYPE")).and(text.get(4..))?;
        if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        digits.parse().ok().map(RrType)
    }

    /// Number of a registered type, by its mnemonic, whose data is read only in the generic form:
    /// obsolete types, and new ones that no zone uses yet.
    pub(crate) fn generic_only(text: &str) -> Option<RrType> {
        const NAMES: &[(&str, u16)] = &[
            ("NSAP-PTR", 23),
            ("NXT", 30),
            ("EID", 31),
            ("NIMLOC", 32),
            ("ATMA", 34),
            ("A6", 38),
            ("SINK", 40),
            ("RKEY", 57),
            ("DSYNC", 66),
            ("HHIT", 67),
            ("BRID", 68),
            ("UINFO", 100),
            ("UID", 101),
            ("GID", 102),
            ("UNSPEC", 103),
            ("DOA", 259),
            ("WALLET", 262),
            ("CLA", 263),
            ("IPN", 264),
        ];
        NAMES.iter().find(|(name, _)| name.eq_ignore_ascii_case(text)).map(|(_, number)| RrType(*number))
    }

    /// Help for data that is read only in the generic form.
    pub(crate) fn generic_help(self) -> String {
        format!(
            r"write it as in `TYPE{} \# 4 0a000001`: the number of octets, then hexadecimal (RFC 3597)",
            self.0
        )
    }

    /// Every mnemonic of this build, for "did you mean".
    pub(crate) fn mnemonics() -> impl Iterator<Item = &'static str> {
        NAMES.iter().map(|(name, _)| *name)
    }

    /// True for types that are never zone data: 0, OPT, and the meta and question types 128 to 255
    /// (RFC 6895 section 3.1).
    pub(crate) fn is_meta(self) -> bool {
        self.0 == 0 || self == RrType::OPT || (128..=255).contains(&self.0)
    }
}

impl fmt::Display for RrType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match NAMES.iter().find(|(_, number)| *number == self.0) {
            Some((name, _)) => f.pad(name),
            None => write!(f, "TYPE{}", self.0),
        }
    }
}

impl fmt::Debug for RrType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Class IN, the only one with zone data here.
pub(crate) const CLASS_IN: u16 = 1;
/// Class CH, for server identity questions (`id.server. CH TXT`, RFC 4892).
pub const CLASS_CH: u16 = 3;

/// Response code, with the eight upper bits from EDNS (RFC 6895 section 2.3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Rcode(pub u16);

#[allow(missing_docs)]
impl Rcode {
    pub const NOERROR: Rcode = Rcode(0);
    pub const FORMERR: Rcode = Rcode(1);
    pub const SERVFAIL: Rcode = Rcode(2);
    pub const NXDOMAIN: Rcode = Rcode(3);
    pub(crate) const NOTIMP: Rcode = Rcode(4);
    pub const REFUSED: Rcode = Rcode(5);
    pub(crate) const YXDOMAIN: Rcode = Rcode(6);
    pub(crate) const NOTAUTH: Rcode = Rcode(9);
    pub const BADVERS: Rcode = Rcode(16);
    pub const BADCOOKIE: Rcode = Rcode(23);
}

impl fmt::Display for Rcode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match *self {
            Rcode::NOERROR => "NOERROR",
            Rcode::FORMERR => "FORMERR",
            Rcode::SERVFAIL => "SERVFAIL",
            Rcode::NXDOMAIN => "NXDOMAIN",
            Rcode::NOTIMP => "NOTIMP",
            Rcode::REFUSED => "REFUSED",
            Rcode::YXDOMAIN => "YXDOMAIN",
            Rcode::NOTAUTH => "NOTAUTH",
            Rcode::BADVERS => "BADVERS",
            Rcode::BADCOOKIE => "BADCOOKIE",
            Rcode(other) => return write!(f, "RCODE{other}"),
        };
        f.pad(name)
    }
}

/// Time to live in seconds, at most 2^31 - 1 (RFC 2181 section 8).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ttl(u32);

impl Ttl {
    /// Largest TTL.
    pub(crate) const MAX: Ttl = Ttl(0x7fff_ffff);

    /// TTL of `secs` seconds; `None` above 2^31 - 1.
    pub(crate) fn from_secs(secs: u32) -> Option<Ttl> {
        (secs <= Ttl::MAX.0).then_some(Ttl(secs))
    }

    /// TTL in seconds.
    pub(crate) fn secs(self) -> u32 {
        self.0
    }
}
