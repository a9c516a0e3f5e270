//! Valid zone text, and its faults.

use super::*;
use crate::finding::{Files, Severity, code};
use crate::zone::rdata;

struct Read {
    records: Vec<Record>,
    findings: Findings,
    files: Files,
}

fn read_with(text: &[u8], included: &[(&str, &str)]) -> Read {
    let mut files = Files::default();
    let file = files.add("example.zone", String::from_utf8_lossy(text).into_owned());
    let apex = Name::parse("example.", None).unwrap();
    let (mut records, mut findings) = (Vec::new(), Findings::default());
    let mut include = |path: &str| -> Result<Included, String> {
        let (_, text) = included.iter().find(|(name, _)| *name == path).ok_or("no such file")?;
        Ok(Included { file: files.add(path, *text), text: text.as_bytes().into(), is_first: true })
    };
    read(text, file, &apex, &mut include, &Budget::default(), &mut records, &mut findings);
    Read { records, findings, files }
}

fn shown(read: &Read) -> Vec<String> {
    let line = |r: &Record| {
        format!("{} {} {} {}", r.owner, r.ttl.secs(), r.rtype, rdata::to_text(r.rtype, &r.rdata))
    };
    read.records.iter().map(line).collect()
}

#[test]
fn zone_text_becomes_records() {
    let text = br#"; a comment
$TTL 1h
@   IN SOA ns1 hostmaster (
        2026010101 ; serial
        7200 900
        1209600
        1m )
@       NS  ns1
    60  NS  ns2.other.          ; the owner before
ns1 300 IN A 192.0.2.1
    IN 300 AAAA 2001:db8::1
WwW     CNAME   ns1
txt     TXT "a b" c "semi;colon" "quote\"d" \097
$ORIGIN sub.example.
@       MX 10 mail
mail    A 192.0.2.2
$ORIGIN example.
odd     TYPE65280 \# 4 0a000001
odd     CLASS1234
"#;
    let read = read_with(text, &[]);
    assert_eq!(
        shown(&read),
        [
            "example. 3600 SOA ns1.example. hostmaster.example. 2026010101 7200 900 1209600 60",
            "example. 3600 NS ns1.example.",
            "example. 60 NS ns2.other.",
            "ns1.example. 300 A 192.0.2.1",
            "ns1.example. 300 AAAA 2001:db8::1",
            "WwW.example. 3600 CNAME ns1.example.",
            r#"txt.example. 3600 TXT "a b" "c" "semi;colon" "quote\"d" "a""#,
            "sub.example. 3600 MX 10 mail.sub.example.",
            "mail.sub.example. 3600 A 192.0.2.2",
            r"odd.example. 3600 TYPE65280 \# 4 0a000001",
        ]
    );
    assert_eq!(read.findings.len(), 1, "{:?}", read.findings);
}

#[test]
fn templates_make_records() {
    let read = read_with(
        b"$TTL 60\n$GENERATE 1-3 host-${0,2,d} A 192.0.2.$\n$GENERATE 9-12/3 $ IN PTR \
            h$$.example.\n$GENERATE 10-10 ${0,3,n} 5 CNAME x\n",
        &[],
    );
    assert!(read.findings.is_empty(), "{:?}", read.findings);
    assert_eq!(
        shown(&read),
        [
            "host-01.example. 60 A 192.0.2.1",
            "host-02.example. 60 A 192.0.2.2",
            "host-03.example. 60 A 192.0.2.3",
            r"9.example. 60 PTR h\$.example.",
            r"12.example. 60 PTR h\$.example.",
            "a.0.example. 5 CNAME x.example.",
        ]
    );
}

/// `$GENERATE` as in BIND's manual (chapter 8.3.5, Zone File). Each row: the template after
/// `$GENERATE`, and the records.
#[test]
fn templates_are_read_as_bind_reads_them() {
    let rows: &[(&str, &[&str])] = &[
        // Examples from the manual.
        (
            "1-2 @ NS SERVER$.EXAMPLE.",
            &["example. 60 NS SERVER1.EXAMPLE.", "example. 60 NS SERVER2.EXAMPLE."],
        ),
        ("1-1 $ CNAME $.0", &["1.example. 60 CNAME 1.0.example."]),
        ("126-127 HOST-$ MX \"0 .\"", &["HOST-126.example. 60 MX 0 .", "HOST-127.example. 60 MX 0 ."]),
        ("127-127 HOST-$ A 1.2.3.$", &["HOST-127.example. 60 A 1.2.3.127"]),
        // A quoted right side is the text between the quotes; literal quotes are escaped.
        ("1-1 a$ TXT \"b $\"", &[r#"a1.example. 60 TXT "b" "1""#]),
        (r#"1-1 a$ TXT "\"b $\" c""#, &[r#"a1.example. 60 TXT "b 1" "c""#]),
        (r#"1-1 a$ TXT "b\$ \; \065" "#, &[r#"a1.example. 60 TXT "b$" ";" "A""#]),
        ("1-1 a$ TXT b $ \"c $\"", &[r#"a1.example. 60 TXT "b" "1" "c 1""#]),
        // Modifiers: offset, width, base.
        (
            "20-22/2 h${-20,3,d} A 192.0.2.1",
            &["h000.example. 60 A 192.0.2.1", "h002.example. 60 A 192.0.2.1"],
        ),
        ("5-5 h${0,3} TXT ${1}", &[r#"h005.example. 60 TXT "6""#]),
        ("10-10 a TXT ${0,0,o}-${0,4,x}-${245,0,X}", &[r#"a.example. 60 TXT "12-000a-FF""#]),
        (
            "3-3 a TXT ${-8} ${-8,4} ${-8,0,x} ${-8,0,o}",
            &[r#"a.example. 60 TXT "-5" "-005" "fffffffb" "37777777773""#],
        ),
        ("3-3 a TXT ${-4,0,n}", &[r#"a.example. 60 TXT "f.f.f.f.f.f.f.f""#]),
        // The width of nibbles includes their dots: an even width ends with a dot.
        (
            "10-10 a TXT ${0,0,n} ${0,1,n} ${0,2,n} ${0,3,n} ${0,4,n} ${0,5,N} ${0,6,N} ${0,7,N}",
            &[r#"a.example. 60 TXT "a" "a" "a." "a.0" "a.0." "A.0.0" "A.0.0." "A.0.0.0""#],
        ),
        ("443-443 a TXT ${0,1,n} ${0,4,n} ${0,9,N}", &[r#"a.example. 60 TXT "b.b.1" "b.b.1" "B.B.1.0.0""#]),
        ("10-10 ${0,4,n}example. PTR x", &["a.0.example. 60 PTR x.example."]),
        // Ranges whose step passes the stop.
        ("0-5/4 n$ 5 IN A 192.0.2.$", &["n0.example. 5 A 192.0.2.0", "n4.example. 5 A 192.0.2.4"]),
        ("4294967294-4294967295/7 n$ A 192.0.2.1", &["n4294967294.example. 60 A 192.0.2.1"]),
    ];
    for (template, records) in rows {
        let read = read_with(format!("$TTL 60\n$GENERATE {template}\n").as_bytes(), &[]);
        assert!(read.findings.is_empty(), "{template}: {:?}", read.findings);
        assert_eq!(shown(&read), *records, "{template}");
    }
}

/// An included file inherits the last owner of the including file, as in BIND and NSD, until it
/// names one; afterwards the including file has its own last owner again.
#[test]
fn an_included_file_goes_on_at_the_last_owner() {
    let included = [("part.zone", "  A 192.0.2.1\nb A 192.0.2.2\n  A 192.0.2.3\n")];
    let read = read_with(b"$TTL 60\na A 192.0.2.9\n$INCLUDE part.zone sub\n  A 192.0.2.8\n", &included);
    assert!(read.findings.is_empty(), "{:?}", read.findings);
    assert_eq!(
        shown(&read),
        [
            "a.example. 60 A 192.0.2.9",
            "a.example. 60 A 192.0.2.1",
            "b.sub.example. 60 A 192.0.2.2",
            "b.sub.example. 60 A 192.0.2.3",
            "a.example. 60 A 192.0.2.8"
        ]
    );
    // There is no owner before the first record.
    let read = read_with(b"$TTL 60\n$INCLUDE part.zone\n", &included);
    let places: Vec<String> = read.findings.iter().map(|f| read.files.place(f.at.unwrap())).collect();
    assert_eq!((places, read.records.len()), (vec!["part.zone:1:3".to_owned()], 2));
}

/// Lines may end with CR alone; places of faults count such lines.
#[test]
fn lines_end_with_cr_too() {
    let read =
        read_with(b"$TTL 60 ; c\ra A 192.0.2.1\r\rb A x\rc TXT (\r d ; e\r \"f\" )\r\n  A 192.0.2.2\r", &[]);
    assert_eq!(
        shown(&read),
        ["a.example. 60 A 192.0.2.1", r#"c.example. 60 TXT "d" "f""#, "c.example. 60 A 192.0.2.2"]
    );
    let places: Vec<String> = read.findings.iter().map(|f| read.files.place(f.at.unwrap())).collect();
    assert_eq!(places, ["example.zone:4:5"]);
}

/// A TTL with the highest bit set counts as 0 (RFC 2181 section 8), with a warning.
#[test]
fn ttls_of_32_bits_are_0() {
    let read = read_with(
        b"$TTL 4294967295\na A 192.0.2.1\nb 2147483648 A 192.0.2.2\nc 2147483647 A 192.0.2.3\n",
        &[],
    );
    assert_eq!(
        shown(&read),
        ["a.example. 0 A 192.0.2.1", "b.example. 0 A 192.0.2.2", "c.example. 2147483647 A 192.0.2.3"]
    );
    let told: Vec<_> = read.findings.iter().map(|f| (f.severity, f.at.unwrap().line)).collect();
    assert_eq!(told, [(Severity::Warning, 1), (Severity::Warning, 3)]);
}

/// A line end between quotes is an octet like any other (RFC 1035 section 5.1), with a warning.
#[test]
fn quotes_keep_line_ends() {
    let read = read_with(b"$TTL 60\na TXT \"b\nc\\\nd\" e\nf A 192.0.2.1\n", &[]);
    assert_eq!(&*read.records[0].rdata, b"\x05b\nc\nd\x01e");
    assert_eq!(shown(&read)[1], "f.example. 60 A 192.0.2.1");
    let told: Vec<_> = read.findings.iter().map(|f| (f.severity, f.at.unwrap().line)).collect();
    assert_eq!(told, [(Severity::Warning, 2)]);
}

#[test]
fn files_include_others_with_an_origin_of_their_own() {
    let included = [("part.zone", "a A 192.0.2.1\n$ORIGIN else.\nb A 192.0.2.2\n")];
    let read = read_with(
        b"$TTL 60\no A 192.0.2.9\n$INCLUDE part.zone sub\n  A 192.0.2.8\nc A 192.0.2.3\n",
        &included,
    );
    assert_eq!(
        shown(&read),
        [
            "o.example. 60 A 192.0.2.9",
            "a.sub.example. 60 A 192.0.2.1",
            "o.example. 60 A 192.0.2.8",
            "c.example. 60 A 192.0.2.3"
        ]
    );
    // The name outside the zone is ignored, with a warning at its place in the included file.
    let outside = read.findings.iter().next().unwrap();
    assert_eq!(outside.severity, Severity::Warning);
    assert_eq!(read.files.place(outside.at.unwrap()), "part.zone:3:1");
}

/// Files that include each other twice would be read endlessly within the allowed depth.
#[test]
fn included_files_are_counted() {
    let names: Vec<String> = (0..8).map(|depth| format!("{depth}.zone")).collect();
    let texts: Vec<String> = (1..9).map(|depth| format!("$INCLUDE {depth}.zone\n").repeat(40)).collect();
    let mut included: Vec<(&str, &str)> =
        names.iter().map(String::as_str).zip(texts.iter().map(String::as_str)).collect();
    included[7].1 = "a 60 A 192.0.2.1\n";
    let read = read_with(b"$INCLUDE 0.zone\n", &included);
    assert!(read.records.len() <= crate::limits::INCLUDED_FILES_MAX as usize);
    assert!(
        read.findings
            .iter()
            .all(|f| f.message.contains("files are included") || f.message.contains("is not read"))
    );
    assert!(!read.findings.is_empty());
}

/// Each row: text, code, line and column.
#[test]
fn faults_are_told_with_their_places() {
    let rows: &[(&str, crate::finding::Code, u32, u32)] = &[
        ("$TTL 60\na A 192.0.2.300\n", code::BAD_RDATA, 2, 5),
        ("$TTL 60\na A 192.0.2\n", code::BAD_RDATA, 2, 5),
        ("$TTL 60\na A\n", code::BAD_RDATA, 2, 3),
        ("$TTL 60\na A 192.0.2.1 192.0.2.2\n", code::BAD_RDATA, 2, 5),
        ("$TTL 60\na AAAA 2001:db8:::1\n", code::BAD_RDATA, 2, 8),
        ("$TTL 60\na AA 192.0.2.1\n", code::UNKNOWN_TYPE, 2, 3),
        ("$TTL 60\na AXFR x\n", code::UNKNOWN_TYPE, 2, 3),
        ("$TTL 60\na IN\n", code::ZONE_SYNTAX, 2, 3),
        ("$TTL 60\na\n", code::ZONE_SYNTAX, 2, 1),
        ("$TTL 60\na CH TXT x\n", code::ZONE_SYNTAX, 2, 3),
        ("$TTL 60\na 99999999999 A 192.0.2.1\n", code::BAD_TTL, 2, 3),
        ("$TTL 60\na 1x A 192.0.2.1\n", code::BAD_TTL, 2, 3),
        ("$TTL abc\na 1 A 192.0.2.1\n", code::BAD_TTL, 1, 6),
        ("a A 192.0.2.1\n", code::BAD_TTL, 1, 1),
        ("$TTL 60\n  A 192.0.2.1\n", code::ZONE_SYNTAX, 2, 3),
        ("$TTL 60\na..b A 192.0.2.1\n", code::BAD_NAME, 2, 1),
        ("$TTL 60\nb.example.net. A 192.0.2.1\n", code::OUT_OF_ZONE, 2, 1),
        ("$TTL 60\na TXT \"open\nb A 192.0.2.1\n", code::ZONE_SYNTAX, 2, 7),
        ("$TTL 60\nbücher A 192.0.2.1\n", code::BAD_NAME, 2, 1),
        ("$TTL 60\na CNAME bücher\n", code::BAD_RDATA, 2, 9),
        ("$TTL 60\n$ORIGIN bücher\n", code::BAD_NAME, 2, 9),
        ("$TTL 60\na A6 0 ::1\n", code::UNKNOWN_TYPE, 2, 3),
        ("$TTL 60\n$GENERATE 1-2 a$ TXT \"\\\"b\"\n", code::BAD_GENERATE, 2, 23),
        ("$TTL 60\n$GENERATE 1-2 ${4294967296} A 192.0.2.1\n", code::BAD_GENERATE, 2, 15),
        ("$TTL 60\n$GENERATE 1-2 ${-2147483648,256} A 192.0.2.1\n", code::BAD_GENERATE, 2, 15),
        ("$TTL 60\n$GENERATE 4294967295-4294967295 ${1} A 192.0.2.1\n", code::BAD_GENERATE, 2, 33),
        ("$TTL 60\n$GENERATE 1-2/0 a$ A 192.0.2.1\n", code::BAD_GENERATE, 2, 11),
        ("$TTL 60\n@ SOA a b ( 1 2 3 4 5\n", code::ZONE_SYNTAX, 2, 11),
        ("$TTL 60\na A 192.0.2.1 )\n", code::ZONE_SYNTAX, 2, 15),
        ("$TTL 60\na TXT x\\\n", code::ZONE_SYNTAX, 2, 8),
        ("$TTL\n", code::ZONE_SYNTAX, 1, 1),
        ("$TLL 60\n", code::ZONE_SYNTAX, 1, 1),
        ("$ORIGIN a..b\n", code::BAD_NAME, 1, 9),
        ("$INCLUDE missing.zone\n", code::BAD_INCLUDE, 1, 10),
        ("$INCLUDE ../secrets\n", code::BAD_INCLUDE, 1, 10),
        ("$INCLUDE /etc/passwd\n", code::BAD_INCLUDE, 1, 10),
        ("$INCLUDE loop.zone\n", code::BAD_INCLUDE, 1, 10),
        ("$TTL 60\n$GENERATE 3-1 a$ A 192.0.2.$\n", code::BAD_GENERATE, 2, 11),
        ("$TTL 60\n$GENERATE 1-3\n", code::BAD_GENERATE, 2, 1),
        ("$TTL 60\n$GENERATE 0-99999999 a$ A 192.0.2.1\n", code::BAD_GENERATE, 2, 11),
        ("$TTL 60\n$GENERATE 250-260 a$ A 192.0.2.$\n", code::BAD_RDATA, 2, 24),
        ("$TTL 60\n$GENERATE 1-2 a${0,2,q} A 192.0.2.$\n", code::BAD_GENERATE, 2, 15),
        ("$TTL 60\na TYPE65280 \\# 4 0a00\n", code::BAD_RDATA, 2, 13),
        ("$TTL 60\na MX mail\n", code::BAD_RDATA, 2, 6),
        ("$TTL 60\na SRV 1 2 3\n", code::BAD_RDATA, 2, 7),
        ("$TTL 60\na CAA 0 issue\n", code::BAD_RDATA, 2, 7),
    ];
    for (text, code, line, column) in rows {
        let read = read_with(text.as_bytes(), &[("loop.zone", "$INCLUDE loop.zone\n")]);
        let found: Vec<String> = read
            .findings
            .iter()
            .map(|f| format!("{} {}", f.code.id, read.files.place(f.at.unwrap())))
            .collect();
        let file = if text.contains("loop") { "loop.zone" } else { "example.zone" };
        assert_eq!(found, [format!("{} {file}:{line}:{column}", code.id)], "{text}");
    }
}

/// Forms that BIND, NSD and Knot accept and a naive reader might not. Each row: text and records.
#[test]
fn odd_but_right() {
    let rows: &[(&str, &[&str])] = &[
        ("$TTL 1h30m\r\na A 192.0.2.1\r\n", &["a.example. 5400 A 192.0.2.1"]),
        ("$TTL 60\na A 192.0.2.1", &["a.example. 60 A 192.0.2.1"]),
        ("$ttl 60\n$Origin x\n@ a 192.0.2.1\n", &["x.example. 60 A 192.0.2.1"]),
        (
            "a IN 1d A 192.0.2.1\nb 1D in A 192.0.2.2\n",
            &["a.example. 86400 A 192.0.2.1", "b.example. 86400 A 192.0.2.2"],
        ),
        ("a\tCLASS1\t60\tTYPE1\t\\# 4 c0 00\t0201\n", &["a.example. 60 A 192.0.2.1"]),
        ("a 60 A ( 192.0.2.1 )\n", &["a.example. 60 A 192.0.2.1"]),
        ("a (\n60 ; c ) (\nA\n) 192.0.2.1\n", &["a.example. 60 A 192.0.2.1"]),
        (
            "( a 60\n  A 192.0.2.1 )\n\t ( 60 A 192.0.2.2 )\n",
            &["a.example. 60 A 192.0.2.1", "a.example. 60 A 192.0.2.2"],
        ),
        ("a 60 TXT (\"x\"\"y\")z\n", &[r#"a.example. 60 TXT "x" "y" "z""#]),
        ("a 60 TXT \"semi;colon (paren)\" ;comment\n", &[r#"a.example. 60 TXT "semi;colon (paren)""#]),
        ("a 60 MX 10 @\n@ 60 NS @\n", &["a.example. 60 MX 10 example.", "example. 60 NS example."]),
        (
            "in 60 A 192.0.2.1\na.b 60 A 192.0.2.2\n",
            &["in.example. 60 A 192.0.2.1", "a.b.example. 60 A 192.0.2.2"],
        ),
        (r"a\.b 60 CNAME \097\ b", &[r"a\.b.example. 60 CNAME a\032b.example."]),
        ("   \n\t; only a comment\n;\n\na 60 A 192.0.2.1\n", &["a.example. 60 A 192.0.2.1"]),
        (
            "a 60 LOC 52 22 23.000 N 4 53 32.000 E -2.00m 0.00m 10000m 10m\n",
            &["a.example. 60 LOC 52 22 23.000 N 4 53 32.000 E -2.00m 0.00m 10000.00m 10.00m"],
        ),
        (
            "a 60 HTTPS 1 . port=\"443\" alpn=\"h2,h3\"\nb 60 SVCB 0 x\n",
            &["a.example. 60 HTTPS 1 . alpn=h2,h3 port=443", "b.example. 60 SVCB 0 x.example."],
        ),
        ("a 60 DNSKEY 256 3 13 ( oJMRESz5\n E4gY )\n", &["a.example. 60 DNSKEY 256 3 13 oJMRESz5E4gY"]),
        (
            "a 60 SPF \"v=spf1\"\nb 60 L32 10 10.1.2.0\n",
            &[r#"a.example. 60 SPF "v=spf1""#, "b.example. 60 L32 10 10.1.2.0"],
        ),
        ("a 60 NSEC \\# 6 016100 000140\n", &[r"a.example. 60 NSEC \# 6 016100000140"]),
        (
            "@ SOA . . 1 2 3 4 60\na A 192.0.2.1\n",
            &["example. 60 SOA . . 1 2 3 4 60", "a.example. 60 A 192.0.2.1"],
        ),
    ];
    for (text, records) in rows {
        let read = read_with(text.as_bytes(), &[]);
        if records.is_empty() {
            assert!(!read.findings.is_empty(), "{text}");
            continue;
        }
        assert!(read.findings.is_empty(), "{text}: {:?}", read.findings);
        assert_eq!(shown(&read), *records, "{text}");
    }
}

#[test]
fn one_fault_costs_one_record() {
    let read = read_with(
        b"$TTL 60\na A 192.0.2.1\nb A x\nc A 192.0.2.3 )\nd A 192.0.2.4\ne TXT \"x\\\nf A 192.0.2.6\n",
        &[],
    );
    assert_eq!(
        shown(&read),
        ["a.example. 60 A 192.0.2.1", "d.example. 60 A 192.0.2.4", "f.example. 60 A 192.0.2.6"]
    );
    assert_eq!(read.findings.len(), 3);
}

#[test]
fn octets_that_are_not_text_are_kept() {
    let read = read_with(b"$TTL 60\n\xe4.x A 192.0.2.1\nt TXT \"\xff\"\nu TXT \\\xff\\\\\xfe\n", &[]);
    assert!(read.findings.is_empty(), "{:?}", read.findings);
    assert_eq!(read.records[0].owner.as_wire()[1], 0xe4);
    assert_eq!(&*read.records[1].rdata, b"\x01\xff");
    assert_eq!(&*read.records[2].rdata, b"\x03\xff\\\xfe");
}
