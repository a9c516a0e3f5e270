//! TSIG records that are made: sound ones, and what is left of them after some wounds.

use crate::{drive, mutate, targets};
use support::dice::Dice;

/// Signatures, wounded.
#[test]
fn signatures() {
    let rdata: &[u8] = b"\x0bhmac-sha256\0\0\0\x65\0\0\0\x01\x2c\0\x04\x07\x07\x07\x07\x12\x34\0\0\0\0";
    let owners: [&[u8]; 5] =
        [b"\x03key\0", b"\x03key\xc0\x10", b"\xc0\x0c", b"\x07EXAMPLE\0", b"\x01a\x03cdn\x07Example\0"];
    let words: [&[u8]; 6] = [b"\xc0\x0c", b"\xc0\x1d", b"\0", b"\x3f", b"\x07example", b"\xff\xff"];
    let make = |dice: &mut Dice| {
        let mut owner = dice.pick::<&[u8]>(&owners).to_vec();
        for _ in 0..dice.below(20) {
            let label = [&[dice.below(63) as u8 + 1][..], &[b'x'; 63]].concat();
            owner.splice(0..0, label[..1 + usize::from(label[0])].iter().copied());
        }
        if dice.once_in(2) {
            mutate(dice, &mut owner, &words);
        }
        owner.truncate(255);
        let mut rdata = rdata.to_vec();
        if dice.once_in(2) {
            mutate(dice, &mut rdata, &words);
        }
        [&[owner.len() as u8][..], &owner, &rdata].concat()
    };
    drive("signatures", targets::tsig::tsig, 50_000, make, || {});
}
