//! Replies, decoded by the crate `domain`.

use domain::base::iana::{OptRcode, OptionCode, Rtype};
use domain::base::opt::{ClientSubnet, UnknownOptData};
use domain::base::{Message, ParsedName, ToName};
use domain::rdata::AllRecordData;

/// A reply.
#[derive(Debug, Default)]
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
    pub status: String,
    /// Name and type of the question.
    pub question: Option<(String, String)>,
    /// Records of the sections without the OPT, as words: owner, TTL, type, data.
    pub sections: [Vec<Vec<String>>; 3],
    /// The OPT.
    pub opt: Option<OptReply>,
    /// As dig shows it.
    pub dig: String,
}

/// The OPT of a reply.
#[derive(Debug, Default)]
pub struct OptReply {
    /// Payload size.
    pub payload: u16,
    /// Version.
    pub version: u8,
    /// Client subnet, and its scope.
    pub subnet: Option<(String, u8)>,
    /// NSID.
    pub nsid: Option<String>,
    /// The COOKIE option in hexadecimal.
    pub cookie: Option<String>,
    /// Code of the extended error.
    pub ede: Option<u16>,
}

/// Decodes a reply strictly; the error says what a resolver would choke on.
pub fn decode(octets: &[u8]) -> Result<Reply, String> {
    let message = Message::from_octets(octets).map_err(|e| e.to_string())?;
    let header = message.header();
    let mut reply = Reply {
        id: header.id(),
        opcode: header.opcode().to_int(),
        is_response: header.qr(),
        dig: message.display_dig_style().to_string(),
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
                if index != 2 || reply.opt.is_some() || !record.owner().is_root() {
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
            let mut words = vec![
                record.owner().fmt_with_dot().to_string(),
                record.ttl().as_secs().to_string(),
                record.rtype().to_string(),
            ];
            words.extend(record.data().to_string().split_whitespace().map(str::to_owned));
            reply.sections[index].push(words.iter().map(|w| plain(w)).collect());
        }
        if index < 2 {
            section = section.next_section().map_err(|e| e.to_string())?.ok_or("a section is missing")?;
        } else if section.pos() != octets.len() {
            return Err(format!("{} octets behind the message", octets.len() - section.pos()));
        }
    }
    reply.status = status.to_string();
    Ok(reply)
}

fn options<Octs: domain::dep::octseq::Octets>(
    opt: &domain::base::opt::OptRecord<Octs>,
) -> Result<OptReply, String> {
    let mut reply =
        OptReply { payload: opt.udp_payload_size(), version: opt.version(), ..OptReply::default() };
    // `domain` does not read family 0, which RFC 7871 section 7.1.2 allows with source 0.
    let is_family_zero = |data: &[u8]| data.starts_with(&[0, 0, 0]);
    let raw = opt.opt().iter::<UnknownOptData<_>>().flatten();
    if let Some(option) =
        raw.into_iter().find(|o| o.code() == OptionCode::CLIENT_SUBNET && is_family_zero(o.data().as_ref()))
    {
        reply.subnet = Some(("family 0".to_owned(), option.data().as_ref().get(3).copied().unwrap_or(0)));
        return Ok(reply);
    }
    for subnet in opt.opt().iter::<ClientSubnet>() {
        let subnet = subnet.map_err(|e| format!("client subnet: {e}"))?;
        if reply.subnet.is_some() {
            return Err("two client subnets".to_owned());
        }
        reply.subnet =
            Some((format!("{}/{}", subnet.addr(), subnet.source_prefix_len()), subnet.scope_prefix_len()));
    }
    for option in opt.opt().iter::<UnknownOptData<_>>() {
        let option = option.map_err(|e| format!("option: {e}"))?;
        let data = option.data().as_ref();
        match option.code() {
            OptionCode::NSID => reply.nsid = Some(String::from_utf8_lossy(data).into_owned()),
            OptionCode::COOKIE if reply.cookie.is_some() => return Err("two cookies".to_owned()),
            OptionCode::COOKIE => {
                reply.cookie = Some(data.iter().map(|octet| format!("{octet:02x}")).collect())
            }
            OptionCode::EXTENDED_ERROR => reply.ede = data.first_chunk::<2>().map(|c| u16::from_be_bytes(*c)),
            _ => {}
        }
    }
    Ok(reply)
}

/// A word as it is compared: lower case, and without a final dot, since presentation formats differ
/// in that.
pub fn plain(word: &str) -> String {
    let word = word.to_ascii_lowercase();
    if word == "." { word } else { word.strip_suffix('.').unwrap_or(&word).to_owned() }
}
