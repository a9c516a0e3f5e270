//! Preparation of a snapshot: read, check, compile. All or nothing.

use crate::config::{self, Deployment};
use crate::finding::{At, FileId, Files, Finding, Findings, code};
use crate::geo::mmdb::Database;
use crate::limits::{READ_ATTEMPTS, READ_PAUSE_MILLIS};
use crate::reload::disk::Disk;
use crate::reload::running::{RestartOnly, Running};
use crate::reload::watch::Watch;
use crate::reload::{parallel, safety};
use crate::snapshot::{self, Snapshot};
use crate::sys::clock::epoch_secs;
use crate::sys::memory::Passing;
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

/// Reads the deployment at `root` and compiles it as snapshot `sequence`. `previous` lends what did
/// not change; `running` refuses files that ask for other sockets than it has, or that take out of
/// service what safety rules keep in. Takes as long as reading and compiling take: call it where
/// waiting is allowed.
pub fn run(
    root: &Path,
    previous: Option<&Arc<Snapshot>>,
    running: Option<&Running>,
    sequence: u64,
) -> Result<Fresh, Box<(Findings, Files)>> {
    run_watched(root, previous, running, sequence, &Watch::default())
}

/// The same under the eyes of who may give it up.
pub(crate) fn run_watched(
    root: &Path,
    previous: Option<&Arc<Snapshot>>,
    running: Option<&Running>,
    sequence: u64,
    watch: &Watch,
) -> Result<Fresh, Box<(Findings, Files)>> {
    let (deployment, mut findings, files) = read_watched(root, sequence == NEVER_SERVED, watch);
    watch.enter("compiling");
    let Some(deployment) = deployment else { return Err(Box::new((findings, files))) };
    let fixed = RestartOnly {
        listen: deployment.listen.clone(),
        pid_file: deployment.pid_file.clone(),
        exit_on_fault: deployment.exit_on_fault,
        state: deployment.state.clone(),
    };
    if let Some(running) = running {
        findings.extend(need_restart(&running.fixed, &fixed, place_of(root, &files)));
    }
    safety::past(&deployment, epoch_secs()).into_iter().for_each(|finding| findings.push(finding));
    let (snapshot, found) = snapshot::compile_by(&parallel::each, &deployment, previous, sequence);
    findings.extend(found);
    if let Some(snapshot) = &snapshot {
        findings.extend(safety::judge(previous.map(|previous| (previous, running)), snapshot, epoch_secs()));
    }
    findings.sort();
    match snapshot {
        Some(snapshot) if !findings.has_errors() => {
            let tcp_connections_at = deployment.tcp_connections_at;
            Ok(Fresh { snapshot, fixed, tcp_connections_at, findings, files })
        }
        _ => Err(Box::new((findings, files))),
    }
}

/// Reads and checks one consistent state of the files: a reload during which a file changed is
/// repeated. Faults of databases are among the findings only if others refuse the deployment
/// already; otherwise compiling it tells them.
pub fn read(root: &Path, is_for_check: bool) -> (Option<Deployment>, Findings, Files) {
    read_watched(root, is_for_check, &Watch::default())
}

fn read_watched(root: &Path, is_for_check: bool, watch: &Watch) -> (Option<Deployment>, Findings, Files) {
    watch.enter("checking");
    let mut attempt = 1;
    loop {
        let disk = Disk::new(watch, is_for_check);
        let passing = Passing::begin();
        let config::ReadResult { deployment, databases, mut findings, files } =
            config::read_deployment(root, &disk);
        drop(passing);
        let changed = disk.changed();
        if changed.is_empty() {
            if deployment.is_none() {
                let faults =
                    databases.iter().filter_map(|d| Database::read(d.path.clone(), &d.octets, d.file).err());
                faults.for_each(|fault| findings.extend(fault));
                findings.sort();
            }
            return (deployment.filter(|_| !findings.has_errors()), findings, files);
        }
        if attempt >= READ_ATTEMPTS {
            for path in changed {
                let message = format!("`{}` changed while the deployment was read", path.display());
                let finding = Finding::error(code::SOURCE_CHANGED, message)
                    .help("reload again when the files no longer change");
                findings.push(match place_of(&path, &files) {
                    Some(at) => finding.at(at, ""),
                    None => finding,
                });
            }
            return (None, findings, files);
        }
        attempt += 1;
        sleep(Duration::from_millis(READ_PAUSE_MILLIS));
    }
}

fn place_of(path: &Path, files: &Files) -> Option<At> {
    (0..files.len() as u32).map(FileId).find(|id| Path::new(files.path(*id)) == path).map(At::whole)
}

/// One finding for each key that differs from what the process was started with.
fn need_restart(running: &RestartOnly, asked: &RestartOnly, at: Option<At>) -> Findings {
    let (r, a) = (&running.listen, &asked.listen);
    let rows = [
        ("listen.dns", r.dns == a.dns),
        ("listen.control", r.control == a.control),
        ("listen.admin", r.admin == a.admin),
        ("listen.threads", r.threads == a.threads),
        ("listen.cpus", r.cpus == a.cpus),
        ("listen.batch", r.batch == a.batch),
        ("listen.receive_buffer", r.receive_buffer == a.receive_buffer),
        ("listen.send_buffer", r.send_buffer == a.send_buffer),
        ("listen.tcp_connections", r.tcp_connections == a.tcp_connections),
        ("listen.tcp_connections_per_prefix", r.tcp_connections_per_prefix == a.tcp_connections_per_prefix),
        ("listen.tcp_idle", r.tcp_idle_secs == a.tcp_idle_secs),
        ("pid_file", running.pid_file == asked.pid_file),
        ("exit_on_fault", running.exit_on_fault == asked.exit_on_fault),
        ("state", running.state == asked.state),
    ];
    let mut findings = Findings::default();
    for (key, _) in rows.into_iter().filter(|(_, same)| !same) {
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
