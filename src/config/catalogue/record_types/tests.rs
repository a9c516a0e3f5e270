//! Tests of `record_types`.

use super::RECORD_TYPES;
use crate::wire::name::Name;
use crate::wire::rr::RrType;
use crate::zone::rdata;

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
