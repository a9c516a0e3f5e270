//! Probes: run each check against its target and report the result.
//!
//! ```text
//!  [`runner`]  work (ticket, target) ──▶ one task each ──▶ [`Prober::run`] ──▶ (ticket, outcome)
//!                                                             │
//!                      [`load`]: (ticket, reading) ──▶ [`Prober::read`] ──▶ (ticket, number)
//!                                                             │
//!            [`http`] over [`tls`]  [`tcp`]  [`dns`]  [`exec`]  [`file`]  [`icmp`]
//! ```
//!
//! A run never panics on data of a peer, ends by its timeout, holds bounded memory, and leaves no
//! connection and no process behind. Names are never resolved. Nothing is retried: the monitor
//! decides how many failures make a verdict.

pub(crate) mod dns;
#[cfg(unix)]
mod exec;
pub(crate) mod file;
pub(crate) mod http;
mod icmp;
pub(crate) mod load;
mod metered;
mod pinned;
#[cfg(unix)]
mod programs;
mod refusal;
pub(crate) mod runner;
mod tcp;
mod tls;
mod words;

use crate::health::probe_result::ProbeResult;
use crate::health::spec::Check;
use crate::health::targets::Target;
use crate::limits::{
    LOAD_FEEDS_AT_ONCE, PROBE_FILES_AT_ONCE, PROBES_AT_ONCE, PROGRAM_END_SECS, PROGRAMS_AT_ONCE,
};
use crate::shared::descriptors::{Descriptors, Use};
use crate::sys::own_fault;
use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::Semaphore;
use tokio::time::timeout;

/// Runner of checks and reader of load feeds; a process has one. It keeps TLS settings between
/// runs, and limits how many checks, programs and feeds run at once.
#[derive(Debug)]
pub struct Prober {
    tls: tls::Settings,
    #[cfg(unix)]
    programs: programs::Programs,
    program_places: Semaphore,
    files: Arc<Semaphore>,
    /// Checks that may run at once.
    checks_at_once: usize,
    /// Load feeds that may be read at once.
    feeds_at_once: usize,
    descriptors: Arc<Descriptors>,
}

impl Default for Prober {
    fn default() -> Prober {
        Prober::new()
    }
}

/// Facts that a run has found so far. They survive the timeout that ends it.
#[derive(Debug, Default)]
struct Trial {
    /// Step that the run waits for, as a phrase for the operator; empty if the check has only one.
    doing: &'static str,
    certificate_days: Option<i32>,
    degraded: Option<Arc<str>>,
    /// True if the check failed because of this node: before its first octet left, or while it
    /// waited for other files or programs.
    is_own: bool,
}

impl Trial {
    /// Adds an oddity of a healthy target, behind earlier ones.
    fn remark(&mut self, words: String) {
        self.degraded = Some(match self.degraded.take() {
            Some(noted) => format!("{noted}; {words}").into(),
            None => words.into(),
        });
    }

    /// Describes an error before the first octet has left for `peer`, and notes whether it is a
    /// fault of this node.
    fn before_sending(&mut self, error: &io::Error, peer: Option<IpAddr>) -> String {
        self.is_own |= own_fault::is_own(error, peer);
        words::io(error)
    }
}

/// Result of a check: success, or one line with the reason of the failure.
type Finding = Result<(), String>;

impl Prober {
    /// Opens and reads nothing yet: the system's root certificates are read when a check first
    /// needs them.
    pub fn new() -> Prober {
        Prober::within(Arc::default())
    }

    /// Prober whose limits fit the share of descriptors for probes. A check holds one descriptor, a
    /// program four more: the ends of its pipe and its handle.
    pub(crate) fn within(descriptors: Arc<Descriptors>) -> Prober {
        let share = descriptors.shares().of(Use::Probes);
        Prober {
            tls: tls::Settings::default(),
            #[cfg(unix)]
            programs: programs::Programs::new(),
            program_places: Semaphore::new(PROGRAMS_AT_ONCE.min(share / 16).max(1)),
            files: Arc::new(Semaphore::new(PROBE_FILES_AT_ONCE)),
            checks_at_once: PROBES_AT_ONCE.min(share / 2).max(1),
            feeds_at_once: LOAD_FEEDS_AT_ONCE.min(share / 8).max(1),
            descriptors,
        }
    }

    /// Kills every program, and waits up to `PROGRAM_END_SECS` until none of their processes is
    /// left. No program can start afterwards.
    pub(crate) fn end_programs(&self) {
        #[cfg(unix)]
        self.programs.end(Duration::from_secs(PROGRAM_END_SECS));
    }

    /// Runs a check once. The check's timeout covers connect, TLS and exchange together. Needs a
    /// Tokio runtime with I/O and time. If the future is dropped midway, the connection is closed
    /// and the program killed.
    pub async fn run(&self, target: &Target) -> ProbeResult {
        let _held = Arc::clone(&self.descriptors).hold(Use::Probes);
        let begun = Instant::now();
        let within = Duration::from_millis(u64::from(target.spec.timeout_ms));
        let mut trial = Trial::default();
        let finding = match timeout(within, self.check(target, &mut trial)).await {
            Ok(finding) => finding,
            Err(_) => Err(words::late(target.spec.timeout_ms, trial.doing)),
        };
        let is_well = finding.is_ok();
        let is_measured = target.spec.check.is_networked();
        ProbeResult {
            result: finding.map_err(|why| words::line(&why).into()),
            latency_us: is_measured.then(|| u32::try_from(begun.elapsed().as_micros()).unwrap_or(u32::MAX)),
            certificate_days: trial.certificate_days,
            degraded: trial.degraded.filter(|_| is_well).map(|told| words::line(&told).into()),
            is_own: trial.is_own && !is_well,
        }
    }

    async fn check(&self, target: &Target, trial: &mut Trial) -> Finding {
        // Each branch is boxed, so that the future of a UDP query is not as large as that of a TLS
        // exchange.
        match &target.spec.check {
            Check::Http(check) => Box::pin(http::run(check, target.destination, &self.tls, trial)).await,
            Check::Tcp(check) => Box::pin(tcp::run(check, target.destination, trial)).await,
            Check::Dns(check) => Box::pin(dns::run(check, target.destination, trial)).await,
            #[cfg(unix)]
            Check::Exec(check) => {
                let _held = Arc::clone(&self.descriptors).hold(Use::Probes);
                let places = (&self.programs, &self.program_places);
                Box::pin(exec::run(check, target, places, trial)).await
            }
            #[cfg(not(unix))]
            Check::Exec(_) => Err("programs are run on Unix only".to_owned()),
            Check::File(check) => Box::pin(file::run(check, target, &self.files, trial)).await,
            Check::Icmp => Box::pin(icmp::run(target.destination.ip(), trial)).await,
            Check::Push(_) => Err("a push is waited for, not run".to_owned()),
        }
    }
}
