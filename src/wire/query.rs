//! The only parser of strangers' DNS: octets to a borrowed [`Query`], or what to do instead.
//!
//! A query may be answered by the core, refused with a response code, met with silence, or handed
//! to the side road for rare messages. Every read is bounded; nothing allocates.

use super::edns::Edns;
use super::hash;
use super::rr::{Rcode, RrType};
use crate::limits::LABELS_MAX;

/// A question with what EDNS says about it.
#[derive(Clone, Copy, Debug)]
pub struct Query<'a> {
    /// Message ID.
    pub id: u16,
    /// Recursion desired, to be copied (RFC 1035 section 4.1.1).
    pub recursion_desired: bool,
    /// Checking disabled, to be copied (RFC 4035 section 3.2.2).
    pub checking_disabled: bool,
    /// The question section as sent: name, type, class.
    pub question: &'a [u8],
    /// The name.
    pub name: &'a QueryName,
    /// QTYPE.
    pub qtype: RrType,
    /// QCLASS.
    pub qclass: u16,
    /// OPT.
    pub edns: Option<Edns>,
}

/// What a datagram or stream message is.
#[derive(Clone, Copy, Debug)]
pub enum Parsed<'a> {
    /// One question for the core.
    Query(Query<'a>),
    /// An error to be answered.
    Reject(Reject<'a>),
    /// No question, but a DNS cookie (RFC 7873 section 5.4); FORMERR for who answers none.
    CookieOnly(Reject<'a>),
    /// Neither a query nor worth an answer: a response (QR=1, so that two servers never talk in a
    /// loop), or less than a header.
    Silence,
    /// A valid header with something that the core does not answer: an opcode other than QUERY, a
    /// transfer, a signed message.
    Rare,
}

/// A message to be answered with an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reject<'a> {
    /// Message ID.
    pub id: u16,
    /// Opcode, to be copied.
    pub opcode: u8,
    /// Recursion desired, to be copied.
    pub recursion_desired: bool,
    /// Response code.
    pub rcode: Rcode,
    /// The question section, if it could be read.
    pub question: Option<&'a [u8]>,
    /// The OPT, if it could be read; its options may be missing.
    pub edns: Option<Edns>,
}

/// A question's name in lower case, with the places of its labels. Large, so it is filled where it stays.
#[derive(Clone)]
pub struct QueryName {
    /// The wire form; what lies behind it, so that whole words can be read, means nothing.
    lower: [u8; 264],
    len: u8,
    starts: [u8; LABELS_MAX + 1],
    labels: u8,
}

impl Default for QueryName {
    /// The root.
    fn default() -> QueryName {
        QueryName { lower: [0; 264], len: 1, starts: [0; LABELS_MAX + 1], labels: 0 }
    }
}

impl QueryName {
    /// Reads an uncompressed name at the start of `octets` (compression makes no sense in a question).
    pub fn parse(octets: &[u8]) -> Option<QueryName> {
        let mut name = QueryName::default();
        name.read(octets).then_some(name)
    }

    /// [`QueryName::parse`] in place; false, and the name means nothing, if there is none.
    #[inline]
    pub fn read(&mut self, octets: &[u8]) -> bool {
        let (mut at, mut labels) = (0usize, 0usize);
        loop {
            let Some(&len) = octets.get(at) else { return false };
            let len = usize::from(len);
            if len == 0 {
                break;
            }
            if len > 63 || at + len > 253 {
                return false;
            }
            self.starts[labels] = at as u8;
            labels += 1;
            at += 1 + len;
        }
        (self.len, self.labels) = (at as u8 + 1, labels as u8);
        // Eight octets at a time. The lengths between the labels are no letters, so they stay as they are.
        let (words, _) = self.lower.as_chunks_mut::<8>();
        let mut rest = octets;
        for word in &mut words[..at / 8 + 1] {
            let (octets, behind) = match rest.split_first_chunk::<8>() {
                Some((octets, behind)) => (*octets, behind),
                None => (short(rest), &[][..]),
            };
            *word = lower_case(u64::from_le_bytes(octets)).to_le_bytes();
            rest = behind;
        }
        true
    }

    /// A name from the start of one and the whole of another, both in wire form without pointers: a
    /// CNAME target that was cut before the apex, and the apex.
    pub fn join(start: &[u8], rest: &[u8]) -> Option<QueryName> {
        let mut name = QueryName::default();
        name.read_joined(start, rest).then_some(name)
    }

    /// [`QueryName::join`] in place; false, and the name means nothing, if that is too long.
    pub fn read_joined(&mut self, start: &[u8], rest: &[u8]) -> bool {
        let mut wire = [0u8; 256];
        let Some(whole) = wire.get_mut(..start.len() + rest.len()) else { return false };
        whole[..start.len()].copy_from_slice(start);
        whole[start.len()..].copy_from_slice(rest);
        self.read(whole)
    }

    /// The wire form in lower case.
    #[inline]
    pub fn wire(&self) -> &[u8] {
        &self.lower[..usize::from(self.len)]
    }

    /// Number of labels, the root not counted.
    #[inline]
    pub fn labels(&self) -> usize {
        usize::from(self.labels)
    }

    /// The name without its first `skip` labels.
    #[inline]
    pub fn suffix(&self, skip: usize) -> &[u8] {
        let start = if skip >= self.labels() { usize::from(self.len) - 1 } else { usize::from(self.starts[skip]) };
        &self.wire()[start..]
    }

    /// The label at `index` from the left, without its length octet.
    pub fn label(&self, index: usize) -> &[u8] {
        let start = usize::from(self.starts[index]);
        let len = usize::from(self.lower[start]);
        &self.lower[start + 1..start + 1 + len]
    }

    /// Hash of the name that begins with the label at `index`, from the hash of what is behind that label.
    /// The same as [`hash::label`], with words read past the label's end and cut.
    #[inline]
    pub fn hash_label(&self, behind: u64, index: usize) -> u64 {
        let start = usize::from(self.starts[index]);
        let mut left = usize::from(self.lower[start]);
        let mut hash = hash::begin_label(behind, left);
        let mut at = start + 1;
        while left > 0 {
            let word = self.lower[at..].first_chunk().map_or(0, |word| u64::from_le_bytes(*word));
            if left < 8 {
                hash = hash::add_word(hash, word & ((1 << (8 * left)) - 1));
                break;
            }
            hash = hash::add_word(hash, word);
            (at, left) = (at + 8, left - 8);
        }
        hash::end_label(hash)
    }

    /// Hash of the whole name.
    pub fn hash(&self) -> u64 {
        (0..self.labels()).rev().fold(hash::ROOT, |hash, index| self.hash_label(hash, index))
    }
}

/// Fewer than eight octets, with zeros behind them.
#[cold]
fn short(octets: &[u8]) -> [u8; 8] {
    let mut word = [0; 8];
    for (to, from) in word.iter_mut().zip(octets) {
        *to = *from;
    }
    word
}

/// Eight octets with ASCII letters in lower case (RFC 4343).
#[inline]
fn lower_case(word: u64) -> u64 {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const TOPS: u64 = 0x80 * ONES;
    let low = word & !TOPS;
    // The top bit of each octet tells: at least `A`, and behind `Z`.
    let from_a = low + (0x80 - b'A' as u64) * ONES;
    let behind_z = low + (0x7f - b'Z' as u64) * ONES;
    // A top bit is two places above the bit that makes a letter small.
    word | ((from_a ^ behind_z) & !word & TOPS) >> 2
}

impl std::fmt::Debug for QueryName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        super::name::write_name(f, self.wire())
    }
}

/// Octets of a header.
pub const HEADER_LEN: usize = 12;

/// Reads a message; the name of its question goes into `name`.
#[inline(always)]
pub fn parse<'a>(packet: &'a [u8], name: &'a mut QueryName) -> Parsed<'a> {
    let Some(header) = packet.first_chunk::<HEADER_LEN>() else { return Parsed::Silence };
    let word = |at: usize| u16::from_be_bytes([header[at], header[at + 1]]);
    let (id, flags) = (word(0), word(2));
    if flags & 0x8000 != 0 {
        return Parsed::Silence;
    }
    let opcode = (flags >> 11) as u8 & 0xf;
    let mut reject = Reject { id, opcode, recursion_desired: flags & 0x0100 != 0, rcode: Rcode::FORMERR, question: None, edns: None };
    if word(4) != 1 {
        // Also for opcodes that we do not serve: nothing behind this point takes any other number.
        reject.rcode = if opcode == 0 { Rcode::FORMERR } else { Rcode::NOTIMP };
        reject.edns = cookie_only(packet).filter(|_| opcode == 0);
        return if reject.edns.is_some() { Parsed::CookieOnly(reject) } else { Parsed::Reject(reject) };
    }
    if opcode != 0 {
        return Parsed::Rare;
    }
    if !name.read(&packet[HEADER_LEN..]) {
        return Parsed::Reject(reject);
    }
    let question_end = HEADER_LEN + name.wire().len() + 4;
    let Some(question) = packet.get(HEADER_LEN..question_end) else { return Parsed::Reject(reject) };
    reject.question = Some(question);
    let fixed = &question[question.len() - 4..];
    let (qtype, qclass) = (RrType(u16::from_be_bytes([fixed[0], fixed[1]])), u16::from_be_bytes([fixed[2], fixed[3]]));

    let mut edns = None;
    let mut at = question_end;
    let answers_and_authority = usize::from(word(6)) + usize::from(word(8));
    let total = answers_and_authority + usize::from(word(10));
    for index in 0..total {
        let Some(record) = next_record(packet, at) else { return Parsed::Reject(reject) };
        at = record.end;
        let additional = index >= answers_and_authority;
        match record.rtype {
            RrType::OPT => {
                // One OPT, in the additional section, owned by the root (RFC 6891 section 6.1.1).
                if !additional || !record.owner_is_root || edns.is_some() {
                    return Parsed::Reject(reject);
                }
                match Edns::parse(record.class, record.ttl, record.rdata) {
                    Ok(read) => edns = Some(read),
                    Err((read, _)) => return Parsed::Reject(Reject { edns: Some(read), ..reject }),
                }
                reject.edns = edns;
            }
            RrType::TSIG | RrType::SIG if additional && index + 1 == total => return Parsed::Rare,
            _ => {}
        }
    }
    if at != packet.len() {
        return Parsed::Reject(reject);
    }
    if edns.is_some_and(|e| e.version != 0) {
        return Parsed::Reject(Reject { rcode: Rcode::BADVERS, ..reject });
    }
    if matches!(qtype, RrType::AXFR | RrType::IXFR | RrType::TKEY) {
        return Parsed::Rare;
    }
    Parsed::Query(Query {
        id,
        recursion_desired: reject.recursion_desired,
        checking_disabled: flags & 0x0010 != 0,
        question,
        name,
        qtype,
        qclass,
        edns,
    })
}

/// The OPT of a message that has nothing else, if there is a cookie in it.
#[cold]
fn cookie_only(packet: &[u8]) -> Option<Edns> {
    let record = next_record(packet, HEADER_LEN).filter(|record| record.owner_is_root && record.rtype == RrType::OPT)?;
    let is_alone = packet.get(4..HEADER_LEN)? == [0, 0, 0, 0, 0, 0, 0, 1] && record.end == packet.len();
    Edns::parse(record.class, record.ttl, record.rdata).ok().filter(|edns| is_alone && edns.cookie.is_some())
}

struct RawRecord<'a> {
    owner_is_root: bool,
    rtype: RrType,
    class: u16,
    ttl: u32,
    rdata: &'a [u8],
    end: usize,
}

/// The record at `at`; compression pointers in its owner are stepped over, not followed.
#[inline]
fn next_record(packet: &[u8], at: usize) -> Option<RawRecord<'_>> {
    let mut name_end = at;
    let name_end = loop {
        match *packet.get(name_end)? {
            0 => break name_end + 1,
            len @ 1..=63 => name_end += 1 + usize::from(len),
            0xc0..=0xff => break name_end + 2,
            _ => return None,
        }
        if name_end - at > 255 {
            return None;
        }
    };
    let fixed = packet.get(name_end..)?.first_chunk::<10>()?;
    let rdata_len = usize::from(u16::from_be_bytes([fixed[8], fixed[9]]));
    let end = name_end + 10 + rdata_len;
    Some(RawRecord {
        owner_is_root: packet[at] == 0,
        rtype: RrType(u16::from_be_bytes([fixed[0], fixed[1]])),
        class: u16::from_be_bytes([fixed[2], fixed[3]]),
        ttl: u32::from_be_bytes([fixed[4], fixed[5], fixed[6], fixed[7]]),
        rdata: packet.get(name_end + 10..end)?,
        end,
    })
}

#[cfg(test)]
mod tests;
