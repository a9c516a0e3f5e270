//! Format of `state/health` and `state/load`: text under a checksum, with one earlier copy. The
//! caller defines the content.

use crate::state::atomic;
use crate::wire::hash;
use std::io;
use std::path::Path;

/// First words of the file. Other versions are not read.
const HEAD: &str = "meridian health 1 ";

/// Writes the content, and keeps the previous file as `.1` if it is intact. A file of more than
/// `most` octets is an error, because it could not be loaded.
pub(crate) fn save(path: &Path, octets: &[u8], most: u64) -> io::Result<()> {
    let head = (HEAD.len() + 17) as u64;
    if octets.len() as u64 + head > most {
        return Err(io::Error::other(format!(
            "it would have {} octets, and may have {}",
            octets.len(),
            most - head
        )));
    }
    if let Ok(Some(old)) = atomic::read(path, most)
        && body(&old).is_some()
    {
        atomic::write(&atomic::beside(path, ".1"), &old)?;
    }
    let mut file = format!("{HEAD}{:016x}\n", hash::octets(octets)).into_bytes();
    file.extend_from_slice(octets);
    atomic::write(path, &file)
}

/// Loads the last save, or the copy before it if the last one is damaged; `None` if neither is
/// readable. The sentences name the damaged files.
pub(crate) fn load(path: &Path, most: u64) -> (Option<Vec<u8>>, Vec<String>) {
    let mut faults = Vec::new();
    for path in [path.to_owned(), atomic::beside(path, ".1")] {
        match atomic::read(&path, most) {
            Ok(Some(file)) => match body(&file) {
                Some(octets) => return (Some(octets.to_vec()), faults),
                None => faults.push(format!("{} is damaged", path.display())),
            },
            Ok(None) => {}
            Err(error) => faults.push(format!("{} cannot be read: {error}", path.display())),
        }
    }
    (None, faults)
}

fn body(file: &[u8]) -> Option<&[u8]> {
    let end = file.iter().position(|b| *b == b'\n')?;
    let (head, rest) = file.split_at(end);
    let octets = rest.get(1..)?;
    let sum = std::str::from_utf8(head).ok()?.strip_prefix(HEAD)?;
    (u64::from_str_radix(sum, 16).ok()? == hash::octets(octets)).then_some(octets)
}

#[cfg(test)]
mod tests;
