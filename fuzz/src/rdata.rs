//! Any text as record data of any type: an error, or octets that are valid for the type and come
//! back as text that means the same.

use meridian::testing::wire::name::Name;
use meridian::testing::wire::rr::RrType;
use meridian::testing::zone::rdata;

/// Types with a format of their own, and two without.
const TYPES: [u16; 36] = [
    1, 2, 5, 6, 12, 13, 15, 16, 18, 28, 29, 33, 35, 37, 39, 42, 43, 44, 45, 48, 52, 55, 62, 64, 65, 104, 108,
    109, 256, 257, 260, 32_769, 65_280, 11, 22, 26,
];

/// The first octet chooses the type, the rest is the text.
pub fn rdata(data: &[u8]) {
    let Some((&rtype, text)) = data.split_first() else { return };
    let rtype = RrType(TYPES[usize::from(rtype) % TYPES.len()]);
    let text = String::from_utf8_lossy(text);
    let origin = Name::parse("cdn.example.", None).expect("a plain name");
    let Ok(octets) = rdata::from_text(rtype, &text, &origin) else { return };
    assert!(rdata::is_valid(rtype, &octets), "{rtype} {text:?} -> {octets:02x?}");
    rdata::names_in(rtype, &octets);
    let written = rdata::to_text(rtype, &octets);
    let again = rdata::from_text(rtype, &written, &Name::root());
    assert_eq!(again.as_ref(), Ok(&octets), "{rtype} {text:?} became {written:?}");
}
