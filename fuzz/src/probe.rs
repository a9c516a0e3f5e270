//! What a probed server sends: DNS replies, certificates, health files.

use meridian::testing::probe::dns::{DnsReply, query, read};
use meridian::testing::probe::{certificate, file};
use meridian::testing::wire::rr::RrType;

/// The query to which every input is a reply.
pub fn asked() -> Vec<u8> {
    query(0x1234, b"\x03www\x07example\x00", RrType::A)
}

/// Reads the octets as each of them.
pub fn probe(data: &[u8]) {
    let asked = asked();
    match read(&asked, data) {
        DnsReply::Other => {}
        DnsReply::Malformed { rcode } => assert_eq!(rcode, data[3] & 0xf),
        DnsReply::Answer { rcode, addresses } => {
            assert_eq!((data[..2].to_vec(), rcode), (asked[..2].to_vec(), data[3] & 0xf));
            assert!(addresses.iter().all(|address| address.is_ipv4()), "only the type asked");
            assert!(addresses.len() <= data.len() / 15, "each costs a name, ten octets and four");
        }
    }
    if let Some(end) = certificate::not_after(data) {
        // Years have four digits.
        assert!((-62_200_000_000..=253_402_300_800).contains(&end), "{end}");
    }
    if let Err(why) = file::judge(data, 1) {
        assert!(why.len() < 600 && why.is_ascii() && !why.contains(char::is_control), "{why}");
    }
}
