//! One row for each format and each fault.

use super::*;

/// Samples of a line as (hour, network, PoP, RTT in tenths of a ms, samples, resolver).
fn read(format: &str, line: &str) -> Result<Vec<String>, LineFault> {
    let mut format = LogFormat::named(format).unwrap();
    let mut lines = line.lines();
    let mut line = lines.next().unwrap();
    let (after, is_header) = format.after_header(line).unwrap();
    format = after;
    if is_header {
        line = lines.next().unwrap();
    }
    let mut samples = Vec::new();
    format.read(line.as_bytes(), |sample| {
        let hour = sample.hour.map_or("-".to_owned(), |hour| hour.to_string());
        let (pop, rtt_ms) = (sample.pop.unwrap_or("-"), sample.rtt_ms);
        let resolver = sample.resolver.map_or_else(String::new, |resolver| format!(" by {resolver}"));
        samples.push(format!("{hour} {} {pop} {rtt_ms:.1} {}{resolver}", sample.prefix, sample.samples));
        Ok(())
    })?;
    Ok(samples)
}

/// Every format gives its samples; 1764230400 is 2025-11-27T08:00:00Z, hour 490064.
#[test]
fn formats_are_read() {
    let rows: &[(&str, &str, &[&str])] = &[
        ("nginx", "1764230400.123 198.51.100.7 12345", &["490064 198.51.100.0/24 - 12.3 1"]),
        (
            "haproxy",
            "<134>Nov 27 08:00:00 edge haproxy[7]: 1764230400 2001:db8:1:2::3 45678",
            &["490064 2001:db8:1::/48 - 45.7 1"],
        ),
        ("envoy", "1764230400 ::ffff:198.51.100.7 23000", &["490064 198.51.100.0/24 - 23.0 1"]),
        (
            "csv",
            "time,prefix,pop,rtt_ms,samples\n2025-11-27T08:59:59.9Z,198.51.100.0/22,fra,7.5,3",
            &["490064 198.51.100.0/22 fra 7.5 3"],
        ),
        ("csv", "note,rtt_us,address\nx,7500,198.51.100.7", &["- 198.51.100.0/24 - 7.5 1"]),
        ("csv", "\u{feff}\"rtt_us\",\"address\"\n7500,198.51.100.7", &["- 198.51.100.0/24 - 7.5 1"]),
        // The kernel's RTT is that of the peer, whatever a header of the request says.
        (
            "caddy",
            r#"{"ts":1,"request":{"remote_ip":"198.51.100.7","client_ip":"192.0.2.7"},"rtt_ms":9}"#,
            &["0 198.51.100.0/24 - 9.0 1"],
        ),
        (
            "caddy",
            r#"{"ts":1764230400.5,"request":{"remote_ip":"198.51.100.7"},"rtt_ms":9}"#,
            &["490064 198.51.100.0/24 - 9.0 1"],
        ),
        (
            "json",
            r#"{"time":"2025-11-27T08:00:00Z","prefix":"192.0.2.0/24","pop":"fra","rtt_us":900,"samples":2}"#,
            &["490064 192.0.2.0/24 fra 0.9 2"],
        ),
        (
            "csv",
            "resolver,address,rtt_ms\n192.0.2.53,198.51.100.7,7.5",
            &["- 198.51.100.0/24 - 7.5 1 by 192.0.2.0/24"],
        ),
        // A resolver without a public address is no fault of the sample.
        ("csv", "resolver,address,rtt_ms\n-,198.51.100.7,7.5", &["- 198.51.100.0/24 - 7.5 1"]),
        (
            "json",
            r#"{"address":"198.51.100.7","rtt_ms":9,"resolver":"2001:db8:1:2::53"}"#,
            &["- 198.51.100.0/24 - 9.0 1 by 2001:db8:1::/48"],
        ),
        (
            "json",
            r#"{"address":"198.51.100.7","rtt_ms":9,"resolver":"10.0.0.53"}"#,
            &["- 198.51.100.0/24 - 9.0 1"],
        ),
        ("json", r#"{"address":"198.51.100.7","rtt_ms":9,"resolver":null}"#, &["- 198.51.100.0/24 - 9.0 1"]),
        (
            "beacon",
            r#"198.51.100.7 - - [27/Nov/2025:09:00:00 +0100] "GET /rtt?fra=23&ams=41&r=no HTTP/1.1" 204 0"#,
            &["490064 198.51.100.0/24 fra 23.0 1", "490064 198.51.100.0/24 ams 41.0 1"],
        ),
    ];
    for (format, line, samples) in rows {
        assert_eq!(read(format, line).as_deref(), Ok(&samples.map_owned()[..]), "{line}");
    }
}

trait MapOwned {
    fn map_owned(&self) -> Vec<String>;
}

impl MapOwned for &[&str] {
    fn map_owned(&self) -> Vec<String> {
        self.iter().map(|text| (*text).to_owned()).collect()
    }
}

/// Lines that are no samples have their fault, and none of them panics.
#[test]
fn faults_are_named() {
    let rows = [
        ("nginx", "", LineFault::Malformed),
        ("nginx", "198.51.100.7 12345", LineFault::Malformed),
        ("nginx", "1764230400 - 12345", LineFault::NoClient),
        ("nginx", "1764230400 10.0.0.1 12345", LineFault::NoClient),
        ("nginx", "1764230400 0.0.0.0/0 12345", LineFault::NoClient),
        ("nginx", "1764230400 fd00::1 12345", LineFault::NoClient),
        ("nginx", "now 198.51.100.7 12345", LineFault::BadTime),
        ("nginx", "1764230400 198.51.100.7 -", LineFault::BadRtt),
        ("nginx", "1764230400 198.51.100.7 0", LineFault::BadRtt),
        ("nginx", "1764230400 198.51.100.7 3000001", LineFault::BadRtt),
        ("nginx", "1764230400 198.51.100.7 NaN", LineFault::BadRtt),
        ("json", "{", LineFault::Malformed),
        ("json", "[1]", LineFault::NoClient),
        ("json", r#"{"address":{},"rtt_ms":1}"#, LineFault::Malformed),
        ("beacon", r#"198.51.100.7 - - [x] "GET /?fra=1 HTTP/1.1""#, LineFault::BadTime),
        ("beacon", r#"198.51.100.7 - - [27/Nov/2025:09:00:00 +0100] "GET / HTTP/1.1""#, LineFault::Malformed),
        ("beacon", r#"198.51.100.7 - - [27/Nov/2025:09:00:00 é100] "GET /?a=1 H""#, LineFault::BadTime),
        ("beacon", r#"198.51.100.7 - - [27/Nov/2025:09:00:00 +0100] "GET /?fra=x H""#, LineFault::BadRtt),
        (
            "beacon",
            r#"198.51.100.7 - - [27/Nov/2025:09:00:00 -9918446744073709551615] "GET /?fra=1 H""#,
            LineFault::BadTime,
        ),
    ];
    for (format, line, fault) in rows {
        let line = if line.is_empty() { " " } else { line };
        assert_eq!(read(format, line), Err(fault), "{line}");
    }
    let long = vec![b'1'; LATENCY_LINE_OCTETS_MAX + 1];
    let outcome = LogFormat::Json.read(&long, |_| Ok(()));
    assert_eq!(outcome, Err(LineFault::TooLong));
}

/// A CSV file without the columns that make a sample is refused at once.
#[test]
fn a_header_names_its_columns() {
    for (line, is_good) in [("prefix,rtt_ms", true), ("prefix,pop", false), ("a,b", false), ("", false)] {
        assert_eq!(LogFormat::Csv.after_header(line).is_ok(), is_good, "{line}");
    }
}
