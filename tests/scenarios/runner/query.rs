//! Questions as scenarios write them, and the octets that they are.

use meridian::testing::answer::Transport;
use meridian::testing::wire::name::Name;
use meridian::testing::wire::rr::RrType;
use std::net::IpAddr;

/// A question.
#[derive(Clone)]
pub struct Ask {
    /// Name, with its letter case.
    pub name: String,
    /// Name in wire form.
    pub wire: Vec<u8>,
    /// Type.
    pub rtype: RrType,
    /// Class.
    pub class: u16,
    /// Address of the resolver.
    pub from: IpAddr,
    /// How it arrives.
    pub transport: Transport,
    /// Whether there is an OPT.
    pub edns: bool,
    /// Advertised payload.
    pub payload: u16,
    /// EDNS version.
    pub version: u8,
    /// DO.
    pub dnssec_ok: bool,
    /// Options as octets: code and data.
    pub options: Vec<(u16, Vec<u8>)>,
    /// How many times the OPT is written.
    pub opts: u8,
    /// PoPs that are down by probes.
    pub down: Vec<String>,
    /// PoPs that flap.
    pub flaps: Vec<String>,
    /// What is random.
    pub draw: u64,
    /// Opcode.
    pub opcode: u8,
    /// Flag bits of the header: RD, CD, QR.
    pub flags: u16,
    /// QDCOUNT.
    pub questions: u16,
    /// Octets behind the message.
    pub surplus: Vec<u8>,
}

impl Ask {
    /// Reads `NAME TYPE ...`.
    pub fn parse(words: &[&str]) -> Result<Ask, String> {
        let [name, rtype, rest @ ..] = words else { return Err("expected `ask NAME TYPE ...`".to_owned()) };
        let wire = Name::parse(name, None).map_err(|e| format!("`{name}`: {e}"))?.as_wire().to_vec();
        let rtype = RrType::from_text(rtype).ok_or_else(|| format!("`{rtype}` is not a type"))?;
        let mut ask = Ask {
            name: (*name).to_owned(),
            wire,
            rtype,
            class: 1,
            from: IpAddr::from([192, 0, 2, 53]),
            transport: Transport::Udp,
            edns: true,
            payload: 1232,
            version: 0,
            dnssec_ok: false,
            options: Vec::new(),
            opts: 1,
            down: Vec::new(),
            flaps: Vec::new(),
            draw: 0,
            opcode: 0,
            flags: 0,
            questions: 1,
            surplus: Vec::new(),
        };
        let mut words = rest.iter();
        while let Some(&word) = words.next() {
            let mut value = || words.next().copied().ok_or_else(|| format!("`{word}` needs a value"));
            match word {
                "from" => ask.from = value()?.parse().map_err(|_| "`from` needs an address".to_owned())?,
                "ecs" => {
                    let (address, len) = value()?.split_once('/').ok_or("`ecs` needs a prefix")?;
                    let address = address.parse().map_err(|_| "`ecs` needs a prefix".to_owned())?;
                    ask.options.push((8, subnet(address, number(len)?)));
                }
                "flaps" => ask.flaps = value()?.split(',').map(str::to_owned).collect(),
                "down" => ask.down = value()?.split(',').map(str::to_owned).collect(),
                "tcp" => ask.transport = Transport::Tcp,
                "dot" => ask.transport = Transport::Dot,
                "doh" => ask.transport = Transport::Doh,
                "doq" => ask.transport = Transport::Doq,
                "payload" => ask.payload = number(value()?)?,
                "draw" => ask.draw = number(value()?)?,
                "plain" => ask.edns = false,
                "version" => ask.version = number(value()?)?,
                "do" => ask.dnssec_ok = true,
                "nsid" => ask.options.push((3, Vec::new())),
                "option" => {
                    let code = number(value()?)?;
                    let data = value()?;
                    ask.options.push((code, if data == "-" { Vec::new() } else { hex(data)? }));
                }
                "opts" => ask.opts = number(value()?)?,
                "class" => {
                    ask.class = match value()? {
                        "IN" => 1,
                        "CH" => 3,
                        "HS" => 4,
                        "ANY" => 255,
                        other => number(other)?,
                    }
                }
                "opcode" => ask.opcode = number(value()?)?,
                "rd" => ask.flags |= 0x0100,
                "cd" => ask.flags |= 0x0010,
                "response" => ask.flags |= 0x8000,
                "questions" => ask.questions = number(value()?)?,
                "surplus" => ask.surplus = hex(value()?)?,
                _ => return Err(format!("`{word}` is not understood after `ask`")),
            }
        }
        Ok(ask)
    }

    /// The message.
    pub fn packet(&self) -> Vec<u8> {
        let flags = self.flags | u16::from(self.opcode) << 11;
        let opts = if self.edns { self.opts } else { 0 };
        let mut packet = vec![0xbe, 0xef];
        for word in [flags, self.questions, 0, 0, u16::from(opts)] {
            packet.extend(word.to_be_bytes());
        }
        for _ in 0..self.questions {
            packet.extend(&self.wire);
            packet.extend(self.rtype.0.to_be_bytes());
            packet.extend(self.class.to_be_bytes());
        }
        for _ in 0..opts {
            packet.extend([0, 0, 41]);
            packet.extend(self.payload.to_be_bytes());
            packet.extend([0, self.version, if self.dnssec_ok { 0x80 } else { 0 }, 0]);
            let options: Vec<u8> = self
                .options
                .iter()
                .flat_map(|(code, data)| {
                    [&code.to_be_bytes()[..], &(data.len() as u16).to_be_bytes(), data].concat()
                })
                .collect();
            packet.extend((options.len() as u16).to_be_bytes());
            packet.extend(options);
        }
        packet.extend(&self.surplus);
        packet
    }
}

/// A client subnet option's data: as a careful resolver sends it.
pub fn subnet(address: IpAddr, len: u8) -> Vec<u8> {
    let (family, mut octets) = match address {
        IpAddr::V4(a) => (1, a.octets().to_vec()),
        IpAddr::V6(a) => (2, a.octets().to_vec()),
    };
    octets.truncate(usize::from(len).div_ceil(8));
    if let Some(last) = octets.last_mut().filter(|_| !len.is_multiple_of(8)) {
        *last &= !(0xff >> (len % 8));
    }
    [&[0, family, len, 0], &octets[..]].concat()
}

/// A number in the range of its type.
pub fn number<N: std::str::FromStr>(word: &str) -> Result<N, String> {
    word.parse().map_err(|_| format!("`{word}` is not a number in range"))
}

fn hex(word: &str) -> Result<Vec<u8>, String> {
    let pairs = word.as_bytes().chunks(2);
    pairs
        .map(|pair| {
            std::str::from_utf8(pair)
                .ok()
                .filter(|p| p.len() == 2)
                .and_then(|p| u8::from_str_radix(p, 16).ok())
        })
        .collect::<Option<_>>()
        .ok_or_else(|| format!("`{word}` is not hexadecimal octets"))
}
