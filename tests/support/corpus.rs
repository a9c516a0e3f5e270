//! Messages that every transport answers alike.

use crate::deployment::{message, query, with_option, with_subnet};

const A: u16 = 1;
const AXFR: u16 = 252;
/// Code of the keepalive option, whose answer alone depends on the transport.
pub const KEEPALIVE: u8 = 11;
/// Code of the padding option.
pub const PADDING: u8 = 12;

/// Queries as RFC 8906 has them, and others: what they are, and the message.
pub fn queries() -> Vec<(&'static str, Vec<u8>)> {
    let plain = query(7, "wWw.cDn.example", A);
    let version = |version: u8| {
        let mut octets = with_option(plain.clone(), 3, &[]);
        let at = plain.len() + 6;
        octets[at] = version;
        octets
    };
    let flagged = |byte: usize, bit: u8| {
        let mut octets = plain.clone();
        octets[byte] |= bit;
        octets
    };
    let of_class = |class: u8| {
        let mut octets = plain.clone();
        *octets.last_mut().expect("a class") = class;
        octets
    };
    let mut no_question = plain[..12].to_vec();
    no_question[5] = 0;
    vec![
        ("an address", plain.clone()),
        ("a name of no zone", query(8, "other.test", A)),
        ("a name that is not there", query(9, "none.cdn.example", A)),
        ("the SOA", query(10, "cdn.example", 6)),
        ("an unknown type", query(11, "cdn.example", 65_280)),
        ("a transfer", query(12, "cdn.example", AXFR)),
        ("ANY", query(13, "cdn.example", 255)),
        ("another class", of_class(3)),
        ("NOTIFY", message(14, 4, "cdn.example", 6)),
        ("an unknown opcode", message(15, 15, "cdn.example", 6)),
        ("Z", flagged(3, 0x40)),
        ("RD, AD and CD", flagged(3, 0x30)),
        ("TC", flagged(2, 0x02)),
        ("no question", no_question),
        ("EDNS", with_option(plain.clone(), 3, &[])),
        ("another version of EDNS", version(1)),
        ("an unknown option", with_option(plain.clone(), 100, &[1, 2])),
        ("a client subnet", with_subnet(plain.clone(), [192, 0, 2])),
        ("a broken client subnet", with_option(plain.clone(), 8, &[0])),
        ("a keepalive", with_option(plain, KEEPALIVE, &[])),
    ]
}
