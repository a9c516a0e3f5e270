//! Where servers may differ: each choice with its reason and the section that allows it.
//!
//! A choice takes its difference out of both replies and nothing else. What is left after all of them
//! is a fault of one of the servers.

use super::reply::{Record, Reply};

/// What was asked.
pub struct Question {
    /// Name in lower case, absolute with final dot unless the root.
    pub name: String,
    pub rtype: u16,
    pub tcp: bool,
}

/// A difference that is allowed.
pub struct Choice {
    pub name: &'static str,
    pub reason: &'static str,
    /// The peer it is about; any if `None`.
    pub peer: Option<&'static str>,
    /// Takes the difference out of ours and theirs.
    pub settle: fn(&Question, &mut Reply, &mut Reply),
}

const ANY: u16 = 255;

/// All of them, in the order in which they are tried.
pub const CHOICES: &[Choice] = &[
    Choice {
        name: "any-is-minimal",
        reason: "ANY is answered with one HINFO (RFC 8482 section 4.2); peers send every RRset",
        peer: None,
        settle: |question, ours, theirs| {
            if question.rtype == ANY && ours.answer.iter().any(|r| r.rdata.contains("RFC8482")) && !theirs.answer.is_empty() {
                for reply in [ours, theirs] {
                    reply.answer.clear();
                    reply.authority.clear();
                    reply.additional.clear();
                    reply.truncated = false;
                }
            }
        },
    },
    Choice {
        name: "ns-beside-answers",
        reason: "NS of the zone in the authority section of a positive answer is optional (RFC 1034 section 4.3.2 asks for none; RFC 9619 era minimal responses)",
        peer: None,
        settle: |_, ours, theirs| {
            let is_positive = |reply: &Reply| reply.authoritative && !reply.answer.is_empty() && !reply.answer.iter().all(|r| matches!(r.rtype, 5 | 39));
            if is_positive(theirs) && ours.authority.is_empty() {
                theirs.authority.retain(|r| r.rtype != 2);
            }
        },
    },
    Choice {
        name: "courtesy-addresses",
        reason: "addresses of MX, SRV and NS targets beside an answer are a courtesy (RFC 1034 section 4.3.2 step 6, RFC 2181 section 9)",
        peer: None,
        settle: |_, ours, theirs| {
            if !ours.is_referral() && ours.additional.is_empty() {
                theirs.additional.clear();
            }
        },
    },
    Choice {
        name: "sibling-glue",
        reason: "addresses of name servers outside the delegated part are not needed to go on (RFC 9471 section 3.2); glue below the cut must be equal",
        peer: None,
        settle: |_, ours, theirs| {
            if !ours.is_referral() || !theirs.is_referral() {
                return;
            }
            let cut = ours.authority.iter().find(|r| r.rtype == 2).map(|r| r.owner.clone()).unwrap_or_default();
            let needed = |r: &Record| r.owner == cut || r.owner.ends_with(&format!(".{cut}"));
            ours.additional.retain(needed);
            theirs.additional.retain(needed);
        },
    },
    Choice {
        name: "chains-leave-the-zone",
        reason: "a CNAME or DNAME whose target is in another zone of the same server: RFC 1034 section 4.3.2 step 3a starts again there, peers leave it to the resolver",
        peer: None,
        settle: |_, ours, theirs| {
            // Theirs is the beginning of ours and ends in a CNAME whose target is in another zone.
            let is_prefix = theirs.answer.iter().all(|r| ours.answer.contains(r));
            let ends_open = theirs.answer.iter().any(|r| r.rtype == 5 && !theirs.answer.iter().any(|next| next.owner == r.rdata.trim_end_matches('.')));
            if is_prefix && ends_open && theirs.rcode == 0 && theirs.authority.iter().all(|r| r.rtype == 2) && *ours != *theirs {
                theirs.authority.clear();
                theirs.additional.clear();
                ours.answer.clone_from(&theirs.answer);
                ours.authority.clear();
                ours.additional.clear();
                ours.rcode = 0;
            }
        },
    },
];
