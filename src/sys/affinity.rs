//! CPU affinity of threads.

use std::io;

/// Numbers of the cores on which this thread may run, ascending.
#[cfg(target_os = "linux")]
pub fn allowed() -> io::Result<Vec<u16>> {
    // SAFETY: a cpu_set_t is an array of integers, for which all-zero octets are valid.
    let mut set: libc::cpu_set_t = unsafe { std::mem::zeroed() };
    // SAFETY: 0 is the calling thread; the kernel writes at most the given size into the local set.
    let status = unsafe { libc::sched_getaffinity(0, size_of::<libc::cpu_set_t>(), &mut set) };
    if status != 0 {
        return Err(io::Error::last_os_error());
    }
    let count = libc::CPU_SETSIZE as usize;
    // SAFETY: the macro reads a bit of the local set; the number is below the bits that it has.
    Ok((0..count).filter(|cpu| unsafe { libc::CPU_ISSET(*cpu, &set) }).map(|cpu| cpu as u16).collect())
}

/// Binds the calling thread to one core. `InvalidInput` if this machine has no such core.
#[cfg(target_os = "linux")]
pub fn pin(cpu: u16) -> io::Result<()> {
    if usize::from(cpu) >= libc::CPU_SETSIZE as usize {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    // SAFETY: as above; CPU_SET writes a bit of the local set, below the bits that it has.
    let set = unsafe {
        let mut set: libc::cpu_set_t = std::mem::zeroed();
        libc::CPU_SET(usize::from(cpu), &mut set);
        set
    };
    // SAFETY: 0 is the calling thread; the kernel reads the given size of the local set.
    let status = unsafe { libc::sched_setaffinity(0, size_of::<libc::cpu_set_t>(), &set) };
    if status == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// Only Linux provides the list.
#[cfg(not(target_os = "linux"))]
pub fn allowed() -> io::Result<Vec<u16>> {
    Err(io::ErrorKind::Unsupported.into())
}

#[cfg(all(test, target_os = "linux"))]
mod tests;
