//! Name of this host.

/// Longest name that is read: POSIX allows 255 octets.
const HOST_NAME_OCTETS_MAX: usize = 256;

/// Name that the system has for itself; `None` if it has none, or one that is no text.
#[cfg(unix)]
pub(crate) fn host_name() -> Option<String> {
    let mut octets = [0u8; HOST_NAME_OCTETS_MAX];
    // SAFETY: the system writes at most the given length, that of a local array.
    if unsafe { libc::gethostname(octets.as_mut_ptr().cast(), octets.len()) } != 0 {
        return None;
    }
    let end = octets.iter().position(|octet| *octet == 0)?;
    let name = std::str::from_utf8(octets.get(..end)?).ok()?;
    (!name.is_empty()).then(|| name.to_owned())
}

/// Name that the system has for itself.
#[cfg(not(unix))]
pub(crate) fn host_name() -> Option<String> {
    None
}
