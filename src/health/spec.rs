//! Probes as checked values: what is asked of a target, how often, and how many answers make a
//! verdict.

use crate::finding::At;
use crate::wire::name::Name;
use crate::wire::rr::RrType;
use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;
use std::sync::Arc;

/// Index of a probe in the deployment's list, which is sorted by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct ProbeId(pub u16);

/// A probe as the file names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Probe {
    /// Name.
    pub(crate) name: Arc<str>,
    /// What it does.
    pub(crate) kind: Kind,
    /// Where its name is written.
    pub(crate) at: At,
}

/// What a probe is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// One check of one target.
    Check(Arc<Spec>),
    /// Other probes, of which some must be well. Never leads back to itself.
    Group {
        /// How many.
        need: Need,
        /// Which; at least one, each once.
        of: Vec<ProbeId>,
    },
}

/// How many parts of a group must be well.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Need {
    /// Every one (`all_of`; also a PoP with several probes: the worst counts).
    All,
    /// One (`any_of`).
    Any,
    /// At least this many (`n_of`), 1 or more.
    AtLeast(u16),
}

/// A check with its timing and thresholds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spec {
    /// What is asked.
    pub check: Check,
    /// Asked instead of the PoP's own address; then every user of this probe shares one target. A
    /// port of 0 leaves the check's own.
    pub to: Option<SocketAddr>,
    /// From one start to the next, in milliseconds.
    pub every_ms: u32,
    /// Until an answer counts as a failure, in milliseconds; less than `every_ms`.
    pub timeout_ms: u32,
    /// Successes in a row that bring a target up.
    pub up_after: u16,
    /// Failures that take a target down; successes between them do not clear the count, see
    /// `ok_after`.
    pub down_after: u16,
    /// Successes in a row that clear the count of failures.
    pub ok_after: u16,
    /// When it is damped.
    pub flap: FlapLimits,
}

/// How often a target may turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FlapLimits {
    /// With more turns than this it is damped; 0 for never.
    pub turns: u16,
    /// Turns within this time count, in milliseconds.
    pub window_ms: u32,
}

impl Default for FlapLimits {
    fn default() -> FlapLimits {
        FlapLimits { turns: 6, window_ms: 600_000 }
    }
}

/// What is asked of a target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Check {
    /// HTTP/1.1, over TLS where `tls` is given.
    Http(HttpCheck),
    /// A TCP connection, with an optional exchange.
    Tcp(TcpCheck),
    /// A DNS query.
    Dns(DnsCheck),
    /// A program, whose exit status 0 means well.
    Exec(ExecCheck),
    /// A file that says `UP` or `DOWN`.
    File(FileCheck),
    /// Results that somebody pushes over the control socket.
    Push(PushCheck),
    /// ICMP echo, where the system lets an unprivileged process send it.
    Icmp,
}

impl Check {
    /// Whether its result comes over our network, so that a cut of ours looks like a fault of the
    /// target. What others have found, or a file says, does not.
    pub(crate) fn is_networked(&self) -> bool {
        match self {
            Check::Http(_) | Check::Tcp(_) | Check::Dns(_) | Check::Exec(_) | Check::Icmp => true,
            Check::File(_) | Check::Push(_) => false,
        }
    }

    /// Results arrive by themselves: the server never begins such a check.
    pub(crate) fn is_pushed(&self) -> bool {
        match self {
            Check::Push(_) => true,
            Check::Http(_)
            | Check::Tcp(_)
            | Check::Dns(_)
            | Check::Exec(_)
            | Check::File(_)
            | Check::Icmp => false,
        }
    }

    /// Time without a push after which the target fails, in milliseconds; `None` where that never
    /// happens.
    pub(crate) fn push_ttl_ms(&self) -> Option<u32> {
        match self {
            Check::Push(push) => Some(push.ttl_ms).filter(|ttl_ms| *ttl_ms > 0),
            Check::Http(_)
            | Check::Tcp(_)
            | Check::Dns(_)
            | Check::Exec(_)
            | Check::File(_)
            | Check::Icmp => None,
        }
    }

    /// TLS of the connection.
    pub(crate) fn tls(&self) -> Option<&TlsCheck> {
        match self {
            Check::Http(http) => http.tls.as_ref(),
            Check::Tcp(_)
            | Check::Dns(_)
            | Check::Exec(_)
            | Check::File(_)
            | Check::Push(_)
            | Check::Icmp => None,
        }
    }

    /// Path of the file that is read.
    pub(crate) fn watched_mut(&mut self) -> Option<&mut Arc<str>> {
        match self {
            Check::File(file) => Some(&mut file.path),
            Check::Http(_)
            | Check::Tcp(_)
            | Check::Dns(_)
            | Check::Exec(_)
            | Check::Push(_)
            | Check::Icmp => None,
        }
    }
}

/// An HTTP request and what is expected of its response. Redirects are not followed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpCheck {
    /// TLS, for `https`.
    pub tls: Option<TlsCheck>,
    /// Port.
    pub port: u16,
    /// `GET` or `HEAD`.
    pub method: HttpMethod,
    /// Path with query, beginning with `/`.
    pub path: Arc<str>,
    /// `Host`; without it the address.
    pub host: Option<Arc<str>>,
    /// Further request headers, name and value; names are valid tokens, values have no control
    /// characters.
    pub headers: Vec<(Arc<str>, Arc<str>)>,
    /// Status codes that are well.
    pub expect: Vec<RangeInclusive<u16>>,
    /// Response headers: name, and what its value must contain.
    pub expect_headers: Vec<(Arc<str>, Arc<str>)>,
    /// What the first [`crate::limits::PROBE_BODY_OCTETS_MAX`] octets of the body must contain.
    pub body: Option<Box<[u8]>>,
}

/// Method of an HTTP check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum HttpMethod {
    /// GET.
    Get,
    /// HEAD.
    Head,
}

/// TLS of an HTTP check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsCheck {
    /// Server name (SNI), also what the certificate must be for; without it `host`, else none is
    /// sent and the certificate must be for the address.
    pub sni: Option<Arc<str>>,
    /// Which certificates are accepted.
    pub verify: Verify,
    /// A certificate that ends within this many days is told as a degradation; it stays well.
    pub warn_days: u16,
}

/// Which certificates are accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verify {
    /// Those of the system's roots.
    System,
    /// Those that lead to one of these (PEM, as read from the file named).
    Pinned(Arc<[u8]>),
    /// All; only the exchange is checked.
    Off,
}

/// A TCP connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TcpCheck {
    /// Port.
    pub port: u16,
    /// Sent first.
    pub send: Option<Box<[u8]>>,
    /// What the first [`crate::limits::PROBE_BODY_OCTETS_MAX`] octets received must contain.
    pub expect: Option<Box<[u8]>>,
}

/// A DNS query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DnsCheck {
    /// Port.
    pub port: u16,
    /// Over TCP instead of UDP.
    pub tcp: bool,
    /// Name asked.
    pub qname: Name,
    /// Type asked.
    pub qtype: RrType,
    /// Response code that is well, such as 0.
    pub rcode: u8,
    /// An address that the answer section must hold; only for A and AAAA.
    pub answer: Option<IpAddr>,
}

/// A program. It runs without a shell, without the server's descriptors, with `MERIDIAN_POP`,
/// `MERIDIAN_SERVICE` and `MERIDIAN_ADDRESS` in its environment, and is killed at the time-out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExecCheck {
    /// Program and arguments; at least one.
    pub command: Vec<Arc<str>>,
}

/// A file whose first word is `UP` or `DOWN`, in any case, optionally followed by seconds for which
/// that holds since the file was written (a word of its own: `UP 30`); after them it counts as a
/// failure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileCheck {
    /// Path; `{pop}`, `{service}` and `{address}` stand for the target's.
    pub path: Arc<str>,
}

/// Pushed results.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PushCheck {
    /// After this long without a push the target fails, in milliseconds; 0: the last one holds for
    /// ever.
    pub ttl_ms: u32,
}

/// Addresses outside that tell whether this node's own network works.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Canaries {
    /// The check, whose `to` is not used.
    pub(crate) probe: ProbeId,
    /// The addresses.
    pub(crate) addresses: Vec<IpAddr>,
    /// For at most this long verdicts of a family freeze while all its canaries fail, in
    /// milliseconds.
    pub(crate) freeze_max_ms: u64,
    /// Where they are written.
    pub(crate) at: At,
}

/// When a policy distrusts its probes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PanicGuard {
    /// More than this share of its PoPs, or of their capacity, in per cent; 100 turns the guard
    /// off.
    pub share_percent: u8,
    /// Going down within this time, in milliseconds,
    pub window_ms: u32,
    /// is held back for this long, in milliseconds.
    pub hold_ms: u32,
}

impl Default for PanicGuard {
    fn default() -> PanicGuard {
        PanicGuard { share_percent: 50, window_ms: 30_000, hold_ms: 60_000 }
    }
}
