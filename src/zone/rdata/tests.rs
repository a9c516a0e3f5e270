//! Presentation format in both directions.

use super::*;

fn origin() -> Name {
    Name::parse("cdn.example.", None).unwrap()
}

fn hex(octets: &[u8]) -> String {
    octets.iter().map(|o| format!("{o:02x}")).collect()
}

/// Text, its octets, and its printed form.
#[test]
fn text_becomes_octets_and_text_again() {
    for (rtype, text, octets, shown) in [
        (RrType::A, "192.0.2.1", "c0000201", "192.0.2.1"),
        (RrType::AAAA, "2001:db8::1", "20010db8000000000000000000000001", "2001:db8::1"),
        (RrType::CNAME, "Edge", "04456467650363646e076578616d706c6500", "Edge.cdn.example."),
        (RrType::NS, "@", "0363646e076578616d706c6500", "cdn.example."),
        (RrType::MX, "10 mail.example.", "000a046d61696c076578616d706c6500", "10 mail.example."),
        (RrType::MX, "0 .", "000000", "0 ."),
        (RrType::TXT, r#""a b" c"#, "03612062" /* + */, ""),
        (RrType::TXT, r#""q\"\200\\""#, "0471", ""),
        (RrType::CAA, r#"0 issue "ca.example""#, "000569737375656361", r#"0 issue "ca.example""#),
        (RrType::SRV, "1 2 443 x.example.", "0001000201bb0178076578616d706c6500", "1 2 443 x.example."),
        (RrType::DS, "12345 13 2 AABB cc", "30390d02aabbcc", "12345 13 2 aabbcc"),
        (RrType::CDNSKEY, "0 3 0 AA==", "0000030000", "0 3 0 AA=="),
        (RrType::OPENPGPKEY, "AQID BA==", "01020304", "AQIDBA=="),
        (RrType::HINFO, "PC Linux", "025043054c696e7578", r#""PC" "Linux""#),
        (RrType(65280), r"\# 4 0a000001", "0a000001", r"\# 4 0a000001"),
        (RrType(65280), r"\# 0", "", r"\# 0"),
        (RrType::A, r"\# 4 c0 00 02 01", "c0000201", "192.0.2.1"),
        (RrType::SOA, "ns1 host 1 2h 15m 1w 60", "036e7331", ""),
    ] {
        let made = from_text(rtype, text, &origin()).unwrap_or_else(|e| panic!("{rtype} {text}: {e}"));
        assert!(hex(&made).starts_with(octets), "{rtype} {text}: {}", hex(&made));
        assert!(is_valid(rtype, &made), "{rtype} {text}");
        let printed = to_text(rtype, &made);
        if !shown.is_empty() {
            assert_eq!(printed, shown);
        }
        assert_eq!(from_text(rtype, &printed, &origin()).unwrap(), made, "{rtype} {printed}");
    }
}

/// RFC 9460 section 2.1 and appendix D: parameters in any order, values in quotes, keys by number;
/// in wire form they ascend. Each row: the text, the octets after priority and target, and the
/// printed form.
#[test]
fn service_bindings() {
    let made = from_text(RrType::HTTPS, "1 edge alpn=h2", &origin()).unwrap();
    assert_eq!(hex(&made), "000104656467650363646e076578616d706c650000010003026832");
    assert!(!is_valid(RrType::HTTPS, &[0]));
    for (text, params, shown) in [
        ("0 .", "", "0 ."),
        (r#"1 . alpn="h2,h3" port="443""#, "00010006026832026833 0003000201bb", "1 . alpn=h2,h3 port=443"),
        (
            "1 . ipv4hint=192.0.2.1 alpn=h2",
            "00010003026832 00040004c0000201",
            "1 . alpn=h2 ipv4hint=192.0.2.1",
        ),
        ("1 . no-default-alpn alpn=h2", "00010003026832 00020000", "1 . alpn=h2 no-default-alpn"),
        (
            "16 . mandatory=ipv4hint,alpn alpn=h2 ipv4hint=192.0.2.1",
            "0000000400010004 00010003026832 00040004c0000201",
            "",
        ),
        (r#"1 . key667="hello\210qoo""#, "029b000968656c6c6fd2716f6f", r#"1 . key667="hello\210qoo""#),
        (r"1 . key667=hello", "029b000568656c6c6f", "1 . key667=hello"),
        (r"1 . key1=\002h2", "00010003026832", "1 . alpn=h2"),
        (
            r#"16 . alpn="f\\\\oo\\,bar,h2""#,
            "0001000c08665c6f6f2c626172026832",
            r#"16 . alpn="f\\\\oo\\,bar,h2""#,
        ),
        (
            r"16 . alpn=f\\\092oo\092,bar,h2",
            "0001000c08665c6f6f2c626172026832",
            r#"16 . alpn="f\\\\oo\\,bar,h2""#,
        ),
        (
            "1 . ipv6hint=2001:db8::1 ech=AEX+DQ==",
            "000500040045fe0d 0006001020010db8000000000000000000000001",
            "",
        ),
        (
            "1 . dohpath=/dns-query{?dns} ohttp",
            "000700102f646e732d71756572797b3f646e737d 00080000",
            r#"1 . dohpath="/dns-query{?dns}" ohttp"#,
        ),
    ] {
        let made = from_text(RrType::SVCB, text, &origin()).unwrap_or_else(|e| panic!("{text}: {e}"));
        assert_eq!(hex(&made[3..]), params.replace(' ', ""), "{text}");
        let printed = to_text(RrType::SVCB, &made);
        if !shown.is_empty() {
            assert_eq!(printed, shown);
        }
        assert!(is_valid(RrType::SVCB, &made));
        assert_eq!(from_text(RrType::SVCB, &printed, &origin()).unwrap(), made, "{printed}");
    }
    for (text, words) in [
        ("1", "a priority, a target"),
        ("70000 .", "not a number"),
        ("1 . alpn=h2 alpn=h3", "twice"),
        ("1 . alpn=h2 key1=x", "twice"),
        ("1 . alpn=", "`alpn` has an invalid value"),
        ("1 . alpn=h2,,h3", "`alpn` has an invalid value"),
        (r#"1 . alpn= "h2""#, "not a parameter"),
        (r#"1 . "alpn=h2""#, "not a parameter"),
        ("1 . ALPN=h2", "`ALPN` is not a parameter"),
        ("1 . key01=x", "not a parameter"),
        ("1 . key65535=x", "not a parameter"),
        ("1 . port", "`port` has an invalid value"),
        ("1 . port=65536", "from 0 to 65535"),
        ("1 . ipv4hint=", "a list of IPv4 addresses"),
        ("1 . ipv4hint=2001:db8::1", "a list of IPv4 addresses"),
        ("1 . ipv6hint=192.0.2.1", "a list of IPv6 addresses"),
        ("1 . ech=x", "Base64"),
        ("1 . no-default-alpn", "without `alpn`"),
        ("1 . no-default-alpn=x alpn=h2", "invalid"),
        ("1 . mandatory=port alpn=h2", "`mandatory` names `port`, which is missing"),
        ("1 . mandatory=mandatory,alpn alpn=h2", "or itself"),
        ("1 . mandatory=alpn,alpn alpn=h2", "a key twice"),
        (r"\# 7 00010000040000", "not valid"),
        (r"\# 11 0001000003000101 000200", "not valid"),
    ] {
        let fault = from_text(RrType::HTTPS, text, &origin()).map(|made| hex(&made)).unwrap_err();
        assert!(fault.message.contains(words), "{text}: {}", fault.message);
    }
    // A quote inside a word stays a fault elsewhere.
    assert!(from_text(RrType::TXT, r#"v="x""#, &origin()).is_err());
}

#[test]
fn faults_are_told() {
    let long = format!("\"{}\"", "x".repeat(256));
    for (rtype, text, words) in [
        (RrType::A, "192.0.2", "not an IPv4 address"),
        (RrType::A, "", "the data must have one part"),
        (RrType::A, "192.0.2.1 192.0.2.2", "surplus"),
        (RrType::A, r"\# 3 c00002", "not valid for A"),
        (RrType::A, r"\# 4 c00002", "the length is 4 octets, but 3 are written"),
        (RrType(65280), "10.0.0.1", "no presentation format"),
        (RrType::MX, "mail", "the data must have 2 parts"),
        (RrType::MX, "70000 mail", "not a number from 0 to 65535"),
        (RrType::MX, "+1 mail", "not a number"),
        (RrType::TXT, &long, "at most 255"),
        (RrType::TXT, "\"open", "no end"),
        (RrType::TXT, r"\300", "three digits"),
        (RrType::CNAME, "a..b", "a label is empty"),
        (RrType::DS, "1 2 3 abc", "odd"),
        (RrType::CDNSKEY, "0 3 0 AB==", "Base64"),
        (RrType::CDNSKEY, "0 3 0 A===", "Base64"),
    ] {
        let fault = from_text(rtype, text, &origin()).unwrap_err();
        assert!(fault.message.contains(words), "{rtype} {text}: {}", fault.message);
    }
}

/// RFC 1876: degrees alone, minutes, seconds; altitudes, sizes and precisions with and without
/// unit.
#[test]
fn places_on_earth() {
    for (text, octets, shown) in [
        // Example of RFC 1876 section 4.
        (
            "42 21 54 N 71 06 18 W -24m 30m",
            "00331613 89172dd0 70be15f0 00988d20",
            "42 21 54.000 N 71 6 18.000 W -24.00m 30.00m 10000.00m 10.00m",
        ),
        (
            "0 N 0 E 0",
            "00121613 80000000 80000000 00989680",
            "0 0 0.000 N 0 0 0.000 E 0.00m 1.00m 10000.00m 10.00m",
        ),
        ("90 S 180 w 42849672.95m 90000000m 0 0.05", "00990005 6cb15200 5965cc00 ffffffff", ""),
        ("1 2 3.004 n 5 e -100000.00m 1 2 3", "00122232 80 38c76c 81 1950c0 00000000", ""),
    ] {
        let octets = octets.replace(' ', "");
        let made = from_text(RrType::LOC, text, &origin()).unwrap_or_else(|e| panic!("{text}: {e}"));
        let printed = to_text(RrType::LOC, &made);
        if !shown.is_empty() {
            assert_eq!((hex(&made), printed.as_str()), (octets, shown), "{text}");
        }
        assert!(is_valid(RrType::LOC, &made));
        assert_eq!(from_text(RrType::LOC, &printed, &origin()).unwrap(), made, "{printed}");
    }
    for text in [
        "",
        "91 N 0 E 0",
        "90 0 0.001 N 0 E 0",
        "1 60 N 0 E 0",
        "1 1 60 N 0 E 0",
        "1 1 1.0001 N 0 E 0",
        "1 E 1 N 0",
        "1 N 1 E",
        "1 N 1 E x",
        "1 N 1 E 0 1 1 1 1",
        "1 N 1 E 0 90000001000",
        "1 N 1 E 42849672.96",
        "N 1 E 0",
        "+1 N 1 E 0",
        "1 1 1 1 N 1 E 0",
        "1 N 1 E -100000.01",
    ] {
        assert!(from_text(RrType::LOC, text, &origin()).is_err(), "{text}");
    }
    // Another version, or invalid digits, stay octets.
    assert!(to_text(RrType::LOC, &[1; 16]).starts_with(r"\# 16 "));
    assert!(!is_valid(RrType::LOC, &[0; 15]));
}

#[test]
fn names_are_found() {
    let soa = from_text(RrType::SOA, "ns1 host 1 2 3 4 5", &origin()).unwrap();
    let names: Vec<String> = names_in(RrType::SOA, &soa).iter().map(Name::to_string).collect();
    assert_eq!(names, ["ns1.cdn.example.", "host.cdn.example."]);
    let https = from_text(RrType::HTTPS, "0 www", &origin()).unwrap();
    assert_eq!(names_in(RrType::HTTPS, &https)[0].to_string(), "www.cdn.example.");
    assert!(names_in(RrType::HTTPS, &https[..4]).is_empty());
    assert!(names_in(RrType::A, &[1, 2, 3, 4]).is_empty());
    assert!(names_in(RrType::NS, &[63]).is_empty());
}

/// Types in zones of BIND, NSD or Knot, in the form in which they write them.
#[test]
fn less_common_types_move_over_as_they_are() {
    for (rtype, text, octets, shown) in [
        (RrType::CERT, "PKIX 12345 RSASHA256 AQID", "0001 3039 08 010203", "1 12345 8 AQID"),
        (RrType::CERT, "3 0 0 AQ== ", "0003 0000 00 01", "3 0 0 AQ=="),
        (RrType::CSYNC, "66 3 A NS AAAA", "00000042 0003 0004 60000008", "66 3 A NS AAAA"),
        (RrType::CSYNC, "1 0", "00000001 0000", "1 0"),
        (
            RrType::CSYNC,
            "1 0 TYPE1234 MX",
            "00000001 0000 0002 0001 04 1b 000000 000000 000000 000000 000000 000000 000000 000000 000020",
            "",
        ),
        (RrType::DS, "1 ECDSAP256SHA256 2 00", "0001 0d 02 00", "1 13 2 00"),
        // RFC 3123 section 5 and 8.
        (
            RrType::APL,
            "1:192.168.32.0/21 !1:192.168.38.0/28",
            "0001 15 03 c0a820 0001 1c 83 c0a826",
            "1:192.168.32.0/21 !1:192.168.38.0/28",
        ),
        (
            RrType::APL,
            "1:224.0.0.0/4 2:FF00:0:0:0:0:0:0:0/8",
            "0001 04 01 e0 0002 08 01 ff",
            "1:224.0.0.0/4 2:ff00::/8",
        ),
        (RrType::APL, "", "", ""),
        // RFC 1035 section 3.4.2: ports 25, 53 and 80 are bits 1, 5 and 0 of octets 3, 6 and 10.
        (
            RrType::WKS,
            "192.0.2.1 TCP smtp 53 http",
            "c0000201 06 000000 40 0000 04 000000 80",
            "192.0.2.1 6 25 53 80",
        ),
        (RrType::WKS, "192.0.2.1 17", "c0000201 11", "192.0.2.1 17"),
        // RFC 1706 section 5.
        (
            RrType::NSAP,
            "0x47.0005.80.005a00.0000.0001.e133.ffffff000162.00",
            "47 0005 80 005a00 0000 0001 e133 ffffff000162 00",
            "0x47000580005a0000000001e133ffffff00016200",
        ),
        // RFC 2163 section 4.
        (RrType::PX, "50 a. PRMD-b.", "0032 016100 0650524d442d6200", "50 a. PRMD-b."),
        // RFC 7043.
        (RrType::EUI48, "00-00-5E-00-53-2a", "00005e00532a", "00-00-5e-00-53-2a"),
        (RrType::EUI64, "00-00-5e-ef-10-00-00-2a", "00005eef1000002a", "00-00-5e-ef-10-00-00-2a"),
        // RFC 6742.
        (RrType::NID, "10 0014:4fff:ff20:ee64", "000a 00144fffff20ee64", "10 0014:4fff:ff20:ee64"),
        (RrType::L32, "10 10.1.2.0", "000a 0a010200", "10 10.1.2.0"),
        (RrType::L64, "10 2001:0DB8:1140:1000", "000a 20010db811401000", "10 2001:0db8:1140:1000"),
        (
            RrType::LP,
            "10 l64-subnet1.example.com.",
            "000a 0b6c36342d7375626e657431076578616d706c6503636f6d00",
            "",
        ),
        // RFC 4025 section 3.
        (RrType::IPSECKEY, "10 1 2 192.0.2.38 AQNR", "0a 01 02 c0000226 010351", "10 1 2 192.0.2.38 AQNR"),
        (RrType::IPSECKEY, "10 0 2 . AQNR", "0a 00 02 010351", "10 0 2 . AQNR"),
        (
            RrType::IPSECKEY,
            "10 3 2 gw AQNR",
            "0a 03 02 0267770363646e076578616d706c6500 010351",
            "10 3 2 gw.cdn.example. AQNR",
        ),
        (RrType::IPSECKEY, "10 2 2 2001:db8::1 AQNR", "0a 02 02 20010db8000000000000000000000001 010351", ""),
        (
            RrType::AMTRELAY,
            "10 1 3 relay",
            "0a 83 0572656c61790363646e076578616d706c6500",
            "10 1 3 relay.cdn.example.",
        ),
        (RrType::AMTRELAY, "128 1 0 .", "80 80", "128 1 0 ."),
        // RFC 8005 section 6.
        (
            RrType::HIP,
            "2 200100107B1A74DF365639CC39F1D578 AwEA rvs1 rvs2.",
            "10 02 0003 200100107b1a74df365639cc39f1d578 0301 00 04727673310363646e076578616d706c6500 \
             047276733200",
            "2 200100107b1a74df365639cc39f1d578 AwEA rvs1.cdn.example. rvs2.",
        ),
        (
            RrType::DHCID,
            "AAIBY2/AuCccgoJbsaxcQc9TUapptP69lOjxfNuVAA2kjEA=",
            "000201636fc0b8271c82825bb1ac5c41cf5351aa69b4febd94e8f17cdb95000da48c40",
            "",
        ),
        (RrType::AFSDB, "1 afs", "0001 036166730363646e076578616d706c6500", ""),
        (RrType::KX, "10 kx", "000a 026b780363646e076578616d706c6500", ""),
        (RrType::RT, "10 .", "000a00", "10 ."),
        (RrType::X25, "311061700956", "0c333131303631373030393536", "\"311061700956\""),
        (RrType::ISDN, "150862028003217 004", "0f313530383632303238303033323137 03303034", ""),
        (RrType::GPOS, "-32.6882 116.8652 10.0", "082d33322e36383832 083131362e38363532 0431302e30", ""),
    ] {
        let made = from_text(rtype, text, &origin()).unwrap_or_else(|e| panic!("{rtype} {text}: {e}"));
        assert_eq!(hex(&made), octets.replace(' ', ""), "{rtype} {text}");
        assert!(is_valid(rtype, &made), "{rtype} {text}");
        let printed = to_text(rtype, &made);
        if !shown.is_empty() {
            assert_eq!(printed, shown, "{rtype}");
        }
        assert_eq!(from_text(rtype, &printed, &Name::root()).unwrap(), made, "{rtype} {printed}");
    }
}

#[test]
fn faults_of_less_common_types_are_told() {
    for (rtype, text, words) in [
        (RrType::CERT, "PKCS 1 8 AQID", "a kind of certificate"),
        (RrType::CERT, "1 1 RSA AQID", "a DNSSEC algorithm"),
        (RrType::CERT, "1 1 256 AQID", "a DNSSEC algorithm"),
        (RrType::CSYNC, "1 2 B", "`B` is not a record type"),
        (RrType::APL, "3:192.0.2.0/24", "is not a prefix"),
        (RrType::APL, "1:192.0.2.0/33", "longer than 32"),
        (RrType::APL, "1:2001:db8::/32", "is not a prefix"),
        (RrType::WKS, "192.0.2.1", "an IPv4 address, a protocol and ports"),
        (RrType::WKS, "192.0.2 6 25", "is not an IPv4 address"),
        (RrType::WKS, "192.0.2.1 sctp 25", "the protocol `sctp` is not known"),
        (RrType::WKS, "192.0.2.1 6 65536", "the service `65536` is not known"),
        (RrType::NSAP, "47.0005", "the data must be one address"),
        (RrType::NSAP, "0x470", "the data must be one address"),
        (RrType::NSAP, "0x47 00", "the data must be one address"),
        (RrType::NSAP, "0x", "the data must be one address"),
        (RrType::PX, "50 a.", "the data must have"),
        (RrType::EUI48, "00-00-5e-00-53", "xx-xx-xx-xx-xx-xx"),
        (RrType::EUI48, "00-00-5e-00-53-2a-00", "6 octets"),
        (RrType::EUI64, "00:00:5e:ef:10:00:00:2a", "8 octets"),
        (RrType::NID, "10 0014:4fff:ff20", "xxxx:xxxx:xxxx:xxxx"),
        (RrType::IPSECKEY, "10 0 2 192.0.2.1 AQNR", "write `.`"),
        (RrType::IPSECKEY, "10 4 2 . AQNR", "not a type of gateway"),
        (RrType::IPSECKEY, "10 1 2", "the data must be a precedence"),
        (RrType::AMTRELAY, "10 2 1 192.0.2.1", "neither 0 nor 1"),
        (RrType::HIP, "2 2001", "the data must be an algorithm"),
        (RrType::RRSIG, "A 13 2 60 20300101000000 20200101000000 1 . AAAA", "signed zones are not served"),
        (RrType::NSEC, "a. A", "signed zones are not served"),
    ] {
        let fault = from_text(rtype, text, &origin()).unwrap_err();
        assert!(fault.message.contains(words), "{rtype} {text}: {}", fault.message);
    }
}

/// Octets that are likely to be data of a type: numbers, lengths and names that fit.
fn likely() -> impl proptest::strategy::Strategy<Value = Vec<u8>> {
    use proptest::prelude::*;
    let piece = prop_oneof![
        proptest::collection::vec(any::<u8>(), 0..6),
        proptest::collection::vec(0u8..4, 1..4),
        proptest::collection::vec(any::<u8>(), 0..9)
            .prop_map(|octets| [vec![octets.len() as u8], octets].concat()),
        Just(vec![0]),
        Just(vec![1, b'a', 0]),
        Just(vec![3, b'W', b'.', b'\\', 2, b'"', b' ', 0]),
        Just(vec![0, 1, 0x40]),
        Just(vec![0, 1, 24, 3, 192, 0, 2]),
        Just(vec![0, 2, 32, 0x84, 0x20, 1, 0x0d, 0xb8]),
        Just(vec![0, 1, 0, 3, 2, b'h', b'2']),
        proptest::collection::vec(any::<u8>(), 14..17),
    ];
    proptest::collection::vec(piece, 0..7).prop_map(|pieces| pieces.concat())
}

/// Types with a presentation format.
fn supported() -> Vec<RrType> {
    let all = RrType::mnemonics().filter_map(RrType::from_text);
    let known: Vec<RrType> =
        all.filter(|rtype| shape::of(*rtype).is_some() || own(*rtype).is_some()).collect();
    assert!(known.len() > 50, "{}", known.len());
    known
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(20_000))]
    /// Octets of every type become text, and the text becomes the same octets.
    #[test]
    fn octets_text_octets(index in 0usize..1_000, octets in likely()) {
        let known = supported();
        for rtype in [known[index % known.len()], RrType(65280)] {
            if is_valid(rtype, &octets) {
                let printed = to_text(rtype, &octets);
                let read = from_text(rtype, &printed, &origin());
                proptest::prop_assert_eq!(read.as_deref(), Ok(&*octets), "{} {}", rtype, printed);
            }
        }
    }

    /// Printing is stable: text, octets, text, octets, text.
    #[test]
    fn text_octets_text(index in 0usize..1_000, words in proptest::collection::vec(word(), 0..7)) {
        let known = supported();
        let rtype = known[index % known.len()];
        if let Ok(octets) = from_text(rtype, &words.join(" "), &origin()) {
            proptest::prop_assert!(is_valid(rtype, &octets), "{} {:?}", rtype, words);
            let printed = to_text(rtype, &octets);
            let read = from_text(rtype, &printed, &Name::root());
            proptest::prop_assert_eq!(read.as_deref(), Ok(&*octets), "{} {}", rtype, printed);
            proptest::prop_assert_eq!(to_text(rtype, &octets), printed);
        }
    }
}

/// Words that occur in record data.
fn word() -> impl proptest::strategy::Strategy<Value = String> {
    use proptest::prelude::*;
    let fixed = [
        "0",
        "1",
        "3",
        "13",
        "255",
        "65535",
        "1h30m",
        "192.0.2.1",
        "2001:db8::1",
        "www",
        "mail.example.",
        ".",
        "@",
        "\"a b\"",
        "\"\"",
        "issue",
        "AQID",
        "AA==",
        "00ff",
        "PKIX",
        "A",
        "MX",
        "TYPE999",
        "1:192.0.2.0/24",
        "!2:2001:db8::/32",
        "00-00-5e-00-53-2a",
        "00-00-5e-ef-10-00-00-2a",
        "14:4fff:ff20:ee64",
        "alpn=h2,h3",
        "port=443",
        "ipv4hint=192.0.2.1",
        "key667=hello",
        "N",
        "E",
        "-2m",
        "no-default-alpn",
        "mandatory=alpn",
        "q\\\"\\200",
        "ech=AEX+DQ==",
        "dohpath=/q{?dns}",
    ];
    prop_oneof![
        4 => proptest::sample::select(fixed.to_vec()).prop_map(str::to_owned),
        1 => "[0-9]{1,4}",
        1 => "[ -~&&[^ \"]]{1,8}",
    ]
}

proptest::proptest! {
    /// No text and no octets cause a panic, and printed data reads back to the same octets.
    #[test]
    fn nothing_panics(
        number in 0u16..300,
        text in r#"[ -~]{0,40}"#,
        octets in proptest::collection::vec(proptest::num::u8::ANY, 0..40),
    ) {
        let rtype = RrType(number);
        let _ = from_text(rtype, &text, &origin());
        let printed = to_text(rtype, &octets);
        names_in(rtype, &octets);
        if (shape::of(rtype).is_some() || is_service(rtype)) && is_valid(rtype, &octets) {
            proptest::prop_assert_eq!(from_text(rtype, &printed, &origin()).unwrap(), octets, "{}", printed);
        }
    }
}
