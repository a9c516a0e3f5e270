//! Keys of `listen` for the limits of stream transports, three for each.

use super::*;
use crate::config::listen::STREAMS;

/// Limits of a stream transport, by its place in [`STREAMS`].
macro_rules! stream_limits {
    ($at:literal) => {
        [
            entry(
                STREAMS[$at].connections,
                &Shape::Integer(1, 1_000_000),
                Absent::Default("4096"),
                const_text!(&[
                    "most ",
                    STREAMS[$at].name,
                    " connections; one more closes the one that was idle for longest; where connections take \
                     descriptors (all but QUIC), their limit may allow fewer \
                     ([operate.md](operate.md#descriptors)), which gives a warning",
                ]),
                "4096",
            ),
            entry(
                STREAMS[$at].per_prefix,
                &Shape::Integer(1, 1_000_000),
                Absent::Default("256"),
                const_text!(&[
                    "most ",
                    STREAMS[$at].name,
                    " connections of one client prefix (/24, /56), but no more than a quarter of all; a \
                     /48 may have four times as many, but no more than half of all",
                ]),
                "256",
            ),
            entry(
                STREAMS[$at].idle,
                &Shape::Seconds(1, 3_600),
                Absent::Default("10s"),
                "time until a connection without a query is closed, 1 s to 1 h",
                "10s",
            ),
        ]
    };
}

/// Limits of each stream transport.
pub(super) const STREAM_LIMITS: [[KeyEntry; 3]; STREAMS.len()] =
    [stream_limits!(0), stream_limits!(1), stream_limits!(2), stream_limits!(3)];
