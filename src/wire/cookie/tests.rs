//! Cookies of RFC 9018 appendix A, and invalid cookies.

use super::*;

fn octets(hex: &str) -> Vec<u8> {
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
}

fn secrets(hex: &[&str]) -> Secrets {
    Secrets::new(&hex.iter().map(|hex| octets(hex).try_into().unwrap()).collect::<Vec<_>>())
}

const FIRST: &str = "e5e973e5a6b2a43f48e7dc849e37bfcf";

/// RFC 9018 appendix A. The answer in A.3 is almost two hours later than its cookie, which exceeds
/// the limit of section 4.3, so that row is checked twice.
#[test]
fn cookies_of_rfc_9018() {
    let (old, new) = ("dd3bdf9344b678b185a6f5cb60fca715", "445536bcd2513298075a5d379663c962");
    let v6 = "2001:db8:220:1:59de:d0f4:8769:82b8";
    let reserved = "fc93fc62807ddb8601abcdef5cf78f71a314227b6679ebf5";
    /// Label, secrets, client, cookie sent, its time, status, cookie returned.
    type Row<'a> = (&'a str, &'a [&'a str], &'a str, &'a str, u32, CookieStatus, &'a str);
    let rows: [Row<'_>; 6] = [
        (
            "A.1, a new one",
            &[FIRST],
            "198.51.100.100",
            "2464c4abcf10c957",
            1_559_731_985,
            CookieStatus::Client,
            "2464c4abcf10c957010000005cf79f111f8130c3eee29480",
        ),
        (
            "A.2, renewed",
            &[FIRST],
            "198.51.100.100",
            "2464c4abcf10c957010000005cf79f111f8130c3eee29480",
            1_559_734_385,
            CookieStatus::Valid,
            "2464c4abcf10c957010000005cf7a871d4a564a1442aca77",
        ),
        (
            "A.3, what is reserved is hashed as it came",
            &[FIRST],
            "203.0.113.203",
            reserved,
            1_559_727_985,
            CookieStatus::Valid,
            reserved,
        ),
        (
            "A.3, answered",
            &[FIRST],
            "203.0.113.203",
            reserved,
            1_559_734_700,
            CookieStatus::Invalid,
            "fc93fc62807ddb86010000005cf7a9acf73a7810aca2381e",
        ),
        (
            "A.4, an address of IPv6 and a new secret",
            &[new, old],
            v6,
            "22681ab97d52c298010000005cf7c57926556bd0934c72f8",
            1_559_741_961,
            CookieStatus::Valid,
            "22681ab97d52c298010000005cf7c609a6bb79d16625507a",
        ),
        (
            "the old secret is gone",
            &[new],
            v6,
            "22681ab97d52c298010000005cf7c57926556bd0934c72f8",
            1_559_741_961,
            CookieStatus::Invalid,
            "22681ab97d52c298010000005cf7c609a6bb79d16625507a",
        ),
    ];
    for (what, keys, client, sent, now, cookie_status, given) in rows {
        let asked = CookieOption::parse(&octets(sent)).unwrap();
        let (found, whole) = secrets(keys).answer(&asked, client.parse().unwrap(), now).unwrap();
        assert_eq!((found, whole.to_vec()), (cookie_status, octets(given)), "{what}");
    }
}

/// A cookie is valid from five minutes before its time to one hour after it, also across the wrap
/// of the clock; in its first half hour it is returned unchanged.
#[test]
fn ages_are_bounded() {
    let (secrets, client) = (secrets(&[FIRST]), "192.0.2.1".parse().unwrap());
    for made in [1_700_000_000, 0, u32::MAX - 100] {
        let new = CookieOption::parse(&[7; 8]).unwrap();
        let (_, whole) = secrets.answer(&new, client, made).unwrap();
        let asked = CookieOption::parse(&whole).unwrap();
        for (age, cookie_status, is_same) in [
            (0, CookieStatus::Valid, true),
            (1_800, CookieStatus::Valid, true),
            (1_801, CookieStatus::Valid, false),
            (3_600, CookieStatus::Valid, false),
            (3_601, CookieStatus::Invalid, false),
            (-300, CookieStatus::Valid, true),
            (-301, CookieStatus::Invalid, false),
            (i32::MIN, CookieStatus::Invalid, false),
        ] {
            let now = made.wrapping_add_signed(age);
            let (found, given) = secrets.answer(&asked, client, now).unwrap();
            assert_eq!((found, given == whole), (cookie_status, is_same), "made at {made}, {age} s old");
            assert_eq!(given[..8], whole[..8]);
        }
    }
}

/// A cookie is valid for one client, one client cookie, one version and one secret.
#[test]
fn cookies_of_others_are_invalid() {
    let secrets = secrets(&[FIRST]);
    let client = "192.0.2.1".parse().unwrap();
    let (_, whole) = secrets.answer(&CookieOption::parse(&[7; 8]).unwrap(), client, 1_000_000).unwrap();
    let cookie_status = |octets: &[u8], client: &str| {
        secrets.answer(&CookieOption::parse(octets).unwrap(), client.parse().unwrap(), 1_000_000).unwrap().0
    };
    assert_eq!(cookie_status(&whole, "192.0.2.1"), CookieStatus::Valid);
    assert_eq!(cookie_status(&whole, "192.0.2.2"), CookieStatus::Invalid);
    assert_eq!(cookie_status(&whole, "2001:db8::1"), CookieStatus::Invalid);
    for at in 0..WHOLE_LEN {
        let mut other = whole;
        other[at] ^= 1;
        assert_eq!(cookie_status(&other, "192.0.2.1"), CookieStatus::Invalid, "octet {at}");
    }
    assert_eq!(cookie_status(&whole[..16], "192.0.2.1"), CookieStatus::Invalid, "half of it");
    assert_eq!(
        cookie_status(&[&whole[..], &[0; 16]].concat(), "192.0.2.1"),
        CookieStatus::Invalid,
        "more than it"
    );
    assert!(Secrets::off().answer(&CookieOption::parse(&whole).unwrap(), client, 1_000_000).is_none());
}

/// Lengths of RFC 7873 section 5.2.2; and the debug output hides the secrets.
#[test]
fn lengths_and_secrecy() {
    let good = [8].into_iter().chain(16..=40);
    assert!(good.clone().all(|len| CookieOption::parse(&vec![1; len]).is_some()));
    assert!(
        (0..100)
            .filter(|len| !good.clone().any(|g| g == *len))
            .all(|len| CookieOption::parse(&vec![1; len]).is_none())
    );
    assert_eq!(format!("{:?}", secrets(&[FIRST, FIRST])), "2 secrets");
}
