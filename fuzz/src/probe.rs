//! What a probed server sends: DNS replies, HTTP responses, certificates, health files.

use super::cost::stays_linear;

use meridian::testing::health::certificate::{self, Facts};
use meridian::testing::health::pem;
use meridian::testing::probe::dns::{DnsReply, query, read};
use meridian::testing::probe::file;
use meridian::testing::probe::http::reply;
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
    stays_linear(data, responses);
    stays_linear(data, certificates);
}

/// The octets as an HTTP response: it means the same in one piece and octet by octet.
fn responses(data: &[u8]) {
    let whole = reply(std::iter::once(data));
    match &whole {
        Ok((body, remark)) => {
            assert!(body.len() <= data.len(), "a body is a part of the response");
            let remark = remark.as_deref().unwrap_or_default();
            assert!(
                remark.len() < 400 && remark.is_ascii() && !remark.contains(char::is_control),
                "{remark}"
            );
        }
        Err(why) => assert!(why.len() < 600 && why.is_ascii() && !why.contains(char::is_control), "{why}"),
    }
    match (whole, reply(data.chunks(1))) {
        (Ok(whole), Ok(pieces)) => assert_eq!(whole, pieces),
        // What is no HTTP is told at its first octet, so a piece shows less of it.
        (Err(_), Err(_)) => {}
        (whole, pieces) => panic!("{whole:?}, octet by octet {pieces:?}"),
    }
}

/// The octets as a file of certificates, and as one in DER.
fn certificates(data: &[u8]) {
    match pem::certificates(data) {
        Ok(found) => assert!(!found.is_empty() && found.iter().all(|der| Facts::read(der).is_some())),
        Err(why) => assert!(why.len() < 300 && why.is_ascii() && !why.contains(char::is_control), "{why}"),
    }
    if let Some(facts) = Facts::read(data) {
        let named = facts.names().len() + facts.issuer().map_or(0, |name| name.len());
        assert!(named <= 4 * data.len() + 64, "{named} octets of names");
        let _ = facts.unverifiable_key();
    }
}
