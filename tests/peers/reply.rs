//! A reply as compared: order, letter case of names and compression aside.

use domain::base::{Message, ParsedName};
use domain::rdata::AllRecordData;
use std::fmt;

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
    pub rcode: u8,
    pub authoritative: bool,
    pub truncated: bool,
    pub has_opt: bool,
    pub answer: Vec<Record>,
    pub authority: Vec<Record>,
    pub additional: Vec<Record>,
}

/// Types whose data is names and numbers: letter case there means nothing.
const NAMED: &[u16] = &[2, 5, 6, 12, 14, 15, 17, 18, 33, 35, 36, 39, 64, 65];

impl Reply {
    /// Reads a reply; its id and question must be those of the query.
    pub fn read(octets: &[u8], asked: &[u8]) -> Result<Reply, String> {
        let message = Message::from_octets(octets).map_err(|_| "shorter than a header".to_owned())?;
        if octets[..2] != asked[..2] {
            return Err("another id".to_owned());
        }
        let header = message.header();
        let section =
            |section: Result<domain::base::RecordSection<'_, [u8]>, _>| -> Result<Vec<Record>, String> {
                let mut records = Vec::new();
                let section = section.map_err(|e: domain::base::wire::ParseError| e.to_string())?;
                for record in section.limit_to::<AllRecordData<_, ParsedName<_>>>() {
                    let record = record.map_err(|e| e.to_string())?;
                    let rtype = record.rtype().to_int();
                    if rtype == 41 {
                        continue;
                    }
                    let rdata = record.data().to_string();
                    records.push(Record {
                        owner: record.owner().to_string().to_ascii_lowercase(),
                        rtype,
                        ttl: record.ttl().as_secs(),
                        rdata: if NAMED.contains(&rtype) { rdata.to_ascii_lowercase() } else { rdata },
                    });
                }
                records.sort();
                Ok(records)
            };
        let message = Message::from_slice(octets).map_err(|_| "shorter than a header".to_owned())?;
        Ok(Reply {
            rcode: header.rcode().to_int(),
            authoritative: header.aa(),
            truncated: header.tc(),
            has_opt: message.opt().is_some(),
            answer: section(message.answer())?,
            authority: section(message.authority())?,
            additional: section(message.additional())?,
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
