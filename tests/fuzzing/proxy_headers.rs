//! PROXY headers, wounded.

use crate::{drive, mutate, targets};
use support::dice::Dice;

const SEEDS: [&str; 7] = ["ipv4", "ipv6", "ipv4-inside-ipv6", "tlvs", "local", "unspecified", "unix"];
const WORDS: [&[u8]; 7] = [
    b"\r\n\r\n\0\r\nQUIT\n",
    b"\x21\x11\0\x0c",
    b"\x21\x22\0\x24",
    b"\x20\0\0\0",
    b"\x04\0\x03",
    b"\0",
    b"\xff\xff",
];

#[test]
fn proxy_headers() {
    let corpus = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus/proxy");
    let seeds = SEEDS.map(|name| std::fs::read(corpus.join(name)).expect("a seed"));
    let make = |dice: &mut Dice| {
        let mut input = dice.pick::<Vec<u8>>(&seeds).clone();
        mutate(dice, &mut input, &WORDS);
        input
    };
    drive("proxy_headers", targets::proxy::proxy, 50_000, make, || {});
}
