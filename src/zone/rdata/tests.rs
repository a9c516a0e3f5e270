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

/// Types with a grammar of their own go through hickory-proto, with relative names made absolute.
#[test]
fn service_bindings_go_through_hickory() {
    let made = from_text(RrType::HTTPS, "1 edge alpn=h2", &origin()).unwrap();
    assert_eq!(hex(&made), "000104656467650363646e076578616d706c650000010003026832");
    assert!(to_text(RrType::HTTPS, &made).starts_with("1 edge.cdn.example."));
    assert!(!is_valid(RrType::HTTPS, &[0]));
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
        if shape::of(rtype).is_some() && is_valid(rtype, &octets) {
            proptest::prop_assert_eq!(from_text(rtype, &printed, &origin()).unwrap(), octets, "{}", printed);
        }
    }
}
