//! Preparation of a snapshot: read, check, compile. What steers is all or nothing; a faulty zone is
//! put aside, and the rest goes on.

use crate::config::{Choices, Deployment, Reading, Recall};
use crate::finding::{At, Files, Finding, Findings, code};
use crate::limits::{READ_ATTEMPTS, READ_PAUSE_MILLIS};
use crate::reload::disk::Disk;
use crate::reload::running::{RestartOnly, Running};
use crate::reload::watch::Watch;
use crate::reload::{parallel, safety};
use crate::snapshot::{self, Snapshot};
use crate::sys::clock::epoch_secs;
use crate::sys::memory::Passing;
use crate::zone::source::LastGood;
use std::path::Path;
use std::sync::Arc;
use std::thread::sleep;
use std::time::Duration;

/// What a good cycle gives.
pub struct Fresh {
    /// The compiled snapshot, not yet published.
    pub snapshot: Snapshot,
    /// The sockets and folders that the files ask for.
    pub(crate) fixed: RestartOnly,
    /// Where `listen.tcp_connections` is written.
    pub(crate) tcp_connections_at: Option<At>,
    /// Warnings and notes.
    pub findings: Findings,
    /// The files.
    pub(crate) files: Files,
}

/// Sequence number of a snapshot that no server will serve.
pub(crate) const NEVER_SERVED: u64 = 0;

/// What zones may go back to, and whether they may be lost.
#[derive(Clone, Copy, Default)]
pub(crate) struct ZoneRules<'a> {
    /// Last good texts by the state folder, where no snapshot has them.
    pub(crate) recall: Option<Recall<'a>>,
    /// Whether zones that are gone are let go, however many they are and whoever needs them.
    pub(crate) allow_loss: bool,
}

/// Reads the deployment at `root` and compiles it as snapshot `sequence`. `previous` lends what did
/// not change, and the texts to which a faulty zone goes back; `running` refuses files that ask for
/// other sockets than it has, or that take out of service what safety rules keep in. Takes as long
/// as reading and compiling take: call it where waiting is allowed.
pub fn run(
    root: &Path,
    previous: Option<&Arc<Snapshot>>,
    running: Option<&Running>,
    sequence: u64,
) -> Result<Fresh, Box<(Findings, Files)>> {
    run_watched(root, previous, running, sequence, ZoneRules::default(), &Watch::default())
}

/// The same under the eyes of who may give it up.
pub(crate) fn run_watched(
    root: &Path,
    previous: Option<&Arc<Snapshot>>,
    running: Option<&Running>,
    sequence: u64,
    rules: ZoneRules<'_>,
    watch: &Watch,
) -> Result<Fresh, Box<(Findings, Files)>> {
    let in_service = |_: &Path| LastGood {
        zones: previous.map(|previous| previous.folder.zones.clone()).unwrap_or_default(),
        is_served: true,
        faults: Vec::new(),
    };
    let recall = if previous.is_some() { Some(&in_service as Recall<'_>) } else { rules.recall };
    let rules = ZoneRules { recall, ..rules };
    consistently(root, sequence == NEVER_SERVED, rules, watch, |mut reading, deployment, findings| {
        watch.enter("compiling");
        let (mut deployment, mut findings) = (deployment, findings);
        let fresh = loop {
            let Some(read) = deployment else { break None };
            let (fresh, mut found) = compiled(root, &reading, &read, previous, running, sequence);
            // A zone may be at fault that only its image or its policies show.
            if fresh.is_some() || !reading.put_aside(&mut found) {
                findings.extend(found);
                findings.sort();
                break fresh;
            }
            drop(read);
            (deployment, findings) = reading.read();
            told_by_databases(&mut reading, &mut findings);
        };
        let files = reading.into_files();
        match fresh {
            Some((snapshot, fixed, tcp_connections_at)) => {
                Ok(Fresh { snapshot, fixed, tcp_connections_at, findings, files })
            }
            None => Err(Box::new((findings, files))),
        }
    })
}

/// What is compiled of a deployment: the snapshot, what only a restart changes, and the place of
/// `tcp_connections`; `None` if an error among the findings refuses it.
type Compiled = (Snapshot, RestartOnly, Option<At>);

fn compiled(
    root: &Path,
    reading: &Reading<'_>,
    deployment: &Deployment,
    previous: Option<&Arc<Snapshot>>,
    running: Option<&Running>,
    sequence: u64,
) -> (Option<Compiled>, Findings) {
    let mut findings = Findings::default();
    let fixed = RestartOnly {
        listen: deployment.listen.clone(),
        pid_file: deployment.pid_file.clone(),
        exit_on_fault: deployment.exit_on_fault,
        state: deployment.state.clone(),
    };
    if let Some(running) = running {
        findings.extend(need_restart(&running.fixed, &fixed, place_of(root, reading.files())));
    }
    safety::past(deployment, epoch_secs()).into_iter().for_each(|finding| findings.push(finding));
    let (snapshot, found) = snapshot::compile_by(&parallel::each, deployment, previous, sequence);
    findings.extend(found);
    if let Some(snapshot) = &snapshot {
        findings.extend(safety::judge(previous.map(|previous| (previous, running)), snapshot, epoch_secs()));
    }
    let snapshot = snapshot.filter(|_| !findings.has_errors());
    (snapshot.map(|snapshot| (snapshot, fixed, deployment.tcp_connections_at)), findings)
}

/// Reads and checks one consistent state of the files: a reload during which a file changed is
/// repeated. Faults of databases are among the findings only if others refuse the deployment
/// already; otherwise compiling it tells them.
pub fn read(root: &Path, is_for_check: bool) -> (Option<Deployment>, Findings, Files) {
    let done = |reading: Reading<'_>, deployment, findings| (deployment, findings, reading.into_files());
    consistently(root, is_for_check, ZoneRules::default(), &Watch::default(), done)
}

/// Names of the PoPs of the deployment, as far as two of its files can be read.
pub(crate) fn pop_names(root: &Path) -> Vec<String> {
    crate::config::pop_names(root, &Disk::new(&Watch::default(), true))
}

fn consistently<T>(
    root: &Path,
    is_for_check: bool,
    rules: ZoneRules<'_>,
    watch: &Watch,
    done: impl FnOnce(Reading<'_>, Option<Deployment>, Findings) -> T,
) -> T {
    watch.enter("checking");
    let mut attempt = 1;
    loop {
        let disk = Disk::new(watch, is_for_check);
        let mut reading = Reading::new(root, &disk, Choices::new(rules.allow_loss), rules.recall);
        let passing = Passing::begin();
        let (deployment, mut findings) = reading.read();
        drop(passing);
        let changed = disk.changed();
        if changed.is_empty() {
            told_by_databases(&mut reading, &mut findings);
            return done(reading, deployment.filter(|_| !findings.has_errors()), findings);
        }
        if attempt >= READ_ATTEMPTS {
            for path in changed {
                let message = format!("`{}` changed while the deployment was read", path.display());
                let finding = Finding::error(code::SOURCE_CHANGED, message)
                    .help("reload again when the files no longer change");
                findings.push(match place_of(&path, reading.files()) {
                    Some(at) => finding.at(at, ""),
                    None => finding,
                });
            }
            return done(reading, None, findings);
        }
        attempt += 1;
        sleep(Duration::from_millis(READ_PAUSE_MILLIS));
    }
}

/// Nobody compiles what is refused: what its databases would have told then is told here.
fn told_by_databases(reading: &mut Reading<'_>, findings: &mut Findings) {
    if let Some(refused) = reading.refused() {
        findings.extend(snapshot::told_by_databases(&refused));
        findings.sort();
    }
}

fn place_of(path: &Path, files: &Files) -> Option<At> {
    files.find(&path.display().to_string()).map(At::whole)
}

/// One finding for each key that differs from what the process was started with.
fn need_restart(running: &RestartOnly, asked: &RestartOnly, at: Option<At>) -> Findings {
    // Taken apart, so that a new field has to find its row.
    let RestartOnly { listen, pid_file, exit_on_fault, state } = asked;
    let rows = [
        ("pid_file", running.pid_file == *pid_file),
        ("exit_on_fault", running.exit_on_fault == *exit_on_fault),
        ("state", running.state == *state),
    ];
    let others = rows.into_iter().filter(|(_, is_same)| !is_same).map(|(key, _)| key);
    let mut findings = Findings::default();
    for key in running.listen.differing(listen).into_iter().chain(others) {
        let finding = Finding::error(
            code::NEEDS_RESTART,
            format!("`{key}` differs from what the server was started with"),
        )
        .help("restart the server to change it, or put the old value back to reload the rest");
        findings.push(match at {
            Some(at) => finding.at(at, ""),
            None => finding,
        });
    }
    findings
}

#[cfg(test)]
mod tests;
