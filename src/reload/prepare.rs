//! Preparation of a snapshot: read, check, compile. The steering files apply all together or not at
//! all; a faulty zone is put aside, and the others are served.

use crate::config::{Choices, Deployment, ProcessSettings, Reading, Recall};
use crate::finding::{At, Files, Finding, Findings, code};
use crate::limits::{READ_ATTEMPTS, READ_PAUSE_MILLIS};
use crate::reload::disk::Disk;
use crate::reload::running::{RestartOnly, Running};
use crate::reload::watch::Watch;
use crate::reload::{certificate, safety};
use crate::snapshot::{self, Snapshot};
use crate::sys::clock::epoch_secs;
use crate::sys::memory::Passing;
use crate::zone::source::LastGood;
use std::path::Path;
use std::sync::Arc;
use std::thread::sleep;
use std::time::Duration;

/// Result of a successful preparation.
pub struct Fresh {
    /// Compiled snapshot, not yet published.
    pub snapshot: Snapshot,
    /// Settings that need a restart, as the files have them.
    pub(crate) fixed: RestartOnly,
    /// Warnings and notes.
    pub findings: Findings,
    /// Files that were read.
    pub(crate) files: Files,
}

/// Sequence number of a snapshot that no server will serve.
pub(crate) const NEVER_SERVED: u64 = 0;

/// Rules for faulty and missing zones.
#[derive(Clone, Copy, Default)]
pub(crate) struct ZoneRules<'a> {
    /// Source of last good texts of zones for a start, which has no previous snapshot: the state
    /// folder.
    pub(crate) recall: Option<Recall<'a>>,
    /// True if missing zones are dropped, whatever their number and whatever refers to them.
    pub(crate) allow_loss: bool,
}

/// Reads the deployment at `root` and compiles it as snapshot `sequence`. Unchanged parts, and
/// texts for faulty zones, come from `previous`. Files that newly break a safety rule are refused
/// if there is a `previous`. With `running`, files that need a restart are refused too, and
/// overrides and probes count for the safety rules. The call blocks while files are read and
/// compiled.
pub fn run(
    root: &Path,
    previous: Option<&Arc<Snapshot>>,
    running: Option<&Running>,
    sequence: u64,
) -> Result<Fresh, Box<(Findings, Files)>> {
    run_watched(root, previous, running, sequence, ZoneRules::default(), &Watch::default())
}

/// Like [`run`], with rules for zones and with a watch that can give the reading up.
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
            let (fresh, mut found) = compiled(root, &reading, &read, (previous, running, sequence), watch);
            // A fault of a zone may show only in its image or its policies.
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
            Some((snapshot, fixed)) => Ok(Fresh { snapshot, fixed, findings, files }),
            None => Err(Box::new((findings, files))),
        }
    })
}

/// Compiled deployment: the snapshot, and the settings that need a restart. `None` if a finding is
/// an error.
type Compiled = (Snapshot, RestartOnly);

fn compiled(
    root: &Path,
    reading: &Reading<'_>,
    deployment: &Deployment,
    (previous, running, sequence): (Option<&Arc<Snapshot>>, Option<&Running>, u64),
    watch: &Watch,
) -> (Option<Compiled>, Findings) {
    let mut findings = Findings::default();
    let fixed = RestartOnly {
        listen: deployment.listen.clone(),
        pid_file: deployment.pid_file.clone(),
        exit_on_fault: deployment.exit_on_fault,
        state: deployment.state.clone(),
        user: deployment.user.clone(),
        sandbox: deployment.sandbox.clone(),
        runs_programs: deployment.runs_programs(),
    };
    if let Some(running) = running {
        findings.extend(need_restart(&running.fixed, &fixed, place_of(root, reading.files())));
    }
    safety::past(deployment, epoch_secs()).into_iter().for_each(|finding| findings.push(finding));
    certificate::judge(deployment, previous, epoch_secs())
        .into_iter()
        .for_each(|finding| findings.push(finding));
    let (snapshot, found) =
        snapshot::compile_by(&|count, work| watch.each(count, work), deployment, previous, sequence);
    findings.extend(found);
    if let Some(snapshot) = &snapshot {
        findings.extend(safety::judge(previous.map(|previous| (previous, running)), snapshot, epoch_secs()));
    }
    let snapshot = snapshot.filter(|_| !findings.has_errors());
    for source in snapshot.iter().flat_map(|snapshot| &snapshot.folder.zones) {
        // Here, because pages that show it have one thread for all readers.
        let _ = snapshot::digest::of_texts(source);
    }
    (snapshot.map(|snapshot| (snapshot, fixed)), findings)
}

/// Reads and checks one consistent state of the files: if a file changes meanwhile, all are read
/// again. Compilation reports the faults of databases. This function reports them only if other
/// faults refuse the deployment, because it is not compiled then.
pub fn read(root: &Path, is_for_check: bool) -> (Option<Deployment>, Findings, Files) {
    let done = |reading: Reading<'_>, deployment, findings| (deployment, findings, reading.into_files());
    consistently(root, is_for_check, ZoneRules::default(), &Watch::default(), done)
}

/// Settings of the process from the server file alone; `None` if that has an error.
pub(crate) fn process_settings(root: &Path, watch: &Watch) -> Option<ProcessSettings> {
    crate::config::process_settings(root, &Disk::new(watch, false))
}

/// Names of the deployment's PoPs, as far as the two files that hold them can be read.
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

/// Adds the findings about databases to a refused deployment, since it is not compiled.
fn told_by_databases(reading: &mut Reading<'_>, findings: &mut Findings) {
    if let Some(refused) = reading.refused() {
        findings.extend(snapshot::told_by_databases(&refused));
        findings.sort();
    }
}

fn place_of(path: &Path, files: &Files) -> Option<At> {
    files.find(&path.display().to_string()).map(At::whole)
}

/// Findings for the restart-only keys that differ from their values at process start.
fn need_restart(running: &RestartOnly, asked: &RestartOnly, at: Option<At>) -> Findings {
    // Taken apart, so that a new field has to find its row.
    let RestartOnly { listen, pid_file, exit_on_fault, state, user, sandbox, runs_programs } = asked;
    let rows = [
        ("pid_file", running.pid_file == *pid_file),
        ("exit_on_fault", running.exit_on_fault == *exit_on_fault),
        ("state", running.state == *state),
        ("user", running.user == *user),
        ("sandbox", running.sandbox.is_on() == sandbox.is_on()),
    ];
    let others = rows.into_iter().filter(|(_, is_same)| !is_same).map(|(key, _)| key);
    let mut findings = Findings::default();
    if sandbox.is_on() && *runs_programs && !running.runs_programs {
        let finding = Finding::error(
            code::NEEDS_RESTART,
            "a check runs a program (`exec`), and at the start of the server none did",
        );
        findings.push(finding.help(
            "restart the server, whose sandbox forbids programs; or remove the check to reload the rest",
        ));
    }
    for key in running.listen.differing(listen).into_iter().chain(others) {
        let finding = Finding::error(
            code::NEEDS_RESTART,
            format!("`{key}` differs from its value at the start of the server"),
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
