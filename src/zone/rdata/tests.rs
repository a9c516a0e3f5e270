//! Presentation format both ways.

use super::*;

fn origin() -> Name {
    Name::parse("cdn.example.", None).unwrap()
}

fn hex(octets: &[u8]) -> String {
    octets.iter().map(|o| format!("{o:02x}")).collect()
}

/// Text, the octets it makes, and how explain prints them again.
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

/// RFC 9460 section 2.1 and appendix D: parameters in any order, values in quotes, keys by number; on the
/// wire they ascend. Each row: the text, the octets behind priority and target, and how it is printed.
#[test]
fn service_bindings() {
    let made = from_text(RrType::HTTPS, "1 edge alpn=h2", &origin()).unwrap();
    assert_eq!(hex(&made), "000104656467650363646e076578616d706c650000010003026832");
    assert!(!is_valid(RrType::HTTPS, &[0]));
    for (text, params, shown) in [
        ("0 .", "", "0 ."),
        (r#"1 . alpn="h2,h3" port="443""#, "00010006026832026833 0003000201bb", "1 . alpn=h2,h3 port=443"),
        ("1 . ipv4hint=192.0.2.1 alpn=h2", "00010003026832 00040004c0000201", "1 . alpn=h2 ipv4hint=192.0.2.1"),
        ("1 . no-default-alpn alpn=h2", "00010003026832 00020000", "1 . alpn=h2 no-default-alpn"),
        ("16 . mandatory=ipv4hint,alpn alpn=h2 ipv4hint=192.0.2.1", "0000000400010004 00010003026832 00040004c0000201", ""),
        (r#"1 . key667="hello\210qoo""#, "029b000968656c6c6fd2716f6f", r#"1 . key667="hello\210qoo""#),
        (r"1 . key667=hello", "029b000568656c6c6f", "1 . key667=hello"),
        (r"1 . key1=\002h2", "00010003026832", "1 . alpn=h2"),
        (r#"16 . alpn="f\\\\oo\\,bar,h2""#, "0001000c08665c6f6f2c626172026832", r#"16 . alpn="f\\\\oo\\,bar,h2""#),
        (r"16 . alpn=f\\\092oo\092,bar,h2", "0001000c08665c6f6f2c626172026832", r#"16 . alpn="f\\\\oo\\,bar,h2""#),
        ("1 . ipv6hint=2001:db8::1 ech=AEX+DQ==", "000500040045fe0d 0006001020010db8000000000000000000000001", ""),
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
        ("1", "priority and a target"),
        ("70000 .", "not a number"),
        ("1 . alpn=h2 alpn=h3", "twice"),
        ("1 . alpn=h2 key1=x", "twice"),
        ("1 . alpn=", "`alpn` has a value that cannot be"),
        ("1 . alpn=h2,,h3", "`alpn` has a value that cannot be"),
        (r#"1 . alpn= "h2""#, "not a parameter"),
        (r#"1 . "alpn=h2""#, "not a parameter"),
        ("1 . ALPN=h2", "`ALPN` is not a parameter"),
        ("1 . key01=x", "not a parameter"),
        ("1 . key65535=x", "not a parameter"),
        ("1 . port", "`port` has a value that cannot be"),
        ("1 . port=65536", "from 0 to 65535"),
        ("1 . ipv4hint=", "a list of IPv4 addresses"),
        ("1 . ipv4hint=2001:db8::1", "a list of IPv4 addresses"),
        ("1 . ipv6hint=192.0.2.1", "a list of IPv6 addresses"),
        ("1 . ech=x", "Base64"),
        ("1 . no-default-alpn", "without `alpn`"),
        ("1 . no-default-alpn=x alpn=h2", "cannot be"),
        ("1 . mandatory=port alpn=h2", "`mandatory` names `port`, which is not here"),
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
        (RrType::A, "", "there must be one part"),
        (RrType::A, "192.0.2.1 192.0.2.2", "one too many"),
        (RrType::A, r"\# 3 c00002", "not valid for A"),
        (RrType::A, r"\# 4 c00002", "4 octets are announced, 3 are written"),
        (RrType(65280), "10.0.0.1", "no presentation format"),
        (RrType::MX, "mail", "there must be 2 parts"),
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

/// RFC 1876: degrees alone, minutes, seconds; altitudes, sizes and precisions with and without unit.
#[test]
fn places_on_earth() {
    for (text, octets, shown) in [
        // The example of RFC 1876 section 4.
        (
            "42 21 54 N 71 06 18 W -24m 30m",
            "00331613 89172dd0 70be15f0 00988d20",
            "42 21 54.000 N 71 6 18.000 W -24.00m 30.00m 10000.00m 10.00m",
        ),
        ("0 N 0 E 0", "00121613 80000000 80000000 00989680", "0 0 0.000 N 0 0 0.000 E 0.00m 1.00m 10000.00m 10.00m"),
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
    // Another version, or digits that are none, stay octets.
    assert!(to_text(RrType::LOC, &[1; 16]).starts_with(r"\# 16 "));
    assert!(!is_valid(RrType::LOC, &[0; 15]));
}

#[test]
fn names_are_found() {
    let soa = from_text(RrType::SOA, "ns1 host 1 2 3 4 5", &origin()).unwrap();
    let names: Vec<String> = names_in(RrType::SOA, &soa).iter().map(Name::to_string).collect();
    assert_eq!(names, ["ns1.cdn.example.", "host.cdn.example."]);
    assert!(names_in(RrType::A, &[1, 2, 3, 4]).is_empty());
    assert!(names_in(RrType::NS, &[63]).is_empty());
}

proptest::proptest! {
    /// No text and no octets make a panic, and what was printed reads back to the same octets.
    #[test]
    fn nothing_panics(number in 0u16..300, text in r#"[ -~]{0,40}"#, octets in proptest::collection::vec(proptest::num::u8::ANY, 0..40)) {
        let rtype = RrType(number);
        let _ = from_text(rtype, &text, &origin());
        let printed = to_text(rtype, &octets);
        names_in(rtype, &octets);
        if (shape::of(rtype).is_some() || is_service(rtype)) && is_valid(rtype, &octets) {
            proptest::prop_assert_eq!(from_text(rtype, &printed, &origin()).unwrap(), octets, "{}", printed);
        }
    }
}
