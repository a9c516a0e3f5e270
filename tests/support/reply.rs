//! The one decoder of replies in tests, over the crate `domain`, which is neither engine's own: no
//! answer is checked by its author.
//!
//! A second decoder, hickory-proto, reads replies beside this one where a judge by another hand is
//! the point: in `tests/laws/reply.rs`, `tests/scenarios/https.rs` and `fuzz/src`. The portable
//! engine is made of it, so that it is no judge of that engine. Two places read octets by their
//! offsets, because they read millions: the promises of `tests/simulation` and
//! [`crate::world::Expected`].

use domain::base::iana::{OptRcode, OptionCode, Rtype};
use domain::base::opt::{ClientSubnet, UnknownOptData};
use domain::base::{Message, ParsedName, ToName};
use domain::rdata::AllRecordData;
use std::fmt;

/// Places of the sections in [`Reply::sections`].
pub const ANSWER: usize = 0;
pub const AUTHORITY: usize = 1;
pub const ADDITIONAL: usize = 2;

/// A reply.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Reply {
    /// ID.
    pub id: u16,
    /// Opcode.
    pub opcode: u8,
    /// Flags but QR.
    pub flags: Vec<&'static str>,
    /// QR.
    pub is_response: bool,
    /// Response code, the upper bits of the OPT included.
    pub rcode: u16,
    /// Mnemonic of the response code.
    pub status: String,
    /// Name and type of the question.
    pub question: Option<(String, String)>,
    /// Records of the sections without the OPT.
    pub sections: [Vec<Record>; 3],
    /// The OPT.
    pub opt: Option<OptReply>,
    octets: Vec<u8>,
}

/// A record, of class IN as all of ours.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Record {
    pub owner: String,
    pub ttl_secs: u32,
    pub rtype: u16,
    /// Mnemonic of the type.
    pub type_word: String,
    /// Data in presentation format.
    pub rdata: String,
}

/// The OPT of a reply.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OptReply {
    /// Payload size.
    pub payload: u16,
    /// Version.
    pub version: u8,
    /// DO.
    pub is_dnssec_ok: bool,
    /// Client subnet, and its scope.
    pub subnet: Option<(String, u8)>,
    /// NSID.
    pub nsid: Option<String>,
    /// The COOKIE option.
    pub cookie: Option<Vec<u8>>,
    /// Code of the extended error.
    pub ede: Option<u16>,
    /// Code and data of every option.
    pub options: Vec<(u16, Vec<u8>)>,
}

/// Decodes a reply strictly; the error is the first fault of the message.
pub fn decode(octets: &[u8]) -> Result<Reply, String> {
    let message = Message::from_octets(octets).map_err(|e| e.to_string())?;
    let header = message.header();
    let mut reply = Reply {
        id: header.id(),
        opcode: header.opcode().to_int(),
        is_response: header.qr(),
        octets: octets.to_vec(),
        ..Reply::default()
    };
    let flags = [
        ("aa", header.aa()),
        ("tc", header.tc()),
        ("rd", header.rd()),
        ("ra", header.ra()),
        ("ad", header.ad()),
        ("cd", header.cd()),
    ];
    reply.flags = flags.iter().filter(|(_, set)| *set).map(|(name, _)| *name).collect();
    let mut status = OptRcode::from(header.rcode());
    let mut questions = message.question();
    for question in &mut questions {
        let question = question.map_err(|e| format!("question: {e}"))?;
        if reply.question.is_some() {
            return Err("two questions".to_owned());
        }
        reply.question = Some((question.qname().fmt_with_dot().to_string(), question.qtype().to_string()));
    }
    let mut section = questions.answer().map_err(|e| e.to_string())?;
    for index in 0..3 {
        for record in &mut section {
            let record = record.map_err(|e| format!("section {index}: {e}"))?;
            if record.rtype() == Rtype::OPT {
                if index != ADDITIONAL || reply.opt.is_some() || !record.owner().is_root() {
                    return Err("an OPT in the wrong place".to_owned());
                }
                let opt = message.opt().ok_or("an OPT that cannot be read")?;
                status = opt.rcode(header);
                reply.opt = Some(options(&opt)?);
                continue;
            }
            let record = record
                .into_record::<AllRecordData<_, ParsedName<_>>>()
                .map_err(|e| format!("section {index}: {e}"))?
                .ok_or("a record without data")?;
            reply.sections[index].push(Record {
                owner: record.owner().fmt_with_dot().to_string(),
                ttl_secs: record.ttl().as_secs(),
                rtype: record.rtype().to_int(),
                type_word: record.rtype().to_string(),
                rdata: record.data().to_string(),
            });
        }
        if index < ADDITIONAL {
            section = section.next_section().map_err(|e| e.to_string())?.ok_or("a section is missing")?;
        } else if section.pos() != octets.len() {
            return Err(format!("{} octets behind the message", octets.len() - section.pos()));
        }
    }
    reply.rcode = status.to_int();
    reply.status = status.to_string();
    Ok(reply)
}

fn options<Octs: domain::dep::octseq::Octets>(
    opt: &domain::base::opt::OptRecord<Octs>,
) -> Result<OptReply, String> {
    let mut reply = OptReply {
        payload: opt.udp_payload_size(),
        version: opt.version(),
        is_dnssec_ok: opt.dnssec_ok(),
        ..OptReply::default()
    };
    for option in opt.opt().iter::<UnknownOptData<_>>() {
        let option = option.map_err(|e| format!("option: {e}"))?;
        let (code, data) = (option.code(), option.data().as_ref().to_vec());
        match code {
            OptionCode::NSID => reply.nsid = Some(String::from_utf8_lossy(&data).into_owned()),
            OptionCode::COOKIE if reply.cookie.is_some() => return Err("two cookies".to_owned()),
            OptionCode::COOKIE => reply.cookie = Some(data.clone()),
            OptionCode::EXTENDED_ERROR => reply.ede = data.first_chunk::<2>().map(|c| u16::from_be_bytes(*c)),
            // `domain` does not read family 0, which RFC 7871 section 7.1.2 allows with source 0.
            OptionCode::CLIENT_SUBNET if data.starts_with(&[0, 0, 0]) => {
                reply.subnet = Some(("family 0".to_owned(), data.get(3).copied().unwrap_or(0)));
            }
            _ => {}
        }
        reply.options.push((code.to_int(), data));
    }
    match reply.options.iter().filter(|(code, _)| *code == OptionCode::CLIENT_SUBNET.to_int()).count() {
        0 => {}
        1 if reply.subnet.is_some() => {}
        1 => {
            let subnet = opt.opt().iter::<ClientSubnet>().next().ok_or("a client subnet is missing")?;
            let subnet = subnet.map_err(|e| format!("client subnet: {e}"))?;
            reply.subnet = Some((
                format!("{}/{}", subnet.addr(), subnet.source_prefix_len()),
                subnet.scope_prefix_len(),
            ));
        }
        _ => return Err("two client subnets".to_owned()),
    }
    Ok(reply)
}

impl Reply {
    /// The reply that these octets must be.
    pub fn of(octets: &[u8]) -> Reply {
        decode(octets).unwrap_or_else(|error| panic!("{error}: {octets:02x?}"))
    }

    /// AA.
    pub fn is_authoritative(&self) -> bool {
        self.flags.contains(&"aa")
    }

    /// TC.
    pub fn is_truncated(&self) -> bool {
        self.flags.contains(&"tc")
    }

    /// Records of the answer section.
    pub fn answers(&self) -> &[Record] {
        &self.sections[ANSWER]
    }

    /// IPv4 addresses of the answer section.
    pub fn addresses(&self) -> Vec<String> {
        let of_a = self.answers().iter().filter(|record| record.rtype == Rtype::A.to_int());
        of_a.map(|record| record.rdata.clone()).collect()
    }

    /// TTL of the first answer, or of the SOA of a denial.
    pub fn ttl_secs(&self) -> Option<u32> {
        self.answers().first().or(self.sections[AUTHORITY].first()).map(|record| record.ttl_secs)
    }

    /// The DNS cookie.
    pub fn cookie(&self) -> Option<&[u8]> {
        self.opt.as_ref()?.cookie.as_deref()
    }

    /// Reply for a comparison with another one: the records of each section and the options are
    /// sorted, and compression does not matter.
    pub fn in_order(mut self) -> Reply {
        self.sections.iter_mut().for_each(|section| section.sort());
        if let Some(opt) = &mut self.opt {
            opt.options.sort();
        }
        self.octets = Vec::new();
        self
    }

    /// As dig shows it.
    pub fn dig(&self) -> String {
        let message = Message::from_octets(&self.octets[..]);
        message.map_or_else(|_| String::new(), |message| message.display_dig_style().to_string())
    }
}

impl Record {
    /// Owner, TTL, type and data as words.
    pub fn words(&self) -> Vec<String> {
        let mut words = vec![plain(&self.owner), self.ttl_secs.to_string(), plain(&self.type_word)];
        words.extend(self.rdata.split_whitespace().map(plain));
        words
    }
}

impl fmt::Debug for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Reply { id, opcode, flags, status, question, sections, opt, .. } = self;
        writeln!(f, "{id} opcode {opcode} {status} {flags:?} question {question:?}")?;
        for (name, section) in ["answer", "authority", "additional"].iter().zip(sections) {
            for record in section {
                let Record { owner, ttl_secs, type_word, rdata, .. } = record;
                writeln!(f, "{name} {owner} {ttl_secs} {type_word} {rdata}")?;
            }
        }
        writeln!(f, "{opt:?}")
    }
}

/// A word as it is compared: lower case, and without a final dot, since presentation formats differ
/// in that.
pub fn plain(word: &str) -> String {
    let word = word.to_ascii_lowercase();
    if word == "." { word } else { word.strip_suffix('.').unwrap_or(&word).to_owned() }
}
