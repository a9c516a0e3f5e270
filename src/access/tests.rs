//! Tests of `access`.

use super::*;

fn prefix(text: &str) -> Prefix {
    Prefix::from(text.parse::<ipnet::IpNet>().unwrap())
}

fn lists(rows: &[(&str, Action)]) -> Access {
    Access::new(rows.iter().map(|(text, action)| (prefix(text), *action)).collect()).expect("few parts")
}

/// The longest prefix decides, in either family and at the ends of the space; IPv4 inside IPv6 is
/// IPv4.
#[test]
fn the_longest_prefix_decides() {
    let access = lists(&[
        ("0.0.0.0/0", Action::Refuse),
        ("10.0.0.0/8", Action::Drop),
        ("10.1.0.0/16", Action::Allow),
        ("10.1.2.3/32", Action::Refuse),
        ("255.255.255.255/32", Action::Allow),
        ("2001:db8::/32", Action::Drop),
        ("2001:db8:1::/48", Action::Allow),
    ]);
    for (address, action, by) in [
        ("9.255.255.255", Action::Refuse, Some("0.0.0.0/0")),
        ("10.0.0.0", Action::Drop, Some("10.0.0.0/8")),
        ("10.1.2.2", Action::Allow, Some("10.1.0.0/16")),
        ("10.1.2.3", Action::Refuse, Some("10.1.2.3/32")),
        ("::ffff:10.1.2.3", Action::Refuse, Some("10.1.2.3/32")),
        ("10.2.0.0", Action::Drop, Some("10.0.0.0/8")),
        ("11.0.0.0", Action::Refuse, Some("0.0.0.0/0")),
        ("255.255.255.255", Action::Allow, Some("255.255.255.255/32")),
        ("2001:db8:ffff:ffff::1", Action::Drop, Some("2001:db8::/32")),
        ("2001:db8:1::1", Action::Allow, Some("2001:db8:1::/48")),
        ("2001:db9::1", Action::Allow, None),
        ("::", Action::Allow, None),
    ] {
        let expected = Verdict { action, prefix: by.map(prefix) };
        assert_eq!(access.verdict(address.parse().unwrap()), expected, "{address}");
    }
}

/// Random lists give each address the verdict of a plain search.
#[test]
fn verdicts_are_those_of_a_search() {
    let mut state = 7u64;
    let mut random = |below: u32| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as u32 % below
    };
    for _ in 0..200 {
        let mut entries: Vec<(Prefix, Action)> = Vec::new();
        for _ in 0..random(40) {
            let address = IpAddr::from([10, random(4) as u8, random(256) as u8, random(256) as u8]);
            let prefix = Prefix::new(address, random(33) as u8);
            if entries.iter().all(|(other, _)| *other != prefix) {
                entries.push((prefix, Action::ALL[random(3) as usize]));
            }
        }
        let access = Access::new(entries.clone()).expect("few parts");
        for _ in 0..200 {
            let address = IpAddr::from([10, random(4) as u8, random(256) as u8, random(256) as u8]);
            let found = entries.iter().filter(|(prefix, _)| prefix.contains(address));
            let longest = found.max_by_key(|(prefix, _)| prefix.len());
            let expected = Verdict {
                action: longest.map_or(Action::Allow, |(_, action)| *action),
                prefix: longest.map(|(prefix, _)| *prefix),
            };
            assert_eq!(access.verdict(address), expected, "{entries:?}");
        }
    }
}
