//! A load feed as checked values: where a number comes from, how often, and what it is measured
//! against.

use crate::finding::At;
use std::net::SocketAddr;
use std::sync::Arc;

/// A feed with its timing and its rule.
#[derive(Clone, Debug, PartialEq)]
pub struct LoadSpec {
    /// Where the number comes from.
    pub(crate) feed: Feed,
    /// From one reading to the next, in milliseconds; also the step of the rule.
    pub(crate) every_ms: u32,
    /// After this long without a reading the feed is lost, in milliseconds: the share holds until
    /// then, and then decays.
    pub(crate) stale_after_ms: u32,
    /// Utilisation (load divided by capacity) that is steered for, above 0; 0.8 is four fifths.
    pub(crate) target: f64,
    /// Utilisation above which steps are larger, above `target`.
    pub(crate) limit: f64,
    /// How much of the excess over the target the share grows by in each step, above 0, usually
    /// 0.05 to 0.1.
    pub(crate) gain: f64,
    /// Weight of a new reading in the smoothed load, above 0, at most 1.
    pub(crate) smoothing: f64,
    /// Where it is written.
    pub(crate) at: At,
}

impl LoadSpec {
    /// Every 15 s, lost after 30 s, target 80 %, limit 95 %, gain 0.08, smoothing 0.5.
    pub fn new(feed: Feed, at: At) -> LoadSpec {
        LoadSpec {
            feed,
            every_ms: 15_000,
            stale_after_ms: 30_000,
            target: 0.8,
            limit: 0.95,
            gain: 0.08,
            smoothing: 0.5,
            at,
        }
    }
}

/// Where the number comes from. Every number is the load now, in the unit of the capacity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Feed {
    /// A plain number, or one inside JSON, over HTTP.
    Http {
        /// Where.
        url: FeedUrl,
        /// JSON pointer (RFC 6901) to a number, such as `/load/now`; without it the body is the
        /// number.
        pointer: Option<Arc<str>>,
    },
    /// One sample of the Prometheus text format, over HTTP.
    Prometheus {
        /// Where.
        url: FeedUrl,
        /// Name of the metric.
        metric: Arc<str>,
        /// Labels that the sample must have, name and value; where several samples have them, they
        /// are added up.
        labels: Vec<(Arc<str>, Arc<str>)>,
    },
    /// A file whose first word is the number.
    File {
        /// Path; `{pop}` and `{service}` stand for the feed's.
        path: Arc<str>,
    },
    /// Somebody pushes it over the control socket.
    Push,
}

impl Feed {
    /// Loads arrive by themselves: the server never reads such a feed.
    pub(crate) fn is_pushed(&self) -> bool {
        match self {
            Feed::Push => true,
            Feed::Http { .. } | Feed::Prometheus { .. } | Feed::File { .. } => false,
        }
    }

    /// Path of the file that is read.
    pub(crate) fn watched_mut(&mut self) -> Option<&mut Arc<str>> {
        match self {
            Feed::File { path } => Some(path),
            Feed::Http { .. } | Feed::Prometheus { .. } | Feed::Push => None,
        }
    }
}

/// Where an HTTP feed is asked. Names are never resolved: the address is written in the URL, or
/// beside it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FeedUrl {
    /// Address and port that are connected to.
    pub address: SocketAddr,
    /// `Host`, and the server name where `tls`.
    pub host: Arc<str>,
    /// Path with query, beginning with `/`.
    pub path: Arc<str>,
    /// `https`.
    pub tls: bool,
}
