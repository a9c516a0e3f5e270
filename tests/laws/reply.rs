//! What a client got: the answer section as a set, read by hickory.

use crate::support::{ask, query};
use hickory_proto::op::Message;
use meridian::testing::answer::Outcome;
use meridian::testing::geo::prefix::Prefix;
use meridian::testing::snapshot::Snapshot;
use meridian::testing::wire::rr::{Rcode, RrType};
use std::collections::BTreeSet;
use std::net::IpAddr;

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
    let message = Message::from_vec(&octets).unwrap_or_else(|e| panic!("{name} {rtype} {ecs:?}: {e}"));
    let records =
        message.answers.iter().map(|r| format!("{} {} {}", r.name, r.record_type(), r.data)).collect();
    let ttl = message.answers.first().or(message.authorities.first()).map(|record| record.ttl);
    Got { records, ttl, rcode: outcome.rcode, scope: outcome.scope, outcome }
}
