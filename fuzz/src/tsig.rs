//! TSIG records: the first octet is the length of the key name as sent, then come the key name and
//! the record data. They sign a NOTIFY, whose reply refuses the key.

use super::rare::reply;
use domain::base::iana::{Rcode, Rtype, TsigRcode};
use domain::base::{Message, ParsedName};
use domain::rdata::tsig::Tsig;

/// A NOTIFY for `CdN.example`, behind it room for one more record.
const NOTIFY: &[u8] = b"\x12\x34\x20\0\0\x01\0\0\0\0\0\x01\x03CdN\x07example\0\0\x06\0\x01";

/// The message that the octets make.
pub fn message(data: &[u8]) -> Option<Vec<u8>> {
    let (len, rest) = data.split_first()?;
    let (owner, rdata) = rest.split_at_checked(usize::from(*len))?;
    let rdata_len = u16::try_from(rdata.len()).ok()?.to_be_bytes();
    Some([NOTIFY, owner, &[0, 250, 0, 255, 0, 0, 0, 0], &rdata_len, rdata].concat())
}

/// The reply is NOTAUTH with a TSIG record of the same key and algorithm, BADKEY and no MAC; or it
/// is FORMERR; or it is truncated. It is never longer than the message.
pub fn tsig(data: &[u8]) {
    let Some(message) = message(data) else { return };
    let reply = reply(&message).expect("a NOTIFY is answered");
    assert!(reply.len() <= message.len().min(512), "{} octets for {}", reply.len(), message.len());
    let read = Message::from_octets(&reply[..]).expect("a message");
    let records: Vec<_> = read.additional().expect("a section").map(|r| r.expect("a record")).collect();
    // A key name may swallow the rest of the record, which then is another.
    let asked = Message::from_octets(&message[..]).expect("a message");
    let is_tsig = asked
        .additional()
        .is_ok_and(|mut records| matches!(records.next(), Some(Ok(r)) if r.rtype() == Rtype::TSIG));
    match read.header().rcode() {
        Rcode::FORMERR => assert!(records.is_empty()),
        Rcode::NOTAUTH if read.header().tc() || !is_tsig => assert!(records.is_empty()),
        Rcode::NOTAUTH => {
            let [record] = &records[..] else { panic!("{} records", records.len()) };
            let ours = record.to_record::<Tsig<_, ParsedName<_>>>().expect("sound").expect("a TSIG record");
            assert_eq!((ours.data().error(), ours.data().mac().len()), (TsigRcode::BADKEY, 0));
            assert!(ours.data().other().is_empty());
            // What both of us read is the same.
            let theirs = asked.additional().expect("a section").next().expect("a record").expect("sound");
            assert_eq!(ours.owner(), &theirs.owner());
            if let Ok(Some(theirs)) = theirs.to_record::<Tsig<_, ParsedName<_>>>() {
                assert_eq!(ours.data().algorithm(), theirs.data().algorithm());
                assert_eq!(ours.data().time_signed(), theirs.data().time_signed());
                assert_eq!(ours.data().original_id(), theirs.data().original_id());
            }
        }
        other => panic!("{other}"),
    }
}
