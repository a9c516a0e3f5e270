//! Sandbox: limits that a process sets for itself and can never lift, so that an attacker who takes
//! it over gains little (landlock(7), seccomp(2)).
//!
//! Landlock limits where files may be written, whether programs may be started, which TCP ports may
//! be bound (none), and which processes may get signals. The filter of system calls refuses those
//! that neither a name server nor a program of its probes needs, with EPERM. Reading is not limited
//! beyond the rights of the user, because a reload may name any file.
//!
//! Limits belong to a thread and to those that it starts later.

use std::path::PathBuf;

/// Limits of a process. Folders and files that do not exist are passed over.
#[derive(Clone, Debug, Default)]
pub(crate) struct Bounds {
    /// Folders below which files may be written.
    pub(crate) folders: Vec<PathBuf>,
    /// Folders below which files may be removed, and nothing else.
    pub(crate) removes: Vec<PathBuf>,
    /// Files that may be written, devices among them.
    pub(crate) files: Vec<PathBuf>,
    /// True if programs may be started.
    pub(crate) runs_programs: bool,
}

/// Limits in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct InForce {
    /// Limits of Landlock.
    pub(crate) landlock: Landlock,
    /// True with the filter of system calls.
    pub(crate) filter: bool,
    /// Reasons why a part that this kernel has is not in force.
    pub(crate) faults: Vec<String>,
}

/// Extent of the limits of Landlock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Landlock {
    /// All limits.
    Full,
    /// Those that this kernel knows.
    Part,
    /// None.
    None,
}

/// Limits this thread, and threads that it starts later, with both parts or with the one that can
/// be had.
pub(crate) fn enter(bounds: &Bounds) -> InForce {
    let mut faults = Vec::new();
    let landlock = landlock_rules::enter(bounds).unwrap_or_else(|error| {
        faults.push(format!("Landlock: {error}"));
        Landlock::None
    });
    #[cfg(any(target_arch = "x86_64", target_arch = "aarch64", target_arch = "riscv64"))]
    let filter = filter::enter(bounds).unwrap_or_else(|error| {
        faults.push(format!("filter of system calls: {error}"));
        false
    });
    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64", target_arch = "riscv64")))]
    let filter = false;
    InForce { landlock, filter, faults }
}

mod landlock_rules {
    use super::{Bounds, Landlock};
    use landlock::{
        ABI, AccessFs, AccessNet, BitFlags, CompatLevel, Compatible, PathBeneath, PathFd, Ruleset,
        RulesetAttr, RulesetCreatedAttr, RulesetStatus, Scope,
    };
    use std::io;

    /// Newest version of Landlock whose limits are asked for; older kernels have a part of them.
    const NEWEST: ABI = ABI::V6;

    /// Limits this thread with Landlock, as far as the kernel can.
    pub(super) fn enter(bounds: &Bounds) -> io::Result<Landlock> {
        let writing = AccessFs::from_write(NEWEST);
        let handled = match bounds.runs_programs {
            true => writing,
            false => writing | AccessFs::Execute,
        };
        let mut rules = Ruleset::default()
            .set_compatibility(CompatLevel::BestEffort)
            .handle_access(handled)
            .and_then(|rules| rules.handle_access(AccessNet::BindTcp))
            .and_then(|rules| rules.scope(Scope::AbstractUnixSocket | Scope::Signal))
            .and_then(Ruleset::create)
            .map_err(io::Error::other)?;
        // A device is made by root alone.
        let folder: BitFlags<AccessFs> = writing & !(AccessFs::MakeBlock | AccessFs::MakeChar);
        let file = writing & AccessFs::from_file(NEWEST);
        let removes = AccessFs::RemoveFile.into();
        let lists = [(&bounds.folders, folder), (&bounds.removes, removes), (&bounds.files, file)];
        for (path, access) in
            lists.into_iter().flat_map(|(paths, of)| paths.iter().map(move |path| (path, of)))
        {
            let Ok(handle) = PathFd::new(path) else { continue };
            rules = rules.add_rule(PathBeneath::new(handle, access)).map_err(io::Error::other)?;
        }
        let status = rules.restrict_self().map_err(io::Error::other)?;
        Ok(match status.ruleset {
            RulesetStatus::FullyEnforced => Landlock::Full,
            RulesetStatus::PartiallyEnforced => Landlock::Part,
            RulesetStatus::NotEnforced => Landlock::None,
        })
    }
}

#[cfg(any(target_arch = "x86_64", target_arch = "aarch64", target_arch = "riscv64"))]
mod filter;

#[cfg(test)]
mod tests;
