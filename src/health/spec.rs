//! Probes as checked values: the check, its timing, and the results that make a verdict.

use crate::finding::At;
use crate::wire::name::Name;
use crate::wire::rr::RrType;
use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;
use std::sync::Arc;

list_index! {
    /// Index of a probe in the deployment's list, which is sorted by name.
    pub(crate) ProbeId(u16)
}

/// Probe in the configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Probe {
    /// Name.
    pub(crate) name: Arc<str>,
    /// Check or group.
    pub(crate) kind: Kind,
    /// Place of its name in the file.
    pub(crate) at: At,
}

/// Kind of a probe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// One check of one target.
    Check(Arc<Spec>),
    /// Other probes, some of which must succeed. Never leads back to itself.
    Group {
        /// Parts that must succeed.
        need: Need,
        /// Parts; at least one, each once.
        of: Vec<ProbeId>,
    },
}

/// Number of parts of a group that must succeed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Need {
    /// All (`all_of`; also a PoP with several probes).
    All,
    /// One (`any_of`).
    Any,
    /// At least this number (`n_of`), 1 or more.
    AtLeast(u16),
}

/// Check with its timing and thresholds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spec {
    /// Check to run.
    pub check: Check,
    /// Destination in place of the PoP's own address. All users of this probe then share one
    /// target. Port 0 keeps the check's own port.
    pub to: Option<SocketAddr>,
    /// Time between two starts, in milliseconds.
    pub every_ms: u32,
    /// Timeout in milliseconds, less than `every_ms`.
    pub timeout_ms: u32,
    /// Successes in a row until the target is up.
    pub up_after: u16,
    /// Failures until the target is down. Successes between them do not clear the count; see
    /// `ok_after`.
    pub down_after: u16,
    /// Successes in a row that clear the count of failures.
    pub ok_after: u16,
    /// Limits for damping.
    pub flap: FlapLimits,
}

/// Number of turns from which a target is damped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FlapLimits {
    /// Turns that are allowed; more damp the target. 0 for no damping.
    pub turns: u16,
    /// Window in which turns count, in milliseconds.
    pub window_ms: u32,
}

impl Default for FlapLimits {
    fn default() -> FlapLimits {
        FlapLimits { turns: 6, window_ms: 600_000 }
    }
}

/// Check of a target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Check {
    /// HTTP/1.1, over TLS where `tls` is given.
    Http(HttpCheck),
    /// A TCP connection, with an optional exchange.
    Tcp(TcpCheck),
    /// A DNS query.
    Dns(DnsCheck),
    /// A program, which succeeds by exit status 0.
    Exec(ExecCheck),
    /// A file that contains `UP` or `DOWN`.
    File(FileCheck),
    /// Results that are pushed over the control socket.
    Push(PushCheck),
    /// ICMP echo, where the system lets an unprivileged process send it.
    Icmp,
}

closed_set! {
    /// Kind of a check. Its word is the key of the file, and stands in the keys of targets and in
    /// differences.
    pub(crate) enum CheckKind {
        /// An HTTP request over TLS.
        Https = "https",
        /// An HTTP request without TLS.
        Http = "http",
        /// A TCP connection.
        Tcp = "tcp",
        /// A DNS query.
        Dns = "dns",
        /// A program.
        Exec = "exec",
        /// A file.
        File = "file",
        /// Pushed results.
        Push = "push",
        /// ICMP echo.
        Icmp = "icmp",
    }
}

/// Facts of a kind of check that no setting changes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct KindFacts {
    /// Default port; 0 if the port is required, or if there is none.
    pub(crate) port: u16,
    /// True if the check connects to an address, so that `to` has a meaning.
    pub(crate) connects: bool,
    /// True if its result comes over this node's network, so that a cut of the network looks like a
    /// fault of the target.
    pub(crate) is_networked: bool,
    /// Results arrive by themselves: the server never begins such a check.
    pub(crate) is_pushed: bool,
    /// Arguments of the check.
    pub(crate) scope: KeyScope,
}

/// Arguments of a check beside its settings and its destination. Users of a check share its target
/// if these are equal too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum KeyScope {
    /// None.
    Destination,
    /// PoP and service.
    Service,
    /// PoP and service, if the path has placeholders for them; else the path alone.
    Path,
    /// Probe, PoP and service.
    Probe,
}

impl CheckKind {
    /// Facts of the kind.
    pub(crate) const fn facts(self) -> KindFacts {
        let connected = KindFacts {
            port: 0,
            connects: true,
            is_networked: true,
            is_pushed: false,
            scope: KeyScope::Destination,
        };
        let local = KindFacts { connects: false, is_networked: false, ..connected };
        match self {
            CheckKind::Https => KindFacts { port: 443, ..connected },
            CheckKind::Http => KindFacts { port: 80, ..connected },
            CheckKind::Tcp | CheckKind::Icmp => connected,
            CheckKind::Dns => KindFacts { port: 53, ..connected },
            CheckKind::Exec => KindFacts { connects: false, scope: KeyScope::Service, ..connected },
            CheckKind::File => KindFacts { scope: KeyScope::Path, ..local },
            CheckKind::Push => KindFacts { is_pushed: true, scope: KeyScope::Probe, ..local },
        }
    }
}

/// Settings that are asked of every check.
#[derive(Clone, Copy, Debug)]
struct SharedSettings<'c> {
    port: u16,
    tls: Option<&'c TlsCheck>,
    push_ttl_ms: u32,
    path: Option<&'c str>,
}

impl Check {
    /// Kind of the check.
    pub(crate) fn kind(&self) -> CheckKind {
        match self {
            Check::Http(HttpCheck { tls: Some(_), .. }) => CheckKind::Https,
            Check::Http(HttpCheck { tls: None, .. }) => CheckKind::Http,
            Check::Tcp(_) => CheckKind::Tcp,
            Check::Dns(_) => CheckKind::Dns,
            Check::Exec(_) => CheckKind::Exec,
            Check::File(_) => CheckKind::File,
            Check::Push(_) => CheckKind::Push,
            Check::Icmp => CheckKind::Icmp,
        }
    }

    fn settings(&self) -> SharedSettings<'_> {
        // Every field in every arm, so that a new kind decides about each.
        let (port, tls, push_ttl_ms, path) = match self {
            Check::Http(http) => (http.port, http.tls.as_ref(), 0, None),
            Check::Tcp(tcp) => (tcp.port, None, 0, None),
            Check::Dns(dns) => (dns.port, None, 0, None),
            Check::File(file) => (0, None, 0, Some(&*file.path)),
            Check::Push(push) => (0, None, push.ttl_ms, None),
            Check::Exec(_) | Check::Icmp => (0, None, 0, None),
        };
        SharedSettings { port, tls, push_ttl_ms, path }
    }

    /// True if its result comes over this node's network.
    pub(crate) fn is_networked(&self) -> bool {
        self.kind().facts().is_networked
    }

    /// True if its results arrive by themselves.
    pub(crate) fn is_pushed(&self) -> bool {
        self.kind().facts().is_pushed
    }

    /// Port to connect to; 0 where there is none.
    pub(crate) fn port(&self) -> u16 {
        self.settings().port
    }

    /// Time without a push after which the target fails, in milliseconds; `None` where that never
    /// happens.
    pub(crate) fn push_ttl_ms(&self) -> Option<u32> {
        Some(self.settings().push_ttl_ms).filter(|ttl_ms| *ttl_ms > 0)
    }

    /// TLS of the connection.
    pub(crate) fn tls(&self) -> Option<&TlsCheck> {
        self.settings().tls
    }

    /// Path of the file that is read, with its placeholders.
    pub(crate) fn watched(&self) -> Option<&str> {
        self.settings().path
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

/// HTTP request and conditions on its response. Redirects are not followed.
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
    /// `Host` field; without it the address.
    pub host: Option<Arc<str>>,
    /// More request fields, name and value. Names are valid tokens, values have no control
    /// characters.
    pub headers: Vec<(Arc<str>, Arc<str>)>,
    /// Status codes that succeed.
    pub expect: Vec<RangeInclusive<u16>>,
    /// Response fields: name, and text that the value must contain.
    pub expect_headers: Vec<(Arc<str>, Arc<str>)>,
    /// Text that the first [`crate::limits::PROBE_BODY_OCTETS_MAX`] octets of the body must
    /// contain.
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
    /// Server name (SNI), which the certificate must match. Without it `host`; without both no SNI
    /// is sent, and the certificate must match the address.
    pub sni: Option<Arc<str>>,
    /// Rule for accepting certificates.
    pub verify: Verify,
    /// Days before its end from which a certificate is reported; the check still succeeds.
    pub warn_days: u16,
}

/// Rule for accepting certificates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verify {
    /// Certificates issued under the system's roots.
    System,
    /// Certificates in this file or issued by one of them (PEM, the content of the file).
    Pinned(Arc<[u8]>),
    /// All certificates; only the exchange is checked.
    Off,
}

/// TCP connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TcpCheck {
    /// Port.
    pub port: u16,
    /// Text to send first.
    pub send: Option<Box<[u8]>>,
    /// Text that the first [`crate::limits::PROBE_BODY_OCTETS_MAX`] octets received must contain.
    pub expect: Option<Box<[u8]>>,
}

/// DNS query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DnsCheck {
    /// Port.
    pub port: u16,
    /// True for TCP, false for UDP.
    pub tcp: bool,
    /// Name to query.
    pub qname: Name,
    /// Type to query.
    pub qtype: RrType,
    /// Response code that succeeds, such as 0.
    pub rcode: u8,
    /// Address that the answer section must contain; only for A and AAAA.
    pub answer: Option<IpAddr>,
}

/// Program. It runs without a shell and without the server's descriptors, has `MERIDIAN_POP`,
/// `MERIDIAN_SERVICE` and `MERIDIAN_ADDRESS` in its environment, and is killed at the timeout.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExecCheck {
    /// Program and arguments; at least one.
    pub command: Vec<Arc<str>>,
}

/// File whose first word is `UP` or `DOWN`, in any case. Behind `UP` may stand, as a word of its
/// own, the number of seconds for which it is valid after the file was written (`UP 30`); after
/// them the check fails.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileCheck {
    /// Path; `{pop}`, `{service}` and `{address}` stand for the target's.
    pub path: Arc<str>,
}

/// Pushed results.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PushCheck {
    /// Milliseconds without a push after which the target fails; 0 if the last push holds for ever.
    pub ttl_ms: u32,
}

/// Addresses outside the operator's network that test this node's own network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Canaries {
    /// Probe to run; its `to` is not used.
    pub(crate) probe: ProbeId,
    /// Addresses of the canaries.
    pub(crate) addresses: Vec<IpAddr>,
    /// Longest freeze of a family's verdicts while all its canaries fail, in milliseconds.
    pub(crate) freeze_max_ms: u64,
    /// Place in the file.
    pub(crate) at: At,
}

/// Rule by which a policy distrusts its probes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PanicGuard {
    /// Share of the PoPs, or of their capacity, in percent. If more fall within the window, a hold
    /// begins; 100 turns the guard off.
    pub share_percent: u8,
    /// Window in milliseconds.
    pub window_ms: u32,
    /// Limit of a hold, in milliseconds.
    pub hold_ms: u32,
}

impl Default for PanicGuard {
    fn default() -> PanicGuard {
        PanicGuard { share_percent: 50, window_ms: 30_000, hold_ms: 60_000 }
    }
}
