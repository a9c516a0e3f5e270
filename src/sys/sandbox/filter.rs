//! Filter of system calls: a list of those that are refused. A new call of a new kernel passes, as
//! does one that a later C library prefers, so no upgrade of the system stops the server.

use super::Bounds;
use libc::c_long;
use seccompiler::{
    BackendError, BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule, TargetArch,
};
use std::collections::BTreeMap;
use std::io;

/// Calls that are refused whatever their arguments.
const REFUSED: &[c_long] = &[
    // Other processes, their memory and their descriptors.
    libc::SYS_ptrace,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_pidfd_getfd,
    libc::SYS_kcmp,
    // Parts of the kernel with a history of faults.
    libc::SYS_bpf,
    libc::SYS_perf_event_open,
    libc::SYS_userfaultfd,
    libc::SYS_io_uring_setup,
    libc::SYS_io_uring_enter,
    libc::SYS_io_uring_register,
    libc::SYS_add_key,
    libc::SYS_request_key,
    libc::SYS_keyctl,
    // Namespaces and mounts.
    libc::SYS_unshare,
    libc::SYS_setns,
    libc::SYS_mount,
    libc::SYS_umount2,
    libc::SYS_pivot_root,
    libc::SYS_chroot,
    libc::SYS_open_tree,
    libc::SYS_move_mount,
    libc::SYS_fsopen,
    libc::SYS_fsconfig,
    libc::SYS_fsmount,
    libc::SYS_fspick,
    libc::SYS_mount_setattr,
    libc::SYS_open_by_handle_at,
    // The machine.
    libc::SYS_reboot,
    libc::SYS_kexec_load,
    libc::SYS_init_module,
    libc::SYS_finit_module,
    libc::SYS_delete_module,
    libc::SYS_swapon,
    libc::SYS_swapoff,
    libc::SYS_acct,
    libc::SYS_quotactl,
    libc::SYS_quotactl_fd,
    libc::SYS_fanotify_init,
    libc::SYS_kexec_file_load,
    libc::SYS_settimeofday,
    libc::SYS_clock_settime,
    libc::SYS_clock_adjtime,
    libc::SYS_adjtimex,
    libc::SYS_sethostname,
    libc::SYS_setdomainname,
    libc::SYS_syslog,
    libc::SYS_vhangup,
    libc::SYS_personality,
    libc::SYS_move_pages,
    libc::SYS_migrate_pages,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_iopl,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_ioperm,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_modify_ldt,
];

/// Calls that start a program.
const PROGRAMS: &[c_long] = &[libc::SYS_execve, libc::SYS_execveat];

/// Flags of clone(2) that make a namespace.
const NAMESPACES: [libc::c_int; 7] = [
    libc::CLONE_NEWNS,
    libc::CLONE_NEWCGROUP,
    libc::CLONE_NEWUTS,
    libc::CLONE_NEWIPC,
    libc::CLONE_NEWUSER,
    libc::CLONE_NEWPID,
    libc::CLONE_NEWNET,
];

/// Families of sockets that are not refused.
const FAMILIES: [libc::c_int; 3] = [libc::AF_UNIX, libc::AF_INET, libc::AF_INET6];

/// Requests of ioctl(2) that type into a terminal, such as that of the shell above the server.
const TYPING: [libc::c_ulong; 2] = [libc::TIOCSTI, libc::TIOCLINUX];

type Rules = BTreeMap<c_long, Vec<SeccompRule>>;

/// Filters the calls of this thread. False if the kernel has no filters.
pub(super) fn enter(bounds: &Bounds) -> io::Result<bool> {
    let refused = program(refused(bounds.runs_programs)?, libc::EPERM)?;
    // Flags of clone3(2) are in memory, where a filter cannot read them. C libraries fall back to
    // clone(2) if it seems not to exist.
    let unknown = program(BTreeMap::from([(libc::SYS_clone3, Vec::new())]), libc::ENOSYS)?;
    #[cfg(target_arch = "x86_64")]
    let programs = [second_set(), unknown, refused];
    #[cfg(not(target_arch = "x86_64"))]
    let programs = [unknown, refused];
    for program in programs {
        match seccompiler::apply_filter(&program) {
            Ok(()) => {}
            // A kernel without filters.
            Err(seccompiler::Error::Prctl(error) | seccompiler::Error::Seccomp(error))
                if matches!(error.raw_os_error(), Some(libc::ENOSYS | libc::EINVAL)) =>
            {
                return Ok(false);
            }
            Err(error) => return Err(io::Error::other(error)),
        }
    }
    Ok(true)
}

/// Calls that are refused: a call with rules if all conditions of one of them hold, a call without
/// rules always.
fn refused(runs_programs: bool) -> io::Result<Rules> {
    let programs = if runs_programs { &[][..] } else { PROGRAMS };
    let mut rules: Rules = REFUSED.iter().chain(programs).map(|number| (*number, Vec::new())).collect();
    let with_arguments = || {
        let namespaces = NAMESPACES.iter().map(|flag| holds(0, u64::from(flag.cast_unsigned())));
        let (write, execute) = (libc::PROT_WRITE as u64, libc::PROT_EXEC as u64);
        Ok::<_, BackendError>([
            (libc::SYS_socket, vec![other_family()?, is(2, libc::IPPROTO_MPTCP.cast_unsigned())?]),
            (libc::SYS_ioctl, TYPING.iter().map(|request| is(1, *request as u32)).collect::<Result<_, _>>()?),
            (libc::SYS_clone, namespaces.collect::<Result<_, _>>()?),
            // Memory that is writable and becomes executable.
            (libc::SYS_mmap, vec![holds(2, write | execute)?]),
            (libc::SYS_mprotect, vec![holds(2, execute)?]),
            (libc::SYS_pkey_mprotect, vec![holds(2, execute)?]),
        ])
    };
    rules.extend(with_arguments().map_err(io::Error::other)?);
    Ok(rules)
}

/// Rule that holds if an argument has all of these bits.
fn holds(argument: u8, bits: u64) -> Result<SeccompRule, BackendError> {
    let masked = SeccompCmpOp::MaskedEq(bits);
    SeccompRule::new(vec![SeccompCondition::new(argument, SeccompCmpArgLen::Qword, masked, bits)?])
}

/// Rule that holds if the lower half of an argument is this number.
fn is(argument: u8, number: u32) -> Result<SeccompRule, BackendError> {
    let equal = SeccompCmpOp::Eq;
    SeccompRule::new(vec![SeccompCondition::new(argument, SeccompCmpArgLen::Dword, equal, number.into())?])
}

/// Rule that holds for a socket of a family that is not served.
fn other_family() -> Result<SeccompRule, BackendError> {
    let differs = |family: &libc::c_int| {
        SeccompCondition::new(0, SeccompCmpArgLen::Dword, SeccompCmpOp::Ne, u64::from(family.cast_unsigned()))
    };
    SeccompRule::new(FAMILIES.iter().map(differs).collect::<Result<_, _>>()?)
}

/// Program of a filter in which the x32 calls do not exist. Some x86_64 kernels have them as a
/// second set of calls, with numbers from 2^30 on, part of which are numbers of their own.
#[cfg(target_arch = "x86_64")]
fn second_set() -> BpfProgram {
    let step = |code: u32, jf, k| seccompiler::sock_filter { code: code as u16, jt: 0, jf, k };
    vec![
        // The number of the call is the first word of `seccomp_data`.
        step(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, 0, 0),
        step(libc::BPF_JMP | libc::BPF_JGE | libc::BPF_K, 1, 0x4000_0000),
        step(libc::BPF_RET | libc::BPF_K, 0, libc::SECCOMP_RET_ERRNO | libc::ENOSYS.cast_unsigned()),
        step(libc::BPF_RET | libc::BPF_K, 0, libc::SECCOMP_RET_ALLOW),
    ]
}

/// Program of a filter that answers the calls of `rules` with an error number.
fn program(rules: Rules, error: libc::c_int) -> io::Result<BpfProgram> {
    let architecture = TargetArch::try_from(std::env::consts::ARCH).map_err(io::Error::other)?;
    SeccompFilter::new(rules, SeccompAction::Allow, SeccompAction::Errno(error as u32), architecture)
        .and_then(BpfProgram::try_from)
        .map_err(io::Error::other)
}
