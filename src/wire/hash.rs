//! Hashes on which every build and every node must agree: of names, PoPs and addresses as seeds,
//! and of (cell, name, PoP) for sharing. They have no key, so anyone can construct collisions;
//! therefore they only share clients and identify files. Tables of names use [`super::name_hash`].

const K0: u64 = 0x9e37_79b9_7f4a_7c15;
const K1: u64 = 0xd6e8_feb8_6659_fd93;
const K2: u64 = 0xa076_1d64_78bd_642f;

/// Hash of the root name, the starting value of every name hash.
const ROOT: u64 = 0x243f_6a88_85a3_08d3;

/// Multiplies, and combines both halves of the product by xor.
#[inline(always)]
pub(crate) const fn fold(a: u64, b: u64) -> u64 {
    let product = (a as u128) * (b as u128);
    (product as u64) ^ ((product >> 64) as u64)
}

/// Mixes two 64-bit values into one that depends on every input bit.
#[inline]
pub const fn mix(a: u64, b: u64) -> u64 {
    let once = fold(a ^ K0, b ^ K1);
    fold(once ^ K2, K0)
}

/// Hash of a name from the hash of its parent and its first label in lower case: the label's
/// length, then its words of eight octets, the last padded with zeros.
fn label(parent: u64, label: &[u8]) -> u64 {
    let (words, rest) = label.as_chunks();
    let begin = parent ^ (label.len() as u64).wrapping_mul(K1);
    let mut hash = words.iter().fold(begin, |hash, word| fold(hash ^ u64::from_le_bytes(*word), K0));
    if !rest.is_empty() {
        hash = fold(hash ^ last_word(rest), K0);
    }
    fold(hash ^ K2, K1)
}

/// One to seven octets as a word, by overlapping reads.
fn last_word(rest: &[u8]) -> u64 {
    let len = rest.len();
    match (rest.first_chunk(), rest.last_chunk()) {
        (Some(first), Some(last)) => {
            u64::from(u32::from_le_bytes(*first)) | u64::from(u32::from_le_bytes(*last)) << (8 * (len - 4))
        }
        _ => {
            u64::from(rest[0])
                | u64::from(rest[len / 2]) << (8 * (len / 2))
                | u64::from(rest[len - 1]) << (8 * (len - 1))
        }
    }
}

/// Hash of an uncompressed wire name in lower case, label by label from the root.
pub fn name(wire: &[u8]) -> u64 {
    let mut starts = [0u8; 128];
    let mut count = 0;
    let mut at = 0;
    while let Some(&len) = wire.get(at) {
        if len == 0 || count == starts.len() {
            break;
        }
        starts[count] = at as u8;
        count += 1;
        at += 1 + usize::from(len);
    }
    let mut hash = ROOT;
    for &start in starts[..count].iter().rev() {
        let start = usize::from(start);
        let len = usize::from(wire[start]);
        hash = label(hash, wire.get(start + 1..start + 1 + len).unwrap_or_default());
    }
    hash
}

/// Hash of any octets, for seeds of PoPs, addresses and salts.
pub fn octets(octets: &[u8]) -> u64 {
    label(ROOT, octets)
}

#[cfg(test)]
pub(crate) mod tests;
