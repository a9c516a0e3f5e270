//! Questions of every kind, octet by octet.

use meridian::testing::geo::prefix::Prefix;
use meridian::testing::snapshot::Snapshot;
use meridian::testing::wire::cookie;
use meridian::testing::wire::rr::RrType;
use std::net::IpAddr;
use support::EPOCH_SECS;
use support::dice::Dice;

/// A question in the making.
pub struct Asked<'a> {
    name: &'a str,
    rtype: RrType,
    class: u16,
    /// Which letters are capitals, by the position in the name.
    capitals: u64,
    payload: u16,
    version: u8,
    dnssec_ok: bool,
    /// OPT records that stand in the message, if there are options.
    opts: u8,
    /// Options; `None` is a question without EDNS.
    options: Option<Vec<u8>>,
}

impl<'a> Asked<'a> {
    /// A plain question.
    pub fn new(name: &'a str, rtype: RrType, options: Option<Vec<u8>>) -> Asked<'a> {
        Asked {
            name,
            rtype,
            class: 1,
            capitals: 0,
            payload: 1232,
            version: 0,
            dnssec_ok: false,
            opts: 1,
            options,
        }
    }

    /// Its octets.
    pub fn packet(&self) -> Vec<u8> {
        let opts = if self.options.is_some() { self.opts } else { 0 };
        let mut packet = vec![0x4d, 0x44, 1, 0, 0, 1, 0, 0, 0, 0, 0, opts];
        for label in self.name.trim_end_matches('.').split('.').filter(|label| !label.is_empty()) {
            packet.push(label.len() as u8);
            for octet in label.bytes() {
                let is_capital = self.capitals >> (packet.len() % 64) & 1 == 1;
                packet.push(if is_capital { octet.to_ascii_uppercase() } else { octet });
            }
        }
        packet.push(0);
        packet.extend(self.rtype.0.to_be_bytes());
        packet.extend(self.class.to_be_bytes());
        for options in self.options.iter().flat_map(|options| (0..opts).map(move |_| options)) {
            packet.extend([0, 0, 41]);
            packet.extend(self.payload.to_be_bytes());
            packet.extend([0, self.version, u8::from(self.dnssec_ok) << 7, 0]);
            packet.extend((options.len() as u16).to_be_bytes());
            packet.extend(options);
        }
        packet
    }
}

/// A client subnet option.
pub fn subnet(family: u8, source: u8, scope: u8, octets: &[u8]) -> Vec<u8> {
    [&[0, 8, 0, 4 + octets.len() as u8, 0, family, source, scope], octets].concat()
}

/// What may stand in an OPT.
#[derive(Clone, Copy)]
enum Put {
    Subnet,
    /// Bits behind the source, a scope, an unknown family, an octet too many.
    DirtySubnet,
    /// Source 0 of family 0, 1 or 2: asks not to be located.
    Nowhere,
    /// A client cookie with a server cookie that is good, unless it is too old by now.
    GoodCookie,
    BadCookie,
    ClientCookie,
    Nsid,
    Unknown,
    Padding,
    Keepalive,
    ZoneVersion,
}

/// The options of a question. What is asked most stands more than once.
const OPTIONS: [&[Put]; 26] = {
    use Put::*;
    [
        &[],
        &[],
        &[Subnet],
        &[Subnet],
        &[Subnet],
        &[Subnet],
        &[Subnet],
        &[GoodCookie],
        &[GoodCookie],
        &[BadCookie],
        &[ClientCookie],
        &[Subnet, GoodCookie],
        &[GoodCookie, Subnet],
        &[Nsid],
        &[Nsid, Subnet],
        &[Subnet, Subnet],
        &[Unknown, Subnet],
        &[Padding],
        &[Keepalive, Padding, Subnet],
        &[Padding, GoodCookie, Keepalive],
        &[Subnet, ClientCookie, Nsid],
        &[GoodCookie, BadCookie],
        &[ZoneVersion],
        &[ZoneVersion, Subnet, Nsid],
        &[DirtySubnet],
        &[Nowhere],
    ]
};

fn option(dice: &mut Dice, put: Put, known: &[Prefix], (snapshot, from): (&Snapshot, IpAddr)) -> Vec<u8> {
    let cookie = |octets: &[u8]| [&[0, 10, 0, octets.len() as u8], octets].concat();
    match put {
        Put::Subnet | Put::DirtySubnet => {
            let address = dice.client(known);
            let (family, width) = if address.is_ipv4() { (1, 32) } else { (2, 128) };
            let source = [width, width / 4 * 3, dice.below(width + 1)][dice.below(3)];
            let octets = match Prefix::new(address, source as u8).address() {
                IpAddr::V4(address) => address.octets().to_vec(),
                IpAddr::V6(address) => address.octets().to_vec(),
            };
            let octets = &octets[..source.div_ceil(8)];
            if matches!(put, Put::Subnet) {
                return subnet(family, source as u8, 0, octets);
            }
            match dice.below(4) {
                0 => subnet(family, 9, 0, &[10, 1]),
                1 => subnet(family, source as u8, 8, octets),
                2 => subnet(3, source as u8, 0, octets),
                _ => subnet(family, source as u8, 0, &[octets, &[0]].concat()),
            }
        }
        Put::Nowhere => subnet(dice.below(3) as u8, 0, 0, &[]),
        Put::GoodCookie => {
            let client = cookie::CookieOption::parse(&dice.roll().to_be_bytes())
                .expect("eight octets are a client cookie");
            snapshot
                .cookies
                .answer(&client, from, EPOCH_SECS)
                .map_or_else(Vec::new, |(_, whole)| cookie(&whole))
        }
        Put::BadCookie => cookie(&[dice.roll() as u8; 24]),
        Put::ClientCookie => cookie(&dice.roll().to_be_bytes()),
        Put::Nsid => vec![0, 3, 0, 0],
        Put::Unknown => vec![0, 20, 0, 3, 0, 0, 0],
        Put::Padding => vec![0, 12, 0, 3, 0, 0, 0],
        Put::ZoneVersion => vec![0, 19, 0, 0],
        Put::Keepalive => vec![0, 11, 0, 0],
    }
}

/// Types beside addresses: those with data in the zones, those that only ask, and those that are no
/// question at all.
const OTHERS: [u16; 19] = [16, 16, 65, 257, 15, 6, 2, 5, 255, 43, 33, 39, 0, 41, 99, 248, 249, 254, 65280];

/// A question of a client to a snapshot.
pub fn asked(dice: &mut Dice, names: &[&str], known: &[Prefix], whose: (&Snapshot, IpAddr)) -> Vec<u8> {
    let mut name = (*dice.pick(names)).to_owned();
    if dice.once_in(12) {
        name.insert_str(0, dice.pick::<&str>(&["zz.", "*.", "x.y.", "q.dn."]));
    }
    if dice.once_in(60) {
        name.insert_str(0, &"a.".repeat(dice.below(110)));
    }
    let rtype = if dice.once_in(3) { *dice.pick(&OTHERS) } else { *dice.pick(&[1, 1, 1, 28, 28]) };
    let options = (!dice.once_in(4)).then(|| {
        let put = *dice.pick(&OPTIONS);
        put.iter().flat_map(|put| option(dice, *put, known, whose)).collect()
    });
    Asked {
        class: if dice.once_in(40) { *dice.pick(&[0, 3, 4, 255]) } else { 1 },
        capitals: if dice.once_in(2) { dice.roll() } else { 0 },
        payload: *dice.pick(&[0, 512, 1232, 1232, 65_535]),
        version: u8::from(dice.once_in(40)),
        dnssec_ok: dice.once_in(2),
        opts: if dice.once_in(40) { 2 } else { 1 },
        ..Asked::new(&name, RrType(rtype), options)
    }
    .packet()
}
