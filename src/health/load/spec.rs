//! Load feed as checked values: the source of the number, its period, and the rule that uses it.

use crate::finding::At;
use std::net::SocketAddr;
use std::sync::Arc;

/// Load feed with its timing and its rule.
#[derive(Clone, Debug, PartialEq)]
pub struct LoadSpec {
    /// Source of the number.
    pub(crate) feed: Feed,
    /// Time between two readings, in milliseconds; also the step of the rule.
    pub(crate) every_ms: u32,
    /// Time without a reading until the feed is lost, in milliseconds. The share holds until then,
    /// and then decays.
    pub(crate) stale_after_ms: u32,
    /// Utilisation to reach (load divided by capacity), above 0; 0.8 is four fifths.
    pub(crate) target: f64,
    /// Utilisation above which steps are larger, above `target`.
    pub(crate) limit: f64,
    /// Part of the excess over the target by which the share grows in each step, above 0, usually
    /// 0.05 to 0.1.
    pub(crate) gain: f64,
    /// Weight of a new reading in the smoothed load, above 0, at most 1.
    pub(crate) smoothing: f64,
    /// Place in the file.
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

/// Source of the number. Every number is the current load, in the unit of the capacity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Feed {
    /// A plain number, or one inside JSON, over HTTP.
    Http {
        /// Address of the page.
        url: FeedUrl,
        /// JSON pointer (RFC 6901) to the number, such as `/load/now`; without it the body is the
        /// number.
        pointer: Option<Arc<str>>,
    },
    /// One sample of the Prometheus text format, over HTTP.
    Prometheus {
        /// Address of the page.
        url: FeedUrl,
        /// Name of the metric.
        metric: Arc<str>,
        /// Labels that the sample must have, name and value. If several samples have them, they are
        /// added.
        labels: Vec<(Arc<str>, Arc<str>)>,
    },
    /// A file whose first word is the number.
    File {
        /// Path; `{pop}` and `{service}` stand for those of the feed.
        path: Arc<str>,
    },
    /// A number that is pushed over the control socket.
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

/// Address of an HTTP feed. Names are never resolved: the IP address is in the URL, or beside it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FeedUrl {
    /// Address and port to connect to.
    pub address: SocketAddr,
    /// `Host` field, and the server name if `tls`.
    pub host: Arc<str>,
    /// Path with query, beginning with `/`.
    pub path: Arc<str>,
    /// True for `https`.
    pub tls: bool,
}
