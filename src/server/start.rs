//! The start of a server up to its first snapshot: reads the files, and opens the sockets and the
//! state folder. Each step has a time limit and ends at a signal, because a disk may hang.

use crate::finding::{Files, Finding, Findings, code};
use crate::reload::prepare::{self, Fresh, ZoneRules};
use crate::reload::running::RestartOnly;
use crate::reload::watch::Watch;
use crate::server::attempt::Attempt;
use crate::server::control_socket;
use crate::server::sockets::Sockets;
use crate::server::{Engine, Refusal, Signals, own_fault};
use crate::state::ledger_store::{self, LedgerStore};
use crate::state::lock::{Claim, Taken};
use crate::state::{remembered, zone_store};
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::runtime::Runtime;

use crate::live::Remembered;

/// Interval of the checks for a start that hangs.
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// Sockets and state that are open before the first answer.
pub(super) struct Opened {
    /// Every socket.
    pub(super) sockets: Sockets,
    /// Lock of the state folder.
    pub(super) claim: Claim,
    /// The store of the ledger.
    pub(super) store: LedgerStore,
    /// Faults of the ledger that an operator must acknowledge.
    pub(super) alarms: Vec<String>,
    /// Remembered state with which live state begins.
    pub(super) remembered: Remembered,
    /// One sentence for each fault of the remembered state.
    pub(super) faults: Vec<String>,
}

/// Reads and compiles the files.
pub(super) fn read(runtime: &Runtime, signals: &mut Signals, config: PathBuf) -> Result<Fresh, Refusal> {
    let work = move |watch: &Watch| {
        let recall = |state: &Path| {
            let _waiting = watch.wait_for(state);
            zone_store::load(state)
        };
        let rules = ZoneRules { recall: Some(&recall), allow_loss: false };
        prepare::run_watched(&config, None, None, 1, rules, watch)
    };
    patiently(runtime, signals, "start", work)?
}

/// Opens the sockets and the state folder. The error has the findings of all failures.
pub(super) fn open(
    runtime: &Runtime,
    signals: &mut Signals,
    fixed: &RestartOnly,
    engine: Engine,
) -> Result<Result<Opened, Findings>, Refusal> {
    let fixed = fixed.clone();
    let work = move |watch: &Watch| {
        let _waiting = watch.wait_for(&fixed.state);
        crate::sys::hooks::hang(&fixed.state);
        let mut is_taken = Claim::is_taken(&fixed.state);
        let opened =
            Sockets::open(&fixed.listen, engine).and_then(|sockets| match Claim::new(&fixed.state) {
                Ok(claim) if !is_taken => Ok((sockets, claim)),
                Ok(_) | Err(Taken) => {
                    control_socket::remove_control(&fixed.listen.control);
                    is_taken = true;
                    Err(Findings::default())
                }
            });
        let (sockets, claim) = opened.map_err(|mut found| {
            if is_taken {
                found.push(taken(&fixed));
            }
            found
        })?;
        let ledger_store::Opened { store, ledger, alarms } = LedgerStore::open(&fixed.state);
        let ((health, mut faults), (load, more)) =
            (remembered::recall(&fixed.state), remembered::recall_load(&fixed.state));
        faults.extend(more);
        Ok(Opened { sockets, claim, store, alarms, remembered: Remembered { ledger, health, load }, faults })
    };
    patiently(runtime, signals, "state", work)
}

fn taken(fixed: &RestartOnly) -> Finding {
    Finding::error(
        code::STATE_TAKEN,
        format!("another server runs on the state folder `{}`", fixed.state.display()),
    )
    .help("stop that server, or give this one a folder of its own (`state`)")
}

/// Runs work on a thread of its own, until it ends, takes too long, or a signal ends the start.
fn patiently<T: Send + 'static>(
    runtime: &Runtime,
    signals: &mut Signals,
    name: &str,
    work: impl FnOnce(&Watch) -> T + Send + 'static,
) -> Result<T, Refusal> {
    let mut attempt = Attempt::begin(name, work).map_err(|error| own_fault(&error))?;
    let finding = runtime.block_on(async {
        loop {
            tokio::select! {
                done = attempt.wait() => {
                    return done.ok_or_else(|| {
                        Finding::error(code::OWN_FAULT, "the start ended by a fault of the program")
                            .help("please report this with the lines of the log around it")
                    });
                }
                signal = signals.end() => {
                    return Err(Finding::error(
                        code::START_ENDED,
                        format!("{signal} ended the start, while {}", attempt.words()),
                    ));
                }
                () = tokio::time::sleep(LOOK_EVERY) => {
                    if let Some(finding) = attempt.overdue("the start") {
                        return Err(finding);
                    }
                }
            }
        }
    });
    finding.map_err(|finding| Box::new((Findings::from(finding), Files::default())))
}
