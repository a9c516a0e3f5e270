//! Tests of `record_types`.

use super::RECORD_TYPES;
use crate::wire::name::Name;
use crate::wire::rr::RrType;
use crate::zone::rdata;

/// Types with a mnemonic that the reference leaves out: SOA, which has a key of its own; types that
/// a signer makes; NULL, which has no presentation format; and obsolete types, which are only read.
const UNLISTED: [&str; 18] = [
    "SOA",
    "RRSIG",
    "NSEC",
    "NSEC3",
    "NSEC3PARAM",
    "SIG",
    "NULL",
    "MD",
    "MF",
    "MB",
    "MG",
    "MR",
    "KEY",
    "NINFO",
    "TALINK",
    "AVC",
    "TA",
    "DLV",
];

/// Every type of zone data with a mnemonic has an example, and is not among those that are read in
/// the generic form alone.
#[test]
fn every_type_has_an_example() {
    let mut faults = Vec::new();
    for name in RrType::mnemonics() {
        let is_data = RrType::from_text(name).is_some_and(|rtype| !rtype.is_meta());
        let is_listed = RECORD_TYPES.iter().any(|record| record.name == name);
        if is_data && is_listed == UNLISTED.contains(&name) {
            faults.push(format!("{name}: has an example, or stands in UNLISTED"));
        }
        if RrType::generic_only(name).is_some() {
            faults.push(format!("{name}: has a mnemonic, and stands in `generic_only`"));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// Every example is read, written, and read again to the same octets.
#[test]
fn every_example_is_read() {
    let origin = Name::parse("example.org.", None).unwrap();
    let mut faults = Vec::new();
    for record in RECORD_TYPES {
        let rtype = RrType::from_text(record.name).unwrap();
        for example in record.examples {
            match rdata::from_text(rtype, example, &origin) {
                Ok(octets) => {
                    let text = rdata::to_text(rtype, &octets);
                    let again = rdata::from_text(rtype, &text, &origin).ok();
                    assert!(again == Some(octets), "{} {example} became {text}", record.name);
                }
                Err(fault) => faults.push(format!("{} {example}: {fault}", record.name)),
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}
