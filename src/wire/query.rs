//! The only parser of strangers' DNS: octets to a borrowed [`Query`], or what to do instead.
//!
//! A query may be answered by the core, refused with a response code, met with silence, or handed
//! to the side road for rare messages. Every read is bounded; nothing allocates.

use super::edns::Edns;
use super::hash;
use super::response::flag;
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
    lower: [u8; LOWER_LEN],
    len: u8,
    starts: [u8; LABELS_MAX + 1],
    labels: u8,
}

/// The longest name in whole blocks of 16 octets, and a word to be read behind any of its octets.
const LOWER_LEN: usize = 272;

impl Default for QueryName {
    /// The root.
    fn default() -> QueryName {
        QueryName { lower: [0; LOWER_LEN], len: 1, starts: [0; LABELS_MAX + 1], labels: 0 }
    }
}

impl QueryName {
    /// Reads an uncompressed name at the start of `octets` (compression makes no sense in a question).
    pub fn parse(octets: &[u8]) -> Option<QueryName> {
        let mut name = QueryName::default();
        name.read(octets).then_some(name)
    }

    /// [`QueryName::parse`] in place; false, and the name means nothing, if there is none.
    #[inline(always)]
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
        // Sixteen octets at a time. The lengths between the labels are no letters, so they stay as they are.
        let (blocks, _) = self.lower.as_chunks_mut::<16>();
        let mut rest = octets;
        for block in &mut blocks[..at / 16 + 1] {
            let (octets, behind) = match rest.split_first_chunk::<16>() {
                Some((octets, behind)) => (*octets, behind),
                None => (short(rest), &[][..]),
            };
            *block = octets.map(|octet| octet.to_ascii_lowercase());
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
        &self.wire()[self.start(skip)..]
    }

    /// Where the name without its first `skip` labels begins.
    #[inline]
    fn start(&self, skip: usize) -> usize {
        if skip >= self.labels() { usize::from(self.len) - 1 } else { usize::from(self.starts[skip]) }
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

    /// [`hash::name`] of it.
    pub fn hash(&self) -> u64 {
        (0..self.labels()).rev().fold(hash::ROOT, |hash, index| self.hash_label(hash, index))
    }

    /// [`hash::whole`] of the name without its first `skip` labels, with words read past the end and cut.
    #[inline(always)]
    pub fn hash_whole(&self, skip: usize) -> u64 {
        let mut at = if skip == 0 { 0 } else { self.start(skip) };
        let mut left = usize::from(self.len) - at;
        let mut hash = hash::begin_whole(left);
        loop {
            let word = self.lower.get(at..).and_then(|rest| rest.first_chunk()).map_or(0, |word| u64::from_le_bytes(*word));
            if left <= 8 {
                // A name has at least its root label, so the shift is less than the word.
                return hash::add_word(hash, word & u64::MAX >> (64 - 8 * left));
            }
            hash = hash::add_word(hash, word);
            (at, left) = (at + 8, left - 8);
        }
    }
}

/// Fewer than sixteen octets, with zeros behind them.
#[inline]
fn short(octets: &[u8]) -> [u8; 16] {
    let mut block = [0; 16];
    if let Some(room) = block.get_mut(..octets.len()) {
        room.copy_from_slice(octets);
    }
    block
}

impl std::fmt::Debug for QueryName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        super::name::write_name(f, self.wire())
    }
}

/// Octets of a header.
pub const HEADER_LEN: usize = 12;

/// Reads a message; the name of its question goes into `name`.
///
/// Nearly all messages are one question with nothing or an OPT behind it, and are read here; what is
/// behind the question of any other is read by [`records`].
#[inline(always)]
pub fn parse<'a>(packet: &'a [u8], name: &'a mut QueryName) -> Parsed<'a> {
    let Some(header) = packet.first_chunk::<HEADER_LEN>() else { return Parsed::Silence };
    let word = |at: usize| u16::from_be_bytes([header[at], header[at + 1]]);
    let (id, flags) = (word(0), word(2));
    let recursion_desired = flags & 0x0100 != 0;
    if flags & (flag::QR | OPCODE_BITS) != 0 || word(4) != 1 {
        return no_question(packet, id, flags, word(4));
    }
    let reject = |question, edns, rcode| Parsed::Reject(Reject { id, opcode: 0, recursion_desired, rcode, question, edns });
    if !name.read(&packet[HEADER_LEN..]) {
        return reject(None, None, Rcode::FORMERR);
    }
    let question_end = HEADER_LEN + name.wire().len() + 4;
    let Some((question, behind)) = packet[HEADER_LEN..].split_at_checked(question_end - HEADER_LEN) else {
        return reject(None, None, Rcode::FORMERR);
    };
    let Some(&[t0, t1, c0, c1]) = question.last_chunk() else { return reject(None, None, Rcode::FORMERR) };
    let (qtype, qclass) = (RrType(u16::from_be_bytes([t0, t1])), u16::from_be_bytes([c0, c1]));
    let edns = match (word(6) | word(8), word(10), behind) {
        (0, 0, []) => None,
        (0, 1, &[0, 0, OPT, p0, p1, 0, 0, f0, f1, l0, l1, ref options @ ..])
            if options.len() == usize::from(u16::from_be_bytes([l0, l1]))
                && let Ok(edns) = Edns::parse(u16::from_be_bytes([p0, p1]), u32::from(u16::from_be_bytes([f0, f1])), options) =>
        {
            Some(edns)
        }
        (before, additional, _) => {
            let before = if before == 0 { 0 } else { usize::from(word(6)) + usize::from(word(8)) };
            match records(packet, question_end, before, usize::from(additional)) {
                Behind::Edns(edns) => edns,
                Behind::Rare => return Parsed::Rare,
                Behind::Reject(rcode, edns) => return reject(Some(question), edns, rcode),
            }
        }
    };
    if matches!(qtype, RrType::AXFR | RrType::IXFR | RrType::TKEY) {
        return Parsed::Rare;
    }
    let checking_disabled = flags & flag::CD != 0;
    Parsed::Query(Query { id, recursion_desired, checking_disabled, question, name, qtype, qclass, edns })
}

/// The opcode in the flags.
const OPCODE_BITS: u16 = 0x7800;
/// The lower half of the type of an OPT.
const OPT: u8 = RrType::OPT.0 as u8;

/// What a message is that is a response, has another opcode than QUERY, or has not one question.
#[cold]
fn no_question(packet: &[u8], id: u16, flags: u16, questions: u16) -> Parsed<'static> {
    if flags & flag::QR != 0 {
        return Parsed::Silence;
    }
    let opcode = (flags >> 11) as u8 & 0xf;
    if questions == 1 {
        return Parsed::Rare;
    }
    // Also for opcodes that we do not serve: nothing behind this point takes any other number.
    let rcode = if opcode == 0 { Rcode::FORMERR } else { Rcode::NOTIMP };
    let edns = cookie_only(packet).filter(|_| opcode == 0);
    let reject = Reject { id, opcode, recursion_desired: flags & flag::RD != 0, rcode, question: None, edns };
    if edns.is_some() { Parsed::CookieOnly(reject) } else { Parsed::Reject(reject) }
}

/// What stands behind a question.
enum Behind {
    /// Nothing that hinders an answer.
    Edns(Option<Edns>),
    /// A signature.
    Rare,
    /// A fault, with the OPT as far as it could be read.
    Reject(Rcode, Option<Edns>),
}

/// Reads every record behind a question, which ends at `at`: so many in the answer and authority sections,
/// so many in the additional section.
#[cold]
#[inline(never)]
fn records(packet: &[u8], mut at: usize, before: usize, additional: usize) -> Behind {
    let mut edns = None;
    let total = before + additional;
    for index in 0..total {
        let Some(record) = next_record(packet, at) else { return Behind::Reject(Rcode::FORMERR, edns) };
        at = record.end;
        let additional = index >= before;
        match record.rtype {
            RrType::OPT => {
                // One OPT, in the additional section, owned by the root (RFC 6891 section 6.1.1).
                if !additional || !record.owner_is_root || edns.is_some() {
                    return Behind::Reject(Rcode::FORMERR, edns);
                }
                match Edns::parse(record.class, record.ttl, record.rdata) {
                    Ok(read) => edns = Some(read),
                    Err((read, _)) => return Behind::Reject(Rcode::FORMERR, Some(read)),
                }
            }
            RrType::TSIG | RrType::SIG if additional && index + 1 == total => return Behind::Rare,
            _ => {}
        }
    }
    if at != packet.len() {
        return Behind::Reject(Rcode::FORMERR, edns);
    }
    if edns.is_some_and(|e| e.version != 0) {
        return Behind::Reject(Rcode::BADVERS, edns);
    }
    Behind::Edns(edns)
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
