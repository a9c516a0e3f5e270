//! The only parser of DNS messages from clients: fills a [`Query`] in place, or decides how else
//! the message is handled.
//!
//! The core answers a message, rejects it with a response code ([`super::refusal`]), or stays
//! silent. Every read has a limit, and nothing allocates.

use super::behind::{Behind, edns_of, records};
use super::ecs::ClientSubnet;
use super::edns::Edns;
use super::header::HEADER_LEN;
use super::name::NAME_OCTETS_MAX;
use super::name_hash::{NameHash, NameKey};
use super::refusal::no_query;
use super::reject::{Parsed, Question, Reject};
use super::rr::{Rcode, RrType};
use crate::limits::LABELS_MAX;
use crate::wire::header::flag;

/// A question with its EDNS. The struct is large, so each worker keeps one and fills it in place.
#[derive(Clone, Debug, Default)]
pub struct Query {
    /// The name.
    pub name: QueryName,
    /// First four octets of the header: ID, then flags and opcode in the lower bits.
    head: u32,
    /// QTYPE.
    pub(crate) qtype: RrType,
    /// QCLASS.
    pub(crate) qclass: u16,
    /// OPT.
    pub edns: Option<Edns>,
}

impl Query {
    /// Query for the reply to a rejected message: ID, opcode, RD and EDNS of the message. Without
    /// the client subnet, because an error does not depend on it; so the reply has no ECS option.
    pub(crate) fn left_by(reject: &Reject<'_>) -> Query {
        Query {
            head: reject.head,
            edns: reject.edns.map(|edns| Edns { subnet: None, ..edns }),
            ..Query::default()
        }
    }

    /// Question section of the message that was read.
    #[inline(always)]
    pub fn question<'p>(&self, packet: &'p [u8]) -> Question<'p> {
        Question { body: packet.get(HEADER_LEN..).unwrap_or_default(), len: usize::from(self.name.len) + 4 }
    }

    /// The client subnet, if there is one with a source prefix length above 0.
    #[inline(always)]
    pub(crate) fn subnet(&self) -> Option<&ClientSubnet> {
        let edns = self.edns.as_ref().filter(|edns| edns.asks)?;
        edns.subnet.as_ref().filter(|subnet| subnet.source() > 0)
    }

    /// End of the question section, in the query and in its response.
    pub(crate) fn end_of_question(&self) -> usize {
        HEADER_LEN + usize::from(self.name.len) + 4
    }

    /// First four octets of the header as a response copies them: the ID, RD (RFC 1035 section
    /// 4.1.1) and CD (RFC 4035 section 3.2.2).
    #[inline]
    pub fn copied_head(&self) -> u32 {
        self.head & (0xffff << 16 | (OPCODE_BITS | flag::RD | flag::CD) as u32)
    }
}

/// Name of a question in lower case, with the offsets of its labels. The struct is large, so it is
/// filled in place.
#[derive(Clone)]
pub struct QueryName {
    /// Wire form; octets beyond its length are meaningless, and are there so that whole blocks can
    /// be read.
    lower: [u8; LOWER_LEN],
    len: u8,
    starts: [u8; LABEL_ROOM],
    labels: u8,
}

/// Room for label offsets: the most labels and one more, 128, so that an index modulo the room is
/// one instruction.
const LABEL_ROOM: usize = LABELS_MAX + 1;

/// Room for the longest name and a block of 16 octets read from any of its octets, in whole blocks.
const LOWER_LEN: usize = 272;

impl Default for QueryName {
    /// The root.
    fn default() -> QueryName {
        QueryName { lower: [0; LOWER_LEN], len: 1, starts: [0; LABEL_ROOM], labels: 0 }
    }
}

impl QueryName {
    /// Reads an uncompressed name at the start of `octets`; questions have no use for compression.
    pub fn parse(octets: &[u8]) -> Option<QueryName> {
        let mut name = QueryName::default();
        name.read(octets).then_some(name)
    }

    /// [`QueryName::parse`] in place. Returns false, and leaves the name meaningless, if there is
    /// none.
    #[inline(always)]
    pub(crate) fn read(&mut self, octets: &[u8]) -> bool {
        let (mut at, mut labels) = (0usize, 0usize);
        // A valid name ends within the longest length.
        let octets = &octets[..octets.len().min(NAME_OCTETS_MAX)];
        loop {
            let Some(&len) = octets.get(at) else { return false };
            if len == 0 {
                break;
            }
            if len > 63 {
                return false;
            }
            // A label takes at least two octets, so 254 octets hold no more labels than there is
            // room for.
            self.starts[labels % LABEL_ROOM] = at as u8;
            labels += 1;
            at += 1 + usize::from(len);
        }
        (self.len, self.labels) = (at as u8 + 1, labels as u8);
        // Lower-case sixteen octets at a time. Length octets are not letters, so they stay. Most
        // names end in the first three blocks, which have room in any case.
        if at < 32
            && let (Some(octets), Some(blocks)) = (octets.first_chunk::<32>(), self.lower.first_chunk_mut())
        {
            *blocks = octets.map(|octet| octet.to_ascii_lowercase());
            return true;
        }
        if at < 48
            && let (Some(octets), Some(blocks)) = (octets.first_chunk::<48>(), self.lower.first_chunk_mut())
        {
            *blocks = octets.map(|octet| octet.to_ascii_lowercase());
            return true;
        }
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

    /// A name from the start of one and the whole of another, both in wire form without pointers.
    /// The parts are the stored start of a CNAME target and the ending cut from it, or the labels
    /// before the owner of a DNAME and the target of the DNAME.
    pub(crate) fn join(start: &[u8], rest: &[u8]) -> Option<QueryName> {
        let mut name = QueryName::default();
        name.read_joined(start, rest).then_some(name)
    }

    /// [`QueryName::join`] in place. Returns false, and leaves the name meaningless, if it is too
    /// long.
    pub(crate) fn read_joined(&mut self, start: &[u8], rest: &[u8]) -> bool {
        let mut wire = [0u8; 256];
        let Some(whole) = wire.get_mut(..start.len() + rest.len()) else { return false };
        whole[..start.len()].copy_from_slice(start);
        whole[start.len()..].copy_from_slice(rest);
        self.read(whole)
    }

    /// Wire form in lower case.
    #[inline]
    pub fn wire(&self) -> &[u8] {
        &self.lower[..usize::from(self.len)]
    }

    /// Number of labels, without the root.
    #[inline]
    pub(crate) fn labels(&self) -> usize {
        usize::from(self.labels)
    }

    /// The name without its first `skip` labels.
    #[inline]
    pub(crate) fn suffix(&self, skip: usize) -> &[u8] {
        &self.wire()[self.start(skip)..]
    }

    /// Offset of the name without its first `skip` labels.
    #[inline]
    fn start(&self, skip: usize) -> usize {
        match skip {
            0 => 0,
            _ if skip >= self.labels() => usize::from(self.len) - 1,
            _ => usize::from(self.starts[skip % LABEL_ROOM]),
        }
    }

    /// [`NameKey::whole`] of the name without its first `skip` labels.
    #[inline(always)]
    pub(crate) fn hash_whole(&self, key: &NameKey, skip: usize) -> NameHash {
        self.hash_on(key, skip, &mut self.hash_begin(key))
    }

    /// Starting state for [`QueryName::hash_on`].
    #[inline(always)]
    pub(crate) fn hash_begin(&self, key: &NameKey) -> HashedTo {
        HashedTo { hash: key.begin(), at: self.len }
    }

    /// [`QueryName::hash_whole`] that continues from the hash of a shorter ending; `hashed`
    /// advances to this ending.
    #[inline(always)]
    pub(crate) fn hash_on(&self, key: &NameKey, skip: usize, hashed: &mut HashedTo) -> NameHash {
        let start = self.start(skip) as u8;
        let HashedTo { mut hash, mut at } = *hashed;
        // The buffer is one block longer than a name, so a block may extend past the name's end.
        let block = |at: u8| {
            self.lower[usize::from(at)..].first_chunk().map_or(0, |octets| u128::from_le_bytes(*octets))
        };
        while at - start >= 16 {
            at -= 16;
            hash = key.add(hash, block(at));
        }
        *hashed = HashedTo { hash, at };
        key.end(hash, block(start), at - start)
    }
}

/// Progress of hashing a name from its end.
#[derive(Clone, Copy, Debug)]
pub(crate) struct HashedTo {
    hash: u64,
    at: u8,
}

/// Fewer than sixteen octets, padded with zeros.
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

/// Reads a message; the question of a query goes into `query`.
///
/// Most messages have one question, followed by nothing or an OPT, and are read here. [`records`]
/// reads the records of all others.
#[inline(always)]
pub fn parse<'a>(packet: &'a [u8], query: &mut Query) -> Parsed<'a> {
    let Some((header, body)) = packet.split_first_chunk::<HEADER_LEN>() else { return Parsed::Silence };
    let [h0, h1, h2, h3, counts @ ..] = *header;
    let (head, counts) = (u32::from_be_bytes([h0, h1, h2, h3]), u64::from_be_bytes(counts));
    if head & u32::from(flag::QR | OPCODE_BITS) != 0 || counts >> 48 != 1 {
        return no_query(packet, head, (counts >> 48) as u16);
    }
    if !query.name.read(body) {
        return unreadable(packet, head);
    }
    let name_len = usize::from(query.name.len);
    let Some((octets, behind)) = body.split_at_checked(name_len + 4) else { return unreadable(packet, head) };
    let Some(fields) = octets.last_chunk() else { return unreadable(packet, head) };
    query.head = head;
    let fields = u32::from_be_bytes(*fields);
    (query.qtype, query.qclass) = (RrType((fields >> 16) as u16), fields as u16);
    let is_read = match counts {
        ONE_QUESTION_AND_ONE_MORE => only_opt(behind, &mut query.edns),
        _ => {
            query.edns = None;
            counts == ONE_QUESTION && behind.is_empty()
        }
    };
    if !is_read {
        let (before, additional) = ((counts >> 32) as u16, counts as u16);
        let before = usize::from(before) + usize::from((counts >> 16) as u16);
        let (rcode, edns, signature) =
            match records(packet, HEADER_LEN + octets.len(), before, usize::from(additional)) {
                Behind::Sound(edns) => {
                    query.edns = edns;
                    return Parsed::Query;
                }
                // A key that we do not hold (RFC 8945 section 5.2.1); SIG(0) is not served.
                Behind::Signed(edns, Some(signature)) => (Rcode::NOTAUTH, edns, Some(signature)),
                Behind::Signed(edns, None) => (Rcode::NOTIMP, edns, None),
                Behind::Reject(rcode, edns) => (rcode, edns, None),
            };
        return Reject { head, rcode, question: query.question(packet), edns, signature }.of(packet);
    }
    Parsed::Query
}

/// A query whose question cannot be read.
#[cold]
fn unreadable(packet: &[u8], head: u32) -> Parsed<'_> {
    let (question, edns) = (Question::default(), edns_of(packet));
    Reject { head, rcode: Rcode::FORMERR, question, edns, signature: None }.of(packet)
}

/// Header counts of one question alone, in the order questions, answers, authority, additional.
const ONE_QUESTION: u64 = 1 << 48;
/// Header counts of one question and one additional record.
const ONE_QUESTION_AND_ONE_MORE: u64 = ONE_QUESTION | 1;

/// Reads the octets behind a question as one OPT of version 0. Returns false, and leaves `edns`
/// meaningless, if they are anything else.
#[inline(always)]
fn only_opt(behind: &[u8], edns: &mut Option<Edns>) -> bool {
    let Some((&[o0, o1, o2, p0, p1, e, v, f, _, l0, l1], options)) = behind.split_first_chunk() else {
        return false;
    };
    let fixed = u64::from_be_bytes([o0, o1, o2, p0, p1, e, v, f]);
    // Root name, type, then (behind the payload size) a zero upper half of the response code and
    // version 0.
    if fixed & 0xffff_ff00_00ff_ff00 != u64::from(RrType::OPT.0) << 40 {
        return false;
    }
    if options.len() != usize::from(u16::from_be_bytes([l0, l1])) {
        return false;
    }
    edns.insert(Edns::new((fixed >> 24) as u16, 0, fixed & 0x80 != 0)).read(options).is_ok()
}

/// Bits of the opcode among the flags.
const OPCODE_BITS: u16 = 0x7800;

#[cfg(test)]
mod tests;
