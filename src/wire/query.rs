//! The only parser of strangers' DNS: octets to a borrowed [`Query`], or what to do instead.
//!
//! A query may be answered by the core, refused with a response code, met with silence, or handed
//! to the slow path. Every read is bounded; nothing allocates.

use super::behind::{Behind, behind_questions, records};
use super::ecs::ClientSubnet;
use super::edns::Edns;
use super::header::HEADER_LEN;
use super::name::NAME_OCTETS_MAX;
use super::name_hash::{NameHash, NameKey};
use super::rr::{Rcode, RrType};
use crate::limits::LABELS_MAX;
use crate::wire::header::flag;

/// A question with what EDNS says about it. Large, so whoever answers many has one for all of them,
/// and it is filled where it stays.
#[derive(Clone, Debug, Default)]
pub struct Query {
    /// The name.
    pub name: QueryName,
    /// The first half of the header: ID, and below it flags and opcode.
    head: u32,
    /// QTYPE.
    pub(crate) qtype: RrType,
    /// QCLASS.
    pub(crate) qclass: u16,
    /// OPT.
    pub edns: Option<Edns>,
}

impl Query {
    /// The question section of the message that was read.
    #[inline(always)]
    pub fn question<'p>(&self, packet: &'p [u8]) -> Question<'p> {
        Question { body: packet.get(HEADER_LEN..).unwrap_or_default(), len: usize::from(self.name.len) + 4 }
    }

    /// The client subnet, if there is one that says anything (source above 0).
    #[inline(always)]
    pub(crate) fn subnet(&self) -> Option<&ClientSubnet> {
        let edns = self.edns.as_ref().filter(|edns| edns.asks)?;
        edns.subnet.as_ref().filter(|subnet| subnet.source() > 0)
    }

    /// Where the question section ends, in the query and in its response.
    pub(crate) fn end_of_question(&self) -> usize {
        HEADER_LEN + usize::from(self.name.len) + 4
    }

    /// What a response copies of the first half of the header: the ID, RD (RFC 1035 section 4.1.1)
    /// and CD (RFC 4035 section 3.2.2).
    #[inline]
    pub fn copied_head(&self) -> u32 {
        self.head & (0xffff << 16 | (flag::RD | flag::CD) as u32)
    }
}

/// What a datagram or stream message is.
#[derive(Clone, Copy, Debug)]
pub enum Parsed<'a> {
    /// One question for the core.
    Query,
    /// An error to be answered.
    Reject(Reject<'a>),
    /// No question, but a DNS cookie (RFC 7873 section 5.4); FORMERR for who answers none.
    CookieOnly(Reject<'a>),
    /// Neither a query nor worth an answer: a response (QR=1, so that two servers never talk in a
    /// loop), or less than a header.
    Silence,
    /// A valid header with something that the core does not answer: an opcode other than QUERY, a
    /// transfer, a signed message.
    SlowPath,
}

/// The question section as sent: name, type, class.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Question<'a> {
    /// The message from the question on: what stands behind it comes along, so that blocks can be
    /// copied.
    pub(crate) body: &'a [u8],
    /// Octets of the question; 0 if it could not be read.
    pub(crate) len: usize,
}

impl<'a> Question<'a> {
    /// The octets of the question.
    pub fn octets(&self) -> &'a [u8] {
        self.body.get(..self.len).unwrap_or_default()
    }
}

/// A message to be answered with an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reject<'a> {
    /// Message ID.
    pub(crate) id: u16,
    /// Opcode, to be copied.
    pub(crate) opcode: u8,
    /// Recursion desired, to be copied.
    pub(crate) recursion_desired: bool,
    /// Response code.
    pub(crate) rcode: Rcode,
    /// The question, if it could be read.
    pub question: Question<'a>,
    /// The OPT, if it could be read; its options may be missing.
    pub edns: Option<Edns>,
}

/// A question's name in lower case, with the places of its labels. Large, so it is filled where it
/// stays.
#[derive(Clone)]
pub struct QueryName {
    /// The wire form; what lies behind it, so that whole blocks can be read, means nothing.
    lower: [u8; LOWER_LEN],
    len: u8,
    starts: [u8; LABEL_ROOM],
    labels: u8,
}

/// Places of labels: one more than there are labels at most.
const LABEL_ROOM: usize = LABELS_MAX + 1;

/// The longest name, and a block of 16 octets to be read at any of its octets; in whole blocks.
const LOWER_LEN: usize = 272;

impl Default for QueryName {
    /// The root.
    fn default() -> QueryName {
        QueryName { lower: [0; LOWER_LEN], len: 1, starts: [0; LABEL_ROOM], labels: 0 }
    }
}

impl QueryName {
    /// Reads an uncompressed name at the start of `octets` (compression makes no sense in a
    /// question).
    pub fn parse(octets: &[u8]) -> Option<QueryName> {
        let mut name = QueryName::default();
        name.read(octets).then_some(name)
    }

    /// [`QueryName::parse`] in place; false, and the name means nothing, if there is none.
    #[inline(always)]
    pub(crate) fn read(&mut self, octets: &[u8]) -> bool {
        let (mut at, mut labels) = (0usize, 0usize);
        // A name ends within its longest form, or it is none.
        let octets = &octets[..octets.len().min(NAME_OCTETS_MAX)];
        loop {
            let Some(&len) = octets.get(at) else { return false };
            if len == 0 {
                break;
            }
            if len > 63 {
                return false;
            }
            // A label has two octets at least, so 254 hold no more than there is room for.
            self.starts[labels % LABEL_ROOM] = at as u8;
            labels += 1;
            at += 1 + usize::from(len);
        }
        (self.len, self.labels) = (at as u8 + 1, labels as u8);
        // Sixteen octets at a time. The lengths between the labels are no letters, so they stay as
        // they are. Most names end in the first three blocks, and as much stands there.
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

    /// A name from the start of one and the whole of another, both in wire form without pointers: a
    /// CNAME target that was cut before the apex, and the apex.
    pub(crate) fn join(start: &[u8], rest: &[u8]) -> Option<QueryName> {
        let mut name = QueryName::default();
        name.read_joined(start, rest).then_some(name)
    }

    /// [`QueryName::join`] in place; false, and the name means nothing, if that is too long.
    pub(crate) fn read_joined(&mut self, start: &[u8], rest: &[u8]) -> bool {
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
    pub(crate) fn labels(&self) -> usize {
        usize::from(self.labels)
    }

    /// The name without its first `skip` labels.
    #[inline]
    pub(crate) fn suffix(&self, skip: usize) -> &[u8] {
        &self.wire()[self.start(skip)..]
    }

    /// Where the name without its first `skip` labels begins.
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

    /// Where the hash of every ending of the name begins, for [`QueryName::hash_on`].
    #[inline(always)]
    pub(crate) fn hash_begin(&self, key: &NameKey) -> HashedTo {
        HashedTo { hash: key.begin(), at: self.len }
    }

    /// [`QueryName::hash_whole`], going on from the hash of a shorter ending: `hashed` is moved to
    /// where this one stood.
    #[inline(always)]
    pub(crate) fn hash_on(&self, key: &NameKey, skip: usize, hashed: &mut HashedTo) -> NameHash {
        let start = self.start(skip) as u8;
        let HashedTo { mut hash, mut at } = *hashed;
        // The buffer is longer than a name by a block, so octets are read behind the name's end.
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

/// How far a name was hashed, from its end.
#[derive(Clone, Copy, Debug)]
pub(crate) struct HashedTo {
    hash: u64,
    at: u8,
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

/// Reads a message; its question, if it is a query, goes into `query`.
///
/// Nearly all messages are one question with nothing or an OPT behind it, and are read here; what
/// is behind the question of any other is read by [`records`].
#[inline(always)]
pub fn parse<'a>(packet: &'a [u8], query: &mut Query) -> Parsed<'a> {
    let Some((header, body)) = packet.split_first_chunk::<HEADER_LEN>() else { return Parsed::Silence };
    let [h0, h1, h2, h3, counts @ ..] = *header;
    let (head, counts) = (u32::from_be_bytes([h0, h1, h2, h3]), u64::from_be_bytes(counts));
    if head & u32::from(flag::QR | OPCODE_BITS) != 0 || counts >> 48 != 1 {
        return no_question(packet, (head >> 16) as u16, head as u16, (counts >> 48) as u16);
    }
    let reject = |question, edns, rcode| {
        let recursion_desired = head & u32::from(flag::RD) != 0;
        Parsed::Reject(Reject {
            id: (head >> 16) as u16,
            opcode: 0,
            recursion_desired,
            rcode,
            question,
            edns,
        })
    };
    if !query.name.read(body) {
        return reject(Question::default(), None, Rcode::FORMERR);
    }
    let name_len = usize::from(query.name.len);
    let Some((octets, behind)) = body.split_at_checked(name_len + 4) else {
        return reject(Question::default(), None, Rcode::FORMERR);
    };
    let Some(fields) = octets.last_chunk() else { return reject(Question::default(), None, Rcode::FORMERR) };
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
        match records(packet, HEADER_LEN + octets.len(), before, usize::from(additional)) {
            Behind::Edns(edns) => query.edns = edns,
            Behind::SlowPath(_) => return Parsed::SlowPath,
            Behind::Reject(rcode, edns) => return reject(query.question(packet), edns, rcode),
        }
    }
    if matches!(query.qtype, RrType::AXFR | RrType::IXFR | RrType::TKEY) {
        return Parsed::SlowPath;
    }
    Parsed::Query
}

/// The counts of a header: questions, answers, authority, additional.
const ONE_QUESTION: u64 = 1 << 48;
/// See [`ONE_QUESTION`].
const ONE_QUESTION_AND_ONE_MORE: u64 = ONE_QUESTION | 1;

/// Reads what stands behind a question as one OPT of version 0. False, and `edns` means nothing, if
/// it is anything else.
#[inline(always)]
fn only_opt(behind: &[u8], edns: &mut Option<Edns>) -> bool {
    let Some((&[o0, o1, o2, p0, p1, e, v, f, _, l0, l1], options)) = behind.split_first_chunk() else {
        return false;
    };
    let fixed = u64::from_be_bytes([o0, o1, o2, p0, p1, e, v, f]);
    // The root, the type; then, behind the payload size, no upper half of a response code, and
    // version 0.
    if fixed & 0xffff_ff00_00ff_ff00 != u64::from(RrType::OPT.0) << 40 {
        return false;
    }
    if options.len() != usize::from(u16::from_be_bytes([l0, l1])) {
        return false;
    }
    edns.insert(Edns::new((fixed >> 24) as u16, 0, fixed & 0x80 != 0)).read(options).is_ok()
}

/// The opcode in the flags.
const OPCODE_BITS: u16 = 0x7800;

/// Whether messages of this opcode have answers of their own: QUERY, NOTIFY and UPDATE. All others
/// are NOTIMP, whatever else is wrong with them; only an EDNS version above 0 comes first.
pub(crate) fn is_served(opcode: u8) -> bool {
    matches!(opcode, 0 | 4 | 5)
}

/// What a message is that is a response, has another opcode than QUERY, or has not one question.
#[cold]
fn no_question(packet: &[u8], id: u16, flags: u16, questions: u16) -> Parsed<'static> {
    if flags & flag::QR != 0 {
        return Parsed::Silence;
    }
    let opcode = (flags >> 11) as u8 & 0xf;
    if questions == 1 {
        return Parsed::SlowPath;
    }
    // Also for opcodes with answers: nothing behind this point takes any other number.
    let (rcode, edns, is_sound) = match behind_questions(packet, questions) {
        Behind::Reject(rcode, edns) => (rcode, edns, false),
        Behind::Edns(edns) => (Rcode::FORMERR, edns, true),
        Behind::SlowPath(edns) => (Rcode::FORMERR, edns, false),
    };
    // An EDNS version that we lack comes before an opcode that we lack (RFC 6891 section 6.1.3).
    let rcode = if is_served(opcode) || rcode == Rcode::BADVERS { rcode } else { Rcode::NOTIMP };
    let reject = Reject {
        id,
        opcode,
        recursion_desired: flags & flag::RD != 0,
        rcode,
        question: Question::default(),
        edns,
    };
    let is_alone = opcode == 0 && packet.get(4..HEADER_LEN) == Some(&[0, 0, 0, 0, 0, 0, 0, 1]);
    let asks_cookie = is_sound && edns.is_some_and(|edns| edns.cookie.is_some());
    if is_alone && asks_cookie { Parsed::CookieOnly(reject) } else { Parsed::Reject(reject) }
}

#[cfg(test)]
mod tests;
