//! TSIG records of messages, and the refusals that answer them.

use super::*;

/// A header, and the question `CdN.example. SOA IN`.
const NOTIFY: &[u8] = b"\x12\x34\x20\0\0\x01\0\0\0\0\0\x01\x03CdN\x07example\0\0\x06\0\x01";
const QUESTION: &[u8] = b"\x03CdN\x07example\0";
const ALGORITHM: &[u8] = b"\x0bhmac-sha256\0";

/// Record data with a MAC of `mac` octets that is really `sent` octets long.
fn rdata(algorithm: &[u8], mac: u16, sent: usize, other: &[u8]) -> Vec<u8> {
    let mut data = [algorithm, &[0, 0, 0x65, 1, 2, 3, 1, 44], &mac.to_be_bytes(), &vec![7; sent]].concat();
    data.extend([0x56, 0x78, 0, 0]);
    data.extend((other.len() as u16).to_be_bytes());
    data.extend(other);
    data
}

/// The record that answers a message signed by `owner`, or `None` for a format error.
fn refused(owner: &[u8], rdata: &[u8]) -> Option<Vec<u8>> {
    let packet = [NOTIFY, owner].concat();
    let signature = Signature::read(&packet, NOTIFY.len(), (CLASS_ANY, 0), rdata)?;
    signature.refusal(QUESTION, &mut [0; REFUSAL_OCTETS_MAX]).map(<[u8]>::to_vec)
}

/// Key name as in the answer, type, class, TTL, then record data without MAC, with error 17.
fn expected(owner: &[u8], algorithm: &[u8]) -> Vec<u8> {
    let rdata_len = (algorithm.len() + 16) as u16;
    let mut record = [owner, &[0, 250, 0, 255, 0, 0, 0, 0], &rdata_len.to_be_bytes(), algorithm].concat();
    record.extend([0, 0, 0x65, 1, 2, 3, 1, 44, 0, 0, 0x56, 0x78, 0, 17, 0, 0]);
    record
}

/// The answer repeats key name, algorithm, time and original ID, says BADKEY, and has no MAC (RFC
/// 8945 section 5.3.2). The end of the key name that is in the question too is a pointer.
#[test]
fn keys_are_refused() {
    let longest =
        [[&[63u8][..], &[b'x'; 63]].concat().repeat(3), [&[61u8][..], &[b'y'; 61], &[0]].concat()].concat();
    let rows: [(&[u8], &[u8]); 9] = [
        (b"\x03Key\0", b"\x03Key\0"),
        (b"\0", b"\0"),
        (b"\xc0\x0c", b"\xc0\x0c"),
        (b"\x03cDn\x07EXAMPLE\0", b"\xc0\x0c"),
        (b"\x03key\x07Example\0", b"\x03key\xc0\x10"),
        (b"\x03key\xc0\x10", b"\x03key\xc0\x10"),
        // The same octets, but no label of the question begins there.
        (b"\x04mple\0", b"\x04mple\0"),
        (b"\x03Xdn\x07example\0", b"\x03Xdn\xc0\x10"),
        (&longest, &longest),
    ];
    for (owner, written) in rows {
        let record = refused(owner, &rdata(ALGORITHM, 32, 32, &[]));
        assert_eq!(record, Some(expected(written, ALGORITHM)), "{owner:?}");
    }
    let record = refused(&longest, &rdata(&longest, 0, 0, &[0; 6]));
    assert_eq!(record, Some(expected(&longest, &longest)));
}

/// Malformed records are format errors: names that loop, lead ahead, overlap or are too long,
/// algorithm names with pointers (RFC 8945 section 4.2), lengths past the end, another class
/// or TTL.
#[test]
fn what_cannot_be_interpreted() {
    let label = [&[63u8][..], &[b'x'; 63]].concat();
    let owner_at = NOTIFY.len() as u8;
    let owners: [&[u8]; 9] = [
        b"",
        b"\x03ke",
        &[0xc0, owner_at],
        &[0xc0, owner_at + 2, 0],
        &[1, b'a', 0xc0, owner_at],
        // Into the header, and a name that runs into the octets that led to it.
        b"\xc0\x0b",
        &[0xc0, owner_at - 1],
        b"\x40abc\0",
        &[label.repeat(4), vec![0]].concat(),
    ];
    for owner in owners {
        assert_eq!(refused(owner, &rdata(ALGORITHM, 32, 32, &[])), None, "{owner:?}");
    }
    let datas = [
        rdata(b"\xc0\x0c", 32, 32, &[]),
        rdata(b"\x0bhmac\0", 32, 32, &[]),
        rdata(&[label.repeat(4), vec![0]].concat(), 32, 32, &[]),
        rdata(ALGORITHM, 33, 32, &[]),
        rdata(ALGORITHM, 31, 32, &[]),
        rdata(ALGORITHM, u16::MAX, 32, &[]),
        [rdata(ALGORITHM, 32, 32, &[]), vec![0]].concat(),
        Vec::new(),
    ];
    for data in datas {
        assert_eq!(refused(b"\x03key\0", &data), None, "{data:?}");
    }
    let (packet, data) = ([NOTIFY, b"\x03key\0"].concat(), rdata(ALGORITHM, 32, 32, &[]));
    for (class, ttl, is_read) in [(255, 0, true), (1, 0, false), (255, 1, false)] {
        let read = Signature::read(&packet, NOTIFY.len(), (class, ttl), &data);
        assert_eq!(read.is_some(), is_read, "class {class}, TTL {ttl}");
    }
}

/// A chain of pointers ends after as many as a name has labels.
#[test]
fn chains_of_pointers_are_bounded() {
    for (count, is_read) in [(LABELS_MAX, true), (LABELS_MAX + 1, false)] {
        let mut packet = [&NOTIFY[..HEADER_LEN], &[0]].concat();
        let mut to = HEADER_LEN;
        for _ in 0..count {
            let at = packet.len();
            packet.extend((0xc000 | to as u16).to_be_bytes());
            to = at;
        }
        assert_eq!(KeyName::read(&packet, to).is_some(), is_read, "{count} pointers");
    }
}
