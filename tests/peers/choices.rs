//! Where servers may differ: each choice with its reason and the section that allows it.
//!
//! A choice takes its difference out of both replies and nothing else. What is left after all of
//! them is a fault of one of the servers.

use super::reply::Reply;

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
const DS: u16 = 43;

/// A zone of ours below another one that does not delegate to it; see `zones.rs`.
const UNDELEGATED: &str = "deep.sub.base.example.";

/// Choices that set a whole reply of one peer aside: the other peer must then agree with us.
pub const SET_ASIDE: &[&str] =
    &["names-of-other-zones", "dname-at-an-asterisk", "dnssec-types-at-an-alias", "overflow-of-a-dname"];

/// All of them, in the order in which they are tried.
pub const CHOICES: &[Choice] = &[
    Choice {
        name: "any-is-minimal",
        reason: "ANY is answered with one HINFO (RFC 8482 section 4.2); peers send every RRset",
        peer: None,
        settle: |question, ours, theirs| {
            if question.rtype == ANY
                && ours.answer.iter().any(|r| r.rdata.contains("RFC8482"))
                && !theirs.answer.is_empty()
            {
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
        name: "ds-of-an-undelegated-child",
        reason: "a zone of ours that no delegation leads to denies its own DS: from above, RFC 4035 section \
            3.1.4.1, the denial or a wildcard would speak for a name that exists",
        peer: None,
        settle: |question, ours, theirs| {
            let is_own =
                ours.authority.iter().any(|r| r.rtype == 6 && r.owner == question.name.trim_end_matches('.'));
            if question.rtype == DS && is_own && ours.answer.is_empty() && theirs.answer.is_empty() {
                for reply in [ours, theirs] {
                    reply.authority.clear();
                    reply.rcode = 0;
                }
            }
        },
    },
    Choice {
        name: "ns-beside-answers",
        reason: "NS of the zone beside a positive answer: RFC 1034 section 4.3.2 puts nothing into the \
            authority section but referrals and SOA",
        peer: Some("NSD"),
        settle: |question, ours, theirs| {
            let is_positive = theirs.answer.iter().any(|r| r.rtype == question.rtype);
            if is_positive && theirs.authoritative && ours.authority.is_empty() {
                theirs.authority.retain(|r| r.rtype != 2);
            }
        },
    },
    Choice {
        name: "courtesy-addresses",
        reason: "addresses of MX, SRV and NS targets beside an answer are a courtesy (RFC 1034 section 4.3.2 \
            step 6, RFC 2181 section 9)",
        peer: None,
        settle: |_, ours, theirs| {
            if !ours.is_referral() && ours.additional.is_empty() {
                theirs.additional.clear();
            }
        },
    },
    Choice {
        name: "chains-leave-the-zone",
        reason: "a CNAME or DNAME whose target is in another zone of the same server: RFC 1034 section 4.3.2 \
            step 3a starts again there, as NSD and we do; Knot leaves it to the resolver",
        peer: Some("Knot"),
        settle: |_, ours, theirs| {
            // Theirs is the beginning of ours and ends in a CNAME whose target is in another zone.
            let is_prefix = theirs.answer.iter().all(|r| ours.answer.contains(r));
            let ends_open = theirs.answer.iter().any(|r| {
                r.rtype == 5 && !theirs.answer.iter().any(|next| next.owner == r.rdata.trim_end_matches('.'))
            });
            if is_prefix
                && ends_open
                && theirs.rcode == 0
                && theirs.authority.iter().all(|r| r.rtype == 2)
                && *ours != *theirs
            {
                theirs.authority.clear();
                theirs.additional.clear();
                ours.answer.clone_from(&theirs.answer);
                ours.authority.clear();
                ours.additional.clear();
                ours.rcode = 0;
            }
        },
    },
    Choice {
        name: "names-of-other-zones",
        reason: "names above the apex of a zone that its parent does not delegate to: in the parent they do \
            not exist (RFC 4592 section 2.2.2 speaks of names in the zone), NSD keeps one tree for all \
            zones; Knot and we agree",
        peer: Some("NSD"),
        settle: |question, ours, theirs| {
            let is_there =
                question.name == UNDELEGATED || question.name.ends_with(&format!(".{UNDELEGATED}"));
            if is_there && theirs.answer.is_empty() && (theirs.rcode == 3 || question.name == UNDELEGATED) {
                ours.clone_from(theirs);
            }
        },
    },
    Choice {
        name: "dname-at-an-asterisk",
        reason: "a DNAME owned by a wildcard, for names below the literal asterisk: the owner stays as it \
            is, since DNAME is not synthesised (RFC 6672 section 3.3 advises against such records, and \
            `check` warns); NSD and we agree",
        peer: Some("Knot"),
        settle: |_, ours, theirs| {
            if ours.answer.iter().any(|r| r.rtype == 39 && r.owner.starts_with("*.")) {
                ours.clone_from(theirs);
            }
        },
    },
    Choice {
        name: "dnssec-types-at-an-alias",
        reason: "RRSIG and NSEC (Knot) or NSEC3 (NSD) at a CNAME: in an unsigned zone there are none, so the \
            CNAME is the answer (RFC 1034 section 4.3.2 step 3a); the peer says no data, the other one and \
            we agree",
        peer: None,
        settle: |question, ours, theirs| {
            let aliased =
                ours.answer.iter().any(|r| r.rtype == 5 && format!("{}.", r.owner) == question.name);
            if matches!(question.rtype, 46 | 47 | 50)
                && aliased
                && theirs.answer.is_empty()
                && theirs.rcode == 0
            {
                ours.clone_from(theirs);
            }
        },
    },
    Choice {
        name: "overflow-of-a-dname",
        reason: "the name that a DNAME makes is too long: YXDOMAIN (RFC 6672 section 3.2 step 3C); Knot \
            sometimes says NXDOMAIN, with the same answer section; NSD and we agree",
        peer: Some("Knot"),
        settle: |_, ours, theirs| {
            if ours.rcode == 6 && theirs.rcode == 3 && ours.answer == theirs.answer {
                ours.clone_from(theirs);
            }
        },
    },
    Choice {
        name: "truncation",
        reason: "which replies do not fit a datagram: peers add NS and addresses to answers, compress more \
            or less, and leave out glue without TC where RFC 9471 section 3.1 asks for it; all are compared \
            whole over TCP",
        peer: None,
        settle: |_, _, _| {},
    },
];
