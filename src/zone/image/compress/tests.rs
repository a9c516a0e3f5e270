//! Compressed names, and their expansion by a reader of the message.

use super::*;
use crate::wire::name::Name;

fn wire(text: &str) -> Vec<u8> {
    Name::parse(text, None).unwrap().as_wire().to_vec()
}

/// Cuts the names one after another, each as the whole data of a record.
fn cuts(owner: &str, names: &[&str]) -> Vec<Cut> {
    let wires: Vec<Vec<u8>> = names.iter().map(|name| wire(name)).collect();
    let mut compressor = Compressor::default();
    compressor.begin(&wire(owner), false);
    wires
        .iter()
        .map(|name| {
            let cut = compressor.cut(name, 0);
            compressor.end(name.len() - cut.saves() + if cut == Cut::Nowhere { 0 } else { 2 });
            cut
        })
        .collect()
}

#[test]
fn the_longest_ending_is_left_out() {
    let rows: [(&str, &str, &[&str], &[Cut]); 10] = [
        ("the owner", "sub.example.", &["ns.sub.example."], &[Cut::Owner(13)]),
        ("an ending of the owner", "www.example.", &["HOST.eXample."], &[Cut::Owner(9)]),
        ("the owner itself", "example.", &["example."], &[Cut::Owner(9)]),
        ("across a zone", "www.shop.example.", &["shop.cdn.example."], &[Cut::Owner(9)]),
        ("nothing in common", "example.", &["ns.elsewhere.test."], &[Cut::Nowhere]),
        ("an ending that is no label", "xample.", &["example."], &[Cut::Nowhere]),
        ("the root saves nothing", ".", &["a.", "."], &[Cut::Nowhere, Cut::Nowhere]),
        // The second name is 12 octets after the start, and the ending 3 octets further.
        (
            "an earlier name",
            "example.",
            &["a1.dns.test.", "a2.DNS.test.", "b.test.", "a2.dns.test."],
            &[Cut::Nowhere, Cut::Earlier(15, 10), Cut::Earlier(19, 6), Cut::Earlier(37, 13)],
        ),
        // The root as owner takes one octet, instead of a pointer of two.
        (
            "below the root",
            ".",
            &["a.servers.test.", "b.servers.test."],
            &[Cut::Nowhere, Cut::Earlier(13, 14)],
        ),
        ("never the label of a wildcard", "*.w.example.", &["*.w.example."], &[Cut::Owner(11)]),
    ];
    for (what, owner, names, expected) in rows {
        assert_eq!(cuts(owner, names), expected, "{what}");
    }
}

#[test]
fn pointers_stay_within_reach() {
    // Names with only their last two labels in common fill the reach.
    let names: Vec<String> = (0..200).map(|n| format!("{}.n{n}.test.", "x".repeat(60))).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    for cut in cuts("example.", &names) {
        assert!(matches!(cut, Cut::Nowhere | Cut::Earlier(..)), "{cut:?}");
        if let Cut::Earlier(at, _) = cut {
            assert!(usize::from(at) < REACH);
        }
    }
}
