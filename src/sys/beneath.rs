//! Opens files for reading without waiting for the other end of a pipe, and optionally only below a
//! folder, by the folder's descriptor.
//!
//! A path that is checked and then opened is resolved twice, and another process may insert a link
//! in between. Here the kernel resolves the path once, and refuses paths that lead out of the
//! folder (openat2 with RESOLVE_BENEATH). Without openat2, the path is walked descriptor by
//! descriptor, and links are not followed at all.

use std::fs::File;
use std::io;
use std::path::Path;

/// Opens a file for reading.
#[cfg(unix)]
pub(crate) fn open(path: &Path) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt;
    File::options().read(true).custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY).open(path)
}

/// Opens a file for reading.
#[cfg(not(unix))]
pub(crate) fn open(path: &Path) -> io::Result<File> {
    File::open(path)
}

/// Opens a file by its path relative to a folder, if it is inside the folder after following links;
/// else fails with [`io::ErrorKind::CrossesDevices`].
#[cfg(unix)]
pub(crate) fn open_beneath(folder: &Path, relative: &Path) -> io::Result<File> {
    // The folder itself may be a link, because the operator of the server names it.
    let folder = File::open(folder)?;
    #[cfg(target_os = "linux")]
    match by_kernel(&folder, relative) {
        // An old kernel, or a filter of system calls.
        Err(error) if matches!(error.raw_os_error(), Some(libc::ENOSYS | libc::EPERM)) => {}
        done => return done,
    }
    by_component(folder, relative)
}

/// Always fails, because this system has no descriptors of folders.
#[cfg(not(unix))]
pub(crate) fn open_beneath(_: &Path, _: &Path) -> io::Result<File> {
    Err(io::ErrorKind::Unsupported.into())
}

#[cfg(unix)]
const FLAGS: i32 = libc::O_RDONLY | libc::O_CLOEXEC | libc::O_NONBLOCK | libc::O_NOCTTY;

/// Attempts of openat2, which gives up if a folder is renamed meanwhile.
#[cfg(target_os = "linux")]
const ATTEMPTS: usize = 16;

/// `struct open_how` of openat2(2).
#[cfg(target_os = "linux")]
#[repr(C)]
struct OpenHow {
    flags: u64,
    mode: u64,
    resolve: u64,
}

#[cfg(target_os = "linux")]
fn by_kernel(folder: &File, relative: &Path) -> io::Result<File> {
    use std::os::fd::{AsRawFd, FromRawFd};
    let path = c_path(relative.as_os_str())?;
    let how = OpenHow {
        flags: FLAGS as u64,
        mode: 0,
        resolve: libc::RESOLVE_BENEATH | libc::RESOLVE_NO_MAGICLINKS,
    };
    let mut error = io::Error::from(io::ErrorKind::WouldBlock);
    for _ in 0..ATTEMPTS {
        // SAFETY: the descriptor is borrowed for the call, the path ends with a zero, and the
        // kernel reads the given size of the local structure.
        let opened = unsafe {
            libc::syscall(
                libc::SYS_openat2,
                folder.as_raw_fd(),
                path.as_ptr(),
                &raw const how,
                size_of::<OpenHow>(),
            )
        };
        if opened >= 0 {
            // SAFETY: the kernel has just made this descriptor, and nothing else owns it.
            return Ok(unsafe { File::from_raw_fd(opened as i32) });
        }
        error = io::Error::last_os_error();
        if !matches!(error.raw_os_error(), Some(libc::EAGAIN | libc::EINTR)) {
            break;
        }
    }
    Err(error)
}

/// Opens folder by folder, without following links.
#[cfg(unix)]
fn by_component(folder: File, relative: &Path) -> io::Result<File> {
    use std::os::fd::{AsRawFd, FromRawFd};
    use std::path::Component;
    let mut at = folder;
    let mut rest = relative.components().peekable();
    while let Some(component) = rest.next() {
        let name = match component {
            Component::Normal(name) => c_path(name)?,
            Component::CurDir => continue,
            _ => return Err(io::ErrorKind::CrossesDevices.into()),
        };
        let kind = if rest.peek().is_some() { libc::O_DIRECTORY } else { 0 };
        // SAFETY: the descriptor is borrowed for the call, and the name ends with a zero.
        let opened = unsafe { libc::openat(at.as_raw_fd(), name.as_ptr(), FLAGS | libc::O_NOFOLLOW | kind) };
        if opened < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the kernel has just made this descriptor, and nothing else owns it.
        at = unsafe { File::from_raw_fd(opened) };
    }
    Ok(at)
}

#[cfg(unix)]
fn c_path(path: &std::ffi::OsStr) -> io::Result<std::ffi::CString> {
    use std::os::unix::ffi::OsStrExt;
    std::ffi::CString::new(path.as_bytes()).map_err(|_| io::ErrorKind::InvalidInput.into())
}

#[cfg(all(test, unix))]
mod tests;
