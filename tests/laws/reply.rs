//! What a client got: the answer section as a set.
//!
//! Every reply is read twice, by `support::reply` and by hickory-proto, an independent judge: what
//! one of them misreads, or is lenient about, the laws are not held to.

use hickory_proto::op::Message;
use meridian::testing::answer::Outcome;
use meridian::testing::geo::prefix::Prefix;
use meridian::testing::snapshot::Snapshot;
use meridian::testing::wire::rr::{Rcode, RrType};
use std::collections::BTreeSet;
use std::net::IpAddr;
use support::reply::{self, Reply};
use support::{ask, query};

/// Records as text without TTL, the response code, and the scope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Got {
    pub records: BTreeSet<String>,
    pub rcode: Rcode,
    pub scope: u8,
    /// TTL of the first record, or of the SOA of a denial.
    pub ttl: Option<u32>,
    pub outcome: Outcome,
}

impl Got {
    /// What laws compare: TTL and order aside.
    pub fn set(&self) -> (&BTreeSet<String>, Rcode) {
        (&self.records, self.rcode)
    }

    pub fn pop<'s>(&self, snapshot: &'s Snapshot) -> Option<&'s str> {
        self.outcome.pop().map(|(pop, _)| &*snapshot.steering.pops[usize::from(pop.0)].name)
    }
}

/// Asks and reads the answer.
pub fn got(
    snapshot: &Snapshot,
    name: &str,
    rtype: RrType,
    ecs: Option<Prefix>,
    from: IpAddr,
    draw: u64,
) -> Got {
    let (outcome, octets) = ask(snapshot, &query(name, rtype, ecs), from, draw);
    let reply = reply::decode(&octets).unwrap_or_else(|e| panic!("{name} {rtype} {ecs:?}: {e}"));
    agree(&reply, &octets);
    let records =
        reply.answers().iter().map(|r| format!("{} {} {}", r.owner, r.type_word, r.rdata)).collect();
    Got { records, ttl: reply.ttl_secs(), rcode: outcome.rcode, scope: outcome.scope, outcome }
}

/// Holds a reply against what hickory reads of the same octets.
fn agree(reply: &Reply, octets: &[u8]) {
    let message = Message::from_vec(octets).unwrap_or_else(|e| panic!("hickory: {e}\n{reply:?}"));
    assert_eq!(u16::from(message.metadata.response_code), reply.rcode, "{reply:?}");
    let sections = [&message.answers, &message.authorities, &message.additionals];
    for (theirs, ours) in sections.into_iter().zip(&reply.sections) {
        let theirs: Vec<_> = theirs
            .iter()
            .map(|r| (r.name.to_string().to_lowercase(), u16::from(r.record_type()), r.ttl, r.data.ip_addr()))
            .collect();
        let ours: Vec<_> = ours
            .iter()
            .map(|r| (r.owner.to_lowercase(), r.rtype, r.ttl_secs, r.rdata.parse().ok()))
            .collect();
        assert_eq!(theirs, ours, "hickory and {reply:?}");
    }
}
