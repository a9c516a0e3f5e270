//! RRsets in a response: whole or not at all.

use super::rrset::{Made, Ready, stored};
use super::*;
use crate::wire::fragment::{NO_PATCH, Rdata, head};
use crate::wire::rr::RrType;

/// Room for one record behind the header, whatever its owner, and not for two.
const LIMIT: usize = HEADER_LEN + 24;

fn ttl() -> Ttl {
    Ttl::from_secs(60).unwrap()
}

/// Each origin has its sections, so no delegation, glue or answer of another class is taken for
/// data of a zone; class CH is written where it belongs.
#[test]
fn origins_have_their_sections() {
    let sections = [Section::Answer, Section::Authority, Section::Additional];
    let rows = [
        (Origin::Authoritative, [true; 3]),
        (Origin::Synthesised, [true; 3]),
        (Origin::Redirected, [true, false, false]),
        (Origin::Delegation, [false, true, false]),
        (Origin::Glue, [false, false, true]),
        (Origin::Chaos, [true, false, false]),
    ];
    for (origin, may) in rows {
        assert_eq!(sections.map(|section| origin.may_stand_in(section)), may, "{origin:?}");
        let Some(section) = sections.into_iter().find(|section| origin.may_stand_in(*section)) else {
            panic!("{origin:?} stands nowhere")
        };
        let mut out = [0; 512];
        let mut response = Response::begin(&mut out, 512, 0, 0, Question::default());
        let owner = OwnerName { at: HEADER_LEN, wire: b"\x01a\0" };
        let rdata_at = response.rrset(section, origin, owner, Made::one(RrType::TXT, ttl(), b"\0"));
        let class = if origin == Origin::Chaos { 3 } else { 1 };
        let rdata_at = rdata_at.expect("room");
        assert_eq!(out[rdata_at - 8..rdata_at - 6], [0, class], "{origin:?}");
    }
}

/// An RRset goes out whole or not at all, in each of its forms and for each kind of owner: one that
/// a pointer reaches, the root, and one beyond the reach of pointers. What does not fit leaves the
/// response as it was, with TC unless it is additional.
#[test]
fn an_rrset_is_written_whole_or_not_at_all() {
    let octets: Vec<u8> = [&head(RrType::A, ttl(), 4)[..], &[192, 0, 2, 1]].concat();
    let two = octets.repeat(2);
    let rdata = Rdata { record: &octets, octets: &octets[12..], patches: [NO_PATCH; 2], link: None };
    let owners = [
        OwnerName { at: HEADER_LEN, wire: b"\x01a\0" },
        OwnerName { at: HEADER_LEN, wire: b"\0" },
        OwnerName { at: POINTER_MAX + 1, wire: b"\x03far\0" },
    ];
    type Write<'w> = &'w dyn Fn(&mut Response<'_>, Section, OwnerName<'_>) -> Option<usize>;
    for (owner, records) in owners.into_iter().flat_map(|owner| [(owner, 1), (owner, 2)]) {
        let name = WrittenName { position: NamePosition::QUESTION, len: owner.wire.len() };
        let made: Write<'_> = &|response, section, owner| {
            let rdata = [[192u8, 0, 2, 1]; 2].into_iter().take(records);
            response.rrset(
                section,
                Origin::Authoritative,
                owner,
                Made { rtype: RrType::A, ttl: ttl(), len: 4, rdata },
            )
        };
        let kept: Write<'_> = &|response, section, owner| {
            response.rrset(
                section,
                Origin::Authoritative,
                owner,
                stored(std::iter::repeat_n(rdata, records), name),
            )
        };
        let ready: Write<'_> = &|response, section, owner| {
            response.rrset(section, Origin::Authoritative, owner, Ready(&two[..16 * records], records as u16))
        };
        for (form, write) in [("made", made), ("stored", kept), ("ready", ready)] {
            for section in [Section::Answer, Section::Authority, Section::Additional] {
                let what = format!("{form}, {owner:?}, {records} records, {section:?}");
                let mut out = [0; 512];
                let mut response = Response::begin(&mut out, LIMIT, 0, 0, Question::default());
                let written = write(&mut response, section, owner);
                assert_eq!(written.is_some(), records == 1, "{what}");
                let is_cut = records == 2 && section != Section::Additional;
                assert_eq!(response.is_truncated(), is_cut, "{what}");
                let counted = u16::from(section == Section::Answer && records == 1);
                assert_eq!(response.answers(), counted, "{what}");
                let end = response.position();
                match written {
                    None => assert_eq!(end, HEADER_LEN, "{what}"),
                    Some(rdata_at) => assert_eq!(out[rdata_at..end], [192, 0, 2, 1], "{what}"),
                }
            }
        }
    }
}
