//! A reply as compared: order, letter case of names and compression aside.

use std::fmt;
use support::reply::{self, plain};

/// A record: owner in lower case, TTL, type, data as text.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Record {
    pub owner: String,
    pub rtype: u16,
    pub ttl: u32,
    pub rdata: String,
}

/// A reply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    pub rcode: u16,
    pub authoritative: bool,
    pub truncated: bool,
    pub has_opt: bool,
    pub answer: Vec<Record>,
    pub authority: Vec<Record>,
    pub additional: Vec<Record>,
}

/// Types whose data is names and numbers: letter case there means nothing.
const NAMED: &[u16] = &[2, 5, 6, 12, 14, 15, 17, 18, 33, 35, 36, 39, 64, 65];

impl Record {
    fn of(record: &reply::Record) -> Record {
        let rdata = record.rdata.clone();
        Record {
            owner: plain(&record.owner),
            rtype: record.rtype,
            ttl: record.ttl_secs,
            rdata: if NAMED.contains(&record.rtype) { rdata.to_ascii_lowercase() } else { rdata },
        }
    }
}

impl Reply {
    /// Reads a reply; its id and question must be those of the query.
    pub fn read(octets: &[u8], asked: &[u8]) -> Result<Reply, String> {
        let read = reply::decode(octets)?;
        if octets[..2] != asked[..2] {
            return Err("another id".to_owned());
        }
        let [answer, authority, additional] = read.sections.each_ref().map(|section| {
            let mut records: Vec<Record> = section.iter().map(Record::of).collect();
            records.sort();
            records
        });
        Ok(Reply {
            rcode: read.rcode,
            authoritative: read.is_authoritative(),
            truncated: read.is_truncated(),
            has_opt: read.opt.is_some(),
            answer,
            authority,
            additional,
        })
    }

    /// Whether this refers to other servers: no answer of its own, NS without AA or behind a CNAME.
    pub fn is_referral(&self) -> bool {
        self.authority.iter().any(|r| r.rtype == 2)
            && (!self.authoritative || self.answer.iter().all(|r| matches!(r.rtype, 5 | 39)))
    }
}

impl fmt::Display for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Reply { rcode, authoritative, truncated, has_opt, .. } = self;
        writeln!(f, "    rcode {rcode} aa {authoritative} tc {truncated} opt {has_opt}")?;
        for (name, section) in
            [("answer", &self.answer), ("authority", &self.authority), ("additional", &self.additional)]
        {
            for r in section.iter().take(12) {
                writeln!(f, "    {name} {} {} TYPE{} {:.120}", r.owner, r.ttl, r.rtype, r.rdata)?;
            }
        }
        Ok(())
    }
}
