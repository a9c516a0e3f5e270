//! Tests of `limits`.

use super::*;
use crate::control::protocol::status::{LaneTotals, LimitedPrefix, OverloadStatus};

/// Only reasons that were met have a row; without any there is a sentence.
#[test]
fn tables_have_what_was_met() {
    assert_eq!(
        text(&Status::default()),
        "no message or connection was dropped\n\nno client prefix is known to be past a rate limit in the \
         last minutes (`rate_limit` may be off)\n"
    );
    let dropped = [("prefix_full".into(), 3), ("silence".into(), 0)].into();
    let mut status = Status::default();
    status.lanes.insert("tcp".into(), LaneTotals { dropped, ..LaneTotals::default() });
    status.rate_limited.push(LimitedPrefix { prefix: "192.0.2.0/24".to_owned(), answers: 7 });
    let expected = "TRANSPORT  REASON       DROPPED\n\
         tcp        prefix_full  3\n\n\
         PREFIX        ANSWERS PAST A RATE LIMIT\n\
         192.0.2.0/24  7\n";
    assert_eq!(text(&status), expected);
    let mut overload = OverloadStatus { known_prefixes: 12, share: 1.0, ..OverloadStatus::default() };
    status.overload = Some(overload.clone());
    let expected = format!("{expected}\noverload: 12 known prefixes; nothing is shed now\n");
    assert_eq!(text(&status), expected);
    overload.refused = true;
    status.overload = Some(overload.clone());
    let refused = "overload: 12 known prefixes; nothing is shed, because the kernel takes no filter (see the \
                   log)\n";
    assert!(text(&status).ends_with(refused));
    status.overload = Some(OverloadStatus { passing_prefixes: 11, share: 0.07, refused: false, ..overload });
    let shed = "strangers are shed now: all queries of 11 known prefixes pass, and 7.0 % of the others\n";
    assert!(text(&status).ends_with(shed));
}
