//! Packets that are made: sound queries, and what is left of them after some wounds.

use crate::mutate;
use meridian::testing::geo::prefix::Prefix;
use meridian::testing::wire::rr::RrType;
use support::dice::Dice;
use support::query;

/// Names that the sample answers in different ways.
const NAMES: [&str; 14] = [
    "cdn.example.",
    "status.cdn.example.",
    "global.edge.cdn.example.",
    "api.edge.cdn.example.",
    "c1.edge.cdn.example.",
    "edge.cdn.example.",
    "none.cdn.example.",
    "www.lab.cdn.example.",
    "www.shop.example.",
    "images.shop.example.",
    "_inventory.shop.example.",
    "cdn.media.example.",
    "id.server.",
    ".",
];

/// Where the records of a sound message begin.
fn question_end(packet: &[u8]) -> usize {
    let mut at = 12;
    while packet[at] != 0 {
        at += 1 + usize::from(packet[at]);
    }
    at + 5
}

/// Adds an option to the OPT, which is the only record of a sound message.
fn add_option(packet: &mut Vec<u8>, code: u8, octets: &[u8]) {
    let length_at = question_end(packet) + 9;
    packet.extend([0, code, 0, octets.len() as u8]);
    packet.extend(octets);
    let length = (packet.len() - length_at - 2) as u16;
    packet[length_at..length_at + 2].copy_from_slice(&length.to_be_bytes());
}

/// A query, often with an option or a cookie, and often broken.
pub fn packet_input(dice: &mut Dice) -> Vec<u8> {
    if dice.once_in(20) {
        return (0..dice.below(600)).map(|_| dice.roll() as u8).collect();
    }
    let rtype = if dice.once_in(5) {
        RrType(dice.roll() as u16)
    } else {
        RrType(*dice.pick(&[1, 28, 2, 5, 6, 15, 16, 43, 65, 255, 257]))
    };
    let ecs = match dice.below(4) {
        0 => None,
        1 => Some(Prefix::new(dice.client(&[]), 0)),
        _ => {
            let address = dice.client(&[]);
            Some(Prefix::new(address, dice.below(129) as u8))
        }
    };
    let mut packet = query(dice.pick::<&str>(&NAMES), rtype, ecs);
    packet[0..2].copy_from_slice(&(dice.roll() as u16).to_be_bytes());
    if dice.once_in(4) {
        // Letters in either case come back as they were.
        let end = packet.len().min(60);
        packet[12..end]
            .iter_mut()
            .filter(|o| o.is_ascii_alphabetic())
            .for_each(|o| *o ^= 0x20 * (dice.roll() & 1) as u8);
    }
    if dice.once_in(4) {
        let (client, is_good) = ([7; 8], dice.once_in(2));
        let good = crate::targets::packet::cookie(client);
        let lengths = [8, 16, 24, 24, 24, 40, 8 + dice.below(40)];
        let mut option: Vec<u8> = good.iter().copied().chain([0; 40]).take(*dice.pick(&lengths)).collect();
        if !is_good {
            let at = dice.below(option.len());
            option[at] ^= 1 << dice.below(8);
        }
        add_option(&mut packet, 10, &option);
        if dice.once_in(4) {
            // A cookie and no question (RFC 7873 section 5.4).
            packet.drain(12..question_end(&packet));
            packet[5] = 0;
        }
    }
    let options: [&[u8]; 9] = [
        &[0, 3, 0, 0],
        &[0, 11, 0, 0],
        &[0, 12, 0, 2, 0, 0],
        &[0, 19, 0, 0],
        &[0, 10, 0, 8, 1, 2, 3, 4, 5, 6, 7, 8],
        &[0, 8, 0, 4, 0, 0, 0, 0],
        &[0, 8, 0, 7, 0, 1, 24, 0, 192, 0, 2],
        &[0, 0, 41, 2, 0, 0, 0, 0, 0, 0, 0],
        &[0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4, 1, 2, 3, 4],
    ];
    if dice.once_in(2) {
        mutate(dice, &mut packet, &options);
    }
    packet
}
