//! Lines of logs: one sample of RTT, or several of a beacon, from one line of text.
//!
//! Columns are taken from the end of a line, because syslog writes words of its own before them. A
//! line that is no sample is counted by its fault ([`LineFault`]) and ends nothing.

use super::network_len;
use crate::geo::embedded;
use crate::geo::prefix::Prefix;
use crate::limits::{LATENCY_LINE_OCTETS_MAX, LATENCY_RTT_MAX_MILLIS};
use crate::rfc3339;
use serde_json::Value;
use std::net::IpAddr;

/// Unit of RTTs in a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RttUnit {
    /// Milliseconds.
    Millis,
    /// Microseconds.
    Micros,
}

/// Meaning of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Column {
    /// Time of the sample: seconds since 1970, or a date of RFC 3339 in UTC.
    Time,
    /// Address of the client, or a prefix.
    Address,
    /// Name of the PoP.
    Pop,
    /// RTT.
    Rtt(RttUnit),
    /// Number of samples that the RTT stands for.
    Samples,
    /// Address of the client's resolver, or a prefix.
    Resolver,
    /// Nothing of interest.
    Skip,
}

/// Shape of the lines of a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum LogFormat {
    /// Words separated by a character (a blank stands for any white space). The columns are the
    /// last words of a line.
    Columns {
        /// Separator.
        separator: char,
        /// Meaning of each column.
        columns: Vec<Column>,
    },
    /// A CSV file whose first line names the columns.
    Csv,
    /// JSON objects, one a line: `time` or `ts`, `prefix`, `address` or `request.remote_ip`, `pop`,
    /// `rtt_ms` or `rtt_us`, `samples`, `resolver`.
    Json,
    /// Combined log lines of a web server, whose query strings name RTTs in ms: `?fra=23&ams=41`.
    Beacon,
}

/// RTT of a client network to a PoP.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Sample<'l> {
    /// Hours since 1970; `None` where the line has no time.
    pub(crate) hour: Option<u32>,
    /// Network of the client: at most 24 bits of IPv4, 48 of IPv6.
    pub(crate) prefix: Prefix,
    /// Name of the PoP; `None` where the line has none.
    pub(crate) pop: Option<&'l str>,
    /// RTT in ms.
    pub(crate) rtt_ms: f64,
    /// Samples that the RTT stands for.
    pub(crate) samples: u32,
    /// Network of the client's resolver, cut to the same length as a client's. `None` if the line
    /// names no resolver, or one that has no public address.
    pub(crate) resolver: Option<Prefix>,
}

/// Reason for which a line is no sample, in the order of reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum LineFault {
    /// Longer than a line of a log can be.
    TooLong,
    /// Not UTF-8, or not of the format.
    Malformed,
    /// No address or prefix, or none of the internet.
    NoClient,
    /// No time where one is expected.
    BadTime,
    /// No RTT, or none above 0 and at most 3 s.
    BadRtt,
    /// No PoP, or none of the deployment.
    UnknownPop,
}

impl LineFault {
    /// The fault in a report.
    pub(crate) fn words(self) -> &'static str {
        match self {
            LineFault::TooLong => "too long for a line of a log",
            LineFault::Malformed => "not of the format",
            LineFault::NoClient => "no client address of the internet",
            LineFault::BadTime => "no time in seconds since 1970 or RFC 3339",
            LineFault::BadRtt => "no RTT above 0 and at most 3 s",
            LineFault::UnknownPop => "no PoP of the deployment",
        }
    }
}

impl LogFormat {
    /// The format with a name of the command line.
    pub(crate) fn named(name: &str) -> Option<LogFormat> {
        let columns = |unit| LogFormat::Columns {
            separator: ' ',
            columns: vec![Column::Time, Column::Address, Column::Rtt(unit)],
        };
        Some(match name {
            // `$msec $remote_addr $tcpinfo_rtt` and `%Ts %ci %[fc_rtt(us)]`. Envoy has no RTT of
            // the kernel: `%COMMON_DURATION(DS_CX_BEG:DS_HS_END:us)%` is the handshake of TLS 1.3,
            // one round trip after the connection is accepted.
            "nginx" | "haproxy" | "envoy" => columns(RttUnit::Micros),
            "csv" => LogFormat::Csv,
            "json" | "caddy" => LogFormat::Json,
            "beacon" => LogFormat::Beacon,
            _ => return None,
        })
    }

    /// Reads the first line. Returns the format of the lines, and true if the first line is a
    /// header (CSV), which has no sample.
    pub(crate) fn after_header(self, line: &str) -> Result<(LogFormat, bool), String> {
        if self != LogFormat::Csv {
            return Ok((self, false));
        }
        // Spreadsheets write a byte order mark, and quote names.
        let names = line.trim_start_matches('\u{feff}').trim_end().split(',');
        let columns: Vec<Column> = names.map(|name| column_of(name.trim().trim_matches('"'))).collect();
        let has = |wanted: &[Column]| columns.iter().any(|column| wanted.contains(column));
        if !has(&[Column::Address]) || !has(&[Column::Rtt(RttUnit::Millis), Column::Rtt(RttUnit::Micros)]) {
            return Err(
                "the first line names no column `address` or `prefix`, or none `rtt_ms` or `rtt_us`; \
                        columns are time, address or prefix, pop, rtt_ms or rtt_us, samples, resolver"
                    .to_owned(),
            );
        }
        Ok((LogFormat::Columns { separator: ',', columns }, true))
    }

    /// Reads a line and hands over each sample in it.
    pub(crate) fn read<'l>(
        &self,
        octets: &'l [u8],
        mut take: impl FnMut(Sample<'l>) -> Result<(), LineFault>,
    ) -> Result<(), LineFault> {
        if octets.len() > LATENCY_LINE_OCTETS_MAX {
            return Err(LineFault::TooLong);
        }
        let line = std::str::from_utf8(octets).map_err(|_| LineFault::Malformed)?.trim_end();
        match self {
            LogFormat::Columns { separator, columns } => take(of_columns(line, *separator, columns)?),
            // A CSV file without a header has no columns.
            LogFormat::Csv => Err(LineFault::Malformed),
            LogFormat::Json => of_json(line, take),
            LogFormat::Beacon => of_beacon(line, &mut take),
        }
    }
}

/// The column with a name.
fn column_of(name: &str) -> Column {
    match name {
        "time" | "ts" | "timestamp" => Column::Time,
        "address" | "prefix" | "client" | "ip" => Column::Address,
        "pop" => Column::Pop,
        "rtt_ms" => Column::Rtt(RttUnit::Millis),
        "rtt_us" => Column::Rtt(RttUnit::Micros),
        "samples" => Column::Samples,
        "resolver" => Column::Resolver,
        _ => Column::Skip,
    }
}

/// Fields of a sample, as far as a line was read.
#[derive(Default)]
struct Fields<'l> {
    hour: Option<u32>,
    prefix: Option<Prefix>,
    pop: Option<&'l str>,
    rtt_ms: Option<f64>,
    samples: Option<u32>,
    resolver: Option<Prefix>,
}

impl<'l> Fields<'l> {
    /// Sets a field other than the PoP, which is the only one that keeps text.
    fn set(&mut self, column: Column, word: &str) -> Result<(), LineFault> {
        match column {
            Column::Time => self.hour = Some(hour_of(word).ok_or(LineFault::BadTime)?),
            Column::Address => self.prefix = Some(client_prefix(word).ok_or(LineFault::NoClient)?),
            Column::Rtt(unit) => self.rtt_ms = Some(rtt_of(word, unit).ok_or(LineFault::BadRtt)?),
            Column::Samples => {
                self.samples = Some(word.parse().ok().filter(|n| *n > 0).ok_or(LineFault::Malformed)?);
            }
            // A resolver of a private network is no fault of the sample.
            Column::Resolver => self.resolver = client_prefix(word),
            Column::Pop | Column::Skip => {}
        }
        Ok(())
    }

    fn sample(&self) -> Result<Sample<'l>, LineFault> {
        Ok(Sample {
            hour: self.hour,
            prefix: self.prefix.ok_or(LineFault::NoClient)?,
            pop: self.pop,
            rtt_ms: self.rtt_ms.ok_or(LineFault::BadRtt)?,
            samples: self.samples.unwrap_or(1),
            resolver: self.resolver,
        })
    }
}

fn of_columns<'l>(line: &'l str, separator: char, columns: &[Column]) -> Result<Sample<'l>, LineFault> {
    let mut fields = Fields::default();
    let mut left = columns.len();
    let mut set = |word: &'l str| -> Result<bool, LineFault> {
        left -= 1;
        let word = word.trim().trim_matches('"');
        match columns[left] {
            Column::Pop => fields.pop = Some(word),
            column => fields.set(column, word)?,
        }
        Ok(left == 0)
    };
    // From the end, because syslog writes before the line.
    if separator == ' ' {
        for word in line.split_ascii_whitespace().rev() {
            if set(word)? {
                break;
            }
        }
    } else {
        for word in line.rsplit(separator) {
            if set(word)? {
                break;
            }
        }
    }
    if left > 0 { Err(LineFault::Malformed) } else { fields.sample() }
}

/// Keys of JSON objects, each with its column.
const JSON_KEYS: &[(&str, Column)] = &[
    ("/time", Column::Time),
    ("/ts", Column::Time),
    ("/prefix", Column::Address),
    ("/address", Column::Address),
    ("/request/remote_ip", Column::Address),
    ("/pop", Column::Pop),
    ("/rtt_ms", Column::Rtt(RttUnit::Millis)),
    ("/rtt_us", Column::Rtt(RttUnit::Micros)),
    ("/samples", Column::Samples),
    ("/resolver", Column::Resolver),
];

fn of_json<'l>(
    line: &'l str,
    mut take: impl FnMut(Sample<'l>) -> Result<(), LineFault>,
) -> Result<(), LineFault> {
    let value: Value = serde_json::from_str(line).map_err(|_| LineFault::Malformed)?;
    let mut fields = Fields::default();
    // The name of a PoP must outlive `value`, so it is found again in the line, where it stands
    // unescaped.
    for (key, column) in JSON_KEYS {
        let Some(found) = value.pointer(key) else { continue };
        match (column, found) {
            (Column::Pop, Value::String(name)) => {
                let at = line.find(name.as_str()).ok_or(LineFault::UnknownPop)?;
                fields.pop = line.get(at..at + name.len());
            }
            (_, Value::String(word)) => fields.set(*column, word)?,
            (_, Value::Number(number)) => fields.set(*column, &number.to_string())?,
            (Column::Resolver, Value::Null) => {}
            _ => return Err(LineFault::Malformed),
        }
    }
    take(fields.sample()?)
}

/// A line such as `198.51.100.7 - - [27/Nov/2026:08:00:00 +0000] "GET /b?fra=23&ams=41 HTTP/1.1"`.
fn of_beacon<'l>(
    line: &'l str,
    take: &mut impl FnMut(Sample<'l>) -> Result<(), LineFault>,
) -> Result<(), LineFault> {
    let client = line.split_ascii_whitespace().next().and_then(client_prefix).ok_or(LineFault::NoClient)?;
    let time = line.split_once('[').and_then(|(_, rest)| rest.split_once(']')).map(|(time, _)| time);
    let hour = time.and_then(common_log_hour).ok_or(LineFault::BadTime)?;
    let request = line.split('"').nth(1).and_then(|request| request.split(' ').nth(1));
    let (_, query) = request.and_then(|path| path.split_once('?')).ok_or(LineFault::Malformed)?;
    let mut outcome = Err(LineFault::BadRtt);
    for (pop, word) in query.split('&').filter_map(|pair| pair.split_once('=')) {
        // Other parameters of the request, such as a random number against caches, are no RTTs.
        let Some(rtt_ms) = rtt_of(word, RttUnit::Millis) else { continue };
        let sample =
            Sample { hour: Some(hour), prefix: client, pop: Some(pop), rtt_ms, samples: 1, resolver: None };
        match take(sample) {
            Ok(()) => outcome = Ok(()),
            Err(fault) if outcome.is_err() => outcome = Err(fault),
            Err(_) => {}
        }
    }
    outcome
}

/// The network of a client: an address or a prefix, cut to 24 bits (IPv4) or 48 (IPv6), so that no
/// address leaves this function. IPv4 inside IPv6 counts as IPv4; addresses that no client on the
/// internet has count as none.
pub(super) fn client_prefix(word: &str) -> Option<Prefix> {
    let (address, len) = match word.split_once('/') {
        Some((address, len)) => (address.parse::<IpAddr>().ok()?, len.parse::<u8>().ok()?),
        None => (word.parse::<IpAddr>().ok()?, 128),
    };
    let (address, len) = match address {
        IpAddr::V6(v6) => match embedded::ipv4_in(v6.to_bits()) {
            Some((v4, offset)) => (IpAddr::V4(v4.into()), len.saturating_sub(offset)),
            None => (address, len),
        },
        IpAddr::V4(_) => (address, len),
    };
    if len == 0 || !is_client(address) {
        return None;
    }
    Some(Prefix::new(address, len.min(network_len(address))))
}

/// False for private, loopback and link-local addresses, because health checks and machines in the
/// same rack use them, and for addresses that no host has.
fn is_client(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(a) => {
            !(a.is_private()
                || a.is_loopback()
                || a.is_link_local()
                || a.is_multicast()
                || a.is_unspecified())
        }
        IpAddr::V6(a) => {
            !(a.is_unique_local()
                || a.is_loopback()
                || a.is_unicast_link_local()
                || a.is_multicast()
                || a.is_unspecified())
        }
    }
}

fn rtt_of(word: &str, unit: RttUnit) -> Option<f64> {
    let number: f64 = word.parse().ok()?;
    let rtt_ms = match unit {
        RttUnit::Millis => number,
        RttUnit::Micros => number / 1000.0,
    };
    (rtt_ms > 0.0 && rtt_ms <= f64::from(LATENCY_RTT_MAX_MILLIS)).then_some(rtt_ms)
}

/// Hours since 1970 of seconds since 1970 (with a fraction or without), or of RFC 3339 in UTC.
fn hour_of(word: &str) -> Option<u32> {
    let whole = word.split('.').next().unwrap_or(word);
    let secs = match whole.bytes().all(|b| b.is_ascii_digit()) {
        true => whole.parse::<u64>().ok()?,
        // Fractions of a second do not change the hour.
        false => rfc3339::parse(&format!("{}Z", word.get(..19)?))
            .filter(|_| word.ends_with('Z') || word.ends_with("+00:00"))?,
    };
    u32::try_from(secs / 3600).ok()
}

/// Hours since 1970 of `27/Nov/2026:08:00:00 +0000`.
fn common_log_hour(text: &str) -> Option<u32> {
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let (day, rest) = text.split_once('/')?;
    let (month, rest) = rest.split_once('/')?;
    let month = MONTHS.iter().position(|name| *name == month)? + 1;
    let (year, rest) = rest.split_once(':')?;
    let (time, zone) = rest.split_once(' ')?;
    let secs = rfc3339::parse(&format!("{year}-{month:02}-{day}T{time}Z"))?;
    let (sign, zone) = zone.split_at_checked(1)?;
    let (hours, minutes) = zone.split_at_checked(2).filter(|_| zone.len() == 4)?;
    let ahead = hours.parse::<u64>().ok()? * 3600 + minutes.parse::<u64>().ok()? * 60;
    let secs = match sign {
        "+" => secs.checked_sub(ahead)?,
        "-" => secs + ahead,
        _ => return None,
    };
    u32::try_from(secs / 3600).ok()
}

#[cfg(test)]
mod tests;
