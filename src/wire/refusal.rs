//! Refusals: what a message gets that is no query with exactly one question.
//!
//! | message | reply | why |
//! |---|---|---|
//! | a response | silence | RFC 1035 section 4.1.1: QR |
//! | counts that its octets cannot hold | silence | another protocol; two servers never answer each other |
//! | EDNS version above 0, for every opcode | BADVERS | RFC 6891 section 6.1.3; so does Knot DNS |
//! | malformed | FORMERR; NOTIMP for unserved opcodes | RFC 1035 section 4.1.1 |
//! | not exactly one question | the same | RFC 9619; an UPDATE has one zone (RFC 2136 section 2.3) |
//! | a cookie without a question | its cookie | RFC 7873 section 5.4 |
//! | TSIG | NOTAUTH, BADKEY | we hold no keys (RFC 8945 section 5.2.1) |
//! | NOTIFY | NOTAUTH | no zone of ours is a secondary (RFC 1996 section 3.10) |
//! | UPDATE | REFUSED | files are the only source of zones (RFC 2136 section 3.3) |
//! | any other opcode, SIG(0) on a query | NOTIMP | RFC 1035 section 4.1.1 |
//!
//! Question types that are not served (AXFR, IXFR, TKEY and others) are queries, which
//! [`crate::answer`] refuses.

use super::behind::{Behind, behind_questions, counts, edns_of, records};
use super::edns::Edns;
use super::header::{HEADER_LEN, flag, opcode};
use super::name::wire_name_len;
use super::reject::{Parsed, Question, Reject};
use super::rr::Rcode;

/// Octets of the shortest question: the root, type and class.
const QUESTION_LEN_MIN: usize = 5;
/// Octets of the shortest record: the root, type, class, TTL and RDLENGTH.
const RECORD_LEN_MIN: usize = 11;

/// True if the counts of the header fit the octets behind it, or nearly so: a message that was cut
/// short lacks at most its question, its OPT and its signature. Texts and most other protocols
/// announce thousands of questions by this reading. They get silence, because their servers might
/// answer our error, and we theirs, for ever.
fn may_be_dns(packet: &[u8]) -> bool {
    let Some((_, behind)) = packet.split_first_chunk::<HEADER_LEN>() else { return false };
    let [questions, answers, authority, additional] = counts(packet);
    let least = questions * QUESTION_LEN_MIN + (answers + authority + additional) * RECORD_LEN_MIN;
    least <= behind.len() + QUESTION_LEN_MIN + 2 * RECORD_LEN_MIN
}

impl<'a> Reject<'a> {
    /// The error, unless the message is none of the DNS.
    pub(super) fn of(self, packet: &[u8]) -> Parsed<'a> {
        if may_be_dns(packet) { Parsed::Reject(self) } else { Parsed::Silence }
    }
}

/// True for opcodes with replies of their own. All others get NOTIMP whatever else is wrong with
/// the message, except for BADVERS, which comes first (RFC 6891 section 6.1.3).
fn is_served(opcode: u8) -> bool {
    matches!(opcode, opcode::QUERY | opcode::NOTIFY | opcode::UPDATE)
}

/// Response code of a sound message with one question and another opcode than QUERY.
fn refusal(opcode: u8) -> Rcode {
    match opcode {
        opcode::NOTIFY => Rcode::NOTAUTH,
        opcode::UPDATE => Rcode::REFUSED,
        _ => Rcode::NOTIMP,
    }
}

/// Parses a message that is a response, has another opcode than QUERY, or has not exactly one
/// question. `head` is the first four octets of the header.
#[cold]
pub(super) fn no_query(packet: &[u8], head: u32, questions: u16) -> Parsed<'_> {
    if head & u32::from(flag::QR) != 0 {
        return Parsed::Silence;
    }
    let opcode = (head >> 11) as u8 & 0xf;
    let (question, behind) = if questions == 1 {
        one_question(packet)
    } else {
        (Question::default(), behind_questions(packet, questions))
    };
    let is_sound = matches!(behind, Behind::Sound(_));
    let (rcode, edns, signature) = match behind {
        Behind::Reject(rcode, edns) => (rcode, edns, None),
        Behind::Sound(edns) | Behind::Signed(edns, _) if questions != 1 => (Rcode::FORMERR, edns, None),
        Behind::Signed(edns, Some(signature)) => (Rcode::NOTAUTH, edns, Some(signature)),
        Behind::Sound(edns) | Behind::Signed(edns, None) => (refusal(opcode), edns, None),
    };
    let comes_first = rcode == Rcode::BADVERS || signature.is_some();
    let rcode = if is_served(opcode) || comes_first { rcode } else { Rcode::NOTIMP };
    let reject = Reject { head, rcode, question, edns, signature };
    let is_alone = opcode == opcode::QUERY && packet.get(4..HEADER_LEN) == Some(&[0, 0, 0, 0, 0, 0, 0, 1]);
    let asks_cookie = is_sound && edns.is_some_and(|edns: Edns| edns.cookie.is_some());
    if is_alone && asks_cookie { Parsed::CookieOnly(reject) } else { reject.of(packet) }
}

/// Reads a message with one question: the question, if it is readable, and the records behind it.
fn one_question(packet: &[u8]) -> (Question<'_>, Behind<'_>) {
    let body = packet.get(HEADER_LEN..).unwrap_or_default();
    let question = match wire_name_len(body) {
        Some(len) => Question { body, len: len + 4 },
        None => Question::default(),
    };
    if question.len > 0 && question.len <= body.len() {
        let [_, answers, authority, additional] = counts(packet);
        return (question, records(packet, HEADER_LEN + question.len, answers + authority, additional));
    }
    // The records may be readable behind a question that is not, for the OPT of the reply.
    (Question::default(), Behind::Reject(Rcode::FORMERR, edns_of(packet)))
}
