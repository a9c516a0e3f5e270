//! Conversations of clients with the lanes of streams, recorded, and wounded: DNS over TCP, TLS and
//! QUIC, and HTTP.

mod browser;

use crate::{drive, mutate, targets};
use meridian::testing::transport::scripted::{Entrance, Step};
use std::panic::catch_unwind;
use support::dice::Dice;
use support::{deployment, query};
use targets::tls::{HEADER, QUERY};

const NAMES: [&str; 4] = ["www.shop.example.", "global.edge.cdn.example.", "missing.cdn.example.", "a.test."];

/// Messages that clients send, without their IDs.
fn messages() -> Vec<Vec<u8>> {
    let mut messages: Vec<Vec<u8>> =
        NAMES.iter().map(|name| query(name, meridian::testing::wire::rr::RrType::A, None)).collect();
    messages.extend(support::corpus::queries().into_iter().map(|(_, message)| message));
    messages.iter_mut().for_each(|message| message[..2].fill(0));
    messages
}

/// A few of the octets, in one piece, behind an octet that says what they are.
fn chosen(dice: &mut Dice, kind: u8, front: &[u8], seeds: &[Vec<u8>], words: &[&[u8]]) -> Vec<u8> {
    let mut input = front.to_vec();
    for _ in 0..1 + dice.below(3) {
        input.extend_from_slice(dice.pick::<Vec<u8>>(seeds));
    }
    if !dice.once_in(20) {
        mutate(dice, &mut input, words);
    }
    input.insert(0, kind);
    input
}

/// Messages behind their lengths, of clients and of balancers.
#[test]
fn framed_messages() {
    let seeds: Vec<Vec<u8>> = messages().iter().map(|message| deployment::framed(message)).collect();
    let words: [&[u8]; 7] =
        [&[0, 0], &[0, 1], &[0, 12], &[0xff, 0xff], HEADER, b"\x20\0\0\0", b"\r\n\r\n\0\r\nQUIT\n"];
    let make = |dice: &mut Dice| {
        let is_balancer = dice.once_in(2);
        let front: &[u8] = if is_balancer { HEADER } else { &[] };
        chosen(dice, is_balancer.into(), front, &seeds, &words)
    };
    drive("framed_messages", targets::stream::stream, 10_000, make, || {});
}

/// Octets of one stream of DNS over QUIC.
#[test]
fn streams_over_quic() {
    let seeds: Vec<Vec<u8>> = messages().iter().map(|message| deployment::framed(message)).collect();
    let words: [&[u8]; 5] = [&[0, 0], &[0, 1], &[0xff, 0xff], &[0, 11, 0, 0], &[0, 0, 41, 4, 208]];
    let make = |dice: &mut Dice| {
        let mut input = dice.pick::<Vec<u8>>(&seeds).clone();
        if !dice.once_in(10) {
            mutate(dice, &mut input, &words);
        }
        // A length that fits once more, so that the message is read.
        if dice.once_in(2) && input.len() >= 2 {
            let length = (input.len() - 2) as u16;
            input[..2].copy_from_slice(&length.to_be_bytes());
        }
        input
    };
    drive("streams_over_quic", targets::doq::doq, 20_000, make, || {});
}

/// Requests as HTTP/1.1 has them: methods, paths, queries and headers.
#[test]
fn requests_over_http1() {
    let mut seeds: Vec<Vec<u8>> = vec![
        b"HEAD /dns-query HTTP/1.1\r\nhost: a\r\n\r\n".to_vec(),
        b"PUT / HTTP/1.1\r\nhost: a\r\ncontent-length: 0\r\nexpect: 100-continue\r\n\r\n".to_vec(),
        b"POST /dns-query HTTP/1.1\r\nhost: a\r\ncontent-type: application/dns-message\r\n\
          transfer-encoding: chunked\r\n\r\n2\r\n\0\0\r\n0\r\n\r\n"
            .to_vec(),
    ];
    for message in messages() {
        let value = data_encoding::BASE64URL_NOPAD.encode(&message);
        seeds.push(format!("GET /dns-query?dns={value} HTTP/1.1\r\nhost: a\r\n\r\n").into_bytes());
        let head = format!(
            "POST /dns-query HTTP/1.1\r\nhost: a\r\ncontent-type: application/dns-message\r\n\
             content-length: {}\r\n\r\n",
            message.len()
        );
        seeds.push([head.as_bytes(), &message].concat());
    }
    let words: [&[u8]; 16] = [
        b"\r\n",
        b"&dns=AAEB",
        b"?dns=",
        b"%64",
        b"=",
        b"/../dns-query",
        b"https://dns.example",
        b"content-type: application/dns-message\r\n",
        b"content-encoding: br\r\n",
        b"content-length: 5\r\n",
        b"transfer-encoding: chunked\r\n",
        b"connection: close\r\n",
        b"connection: upgrade\r\nupgrade: h2c\r\n",
        b"HTTP/1.0",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"\xc3\xa9",
    ];
    let make = |dice: &mut Dice| chosen(dice, 0, &[], &seeds, &words);
    drive("requests_over_http1", targets::http::http, 10_000, make, || {});
}

/// Frames as a client of HTTP/2 sends them.
#[test]
fn frames_of_http2() {
    let seeds: Vec<Vec<u8>> = messages().iter().map(|message| browser::recorded(message)).collect();
    let preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    assert!(seeds.iter().all(|seed| seed.starts_with(preface)));
    let words: [&[u8]; 12] = [
        b"\0\0\x04\x08\0\0\0\0\0\x7f\xff\xff\xff",
        b"\0\0\x04\x03\0\0\0\0\x01\0\0\0\x08",
        b"\0\0\x08\x06\0\0\0\0\0abcdefgh",
        b"\0\0\0\x04\x01\0\0\0\0",
        b"\0\0\x06\x04\0\0\0\0\0\0\x04\0\0\0\0",
        b"\0\0\x05\x02\0\0\0\0\x01\0\0\0\x01\x10",
        b"\0\0\x01\x09\x04\0\0\0\x01\x82",
        b"\0\0\x08\x07\0\0\0\0\0\0\0\0\0\0\0\0\0",
        b"\0\0\0\0\x01\0\0\0\x01",
        b"\0\0\0\x63\0\0\0\0\0",
        b"\x82\x84\x86\x41\x8a",
        b"\xff\xff\xff\xff",
    ];
    let make = |dice: &mut Dice| {
        let mut input = dice.pick::<Vec<u8>>(&seeds).clone();
        // Requests behind others: the frames of another client, without its preface.
        for _ in 0..dice.below(3) {
            input.extend_from_slice(&dice.pick::<Vec<u8>>(&seeds)[preface.len()..]);
        }
        let mut frames = input.split_off(preface.len());
        if !dice.once_in(20) {
            mutate(dice, &mut frames, &words);
        }
        if dice.once_in(50) {
            mutate(dice, &mut input, &words);
        }
        [&[1][..], &input, &frames].concat()
    };
    drive("frames_of_http2", targets::http::http, 10_000, make, || {});
}

/// Handshakes of both versions: the octets of a client as they were recorded, wounded, and clients
/// that go on until their one wound, which may be in the header of a balancer inside TLS.
#[test]
fn records_of_tls() {
    let seeds: Vec<(u8, Vec<u8>)> = (0..16_u8)
        .filter(|kind| kind & 4 == 0)
        .map(|kind| {
            let entrance = if kind & 1 == 1 { Entrance::Doh } else { Entrance::Dot };
            (kind, targets::tls::recorded(entrance, kind & 2 != 0, kind & 8 != 0))
        })
        .collect();
    let words: [&[u8]; 9] = [
        b"\x16\x03\x01\0\x01\x01",
        b"\x14\x03\x03\0\x01\x01",
        b"\x15\x03\x03\0\x02\x01\0",
        b"\x15\x03\x03\0\x02\x02\x28",
        b"\x17\x03\x03\x40\0",
        b"\x17\x03\x03\0\0",
        b"\0\x10\0\x05\0\x03\x02h2",
        b"\0\0\0\x10\0\x0e\0\0\x0bdns.example",
        b"\xff\xff",
    ];
    let make = |dice: &mut Dice| {
        let (kind, octets) = dice.pick::<(u8, Vec<u8>)>(&seeds);
        if dice.once_in(8) {
            // The header of a balancer comes in clear or inside TLS, with the wound there.
            let is_inside = kind & 8 != 0 && dice.once_in(2);
            let length = if is_inside { HEADER.len() + QUERY.len() } else { octets.len() + 40 };
            let place = (dice.below(length) as u16).to_be_bytes();
            let turned = if dice.once_in(4) { 0 } else { 1 << dice.below(8) };
            return vec![kind | 4 | u8::from(is_inside) << 4, place[0], place[1], turned];
        }
        let mut octets = octets.clone();
        mutate(dice, &mut octets, &words);
        [&[*kind][..], &octets].concat()
    };
    drive("records_of_tls", targets::tls::tls, 4_000, make, || {});
}

/// A connection that only a timer of the server would end is noticed, and nothing waits for that
/// timer; later conversations are as before.
#[test]
fn standstills_are_noticed() {
    let half_a_length = || targets::lanes::talk(Entrance::Tcp, false, |_| Step::Send(vec![0]));
    let panic = catch_unwind(half_a_length).expect_err("no end");
    assert_eq!(panic.downcast_ref(), Some(&"the connection outlives its client"));
    let reply = targets::lanes::replay(Entrance::Tcp, false, QUERY);
    assert!(reply.ends_with(&[203, 0, 113, 53]), "{reply:?}");
}
