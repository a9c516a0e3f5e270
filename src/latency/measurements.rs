//! Files of measurements: what `meridian latency import` writes and `meridian latency build` reads.
//!
//! ```text
//! prefix,pop,hour,samples,rtt_ms
//! 198.51.100.0/24,fra,2026-11-27T08:00:00Z,12,23.4
//! ```
//!
//! CSV, because edges of other makes write it too, and because people and `sort -u` read it.

use super::network_len;
use crate::geo::prefix::Prefix;
use crate::limits::LATENCY_RTT_MAX_MILLIS;
use crate::rfc3339;
use std::fmt::Write as _;

/// First line of a file.
pub(crate) const HEADER: &str = "prefix,pop,hour,samples,rtt_ms";

/// Samples of one network to one PoP in one hour.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Row {
    /// Network: at most 24 bits of IPv4, 48 of IPv6.
    pub(crate) prefix: Prefix,
    /// Index of the PoP.
    pub(crate) pop: u16,
    /// Hours since 1970.
    pub(crate) hour: u32,
    /// Number of samples that count.
    pub(crate) samples: u32,
    /// RTT in ms that stands for them.
    pub(crate) rtt_ms: f64,
}

impl Row {
    /// Appends the line of a row.
    pub(crate) fn write(&self, pop: &str, out: &mut String) {
        let hour = rfc3339::date_time(u64::from(self.hour) * 3600);
        // Writing to a string cannot fail.
        let _ = writeln!(out, "{},{pop},{hour},{},{:.1}", self.prefix, self.samples, self.rtt_ms);
    }

    /// Reads a line; `pop` gives the index of a PoP, `last_hour` is the last that may be. An error
    /// says what is wrong.
    pub(crate) fn read(
        line: &str,
        last_hour: u32,
        pop: impl Fn(&str) -> Option<u16>,
    ) -> Result<Row, RowFault> {
        let mut words = line.split(',').map(str::trim);
        let mut next = || words.next().filter(|word| !word.is_empty()).ok_or(RowFault::Columns);
        let prefix: ipnet::IpNet = next()?.parse().map_err(|_| RowFault::Prefix)?;
        let prefix = Prefix::new(prefix.addr(), prefix.prefix_len().min(network_len(prefix.addr())));
        let pop = pop(next()?).ok_or(RowFault::Pop)?;
        let secs = rfc3339::parse(next()?).ok_or(RowFault::Hour)?;
        let hour = u32::try_from(secs / 3600).ok().filter(|hour| *hour <= last_hour);
        let hour = hour.ok_or(RowFault::Future)?;
        let samples = next()?.parse().ok().filter(|samples| *samples > 0).ok_or(RowFault::Samples)?;
        let rtt_ms: f64 = next()?.parse().map_err(|_| RowFault::Rtt)?;
        if !(rtt_ms > 0.0 && rtt_ms <= f64::from(LATENCY_RTT_MAX_MILLIS)) {
            return Err(RowFault::Rtt);
        }
        Ok(Row { prefix, pop, hour, samples, rtt_ms })
    }
}

/// Reason for which a line is no row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum RowFault {
    /// Fewer than five columns.
    Columns,
    /// No prefix.
    Prefix,
    /// No PoP of the deployment.
    Pop,
    /// No hour in RFC 3339.
    Hour,
    /// An hour that is still to come, which would count as the newest for ever.
    Future,
    /// No number of samples above 0.
    Samples,
    /// No RTT above 0 and at most 3 s.
    Rtt,
}

impl RowFault {
    /// The fault in a report.
    pub(crate) fn words(self) -> &'static str {
        match self {
            RowFault::Columns => "fewer than five columns",
            RowFault::Prefix => "no prefix",
            RowFault::Pop => "no PoP of the deployment",
            RowFault::Hour => "no hour such as 2026-11-27T08:00:00Z",
            RowFault::Future => "an hour that is still to come",
            RowFault::Samples => "no number of samples above 0",
            RowFault::Rtt => "no RTT above 0 and at most 3 s",
        }
    }
}

#[cfg(test)]
mod tests;
