//! Rights of this process: its user, its capabilities, and whether a core image of it is written
//! (credentials(7), capabilities(7), PR_SET_DUMPABLE of prctl(2)).
//!
//! A change of the user applies to every thread, as POSIX wants and the C library does it. Linux
//! keeps capabilities for each thread by itself, so each thread gives up its own.

use caps::{CapSet, Capability};
use nix::unistd::{AccessFlags, Gid, Uid};
use std::ffi::CString;
use std::fs::OpenOptions;
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::Path;

/// A user of the system, with its groups.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct User {
    /// User ID.
    pub(crate) uid: u32,
    /// Group ID of its own group.
    gid: u32,
    /// Group IDs of all its groups.
    groups: Vec<Gid>,
}

/// Looks a user up by name (getpwnam_r(3), getgrouplist(3)); `None` if this machine has no such
/// user. Blocks on the system's database of users, which may be on the network.
pub(crate) fn user(name: &str) -> io::Result<Option<User>> {
    let text = CString::new(name).map_err(|_| io::Error::from(io::ErrorKind::InvalidInput))?;
    let Some(found) = nix::unistd::User::from_name(name)? else { return Ok(None) };
    let groups = nix::unistd::getgrouplist(&text, found.gid)?;
    Ok(Some(User { uid: found.uid.as_raw(), gid: found.gid.as_raw(), groups }))
}

/// Effective user ID of this process.
pub(crate) fn effective_uid() -> u32 {
    nix::unistd::geteuid().as_raw()
}

/// Makes a folder and its missing parents for a user, as root. Nothing is made where the user, or
/// any other that is not root, could meanwhile put a link in its way: there the user makes its
/// folders by itself.
pub(crate) fn make_folder(folder: &Path, user: &User) -> io::Result<()> {
    let is_missing = |folder: &&Path| std::fs::symlink_metadata(folder).is_err();
    let named = folder.ancestors().filter(|folder| !folder.as_os_str().is_empty());
    let missing: Vec<&Path> = named.take_while(is_missing).collect();
    let Some(highest) = missing.last() else { return Ok(()) };
    let above = highest.parent().filter(|folder| !folder.as_os_str().is_empty());
    let above = std::fs::metadata(above.unwrap_or(Path::new(".")))?;
    if above.uid() != 0 || above.mode() & 0o022 != 0 {
        return Ok(());
    }
    for folder in missing.iter().rev() {
        std::fs::DirBuilder::new().mode(0o750).create(folder)?;
    }
    // The innermost first: none lies in a folder that is the user's already.
    for folder in missing {
        let flags = libc::O_DIRECTORY | libc::O_NOFOLLOW;
        let handle = OpenOptions::new().read(true).custom_flags(flags).open(folder)?;
        std::os::unix::fs::fchown(handle, Some(user.uid), Some(user.gid))?;
    }
    Ok(())
}

/// True if this process may make files in a folder, or the folder does not exist.
pub(crate) fn may_write(folder: &Path) -> bool {
    let named = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let access = nix::unistd::access(named, AccessFlags::W_OK | AccessFlags::X_OK);
    matches!(access, Ok(()) | Err(nix::errno::Errno::ENOENT))
}

/// Becomes a user, with its groups, for ever. Of root's capabilities this thread keeps the one to
/// open ports below 1024, until [`drop_capabilities`]; other threads keep none. Programs that are
/// started later get none.
pub(crate) fn become_user(user: &User) -> io::Result<()> {
    // The bounding set of a container may lack some, and an older kernel does not know all.
    for capability in caps::all() {
        let _ = caps::drop(None, CapSet::Bounding, capability);
    }
    caps::securebits::set_keepcaps(true).map_err(io::Error::other)?;
    let (uid, gid) = (Uid::from_raw(user.uid), Gid::from_raw(user.gid));
    nix::unistd::setgroups(&user.groups)?;
    nix::unistd::setresgid(gid, gid, gid)?;
    nix::unistd::setresuid(uid, uid, uid)?;
    let mut kept = caps::read(None, CapSet::Permitted).map_err(io::Error::other)?;
    kept.retain(|capability| *capability == Capability::CAP_NET_BIND_SERVICE);
    // The effective set first: it may hold nothing that is not permitted.
    caps::set(None, CapSet::Effective, &kept).map_err(io::Error::other)?;
    caps::set(None, CapSet::Permitted, &kept).map_err(io::Error::other)?;
    caps::securebits::set_keepcaps(false).map_err(io::Error::other)
}

/// Gives up every capability of this thread, and the means to get one back.
pub(crate) fn drop_capabilities() -> io::Result<()> {
    // A kernel without ambient capabilities refuses to clear them.
    let _ = caps::clear(None, CapSet::Ambient);
    for set in [CapSet::Effective, CapSet::Inheritable, CapSet::Permitted] {
        caps::clear(None, set).map_err(io::Error::other)?;
    }
    Ok(())
}

/// Allows or forbids core images of this process. Without them, no other process of its user may
/// read its memory either.
pub(crate) fn core_images(allowed: bool) -> io::Result<()> {
    // SAFETY: takes numbers and no pointer.
    if unsafe { libc::prctl(libc::PR_SET_DUMPABLE, libc::c_ulong::from(allowed), 0, 0, 0) } != 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}
