//! Codes of reloads and comparisons that ended with findings.

use super::*;
use crate::finding::Finding;

#[test]
fn the_code_tells_whose_fault_it_is() {
    let words = "the files have faults";
    for (of, code) in [
        (code::RELOAD_BUSY, ErrorCode::Busy),
        (code::DISK_HANGS, ErrorCode::Busy),
        (code::RELOAD_CANCELLED, ErrorCode::Conflict),
        (code::OWN_FAULT, ErrorCode::Fault),
        (code::TOO_BIG, ErrorCode::BadFiles),
    ] {
        let mut findings = Findings::from(Finding::warning(code::OWN_FAULT, "a warning"));
        findings.push(Finding::error(of, "why").help("do this"));
        let (is, failure) = failure(&findings, words);
        assert_eq!(is, code, "{}", of.id);
        let of_server = code != ErrorCode::BadFiles;
        let expected = if of_server { ("why", "do this") } else { (words, code.help()) };
        assert_eq!((&*failure.message, &*failure.help), expected);
        let retry = refused_with(is, failure).headers().contains_key(header::RETRY_AFTER);
        assert_eq!(retry, code == ErrorCode::Busy);
    }
}
