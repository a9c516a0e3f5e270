//! Rights of the running server (Linux).
//!
//! ```text
//!       `user`                                  sockets are open
//! root ────────▶ user, may open ports below 1024 ───────────────▶ no capability, in the sandbox
//!                reads the files
//! ```
//!
//! Both steps come before the threads of the server start, since capabilities and the sandbox
//! belong to a thread and to those that it starts later. The thread of the log runs before, and
//! takes the second step for itself.

use crate::config::{ProcessSettings, Sandbox};
use crate::finding::{Finding, Findings, code};
use crate::limits::LOG_FLUSH_SECS;
use crate::reload::running::RestartOnly;
use crate::server::OwnProcess;
use crate::sys::privilege::{self, User};
use crate::sys::sandbox::{self, Bounds, InForce, Landlock};
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::time::Duration;

/// Devices that a program may write to.
const DEVICES: [&str; 4] = ["/dev/null", "/dev/zero", "/dev/full", "/dev/tty"];

/// Rights that a process has left.
#[derive(Debug, Default)]
pub(super) struct Rights {
    /// Lines for the banner.
    pub(super) words: Vec<String>,
    /// Warnings.
    pub(super) findings: Findings,
}

/// Finds the user that the process has to become, and makes the folders that are missing for it.
/// `None` without `user`, and for a process that is this user already. Blocks on the disk and on
/// the system's database of users.
pub(super) fn user_to_become(settings: &ProcessSettings) -> Result<Option<User>, Finding> {
    let Some(name) = settings.user.as_deref() else { return Ok(None) };
    let user = privilege::user(name)
        .map_err(|error| refused(format!("the user `{name}` cannot be looked up: {error}")))?
        .ok_or_else(|| {
            refused(format!("this machine has no user `{name}`")).help(format!(
                "make it: `useradd --system --user-group --no-create-home --shell /usr/sbin/nologin {name}`"
            ))
        })?;
    if user.uid == 0 {
        let finding = refused(format!("the user `{name}` has all rights of root"));
        return Err(finding.help("name a user of its own, such as `meridian`"));
    }
    match privilege::effective_uid() {
        own if own == user.uid => return Ok(None),
        0 => {}
        own => {
            let finding = refused(format!("user {own} cannot become the user `{name}`"));
            return Err(finding.help(format!("start the server as root or as `{name}`, or remove `user`")));
        }
    }
    for folder in &settings.folders {
        privilege::make_folder(folder, &user).map_err(|error| {
            refused(format!("the folder `{}` cannot be made for `{name}`: {error}", folder.display()))
        })?;
    }
    Ok(Some(user))
}

/// Becomes a user.
pub(super) fn become_user(user: &User) -> Result<(), Finding> {
    privilege::become_user(user)
        .map_err(|error| refused(format!("the process cannot become user {}: {error}", user.uid)))
}

/// Refuses folders to which the user may not write, since the server would start without its state.
/// Blocks on the disk.
pub(super) fn folders_of(settings: &ProcessSettings) -> Result<(), Finding> {
    let Some(name) = &settings.user else { return Ok(()) };
    match settings.folders.iter().find(|folder| !privilege::may_write(folder)) {
        None => Ok(()),
        Some(folder) => {
            let folder = folder.display();
            let finding = refused(format!("the user `{name}` may not write to the folder `{folder}`"));
            Err(finding.help(format!("give it to the user: `chown -R {name} {folder}`")))
        }
    }
}

fn refused(message: String) -> Finding {
    Finding::error(code::NO_USER, message)
}

/// Gives up every capability of a process that is not root's, and enters the sandbox. `note` is the
/// folder of the socket note, which the server removes when it stops. The error is a capability
/// that the process cannot give up.
pub(super) fn confine(own: &OwnProcess, fixed: &RestartOnly, note: Option<&Path>) -> Result<Rights, Finding> {
    let is_root = privilege::effective_uid() == 0;
    let mut rights = Rights::default();
    let bounds = fixed.sandbox.is_on().then(|| bounds(fixed, note, &mut rights.findings));
    let (of_log, confined) = (bounds.clone(), mpsc::channel());
    let confine_log = move || drop(confined.0.send(confine_thread(is_root, of_log.as_ref())));
    let patience = Duration::from_secs(LOG_FLUSH_SECS);
    if !own.0.run(Box::new(confine_log), patience) {
        tracing::warn!("the output of the log does not move; its thread gives up its rights later");
    } else if let Ok(Err(error)) = confined.1.try_recv() {
        return Err(kept(&error));
    }
    let in_force = confine_thread(is_root, bounds.as_ref()).map_err(|error| kept(&error))?;
    rights.words.push(match (&fixed.user, is_root) {
        (Some(user), _) => format!("user {user}, no capabilities"),
        (None, true) => "user root, all its rights (`user` names another)".to_owned(),
        (None, false) => format!("user {}, no capabilities", privilege::effective_uid()),
    });
    rights.words.push(match (&fixed.sandbox, &in_force) {
        (Sandbox::Off(reason), _) => format!("sandbox off: {reason}"),
        (Sandbox::On, None) => "sandbox off".to_owned(),
        (Sandbox::On, Some(in_force)) => words(in_force, fixed.runs_programs),
    });
    in_force.iter().filter_map(lacking).for_each(|finding| rights.findings.push(finding));
    Ok(rights)
}

fn kept(error: &std::io::Error) -> Finding {
    refused(format!("the process cannot give up its capabilities: {error}"))
        .help("start it as a user without capabilities")
}

/// Gives up the rights of the calling thread. Without `bounds` it stays outside the sandbox.
fn confine_thread(is_root: bool, bounds: Option<&Bounds>) -> std::io::Result<Option<InForce>> {
    // Root without capabilities could not even write to the folders of others, which its files may
    // name.
    if !is_root {
        privilege::drop_capabilities()?;
    }
    // A change of the user has forbidden core images, which a debugger may want.
    privilege::core_images(bounds.is_none())?;
    Ok(bounds.map(sandbox::enter))
}

/// Limits of the sandbox, and warnings about folders that it does not open.
fn bounds(fixed: &RestartOnly, note: Option<&Path>, findings: &mut Findings) -> Bounds {
    let files = [("listen.control", Some(&fixed.listen.control)), ("pid_file", fixed.pid_file.as_ref())];
    let files = || files.iter().filter_map(|(key, path)| Some((*key, path.as_ref()?.as_path())));
    let mut folders = with_parents(&fixed.state, files().map(|(_, path)| path));
    if fixed.runs_programs {
        folders.extend([std::env::temp_dir(), "/var/tmp".into(), "/dev/shm".into()]);
    }
    for (key, path) in files().filter(|(_, path)| path.parent().is_some_and(is_root_folder)) {
        let message =
            format!("`{key}`, `{}`, is in the root folder, which the sandbox does not open", path.display());
        findings.push(Finding::warning(code::NO_SANDBOX, message).help("put it into a folder of its own"));
    }
    let removes = note.map(Path::to_owned).into_iter().collect();
    let files = DEVICES.map(PathBuf::from).to_vec();
    Bounds { folders: resolved(folders), removes, files, runs_programs: fixed.runs_programs }
}

/// The state folder and those of the files, each with the one above it: an operator may remove a
/// folder, or mount a disk in its place, and the server then goes on in the new one.
fn with_parents<'p>(state: &'p Path, files: impl Iterator<Item = &'p Path>) -> Vec<PathBuf> {
    let own = std::iter::once(state).chain(files.filter_map(Path::parent));
    let both = own.flat_map(|folder| [folder.to_owned(), folder.join("..")]);
    both.collect()
}

/// Folders without links in their paths, and without the root folder, which would open the whole
/// disk. One that does not exist is left out.
fn resolved(folders: Vec<PathBuf>) -> Vec<PathBuf> {
    let named = |folder: PathBuf| if folder.as_os_str().is_empty() { PathBuf::from(".") } else { folder };
    let resolved = folders.into_iter().filter_map(|folder| std::fs::canonicalize(named(folder)).ok());
    let mut folders: Vec<PathBuf> = resolved.filter(|folder| folder.parent().is_some()).collect();
    folders.sort();
    folders.dedup();
    folders
}

/// True for the root folder, also behind links.
fn is_root_folder(folder: &Path) -> bool {
    std::fs::canonicalize(folder).is_ok_and(|folder| folder.parent().is_none())
}

/// Limits in force, in words.
fn words(InForce { landlock, filter, .. }: &InForce, runs_programs: bool) -> String {
    let files = match landlock {
        Landlock::Full => "files, ports and signals limited",
        Landlock::Part => "files limited",
        Landlock::None => "files not limited",
    };
    let calls = if *filter { "system calls filtered" } else { "system calls not filtered" };
    let programs = match (runs_programs, landlock, filter) {
        (true, _, _) => "programs of probes run",
        (false, Landlock::None, false) => "programs not limited",
        (false, _, _) => "no programs",
    };
    format!("sandbox: {files}, {calls}, {programs}")
}

/// Warning about limits that are not in force.
fn lacking(InForce { landlock, filter, faults }: &InForce) -> Option<Finding> {
    let message = if let [first, ..] = &faults[..] {
        format!("the sandbox is a part of itself: {first}")
    } else {
        let lacks = match (landlock, filter) {
            (Landlock::None, true) => "Landlock",
            (Landlock::None, false) => "Landlock and filters of system calls",
            (Landlock::Full | Landlock::Part, false) => "filters of system calls",
            (Landlock::Full | Landlock::Part, true) => return None,
        };
        format!("this kernel lacks {lacks}, so the sandbox is a part of itself")
    };
    Some(
        Finding::warning(code::NO_SANDBOX, message).help(
            "use a kernel that has both, let the container use them, or write `sandbox: { off: REASON }`",
        ),
    )
}

#[cfg(test)]
mod tests;
