//! Random octets from the operating system, for secrets.

/// Unpredictable octets; `None` if the system provides none.
pub(crate) fn octets<const N: usize>() -> Option<[u8; N]> {
    let mut octets = [0; N];
    fill(&mut octets).then_some(octets)
}

/// Reads getrandom(2), which waits until the kernel has enough entropy after boot; `/dev/urandom`
/// does not wait.
#[cfg(target_os = "linux")]
fn fill(octets: &mut [u8]) -> bool {
    let mut filled = 0;
    while let Some(rest) = octets.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        // SAFETY: the kernel writes at most `rest.len()` octets into the slice, which is borrowed
        // for the call.
        let got = unsafe { libc::getrandom(rest.as_mut_ptr().cast(), rest.len(), 0) };
        match got {
            1.. => filled += got as usize,
            _ if std::io::Error::last_os_error().kind() == std::io::ErrorKind::Interrupted => {}
            _ => return false,
        }
    }
    true
}

#[cfg(not(target_os = "linux"))]
fn fill(octets: &mut [u8]) -> bool {
    use std::io::Read;
    std::fs::File::open("/dev/urandom").and_then(|mut file| file.read_exact(octets)).is_ok()
}

#[cfg(test)]
mod tests;
